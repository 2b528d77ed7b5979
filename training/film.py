"""Film for the worlds: light becomes a picture such as people have, from a clean photograph to a painting."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.delivery import compress, resize, sharpen
from training.dice import Dice
from training.drawing import draw, find_grey
from training.lens import (
    darken_corners,
    enlarge,
    focus,
    glow,
    see_through_air,
    shake,
    shrink,
    smooth,
    soften,
    split_colours,
)
from training.truth import Worlds

BRIGHTEST = 16.0
"""Where a sensor is full, whatever the grade does with it: 1 is white."""
STEPS = 4096
"""Entries of a tone curve, even in the square root of light."""


def develop(worlds: Worlds, panoramas: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures of worlds, each through its own air, lens, sensor, grade, style and file.

    panoramas f32[P, 3, h, w], linear (`load_panoramas`); the generator decides everything and lies on the same device.
    Returns f32[B, 3, H/2, W/2], sRGB 0..1 in steps of 1/255, without NaN. Never waits for the device.
    """
    dice = Dice(generator)
    with torch.no_grad():
        light = F.avg_pool2d(worlds.radiance, 2).nan_to_num_(0.0, 100.0, 0.0).clamp_(0.0, 100.0)
        expose(light, dice)
        see_through_air(light, worlds.depth, dice)
        focus(light, worlds, dice)
        glow(light, dice)
        darken_corners(light, dice)
        split_colours(light, dice)
        shake(light, dice)
        noisy = add_noise(light, dice)
        pictures = grade(noisy, dice)
        draw(pictures, light, worlds, dice)
        soften(pictures, dice)
        disturb(pictures, panoramas, dice)
        add_grain(pictures, dice)
        resize(pictures, dice)
        sharpen(pictures, dice)
        compress(pictures, dice)
        return pictures.nan_to_num_(0.0).clamp_(0, 1).mul_(255).round_().div_(255)


def expose(light: Tensor, dice: Dice) -> None:
    """Set the exposure as a camera's meter does, with its errors, and the white balance, in place."""
    n = len(light)
    metered = F.adaptive_avg_pool2d(find_grey(light).clamp(max=4.0), 16)
    mean = torch.exp(torch.log(metered + 2e-3).mean((1, 2, 3), keepdim=True))
    key = dice.log_uniform(n, 1, 1, 1, low=0.12, high=0.42)
    error = torch.exp2(dice.uniform(n, 1, 1, 1, low=-1.8, high=1.5) * dice.happens(n, 0.1))
    gain = (key * mean ** -dice.uniform(n, 1, 1, 1, low=0.75, high=1.0)).clamp(0.02, 12.0) * error
    warmth = dice.normal(n, 1, 1, 1, spread=0.06) + dice.normal(n, 1, 1, 1, spread=0.22) * dice.happens(n, 0.15)
    tint = dice.normal(n, 1, 1, 1, spread=0.025)
    light *= gain * torch.exp(torch.cat([warmth, tint, -warmth], dim=1))


def add_noise(light: Tensor, dice: Dice, share: float = 0.6) -> Tensor:
    """Light as a sensor counts it: shot and read noise, in blotches where it was interpolated or smoothed."""
    n = len(light)
    speed = dice.uniform(n, 1, 1, 1).pow(3) * 0.07 * dice.happens(n, share)
    noise = dice.normal(*light.shape)
    noise = noise.lerp(smooth(noise) * 2.6, dice.uniform(n, 1, 1, 1))
    return light.clamp(max=BRIGHTEST).add(0.012).sqrt_().mul_(speed).mul_(noise).add_(light)


def grade(light: Tensor, dice: Dice) -> Tensor:
    """Linear light to sRGB 0..1: a tone curve per channel, then a mix of the channels, both drawn per picture."""
    n, _, h, w = light.shape
    curves = build_curves(n, dice)
    code = light.clamp(0, BRIGHTEST).mul_(1 / BRIGHTEST).sqrt_().mul_(STEPS - 1.0).round_().long()
    toned = curves.gather(2, code.view(n, 3, h * w))
    base = 0.5 * torch.ones(n, 3, 1, device=light.device)
    mix = build_mix(n, dice)
    return torch.baddbmm(base - mix @ base, mix, toned).clamp_(0, 1).view(n, 3, h, w)


def build_curves(n: int, dice: Dice) -> Tensor:
    """f32[n, 3, STEPS]: display value 0..1 of light BRIGHTEST * (i / (STEPS - 1))^2, per picture and channel."""
    light = (torch.linspace(0, 1, STEPS, device=dice.generator.device).square() * BRIGHTEST).expand(n, 3, STEPS)
    kind = dice.uniform(n, 1, 1)
    curve = encode(light)
    curve = torch.where(kind < 0.75, encode(1 - torch.exp(-1.2 * light)), curve)
    curve = torch.where(kind < 0.5, encode(render_film(light * 0.7)), curve)
    flat = torch.log2(1 + light * 60) / torch.log2(1 + light[..., -1:] * 30)
    curve = torch.where(kind < 0.06, flat.clamp(max=1), curve)
    curve = curve ** torch.exp(dice.normal(n, 1, 1, spread=0.1))
    bend = dice.uniform(n, 1, 1, low=-0.2, high=0.48)
    curve = curve + 2 * bend * curve * (1 - curve) * (2 * curve - 1)
    hard = 1 + dice.uniform(n, 1, 1, high=0.7) * (dice.uniform(n, 1, 1) < 0.08)
    curve = ((curve - 0.5) * hard + 0.5).clamp(0, 1)
    toned = (dice.uniform(n, 1, 1) < 0.35) * dice.uniform(n, 1, 1, high=0.5)
    cold = dice.uniform(n, 1, 1, low=-0.4, high=1.0) * toned
    shadow = torch.cat([-cold, cold * dice.uniform(n, 1, 1, low=-0.1, high=0.4), 0.9 * cold], dim=1)
    shine = torch.cat([0.7 * cold, 0.2 * cold, -0.8 * cold], dim=1)
    curve = curve + curve * (1 - curve) * (shadow * (1 - curve) + shine * curve)
    wild = (dice.uniform(n, 1, 1) < 0.06) * dice.normal(n, 3, 1, spread=0.35)
    curve = curve.clamp(0, 1) ** torch.exp(wild)
    faded = (dice.uniform(n, 1, 1) < 0.2) * dice.uniform(n, 1, 1, high=0.16)
    return faded * dice.uniform(n, 3, 1, low=0.7, high=1.0) + curve * (1 - 1.5 * faded)


def encode(light: Tensor) -> Tensor:
    """The sRGB curve of light clipped to 0..1."""
    light = light.clamp(0, 1)
    return torch.where(light < 0.0031308, 12.92 * light, 1.055 * light.clamp(min=1e-6) ** (1 / 2.4) - 0.055)


def render_film(light: Tensor) -> Tensor:
    """A filmic curve with toe and shoulder (Narkowicz's fit of the ACES output)."""
    return light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14)


def build_mix(n: int, dice: Dice) -> Tensor:
    """f32[n, 3, 3]: how channels mix around grey: saturation, black and white through a colour filter, toned prints."""
    device = dice.generator.device
    choice = (dice.uniform(n, 1, 1) < 0.2) * dice.uniform(n, 1, 1, low=-0.5, high=0.4)
    saturation = 1 + dice.normal(n, 1, 1, spread=0.15) + choice
    monochrome = dice.uniform(n, 1, 1) < 0.06
    weights = torch.softmax(dice.normal(n, 1, 3, spread=0.6) + torch.linspace(0.3, -0.4, 3, device=device), dim=2)
    unity = torch.eye(3, device=device)
    sepia = (dice.uniform(n, 1, 1) < 0.4) * dice.uniform(n, 1, 1, high=0.15)
    print_tint = 1 + sepia * torch.linspace(1, -1, 3, device=device)[:, None]
    colour = weights.expand(n, 3, 3).lerp(unity.expand(n, 3, 3), saturation.clamp(0.35, 1.5))
    return torch.where(monochrome, print_tint * weights, colour)


def add_grain(pictures: Tensor, dice: Dice, share: float = 0.2) -> None:
    """The grain of film: in the middle tones, mostly without colour, of several sizes, in place."""
    [(index, on)] = dice.pick(len(pictures), share)
    n = len(index)
    some = pictures[index]
    grain = dice.normal(n, 1, *some.shape[-2:]).lerp(dice.normal(*some.shape), dice.uniform(n, 1, 1, 1, high=0.4))
    grain = grain.lerp(smooth(grain) * 2.6, dice.uniform(n, 1, 1, 1))
    strength = on * dice.uniform(n, 1, 1, 1).square() * 0.2
    pictures.index_copy_(0, index, (some + strength * (0.05 + some * (1 - some)) * grain).clamp(0, 1))


def disturb(pictures: Tensor, panoramas: Tensor, dice: Dice, shares: tuple[float, ...] = (0.07, 0.06, 0.05)) -> None:
    """Randomise beyond what cameras do, in place: random convolution, borrowed low frequencies, a faint overlay."""
    convolved, borrowed, overlaid = dice.pick(len(pictures), *shares)
    convolve(pictures, *convolved, dice)
    borrow(pictures, *borrowed, panoramas, dice)
    overlay(pictures, *overlaid, panoramas, dice)


def convolve(pictures: Tensor, index: Tensor, on: Tensor, dice: Dice) -> None:
    """Mix in a random 3 x 3 convolution across the channels, of the same mean and spread (Xu et al., RandConv)."""
    n, (h, w) = len(index), pictures.shape[-2:]
    some = pictures[index]
    kernel = dice.normal(n * 3, 3, 3, 3) * torch.exp(dice.normal(n * 3, 1, 3, 3))
    padded = F.pad(some, (1, 1, 1, 1), mode="replicate").view(1, n * 3, h + 2, w + 2)
    other = F.conv2d(padded, kernel, groups=n).view(n, 3, h, w)
    spread, mean = torch.std_mean(some, (2, 3), keepdim=True, correction=0)
    other_spread, other_mean = torch.std_mean(other, (2, 3), keepdim=True, correction=0)
    other = (other - other_mean) / (other_spread + 1e-4) * spread + mean
    pictures.index_copy_(0, index, some.lerp(other, on * dice.uniform(n, 1, 1, 1, low=0.15, high=0.7)).clamp(0, 1))


def crop_panoramas(panoramas: Tensor, n: int, shape: tuple[int, int], dice: Dice) -> Tensor:
    """f32[n, 3, *shape]: crops of random panoramas about the horizon, sRGB 0..1."""
    chosen = panoramas[(dice.uniform(n) * len(panoramas)).long()]
    zoom = dice.uniform(n, low=0.1, high=0.4)
    place = torch.zeros(n, 2, 3, device=panoramas.device)
    place[:, 0, 0], place[:, 1, 1] = zoom, zoom * 1.5
    place[:, 0, 2], place[:, 1, 2] = dice.uniform(n, low=-0.6, high=0.6), dice.uniform(n, low=-0.4, high=0.4)
    grid = F.affine_grid(place, [n, 3, *shape], align_corners=False)
    return encode(F.grid_sample(chosen, grid, padding_mode="border", align_corners=False))


def borrow(pictures: Tensor, index: Tensor, on: Tensor, panoramas: Tensor, dice: Dice) -> None:
    """Take the amplitudes of the lowest frequencies from a panorama (Yang and Soatto, Fourier domain adaptation)."""
    some = pictures[index]
    small = shrink(some, 4)
    n, _, h, w = small.shape
    theirs = torch.fft.rfft2(crop_panoramas(panoramas, n, (h, w), dice)).abs()
    ours = torch.fft.rfft2(small)
    rows = torch.fft.fftfreq(h, 1 / h, device=small.device).abs()[:, None]
    columns = torch.arange(w // 2 + 1, device=small.device)
    low = ((rows + columns > 0) & (torch.maximum(rows, columns) < dice.uniform(n, 1, 1, 1, low=1.5, high=4.0))).float()
    amplitude = ours.abs()
    scale = 1 + low * on * dice.uniform(n, 1, 1, 1, high=0.7) * (theirs / (amplitude + 1e-3) - 1).clamp(-1, 8)
    change = torch.fft.irfft2(ours * scale, s=(h, w)) - small
    pictures.index_copy_(0, index, (some + enlarge(change, some)).clamp(0, 1))


def overlay(pictures: Tensor, index: Tensor, on: Tensor, panoramas: Tensor, dice: Dice) -> None:
    """Lay a panorama's crop thinly over, like a reflection in a pane."""
    n, (h, w) = len(index), pictures.shape[-2:]
    other = crop_panoramas(panoramas, n, (h, w), dice)
    pictures.index_copy_(0, index, pictures[index].lerp(other, on * dice.uniform(n, 1, 1, 1, low=0.05, high=0.3)))
