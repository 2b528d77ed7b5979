"""The product, asked as a face asks it: through a Studio and its engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from stillto3d.engine.run import Run
from stillto3d.models.roles import Candidates, Click, Segment
from stillto3d.project.still import Mask, Still, hash_array
from stillto3d.studio import Studio

from .masks import Offer
from .truth import U8, Bool

T = TypeVar("T")


def run_work(studio: Studio, label: str, work: Callable[[Run], T]) -> T:
    """The result of `work` as one job of the studio's engine; raises what went wrong."""
    result: T = studio.wait(studio.engine.submit(label, work))
    return result


def make_still(pixels: U8, name: str) -> Still:
    """Pixels u8[H, W, 3] as a still."""
    return Still(pixels, name, hash_array(pixels))


def make_mask(inside: Bool, still: Still) -> Mask:
    """A hard mask of a still."""
    return Mask(np.where(inside, np.uint8(255), np.uint8(0)), still.id)


@dataclass(frozen=True, eq=False)
class ProductSegmenter:
    """The product's segmenter on one still; every question is one call of the run."""

    run: Run
    still: Still

    def click(self, clicks: Sequence[Click], earlier: Bool | None) -> Offer:
        """Candidates for clicks, refining an earlier mask."""
        mask = None if earlier is None else make_mask(earlier, self.still)
        return self._ask(Segment(self.still, tuple(clicks), None, mask))

    def box(self, box: tuple[float, float, float, float]) -> Offer:
        """Candidates for a box."""
        return self._ask(Segment(self.still, (), box))

    def _ask(self, ask: Segment) -> Offer:
        found: Candidates = self.run.call(ask)
        masks = np.stack([mask.alpha > 127 for mask in found.masks])
        return Offer(masks, np.asarray(found.confidences, dtype=np.float32), found.best)


def keep(value: Any) -> float | None:
    """A number as eval.json holds it: None stays None, what is not finite is refused."""
    if value is None:
        return None
    number = float(value)
    if not np.isfinite(number):
        raise ValueError("a figure is not a finite number")
    return number
