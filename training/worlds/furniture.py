"""Furniture and fittings of rooms: each function builds one solid, upright, in metres, from a random source."""

from __future__ import annotations

import math
import random

from .records import (
    BARS,
    BOX,
    CONE,
    CYLINDER,
    FLUTED,
    FRAME,
    PILLOW,
    SHEET,
    TORUS,
    TUBE,
    Solid,
    between,
    between_log,
    chance,
    rotate,
)


def legs(rng: random.Random, s: Solid, x: float, z: float, height: float, part: str, thick: float = 0.0) -> None:
    """Four legs under a rectangle of half extents x, z: square, round, tapered or splayed."""
    r = thick or between(rng, 0.012, 0.04)
    kind, splay = rng.randrange(4), between(rng, 0, 0.12) * float(chance(rng, 0.4))
    for sx in (-1, 1):
        for sz in (-1, 1):
            a, b = (sx * (x + splay), r, sz * (z + splay)), (sx * (x - r), height, sz * (z - r))
            if kind == 0:
                s.box(((a[0] + b[0]) / 2, height / 2, (a[2] + b[2]) / 2), (r, height / 2, r), part, rounding=r * 0.2)
            elif kind == 1:
                s.pole((a[0], 0, a[2]), b, r, part)
            else:
                s.rod(a, b, r * 0.6, part, end=r * 1.2)


def table(rng: random.Random) -> Solid:
    """A dining table, desk, side table or counter."""
    s = Solid()
    low = chance(rng, 0.35)
    h = between(rng, 0.38, 0.55) if low else between(rng, 0.68, 0.8) if chance(rng, 0.85) else between(rng, 0.85, 1.1)
    x, z, th = between(rng, 0.3, 1.0), between(rng, 0.25, 0.55), between(rng, 0.012, 0.04)
    top = rng.choice(["top/wood", "top/wood", "top/paint", "top/stone", "top/plastic"])
    if chance(rng, 0.3):
        r = between(rng, 0.25, 0.7)
        s.add(CYLINDER, (0, h - th, 0), (r, th, r), top, rounding=th * 0.4)
        if chance(rng, 0.6):
            s.pole((0, 0, 0), (0, h - th, 0), between(rng, 0.03, 0.07), "legs/metal")
            s.add(CONE, (0, 0.03, 0), (r * 0.6, 0.03, 0.05), "legs/metal")
        else:
            legs(rng, s, r * 0.6, r * 0.6, h - th, "legs/wood")
        s.carry(0, h, 0, r * 0.68, r * 0.68)
        return s
    s.box((0, h - th, 0), (x, th, z), top, rounding=th * rng.random())
    kind = rng.random()
    if kind < 0.6:
        legs(rng, s, x * 0.93, z * 0.9, h - 2 * th, rng.choice(["legs/wood", "legs/metal", "legs/paint"]))
        if chance(rng, 0.4):
            s.box((0, h - 2 * th - 0.05, 0), (x * 0.88, 0.05, z * 0.85), "frame/wood")
    elif kind < 0.8:
        for sx in (-1, 1):
            s.box((sx * x * 0.9, h / 2 - th, 0), (0.02, h / 2 - th, z * 0.9), "legs/wood")
    else:
        w = between(rng, 0.18, 0.25)
        s.box((x - w, h / 2 - th, 0), (w, h / 2 - th, z * 0.92), "drawers/wood", rounding=0.005)
        for k in range(3):
            s.box((x - w, h * (0.2 + 0.28 * k), -z * 0.93), (w * 0.9, h * 0.115, 0.012), "fronts/wood", rounding=0.004)
            s.rod(
                (x - w - 0.04, h * (0.2 + 0.28 * k), -z - 0.01),
                (x - w + 0.04, h * (0.2 + 0.28 * k), -z - 0.01),
                0.006,
                "handles/metal",
            )
        s.box((-x * 0.93, h / 2 - th, 0), (0.02, h / 2 - th, z * 0.9), "drawers/wood")
    if chance(rng, 0.18):
        s.add(
            SHEET, (0, h * 0.8, -z - 0.01), (x, h * 0.2, 0.008), "cloth/cloth", extra=(0.015, between(rng, 12, 30), 0.0)
        )
        s.box((0, h + 0.004, 0), (x * 1.01, 0.005, z * 1.01), "cloth/cloth", rounding=0.004)
    s.carry(0, h + 0.005, 0, x * 0.88, z * 0.85)
    return s


def chair(rng: random.Random) -> Solid:
    """A chair of many kinds: seat, legs, back of slats, bars or a shell."""
    s = Solid(blend=0.01 * float(chance(rng, 0.3)))
    w, d, h, th = between(rng, 0.19, 0.26), between(rng, 0.19, 0.26), between(rng, 0.42, 0.5), between(rng, 0.012, 0.05)
    wooden = rng.choice(["wood", "metal", "paint", "plastic"])
    seat = rng.choice([f"seat/{wooden}", "seat/cloth", "seat/cloth", f"seat/{wooden}"])
    s.box((0, h - th, 0), (w, th, d), seat, rounding=th * between(rng, 0.2, 0.95))
    if chance(rng, 0.15):
        s.pole((0, 0.06, 0), (0, h - th, 0), 0.03, "legs/metal")
        for k in range(5):
            a = k * math.tau / 5
            s.rod((0, 0.07, 0), (0.3 * math.cos(a), 0.04, 0.3 * math.sin(a)), 0.018, "legs/metal")
    else:
        legs(rng, s, w * 0.92, d * 0.92, h - th, f"legs/{wooden}")
    back, lean = between(rng, 0.35, 0.6), between(rng, 0.0, 0.25)
    turn = rotate(0, lean, 0)
    middle = (0.0, h + back / 2, d + lean * back / 2)
    kind = rng.random()
    if kind < 0.35:
        s.box(
            middle, (w, back / 2, between(rng, 0.01, 0.04)), seat if chance(rng, 0.5) else f"back/{wooden}", turn, 0.01
        )
    elif kind < 0.6:
        s.add(
            BARS,
            middle,
            (w * 0.95, back / 2, 0.012),
            f"back/{wooden}",
            turn,
            0.003,
            (w * 0.95 / rng.randint(2, 5), between(rng, 0.008, 0.025), 0),
        )
        s.box((0, h + back, d + lean * back), (w, 0.03, 0.018), f"back/{wooden}", turn, 0.01)
    elif kind < 0.85:
        for k in range(rng.randint(1, 4)):
            y = back * (1 - 0.22 * k)
            s.box((0, h + y, d + lean * y), (w, between(rng, 0.02, 0.045), 0.012), f"back/{wooden}", turn, 0.008)
        for sx in (-1, 1):
            s.rod((sx * w, h - th, d), (sx * w, h + back, d + lean * back), 0.016, f"back/{wooden}")
    if chance(rng, 0.25):
        for sx in (-1, 1):
            s.rod((sx * w, h + 0.2, -d * 0.8), (sx * w, h + 0.22, d), 0.02, f"arms/{wooden}")
            s.rod((sx * w, h, -d * 0.8), (sx * w, h + 0.2, -d * 0.8), 0.015, f"arms/{wooden}")
    if chance(rng, 0.15):
        s.add(PILLOW, (0, h + 0.04, 0), (w * 0.9, 0.05, d * 0.9), "cushion/cloth", extra=(3.0, 0, 0))
    s.carry(0, h + 0.005, 0, w * 0.7, d * 0.7)
    return s


def stool(rng: random.Random) -> Solid:
    """A stool or a pouffe."""
    s = Solid()
    r, h = between(rng, 0.15, 0.25), between_log(rng, 0.35, 0.8)
    if chance(rng, 0.3):
        s.add(
            rng.choice([CYLINDER, FLUTED, PILLOW]),
            (0, h / 2, 0),
            (r * 1.3, h / 2, r * 1.3),
            "body/cloth",
            rounding=0.05,
            extra=(rng.choice([4.0, 12.0, 20.0]), 0.04, 0),
        )
    else:
        s.add(
            CYLINDER,
            (0, h - 0.025, 0),
            (r, 0.025, r),
            "seat/" + rng.choice(["wood", "cloth", "plastic"]),
            rounding=0.015,
        )
        legs(rng, s, r * 0.75, r * 0.75, h - 0.04, "legs/" + rng.choice(["wood", "metal"]))
        if chance(rng, 0.5):
            s.add(TORUS, (0, h * 0.35, 0), (r * 0.8, 0.01, 0.01), "ring/metal")
    s.carry(0, h, 0, r * 0.6, r * 0.6)
    return s


def sofa(rng: random.Random) -> Solid:
    """An armchair or a sofa with its cushions."""
    s = Solid(blend=between(rng, 0, 0.03))
    n = rng.choice([1, 1, 2, 2, 3])
    w, d, seat, arm = 0.3 * n + 0.05, between(rng, 0.38, 0.5), between(rng, 0.36, 0.46), between(rng, 0.06, 0.13)
    cover = rng.choice(["cover/cloth", "cover/cloth", "cover/plastic"])
    r = between(rng, 0.02, 0.06)
    s.box((0, seat * 0.5, 0), (w, seat * 0.38, d), cover, rounding=r)
    back = between(rng, 0.25, 0.45)
    s.box((0, seat + back * 0.5, d - 0.1), (w, back * 0.6, 0.11), cover, rotate(0, between(rng, 0, 0.2), 0), r)
    if chance(rng, 0.85):
        for sx in (-1, 1):
            s.box(
                (sx * (w + arm * 0.6), seat * 0.72, 0), (arm, seat * 0.62, d), cover, rounding=min(r * 1.5, arm * 0.9)
            )
    seats = rng.choice(["seats/cloth", cover])
    for k in range(n):
        x = (k - (n - 1) / 2) * 0.6
        s.add(BOX, (x, seat + 0.03, -0.06), (0.29, 0.075, d - 0.1), seats, rounding=0.05)
        if chance(rng, 0.5):
            s.add(
                PILLOW,
                (x + between(rng, -0.1, 0.1), seat + 0.26, d - 0.28),
                (between(rng, 0.15, 0.24), 0.17, 0.08),
                rng.choice(["cushion/cloth", "pillow/cloth"]),
                rotate(between(rng, -0.4, 0.4), 0.35, between(rng, -0.5, 0.5)),
                extra=(between(rng, 2.5, 4), 0, 0),
            )
    legs(rng, s, w * 0.9, d * 0.85, seat * 0.15, "legs/wood", 0.025)
    s.carry(0, seat + 0.1, -0.1, w * 0.8, d * 0.4)
    return s


def bed(rng: random.Random) -> Solid:
    """A bed with blanket and pillows."""
    s = Solid(blend=0.01)
    w, d, h = rng.choice([0.45, 0.5, 0.8, 0.9]), between(rng, 0.9, 1.05), between(rng, 0.22, 0.4)
    s.box((0, h * 0.5, 0), (w, h * 0.3, d), "frame/wood", rounding=0.02)
    s.box((0, h + 0.04, 0), (w * 0.97, 0.12, d * 0.97), "mattress/white", rounding=0.06)
    s.box((0, h + 0.09, -d * 0.25), (w * 1.02, 0.11, d * 0.72), "blanket/cloth", rounding=0.07)
    s.box(
        (0, h + between(rng, 0.15, 0.5), d),
        (w, between(rng, 0.3, 0.6), 0.035),
        "head/" + rng.choice(["wood", "cloth", "metal"]),
        rounding=0.02,
    )
    for k in range(1 if w < 0.6 else 2):
        x = 0 if w < 0.6 else (k - 0.5) * w
        s.add(
            PILLOW,
            (x, h + 0.24, d * 0.78),
            (between(rng, 0.25, 0.36), 0.1, 0.2),
            rng.choice(["pillows/cloth", "pillows/white"]),
            rotate(between(rng, -0.2, 0.2), -0.2, 0),
            extra=(3.0, 0, 0),
        )
    legs(rng, s, w * 0.9, d * 0.9, h * 0.25, "frame/wood", 0.03)
    s.carry(0, h + 0.21, -d * 0.2, w * 0.7, d * 0.5)
    return s


def shelf(rng: random.Random) -> Solid:
    """Shelves, open or with a back, with room for things on every board."""
    s = Solid()
    w, d, h, th = (
        between(rng, 0.3, 0.75),
        between(rng, 0.12, 0.22),
        between_log(rng, 0.6, 2.1),
        between(rng, 0.008, 0.018),
    )
    material = rng.choice(["body/wood", "body/paint", "body/metal"])
    for sx in (-1, 1):
        s.box((sx * w, h / 2, 0), (th, h / 2, d), material)
    n = max(2, round(h / between(rng, 0.28, 0.42)))
    for k in range(n + 1):
        y = th + (h - 2 * th) * k / n
        s.box((0, y, 0), (w, th, d), material)
        if k < n or chance(rng, 0.7):
            s.carry(0, y + th, 0, w * 0.85, d * 0.6)
    if chance(rng, 0.6):
        s.box((0, h / 2, d), (w, h / 2, 0.006), "back/wood")
    return s


def cabinet(rng: random.Random) -> Solid:
    """A cupboard, chest of drawers, kitchen unit or refrigerator."""
    s = Solid()
    w, d, h = between(rng, 0.25, 0.7), between(rng, 0.2, 0.32), between_log(rng, 0.5, 2.0)
    body = rng.choice(["body/wood", "body/paint", "body/plastic", "body/metal"])
    s.box((0, h / 2, 0), (w, h / 2, d), body, rounding=0.008)
    front, columns, rows = rng.choice(["doors/wood", "doors/paint", body]), rng.randint(1, 3), rng.randint(1, 4)
    handle, style = "handles/metal", rng.randrange(3)
    for i in range(columns):
        for j in range(rows):
            cx, cy = w * ((2 * i + 1) / columns - 1), h * (j + 0.5) / rows
            hx, hy = w / columns * 0.94, h / rows / 2 * 0.93
            s.box((cx, cy, -d - 0.006), (hx, hy, 0.012), front, rounding=0.004)
            if style == 0:
                s.ball((cx + hx * 0.8, cy, -d - 0.03), (0.012, 0.012, 0.012), handle)
            elif style == 1:
                s.rod((cx - 0.05, cy + hy * 0.7, -d - 0.03), (cx + 0.05, cy + hy * 0.7, -d - 0.03), 0.007, handle)
    if chance(rng, 0.5):
        s.box((0, h + 0.012, 0), (w * 1.02, 0.015, d * 1.05), "top/" + rng.choice(["stone", "wood"]))
    s.carry(0, h + 0.028, 0, w * 0.85, d * 0.75)
    return s


def floor_lamp(rng: random.Random) -> Solid:
    """A standing lamp."""
    s = Solid()
    h, r = between(rng, 1.2, 1.8), between(rng, 0.1, 0.24)
    s.add(CYLINDER, (0, 0.012, 0), (between(rng, 0.1, 0.17), 0.012, 0.1), "foot/metal")
    s.rod((0, 0.02, 0), (0, h, 0), between(rng, 0.008, 0.016), "pole/metal")
    s.add(
        TUBE, (0, h + 0.02, 0), (r, between(rng, 0.1, 0.18), 0.004), "shade/lit", extra=(r * between(rng, 0.5, 1), 1, 0)
    )
    return s


def table_lamp(rng: random.Random) -> Solid:
    """A lamp for a table or desk."""
    s = Solid(blend=0.005)
    if chance(rng, 0.35):
        a, b = between(rng, 0.15, 0.3), between(rng, 0.15, 0.3)
        s.add(CYLINDER, (0, 0.012, 0), (0.09, 0.012, 0.09), "foot/metal")
        elbow = (0.08, a, 0.0)
        end = (elbow[0] - b * 0.7, a + b * 0.5, 0.0)
        s.rod((0, 0.02, 0), elbow, 0.008, "arm/metal")
        s.rod(elbow, end, 0.008, "arm/metal")
        s.add(
            CONE,
            (end[0] - 0.02, end[1] - 0.03, 0),
            (0.07, 0.05, 0.025),
            "shade/" + rng.choice(["metal", "paint", "lit"]),
            rotate(0, 0, between(rng, -0.6, 0.2)),
        )
        return s
    h, r = between(rng, 0.18, 0.4), between(rng, 0.08, 0.16)
    kind = rng.randrange(3)
    if kind == 0:
        s.ball((0, h * 0.45, 0), (r * 0.6, h * 0.45, r * 0.6), "foot/ceramic")
    elif kind == 1:
        s.rod((0, 0, 0), (0, h, 0), 0.015, "foot/wood")
        s.add(CYLINDER, (0, 0.012, 0), (r * 0.6, 0.012, r * 0.6), "foot/wood")
    else:
        s.add(CONE, (0, h * 0.45, 0), (r * 0.6, h * 0.45, 0.02), "foot/ceramic")
    s.add(
        TUBE,
        (0, h + 0.07, 0),
        (r, between(rng, 0.06, 0.1), 0.003),
        "shade/lit",
        extra=(r * between(rng, 0.45, 1), 1, 0),
    )
    return s


def hanging_lamp(rng: random.Random) -> Solid:
    """A lamp on its cable; its origin is the shade's lower rim."""
    s = Solid()
    r = between(rng, 0.08, 0.3)
    kind = rng.randrange(3)
    if kind == 0:
        s.ball((0, r, 0), (r, r, r), "shade/lit")
    elif kind == 1:
        s.add(
            TUBE,
            (0, r * 0.6, 0),
            (r, r * 0.6, 0.004),
            "shade/" + rng.choice(["lit", "metal"]),
            extra=(r * between(rng, 0.1, 0.9), 1, 0),
        )
    else:
        for k in range(5):
            a = k * math.tau / 5
            s.rod((0, r, 0), (r * math.cos(a), r * 0.4, r * math.sin(a)), 0.008, "arms/metal")
            s.ball((r * math.cos(a), r * 0.5, r * math.sin(a)), (0.03, 0.05, 0.03), "bulbs/lit")
    s.rod((0, r, 0), (0, r + between(rng, 0.4, 1.0), 0), 0.005, "cable/dark")
    return s


def wall_picture(rng: random.Random) -> Solid:
    """A framed picture or poster, its back at z = 0, facing -z; base is its lower edge."""
    s = Solid()
    w, h, f = between_log(rng, 0.1, 0.6), between_log(rng, 0.12, 0.5), between(rng, 0.008, 0.05)
    s.box((0, h, -0.008), (w, h, 0.008), "picture/picture")
    if chance(rng, 0.75):
        material = rng.choice(["frame/wood", "frame/metal", "frame/paint", "frame/dark"])
        for sx in (-1, 1):
            s.box((sx * w, h, -0.014), (f, h + f, 0.014), material)
            s.box((0, h + sx * h, -0.014), (w, f, 0.014), material)
        if chance(rng, 0.4):
            s.box((0, h, -0.0095), (w * 0.98, h * 0.98, 0.008), "mat/white")
            s.box((0, h, -0.011), (w * 0.7, h * 0.7, 0.008), "picture/picture")
    return s


def window(rng: random.Random) -> Solid:
    """A window in a wall: frame, mullions, bright outdoors."""
    s = Solid()
    w, h, f = between(rng, 0.3, 1.0), between(rng, 0.4, 0.9), between(rng, 0.02, 0.05)
    s.box((0, h, -0.01), (w, h, 0.01), "panes/view")
    material = rng.choice(["frame/white", "frame/wood", "frame/dark", "frame/paint"])
    for sx in (-1, 1):
        s.box((sx * w, h, -0.02), (f, h + f, 0.03), material)
        s.box((0, h + sx * h, -0.02), (w, f, 0.03), material)
    nx, ny = rng.randint(0, 3), rng.randint(0, 3)
    for k in range(nx):
        s.box((w * (2 * (k + 1) / (nx + 1) - 1), h, -0.018), (f * 0.45, h, 0.015), material)
    for k in range(ny):
        s.box((0, 2 * h * (k + 1) / (ny + 1), -0.018), (w, f * 0.45, 0.015), material)
    if chance(rng, 0.4):
        s.box((0, -0.02, -0.08), (w * 1.1, 0.02, 0.1), "sill/" + rng.choice(["stone", "wood", "white"]))
        s.carry(0, 0.005, -0.09, w * 0.9, 0.05)
    if chance(rng, 0.2):
        s.add(
            BARS,
            (0, h, -0.05),
            (h, w, 0.012),
            "blind/white",
            rotate(0, 0, math.pi / 2),
            0.002,
            (between(rng, 0.03, 0.06), 0.004, 0),
        )
    return s


def curtain(rng: random.Random) -> Solid:
    """Curtains beside or before a window, hanging from a rod."""
    s = Solid()
    s.safety = 0.6
    h, w, deep = between(rng, 0.6, 1.2), between(rng, 0.2, 0.6), between(rng, 0.02, 0.05)
    gap = between(rng, 0, 0.9) * float(chance(rng, 0.7))
    for sx in (-1, 1) if gap else (0,):
        s.add(
            SHEET,
            (sx * (gap + w), h, -deep - 0.02),
            (w, h, 0.01),
            "cloth/cloth",
            extra=(deep, between(rng, 15, 45), between(rng, 0, 0.4)),
        )
    if chance(rng, 0.7):
        x = gap + 2 * w + 0.1
        s.rod((-x, 2 * h + 0.02, -0.05), (x, 2 * h + 0.02, -0.05), 0.015, "rod/" + rng.choice(["metal", "wood"]))
    return s


def door(rng: random.Random) -> Solid:
    """A door with its frame and handle."""
    s = Solid()
    w, h = between(rng, 0.38, 0.5), between(rng, 0.98, 1.1)
    leaf = rng.choice(["leaf/wood", "leaf/white", "leaf/paint", "leaf/metal"])
    s.box((0, h, -0.02), (w, h, 0.02), leaf)
    for k in range(rng.choice([0, 2, 3])):
        s.box((0, h * (0.4 + 0.55 * k), -0.042), (w * 0.7, h * 0.2, 0.004), leaf, rounding=0.003)
    for sx in (-1, 1):
        s.box((sx * (w + 0.04), h, -0.03), (0.04, h + 0.04, 0.03), "frame/white")
    s.box((0, 2 * h + 0.04, -0.03), (w + 0.08, 0.04, 0.03), "frame/white")
    s.rod((w * 0.82, h * 0.95, -0.08), (w * 0.6, h * 0.95, -0.08), 0.01, "handle/metal")
    return s


def radiator(rng: random.Random) -> Solid:
    """A radiator under a window."""
    s = Solid()
    w, h = between(rng, 0.3, 0.8), between(rng, 0.25, 0.35)
    s.add(
        BARS,
        (0, h + 0.1, -0.06),
        (w, h, 0.05),
        "body/white",
        rounding=0.01,
        extra=(between(rng, 0.04, 0.08), between(rng, 0.012, 0.02), 0),
    )
    s.box((0, h * 2 + 0.08, -0.06), (w, 0.02, 0.03), "body/white", rounding=0.01)
    s.box((0, 0.12, -0.06), (w, 0.02, 0.03), "body/white", rounding=0.01)
    return s


def wall_shelf(rng: random.Random) -> Solid:
    """A board on a wall."""
    s = Solid()
    w, d = between(rng, 0.2, 0.7), between(rng, 0.08, 0.14)
    s.box((0, 0.0, -d), (w, 0.012, d), "board/" + rng.choice(["wood", "white", "paint"]))
    for sx in (-1, 1):
        s.box((sx * w * 0.7, -0.06, -d * 0.6), (0.01, 0.06, d * 0.55), "brackets/metal")
    s.carry(0, 0.013, -d, w * 0.85, d * 0.6)
    return s


def clock(rng: random.Random) -> Solid:
    """A round clock or a mirror on a wall."""
    s = Solid()
    r = between(rng, 0.1, 0.35)
    turn = rotate(0, math.pi / 2, 0)
    s.add(CYLINDER, (0, r, -0.015), (r, 0.015, r), "face/" + rng.choice(["white", "metal", "picture", "paint"]), turn)
    s.add(TORUS, (0, r, -0.02), (r, 0.0, 0.015), "rim/" + rng.choice(["wood", "metal", "dark"]), turn)
    if chance(rng, 0.5):
        for k in (0.6, 0.8):
            a = rng.random() * math.tau
            s.rod((0, r, -0.034), (k * r * math.cos(a), r + k * r * math.sin(a), -0.034), 0.006, "hands/dark")
    return s


def rug(rng: random.Random) -> Solid:
    """A rug on the floor."""
    s = Solid()
    x, z = between(rng, 0.4, 1.4), between(rng, 0.4, 1.1)
    if chance(rng, 0.3):
        s.add(CYLINDER, (0, 0.006, 0), (x, 0.008, x), "rug/cloth")
    else:
        s.box((0, 0.006, 0), (x, 0.008, z), "rug/cloth")
        if chance(rng, 0.4):
            s.box((0, 0.008, 0), (x * 0.8, 0.008, z * 0.75), "field/cloth")
    s.carry(0, 0.016, 0, x * 0.7, z * 0.7)
    return s


def railing(rng: random.Random) -> Solid:
    """A balustrade, a room divider or a cot's side."""
    s = Solid()
    w, h = between(rng, 0.4, 1.5), between(rng, 0.4, 0.6)
    part = rng.choice(["bars/metal", "bars/wood", "bars/paint"])
    r = between(rng, 0.006, 0.02)
    s.add(BARS, (0, h, 0), (w, h, r), part, rounding=r * 0.5, extra=(between(rng, 0.06, 0.16), r, 0))
    s.box((0, 2 * h, 0), (w, 0.02, 0.03), "rail/wood", rounding=0.01)
    s.box((0, 0.06, 0), (w, 0.015, 0.02), part)
    return s


def stairs(rng: random.Random) -> Solid:
    """A flight of stairs or a step ladder."""
    s = Solid()
    n, w = rng.randint(3, 8), between(rng, 0.3, 0.7)
    for k in range(n):
        y, z = 0.17 * (k + 1), 0.27 * k
        s.box((0, y - 0.03, z), (w, 0.03, 0.15), "steps/wood")
        s.carry(0, y, z, w * 0.8, 0.08)
    for sx in (-1, 1):
        a, b = (sx * w, 0.05, -0.1), (sx * w, 0.17 * n, 0.27 * (n - 1) + 0.1)
        s.rod(a, b, 0.035, "sides/wood")
    return s


def crate(rng: random.Random) -> Solid:
    """A crate, basket, box frame or bin."""
    s = Solid()
    x, y, z = between(rng, 0.12, 0.3), between(rng, 0.1, 0.3), between(rng, 0.1, 0.25)
    kind = rng.randrange(4)
    if kind == 0:
        s.box((0, y, 0), (x, y, z), "body/" + rng.choice(["wood", "plastic", "package"]))
        s.add(BOX, (0, y + 0.02, 0), (x - 0.015, y, z - 0.015), "body/wood", carves=True)
    elif kind == 1:
        s.add(FRAME, (0, y, 0), (x, y, z), "bars/" + rng.choice(["metal", "wood"]), rounding=between(rng, 0.008, 0.02))
    elif kind == 2:
        s.add(
            TUBE,
            (0, y, 0),
            (x * 0.8, y, 0.006),
            "body/" + rng.choice(["metal", "plastic", "wood", "cloth"]),
            extra=(x, 0, 0),
        )
        return s
    else:
        s.box((0, y, 0), (x, y, z), "body/package", rounding=0.004)
        if chance(rng, 0.5):
            s.box((0, 2 * y, 0), (0.025, 0.001, z), "tape/paper")
        s.carry(0, 2 * y + 0.001, 0, x * 0.8, z * 0.8)
    return s


FURNITURE = [
    (table, 12), (chair, 14), (stool, 4), (sofa, 9), (bed, 3), (shelf, 9), (cabinet, 10), (floor_lamp, 5), (railing, 2),
    (stairs, 1.5), (crate, 5),
]  # fmt: skip
WALL_THINGS = [(wall_picture, 14), (window, 10), (curtain, 6), (door, 4), (wall_shelf, 5), (clock, 4)]
