"""What camera files have in common: numbers of strangers checked, and a camera made to fit the still at hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from ..errors import BadInput
from ..project.project import Project
from ..project.space import Camera, Origin, center_camera, straighten_pose
from ..project.still import Still
from ..words import tr
from .strict_json import clean_text

_ASPECT_SLACK = 5e-3
_FULL_FRAME_MM = 36.0


@dataclass(frozen=True, eq=False)
class Lens:
    """Intrinsics in pixels of a picture of this size, and world_from_camera in our world."""

    width: float
    height: float
    fx: float
    fy: float
    cx: float
    cy: float
    pose: ArrayLike


def damaged(path: Path, what: str) -> BadInput:
    """What to raise for a damaged file."""
    return BadInput("{name} is damaged: {what}.", name=path.name, what=what)


def describe_camera(camera: Camera) -> dict[str, Any]:
    """Intrinsics, film back and where they came from, as JSON."""
    origin = {k: {"source": o.source, "confidence": o.confidence} for k, o in camera.origin.items()}
    keys = ("fx", "fy", "cx", "cy", "width", "height", "film_back_mm", "focal_mm")
    return {**{key: getattr(camera, key) for key in keys}, "origin": origin}


def word_padding(camera: Camera) -> list[str]:
    """What to say of a camera that is written without its lens shift."""
    wide, left, top = center_camera(camera)
    if wide is camera:
        return []
    return [
        tr(
            "This format knows no lens shift: the camera sees {width} x {height} pixels, in which the still begins "
            "{left:.2f} from the left and {top:.2f} from the top.",
            width=wide.width,
            height=wide.height,
            left=left,
            top=top,
        )
    ]


def get_number(path: Path, entry: Mapping[str, Any], key: str, default: float | None = None) -> float:
    """A finite number of a stranger's JSON. Raises BadInput."""
    value = entry.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise damaged(path, f"{key[:40]} is not a number")
    return float(value)


def refuse_distortion(path: Path, terms: Mapping[str, float]) -> None:
    """Raise BadInput where a lens bends lines: we keep no such camera, and dropping that would be a lie."""
    bent = [name for name, value in terms.items() if value]
    if bent:
        message = "The camera in {name} has lens distortion ({terms}), which is not kept."
        remedy = "Undistort the still together with its camera first."
        raise BadInput(message, remedy, name=path.name, terms=", ".join(bent))


def fit_camera(path: Path, lens: Lens, still: Still) -> Camera:
    """The lens as a camera of the still, scaled if their sizes differ. Raises BadInput for another shape."""
    if not (lens.width > 0 and lens.height > 0 and lens.fx > 0 and lens.fy > 0):
        raise damaged(path, "its camera has no picture or no focal length")
    across, down = still.width / lens.width, still.height / lens.height
    if abs(across / down - 1) > _ASPECT_SLACK:
        message = "The camera in {name} is for {width:.0f} x {height:.0f} pixels; the still has another shape."
        remedy = "Choose the camera of this still."
        raise BadInput(message, remedy, name=path.name, width=lens.width, height=lens.height)
    told = Origin("user", 1.0)
    try:
        return Camera(
            still.width,
            still.height,
            lens.fx * across,
            lens.fy * down,
            lens.cx * across,
            lens.cy * down,
            straighten_pose(lens.pose),
            _FULL_FRAME_MM * still.width / max(still.width, still.height),
            {"focal": told, "rotation": told, "height": told},
        )
    except ValueError as error:
        raise BadInput("{name} is damaged: {what}.", name=path.name, what="its camera cannot be") from error


def get_camera(project: Project) -> Camera:
    """The hero's camera. Raises BadInput where none has been solved."""
    camera = project.hero.camera if project.shots else None
    if camera is None:
        raise BadInput("The project has no camera yet.", "Solve the camera first.")
    return camera


def put_camera(project: Project, camera: Camera) -> Project:
    """The project with its hero seen by this camera."""
    return replace(project, shots=(replace(project.hero, camera=camera), *project.shots[1:]))


def name_still(project: Project) -> str:
    """The hero's name, as text that any file can hold."""
    return clean_text(project.hero.still.name)
