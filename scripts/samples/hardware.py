"""Workshop tools, kitchen steel and wire goods. Each stands on its frame's origin, in metres."""

from __future__ import annotations

import math

from samples import materials as m
from samples.materials import Color
from samples.stage import Stage

STEEL = (0.7, 0.7, 0.71)
CHROME = (0.86, 0.86, 0.87)


def hammer(s: Stage) -> None:
    """A claw hammer lying, its handle along x."""
    s.tube(
        [(-0.16, 0, 0.016), (-0.05, 0, 0.016), (0.14, 0, 0.016)],
        lambda t: 0.016 - 0.005 * t,
        m.wood((0.5, 0.3, 0.13)),
        14,
    )
    steel = m.metal((0.3, 0.3, 0.31), 0.3)
    s.tube([(0.14, -0.03, 0.016), (0.14, 0.025, 0.016), (0.14, 0.06, 0.016)], 0.0145, steel, 14, curve=1)
    for x in (-1, 1):
        s.tube(
            [(0.14 + 0.005 * x, -0.03, 0.018), (0.14 + 0.009 * x, -0.07, 0.02), (0.14 + 0.014 * x, -0.1, 0.008)],
            lambda t: 0.011 - 0.006 * t,
            steel,
            10,
        )


def screwdriver(s: Stage, color: Color) -> None:
    """A screwdriver lying along x, 220 mm."""
    s.tube(
        [(-0.1, 0, 0.016), (-0.06, 0, 0.016), (-0.01, 0, 0.016)],
        lambda t: 0.013 + 0.004 * math.sin(math.pi * t),
        m.plastic(color, 0.25),
        10,
    )
    s.tube([(-0.01, 0, 0.016), (0.12, 0, 0.016)], 0.0035, m.metal(STEEL, 0.15), 10)


def plane(s: Stage) -> None:
    """A wooden-handled hand plane along x, 240 mm."""
    iron = m.painted((0.06, 0.07, 0.07), 0.3, 0.2)
    grip = m.wood((0.28, 0.1, 0.04), None, 0.25)
    s.box((0.24, 0.056, 0.012), (0, 0, 0), m.metal(STEEL, 0.22, "x"), 0.002)
    for y in (-0.025, 0.025):
        with s.at(0, y, 0):
            s.prism(
                [(-0.12, 0.01), (0.12, 0.01), (0.1, 0.022), (0.02, 0.045), (-0.05, 0.024), (-0.12, 0.018)], 0.006, iron
            )
    with s.at(0.0, 0, 0.015, 0, 0, -42):
        s.box((0.006, 0.046, 0.11), (0, 0, 0), m.metal(STEEL, 0.2), 0.001)
    s.lathe([(0, 0), (0.014, 0), (0.011, 0.02), (0.019, 0.04), (0, 0.052)], grip, (0.085, 0, 0.014))
    s.prism(
        [(-0.05, 0.012), (-0.03, 0.012), (-0.045, 0.05), (-0.03, 0.09), (-0.055, 0.1), (-0.075, 0.085), (-0.075, 0.04)],
        0.022,
        grip,
        0.008,
    )


def vice(s: Stage) -> None:
    """A cast bench vice, jaws across x."""
    iron, bare = m.painted((0.03, 0.1, 0.2), 0.35, 0.8), m.metal(STEEL, 0.25, "x")
    s.lathe([(0, 0), (0.085, 0), (0.085, 0.02), (0.05, 0.035), (0.045, 0.06), (0, 0.06)], iron)
    s.box((0.2, 0.1, 0.06), (0, 0, 0.055), iron, 0.012)
    for x in (-0.03, 0.06):
        s.box((0.04, 0.13, 0.07), (x, 0, 0.1), iron, 0.01)
        s.box((0.012, 0.125, 0.03), (x + (0.022 if x < 0 else -0.022), 0, 0.135), bare, 0.002)
    s.tube([(0.08, 0, 0.085), (0.16, 0, 0.085)], 0.013, bare, 14)
    s.tube([(0.15, -0.09, 0.07), (0.15, 0.09, 0.1)], 0.006, bare, 10)
    for y, z in ((-0.09, 0.07), (0.09, 0.1)):
        s.blob((0.02, 0.02, 0.02), (0.15, y, z), bare)


def toolbox(s: Stage, color: Color = (0.5, 0.035, 0.02)) -> None:
    """A steel cantilever toolbox, 420 mm long along x."""
    paint = m.painted(color, 0.3, 0.9)
    s.box((0.42, 0.19, 0.13), (0, 0, 0), paint, 0.006)
    with s.at(yaw=90):
        s.prism([(-0.095, 0.13), (0.095, 0.13), (0.06, 0.19), (-0.06, 0.19)], 0.42, paint, 0.006)
    s.tube(
        [(-0.1, 0, 0.185), (-0.1, 0, 0.235), (0.1, 0, 0.235), (0.1, 0, 0.185)], 0.008, m.metal(STEEL, 0.2), 10, curve=4
    )
    for x in (-0.13, 0.13):
        s.box((0.03, 0.012, 0.045), (x, -0.1, 0.1), m.metal(STEEL, 0.15), 0.003)


def tape(s: Stage, color: Color) -> None:
    """A roll of tape lying."""
    s.lathe(
        [(0.032, 0), (0.055, 0), (0.055, 0.045), (0.032, 0.045), (0.032, 0)],
        m.fabric(color, None, 0, False, 1500, 0.0003),
        round_off=0,
    )
    s.lathe(
        [(0.0325, 0.0006), (0.0325, 0.0446), (0.036, 0.0456), (0.036, 0.0452)],
        m.print_paper((0.5, 0.38, 0.24), (0.1, 0.05, 0.03), (0.4, 0.1, 0.05)),
        round_off=0,
    )


def drill(s: Stage, color: Color = (0.02, 0.16, 0.17)) -> None:
    """A cordless drill standing on its battery, pointing along +x."""
    body, black = m.plastic(color, 0.4), m.plastic((0.02, 0.02, 0.02), 0.55)
    s.box((0.12, 0.075, 0.05), (0, 0, 0), black, 0.012)
    s.tube(
        [(-0.005, 0, 0.045), (-0.015, 0, 0.1), (-0.02, 0, 0.17)],
        lambda t: 0.021 - 0.004 * math.sin(math.pi * t),
        black,
        14,
    )
    s.tube(
        [(-0.075, 0, 0.185), (-0.02, 0, 0.185), (0.06, 0, 0.185), (0.085, 0, 0.185)],
        lambda t: 0.033 - 0.006 * t * t,
        body,
        24,
    )
    s.tube([(0.08, 0, 0.185), (0.1, 0, 0.185), (0.125, 0, 0.185)], lambda t: 0.022 - 0.01 * t, black, 18, curve=1)
    s.tube([(0.12, 0, 0.185), (0.2, 0, 0.185)], 0.003, m.metal(STEEL, 0.15), 8)
    s.box((0.09, 0.045, 0.014), (-0.01, -0.013, 0.182), black, 0.004)


def glue_bottle(s: Stage) -> None:
    """A squeeze bottle of glue with a printed label."""
    s.lathe(
        [(0, 0), (0.031, 0), (0.033, 0.008), (0.033, 0.13), (0.014, 0.155), (0, 0.155)],
        m.plastic((0.75, 0.55, 0.06), 0.35),
        round_off=2,
    )
    s.lathe(
        [(0, 0.153), (0.015, 0.153), (0.014, 0.165), (0.004, 0.2), (0, 0.2)],
        m.plastic((0.55, 0.05, 0.03), 0.4),
        round_off=1,
    )
    s.lathe(
        [(0.0336, 0.03), (0.0336, 0.115)],
        m.print_paper((0.12, 0.28, 0.12), (0.8, 0.78, 0.6), (0.75, 0.6, 0.2), 0.006, 0.04),
        round_off=0,
    )


def crate(s: Stage, size: tuple[float, float, float], color: Color = (0.42, 0.28, 0.15)) -> None:
    """A slatted wooden crate."""
    w, d, h = size
    slat, post = m.wood(color, None, 0.6), m.wood(color, None, 0.6, "z")
    for k in range(3):
        z = 0.01 + k * h / 3
        for y in (-1, 1):
            s.box((w, 0.012, h / 3 - 0.02), (0, y * (d / 2 - 0.006), z), slat, 0.002)
        for x in (-1, 1):
            s.box((0.012, d - 0.026, h / 3 - 0.02), (x * (w / 2 - 0.006), 0, z), m.wood(color, None, 0.6, "y"), 0.002)
    for x in (-1, 1):
        for y in (-1, 1):
            s.box((0.03, 0.03, h), (x * (w / 2 - 0.028), y * (d / 2 - 0.028), 0), post, 0.002)
    s.box((w - 0.03, d - 0.03, 0.012), (0, 0, 0.008), m.wood(color, (w, 0.09), 0.6), 0)


def bucket(s: Stage) -> None:
    """A galvanised bucket with its bail, 0.3 m tall."""
    zinc = m.metal((0.5, 0.52, 0.53), 0.35, None, 0.2)
    s.lathe(
        [
            (0, 0.012),
            (0.1, 0.012),
            (0.1, 0),
            (0.105, 0),
            (0.148, 0.28),
            (0.156, 0.283),
            (0.154, 0.29),
            (0.144, 0.286),
            (0.1, 0.02),
            (0, 0.02),
        ],
        zinc,
        round_off=1,
    )
    s.tube(
        [(0.0, -0.148, 0.265), (0.05, -0.13, 0.2), (0.16, 0, 0.17), (0.05, 0.13, 0.2), (0.0, 0.148, 0.265)],
        0.0035,
        zinc,
        8,
    )


def kettle(s: Stage) -> None:
    """A chrome stove kettle, 240 mm tall with its handle."""
    chrome, black = m.metal(CHROME, 0.03, None, 0.05), m.plastic((0.02, 0.018, 0.016), 0.35)
    s.lathe(
        [(0, 0), (0.095, 0), (0.105, 0.008), (0.106, 0.05), (0.085, 0.11), (0.045, 0.135), (0.045, 0.14), (0, 0.14)],
        chrome,
        segments=72,
    )
    s.lathe([(0, 0.138), (0.043, 0.139), (0.036, 0.15), (0, 0.154)], chrome)
    s.lathe([(0, 0.15), (0.008, 0.152), (0.016, 0.166), (0.01, 0.178), (0, 0.179)], black)
    s.tube([(0.075, 0, 0.07), (0.12, 0, 0.095), (0.14, 0, 0.13)], lambda t: 0.023 - 0.01 * t, chrome, 20)
    s.tube(
        [(-0.075, 0, 0.115), (-0.1, 0, 0.19), (-0.04, 0, 0.235), (0.04, 0, 0.235), (0.09, 0, 0.19), (0.07, 0, 0.115)],
        0.0055,
        chrome,
        12,
    )
    s.tube([(-0.05, 0, 0.232), (0, 0, 0.238), (0.05, 0, 0.232)], 0.012, black, 14)


def whisk(s: Stage) -> None:
    """A balloon whisk standing on its handle's end, 300 mm."""
    wire = m.metal(CHROME, 0.06)
    s.tube(
        [(0, 0, 0), (0, 0, 0.06), (0, 0, 0.13)],
        lambda t: 0.009 + 0.002 * math.sin(math.pi * t),
        m.metal(CHROME, 0.12, "z"),
        14,
    )
    for k in range(6):
        a = math.pi * k / 6
        c, d = math.cos(a), math.sin(a)
        s.tube(
            [
                (0.006 * c, 0.006 * d, 0.12),
                (0.03 * c, 0.03 * d, 0.22),
                (0.026 * c, 0.026 * d, 0.28),
                (0, 0, 0.305 + 0.001 * k),
                (-0.026 * c, -0.026 * d, 0.28),
                (-0.03 * c, -0.03 * d, 0.22),
                (-0.006 * c, -0.006 * d, 0.12),
            ],
            0.0011,
            wire,
            6,
        )


def ladle(s: Stage, kind: int) -> None:
    """A hanging utensil, hook at the origin, reaching 300 mm down."""
    steel = m.metal(CHROME, 0.1, "z")
    s.tube([(0, 0.012, -0.004), (0, 0.006, 0.006), (0, -0.004, 0.0), (0, 0, -0.03), (0, 0, -0.2)], 0.0032, steel, 8)
    if kind == 0:
        s.blob((0.075, 0.05, 0.06), (0, -0.02, -0.235), steel, 2.3)
    elif kind == 1:
        for k in range(-2, 3):
            s.box((0.008, 0.002, 0.1), (k * 0.016, 0, -0.305), steel, 0.0005)
        for z in (-0.21, -0.308):
            s.box((0.075, 0.0026, 0.014), (0, 0, z), steel, 0.0005)
    else:
        for n in range(9):
            s.lathe([(0.005 + 0.005 * n, 0), (0.0062 + 0.005 * n, 0.001)], steel, (0, 0, -0.25), round_off=0)
        s.tube(
            [(0.05 * math.cos(a), 0.004, -0.245 + 0.05 * math.sin(a)) for a in (k * 0.524 for k in range(12))],
            0.003,
            steel,
            8,
            True,
        )
        for k in range(-4, 5):
            r = math.sqrt(0.0025 - (k * 0.01) ** 2)
            s.tube(
                [(k * 0.01, 0.004, -0.245 - r), (k * 0.01, 0.012, -0.245), (k * 0.01, 0.004, -0.245 + r)],
                0.0008,
                steel,
                5,
            )
            s.tube(
                [(-r, 0.004, -0.245 + k * 0.01), (0, 0.012, -0.245 + k * 0.01), (r, 0.004, -0.245 + k * 0.01)],
                0.0008,
                steel,
                5,
            )


def wire_basket(s: Stage, radius: float = 0.14, tall: float = 0.12) -> None:
    """An open fruit basket of black wire."""
    wire = m.painted((0.02, 0.02, 0.022), 0.35, 0.2)
    for r, z, thick in ((radius * 0.55, 0.004, 0.003), (radius * 0.85, tall * 0.5, 0.0018), (radius, tall, 0.0035)):
        s.tube(
            [(r * math.cos(a), r * math.sin(a), z) for a in (k * math.pi / 8 for k in range(16))], thick, wire, 8, True
        )
    for k in range(24):
        a = 2 * math.pi * k / 24
        c, d = math.cos(a), math.sin(a)
        s.tube(
            [
                (0.02 * c, 0.02 * d, 0.006),
                (radius * 0.55 * c, radius * 0.55 * d, 0.006),
                (radius * 0.85 * c, radius * 0.85 * d, tall * 0.5),
                (radius * c, radius * d, tall),
            ],
            0.0016,
            wire,
            6,
        )


def cooling_rack(s: Stage, w: float = 0.4, d: float = 0.26) -> None:
    """A wire rack on feet, 30 mm high."""
    wire = m.metal(CHROME, 0.08)
    x, y, z = w / 2, d / 2, 0.03
    s.tube([(-x, -y, z), (x, -y, z), (x, y, z), (-x, y, z)], 0.003, wire, 8, True, 1)
    for k in range(1, 20):
        s.tube([(-x + w * k / 20, -y, z), (-x + w * k / 20, y, z)], 0.0012, wire, 6)
    s.tube([(-x, 0, z - 0.003), (x, 0, z - 0.003)], 0.002, wire, 6)
    for px in (-1, 1):
        s.tube([(px * x * 0.9, -y, z), (px * x * 0.9, -y - 0.003, 0), (px * x * 0.75, -y, z)], 0.002, wire, 6, curve=1)
        s.tube([(px * x * 0.9, y, z), (px * x * 0.9, y + 0.003, 0), (px * x * 0.75, y, z)], 0.002, wire, 6, curve=1)


def pepper_mill(s: Stage) -> None:
    """A turned pepper mill, 220 mm."""
    s.lathe(
        [
            (0, 0),
            (0.03, 0),
            (0.03, 0.02),
            (0.02, 0.06),
            (0.024, 0.12),
            (0.03, 0.145),
            (0.017, 0.15),
            (0.017, 0.155),
            (0.03, 0.162),
            (0.028, 0.19),
            (0.012, 0.205),
            (0, 0.207),
        ],
        m.wood((0.3, 0.13, 0.05), None, 0.25, "z"),
        round_off=2,
    )
    s.blob((0.014, 0.014, 0.016), (0, 0, 0.212), m.metal(CHROME, 0.08))


def knife_block(s: Stage) -> None:
    """A slanted block with five knives."""
    s.prism(
        [(-0.07, 0), (0.07, 0), (0.07, 0.12), (0.0, 0.22), (-0.07, 0.17)],
        0.11,
        m.wood((0.48, 0.28, 0.12), None, 0.35, "z"),
        0.006,
    )
    for k in range(5):
        x, y = -0.02 + 0.035 * (k // 3), (k % 3 - 1) * 0.032
        with s.at(0.005 + x, y, 0.185 - 0.6 * x, 0, 0, 35):
            s.box((0.014, 0.02, 0.1), (0, 0, 0), m.plastic((0.02, 0.02, 0.02), 0.35), 0.005)
            s.box((0.015, 0.021, 0.008), (0, 0, 0), m.metal(CHROME, 0.1), 0.002)


def moka_pot(s: Stage) -> None:
    """A faceted aluminium coffee maker, 200 mm."""
    body = m.metal((0.72, 0.72, 0.72), 0.16, None, 0.12)
    s.lathe(
        [(0, 0), (0.05, 0), (0.052, 0.01), (0.042, 0.08), (0.044, 0.086), (0.036, 0.092), (0.052, 0.165), (0, 0.168)],
        body,
        segments=8,
        round_off=0,
    )
    s.lathe([(0, 0.166), (0.05, 0.166), (0.02, 0.182), (0, 0.184)], body, segments=8, round_off=0)
    black = m.plastic((0.02, 0.02, 0.02), 0.3)
    s.blob((0.022, 0.022, 0.026), (0, 0, 0.195), black)
    s.tube([(-0.045, 0, 0.155), (-0.1, 0, 0.16), (-0.1, 0, 0.1), (-0.094, 0, 0.075)], 0.0075, black, 12)
    s.tube([(0.04, 0, 0.13), (0.06, 0, 0.15), (0.072, 0, 0.165)], lambda t: 0.014 - 0.006 * t, body, 10)


def watering_can(s: Stage) -> None:
    """A zinc watering can, its spout along +x."""
    zinc = m.metal((0.42, 0.45, 0.45), 0.38, None, 0.2)
    s.lathe(
        [(0, 0), (0.11, 0), (0.115, 0.006), (0.11, 0.24), (0.116, 0.25), (0.108, 0.25), (0.104, 0.03), (0, 0.03)],
        zinc,
        round_off=1,
    )
    s.tube([(0.1, 0, 0.05), (0.2, 0, 0.16), (0.34, 0, 0.33)], lambda t: 0.024 - 0.011 * t, zinc, 14)
    with s.at(0.335, 0, 0.325, 0, 0, 45):
        s.lathe([(0.013, 0), (0.045, 0.05), (0.045, 0.055), (0, 0.06)], zinc, round_off=0)
    s.tube([(-0.09, 0, 0.06), (-0.2, 0, 0.12), (-0.19, 0, 0.27), (-0.05, 0, 0.34), (0.08, 0, 0.25)], 0.008, zinc, 10)


def broom(s: Stage) -> None:
    """A besom leaning: built upright, 1.4 m."""
    s.tube([(0, 0, 0.28), (0, 0, 1.4)], 0.0125, m.wood((0.5, 0.34, 0.18), None, 0.5, "z"), 10, curve=1)
    s.box((0.06, 0.05, 0.06), (0, 0, 0.27), m.wicker((0.5, 0.33, 0.15)), 0.01)
    straw = m.wood((0.6, 0.45, 0.2), None, 0.8, "z", 3)
    for k in range(46):
        x, y = s.rng.uniform(-1, 1), s.rng.uniform(-1, 1)
        s.tube(
            [(x * 0.02, y * 0.015, 0.3), (x * 0.06, y * 0.03, 0.12), (x * 0.1, y * 0.045, 0.0)],
            0.0035,
            straw,
            5,
            curve=2,
        )


def ladder(s: Stage, tall: float, rungs: int) -> None:
    """A wooden ladder, upright at the origin."""
    timber, rung = m.wood((0.45, 0.3, 0.16), None, 0.5, "z"), m.wood((0.5, 0.35, 0.2), None, 0.45)
    for x in (-1, 1):
        s.box((0.03, 0.06, tall), (x * 0.19, 0, 0), timber, 0.005)
    for k in range(rungs):
        s.tube(
            [(-0.19, 0, 0.2 + k * (tall - 0.3) / (rungs - 1)), (0.19, 0, 0.2 + k * (tall - 0.3) / (rungs - 1))],
            0.014,
            rung,
            10,
        )
