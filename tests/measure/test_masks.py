"""The click protocol on segmenters whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from measure.masks import (
    IOU_KEYS,
    MaskScores,
    Offer,
    correlate,
    find_correction,
    find_deepest,
    jitter_box,
    keep_largest,
    measure_iou,
    score_mask,
    shrink_still,
)
from measure.truth import Instance, Truth


def rectangle(x0, y0, x1, y1, size=(60, 40)):
    mask = np.zeros(size[::-1], bool)
    mask[y0:y1, x0:x1] = True
    return mask


WANTED = rectangle(10, 10, 40, 30)


class Scripted:
    """Answers with the masks of a list, one offer per question."""

    def __init__(self, offers):
        self._offers = list(offers)
        self.asked = []

    def click(self, clicks, earlier):
        self.asked.append((tuple(clicks), earlier))
        return self._offers.pop(0)

    def box(self, box):
        self.asked.append((box, None))
        return self._offers.pop(0)


def offer(*masks, scores=None, best=0):
    return Offer(np.stack(masks), np.array(scores or [0.5] * len(masks), np.float32), best)


def test_a_perfect_segmenter_needs_one_click_and_no_other():
    segmenter = Scripted([offer(WANTED)] * 3)
    scores = score_mask(segmenter, WANTED, np.random.RandomState(1))
    assert {key: scores.ious[key] for key in IOU_KEYS} == {key: [1.0] for key in IOU_KEYS}
    assert not scores.steps and len(segmenter.asked) == 3


def test_the_truth_picks_the_first_and_the_score_picks_the_rest():
    half, third = rectangle(10, 10, 25, 30), rectangle(10, 10, 20, 30)
    empty = np.zeros_like(WANTED)
    worse = offer(third, WANTED, scores=[0.9, 0.1])
    segmenter = Scripted([offer(third, half, empty), worse, *[offer(WANTED)] * 5])
    scores = score_mask(segmenter, WANTED, np.random.RandomState(1))
    assert scores.ious["one_click"] == [pytest.approx(1 / 3)]
    assert scores.ious["best_of_three"] == [0.5]
    assert (segmenter.asked[1][1] == half).all(), "the artist goes on from the best of three"
    assert scores.ious["clicks_2"] == [pytest.approx(1 / 3)]
    assert scores.ious["clicks_3"] == scores.ious["clicks_5"] == [1.0]
    assert scores.steps == pytest.approx([-1 / 6, 2 / 3])
    assert scores.summarise()["steps_down"] == 0.5
    assert len(scores.predicted) == len(scores.measured) == 3


def test_a_step_down_must_cost_more_than_a_twentieth():
    scores = MaskScores(steps=[-0.05, -0.0501, 0.3, 0.0])
    assert scores.summarise()["steps_down"] == 0.25


def test_nothing_measured_is_none_and_not_zero():
    assert set(MaskScores().summarise().values()) == {None}


def test_correlation_and_bias_are_of_all_candidates():
    scores = MaskScores(predicted=[0.2, 0.4, 0.9], measured=[0.1, 0.2, 0.45])
    summary = scores.summarise()
    assert summary["score_correlation"] == pytest.approx(1.0)
    assert summary["score_bias"] == pytest.approx(0.25)
    assert correlate([1.0, 1.0], [0.1, 0.2]) is None
    assert correlate([0, 1, 2, 3], [0, 1, 0, 1]) == pytest.approx(1 / np.sqrt(5))


def test_corrections_go_to_the_largest_error():
    missing_corner = WANTED & ~rectangle(10, 10, 14, 14)
    with_surplus = missing_corner | rectangle(42, 10, 52, 30)
    click = find_correction(WANTED, with_surplus)
    assert not click.positive and 42 <= click.x <= 52
    click = find_correction(WANTED, missing_corner)
    assert click.positive and click.x < 14 and click.y < 14
    assert find_correction(WANTED, WANTED) is None


def test_the_deepest_point_is_the_middle_and_the_frame_is_an_edge():
    assert find_deepest(rectangle(10, 10, 21, 21)) == (15, 15)
    x, _ = find_deepest(np.ones((9, 31), bool))
    assert 4 <= x <= 26
    assert find_deepest(np.ones((9, 9), bool)) == (4, 4)


def test_the_largest_part_and_overlap():
    assert keep_largest(WANTED | rectangle(50, 0, 55, 5)).sum() == WANTED.sum()
    empty = np.zeros_like(WANTED)
    assert measure_iou(empty, empty) == 1.0 and measure_iou(WANTED, empty) == 0.0


def test_boxes_are_jittered_by_at_most_three_per_cent():
    x0, y0, x1, y1 = jitter_box(WANTED, np.random.RandomState(1))
    assert abs(x0 - 10) <= 0.9 and abs(x1 - 40) <= 0.9 and abs(y0 - 10) <= 0.6 and abs(y1 - 30) <= 0.6
    assert (x0, y0, x1, y1) == jitter_box(WANTED, np.random.RandomState(1))


def test_stills_shrink_and_masks_too_small_or_too_large_do_not_count(tmp_path):
    pixels = np.zeros((1000, 1536, 3), np.uint8)
    masks = [np.zeros((1000, 1536), bool) for _ in range(3)]
    masks[0][:100, :100] = True  # 0.65 %
    masks[1][:40, :40] = True  # 0.1 %
    masks[2][:, 400:] = True  # 74 %
    truth = Truth("x", tmp_path, tuple(Instance(k, mask) for k, mask in enumerate(masks)))
    small, kept = shrink_still(pixels, truth)
    assert small.shape == (500, 768, 3)
    assert [int(mask.sum()) for mask in kept] == [2500]
