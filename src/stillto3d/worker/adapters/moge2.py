"""MoGe-2: metric depth, normals and the lens of one still; the camera's tilt from its floor. Wang et al. 2025."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple, Optional

import numpy as np

from ..errors import BadInput, MissingWeights
from .floor import find_floor, word_camera
from .pytorch import Remembered, Tick, require_folder, resize_bytes, start_torch

LONG_SIDE = 1024  # of the picture and the answer
LEAST_SIDE = 8
FINEST = 9
FAR = 4.0  # what has no depth lies so many times farther than nearly all that has
RANGE_M = (1e-2, 1e4)
USUAL_LENS = 0.85  # focal length over the long side, where the network finds none


class Seen(NamedTuple):
    """A still's geometry on the network's grid: points f32[h,w,3] in metres (inf: none), normals, and the focal
    length over the width."""

    points: np.ndarray
    normals: Optional[np.ndarray]
    mask: np.ndarray
    focal: Optional[float]


class MoGe2:
    """The network."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        from moge.model.v2 import MoGeModel

        try:
            checkpoint = self._torch.load(str(weights / "model.pt"), map_location="cpu", weights_only=True)
            model = MoGeModel(**checkpoint["model_config"])
            model.load_state_dict(checkpoint["model"])
        except (OSError, RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
            raise MissingWeights("its files cannot be read (" + (str(error).splitlines() or ["?"])[0] + ").") from error
        self._model = model.to(self._device).eval()
        self._metric = hasattr(model, "scale_head")
        self._stills = Remembered()

    def depth(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Return depth f32[h,w] (metres), normals f32[h,w,3] and `focal_px`; OpenCV axes."""
        seen = self._look(arrays["still"], params, tick)
        depth = seen.points[..., 2]
        sound = seen.mask & np.isfinite(depth) & (depth > 0)
        far = float(np.percentile(depth[sound], 99)) * FAR if sound.any() else RANGE_M[1]
        answer = {
            "depth": np.clip(np.where(sound, depth, far), *RANGE_M).astype(np.float32),
            "axes": "opencv",
            "metric": self._metric,
        }
        if seen.normals is not None:
            facing = np.array([0, 0, -1], np.float32)
            lengths = np.linalg.norm(seen.normals, axis=-1, keepdims=True)
            answer["normals"] = np.where(lengths > 0.5, seen.normals / np.maximum(lengths, 1e-6), facing).astype(
                np.float32
            )
        if seen.focal is not None:
            answer["focal_px"] = seen.focal * arrays["still"].shape[1]
        return answer

    def calibrate(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Solve the camera: the lens as the network sees it (unless `focal_px` is known), tilt and height from the
        floor."""
        height, width = arrays["still"].shape[:2]
        seen = self._look(arrays["still"], params, tick)
        known = params.get("focal_px")
        focal, source, sure = USUAL_LENS * max(height, width), "prior", 0.2
        if known:
            focal, source, sure = float(known), str(params.get("focal_source", "exif")), 0.9
        elif seen.focal is not None:
            focal, source, sure = seen.focal * width, "network", 0.7
        floor = None if seen.normals is None else find_floor(seen.points, seen.normals, seen.mask)
        return word_camera(floor, focal, source, sure)

    def _look(self, still: np.ndarray, params: Dict[str, Any], tick: Tick) -> Seen:
        tick(0, 1)
        level = int(params.get("options", {}).get("resolution_level", FINEST))
        focal = params.get("focal_px")
        key = params.get("still_id") and "/".join(map(str, (params["still_id"], level, focal)))
        seen = self._stills.find(key)
        if seen is None:
            seen = self._stills.keep(key, self._infer(still, level, focal))
        tick(1, 1)
        return seen

    def _infer(self, still: np.ndarray, level: int, focal: Optional[float]) -> Seen:
        torch = self._torch
        height, width = still.shape[:2]
        scale = min(1.0, LONG_SIDE / max(height, width))
        size = max(1, round(height * scale)), max(1, round(width * scale))
        if min(size) < LEAST_SIDE:
            raise BadInput(
                "This still is too small or too narrow for the model. Take one of {n} pixels or more each way.",
                n=LEAST_SIDE,
            )
        pixels = torch.from_numpy(np.ascontiguousarray(still)).to(self._device).permute(2, 0, 1)[None]
        picture = resize_bytes(torch, pixels, *size)[0].float() / 255
        across = None if not focal else math.degrees(2 * math.atan(width / 2 / float(focal)))
        on_gpu = self._device.type == "cuda"
        answer = self._model.infer(picture, resolution_level=level, fov_x=across, use_fp16=on_gpu)
        found = {name: value.float().cpu().numpy() for name, value in answer.items()}
        mask = found["mask"] > 0.5 if "mask" in found else np.isfinite(found["depth"])
        lens = float(found["intrinsics"][0, 0])
        normals = np.nan_to_num(found["normal"]) if "normal" in found else None
        return Seen(found["points"], normals, mask, lens if math.isfinite(lens) and 0.05 < lens < 50 else None)


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    model = MoGe2(require_folder(weights), device)
    return {"depth": model.depth, "calibrate": model.calibrate}
