"""The indoor scenes: two tables, two rooms and the kitchen. Z is up here; the camera looks along +y at yaw 0."""

from __future__ import annotations

import math

from samples import furniture as f
from samples import hardware as h
from samples import materials as m
from samples import tableware as t
from samples.capture import sky
from samples.stage import Stage

CREAM, BLUE, WHITE, OCHRE = (0.78, 0.73, 0.62), (0.05, 0.12, 0.3), (0.8, 0.79, 0.76), (0.5, 0.3, 0.06)
OAK, WALNUT, PINE = (0.42, 0.24, 0.1), (0.2, 0.1, 0.05), (0.55, 0.36, 0.18)


def table_breakfast(s: Stage) -> None:
    """Breakfast for two by a window; the table's top is at 0.74 m."""
    sky(38, 60, 0.12)
    s.box((6, 6, 0.1), (0, 1, -0.1), m.wood((0.36, 0.2, 0.09), (1.4, 0.13), 0.35), 0)
    joinery = m.painted((0.72, 0.7, 0.64), 0.35, 0)
    with s.at(0, 2.1):
        f.wall(s, 6, 2.6, m.wallpaper((0.45, 0.52, 0.46), (0.7, 0.68, 0.55)), joinery)
    with s.at(-1.9, 0.6, 0, 90):
        f.window_wall(s, 6, 2.6, [(-1.6, -0.4, 0.85, 2.2), (0.1, 1.3, 0.85, 2.2)], m.plaster((0.6, 0.6, 0.52)), joinery)
    top = 0.74
    with s.prop("table", (0, 0, 0)):
        f.table(s, (1.6, 0.95, top), OAK)
    with s.prop("chair", (0.3, 0.62, 0), 8):
        f.chair(s, WALNUT, (0.35, 0.08, 0.05))
    with s.prop("cabinet", (-0.35, 1.8, 0)):
        f.cabinet(s, (1.3, 0.42, 0.8), PINE, 3)
    with s.prop("plant", (1.15, 1.55, 0)):
        f.pot_plant(s, 0.9, (0.45, 0.2, 0.1), 34, 0.045)
    runner = m.fabric((0.62, 0.58, 0.48), (0.12, 0.2, 0.34), 0.045, False, 700)
    s.sheet(
        (0.42, 0.96),
        (30, 60),
        runner,
        lambda u, v: (u - 0.21 + 0.02, v - 0.48, top + 0.0025 + 0.0015 * math.sin(18 * v + 9 * u)),
    )
    breakfast_ware(s, top)
    s.light("SUN", (-4, 1.2, 3.4), (0, 0, 0.7), 5.0, 1.2, color=(1, 0.87, 0.7))
    for y in (0.0 + 0.6 - 1.0, 0.6 + 0.7):
        s.light("AREA", (-1.75, y, 1.55), (0.4, y * 0.3, 0.7), 22, 1.1, 1.3, (0.85, 0.93, 1))


def breakfast_ware(s: Stage, top: float) -> None:
    """What stands on the breakfast table."""
    with s.prop("plate", (-0.2, -0.17, top), on="table"):
        t.plate(s, WHITE, BLUE)
    with s.prop("croissant", (-0.225, -0.15, top + 0.012), 24, "plate"):
        t.croissant(s)
    with s.prop("croissant", (-0.165, -0.205, top + 0.012), -150, "plate"):
        t.croissant(s)
    with s.prop("coffee cup", (0.06, -0.18, top), -35, "table"):
        t.cup_and_saucer(s, WHITE, BLUE)
    with s.prop("teapot", (0.2, 0.14, top), 205, "table"):
        t.teapot(s, (0.1, 0.24, 0.26), CREAM)
    with s.prop("jug", (-0.03, 0.06, top), 15, "table"):
        t.jug(s, CREAM, BLUE, 0.13)
    with s.prop("jam jar", (0.27, -0.06, top), 200, "table"):
        t.jar(s, (0.35, 0.015, 0.02), (CREAM, (0.5, 0.05, 0.05)), (0.55, 0.5, 0.4))
    with s.prop("juice", (-0.06, -0.03, top), on="table"):
        t.tumbler(s, (0.85, 0.36, 0.02), 0.115)
    with s.prop("fruit bowl", (-0.34, 0.13, top), on="table"):
        t.bowl(s, (0.55, 0.5, 0.42), (0.32, 0.13, 0.05), 0.125)
        for k, (x, y, z) in enumerate(
            ((-0.045, -0.02, 0.03), (0.035, -0.035, 0.03), (0.0, 0.045, 0.03), (0.0, 0.0, 0.085))
        ):
            with s.at(x, y, z, 50 * k, 12 * (k % 2), 18 * ((k + 1) % 2)):
                if k == 1:
                    t.orange(s)
                else:
                    t.apple(s, (0.5, 0.03, 0.025), (0.55, 0.33, 0.06))
    with s.prop("vase of tulips", (0.02, 0.3, top), on="table", thin=True):
        t.vase(s, (0.65, 0.63, 0.58), (0.1, 0.2, 0.4), 0.2)
        t.tulips(s, 8, 0.2, 0.2, [(0.7, 0.05, 0.06), (0.8, 0.4, 0.03), (0.7, 0.12, 0.2)])
    with s.prop("bread board", (0.42, 0.02, top), -14, "table"):
        s.box((0.2, 0.34, 0.02), (0, 0, 0), m.wood((0.5, 0.3, 0.13), None, 0.5, "y"), 0.008)
    with s.prop("loaf", (0.42, 0.08, top + 0.02), 74, "bread board"):
        t.loaf(s)
    with s.prop("newspaper", (0.33, -0.26, top), -24, "table"):
        t.newspaper(s)
    with s.prop("napkin", (-0.4, -0.19, top), 6, "table"):
        t.napkin(s, (0.7, 0.66, 0.58), (0.45, 0.07, 0.05), 0.15)
    with s.prop("knife", (-0.4, -0.19, top + 0.012), 6, "napkin", thin=True):
        t.cutlery(s, "knife")


def table_workbench(s: Stage) -> None:
    """A joiner's bench after work; its top is at 0.90 m."""
    sky(30, 120, 0.08)
    s.box((7, 6, 0.1), (0, 0.5, -0.1), m.stone((0.3, 0.29, 0.27), (1.6, 1.6), 0.006, 0.8, 0.7), 0)
    with s.at(0, 0.52):
        f.wall(s, 7, 2.6, m.brick((0.5, 0.42, 0.35)))
    top = 0.9
    with s.prop("workbench", (0, 0, 0)):
        f.table(s, (2.0, 0.8, top), (0.46, 0.3, 0.16), 0.2, 0.11)
        s.box((1.84, 0.62, 0.03), (0, 0.02, 0.22), m.wood((0.4, 0.27, 0.15), (2.2, 0.15), 0.6), 0.003)
    with s.prop("crate", (0.42, -0.08, 0.25), 4, "workbench"):
        h.crate(s, (0.5, 0.34, 0.26))
    with s.prop("bucket", (-0.3, -0.1, 0.25), 30, "workbench"):
        h.bucket(s)
    with s.prop("stool", (-0.86, -0.52, 0), 20):
        f.stool(s, PINE)
    bench_top(s, top)
    s.light("AREA", (-1.9, -0.9, 2.3), (0.1, 0.1, 0.9), 75, 1.1, 1.5, (0.84, 0.92, 1))
    s.light("AREA", (1.7, 0.0, 2.2), (0.2, 0.1, 0.9), 22, 0.5, 0.5, (1, 0.78, 0.52))
    s.light("SUN", (-3, -1.6, 3.6), (0, 0, 0.9), 2.0, 2, color=(1, 0.86, 0.68))


def bench_top(s: Stage, top: float) -> None:
    """Tools and tins on the workbench."""
    with s.prop("vice", (-0.66, -0.18, top), -90, "workbench"):
        h.vice(s)
    with s.prop("toolbox", (0.52, 0.2, top), -8, "workbench"):
        h.toolbox(s)
    with s.prop("hand plane", (-0.16, -0.12, top), 28, "workbench"):
        h.plane(s)
    with s.prop("hammer", (0.3, -0.2, top), 158, "workbench"):
        h.hammer(s)
    for k, (x, y, yaw, color) in enumerate(
        ((0.03, -0.28, 35, (0.55, 0.03, 0.02)), (0.1, -0.27, 48, (0.02, 0.15, 0.45)))
    ):
        with s.prop("screwdriver", (x, y, top), yaw + k, "workbench", thin=True):
            h.screwdriver(s, color)
    with s.prop("paint tin", (-0.4, 0.22, top), 10, "workbench"):
        t.tin(s, 0.18, 0.08, (0.08, 0.2, 0.3), (0.75, 0.5, 0.1), "MARINE")
    with s.prop("small tin", (-0.24, 0.26, top), -14, "workbench"):
        t.tin(s, 0.12, 0.055, (0.5, 0.1, 0.05), (0.8, 0.75, 0.6), "WAX")
    with s.prop("brushes", (0.08, 0.24, top), 30, "workbench", thin=True):
        t.tin(s, 0.14, 0.045, (0.6, 0.55, 0.4), (0.1, 0.3, 0.2), "OLIVE", True)
        t.brushes(s, 0.14, 5, 0.17)
    with s.prop("drill", (0.2, 0.08, top), 205, "workbench"):
        h.drill(s)
    with s.prop("glue", (-0.07, 0.17, top), 60, "workbench"):
        h.glue_bottle(s)
    with s.prop("tape", (0.55, -0.14, top), 0, "workbench"):
        h.tape(s, (0.5, 0.4, 0.26))
    with s.prop("mug", (-0.43, -0.06, top), 130, "workbench"):
        t.mug(s, (0.3, 0.08, 0.05), CREAM)
    with s.prop("boards", (-0.5, 0.37, top), 2, "workbench"):
        for k in range(3):
            with s.at(0.03 * k, -0.012 * k, 0.026 * k, 1.5 * k):
                s.box((0.72 - 0.1 * k, 0.1, 0.024), (0, -0.03, 0), m.wood([PINE, OAK, (0.5, 0.25, 0.12)][k]), 0.002)
    with s.prop("desk lamp", (0.86, 0.28, top), 205, "workbench", thin=True):
        f.desk_lamp(s, (0.06, 0.16, 0.1))
    shaving = m.wood((0.66, 0.46, 0.25), None, 0.6, "x", 3)
    for _ in range(26):
        x, y, r = s.rng.uniform(-0.5, 0.2), s.rng.uniform(-0.36, 0.05), s.rng.uniform(0.006, 0.014)
        with s.at(x, y, top + r, s.rng.uniform(0, 360)):
            s.sheet(
                (1, 1),
                (26, 2),
                shaving,
                lambda u, v, r=r: (0.012 * v + 0.022 * u, r * math.cos(9 * u), r * math.sin(9 * u)),
            )


def room_living(s: Stage) -> None:
    """A sitting room in the afternoon."""
    sky(24, 75, 0.14)
    s.box((7, 8, 0.1), (0, 0, -0.1), m.wood((0.34, 0.19, 0.09), (1.2, 0.12), 0.3), 0)
    s.box((7, 5.4, 0.1), (0, 0.4, 2.75), m.plaster(WHITE), 0)
    joinery, paint = m.painted((0.74, 0.72, 0.67), 0.35, 0), m.plaster((0.34, 0.4, 0.38), 1, 0.15)
    with s.at(0, 2.5):
        f.wall(s, 6.4, 2.75, paint, joinery)
    with s.at(-2.8, 0, 0, 90):
        f.window_wall(s, 6, 2.75, [(-0.9, 0.5, 0.5, 2.35), (1.0, 2.0, 0.5, 2.35)], paint, joinery)
    with s.at(2.8, 0, 0, -90):
        f.wall(s, 6, 2.75, paint, joinery)
    s.sheet(
        (3.0, 2.1),
        (40, 30),
        m.rug((0.3, 0.05, 0.04), (0.55, 0.42, 0.22), (0.03, 0.06, 0.14), (3.0, 2.1)),
        lambda u, v: (u - 1.5, v - 1.05, 0.012),
    ).location = (0.05, 0.75, 0)
    living_furniture(s)
    living_props(s)
    s.light("SUN", (-5, 0.4, 2.9), (0.2, 0.3, 0), 4.0, 1.5, color=(1, 0.8, 0.58))
    for y, w in ((-0.2, 1.4), (1.5, 1.0)):
        s.light("AREA", (-2.6, y, 1.45), (1, y * 0.6, 0.9), 55, w, 1.8, (0.88, 0.94, 1))
    s.light("AREA", (0.5, -2.4, 2.4), (0, 1.5, 0.6), 40, 2.5, 1.2, (1, 0.9, 0.78))


def living_furniture(s: Stage) -> None:
    """What stands on the sitting room's floor."""
    with s.prop("sofa", (-0.35, 1.95, 0)):
        f.sofa(s, (0.12, 0.2, 0.25), 2.15)
        for x, color, second, lean in (
            (-0.72, OCHRE, None, -14),
            (-0.35, (0.7, 0.65, 0.55), (0.15, 0.22, 0.28), -22),
            (0.68, (0.42, 0.12, 0.06), None, -16),
        ):
            with s.at(x, -0.02, 0.5, lean * 0.5, lean, lean * 0.4):
                f.cushion(s, color, second)
        with s.at(0.985, -0.1, 0.615):
            f.throw(s, (0.62, 0.55, 0.42), (0.35, 0.14, 0.08))
    with s.prop("armchair", (1.75, 0.75, 0), -62):
        f.sofa(s, (0.38, 0.2, 0.07), 0.95)
        with s.at(0.02, -0.02, 0.5, 5, -16):
            f.cushion(s, (0.68, 0.64, 0.56), (0.1, 0.2, 0.22), 0.4, 0.03)
    with s.prop("coffee table", (0.0, 0.62, 0)):
        f.table(s, (1.15, 0.6, 0.42), WALNUT, 0.2, 0.05)
    with s.prop("side table", (-1.75, 1.95, 0)):
        f.table(s, (0.46, 0.46, 0.55), OAK, 0.12, 0.04)
    with s.prop("floor lamp", (1.12, 2.15, 0), thin=True):
        f.floor_lamp(s)
    with s.prop("bookcase", (2.58, 1.85, 0), -90):
        titles = ["ATLAS", "POEMS", "GARDENS", "LIGHT", "SEA STORIES", "MAPS"]
        for z in f.shelf(s, (1.1, 0.3, 1.95), OAK, 5)[:-1]:
            with s.at(-0.5, -0.03, z):
                t.row_of_books(s, s.rng.uniform(0.6, 0.95), 0.29, titles, 0.2)
    with s.prop("big plant", (-2.3, 1.1, 0)):
        f.pot_plant(s, 1.45, (0.5, 0.36, 0.2), 40, 0.075, 0.42, True)
    with s.prop("pouffe", (-1.2, 0.25, 0)):
        s.blob(
            (0.52, 0.52, 0.38),
            (0, 0, 0.19),
            m.fabric((0.5, 0.3, 0.12), (0.62, 0.5, 0.34), 0.08, False, 300, 0.002),
            3.2,
        )
    for y in (-1.25, 0.75, 2.2):
        with s.at(-2.62, y, 0.05, 90):
            f.curtain(s, 0.62, 2.45, (0.62, 0.55, 0.43), 6)
    s.tube([(-2.62, -1.7, 2.5), (-2.62, 2.45, 2.5)], 0.014, m.metal(f.BRASS, 0.2))


def living_props(s: Stage) -> None:
    """What stands on the tables and hangs on the walls of the sitting room."""
    with s.prop("books", (-0.3, 0.62, 0.42), 15, "coffee table"):
        high = t.stack_of_books(s, 3)
    with s.prop("candle", (-0.3, 0.62, 0.42 + high), 0, "books", thin=True):
        t.candle(s, 0.22)
    with s.prop("bowl", (0.12, 0.68, 0.42), 0, "coffee table"):
        t.bowl(s, (0.15, 0.24, 0.27), (0.6, 0.55, 0.4), 0.14)
        for k in range(4):
            with s.at(0.05 * math.cos(1.6 * k), 0.05 * math.sin(1.6 * k), 0.035, 80 * k):
                t.pear(s) if k % 2 else t.orange(s)
    with s.prop("mug", (0.4, 0.5, 0.42), -40, "coffee table"):
        t.mug(s, CREAM, (0.3, 0.1, 0.05))
    with s.prop("open book", (0.05, 0.42, 0.42), -12, "coffee table"):
        f.open_book(s)
    with s.prop("table lamp", (-1.75, 1.98, 0.55), 0, "side table"):
        f.table_lamp(s, (0.1, 0.25, 0.27))
    with s.prop("vase", (-1.62, 1.8, 0.55), 0, "side table"):
        t.vase(s, (0.5, 0.2, 0.1), None, 0.17)
    scenes = [
        ((0.7, 0.5), 3.1, ((0.1, 0.16, 0.22), (0.55, 0.4, 0.22), (0.7, 0.66, 0.55))),
        ((0.42, 0.55), 7.7, ((0.2, 0.1, 0.06), (0.5, 0.2, 0.08), (0.75, 0.6, 0.35))),
        ((0.42, 0.42), 12.4, ((0.05, 0.12, 0.08), (0.25, 0.33, 0.16), (0.7, 0.68, 0.5))),
    ]
    for x, (size, seed, tones) in zip((-0.55, 0.2, -1.3), scenes, strict=True):
        with s.at(x, 2.5, 1.62):
            f.framed_picture(s, size, seed, WALNUT if x < 0 else (0.6, 0.42, 0.16), tones)
    with s.prop("wall mirror", (2.8, 0.2, 1.6), -90, "wall"), s.at(tilt=90):
        s.lathe([(0, 0.008), (0.33, 0.008)], m.metal((0.9, 0.9, 0.9), 0.02, None, 0.03), round_off=0)
        s.lathe([(0.32, 0), (0.36, 0), (0.36, 0.02), (0.34, 0.03), (0.32, 0.015)], m.metal(f.BRASS, 0.2))


def room_study(s: Stage) -> None:
    """A writer's corner, upright format; the desk's top is at 0.75 m."""
    sky(32, 50, 0.12)
    s.box((5, 7, 0.1), (0, 0, -0.1), m.wood((0.4, 0.25, 0.13), (0.9, 0.09), 0.35), 0)
    joinery, paint = m.painted((0.72, 0.7, 0.64), 0.35, 0), m.plaster((0.5, 0.42, 0.28), 1.2, 0.18)
    with s.at(0, 1.7):
        f.wall(s, 5, 2.9, paint, joinery)
    with s.at(-1.55, 0, 0, 90):
        f.window_wall(s, 6, 2.9, [(-0.3, 0.95, 0.85, 2.4)], paint, joinery)
    with s.at(1.75, 0, 0, -90):
        f.wall(s, 6, 2.9, m.wallpaper((0.3, 0.36, 0.3), (0.5, 0.48, 0.36), 0.16), joinery)
    s.sheet(
        (1.9, 1.4),
        (30, 20),
        m.rug((0.04, 0.09, 0.16), (0.5, 0.36, 0.18), (0.32, 0.06, 0.04), (1.9, 1.4)),
        lambda u, v: (u - 0.95, v - 0.7, 0.01),
    ).location = (0.1, 0.2, 0)
    top = 0.75
    with s.prop("desk", (0.0, 1.3, 0)):
        f.table(s, (1.5, 0.7, top), WALNUT, 0.24, 0.06)
    with s.prop("chair", (0.2, 0.55, 0), 158):
        f.chair(s, OAK, (0.1, 0.2, 0.14))
    desk_top(s, top)
    study_floor(s)
    s.light("SUN", (-4, -0.4, 3.3), (0, 1.0, 0.6), 4.5, 1.2, color=(1, 0.84, 0.64))
    s.light("AREA", (-1.4, 0.35, 1.6), (0.6, 0.9, 0.7), 45, 1.2, 1.5, (0.86, 0.93, 1))
    s.light("AREA", (0.6, -2.2, 2.5), (0.1, 1.2, 0.8), 22, 2, 1.2, (1, 0.9, 0.78))


def desk_top(s: Stage, top: float) -> None:
    """What stands on the desk."""
    with s.prop("laptop", (0.05, 1.25, top), 10, "desk"):
        f.laptop(s, 4.0)
    with s.prop("desk lamp", (-0.55, 1.42, top), -25, "desk", thin=True):
        f.desk_lamp(s, (0.45, 0.06, 0.03))
    with s.prop("globe", (0.56, 1.43, top), 40, "desk"):
        f.globe(s)
    with s.prop("mug", (-0.2, 1.12, top), 200, "desk"):
        t.mug(s, (0.12, 0.22, 0.3), CREAM)
    with s.prop("books", (0.45, 1.12, top), 78, "desk"):
        t.stack_of_books(s, 4, (0.15, 0.21))
    with s.prop("pencils", (-0.3, 1.4, top), 0, "desk", thin=True):
        t.tin(s, 0.1, 0.038, (0.5, 0.44, 0.3), (0.4, 0.06, 0.04), "TEA", True)
        for k in range(8):
            a = 0.8 * k
            s.tube(
                [
                    (0.014 * math.cos(a), 0.014 * math.sin(a), 0.012),
                    (0.042 * math.cos(a), 0.042 * math.sin(a), 0.17 + 0.008 * (k % 3)),
                ],
                0.0036,
                m.wood([(0.6, 0.4, 0.05), (0.4, 0.04, 0.03), (0.05, 0.2, 0.12)][k % 3], None, 0.3, "z"),
                6,
                curve=1,
            )
    with s.prop("open book", (-0.42, 1.12, top), 14, "desk"):
        f.open_book(s)
    for row, z in enumerate((1.45, 1.85)):
        s.box((1.5, 0.24, 0.032), (0.05, 1.575, z), m.wood(OAK, None, 0.35), 0.003)
        for x in (-0.5, 0.6):
            s.box((0.025, 0.2, 0.14), (x, 1.6, z - 0.14), m.painted((0.02, 0.02, 0.02), 0.4), 0.002)
        with s.prop("shelf books", (-0.62 + 0.45 * row, 1.58, z + 0.032), 0, "shelf"):
            t.row_of_books(s, 0.72, 0.27, ["ESSAYS", "HISTORY", "FILM", "STAGES", "OPTICS"], 0.17)
    with s.prop("jug", (0.42, 1.58, 1.482), 160, "shelf"):
        t.jug(s, (0.55, 0.5, 0.4), (0.1, 0.18, 0.3), 0.19)
    with s.prop("trailing plant", (-0.45, 1.58, 1.882), 0, "shelf"):
        f.pot_plant(s, 0.3, (0.7, 0.66, 0.6), 30, 0.02, 0.9)
    with s.at(0.1, 1.7, 2.42):
        f.framed_picture(
            s, (0.6, 0.36), 5.2, (0.1, 0.07, 0.05), ((0.1, 0.14, 0.2), (0.5, 0.35, 0.2), (0.72, 0.66, 0.5))
        )


def study_floor(s: Stage) -> None:
    """What stands on the study's floor."""
    with s.prop("waste basket", (-0.92, 0.7, 0)):
        s.lathe(
            [(0, 0), (0.11, 0), (0.15, 0.3), (0.144, 0.3), (0.105, 0.012), (0, 0.012)],
            m.wicker((0.42, 0.28, 0.13)),
            round_off=0,
        )
        for k in range(4):
            s.blob(
                (0.09, 0.08, 0.08),
                (0.05 * math.cos(2 * k), 0.05 * math.sin(2 * k), 0.2 + 0.03 * k),
                m.print_paper((0.75, 0.72, 0.66), (0.1, 0.1, 0.1), (0.6, 0.58, 0.5)),
                2,
                0.16,
            )
    with s.prop("floor plant", (1.3, 1.2, 0)):
        f.pot_plant(s, 1.15, (0.42, 0.2, 0.11), 30, 0.06, 0.38)
    with s.prop("floor books", (-0.5, 0.0, 0.01), 30):
        t.stack_of_books(s, 5, (0.19, 0.26))
    with s.prop("satchel", (0.88, 0.42, 0), 60, tilt=-8):
        hide = m.skin((0.22, 0.09, 0.035), (0.12, 0.045, 0.02), 220, 0.0006, 0.4, 8)
        s.box((0.38, 0.11, 0.27), (0, 0, 0), hide, 0.03)
        s.box((0.39, 0.014, 0.17), (0, -0.062, 0.105), hide, 0.006)
        for x in (-0.11, 0.11):
            s.box((0.026, 0.01, 0.2), (x, -0.072, 0.05), m.skin((0.12, 0.05, 0.02), (0.08, 0.03, 0.015), 200), 0.003)
            s.box((0.03, 0.012, 0.02), (x, -0.074, 0.09), m.metal(f.BRASS, 0.2), 0.002)
        s.tube([(-0.09, 0, 0.265), (-0.07, 0, 0.32), (0.07, 0, 0.32), (0.09, 0, 0.265)], 0.01, hide, 10)
    with s.at(-1.4, -0.52, 0.02, 90):
        f.curtain(s, 0.5, 2.5, (0.45, 0.2, 0.1), 5)
    with s.at(-1.4, 1.25, 0.02, 90):
        f.curtain(s, 0.42, 2.5, (0.45, 0.2, 0.1), 4)


def hard_kitchen(s: Stage) -> None:
    """A kitchen counter of chrome, glass and wire; the counter's top is at 0.92 m."""
    sky(35, 70, 0.12)
    s.box((6, 7, 0.1), (0, -1, -0.1), m.tiles((0.3, 0.28, 0.25), (0.36, 0.34, 0.3), (0.3, 0.3)), 0)
    with s.at(0, 0.34):
        f.wall(s, 6, 2.7, m.tiles((0.5, 0.56, 0.52), (0.62, 0.67, 0.62), (0.15, 0.075), 0.003, 0.5, 0.12))
    top = 0.92
    s.box((3.4, 0.66, 0.035), (0, 0.01, top - 0.035), m.wood((0.4, 0.22, 0.1), (2.6, 0.05), 0.28), 0.005)
    for k in range(-2, 3):
        for z, tall in ((0.7, 0.165), (0.12, 0.565)):
            s.box((0.582, 0.02, tall), (k * 0.6 + 0.13, -0.285, z), m.painted((0.07, 0.13, 0.15), 0.32, 0.08), 0.004)
        s.tube(
            [
                (k * 0.6 + 0.06, -0.3, 0.79),
                (k * 0.6 + 0.06, -0.325, 0.79),
                (k * 0.6 + 0.2, -0.325, 0.79),
                (k * 0.6 + 0.2, -0.3, 0.79),
            ],
            0.006,
            m.metal(f.BRASS, 0.15),
            10,
            curve=3,
        )
    s.box((3.3, 0.55, 0.88), (0, 0.05, 0), m.painted((0.05, 0.09, 0.1), 0.35, 0.1), 0.003)
    s.box((6, 0.1, 2.7), (0, -4.6, 0), m.plaster((0.62, 0.52, 0.4)), 0)
    s.tube([(-0.72, 0.285, 1.3), (0.72, 0.285, 1.3)], 0.007, m.metal(h.CHROME, 0.06), 12)
    for x in (-0.66, 0.66):
        s.tube([(x, 0.34, 1.3), (x, 0.285, 1.3)], 0.008, m.metal(h.CHROME, 0.08), 10)
    kitchen_ware(s, top)
    s.light("AREA", (-2.0, -1.2, 1.9), (0, 0, 1.0), 62, 1.3, 1.5, (0.88, 0.94, 1))
    s.light("AREA", (1.6, -1.6, 2.2), (0, 0.1, 1.0), 22, 0.8, 0.8, (1, 0.82, 0.6))
    s.light("AREA", (0, 0.0, 1.75), (0, 0.12, 0.9), 9, 1.6, 0.12, (1, 0.85, 0.66))


def kitchen_ware(s: Stage, top: float) -> None:
    """What stands on the counter and hangs above it."""
    for k, x in enumerate((-0.02, 0.13, 0.28)):
        with s.prop(("ladle", "slotted turner", "strainer")[k], (x, 0.27, 1.297), 0, "rail", thin=True):
            h.ladle(s, k)
    with s.prop("kettle", (-0.3, -0.02, top), -28, "counter"):
        h.kettle(s)
    with s.prop("moka pot", (-0.07, -0.1, top), 30, "counter"):
        h.moka_pot(s)
    for k, (x, y, tall, r, color, label) in enumerate(
        (
            (0.33, 0.16, 0.3, 0.036, (0.35, 0.5, 0.12), (CREAM, (0.2, 0.3, 0.08))),
            (0.42, 0.12, 0.26, 0.034, (0.75, 0.62, 0.3), (WHITE, (0.5, 0.3, 0.05))),
            (0.5, 0.2, 0.31, 0.037, (0.15, 0.3, 0.42), None),
        )
    ):
        with s.prop(f"bottle {k + 1}", (x, y, top), 200 + 30 * k, "counter"):
            t.bottle(s, tall, r, color, label)
    for x, y, wine in ((0.2, 0.0, (0.16, 0.005, 0.02)), (0.33, -0.07, None)):
        with s.prop("wine glass", (x, y, top), 0, "counter", thin=True):
            t.wine_glass(s, wine)
    with s.prop("wire basket", (0.46, -0.12, top), 10, "counter", thin=True):
        h.wire_basket(s, 0.115, 0.1)
        for k, (x, y, z) in enumerate(
            ((-0.03, -0.025, 0.008), (0.045, -0.015, 0.008), (0.0, 0.045, 0.008), (0.0, 0.0, 0.058))
        ):
            with s.at(x, y, z, 75 * k):
                t.lemon(s)
    with s.prop("utensil jar", (-0.5, 0.12, top), 20, "counter", thin=True):
        s.lathe(
            [(0, 0), (0.055, 0), (0.06, 0.01), (0.06, 0.14), (0.064, 0.15), (0.056, 0.15), (0.054, 0.012), (0, 0.01)],
            m.ceramic(CREAM, BLUE, (0.3, 0.42), 0.15),
        )
        t.brushes(s, 0.15, 3, 0.14)
        with s.at(0.02, -0.02, 0.02, 0, 4, 6):
            h.whisk(s)
    with s.prop("cooling rack", (0.1, -0.2, top), 3, "counter", thin=True):
        h.cooling_rack(s, 0.3, 0.16)
    with s.prop("bread slices", (0.06, -0.2, top + 0.031), 20, "cooling rack"):
        t.slice_of_bread(s)
        with s.at(0.07, 0.01, 0.002, 40, 0, 0):
            t.slice_of_bread(s)
    with s.prop("pepper mill", (-0.16, 0.14, top), 0, "counter"):
        h.pepper_mill(s)
    with s.prop("knife block", (-0.67, 0.02, top), 15, "counter"):
        h.knife_block(s)
    with s.prop("herb", (0.12, 0.2, top), 0, "counter"):
        f.herb(s, (0.45, 0.2, 0.11), 0.24)
    with s.prop("fork", (-0.36, -0.22, top), 62, "counter", thin=True):
        t.cutlery(s, "fork")
    with s.prop("spoon", (-0.3, -0.2, top), 50, "counter", thin=True):
        t.cutlery(s, "spoon")
