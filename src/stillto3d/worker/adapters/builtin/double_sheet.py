"""A closed double sheet over a soft mask: marching squares, two faces sharing one welded contour."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# corners c0 (y, x), c1 (y, x+1), c2 (y+1, x+1), c3 (y+1, x); edges e0 top, e1 right, e2 bottom, e3 left.
# Ambiguous cells (5 and 10) are cut apart, so every sheet is a manifold by construction.
POLYGONS: dict[int, list[tuple[str, ...]]] = {
    1: [("c0", "e0", "e3")],
    2: [("c1", "e1", "e0")],
    4: [("c2", "e2", "e1")],
    8: [("c3", "e3", "e2")],
    3: [("c0", "c1", "e1", "e3")],
    6: [("c1", "c2", "e2", "e0")],
    12: [("c2", "c3", "e3", "e1")],
    9: [("c3", "c0", "e0", "e2")],
    5: [("c0", "e0", "e3"), ("c2", "e2", "e1")],
    10: [("c1", "e1", "e0"), ("c3", "e3", "e2")],
    7: [("c0", "c1", "c2", "e2", "e3")],
    14: [("c1", "c2", "c3", "e3", "e0")],
    13: [("c2", "c3", "c0", "e0", "e1")],
    11: [("c3", "c0", "c1", "e1", "e2")],
    15: [("c0", "c1", "c2", "c3")],
}


class Sheet(NamedTuple):
    """A triangulated region of the plane."""

    points: np.ndarray
    """f64[n,2], x and y in cells; the first `inner` points are grid nodes, the others lie on the contour."""
    triangles: np.ndarray
    """i64[m,3], clockwise as seen with y down."""
    nodes: tuple[np.ndarray, np.ndarray]
    """Rows and columns of the grid nodes."""
    inner: int


def march(field: np.ndarray, iso: float = 0.5) -> Sheet:
    """Triangulate {field > iso} of f32[h,w], whose border must lie below iso. Contour points are interpolated."""
    inside = field > iso
    height, width = field.shape
    node = np.full((height, width), -1)
    ys, xs = np.nonzero(inside)
    count = len(ys)
    node[ys, xs] = np.arange(count)
    points = [np.stack([xs, ys], 1).astype(np.float64)]
    across = np.full((height, width), -1)
    y, x = np.nonzero(inside[:, :-1] != inside[:, 1:])
    points.append(np.stack([x + _crossing(field[y, x], field[y, x + 1], iso), y], 1))
    across[y, x] = count + np.arange(len(y))
    total = count + len(y)
    along = np.full((height, width), -1)
    y, x = np.nonzero(inside[:-1] != inside[1:])
    points.append(np.stack([x, y + _crossing(field[y, x], field[y + 1, x], iso)], 1))
    along[y, x] = total + np.arange(len(y))

    code = inside[:-1, :-1] + 2 * inside[:-1, 1:] + 4 * inside[1:, 1:] + 8 * inside[1:, :-1]
    triangles = []
    for case, polygons in POLYGONS.items():
        y, x = np.nonzero(code == case)
        corner = {"c0": node[y, x], "c1": node[y, x + 1], "c2": node[y + 1, x + 1], "c3": node[y + 1, x]}
        edge = {"e0": across[y, x], "e1": along[y, x + 1], "e2": across[y + 1, x], "e3": along[y, x]}
        vertex = {**corner, **edge}
        for polygon in polygons:
            for k in range(1, len(polygon) - 1):
                triangles.append(np.stack([vertex[polygon[i]] for i in (0, k, k + 1)], 1))
    return Sheet(np.concatenate(points), np.concatenate(triangles), (ys, xs), count)


def _crossing(start: np.ndarray, end: np.ndarray, iso: float) -> np.ndarray:
    """Where a linear ramp meets iso, 0..1, kept off the ends so that no sliver arises."""
    return np.clip((iso - start.astype(np.float64)) / (end.astype(np.float64) - start), 0.03, 0.97)


def close(sheet: Sheet) -> tuple[np.ndarray, np.ndarray]:
    """Faces i64[2m,3] of the closed solid and, per vertex, the sheet's point that it lies over, i64[k].

    Vertices 0..n-1 are the sheet's points (the front), then come the back's own copies of the inner nodes;
    contour vertices are shared. The first m faces are the front; in axes with y down and z forward, with the
    front nearer than the back, all faces look outward.
    """
    total = len(sheet.points)
    back = np.arange(total)
    back[: sheet.inner] = total + np.arange(sheet.inner)
    faces = np.concatenate([sheet.triangles[:, ::-1], back[sheet.triangles]])
    return faces, np.concatenate([np.arange(total), np.arange(sheet.inner)])


def is_watertight(faces: np.ndarray) -> bool:
    """Whether every edge of i64[m,3] is used exactly twice, once in each direction."""
    if not len(faces):
        return False
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    size = int(edges.max()) + 1
    forward = np.sort(edges[:, 0] * size + edges[:, 1])
    backward = np.sort(edges[:, 1] * size + edges[:, 0])
    return bool((forward[1:] != forward[:-1]).all() and (forward == backward).all())


def inflate(inside: np.ndarray) -> np.ndarray:
    """Half thickness f64[h,w] in cells of a soap film over bool[h,w]: a disc becomes a hemisphere.

    Solves laplace(u) = -4 inside, u = 0 outside, and takes the root. Nested iteration: each level starts from
    the coarser one's answer, so a few sweeps suffice.
    """
    return np.sqrt(np.maximum(_poisson(inside), 0))


def _poisson(inside: np.ndarray, sweeps: int = 40) -> np.ndarray:
    """Solution u f64[h,w] in cell units of laplace(u) = -4 inside and 0 outside."""
    height, width = inside.shape
    start = np.zeros((height + 2, width + 2))
    if min(height, width) >= 8:
        even = np.pad(inside, ((0, height % 2), (0, width % 2)))
        quarters = [even[i::2, j::2].astype(np.int64) for i in (0, 1) for j in (0, 1)]
        coarse = _poisson(sum(quarters) >= 2, sweeps)  # type: ignore[arg-type]
        start[1:-1, 1:-1] = 4 * np.repeat(np.repeat(coarse, 2, 0), 2, 1)[:height, :width]
    else:
        sweeps *= 3
    wet = np.pad(inside, 1)
    chess = np.indices(wet.shape).sum(0) % 2 == 0
    u = np.where(wet, start, 0.0)
    for _ in range(sweeps):
        for colour in (wet & chess, wet & ~chess):
            around = np.zeros_like(u)
            around[1:-1, 1:-1] = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
            u = np.where(colour, u + 1.5 * (0.25 * around + 1.0 - u), u)
    return u[1:-1, 1:-1]
