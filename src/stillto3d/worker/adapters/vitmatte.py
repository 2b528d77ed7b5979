"""ViTMatte through transformers: a soft alpha from a mask and a band of doubt around it. Yao et al. 2023."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple

import numpy as np

from ..errors import BadInput
from .pytorch import Tick, load_pretrained, read_settings, require_folder, start_torch

BAND, HAIR = 12, 3.0  # pixels at REFERENCE; how much wider for hair
REFERENCE = 1920
LONG_SIDE = 2048  # a larger still is seen smaller: attention grows with the square
DIVISOR = 32


class VitMatte:
    """The network."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        from transformers import VitMatteForImageMatting

        self._model = load_pretrained(VitMatteForImageMatting, weights, self._device)
        told = read_settings(weights)
        self._mean, self._std = (tuple(told.get(f"image_{k}") or (0.5, 0.5, 0.5)) for k in ("mean", "std"))
        self._divisor = int(told.get("size_divisor") or told.get("size_divisibility") or DIVISOR)

    def matte(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Soften a mask. arrays: `still` u8[H,W,3], `mask` u8[H,W]. params: `hair`; option `band` in pixels."""
        torch, still, mask = self._torch, arrays["still"], arrays["mask"]
        if mask.shape != still.shape[:2]:
            raise BadInput("The mask and the still differ in size.")
        tick(0, 1)
        height, width = mask.shape
        band = float(params.get("options", {}).get("band", BAND)) * max(height, width) / REFERENCE
        band = max(1, round(band * (HAIR if params.get("hair") else 1.0)))
        doubt = self._draw_doubt(mask, band)
        if not (doubt == 0.5).any():
            tick(1, 1)
            return {"alpha": mask}
        h, w = self._fit(height, width)
        pixels = torch.from_numpy(np.ascontiguousarray(still)).to(self._device).permute(2, 0, 1)[None].float() / 255
        plane = torch.from_numpy(doubt).to(self._device)[None, None]
        resize = torch.nn.functional.interpolate
        if (h, w) != (height, width):
            pixels = resize(pixels, (h, w), mode="bilinear", antialias=True)
            plane = resize(plane, (h, w), mode="nearest")
        mean, std = (torch.tensor(v, device=self._device).view(1, 3, 1, 1) for v in (self._mean, self._std))
        picture = torch.cat([(pixels - mean) / std, plane], dim=1)
        beside = (0, -w % self._divisor, 0, -h % self._divisor)
        tick(0.1, 1)
        answer = self._model(pixel_values=torch.nn.functional.pad(picture, beside).to(self._model.dtype))
        alpha = answer.alphas[..., :h, :w].float()
        if (h, w) != (height, width):
            alpha = resize(alpha, (height, width), mode="bilinear")
        found = np.clip(np.nan_to_num(alpha[0, 0].cpu().numpy()), 0, 1)
        tick(1, 1)
        sure = np.where(doubt == 0.5, found, doubt)
        return {"alpha": np.round(sure * 255).astype(np.uint8)}

    def _draw_doubt(self, mask: np.ndarray, band: int) -> np.ndarray:
        """f32[H,W]: 1 well inside the mask, 0 well outside, 0.5 within `band` pixels of its edge."""
        torch = self._torch
        inside = torch.from_numpy((mask >= 128).astype(np.float32)).to(self._device)[None, None]
        grown, shrunk = (spread(torch, plane, band) for plane in (inside, 1 - inside))
        doubt = torch.where(shrunk > 0, torch.where(grown > 0, 0.5, 0.0), 1.0)
        return doubt[0, 0].cpu().numpy().astype(np.float32)

    @staticmethod
    def _fit(height: int, width: int) -> Tuple[int, int]:
        scale = min(1.0, LONG_SIDE / max(height, width))
        return max(1, round(height * scale)), max(1, round(width * scale))


def spread(torch: Any, plane: Any, band: int) -> Any:
    """The largest value within a square of `band` pixels to each side, along rows and then columns."""
    pool = torch.nn.functional.max_pool2d
    plane = pool(plane, (1, 2 * band + 1), stride=1, padding=(0, band))
    return pool(plane, (2 * band + 1, 1), stride=1, padding=(band, 0))


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"matte": VitMatte(require_folder(weights), device).matte}
