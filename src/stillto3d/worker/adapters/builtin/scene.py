"""The set: depth stood on the solved floor in metres, torn at depth edges, with a second layer behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np

from ...errors import BadInput
from .depth_fusion import Lens, Surface, fuse_depth, sharpen_depth
from .sky import find_sky
from .tearing import build_behind, build_dome, build_front

WORKING_SIDE = 960
NEAREST, FARTHEST = 0.02, 400.0  # metres before the camera's height is known better than by the network

Arrays = Dict[str, np.ndarray]


def load(weights: Path | None, device: str) -> dict[str, Callable[..., dict[str, Any]]]:
    """Return {"reconstruct"}; needs no weights."""
    return {"reconstruct": reconstruct}


def reconstruct(arrays: Arrays, params: dict[str, Any], tick: Callable[[int, int], None]) -> dict[str, Any]:
    """From depth of a still and of its plate: agreed metric depth, floor, sky and the meshes of the set.

    still, plate u8[H,W,3]; holes u8[H,W] (where props stand); depth, plate_depth f32[h,w] in the network's own
    unit and normals, plate_normals f32[h,w,3] (OpenCV camera axes, optional). params: camera {width,
    height, fx, fy, cx, cy, pitch, roll, height_m}, known_length {a, b, metres} or null, detail (grid step in working
    pixels).

    Answers depth, plate_depth f32[h',w'] metres; sky, floor u8[h',w']; scale, height_m; and the meshes set,
    behind, sky (positions in camera axes and metres, faces, uvs, observed; textures of the last two).
    Raises BadInput for a known length between points that have no depth.
    """
    lens = Lens.read(params["camera"])
    picture, plate = shrink(arrays["still"]), shrink(arrays["plate"])
    shape = plate.shape[:2]
    tick(0, 6)
    surface = fuse_depth(arrays["plate_depth"], arrays.get("plate_normals"), lens)
    tick(1, 6)
    holes = shrink_mask(arrays["holes"], shape)
    fine = sharpen_depth(surface.log_depth, plate, lens)
    fine = keep_floor(fine, surface, lens)
    still_depth = fine
    if holes.any():
        coarse_holes = shrink_mask(arrays["holes"], surface.log_depth.shape)
        own = fuse_depth(arrays["depth"], arrays.get("normals"), lens, surface.log_depth, coarse_holes)
        still_depth = np.where(holes, sharpen_depth(own.log_depth, picture, lens), fine)
    tick(2, 6)
    sky = find_sky(plate, lens, arrays.get("plate_normals"))
    floor = find_fine_floor(fine, surface, lens) & ~sky
    height = lens.height_m
    scale = height / surface.camera_height if surface.camera_height else 1.0
    depth, plate_depth = (
        np.exp(np.clip(z + np.log(scale), np.log(NEAREST), np.log(FARTHEST))) for z in (still_depth, fine)
    )
    known = params.get("known_length")
    if known:
        factor = measure_length(known, depth, lens)
        depth, plate_depth = depth * factor, plate_depth * factor
        scale, height = scale * factor, height * factor
    if sky.any():
        far = 4 * float(plate_depth[~sky].max()) if (~sky).any() else FARTHEST
        depth, plate_depth = (np.where(sky, far, z) for z in (depth, plate_depth))
    tick(3, 6)
    step = max(1, int(params.get("detail", 3)))
    meshes = build_front(plate_depth, lens, step, sky, holes)
    tick(4, 6)
    meshes |= build_behind(plate_depth, plate, lens, step, sky)
    tick(5, 6)
    meshes |= build_dome(plate, plate_depth, lens, sky)
    return {
        "depth": depth.astype(np.float32),
        "plate_depth": plate_depth.astype(np.float32),
        "sky": sky.astype(np.uint8),
        "floor": floor.astype(np.uint8),
        "scale": float(scale),
        "height_m": float(height),
        **meshes,
    }


def shrink(pixels: np.ndarray) -> np.ndarray:
    """The picture at working size (long side at most WORKING_SIDE)."""
    import cv2

    h, w = pixels.shape[:2]
    k = min(1.0, WORKING_SIDE / max(h, w))
    size = (max(1, round(w * k)), max(1, round(h * k)))
    return pixels if k == 1 else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def shrink_mask(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """bool of that shape: cells that the mask touches by a tenth."""
    import cv2

    return cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_AREA) > 25


def keep_floor(log_depth: np.ndarray, surface: Surface, lens: Lens) -> np.ndarray:
    """Put pixels that nearly lie on the floor plane exactly on it."""
    if surface.camera_height is None:
        return log_depth
    plane, weight = _weigh_floor(log_depth, surface, lens)
    return log_depth * (1 - weight) + plane * weight


def find_fine_floor(log_depth: np.ndarray, surface: Surface, lens: Lens) -> np.ndarray:
    """Floor bool[h',w']: pixels on the floor plane in cells that are floor."""
    if surface.camera_height is None:
        return np.zeros(log_depth.shape, bool)
    return _weigh_floor(log_depth, surface, lens)[1] > 0.5


def _weigh_floor(log_depth: np.ndarray, surface: Surface, lens: Lens) -> tuple[np.ndarray, np.ndarray]:
    """Log depth of the floor plane and how surely each pixel lies on it (0..1)."""
    import cv2

    drop = lens.cast(log_depth.shape) @ lens.down
    plane = np.log((surface.camera_height or 1.0) / np.maximum(drop, 1e-3))
    size = (log_depth.shape[1], log_depth.shape[0])
    cell = cv2.resize(surface.floor.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    near = np.clip(2 - np.abs(log_depth - plane) / 0.04, 0, 1)
    return plane, np.where(drop > 0.01, near * np.clip(cell * 2, 0, 1), 0.0)


def measure_length(known: dict[str, Any], depth: np.ndarray, lens: Lens) -> float:
    """The factor that makes the distance between the two points `metres`."""
    points = []
    for name in ("a", "b"):
        x, y = (float(v) for v in known[name])
        if not (0 <= x <= lens.width and 0 <= y <= lens.height):
            raise BadInput("The known length begins or ends outside the still. Draw it on the still.")
        j = min(depth.shape[1] - 1, int(x * depth.shape[1] / lens.width))
        i = min(depth.shape[0] - 1, int(y * depth.shape[0] / lens.height))
        ray = np.array([(x - lens.cx) / lens.fx, (y - lens.cy) / lens.fy, 1.0])
        points.append(ray * depth[i, j])
    length = float(np.linalg.norm(points[0] - points[1]))
    if length < 1e-6:
        raise BadInput("The two ends of the known length fall together. Draw a longer one.")
    return float(known["metres"]) / length
