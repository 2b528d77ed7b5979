"""All of it once, tiny: worlds rendered on this machine, a few steps, a checkpoint, and graphs equal to the network."""

from __future__ import annotations

import pytest
import torch

from training import train
from training.checkpoint import read_network
from training.export import export_network
from training.film import develop
from training.flat import FlatNet
from training.lesson import Lesson
from training.losses import sample_geometry
from training.net import StillNet
from training.panoramas import load_panoramas
from training.stream import WorldStream

CPU = torch.device("cpu")
STEPS = 5


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Of a run as the command line makes it, on worlds of 32 and 64 pixels."""
    out = tmp_path_factory.mktemp("run")
    words = "--seconds 600 --steps 2 --batch 2 --targets 1 --workers 0 --shapes 32x64,64x32 --out"
    train.main([*words.split(), str(out)])
    return out / "checkpoint"


def test_a_run_on_rendered_worlds_leaves_a_network_whose_graphs_equal_it(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr("training.export.SIZES", ((64, 96), (128, 32)))
    net = StillNet()
    net.load_state_dict(read_network(checkpoint, "network"))
    exact, _ = export_network(net, tmp_path)
    assert exact <= 1e-4
    assert {path.name for path in tmp_path.iterdir()} == {"stillnet_encoder.onnx", "stillnet_decoder.onnx"}


def test_the_command_goes_on_where_it_stopped(checkpoint, tmp_path):
    words = "--seconds 600 --steps 1 --batch 1 --targets 1 --workers 0 --shapes 32x64 --resume"
    train.main([*words.split(), str(checkpoint), "--out", str(tmp_path)])
    assert "step 3" in (tmp_path / "log.txt").read_text()


def test_the_loss_falls_on_worlds_that_are_shown_again():
    torch.manual_seed(0)
    dice = torch.Generator().manual_seed(0)
    stream = WorldStream(2, [(64, 64)], 3, CPU, workers=0)
    worlds = stream.draw()
    flat = FlatNet(StillNet())
    lesson = Lesson(flat.net, 2, dice)
    pictures, targets = develop(worlds, load_panoramas(CPU), dice), lesson.choose(worlds)
    geometry = sample_geometry(worlds, 1, 1)
    losses = []
    for _ in range(STEPS):
        loss, _ = lesson.teach(pictures, targets, geometry, 2)
        loss.backward()
        assert all(slot.view(flat.grads).any() for slot in flat.slots)
        flat.step(1e-3)
        losses.append(loss.item())
    assert max(losses[-2:]) < 0.75 * losses[0]
