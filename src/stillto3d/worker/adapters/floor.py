"""A camera's tilt and height from points and normals: the floor points up, and nothing lies lower."""

from __future__ import annotations

import math
from typing import Any, Dict, NamedTuple, Optional

import numpy as np

TILTED = 0.5  # cosine: a floor's normal is within 60 degrees of the picture's up
FLAT = math.cos(math.radians(12))  # and within 12 of the others
ROUNDS = 8
HEIGHTS_M = (0.1, 50.0)
USUAL_HEIGHT_M = 1.5
LEAST_SHARE = 0.01  # of the picture


class Floor(NamedTuple):
    """What was found: the way down in OpenCV camera axes, the camera's height, and the floor's share of the picture."""

    down: np.ndarray
    height_m: Optional[float]
    share: float


def find_floor(points: np.ndarray, normals: np.ndarray, seen: np.ndarray) -> Optional[Floor]:
    """Fit the floor. points, normals f32[H,W,3] in OpenCV camera axes, metres; seen bool[H,W]. None: there is none."""
    up = np.array([0.0, -1.0, 0.0])
    usable = seen & np.isfinite(points).all(axis=-1) & np.isfinite(normals).all(axis=-1)
    n, p = normals[usable].astype(np.float64), points[usable].astype(np.float64)
    near, reach = n[n @ up > TILTED], TILTED
    for k in range(ROUNDS):
        reach = TILTED + (FLAT - TILTED) * (k + 1) / ROUNDS
        near = n[n @ up > reach]
        if len(near) < max(16, LEAST_SHARE * seen.size):
            return None
        mean = near.mean(axis=0)
        up = mean / max(float(np.linalg.norm(mean)), 1e-9)
    below = p[n @ up > reach] @ -up  # distances down from the camera
    low = np.percentile(below, 75)
    floor = below[np.abs(below - low) < 0.15 * abs(low) + 0.05]
    height = float(np.median(floor)) if len(floor) else None
    sound = height is not None and HEIGHTS_M[0] < height < HEIGHTS_M[1]
    return Floor(-up, height if sound else None, len(near) / seen.size)


def word_camera(floor: Optional[Floor], focal_px: float, focal_source: str, focal_sure: float) -> Dict[str, Any]:
    """The answer of a calibrator: focal_px, pitch, roll, height_m, each with its source and how sure it is."""
    pitch = roll = sure = 0.0
    source, height, height_source = "prior", USUAL_HEIGHT_M, "prior"
    if floor is not None:
        x, y, z = floor.down  # = (-cos p sin r, cos p cos r, -sin p)
        pitch = math.asin(float(np.clip(-z, -1, 1)))
        roll = math.atan2(-x, y)
        source, sure = "network", min(0.8, 0.3 + 2 * floor.share)
        if floor.height_m is not None:
            height, height_source = floor.height_m, "network"
    return {
        "focal_px": focal_px,
        "pitch": float(np.clip(pitch, -1.5, 1.5)),
        "roll": float(np.clip(roll, -3.1, 3.1)),
        "height_m": height,
        "focal": {"source": focal_source, "confidence": focal_sure},
        "rotation": {"source": source, "confidence": sure},
        "height": {"source": height_source, "confidence": 0.6 * sure},
    }
