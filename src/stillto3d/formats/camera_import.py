"""A camera from a USD file, and what becomes of a project that is given a camera from elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import ReadUsd
from ..project.project import Patch, Project
from ..project.space import Camera, stand_up
from ..project.still import Still
from ..words import tr
from .lens import Lens, damaged, fit_camera
from .usd_layers import read_matrix

ReadCamera = Callable[[Run, Path, Still], Camera]

_MM_OF_A_TENTH = 100.0  # a film back of 0.36 tenths of a metre has 36 mm
_FILM_MM = (1.0, 200.0)
_OTHER_GATE = 0.05


def read_usd_camera(run: Run, path: Path, still: Still) -> Camera:
    """The first camera of a USD file, its lens shift included. Raises BadInput and OSError."""
    scene = run.call(ReadUsd(os.fsdecode(path.absolute())))
    item = next((item for item in scene.items if item.told.get("kind") == "camera"), None)
    if item is None:
        raise BadInput("{name} holds no camera.", name=path.name)
    try:
        focal = float(item.told["focal"])
        (across, upright), (left, up) = item.told["aperture"], item.told["offset"]
        width, height = item.told.get("resolution", (still.width, still.height))
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise damaged(path, "its camera lacks its lens") from error
    if abs(upright / across * width / height - 1) > _OTHER_GATE:  # a film back of another shape is fitted across
        upright = across * height / width
    fx, fy = focal * width / across, focal * height / upright
    lens = Lens(
        width,
        height,
        fx,
        fy,
        width / 2 - left * width / across,
        height / 2 + up * height / upright,
        stand_up(scene.up, scene.metres) @ read_matrix(item, path),
    )
    camera = fit_camera(path, lens, still)
    film = across * scene.metres * _MM_OF_A_TENTH  # files of other programs often mistake the unit
    return replace(camera, film_back_mm=film) if _FILM_MM[0] < film < _FILM_MM[1] else camera


def make_camera_patch(run: Run, project: Project, path: Path, read: ReadCamera) -> Patch:
    """The hero with the camera of that file, locked. Raises BadInput where a set stands on another camera."""
    if not project.shots:
        raise BadInput("The project holds no still.", "Open a still.")
    shot = project.hero
    if shot.depth is not None:
        message = "The set has been built with the camera that it has."
        raise BadInput(message, "Start again from the still, or build the set with another focal length.")
    camera = replace(read(run, path, shot.still), locked=True)
    return Patch(tr("Import the camera"), shots=(replace(shot, camera=camera, solved_by=None),))
