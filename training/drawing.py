"""Pictures that no camera took: cartoons, line drawings, paintings and pencil. Works on graded sRGB 0..1."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.dice import Dice
from training.lens import find_radius, smooth
from training.truth import SKY, Worlds

SHARES = (0.05, 0.02, 0.035, 0.02)
"""The probabilities of a cartoon, a line drawing, a painting, a pencil drawing."""


def draw(pictures: Tensor, light: Tensor, worlds: Worlds, dice: Dice, shares: tuple[float, ...] = SHARES) -> Tensor:
    """Draw some pictures over, in place; f32[B, 1, 1, 1]: 1 where a picture was drawn.

    pictures f32[B, 3, h, w] graded, sRGB 0..1; light the same before grading, linear.
    """
    drawn = torch.zeros(len(pictures), 1, 1, 1, device=pictures.device)
    styles = (draw_cartoon, draw_lines, paint, draw_pencil)
    for style, (index, on) in zip(styles, dice.pick(len(pictures), *shares)):
        if len(index):
            some = pictures[index]
            pictures.index_copy_(0, index, some.lerp(style(some, light[index], worlds, index, dice).clamp(0, 1), on))
            drawn.index_copy_(0, index, on)
    return drawn


def find_grey(pictures: Tensor) -> Tensor:
    """f32[n, 1, h, w]: luma of f32[n, 3, h, w]."""
    red, green, blue = pictures.split(1, dim=1)
    return 0.3 * red + 0.59 * green + 0.11 * blue


def outline(worlds: Worlds, index: Tensor, dice: Dice) -> Tensor:
    """f32[n, 1, h, w]: ink 0..1 on the edges of things, mostly of their parts too, sometimes of their creases."""
    n = len(index)
    things, parts = (edge_of(ids[index].float()[:, None]) for ids in (worlds.instance, worlds.part))
    normal = worlds.normal[index]
    bent = torch.zeros_like(things)
    bent[..., 1:] = ((normal[..., 1:] * normal[..., :-1]).sum(1, keepdim=True) < 0.75).float()
    below = ((normal[..., 1:, :] * normal[..., :-1, :]).sum(1, keepdim=True) < 0.75).float()
    bent[..., 1:, :] = torch.maximum(bent[..., 1:, :], below)
    ink = torch.maximum(things, parts * dice.happens(n, 0.8))
    ink = torch.maximum(ink, bent * dice.happens(n, 0.5))
    broad = F.max_pool2d(ink, 3, 1, 1)
    thickness = dice.uniform(n, 1, 1, 1)
    ink = torch.where(thickness < 0.5, ink, torch.where(thickness < 0.8, broad, F.max_pool2d(broad, 3, 1, 1)))
    return F.avg_pool2d(ink, 2)


def edge_of(ids: Tensor) -> Tensor:
    """f32 of 1 where a pixel's right or lower neighbour has another id; ids f32[n, 1, H, W]."""
    padded = F.pad(ids, (0, 1, 0, 1), mode="replicate")
    here = padded[..., :-1, :-1]
    return ((here != padded[..., :-1, 1:]) | (here != padded[..., 1:, :-1])).float()


def draw_cartoon(pictures: Tensor, light: Tensor, worlds: Worlds, index: Tensor, dice: Dice) -> Tensor:
    """Flat colours in a few steps of shading, most with a dark outline; the sky is as it was, without its detail."""
    n = len(index)
    albedo = F.avg_pool2d(worlds.albedo[index], 2).clamp(1e-4, 1)
    shade = (find_grey(light) / (find_grey(albedo) + 0.02)).clamp(0, 4)
    shade = shade / (shade.mean((2, 3), keepdim=True) + 1e-3)
    steps = torch.floor(dice.uniform(n, 1, 1, 1, low=1.0, high=5.0))
    shade = (torch.floor(shade.clamp(0, 1.8).sqrt() * steps) / steps).clamp(0, 1.3)
    depth_of_shade = dice.uniform(n, 1, 1, 1, high=0.8) * dice.happens(n, 0.8)
    colour = albedo.pow(1 / 2.2) * (1 - depth_of_shade + depth_of_shade * shade)
    grey = find_grey(colour)
    colour = grey + (colour - grey) * dice.uniform(n, 1, 1, 1, low=0.8, high=1.8)
    colour = colour * dice.uniform(n, 1, 1, 1, low=0.85, high=1.25)
    sky = F.avg_pool2d((worlds.instance[index] == SKY).float()[:, None], 2)
    colour = colour.lerp(smooth(smooth(pictures)), sky)
    dark = dice.uniform(n, 1, 1, 1, high=0.35) * colour
    return colour.lerp(dark, outline(worlds, index, dice) * dice.happens(n, 0.75))


def draw_lines(pictures: Tensor, light: Tensor, worlds: Worlds, index: Tensor, dice: Dice) -> Tensor:
    """Edges on paper, some with a thin wash of the colours, some light on dark."""
    n = len(index)
    ink = outline(worlds, index, dice)
    paper = dice.uniform(n, 1, 1, 1, low=0.8, high=1.0) * dice.uniform(n, 3, 1, 1, low=0.92, high=1.0)
    paper = paper.expand_as(pictures).lerp(pictures, dice.uniform(n, 1, 1, 1, high=0.4) * dice.happens(n, 0.4))
    drawing = paper.lerp(dice.uniform(n, 3, 1, 1, high=0.3), ink * dice.uniform(n, 1, 1, 1, low=0.6, high=1.0))
    return (drawing - dice.happens(n, 0.15)).abs()


def paint(pictures: Tensor, light: Tensor, worlds: Worlds, index: Tensor, dice: Dice) -> Tensor:
    """Strokes by Kuwahara's filter in one or two passes, richer colours, the grain of a canvas."""
    n = len(index)
    fine = smear(pictures, 4)
    painted = fine.lerp(smear(fine, 6), dice.happens(n, 0.6))
    grey = find_grey(painted)
    painted = grey + (painted - grey) * dice.uniform(n, 1, 1, 1, low=0.8, high=1.6)
    weave = smooth(dice.normal(n, 1, *pictures.shape[-2:]))
    return painted * (1 + weave * dice.uniform(n, 1, 1, 1, high=0.15))


def smear(pictures: Tensor, size: int) -> Tensor:
    """Kuwahara's filter: of the four squares that meet in a pixel, the mean of the most even one (even `size`)."""
    h, w = pictures.shape[-2:]
    reach = size - 1
    padded = F.pad(pictures, (reach,) * 4, mode="replicate")
    mean = F.avg_pool2d(padded, size, 1)
    grey = find_grey(padded)
    spread = F.avg_pool2d(grey.square(), size, 1) - F.avg_pool2d(grey, size, 1).square()
    corners = [(y, x) for y in (0, reach) for x in (0, reach)]
    best, least = mean[..., :h, :w], spread[..., :h, :w]
    for y, x in corners[1:]:
        even = spread[..., y : y + h, x : x + w]
        better = even < least
        best = torch.where(better, mean[..., y : y + h, x : x + w], best)
        least = torch.where(better, even, least)
    return best


def draw_pencil(pictures: Tensor, light: Tensor, worlds: Worlds, index: Tensor, dice: Dice) -> Tensor:
    """Hatching in up to three directions where it is dark, edges, grainy paper; some in coloured pencil."""
    n, (h, w) = len(index), pictures.shape[-2:]
    tone = smooth(find_grey(pictures))
    tone = tone / (tone.mean((2, 3), keepdim=True) * 1.7 + 0.05)
    rows = torch.arange(h, device=pictures.device, dtype=torch.float32)[:, None]
    columns = torch.arange(w, device=pictures.device, dtype=torch.float32)
    angle = dice.uniform(n, 1, 1, 1, high=torch.pi)
    pace = dice.uniform(n, 1, 1, 1, low=1.2, high=2.4)
    dark = torch.zeros_like(tone)
    for turn, bound in ((0.0, 0.75), (0.9, 0.5), (-0.7, 0.28)):
        across = columns * (angle + turn).cos() + rows * (angle + turn).sin()
        wobble = 0.8 * torch.sin(0.06 * (rows * (angle + turn).cos() - columns * (angle + turn).sin()))
        stroke = 0.5 + 0.5 * torch.sin(across * pace + wobble)
        dark = dark + stroke * ((bound - tone) * 4).clamp(0, 1)
    ink = (dark * dice.uniform(n, 1, 1, 1, low=0.3, high=0.7) + outline(worlds, index, dice) * 0.8).clamp(0, 1)
    grain = 1 + smooth(dice.normal(n, 1, h, w)) * 0.25
    colour = pictures * dice.happens(n, 0.35) * 0.8 + 0.1
    paper = dice.uniform(n, 1, 1, 1, low=0.85, high=1.0) - 0.05 * find_radius(pictures)
    return paper * (1 - (1 - colour) * ink * grain)
