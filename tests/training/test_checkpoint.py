"""A training that is kept goes on as if it had never stopped, and what is not of one piece is refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.checkpoint import (
    BadCheckpoint,
    Progress,
    pack_nibbles,
    quantise,
    quantise_up,
    read_network,
    restore,
    resume,
    unpack_nibbles,
    write_checkpoint,
)
from training.flat import FlatNet

PROGRESS = Progress(step=7, fraction=0.25, seconds=12.5, seed=3, images=99, best={"choice": 0.5})


def make_flat(seed=0):
    torch.manual_seed(seed)
    flat = FlatNet(nn.Sequential(nn.Conv2d(3, 40, 3), nn.ReLU(), nn.Conv2d(40, 8, 3)))
    flat.net.to(memory_format=torch.channels_last)
    return flat


def teach(flat, steps):
    """Losses of a few steps on one picture."""
    x = torch.rand(2, 3, 12, 12, generator=torch.Generator().manual_seed(5))
    losses = []
    for _ in range(steps):
        loss = (flat.net(x) - 1).square().mean()
        loss.backward()
        flat.step(1e-3)
        flat.follow(1)
        losses.append(loss.item())
    return losses


def test_flat_steps_are_those_of_adamw():
    mine, torch_net = make_flat(), make_flat().net
    named = list(torch_net.parameters())
    groups = [
        {"params": [p for p in named if p.ndim > 1], "weight_decay": 0.03},
        {"params": [p for p in named if p.ndim <= 1], "weight_decay": 0.0},
    ]
    theirs = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.98))
    x = torch.rand(2, 3, 12, 12, generator=torch.Generator().manual_seed(5))
    for _ in range(5):
        theirs.zero_grad()
        (torch_net(x) - 1).square().mean().backward()
        nn.utils.clip_grad_norm_(torch_net.parameters(), 1.0)
        theirs.step()
    teach(mine, 5)
    for a, b in zip(mine.net.parameters(), torch_net.parameters()):
        assert torch.allclose(a, b, atol=1e-5)


def test_gradients_that_are_not_finite_change_nothing():
    flat = make_flat()
    teach(flat, 3)
    before, first, second = flat.values.clone(), flat.first.clone(), flat.second.clone()
    flat.grads.fill_(1.0)[5] = float("nan")
    flat.step(1e-3)
    assert torch.equal(before, flat.values)
    assert torch.equal(first, flat.first)
    assert torch.equal(second, flat.second)


def test_goes_on_as_if_it_had_never_stopped(tmp_path):
    flat = make_flat()
    teach(flat, 30)
    best = flat.average + 0.01
    write_checkpoint(tmp_path / "kept", flat, PROGRESS, best)
    other = make_flat(1)
    progress, read_best = resume(tmp_path / "kept", other)
    assert progress == PROGRESS
    assert (other.values - flat.values).abs().max() < 1e-3
    assert (other.average - flat.average).abs().max() < 1e-3
    assert (read_best - best).abs().max() < 1e-3
    assert ((other.second > 0) == (flat.second > 0)).all()
    assert (other.second >= flat.second * 0.999).all()
    assert (other.first - flat.first).abs().max() <= flat.first.abs().max() / 13
    assert teach(other, 5) == pytest.approx(teach(flat, 5), rel=0.03)


def test_reads_weights_by_name(tmp_path):
    flat = make_flat()
    teach(flat, 3)
    write_checkpoint(tmp_path, flat, PROGRESS)
    weights = read_network(tmp_path, "average")
    net = make_flat(1).net
    net.load_state_dict(weights)
    assert (net[0].weight - flat.slots[0].view(flat.average)).abs().max() < 1e-3
    with pytest.raises(BadCheckpoint, match="best"):
        read_network(tmp_path, "best")


def test_refuses_what_is_not_of_one_piece(tmp_path):
    flat = make_flat()
    write_checkpoint(tmp_path / "one", flat, PROGRESS)
    teach(flat, 1)
    write_checkpoint(tmp_path / "two", flat, PROGRESS)
    part = next((tmp_path / "one").glob("part_0.bin"))
    part.write_bytes((tmp_path / "two" / "part_0.bin").read_bytes())
    with pytest.raises(BadCheckpoint):
        resume(tmp_path / "one", flat)
    (tmp_path / "two" / "manifest.json").unlink()
    with pytest.raises(BadCheckpoint):
        resume(tmp_path / "two", flat)


def test_refuses_another_network(tmp_path):
    write_checkpoint(tmp_path, make_flat(), PROGRESS)
    with pytest.raises(BadCheckpoint, match="another network"):
        resume(tmp_path, FlatNet(nn.Linear(3, 3)))


def test_a_new_checkpoint_takes_the_place_of_the_old(tmp_path):
    flat = make_flat()
    write_checkpoint(tmp_path / "kept", flat, PROGRESS, flat.average)
    write_checkpoint(tmp_path / "kept", flat, PROGRESS)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept"]
    assert sorted(p.name for p in (tmp_path / "kept").iterdir()) == ["manifest.json", "part_0.bin"]


def test_quantised_errors_are_bounded():
    values = torch.randn(1000, generator=torch.Generator().manual_seed(1)) * 1e-8
    near = restore(*quantise(values, 127), 1000)
    assert (near - values).abs().max() <= values.abs().max() / 127 / 2 * 1.01
    whole, _ = quantise(values, 7)
    assert torch.equal(unpack_nibbles(pack_nibbles(whole)), whole)
    up = restore(*quantise_up(values.abs()), 1000)
    assert (up >= values.abs() * 0.999).all()
