"""SHARP: splats of one still in metres, and the depth that they lie at. Mescheder et al. 2025."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import numpy as np

from .pytorch import Tick, require_folder, start_torch, word_unreadable
from .several_views import (
    HARMONIC,
    USUAL_LENS,
    Seen,
    View,
    import_upstream,
    keep_sound_splats,
    make_operations,
    stand_in_for,
)

SOURCE = "apple/ml-sharp"
CHECKPOINT = "sharp_2572gikvuh.pt"
GRID = 256  # cells of the depth map along the longer side: the splats stand denser


class Sharp:
    """The network."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        stand_in_for("pillow_heif", "plyfile")
        models = import_upstream("sharp.models", SOURCE)
        self._predict = import_upstream("sharp.cli.predict", SOURCE).predict_image
        try:
            model = models.create_predictor(models.PredictorParams())
            model.load_state_dict(self._torch.load(str(weights / CHECKPOINT), map_location="cpu", weights_only=True))
        except (OSError, RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
            raise word_unreadable(error) from error
        self._model = model.to(self._device).eval()

    def look(self, stills: List[np.ndarray], params: Dict[str, Any], tick: Tick) -> Seen:
        """Of several stills only the first is seen."""
        tick(0, 1)
        height, width = stills[0].shape[:2]
        focal = float(params.get("focal_px") or USUAL_LENS * max(height, width))
        found = self._predict(self._model, np.ascontiguousarray(stills[0]), focal, self._device)
        parts = (found.mean_vectors, found.singular_values, found.quaternions, found.opacities, found.colors)
        means, scales, rotations, opacity, colours = (part[0].float().cpu().numpy() for part in parts)
        sh = (encode_srgb(colours) - 0.5) / HARMONIC
        splats = keep_sound_splats(means, scales, rotations, opacity.reshape(-1), sh[:, None, :])
        depth, sound = draw_depth(splats["means"], splats["opacity"], focal, height, width)
        # the lens was told to the model, so that it is none of its findings
        return Seen([View(depth, sound, None, np.eye(4))], True, splats)


def encode_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light to sRGB (IEC 61966-2-1), both 0 to 1."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(np.maximum(linear, 1e-9), 1 / 2.4) - 0.055)


def draw_depth(means: np.ndarray, opacity: np.ndarray, focal: float, height: int, width: int) -> Any:
    """The nearest solid splat of each cell: depth f32[h,w] and where there is any."""
    scale = min(1.0, GRID / max(height, width))
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    near = means[(means[:, 2] > 1e-3) & (opacity > 0.5)]
    x = ((near[:, 0] / near[:, 2] * focal + width / 2) * w / width).astype(np.int64)
    y = ((near[:, 1] / near[:, 2] * focal + height / 2) * h / height).astype(np.int64)
    inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    depth = np.full(h * w, np.inf, np.float32)
    np.minimum.at(depth, y[inside] * w + x[inside], near[inside, 2])
    return depth.reshape(h, w), np.isfinite(depth).reshape(h, w)


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations; its lens is never its own finding, so that it does not calibrate."""
    operations = make_operations(Sharp(require_folder(weights), device).look)
    return {name: operations[name] for name in ("see", "depth")}
