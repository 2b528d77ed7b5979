"""The camera as adapters use it: where gravity points, and rays through pixels, in OpenCV camera axes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


def level_axes(pitch: float | np.ndarray, roll: float | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Down (gravity), right and ahead f64[...,3] of the level world in OpenCV camera axes.

    pitch, roll in radians: negative pitch looks down, positive roll turns the picture clockwise.
    """
    cp, sp, cr, sr = np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    down = np.stack([-cp * sr, cp * cr, -sp], -1)
    right = np.stack([cr, sr, np.zeros_like(cr)], -1)
    ahead = np.stack([-sr * sp, cr * sp, cp], -1)
    return down, right, ahead


def down_axis(camera: dict[str, Any]) -> np.ndarray:
    """Gravity's direction f64[3] in OpenCV camera axes, unit length."""
    return level_axes(float(camera["pitch"]), float(camera["roll"]))[0]


def pixel_rays(camera: dict[str, Any], x: np.ndarray | float, y: np.ndarray | float) -> np.ndarray:
    """Camera rays f64[...,3] with z = 1 through continuous pixel coordinates."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    rays = [(x - camera["cx"]) / camera["fx"], (y - camera["cy"]) / camera["fy"], np.ones_like(x)]
    return np.stack(rays, -1)


def facing_axis(ray: np.ndarray, down: np.ndarray) -> np.ndarray:
    """The level direction f64[3] in which a ray looks: the normal of an upright plane that faces the camera."""
    level = ray - (ray @ down) * down
    if np.linalg.norm(level) < 0.05 * np.linalg.norm(ray):  # straight down: what is up in the picture is ahead
        up = np.array([0.0, -1.0, 0.0])
        level = up - (up @ down) * down
    return level / np.linalg.norm(level)


class Lens(NamedTuple):
    """The camera of an ask: rays through pixels, and gravity."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    down: np.ndarray  # f64[3], camera axes
    height_m: float

    @classmethod
    def read(cls, camera: dict[str, Any]) -> Lens:
        """The camera of an ask."""
        fx, fy, cx, cy, height_m = (float(camera[name]) for name in ("fx", "fy", "cx", "cy", "height_m"))
        return cls(int(camera["width"]), int(camera["height"]), fx, fy, cx, cy, down_axis(camera), height_m)

    def cast(self, shape: tuple[int, int]) -> np.ndarray:
        """Rays f64[h,w,3] with z = 1 through the centres of a grid stretched over the picture."""
        h, w = shape
        x = (np.arange(w) + 0.5) * self.width / w
        y = (np.arange(h) + 0.5) * self.height / h
        rays = np.empty((h, w, 3))
        rays[..., 0] = (x - self.cx) / self.fx
        rays[..., 1] = ((y - self.cy) / self.fy)[:, None]
        rays[..., 2] = 1
        return rays
