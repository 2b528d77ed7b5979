"""Targets and simulated clicks on worlds whose truth is known."""

from __future__ import annotations

import pytest
import torch
from support.rectangle_worlds import BODY, CUP, HANDLE, TABLE, WHOLE, make_worlds
from torch.nn import functional

from training import clicks
from training.clicks import GROUP, OBJECT, PART, begin, choose_targets, choose_things, cover, cover_one, go_on
from training.losses import measure_ious


@pytest.fixture
def dice():
    return torch.Generator().manual_seed(3)


@pytest.fixture(scope="module")
def worlds():
    return make_worlds(96, 128, batch=16)


def read_ids(worlds, targets):
    """The thing and the part under every first click."""
    copies = len(targets.click) // len(worlds.instance)
    picture = torch.arange(len(worlds.instance)).repeat_interleave(copies)
    x, y = (targets.click * 8).long().T
    return worlds.instance[picture, y, x], worlds.part[picture, y, x]


def test_chooses_all_levels(worlds, dice):
    chosen, level, part, group = choose_things(worlds, 64, dice)
    assert set(level.flatten().tolist()) == {PART, OBJECT, GROUP}
    assert (chosen[level == GROUP] == TABLE).all()  # nothing stands on the others
    assert group[0, 0].sum() == (2 if chosen[0, 0] == TABLE else 1)
    assert ((part == clicks.NOWHERE) == (level != PART)).all()
    assert 0.5 < (level == OBJECT).float().mean() < 0.9
    stuff = chosen > 63
    assert stuff.any()
    assert stuff.float().mean() < 0.2


def test_levels_are_those_under_the_click(worlds, dice):
    targets = choose_targets(worlds, 8, dice)
    things, parts = read_ids(worlds, targets)
    picture = torch.arange(16).repeat_interleave(8)
    areas = targets.levels.mean((2, 3))
    for n in range(len(things)):
        instance, part = worlds.instance[picture[n]], worlds.part[picture[n]]
        members = instance == things[n]
        if things[n] == TABLE or (targets.level[n] == GROUP):
            members = (instance == TABLE) | (instance == CUP)
        wanted = [(part == parts[n]), (instance == things[n]), members]
        assert areas[n].tolist() == pytest.approx([m.float().mean().item() for m in wanted], abs=1e-6)
        assert torch.equal(targets.wanted[n], targets.levels[n, targets.level[n]])


def test_group_clicks_fall_on_members_too(worlds, dice):
    targets = choose_targets(worlds, 32, dice)
    things, _ = read_ids(worlds, targets)
    assert set(things[targets.level == GROUP].tolist()) == {TABLE, CUP}


def test_clicks_lie_inside(worlds, dice):
    targets = choose_targets(worlds, 8, dice)
    x, y = (targets.click * 2).long().T
    assert (targets.wanted[torch.arange(len(x)), y, x] > 0).all()


def test_covers_count_samples(worlds):
    table = torch.zeros(16, 1, 256, dtype=torch.bool)
    table[:, 0, [TABLE, CUP]] = True
    both = cover(worlds.instance, table)
    apart = sum(cover_one(worlds.instance, torch.full((16, 1), n)) for n in (TABLE, CUP))
    assert torch.equal(both, apart)
    part = cover_one(worlds.part, torch.full((16, 1), BODY)) + cover_one(worlds.part, torch.full((16, 1), HANDLE))
    assert torch.equal(part, cover_one(worlds.instance, torch.full((16, 1), CUP)))
    assert cover_one(worlds.part, torch.full((16, 1), WHOLE)).max() == 1


def test_first_hints_agree_with_their_targets(worlds, dice):
    targets = choose_targets(worlds, 16, dice)
    hints, free = begin(targets, dice)
    boxed = hints.box.amax((1, 2, 3)) > 0
    assert 0.1 < boxed.float().mean() < 0.4
    assert 0.5 < free.float().mean() < 0.85
    assert not (boxed & free).any()
    assert (hints.positive[boxed].amin((1, 2, 3)) == clicks.FAR_SQUARED).all()
    assert (hints.positive[~boxed].amin((1, 2, 3)) < 1).all()
    hard = (functional.avg_pool2d(targets.wanted[:, None], 2) > 0.5).float()[boxed]
    inside = (hard * hints.box[boxed]).sum() / hard.sum()
    assert inside > 0.9
    maps = hints.to_maps()
    assert maps.shape == (len(free), 8, 24, 32)
    assert (maps.amin() >= 0) & (maps.amax() <= 1)


def test_further_clicks_fall_on_the_error(dice):
    wanted = torch.zeros(2, 32, 32)
    wanted[:, 8:24, 8:24] = 1
    logits = torch.full((2, 3, 32, 32), -5.0)
    logits[0, :, 8:24, 8:12] = 5.0  # most is missing
    logits[1] = 5.0  # all is too much
    hints = clicks.make_hints(2, 16, 16, "cpu")
    scores, ious = torch.zeros(2, 3), measure_ious(logits, wanted)
    hints = go_on(hints, wanted, logits, scores, ious, True, dice)
    row, column = divmod(int(hints.positive[0].argmin()), 16)
    assert 4 <= row < 12
    assert 6 <= column < 12
    assert hints.negative[0].amin() == clicks.FAR_SQUARED
    assert hints.positive[1].amin() == clicks.FAR_SQUARED
    row, column = divmod(int(hints.negative[1].argmin()), 16)
    assert not (4 <= row < 12 and 4 <= column < 12)
    assert hints.earlier[1].amin() > 0.9
    assert hints.earlier[0].sum() == pytest.approx(16, abs=1)


def test_a_true_answer_is_left_alone(dice):
    wanted = torch.zeros(1, 32, 32)
    wanted[:, 8:24, 8:24] = 1
    logits = (wanted * 20 - 10)[:, None].expand(-1, 3, -1, -1)
    hints = go_on(clicks.make_hints(1, 16, 16, "cpu"), wanted, logits, torch.zeros(1, 3), torch.ones(1, 3), True, dice)
    assert hints.positive.amin() == hints.negative.amin() == clicks.FAR_SQUARED
