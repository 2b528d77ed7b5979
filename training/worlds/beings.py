"""People and animals: each function builds one solid, upright, facing -z, in metres."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from .records import CONE, SHEET, TORUS, Solid, Vector, between, chance, rotate


@dataclass(frozen=True)
class Figure:
    """What the limbs of a person need to know: heights in metres, breadth as a factor, and what is worn."""

    hip: float
    wide: float
    lean: float
    upper: str
    lower: str

    @property
    def shoulder(self) -> float:
        """The shoulders' height."""
        return self.hip + 0.53


def person(rng: random.Random) -> Solid:
    """A clothed figure, standing, walking, sitting or pointing; clothes, skin, hair and shoes are parts."""
    s = Solid(blend=0.035)
    size = between(rng, 0.55, 0.75) if chance(rng, 0.12) else between(rng, 0.88, 1.08)
    seated = chance(rng, 0.22)
    upper = rng.choice(["shirt/cloth", "shirt/cloth", "coat/cloth"])
    lower = rng.choice(["trousers/cloth", "trousers/cloth", "legs/skin", "trousers/dark"])
    hip, wide = 0.48 if seated else 0.9, between(rng, 0.85, 1.25)
    figure = Figure(hip, wide, between(rng, -0.03, 0.1), upper, lower)
    add_legs(rng, s, figure, seated)
    add_torso(rng, s, figure)
    add_arms(rng, s, figure)
    add_head(rng, s, figure)
    if chance(rng, 0.18):
        s.ball((0, hip + 0.33, 0.16), (0.15, 0.2, 0.09), "bag/cloth")
    elif chance(rng, 0.1):
        s.box((0.3 * wide, hip - 0.2, 0), (0.05, 0.14, 0.17), "bag/plastic", rounding=0.02)
    s.resize(size)
    return s


def add_legs(rng: random.Random, s: Solid, figure: Figure, seated: bool) -> None:
    """Legs and shoes: apart in a stride, or bent on a seat."""
    stride = between(rng, 0, 0.35) if chance(rng, 0.5) else between(rng, 0, 0.06)
    shoe = rng.choice(["shoes/dark", "shoes/white", "shoes/cloth", "shoes/plastic"])
    for sx in (-1, 1):
        x, z = 0.095 * figure.wide * sx, sx * stride * 0.5
        knee, foot = (x, 0.48, z * 0.6 - 0.03), (x, 0.06, z)
        if seated:
            knee, foot = (x * 1.2, 0.48, -0.42), (x * 1.2, 0.06, -0.42 + between(rng, -0.1, 0.12))
        s.rod((x, figure.hip, 0), knee, 0.085 * figure.wide, figure.lower, end=0.06 * figure.wide)
        s.rod(knee, foot, 0.06, figure.lower, end=0.045)
        s.ball((foot[0], 0.045, foot[2] - 0.06), (0.047, 0.045, 0.12), shoe)


def add_torso(rng: random.Random, s: Solid, figure: Figure) -> None:
    """Waist, chest, shoulders; some with a skirt or a coat's tails."""
    hip, wide, lean, upper = figure.hip, figure.wide, figure.lean, figure.upper
    waist = upper if chance(rng, 0.8) else figure.lower
    s.rod((0, hip, 0), (0, hip + 0.18, -lean * 0.3), 0.15 * wide, waist, end=0.135 * wide)
    s.ball((0, hip + 0.34, -lean * 0.6), (0.185 * wide, 0.24, 0.12 * wide), upper)
    s.ball((0, figure.shoulder - 0.04, -lean), (0.21 * wide, 0.075, 0.085), upper)
    if upper == "coat/cloth" or chance(rng, 0.15):
        s.add(CONE, (0, hip - 0.12, 0), (0.24 * wide, 0.24, 0.15 * wide), upper if chance(rng, 0.6) else "skirt/cloth")


def add_arms(rng: random.Random, s: Solid, figure: Figure) -> None:
    """Arms, each hanging, folded, stretched out, on the hip or reaching forward; sleeves long or short."""
    shoulder = figure.shoulder
    sleeves = figure.upper if chance(rng, 0.65) else "skin/skin"
    for sx in (-1, 1):
        x = sx * 0.215 * figure.wide
        up = between(rng, -0.2, 0.25)
        elbow, hand = rng.choice(
            [
                ((x * 1.15, shoulder - 0.33, 0.02), (x * 1.2, shoulder - 0.58, -0.06)),
                ((x * 1.2, shoulder - 0.3, 0.0), (x * 0.6, shoulder - 0.3, -0.26)),
                ((x * 1.9, shoulder - 0.1, -0.05), (x * 2.4, shoulder + up, -0.1)),
                ((x * 1.7, shoulder - 0.28, 0.03), (x * 0.9, figure.hip + 0.08, -0.08)),
                ((x * 1.1, shoulder - 0.2, -0.25), (x * 0.8, shoulder - 0.05, -0.48)),
            ]
        )
        s.rod((x, shoulder - 0.05, -figure.lean), elbow, 0.055 * figure.wide, figure.upper, end=0.045)
        s.rod(elbow, hand, 0.045, sleeves, end=0.032)
        s.ball(hand, (0.04, 0.05, 0.045), "skin/skin")


def add_head(rng: random.Random, s: Solid, figure: Figure) -> None:
    """Neck, head, hair, and now and then glasses."""
    shoulder, lean = figure.shoulder, figure.lean
    s.rod((0, shoulder, -lean), (0, shoulder + 0.12, -lean), 0.055, "skin/skin")
    head: Vector = (0, shoulder + 0.21, -lean - 0.02)
    s.ball(head, (0.078, 0.115, 0.098), "skin/skin")
    add_hair(rng, s, head)
    if chance(rng, 0.12):
        for sx in (-1, 1):
            at = (sx * 0.035, head[1] + 0.01, head[2] - 0.098)
            s.add(TORUS, at, (0.028, 0.0, 0.004), "glasses/dark", rotate(0, math.pi / 2, 0))


def add_hair(rng: random.Random, s: Solid, head: Vector) -> None:
    """Hair, a hat, or neither."""
    kind = rng.random()
    up = (head[0], head[1] + 0.03, head[2] + 0.022)
    if kind < 0.45:
        s.ball(up, (0.086, 0.105, 0.098), "hair/hair")
    elif kind < 0.65:
        s.ball(up, (0.09, 0.105, 0.1), "hair/hair")
        s.ball((0, head[1] - 0.1, head[2] + 0.06), (0.1, between(rng, 0.12, 0.28), 0.05), "hair/hair")
    elif kind < 0.75:
        s.ball(up, (0.086, 0.1, 0.098), "hair/hair")
        s.ball((0, head[1] + 0.12, head[2] + 0.06), (0.045,) * 3, "hair/hair")
    elif kind < 0.92:
        s.ball((0, head[1] + 0.06, head[2] + 0.01), (0.092, 0.08, 0.108), "hat/cloth")
        s.box((0, head[1] + 0.05, head[2] - 0.09), (0.07, 0.008, 0.06), "hat/cloth", rounding=0.006)


def quadruped(rng: random.Random) -> Solid:
    """A dog, cat, horse, cow, sheep or something between them: standing, sitting or lying; its head to -z."""
    s = Solid(blend=0.05)
    body, leg, girth = between(rng, 0.16, 0.3), between(rng, 0.14, 0.4), between(rng, 0.08, 0.16)
    coat = rng.choice(["coat/fur", "coat/fur", "coat/fur", "coat/hair"])
    pose = rng.choices(["stands", "sits", "lies"], [68, 20, 12])[0]
    y = girth * 0.9 if pose == "lies" else leg + girth
    tilt = 0.7 if pose == "sits" else 0.0
    chest: Vector = (0, y + math.sin(tilt) * body, -body * math.cos(tilt))
    rump: Vector = (0, girth if pose == "sits" else y, body * math.cos(tilt))
    s.rod(rump, chest, girth, coat, end=girth * between(rng, 0.85, 1.15))
    for top in (chest, rump):
        for sx in (-1, 1):
            add_leg(
                rng, s, top, (sx * girth * 0.65, leg, girth), coat, pose if top is rump or pose == "lies" else "stands"
            )
    neck = between(rng, 0.08, 0.3)
    head: Vector = (0, chest[1] + neck, chest[2] - neck * between(rng, 0.3, 1.0))
    s.rod(chest, head, girth * 0.6, coat, end=girth * 0.42)
    add_muzzle(rng, s, head, girth * between(rng, 0.5, 0.75), coat)
    tail = between(rng, 0.05, 0.4)
    end = (between(rng, -0.1, 0.1), rump[1] + between(rng, -0.6, 0.8) * tail, rump[2] + girth * 0.7 + tail * 0.6)
    s.rod(rump, end, girth * 0.22, coat, end=girth * 0.1)
    if chance(rng, 0.2):
        at = (0, (chest[1] + head[1]) / 2, (chest[2] + head[2]) / 2)
        s.add(TORUS, at, (girth * 0.6, 0.0, 0.012), "collar/cloth", rotate(0, 0.5, 0))
    return s


def add_leg(rng: random.Random, s: Solid, top: Vector, sizes: Vector, coat: str, pose: str) -> None:
    """One leg under chest or rump; `sizes`: its place across, the legs' length, the body's girth."""
    x, leg, girth = sizes
    if pose == "lies":
        s.rod((x, 0.05, top[2]), (x * 1.2, 0.04, top[2] - 0.16), 0.035, coat)
        return
    if pose == "sits":
        s.rod((x * 1.4, 0.05, top[2] + 0.02), (x * 1.5, 0.03, top[2] - 0.14), 0.045, coat)
        return
    step = between(rng, -0.1, 0.1) * leg * 2
    knee = (x, top[1] * 0.5, top[2] + step * 0.6)
    s.rod((x, top[1], top[2]), knee, girth * 0.42, coat, end=girth * 0.26)
    sock = coat if chance(rng, 0.8) else "socks/fur"
    s.rod(knee, (x, 0.02, top[2] + step), girth * 0.24, sock, end=girth * 0.2)


def add_muzzle(rng: random.Random, s: Solid, head: Vector, r: float, coat: str) -> None:
    """An animal's head of radius r: skull, snout, nose, ears, eyes."""
    s.ball(head, (r * 0.85, r * 0.85, r), coat)
    snout = between(rng, 0.5, 1.3) * r
    tip = (0, head[1] - r * 0.25, head[2] - r * 0.7 - snout)
    s.rod(head, tip, r * 0.55, coat if chance(rng, 0.6) else "snout/fur", end=r * 0.33)
    s.ball((0, head[1] - r * 0.2, head[2] - r * 0.95 - snout), (r * 0.16, r * 0.14, r * 0.12), "nose/dark")
    long, high = rng.choice([0.5, 0.9, 1.4]), 0.7 if chance(rng, 0.9) else -0.1
    for sx in (-1, 1):
        ear, size = (sx * r * 0.65, head[1] + r * high, head[2] + r * 0.2), (r * 0.22, r * 0.5 * long, r * 0.12)
        s.ball(ear, size, coat, rotate(0, 0, -sx * between(rng, 0, 0.8)))
        s.ball((sx * r * 0.45, head[1] + r * 0.25, head[2] - r * 0.72), (r * 0.12,) * 3, "eyes/dark")


def bird(rng: random.Random) -> Solid:
    """A bird, standing."""
    s = Solid(blend=0.015)
    r = between(rng, 0.04, 0.12)
    leg = r * between(rng, 0.4, 2.5)
    s.ball((0, leg + r * 0.8, 0), (r * 0.7, r * 0.75, r * 1.2), "body/fur", rotate(0, between(rng, -0.6, 0.1), 0))
    neck = r * between(rng, 0.3, 2.2)
    head = (0.0, leg + r * 1.2 + neck, -r * 1.1)
    s.rod((0, leg + r, -r * 0.7), head, r * 0.35, "body/fur", end=r * 0.28)
    s.ball(head, (r * 0.36,) * 3, "head/fur")
    s.rod(head, (0, head[1] - r * 0.1, head[2] - r * between(rng, 0.5, 1.2)), r * 0.16, "beak/food", end=0.003)
    for sx in (-1, 1):
        s.ball((sx * r * 0.65, leg + r * 0.85, r * 0.3), (r * 0.16, r * 0.55, r * 1.1), "wings/fur", rotate(0, -0.2, 0))
        s.rod((sx * r * 0.25, leg + r * 0.3, 0), (sx * r * 0.3, 0.004, -r * 0.1), r * 0.08, "legs/food")
        s.ball((sx * r * 0.2, head[1] + r * 0.1, head[2] - r * 0.28), (r * 0.07,) * 3, "eyes/dark")
    s.rod((0, leg + r * 0.9, r), (0, leg + r * between(rng, 0.4, 1.6), r * 2.1), r * 0.3, "wings/fur", end=r * 0.2)
    return s


def cloaked(rng: random.Random) -> Solid:
    """A draped figure, a ghost, a covered chair: one sheet over a body."""
    s = Solid(blend=0.06)
    s.safety = 0.7
    h, r = between(rng, 0.8, 1.7), between(rng, 0.22, 0.4)
    s.add(CONE, (0, h * 0.45, 0), (r, h * 0.45, r * 0.45), "cloth/cloth")
    s.ball((0, h * 0.93, 0), (r * 0.5, h * 0.1, r * 0.5), "cloth/cloth")
    s.add(
        SHEET,
        (0, h * 0.3, -r * 0.7),
        (r * 0.9, h * 0.3, 0.02),
        "cloth/cloth",
        rotate(0, 0.15, 0),
        extra=(0.03, between(rng, 12, 25), 0),
    )
    s.dents = (0.008, 12.0, rng.random() * 6)
    return s


BEINGS = [(person, 14), (quadruped, 8), (bird, 2), (cloaked, 1)]
