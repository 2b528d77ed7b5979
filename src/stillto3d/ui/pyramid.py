"""What the canvas paints from: halved copies of a picture, and the outline of a mask. NumPy only, for any thread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..project.still import F32, U8

SMALLEST_LEVEL = 256


def halve(pixels: U8) -> U8:
    """The mean of each 2 x 2 block; an odd edge is repeated, so that level k covers 2**k pixels a sample."""
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        pad = [(0, height % 2), (0, width % 2)] + [(0, 0)] * (pixels.ndim - 2)
        pixels = np.pad(pixels, pad, mode="edge")
    wide = pixels[0::2].astype(np.uint16)
    wide += pixels[1::2]
    mean: U8 = ((wide[:, 0::2] + wide[:, 1::2] + 2) >> 2).astype(np.uint8)
    return mean


def build_pyramid(pixels: U8) -> list[U8]:
    """The picture [H, W, ...] and its halves, down to a thumbnail's size."""
    levels = [np.ascontiguousarray(pixels)]
    while max(levels[-1].shape[:2]) > SMALLEST_LEVEL:
        levels.append(halve(levels[-1]))
    return levels


# Marching squares: by which corners of a cell lie inside (top left 8, top right 4, bottom right 2, bottom left 1),
# the edges (0 top, 1 right, 2 bottom, 3 left) where the outline enters and leaves; -1 for none.
def _make_table() -> NDArray[np.int64]:
    table = np.full((16, 2, 2), -1, dtype=np.int64)
    for case in range(16):
        corners = [case >> 3 & 1, case >> 2 & 1, case >> 1 & 1, case & 1]
        entries = [e for e in range(4) if not corners[e] and corners[(e + 1) % 4]]
        for k, entry in enumerate(entries):
            leave = next(e % 4 for e in range(entry + 1, entry + 4) if corners[e % 4] and not corners[(e + 1) % 4])
            table[case, k] = entry, leave
    return table


_TABLE = _make_table()


def trace_outline(alpha: U8, scale: float = 1.0) -> list[F32]:
    """Closed outlines f32[n, 2] where the alpha u8[H, W] crosses its middle (marching squares).

    In pixels times `scale`; the picture's rim counts as outside, so that every outline closes.
    """
    whole = alpha > 127
    rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
    if not len(rows):
        return []
    top, left = max(int(rows[0]) - 1, 0), max(int(columns[0]) - 1, 0)  # the rest of the picture costs no time
    part = (slice(top, rows[-1] + 2), slice(left, columns[-1] + 2))
    a = np.pad(alpha[part], 1)
    inside = np.pad(whole[part], 1).view(np.uint8)
    case = inside[:-1, :-1] << 3 | inside[:-1, 1:] << 2 | inside[1:, 1:] << 1 | inside[1:, :-1]
    y, x = np.nonzero((case != 0) & (case != 15))
    wide = a.shape[1]
    along, down = y * wide + x, a.size + y * wide + x  # ids of a cell's top and left edges
    edges = np.stack([along, down + 1, along + wide, down], axis=1)
    pairs = _TABLE[case[y, x]]
    start, end = (np.take_along_axis(edges, np.maximum(pairs[..., k], 0), axis=1) for k in (0, 1))
    there = pairs[..., 0] >= 0
    start, end = start[there], end[there]
    order = np.argsort(start)
    start, end = start[order], end[order]
    following = np.searchsorted(start, end)
    corner = np.array([left, top], np.float32)
    return _chain((_cross_edges(a, start) + corner) * np.float32(scale), following)


def _cross_edges(a: U8, edges: NDArray[np.int64]) -> F32:
    """Where the middle value lies on each edge, in pixels of the unpadded picture."""
    upright = edges >= a.size
    y, x = np.divmod(edges - upright * a.size, a.shape[1])
    first = a[y, x].astype(np.float32)
    second = a[y + upright, x + ~upright].astype(np.float32)
    t = (127.5 - first) / (second - first)
    return np.stack([x - 0.5 + t * ~upright, y - 0.5 + t * upright], axis=1).astype(np.float32)


def _chain(points: F32, following: NDArray[np.int64]) -> list[F32]:
    after = following.tolist()
    seen = bytearray(len(after))
    outlines = []
    for first in range(len(after)):
        if seen[first]:
            continue
        ring = []
        k = first
        while not seen[k]:
            seen[k] = 1
            ring.append(k)
            k = after[k]
        outlines.append(points[ring])
    return outlines
