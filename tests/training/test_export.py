"""The graphs answer as the network does, at any size, and come out the same every time."""

from __future__ import annotations

import torch

from training.export import TOLERANCE, export_network
from training.net import StillNet


def test_graphs_are_the_network(tmp_path, monkeypatch):
    monkeypatch.setattr("training.export.SIZES", ((64, 96), (128, 32)))
    torch.manual_seed(0)
    net = StillNet()
    exact, halved = export_network(net, tmp_path / "one")
    assert exact <= TOLERANCE
    assert halved < 0.02
    monkeypatch.setattr("training.export.SIZES", ((32, 64),))
    export_network(net, tmp_path / "two")
    for name in ("stillnet_encoder.onnx", "stillnet_decoder.onnx"):
        graph = (tmp_path / "one" / name).read_bytes()
        assert graph == (tmp_path / "two" / name).read_bytes()
        assert len(graph) < 20_000_000
