"""Depth Pro through transformers: depth in metres, and the field of view. Bochkovskii et al. 2024."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Callable, Dict, Optional

import numpy as np

from .pytorch import Picturing, Tick, load_pretrained, read_picturing, require_folder, start_torch

VIEWS = (5.0, 150.0)  # degrees that a lens may see
RANGE = (1e-2, 1e4)  # metres
HALF = (0.5, 0.5, 0.5)


class DepthPro:
    """The network."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        from transformers import DepthProForDepthEstimation

        self._model = load_pretrained(DepthProForDepthEstimation, weights, self._device)
        self._picturing = read_picturing(weights, Picturing(1536, 1536, HALF, HALF))

    def depth(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Return depth f32[h,w] in metres on the network's grid, and `focal_px` of the still."""
        torch, still = self._torch, arrays["still"]
        tick(0, 1)
        pixels = torch.from_numpy(np.ascontiguousarray(still)).to(self._device).permute(2, 0, 1)[None].float()
        mean, std = (torch.tensor(v, device=self._device).view(1, 3, 1, 1) for v in self._picturing[2:])
        picture = (pixels - mean * 255) / (std * 255)
        size = (self._picturing.height, self._picturing.width)
        picture = torch.nn.functional.interpolate(picture, size, mode="bilinear")
        tick(0.1, 1)
        answer = self._model(pixel_values=picture.to(self._model.dtype))
        view = answer.field_of_view
        degrees = float(view.float().reshape(-1)[0]) if view is not None else math.nan
        degrees = min(max(degrees, VIEWS[0]), VIEWS[1]) if math.isfinite(degrees) else 60.0
        over_focal = 2 * math.tan(math.radians(degrees) / 2)  # width / focal length
        inverse = answer.predicted_depth[0].float().cpu().numpy() * over_focal
        inverse = np.nan_to_num(inverse, nan=0.0, posinf=1 / RANGE[0], neginf=0.0)
        depth = 1 / np.clip(inverse, 1 / RANGE[1], 1 / RANGE[0])
        tick(1, 1)
        return {
            "depth": np.ascontiguousarray(depth, np.float32),
            "axes": "opencv",
            "metric": True,
            "focal_px": still.shape[1] / over_focal,
        }


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"depth": DepthPro(require_folder(weights), device).depth}
