"""What happens to a picture between the camera and the screen: sharpened, resized, compressed. Works on sRGB 0..1."""

from __future__ import annotations

import functools
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from training.dice import Dice
from training.lens import enlarge, smooth

# Tables K.1 and K.2 of ITU-T T.81 (JPEG), which nearly every encoder scales by its quality.
LUMINANCE_STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62), (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip
CHROMINANCE_STEPS = (
    (17, 18, 24, 47, 99, 99, 99, 99), (18, 21, 26, 66, 99, 99, 99, 99), (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99), *((99,) * 8,) * 4,
)  # fmt: skip


@functools.cache
def build_transform(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """(cosines f32[64, 64], luminance steps f32[64], chrominance steps f32[64]); a block as a row, times the first
    transposed, is its discrete cosine transform. Kept per device: to build it waits for the device.
    """
    place = torch.arange(8.0)
    cosines = torch.cos((2 * place + 1) * place[:, None] * math.pi / 16) / 2
    cosines[0] /= math.sqrt(2)
    tables = torch.kron(cosines, cosines), torch.tensor(LUMINANCE_STEPS), torch.tensor(CHROMINANCE_STEPS)
    both, luminance, chrominance = (table.float().to(device) for table in tables)
    return both, luminance.flatten(), chrominance.flatten()


@functools.cache
def build_colours(device: torch.device) -> tuple[Tensor, Tensor]:
    """(YCbCr from RGB, RGB from YCbCr), f32[3, 3] each, JFIF, chroma around 0."""
    forth = torch.tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    return forth.to(device), torch.linalg.inv(forth).to(device)


def quantise(planes: Tensor, steps: Tensor) -> Tensor:
    """Round the cosine coefficients of 8 x 8 blocks. planes f32[N, H, W], multiples of 8; steps f32[N, 64]."""
    cosines, _, _ = build_transform(planes.device)
    n, height, width = planes.shape
    blocks = planes.view(n, height // 8, 8, width // 8, 8).transpose(2, 3).reshape(n, -1, 64)
    coefficients = blocks @ cosines.T
    coefficients = torch.round(coefficients / steps[:, None]) * steps[:, None]
    blocks = (coefficients @ cosines).view(n, height // 8, width // 8, 8, 8)
    return blocks.transpose(2, 3).reshape(n, height, width)


def compress(pictures: Tensor, dice: Dice, share: float = 0.45) -> None:
    """Write and read as JPEG of quality 15 to 95 with chroma at half resolution, in place (libjpeg's scaling)."""
    [(index, on)] = dice.pick(len(pictures), share)
    n, (h, w) = len(index), pictures.shape[-2:]
    some = pictures[index]
    _, luminance, chrominance = build_transform(pictures.device)
    forth, back = build_colours(pictures.device)
    quality = 97 - dice.log_uniform(n, 1, low=2.0, high=82.0)
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50)
    wide = F.pad(some, (0, -w % 16, 0, -h % 16), mode="replicate") * 255 - 127.5
    split = torch.einsum("ij,njhw->nihw", forth, wide)
    grey = quantise(split[:, 0].contiguous(), (luminance * scale).round().clamp(min=1))
    half = F.avg_pool2d(split[:, 1:], 2)
    coarse = (chrominance * scale).round().clamp(min=1).repeat_interleave(2, dim=0)
    half = quantise(half.reshape(2 * n, *half.shape[-2:]), coarse).view_as(half)
    joined = torch.cat([grey[:, None], enlarge(half, split)], dim=1)
    read = ((torch.einsum("ij,njhw->nihw", back, joined) + 127.5) / 255)[..., :h, :w].clamp(0, 1)
    pictures.index_copy_(0, index, some.lerp(read, on))


def resize(pictures: Tensor, dice: Dice, share: float = 0.08) -> None:
    """Scale down and up again, as a picture that was found small, in place: by 1.5 or by 2.2."""
    h, w = pictures.shape[-2:]
    for factor, (index, on) in zip((1.5, 2.2), dice.pick(len(pictures), share * 0.65, share * 0.35)):
        some = pictures[index]
        size = (max(round(h / factor), 1), max(round(w / factor), 1))
        small = F.interpolate(some, size=size, mode="bilinear", antialias=True, align_corners=False)
        pictures.index_copy_(0, index, some.lerp(enlarge(small, some), on))


def sharpen(pictures: Tensor, dice: Dice, share: float = 0.35) -> None:
    """Unsharp masking of random strength and two radii: crisp detail, and at the strong end halos; in place."""
    [(index, on)] = dice.pick(len(pictures), share)
    n = len(index)
    some = pictures[index]
    narrow = smooth(some)
    wide = smooth(smooth(narrow))
    blurred = narrow.lerp(wide, dice.uniform(n, 1, 1, 1).square())
    amount = on * dice.uniform(n, 1, 1, 1, low=0.1, high=1.4)
    pictures.index_copy_(0, index, (some + amount * (some - blurred)).clamp(0, 1))
