"""What things are made of: a material for each family, drawn from palettes that films and photographs show."""

from __future__ import annotations

import colorsys
import random
from collections.abc import Callable

from .records import (
    BANDS,
    BRICKS,
    CAMOUFLAGE,
    CELLS,
    CHECKER,
    DOTS,
    GRADIENT,
    GRASS,
    LOGO,
    MARBLE,
    MOTTLED,
    PHOTO,
    PLAID,
    PLAIN,
    PRINT,
    STRIPES,
    WOOD,
    Colour,
    Material,
    between,
    between_log,
    chance,
)

SKINS = [(0.62, 0.36, 0.26), (0.72, 0.46, 0.35), (0.45, 0.24, 0.14), (0.2, 0.1, 0.06), (0.75, 0.52, 0.42)]
HAIRS = [
    (0.02, 0.015, 0.012),
    (0.08, 0.04, 0.02),
    (0.3, 0.17, 0.06),
    (0.5, 0.36, 0.16),
    (0.4, 0.4, 0.4),
    (0.3, 0.06, 0.02),
]
WOODS = [
    (0.35, 0.18, 0.08),
    (0.5, 0.32, 0.16),
    (0.18, 0.08, 0.04),
    (0.62, 0.45, 0.27),
    (0.28, 0.2, 0.13),
    (0.08, 0.05, 0.03),
]
FURS = [
    (0.45, 0.26, 0.1),
    (0.08, 0.06, 0.05),
    (0.7, 0.62, 0.5),
    (0.3, 0.3, 0.3),
    (0.85, 0.82, 0.78),
    (0.25, 0.13, 0.06),
]
LEAVES = [
    (0.06, 0.16, 0.03),
    (0.12, 0.25, 0.05),
    (0.2, 0.28, 0.08),
    (0.05, 0.12, 0.05),
    (0.4, 0.25, 0.05),
    (0.3, 0.1, 0.04),
]
METALS = [(0.6, 0.6, 0.6), (0.75, 0.55, 0.25), (0.55, 0.3, 0.2), (0.2, 0.2, 0.22), (0.85, 0.85, 0.88)]
STONES = [(0.4, 0.38, 0.35), (0.55, 0.5, 0.42), (0.25, 0.24, 0.24), (0.6, 0.58, 0.56), (0.42, 0.3, 0.22)]


def any_colour(rng: random.Random) -> Colour:
    """A colour as objects have them: often grey or muted, sometimes strong, linear."""
    kind = rng.random()
    if kind < 0.22:
        v = between(rng, 0.02, 0.9) ** 1.3
        return (v, v * between(rng, 0.94, 1.03), v * between(rng, 0.88, 1.05))
    saturation = between(rng, 0.5, 0.97) if kind > 0.6 else between(rng, 0.1, 0.5)
    value = between(rng, 0.15, 1.0)
    r, g, b = colorsys.hsv_to_rgb(rng.random(), saturation, value)
    return (r**2.2, g**2.2, b**2.2)


def vary(rng: random.Random, colour: Colour, by: float = 0.25) -> Colour:
    """A neighbour of a colour."""
    k = between_log(rng, 1 / (1 + by), 1 + by)
    r, g, b = (min(0.95, max(0.003, c * k * between(rng, 1 - by / 3, 1 + by / 3))) for c in colour)
    return (r, g, b)


def darken(rng: random.Random, colour: Colour) -> Colour:
    """The same colour with less light, each channel its own share."""
    r, g, b = (c * between(rng, 0.45, 0.85) for c in colour)
    return (r, g, b)


def pick(rng: random.Random, palette: list[Colour]) -> Colour:
    """A colour near one of a palette."""
    return vary(rng, rng.choice(palette))


def finish_surface(rng: random.Random, m: Material, gloss: float = 0.35) -> Material:
    """Grain, gloss and wear at random."""
    m.seed = rng.randrange(100000)
    m.grain = between(rng, 0.0, 1.0) ** 2 * 0.7
    if chance(rng, gloss):
        m.gloss, m.sharpness = between(rng, 0.1, 1.0), between_log(rng, 8, 250)
    if chance(rng, 0.18):
        m.wear, m.worn = (
            between(rng, 0.2, 1.0),
            vary(rng, rng.choice([(0.25, 0.18, 0.1), (0.5, 0.5, 0.5), (0.1, 0.1, 0.1)])),
        )
    return m


def wood(rng: random.Random) -> Material:
    """Boards with rings."""
    a = pick(rng, WOODS)
    m = Material(WOOD, a, vary(rng, darken(rng, a), 0.1), between_log(rng, 0.8, 5))
    m.first, m.other = between(rng, 0, 2.5), float(chance(rng, 0.5))
    if chance(rng, 0.25):
        m = Material(PLAIN if chance(rng, 0.6) else MOTTLED, a, vary(rng, a), between_log(rng, 1, 8))
    return finish_surface(rng, m, 0.4)


def painted(rng: random.Random) -> Material:
    """Plain paint, sometimes mottled."""
    a = any_colour(rng)
    return finish_surface(
        rng, Material(PLAIN if chance(rng, 0.7) else MOTTLED, a, vary(rng, a, 0.5), between_log(rng, 1, 8))
    )


def metal(rng: random.Random) -> Material:
    """Metal: it reflects in its own colour."""
    a = pick(rng, METALS)
    m = finish_surface(
        rng, Material(PLAIN if chance(rng, 0.6) else MOTTLED, a, vary(rng, a, 0.4), between_log(rng, 1, 10))
    )
    m.metal, m.gloss, m.sharpness = between(rng, 0.2, 1.0), between(rng, 0.3, 1), between_log(rng, 20, 250)
    return m


PATTERNS = [PLAIN, MOTTLED, STRIPES, CHECKER, DOTS, PLAID, LOGO, CAMOUFLAGE, CELLS, PHOTO, PRINT]


def cloth(rng: random.Random) -> Material:
    """Fabric: plain, or one of many patterns."""
    a = any_colour(rng)
    pattern = rng.choices(PATTERNS, [38, 10, 12, 5, 6, 8, 5, 3, 3, 6, 2])[0]
    b = vary(rng, a, 0.8) if chance(rng, 0.4) else any_colour(rng)
    m = Material(pattern, a, b, between_log(rng, 1.5, 14), first=between(rng, 0, 1.2), other=between(rng, 0.1, 1))
    if pattern == STRIPES:
        k = rng.randrange(3)
        m.along = ((1, 0, 0), (0, 1, 0), (0.7, 0.7, 0))[k]
        m.across = (0, 0, 1)
    m = finish_surface(rng, m, 0.08)
    m.grain = between(rng, 0.1, 0.7)
    return m


def plastic(rng: random.Random) -> Material:
    """Coloured plastic or lacquer, sometimes printed on."""
    a = any_colour(rng)
    pattern = rng.choices([PLAIN, LOGO, PRINT, BANDS, STRIPES, GRADIENT, DOTS], [60, 8, 7, 10, 5, 6, 4])[0]
    m = Material(
        pattern, a, any_colour(rng), between_log(rng, 2, 14), first=between(rng, 1, 6), other=between(rng, 0, 1)
    )
    m = finish_surface(rng, m, 0.75)
    m.grain *= 0.3
    return m


def packaging(rng: random.Random) -> Material:
    """Printed card: many colours on one thing."""
    pattern = rng.choices([PRINT, BANDS, LOGO, PHOTO, STRIPES, PLAIN, CELLS, GRADIENT], [22, 18, 14, 18, 8, 12, 4, 4])[
        0
    ]
    m = Material(pattern, any_colour(rng), any_colour(rng), between_log(rng, 3, 18))
    m.first, m.other = between(rng, 2, 9), between(rng, 0, 1)
    return finish_surface(rng, m, 0.4)


def paper(rng: random.Random) -> Material:
    """Printed paper or a picture."""
    light = vary(rng, (0.75, 0.72, 0.65), 0.2)
    pattern = rng.choices([PRINT, PHOTO, PLAIN, LOGO, MOTTLED], [40, 34, 14, 6, 6])[0]
    m = Material(pattern, light, vary(rng, (0.06, 0.06, 0.08), 0.5), between_log(rng, 3, 12))
    m.first, m.other = between(rng, 0, 2), between(rng, 0, 2)
    return finish_surface(rng, m, 0.1)


def picture(rng: random.Random) -> Material:
    """A poster or a painting."""
    m = Material(PHOTO, any_colour(rng), any_colour(rng), between_log(rng, 0.6, 2.5))
    m.pattern = rng.choices([PHOTO, LOGO, CELLS, MARBLE, MOTTLED, PRINT, GRADIENT], [60, 8, 6, 6, 8, 6, 6])[0]
    m.first, m.other = between(rng, 0, 2), between(rng, 0, 2)
    return finish_surface(rng, m, 0.2)


def screen(rng: random.Random) -> Material:
    """A display, dark or lit."""
    m = Material(PLAIN, (0.01, 0.01, 0.012), (0, 0, 0), 2.0)
    if chance(rng, 0.55):
        m = picture(rng)
        m.glow = between(rng, 0.3, 1.3)
    m.gloss, m.sharpness = between(rng, 0.4, 0.9), 150.0
    return m


def ceramic(rng: random.Random) -> Material:
    """Glazed ware."""
    a = vary(rng, (0.75, 0.73, 0.68)) if chance(rng, 0.45) else any_colour(rng)
    pattern = rng.choices([PLAIN, BANDS, MOTTLED, DOTS, LOGO, STRIPES], [60, 10, 12, 5, 6, 7])[0]
    m = Material(
        pattern, a, any_colour(rng), between_log(rng, 3, 16), first=between(rng, 3, 14), other=between(rng, 0, 1)
    )
    if pattern == STRIPES:
        m.along, m.across = (0, 1, 0), (1, 0, 0)
    m = finish_surface(rng, m, 0.85)
    m.grain *= 0.3
    return m


def glass(rng: random.Random) -> Material:
    """Clear or tinted glass; the solid itself says that it is see-through."""
    tint = rng.choice([(0.85, 0.9, 0.88), (0.1, 0.3, 0.12), (0.4, 0.2, 0.05), (0.8, 0.85, 0.95), (0.1, 0.15, 0.4)])
    return Material(PLAIN, vary(rng, tint, 0.1), (0, 0, 0), 1.0, gloss=0.95, sharpness=200.0, grain=0.0)


def organic(rng: random.Random, palette: list[Colour], grain: float, gloss: float) -> Material:
    """Something grown: two neighbouring colours in patches."""
    a = pick(rng, palette)
    pattern = rng.choices([PLAIN, MOTTLED, GRADIENT], [40, 45, 15])[0]
    m = Material(pattern, a, vary(rng, a, 0.6), between_log(rng, 1, 10), first=between(rng, 0.5, 4))
    m = finish_surface(rng, m, gloss)
    m.grain, m.wear = grain * between(rng, 0.3, 1.0), 0.0
    return m


def fur(rng: random.Random) -> Material:
    """A coat: plain, patched or striped."""
    m = organic(rng, FURS, 0.9, 0.05)
    m.pattern = rng.choices([PLAIN, MOTTLED, CAMOUFLAGE, STRIPES, GRADIENT], [35, 30, 15, 10, 10])[0]
    m.second = vary(rng, m.colour, 0.7) if chance(rng, 0.5) else pick(rng, FURS)
    m.first, m.other = between(rng, 0.3, 2), 0.5
    if m.pattern == STRIPES:
        m.along, m.across = (0, 0, 1), (0, 1, 0)
    return m


def stone(rng: random.Random) -> Material:
    """Stone, plaster, concrete."""
    a = pick(rng, STONES)
    pattern = rng.choices([MOTTLED, PLAIN, MARBLE, CELLS, BRICKS], [40, 25, 15, 8, 12])[0]
    m = Material(
        pattern, a, vary(rng, a, 0.6), between_log(rng, 0.6, 6), first=between(rng, 0, 1), other=between(rng, 0, 1)
    )
    return finish_surface(rng, m, 0.15)


def lit(rng: random.Random) -> Material:
    """A lampshade or a light: it glows, or not."""
    a = vary(rng, (0.85, 0.75, 0.6), 0.3) if chance(rng, 0.7) else any_colour(rng)
    m = Material(PLAIN, a, a, 1.0, grain=0.05)
    m.glow = between_log(rng, 0.2, 4.0) if chance(rng, 0.6) else 0.0
    return m


def view(rng: random.Random) -> Material:
    """What a window shows: bright outdoors, or night."""
    m = Material(PHOTO, (0.8, 0.8, 0.8), (0.5, 0.6, 0.8), between_log(rng, 0.1, 0.6), rng.randrange(100000))
    m.first, m.other, m.grain = between(rng, 0, 2), between(rng, 0.3, 0.55), 0.0
    m.glow = between_log(rng, 0.3, 4.0)
    if chance(rng, 0.3):
        v = between(rng, 0.02, 0.9)
        m.pattern, m.colour = PLAIN, (v, v, v * between(rng, 0.9, 1.15))
    m.gloss, m.sharpness = 0.5, 150.0
    return m


FAMILIES: dict[str, Callable[[random.Random], Material]] = {
    "wood": wood,
    "paint": painted,
    "metal": metal,
    "cloth": cloth,
    "plastic": plastic,
    "package": packaging,
    "paper": paper,
    "picture": picture,
    "screen": screen,
    "ceramic": ceramic,
    "glass": glass,
    "fur": fur,
    "stone": stone,
    "lit": lit,
    "view": view,
    "skin": lambda rng: organic(rng, SKINS, 0.15, 0.3),
    "hair": lambda rng: organic(rng, HAIRS, 0.9, 0.3),
    "leaf": lambda rng: organic(rng, LEAVES, 0.6, 0.25),
    "bark": lambda rng: organic(rng, WOODS, 1.0, 0.0),
    "rubber": lambda rng: organic(rng, [(0.02, 0.02, 0.02), (0.04, 0.04, 0.045)], 0.3, 0.2),
    "dark": lambda rng: organic(rng, [(0.01, 0.01, 0.012), (0.05, 0.05, 0.05)], 0.2, 0.4),
    "white": lambda rng: organic(rng, [(0.75, 0.73, 0.7), (0.6, 0.6, 0.6)], 0.2, 0.3),
    "food": lambda rng: organic(
        rng, [(0.6, 0.06, 0.03), (0.7, 0.4, 0.05), (0.25, 0.4, 0.05), (0.5, 0.3, 0.1), (0.75, 0.65, 0.4)], 0.4, 0.5
    ),
    "flower": lambda rng: organic(rng, [(0.7, 0.1, 0.2), (0.8, 0.6, 0.1), (0.7, 0.6, 0.75), (0.3, 0.1, 0.5)], 0.3, 0.1),
}  # fmt: skip


def dress(rng: random.Random, parts: list[str], one_colour: float = 0.12) -> dict[str, Material]:
    """A material for each part; the family stands after the slash of its name.

    Parts of one family often share a material; now and then the whole thing is of one colour, as toys and casts are.
    """
    shared: dict[str, Material] = {}
    dressed: dict[str, Material] = {}
    whole = (
        FAMILIES[rng.choice(["paint", "plastic", "stone", "wood", "metal"])](rng) if chance(rng, one_colour) else None
    )
    for part in parts:
        family = part.rsplit("/", 1)[-1]
        if family not in FAMILIES:
            family = rng.choice(["paint", "plastic", "wood", "metal", "cloth", "ceramic", "stone", "package"])
        if whole is not None and family not in ("view", "lit", "screen"):
            dressed[part] = whole
            continue
        if family in shared and chance(rng, 0.45):
            dressed[part] = shared[family]
        else:
            dressed[part] = shared[family] = FAMILIES[family](rng)
    return dressed


def floor_material(rng: random.Random) -> Material:
    """A floor of a room."""
    kind = rng.random()
    if kind < 0.35:
        m = wood(rng)
        m.scale, m.other, m.first = between_log(rng, 1.5, 4), 0.0, between(rng, 0.7, 3)
    elif kind < 0.55:
        m = Material(rng.choice([CHECKER, BRICKS]), pick(rng, STONES), pick(rng, STONES), between_log(rng, 0.6, 2.5))
        m.first, m.other = 0.1, float(chance(rng, 0.3))
        finish_surface(rng, m, 0.5)
    elif kind < 0.8:
        m = cloth(rng)
        m.scale = between_log(rng, 0.4, 3)
    elif kind < 0.92:
        m = stone(rng)
    else:
        m = painted(rng)
    m.grain = min(1.0, m.grain + 0.1)
    return m


def wall_material(rng: random.Random) -> Material:
    """A wall of a room."""
    kind = rng.random()
    if kind < 0.55:
        a = vary(rng, (0.7, 0.66, 0.6), 0.3) if chance(rng, 0.5) else any_colour(rng)
        m = Material(PLAIN if chance(rng, 0.6) else MOTTLED, a, vary(rng, a, 0.2), between_log(rng, 0.5, 4))
        finish_surface(rng, m, 0.1)
    elif kind < 0.68:
        a = any_colour(rng)
        m = Material(rng.choice([STRIPES, DOTS, PLAID, LOGO, CELLS]), a, vary(rng, a, 0.4), between_log(rng, 1, 6))
        m.first, m.other = between(rng, 0, 0.6), between(rng, 0.1, 1)
        finish_surface(rng, m, 0.05)
    elif kind < 0.8:
        m = Material(BRICKS, pick(rng, STONES), pick(rng, STONES), between_log(rng, 1, 4), other=1.0)
        m.colour = vary(rng, rng.choice([(0.4, 0.14, 0.09), (0.6, 0.58, 0.55), (0.3, 0.25, 0.2)]), 0.3)
        m.first = between(rng, 0.2, 1.2)
        finish_surface(rng, m, 0.1)
    elif kind < 0.9:
        m = wood(rng)
        m.scale = between_log(rng, 1, 3)
    else:
        m = stone(rng)
    return m


def ground_material(rng: random.Random) -> Material:
    """Ground outdoors."""
    kind = rng.random()
    if kind < 0.4:
        a = pick(rng, LEAVES)
        m = Material(GRASS, a, vary(rng, a, 0.6), between_log(rng, 0.4, 2))
    elif kind < 0.65:
        a = vary(rng, rng.choice([(0.3, 0.24, 0.17), (0.5, 0.42, 0.3), (0.7, 0.7, 0.72), (0.2, 0.16, 0.12)]), 0.3)
        m = Material(MOTTLED, a, vary(rng, a, 0.5), between_log(rng, 0.3, 3))
    elif kind < 0.85:
        a = vary(rng, (0.2, 0.2, 0.2), 0.6)
        m = Material(MOTTLED if chance(rng, 0.6) else BRICKS, a, vary(rng, a, 0.3), between_log(rng, 0.4, 3))
    else:
        m = stone(rng)
    finish_surface(rng, m, 0.1)
    m.grain = between(rng, 0.2, 1.0)
    return m
