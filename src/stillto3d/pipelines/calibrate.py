"""The camera of the hero still."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ..engine.run import Run
from ..models.roles import Calibrate
from ..project.project import Patch, Project
from ..project.space import Camera
from ..words import tr


class CalibrateParams(BaseModel):
    """What is known of the lens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    focal_mm: Annotated[float | None, Field(description="Focal length in mm, when you know it.", gt=1, lt=5000)] = None
    film_back_mm: Annotated[float, Field(description="Width of the film back in mm.", gt=1, lt=200)] = 36.0


def calibrate_camera(run: Run, project: Project, params: CalibrateParams) -> Patch:
    """The hero shot with its camera solved; a camera that a person has locked stays."""
    shot = project.hero
    if shot.camera is not None and shot.camera.locked:
        return Patch(tr("Solve the camera"))
    run.progress(0.0, tr("solving the camera"))
    camera = solve_camera(run, project, params)
    run.progress(1.0)
    return Patch(tr("Solve the camera"), shots=(replace(shot, camera=camera),))


def solve_camera(run: Run, project: Project, params: CalibrateParams) -> Camera:
    """The hero's camera; the person's focal length goes before the file's."""
    still = project.hero.still
    focal_px, source = still.focal_px, "exif"
    if params.focal_mm is not None:
        focal_px, source = params.focal_mm * still.width / params.film_back_mm, "user"
    camera = run.call(Calibrate(still, focal_px, source))
    return replace(camera, film_back_mm=params.film_back_mm)
