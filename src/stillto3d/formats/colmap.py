"""COLMAP models: a folder of cameras, images and points; written as text, read as text or binary.

Poses go from the world to OpenCV's camera axes; the world is ours (metres, Y up). The first pixel's centre lies at
(0.5, 0.5), as with us.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..engine.run import Run
from ..errors import BadInput
from ..project.project import Project
from ..project.space import Camera, find_opencv_pose, find_quaternion, make_opencv_pose, make_rotations
from ..project.still import Still
from .about import compose_lines, describe_project
from .camera_json import choose_named
from .gather import gather_points, list_visible
from .lens import Lens, damaged, fit_camera, get_camera, refuse_distortion
from .options import AS_THEY_ARE, WriteOptions
from .staging import name_file, stage_set

NAMES = ("cameras", "images", "points3D")
_MOST_POINTS = 200_000
_CEILING = 1 << 30
_IMAGES_CEILING = 1_000_000
_LONGEST_NAME = 4096
_MODELS: dict[str, tuple[int, tuple[str, ...]]] = {
    "SIMPLE_PINHOLE": (0, ("f", "cx", "cy")),
    "PINHOLE": (1, ("fx", "fy", "cx", "cy")),
    "SIMPLE_RADIAL": (2, ("f", "cx", "cy", "k1")),
    "RADIAL": (3, ("f", "cx", "cy", "k1", "k2")),
    "OPENCV": (4, ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2")),
    "OPENCV_FISHEYE": (5, ("fx", "fy", "cx", "cy", "k1", "k2", "k3", "k4")),
    "FULL_OPENCV": (6, ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")),
    "FOV": (7, ("fx", "fy", "cx", "cy", "omega")),
    "SIMPLE_RADIAL_FISHEYE": (8, ("f", "cx", "cy", "k1")),
    "RADIAL_FISHEYE": (9, ("f", "cx", "cy", "k1", "k2")),
    "THIN_PRISM_FISHEYE": (10, ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3", "k4", "sx1", "sy1")),
}
_BY_NUMBER = {number: name for name, (number, _) in _MODELS.items()}
_FISHEYES = ("OPENCV_FISHEYE", "SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE", "THIN_PRISM_FISHEYE", "FOV")

CameraEntry = tuple[str, float, float, dict[str, float]]
ImageEntry = tuple[int, str, list[float]]


def is_model(folder: Path) -> bool:
    """Whether a folder holds a COLMAP model."""
    return any((folder / f"{NAMES[1]}{suffix}").is_file() for suffix in (".txt", ".bin"))


def write_colmap(run: Run, project: Project, folder: Path, options: WriteOptions = AS_THEY_ARE) -> list[str]:
    """cameras.txt, images.txt and points3D.txt (at most 200,000 points of the set) in the folder."""
    camera = get_camera(project)
    rotation, translation = find_opencv_pose(camera)
    numbers = " ".join(f"{v:.17g}" for v in (*find_quaternion(rotation), *translation))
    picture = f"{name_file(project.hero.still.name).replace(' ', '_')}.png"
    about = [f"# {line}" for line in compose_lines(describe_project(project, list_visible(project)))]
    lens = " ".join(f"{v:.17g}" for v in (camera.fx, camera.fy, camera.cx, camera.cy))
    texts = {
        "cameras": [f"1 PINHOLE {camera.width} {camera.height} {lens}"],
        "images": [f"1 {numbers} 1 {picture}", ""],
        "points3D": list(_list_points(project)),
    }
    with stage_set(folder) as staging:
        for name, lines in texts.items():
            text = "\n".join([*about, *lines]) + "\n"
            (staging.folder / f"{name}.txt").write_bytes(text.encode("utf-8"))
        _read_cameras(staging.folder / "cameras.txt")
        _read_images(staging.folder / "images.txt")
        staging.commit_beside(run)
    return []


def _list_points(project: Project) -> Iterator[str]:
    points = gather_points(project)
    step = max(1, -(-len(points.positions) // _MOST_POINTS))
    colors = points.colors
    for k in range(0, len(points.positions), step):
        x, y, z = points.positions[k].tolist()
        r, g, b = (128, 128, 128) if colors is None else colors[k].tolist()
        yield f"{k // step + 1} {x:.7g} {y:.7g} {z:.7g} {r} {g} {b} 0"


# ---------------------------------------------------------------------- reading


def read_colmap(run: Run, folder: Path, still: Still) -> Camera:
    """The camera of the still: of the image that bears its name, else of the only one. Raises BadInput, OSError."""
    suffix = ".txt" if (folder / f"{NAMES[1]}.txt").is_file() else ".bin"
    cameras, images = _read_cameras(folder / f"cameras{suffix}"), _read_images(folder / f"images{suffix}")
    if not images:
        raise damaged(folder, "it holds no images")
    number, _, pose = images[choose_named(folder, [name for _, name, _ in images], still)]
    if number not in cameras:
        raise damaged(folder, "an image names a camera that does not exist")
    model, width, height, params = cameras[number]
    if model in _FISHEYES:
        refuse_distortion(folder, {model: 1.0})
    refuse_distortion(folder, {key: value for key, value in params.items() if key not in ("f", "fx", "fy", "cx", "cy")})
    fx, fy = params.get("fx", params.get("f", 0.0)), params.get("fy", params.get("f", 0.0))
    quaternion, translation = np.array(pose[:4]), np.array(pose[4:])
    if not np.isfinite(pose).all() or np.linalg.norm(quaternion) < 1e-9:
        raise damaged(folder, "a pose is not made of numbers")
    rotation = make_rotations(quaternion[None] / np.linalg.norm(quaternion))[0]
    lens = Lens(width, height, fx, fy, params["cx"], params["cy"], make_opencv_pose(rotation, translation))
    return fit_camera(folder, lens, still)


def check_colmap(folder: Path) -> dict[str, Any]:
    """What a model holds. Raises BadInput and OSError."""
    suffix = ".txt" if (folder / f"{NAMES[1]}.txt").is_file() else ".bin"
    cameras, images = _read_cameras(folder / f"cameras{suffix}"), _read_images(folder / f"images{suffix}")
    kinds = [{"model": model, "width": w, "height": h, **params} for model, w, h, params in cameras.values()]
    return {"program": "colmap", "cameras": kinds[:100], "images": [name for _, name, _ in images[:100]]}


def _read_cameras(path: Path) -> dict[int, CameraEntry]:
    if path.suffix == ".bin":
        return _read_binary_cameras(path)
    found: dict[int, CameraEntry] = {}
    for words in _read_lines(path):
        try:
            number, model, width, height, *values = words
            numbers = [float(value) for value in values]
            found[int(number)] = _make_camera(path, model, float(width), float(height), numbers)
        except ValueError as error:
            raise BadInput("{name} is damaged: {what}.", name=path.name, what="a line is no camera") from error
    return found


def _make_camera(path: Path, model: str, width: float, height: float, values: list[float]) -> CameraEntry:
    names = _MODELS[model][1] if model in _MODELS else ()
    if not names or len(values) != len(names) or not np.isfinite([width, height, *values]).all():
        raise damaged(path, f"a camera of the model {model[:40]!r} has not the numbers that it needs")
    return model, width, height, dict(zip(names, values, strict=True))


def _read_images(path: Path) -> list[ImageEntry]:
    """Every second line is a list of points, which may be empty."""
    if path.suffix == ".bin":
        return _read_binary_images(path)
    found: list[ImageEntry] = []
    lines = _read_lines(path, keep_empty=True)
    for words in lines:
        if not words:
            continue
        try:
            _, *pose, number = words[:9]
            found.append((int(number), " ".join(words[9:]), [float(value) for value in pose]))
        except ValueError as error:
            raise BadInput("{name} is damaged: {what}.", name=path.name, what="a line is no image") from error
        if len(found[-1][2]) != 7:
            raise damaged(path, "a line is no image")
        next(lines, None)
    return found


def _read_lines(path: Path, keep_empty: bool = False) -> Iterator[list[str]]:
    if path.stat().st_size > _CEILING:
        raise damaged(path, "it is implausibly large")
    with path.open("r", encoding="utf-8", errors="replace") as file:
        for line in file:
            if not line.startswith("#") and (keep_empty or line.strip()):
                yield line.split()


def _take(file: BinaryIO, path: Path, form: str) -> tuple[Any, ...]:
    size = struct.calcsize(form)
    data = file.read(size)
    if len(data) != size:
        raise damaged(path, "it ends too early")
    return struct.unpack(form, data)


def _read_binary_cameras(path: Path) -> dict[int, CameraEntry]:
    found: dict[int, CameraEntry] = {}
    with path.open("rb") as file:
        (count,) = _take(file, path, "<Q")
        if count > _IMAGES_CEILING:
            raise damaged(path, "it promises too many cameras")
        for _ in range(count):
            number, model, width, height = _take(file, path, "<IiQQ")
            name = _BY_NUMBER.get(model, str(model))
            if name not in _MODELS:
                raise damaged(path, f"the camera model {model} is unknown")
            values = _take(file, path, f"<{len(_MODELS[name][1])}d")
            found[number] = _make_camera(path, name, float(width), float(height), list(values))
    return found


def _read_binary_images(path: Path) -> list[ImageEntry]:
    found: list[ImageEntry] = []
    size = path.stat().st_size
    with path.open("rb") as file:
        (count,) = _take(file, path, "<Q")
        if count > _IMAGES_CEILING:
            raise damaged(path, "it promises too many images")
        for _ in range(count):
            _, *pose, number = _take(file, path, "<I7dI")
            name = bytearray()
            while (byte := _take(file, path, "<c")[0]) != b"\0":
                name += byte
                if len(name) > _LONGEST_NAME:
                    raise damaged(path, "a name does not end")
            (points,) = _take(file, path, "<Q")
            if points * 24 > size - file.tell():
                raise damaged(path, "it ends too early")
            file.seek(points * 24, 1)
            found.append((number, name.decode("utf-8", "replace"), list(pose)))
    return found
