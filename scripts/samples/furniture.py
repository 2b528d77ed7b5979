"""Furniture, lamps, plants and the shells of rooms. Each stands on its frame's origin, in metres."""

from __future__ import annotations

import math

from samples import materials as m
from samples.materials import Color
from samples.stage import Stage
from samples.tableware import blade, book

BRASS = (0.8, 0.58, 0.26)


def table(s: Stage, size: tuple[float, float, float], color: Color, plank: float = 0.14, leg: float = 0.065) -> None:
    """A table with planked top, apron and square legs; the top's surface is at `size[2]`."""
    w, d, h = size
    top = m.wood(color, (w * 1.3, plank), 0.32)
    s.box((w, d, 0.035), (0, 0, h - 0.035), top, 0.005)
    plain = m.wood(m.shade(color, 0.85), None, 0.4)
    upright = m.wood(m.shade(color, 0.85), None, 0.4, "z")
    for y in (-1, 1):
        s.box((w - 0.2, 0.022, 0.09), (0, y * (d / 2 - 0.06), h - 0.125), plain)
    for x in (-1, 1):
        s.box((0.022, d - 0.2, 0.09), (x * (w / 2 - 0.06), 0, h - 0.125), m.wood(m.shade(color, 0.85), None, 0.4, "y"))
        for y in (-1, 1):
            s.box((leg, leg, h - 0.035), (x * (w / 2 - 0.07), y * (d / 2 - 0.07), 0), upright, 0.006)


def chair(s: Stage, color: Color, seat: Color | None = None) -> None:
    """A spindle-back chair, 0.9 m tall, facing -y."""
    timber, rail = m.wood(color, None, 0.35, "z"), m.wood(color, None, 0.35)
    for x in (-1, 1):
        s.tube(
            [(x * 0.2, -0.2, 0), (x * 0.18, -0.17, 0.43)],
            lambda t: 0.016 + 0.005 * math.sin(math.pi * t),
            timber,
            12,
            curve=1,
        )
        s.tube(
            [(x * 0.2, 0.22, 0), (x * 0.185, 0.18, 0.43), (x * 0.19, 0.22, 0.7), (x * 0.2, 0.27, 0.9)],
            0.016,
            timber,
            12,
        )
        s.tube([(x * 0.192, -0.185, 0.2), (x * 0.192, 0.2, 0.22)], 0.01, timber, 8, curve=1)
    s.tube([(-0.19, 0, 0.21), (0.19, 0, 0.21)], 0.01, rail, 8)
    s.box((0.43, 0.42, 0.032), (0, 0, 0.43), m.wood(m.shade(color, 1.1), (0.5, 0.11), 0.3), 0.012)
    for z, y, tall in ((0.84, 0.25, 0.07), (0.52, 0.195, 0.025)):
        s.box((0.4, 0.02, tall), (0, y, z), rail, 0.008)
    for k in range(-2, 3):
        s.tube([(k * 0.066, 0.197, 0.53), (k * 0.07, 0.25, 0.86)], 0.007, timber, 8, curve=1)
    if seat:
        s.blob((0.38, 0.37, 0.055), (0, -0.005, 0.485), m.fabric(seat, m.shade(seat, 1.7), 0.03, True), 4)


def stool(s: Stage, color: Color, tall: float = 0.62) -> None:
    """A round workshop stool."""
    s.lathe(
        [(0, tall - 0.035), (0.15, tall - 0.035), (0.165, tall - 0.02), (0.16, tall), (0, tall)],
        m.wood(color),
        round_off=2,
    )
    timber = m.wood(m.shade(color, 0.8), None, 0.4, "z")
    for k in range(4):
        a = math.pi / 4 + k * math.pi / 2
        c, d = math.cos(a), math.sin(a)
        s.tube([(0.19 * c, 0.19 * d, 0), (0.11 * c, 0.11 * d, tall - 0.03)], 0.016, timber, 12, curve=1)
    s.lathe(
        [(0.149, 0.2), (0.161, 0.2), (0.161, 0.212), (0.149, 0.212), (0.149, 0.2)],
        m.metal((0.3, 0.3, 0.3), 0.3),
        round_off=0,
    )


def sofa(s: Stage, color: Color, width: float = 2.1, legs: Color = (0.2, 0.11, 0.06)) -> None:
    """A sofa facing -y: seat, arms, back, cushions. An armchair if narrow."""
    cloth = m.fabric(color, None, 0, False, 420, 0.0014)
    inner = width - 0.36
    seats = max(1, round(inner / 0.62))
    s.box((width - 0.04, 0.82, 0.24), (0, 0, 0.12), cloth, 0.04)
    for x in (-1, 1):
        s.box((0.18, 0.88, 0.5), (x * (width / 2 - 0.09), 0, 0.12), cloth, 0.06)
        for y in (-0.36, 0.36):
            s.lathe(
                [(0, 0), (0.018, 0), (0.028, 0.13), (0, 0.13)],
                m.wood(legs, None, 0.3, "z"),
                (x * (width / 2 - 0.1), y, 0),
            )
    s.box((width - 0.1, 0.2, 0.62), (0, 0.36, 0.16), cloth, 0.07)
    for k in range(seats):
        x, w = (k + 0.5 - seats / 2) * inner / seats, inner / seats
        s.blob((w * 1.02, 0.72, 0.17), (x, -0.06, 0.42), cloth, 5, 0.006)
        with s.at(x, 0.2, 0.66, 0, -12):
            s.blob((w * 0.99, 0.2, 0.44), (0, 0, 0), cloth, 3.6, 0.012)


def cushion(s: Stage, color: Color, second: Color | None = None, size: float = 0.42, stripe: float = 0.05) -> None:
    """A scatter cushion leaning back against what is behind it (facing -y)."""
    s.blob((size, 0.15, size), (0, 0, size / 2), m.fabric(color, second, stripe, False, 700), 3.2, 0.02)


def throw(s: Stage, color: Color, second: Color) -> None:
    """A blanket hung over an arm that runs along y under the origin's height."""

    def shape(u: float, v: float) -> tuple[float, float, float]:
        t = u - 0.5
        fold = 0.008 * math.sin(40 * v + 3 * u)
        if abs(t) < 0.1:
            return (t, v - 0.25, 0.008 + fold * 0.4 + 0.02 * (0.1 - abs(t)))
        drop = abs(t) - 0.1
        return (math.copysign(0.108 + fold + 0.01 * drop, t), v - 0.25, -drop)

    s.sheet((1.0, 0.5), (60, 30), m.fabric(color, second, 0.06, True, 260, 0.002), shape)


def shelf(s: Stage, size: tuple[float, float, float], color: Color, rows: int) -> list[float]:
    """An open bookcase (front towards -y); returns the heights of its boards' upper sides."""
    w, d, h = size
    board, side = m.wood(color, None, 0.35), m.wood(color, None, 0.35, "z")
    for x in (-1, 1):
        s.box((0.028, d, h), (x * (w / 2 - 0.014), 0, 0), side, 0.003)
    s.box((w - 0.05, 0.01, h - 0.04), (0, d / 2 - 0.008, 0.02), m.wood(m.shade(color, 0.7), (1.5, 0.12), 0.5), 0)
    tops = []
    for k in range(rows + 1):
        z = 0.06 + (h - 0.085) * k / rows
        s.box((w - 0.056, d - 0.012, 0.025), (0, -0.002, z), board, 0.003)
        tops.append(z + 0.025)
    s.box((w - 0.056, 0.02, 0.06), (0, -d / 2 + 0.03, 0), board, 0.002)
    return tops


def cabinet(s: Stage, size: tuple[float, float, float], color: Color, doors: int, knob: Color = BRASS) -> None:
    """A sideboard with panelled doors facing -y on short legs."""
    w, d, h = size
    s.box((w, d, h - 0.16), (0, 0, 0.14), m.wood(color, None, 0.35), 0.004)
    s.box((w + 0.03, d + 0.03, 0.025), (0, 0, h - 0.025), m.wood(color, None, 0.28), 0.004)
    for k in range(doors):
        x, each = (k + 0.5 - doors / 2) * w / doors, w / doors - 0.014
        s.box((each, 0.018, h - 0.21), (x, -d / 2 - 0.006, 0.16), m.wood(color, None, 0.33, "z"), 0.003)
        s.box(
            (each - 0.12, 0.008, h - 0.33),
            (x, -d / 2 - 0.014, 0.22),
            m.wood(m.shade(color, 0.9), None, 0.33, "z"),
            0.004,
        )
        s.blob(
            (0.028, 0.03, 0.028),
            (x + each * 0.4 * (1 if k % 2 == 0 else -1), -d / 2 - 0.03, h * 0.55),
            m.metal(knob, 0.2),
        )
    for x in (-1, 1):
        for y in (-1, 1):
            s.lathe(
                [(0, 0), (0.013, 0), (0.024, 0.145), (0, 0.145)],
                m.wood(color, None, 0.35, "z"),
                (x * (w / 2 - 0.08), y * (d / 2 - 0.06), 0),
            )


def floor_lamp(s: Stage, shade: Color = (0.85, 0.7, 0.48), tall: float = 1.62, glow: float = 2.2) -> None:
    """A standing lamp with a cloth shade."""
    brass = m.metal(BRASS, 0.2, "z")
    s.lathe([(0, 0), (0.15, 0), (0.15, 0.012), (0.02, 0.03), (0, 0.03)], brass)
    s.tube([(0, 0, 0.02), (0, 0, tall - 0.1)], 0.011, brass, 14)
    s.lathe(
        [(0.22, tall - 0.3), (0.15, tall), (0.147, tall), (0.217, tall - 0.3)], m.lampshade(shade, glow), round_off=0
    )


def table_lamp(s: Stage, body: Color, shade: Color = (0.85, 0.74, 0.55), tall: float = 0.5, glow: float = 2.5) -> None:
    """A ceramic lamp with a cloth shade."""
    k = tall
    s.lathe(
        [
            (0, 0),
            (0.13 * k, 0),
            (0.13 * k, 0.03 * k),
            (0.2 * k, 0.2 * k),
            (0.17 * k, 0.4 * k),
            (0.05 * k, 0.52 * k),
            (0.04 * k, 0.6 * k),
            (0, 0.6 * k),
        ],
        m.ceramic(body, m.shade(body, 0.5), (0.5, 0.55), k * 0.5),
    )
    s.lathe(
        [(0.34 * k, 0.56 * k), (0.22 * k, k), (0.215 * k, k), (0.335 * k, 0.56 * k)],
        m.lampshade(shade, glow),
        round_off=0,
    )


def desk_lamp(s: Stage, color: Color) -> None:
    """A jointed lamp reaching along +x."""
    paint, steel = m.painted(color, 0.22, 0.1), m.metal((0.6, 0.6, 0.6), 0.2)
    s.lathe([(0, 0), (0.085, 0), (0.085, 0.014), (0.03, 0.028), (0.012, 0.034), (0, 0.034)], paint)
    for y in (-0.014, 0.014):
        s.tube([(0, y, 0.03), (-0.1, y, 0.24)], 0.0045, steel, 8)
        s.tube([(-0.1, y, 0.24), (0.13, y, 0.44)], 0.0045, steel, 8)
    for at in ((0, 0, 0.035), (-0.1, 0, 0.24), (0.13, 0, 0.44)):
        s.blob((0.03, 0.045, 0.03), at, paint, 3)
    with s.at(0.14, 0, 0.445, 0, 0, -32):
        s.lathe(
            [(0.02, 0.03), (0.03, 0.02), (0.036, -0.03), (0.075, -0.1), (0.072, -0.1), (0.03, -0.03), (0, 0.0)], paint
        )
        s.blob((0.05, 0.05, 0.06), (0, 0, -0.07), m.lampshade((1, 0.85, 0.6), 9))


def pot_plant(
    s: Stage,
    tall: float,
    pot: Color,
    leaves: int = 26,
    width: float = 0.05,
    spread: float = 0.5,
    basket: bool = False,
    color: Color = (0.07, 0.2, 0.05),
) -> None:
    """A plant with arching leaves in a clay pot or basket; `spread` is how far they reach out."""
    k = min(0.36, tall * 0.28)
    r = k * 0.5
    clay = m.wicker(pot) if basket else m.terracotta(pot)
    s.lathe(
        [
            (0, 0),
            (r * 0.72, 0),
            (r, k * 0.85),
            (r * 1.1, k * 0.86),
            (r * 1.1, k),
            (r * 0.95, k),
            (r * 0.93, k * 0.88),
            (0, k * 0.86),
        ],
        clay,
        round_off=1,
    )
    s.lathe([(0, k * 0.92), (r * 0.94, k * 0.9)], m.soil(), round_off=0)
    greens = [m.leaf(color), m.leaf(m.shade(color, 0.75)), m.leaf((color[0] * 1.5, color[1] * 1.2, color[2]))]
    for n in range(leaves):
        up = (n + 0.5) / leaves
        a = 137.5 * n + s.rng.uniform(-12, 12)
        length = (tall - k) * (0.55 + 0.5 * up) * s.rng.uniform(0.85, 1.05)
        with s.at(r * 0.3 * math.cos(math.radians(a)), r * 0.3 * math.sin(math.radians(a)), k * 0.88, a):
            blade(s, greens[n % 3], length, width * s.rng.uniform(0.75, 1.1), spread * (1.15 - up) * length * 1.3)


def herb(s: Stage, pot: Color, tall: float = 0.26, sprigs: int = 16, color: Color = (0.1, 0.28, 0.05)) -> None:
    """A bushy herb in a pot: thin stems set with small leaves."""
    k = 0.11
    s.lathe(
        [(0, 0), (0.04, 0), (0.055, k * 0.8), (0.06, k * 0.82), (0.06, k), (0.052, k), (0, k * 0.9)],
        m.terracotta(pot),
        round_off=1,
    )
    s.lathe([(0, k * 0.95), (0.052, k * 0.93)], m.soil(), round_off=0)
    green, stem = m.leaf(color), m.leaf(m.shade(color, 0.6))
    for n in range(sprigs):
        a, out = 2.4 * n, 0.03 + 0.06 * ((n * 7) % sprigs) / sprigs
        x, y, top = out * math.cos(a), out * math.sin(a), k + (tall - k) * s.rng.uniform(0.6, 1)
        s.tube([(x * 0.3, y * 0.3, k * 0.9), (x * 0.8, y * 0.8, (k + top) / 2), (x, y, top)], 0.0014, stem, 5, curve=3)
        for q in range(7):
            t = 0.3 + 0.7 * q / 6
            with s.at(x * t, y * t, k + (top - k) * t, math.degrees(a) + 110 * q, 0, 55 - 30 * t):
                blade(s, green, 0.032, 0.011, 0.01, 0.2)


def curtain(s: Stage, width: float, tall: float, color: Color, folds: int = 7) -> None:
    """A hanging curtain along x, from the floor up."""

    def shape(u: float, v: float) -> tuple[float, float, float]:
        a = 2 * math.pi * folds * u / width
        deep = 0.045 * (0.75 + 0.25 * math.sin(3 * v + u))
        return (u - width / 2 + 0.012 * math.sin(2 * a), deep * math.sin(a) + 0.008 * math.sin(5 * v), v + 0.01)

    s.sheet((width, tall), (folds * 14, 14), m.fabric(color, m.shade(color, 0.8), 0.05, False, 600), shape)


def framed_picture(
    s: Stage, size: tuple[float, float], seed: float, frame: Color, tones: tuple[Color, Color, Color]
) -> None:
    """A framed painting on a wall, facing -y, centred on the origin."""
    w, h = size
    edge, timber = 0.035, m.wood(frame, None, 0.3)
    for z in (-1, 1):
        s.box((w, 0.025, edge), (0, -0.0125, z * (h / 2 - edge / 2) - edge / 2), timber, 0.005)
    for x in (-1, 1):
        s.box((edge, 0.025, h), (x * (w / 2 - edge / 2), -0.0125, -h / 2), m.wood(frame, None, 0.3, "z"), 0.005)
    s.box((w - 0.04, 0.008, h - 0.04), (0, -0.006, -h / 2 + 0.02), m.plaster((0.75, 0.72, 0.65), 0.2), 0)
    s.box((w * 0.68, 0.004, h * 0.68), (0, -0.011, -h * 0.34), m.picture(seed, *tones), 0)


def window_wall(
    s: Stage,
    width: float,
    tall: float,
    openings: list[tuple[float, float, float, float]],
    wall: object,
    frame: object,
    thick: float = 0.22,
) -> None:
    """A wall along x whose inner side is y = 0 (thickness outwards, +y), with glazed openings (x0, x1, z0, z1)."""
    x = -width / 2
    for x0, x1, z0, z1 in sorted(openings):
        s.box((x0 - x, thick, tall), ((x + x0) / 2, thick / 2, 0), wall, 0)
        s.box((x1 - x0, thick, z0), ((x0 + x1) / 2, thick / 2, 0), wall, 0)
        s.box((x1 - x0, thick, tall - z1), ((x0 + x1) / 2, thick / 2, z1), wall, 0)
        w, h, mid = x1 - x0, z1 - z0, (x0 + x1) / 2
        for z in (z0, z0 + h * 0.62, z1 - 0.06):
            s.box((w, 0.06, 0.06 if z != z0 + h * 0.62 else 0.045), (mid, thick * 0.6, z), frame, 0.005)
        for px in (x0 + 0.03, mid, x1 - 0.03):
            s.box((0.06, 0.06, h), (px, thick * 0.6, z0), frame, 0.005)
        s.box((w + 0.1, 0.22, 0.035), (mid, 0.0, z0 - 0.035), frame, 0.006)
        for px in (x0 - 0.045, x1 + 0.045):
            s.box((0.09, 0.02, h + 0.1), (px, -0.01, z0), frame, 0.004)
        s.box((w + 0.2, 0.03, 0.11), (mid, -0.015, z1), frame, 0.006)
        x = x1
    s.box((width / 2 - x, thick, tall), ((x + width / 2) / 2, thick / 2, 0), wall, 0)


def wall(s: Stage, width: float, tall: float, material: object, skirting: object | None = None) -> None:
    """A plain wall along x, its inner side at y = 0 facing -y, with a skirting board."""
    s.box((width, 0.12, tall), (0, 0.06, 0), material, 0)
    if skirting:
        s.box((width, 0.018, 0.11), (0, -0.009, 0), skirting, 0.004)


def laptop(s: Stage, seed: float) -> None:
    """An open laptop facing -y."""
    shell = m.metal((0.5, 0.51, 0.53), 0.32, None, 0.1)
    s.box((0.32, 0.22, 0.014), (0, 0, 0), shell, 0.004)
    keys = m.tiles((0.02, 0.02, 0.022), (0.03, 0.03, 0.03), (0.019, 0.018), 0.0025, 0.3, 0.45, (0.3, 0.3, 0.31))
    s.box((0.28, 0.11, 0.002), (0, 0.035, 0.0135), keys, 0)
    s.box((0.1, 0.06, 0.001), (0, -0.065, 0.0138), m.metal((0.45, 0.46, 0.47), 0.4), 0)
    with s.at(0, 0.11, 0.014, 0, -16):
        s.box((0.32, 0.007, 0.21), (0, 0.004, 0), shell, 0.003)
        s.box((0.3, 0.002, 0.19), (0, -0.0008, 0.01), m.screen(seed), 0)


def open_book(s: Stage) -> None:
    """A book lying open."""
    paper = m.print_paper((0.82, 0.77, 0.66), (0.08, 0.07, 0.06), (0.4, 0.36, 0.3), 0.006, 0.13)
    for side in (-1, 1):
        for k in range(3):

            def shape(u: float, v: float, side: int = side, k: int = k) -> tuple[float, float, float]:
                return (
                    side * u,
                    v - 0.11,
                    0.006 + 0.004 * k + 0.02 * math.sin(math.pi * min(1, u / 0.16) ** 0.55) * (0.55 + 0.2 * k),
                )

            s.sheet((0.15, 0.22), (18, 4), paper, shape)
    s.box((0.32, 0.23, 0.004), (0, 0, 0), m.fabric((0.25, 0.05, 0.04)), 0.001)


def globe(s: Stage) -> None:
    """A desk globe on a wooden foot, 0.36 m tall."""
    s.lathe([(0, 0), (0.09, 0), (0.09, 0.015), (0.025, 0.03), (0.014, 0.07), (0, 0.07)], m.wood((0.22, 0.1, 0.05)))
    s.tube(
        [(0.0, 0, 0.065), (-0.1, 0, 0.09), (-0.152, 0, 0.2), (-0.1, 0, 0.32), (0.0, 0, 0.35)],
        0.006,
        m.metal(BRASS, 0.2),
    )
    with s.at(0, 0, 0.207):
        s.blob((0.26, 0.26, 0.26), (0, 0, 0), m.skin((0.1, 0.22, 0.3), (0.5, 0.42, 0.22), 40, 0.0002, 0.25, 9))


def leaning_books(s: Stage, count: int) -> None:
    """A few books standing and leaning together (spines to -y)."""
    for k in range(count):
        with s.at(k * 0.034, 0, 0, 0, 0, 0 if k < count - 1 else -9):
            book(
                s,
                (0.03, 0.15, 0.21 + 0.015 * (k % 3)),
                [(0.4, 0.1, 0.06), (0.08, 0.16, 0.2), (0.5, 0.4, 0.2)][k % 3],
                "NOVEL",
                True,
            )
