"""Depth Anything V2 through transformers: relative depth, or metres from the metric ones. Yang et al. 2024."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple

import numpy as np

from .pytorch import (
    Picturing,
    Tick,
    draw_picture,
    load_pretrained,
    read_picturing,
    require_folder,
    start_torch,
    tick_within,
)

PATCH = 14
FARTHEST = 50.0  # of a relative depth, in units of its nearest
MOST_PATCHES = 6000  # a long strip is seen smaller


class DepthAnything2:
    """The network; `metric` ones answer in metres, the others with a disparity."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        from transformers import DepthAnythingForDepthEstimation

        self._model = load_pretrained(DepthAnythingForDepthEstimation, weights, self._device)
        self._picturing = read_picturing(weights, Picturing(518, 518))
        self._metric = self._model.config.depth_estimation_type == "metric"

    def depth(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Return depth f32[h,w] on the network's grid, stretched over the whole still."""
        tick(0, 1)
        height, width = self._fit(*arrays["still"].shape[:2])
        picturing = self._picturing._replace(height=height, width=width)
        picture = draw_picture(self._torch, arrays["still"], picturing, self._device, self._model.dtype, "bicubic")
        layers = find_layers(self._model.backbone)
        with tick_within(layers, tick, 0, 1, 1):
            answer = self._model(pixel_values=picture).predicted_depth[0].float().cpu().numpy()
        tick(1, 1)
        depth = np.maximum(answer, 1e-3) if self._metric else turn_disparity(answer)
        return {"depth": np.ascontiguousarray(depth, np.float32), "axes": "opencv", "metric": self._metric}

    def _fit(self, height: int, width: int) -> Tuple[int, int]:
        """The picture's size in whole patches, scaled as little as its shape allows."""
        across, down = self._picturing.width / width, self._picturing.height / height
        scale = across if abs(1 - across) < abs(1 - down) else down
        patches = [max(1, round(side * scale / PATCH)) for side in (height, width)]
        while patches[0] * patches[1] > MOST_PATCHES:
            patches = [max(1, side // 2) for side in patches]
        return patches[0] * PATCH, patches[1] * PATCH


def find_layers(backbone: Any) -> Any:
    """The blocks of a DINOv2 backbone, whichever way the library holds them."""
    encoder = getattr(backbone, "encoder", backbone)
    return getattr(encoder, "layer", None) or getattr(encoder, "layers", ())


def turn_disparity(disparity: np.ndarray) -> np.ndarray:
    """A disparity (larger is nearer) as a depth from 1 (the nearest) to FARTHEST."""
    finite = np.nan_to_num(disparity.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    near = float(np.percentile(finite, 99))
    return 1 / np.clip(finite / max(near, 1e-6), 1 / FARTHEST, 1) if near > 1e-6 else np.full_like(finite, FARTHEST)


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"depth": DepthAnything2(require_folder(weights), device).depth}
