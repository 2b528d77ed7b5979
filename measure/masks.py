"""The click protocol: what an artist's clicks get from a segmenter, against true masks.

First click at the deepest point of the object; the artist keeps the best of the three candidates; each next
click lies at the deepest point of the largest error, and the candidate of the best score is taken. Beside it:
a box around the object, jittered by 3 per cent, and one click on a random place of the object.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stillto3d.models.roles import Click

from .truth import F32, U8, Bool, Truth

LONG_SIDE = 768  # pixels of the stills that are clicked on
MOST_MASKS = 8
SHARE = (0.003, 0.6)  # of the still that a mask covers to be counted
ROUNDS = 5
JITTER = 0.03
STEP_DOWN = 0.05  # a further click that costs more IoU than this went wrong
IOU_KEYS = (
    "one_click",
    "best_of_three",
    "clicks_2",
    "clicks_3",
    "clicks_5",
    "box",
    "random_click",
    "random_best_of_three",
)


@dataclass(frozen=True, eq=False)
class Offer:
    """Candidate masks bool[k, H, W], the predicted IoU of each f32[k], and which one the model would take."""

    masks: Bool
    scores: F32
    best: int


class Segmenter(Protocol):
    """Something that answers clicks and boxes on one still (continuous pixel coordinates)."""

    def click(self, clicks: Sequence[Click], earlier: Bool | None) -> Offer:
        """Candidates for all clicks so far, refining the mask that the artist had."""

    def box(self, box: tuple[float, float, float, float]) -> Offer:
        """Candidates for a box x0, y0, x1, y1."""


@dataclass
class MaskScores:
    """What the protocol measured: IoU by key and mask, predicted against measured IoU, and further clicks."""

    ious: dict[str, list[float]] = field(default_factory=lambda: {key: [] for key in IOU_KEYS})
    predicted: list[float] = field(default_factory=list)
    measured: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)  # IoU after a further click, less that before

    def join(self, other: MaskScores) -> None:
        """Add the figures of another still."""
        for key, values in other.ious.items():
            self.ious[key] += values
        self.predicted += other.predicted
        self.measured += other.measured
        self.steps += other.steps

    def summarise(self) -> dict[str, float | None]:
        """Means over masks, as eval.json names them; None without any mask."""
        summary: dict[str, float | None] = {
            key: float(np.mean(values)) if values else None for key, values in self.ious.items()
        }
        summary["score_correlation"] = correlate(self.predicted, self.measured)
        gap = np.asarray(self.predicted) - np.asarray(self.measured)
        summary["score_bias"] = float(gap.mean()) if len(gap) else None
        down = np.asarray(self.steps) < -STEP_DOWN
        summary["steps_down"] = float(down.mean()) if len(down) else None
        return summary


def correlate(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Pearson's correlation; None where there is nothing to correlate."""
    if len(a) < 2 or not np.std(a) or not np.std(b):
        return None
    return float(np.corrcoef(a, b)[0, 1])


def measure_iou(a: Bool, b: Bool) -> float:
    """Intersection over union; two empty masks agree."""
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 1.0


def find_deepest(mask: Bool) -> tuple[int, int]:
    """The pixel (x, y) farthest from the mask's edge; the picture's border is an edge."""
    import cv2

    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(x), int(y)


def keep_largest(mask: Bool) -> Bool:
    """The largest 8-connected part."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return mask
    part: Bool = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return part


def find_correction(wanted: Bool, current: Bool) -> Click | None:
    """The next click: on the largest part that is missing, or off the largest that is too much."""
    missing, surplus = keep_largest(wanted & ~current), keep_largest(current & ~wanted)
    if not missing.any() and not surplus.any():
        return None
    positive = int(missing.sum()) >= int(surplus.sum())
    return at_pixel(*find_deepest(missing if positive else surplus), positive)


def at_pixel(x: int, y: int, positive: bool = True) -> Click:
    """A click on the centre of a pixel."""
    return Click(x + 0.5, y + 0.5, positive)


def jitter_box(mask: Bool, rng: np.random.RandomState) -> tuple[float, float, float, float]:
    """The box around a mask, each side moved by up to 3 per cent of the box's size."""
    ys, xs = np.nonzero(mask)
    x0, y0, x1, y1 = int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1
    a, b, c, d = rng.uniform(-JITTER, JITTER, 4)
    width, height = x1 - x0, y1 - y0
    return x0 + a * width, y0 + b * height, x1 + c * width, y1 + d * height


def score_mask(segmenter: Segmenter, wanted: Bool, rng: np.random.RandomState) -> MaskScores:
    """Click, correct, box and click at random on one object."""
    scores = MaskScores()

    def note(key: str, value: float) -> None:
        scores.ious[key].append(value)

    clicks = [at_pixel(*find_deepest(wanted))]
    offer = segmenter.click(clicks, None)
    overlaps = [measure_iou(mask, wanted) for mask in offer.masks]
    note("one_click", overlaps[offer.best])
    note("best_of_three", max(overlaps))
    scores.predicted += [float(score) for score in offer.scores]
    scores.measured += overlaps
    current: Bool = offer.masks[int(np.argmax(overlaps))]
    reached = max(overlaps)
    for count in range(2, ROUNDS + 1):
        click = find_correction(wanted, current)
        if click is not None:
            clicks.append(click)
            offer = segmenter.click(clicks, current)
            current = offer.masks[offer.best]
            before, reached = reached, measure_iou(current, wanted)
            scores.steps.append(reached - before)
        if f"clicks_{count}" in scores.ious:
            note(f"clicks_{count}", reached)
    offer = segmenter.box(jitter_box(wanted, rng))
    note("box", measure_iou(offer.masks[offer.best], wanted))
    ys, xs = np.nonzero(wanted)
    k = rng.randint(len(xs))
    offer = segmenter.click([at_pixel(int(xs[k]), int(ys[k]))], None)
    overlaps = [measure_iou(mask, wanted) for mask in offer.masks]
    note("random_click", overlaps[offer.best])
    note("random_best_of_three", max(overlaps))
    return scores


def score_masks(segmenter: Segmenter, masks: Iterable[Bool], rng: np.random.RandomState) -> MaskScores:
    """The protocol over the masks of one still."""
    scores = MaskScores()
    for mask in masks:
        scores.join(score_mask(segmenter, mask, rng))
    return scores


def shrink_still(pixels: U8, truth: Truth) -> tuple[U8, list[Bool]]:
    """The still at the protocol's size, u8[h, w, 3], and the masks that count there."""
    import cv2

    height, width = pixels.shape[:2]
    scale = min(1.0, LONG_SIDE / max(height, width))
    size = round(width * scale), round(height * scale)
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)

    def shrink(mask: NDArray[np.bool_]) -> Bool:
        share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        inside: Bool = share > 0.5
        return inside

    masks = [shrink(instance.mask) for instance in truth.instances]
    return small, [mask for mask in masks if SHARE[0] < mask.mean() < SHARE[1]][:MOST_MASKS]
