"""What a chosen scene model sees of all shots: the hero's depth, the other shots' cameras, and splats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..engine.run import Run
from ..models.roles import RawDepth
from ..models.shapes import SeenViews, SeeViews
from ..project.geometry import Splats, place_splats
from ..project.project import Project, Shot
from ..project.space import Camera
from ..project.still import F32, F64, Still


def see_shots(run: Run, project: Project, camera: Camera, model: str) -> SeenViews:
    """All stills of the project through one model, the hero first, with its solved lens."""
    return run.call(SeeViews([shot.still for shot in project.shots], camera.fx, splats=True), model)


def see_plate(run: Run, plate: Still, camera: Camera, model: str) -> RawDepth:
    """The same model's depth of the clean plate."""
    return run.call(SeeViews([plate], camera.fx), model).views[0].depth


def measure_scale(seen: SeenViews, metres: F32) -> float:
    """Metres of the set per unit of the model: the median over what the model is sure of."""
    view = seen.views[0]
    h, w = view.depth.depth.shape
    rows = (np.arange(h) * metres.shape[0] // h)[:, None]
    columns = (np.arange(w) * metres.shape[1] // w)[None]
    ratio = metres[rows, columns] / view.depth.depth
    sound = view.sound > 0
    return float(np.median(ratio[sound] if sound.any() else ratio))


def stand_splats(seen: SeenViews, scale: float, camera: Camera) -> Splats | None:
    """The model's splats in the world, as large as the set."""
    if seen.splats is None:
        return None
    return place_splats(seen.splats, camera.world_from_camera @ np.diag([scale, scale, scale, 1.0]))


def stand_cameras(seen: SeenViews, scale: float, hero: Camera, shots: tuple[Shot, ...]) -> tuple[Shot, ...]:
    """The other shots with the cameras that the model has found; those that a person has locked stay."""
    stood = []
    for shot, view in zip(shots[1:], seen.views[1:], strict=True):
        if shot.camera is not None and shot.camera.locked:
            continue
        pose: F64 = view.pose.copy()
        u, _, v = np.linalg.svd(pose[:3, :3])
        pose[:3, :3] = u @ v  # a rotation to the last digit
        pose[:3, 3] *= scale
        still = shot.still
        camera = Camera(
            width=still.width,
            height=still.height,
            fx=view.focal_px,
            fy=view.focal_px,
            cx=still.width / 2,
            cy=still.height / 2,
            world_from_camera=hero.world_from_camera @ pose,
        )
        stood.append(replace(shot, camera=camera))
    return tuple(stood)
