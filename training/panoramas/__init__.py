"""The panoramas that light the worlds and lend their colours: Poly Haven, CC0 1.0 (CREDITS.md)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

PEAK = 6.0
"""The linear value of a pixel of 255: files hold 255 * sqrt(value / PEAK)."""


def load_panoramas(device: torch.device | str = "cpu") -> Tensor:
    """All panoramas in the order of their names: f32[12, 3, 256, 512], linear, 0..6; row 0 is the zenith."""
    coded = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(Path(__file__).parent.glob("*.jpg"))]
    pixels = torch.from_numpy(np.stack(coded)).to(device).permute(0, 3, 1, 2)
    return PEAK * (pixels.float() / 255).square().contiguous()
