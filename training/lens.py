"""What air and glass do to light on its way to the sensor; all on linear light f32[B, 3, h, w], 1 = white."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.dice import Dice
from training.truth import THINGS, Worlds

LEVELS = 5
"""Levels of a blur pyramid: radii of about 0, 1.5, 3, 6, 12 pixels."""


def smooth(pictures: Tensor) -> Tensor:
    """Blurred by the binomial [1 2 1] in both directions; edges are repeated. f32[B, C, h, w], any size."""
    return F.avg_pool2d(F.avg_pool2d(F.pad(pictures, (1, 1, 1, 1), mode="replicate"), 2, 1), 2, 1)


def enlarge(pictures: Tensor, like: Tensor) -> Tensor:
    """Stretched bilinearly to the size of `like`."""
    return F.interpolate(pictures, size=like.shape[-2:], mode="bilinear", align_corners=False)


def shrink(pictures: Tensor, factor: int = 2) -> Tensor:
    """Averages of factor x factor pixels; a rest at the right and bottom counts as its own cell."""
    return F.avg_pool2d(pictures, factor, ceil_mode=True, count_include_pad=False)


def find_radius(light: Tensor) -> Tensor:
    """f32[1, 1, h, w]: the distance of each pixel from the centre; 1 in the corners."""
    h, w = light.shape[-2:]
    down = torch.linspace(-h, h, h, device=light.device)[:, None]
    right = torch.linspace(-w, w, w, device=light.device)
    return (torch.hypot(down, right) / torch.hypot(down[-1], right[-1]))[None, None]


def see_through_air(light: Tensor, depth: Tensor, dice: Dice, share: float = 0.1) -> None:
    """Veil the distance in fog or smoke, in place. depth f32[B, 2h, 2w], metres."""
    [(index, on)] = dice.pick(len(light), share)
    n = len(index)
    clear, metres = light[index], depth[index, ::2, ::2][:, None]
    metres = metres[..., : light.shape[-2], : light.shape[-1]]
    place = (dice.uniform(n, 1) * metres[0].numel()).long()
    reach = metres.flatten(1).gather(1, place).clamp(0.5, 200.0)[..., None, None] * dice.log_uniform(
        n, 1, 1, 1, low=0.7, high=8.0
    )
    grey = clear.mean((1, 2, 3), keepdim=True).clamp(max=1.0) * dice.log_uniform(n, 1, 1, 1, low=0.6, high=2.0)
    fog = grey * dice.log_uniform(n, 3, 1, 1, low=0.85, high=1.18)
    light.index_copy_(0, index, fog.lerp(clear, torch.exp(-on * metres / reach)))


def choose_focus(worlds: Worlds, index: Tensor, dice: Dice) -> Tensor:
    """f32[n, 1, 1, 1]: 1 / the distance in focus, 1/m: mostly of a thing, sometimes of any pixel."""
    n = len(index)
    height, width = worlds.depth.shape[-2:]
    places = (dice.uniform(n, 32) * (height * width)).long()
    seen = worlds.instance[index].flatten(1).gather(1, places)
    is_thing = (seen > 0) & (seen <= THINGS) & (dice.uniform(n, 1) < 0.75)
    chosen = (is_thing.float() + 0.5 * dice.uniform(n, 32)).argmax(1, keepdim=True)
    return 1 / worlds.depth[index].flatten(1).gather(1, places.gather(1, chosen))[..., None, None].clamp(min=0.05)


def focus(light: Tensor, worlds: Worlds, dice: Dice, share: float = 0.2) -> None:
    """Blur by the thin lens' circle of confusion, in place: the background behind what is sharp, and the foreground
    over it. Both come from one pyramid, each weighted by its own pixels, so that neither bleeds into the sharp plane.
    """
    [(index, on)] = dice.pick(len(light), share)
    n = len(index)
    sharp = light[index]
    nearness = F.avg_pool2d(1 / worlds.depth[index].clamp(min=0.05), 2)[:, None]
    aperture = dice.log_uniform(n, 1, 1, 1, low=1.2, high=9.0) * (max(light.shape[-2:]) / 352) * on
    circle = (aperture * (1 - nearness / choose_focus(worlds, index, dice))).clamp(-14.0, 14.0)
    level = torch.log2(1 + circle.abs() / 0.8).clamp(max=LEVELS - 1.0)
    is_far, is_near = (circle / 1.5).clamp(0.02, 1), (-circle / 1.5).clamp(0, 1)
    layer = torch.cat([sharp * is_far, is_far, sharp * is_near, level * is_near, is_near], dim=1)
    pyramid = [layer]
    for _ in range(LEVELS - 1):
        pyramid.append(smooth(shrink(pyramid[-1])))
    whole = [layer, *(enlarge(step, layer) for step in pyramid[1:])]
    spread = whole[3][:, 7:8] / (whole[3][:, 8:9] + 1e-4)
    far, near = mix_levels([step[:, :4] for step in whole], level), mix_levels([step[:, 4:] for step in whole], spread)
    out = sharp.lerp(far[:, :3] / far[:, 3:], is_far)
    cover = near[:, 4:].clamp(0, 1)
    light.index_copy_(0, index, out * (1 - cover) + near[:, :3] * cover / (near[:, 4:] + 1e-5))


def mix_levels(levels: list[Tensor], level: Tensor) -> Tensor:
    """Between the two nearest of the levels, pixel by pixel: levels of f32[n, C, h, w], level f32[n, 1, h, w]."""
    mixed = torch.zeros_like(levels[0])
    for k, step in enumerate(levels):
        mixed.addcmul_(step, (1 - (level - k).abs()).clamp(min=0))
    return mixed


def glow(light: Tensor, dice: Dice, share: float = 0.3) -> None:
    """Let bright places bloom and lift the whole by stray light, in place."""
    [(index, on)] = dice.pick(len(light), share)
    n = len(index)
    some = light[index]
    step = shrink((some - 0.8).clamp(0, 8), 4)
    halo = torch.zeros_like(some)
    for strength in dice.uniform(4, n, 1, 1, 1).square() * 0.3:
        step = smooth(smooth(step))
        halo += enlarge(step, some) * strength
        step = shrink(step)
    veil = some.clamp(max=4).mean((2, 3), keepdim=True) * dice.uniform(n, 1, 1, 1).pow(4) * 0.25
    light.index_copy_(0, index, some + on * (halo + veil))


def darken_corners(light: Tensor, dice: Dice) -> None:
    """Vignette every picture a little and some much, in place."""
    n = len(light)
    strength = dice.uniform(n, 1, 1, 1).pow(3) * 1.2
    light /= (1 + strength * find_radius(light).square()).square()


def split_colours(light: Tensor, dice: Dice, share: float = 0.25) -> None:
    """Scale red and blue about the centre, as cheap glass does (lateral chromatic aberration), in place."""
    [(index, on)] = dice.pick(len(light), share)
    n, (h, w) = len(index), light.shape[-2:]
    some = light[index]
    scale = 1 + dice.normal(2 * n, spread=0.0025) * on.flatten().repeat(2)
    scale = scale.clamp(0.992, 1.008)
    place = torch.zeros(2 * n, 2, 3, device=light.device)
    place[:, 0, 0] = scale
    place[:, 1, 1] = scale
    channels = torch.cat([some[:, 0:1], some[:, 2:3]])
    grid = F.affine_grid(place, [2 * n, 1, h, w], align_corners=False)
    red, blue = F.grid_sample(channels, grid, padding_mode="border", align_corners=False).chunk(2)
    light.index_copy_(0, index, torch.cat([red, some[:, 1:2], blue], dim=1))


def soften(pictures: Tensor, dice: Dice, share: float = 0.3) -> None:
    """Unsharp glass, or a scan: a small blur of random strength, in place."""
    [(index, on)] = dice.pick(len(pictures), share)
    some = pictures[index]
    once = smooth(some)
    soft = some.lerp(once, dice.uniform(len(index), 1, 1, 1))
    soft = soft.lerp(smooth(once), dice.uniform(len(index), 1, 1, 1).square())
    pictures.index_copy_(0, index, some.lerp(soft, on))


def shake(light: Tensor, dice: Dice, share: float = 0.08) -> None:
    """Smear along a short line, as a moving camera does, in place."""
    [(index, on)] = dice.pick(len(light), share)
    n, (h, w) = len(index), light.shape[-2:]
    size = 7
    across = torch.arange(-size, size + 1, device=light.device, dtype=torch.float32)
    angle = dice.uniform(n, 1, 1, high=torch.pi)
    half = dice.uniform(n, 1, 1, low=0.5, high=6.5)
    along = across * angle.cos() + across[:, None] * angle.sin()
    aside = across * angle.sin() - across[:, None] * angle.cos()
    kernel = (1 - aside.abs()).clamp(min=0) * (half + 0.5 - along.abs()).clamp(0, 1)
    kernel = (kernel / kernel.sum((1, 2), keepdim=True)).repeat_interleave(3, dim=0)[:, None]
    some = light[index]
    wide = F.pad(some, (size, size, size, size), mode="replicate").view(1, n * 3, h + 2 * size, w + 2 * size)
    light.index_copy_(0, index, some.lerp(F.conv2d(wide, kernel, groups=n * 3).view(n, 3, h, w), on))
