"""The loop stops, keeps itself and goes on; losses and rates are what they say."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from support.rectangle_worlds import FakeStream, develop_plainly

from training.checkpoint import read_network
from training.lesson import FIGURES
from training.losses import lose_on_camera, lose_on_depth, lose_on_first
from training.net import StillNet
from training.train import Plan, Ranks, Training, merge_figures, set_rate

CPU = torch.device("cpu")


def test_trains_keeps_itself_and_goes_on(tmp_path):
    def start(plan):
        torch.manual_seed(0)
        shapes = ((32, 64), (64, 32))
        return Training(plan, lambda seed: FakeStream(seed, shapes), develop_plainly, Ranks(CPU), StillNet())

    plan = Plan(seconds=60, out=tmp_path, targets=1, most_steps=3)
    training = start(plan)
    figures = training.run()
    assert set(figures) == set(FIGURES)
    assert "step 3" in (tmp_path / "log.txt").read_text()
    assert sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) < 63_000_000
    assert all(p.stat().st_size <= 15_900_000 for p in tmp_path.rglob("*") if p.is_file())
    again = start(replace(plan, most_steps=1))
    again.resume(tmp_path / "checkpoint")
    assert again.progress.step == 3
    assert again.progress.seed == 1
    assert (again.flat.values - training.flat.values).abs().max() < 1e-3
    again.run()
    assert again.progress.step == 4
    StillNet().load_state_dict(read_network(tmp_path / "checkpoint", "average"))


def test_rate_warms_up_and_ends_at_nothing():
    plan = Plan(seconds=1, out=None)
    assert set_rate(plan, 0.0, 0) < set_rate(plan, 0.0, 299) == pytest.approx(plan.rate, rel=0.01)
    assert set_rate(plan, 0.5, 1000) == pytest.approx(plan.rate / 2, rel=0.01)
    assert set_rate(plan, 1.0, 1000) < plan.rate / 100


def test_a_shifted_depth_costs_little_and_a_wrong_shape_much():
    known = torch.ones(1, 16, 16, dtype=torch.bool)
    shifted, bent = torch.full((1, 16, 16), 0.5), torch.linspace(-0.5, 0.5, 16).expand(1, 16, 16)
    assert lose_on_depth(shifted, known) < 0.1 < lose_on_depth(bent, known)
    assert lose_on_depth(bent, ~known) == 0


def test_an_honest_camera_costs_least():
    truth = torch.zeros(1000, 4)
    error = torch.distributions.Laplace(0.0, 0.1 / 2**0.5).sample((1000, 4))
    costs = [lose_on_camera(torch.cat([error, torch.full((1000, 4), s).log()], 1), truth) for s in (0.03, 0.1, 0.3)]
    assert min(costs) == costs[1]


def test_every_candidate_learns_its_own_level_on_one_click():
    levels = torch.zeros(1, 3, 16, 16)
    for k in range(3):
        levels[0, k, : 4 * (k + 1)] = 1
    right, scores = levels * 20 - 10, torch.zeros(1, 3)
    wrong = right.flip(1)
    free = torch.ones(1, dtype=torch.bool)
    wanted = levels[:, 1]
    good, ious = lose_on_first(right, scores, wanted, levels, free)
    assert good < lose_on_first(wrong, scores, wanted, levels, free)[0]
    assert ious[0].tolist() == pytest.approx([1 / 2, 1, 2 / 3], abs=1e-3)
    # with more said than one click, the order does not matter
    one, two = (lose_on_first(x, scores, wanted, levels, ~free)[0] for x in (right, wrong))
    assert one.item() == pytest.approx(two.item(), rel=1e-4)


def test_ranks_are_merged_by_counts():
    parts = [{"box": 1.0, "box#": 2.0, "depth_abs_rel": 0.0, "depth_abs_rel#": 0.0}]
    parts.append({"box": 2.0, "box#": 2.0, "depth_abs_rel": 0.3, "depth_abs_rel#": 1.0})
    assert merge_figures(parts) == pytest.approx({"box": 0.75, "depth_abs_rel": 0.3, "choice": 0.75})
