"""Small props: ware, food, bottles, tools, books. Each stands on its frame's origin, in metres."""

from __future__ import annotations

import math

from samples import materials as m
from samples.materials import Color
from samples.stage import Stage

STEEL = (0.72, 0.72, 0.73)


def mug(s: Stage, color: Color, band: Color | None = None, drink: Color = (0.05, 0.022, 0.01)) -> None:
    """A mug with a handle, 95 mm tall."""
    glaze = m.ceramic(color, band, (0.45, 0.8))
    s.lathe(
        [
            (0, 0),
            (0.034, 0),
            (0.038, 0.006),
            (0.041, 0.05),
            (0.042, 0.095),
            (0.0385, 0.095),
            (0.037, 0.05),
            (0.033, 0.012),
            (0, 0.01),
        ],
        glaze,
        round_off=2,
    )
    s.tube([(0.038, 0, 0.078), (0.062, 0, 0.08), (0.072, 0, 0.055), (0.06, 0, 0.028), (0.037, 0, 0.022)], 0.0058, glaze)
    s.lathe([(0, 0.078), (0.0382, 0.078)], m.liquid(drink), round_off=0)


def cup_and_saucer(s: Stage, color: Color, band: Color) -> None:
    """A coffee cup on its saucer."""
    glaze = m.ceramic(color, band, (0.85, 1.0), 0.07, 0.1)
    s.lathe(
        [(0, 0.002), (0.04, 0.002), (0.06, 0.008), (0.077, 0.016), (0.076, 0.019), (0.058, 0.012), (0, 0.007)], glaze
    )
    s.lathe(
        [
            (0, 0.01),
            (0.02, 0.01),
            (0.022, 0.014),
            (0.036, 0.035),
            (0.041, 0.07),
            (0.038, 0.07),
            (0.033, 0.037),
            (0, 0.018),
        ],
        glaze,
    )
    s.tube([(0.037, 0, 0.058), (0.058, 0, 0.06), (0.058, 0, 0.036), (0.032, 0, 0.03)], 0.0035, glaze)
    s.lathe([(0, 0.06), (0.0375, 0.06)], m.liquid((0.07, 0.032, 0.014)), round_off=0)
    s.tube([(0.02, -0.055, 0.016), (-0.02, -0.062, 0.017), (-0.055, -0.045, 0.026)], 0.002, m.metal(STEEL, 0.1))


def plate(s: Stage, color: Color, band: Color, radius: float = 0.13) -> None:
    """A dinner plate with a painted rim."""
    g = m.ceramic(color, band, (0.62, 0.86), 0.026)
    r = radius
    s.lathe(
        [
            (0, 0.002),
            (r * 0.55, 0.002),
            (r * 0.6, 0.004),
            (r * 0.75, 0.014),
            (r, 0.024),
            (r, 0.027),
            (r * 0.74, 0.018),
            (r * 0.6, 0.008),
            (0, 0.007),
        ],
        g,
        segments=72,
    )


def bowl(s: Stage, color: Color, band: Color | None = None, radius: float = 0.12) -> None:
    """An open bowl on a foot."""
    r = radius
    s.lathe(
        [
            (0, 0.004),
            (0.42 * r, 0),
            (0.42 * r, 0.1 * r),
            (0.7 * r, 0.25 * r),
            (r, 0.7 * r),
            (0.97 * r, 0.71 * r),
            (0.66 * r, 0.3 * r),
            (0, 0.17 * r),
        ],
        m.ceramic(color, band, (0.7, 0.88), 0.72 * r),
        segments=64,
    )


def teapot(s: Stage, color: Color, band: Color) -> None:
    """A pot with spout, handle and lid, 180 mm tall."""
    glaze = m.ceramic(color, band, (0.55, 0.68), 0.15)
    s.lathe(
        [(0, 0), (0.05, 0), (0.055, 0.006), (0.083, 0.06), (0.07, 0.12), (0.042, 0.14), (0.04, 0.147), (0, 0.147)],
        glaze,
    )
    s.lathe(
        [(0, 0.145), (0.046, 0.146), (0.038, 0.156), (0.01, 0.163), (0.012, 0.17), (0.016, 0.178), (0, 0.186)], glaze
    )
    s.tube(
        [(0.06, 0, 0.05), (0.105, 0, 0.075), (0.12, 0, 0.125), (0.145, 0, 0.145)],
        lambda t: 0.022 - 0.012 * t,
        glaze,
        16,
    )
    s.tube([(-0.06, 0, 0.125), (-0.11, 0, 0.135), (-0.13, 0, 0.09), (-0.105, 0, 0.05), (-0.075, 0, 0.04)], 0.008, glaze)


def jug(s: Stage, color: Color, band: Color | None = None, tall: float = 0.16) -> None:
    """A milk jug."""
    k = tall / 0.16
    glaze = m.ceramic(color, band, (0.3, 0.42), tall)
    s.lathe(
        [
            (0, 0),
            (0.04 * k, 0),
            (0.052 * k, 0.03 * k),
            (0.052 * k, 0.08 * k),
            (0.034 * k, 0.12 * k),
            (0.042 * k, 0.16 * k),
            (0.038 * k, 0.16 * k),
            (0.03 * k, 0.12 * k),
            (0.045 * k, 0.06 * k),
            (0, 0.01),
        ],
        glaze,
    )
    s.tube(
        [(-0.036 * k, 0, 0.145 * k), (-0.075 * k, 0, 0.14 * k), (-0.085 * k, 0, 0.09 * k), (-0.05 * k, 0, 0.055 * k)],
        0.006 * k,
        glaze,
    )
    s.lathe([(0, 0.13 * k), (0.033 * k, 0.13 * k)], m.liquid((0.85, 0.8, 0.7)), round_off=0)


def vase(s: Stage, color: Color, band: Color | None = None, tall: float = 0.24) -> None:
    """A shouldered vase."""
    k = tall
    s.lathe(
        [
            (0, 0),
            (0.16 * k, 0),
            (0.19 * k, 0.03 * k),
            (0.3 * k, 0.4 * k),
            (0.3 * k, 0.62 * k),
            (0.12 * k, 0.82 * k),
            (0.16 * k, k),
            (0.14 * k, k),
            (0.1 * k, 0.82 * k),
            (0, 0.7 * k),
        ],
        m.ceramic(color, band, (0.5, 0.6), tall),
    )


def tulips(s: Stage, count: int, base: float, tall: float, colors: list[Color]) -> None:
    """Cut tulips rising from a vase whose mouth is at height `base`."""
    green = m.leaf((0.1, 0.26, 0.05))
    petals = [m.leaf(c, m.shade(c, 1.6)) for c in colors]
    for k in range(count):
        a, lean = 2.4 * k + s.rng.uniform(-0.3, 0.3), s.rng.uniform(0.03, 0.13)
        top = base + tall * s.rng.uniform(0.7, 1.0)
        x, y = lean * math.cos(a), lean * math.sin(a)
        s.tube([(0, 0, base - 0.1), (x * 0.3, y * 0.3, base + 0.02), (x, y, top)], 0.0032, green, 7)
        with s.at(x, y, top, math.degrees(a), 0, lean * 180):
            for p in range(6):
                with s.at(0, 0, 0, p * 60, 0, 4 + 6 * (p % 2)):
                    petal(s, petals[k % len(petals)])
        with s.at(x * 0.2, y * 0.2, base - 0.01, math.degrees(a) + 70):
            blade(s, green, tall * s.rng.uniform(0.6, 0.85), 0.018, 0.07)


def petal(s: Stage, material: object) -> None:
    """One cupped petal."""

    def shape(u: float, v: float) -> tuple[float, float, float]:
        t, w = v, (u - 0.5) * 2
        wide = 0.017 * math.sin(math.pi * min(1, 0.15 + 0.8 * t)) ** 0.7
        out = 0.005 + 0.018 * math.sin(math.pi * 0.62 * t)
        return (out - 0.006 * w * w, wide * w, 0.05 * t)

    s.sheet((1, 1), (6, 8), material, shape)


def blade(s: Stage, material: object, length: float, width: float, bow: float, fold: float = 0.3) -> None:
    """A leaf that rises from the origin and bends along +x."""

    def shape(u: float, v: float) -> tuple[float, float, float]:
        w = (u - 0.5) * 2 * width * math.sin(math.pi * (0.08 + 0.92 * v) ** 0.8) ** 0.8
        return (bow * v * v * 1.4, w, length * v * (1 - 0.22 * v) + fold * abs(w) - bow * 0.3 * v**3)

    s.sheet((1, 1), (4, 10), material, shape)


def bottle(
    s: Stage,
    tall: float,
    radius: float,
    color: Color,
    label: tuple[Color, Color] | None = None,
    cork: bool = True,
    glass: bool = True,
) -> None:
    """A bottle, of glass or glazed, with a printed label and a cork."""
    k, r = tall, radius
    wall = m.glass(color) if glass else m.ceramic(color)
    s.lathe(
        [
            (0, 0.004),
            (r * 0.9, 0),
            (r, 0.02 * k),
            (r, 0.55 * k),
            (r * 0.95, 0.64 * k),
            (0.38 * r, 0.76 * k),
            (0.34 * r, 0.97 * k),
            (0.42 * r, 0.97 * k),
            (0.42 * r, k),
            (0.28 * r, k),
            (0.26 * r, 0.76 * k),
            (r * 0.86, 0.6 * k),
            (r * 0.9, 0.05 * k),
            (0, 0.03 * k),
        ],
        wall,
        round_off=2,
    )
    if label:
        paper = m.print_paper(label[0], (0.06, 0.05, 0.05), label[1], tall * 0.022, tall * 0.11)
        s.lathe([(r * 1.008, 0.18 * k), (r * 1.008, 0.46 * k)], paper, round_off=0, segments=64)
    if cork:
        s.lathe(
            [(0, 0.94 * k), (0.27 * r, 0.94 * k), (0.3 * r, 1.06 * k), (0, 1.06 * k)],
            m.skin((0.45, 0.28, 0.15), (0.3, 0.17, 0.08), 160),
            round_off=1,
        )


def jar(
    s: Stage, inside: Color, label: tuple[Color, Color], lid: Color, tall: float = 0.11, radius: float = 0.036
) -> None:
    """A preserve jar with a label and a screwed lid."""
    r = radius
    s.lathe(
        [(0, 0), (r * 0.95, 0), (r, 0.006), (r, tall * 0.78), (r * 0.88, tall * 0.86), (0, tall * 0.86)],
        m.skin(inside, m.shade(inside, 0.5), 70, 0.0006, 0.08, 30),
        round_off=2,
    )
    s.lathe(
        [(r * 1.01, tall * 0.2), (r * 1.01, tall * 0.62)],
        m.print_paper(label[0], (0.1, 0.05, 0.05), label[1], 0.006, 0.04),
        round_off=0,
    )
    s.lathe(
        [(0, tall * 0.84), (r * 0.96, tall * 0.84), (r * 0.97, tall * 0.99), (r * 0.9, tall), (0, tall)],
        m.painted(lid, 0.3, 0.1),
        round_off=1,
    )


def tumbler(s: Stage, drink: Color | None, tall: float = 0.13, radius: float = 0.034) -> None:
    """A drinking glass, filled if `drink` is given."""
    r = radius
    s.lathe(
        [(0, 0), (r * 0.8, 0), (r * 0.84, 0.004), (r, tall), (r * 0.95, tall), (r * 0.78, 0.012), (0, 0.01)],
        m.glass(),
        round_off=1,
    )
    if drink:
        s.lathe(
            [(0, 0.011), (r * 0.76, 0.012), (r * 0.91, tall * 0.78), (0, tall * 0.78)], m.liquid(drink), round_off=0
        )


def wine_glass(s: Stage, wine: Color | None = None, tall: float = 0.21) -> None:
    """A stemmed glass."""
    k = tall / 0.21
    s.lathe(
        [
            (0, 0),
            (0.036 * k, 0),
            (0.036 * k, 0.002),
            (0.006 * k, 0.008 * k),
            (0.0035 * k, 0.03 * k),
            (0.0035 * k, 0.085 * k),
            (0.012 * k, 0.098 * k),
            (0.04 * k, 0.14 * k),
            (0.033 * k, 0.21 * k),
            (0.0318 * k, 0.21 * k),
            (0.0385 * k, 0.14 * k),
            (0.01 * k, 0.102 * k),
            (0, 0.1 * k),
        ],
        m.glass(),
        round_off=2,
    )
    if wine:
        s.lathe(
            [(0, 0.102 * k), (0.012 * k, 0.106 * k), (0.036 * k, 0.14 * k), (0, 0.14 * k)], m.liquid(wine), round_off=1
        )


def apple(s: Stage, color: Color, second: Color) -> None:
    """An apple with its stalk, 75 mm."""
    s.lathe(
        [(0, 0.008), (0.012, 0.0), (0.03, 0.012), (0.039, 0.042), (0.03, 0.066), (0.012, 0.072), (0, 0.058)],
        m.skin(color, second, 180, 0.0002, 0.22, 20),
    )
    s.tube([(0, 0, 0.055), (0.002, 0, 0.07), (0.008, 0, 0.085)], 0.0016, m.wood((0.15, 0.09, 0.05)), 6)


def orange(s: Stage, color: Color = (0.85, 0.32, 0.02), size: float = 0.075) -> None:
    """An orange or, smaller and yellow, a lemon."""
    s.lathe(
        [
            (0, 0),
            (0.3 * size, 0.02 * size),
            (0.5 * size, 0.3 * size),
            (0.5 * size, 0.7 * size),
            (0.3 * size, 0.96 * size),
            (0, 0.95 * size),
        ],
        m.skin(color, m.shade(color, 0.8), 330, 0.0012, 0.35),
    )


def lemon(s: Stage) -> None:
    """A lemon lying on its side."""
    with s.at(-0.045, 0, 0.029, 0, 0, 90):
        s.lathe(
            [(0, 0), (0.006, 0.004), (0.024, 0.02), (0.03, 0.045), (0.023, 0.07), (0.007, 0.085), (0, 0.09)],
            m.skin((0.85, 0.62, 0.04), (0.75, 0.5, 0.02), 300, 0.001, 0.35),
        )


def pear(s: Stage) -> None:
    """A pear with its stalk."""
    s.lathe(
        [(0, 0.004), (0.014, 0), (0.036, 0.02), (0.036, 0.05), (0.02, 0.08), (0.016, 0.1), (0, 0.106)],
        m.skin((0.42, 0.44, 0.08), (0.5, 0.3, 0.07), 260, 0.0003, 0.35, 24),
    )
    s.tube([(0, 0, 0.1), (0.004, 0, 0.115), (0.012, 0, 0.128)], 0.0017, m.wood((0.12, 0.07, 0.04)), 6)


def croissant(s: Stage) -> None:
    """A croissant of rolled segments."""
    crust = m.skin((0.55, 0.24, 0.06), (0.3, 0.1, 0.02), 60, 0.0015, 0.35, 40)
    for k in range(-4, 5):
        a = k * 0.27
        size = 0.052 * (1 - 0.145 * abs(k)) + 0.006
        with s.at(0.065 * math.sin(a), 0.065 * (math.cos(a) - 1), size * 0.42, -math.degrees(a)):
            s.blob((0.034, size * 1.05, size * 0.9), (0, 0, 0), crust, 2.2, 0.04)


def loaf(s: Stage) -> None:
    """A scored country loaf, 240 mm long."""
    s.blob(
        (0.24, 0.135, 0.1), (0, 0, 0.045), m.skin((0.42, 0.2, 0.07), (0.66, 0.5, 0.33), 40, 0.004, 0.7, 12), 2.3, 0.02
    )
    for k in range(-2, 3):
        with s.at(k * 0.04, 0, 0.088 - 0.004 * k * k, 35):
            s.blob((0.016, 0.08, 0.018), (0, 0, 0), m.skin((0.75, 0.55, 0.33), (0.55, 0.34, 0.15), 90, 0.002, 0.8, 30))


def slice_of_bread(s: Stage) -> None:
    """A slice with its crust, lying."""
    outline = [
        (0.055 * math.cos(a) * (1.05 if math.sin(a) > 0 else 1), 0.05 * math.sin(a))
        for a in (2 * math.pi * k / 28 for k in range(28))
    ]
    with s.at(0, 0, 0.008, 0, 90):
        s.prism(
            [(x * 1.07, z * 1.08) for x, z in outline], 0.0135, m.skin((0.4, 0.2, 0.08), (0.3, 0.13, 0.04), 80), 0.003
        )
        s.prism(outline, 0.016, m.skin((0.75, 0.6, 0.4), (0.65, 0.48, 0.29), 60, 0.004, 0.9, 60), 0.003)


def cutlery(s: Stage, kind: str) -> None:
    """A knife, fork or spoon lying along y, 200 mm."""
    steel = m.metal(STEEL, 0.08, "y")
    s.tube([(0, -0.1, 0.004), (0, -0.04, 0.005), (0, 0.02, 0.004)], lambda t: 0.0052 - 0.0022 * t, steel, 10)
    if kind == "knife":
        with s.at(0, 0.06, 0.004, 0, 90):
            s.prism(
                [(-0.009, -0.045), (0.006, -0.045), (0.008, 0.03), (0.004, 0.045), (-0.006, 0.04)], 0.002, steel, 0.0006
            )
    elif kind == "spoon":

        def shape(u: float, v: float) -> tuple[float, float, float]:
            x, w = (u - 0.5) * 2, math.sin(math.pi * min(0.97, 0.06 + 0.94 * v)) ** 0.6 * 0.02
            return (x * w, 0.015 + 0.065 * v, 0.006 - 0.007 * math.sin(math.pi * v) * (1 - x * x))

        s.sheet((1, 1), (8, 14), steel, shape)
    else:
        for k in range(4):
            x = (k - 1.5) * 0.0065
            s.tube([(0, 0.015, 0.004), (x * 0.9, 0.035, 0.002), (x, 0.06, 0.004), (x, 0.095, 0.007)], 0.0019, steel, 8)


def napkin(s: Stage, color: Color, second: Color, size: float = 0.2) -> None:
    """A folded, slightly rumpled cloth napkin."""
    cloth = m.fabric(color, second, 0.016, True)
    p = s.rng.uniform(0, 6)
    for layer in range(3):

        def shape(u: float, v: float, k: int = layer) -> tuple[float, float, float]:
            lift = 0.003 * math.sin(21 * u + p + k) * math.sin(17 * v + p) + 0.003
            return (u - size / 2 + 0.002 * k, v - size / 2 - 0.003 * k, 0.0025 + 0.004 * k + max(0, lift))

        s.sheet((size, size * 0.75), (36, 28), cloth, shape)


def book(s: Stage, size: tuple[float, float, float], color: Color, title: str = "", standing: bool = False) -> None:
    """A bound book. Lying: width along x, length along y, thickness up. Standing: spine towards -y."""
    thick, wide, long = size
    cloth = m.fabric(color, None, 0, False, 900, 0.0003)
    gold = m.metal((0.85, 0.62, 0.25), 0.25)
    # Built standing: thickness along x, spine at -y; lying turns it over.
    with s.at(0, 0, 0) if standing else s.at(-wide / 2, 0, thick / 2, 90, 90):
        lift = 0 if standing else -long / 2
        for side in (-1, 1):
            s.box(
                (0.003, wide, long),
                (side * (thick / 2 - 0.0015), wide / 2 - (wide / 2 if standing else 0), lift),
                cloth,
                0.001,
            )
        back = -wide / 2 if standing else 0
        s.box((thick, 0.004, long), (0, back, lift), cloth, 0.0015)
        s.box(
            (thick - 0.006, wide - 0.008, long - 0.008), (0, back + wide / 2 - 0.002, lift + 0.004), m.pages(), 0.0005
        )
        for z in (0.12, 0.82):
            s.box((thick + 0.0004, 0.0046, 0.003), (0, back, lift + long * z), gold, 0)
        if title:
            with s.at(0, back - 0.0025, lift + long * 0.47, 0, 0, 90):
                s.text(title, min(thick * 0.55, 0.018), gold, 0.0006)


def row_of_books(s: Stage, width: float, tallest: float, titles: list[str], depth: float = 0.16) -> None:
    """Standing books filling `width` along x from the origin, spines towards -y."""
    x = 0.0
    palette = [
        (0.3, 0.04, 0.03),
        (0.04, 0.1, 0.2),
        (0.05, 0.14, 0.08),
        (0.45, 0.32, 0.12),
        (0.5, 0.45, 0.36),
        (0.12, 0.09, 0.1),
        (0.35, 0.15, 0.05),
        (0.12, 0.22, 0.26),
        (0.55, 0.2, 0.12),
    ]
    while True:
        thick = s.rng.uniform(0.018, 0.048)
        if x + thick > width:
            return
        tall = tallest * s.rng.uniform(0.72, 0.98)
        lean = s.rng.choice([0, 0, 0, 0, 2.5])
        with s.at(x + thick / 2, s.rng.uniform(0, 0.02), 0, 0, 0, lean):
            book(
                s,
                (thick, depth * s.rng.uniform(0.85, 1), tall),
                s.rng.choice(palette),
                s.rng.choice(titles) if thick > 0.024 else "",
                True,
            )
        x += thick + 0.0015 + (0.01 if lean else 0)


def stack_of_books(s: Stage, count: int, size: tuple[float, float] = (0.17, 0.24)) -> float:
    """Lying books; returns the height of the stack."""
    z = 0.0
    palette = [(0.35, 0.06, 0.04), (0.05, 0.12, 0.2), (0.5, 0.42, 0.3), (0.07, 0.16, 0.1), (0.45, 0.25, 0.08)]
    for k in range(count):
        thick = s.rng.uniform(0.022, 0.04)
        with s.at(0, 0, z, s.rng.uniform(-14, 14)):
            book(
                s,
                (thick, size[0] * (1 - 0.05 * k), size[1] * (1 - 0.05 * k)),
                palette[(k + int(9 * size[0])) % 5],
                "ATLAS",
            )
        z += thick
    return z


def newspaper(s: Stage, size: tuple[float, float] = (0.29, 0.36)) -> None:
    """A folded newspaper with a headline."""
    paper = m.print_paper((0.68, 0.65, 0.58), (0.05, 0.05, 0.05), (0.2, 0.2, 0.21), 0.0055, 0.055)
    for k in range(4):

        def shape(u: float, v: float, k: int = k) -> tuple[float, float, float]:
            return (u - size[0] / 2 + 0.002 * k, v - size[1] / 2, 0.002 + 0.003 * k + 0.0035 * math.sin(9 * u + k) ** 2)

        s.sheet(size, (20, 12), paper, shape)
    with s.at(0.004, size[1] / 2 - 0.035, 0.0172, 0, -90):
        s.text("MORNING POST", 0.034, m.plastic((0.02, 0.02, 0.02), 0.7), 0.0004)


def candle(s: Stage, tall: float = 0.2) -> None:
    """A candle in a brass holder."""
    s.lathe(
        [(0, 0), (0.045, 0), (0.045, 0.006), (0.012, 0.012), (0.008, 0.04), (0.016, 0.05), (0.016, 0.062), (0, 0.062)],
        m.metal((0.8, 0.58, 0.25), 0.2),
    )
    s.lathe(
        [(0, 0.055), (0.011, 0.055), (0.0105, tall), (0, tall - 0.003)], m.skin((0.8, 0.74, 0.6), (0.75, 0.68, 0.5), 60)
    )
    s.tube([(0, 0, tall - 0.004), (0.001, 0, tall + 0.01)], 0.0009, m.plastic((0.02, 0.02, 0.02)), 6)


def tin(s: Stage, tall: float, radius: float, paper: Color, accent: Color, words: str, open_top: bool = False) -> None:
    """A tin can with a printed wrap."""
    steel = m.metal(STEEL, 0.18, "z")
    r = radius
    top = [(r * 0.93, tall), (r * 0.93, 0.01), (0, 0.01)] if open_top else [(r * 0.93, tall - 0.003), (0, tall - 0.003)]
    s.lathe(
        [(0, 0), (r, 0), (r * 1.02, 0.003), (r, 0.007), (r, tall - 0.006), (r * 1.03, tall - 0.002), (r, tall), *top],
        steel,
        round_off=1,
    )
    s.lathe(
        [(r * 1.012, tall * 0.1), (r * 1.012, tall * 0.88)],
        m.print_paper(paper, (0.05, 0.04, 0.04), accent, tall * 0.035, tall * 0.5),
        round_off=0,
        segments=64,
    )
    with s.at(0, -r * 1.013, tall * 0.6):
        s.text(words, tall * 0.16, m.plastic((0.9, 0.88, 0.8)), 0.0016)


def brushes(s: Stage, base: float, count: int, reach: float = 0.2) -> None:
    """Paint brushes or kitchen utensils standing in a pot whose mouth is at height `base`."""
    for k in range(count):
        a = 2.4 * k + 0.4
        x, y, top = 0.055 * math.cos(a), 0.055 * math.sin(a), base + reach * (0.75 + 0.25 * math.sin(3.1 * k))
        hue = [(0.5, 0.3, 0.14), (0.45, 0.06, 0.04), (0.06, 0.12, 0.3), (0.35, 0.2, 0.09)][k % 4]
        s.tube(
            [(-x * 0.2, -y * 0.2, 0.02), (x * 0.5, y * 0.5, base), (x, y, top)],
            lambda t: 0.004 + 0.002 * t,
            m.wood(hue, None, 0.35, "z"),
            8,
            curve=3,
        )
        with s.at(x, y, top, 30 * k):
            s.box((0.03, 0.012, 0.03), (0, 0, -0.004), m.metal((0.8, 0.6, 0.3), 0.2), 0.002)
            s.box((0.028, 0.01, 0.045), (0, 0, 0.025), m.fabric((0.16, 0.09, 0.04), None, 0, False, 1400), 0.003)
