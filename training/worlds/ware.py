"""Small things of kitchens and shelves: vessels, plants, books, packages, fruit. One function builds one solid."""

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
    FOLIAGE,
    PILLOW,
    TORUS,
    TUBE,
    Solid,
    between,
    between_log,
    chance,
    evenly,
    rotate,
)  # fmt: skip


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


def fill_pot(rng: random.Random, r: float) -> tuple[Solid, float]:
    """A pot of radius r full of soil, and how high the soil lies."""
    s = Solid()
    s.safety = 0.8
    h = r * between(rng, 0.7, 1.1)
    if chance(rng, 0.75):
        material = rng.choice(["ceramic", "stone", "plastic", "wood"])
        s.add(CONE, (0, h, 0), (r * between(rng, 0.6, 1), h, r), f"pot/{material}")
    else:
        s.box((0, h, 0), (r, h, r), "pot/" + rng.choice(["wood", "stone", "metal"]))
    s.add(CYLINDER, (0, 2 * h - 0.004, 0), (r * 0.93, 0.008, r), "soil/bark")
    return s, 2 * h


def potted_bush(rng: random.Random) -> Solid:
    """A leafy ball on a stem, in a pot."""
    r = between_log(rng, 0.05, 0.2)
    s, soil = fill_pot(rng, r)
    up = r * between(rng, 2, 5)
    extra = (between(rng, 0.42, 0.55), between(rng, 4, 9) / r, rng.randrange(999))
    s.add(FOLIAGE, (0, soil + up * 0.5, 0), (r * 1.8, up * 0.55, r * 1.8), "leaves/leaf", extra=extra)
    s.rod((0, soil / 2, 0), (0, soil + up * 0.4, 0), 0.012, "stem/bark")
    return s


def potted_blades(rng: random.Random) -> Solid:
    """Long bent blades, in a pot."""
    r = between_log(rng, 0.05, 0.2)
    s, soil = fill_pot(rng, r)
    up = r * between(rng, 2, 5)
    for k in range(rng.randint(6, 14)):
        a, lean = k * 2.4, between(rng, 0.1, 0.9)
        mid = (lean * up * 0.5 * math.cos(a), soil + up * 0.6, lean * up * 0.5 * math.sin(a))
        tip = (lean * up * math.cos(a), soil + up * (1 - 0.5 * lean), lean * up * math.sin(a))
        s.rod((0, soil, 0), mid, r * 0.06, "leaves/leaf", end=r * 0.12)
        s.rod(mid, tip, r * 0.12, "leaves/leaf", end=r * 0.02)
    return s


def potted_twigs(rng: random.Random) -> Solid:
    """A stem with single leaves on stalks, in a pot."""
    r = between_log(rng, 0.05, 0.2)
    s, soil = fill_pot(rng, r)
    up = r * between(rng, 2, 5)
    s.rod((0, soil / 2, 0), (0, soil + up, 0), 0.012, "stem/bark")
    for k in range(rng.randint(5, 10)):
        a, y = k * 2.4, soil + up * between(rng, 0.3, 1.0)
        reach = r * between(rng, 0.8, 2)
        end = (reach * math.cos(a), y + between(rng, -0.1, 0.1), reach * math.sin(a))
        s.rod((0, y, 0), end, 0.004, "stem/bark")
        turn = rotate(-a, between(rng, -0.4, 0.4), between(rng, -0.6, 0.2))
        s.ball(end, (reach * 0.5, 0.008, reach * 0.3), "leaves/leaf", turn)
    return s


def cactus(rng: random.Random) -> Solid:
    """A ribbed cactus, in a pot."""
    r = between_log(rng, 0.05, 0.2)
    s, soil = fill_pot(rng, r)
    up = r * between(rng, 2, 5)
    ribs = rng.choice([6.0, 8.0, 12.0])
    s.add(FLUTED, (0, soil + up * 0.4, 0), (r * 0.6, up * 0.4, r * 0.6), "leaves/leaf", extra=(ribs, 0.1, 0))
    s.ball((0, soil + up * 0.8, 0), (r * 0.6, r * 0.4, r * 0.6), "leaves/leaf")
    return s


def book(rng: random.Random) -> Solid:
    """One book, lying."""
    s = Solid()
    x, z = between(rng, 0.06, 0.12), between(rng, 0.08, 0.15)
    s.box((0, 0.015, 0), (x, 0.015, z), "cover/package")
    s.box((0.004, 0.015, 0.0), (x, 0.011, z * 0.98), "pages/white")
    return s


def pile_of_books(rng: random.Random) -> Solid:
    """Books on one another."""
    s = Solid()
    y = 0.0
    for k in range(rng.randint(2, 7)):
        t, x, z = between(rng, 0.006, 0.025), between(rng, 0.07, 0.12), between(rng, 0.09, 0.15)
        s.box((between(rng, -0.01, 0.01), y + t, 0), (x, t, z), f"book{k}/package", rotate(between(rng, -0.3, 0.3)))
        y += 2 * t
    s.carry(0, y, 0, 0.06, 0.08)
    return s


def row_of_books(rng: random.Random) -> Solid:
    """Books side by side; the last may lean."""
    s = Solid()
    n = rng.randint(2, 7)
    x = -0.03 * n / 2
    for k in range(n + 2):
        t, h, d = between(rng, 0.006, 0.028), between(rng, 0.08, 0.15), between(rng, 0.06, 0.1)
        lean = between(rng, 0.1, 0.3) if k == n + 1 and chance(rng, 0.5) else 0.0
        s.box((x + t + lean * h, h * math.cos(lean), 0), (t, h, d), f"book{k}/package", rotate(0, 0, -lean))
        x += 2 * t + 0.001
    return s


def box_of_card(rng: random.Random) -> Solid:
    """A printed box."""
    s = Solid()
    x, y, z = between(rng, 0.03, 0.1), between(rng, 0.03, 0.14), between(rng, 0.02, 0.06)
    s.box((0, y, 0), (x, y, z), "box/package", rounding=0.002)
    s.carry(0, 2 * y, 0, x * 0.8, z * 0.8)
    return s


def tin(rng: random.Random) -> Solid:
    """A tin with its label."""
    s = Solid()
    r, h = between(rng, 0.03, 0.06), between(rng, 0.03, 0.08)
    s.add(CYLINDER, (0, h, 0), (r, h, r), "tin/metal", rounding=0.003)
    s.add(CYLINDER, (0, h, 0), (r * 1.01, h * 0.85, r), "label/package")
    s.carry(0, 2 * h, 0, r * 0.6, r * 0.6)
    return s


def jar(rng: random.Random) -> Solid:
    """A glass with a lid, full."""
    s = Solid()
    r, h = between(rng, 0.03, 0.05), between(rng, 0.04, 0.08)
    s.add(CYLINDER, (0, h, 0), (r, h, r), "jar/glass", rounding=0.008)
    s.add(CYLINDER, (0, h * 0.8, 0), (r * 0.9, h * 0.75, r), "inside/food")
    s.add(CYLINDER, (0, 2 * h + 0.008, 0), (r * 0.95, 0.01, r), "lid/" + rng.choice(["metal", "plastic"]))
    s.see_through = between(rng, 0.1, 0.5)
    return s


def bag_of_food(rng: random.Random) -> Solid:
    """A filled bag of foil or paper."""
    s = Solid()
    x, y = between(rng, 0.05, 0.12), between(rng, 0.07, 0.16)
    s.add(PILLOW, (0, y, 0), (x, y, between(rng, 0.02, 0.05)), "bag/package", extra=(between(rng, 2.5, 6), 0, 0))
    return s


def carton(rng: random.Random) -> Solid:
    """A carton of milk or juice, with its ridge."""
    s = Solid()
    x, y, z = between(rng, 0.025, 0.05), between(rng, 0.05, 0.1), between(rng, 0.025, 0.05)
    s.box((0, y, 0), (x, y, z), "carton/package")
    s.add(BOX, (0, 2 * y + x * 0.5, 0), (x, x * 0.55, 0.004), "carton/package")
    s.add(CONE, (0, 2 * y + x * 0.3, 0), (x * 0.9, x * 0.35, 0.01), "carton/package")
    return s


def apple(rng: random.Random) -> Solid:
    """A round fruit with a stalk."""
    s, r = Solid(blend=0.01), between(rng, 0.025, 0.06)
    s.ball((0, r * 0.95, 0), (r, r * 0.95, r), "fruit/food")
    s.rod((0, r * 1.7, 0), (0.006, r * 2.2, 0), 0.003, "stalk/bark")
    return s


def banana(rng: random.Random) -> Solid:
    """A bent fruit."""
    s, r = Solid(blend=0.01), between(rng, 0.025, 0.06)
    s.add(TORUS, (0, r * 0.5, 0), (r * 2.2, 0.0, r * 0.42), "fruit/food", extra=(0.8, 0, 0))
    return s


def pear(rng: random.Random) -> Solid:
    """A fruit that narrows upwards."""
    s, r = Solid(blend=0.01), between(rng, 0.025, 0.06)
    s.ball((0, r, 0), (r * 0.8, r, r * 0.8), "fruit/food")
    s.ball((0, r * 2, 0), (r * 0.5, r * 0.8, r * 0.5), "fruit/food")
    s.rod((0, r * 2.7, 0), (0.01, r * 3.1, 0), 0.003, "stalk/bark")
    return s


def loaf(rng: random.Random) -> Solid:
    """A loaf of bread."""
    s, r = Solid(blend=0.01), between(rng, 0.025, 0.06)
    s.add(PILLOW, (0, r, 0), (r * 2.2, r, r * 1.2), "loaf/food", extra=(2.4, 0, 0))
    s.dents = (0.004, 40.0, rng.random() * 6)
    return s


def grapes(rng: random.Random) -> Solid:
    """A heap of small round fruit."""
    s, r = Solid(blend=0.01), between(rng, 0.025, 0.06)
    for _ in range(rng.randint(6, 12)):
        at = (between(rng, -1, 1) * r * 0.8, r * between(rng, 0.3, 1.6), between(rng, -1, 1) * r * 0.8)
        s.ball(at, (r * 0.35,) * 3, "grapes/food")
    return s


def gourd(rng: random.Random) -> Solid:
    """A ribbed pumpkin."""
    s, r = Solid(blend=0.01), between(rng, 0.025, 0.06)
    s.add(FLUTED, (0, r * 1.2, 0), (r * 1.8, r, r * 1.8), "gourd/food", extra=(rng.choice([8.0, 10.0]), 0.08, 0))
    s.ball((0, r * 1.2, 0), (r * 1.9, r * 1.2, r * 1.9), "gourd/food")
    s.rod((0, r * 2.2, 0), (0.01, r * 3, 0), 0.008, "stalk/leaf")
    return s


PLANTS = evenly(7, potted_bush, potted_blades, potted_twigs, cactus)
BOOKS = [(book, 2.2), (pile_of_books, 2.7), (row_of_books, 4.1)]
WARE = [
    (bottle, 9), (cup, 10), (wine_glass, 4), (bowl, 8), (vase, 7), *PLANTS, *BOOKS,
    *evenly(10, box_of_card, tin, jar, bag_of_food, carton), *evenly(6, apple, banana, pear, loaf, grapes, gourd),
]  # fmt: skip
