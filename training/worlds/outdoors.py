"""Large things outdoors: vehicles, trees, buildings, rocks, scaffolds; upright, in metres, fronts to -z."""

from __future__ import annotations

import math
import random

from .pavement import STREET_THINGS, TENTS
from .records import (
    BARS,
    CONE,
    CYLINDER,
    FOLIAGE,
    FRAME,
    PILLOW,
    SPOKES,
    TORUS,
    WEDGE,
    Solid,
    between,
    between_log,
    chance,
    rotate,
    weigh,
)

ACROSS = rotate(0, 0, math.pi / 2)  # lays a wheel's axle along x


def car(rng: random.Random) -> Solid:
    """A car, van or small lorry, its nose to -z."""
    s = Solid(blend=0.06)
    w, length = between(rng, 0.8, 0.95), between(rng, 1.8, 2.4)
    low, belt = between(rng, 0.2, 0.35), between(rng, 0.75, 0.95)
    van = chance(rng, 0.25)
    roof = between(rng, 1.9, 2.3) if van else between(rng, 1.35, 1.7)
    s.add(
        PILLOW,
        (0, (low + belt) / 2, 0),
        (w, (belt - low) / 2 + 0.06, length),
        "body/plastic",
        extra=(between(rng, 5, 9), 0, 0),
    )
    if van:
        s.box(
            (0, (belt + roof) / 2 - 0.05, length * 0.15),
            (w * 0.95, (roof - belt) / 2 + 0.1, length * 0.8),
            "body/plastic",
            rounding=0.12,
        )
        s.box((0, belt + 0.35, -length * 0.62), (w * 0.9, 0.28, 0.08), "glass/dark", rotate(0, 0.5, 0), 0.05)
    else:
        mid, half = length * between(rng, -0.05, 0.2), length * between(rng, 0.42, 0.6)
        s.add(PILLOW, (0, belt, mid), (w * 0.86, roof - belt, half), "cabin/dark", extra=(between(rng, 2.5, 4), 0, 0))
        s.add(
            PILLOW,
            (0, belt + (roof - belt) * 0.55, mid),
            (w * 0.75, (roof - belt) * 0.46, half * 0.8),
            "body/plastic",
            extra=(3.5, 0, 0),
        )
    r = between(rng, 0.29, 0.36)
    for z in (-length * 0.62, length * 0.6):
        for sx in (-1, 1):
            s.add(CYLINDER, (sx * (w - 0.07), r, z), (r, 0.11, r), "tyres/rubber", ACROSS, 0.03)
            s.add(CYLINDER, (sx * (w + 0.035), r, z), (r * 0.62, 0.02, r), "rims/metal", ACROSS, 0.01)
    for sx in (-1, 1):
        s.ball((sx * w * 0.7, belt - 0.15, -length * 0.96), (0.14, 0.07, 0.07), "lights/lit")
        s.ball((sx * w * 0.75, belt - 0.1, length * 0.97), (0.1, 0.09, 0.05), "rear/flower")
        s.ball((sx * (w + 0.07), belt + 0.08, -length * 0.3), (0.08, 0.06, 0.05), "body/plastic")
    s.box((0, low + 0.15, -length * 0.99), (w * 0.55, 0.08, 0.03), "grille/dark", rounding=0.02)
    s.box((0, low + 0.12, -length * 1.01), (0.25, 0.06, 0.015), "plate/white")
    return s


def bus(rng: random.Random) -> Solid:
    """A bus, tram, lorry or caravan."""
    s = Solid()
    w, h, length = between(rng, 1.0, 1.3), between(rng, 2.2, 3.4), between(rng, 2.2, 5.5)
    s.box(
        (0, h * 0.5 + 0.3, 0),
        (w, h * 0.5, length),
        "body/" + rng.choice(["plastic", "paint", "package"]),
        rounding=0.12,
    )
    n = max(2, round(length / 0.8))
    for sx in (-1, 1):
        for k in range(n):
            z = length * ((2 * k + 1) / n - 1)
            s.box((sx * w, 0.3 + h * 0.68, z), (0.03, h * 0.18, length / n * 0.85), "windows/dark", rounding=0.02)
        for z in (-length * 0.7, length * 0.6):
            s.add(CYLINDER, (sx * (w - 0.1), 0.42, z), (0.42, 0.14, 0.4), "tyres/rubber", ACROSS, 0.04)
    s.box((0, 0.3 + h * 0.66, -length), (w * 0.88, h * 0.22, 0.04), "windows/dark", rounding=0.05)
    for sx in (-1, 1):
        s.ball((sx * w * 0.75, 0.7, -length), (0.14, 0.1, 0.06), "lights/lit")
    return s


def bicycle(rng: random.Random) -> Solid:
    """A bicycle or motorcycle, along z; wheels of rings and spokes."""
    s = Solid(blend=0.006)
    r, base = between(rng, 0.28, 0.35), between(rng, 0.48, 0.55)
    thick = 0.018 if chance(rng, 0.75) else 0.06
    for z in (-base, base):
        s.add(TORUS, (0, r, z), (r - thick, 0.0, thick), "tyres/rubber", ACROSS)
        s.add(
            SPOKES,
            (0, r, z),
            (r - thick, 0.0, 0.003),
            "spokes/metal",
            ACROSS,
            0.0,
            (float(rng.choice([8, 12, 16])), 0.004, 0.02),
        )
        s.add(CYLINDER, (0, r, z), (0.025, 0.04, 0.03), "spokes/metal", ACROSS)
    frame, tube = "frame/" + rng.choice(["paint", "plastic", "metal"]), 0.016 if thick < 0.05 else 0.04
    crank, seat, head = (0.0, r * 0.85, 0.06), (0.0, r + 0.42, 0.2), (0.0, r + 0.42, -base + 0.12)
    joints = [
        (crank, seat),
        (crank, (0, r, base)),
        (seat, (0, r, base)),
        (crank, head),
        (seat, head),
        (head, (0, r, -base)),
    ]
    for a, b in joints:
        s.rod(a, b, tube, frame)
    s.rod(seat, (0, seat[1] + 0.12, seat[2] + 0.03), 0.012, "spokes/metal")
    s.ball((0, seat[1] + 0.15, seat[2] + 0.03), (0.07, 0.03, 0.13), "saddle/dark")
    s.rod(head, (0, head[1] + 0.12, head[2] + 0.02), 0.014, "spokes/metal")
    s.rod((-0.26, head[1] + 0.14, head[2] + 0.08), (0.26, head[1] + 0.14, head[2] + 0.08), 0.013, "bar/dark")
    s.add(CYLINDER, crank, (0.09, 0.006, 0.09), "spokes/metal", ACROSS)
    if thick > 0.05:
        s.add(PILLOW, (0, r + 0.35, -0.1), (0.13, 0.13, 0.25), "tank/plastic", extra=(3.0, 0, 0))
        s.box((0, r + 0.02, 0), (0.14, 0.17, 0.18), "engine/metal", rounding=0.04)
    elif chance(rng, 0.3):
        s.add(BARS, (0, head[1] + 0.06, head[2] - 0.15), (0.15, 0.1, 0.1), "basket/metal", extra=(0.03, 0.003, 0))
    return s


def broad_tree(rng: random.Random) -> Solid:
    """A trunk with a crown of several balls of leaves."""
    s, h, grain = Solid(blend=0.05), between_log(rng, 1.5, 9), between(rng, 2.5, 6)
    s.safety = 0.75
    trunk = h * between(rng, 0.25, 0.5)
    s.rod((0, 0, 0), (between(rng, -0.1, 0.1), trunk, 0), h * 0.035, "trunk/bark", end=h * 0.02)
    for _ in range(rng.randint(1, 5)):
        r = h * between(rng, 0.16, 0.3)
        at = (between(rng, -0.6, 0.6) * r, trunk + r * between(rng, 0.5, 1.4), between(rng, -0.6, 0.6) * r)
        extra = (between(rng, 0.4, 0.56), grain / r, rng.randrange(999))
        s.add(FOLIAGE, at, (r, r * between(rng, 0.6, 1), r), "crown/leaf", extra=extra)
    return s


def conifer(rng: random.Random) -> Solid:
    """A tree of cones."""
    s, h = Solid(blend=0.05), between_log(rng, 1.5, 9)
    s.safety = 0.75
    s.rod((0, 0, 0), (0, h * 0.9, 0), h * 0.03, "trunk/bark", end=h * 0.008)
    for k in range(4):
        s.add(CONE, (0, h * (0.3 + 0.2 * k), 0), (h * (0.24 - 0.05 * k), h * 0.13, h * 0.02), "crown/leaf")
    s.dents = (h * 0.01, 22.0 / h, rng.random() * 6)
    return s


def bare_tree(rng: random.Random) -> Solid:
    """A tree without leaves."""
    s, h = Solid(blend=0.05), between_log(rng, 1.5, 9)
    s.safety = 0.75
    s.rod((0, 0, 0), (0, h * 0.5, 0), h * 0.03, "trunk/bark", end=h * 0.02)
    for _ in range(rng.randint(5, 9)):
        a, up, out = rng.random() * math.tau, between(rng, 0.3, 0.5), between(rng, 0.15, 0.35)
        mid = (h * out * 0.5 * math.cos(a), h * (up + 0.15), h * out * 0.5 * math.sin(a))
        tip = (h * out * math.cos(a), h * (up + between(rng, 0.25, 0.5)), h * out * math.sin(a))
        s.rod((0, h * up, 0), mid, h * 0.014, "trunk/bark", end=h * 0.009)
        s.rod(mid, tip, h * 0.009, "trunk/bark", end=h * 0.003)
    return s


def bush(rng: random.Random) -> Solid:
    """A bush of two heaps of leaves."""
    s, r, grain = Solid(blend=0.05), between_log(rng, 0.4, 2.2), between(rng, 2.5, 6)
    s.safety = 0.75
    size, extra = (r * between(rng, 0.8, 1.8), r * 0.75, r), (between(rng, 0.38, 0.5), grain / r, rng.randrange(999))
    s.add(FOLIAGE, (0, r * 0.7, 0), size, "bush/leaf", extra=extra)
    extra = (0.45, grain / r, rng.randrange(999))
    s.add(FOLIAGE, (r * 0.6, r * 0.5, 0), (r * 0.7, r * 0.5, r * 0.7), "bush/leaf", extra=extra)
    return s


def building(rng: random.Random) -> Solid:
    """A house or a block with rows of windows, doors, a roof; its front to -z."""
    s = Solid()
    w, d, floors = between(rng, 2.5, 8), between(rng, 3, 7), rng.randint(1, 6)
    storey = between(rng, 2.7, 3.5)
    h = floors * storey
    s.box((0, h / 2, 0), (w, h / 2, d), "walls/" + rng.choice(["stone", "stone", "paint", "wood"]))
    columns = max(1, round(2 * w / between(rng, 1.6, 3.2)))
    wx, wy = w / columns * between(rng, 0.4, 0.75), storey * between(rng, 0.2, 0.36)
    glass = rng.choice(["windows/dark", "windows/view", "windows/screen"])
    pitch_x, middle = 2 * w / columns, storey * 0.58
    framed = chance(rng, 0.5)
    for side in (-1, 1):
        for f in range(floors):
            y = f * storey + middle
            if columns % 2:
                size = (w - pitch_x / 2 + 0.01, wy, 0.04)
                s.add(BARS, (0, y, side * d), size, glass, extra=(pitch_x, wx, 0))
            else:
                add_even_row(s, w, columns, y, wx, wy, side * d, glass)
            if framed:
                s.box((0, y - wy - 0.05, side * d), (w * 0.98, 0.05, 0.1), "trim/white")
        side_x = side * w
        n = max(1, round(d / 1.6))
        for f in range(floors):
            for k in range(n):
                s.box((side_x, f * storey + middle, d * ((2 * k + 1) / n - 1)), (0.04, wy, wx), glass)
    s.box((between(rng, -0.6, 0.6) * w, 1.05, -d), (0.5, 1.05, 0.06), "door/" + rng.choice(["wood", "paint", "dark"]))
    roof = rng.random()
    if roof < 0.45:
        s.add(
            WEDGE,
            (0, h + w * 0.25, 0),
            (w * 1.08, w * between(rng, 0.18, 0.4), d * 1.06),
            "roof/" + rng.choice(["stone", "paint", "wood"]),
            rotate(0 if chance(rng, 0.6) else math.pi / 2),
        )
    else:
        s.box((0, h + 0.15, 0), (w * 1.03, 0.2, d * 1.03), "trim/white")
    if chance(rng, 0.3):
        s.box((0, storey * 0.95, -d - 0.6), (w * 0.9, 0.06, 0.7), "awning/cloth", rotate(0, -0.3, 0))
        s.box((0, storey * 0.95 + 0.35, -d - 0.06), (w * 0.6, 0.28, 0.06), "sign/package")
    return s


def add_even_row(s: Solid, w: float, columns: int, y: float, wx: float, wy: float, z: float, part: str) -> None:
    """An even number of windows in a row: two runs of bars left and right of the middle."""
    step = 2 * w / columns
    half = columns // 2
    for side in (-1, 1):
        x = side * w / 2
        if half % 2:
            s.add(BARS, (x, y, z), (w / 2 - step / 2 + 0.01, wy, 0.04), part, extra=(step, wx, 0))
        else:
            for k in range(half):
                s.box((side * step * (k + 0.5), y, z), (wx, wy, 0.04), part)


def rock(rng: random.Random) -> Solid:
    """A boulder or a heap of stones."""
    s = Solid(blend=0.1)
    s.safety = 0.7
    r = between_log(rng, 0.1, 1.2)
    for _ in range(rng.randint(1, 4)):
        q = r * between(rng, 0.4, 1)
        at = (between(rng, -0.7, 0.7) * r, q * between(rng, 0.2, 0.7), between(rng, -0.7, 0.7) * r)
        s.ball(
            at,
            (q, q * between(rng, 0.5, 0.9), q * between(rng, 0.7, 1.2)),
            "rock/stone",
            rotate(rng.random() * 6, between(rng, -0.5, 0.5), 0),
        )
    s.dents = (r * between(rng, 0.02, 0.06), 7 / r, rng.random() * 6)
    s.blend = r * between(rng, 0, 0.2)
    return s


def scaffold(rng: random.Random) -> Solid:
    """A frame one looks through: scaffold, climbing frame, gate, ladder."""
    s = Solid()
    w, h, d = between(rng, 0.3, 1.5), between(rng, 0.8, 2.4), between(rng, 0.2, 0.8)
    material = rng.choice(["frame/metal", "frame/wood", "frame/paint"])
    if chance(rng, 0.4):
        s.add(
            BARS,
            (0, h / 2, 0),
            (h / 2, w * 0.3, 0.015),
            "rungs/" + material.split("/")[1],
            rotate(0, 0, math.pi / 2),
            0.004,
            (0.28, 0.015, 0),
        )
        for sx in (-1, 1):
            s.rod((sx * w * 0.3, 0, 0), (sx * w * 0.3, h, 0), 0.025, material)
        return s
    n = rng.randint(1, 3)
    for k in range(n):
        s.add(FRAME, (0, h * (k + 0.5) / n, 0), (w, h / n / 2, d), material, rounding=between(rng, 0.012, 0.03))
    s.carry(0, h, 0, w * 0.7, d * 0.7)
    return s


VEHICLES = [(car, 14), (bus, 3), (bicycle, 6)]
TREES = [(broad_tree, 3), (conifer, 1), (bare_tree, 1), (bush, 1)]
STREET = [*weigh(10, STREET_THINGS), *weigh(5, TREES), *weigh(2, TENTS), (scaffold, 1.5)]
LAND = [*weigh(14, TREES), (rock, 8), *weigh(3, TENTS), (scaffold, 2), *weigh(2, STREET_THINGS)]
