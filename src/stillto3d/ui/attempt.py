"""A mask being made or mended, as a value: what is settled, what is pointed at, what the segmenter offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from ..models.roles import Candidates, Click
from ..project.still import U8, Mask, Still

Box = tuple[float, float, float, float]
Place = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Attempt:
    """One state of a mask in the making; every stroke makes another.

    layer_id    the layer whose mask is mended, or None for a new one
    base        what is settled by earlier parts and strokes
    takes_away  the part that is pointed at now is taken from the base, not added
    asked       earlier clicks in the words of the `segment` pipeline; `boxes` likewise
    strokes     how many were painted by hand
    """

    still: Still
    layer_id: str | None = None
    base: Mask | None = None
    takes_away: bool = False
    clicks: tuple[Click, ...] = ()
    box: Box | None = None
    candidates: Candidates | None = None
    chosen: int = 0
    asked: tuple[str, ...] = ()
    boxes: tuple[str, ...] = ()
    strokes: int = 0
    models: tuple[Any, ...] = ()

    @property
    def pointed(self) -> bool:
        """A part is pointed at that is not settled."""
        return bool(self.clicks) or self.box is not None

    @property
    def part(self) -> Mask | None:
        """The candidate that was chosen for the present part."""
        return self.candidates.masks[self.chosen] if self.candidates is not None else None

    @property
    def mask(self) -> Mask | None:
        """All together, or None while nothing is known."""
        part = self.part
        if part is None or self.base is None:
            return part or self.base
        alpha = np.minimum(self.base.alpha, 255 - part.alpha) if self.takes_away else None
        return Mask(np.maximum(self.base.alpha, part.alpha) if alpha is None else alpha, self.still.id)

    def settle(self) -> Attempt:
        """The same mask with nothing pointed at, so that a further part or a stroke can follow."""
        words = " ".join(f"{'' if c.positive else '-'}{c.x:g},{c.y:g}" for c in self.clicks)
        asked = (*self.asked, words) if words else self.asked
        boxes = self.boxes if self.box is None else (*self.boxes, ",".join(f"{n:g}" for n in self.box))
        kept: dict[str, Any] = {"asked": asked, "boxes": boxes, "strokes": self.strokes, "models": self.models}
        return Attempt(self.still, self.layer_id, self.mask, **kept)

    def point(self, click: Click) -> Attempt:
        """One click more on the present part."""
        return replace(self, clicks=(*self.clicks, click))

    def paint(self, stroke: U8, adds: bool) -> Attempt:
        """The settled mask with a stroke u8[H, W] added or taken away."""
        settled = self.settle()
        before = settled.base.alpha if settled.base is not None else np.zeros_like(stroke)
        alpha = np.maximum(before, stroke) if adds else np.minimum(before, 255 - stroke)
        return replace(settled, base=Mask(alpha, self.still.id), strokes=self.strokes + 1)


def draw_stroke(size: tuple[int, int], places: Sequence[Place], radius: float) -> U8:
    """A brush's way through places as u8[H, W], with soft rims; `size` is (width, height)."""
    return _draw(size, places, radius)


def fill_lasso(size: tuple[int, int], places: Sequence[Place]) -> U8:
    """What a lasso encloses as u8[H, W]."""
    return _draw(size, places, None)


def _draw(size: tuple[int, int], places: Sequence[Place], radius: float | None) -> U8:
    width, height = size
    image = QImage(width, height, QImage.Format.Format_Grayscale8)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    white = QColor(255, 255, 255)
    line = QPolygonF([QPointF(x, y) for x, y in places])
    if radius is None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(white)
        painter.drawPolygon(line)
    elif len(places) == 1:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(white)
        painter.drawEllipse(line.first(), radius, radius)
    else:
        pen = QPen(white, 2 * radius)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPolyline(line)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    return rows[:, :width].copy()
