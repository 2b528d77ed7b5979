"""The horizon as a line over the still, and the camera's tilt that another line would mean."""

from __future__ import annotations

import numpy as np

from ..project.space import Camera

Line = tuple[float, float]
"""Heights in pixels of the still at its left and right rim."""

HANDLES = (0.06, 0.5, 0.94)
"""Where the line can be taken, as shares of the width: the middle lifts it, the ends tip it."""


def find_horizon(camera: Camera) -> Line | None:
    """Where level directions meet the picture; None when the camera looks straight up or down."""
    up = camera.world_from_camera[1, :3]
    if abs(up[1]) < 1e-6:
        return None
    rims = np.array([0.0, camera.width])
    y = camera.cy + camera.fy * (up[0] * (rims - camera.cx) / camera.fx - up[2]) / up[1]
    return float(y[0]), float(y[1])


def read_tilt(camera: Camera, line: Line) -> tuple[float, float]:
    """Pitch and roll in radians of the camera whose horizon that line is (see `Camera.measure_tilt`)."""
    pixels = np.array([[0.0, line[0]], [camera.width, line[1]]])
    rays = np.stack(
        [(pixels[:, 0] - camera.cx) / camera.fx, -(pixels[:, 1] - camera.cy) / camera.fy, [-1.0, -1.0]], axis=1
    )
    up = np.cross(rays[1], rays[0])
    up /= np.linalg.norm(up)
    up = up if up[1] >= 0 else -up
    return float(np.arcsin(np.clip(-up[2], -1, 1))), float(np.arctan2(up[0], up[1]))


def drag_horizon(line: Line, handle: int, y: float) -> Line:
    """The line after one of its handles was dragged to a height in pixels."""
    left, right = line
    at = HANDLES[handle]
    if handle == 1:
        move = y - (left + right) / 2
        return left + move, right + move
    other = HANDLES[2 - handle]
    kept = left + (right - left) * other
    slope = (y - kept) / (at - other)
    return kept - slope * other, kept + slope * (1 - other)
