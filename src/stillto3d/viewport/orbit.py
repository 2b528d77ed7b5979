"""Where the viewer stands: turning about a point with the horizon level, as in Blender."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..project.project import Project
from ..project.space import Camera
from ..project.still import F64

STEEPEST = np.radians(89.5)


@dataclass(frozen=True)
class Orbit:
    """A viewpoint: `target` in metres, `distance` from it, `yaw` and `pitch` in radians (0, 0 looks along -Z)."""

    target: tuple[float, float, float] = (0.0, 0.0, 0.0)
    distance: float = 5.0
    yaw: float = 0.0
    pitch: float = 0.0

    @property
    def back(self) -> F64:
        """From the target to the viewer, unit."""
        cp = np.cos(self.pitch)
        return np.array([np.sin(self.yaw) * cp, -np.sin(self.pitch), np.cos(self.yaw) * cp])

    @property
    def right(self) -> F64:
        """To the right of the view, unit."""
        return np.array([np.cos(self.yaw), 0.0, -np.sin(self.yaw)])

    @property
    def up(self) -> F64:
        """Upwards in the view, unit."""
        return np.cross(self.back, self.right)

    @property
    def position(self) -> F64:
        """Where the viewer stands."""
        return np.array(self.target) + self.back * self.distance

    def turn(self, yaw: float, pitch: float) -> Orbit:
        """Turned about the target, in radians; never over the top."""
        return replace(self, yaw=self.yaw + yaw, pitch=float(np.clip(self.pitch + pitch, -STEEPEST, STEEPEST)))

    def pan(self, right: float, up: float) -> Orbit:
        """Moved in the plane of the view, in metres."""
        return self._aim(np.array(self.target) + self.right * right + self.up * up)

    def dolly(self, factor: float) -> Orbit:
        """Nearer or farther."""
        return replace(self, distance=float(np.clip(self.distance * factor, 1e-3, 1e5)))

    def grow(self, factor: float) -> Orbit:
        """The same view of a world that has grown about its origin."""
        return self._aim(np.array(self.target) * factor).dolly(factor)

    def frame(self, bounds: F64, view_angle: float) -> Orbit:
        """All of the bounds f64[2, 3] in view, seen from the present direction; `view_angle` in radians."""
        radius = max(float(np.linalg.norm(bounds[1] - bounds[0])) / 2, 1e-2)
        return replace(self._aim(bounds.mean(axis=0)), distance=radius / np.sin(view_angle / 2))

    def _aim(self, target: F64) -> Orbit:
        return replace(self, target=(float(target[0]), float(target[1]), float(target[2])))


def stand_at(camera: Camera, distance: float) -> Orbit:
    """The viewpoint of a solved camera, which turns about what lies `distance` before it. Roll is left out."""
    back = camera.world_from_camera[:3, 2]
    target = camera.position - back * distance
    pitch = float(np.arcsin(np.clip(-back[1], -1, 1)))
    yaw = float(np.arctan2(back[0], back[2]))
    return Orbit((float(target[0]), float(target[1]), float(target[2])), distance, yaw, pitch)


def measure_growth(before: Project, now: Project) -> float:
    """How many times larger the world is that stood before, told by how high its camera stands; 1 for another one."""
    stood = {layer.id for layer in before.layers} & {layer.id for layer in now.layers}
    if not stood or not before.shots or not now.shots:
        return 1.0
    old, new = before.hero.camera, now.hero.camera
    if old is None or new is None or min(old.position[1], new.position[1]) <= 0:
        return 1.0
    return float(new.position[1] / old.position[1])
