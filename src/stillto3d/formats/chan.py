"""Nuke's .chan: one line a frame with place, turns and the angle of view upright; metres, Y up, looking along -Z.

Turns are in degrees, z first, then x, then y (Nuke's order ZXY). The format knows no lens shift, no picture size and no
comments: the camera is written for the larger picture whose centre is the principal point, and how far that is padded
comes back from a camera.json beside it alone, as folders for Nuke have one.
"""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.run import Run
from ..errors import BadInput
from ..project.project import Project
from ..project.space import Camera, center_camera, join_transform, split_transform
from ..project.still import F64, Still
from .atomic import replace_file
from .camera_json import read_camera_json
from .lens import Lens, damaged, fit_camera, get_camera, word_padding
from .options import AS_THEY_ARE, WriteOptions

_CEILING = 16 << 20
_ALIKE = 1e-5


def write_chan(run: Run, project: Project, path: Path, options: WriteOptions = AS_THEY_ARE) -> list[str]:
    """The hero's camera as one frame. Answers how far its picture had to be padded."""
    camera = get_camera(project)
    with replace_file(path, check_chan) as file:
        file.write(compose_line(camera).encode("ascii"))
    return word_padding(camera)


def compose_line(camera: Camera, frame: int = 1) -> str:
    """frame tx ty tz rx ry rz angle of view upright."""
    wide, _, _ = center_camera(camera)
    position, turns, _ = split_transform(camera.world_from_camera)
    angle = _find_angle(wide)
    return " ".join([str(frame), *(f"{v:.12g}" for v in (*position, *turns, angle))]) + "\n"


def check_chan(path: Path) -> dict[str, Any]:
    """The first frame of a .chan. Raises BadInput and OSError."""
    if path.stat().st_size > _CEILING:
        raise damaged(path, "it is implausibly large")
    lines = [line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    try:
        rows = [[float(word) for word in words] for words in lines]
    except ValueError as error:
        raise damaged(path, "a line holds what is not a number") from error
    if not rows or any(len(row) not in (7, 8) or not np.isfinite(row).all() for row in rows):
        raise damaged(path, "a line has not seven or eight numbers")
    first = rows[0]
    return {
        "program": "nuke",
        "frames": len(rows),
        "position": first[1:4],
        "turns": first[4:7],
        "angle": first[7] if len(first) == 8 else None,
    }


def read_chan(run: Run, path: Path, still: Still) -> Camera:
    """The first frame's camera, centred on the still; with its lens shift where our JSON beside it knows that.

    Raises BadInput and OSError.
    """
    told = check_chan(path)
    if told["angle"] is None or not 1e-4 < told["angle"] < 179.99:
        raise damaged(path, "it tells no angle of view")
    focal = still.height / 2 / math.tan(math.radians(told["angle"]) / 2)
    pose = join_transform(told["position"], told["turns"], 1.0)
    shifted = _find_shifted(run, path, still, pose, told["angle"])
    if shifted is not None:
        return shifted
    return fit_camera(
        path, Lens(still.width, still.height, focal, focal, still.width / 2, still.height / 2, pose), still
    )


def _find_shifted(run: Run, path: Path, still: Still, pose: F64, angle: float) -> Camera | None:
    """The camera whose picture was padded for this line: the JSON of the same name, where both tell the same."""
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return None
    with suppress(BadInput, OSError):  # a stranger's
        camera = read_camera_json(run, beside, still)
        wide, _, _ = center_camera(camera)
        if abs(_find_angle(wide) - angle) < _ALIKE and np.allclose(camera.world_from_camera, pose, atol=_ALIKE):
            return camera
    return None


def _find_angle(camera: Camera) -> float:
    """The angle of view upright, in degrees."""
    return math.degrees(2 * math.atan(camera.height / 2 / camera.fy))
