"""Models that see one still or several: what they have seen, worded for the roles scene, depth and calibrator."""

from __future__ import annotations

import importlib
import sys
import types
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from ..errors import BadInput, MissingWeights
from .floor import find_floor, word_camera
from .pytorch import Remembered, Tick

RANGE = (1e-3, 1e5)
FAR = 4.0  # what has no depth lies so many times farther than nearly all that has
USUAL_LENS = 0.85  # focal length over the long side, where the network finds none
LEAST_SIDE = 8
HARMONIC = 0.28209479177387814


class View(NamedTuple):
    """One still as a model has seen it.

    depth f32[h,w] along the axis on a grid that covers the whole still, sound bool[h,w], `focal` the focal length
    over the still's width (None: not told), `pose` f64[4,4] from camera to world in the model's own axes.
    """

    depth: np.ndarray
    sound: np.ndarray
    focal: Optional[float]
    pose: np.ndarray


class Seen(NamedTuple):
    """All views in one world; `metric`: in metres. `splats`: means, scales (linear), rotations (wxyz), opacity (0 to
    1) and sh, in the same world."""

    views: List[View]
    metric: bool
    splats: Optional[Dict[str, np.ndarray]] = None


Look = Callable[[List[np.ndarray], Dict[str, Any], Tick], Seen]


def import_upstream(name: str, source: str) -> Any:
    """A module of a model's own repository. Raises MissingWeights that names what is missing, and where it is from."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingWeights(
            "the code of " + source + " cannot be imported in its environment (" + str(error) + "). "
            "Install it there, or name its folder in a .pth file of that environment."
        ) from error


class Absent(Loader, MetaPathFinder):
    """Packages that are imported, but never called on our way; asked last, so that real ones win."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = frozenset(packages)

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Optional[ModuleSpec]:
        """Found is whatever lies in one of the packages."""
        top = fullname.partition(".")[0]
        return ModuleSpec(fullname, self, is_package=True) if top in self._packages else None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """A module with every name that is asked of it."""
        module = types.ModuleType(spec.name)
        module.__getattr__ = lambda name: _make_absent(spec.name, name)  # type: ignore[method-assign]
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """There is nothing to run."""


def _make_absent(package: str, name: str) -> type:
    if name.startswith("__"):
        raise AttributeError(name)

    def refuse(*given: Any, **named: Any) -> Any:
        raise ImportError(package + "." + name + " is called, but " + package + " is not installed")

    return type(name, (), {"__new__": refuse})


def stand_in_for(*packages: str) -> None:
    """Let upstream's code import what it writes files and films with, which its answers do not need, where that is
    not installed: some of it is under the GPL, or carries programs that are."""
    sys.meta_path.append(Absent(packages))


def gather_stills(arrays: Dict[str, Any]) -> List[np.ndarray]:
    """The still, and those that came along as still.1, still.2, ... Raises BadInput for one that is too small."""
    names = ["still", *("still." + str(k) for k in range(1, len(arrays) + 1))]
    stills = [arrays[name] for name in names if name in arrays]
    if min(min(still.shape[:2]) for still in stills) < LEAST_SIDE:
        raise BadInput(
            "This still is too small or too narrow for the model. Take one of {n} pixels or more each way.",
            n=LEAST_SIDE,
        )
    return stills


def fill_depth(depth: np.ndarray, sound: np.ndarray) -> np.ndarray:
    """Depth without holes: what is not sound lies far behind the rest."""
    sound = sound & np.isfinite(depth) & (depth > 0)
    far = float(np.percentile(depth[sound], 99)) * FAR if sound.any() else 1.0
    return np.clip(np.where(sound, depth, far), *RANGE).astype(np.float32)


def make_operations(look: Look) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """`see` (all stills), `depth` and `calibrate` (the one still) of a model that looks."""
    kept = Remembered()

    def look_once(arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Seen:
        stills = gather_stills(arrays)
        told = sorted((params.get("options") or {}).items()), params.get("focal_px"), params.get("stills")
        key = params.get("still_id") and "/".join(map(str, (params["still_id"], *told)))
        seen = kept.find(key)
        if seen is None:
            seen = kept.keep(key, look(stills, params, tick))
        tick(1, 1)
        return seen

    def see(arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Depth, lens and pose of every still, and splats where the model makes them."""
        seen = look_once(arrays, params, tick)
        answer: Dict[str, Any] = {
            "axes": "opencv",
            "metric": seen.metric,
            "poses": np.stack([view.pose for view in seen.views]).astype(np.float64),
        }
        stills, known = gather_stills(arrays), params.get("focal_px")
        focals = []
        for k, (view, still) in enumerate(zip(seen.views, stills)):
            height, width = still.shape[:2]
            answer["depth." + str(k)] = fill_depth(view.depth, view.sound)
            answer["sound." + str(k)] = np.where(view.sound, 255, 0).astype(np.uint8)
            told = known if known and k == 0 else None
            focals.append(float(told or _find_focal(view, height, width)))
        answer["focals_px"] = focals
        if not (np.isfinite(answer["poses"]).all() and np.isfinite(focals).all()):
            raise BadInput(
                "The model could not tell how these stills lie to one another. Take some that share more of the place."
            )
        answer.update({"splats." + name: array for name, array in (seen.splats or {}).items()})
        return answer

    def depth(arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Depth f32[h,w] of the still."""
        seen = look_once(arrays, params, tick)
        view = seen.views[0]
        return {"depth": fill_depth(view.depth, view.sound), "axes": "opencv", "metric": seen.metric}

    def calibrate(arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """The lens as the model sees it (unless it is known), tilt and, of metric ones, height from the floor."""
        seen = look_once(arrays, params, tick)
        view, (height, width) = seen.views[0], arrays["still"].shape[:2]
        known = params.get("focal_px")
        source, sure = ("network", 0.7) if view.focal else ("prior", 0.2)
        focal = _find_focal(view, height, width)
        if known:
            focal, source, sure = float(known), str(params.get("focal_source", "exif")), 0.9
        points = lift_points(fill_depth(view.depth, view.sound), focal / width)
        floor = find_floor(points, measure_normals(points), view.sound)
        if floor is not None and not seen.metric:
            floor = floor._replace(height_m=None)
        return word_camera(floor, focal, source, sure)

    return {"see": see, "depth": depth, "calibrate": calibrate}


def _find_focal(view: View, height: int, width: int) -> float:
    return view.focal * width if view.focal else USUAL_LENS * max(height, width)


def lift_points(depth: np.ndarray, focal: float) -> np.ndarray:
    """Depth f32[h,w] to points f32[h,w,3] in OpenCV camera axes; `focal` is over the width, pixels are square."""
    h, w = depth.shape
    x = ((np.arange(w) + 0.5) / w - 0.5) / focal
    y = ((np.arange(h) + 0.5) - h / 2) / (w * focal)
    rays = np.stack([np.broadcast_to(x, (h, w)), np.broadcast_to(y[:, None], (h, w)), np.ones((h, w))], axis=-1)
    return (rays * depth[..., None]).astype(np.float32)


def measure_normals(points: np.ndarray) -> np.ndarray:
    """Unit normals f32[h,w,3] that face the camera, from points on a grid."""
    if min(points.shape[:2]) < 2:
        return np.broadcast_to(np.array([0, 0, -1], np.float32), points.shape)
    across, down = np.gradient(points, axis=1), np.gradient(points, axis=0)
    normals = np.cross(down, across)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
    away = (normals * points).sum(axis=-1) > 0
    return np.where(away[..., None], -normals, normals).astype(np.float32)


def keep_sound_splats(
    means: np.ndarray, scales: np.ndarray, rotations: np.ndarray, opacity: np.ndarray, sh: np.ndarray
) -> Dict[str, np.ndarray]:
    """Splats without those that are not numbers; rotations made unit, opacity kept within 0 to 1."""
    lengths = np.linalg.norm(rotations, axis=1)
    sound = np.isfinite(means).all(1) & np.isfinite(scales).all(1) & (scales > 0).all(1) & np.isfinite(opacity)
    sound &= np.isfinite(rotations).all(1) & (lengths > 1e-9) & np.isfinite(sh).all((1, 2))
    return {
        "means": np.ascontiguousarray(means[sound], np.float32),
        "scales": np.ascontiguousarray(scales[sound], np.float32),
        "rotations": np.ascontiguousarray(rotations[sound] / lengths[sound, None], np.float32),
        "opacity": np.clip(opacity[sound], 0, 1).astype(np.float32),
        "sh": np.ascontiguousarray(sh[sound], np.float32),
    }


def resize_still(still: np.ndarray, width: int, height: int) -> np.ndarray:
    """u8[height,width,3]: Lanczos where it shrinks, bicubic where it grows, as DUSt3R does."""
    from PIL import Image

    how = Image.LANCZOS if max(still.shape[:2]) > max(width, height) else Image.BICUBIC
    return np.asarray(Image.fromarray(still).resize((width, height), how))


def invert_poses(extrinsics: Sequence[Any]) -> List[np.ndarray]:
    """World-to-camera [3|4,4] to camera-to-world f64[4,4]."""
    poses = []
    for given in np.asarray(extrinsics, np.float64):
        whole = np.eye(4)
        whole[: given.shape[0]] = given
        poses.append(np.linalg.inv(whole))
    return poses
