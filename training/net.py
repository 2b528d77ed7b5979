"""The network: an encoder that sees a still once, heads for geometry and camera, and a decoder for every click."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (32, 64, 128, 224, 288)  # channels at strides 2, 4, 8, 16, 32
NECK = (96, 128, 192)  # channels of p4, p8, p16
GROUP = 16  # channels that are normalised together
LEVELS = 3  # candidates: part, object, group
GEOMETRY = 7  # ln depth, normal xyz, sky logit, ln(far/depth), ln(behind/depth)
CAMERA = 4  # pitch, roll, ln(focal/long side), ln(height); each with a log standard deviation
MAPS = 8

Features = tuple[Tensor, Tensor, Tensor, Tensor]  # s2, p4, p8, p16


class Norm(nn.Module):
    """Group normalisation, what is added after it, and the rectifier, as one step."""

    fused: ClassVar[bool] = False  # take the Triton kernels of training/fused.py

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.groups = channels // GROUP
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        """relu(norm(x) + skip) for x [N, C, H, W]."""
        if Norm.fused and x.is_cuda:
            from .fused import norm_relu

            return norm_relu(x, self.weight, self.bias, skip)
        with torch.autocast(x.device.type, enabled=False):  # autocast would answer in 32 bits
            weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
            y = functional.group_norm(x, self.groups, weight, bias)
            return functional.relu(y if skip is None else y + skip)


class Conv(nn.Module):
    """Convolution, norm, rectifier."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = Norm(outputs)

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        return self.norm(self.conv(x), skip)


class Res(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Conv(channels, channels)
        self.second = Conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x), x)


class Attention(nn.Module):
    """A transformer's block over all cells, places given by a depthwise convolution."""

    def __init__(self, channels: int, heads: int = 6) -> None:
        super().__init__()
        self.heads = heads
        self.place = nn.Conv2d(channels, channels, 3, 1, 1, groups=channels)
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.mlp = nn.Sequential(nn.Linear(channels, 3 * channels), nn.GELU(), nn.Linear(3 * channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.place(x)
        tokens = x.flatten(2).transpose(1, 2)
        qkv = self.qkv(self.norm1(tokens)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        tokens = tokens + self.out(mixed.transpose(1, 2).flatten(2))
        tokens = tokens + self.mlp(self.norm2(tokens))
        return tokens.transpose(1, 2).reshape(x.shape)


def enlarge(x: Tensor) -> Tensor:
    """Twice the size, bilinear."""
    if Norm.fused and x.is_cuda:
        from .fused import enlarge as enlarge_fused

        return enlarge_fused(x)
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def repeat(x: Tensor, copies: int) -> Tensor:
    """Each picture's map `copies` times in a row, [B, C, h, w] to [B * copies, C, h, w], channels last."""
    if copies == 1:
        return x
    rows = x.permute(0, 2, 3, 1).unsqueeze(1).expand(-1, copies, -1, -1, -1)
    return rows.reshape(-1, *rows.shape[2:]).permute(0, 3, 1, 2)


def make_coordinates(x: Tensor) -> Tensor:
    """(pixel - centre) / half the long side, down and right, as f32[B, 2, h, w]; traced without any size constant."""
    rows = torch.arange(x.shape[2], device=x.device, dtype=torch.float32) + 0.5
    columns = torch.arange(x.shape[3], device=x.device, dtype=torch.float32) + 0.5
    high, wide = rows[-1] + 0.5, columns[-1] + 0.5
    half = torch.maximum(high, wide) / 2
    blank = x[:, :1] * 0
    down = blank + ((rows - high / 2) / half)[:, None]
    right = blank + (columns - wide / 2) / half
    return torch.cat([down, right], 1)


class Encoder(nn.Module):
    """What is seen of a still: features at strides 2, 4, 8, 16, the geometry at stride 2, and the camera."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d, e = WIDTHS
        n4, n8, n16 = NECK
        self.stage2 = nn.Sequential(Conv(5, a, 3, 2), Conv(a, a))
        self.stage4 = nn.Sequential(Conv(a, b, 3, 2), Res(b), Res(b))
        self.stage8 = nn.Sequential(Conv(b, c, 3, 2), Res(c), Res(c), Res(c))
        self.stage16 = nn.Sequential(Conv(c, d, 3, 2), Res(d), Res(d), Res(d))
        self.stage32 = nn.Sequential(Conv(d, e, 3, 2), Res(e), Attention(e), Attention(e), Attention(e))
        self.lateral32, self.lateral16, self.merge16 = nn.Conv2d(e, n16, 1), nn.Conv2d(d, n16, 1), Conv(n16, n16)
        self.down16, self.lateral8, self.merge8 = nn.Conv2d(n16, n8, 1), nn.Conv2d(c, n8, 1), Conv(n8, n8)
        self.down8, self.lateral4, self.merge4 = nn.Conv2d(n8, n4, 1), nn.Conv2d(b, n4, 1), Conv(n4, n4)
        self.geometry4 = Conv(n4, 64)
        self.geometry_up, self.geometry_fine = nn.Conv2d(64, 32, 1), nn.Conv2d(a, 32, 1)
        self.geometry2 = nn.Sequential(Conv(32, 32), Conv(32, 32))
        self.geometry_out = nn.Conv2d(32, GEOMETRY, 3, 1, 1)
        self.camera = nn.Sequential(nn.Linear(e, 192), nn.ReLU(), nn.Linear(192, 2 * CAMERA))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        """x f32[B, 3, h, w] sRGB 0..1, h and w multiples of 32 -> s2, p4, p8, p16, geo, cam (see CARD)."""
        s2 = self.stage2(torch.cat([x * 4 - 2, make_coordinates(x)], 1))
        s4 = self.stage4(s2)
        s8 = self.stage8(s4)
        s16 = self.stage16(s8)
        s32 = self.stage32(s16)
        p16 = self.merge16(self.lateral16(s16) + enlarge(self.lateral32(s32)))
        p8 = self.merge8(self.lateral8(s8) + enlarge(self.down16(p16)))
        p4 = self.merge4(self.lateral4(s4) + enlarge(self.down8(p8)))
        fine = enlarge(self.geometry_up(self.geometry4(p4))) + self.geometry_fine(s2)
        raw = self.geometry_out(self.geometry2(functional.relu(fine)))
        geo = torch.cat([raw[:, :5], functional.softplus(raw[:, 5:])], 1)
        return s2, p4, p8, p16, geo, self.camera(s32.mean((2, 3)))


class Decoder(nn.Module):
    """Features and maps of clicks, earlier mask and box -> three candidates and the IoU expected of each."""

    def __init__(self) -> None:
        super().__init__()
        n4, n8, n16 = NECK
        self.from2, self.from4 = nn.Conv2d(WIDTHS[0], 32, 1), nn.Conv2d(n4, 64, 1)
        self.from8, self.from16 = nn.Conv2d(n8, 96, 1), nn.Conv2d(n16, 192, 1)
        self.maps, self.likeness, self.query = nn.Conv2d(MAPS, 64, 3, 1, 1), nn.Conv2d(4, 64, 1), nn.Linear(4 * n4, 64)
        self.enter4 = Res(64)
        self.down8, self.enter8 = Conv(64, 96, 3, 2), Res(96)
        self.down16, self.attend = Conv(96, 192, 3, 2), nn.Sequential(Attention(192), Attention(192))
        self.up8, self.leave8 = nn.Conv2d(192, 96, 1), Res(96)
        self.up4, self.leave4 = nn.Conv2d(96, 64, 1), Res(64)
        self.up2, self.leave2 = nn.Conv2d(64, 32, 1), Conv(32, 32)
        self.out = nn.Conv2d(32, LEVELS, 3, 1, 1)
        self.judge_all, self.judge_each = nn.Linear(192, 96), nn.Linear(64 + 3, 96)
        self.judge_level = nn.Parameter(torch.zeros(LEVELS, 96))
        self.judge = nn.Sequential(nn.ReLU(), nn.Linear(96, 48), nn.ReLU(), nn.Linear(48, 1))

    def project(self, features: Features) -> Features:
        """What does not depend on clicks; done once for all clicks on a picture."""
        s2, p4, p8, p16 = features
        return self.from2(s2), self.from4(p4), self.from8(p8), self.from16(p16)

    def answer(self, p4: Tensor, projected: Features, maps: Tensor, copies: int) -> tuple[Tensor, Tensor]:
        """Maps [B * copies, 8, h/4, w/4] on B pictures -> logits [N, 3, h/2, w/2], logits of the IoU [N, 3]."""
        f2, f4, f8, f16 = (repeat(x, copies) for x in projected)
        told, query = self._ask(p4, maps, copies)
        x4 = self.enter4(functional.relu(f4 + told + query[:, :, None, None]))
        x8 = self.enter8(self.down8(x4) + f8)
        x16 = self.attend(self.down16(x8) + f16)
        y8 = self.leave8(x8 + enlarge(self.up8(x16)))
        y4 = self.leave4(x4 + enlarge(self.up4(y8)))
        y2 = self.leave2(enlarge(self.up2(y4)) + f2)
        logits = self.out(y2)
        return logits, self._judge(x16, y4, logits)

    def forward(self, features: Features, maps: Tensor) -> tuple[Tensor, Tensor]:
        """One set of maps to a picture -> mask logits, predicted IoU 0..1."""
        logits, score = self.answer(features[1], self.project(features), maps, 1)
        return logits, score.sigmoid()

    def _ask(self, p4: Tensor, maps: Tensor, copies: int) -> tuple[Tensor, Tensor]:
        """What clicks, earlier mask and box point at: where, what it looks like, and what looks like it."""
        weights = maps[:, 0::2].flatten(2)  # [N, 4, cells]: positive, negative, earlier mask, box
        weights = weights / (weights.sum(2, keepdim=True) + 1e-3)
        cells = p4.flatten(2)
        by_picture = weights.unflatten(0, (-1, copies)).flatten(1, 2).to(cells.dtype)  # [B, 4 * copies, cells]
        means = by_picture @ cells.transpose(1, 2)
        alike = functional.normalize(means, dim=2) @ functional.normalize(cells, dim=1)
        likeness = alike.reshape(-1, 4, p4.shape[2], p4.shape[3])
        query = self.query(means.unflatten(1, (copies, -1)).flatten(0, 1).flatten(1))
        return self.maps(maps) + self.likeness(likeness), query

    def _judge(self, x16: Tensor, y4: Tensor, logits: Tensor) -> Tensor:
        """The IoU to expect, from what was seen and from how sharply each candidate is cut."""
        z = logits.detach().float()
        inside = z.sigmoid()
        area = inside.mean((2, 3))
        firm = (4 * z - 4).sigmoid().mean((2, 3)) / ((4 * z + 4).sigmoid().mean((2, 3)) + 1e-4)
        doubt = (inside * (1 - inside)).mean((2, 3)) / (area + 1e-4)
        weights = functional.avg_pool2d(inside, 2).flatten(2).to(y4.dtype)
        seen = weights @ y4.flatten(2).transpose(1, 2) / (weights.sum(2, keepdim=True) + 1e-2)
        cut = torch.stack([(area + 1e-4).log() / 4, firm, doubt], 2)
        each = self.judge_each(torch.cat([seen.float(), cut], 2)) + self.judge_level
        return self.judge(each + self.judge_all(x16.mean((2, 3)))[:, None])[:, :, 0]


class StillNet(nn.Module):
    """Encoder and decoder together."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()
