"""What people own: toys, clothes, ornaments, and shapes that no list foresees. A function builds a solid, in metres."""

from __future__ import annotations

import math
import random

from .records import (
    BOWL,
    BOX,
    CONE,
    CYLINDER,
    ELLIPSOID,
    FLUTED,
    FRAME,
    PILLOW,
    SHEET,
    SPOKES,
    STAR,
    TORUS,
    TUBE,
    Solid,
    Vector,
    between,
    between_log,
    chance,
    evenly,
    rotate,
)


def soft_animal(rng: random.Random) -> Solid:
    """A sitting animal of plush."""
    s, r = Solid(blend=0.01), between(rng, 0.04, 0.1)
    coat = rng.choice(["coat/fur", "coat/cloth"])
    s.ball((0, r, 0), (r * 0.9, r, r * 0.8), coat)
    s.ball((0, r * 2.4, 0), (r * 0.8, r * 0.75, r * 0.75), coat)
    ear = between(rng, 0.3, 0.9)
    for sx in (-1, 1):
        s.ball((sx * r * 0.6, r * 3.0, 0), (r * 0.3, r * ear, r * 0.15), coat)
        s.ball((sx * r * 0.9, r * 1.3, -r * 0.3), (r * 0.3, r * 0.6, r * 0.3), coat, rotate(0, 0, sx * 0.6))
        s.ball((sx * r * 0.6, r * 0.3, -r * 0.8), (r * 0.35, r * 0.35, r * 0.6), coat)
        s.ball((sx * r * 0.3, r * 2.55, -r * 0.68), (r * 0.1,) * 3, "eyes/dark")
    s.ball((0, r * 2.25, -r * 0.7), (r * 0.3, r * 0.25, r * 0.2), "snout/cloth")
    return s


def blocks(rng: random.Random) -> Solid:
    """Building blocks on one another."""
    s, r, y = Solid(blend=0.01), between(rng, 0.04, 0.1), 0.0
    for k in range(rng.randint(2, 6)):
        q = r * between(rng, 0.3, 0.6)
        at, size = (between(rng, -0.01, 0.01), y + q, 0), (q * between(rng, 0.8, 1.6), q, q)
        s.box(at, size, f"block{k}/paint", rotate(between(rng, -0.5, 0.5)), q * 0.1)
        y += 2 * q
    return s


def toy_car(rng: random.Random) -> Solid:
    """A toy car."""
    s, r = Solid(blend=0.01), between(rng, 0.04, 0.1)
    s.box((0, r * 0.6, 0), (r * 1.6, r * 0.35, r * 0.7), "body/plastic", rounding=r * 0.2)
    cabin = rng.choice(["cabin/glass", "cabin/plastic"])
    s.box((-r * 0.1, r * 1.1, 0), (r * 0.8, r * 0.35, r * 0.6), cabin, rounding=r * 0.2)
    for sx in (-1, 1):
        for sz in (-1, 1):
            x, y = sx * r * 0.95, r * 0.3
            s.pole((x, y, sz * r * 0.6), (x, y, sz * r * 0.8), r * 0.3, "wheels/rubber")
    return s


def ball(rng: random.Random) -> Solid:
    """A ball."""
    s, r = Solid(), between(rng, 0.04, 0.1)
    s.ball((0, r, 0), (r, r, r), "ball/" + rng.choice(["plastic", "cloth", "package"]))
    return s


def robot(rng: random.Random) -> Solid:
    """A toy robot with glowing eyes."""
    s, r = Solid(blend=0.01), between(rng, 0.04, 0.1)
    s.box((0, r * 1.4, 0), (r * 0.6, r * 0.7, r * 0.4), "torso/metal", rounding=0.005)
    s.box((0, r * 2.6, 0), (r * 0.45, r * 0.4, r * 0.4), "head/plastic", rounding=0.005)
    for sx in (-1, 1):
        hand = (sx * r * between(rng, 0.8, 1.5), r * 1.0, -r * between(rng, 0, 0.8))
        s.rod((sx * r * 0.75, r * 1.9, 0), hand, r * 0.15, "arms/metal")
        s.box((sx * r * 0.3, r * 0.35, 0), (r * 0.22, r * 0.38, r * 0.3), "legs/plastic")
        s.ball((sx * r * 0.2, r * 2.7, -r * 0.4), (r * 0.1,) * 3, "eyes/lit")
    return s


def doll(rng: random.Random) -> Solid:
    """A doll in a dress."""
    s, r = Solid(blend=0.01), between(rng, 0.04, 0.1)
    s.add(CONE, (0, r, 0), (r * 0.9, r, r * 0.2), "dress/cloth")
    s.ball((0, r * 2.4, 0), (r * 0.45, r * 0.5, r * 0.45), "face/skin")
    s.ball((0, r * 2.6, r * 0.08), (r * 0.5, r * 0.45, r * 0.5), "hair/hair")
    return s


def handbag(rng: random.Random) -> Solid:
    """A bag with its strap."""
    s = Solid(blend=0.015)
    x, y, z = between(rng, 0.1, 0.22), between(rng, 0.08, 0.2), between(rng, 0.04, 0.1)
    material = rng.choice(["cloth", "plastic", "package"])
    s.add(PILLOW, (0, y, 0), (x, y, z), f"bag/{material}", extra=(between(rng, 3, 8), 0, 0))
    turn = rotate(0, math.pi / 2, math.pi / 2)
    s.add(TORUS, (0, 2 * y * 0.92, 0), (x * 0.5, 0.0, 0.008), "strap/cloth", turn, extra=(1.6, 0, 0))
    if chance(rng, 0.5):
        s.box((0, y * 0.8, -z * 0.95), (x * 0.6, y * 0.45, 0.02), "pocket/cloth", rounding=0.015)
    return s


def shoes(rng: random.Random) -> Solid:
    """A pair of shoes, or one."""
    s = Solid(blend=0.015)
    soles = "soles/" + rng.choice(["rubber", "white"])
    for sx in (-1, 1) if chance(rng, 0.6) else (0,):
        x = sx * 0.06
        s.box((x, 0.012, 0), (0.045, 0.014, 0.13), soles, rounding=0.01)
        s.ball((x, 0.045, -0.04), (0.042, 0.04, 0.085), "shoes/" + rng.choice(["cloth", "plastic"]))
        s.ball((x, 0.06, 0.07), (0.04, 0.06, 0.055), "shoes/cloth")
    return s


def hat(rng: random.Random) -> Solid:
    """A hat with a brim and a band."""
    s, r = Solid(blend=0.015), between(rng, 0.08, 0.1)
    s.add(CYLINDER, (0, 0.01, 0), (r * between(rng, 1.2, 2), 0.004, r), "hat/cloth")
    s.ball((0, 0.03, 0), (r, between(rng, 0.07, 0.12), r * 1.15), "hat/cloth")
    s.add(TORUS, (0, 0.03, 0), (r * 0.98, 0.0, 0.008), "band/cloth")
    return s


def cushion(rng: random.Random) -> Solid:
    """A cushion."""
    s, x = Solid(), between(rng, 0.15, 0.28)
    turn = rotate(0, between(rng, -0.2, 0.2), between(rng, -0.2, 0.2))
    size = (x, x * 0.33, x * between(rng, 0.6, 1))
    s.add(PILLOW, (0, x * 0.35, 0), size, "cushion/cloth", turn, extra=(between(rng, 2.5, 4), 0, 0))
    return s


def dropped_cloth(rng: random.Random) -> Solid:
    """A cloth that lies in waves."""
    s = Solid()
    s.safety = 0.6
    size = (between(rng, 0.1, 0.3), between(rng, 0.1, 0.25), 0.012)
    waves = (between(rng, 0.01, 0.03), between(rng, 15, 40), between(rng, 5, 25))
    s.add(SHEET, (0, 0.03, 0), size, "cloth/cloth", rotate(0, math.pi / 2, 0), 0.01, waves)
    return s


def folded_clothes(rng: random.Random) -> Solid:
    """Folded clothes on one another."""
    s, y = Solid(blend=0.015), 0.0
    for k in range(rng.randint(1, 5)):
        t = between(rng, 0.015, 0.035)
        size = (between(rng, 0.11, 0.16), t, between(rng, 0.09, 0.13))
        s.box((between(rng, -0.01, 0.01), y + t, 0), size, f"fold{k}/cloth", rotate(between(rng, -0.08, 0.08)), t * 0.9)
        y += 2 * t * 0.95
    return s


def globe(rng: random.Random) -> Solid:
    """A globe in its ring."""
    s, r = Solid(blend=0.005), between(rng, 0.03, 0.1)
    s.ball((0, r * 2.1, 0), (r, r, r), "globe/" + rng.choice(["picture", "paint", "glass"]))
    s.add(TORUS, (0, r * 2.1, 0), (r * 1.12, 0.0, r * 0.05), "ring/metal", rotate(0, math.pi / 2, 0.4))
    s.rod((0, 0, 0), (0, r, 0), r * 0.1, "stand/wood")
    s.add(CYLINDER, (0, r * 0.08, 0), (r * 0.6, r * 0.08, r), "stand/wood")
    return s


def lantern(rng: random.Random) -> Solid:
    """A frame with a light in it."""
    s, r = Solid(blend=0.005), between(rng, 0.03, 0.1)
    s.add(FRAME, (0, r * 1.6, 0), (r, r * 1.5, r), "frame/metal", rounding=r * 0.06)
    s.add(CYLINDER, (0, r * 0.8, 0), (r * 0.35, r * 0.6, r), "candle/lit")
    s.add(CONE, (0, r * 3.3, 0), (r * 1.1, r * 0.3, r * 0.2), "frame/metal")
    return s


def turned_figure(rng: random.Random) -> Solid:
    """A chess piece, a candlestick: turned sections with a knob."""
    s, r, y = Solid(blend=between(rng, 0.002, 0.02)), between(rng, 0.03, 0.1), 0.0
    for _ in range(rng.randint(3, 6)):
        h, q = r * between(rng, 0.1, 0.6), r * between(rng, 0.3, 1)
        shape, material = rng.choice([CYLINDER, ELLIPSOID, CONE]), rng.choice(["wood", "stone", "metal"])
        s.add(shape, (0, y + h, 0), (q, h, q * between(rng, 0.3, 0.9)), f"body/{material}")
        y += 1.8 * h
    s.ball((0, y + r * 0.3, 0), (r * 0.35,) * 3, "body/wood")
    return s


def star(rng: random.Random) -> Solid:
    """A star with three to seven points."""
    s, r = Solid(blend=0.005), between(rng, 0.03, 0.1)
    extra = (float(rng.randint(3, 7)), between(rng, 0.4, 1), 0)
    s.add(STAR, (0, r, 0), (r, r, r * 0.15), "star/" + rng.choice(["metal", "paint", "wood"]), extra=extra)
    return s


def standing_photo(rng: random.Random) -> Solid:
    """A framed photograph, leaning."""
    s, r = Solid(), between(rng, 0.03, 0.1)
    x, y, turn = r * 1.2, r * 1.5, rotate(0, 0.25, 0)
    s.box((0, y, 0), (x, y, 0.006), "frame/" + rng.choice(["wood", "metal", "paint"]), turn)
    s.box((0, y, -0.005), (x * 0.82, y * 0.85, 0.004), "photo/picture", turn)
    return s


def guitar(rng: random.Random) -> Solid:
    """A stringed instrument, standing."""
    s, r = Solid(blend=between(rng, 0.002, 0.02)), between(rng, 0.03, 0.1)
    s.ball((0, r * 1.2, 0), (r * 1.1, r * 1.2, r * 0.35), "body/wood")
    s.ball((0, r * 2.9, 0), (r * 0.8, r * 0.9, r * 0.33), "body/wood")
    s.box((0, r * 5, 0), (r * 0.14, r * 2, r * 0.08), "neck/wood")
    s.box((0, r * 7.1, 0), (r * 0.22, r * 0.35, r * 0.08), "head/dark")
    return s


def trophy(rng: random.Random) -> Solid:
    """A trophy on its base."""
    s, r = Solid(blend=0.005), between(rng, 0.03, 0.1)
    s.box((0, r * 0.15, 0), (r * 0.7, r * 0.15, r * 0.7), "base/stone")
    s.add(CONE, (0, r * 1.0, 0), (r * 0.15, r * 0.7, r * 0.45), "cup/metal")
    s.add(BOWL, (0, r * 2.2, 0), (r * 0.7, r, r * 0.05), "cup/metal")
    return s


def statuette(rng: random.Random) -> Solid:
    """A rough figure of stone."""
    s, r = Solid(blend=between(rng, 0.002, 0.02)), between(rng, 0.03, 0.1)
    s.ball((0, r * 0.9, 0), (r * 0.7, r * 0.9, r * 0.6), "figure/stone")
    s.ball((0, r * 2.1, 0), (r * 0.4, r * 0.45, r * 0.42), "figure/stone")
    s.ball((0, r * 0.4, -r * 0.4), (r * 0.8, r * 0.35, r * 0.5), "figure/stone")
    s.dents = (r * 0.03, 30.0, 1.0)
    return s


def shape_at_random(rng: random.Random) -> tuple[int, Vector, Vector, float]:
    """Shape, size, extras and rounding of one primitive."""
    shape = rng.choice(
        [BOX, BOX, ELLIPSOID, ELLIPSOID, CYLINDER, CONE, TORUS, TUBE, FRAME, BOWL, STAR, PILLOW, FLUTED, SPOKES]
    )
    sx, sy, sz = (between_log(rng, 0.02, 0.14) for _ in range(3))
    extra = (0.0, 0.0, 0.0)
    if shape == TORUS:
        sz, extra = sx * between(rng, 0.15, 0.5), (between(rng, 0.8, 3) if chance(rng, 0.3) else 0.0, 0.0, 0.0)
    elif shape == TUBE:
        sz, extra = 0.004, (sx * between(rng, 0.5, 1.5), float(chance(rng, 0.4)), 0.0)
    elif shape == BOWL:
        sz, extra = 0.004, (sx * between(rng, -0.6, 0.6), 0.0, 0.0)
    elif shape == STAR:
        extra = (float(rng.randint(3, 8)), between(rng, 0.4, 1), 0.0)
    elif shape == PILLOW:
        extra = (between(rng, 2.2, 8), 0.0, 0.0)
    elif shape == FLUTED:
        extra = (float(rng.randint(5, 24)), between(rng, 0.03, 0.12), 0.0)
    elif shape == SPOKES:
        sz, extra = sx * 0.1, (float(rng.randint(3, 9)), sx * between(rng, 0.05, 0.2), sx * 0.1)
    rounded = {BOX: rng.random() * 0.9, CYLINDER: rng.random() * 0.9, FRAME: 0.15}
    return shape, (sx, sy, sz), extra, min(sx, sy, sz) * rounded.get(shape, 0.0)


def abstract(rng: random.Random) -> Solid:
    """A random composition of primitives: what no list of things foresees."""
    s = Solid(blend=between(rng, 0, 0.06) * float(chance(rng, 0.5)))
    for k in range(rng.choices([1, 2, 3, 4, 6], [4, 3, 3, 2, 1])[0]):
        shape, size, extra, rounding = shape_at_random(rng)
        at, turn = (0.0, 0.13, 0.0), rotate()
        if k:
            at = (between(rng, -0.1, 0.1), 0.12 + between(rng, -0.05, 0.15), between(rng, -0.1, 0.1))
        if chance(rng, 0.5):
            turn = rotate(rng.random() * 6, between(rng, -1.5, 1.5), between(rng, -1.5, 1.5))
        s.add(shape, at, size, f"part{min(k, rng.randrange(4))}", turn, rounding, extra)
    if chance(rng, 0.25):
        s.dents = (between_log(rng, 0.002, 0.012), between(rng, 15, 60), rng.random() * 6)
        s.safety = 0.7
    return s


TOYS = evenly(8, soft_animal, blocks, toy_car, ball, robot, doll)
CLOTHES = evenly(7, handbag, shoes, hat, cushion, dropped_cloth, folded_clothes)
ORNAMENTS = evenly(8, globe, lantern, turned_figure, star, standing_photo, guitar, trophy, statuette)
BELONGINGS = [*TOYS, *CLOTHES, *ORNAMENTS, (abstract, 12)]
