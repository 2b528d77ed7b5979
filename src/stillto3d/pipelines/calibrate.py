"""The camera of the hero still."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import Calibrate
from ..project.project import Patch, Project, Recipe, Shot
from ..project.still import Still
from ..words import tr


class CalibrateParams(BaseModel):
    """What is known of the lens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    focal_mm: Annotated[float | None, Field(description="Focal length in mm, when you know it.", gt=1, lt=5000)] = None
    film_back_mm: Annotated[
        float | None,
        Field(description="Film back in mm across the picture; else 36 mm along its longer side.", gt=1, lt=200),
    ] = None


FULL_FRAME_MM = 36.0


def measure_film_back(still: Still, film_back_mm: float | None) -> float:
    """Width of the film back across the picture in mm: the one told, else full frame's, turned as the still is."""
    return film_back_mm or FULL_FRAME_MM * still.width / max(still.width, still.height)


def calibrate_camera(run: Run, project: Project, params: CalibrateParams) -> Patch:
    """The hero shot with its camera solved; a camera that a person has locked stays."""
    shot = project.hero
    if shot.camera is not None and shot.camera.locked:
        return Patch(tr("Solve the camera"))
    if shot.depth is not None:
        message = "The set has been built with the camera that it has."
        raise BadInput(message, "Start again from the still, or build the set with another focal length.")
    return Patch(tr("Solve the camera"), shots=(solve_camera(run, shot, params),))


def solve_camera(run: Run, shot: Shot, params: CalibrateParams) -> Shot:
    """The shot with its camera solved; the person's focal length goes before the file's."""
    started = time.monotonic()
    run.progress(0.0, tr("solving the camera"))
    still = shot.still
    film_back = measure_film_back(still, params.film_back_mm)
    focal_px, source = still.focal_px, "exif"
    if params.focal_mm is not None:
        focal_px, source = params.focal_mm * still.width / film_back, "user"
    camera = replace(run.call(Calibrate(still, focal_px, source)), film_back_mm=film_back)
    chosen = CalibrateParams(focal_mm=params.focal_mm, film_back_mm=film_back)
    recipe = Recipe("calibrate", chosen.model_dump(), run.models()[-1:], 0, time.monotonic() - started)
    return replace(shot, camera=camera, solved_by=recipe)
