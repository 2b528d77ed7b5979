"""Where a prop stands: its contact point in the still and the distance of what carries it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np

from ...errors import BadInput
from .lens import down_axis, facing_axis, pixel_rays

NEAREST_M, FARTHEST_M = 0.05, 200.0
"""Distances are clamped to this range."""

HORIZON_MARGIN = 0.02
"""A contact ray must descend at least this much per unit of length to meet a floor."""


PART_SHARE = 0.02
"""Parts of a mask smaller than this share of the largest are specks, not the prop."""


def load(weights: Path | None, device: str) -> dict[str, Callable[..., Any]]:
    """Return {"place"}; needs no weights."""
    return {"place": place}


def drop_specks(inside: np.ndarray, share: float = PART_SHARE) -> np.ndarray:
    """Mask bool[H,W] without its parts smaller than a share of the largest."""
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    areas[0] = 0
    kept: np.ndarray = (areas >= share * areas.max()) & (areas > 0)
    return kept[labels]


def contact_point(inside: np.ndarray, camera: dict[str, Any]) -> tuple[float, float]:
    """Lowest point of a mask along gravity, in continuous pixels.

    inside bool[H,W] at the still's size. The prop is taken as an upright plane, so the lowest point is where
    the ray descends most steeply; the middle of all points nearly as low is given, and a few stray pixels do
    not count.
    """
    below = np.zeros_like(inside)
    below[:-1] = inside[1:]
    above = np.zeros_like(inside)
    above[1:] = inside[:-1]
    # where gravity points up in the picture (never in practice) the upper edge counts, so both edges are kept
    ys, xs = np.nonzero(inside & ~(below & above))
    if not ys.size:
        ys, xs = np.nonzero(inside)
    down = down_axis(camera)
    centre = pixel_rays(camera, xs.mean() + 0.5, ys.mean() + 0.5)
    ahead = facing_axis(centre, down)
    rays = pixel_rays(camera, xs + 0.5, ys + (1.0 if down[1] >= 0 else 0.0))
    drop = (rays @ down) / np.maximum(rays @ ahead, 1e-3)
    stray = int(np.clip(0.002 * ys.size, 0, 10))
    lowest = np.sort(drop)[-1 - stray]
    near = np.abs(drop - lowest) <= 0.015 * max(np.ptp(drop), 1e-9)
    return float(xs[near].mean() + 0.5), float(ys[near].mean() + (1.0 if down[1] >= 0 else 0.0))


def place(arrays: dict[str, Any], params: dict[str, Any], tick: Callable[[int, int], None]) -> dict[str, Any]:
    """Find what a prop stands on and how far that is.

    alpha u8[H,W] at the still's size; depth f32[h,w] (still) and plate_depth f32[h,w] (plate, without props),
    metres along the axis; floor u8[h,w] (over 0 = floor); params camera {width, height, fx, fy, cx, cy, pitch,
    roll, height_m}. Returns distance_m (z of the contact point), kind "floor" | "support" | "depth",
    contact [x, y] in pixels and base_height_m (of the contact above the floor).
    On the floor, the floor's plane decides; on something else, the plate's depth at the contact does; where
    neither holds (hanging, cut by the frame, at or above the horizon), the still's own depth inside the mask.
    """
    tick(0, 1)
    inside = drop_specks(arrays["alpha"] > 127)
    if not inside.any():
        raise BadInput("The mask is empty. Click on the object first.")
    camera = params["camera"]
    height, width = inside.shape
    x, y = contact_point(inside, camera)
    ray = pixel_rays(camera, x, y)
    descent = float(ray @ down_axis(camera))
    own = _own_distance(inside, arrays["depth"], y)
    below = _support_window(inside, arrays["plate_depth"].shape, x, y)
    support = _median(arrays["plate_depth"][below])
    level = descent > HORIZON_MARGIN * float(np.linalg.norm(ray))
    floor_distance = float(camera["height_m"]) / descent if level else np.inf
    cut = y >= height - 1.5 or x <= 1.5 or x >= width - 1.5

    kind, distance = "depth", own
    if level and not cut:
        if (arrays["floor"][below] > 0).mean() > 0.4 and _agree(support, floor_distance, 1.5):
            kind, distance = "floor", floor_distance
        elif _agree(support, own, 1.5):
            kind, distance = "support", support
    if kind != "floor":
        distance = min(distance, floor_distance)  # nothing stands below the floor
    if not np.isfinite(distance):
        distance = support if np.isfinite(support) else 3.0
    distance = float(np.clip(distance, NEAREST_M, FARTHEST_M))
    return {
        "distance_m": distance,
        "kind": kind,
        "contact": [x, y],
        "base_height_m": float(camera["height_m"]) - distance * descent,
    }


def _agree(one: float, other: float, factor: float) -> bool:
    """Whether two distances are finite and within a factor of each other."""
    return bool(np.isfinite(one) and np.isfinite(other) and one < factor * other and other < factor * one)


def _median(values: np.ndarray) -> float:
    """Median of the finite positive values; NaN if there is none."""
    values = values[np.isfinite(values) & (values > 0)]
    return float(np.median(values)) if values.size else float("nan")


def _own_distance(inside: np.ndarray, depth: np.ndarray, base: float) -> float:
    """Distance of the prop's lower part in the still's own depth, away from the mask's edge."""
    import cv2

    grid = cv2.resize(inside.astype(np.float32), depth.shape[::-1], interpolation=cv2.INTER_AREA)
    core = grid > 0.5 * grid.max()
    eroded = cv2.erode(core.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) > 0
    core = eroded if eroded.any() else core
    rows = np.flatnonzero(core.any(1))
    lower = core.copy()
    lower[: int(rows[-1] - 0.35 * np.ptp(rows))] = False
    return _median(depth[lower])


def _support_window(inside: np.ndarray, shape: tuple[int, int], x: float, y: float) -> tuple[slice, slice]:
    """Slices of a small window of the depth grid just below the contact, about a tenth of the prop wide."""
    height, width = inside.shape
    ys, xs = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    size = max(np.ptp(ys), np.ptp(xs)) + 1
    column, row = x * shape[1] / width, y * shape[0] / height
    half = max(2.0, 0.1 * size * shape[1] / width)
    deep = max(3.0, 0.08 * size * shape[0] / height)
    top = int(np.clip(row - 1, 0, shape[0] - 1))
    left = int(np.clip(column - half, 0, shape[1] - 1))
    return slice(top, max(top + 1, int(row + deep))), slice(left, max(left + 1, int(column + half) + 1))
