"""Which way is down, from true depth: the plane of the floor, found as the lowest large plane that looks up.

Random samples of three points propose planes (Fischler and Bolles, RANSAC, 1981); the best one is fitted again to all
points that lie on it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .truth import F32, F64

MOST_POINTS = 20000
SAMPLES = 800
LOWEST_ROWS = 0.5  # of the rows in which the depth is known: where a floor is looked for
FARTHEST = 3.0  # times the median depth: farther points say little
STEEPEST_DEG = 65.0  # between the floor's normal and the picture's own down
TOLERANCE = 0.012  # of a point's depth
CLOSER = (1.0, 0.7, 0.5)  # of the tolerance, fit after fit: the foot of a wall tilts the floor
LEAST_SHARE = 0.25  # of the points looked at that must lie on the floor
MOST_BELOW = 0.02  # of all points that may lie below it


def fit_floor(depth: F32, focal_px: float, centre_px: tuple[float, float]) -> F64 | None:
    """Down, unit f64[3] in OpenCV camera axes, square to the floor in depth f32[H, W] (metres, 0 = unknown).

    None where no plane carries a quarter of the lower points with next to nothing below it. Same depth, same answer.
    """
    points, rows = unproject(depth, focal_px, centre_px)
    if len(points) < 3:
        return None
    beneath = rows >= np.quantile(np.unique(rows), 1 - LOWEST_ROWS)
    low = points[beneath & (points[:, 2] < FARTHEST * np.median(points[:, 2]))]
    best = find_lowest_plane(points, low)
    if best is None or count_on(low, best) < LEAST_SHARE * len(low):
        return None
    for closeness in CLOSER:
        best = fit_plane(low[np.abs(measure_heights(low, best)) < closeness * TOLERANCE * low[:, 2]])
    down: F64 = best[0]
    return down


Plane = tuple[F64, float]  # unit normal pointing down f64[3], and its distance from the camera in metres


def find_lowest_plane(points: F64, low: F64) -> Plane | None:
    """The plane through three of the low points that most of them lie on, and next to no point below."""
    if len(low) < 3:
        return None
    rng = np.random.default_rng(0)
    best: Plane | None = None
    most = 0
    for _ in range(SAMPLES):
        plane = span_plane(low[rng.integers(len(low), size=3)])
        if plane is None or plane[0][1] < np.cos(np.radians(STEEPEST_DEG)):
            continue
        if (measure_heights(points, plane) < -3 * TOLERANCE * points[:, 2]).mean() > MOST_BELOW:
            continue
        on = count_on(low, plane)
        if on > most:
            best, most = plane, on
    return best


def unproject(depth: F32, focal_px: float, centre_px: tuple[float, float]) -> tuple[F64, NDArray[np.int64]]:
    """At most MOST_POINTS points f64[n, 3] of the known depth, evenly taken, and their rows."""
    ys, xs = np.nonzero(depth > 0)
    step = max(1, len(ys) // MOST_POINTS)
    ys, xs = ys[::step], xs[::step]
    z = depth[ys, xs].astype(np.float64)
    across, along = (xs + 0.5 - centre_px[0]) / focal_px, (ys + 0.5 - centre_px[1]) / focal_px
    return np.stack([across * z, along * z, z], axis=1), ys


def span_plane(corners: F64) -> Plane | None:
    """The plane through three points; None if they lie on a line."""
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    length = float(np.linalg.norm(normal))
    if length < 1e-9:
        return None
    normal = normal / (length if normal[1] > 0 else -length)
    return normal, float(normal @ corners[0])


def measure_heights(points: F64, plane: Plane) -> F64:
    """Metres f64[n] above the plane, negative below."""
    heights: F64 = plane[1] - points @ plane[0]
    return heights


def count_on(points: F64, plane: Plane) -> int:
    """How many points lie on the plane."""
    return int((np.abs(measure_heights(points, plane)) < TOLERANCE * points[:, 2]).sum())


def fit_plane(points: F64) -> Plane:
    """The plane of least squared distance, each point counting by its distance from the camera's inverse square."""
    weights = 1 / points[:, 2:] ** 2
    middle = (points * weights).sum(axis=0) / weights.sum()
    normal = np.linalg.svd((points - middle) * np.sqrt(weights), full_matrices=False)[2][2]
    normal = normal if normal[1] > 0 else -normal
    return normal, float(normal @ middle)
