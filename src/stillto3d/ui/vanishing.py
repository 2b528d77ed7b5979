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
HALF_LENGTH = 0.13
"""Of a line that nobody has moved, in widths of the picture."""


def lay_lines(camera: Camera) -> Lines:
    """The four lines before anybody has moved them: as the camera sees level lines to its half right and half left.

    So they say what the camera is, and moving one a little changes it a little.
    """

    def line(towards: float, x: float, y: float) -> Segment:
        direction = np.array([towards, 0.0, -1.0]) @ camera.world_from_camera[:3, :3]
        place = np.array([x * camera.width, y * camera.height])
        meets = np.array([camera.fx * direction[0], -camera.fy * direction[1]]) / -direction[2]
        way = meets + np.array([camera.cx, camera.cy]) - place
        way *= HALF_LENGTH * camera.width / np.linalg.norm(way)
        first, second = place - way, place + way
        return (float(first[0]), float(first[1])), (float(second[0]), float(second[1]))

    return line(1.0, 0.7, 0.3), line(1.0, 0.7, 0.7), line(-1.0, 0.3, 0.3), line(-1.0, 0.3, 0.7)


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
