"""Small things that stand on tables, shelves and floors: each function builds one solid, upright, in metres."""

from __future__ import annotations

import math
import random

from .records import (
    BARS,
    BOWL,
    BOX,
    CONE,
    CYLINDER,
    ELLIPSOID,
    FLUTED,
    FOLIAGE,
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
    rotate,
)


def bottle(rng: random.Random) -> Solid:
    """A bottle with cap and label."""
    s = Solid(blend=between(rng, 0.005, 0.03))
    r, h = between(rng, 0.025, 0.055), between(rng, 0.08, 0.22)
    neck = r * between(rng, 0.25, 0.6)
    body = rng.choice(["body/glass", "body/plastic", "body/glass", "body/ceramic"])
    if chance(rng, 0.8):
        s.add(CYLINDER, (0, h / 2, 0), (r, h / 2, r), body, rounding=r * 0.3)
    else:
        s.box((0, h / 2, 0), (r, h / 2, r * between(rng, 0.5, 1)), body, rounding=r * 0.3)
    up = h * between(rng, 0.2, 0.5)
    s.add(CONE, (0, h + up / 2, 0), (r * 0.85, up / 2, neck), body)
    s.add(CYLINDER, (0, h + up, 0), (neck, up * 0.4, neck), body)
    s.add(CYLINDER, (0, h + up * 1.5, 0), (neck * 1.15, 0.012, neck), "cap/" + rng.choice(["metal", "plastic", "dark"]))
    if chance(rng, 0.75):
        s.add(
            CYLINDER, (0, h * between(rng, 0.4, 0.55), 0), (r * 1.015, h * between(rng, 0.15, 0.35), r), "label/package"
        )
    if body == "body/glass":
        s.see_through = between(rng, 0.2, 0.8)
    return s


def cup(rng: random.Random) -> Solid:
    """A cup, mug or drinking glass, sometimes on its saucer."""
    s = Solid()
    r, h, wall = between(rng, 0.03, 0.05), between(rng, 0.035, 0.07), between(rng, 0.0015, 0.004)
    body = rng.choice(["body/ceramic", "body/ceramic", "body/glass", "body/metal", "body/package"])
    lift = 0.0
    if body == "body/ceramic" and chance(rng, 0.4):
        s.add(CYLINDER, (0, 0.006, 0), (r * 1.8, 0.004, r), "saucer/ceramic", rounding=0.003)
        lift = 0.01
    s.add(TUBE, (0, lift + h, 0), (r * between(rng, 0.6, 1), h - wall, wall), body, extra=(r, 0, 0))
    if body in ("body/ceramic", "body/metal") and chance(rng, 0.8):
        s.add(TORUS, (r * 1.05, lift + h, 0), (h * 0.5, 0.0, 0.005), body, rotate(0, math.pi / 2, 0))
    if chance(rng, 0.6):
        s.add(
            CYLINDER,
            (0, lift + h * between(rng, 1.0, 1.7), 0),
            (r * 0.85, 0.004, r),
            "drink/" + rng.choice(["dark", "food"]),
        )
    if body == "body/glass":
        s.see_through = between(rng, 0.4, 0.85)
    return s


def wine_glass(rng: random.Random) -> Solid:
    """A stemmed glass."""
    s = Solid(blend=0.006)
    r, stem = between(rng, 0.028, 0.05), between(rng, 0.05, 0.1)
    s.add(CYLINDER, (0, 0.003, 0), (r * 0.9, 0.003, r), "glass/glass")
    s.rod((0, 0.004, 0), (0, stem, 0), 0.004, "glass/glass")
    s.add(BOWL, (0, stem + r, 0), (r * 1.2, r, 0.0015), "glass/glass", extra=(r * between(rng, 0.2, 0.9), 0, 0))
    if chance(rng, 0.6):
        s.ball((0, stem + r * 0.7, 0), (r * 0.95, r * 0.6, r * 0.95), "wine/food")
    s.see_through = between(rng, 0.4, 0.85)
    return s


def bowl(rng: random.Random) -> Solid:
    """A bowl or plate, often with fruit or food in it."""
    s = Solid()
    r = between(rng, 0.06, 0.16)
    if chance(rng, 0.45):
        s.add(CYLINDER, (0, 0.008, 0), (r * 1.2, 0.005, r), "dish/ceramic", rounding=0.004)
        s.add(TORUS, (0, 0.014, 0), (r * 1.15, 0.0, 0.006), "dish/ceramic")
        y, inner = 0.015, r * 0.8
    else:
        s.add(
            BOWL,
            (0, r, 0),
            (r, r, 0.003),
            "dish/" + rng.choice(["ceramic", "wood", "metal", "glass"]),
            extra=(r * between(rng, -0.5, 0.1), 0, 0),
        )
        y, inner = r * 0.25, r * 0.55
    for k in range(rng.choice([0, 1, 3, 5, 7])):
        a, q = rng.random() * math.tau, inner * math.sqrt(rng.random())
        size = between(rng, 0.02, 0.04)
        at = (q * math.cos(a), y + size * between(rng, 0.8, 1.6), q * math.sin(a))
        s.add(
            rng.choice([ELLIPSOID, ELLIPSOID, PILLOW]),
            at,
            (size, size * between(rng, 0.6, 1), size * between(rng, 0.7, 1.2)),
            f"food{k % 2}/food",
            rotate(a, between(rng, -0.5, 0.5), 0),
            extra=(2.6, 0, 0),
        )
    return s


def vase(rng: random.Random) -> Solid:
    """A vase of turned sections, empty or with flowers or twigs."""
    s = Solid(blend=between(rng, 0.005, 0.04))
    y, r = 0.0, between(rng, 0.03, 0.09)
    body = rng.choice(["body/ceramic", "body/ceramic", "body/glass", "body/metal", "body/stone"])
    for _ in range(rng.randint(2, 4)):
        h, nxt = between(rng, 0.02, 0.09), r * between_log(rng, 0.5, 1.6)
        if chance(rng, 0.35):
            s.ball((0, y + h, 0), (r, h, r), body)
        else:
            s.add(CONE, (0, y + h, 0), (r, h, nxt), body)
        y, r = y + 2 * h * 0.9, min(0.1, nxt)
    if chance(rng, 0.65):
        for k in range(rng.randint(2, 7)):
            a, lean, up = rng.random() * math.tau, between(rng, 0, 0.5), between(rng, 0.1, 0.35)
            end = (lean * up * math.cos(a), y + up, lean * up * math.sin(a))
            s.rod((0, y * 0.9, 0), end, 0.003, "stems/leaf")
            if chance(rng, 0.7):
                s.ball(end, (between(rng, 0.015, 0.05),) * 3, f"flowers{k % 2}/flower")
            else:
                s.ball(end, (0.012, 0.05, 0.03), "stems/leaf", rotate(a, lean, 0))
    return s


def potted_plant(rng: random.Random) -> Solid:
    """A plant in its pot: leafy ball, blades, or a small trunk."""
    s = Solid()
    s.safety = 0.8
    r = between_log(rng, 0.05, 0.2)
    h = r * between(rng, 0.7, 1.1)
    if chance(rng, 0.75):
        s.add(
            CONE,
            (0, h, 0),
            (r * between(rng, 0.6, 1), h, r),
            "pot/" + rng.choice(["ceramic", "stone", "plastic", "wood"]),
        )
    else:
        s.box((0, h, 0), (r, h, r), "pot/" + rng.choice(["wood", "stone", "metal"]))
    s.add(CYLINDER, (0, 2 * h - 0.004, 0), (r * 0.93, 0.008, r), "soil/bark")
    kind = rng.randrange(4)
    up = r * between(rng, 2, 5)
    if kind == 0:
        s.add(
            FOLIAGE,
            (0, 2 * h + up * 0.5, 0),
            (r * 1.8, up * 0.55, r * 1.8),
            "leaves/leaf",
            extra=(between(rng, 0.42, 0.55), between(rng, 4, 9) / r, rng.randrange(999)),
        )
        s.rod((0, h, 0), (0, 2 * h + up * 0.4, 0), 0.012, "stem/bark")
    elif kind == 1:
        for k in range(rng.randint(6, 14)):
            a, lean = k * 2.4, between(rng, 0.1, 0.9)
            mid = (lean * up * 0.5 * math.cos(a), 2 * h + up * 0.6, lean * up * 0.5 * math.sin(a))
            tip = (lean * up * math.cos(a), 2 * h + up * (1 - 0.5 * lean), lean * up * math.sin(a))
            s.rod((0, 2 * h, 0), mid, r * 0.06, "leaves/leaf", end=r * 0.12)
            s.rod(mid, tip, r * 0.12, "leaves/leaf", end=r * 0.02)
    elif kind == 2:
        s.rod((0, h, 0), (0, 2 * h + up, 0), 0.012, "stem/bark")
        for k in range(rng.randint(5, 10)):
            a, y = k * 2.4, 2 * h + up * between(rng, 0.3, 1.0)
            reach = r * between(rng, 0.8, 2)
            end = (reach * math.cos(a), y + between(rng, -0.1, 0.1), reach * math.sin(a))
            s.rod((0, y, 0), end, 0.004, "stem/bark")
            s.ball(
                end,
                (reach * 0.5, 0.008, reach * 0.3),
                "leaves/leaf",
                rotate(-a, between(rng, -0.4, 0.4), between(rng, -0.6, 0.2)),
            )
    else:
        s.add(
            FLUTED,
            (0, 2 * h + up * 0.4, 0),
            (r * 0.6, up * 0.4, r * 0.6),
            "leaves/leaf",
            extra=(rng.choice([6.0, 8.0, 12.0]), 0.1, 0),
        )
        s.ball((0, 2 * h + up * 0.8, 0), (r * 0.6, r * 0.4, r * 0.6), "leaves/leaf")
    return s


def books(rng: random.Random) -> Solid:
    """Books: one, a pile, or a row."""
    s = Solid()
    kind, n = rng.random(), rng.randint(2, 7)
    if kind < 0.25:
        s.box((0, 0.015, 0), (between(rng, 0.06, 0.12), 0.015, between(rng, 0.08, 0.15)), "cover/package")
        s.box((0.004, 0.015, 0.0), (0.118, 0.011, 0.148) if chance(rng, 0) else (0.05, 0.011, 0.075), "pages/white")
        return s
    if kind < 0.55:
        y = 0.0
        for k in range(n):
            t, x, z = between(rng, 0.006, 0.025), between(rng, 0.07, 0.12), between(rng, 0.09, 0.15)
            turn = rotate(between(rng, -0.3, 0.3))
            s.box((between(rng, -0.01, 0.01), y + t, 0), (x, t, z), f"book{k}/package", turn)
            y += 2 * t
        s.carry(0, y, 0, 0.06, 0.08)
        return s
    x = -0.03 * n / 2
    for k in range(n + 2):
        t, h, d = between(rng, 0.006, 0.028), between(rng, 0.08, 0.15), between(rng, 0.06, 0.1)
        lean = between(rng, 0.1, 0.3) if k == n + 1 and chance(rng, 0.5) else 0.0
        s.box((x + t + lean * h, h * math.cos(lean), 0), (t, h, d), f"book{k}/package", rotate(0, 0, -lean))
        x += 2 * t + 0.001
    return s


def package(rng: random.Random) -> Solid:
    """A carton, tin, jar, tube or pack with a print."""
    s = Solid()
    kind = rng.randrange(5)
    if kind == 0:
        x, y, z = between(rng, 0.03, 0.1), between(rng, 0.03, 0.14), between(rng, 0.02, 0.06)
        s.box((0, y, 0), (x, y, z), "box/package", rounding=0.002)
        s.carry(0, 2 * y, 0, x * 0.8, z * 0.8)
    elif kind == 1:
        r, h = between(rng, 0.03, 0.06), between(rng, 0.03, 0.08)
        s.add(CYLINDER, (0, h, 0), (r, h, r), "tin/metal", rounding=0.003)
        s.add(CYLINDER, (0, h, 0), (r * 1.01, h * 0.85, r), "label/package")
        s.carry(0, 2 * h, 0, r * 0.6, r * 0.6)
    elif kind == 2:
        r, h = between(rng, 0.03, 0.05), between(rng, 0.04, 0.08)
        s.add(CYLINDER, (0, h, 0), (r, h, r), "jar/glass", rounding=0.008)
        s.add(CYLINDER, (0, h * 0.8, 0), (r * 0.9, h * 0.75, r), "inside/food")
        s.add(CYLINDER, (0, 2 * h + 0.008, 0), (r * 0.95, 0.01, r), "lid/" + rng.choice(["metal", "plastic"]))
        s.see_through = between(rng, 0.1, 0.5)
    elif kind == 3:
        x, y = between(rng, 0.05, 0.12), between(rng, 0.07, 0.16)
        s.add(PILLOW, (0, y, 0), (x, y, between(rng, 0.02, 0.05)), "bag/package", extra=(between(rng, 2.5, 6), 0, 0))
    else:
        x, y, z = between(rng, 0.025, 0.05), between(rng, 0.05, 0.1), between(rng, 0.025, 0.05)
        s.box((0, y, 0), (x, y, z), "carton/package")
        s.add(BOX, (0, 2 * y + x * 0.5, 0), (x, x * 0.55, 0.004), "carton/package")
        s.add(CONE, (0, 2 * y + x * 0.3, 0), (x * 0.9, x * 0.35, 0.01), "carton/package")
    return s


def fruit(rng: random.Random) -> Solid:
    """A fruit, a vegetable or a loaf."""
    s = Solid(blend=0.01)
    kind = rng.randrange(6)
    r = between(rng, 0.025, 0.06)
    if kind == 0:
        s.ball((0, r * 0.95, 0), (r, r * 0.95, r), "fruit/food")
        s.rod((0, r * 1.7, 0), (0.006, r * 2.2, 0), 0.003, "stalk/bark")
    elif kind == 1:
        s.add(TORUS, (0, r * 0.5, 0), (r * 2.2, 0.0, r * 0.42), "fruit/food", extra=(0.8, 0, 0))
    elif kind == 2:
        s.ball((0, r, 0), (r * 0.8, r, r * 0.8), "fruit/food")
        s.ball((0, r * 2, 0), (r * 0.5, r * 0.8, r * 0.5), "fruit/food")
        s.rod((0, r * 2.7, 0), (0.01, r * 3.1, 0), 0.003, "stalk/bark")
    elif kind == 3:
        s.add(PILLOW, (0, r, 0), (r * 2.2, r, r * 1.2), "loaf/food", extra=(2.4, 0, 0))
        s.dents = (0.004, 40.0, rng.random() * 6)
    elif kind == 4:
        for k in range(rng.randint(6, 12)):
            s.ball(
                (between(rng, -1, 1) * r * 0.8, r * between(rng, 0.3, 1.6), between(rng, -1, 1) * r * 0.8),
                (r * 0.35,) * 3,
                "grapes/food",
            )
    else:
        s.add(FLUTED, (0, r * 1.2, 0), (r * 1.8, r, r * 1.8), "gourd/food", extra=(rng.choice([8.0, 10.0]), 0.08, 0))
        s.ball((0, r * 1.2, 0), (r * 1.9, r * 1.2, r * 1.9), "gourd/food")
        s.rod((0, r * 2.2, 0), (0.01, r * 3, 0), 0.008, "stalk/leaf")
    return s


def device(rng: random.Random) -> Solid:
    """Electronics: display, laptop, telephone, keyboard, speaker, camera, radio, headphones."""
    s = Solid()
    kind = rng.randrange(8)
    if kind == 0:
        w, h = between(rng, 0.18, 0.5), between(rng, 0.12, 0.3)
        up = between(rng, 0.05, 0.15)
        s.box((0, up + h, 0), (w, h, 0.012), "case/dark", rounding=0.005)
        s.box((0, up + h, -0.012), (w * 0.96, h * 0.93, 0.003), "screen/screen")
        s.box((0, up * 0.5, 0.01), (0.03, up * 0.6, 0.012), "stand/metal")
        s.box((0, 0.006, 0), (w * 0.4, 0.006, 0.08), "stand/metal", rounding=0.004)
    elif kind == 1:
        w, d, lean = between(rng, 0.13, 0.19), between(rng, 0.09, 0.13), between(rng, 0.1, 0.5)
        s.box((0, 0.008, 0), (w, 0.008, d), "case/" + rng.choice(["metal", "dark", "white"]), rounding=0.004)
        s.box((0, 0.017, 0.02), (w * 0.9, 0.002, d * 0.45), "keys/dark")
        turn = rotate(0, lean, 0)
        s.box((0, 0.012 + d * math.cos(lean), d + d * math.sin(lean)), (w, d, 0.004), "case/metal", turn)
        s.box(
            (0, 0.012 + d * math.cos(lean), d + d * math.sin(lean) - 0.005),
            (w * 0.95, d * 0.9, 0.002),
            "screen/screen",
            turn,
        )
    elif kind == 2:
        w, h = between(rng, 0.033, 0.04), between(rng, 0.065, 0.08)
        s.box((0, 0.005, 0), (w, 0.004, h), "case/" + rng.choice(["dark", "plastic", "metal"]), rounding=0.003)
        s.box((0, 0.009, 0), (w * 0.94, 0.001, h * 0.95), "screen/screen")
    elif kind == 3:
        w = between(rng, 0.12, 0.22)
        s.box((0, 0.012, 0), (w, 0.01, 0.06), "case/" + rng.choice(["dark", "white", "plastic"]), rounding=0.005)
        for row in range(4):
            s.add(
                BARS,
                (0, 0.022, -0.042 + 0.028 * row),
                (w * 0.93, 0.006, 0.011),
                "keys/" + rng.choice(["dark", "white"]),
                rounding=0.002,
                extra=(0.024, 0.01, 0),
            )
    elif kind == 4:
        x, y, z = between(rng, 0.06, 0.15), between(rng, 0.1, 0.25), between(rng, 0.06, 0.14)
        s.box((0, y, 0), (x, y, z), "case/" + rng.choice(["dark", "wood", "plastic"]), rounding=0.01)
        for k, cy in enumerate((0.6, 1.45)):
            s.add(CONE, (0, y * cy, -z), (x * (0.7 - 0.3 * k), 0.008, x * 0.3), "cone/dark", rotate(0, math.pi / 2, 0))
    elif kind == 5:
        s.box((0, 0.04, 0), (0.065, 0.04, 0.03), "case/dark", rounding=0.01)
        s.pole((0, 0.04, -0.03), (0, 0.04, -0.03 - between(rng, 0.03, 0.1)), 0.03, "lens/dark")
        s.box((0, 0.085, 0), (0.02, 0.01, 0.02), "case/dark", rounding=0.004)
        s.rod((0.066, 0.07, 0), (0.1, 0.02, 0.06), 0.004, "strap/cloth")
    elif kind == 6:
        x, y = between(rng, 0.1, 0.2), between(rng, 0.06, 0.12)
        s.box((0, y, 0), (x, y, 0.05), "case/" + rng.choice(["wood", "plastic", "paint"]), rounding=0.02)
        s.add(BARS, (-x * 0.35, y, -0.05), (x * 0.5, y * 0.75, 0.004), "grille/metal", extra=(0.012, 0.004, 0))
        for k in range(2):
            s.pole((x * (0.45 + 0.3 * k), y, -0.05), (x * (0.45 + 0.3 * k), y, -0.065), 0.018, "knobs/metal")
        s.rod((x * 0.8, 2 * y, 0.02), (x * 1.3, 2 * y + 0.25, 0.02), 0.002, "aerial/metal")
    else:
        s.add(
            TORUS, (0, 0.09, 0), (0.08, 0.0, 0.009), "band/dark", rotate(0, math.pi / 2, math.pi / 2), extra=(1.7, 0, 0)
        )
        for sx in (-1, 1):
            s.add(
                CYLINDER,
                (sx * 0.075, 0.05, 0),
                (0.04, 0.018, 0.04),
                "pads/" + rng.choice(["dark", "plastic"]),
                rotate(0, 0, math.pi / 2),
                0.012,
            )
    return s


def toy(rng: random.Random) -> Solid:
    """A toy: soft animal, figure, blocks, car, ball, robot."""
    s = Solid(blend=0.01)
    kind = rng.randrange(6)
    r = between(rng, 0.04, 0.1)
    if kind == 0:
        coat = rng.choice(["coat/fur", "coat/cloth"])
        s.ball((0, r, 0), (r * 0.9, r, r * 0.8), coat)
        s.ball((0, r * 2.4, 0), (r * 0.8, r * 0.75, r * 0.75), coat)
        for sx in (-1, 1):
            s.ball((sx * r * 0.6, r * 3.0, 0), (r * 0.3, r * between(rng, 0.3, 0.9), r * 0.15), coat)
            s.ball((sx * r * 0.9, r * 1.3, -r * 0.3), (r * 0.3, r * 0.6, r * 0.3), coat, rotate(0, 0, sx * 0.6))
            s.ball((sx * r * 0.6, r * 0.3, -r * 0.8), (r * 0.35, r * 0.35, r * 0.6), coat)
            s.ball((sx * r * 0.3, r * 2.55, -r * 0.68), (r * 0.1,) * 3, "eyes/dark")
        s.ball((0, r * 2.25, -r * 0.7), (r * 0.3, r * 0.25, r * 0.2), "snout/cloth")
    elif kind == 1:
        y = 0.0
        for k in range(rng.randint(2, 6)):
            q = r * between(rng, 0.3, 0.6)
            s.box(
                (between(rng, -0.01, 0.01), y + q, 0),
                (q * between(rng, 0.8, 1.6), q, q),
                f"block{k}/paint",
                rotate(between(rng, -0.5, 0.5)),
                q * 0.1,
            )
            y += 2 * q
    elif kind == 2:
        s.box((0, r * 0.6, 0), (r * 1.6, r * 0.35, r * 0.7), "body/plastic", rounding=r * 0.2)
        s.box(
            (-r * 0.1, r * 1.1, 0),
            (r * 0.8, r * 0.35, r * 0.6),
            "cabin/glass" if chance(rng, 0.5) else "cabin/plastic",
            rounding=r * 0.2,
        )
        for sx in (-1, 1):
            for sz in (-1, 1):
                s.pole(
                    (sx * r * 0.95, r * 0.3, sz * r * 0.6),
                    (sx * r * 0.95, r * 0.3, sz * r * 0.8),
                    r * 0.3,
                    "wheels/rubber",
                )
    elif kind == 3:
        s.ball((0, r, 0), (r, r, r), "ball/" + rng.choice(["plastic", "cloth", "package"]))
    elif kind == 4:
        s.box((0, r * 1.4, 0), (r * 0.6, r * 0.7, r * 0.4), "torso/metal", rounding=0.005)
        s.box((0, r * 2.6, 0), (r * 0.45, r * 0.4, r * 0.4), "head/plastic", rounding=0.005)
        for sx in (-1, 1):
            s.rod(
                (sx * r * 0.75, r * 1.9, 0),
                (sx * r * between(rng, 0.8, 1.5), r * 1.0, -r * between(rng, 0, 0.8)),
                r * 0.15,
                "arms/metal",
            )
            s.box((sx * r * 0.3, r * 0.35, 0), (r * 0.22, r * 0.38, r * 0.3), "legs/plastic")
            s.ball((sx * r * 0.2, r * 2.7, -r * 0.4), (r * 0.1,) * 3, "eyes/lit")
    else:
        s.add(CONE, (0, r, 0), (r * 0.9, r, r * 0.2), "dress/cloth")
        s.ball((0, r * 2.4, 0), (r * 0.45, r * 0.5, r * 0.45), "face/skin")
        s.ball((0, r * 2.6, r * 0.08), (r * 0.5, r * 0.45, r * 0.5), "hair/hair")
    return s


def clothing(rng: random.Random) -> Solid:
    """A bag, a shoe, a hat, a cushion, a folded or heaped cloth."""
    s = Solid(blend=0.015)
    kind = rng.randrange(6)
    if kind == 0:
        x, y, z = between(rng, 0.1, 0.22), between(rng, 0.08, 0.2), between(rng, 0.04, 0.1)
        s.add(
            PILLOW,
            (0, y, 0),
            (x, y, z),
            "bag/" + rng.choice(["cloth", "plastic", "package"]),
            extra=(between(rng, 3, 8), 0, 0),
        )
        s.add(
            TORUS,
            (0, 2 * y * 0.92, 0),
            (x * 0.5, 0.0, 0.008),
            "strap/cloth",
            rotate(0, math.pi / 2, math.pi / 2),
            extra=(1.6, 0, 0),
        )
        if chance(rng, 0.5):
            s.box((0, y * 0.8, -z * 0.95), (x * 0.6, y * 0.45, 0.02), "pocket/cloth", rounding=0.015)
    elif kind == 1:
        for sx in (-1, 1) if chance(rng, 0.6) else (0,):
            x = sx * 0.06
            s.box((x, 0.012, 0), (0.045, 0.014, 0.13), "soles/" + rng.choice(["rubber", "white"]), rounding=0.01)
            s.ball((x, 0.045, -0.04), (0.042, 0.04, 0.085), "shoes/" + rng.choice(["cloth", "plastic"]))
            s.ball((x, 0.06, 0.07), (0.04, 0.06, 0.055), "shoes/cloth")
    elif kind == 2:
        r = between(rng, 0.08, 0.1)
        s.add(CYLINDER, (0, 0.01, 0), (r * between(rng, 1.2, 2), 0.004, r), "hat/cloth")
        s.ball((0, 0.03, 0), (r, between(rng, 0.07, 0.12), r * 1.15), "hat/cloth")
        s.add(TORUS, (0, 0.03, 0), (r * 0.98, 0.0, 0.008), "band/cloth")
    elif kind == 3:
        x = between(rng, 0.15, 0.28)
        s.add(
            PILLOW,
            (0, x * 0.35, 0),
            (x, x * 0.33, x * between(rng, 0.6, 1)),
            "cushion/cloth",
            rotate(0, between(rng, -0.2, 0.2), between(rng, -0.2, 0.2)),
            extra=(between(rng, 2.5, 4), 0, 0),
        )
    elif kind == 4:
        s.safety = 0.6
        x, z = between(rng, 0.1, 0.3), between(rng, 0.1, 0.25)
        s.add(
            SHEET,
            (0, 0.03, 0),
            (x, z, 0.012),
            "cloth/cloth",
            rotate(0, math.pi / 2, 0),
            0.01,
            (between(rng, 0.01, 0.03), between(rng, 15, 40), between(rng, 5, 25)),
        )
    else:
        y = 0.0
        for k in range(rng.randint(1, 5)):
            t = between(rng, 0.015, 0.035)
            s.box(
                (between(rng, -0.01, 0.01), y + t, 0),
                (between(rng, 0.11, 0.16), t, between(rng, 0.09, 0.13)),
                f"fold{k}/cloth",
                rotate(between(rng, -0.08, 0.08)),
                t * 0.9,
            )
            y += 2 * t * 0.95
    return s


def tool(rng: random.Random) -> Solid:
    """Tools and kitchen ware: pan, kettle, hammer, scissors, pens in a pot, spray, candle, pliers, drill."""
    s = Solid(blend=0.004)
    kind = rng.randrange(8)
    if kind == 0:
        r, h = between(rng, 0.08, 0.14), between(rng, 0.02, 0.06)
        s.add(TUBE, (0, h, 0), (r * 0.9, h, 0.003), "pan/" + rng.choice(["metal", "dark"]), extra=(r, 0, 0))
        s.rod(
            (r, h * 1.7, 0),
            (r + between(rng, 0.1, 0.2), h * 1.9, 0),
            0.01,
            "handle/" + rng.choice(["wood", "dark", "metal"]),
        )
    elif kind == 1:
        r = between(rng, 0.07, 0.1)
        s.add(CONE, (0, r, 0), (r * 1.1, r, r * 0.7), "pot/" + rng.choice(["metal", "paint", "ceramic"]))
        s.ball((0, r * 2.05, 0), (r * 0.7, r * 0.25, r * 0.7), "lid/metal")
        s.ball((0, r * 2.4, 0), (0.012,) * 3, "knob/dark")
        s.rod((r * 0.8, r * 0.9, 0), (r * 1.7, r * 1.8, 0), 0.018, "pot/metal", end=0.01)
        s.add(
            TORUS,
            (-r * 0.9, r * 1.2, 0),
            (r * 0.6, 0.0, 0.009),
            "handle/dark",
            rotate(math.pi, math.pi / 2, 0),
            extra=(1.5, 0, 0),
        )
    elif kind == 2:
        a: Vector = (0, 0.02, 0)
        s.rod((-0.14, 0.015, 0), (0.12, 0.015, 0), 0.013, "handle/" + rng.choice(["wood", "plastic"]))
        s.box((0.12, 0.02, 0), (0.018, 0.018, 0.05), "head/metal", rounding=0.004)
        s.ball(a, (0.001,) * 3, "handle/wood")
    elif kind == 3:
        r, h = between(rng, 0.03, 0.045), between(rng, 0.04, 0.06)
        s.add(
            TUBE,
            (0, h, 0),
            (r, h, 0.003),
            "pot/" + rng.choice(["ceramic", "metal", "plastic", "wood"]),
            extra=(r, 0, 0),
        )
        for k in range(rng.randint(2, 8)):
            a2, lean = rng.random() * math.tau, between(rng, 0.3, 0.9)
            s.rod(
                (0, 0.01, 0),
                (lean * r * 2 * math.cos(a2), between(rng, 0.13, 0.2), lean * r * 2 * math.sin(a2)),
                0.004,
                f"pens{k % 3}/plastic",
            )
    elif kind == 4:
        s.add(CYLINDER, (0, 0.08, 0), (0.035, 0.08, 0.035), "body/package", rounding=0.01)
        s.box((0.01, 0.19, 0), (0.035, 0.018, 0.014), "head/plastic", rounding=0.006)
        s.rod((0, 0.15, 0), (0, 0.19, 0), 0.012, "head/plastic")
    elif kind == 5:
        h = between(rng, 0.03, 0.12)
        s.add(CYLINDER, (0, h, 0), (between(rng, 0.01, 0.04), h, 0.03), "wax/white")
        s.ball((0, 2 * h + 0.015, 0), (0.005, 0.014, 0.005), "flame/lit")
        s.add(CYLINDER, (0, 0.005, 0), (0.05, 0.005, 0.05), "dish/metal")
    elif kind == 6:
        s.box((0, 0.14, 0), (0.022, 0.05, 0.09), "body/plastic", rounding=0.015)
        s.box((0, 0.06, 0.03), (0.018, 0.06, 0.022), "grip/rubber", rotate(0, 0.2, 0), 0.012)
        s.box((0, 0.015, 0.03), (0.03, 0.018, 0.045), "battery/dark", rounding=0.005)
        s.add(CONE, (0, 0.14, -0.11), (0.02, 0.025, 0.008), "chuck/metal", rotate(0, -math.pi / 2, 0))
    else:
        for sx in (-1, 1):
            s.rod((0, 0.01, 0), (sx * 0.03, 0.01, -0.1), 0.006, "blades/metal", end=0.002)
            s.add(TORUS, (sx * 0.025, 0.01, 0.07), (0.022, 0.0, 0.006), "handles/plastic")
    return s


def ornament(rng: random.Random) -> Solid:
    """A statue, trophy, globe, instrument, box frame, lantern, chess piece, star."""
    s = Solid(blend=between(rng, 0.002, 0.02))
    kind = rng.randrange(8)
    r = between(rng, 0.03, 0.1)
    if kind == 0:
        s.ball((0, r * 2.1, 0), (r, r, r), "globe/" + rng.choice(["picture", "paint", "glass"]))
        s.add(TORUS, (0, r * 2.1, 0), (r * 1.12, 0.0, r * 0.05), "ring/metal", rotate(0, math.pi / 2, 0.4))
        s.rod((0, 0, 0), (0, r, 0), r * 0.1, "stand/wood")
        s.add(CYLINDER, (0, r * 0.08, 0), (r * 0.6, r * 0.08, r), "stand/wood")
    elif kind == 1:
        s.add(FRAME, (0, r * 1.6, 0), (r, r * 1.5, r), "frame/metal", rounding=r * 0.06)
        s.add(CYLINDER, (0, r * 0.8, 0), (r * 0.35, r * 0.6, r), "candle/lit")
        s.add(CONE, (0, r * 3.3, 0), (r * 1.1, r * 0.3, r * 0.2), "frame/metal")
    elif kind == 2:
        y = 0.0
        for _ in range(rng.randint(3, 6)):
            h, q = r * between(rng, 0.1, 0.6), r * between(rng, 0.3, 1)
            s.add(
                rng.choice([CYLINDER, ELLIPSOID, CONE]),
                (0, y + h, 0),
                (q, h, q * between(rng, 0.3, 0.9)),
                "body/" + rng.choice(["wood", "stone", "metal"]),
            )
            y += 1.8 * h
        s.ball((0, y + r * 0.3, 0), (r * 0.35,) * 3, "body/wood")
    elif kind == 3:
        s.add(
            STAR,
            (0, r, 0),
            (r, r, r * 0.15),
            "star/" + rng.choice(["metal", "paint", "wood"]),
            extra=(float(rng.randint(3, 7)), between(rng, 0.4, 1), 0),
        )
    elif kind == 4:
        x, y = r * 1.2, r * 1.5
        turn = rotate(0, 0.25, 0)
        s.box((0, y, 0), (x, y, 0.006), "frame/" + rng.choice(["wood", "metal", "paint"]), turn)
        s.box((0, y, -0.005), (x * 0.82, y * 0.85, 0.004), "photo/picture", turn)
    elif kind == 5:
        s.ball((0, r * 1.2, 0), (r * 1.1, r * 1.2, r * 0.35), "body/wood")
        s.ball((0, r * 2.9, 0), (r * 0.8, r * 0.9, r * 0.33), "body/wood")
        s.box((0, r * 5, 0), (r * 0.14, r * 2, r * 0.08), "neck/wood")
        s.box((0, r * 7.1, 0), (r * 0.22, r * 0.35, r * 0.08), "head/dark")
    elif kind == 6:
        s.box((0, r * 0.15, 0), (r * 0.7, r * 0.15, r * 0.7), "base/stone")
        s.add(CONE, (0, r * 1.0, 0), (r * 0.15, r * 0.7, r * 0.45), "cup/metal")
        s.add(BOWL, (0, r * 2.2, 0), (r * 0.7, r, r * 0.05), "cup/metal", extra=(0.0, 0, 0))
    else:
        s.ball((0, r * 0.9, 0), (r * 0.7, r * 0.9, r * 0.6), "figure/stone")
        s.ball((0, r * 2.1, 0), (r * 0.4, r * 0.45, r * 0.42), "figure/stone")
        s.ball((0, r * 0.4, -r * 0.4), (r * 0.8, r * 0.35, r * 0.5), "figure/stone")
        s.dents = (r * 0.03, 30.0, 1.0)
    return s


def machine(rng: random.Random) -> Solid:
    """An assembly of boxes, tubes, wheels and panels: a machine, an engine, an appliance."""
    s = Solid(blend=between(rng, 0, 0.01))
    size = between_log(rng, 0.08, 0.5)
    x, y, z = (size * between(rng, 0.5, 1) for _ in range(3))
    s.box(
        (0, y, 0), (x, y, z), "body/" + rng.choice(["metal", "paint", "plastic"]), rounding=size * between(rng, 0, 0.15)
    )
    for k in range(rng.randint(2, 8)):
        at = (x * between(rng, -0.8, 0.8), y * between(rng, 0.3, 1.9), -z * between(rng, 0.9, 1.05))
        kind = rng.randrange(6)
        q = size * between(rng, 0.05, 0.3)
        if kind == 0:
            s.add(CYLINDER, at, (q, q * 0.4, q), f"dials{k % 2}/metal", rotate(0, math.pi / 2, 0))
        elif kind == 1:
            s.box(
                at,
                (q * 1.5, q, q * 0.3),
                f"panels{k % 2}/" + rng.choice(["screen", "plastic", "package"]),
                rounding=q * 0.1,
            )
        elif kind == 2:
            s.add(TORUS, at, (q, 0.0, q * 0.2), "wheel/" + rng.choice(["rubber", "metal"]), rotate(0, math.pi / 2, 0))
            s.add(
                SPOKES,
                at,
                (q, q, q * 0.1),
                "wheel/metal",
                rotate(0, math.pi / 2, 0),
                0.0,
                (float(rng.randint(3, 7)), q * 0.12, 0),
            )
        elif kind == 3:
            up = (at[0], 2 * y, z * between(rng, -0.6, 0.6))
            s.pole(up, (up[0], 2 * y + q * 2, up[2]), q * 0.5, f"pipes/{rng.choice(['metal', 'plastic'])}")
        elif kind == 4:
            side = (x * rng.choice([-1, 1]), at[1], z * between(rng, -0.6, 0.6))
            end = (side[0] * between(rng, 1.1, 1.6), side[1] * between(rng, 0.3, 1.2), side[2])
            s.rod(side, end, q * 0.25, "arms/metal")
        else:
            s.add(BARS, at, (q * 1.5, q, q * 0.1), "grille/dark", extra=(q * 0.4, q * 0.12, 0))
    s.carry(0, 2 * y, 0, x * 0.6, z * 0.6)
    return s


def cable(rng: random.Random) -> Solid:
    """A cable or a rope: coiled, heaped or laid in a curve."""
    s = Solid(blend=0.004)
    r = between_log(rng, 0.002, 0.015)
    if chance(rng, 0.35):
        for k in range(rng.randint(2, 6)):
            q = between(rng, 0.05, 0.12)
            s.add(
                TORUS,
                (between(rng, -0.01, 0.01), r * (1 + 1.6 * k), between(rng, -0.01, 0.01)),
                (q, 0.0, r),
                "rope/" + rng.choice(["cloth", "rubber"]),
            )
        return s
    part = "rope/" + rng.choice(["cloth", "rubber", "plastic"])
    at, heading = (0.0, r, 0.0), rng.random() * math.tau
    for _ in range(rng.randint(6, 12)):
        heading += between(rng, -0.9, 0.9)
        step = between(rng, 0.03, 0.08)
        nxt = (at[0] + step * math.cos(heading), r * between(rng, 1, 2), at[2] + step * math.sin(heading))
        s.rod(at, nxt, r, part)
        at = nxt
    return s


def abstract(rng: random.Random) -> Solid:
    """A random composition of primitives: what no list of things foresees."""
    n = rng.choices([1, 2, 3, 4, 6], [4, 3, 3, 2, 1])[0]
    s = Solid(blend=between(rng, 0, 0.06) * float(chance(rng, 0.5)))
    for k in range(n):
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
        turn = (
            rotate(rng.random() * 6, between(rng, -1.5, 1.5), between(rng, -1.5, 1.5)) if chance(rng, 0.5) else rotate()
        )
        at = (
            (between(rng, -0.1, 0.1), 0.12 + between(rng, -0.05, 0.15), between(rng, -0.1, 0.1))
            if k
            else (0.0, 0.13, 0.0)
        )
        rounding = (
            min(sx, sy, sz) * rng.random() * 0.9
            if shape in (BOX, CYLINDER)
            else min(sx, sy, sz) * 0.15
            if shape == FRAME
            else 0.0
        )
        s.add(shape, at, (sx, sy, sz), f"part{min(k, rng.randrange(4))}", turn, rounding, extra)
    if chance(rng, 0.25):
        s.dents = (between_log(rng, 0.002, 0.012), between(rng, 15, 60), rng.random() * 6)
        s.safety = 0.7
    return s


SMALL = [
    (bottle, 9), (cup, 10), (wine_glass, 4), (bowl, 8), (vase, 7), (potted_plant, 7), (books, 9), (package, 10),
    (fruit, 6), (device, 12), (toy, 8), (clothing, 7), (tool, 9), (ornament, 8), (machine, 5), (cable, 4), (abstract, 12),
]  # fmt: skip
