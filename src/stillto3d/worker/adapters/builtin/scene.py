"""The set: depth stood on the solved floor in metres, torn at depth edges, with a second layer behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np

from ...errors import BadInput
from .depth_fusion import Surface, complete_plate, fuse_depth, sharpen_depth
from .lens import Lens
from .sky import find_sky
from .tearing import build_behind, build_dome, build_front

WORKING_SIDE = 960
CELL = np.ones((3, 3), np.uint8)
CLEARANCE = 0.06  # of log depth that the plate keeps behind the props, so that none sinks into it
NEAREST, FARTHEST = 0.02, 400.0  # metres before the camera's height is known better than by the network

Arrays = Dict[str, np.ndarray]


def load(weights: Path | None, device: str) -> dict[str, Callable[..., dict[str, Any]]]:
    """Return {"reconstruct"}; needs no weights."""
    return {"reconstruct": reconstruct}


def reconstruct(arrays: Arrays, params: dict[str, Any], tick: Callable[[int, int], None]) -> dict[str, Any]:
    """From depth of a still and of its plate: agreed metric depth, floor, sky and the meshes of the set.

    still, plate u8[H,W,3]; holes u8[H,W] (where props stand); depth, plate_depth f32[h,w] in the network's own
    unit; optional: normals, plate_normals f32[h,w,3] (OpenCV camera axes), sky, plate_sky f32[h,w] (chance of sky).
    params: camera {width, height, fx, fy, cx, cy, pitch, roll, height_m}, known_length {a, b, metres} or null, detail
    (grid step in working pixels).

    Answers depth, plate_depth f32[h',w'] metres; sky, floor u8[h',w']; scale, height_m; and the meshes set,
    behind, sky (positions in camera axes and metres, faces, uvs, observed; textures of the last two).
    Raises BadInput for a known length between points that have no depth.
    """
    lens = Lens.read(params["camera"])
    picture, plate = shrink(arrays["still"]), shrink(arrays["plate"])
    shape = plate.shape[:2]
    tick(0, 6)
    holes = shrink_mask(arrays["holes"], shape)
    still_depth, fine, surface = agree_depths(arrays, picture, plate, holes, lens)
    tick(2, 6)
    sky = agree_sky(arrays, plate, holes, lens)
    floor = find_fine_floor(fine, surface, lens) & ~sky
    height = lens.height_m
    scale = height / surface.camera_height if surface.camera_height else 1.0
    depth, plate_depth = (
        np.exp(np.clip(z + np.log(scale), np.log(NEAREST), np.log(FARTHEST))) for z in (still_depth, fine)
    )
    known = params.get("known_length")
    if known:
        factor = measure_length(known, depth, plate_depth, lens)
        depth, plate_depth = depth * factor, plate_depth * factor
        scale, height = scale * factor, height * factor
    if sky.any():
        far = 4 * float(plate_depth[~sky].max()) if (~sky).any() else FARTHEST
        depth, plate_depth = (np.where(sky, far, z) for z in (depth, plate_depth))
    tick(3, 6)
    step = max(1, int(params["detail"]))
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
        "axes": "opencv",
        **meshes,
    }


def agree_depths(
    arrays: Arrays, picture: np.ndarray, plate: np.ndarray, holes: np.ndarray, lens: Lens
) -> tuple[np.ndarray, np.ndarray, Surface]:
    """Log depth f64[h',w'] of the still and of the plate, the same outside `holes`, and the plate's surface."""
    import cv2

    surface = fuse_depth(arrays["depth"], arrays.get("normals"), lens)
    still_depth = keep_floor(sharpen_depth(surface.log_depth, picture, lens), surface, lens)
    if not holes.any():
        return still_depth, still_depth, surface
    cells = cv2.dilate(shrink_mask(arrays["holes"], surface.log_depth.shape).astype(np.uint8), CELL) > 0
    surface = complete_plate(surface, arrays["plate_depth"], arrays.get("plate_normals"), cells, lens)
    filled = keep_floor(sharpen_depth(surface.log_depth, plate, lens), surface, lens)
    around = cv2.resize(cells.astype(np.uint8), holes.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    fine = np.where(around, filled, still_depth)
    above = holes & ~find_fine_floor(fine, surface, lens)
    return still_depth, np.where(above, np.maximum(fine, still_depth + CLEARANCE), fine), surface


def agree_sky(arrays: Arrays, plate: np.ndarray, holes: np.ndarray, lens: Lens) -> np.ndarray:
    """bool[h',w']: sky as the still shows it, and as the plate shows it behind the props; none if no model tells."""
    import cv2

    if "sky" not in arrays:
        return np.zeros(plate.shape[:2], bool)
    chance, normals = arrays["sky"], arrays.get("normals")
    if holes.any():
        cells = shrink_mask(holes.astype(np.uint8) * 255, chance.shape)
        behind = arrays.get("plate_sky", np.zeros((1, 1), np.float32))
        chance = np.where(cells, cv2.resize(behind, chance.shape[::-1], interpolation=cv2.INTER_LINEAR), chance)
    return find_sky(chance, plate, lens, normals)


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


def measure_length(known: dict[str, Any], depth: np.ndarray, plate_depth: np.ndarray, lens: Lens) -> float:
    """The factor that makes the distance between the two points `metres`.

    The ends of a drawn length often fall off the thing's edge, so their own depth is not asked. An upright length
    stands where its lower end meets the plate (what a prop stands on), as props do. Along any other straight edge
    inverse depth is linear in the picture and is read from between the ends; where it is not (a gap between two
    things), the nearest depth about each end counts.
    """
    ends = np.array([known["a"], known["b"]], dtype=np.float64)
    if ((ends < 0) | (ends > (lens.width, lens.height))).any():
        raise BadInput("The known length begins or ends outside the still. Draw it on the still.")
    rays = np.concatenate([(ends - (lens.cx, lens.cy)) / (lens.fx, lens.fy), np.ones((2, 1))], 1)
    if np.linalg.norm(rays[0] - rays[1]) < 1e-6:
        raise BadInput("The two ends of the known length fall together. Draw a longer one.")
    z = _stand_upright(ends, rays, plate_depth, lens)
    if z is None:
        z = _read_edge(ends, depth, lens)
    length = float(np.linalg.norm(rays[0] * z[0] - rays[1] * z[1]))
    return float(known["metres"]) / max(length, 1e-6)


def _stand_upright(ends: np.ndarray, rays: np.ndarray, plate_depth: np.ndarray, lens: Lens) -> np.ndarray | None:
    """Depth f64[2] of the ends of an upright length, or None for one that is not upright in the picture."""
    low = int((rays @ lens.down).argmax())
    middle = rays.mean(0)
    plumb = (lens.down[:2] - middle[:2] * lens.down[2]) * (lens.fx, lens.fy)
    drawn = ends[low] - ends[1 - low]
    if plumb @ drawn < 0.9 * np.linalg.norm(plumb) * np.linalg.norm(drawn):
        return None
    ahead = middle - (middle @ lens.down) * lens.down
    (i,), (j,) = _find_cells(ends[low : low + 1], plate_depth.shape, lens)
    near = plate_depth[i : i + 3, max(0, j - 1) : j + 2]
    return np.median(near) * (rays[low] @ ahead) / np.maximum(rays @ ahead, 1e-3)


def _read_edge(ends: np.ndarray, depth: np.ndarray, lens: Lens) -> np.ndarray:
    """Depth f64[2] of the ends of a straight edge, from what lies between them."""
    share = np.linspace(0, 1, 65)
    i, j = _find_cells(ends[0] + (ends[1] - ends[0]) * share[:, None], depth.shape, lens)
    inverse = 1 / depth[i, j]
    inner = (share > 0.1) & (share < 0.9)
    apart = np.triu_indices(inner.sum(), 8)
    slopes = np.subtract.outer(inverse[inner], inverse[inner]) / np.subtract.outer(share[inner], share[inner] + 1e-9)
    middle = np.median(inverse[inner])
    fitted = middle + np.median(slopes[apart]) * (share - 0.5)
    if np.median(np.abs(inverse[inner] / fitted[inner] - 1)) < 0.04 and fitted[[0, -1]].min() > 0.3 * middle:
        return np.asarray(1 / fitted[[0, -1]])
    reach = max(1, max(depth.shape) // 160)
    rows, columns = (slice_about(i, reach), slice_about(j, reach))
    return np.array([depth[rows(k), columns(k)].min() for k in (0, -1)])


def slice_about(indices: np.ndarray, reach: int) -> Callable[[int], slice]:
    """Slices around the k-th of some indices."""
    return lambda k: slice(max(0, int(indices[k]) - reach), int(indices[k]) + reach + 1)


def _find_cells(points: np.ndarray, shape: tuple[int, ...], lens: Lens) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of a map in which pixels [n,2] of the still lie."""
    j = np.minimum(shape[1] - 1, (points[:, 0] * shape[1] / lens.width).astype(int))
    i = np.minimum(shape[0] - 1, (points[:, 1] * shape[0] / lens.height).astype(int))
    return i, j
