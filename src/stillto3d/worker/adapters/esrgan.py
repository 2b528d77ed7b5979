"""Real-ESRGAN through spandrel: stills a whole number of times larger, tile by tile. Wang et al. 2021."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional, Tuple

import numpy as np

from ..errors import BadInput
from .pytorch import Tick, require_folder
from .spandrel_models import open_model

TILE, OVERLAP = 512, 16  # pixels of the still
MOST_PIXELS = 200_000_000  # of the result


class RealEsrgan:
    """The network."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device, self._model = open_model(weights, device)

    def upscale(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Enlarge a still u8[H,W,3]. Returns `pixels` u8[H*s,W*s,3] and `scale` s. Option: `tile` in pixels."""
        torch, still = self._torch, arrays["still"]
        height, width = still.shape[:2]
        scale = int(self._model.scale)
        if height * width * scale * scale > MOST_PIXELS:
            raise BadInput(
                "This still would have {n} megapixels; at most {most} can be made.",
                n=height * width * scale * scale // 1_000_000,
                most=MOST_PIXELS // 1_000_000,
            )
        tile = max(32, int(params.get("options", {}).get("tile", TILE)))
        pixels = np.empty((height * scale, width * scale, 3), np.uint8)
        tiles = list(cut_tiles(height, width, tile))
        for k, (inner, outer) in enumerate(tiles):
            tick(k, len(tiles))
            part = np.ascontiguousarray(still[outer[0] : outer[1], outer[2] : outer[3]])
            picture = torch.from_numpy(part).to(self._device).permute(2, 0, 1)[None].float() / 255
            found = torch.nan_to_num(self._model(picture.to(self._model.dtype)).float()).clamp(0, 1)
            found = (found[0] * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
            y, x = (inner[0] - outer[0]) * scale, (inner[2] - outer[2]) * scale
            h, w = (inner[1] - inner[0]) * scale, (inner[3] - inner[2]) * scale
            pixels[inner[0] * scale : inner[1] * scale, inner[2] * scale : inner[3] * scale] = found[
                y : y + h, x : x + w
            ]
        tick(1, 1)
        return {"pixels": pixels, "scale": scale}


Box = Tuple[int, int, int, int]


def cut_tiles(height: int, width: int, tile: int) -> Iterator[Tuple[Box, Box]]:
    """Tiles (y0, y1, x0, x1) that cover a picture, each with the larger part that is looked at for it."""
    for y in range(0, height, tile):
        for x in range(0, width, tile):
            inner = y, min(y + tile, height), x, min(x + tile, width)
            outer = (
                max(0, y - OVERLAP),
                min(inner[1] + OVERLAP, height),
                max(0, x - OVERLAP),
                min(inner[3] + OVERLAP, width),
            )
            yield inner, outer


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"upscale": RealEsrgan(require_folder(weights), device).upscale}
