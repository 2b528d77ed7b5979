"""What is exactly known of a still: masks, depth, camera, heights, and how it looks from aside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Instance:
    """One object: its visible part bool[H, W]; in samples also its whole height and how much is seen."""

    id: int
    mask: Bool
    name: str = ""
    height_m: float | None = None
    visible: float = 1.0
    cut_by_frame: bool = False
    thin: bool = False


@dataclass(frozen=True, eq=False)
class Truth:
    """One still with whatever truth there is; None where there is none.

    depth    f32[h, w] metres along the camera's axis, stretched over the still; 0 where unknown or sky
    far      f32[h, w] metres where the ray leaves the instance that it meets first; 0 where none is
    sky      bool[h, w]: nothing is there
    down     f64[3], unit, OpenCV camera axes (x right, y down, z forward)
    focal_px focal length in pixels of the still; centre_px the principal point
    second   the picture from a camera `aside_m` along the camera's +x
    """

    name: str
    picture: Path
    instances: tuple[Instance, ...] = ()
    depth: F32 | None = None
    far: F32 | None = None
    sky: Bool | None = None
    focal_px: float | None = None
    centre_px: tuple[float, float] | None = None
    down: F64 | None = None
    second: Path | None = None
    aside_m: float | None = None


def find_samples(folder: Path) -> list[Path]:
    """The sample folders: those that hold a truth.json of ours."""
    return sorted(path.parent for path in folder.glob("*/truth.json"))


def read_samples(folder: Path) -> Iterator[Truth]:
    """Every sample of `folder`, by name."""
    for path in find_samples(folder):
        yield read_sample(path)


def read_sample(folder: Path) -> Truth:
    """One of our rendered samples: still.jpg, second.jpg, depth.png, far.png, instances.png, truth.json."""
    told = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    camera = told["camera"]
    ids = load_picture(folder / "instances.png")
    depth = decode_depth(load_picture(folder / "depth.png"), told["depth"])
    world_from_camera = np.asarray(told["camera"]["world_from_camera"], dtype=np.float64)
    moved = np.asarray(told["second_camera"]["world_from_camera"], dtype=np.float64) - world_from_camera
    return Truth(
        name=folder.name,
        picture=folder / "still.jpg",
        instances=tuple(_read_instance(entry, ids) for entry in told["instances"]),
        depth=depth,
        far=decode_far(load_picture(folder / "far.png"), depth, told["far"]),
        sky=depth == 0,
        focal_px=float(camera["fx"]),
        centre_px=(float(camera["cx"]), float(camera["cy"])),
        down=find_down(float(camera["pitch"]), float(camera["roll"])),
        second=folder / "second.jpg",
        aside_m=float(np.linalg.norm(moved[:3, 3])),
    )


def _read_instance(entry: dict[str, Any], ids: NDArray[Any]) -> Instance:
    return Instance(
        id=int(entry["id"]),
        mask=ids == entry["id"],
        name=str(entry["name"]),
        height_m=float(entry["height_m"]),
        visible=float(entry["visible"]),
        cut_by_frame=bool(entry["cut_by_frame"]),
        thin=bool(entry["thin"]),
    )


def decode_depth(code: NDArray[Any], how: dict[str, Any]) -> F32:
    """Metres f32[h, w] of a sample's depth.png (u16 steps of log depth; `none` is sky, 0 here)."""
    metres = how["near_m"] * np.exp((code.astype(np.float64) - 1) * how["step"])
    return np.where(code == how["none"], 0, metres).astype(np.float32)


def decode_far(code: NDArray[Any], depth: F32, how: dict[str, Any]) -> F32:
    """Metres f32[h, w] of a sample's far.png (u16 steps of the logarithm of far over near; `none` is 0 here)."""
    metres = depth * np.exp((code.astype(np.float64) - 1) * how["step"])
    return np.where(code == how["none"], 0, metres).astype(np.float32)


def find_down(pitch: float, roll: float) -> F64:
    """Down in OpenCV camera axes at a pitch (< 0 looks down) and roll (> 0 clockwise) in radians."""
    return np.array([-np.cos(pitch) * np.sin(roll), np.cos(pitch) * np.cos(roll), -np.sin(pitch)])


def load_picture(path: Path) -> NDArray[Any]:
    """The samples of a picture as they are stored (palette indices, ids, 16 bits)."""
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image)
