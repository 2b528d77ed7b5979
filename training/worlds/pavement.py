"""What stands on pavements and meadows: street furniture, tents, stalls, boats. A function builds a solid."""

from __future__ import annotations

import math
import random

from .records import (
    BARS,
    BOX,
    CONE,
    CYLINDER,
    FLUTED,
    PILLOW,
    SHEET,
    TORUS,
    WEDGE,
    Solid,
    between,
    chance,
    evenly,
    rotate,
)


def street_lamp(rng: random.Random) -> Solid:
    """A street lamp with its arm."""
    s, h = Solid(), between(rng, 3, 7)
    s.rod((0, 0, 0), (0, h, 0), 0.07, "post/metal", end=0.045)
    s.rod((0, h, 0), (0.8, h + 0.2, 0), 0.04, "post/metal")
    s.ball((0.9, h + 0.15, 0), (0.3, 0.08, 0.12), "lamp/lit")
    return s


def road_sign(rng: random.Random) -> Solid:
    """A round or square sign on its post."""
    s, h, r = Solid(), between(rng, 2, 2.8), between(rng, 0.25, 0.4)
    s.rod((0, 0, 0), (0, h, 0), 0.035, "post/metal")
    if chance(rng, 0.5):
        s.add(CYLINDER, (0, h, -0.04), (r, 0.012, r), "sign/package", rotate(0, math.pi / 2, 0))
    else:
        s.box((0, h, -0.04), (r * between(rng, 0.7, 1.8), r * between(rng, 0.5, 1), 0.012), "sign/package")
    return s


def traffic_light(rng: random.Random) -> Solid:
    """A traffic light, each lamp lit or not."""
    s = Solid()
    s.rod((0, 0, 0), (0, 2.5, 0), 0.06, "post/dark")
    s.box((0, 2.9, 0), (0.16, 0.45, 0.14), "case/dark", rounding=0.03)
    for k in range(3):
        part = f"light{k}/" + ("lit" if chance(rng, 0.4) else "flower")
        s.ball((0, 2.62 + 0.28 * k, -0.13), (0.1, 0.1, 0.05), part)
    return s


def bin_for_litter(rng: random.Random) -> Solid:
    """A round bin, smooth or fluted."""
    s = Solid()
    shape, part = rng.choice([CYLINDER, FLUTED]), "bin/" + rng.choice(["metal", "plastic", "paint"])
    s.add(shape, (0, 0.45, 0), (0.28, 0.45, 0.28), part, extra=(14.0, 0.03, 0))
    s.add(TORUS, (0, 0.9, 0), (0.27, 0.0, 0.03), "rim/metal")
    return s


def bench(rng: random.Random) -> Solid:
    """A bench of slats."""
    s, w = Solid(), between(rng, 0.6, 1.0)
    for k in range(4):
        s.box((0, 0.45, -0.2 + 0.13 * k), (w, 0.015, 0.055), "slats/wood", rounding=0.008)
    for k in range(3):
        s.box((0, 0.58 + 0.13 * k, 0.25 + 0.02 * k), (w, 0.05, 0.015), "slats/wood", rounding=0.008)
    for sx in (-1, 1):
        s.box((sx * w * 0.8, 0.22, 0), (0.03, 0.22, 0.22), "legs/metal")
        s.rod((sx * w * 0.8, 0.44, 0.22), (sx * w * 0.8, 0.9, 0.3), 0.025, "legs/metal")
    s.carry(0, 0.47, 0, w * 0.8, 0.15)
    return s


def bollard(rng: random.Random) -> Solid:
    """A bollard with a ring."""
    s = Solid()
    part = "post/" + rng.choice(["metal", "stone", "paint"])
    s.add(CYLINDER, (0, 0.45, 0), (0.08, 0.45, 0.08), part, rounding=0.04)
    s.add(TORUS, (0, 0.75, 0), (0.08, 0.0, 0.015), "ring/white")
    return s


def traffic_cone(rng: random.Random) -> Solid:
    """A traffic cone with its white band."""
    s = Solid()
    s.box((0, 0.02, 0), (0.2, 0.02, 0.2), "cone/plastic")
    s.add(CONE, (0, 0.33, 0), (0.15, 0.31, 0.03), "cone/plastic")
    s.add(CONE, (0, 0.38, 0), (0.128, 0.07, 0.103), "bands/white")
    return s


def post_box(rng: random.Random) -> Solid:
    """A post box."""
    s = Solid()
    s.box((0, 0.7, 0), (0.3, 0.6, 0.25), "box/paint", rounding=0.1)
    s.box((0, 1.05, -0.25), (0.15, 0.02, 0.01), "slot/dark")
    s.box((0, 0.1, 0), (0.2, 0.1, 0.18), "foot/dark")
    return s


def fence(rng: random.Random) -> Solid:
    """A piece of fence."""
    s, w, h = Solid(), between(rng, 1.2, 3), between(rng, 0.8, 1.6)
    part = "bars/" + rng.choice(["metal", "wood", "white"])
    extra = (between(rng, 0.1, 0.3), between(rng, 0.012, 0.05), 0)
    s.add(BARS, (0, h / 2, 0), (w, h / 2, 0.015), part, rounding=0.005, extra=extra)
    for y in (0.25, 0.85):
        s.box((0, h * y, 0), (w, 0.03, 0.025), "bars/wood")
    return s


def tent(rng: random.Random) -> Solid:
    """A ridge tent."""
    s, x, h = Solid(), between(rng, 0.9, 1.8), between(rng, 0.5, 0.9)
    s.add(WEDGE, (0, h, 0), (x, h, between(rng, 1, 1.8)), "canvas/cloth")
    return s


def stall(rng: random.Random) -> Solid:
    """A market stall: posts, a roof of cloth, a counter that carries things."""
    s = Solid()
    w, d, h = between(rng, 0.8, 1.6), between(rng, 0.6, 1.2), between(rng, 2.0, 2.5)
    for sx in (-1, 1):
        for sz in (-1, 1):
            s.rod((sx * w, 0, sz * d), (sx * w, h, sz * d), 0.025, "posts/metal")
    s.add(WEDGE, (0, h + 0.25, 0), (w * 1.1, 0.28, d * 1.1), "roof/cloth")
    s.box((0, 0.85, -d * 0.6), (w * 0.95, 0.03, d * 0.35), "counter/wood")
    s.add(SHEET, (0, 0.42, -d * 0.95), (w * 0.95, 0.42, 0.01), "front/cloth", extra=(0.02, 20.0, 0))
    s.carry(0, 0.89, -d * 0.6, w * 0.85, d * 0.25)
    return s


def parasol(rng: random.Random) -> Solid:
    """A parasol."""
    s = Solid()
    s.rod((0, 0, 0), (0, 2.2, 0), 0.025, "pole/wood")
    s.add(CONE, (0, 2.25, 0), (between(rng, 0.9, 1.5), 0.22, 0.03), "canvas/cloth")
    return s


def boat(rng: random.Random) -> Solid:
    """A rowing boat on land."""
    s, length = Solid(), between(rng, 1.2, 2.5)
    hull = "hull/" + rng.choice(["wood", "paint", "plastic"])
    s.add(PILLOW, (0, 0.35, 0), (length * 0.3, 0.35, length), hull, extra=(2.6, 0, 0))
    s.add(BOX, (0, 0.6, 0), (length * 0.24, 0.25, length * 0.8), hull, carves=True)
    s.box((0, 0.45, 0), (length * 0.27, 0.02, 0.12), "bench/wood")
    return s


STREET_THINGS = evenly(
    9, street_lamp, road_sign, traffic_light, bin_for_litter, bench, bollard, traffic_cone, post_box, fence
)
TENTS = evenly(4, tent, stall, parasol, boat)
