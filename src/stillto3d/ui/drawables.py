"""What the canvas draws: pictures at halved sizes, tints and outlines of masks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainterPath, QPolygonF

from ..project.still import F32, U8

OUTLINE_PIXELS = (4096, 1024)


@dataclass
class Picture:
    """Images of one picture at halved sizes, largest first; level k covers 2**k pixels of the still a sample."""

    levels: list[QImage]
    arrays: list[U8] = field(default_factory=list)  # QImage does not own what it shows


@dataclass
class Overlay:
    """A mask as it is drawn: its tint (levels as of a Picture) and its outlines, the finest first.

    Outline k stands for a picture of `OUTLINE_PIXELS[k]` along its long side; all are in pixels of the still.
    """

    tint: Picture | None
    outlines: list[QPainterPath]
    strong: bool = True


def make_picture(levels: list[U8]) -> Picture:
    """Levels u8[h, w, 3] as images."""
    images = []
    for a in levels:
        height, width = a.shape[:2]
        images.append(QImage(a.data, width, height, width * 3, QImage.Format.Format_RGB888))
    return Picture(images, levels)


def make_grey(levels: list[U8]) -> Picture:
    """Levels u8[h, w] as grey images."""
    kind = QImage.Format.Format_Grayscale8
    return Picture([QImage(a.data, a.shape[1], a.shape[0], a.shape[1], kind) for a in levels], levels)


def make_tint(levels: list[U8], hue: QColor, strength: float) -> Picture:
    """Alpha levels u8[h, w] as images of one colour."""
    table = _make_table(hue.rgb() & 0xFFFFFF, strength)
    images = []
    for a in levels:
        image = QImage(a.data, a.shape[1], a.shape[0], a.shape[1], QImage.Format.Format_Indexed8)
        image.setColorTable(table)
        images.append(image)
    return Picture(images, levels)


@lru_cache
def _make_table(rgb: int, strength: float) -> list[int]:
    return [round(k * strength) << 24 | rgb for k in range(256)]


def make_path(outlines: list[F32]) -> QPainterPath:
    """Closed outlines as one path."""
    path = QPainterPath()
    for ring in outlines:
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in ring.tolist()]))
        path.closeSubpath()
    return path
