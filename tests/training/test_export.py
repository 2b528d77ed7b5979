"""The graphs answer as the network does, at any size, and come out the same every time."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from training.export import TOLERANCE, export_network  # noqa: E402
from training.net import StillNet  # noqa: E402


def test_graphs_are_the_network(tmp_path, monkeypatch):
    torch.manual_seed(0)
    net = StillNet()
    exact, halved = export_network(net, tmp_path / "one")  # at two sizes
    assert exact <= TOLERANCE
    assert halved < 0.02
    monkeypatch.setattr("training.export.SIZES", ((32, 64),))
    export_network(net, tmp_path / "two")
    for name in ("stillnet_encoder.onnx", "stillnet_decoder.onnx"):
        graph = (tmp_path / "one" / name).read_bytes()
        assert graph == (tmp_path / "two" / name).read_bytes()
        assert len(graph) < 20_000_000
