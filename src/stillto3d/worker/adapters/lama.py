"""LaMa through spandrel: fills holes with structure that goes on. Suvorov et al. 2022."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple

import numpy as np

from ..errors import BadInput
from .pytorch import Tick, require_folder
from .spandrel_models import open_model

LONG_SIDE, PREVIEW = 1536, 512  # of the part that the network sees
MARGIN = 0.5  # of the hole's longer side, at least LEAST pixels, is seen around it
LEAST = 64


class LaMa:
    """The network."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device, self._model = open_model(weights, device)

    def fill(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Paint over the hole. arrays: `still` u8[H,W,3], `hole` u8[H,W]. params: `preview`.

        Returns `pixels` u8[H,W,3]; only pixels of the hole differ from the still.
        """
        still, hole = arrays["still"], arrays["hole"] > 127
        if hole.shape != still.shape[:2]:
            raise BadInput("The hole and the still differ in size.")
        tick(0, 1)
        pixels = still.copy()
        if hole.any():
            rows, columns = find_part(hole)
            part = slice(*rows), slice(*columns)
            found = self._paint(still[part], hole[part], PREVIEW if params.get("preview") else LONG_SIDE, tick)
            pixels[part] = np.where(hole[part][..., None], found, still[part])
        tick(1, 1)
        return {"pixels": pixels}

    def _paint(self, still: np.ndarray, hole: np.ndarray, long_side: int, tick: Tick) -> np.ndarray:
        torch, resize = self._torch, self._torch.nn.functional.interpolate
        height, width = hole.shape
        scale = min(1.0, long_side / max(height, width))
        size = max(1, round(height * scale)), max(1, round(width * scale))
        picture = torch.from_numpy(np.ascontiguousarray(still)).to(self._device).permute(2, 0, 1)[None].float() / 255
        mask = torch.from_numpy(hole.astype(np.float32)).to(self._device)[None, None]
        if size != (height, width):
            picture = resize(picture, size, mode="bilinear", antialias=True)
            mask = (resize(mask, size, mode="area") > 0).float()
        tick(0.1, 1)
        answer = self._model(picture, mask).float()
        tick(0.9, 1)
        if size != (height, width):
            answer = resize(answer, (height, width), mode="bicubic")
        bytes_ = (torch.nan_to_num(answer[0]).clamp(0, 1) * 255).round().to(torch.uint8)
        return bytes_.permute(1, 2, 0).cpu().numpy()


def find_part(hole: np.ndarray) -> Tuple[Tuple[int, int], Tuple[int, int]]:
    """Rows and columns of the hole with enough around it to go on from."""
    spans = [np.flatnonzero(hole.any(axis=axis)) for axis in (1, 0)]
    margin = max(LEAST, round(MARGIN * max(int(span[-1] - span[0]) + 1 for span in spans)))
    (y0, y1), (x0, x1) = (
        (max(0, int(span[0]) - margin), min(size, int(span[-1]) + 1 + margin)) for span, size in zip(spans, hole.shape)
    )
    return (y0, y1), (x0, x1)


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"fill": LaMa(require_folder(weights), device).fill}
