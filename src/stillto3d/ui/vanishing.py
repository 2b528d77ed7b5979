"""Focal length and tilt from lines that a person has laid along two level directions at right angles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..project.space import Camera, Origin
from ..project.still import F64
from .horizon import read_tilt

Place = tuple[float, float]
Segment = tuple[Place, Place]
Lines = tuple[Segment, Segment, Segment, Segment]
"""Two along one direction, two along the other, in pixels of the still."""

FLAT = 1e-9


def lay_lines(width: int, height: int) -> Lines:
    """Where the four lines lie before anybody has moved them: they meet far to the left and far to the right."""

    def line(x0: float, y0: float, x1: float, y1: float) -> Segment:
        return (x0 * width, y0 * height), (x1 * width, y1 * height)

    return (
        line(0.55, 0.25, 0.85, 0.38),
        line(0.55, 0.75, 0.85, 0.62),
        line(0.45, 0.2, 0.15, 0.35),
        line(0.45, 0.8, 0.15, 0.65),
    )


def move_end(lines: Lines, handle: int, place: Place) -> Lines:
    """The lines with one of their eight ends elsewhere."""
    ends = [list(segment) for segment in lines]
    ends[handle // 2][handle % 2] = place
    a, b, c, d = (tuple(segment) for segment in ends)
    return (a, b, c, d)  # type: ignore[return-value]


def solve_lines(camera: Camera, lines: Lines) -> tuple[Camera, float, float] | None:
    """The camera with the focal length that the lines mean, and its pitch and roll in radians.

    The focal length stays where the lines of a direction are parallel in the picture, or mean none (Caprile and
    Torre 1990). None where they tell no horizon.
    """
    scale = max(camera.width, camera.height)
    centre = np.array([camera.cx, camera.cy])
    points = [_meet(lines[0], lines[1], centre, scale), _meet(lines[2], lines[3], centre, scale)]
    horizon = np.cross(points[0], points[1])
    if abs(horizon[1]) <= FLAT * np.linalg.norm(horizon):
        return None
    solved = camera
    if all(abs(p[2]) > FLAT * np.linalg.norm(p) for p in points):
        a, b = (p[:2] / p[2] for p in points)
        square = -float(a @ b)
        if square > FLAT:
            focal = float(np.sqrt(square)) * scale
            origin = {**camera.origin, "focal": Origin("user", 1.0)}
            solved = replace(camera, fx=focal, fy=focal, origin=origin)
    rims = (np.array([0.0, camera.width]) - centre[0]) / scale
    heights = -(horizon[0] * rims + horizon[2]) / horizon[1] * scale + centre[1]
    pitch, roll = read_tilt(solved, (float(heights[0]), float(heights[1])))
    return solved, pitch, roll


def _meet(one: Segment, other: Segment, centre: F64, scale: float) -> F64:
    """Where two lines meet, homogeneous, about the picture's centre."""
    lines = []
    for segment in (one, other):
        p, q = (np.append((np.array(end) - centre) / scale, 1.0) for end in segment)
        lines.append(np.cross(p, q))
    met: F64 = np.cross(lines[0], lines[1])
    return met
