"""The outdoor scenes: a corner, an arcade, and the bicycle. Z is up here; the camera looks along +y at yaw 0."""

from __future__ import annotations

import math

from samples import furniture as f
from samples import hardware as h
from samples import materials as m
from samples import outdoors as o
from samples import tableware as t
from samples.capture import sky
from samples.stage import Stage

PAVEMENT = 0.12


def street_corner(s: Stage) -> None:
    """A side street meets a shopping street; the road is at 0, the pavements 0.12 m above."""
    sky(36, 215, 0.1, sun=True)
    s.box((120, 90, 0.2), (0, 20, -0.2), m.asphalt(0.7), 0)
    slabs, kerb = (
        m.stone((0.36, 0.34, 0.31), (0.6, 0.45), 0.008, 0.8, 0.6),
        m.stone((0.42, 0.41, 0.39), (0.9, 0.5), 0.01),
    )
    for x0, x1, y0, y1 in ((-40, 40, -6, 2.2), (-40, 3, 8.2, 40), (8.4, 40, 8.2, 40)):
        s.box((x1 - x0 - 0.3, y1 - y0 - 0.3, PAVEMENT), ((x0 + x1) / 2, (y0 + y1) / 2, 0), slabs, 0)
        for y in (y0, y1):
            s.box((x1 - x0, 0.15, PAVEMENT), ((x0 + x1) / 2, y + (0.075 if y == y0 else -0.075), 0), kerb, 0.015)
        for x in (x0, x1):
            s.box((0.15, y1 - y0 - 0.3, PAVEMENT), (x + (0.075 if x == x0 else -0.075), (y0 + y1) / 2, 0), kerb, 0.015)
    paint = m.painted((0.62, 0.61, 0.57), 0.7, 1.0)
    for k in range(12):
        s.box((1.6, 0.1, 0.004), (-17 + 3.2 * k, 5.2, 0), paint, 0)
    for k in range(6):
        s.box((0.5, 2.2, 0.004), (3.6 + 0.85 * k, 9.6, 0), paint, 0)
    houses(s)
    traffic(s)
    pavement_props(s)


def houses(s: Stage) -> None:
    """The fronts around the corner."""
    trim, pale = m.stone((0.52, 0.47, 0.39), (1.4, 0.5)), m.plaster((0.6, 0.5, 0.36), 2, 0.35)
    red, grey = m.brick((0.4, 0.15, 0.08)), m.brick((0.36, 0.3, 0.24))
    with s.at(-14.5, 11.2, PAVEMENT):
        o.facade(s, 3, 2.6, 3, pale, trim, "FLOWERS", (0.2, 0.06, 0.05))
    with s.at(-6.7, 11.2, PAVEMENT):
        o.facade(s, 3, 2.9, 3, red, trim, "BOOKS & MAPS", (0.03, 0.1, 0.08))
    with s.at(2.0, 11.6, PAVEMENT, 90):
        o.facade(s, 4, 2.9, 3, red, trim, "", (0.03, 0.1, 0.08))
    with s.at(9.6, 11.2, PAVEMENT):
        o.facade(s, 4, 2.8, 3, grey, trim, "CORNER CAFE", (0.04, 0.07, 0.16))
    with s.at(9.6, 26, PAVEMENT, -90):
        o.facade(s, 5, 2.9, 3, grey, trim, "", (0.04, 0.07, 0.16))
    with s.at(-6, 34, 0):
        o.facade(s, 9, 2.8, 4, pale, trim, "", (0.1, 0.08, 0.06))
    with s.at(-14.5, 11.1, 3.15):
        o.awning(s, 7.6, 1.5, (0.35, 0.05, 0.04), (0.68, 0.64, 0.55))


def traffic(s: Stage) -> None:
    """Cars."""
    with s.prop("blue car", (-3.6, 7.15, 0), 180, "road"):
        o.car(s, (0.03, 0.1, 0.22))
    with s.prop("cream car", (-9.2, 7.15, 0), 180, "road"):
        o.car(s, (0.55, 0.5, 0.38), 3.9)
    with s.prop("red car", (3.2, 4.0, 0), 0, "road"):
        o.car(s, (0.4, 0.03, 0.02), 4.0)
    with s.prop("van", (7.2, 20, 0), -90, "road"):
        o.car(s, (0.6, 0.6, 0.58), 4.7, True)


def pavement_props(s: Stage) -> None:
    """What stands on the pavements."""
    z = PAVEMENT
    with s.prop("street lamp", (1.6, 9.0, z), 0, "pavement", thin=True):
        o.street_lamp(s)
    with s.prop("tree", (-7.0, 9.3, z), 0, "pavement"):
        o.tree(s, 5.6, 1.7)
    with s.prop("post box", (0.2, 9.3, z), 0, "pavement"):
        o.post_box(s)
    with s.prop("sign post", (9.3, 9.0, z), -12, "pavement", thin=True):
        o.sign_post(s, "MILL LANE")
    with s.prop("litter bin", (-1.75, 1.4, z), 0, "pavement"):
        o.litter_bin(s)
    with s.prop("bench", (-3.6, 1.25, z), 176, "pavement"):
        o.bench(s)
    for k, x in enumerate((0.2, 1.75, 3.3)):
        with s.prop(f"bollard {k + 1}", (x, 1.85, z), 0, "pavement"):
            o.bollard(s)
    with s.prop("bicycle", (-4.6, 9.0, z), 4, "pavement", thin=True, tilt=-4):
        o.bicycle(s, (0.35, 0.06, 0.03))
    with s.prop("a-board", (-1.5, 9.6, z), 10, "pavement"):
        o.a_board(s, "OPEN")
    for k, x in enumerate((10.6, 12.3)):
        with s.prop(f"cafe table {k + 1}", (x, 10.0, z), 0, "pavement"):
            o.bistro_table(s)
        for side in (-1, 1):
            with s.prop("cafe chair", (x + side * 0.62, 10.0, z), side * -90 + 6, "pavement", thin=True):
                o.bistro_chair(s)
    with s.prop("planter", (-2.6, 10.5, z), 0, "pavement"):
        o.planter(s, 0.45)
    with s.prop("planter", (1.2, 10.5, z), 0, "pavement"):
        o.planter(s, 0.45)


def street_arcade(s: Stage) -> None:
    """Under the arches of a square, seen from the height of a child; the paving is at 0."""
    sky(40, 130, 0.1, sun=True)
    sand = (0.55, 0.44, 0.31)
    s.box((9, 60, 0.2), (2.4, 15, -0.2), m.stone((0.42, 0.37, 0.3), (0.7, 0.7), 0.007, 0.55, 0.5), 0)
    s.box((50, 70, 0.2), (-27.1, 15, -0.2), m.cobbles((0.3, 0.28, 0.26)), 0)
    ashlar, wall = m.stone(sand, (0.8, 0.4), 0.006, 0.85, 0.45), m.plaster((0.62, 0.42, 0.24), 2.5, 0.35)
    for k in range(9):
        with s.at(-2.1, -3.2 + 3.4 * k, 0, 90):
            arch(s, 3.4, 2.35, 5.0, ashlar)
    vault = m.plaster((0.62, 0.53, 0.4), 2, 0.3)
    beam = m.wood((0.16, 0.09, 0.05), None, 0.6)
    s.box((4.9, 34, 0.2), (0.2, 12, 4.75), vault, 0)
    for k in range(34):
        s.box((4.4, 0.16, 0.22), (0.2, -4 + 0.95 * k, 4.53), beam, 0.012)
    arcade_shops(s, wall, ashlar)
    with s.at(-26, 40, 0):
        o.facade(s, 8, 3.0, 3, m.plaster((0.6, 0.34, 0.2), 2, 0.35), ashlar, "", (0.08, 0.12, 0.1))
    with s.at(-24, -10, 0, 90):
        o.facade(s, 16, 3.1, 3, m.plaster((0.6, 0.5, 0.34), 2, 0.35), ashlar, "", (0.16, 0.07, 0.04))
    arcade_props(s)
    s.light("AREA", (-6, 4, 5), (1.5, 5, 0.6), 260, 5, 3, (1, 0.93, 0.82))


def arch(s: Stage, bay: float, spring: float, top: float, material: object) -> None:
    """One bay of an arcade along x from the origin: its column and the spandrel of its round arch."""
    r = bay / 2 - 0.24
    s.lathe(
        [
            (0.3, 0),
            (0.3, 0.1),
            (0.25, 0.14),
            (0.27, 0.2),
            (0.215, 0.26),
            (0.2, 1.2),
            (0.18, spring - 0.3),
            (0.2, spring - 0.28),
            (0.19, spring - 0.22),
            (0.28, spring - 0.1),
            (0.28, spring - 0.06),
        ],
        material,
        segments=40,
        round_off=1,
    )
    s.box((0.64, 0.64, 0.14), (0, 0, 0), material, 0.015)
    s.box((0.6, 0.6, 0.1), (0, 0, spring - 0.08), material, 0.012)
    curve = [(bay / 2 - r * math.cos(math.pi * k / 24), spring + r * math.sin(math.pi * k / 24)) for k in range(25)]
    s.prism([(0, spring), *curve, (bay, spring), (bay, top), (0, top)], 0.5, material, 0)
    for k in range(13):
        a = math.pi * (k + 0.5) / 13
        with s.at(bay / 2 - (r + 0.14) * math.cos(a), 0, spring + (r + 0.14) * math.sin(a), 0, 0, math.degrees(a) - 90):
            s.box((r * 0.232, 0.56, 0.26), (0, 0, -0.13), material, 0.012)


def arcade_shops(s: Stage, wall: object, trim: object) -> None:
    """The inner side of the arcade: plastered piers and shop windows."""
    names = ["ANTIQUES", "CAFE ARCADE", "HATS", "PRINTS"]
    for k in range(4):
        with s.at(2.6, -1.0 + 6.4 * k + 5.0, 0, -90):
            o.shopfront(
                s,
                5.0,
                3.5,
                [(0.04, 0.09, 0.08), (0.22, 0.05, 0.03), (0.05, 0.07, 0.16), (0.12, 0.1, 0.05)][k],
                names[k],
                trim,
            )
        s.box((0.5, 1.4, 4.8), (2.72, -1.7 + 6.4 * k, 0), wall, 0)
        s.box((0.6, 1.42, 0.5), (2.7, -1.7 + 6.4 * k, 0), trim, 0.02)
        s.box((0.4, 5.0, 1.4), (2.72, 1.5 + 6.4 * k, 3.5), wall, 0)
        with s.at(2.44, -1.7 + 6.4 * k, 2.6):
            iron = m.painted(o.IRON, 0.35, 0.3)
            s.tube([(0.05, 0, 0.2), (-0.15, 0, 0.3), (-0.3, 0, 0.15), (-0.3, 0, 0.0)], 0.012, iron)
            s.lathe([(0.06, -0.32), (0.11, -0.05), (0.06, -0.32)], m.lampshade((1, 0.72, 0.4), 5), (-0.3, 0, 0), 6, 0)
            s.lathe([(0, 0.06), (0.05, 0.02), (0.13, -0.05), (0, -0.05)], iron, (-0.3, 0, 0), 6, 0)
            s.lathe([(0, -0.36), (0.07, -0.33), (0.07, -0.31), (0, -0.31)], iron, (-0.3, 0, 0), 6, 0)


def arcade_props(s: Stage) -> None:
    """What stands on the arcade's paving."""
    for k, (x, y) in enumerate(((0.75, 1.6), (1.0, 4.4), (0.85, 8.0))):
        with s.prop(f"cafe table {k + 1}", (x, y, 0)):
            o.bistro_table(s, (0.25, 0.04, 0.03))
        for side in (-1, 1):
            with s.prop("cafe chair", (x + side * 0.58, y + 0.1 * side, 0), side * -84 + 10 * k, thin=True):
                o.bistro_chair(s, (0.25, 0.04, 0.03))
    with s.prop("vase", (0.8, 1.55, 0.72), 0, "cafe table 1", thin=True):
        t.vase(s, (0.7, 0.68, 0.62), (0.1, 0.2, 0.4), 0.14)
        t.tulips(s, 5, 0.14, 0.16, [(0.75, 0.45, 0.04), (0.7, 0.08, 0.05)])
    with s.prop("carafe", (0.62, 1.68, 0.72), 0, "cafe table 1"):
        t.bottle(s, 0.27, 0.042, (0.5, 0.68, 0.55), ((0.75, 0.7, 0.6), (0.4, 0.1, 0.05)))
    with s.prop("coffee cup", (0.95, 1.72, 0.72), 30, "cafe table 1"):
        t.cup_and_saucer(s, (0.78, 0.76, 0.7), (0.3, 0.05, 0.03))
    for k, y in enumerate((0.3, 3.75, 7.1)):
        with s.prop(f"planter {k + 1}", (-1.35, y, 0), 4):
            o.planter(s, 0.42, 1100, (0.07, 0.18, 0.04), 0.62)
    with s.prop("a-board", (-0.5, 2.9, 0), -16):
        o.a_board(s, "ARCADE")
    with s.prop("urn", (-3.4, 2.6, 0)):
        s.lathe(
            [
                (0.28, 0),
                (0.28, 0.1),
                (0.12, 0.16),
                (0.1, 0.24),
                (0.3, 0.42),
                (0.36, 0.68),
                (0.42, 0.72),
                (0.42, 0.78),
                (0.34, 0.78),
                (0, 0.74),
            ],
            m.stone((0.5, 0.43, 0.33), (3, 3), 0, 0.9, 0.6),
        )
        o.foliage(
            s,
            [(0.2 * math.cos(k), 0.2 * math.sin(k), 0.9 + 0.1 * math.sin(3 * k)) for k in range(12)],
            0.2,
            700,
            0.06,
            (0.09, 0.22, 0.05),
        )
    with s.prop("bench", (-4.2, 6.0, 0), 90):
        o.bench(s)
    with s.prop("litter bin", (-1.2, 10.6, 0)):
        o.litter_bin(s)
    with s.prop("bicycle", (-2.75, 5.2, 0), 82, thin=True, tilt=-5):
        o.bicycle(s)
    with s.prop("tree", (-9.5, 12, 0)):
        o.tree(s, 6.2, 2.2)
    with s.prop("tree", (-11, 24, 0)):
        o.tree(s, 6.6, 2.3)
    with s.prop("street lamp", (-6.0, 9.5, 0), thin=True):
        o.street_lamp(s)


def hard_bicycle(s: Stage) -> None:
    """A bicycle and garden things against an old wall, camera rolled; the setts are at 0."""
    sky(42, 205, 0.1, sun=True)
    s.box((30, 16, 0.2), (0, -3, -0.2), m.cobbles((0.33, 0.31, 0.28)), 0)
    brick, trim = m.brick((0.42, 0.18, 0.1)), m.stone((0.5, 0.46, 0.38), (1.2, 0.5))
    s.box((2.05, 0.4, 4.5), (-3.2, 1.4, 0), brick, 0)
    s.box((6.85, 0.4, 1.05), (1.25, 1.4, 0), brick, 0)
    s.box((1.3, 0.4, 1.6), (-1.525, 1.4, 1.05), brick, 0)
    s.box((4.25, 0.4, 1.6), (2.55, 1.4, 1.05), brick, 0)
    s.box((6.85, 0.4, 2.0), (1.25, 1.4, 2.65), brick, 0)
    s.box((12, 0.08, 0.28), (0, 1.17, 0), trim, 0.01)
    with s.at(-0.225, 1.36, 1.05):
        o.sash(s, 1.3, 1.6, m.window((0.02, 0.03, 0.035)), m.painted((0.1, 0.2, 0.2), 0.35, 0.8), trim)
    s.box((24, 0.3, 6), (0, -9, 0), m.plaster((0.55, 0.45, 0.33), 2), 0)
    with s.prop("bicycle", (-0.35, 0.72, 0), 3, thin=True, tilt=-11):
        o.bicycle(s, (0.02, 0.16, 0.18))
    with s.prop("ladder", (-1.62, 0.55, 0), 3, thin=True, tilt=-14):
        h.ladder(s, 2.6, 9)
    with s.prop("broom", (-1.15, 0.95, 0), 15, thin=True, tilt=-9, lean=4):
        h.broom(s)
    with s.prop("railing", (1.05, 0.55, 0), -4, thin=True):
        o.railing(s, 2.6, 1.05)
    with s.prop("cafe chair", (0.98, -0.12, 0), 28, thin=True):
        o.bistro_chair(s, (0.06, 0.1, 0.14))
    with s.prop("herb", (0.97, -0.14, 0.462), 0, "cafe chair"):
        f.herb(s, (0.5, 0.22, 0.12), 0.3, 20)
    with s.prop("watering can", (-0.95, -0.05, 0), 205):
        h.watering_can(s)
    with s.prop("crate", (-1.62, -0.1, 0), 18):
        h.crate(s, (0.5, 0.36, 0.28))
    with s.prop("bottle", (-1.7, -0.08, 0.022), 0, "crate"):
        t.bottle(s, 0.31, 0.038, (0.2, 0.42, 0.16), ((0.75, 0.7, 0.6), (0.35, 0.08, 0.05)))
    with s.prop("bottle", (-1.56, -0.14, 0.022), 80, "crate"):
        t.bottle(s, 0.29, 0.036, (0.55, 0.32, 0.08), ((0.7, 0.66, 0.5), (0.1, 0.2, 0.3)))
    with s.prop("grass pot", (0.5, 1.0, 0), 0, thin=True):
        f.pot_plant(s, 0.95, (0.46, 0.22, 0.12), 60, 0.008, 0.35, color=(0.16, 0.26, 0.06))
    with s.prop("geranium", (0.34, 0.2, 0), 0):
        f.herb(s, (0.5, 0.2, 0.1), 0.34, 22, (0.09, 0.24, 0.06))
    with s.prop("bucket", (0.6, 0.35, 0), 70):
        h.bucket(s)
    with s.prop("tall plant", (1.95, 0.98, 0)):
        f.pot_plant(s, 1.3, (0.42, 0.2, 0.12), 34, 0.05, 0.4)
