"""Streets: facades, cars, trees, bicycles and what stands on pavements. On the frame's origin, in metres."""

from __future__ import annotations

import math

from samples import materials as m
from samples.materials import Color
from samples.stage import Stage

IRON = (0.018, 0.022, 0.02)


def facade(
    s: Stage,
    bays: int,
    bay: float,
    floors: int,
    wall: object,
    trim: object,
    shop: str = "",
    paint: Color = (0.05, 0.12, 0.1),
    storey: float = 3.1,
    ground: float = 3.8,
) -> None:
    """A house front along x from the origin, its face at y = 0 looking to -y: shop below, sash windows above."""
    width, tall = bays * bay, ground + floors * storey
    glazing, joinery = m.window(), m.painted((0.7, 0.68, 0.62), 0.35, 0.2)
    pier = bay * 0.27
    for k in range(bays + 1):
        w = pier * (1 if 0 < k < bays else 0.5) * 2
        x = k * bay + (pier / 2 if k == 0 else -pier / 2 if k == bays else 0)
        s.box((w if 0 < k < bays else pier, 0.4, tall - ground), (x, 0.2, ground), wall, 0)
    for f in range(floors + 1):
        z = ground + f * storey
        low = z - (storey * 0.22 if f else 0.0)
        s.box((width, 0.39, z + storey * 0.26 - low if f < floors else z - low), (width / 2, 0.205, low), wall, 0)
        if f < floors:
            s.box((width, 0.12, 0.14), (width / 2, 0.0, z - 0.05), trim, 0.02)
    for f in range(floors):
        for k in range(bays):
            with s.at((k + 0.5) * bay, 0.14, ground + f * storey + storey * 0.26):
                sash(s, bay - 2 * pier, storey * 0.52, glazing, joinery, trim)
    s.box((width + 0.2, 0.5, 0.3), (width / 2, 0.05, tall - 0.05), trim, 0.04)
    for k in range(int(width / 0.35)):
        s.box((0.12, 0.16, 0.14), (k * 0.35 + 0.2, -0.14, tall - 0.2), trim, 0.01)
    s.box((width, 0.3, 0.5), (width / 2, 0.25, tall + 0.2), wall, 0)
    with s.at(0, 0, 0):
        shopfront(s, width, ground, paint, shop, trim)


def sash(s: Stage, w: float, h: float, glazing: object, joinery: object, trim: object) -> None:
    """A sash window in a deep reveal, its sill at the origin."""
    s.box((w + 0.12, 0.02, h), (0, 0.1, 0), glazing, 0)
    for x in (-w / 2 + 0.03, 0, w / 2 - 0.03):
        s.box((0.06 if x else 0.03, 0.05, h), (x, 0.07, 0), joinery, 0.004)
    for z, t in ((0, 0.08), (h * 0.5 - 0.03, 0.06), (h - 0.07, 0.07)):
        s.box((w, 0.06, t), (0, 0.06, z), joinery, 0.004)
    s.box((w + 0.3, 0.3, 0.09), (0, -0.1, -0.09), trim, 0.012)
    s.box((w + 0.34, 0.1, 0.24), (0, -0.15, h), trim, 0.012)
    for x in (-1, 1):
        s.box((0.14, 0.07, h), (x * (w / 2 + 0.07), -0.14, 0), trim, 0.01)


def shopfront(s: Stage, width: float, tall: float, paint: Color, words: str, trim: object) -> None:
    """A painted shop window with stall riser, door, fascia and letters."""
    timber = m.painted(paint, 0.28, 0.25)
    s.box((width, 0.05, tall - 0.9), (width / 2, 0.28, 0.1), m.window((0.035, 0.032, 0.03), 0.02), 0)
    count = max(3, round(width / 1.3))
    door = count // 2
    for k in range(count + 1):
        s.box(
            (0.16 if k in (0, count) else 0.09, 0.22, tall - 0.75),
            (min(max(k * width / count, 0.08), width - 0.08), 0.14, 0),
            timber,
            0.01,
        )
    for k in range(count):
        x, w = (k + 0.5) * width / count, width / count - 0.09
        if k == door:
            s.box((w, 0.06, 0.9), (x, 0.2, 0.02), timber, 0.006)
            s.box((0.1, 0.07, tall - 1.2), (x - w / 2 + 0.05, 0.2, 0.02), timber, 0.006)
            s.box((0.1, 0.07, tall - 1.2), (x + w / 2 - 0.05, 0.2, 0.02), timber, 0.006)
            s.tube(
                [
                    (x + w / 2 - 0.06, 0.14, 1.0),
                    (x + w / 2 - 0.06, 0.1, 1.05),
                    (x + w / 2 - 0.06, 0.1, 1.25),
                    (x + w / 2 - 0.06, 0.14, 1.3),
                ],
                0.012,
                m.metal((0.8, 0.58, 0.25), 0.2),
            )
        else:
            s.box((w, 0.2, 0.62), (x, 0.15, 0), timber, 0.006)
            s.box((w - 0.24, 0.02, 0.4), (x, 0.045, 0.11), m.painted(m.shade(paint, 1.5), 0.28, 0.3), 0.01)
            s.box((w, 0.08, 0.05), (x, 0.12, tall - 1.35), timber, 0.004)
    s.box((width, 0.3, 0.62), (width / 2, 0.06, tall - 0.75), timber, 0.015)
    s.box((width + 0.1, 0.36, 0.1), (width / 2, 0.0, tall - 0.14), trim, 0.015)
    if words:
        with s.at(width / 2, -0.1, tall - 0.44):
            s.text(words, 0.42, m.metal((0.85, 0.62, 0.25), 0.25), 0.03)


def awning(s: Stage, width: float, reach: float, color: Color, second: Color) -> None:
    """A striped awning hung at the origin, reaching to -y and down, along x from 0."""
    cloth = m.fabric(color, second, 0.4, False, 300, 0.001)
    drop = reach * 0.42
    s.sheet((width, 1), (40, 6), cloth, lambda u, v: (u, -reach * v, -drop * v - 0.02 * math.sin(math.pi * v)))
    s.sheet(
        (width, 0.2), (80, 2), cloth, lambda u, v: (u, -reach - 0.002, -drop - v * (0.85 + 0.15 * math.cos(u * 15.7)))
    )
    for x in (0.03, width - 0.03):
        s.tube([(x, -0.02, -0.5), (x, -reach + 0.04, -drop - 0.02)], 0.012, m.metal((0.6, 0.6, 0.6), 0.3), 8)


def car(s: Stage, color: Color, length: float = 4.2, van: bool = False) -> None:
    """A hatchback (or van) along x, nose to +x, from lofted sections under subdivision."""
    k = length / 4.2
    tall = 1.95 if van else 1.46
    roof_from, roof_to = (-2.0, 0.75) if van else (-1.35, 0.35)
    stations = [
        (-2.1, 0.42, 0.78),
        (-2.02, 0.25, 0.98),
        (-1.5, 0.2, 1.0),
        (-0.6, 0.18, 0.98),
        (0.5, 0.18, 0.96),
        (1.1, 0.19, 0.93),
        (1.75, 0.22, 0.82),
        (2.05, 0.28, 0.68),
        (2.1, 0.42, 0.55),
    ]
    loft(
        s,
        [(x * k, low, high, 0.88 - 0.14 * max(0, abs(x) - 1.5) ** 1.2) for x, low, high in stations],
        m.car_paint(color),
        0.12,
    )
    cabin = [
        (roof_from - 0.42, 0.9, 0.96, 0.74),
        (roof_from, 0.9, tall - 0.07, 0.68),
        (-0.5, 0.9, tall, 0.68),
        (roof_to, 0.9, tall - 0.03, 0.66),
        (roof_to + 0.75, 0.86, 0.95, 0.72),
    ]
    loft(s, [(x * k, a, b, w) for x, a, b, w in cabin], m.window((0.012, 0.014, 0.016)), 0.1)
    roof = [(x * k, b - 0.035, b + 0.012, w - 0.02) for x, a, b, w in cabin[1:4]]
    loft(s, roof, m.car_paint(color), 0.05)
    paint = m.car_paint(color)
    for y in (-1, 1):
        for path in ([cabin[3], cabin[4]], [cabin[1], cabin[0]]):
            (x0, _, z0, w0), (x1, _, z1, w1) = path
            s.tube([(x0 * k, y * w0 * 0.99, z0 - 0.02), (x1 * k, y * w1 * 1.0, z1)], 0.032, paint, 8, curve=1)
        s.tube([(-0.45 * k, y * 0.7, tall - 0.05), (-0.5 * k, y * 0.765, 0.95)], 0.035, paint, 8, curve=1)
        for x in (-1.3, 1.28):
            with s.at(x * k, y * 0.78, 0.31, 0 if y < 0 else 180, 90):
                wheel(s)
        s.box((0.16, 0.05, 0.022), (-0.15 * k, y * 0.885, 0.82), paint, 0.008)
        s.blob((0.16, 0.2, 0.13), (0.72 * k, y * 0.93, 1.0), paint, 3)
        s.blob((0.16, 0.34, 0.13), (1.98 * k, y * 0.58, 0.68), m.glass((0.95, 0.95, 1)), 2.6)
        s.blob((0.12, 0.28, 0.16), (-2.04 * k, y * 0.62, 0.8), m.plastic((0.45, 0.02, 0.015), 0.12), 3)
        s.box((2.0 * k, 0.012, 0.05), (0, y * 0.884, 0.5), m.plastic((0.03, 0.03, 0.03), 0.6), 0.004)
    dark = m.plastic((0.02, 0.02, 0.02), 0.5)
    s.box((0.04, 1.0, 0.16), (2.075 * k, 0, 0.42), dark, 0.01)
    for x in (2.108, -2.108):
        s.box(
            (0.012, 0.5, 0.11),
            (x * k, 0, 0.5 if x > 0 else 0.62),
            m.print_paper((0.75, 0.74, 0.68), (0.03, 0.03, 0.03), (0.1, 0.1, 0.1), 0.09, 0.5),
            0.002,
        )


def loft(s: Stage, sections: list[tuple[float, float, float, float]], material: object, soft: float) -> None:
    """A body through sections (x, low, high, half width), rounded by `soft`, subdivided."""
    ring = 12
    points, faces = [], []
    for x, low, high, half in sections:
        mid, up = (low + high) / 2, (high - low) / 2
        for q in range(ring):
            a = 2 * math.pi * (q + 0.5) / ring
            c, d = math.cos(a), math.sin(a)
            e = 2 / (2 + 3 * (1 - soft))
            points.append((x, half * math.copysign(abs(c) ** e, c), mid + up * math.copysign(abs(d) ** e, d)))
    for i in range(len(sections) - 1):
        for q in range(ring):
            n = (q + 1) % ring
            faces.append((i * ring + q, (i + 1) * ring + q, (i + 1) * ring + n, i * ring + n))
    faces += [tuple(range(ring)), tuple((len(sections) - 1) * ring + q for q in reversed(range(ring)))]
    s.faces(points, faces, material, subdivide=2)


def wheel(s: Stage) -> None:
    """A car wheel about the origin, its outer face to +z (after the caller's tilt)."""
    rubber, alloy = m.plastic((0.018, 0.018, 0.018), 0.75), m.metal((0.6, 0.6, 0.62), 0.22)
    s.lathe([(0.2, -0.1), (0.29, -0.1), (0.31, -0.07), (0.31, 0.07), (0.29, 0.1), (0.2, 0.1)], rubber, round_off=2)
    s.lathe([(0.205, 0.1), (0.2, 0.06), (0.0, 0.055)], m.plastic((0.02, 0.02, 0.02), 0.5), round_off=0)
    s.lathe([(0.21, 0.098), (0.2, 0.104), (0.185, 0.098), (0.185, 0.08)], alloy, round_off=1)
    for q in range(5):
        with s.at(yaw=72 * q):
            s.box((0.19, 0.045, 0.025), (0.1, 0, 0.068), alloy, 0.008)
    s.lathe([(0, 0.1), (0.045, 0.1), (0.05, 0.06)], alloy, round_off=1)


def tree(
    s: Stage, tall: float, crown: float, color: Color = (0.08, 0.2, 0.035), leaves: int = 5200, bare: float = 0.36
) -> None:
    """A street tree: trunk, boughs and a crown of single leaves."""
    bark = m.skin((0.12, 0.09, 0.065), (0.2, 0.165, 0.125), 26, 0.02, 0.9, 8)
    s.tube(
        [(0, 0, -0.05), (0.03, 0.02, tall * 0.2), (0, -0.03, tall * bare), (0.05, 0, tall * 0.72)],
        lambda t: (0.019 - 0.013 * t) * tall + 0.03 * math.exp(-14 * t),
        bark,
        14,
    )
    tips = []
    for n in range(15):
        a, up = 2.4 * n, s.rng.uniform(0.5, 1.0)
        reach = crown * (0.95 - 0.55 * abs(up - 0.65)) * s.rng.uniform(0.6, 0.95)
        start = tall * (bare + 0.3 * (up - 0.5))
        tip = (reach * math.cos(a), reach * math.sin(a), tall * (0.42 + 0.5 * up))
        s.tube(
            [(0, 0, start), (tip[0] * 0.45, tip[1] * 0.45, (start + tip[2]) / 2 + 0.1), tip],
            lambda t: 0.008 * tall * (1 - 0.8 * t),
            bark,
            7,
            curve=4,
        )
        tips += [tip, (tip[0] * 0.55, tip[1] * 0.55, tip[2] * 0.97)]
    foliage(s, tips, crown * 0.42, leaves, 0.075, color)


def foliage(
    s: Stage, centres: list[tuple[float, float, float]], radius: float, count: int, size: float, color: Color
) -> None:
    """Loose leaves (folded quads) around the given centres."""
    for share in range(2):
        points, faces = [], []
        for _ in range(count // 2):
            cx, cy, cz = s.rng.choice(centres)
            dx, dy, dz = (s.rng.gauss(0, 0.5) * radius for _ in range(3))
            a, b, k = s.rng.uniform(0, 6.28), s.rng.uniform(-1.1, 0.6), size * s.rng.uniform(0.6, 1.2)
            ax = (math.cos(a) * math.cos(b), math.sin(a) * math.cos(b), math.sin(b))
            bx = (-math.sin(a), math.cos(a), s.rng.uniform(-0.5, 0.5))
            o, n = (cx + dx, cy + dy, cz + dz * 0.75), len(points)
            for u, v in ((0, 0), (0.35, 0.3), (1, 0), (0.35, -0.3)):
                points.append(tuple(o[i] + k * (u * ax[i] + v * bx[i]) for i in range(3)))
            faces.append((n, n + 1, n + 2, n + 3))
        s.faces(points, faces, m.leaf(m.shade(color, 1 - 0.25 * share)))


def street_lamp(s: Stage, tall: float = 4.2) -> None:
    """A cast-iron lantern on a fluted post."""
    iron = m.painted(IRON, 0.35, 0.3)
    s.lathe(
        [
            (0, 0),
            (0.19, 0),
            (0.19, 0.12),
            (0.15, 0.16),
            (0.12, 0.6),
            (0.14, 0.64),
            (0.1, 0.7),
            (0.06, 0.85),
            (0.045, tall - 0.75),
            (0.07, tall - 0.7),
            (0.04, tall - 0.66),
            (0.04, tall - 0.56),
            (0, tall - 0.56),
        ],
        iron,
        segments=20,
        round_off=1,
    )
    s.tube([(-0.25, 0, tall - 0.85), (0.25, 0, tall - 0.85)], 0.018, iron)
    s.lathe(
        [(0.1, tall - 0.55), (0.19, tall - 0.15), (0.1, tall - 0.55)],
        m.window((0.3, 0.26, 0.2), 0.05),
        segments=6,
        round_off=0,
    )
    for q in range(6):
        a = q * math.pi / 3
        s.tube(
            [
                (0.1 * math.cos(a), 0.1 * math.sin(a), tall - 0.56),
                (0.195 * math.cos(a), 0.195 * math.sin(a), tall - 0.14),
            ],
            0.01,
            iron,
            6,
        )
    s.lathe(
        [(0, tall - 0.16), (0.23, tall - 0.16), (0.2, tall - 0.11), (0.06, tall), (0.03, tall + 0.04), (0, tall + 0.1)],
        iron,
        segments=6,
        round_off=0,
    )


def bench(s: Stage, color: Color = (0.32, 0.17, 0.07), width: float = 1.7) -> None:
    """A slatted bench on iron ends, facing -y."""
    iron, slat = m.painted(IRON, 0.35, 0.3), m.wood(color, None, 0.45)
    for x in (-1, 0, 1):
        px = x * (width / 2 - 0.12)
        s.tube(
            [(px, -0.26, 0), (px, -0.24, 0.38), (px, 0.0, 0.41), (px, 0.2, 0.4), (px, 0.32, 0.85)],
            0.018,
            iron,
            10,
            curve=3,
        )
        s.tube([(px, 0.27, 0), (px, 0.2, 0.2), (px, 0.19, 0.4)], 0.018, iron, 10)
        if x:
            s.tube([(px, -0.25, 0.42), (px, -0.24, 0.62), (px, 0.0, 0.65), (px, 0.25, 0.62)], 0.014, iron, 10)
    for k in range(5):
        s.box((width, 0.075, 0.03), (0, -0.21 + 0.095 * k, 0.42), slat, 0.006)
    for k in range(4):
        with s.at(0, 0.225 + 0.03 * k, 0.5 + 0.1 * k, 0, -15):
            s.box((width, 0.028, 0.07), (0, 0, 0), slat, 0.006)


def litter_bin(s: Stage, color: Color = (0.03, 0.09, 0.06)) -> None:
    """A slatted round bin with a hood, 0.95 m."""
    paint = m.painted(color, 0.35, 0.5)
    s.lathe(
        [(0, 0), (0.2, 0), (0.2, 0.06), (0.17, 0.07), (0.17, 0.66), (0, 0.66)],
        m.plastic((0.025, 0.025, 0.025), 0.6),
        round_off=0,
    )
    for q in range(22):
        with s.at(yaw=q * 360 / 22):
            s.box((0.014, 0.04, 0.6), (0.215, 0, 0.06), paint, 0.005)
    for z in (0.05, 0.64):
        s.lathe([(0.2, z), (0.225, z), (0.225, z + 0.04), (0.2, z + 0.04), (0.2, z)], paint, round_off=0)
    s.lathe([(0.225, 0.84), (0.22, 0.88), (0.1, 0.94), (0, 0.95)], paint)
    for q in range(4):
        a = q * math.pi / 2 + 0.4
        s.tube(
            [(0.2 * math.cos(a), 0.2 * math.sin(a), 0.66), (0.2 * math.cos(a), 0.2 * math.sin(a), 0.86)], 0.01, paint, 8
        )


def bollard(s: Stage) -> None:
    """A cast bollard, 0.95 m."""
    s.lathe(
        [
            (0, 0),
            (0.11, 0),
            (0.11, 0.1),
            (0.08, 0.13),
            (0.065, 0.72),
            (0.09, 0.75),
            (0.09, 0.79),
            (0.06, 0.81),
            (0.07, 0.88),
            (0, 0.95),
        ],
        m.painted(IRON, 0.3, 0.4),
        segments=24,
        round_off=1,
    )
    s.lathe([(0.0735, 0.55), (0.0715, 0.65)], m.painted((0.7, 0.68, 0.6), 0.4, 0.3), segments=24, round_off=0)


def post_box(s: Stage) -> None:
    """A pillar box, 1.55 m."""
    red = m.painted((0.5, 0.02, 0.015), 0.25, 0.25)
    s.lathe(
        [(0, 0), (0.25, 0), (0.25, 0.2), (0.22, 0.24), (0.22, 1.32), (0.26, 1.36), (0.26, 1.42), (0.2, 1.5), (0, 1.55)],
        red,
        round_off=1,
    )
    s.box((0.24, 0.03, 0.04), (0, -0.215, 1.22), m.plastic((0.01, 0.01, 0.01), 0.6), 0.006)
    s.box(
        (0.2, 0.02, 0.2),
        (0, -0.218, 0.9),
        m.print_paper((0.75, 0.74, 0.7), (0.03, 0.03, 0.03), (0.5, 0.02, 0.02), 0.018, 0.18),
        0.003,
    )
    s.box((0.3, 0.02, 0.55), (0, -0.214, 0.28), red, 0.01)


def sign_post(s: Stage, words: str, color: Color = (0.02, 0.07, 0.3)) -> None:
    """A round traffic sign over a street name, 2.6 m."""
    steel = m.metal((0.5, 0.51, 0.52), 0.35, "z")
    s.tube([(0, 0, 0), (0, 0, 2.6)], 0.03, steel, 12, curve=1)
    with s.at(0, -0.035, 2.3, 0, 90):
        s.lathe([(0, 0), (0.3, 0), (0.3, 0.012), (0, 0.012)], m.painted(color, 0.3, 0.2), round_off=0)
        s.lathe([(0.25, 0.0135), (0.3, 0.0135)], m.painted((0.6, 0.02, 0.02), 0.3, 0.2), round_off=0)
        with s.at(0, 0, 0.014, 45):
            s.box((0.5, 0.06, 0.002), (0, 0, 0), m.painted((0.6, 0.02, 0.02), 0.3, 0.2), 0)
    s.box((0.7, 0.02, 0.18), (0, -0.03, 1.72), m.painted((0.75, 0.73, 0.68), 0.3, 0.2), 0.006)
    with s.at(0, -0.041, 1.81):
        s.text(words, 0.1, m.plastic((0.02, 0.02, 0.03)), 0.003)


def a_board(s: Stage, title: str) -> None:
    """A chalkboard sign standing open, 1 m."""
    for side in (-1, 1):
        with s.at(0, side * 0.26, 0, 0 if side < 0 else 180, -14):
            frame, upright = m.wood((0.35, 0.2, 0.09), None, 0.4), m.wood((0.35, 0.2, 0.09), None, 0.4, "z")
            for x in (-0.29, 0.29):
                s.box((0.045, 0.03, 1.02), (x, 0, 0), upright, 0.004)
            for z in (0.12, 0.975):
                s.box((0.54, 0.028, 0.045), (0, 0, z), frame, 0.004)
            s.box((0.55, 0.012, 0.83), (0, 0.004, 0.16), m.plaster((0.022, 0.025, 0.024), 0.3, 0.5), 0)
            chalk = m.plaster((0.75, 0.74, 0.7), 0.4)
            for k, (words, size) in enumerate(
                ((title, 0.13), ("soup & bread 7", 0.06), ("fresh lemonade 4", 0.06), ("plum cake 5", 0.06))
            ):
                with s.at(0, -0.003, 0.84 - 0.15 * k):
                    s.text(words, size, chalk, 0.002)


def planter(s: Stage, size: float, leaves: int = 900, color: Color = (0.07, 0.19, 0.04), tall: float = 0.6) -> None:
    """A square timber planter with a clipped, leafy ball."""
    s.box((size, size, size * 0.9), (0, 0, 0.03), m.wood((0.25, 0.16, 0.1), (size * 1.5, 0.1), 0.6), 0.01)
    for x in (-1, 1):
        for y in (-1, 1):
            s.box(
                (0.06, 0.06, size * 0.9 + 0.06),
                (x * size / 2, y * size / 2, 0),
                m.wood((0.22, 0.14, 0.09), None, 0.6, "z"),
                0.006,
            )
    s.box((size - 0.04, size - 0.04, 0.02), (0, 0, size * 0.9 + 0.015), m.soil(), 0)
    top = size * 0.9
    s.tube([(0, 0, top), (0.01, 0, top + tall * 0.4)], 0.018, m.wood((0.15, 0.1, 0.06), None, 0.7, "z"), 8)
    shell = []
    for n in range(60):
        z = 1 - 2 * (n + 0.5) / 60
        r = math.sqrt(1 - z * z)
        shell.append(
            (tall * 0.4 * r * math.cos(2.4 * n), tall * 0.4 * r * math.sin(2.4 * n), top + tall * 0.6 + tall * 0.4 * z)
        )
    foliage(s, shell, 0.09, leaves, 0.055, color)


def bistro_table(s: Stage, color: Color = (0.03, 0.12, 0.1)) -> None:
    """A round metal café table, 0.72 m high."""
    paint = m.painted(color, 0.3, 0.5)
    s.lathe(
        [(0, 0.705), (0.3, 0.705), (0.305, 0.712), (0.3, 0.72), (0, 0.72)],
        m.painted(m.shade(color, 1.15), 0.25, 0.5),
        round_off=1,
    )
    s.tube([(0, 0, 0.06), (0, 0, 0.71)], 0.022, paint, 12)
    for k in range(3):
        a = k * 2.094 + 0.5
        s.tube(
            [
                (0, 0, 0.14),
                (0.14 * math.cos(a), 0.14 * math.sin(a), 0.1),
                (0.27 * math.cos(a), 0.27 * math.sin(a), 0.006),
            ],
            0.012,
            paint,
            8,
        )


def bistro_chair(s: Stage, color: Color = (0.03, 0.12, 0.1)) -> None:
    """A folding slatted café chair facing -y, 0.84 m."""
    paint, slat = m.painted(color, 0.3, 0.5), m.wood((0.45, 0.27, 0.12), None, 0.45)
    for x in (-0.19, 0.19):
        s.tube([(x, -0.23, 0), (x, -0.02, 0.3), (x, 0.16, 0.5), (x, 0.24, 0.84)], 0.0085, paint, 8, curve=4)
        s.tube([(x * 0.92, 0.25, 0), (x * 0.92, 0.05, 0.25), (x * 0.92, -0.19, 0.45)], 0.0085, paint, 8, curve=4)
    for k in range(7):
        s.box((0.4, 0.042, 0.012), (0, -0.19 + 0.055 * k, 0.45), slat, 0.004)
    for k in range(3):
        with s.at(0, 0.19 + 0.022 * k, 0.6 + 0.08 * k, 0, -14):
            s.box((0.4, 0.012, 0.05), (0, 0, 0), slat, 0.004)
    s.tube([(-0.175, 0.19, 0.09), (0.175, 0.19, 0.09)], 0.007, paint, 8)


def bicycle(s: Stage, color: Color = (0.02, 0.14, 0.2)) -> None:
    """A city bicycle along x, front wheel at +x, upright, 1.08 m tall."""
    paint, chrome, black = (
        m.painted(color, 0.18, 0.15),
        m.metal((0.82, 0.82, 0.83), 0.06),
        m.plastic((0.02, 0.02, 0.02), 0.6),
    )
    r = 0.34
    for x in (-0.52, 0.52):
        ring = [
            (x + (r - 0.016) * math.cos(a), 0, r + (r - 0.016) * math.sin(a))
            for a in (k * math.pi / 18 for k in range(36))
        ]
        s.tube(ring, 0.016, black, 10, True, 2)
        s.tube([(x + (p[0] - x) * 0.94, 0, r + (p[2] - r) * 0.94) for p in ring], 0.009, chrome, 8, True, 2)
        s.tube([(x, -0.035, r), (x, 0.035, r)], 0.017, chrome, 12)
        for k in range(28):
            a, b = k * 2 * math.pi / 28, k * 2 * math.pi / 28 + (0.5 if k % 2 else -0.5)
            s.tube(
                [
                    (x + 0.015 * math.cos(b), 0.025 * (1 if k % 4 < 2 else -1), r + 0.015 * math.sin(b)),
                    (x + 0.3 * math.cos(a), 0, r + 0.3 * math.sin(a)),
                ],
                0.0011,
                chrome,
                5,
                curve=1,
            )
        fender = [
            (x + (r + 0.014) * math.cos(a), 0, r + (r + 0.014) * math.sin(a))
            for a in (0.35 + k * 0.26 for k in range(10))
        ]
        s.tube(fender, 0.012, paint, 10)
    seat, crank, head, fork = (-0.2, 0, 0.82), (-0.08, 0, 0.29), (0.33, 0, 0.83), (0.38, 0, 0.68)
    for a, b, t in (
        (seat, crank, 0.016),
        (crank, fork, 0.019),
        ((-0.18, 0, 0.74), (0.345, 0, 0.79), 0.016),
        (head, fork, 0.02),
    ):
        s.tube([a, b], t, paint, 14, curve=1)
    for y in (-0.045, 0.045):
        s.tube([(-0.19, y * 0.4, 0.76), (-0.52, y, r)], 0.009, paint, 10, curve=1)
        s.tube([(-0.08, y * 0.6, 0.29), (-0.52, y, r)], 0.01, paint, 10, curve=1)
        s.tube([(0.38, y * 0.6, 0.68), (0.43, y, 0.5), (0.52, y, r)], 0.011, paint, 10)
        s.tube([(-0.84, y * 1.4, 0.74), (-0.52, y * 1.2, r)], 0.004, chrome, 8, curve=1)
        s.tube([(-0.22, y * 1.2, 0.735), (-0.5, y * 1.4, 0.74), (-0.84, y * 1.4, 0.74)], 0.005, chrome, 8)
    for k in range(5):
        s.tube([(-0.3 - 0.12 * k, -0.063, 0.74), (-0.3 - 0.12 * k, 0.063, 0.74)], 0.004, chrome, 8)
    s.tube([seat, (-0.23, 0, 0.93)], 0.013, chrome, 12, curve=1)
    s.sheet(
        (1, 1),
        (12, 14),
        m.skin((0.2, 0.09, 0.04), (0.12, 0.05, 0.02), 300, 0.0003, 0.4),
        lambda u, v: (
            -0.37 + 0.29 * v,
            (u - 0.5) * (0.19 - 0.15 * v**0.6),
            0.965 - 0.05 * (2 * u - 1) ** 2 - 0.02 * math.sin(3 * v),
        ),
    )
    s.blob((0.26, 0.12, 0.04), (-0.25, 0, 0.935), black, 2.5)
    s.tube([head, (0.315, 0, 0.98), (0.35, 0, 1.02)], 0.011, chrome, 12)
    s.tube(
        [
            (0.08, -0.29, 1.0),
            (0.2, -0.28, 1.02),
            (0.34, -0.16, 1.04),
            (0.36, 0, 1.02),
            (0.34, 0.16, 1.04),
            (0.2, 0.28, 1.02),
            (0.08, 0.29, 1.0),
        ],
        0.0105,
        chrome,
        12,
    )
    for y in (-0.288, 0.288):
        s.tube(
            [(0.06, y, 0.997), (0.17, y * 0.985, 1.015)], 0.016, m.skin((0.2, 0.09, 0.04), (0.12, 0.05, 0.02), 300), 12
        )
    with s.at(-0.08, 0.05, 0.29, 0, 90):
        s.lathe([(0.075, -0.004), (0.085, 0), (0.075, 0.004), (0.07, 0), (0.075, -0.004)], chrome, round_off=0)
    for y, x, z in ((-0.09, 0.07, 0.2), (0.09, -0.23, 0.38)):
        s.tube([(-0.08, y * 0.7, 0.29), (x, y * 0.85, z)], 0.009, chrome, 8, curve=1)
        s.box((0.09, 0.07, 0.022), (x, y * 1.35, z - 0.01), black, 0.004)
    for z in (0.366, 0.214):
        s.tube([(-0.08, 0.05, z), (-0.52, 0.045, r + (0.035 if z > 0.3 else -0.035))], 0.0035, black, 6, curve=1)
    with s.at(0.37, 0, 0.86, 0, 0, 90):
        s.lathe([(0, 0), (0.02, 0.0), (0.045, 0.05), (0.047, 0.06), (0, 0.065)], chrome)
    s.tube([(-0.1, -0.03, 0.28), (-0.14, -0.16, 0.0)], 0.008, chrome, 8)


def railing(s: Stage, width: float, tall: float = 1.1, gap: float = 0.11) -> None:
    """Iron railings along x from the origin, with spear heads."""
    iron = m.painted(IRON, 0.32, 0.7)
    count = int(width / gap)
    for k in range(count + 1):
        x, post = k * width / count, k % 12 == 0
        s.tube([(x, 0, 0), (x, 0, tall)], 0.018 if post else 0.007, iron, 8)
        s.lathe(
            [(0, 0), (0.012, 0), (0.02, 0.02), (0.012, 0.04), (0.0, 0.1)]
            if not post
            else [(0, 0), (0.03, 0), (0.036, 0.035), (0.0, 0.08)],
            iron,
            (x, 0, tall),
            10,
            1,
        )
    for z in (0.12, tall - 0.1):
        s.box((width, 0.035, 0.012), (width / 2, 0, z), iron, 0.002)
