"""Cameras as JSON: our own plain one, Nerfstudio's transforms.json, and what fSpy exports as JSON.

Nerfstudio's and fSpy's worlds have Z up; their cameras look along -Z, as ours do.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.run import Run
from ..models.roles import EncodeImage
from ..project.project import Project
from ..project.space import Camera, lay_down, stand_up
from ..project.still import Still
from .about import describe_project
from .atomic import replace_file
from .fspy import read_parameters
from .lens import Lens, damaged, describe_camera, fit_camera, get_camera, get_number, name_still, refuse_distortion
from .options import AS_THEY_ARE, WriteOptions
from .staging import name_file, stage_set
from .strict_json import read_json, write_json

TRANSFORMS = "transforms.json"
_OURS = "stillto3d camera"
_PINHOLES = ("PINHOLE", "SIMPLE_PINHOLE", "OPENCV", "SIMPLE_RADIAL", "RADIAL")
_TERMS = ("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2")
_NOWHERE = 1e-9


def write_camera_json(run: Run, project: Project, path: Path, options: WriteOptions = AS_THEY_ARE) -> list[str]:
    """The hero's camera: `transforms.json` (with images/ beside it) by that name, else our own plain JSON."""
    camera = get_camera(project)
    if path.name.lower().endswith(TRANSFORMS):
        return _write_transforms(run, project, camera, path)
    told = {
        "format": _OURS,
        "version": 1,
        "still": {"name": name_still(project), "id": project.hero.still.id},
        "camera": describe_camera(camera),
        "axes": "metres, right-handed, Y up; the camera looks along -Z; rows of a 4x4 for column vectors",
        "world_from_camera": camera.world_from_camera.tolist(),
        "about": describe_project(project, []).describe(),
    }
    with replace_file(path, lambda part: check_camera_json(part)) as file:
        file.write(write_json(told))
    return []


def _write_transforms(run: Run, project: Project, camera: Camera, path: Path) -> list[str]:
    still = project.hero.still
    picture = f"images/{name_file(still.name).replace(' ', '_')}.png"
    told = {
        "camera_model": "OPENCV",
        "w": camera.width,
        "h": camera.height,
        "fl_x": camera.fx,
        "fl_y": camera.fy,
        "cx": camera.cx,
        "cy": camera.cy,
        **dict.fromkeys(("k1", "k2", "p1", "p2"), 0.0),
        "frames": [{"file_path": picture, "transform_matrix": lay_down(camera.world_from_camera).tolist()}],
        "stillto3d": describe_project(project, []).describe(),
    }
    with stage_set(path.parent) as staging:
        (staging.folder / "images").mkdir()
        (staging.folder / picture).write_bytes(run.call(EncodeImage(still.pixels, "png")))
        with replace_file(staging.folder / path.name, lambda part: check_camera_json(part)) as file:
            file.write(write_json(told))
        staging.commit_beside(run)
    return []


def check_camera_json(path: Path) -> dict[str, Any]:
    """What kind of camera file this JSON is, and how many cameras it holds. Raises BadInput and OSError."""
    value = read_json(path.read_bytes(), path.name)
    if value.get("format") == _OURS:
        return {"program": "stillto3d", "cameras": 1, **_describe(value.get("camera"))}
    if isinstance(value.get("frames"), list):
        return {"program": "nerfstudio", "cameras": len(value["frames"])}
    if "cameraTransform" in value:
        return {"program": "fspy", "cameras": 1}
    raise damaged(path, "it holds no camera that is known")


def _describe(camera: Any) -> dict[str, Any]:
    return dict(camera) if isinstance(camera, Mapping) else {}


def read_camera_json(run: Run, path: Path, still: Still) -> Camera:
    """The camera of the still: of several, the one whose picture bears its name, else the only one."""
    value = read_json(path.read_bytes(), path.name)
    if value.get("format") == _OURS:
        return _read_ours(path, value, still)
    if isinstance(value.get("frames"), list):
        return _read_transforms(path, value, still)
    if "cameraTransform" in value:
        return fit_camera(path, read_parameters(path, value), still)
    raise damaged(path, "it holds no camera that is known")


def _read_ours(path: Path, value: Mapping[str, Any], still: Still) -> Camera:
    camera = value.get("camera")
    if not isinstance(camera, Mapping):
        raise damaged(path, "it holds no camera")
    numbers = {key: get_number(path, camera, key) for key in ("width", "height", "fx", "fy", "cx", "cy")}
    return fit_camera(path, Lens(**numbers, pose=read_pose(path, value.get("world_from_camera"))), still)


def read_pose(path: Path, rows: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A 4x4 (or 3x4) of a stranger's JSON. Raises BadInput."""
    try:
        matrix = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise damaged(path, "a pose is not made of numbers") from error
    if matrix.shape == (3, 4):
        matrix = np.vstack([matrix, (0, 0, 0, 1)])
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise damaged(path, "a pose is not made of numbers")
    return matrix


def choose_named(path: Path, names: list[str], still: Still) -> int:
    """Which of several pictures is the still: the one of its name, else the only one. Raises BadInput."""
    stems = [Path(name.replace("\\", "/")).stem.casefold() for name in names]
    wanted = still.name.casefold()
    for k, stem in enumerate(stems):
        if stem in (wanted, wanted.replace(" ", "_")):
            return k
    if len(names) == 1:
        return 0
    raise damaged(path, f"none of its {len(names)} pictures is called {still.name[:80]}")


def _read_transforms(path: Path, value: Mapping[str, Any], still: Still) -> Camera:
    frames = value["frames"]
    if not frames or not all(isinstance(frame, Mapping) for frame in frames):
        raise damaged(path, "it holds no frames")
    frame = frames[choose_named(path, [str(frame.get("file_path", "")) for frame in frames], still)]
    whole = {**value, **frame}  # a frame may have its own lens
    model = str(whole.get("camera_model", "OPENCV")).upper()
    if model not in _PINHOLES:
        refuse_distortion(path, {model: 1.0})
    refuse_distortion(path, {term: get_number(path, whole, term, 0.0) for term in _TERMS})
    width, height = get_number(path, whole, "w", still.width), get_number(path, whole, "h", still.height)
    if "fl_x" in whole:
        fx = get_number(path, whole, "fl_x")
    else:  # the older form: an angle across the picture
        angle = get_number(path, whole, "camera_angle_x")
        if not _NOWHERE < angle < np.pi - _NOWHERE:
            raise damaged(path, "its angle of view cannot be")
        fx = width / 2 / float(np.tan(angle / 2))
    lens = Lens(
        width,
        height,
        fx,
        get_number(path, whole, "fl_y", fx),
        get_number(path, whole, "cx", width / 2),
        get_number(path, whole, "cy", height / 2),
        stand_up("Z") @ read_pose(path, whole.get("transform_matrix")),
    )
    return fit_camera(path, lens, still)
