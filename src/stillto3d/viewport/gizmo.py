"""The gizmo: handles that move, turn and scale a layer along the world's axes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from ..project.space import Camera, translate
from ..project.still import F64
from .picking import cast_ray

REACH_PIXELS = 90.0
GRAB_PIXELS = 9.0
RING_STEPS = 48
SNAP_PIXELS = 8.0
TURN_STEP = np.radians(15.0)
MOVE_STEP_M = 0.1


class GizmoMode(Enum):
    """What the handles do."""

    NONE = "none"
    MOVE = "move"
    TURN = "turn"
    SCALE = "scale"


@dataclass(frozen=True, eq=False)
class Gizmo:
    """Handles about a pivot f64[3]; `reach` is their length in metres."""

    mode: GizmoMode
    pivot: F64
    reach: float

    def handle(self, axis: int) -> F64:
        """The line of one handle as points f64[n, 3]: a straight one, or a ring to turn."""
        if self.mode is not GizmoMode.TURN:
            return np.stack([self.pivot, self.pivot + np.eye(3)[axis] * self.reach])
        angles = np.linspace(0, 2 * np.pi, RING_STEPS + 1)
        ring = np.zeros((RING_STEPS + 1, 3))
        ring[:, (axis + 1) % 3], ring[:, (axis + 2) % 3] = np.cos(angles), np.sin(angles)
        return self.pivot + ring * self.reach * 0.8

    def find_handle(self, camera: Camera, x: float, y: float) -> int | None:
        """The axis (0, 1, 2) whose handle is under the pointer."""
        nearest = [_measure_distance(camera.project(self.handle(axis))[0], np.array([x, y])) for axis in range(3)]
        axis = int(np.argmin(nearest))
        return axis if nearest[axis] <= GRAB_PIXELS else None

    def drag(
        self,
        camera: Camera,
        transform: F64,
        axis: int,
        start: tuple[float, float],
        now: tuple[float, float],
        snap: bool,
    ) -> F64:
        """The transform after dragging a handle; `snap` takes steps of 10 cm, 15 degrees or a tenth."""
        if self.mode is GizmoMode.MOVE:
            metres = self._measure_way(camera, axis, start, now)
            if snap:
                metres = round(metres / MOVE_STEP_M) * MOVE_STEP_M
            return translate(np.eye(3)[axis] * metres) @ transform
        change = np.eye(4)
        if self.mode is GizmoMode.TURN:
            angle = self._measure_turn(camera, axis, start, now)
            change[:3, :3] = _turn(axis, round(angle / TURN_STEP) * TURN_STEP if snap else angle)
        else:
            factor = max(0.01, 1 + self._measure_way(camera, axis, start, now) / self.reach)
            change[:3, :3] *= max(0.1, round(factor, 1)) if snap else factor
        return translate(self.pivot) @ change @ translate(-self.pivot) @ transform

    def _measure_way(self, camera: Camera, axis: int, start: tuple[float, float], now: tuple[float, float]) -> float:
        """How far along the axis the pointer went, metres: between the axis' points nearest to both rays."""
        ends = []
        for place in (start, now):
            origin, way = cast_ray(camera, *place)
            slope = float(way[axis])
            if 1 - slope**2 < 1e-4:  # looking along the axis: nothing can be told
                return 0.0
            offset = self.pivot - origin
            ends.append((slope * float(way @ offset) - float(offset[axis])) / (1 - slope**2))
        return ends[1] - ends[0]

    def _measure_turn(self, camera: Camera, axis: int, start: tuple[float, float], now: tuple[float, float]) -> float:
        """How far the pointer went about the pivot, radians about the axis."""
        (pivot,), _ = camera.project([self.pivot])
        before, after = np.subtract(start, pivot), np.subtract(now, pivot)
        angle = float(np.arctan2(before[0] * after[1] - before[1] * after[0], before @ after))
        towards = camera.position - self.pivot
        return -angle if towards[axis] >= 0 else angle


def make_gizmo(mode: GizmoMode, transform: F64, camera: Camera) -> Gizmo:
    """Handles of one size on the screen, wherever they stand."""
    pivot = transform[:3, 3].copy()
    _, depth = camera.project([pivot])
    reach = REACH_PIXELS * max(float(depth[0]), 1e-3) / camera.fy
    return Gizmo(mode, pivot, reach)


def snap_to_floor(transform: F64, low: float, metres_per_pixel: float) -> F64:
    """Stood on the floor when its lowest point (at height `low`) is within a few pixels of it."""
    return translate([0, -low, 0]) @ transform if abs(low) < SNAP_PIXELS * metres_per_pixel else transform


def _turn(axis: int, angle: float) -> F64:
    c, s = np.cos(angle), np.sin(angle)
    turn = np.eye(3)
    j, k = (axis + 1) % 3, (axis + 2) % 3
    turn[j, j], turn[j, k], turn[k, j], turn[k, k] = c, -s, s, c
    return turn


def _measure_distance(line: F64, place: F64) -> float:
    """From a place to a chain of straight lines, pixels."""
    a, b = line[:-1], line[1:]
    way = b - a
    square = np.maximum(np.einsum("ij,ij->i", way, way), 1e-12)
    t = np.clip(np.einsum("ij,ij->i", place - a, way) / square, 0, 1)
    return float(np.linalg.norm(a + t[:, None] * way - place, axis=1).min())
