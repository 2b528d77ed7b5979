"""The graphs come out the same every time, answer at any size, and are small."""

from __future__ import annotations

import pytest
import torch

from training.export import export_network
from training.net import StillNet


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return StillNet()


def test_the_same_network_makes_the_same_files(net, tmp_path, monkeypatch):
    monkeypatch.setattr("training.export.SIZES", ((32, 64),))
    _, halved = export_network(net, tmp_path / "one")
    assert halved < 0.02
    export_network(net, tmp_path / "two")
    for name in ("stillnet_encoder.onnx", "stillnet_decoder.onnx"):
        graph = (tmp_path / "one" / name).read_bytes()
        assert graph == (tmp_path / "two" / name).read_bytes()
        assert len(graph) < 20_000_000


def test_graphs_that_differ_are_not_written(net, tmp_path, monkeypatch):
    monkeypatch.setattr("training.export.trace_graphs", lambda net: (None, None))
    monkeypatch.setattr("training.export.measure_difference", lambda net, encoder, decoder: 2e-4)
    with pytest.raises(ValueError, match="differ from the network"):
        export_network(net, tmp_path)
    assert not list(tmp_path.iterdir())
