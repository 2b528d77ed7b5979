"""Group normalisation, addition and rectifier in one go, and the way back from enlarging, for channels-last pictures.

PyTorch's own normalisation copies channels-last pictures to and fro, and its way back from enlarging adds
atomically. Here one pass sums, one pass writes; the backward pass recomputes what the rectifier let through from the
answer itself. Sums are kept per block of rows and added afterwards, so that the same numbers come out every time.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from .net import GROUP

EPSILON = 1e-5
TILE = 4096  # numbers that a program holds at once
SPAN = 1024  # most cells that a program sums


@triton.jit(do_not_specialize=["cells"])
def _sum_forward(x, sums, cells, C: tl.constexpr, CP: tl.constexpr, ROWS: tl.constexpr, SPAN: tl.constexpr):
    """Per picture and span of cells: sum and sum of squares of every channel, f32[B, spans, 2, C]."""
    span, picture = tl.program_id(0), tl.program_id(1).to(tl.int64)
    channel = tl.arange(0, CP)
    inside = channel < C
    total = tl.zeros([CP], tl.float32)
    squares = tl.zeros([CP], tl.float32)
    for start in range(0, SPAN, ROWS):
        row = span * SPAN + start + tl.arange(0, ROWS)
        keep = (row < cells)[:, None] & inside[None, :]
        value = tl.load(x + (picture * cells + row[:, None]) * C + channel[None, :], mask=keep, other=0.0).to(
            tl.float32
        )
        total += tl.sum(value, 0)
        squares += tl.sum(value * value, 0)
    out = sums + (picture * tl.num_programs(0) + span) * 2 * C
    tl.store(out + channel, total, mask=inside)
    tl.store(out + C + channel, squares, mask=inside)


@triton.jit(do_not_specialize=["cells"])
def _write_forward(
    x, skip, y, kept, cells, HAS_SKIP: tl.constexpr, C: tl.constexpr, CP: tl.constexpr, ROWS: tl.constexpr
):
    """y = relu(x * scale + shift + skip), with what _settle_forward kept."""
    block, picture = tl.program_id(0), tl.program_id(1).to(tl.int64)
    channel = tl.arange(0, CP)
    row = block * ROWS + tl.arange(0, ROWS)
    inside = channel < C
    keep = (row < cells)[:, None] & inside[None, :]
    place = (picture * cells + row[:, None]) * C + channel[None, :]
    at = kept + picture * 4 * C + channel
    a = tl.load(at + 2 * C, mask=inside, other=0.0)
    b = tl.load(at + 3 * C, mask=inside, other=0.0)
    value = tl.load(x + place, mask=keep, other=0.0).to(tl.float32) * a[None, :] + b[None, :]
    if HAS_SKIP:
        value += tl.load(skip + place, mask=keep, other=0.0).to(tl.float32)
    tl.store(y + place, tl.maximum(value, 0.0).to(y.dtype.element_ty), mask=keep)


@triton.jit(do_not_specialize=["cells"])
def _sum_backward(x, y, dy, sums, cells, C: tl.constexpr, CP: tl.constexpr, ROWS: tl.constexpr, SPAN: tl.constexpr):
    """Per picture and span: sums over cells of g and g * x, g = dy where y > 0, f32[B, spans, 2, C]."""
    span, picture = tl.program_id(0), tl.program_id(1).to(tl.int64)
    channel = tl.arange(0, CP)
    inside = channel < C
    total = tl.zeros([CP], tl.float32)
    products = tl.zeros([CP], tl.float32)
    for start in range(0, SPAN, ROWS):
        row = span * SPAN + start + tl.arange(0, ROWS)
        keep = (row < cells)[:, None] & inside[None, :]
        place = (picture * cells + row[:, None]) * C + channel[None, :]
        open_ = tl.load(y + place, mask=keep, other=0.0) > 0
        g = tl.where(open_, tl.load(dy + place, mask=keep, other=0.0).to(tl.float32), 0.0)
        total += tl.sum(g, 0)
        products += tl.sum(g * tl.load(x + place, mask=keep, other=0.0).to(tl.float32), 0)
    out = sums + (picture * tl.num_programs(0) + span) * 2 * C
    tl.store(out + channel, total, mask=inside)
    tl.store(out + C + channel, products, mask=inside)


@triton.jit(do_not_specialize=["cells"])
def _write_backward(
    x, y, dy, dx, dskip, told, cells, HAS_SKIP: tl.constexpr, C: tl.constexpr, CP: tl.constexpr, ROWS: tl.constexpr
):
    """dx = g * p + x * q + r, as _settle_backward told; dskip = g."""
    block, picture = tl.program_id(0), tl.program_id(1).to(tl.int64)
    channel = tl.arange(0, CP)
    row = block * ROWS + tl.arange(0, ROWS)
    inside = channel < C
    keep = (row < cells)[:, None] & inside[None, :]
    place = (picture * cells + row[:, None]) * C + channel[None, :]
    at = told + picture * 5 * C + channel
    a = tl.load(at, mask=inside, other=0.0)
    b = tl.load(at + C, mask=inside, other=0.0)
    c = tl.load(at + 2 * C, mask=inside, other=0.0)
    open_ = tl.load(y + place, mask=keep, other=0.0) > 0
    g = tl.where(open_, tl.load(dy + place, mask=keep, other=0.0).to(tl.float32), 0.0)
    value = g * a[None, :] + tl.load(x + place, mask=keep, other=0.0).to(tl.float32) * b[None, :] + c[None, :]
    tl.store(dx + place, value.to(dx.dtype.element_ty), mask=keep)
    if HAS_SKIP:
        tl.store(dskip + place, g.to(dskip.dtype.element_ty), mask=keep)


@triton.jit
def _per_group(values, CP: tl.constexpr, GROUP: tl.constexpr):
    """Sums over groups of channels, at every channel, f32[CP]."""
    total = tl.sum(tl.reshape(values, [CP // GROUP, GROUP]), 1)
    return tl.reshape(tl.broadcast_to(total[:, None], [CP // GROUP, GROUP]), [CP])


@triton.jit
def _add_spans(sums, spans, C: tl.constexpr, CP: tl.constexpr):
    """Both sums of this program's picture, over all spans, f32[CP] each."""
    picture = tl.program_id(0)
    channel = tl.arange(0, CP)
    inside = channel < C
    one = tl.zeros([CP], tl.float32)
    two = tl.zeros([CP], tl.float32)
    for span in range(spans):
        at = sums + (picture * spans + span) * 2 * C + channel
        one += tl.load(at, mask=inside, other=0.0)
        two += tl.load(at + C, mask=inside, other=0.0)
    return one, two


@triton.jit(do_not_specialize=["cells", "spans"])
def _settle_forward(
    sums,
    weight,
    bias,
    kept,
    cells,
    spans,
    EPSILON: tl.constexpr,
    C: tl.constexpr,
    CP: tl.constexpr,
    GROUP: tl.constexpr,
):
    """Mean, 1 / deviation, scale and shift of every channel, f32[B, 4, C]."""
    channel = tl.arange(0, CP)
    inside = channel < C
    total, squares = _add_spans(sums, spans, C, CP)
    count = cells * GROUP * 1.0
    mean = _per_group(total, CP, GROUP) / count
    spread = 1 / tl.sqrt(tl.maximum(_per_group(squares, CP, GROUP) / count - mean * mean, 0.0) + EPSILON)
    scale = spread * tl.load(weight + channel, mask=inside, other=0.0).to(tl.float32)
    shift = tl.load(bias + channel, mask=inside, other=0.0).to(tl.float32) - mean * scale
    out = kept + tl.program_id(0) * 4 * C + channel
    tl.store(out, mean, mask=inside)
    tl.store(out + C, spread, mask=inside)
    tl.store(out + 2 * C, scale, mask=inside)
    tl.store(out + 3 * C, shift, mask=inside)


@triton.jit(do_not_specialize=["cells", "spans"])
def _settle_backward(sums, kept, told, cells, spans, C: tl.constexpr, CP: tl.constexpr, GROUP: tl.constexpr):
    """p, q, r of _write_backward, and this picture's gradients of weight and bias, f32[B, 5, C].

    dx = spread * (gain * g - mean of gain * g - normalised x * mean of gain * g * normalised x)
    """
    channel = tl.arange(0, CP)
    inside = channel < C
    total, products = _add_spans(sums, spans, C, CP)
    at = kept + tl.program_id(0) * 4 * C + channel
    mean = tl.load(at, mask=inside, other=0.0)
    spread = tl.load(at + C, mask=inside, other=0.0)
    scale = tl.load(at + 2 * C, mask=inside, other=0.0)  # spread * gain
    products = (products - mean * total) * spread  # g * normalised x
    count = cells * GROUP * 1.0
    even = _per_group(total * scale, CP, GROUP) / count
    along = _per_group(products * scale, CP, GROUP) / count
    q = -spread * along
    out = told + tl.program_id(0) * 5 * C + channel
    tl.store(out, scale, mask=inside)
    tl.store(out + C, q, mask=inside)
    tl.store(out + 2 * C, -even - q * mean, mask=inside)
    tl.store(out + 3 * C, products, mask=inside)
    tl.store(out + 4 * C, total, mask=inside)


class _NormRelu(torch.autograd.Function):
    """relu(group_norm(x) + skip)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, skip: Tensor | None) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        skip = None if skip is None else skip.to(x.dtype).contiguous(memory_format=torch.channels_last)
        b, c = x.shape[:2]
        cells, wide, rows, span, spans = _divide(x)
        sums = torch.empty(b, spans, 2, c, device=x.device)
        _sum_forward[(spans, b)](x, sums, cells, C=c, CP=wide, ROWS=rows, SPAN=span)
        kept = torch.empty(b, 4, c, device=x.device)
        _settle_forward[(b,)](sums, weight, bias, kept, cells, spans, EPSILON=EPSILON, C=c, CP=wide, GROUP=GROUP)
        y = torch.empty_like(x)
        grid = triton.cdiv(cells, rows), b
        other = x if skip is None else skip
        _write_forward[grid](x, other, y, kept, cells, HAS_SKIP=skip is not None, C=c, CP=wide, ROWS=rows)
        ctx.save_for_backward(x, y, kept)
        ctx.has_skip = skip is not None
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        x, y, kept = ctx.saved_tensors
        dy = dy.contiguous(memory_format=torch.channels_last)
        b, c = x.shape[:2]
        cells, wide, rows, span, spans = _divide(x)
        sums = torch.empty(b, spans, 2, c, device=x.device)
        _sum_backward[(spans, b)](x, y, dy, sums, cells, C=c, CP=wide, ROWS=rows, SPAN=span)
        told = torch.empty(b, 5, c, device=x.device)
        _settle_backward[(b,)](sums, kept, told, cells, spans, C=c, CP=wide, GROUP=GROUP)
        dx = torch.empty_like(x)
        dskip = torch.empty_like(x) if ctx.has_skip else None
        grid = triton.cdiv(cells, rows), b
        other = dx if dskip is None else dskip
        _write_backward[grid](x, y, dy, dx, other, told, cells, HAS_SKIP=ctx.has_skip, C=c, CP=wide, ROWS=rows)
        gradients = told[:, 3:].sum(0)
        return dx, gradients[0], gradients[1], dskip


def _divide(x: Tensor) -> tuple[int, int, int, int, int]:
    """Cells of a picture; channels, padded; cells a program holds; cells a program sums; how many such spans."""
    cells = x.shape[2] * x.shape[3]
    wide = triton.next_power_of_2(x.shape[1])
    rows = max(1, TILE // wide)
    span = max(rows, min(SPAN, triton.next_power_of_2(cells)))
    return cells, wide, rows, span, triton.cdiv(cells, span)


def norm_relu(x: Tensor, weight: Tensor, bias: Tensor, skip: Tensor | None) -> Tensor:
    """relu(group_norm(x) + skip) for x [B, C, H, W] in groups of GROUP channels; the answer is channels last."""
    answer: Tensor = _NormRelu.apply(x, weight, bias, skip)
    return answer


@triton.jit(do_not_specialize=["height", "width"])
def _write_shrunk(g, dx, height, width, C: tl.constexpr, CP: tl.constexpr, ROWS: tl.constexpr):
    """The gradient of a picture of height x width cells that was enlarged to twice that: 4 x 4 taps of g each."""
    block, picture = tl.program_id(0), tl.program_id(1).to(tl.int64)
    channel = tl.arange(0, CP)
    cell = block * ROWS + tl.arange(0, ROWS)
    inside = channel < C
    y, x = cell // width, cell % width
    total = tl.zeros([ROWS, CP], tl.float32)
    for down in tl.static_range(4):
        row = 2 * y - 1 + down
        if down % 3 == 0:
            row_weight = tl.where((row >= 0) & (row < 2 * height), 0.25, 0.0)
        elif down == 1:
            row_weight = tl.where(y == 0, 1.0, 0.75)
        else:
            row_weight = tl.where(y == height - 1, 1.0, 0.75)
        for right in tl.static_range(4):
            column = 2 * x - 1 + right
            if right % 3 == 0:
                weight = row_weight * tl.where((column >= 0) & (column < 2 * width), 0.25, 0.0)
            elif right == 1:
                weight = row_weight * tl.where(x == 0, 1.0, 0.75)
            else:
                weight = row_weight * tl.where(x == width - 1, 1.0, 0.75)
            keep = ((cell < height * width) & (weight > 0))[:, None] & inside[None, :]
            at = (picture * 4 * height * width + row * 2 * width + column)[:, None] * C + channel[None, :]
            total += tl.load(g + at, mask=keep, other=0.0).to(tl.float32) * weight[:, None]
    at = (picture * height * width + cell)[:, None] * C + channel[None, :]
    tl.store(dx + at, total.to(dx.dtype.element_ty), mask=(cell < height * width)[:, None] & inside[None, :])


class _Enlarge(torch.autograd.Function):
    """Twice the size, bilinear."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.shape = x.shape
        x = x.contiguous(memory_format=torch.channels_last)
        return torch.nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        g = g.contiguous(memory_format=torch.channels_last)
        b, c, height, width = ctx.shape
        wide = triton.next_power_of_2(c)
        rows = max(1, TILE // 4 // wide)
        dx = torch.empty(b, c, height, width, dtype=g.dtype, device=g.device, memory_format=torch.channels_last)
        grid = triton.cdiv(height * width, rows), b
        _write_shrunk[grid](g, dx, height, width, C=c, CP=wide, ROWS=rows)
        return dx


def enlarge(x: Tensor) -> Tensor:
    """Twice the size of x [B, C, H, W], bilinear."""
    answer: Tensor = _Enlarge.apply(x)
    return answer
