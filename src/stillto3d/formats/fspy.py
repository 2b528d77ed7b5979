"""fSpy projects: 16 bytes, a JSON of the state, the picture. Blender's fSpy importer takes the camera from them.

fSpy's world has Z up; its camera looks along -Z. Points of the picture are measured in its image plane: the longer
side runs from -1 to 1, y runs up. The app itself solves again from lines, which we lay towards the true vanishing
points; it then has our lens and rotation at a scale of its own.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import EncodeImage
from ..project.project import Project
from ..project.space import Camera, lay_down, stand_up
from ..project.still import F64, Still
from .about import describe_project
from .atomic import replace_file
from .lens import Lens, damaged, fit_camera, get_camera, get_number
from .options import AS_THEY_ARE, WriteOptions
from .strict_json import read_json, write_json

_HEAD = struct.Struct("<4sIII")
_MAGIC, _VERSION = b"fspy", 1
_CEILING = 1 << 30
_FAR = 1e6  # in image planes: where lines that do not meet are said to


def write_fspy(run: Run, project: Project, path: Path, options: WriteOptions = AS_THEY_ARE) -> list[str]:
    """The hero's camera and still. Raises BadInput without a camera, CannotAccess, Cancelled."""
    camera = get_camera(project)
    state = write_json(compose_state(camera) | {"stillto3d": describe_project(project, []).describe()})
    picture = run.call(EncodeImage(project.hero.still.pixels, "png"))
    with replace_file(path, check_fspy) as file:
        file.write(_HEAD.pack(_MAGIC, _VERSION, len(state), len(picture)))
        file.write(state)
        file.write(picture)
    return []


def read_fspy(run: Run, path: Path, still: Still) -> Camera:
    """The camera of an fSpy project, for the still. Raises BadInput and OSError."""
    parameters = _open(path).get("cameraParameters")
    if not isinstance(parameters, Mapping):
        raise BadInput("{name} has no solved camera.", "Solve it in fSpy first.", name=path.name)
    return fit_camera(path, read_parameters(path, parameters), still)


def check_fspy(path: Path) -> dict[str, Any]:
    """The camera parameters that a whole project holds. Raises BadInput and OSError."""
    parameters = _open(path).get("cameraParameters")
    return {"program": "fspy", "cameras": int(isinstance(parameters, Mapping)), "parameters": parameters}


def _open(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size or size > _CEILING:
            raise damaged(path, "it is no fSpy project")
        magic, version, length, picture = _HEAD.unpack(head)
        if magic != _MAGIC or version != _VERSION:
            raise damaged(path, "it is no fSpy project of version 1")
        if _HEAD.size + length + picture != size:
            raise damaged(path, "it holds less than its header promises")
        return read_json(file.read(length), path.name)


def read_parameters(path: Path, parameters: Mapping[str, Any]) -> Lens:
    """fSpy's camera parameters, as in a project or in its JSON export."""
    width, height = get_number(path, parameters, "imageWidth"), get_number(path, parameters, "imageHeight")
    angles = [get_number(path, parameters, f"{way}FieldOfView") for way in ("horizontal", "vertical")]
    if width <= 0 or height <= 0 or not all(1e-6 < angle < math.pi - 1e-6 for angle in angles):
        raise damaged(path, "its angle of view cannot be")
    point, transform = parameters.get("principalPoint"), parameters.get("cameraTransform")
    if not isinstance(point, Mapping) or not isinstance(transform, Mapping):
        raise damaged(path, "it lacks its principal point or its camera's place")
    half = max(width, height) / 2
    cx = width / 2 + get_number(path, point, "x") * half
    cy = height / 2 - get_number(path, point, "y") * half
    try:
        rows = np.array(transform.get("rows"), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise damaged(path, "its camera's place is not made of numbers") from error
    if rows.shape != (4, 4) or not np.isfinite(rows).all():
        raise damaged(path, "its camera's place is not made of numbers")
    fx, fy = width / 2 / math.tan(angles[0] / 2), height / 2 / math.tan(angles[1] / 2)
    return Lens(width, height, fx, fy, cx, cy, stand_up("Z") @ rows)


# ---------------------------------------------------------------------- the state


def compose_state(camera: Camera) -> dict[str, Any]:
    """fSpy's saved state: the camera as solved, and the lines from which the app finds it again."""
    vanishing = _find_vanishing_points(camera)
    first, second = sorted(range(3), key=lambda k: float(np.linalg.norm(vanishing[k])))[:2]
    pose = lay_down(camera.world_from_camera)
    axes = ["xPositive", "yPositive", "zPositive"]
    center = _to_plane(camera, np.array([camera.cx, camera.cy]))
    lines = [{"lineSegments": _draw_lines(camera, vanishing[k])} for k in (first, second, 3 - first - second)]
    relative = {"x": camera.cx / camera.width, "y": camera.cy / camera.height}
    return {
        "globalSettings": {"calibrationMode": "TwoVanishingPoints", "overlay3DGuide": "None", "imageOpacity": 1},
        "calibrationSettingsBase": {
            "referenceDistanceUnit": "Meters",
            "referenceDistance": 1,
            "referenceDistanceAxis": None,
            "cameraData": {
                "presetId": None,
                "presetData": None,
                "customSensorWidth": camera.film_back_mm,
                "customSensorHeight": camera.film_back_mm * camera.height / camera.width,
            },
            "firstVanishingPointAxis": axes[first],
            "secondVanishingPointAxis": axes[second],
        },
        "calibrationSettings1VP": {"principalPointMode": "Manual", "absoluteFocalLength": camera.focal_mm},
        "calibrationSettings2VP": {"principalPointMode": "Manual", "quadModeEnabled": False},
        "controlPointsStateBase": {
            "principalPoint": relative,
            "origin": {"x": 0.5, "y": 0.5},
            "referenceDistanceAnchor": {"x": 0.5, "y": 0.5},
            "firstVanishingPoint": lines[0],
            "referenceDistanceHandleOffsets": [0.1, 0.2],
        },
        "controlPointsState1VP": {"horizon": [{"x": 0.2, "y": 0.5}, {"x": 0.8, "y": 0.5}]},
        "controlPointsState2VP": {"secondVanishingPoint": lines[1], "thirdVanishingPoint": lines[2]},
        "cameraParameters": {
            "principalPoint": {"x": center[0], "y": center[1]},
            "viewTransform": {"rows": np.linalg.inv(pose).tolist()},
            "cameraTransform": {"rows": pose.tolist()},
            "horizontalFieldOfView": 2 * math.atan(camera.width / 2 / camera.fx),
            "verticalFieldOfView": 2 * math.atan(camera.height / 2 / camera.fy),
            "vanishingPoints": [{"x": v[0], "y": v[1]} for v in vanishing.tolist()],
            "vanishingPointAxes": axes,
            "relativeFocalLength": 2 * camera.fx / max(camera.width, camera.height),
            "imageWidth": camera.width,
            "imageHeight": camera.height,
        },
        "resultDisplaySettings": {
            "orientationFormat": "AxisAngleDegrees",
            "principalPointFormat": "Absolute",
            "fieldOfViewFormat": "Degrees",
            "displayAbsoluteFocalLength": False,
        },
    }


def _to_plane(camera: Camera, pixel: F64) -> list[float]:
    half = max(camera.width, camera.height) / 2
    return [float((pixel[0] - camera.width / 2) / half), float((camera.height / 2 - pixel[1]) / half)]


def _find_vanishing_points(camera: Camera) -> F64:
    """Where lines along x, y and z (Z up) meet, f64[3, 2] in the image plane; far away where they do not."""
    axes = lay_down(camera.world_from_camera)[:3, :3].T  # columns: the world's axes, seen from the camera
    points = []
    for k in range(3):
        x, y, z = axes[:, k] * (-1 if axes[2, k] > 0 else 1)  # towards the camera's front, -z
        depth = max(-z, 1e-9)
        pixel = np.array([camera.cx + camera.fx * x / depth, camera.cy - camera.fy * y / depth])
        plane = np.array(_to_plane(camera, pixel))
        points.append(plane * min(1.0, _FAR / max(float(np.linalg.norm(plane)), 1e-9)))
    return np.array(points)


def _draw_lines(camera: Camera, target: F64) -> list[list[dict[str, float]]]:
    """Two segments within the picture, relative to its size, that point at the vanishing point."""
    half = max(camera.width, camera.height) / 2
    goal = np.array([camera.width / 2, camera.height / 2]) + target * (half, -half)
    size = np.array([camera.width, camera.height], dtype=np.float64)
    middle = size / 2
    along = goal - middle
    aside = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-9) * float(size.min()) * 0.25
    segments = []
    for start in (middle + aside, middle - aside):
        way = goal - start
        step = way / max(float(np.linalg.norm(way)), 1e-9) * float(size.min()) * 0.2
        ends = [start - step, start + step] if np.linalg.norm(way) > np.linalg.norm(step) else [start, start + step / 2]
        segments.append([{"x": float(e[0] / size[0]), "y": float(e[1] / size[1])} for e in ends])
    return segments
