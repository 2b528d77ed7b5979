"""Truth of other people's stills, in the layouts that they come in: one folder per still."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .floor import fit_floor
from .truth import F32, F64, Bool, Instance, Truth, load_picture

PICTURE_STEMS = ("rgb", "cat", "00000", "left", "still")
NEAREST_M, FARTHEST_M = 0.1, 80.0  # beyond these, other people's sensors guess
MIDDLEBURY_MOTORCYCLE = {"baseline_m": 0.193001, "focal_px": 994.978, "offset_px": 31.086}
MOTORCYCLE_CENTRE = (311.193, 254.877)


def read_foreign(root: Path) -> Iterator[Truth]:
    """Every still under `root` of which something is known, by name."""
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        picture = find_picture(folder)
        if picture is not None:
            truth = read_folder(folder, picture)
            if truth.instances or truth.depth is not None or truth.focal_px is not None:
                yield truth
        yield from read_reconstruction(folder)


def find_picture(folder: Path) -> Path | None:
    """The still of a folder, by the names that data sets give it."""
    for path in sorted(folder.iterdir()):
        if path.name.split(".")[0] in PICTURE_STEMS and path.suffix in (".jpg", ".jpeg", ".png"):
            return path
    return None


def read_folder(folder: Path, picture: Path) -> Truth:
    """Masks, depth and intrinsics that lie beside a still; those of another size are left out."""
    height, width = load_picture(picture).shape[:2]
    masks = [(k, mask) for k, mask in read_masks(folder, width, height) if mask.shape == (height, width)]
    depth = read_depth(folder)
    if depth is not None and depth.shape != (height, width):
        depth = None
    intrinsics = read_intrinsics(folder)
    return Truth(
        name=folder.name,
        picture=picture,
        instances=tuple(Instance(k, mask) for k, mask in masks),
        depth=depth,
        focal_px=intrinsics[0] if intrinsics else None,
        centre_px=intrinsics[1:] if intrinsics else None,
        down=read_down(folder, depth, intrinsics),
    )


# --------------------------------------------------------------------------- masks


def read_masks(folder: Path, width: int, height: int) -> list[tuple[int, Bool]]:
    """Instance masks from the first layout that the folder holds."""
    ids = [folder / "seg.png", *sorted(folder.glob("mask*.png"))]
    layouts: list[tuple[Path, Callable[[Path], list[tuple[int, Bool]]]]] = [
        *((path, _split_ids) for path in ids),
        (folder / "masks", _read_alphas),
        (folder / "panoptic.png", _read_panoptic),
        (folder / "ann.png", _split_ids),
        (folder / "polygons.json", lambda path: _draw_polygons(path, width, height)),
        (folder / "cat_mask.png", lambda path: [(1, _to_grey(path) > 127)]),
    ]
    return next((read(path) for path, read in layouts if path.exists()), [])


def _split_ids(path: Path) -> list[tuple[int, Bool]]:
    """A picture of instance numbers (palette, grey, or 24 bits over red, green and blue); 0 is nobody."""
    ids = _join_bytes(load_picture(path))
    return [(int(k), ids == k) for k in np.unique(ids) if k]


def _join_bytes(picture: NDArray[Any]) -> NDArray[Any]:
    if picture.ndim == 2:
        return picture
    wide = picture.astype(np.int64)
    return wide[..., 0] + 256 * wide[..., 1] + 65536 * wide[..., 2]


def _to_grey(path: Path) -> NDArray[Any]:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def _read_alphas(folder: Path) -> list[tuple[int, Bool]]:
    paths = sorted(folder.glob("*.png"), key=lambda path: int(path.stem))
    return [(int(path.stem), load_picture(path)[..., 3] > 0) for path in paths]


def _read_panoptic(path: Path) -> list[tuple[int, Bool]]:
    ids = _join_bytes(load_picture(path))
    told = json.loads((path.parent / "panoptic_examples.json").read_text(encoding="utf-8"))
    things = {category["id"] for category in told["categories"] if category["isthing"]}
    segments = told["annotations"][0]["segments_info"]
    return [(part["id"], ids == part["id"]) for part in segments if part["category_id"] in things]


def _draw_polygons(path: Path, width: int, height: int) -> list[tuple[int, Bool]]:
    from PIL import Image, ImageDraw

    drawn = []
    for k, shape in enumerate(json.loads(path.read_text(encoding="utf-8"))["shapes"], 1):
        image = Image.new("1", (width, height))
        ImageDraw.Draw(image).polygon([tuple(point) for point in shape["points"]], fill=1)
        drawn.append((k, np.asarray(image)))
    return drawn


# --------------------------------------------------------------------------- depth, intrinsics


def read_depth(folder: Path) -> F32 | None:
    """Metres f32[H, W] (0 = unknown) as they are, from millimetres, KITTI's 256ths, or Middlebury's disparity."""
    pictures = sorted(folder.glob("depth_000*.png")) + sorted(folder.glob("depth.png"))
    if (folder / "depth.npz").exists():
        metres = np.load(folder / "depth.npz")["depth"].astype(np.float32)
    elif pictures:
        kitti = "kitti" in folder.name or pictures[0].name.startswith("depth_00000000")
        metres = load_picture(pictures[0]).astype(np.float32) / np.float32(256 if kitti else 1000)
    elif (folder / "disp.npz").exists():
        disparity = np.load(folder / "disp.npz")["arr_0"].astype(np.float64)
        seen = np.isfinite(disparity) & (disparity > 0)
        rig = MIDDLEBURY_MOTORCYCLE
        shifted = np.where(seen, disparity, 1) + rig["offset_px"]
        metres = np.where(seen, rig["baseline_m"] * rig["focal_px"] / shifted, 0).astype(np.float32)
    else:
        return None
    return np.where((metres > NEAREST_M) & (metres < FARTHEST_M), metres, 0).astype(np.float32)


def read_intrinsics(folder: Path) -> tuple[float, float, float] | None:
    """Focal length along x and principal point, pixels of the still."""
    if (folder / "annotations.json").exists():
        told = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))["files"][0]["cam_in"]
        return float(told[0]), float(told[2]), float(told[3])
    if (folder / "intrinsics.npy").exists():
        k = np.load(folder / "intrinsics.npy")
        return float(k[0, 0]), float(k[0, 2]), float(k[1, 2])
    if (folder / "transforms.json").exists():
        told = json.loads((folder / "transforms.json").read_text(encoding="utf-8"))
        return float(told["fl_x"]), float(told["cx"]), float(told["cy"])
    if (folder / "disp.npz").exists():
        return (MIDDLEBURY_MOTORCYCLE["focal_px"], *MOTORCYCLE_CENTRE)
    return None


def read_down(folder: Path, depth: F32 | None, intrinsics: tuple[float, float, float] | None) -> F64 | None:
    """Down in OpenCV camera axes as it was recorded, or square to the floor that the depth shows."""
    if (folder / "down.npy").exists():
        recorded = np.load(folder / "down.npy").astype(np.float64)
        down: F64 = recorded / np.linalg.norm(recorded)
        return down
    if depth is None or intrinsics is None:
        return None
    return fit_floor(depth, intrinsics[0], intrinsics[1:])


def read_reconstruction(folder: Path) -> Iterator[Truth]:
    """The cameras of an OpenSfM reconstruction (aligned by it to gravity, Z up; focal over the long side)."""
    for path in sorted(folder.glob("reconstruction*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))[0]
        for name, shot in sorted(told["shots"].items()):
            picture = folder / name
            if picture.exists():
                lens = told["cameras"][shot["camera"]]
                yield Truth(
                    name=f"{folder.name}_{picture.stem}",
                    picture=picture,
                    focal_px=lens["focal"] * max(lens["width"], lens["height"]),
                    centre_px=(lens["width"] / 2, lens["height"] / 2),
                    down=_turn(shot["rotation"]) @ np.array([0.0, 0.0, -1.0]),
                )


def _turn(rotation: list[float]) -> F64:
    """The rotation f64[3, 3] of an axis-angle vector (Rodrigues)."""
    import cv2

    matrix: F64 = cv2.Rodrigues(np.asarray(rotation, dtype=np.float64))[0]
    return matrix
