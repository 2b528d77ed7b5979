"""How masks look on the canvas: outlines, tints, the matte, the cut-out."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from weakref import WeakKeyDictionary

import numpy as np
from PySide6.QtGui import QPainterPath

from ..project.still import U8, Mask, Still
from .background import Background
from .drawables import OUTLINE_PIXELS, Overlay, Picture, make_grey, make_path, make_picture, make_tint
from .pyramid import build_pyramid, trace_outline
from .theme import colour

BEHIND = 46
"""The grey that stands behind a cut-out."""


class MaskView(Enum):
    """How masks are shown."""

    CONTOUR = "contour"
    TINT = "tint"
    MATTE = "matte"
    XRAY = "xray"
    PLATE = "plate"


class MaskDrawing:
    """Makes what the canvas draws of masks, on other threads, and keeps it while the masks live."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._known: WeakKeyDictionary[Mask, tuple[list[U8], list[QPainterPath]]] = WeakKeyDictionary()

    async def outline(self, mask: Mask, strength: float, strong: bool, fine: bool = False) -> Overlay:
        """An outline and, with a strength (0 to 1), a tint.

        The fine outline, for a view that is near, is traced when it is asked for: it costs twice all the rest.
        """
        if mask not in self._known:
            self._known[mask] = await self._background.run(_prepare, mask)
        levels, paths = self._known[mask]
        if fine and len(paths) == 1 and _choose(levels, OUTLINE_PIXELS[0]) != _choose(levels, OUTLINE_PIXELS[-1]):
            paths = [await self._background.run(_trace, levels, OUTLINE_PIXELS[0]), *paths]
            self._known[mask] = levels, paths
        return Overlay(make_tint(levels, colour("mask"), strength) if strength else None, paths, strong)

    async def matte(self, still: Still, masks: Sequence[Mask]) -> Picture:
        """The masks together in grey."""
        return make_grey(await self._background.run(_unite_levels, still, masks))

    async def plate(self, plate: U8) -> Picture:
        """The clean plate."""
        return make_picture(await self._background.run(build_pyramid, plate))

    async def cut_out(self, still: Still, masks: Sequence[Mask]) -> Picture:
        """The still where the masks are, before a plain grey."""
        return make_picture(await self._background.run(_cut_out_levels, still, masks))


def unite(still: Still, masks: Sequence[Mask]) -> U8:
    """The largest alpha of the masks, u8[H, W]."""
    alpha = np.zeros((still.height, still.width), np.uint8)
    for mask in masks:
        np.maximum(alpha, mask.alpha, out=alpha)
    return alpha


def _prepare(mask: Mask) -> tuple[list[U8], list[QPainterPath]]:
    levels = build_pyramid(mask.alpha)
    return levels, [_trace(levels, OUTLINE_PIXELS[-1])]


def _choose(levels: list[U8], most: int) -> int:
    """The finest level of at most so many pixels."""
    return next((k for k, a in enumerate(levels) if max(a.shape) <= most), len(levels) - 1)


def _trace(levels: list[U8], most: int) -> QPainterPath:
    level = _choose(levels, most)
    return make_path(trace_outline(levels[level], 2.0**level))


def _unite_levels(still: Still, masks: Sequence[Mask]) -> list[U8]:
    return build_pyramid(unite(still, masks))


def _cut_out_levels(still: Still, masks: Sequence[Mask]) -> list[U8]:
    alpha = unite(still, masks).astype(np.uint16)[..., None]
    shown = (still.pixels * alpha + BEHIND * (255 - alpha) + 127) // 255
    return build_pyramid(shown.astype(np.uint8))
