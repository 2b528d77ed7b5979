"""Clean plate: fills what the props hide, at once by diffusion (preview) or by PatchMatch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np

from ...errors import BadInput, MissingWeights

PREVIEW_SIDE, FILL_SIDE = 320, 400  # 800 keeps more grain (.58 of the real, against .27) at twice the time or more
"""Longest side in pixels at which a crop is filled for the preview and for good."""

GROW_PX, GROW_AT = 2.0, 1600.0
"""Holes grow by this many pixels of a still with that long side: beside the matte's edge colours are mixed still."""

JOIN_PX = 20.0
"""Holes nearer to each other than this are filled as one."""

THIN_PX = 4.0
"""Half width at GROW_AT up to which a hole is closed from its two sides."""

SURROUNDINGS = 0.8
"""A crop shows this much around its hole, in sizes of the hole."""

PATCH = 5


def load(weights: Path | None, device: str) -> dict[str, Callable[..., Any]]:
    """Return {"fill"}; needs no weights."""
    return {"fill": fill}


def fill(arrays: dict[str, Any], params: dict[str, Any], tick: Callable[[int, int], None]) -> dict[str, Any]:
    """Fill the hole from what surrounds it.

    still u8[H,W,3], hole u8[H,W] (over 0 = to fill, all props in one); params preview: bool.
    Returns pixels u8[H,W,3] and hole u8[H,W], the hole as grown (255): only these pixels have changed, and none
    of them was used as a source. Separate holes are filled one after another, each on a crop of its own.
    Preview: Telea 2004. Else: PatchMatch, Barnes et al. 2009, always with the same seed.
    Raises BadInput if nothing is left to fill from.
    """
    still = arrays["still"]
    hole = _grow(arrays["hole"] > 0)
    if hole.all():
        raise BadInput("The props cover the whole picture, so nothing is left to fill the plate from.")
    pixels = still.copy()
    open_hole, thin = hole.copy(), _find_thin(hole)
    count, labels = _pieces(hole & ~thin)
    for piece in range(count):
        tick(piece, count)
        _fill_piece(pixels, labels == piece + 1, open_hole, bool(params.get("preview", False)))
        open_hole &= labels != piece + 1
    _close_thin(pixels, open_hole)
    return {"pixels": pixels, "hole": np.where(hole, 255, 0).astype(np.uint8)}


def _grow(hole: np.ndarray) -> np.ndarray:
    """bool[H,W] grown by GROW_PX at GROW_AT, but not where it is thin: what shows between spokes is kept.

    A hole that would then cover everything stays as it is.
    """
    radius = max(1.0, GROW_PX * max(hole.shape) / GROW_AT)
    grown = hole | (_measure_beyond(hole, 2 * radius) <= 3 * radius)
    return hole if grown.all() else grown


def _find_thin(hole: np.ndarray) -> np.ndarray:
    """Where a hole bool[H,W] is so thin that what lies on its two sides tells what it hides."""
    half = max(1.0, THIN_PX * max(hole.shape) / GROW_AT)
    return np.asarray(hole & (_measure_beyond(hole, half) > half))


def _measure_beyond(hole: np.ndarray, half: float) -> np.ndarray:
    """Pixels f32[H,W] to where a hole bool[H,W] is wider than twice `half`: up to `half`, an opening by a disc."""
    import cv2

    inner = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5)
    if not (inner > half).any():
        return np.full(hole.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform((inner <= half).astype(np.uint8), cv2.DIST_L2, 5))


def _close_thin(pixels: np.ndarray, thin: np.ndarray) -> None:
    """Fill thin holes in place at full resolution from both sides (Telea 2004)."""
    import cv2

    if not thin.any():
        return
    ys, xs = np.flatnonzero(thin.any(1)), np.flatnonzero(thin.any(0))
    box = slice(max(0, ys[0] - 8), ys[-1] + 9), slice(max(0, xs[0] - 8), xs[-1] + 9)
    pixels[box] = cv2.inpaint(np.ascontiguousarray(pixels[box]), thin[box].astype(np.uint8), 3, cv2.INPAINT_TELEA)


def _pieces(hole: np.ndarray) -> tuple[int, np.ndarray]:
    """Number of pieces and labels i32[H,W] (0 outside the hole); holes that nearly touch make one piece."""
    import cv2

    reach = 2 * max(1, round(JOIN_PX * max(hole.shape) / GROW_AT)) + 1
    joined = cv2.dilate(hole.astype(np.uint8), np.ones((reach, reach), np.uint8))
    count, labels = cv2.connectedComponents(joined)
    return count - 1, np.where(hole, labels, 0)


def _fill_piece(pixels: np.ndarray, piece: np.ndarray, hole: np.ndarray, preview: bool) -> None:
    """Fill one piece of the hole in place; pixels still in `hole` serve as no source."""
    import cv2

    box = _surroundings(piece, hole)
    crop, wanted, forbidden = pixels[box], piece[box], hole[box] & ~piece[box]
    height, width = wanted.shape
    scale = min(1.0, (PREVIEW_SIDE if preview else FILL_SIDE) / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))

    def shrink(mask: np.ndarray) -> np.ndarray:
        return (cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.01).astype(np.uint8)

    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    small_wanted, small_forbidden = shrink(wanted), shrink(forbidden)
    if preview or min(size) <= 2 * PATCH + 1 or (small_wanted | small_forbidden).mean() > 0.97:
        filled = cv2.inpaint(small, small_wanted | small_forbidden, 3, cv2.INPAINT_TELEA)
    else:
        filled = _patch_match(small, small_wanted, small_forbidden & ~small_wanted)
    if size != (width, height):
        filled = cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC)
    crop[wanted] = filled[wanted]


def _surroundings(piece: np.ndarray, hole: np.ndarray) -> tuple[slice, slice]:
    """Slices of a crop around the piece, widened until it holds enough pixels to copy from."""
    ys, xs = np.flatnonzero(piece.any(1)), np.flatnonzero(piece.any(0))
    margin = max(64, int(SURROUNDINGS * max(np.ptp(ys) + 1, np.ptp(xs) + 1)))
    while True:
        box = (
            slice(max(0, int(ys[0]) - margin), int(ys[-1]) + 1 + margin),
            slice(max(0, int(xs[0]) - margin), int(xs[-1]) + 1 + margin),
        )
        if hole[box].mean() < 0.6 or margin > max(piece.shape):
            return box
        margin *= 2


def _patch_match(crop: np.ndarray, wanted: np.ndarray, forbidden: np.ndarray) -> np.ndarray:
    """PatchMatch inpainting of u8[h,w,3]; `forbidden` is neither filled nor copied from."""
    from patchmatch import patch_match

    if not patch_match.patchmatch_available:
        raise MissingWeights("PatchMatch's library cannot be loaded on this machine.")
    patch_match.set_random_seed(0)
    return np.asarray(patch_match.inpaint(crop, wanted * 255, global_mask=forbidden * 255, patch_size=PATCH))[..., :3]
