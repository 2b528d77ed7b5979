"""Things that work: electronics, tools, kitchen tools, machines, cables. One function builds one solid, in metres."""

from __future__ import annotations

import math
import random

from .records import (
    BARS,
    CONE,
    CYLINDER,
    SPOKES,
    TORUS,
    TUBE,
    Solid,
    Vector,
    between,
    between_log,
    evenly,
    rotate,
)


def display(rng: random.Random) -> Solid:
    """A screen on its stand."""
    s = Solid()
    w, h = between(rng, 0.18, 0.5), between(rng, 0.12, 0.3)
    up = between(rng, 0.05, 0.15)
    s.box((0, up + h, 0), (w, h, 0.012), "case/dark", rounding=0.005)
    s.box((0, up + h, -0.012), (w * 0.96, h * 0.93, 0.003), "screen/screen")
    s.box((0, up * 0.5, 0.01), (0.03, up * 0.6, 0.012), "stand/metal")
    s.box((0, 0.006, 0), (w * 0.4, 0.006, 0.08), "stand/metal", rounding=0.004)
    return s


def laptop(rng: random.Random) -> Solid:
    """A laptop, open."""
    s = Solid()
    w, d, lean = between(rng, 0.13, 0.19), between(rng, 0.09, 0.13), between(rng, 0.1, 0.5)
    s.box((0, 0.008, 0), (w, 0.008, d), "case/" + rng.choice(["metal", "dark", "white"]), rounding=0.004)
    s.box((0, 0.017, 0.02), (w * 0.9, 0.002, d * 0.45), "keys/dark")
    turn, y, z = rotate(0, lean, 0), 0.012 + d * math.cos(lean), d + d * math.sin(lean)
    s.box((0, y, z), (w, d, 0.004), "case/metal", turn)
    s.box((0, y, z - 0.005), (w * 0.95, d * 0.9, 0.002), "screen/screen", turn)
    return s


def telephone(rng: random.Random) -> Solid:
    """A telephone or tablet, lying."""
    s = Solid()
    w, h = between(rng, 0.033, 0.04), between(rng, 0.065, 0.08)
    s.box((0, 0.005, 0), (w, 0.004, h), "case/" + rng.choice(["dark", "plastic", "metal"]), rounding=0.003)
    s.box((0, 0.009, 0), (w * 0.94, 0.001, h * 0.95), "screen/screen")
    return s


def keyboard(rng: random.Random) -> Solid:
    """A keyboard: four rows of keys."""
    s = Solid()
    w = between(rng, 0.12, 0.22)
    s.box((0, 0.012, 0), (w, 0.01, 0.06), "case/" + rng.choice(["dark", "white", "plastic"]), rounding=0.005)
    for row in range(4):
        keys = "keys/" + rng.choice(["dark", "white"])
        at, size = (0, 0.022, -0.042 + 0.028 * row), (w * 0.93, 0.006, 0.011)
        s.add(BARS, at, size, keys, rounding=0.002, extra=(0.024, 0.01, 0))
    return s


def speaker(rng: random.Random) -> Solid:
    """A loudspeaker with two cones."""
    s = Solid()
    x, y, z = between(rng, 0.06, 0.15), between(rng, 0.1, 0.25), between(rng, 0.06, 0.14)
    s.box((0, y, 0), (x, y, z), "case/" + rng.choice(["dark", "wood", "plastic"]), rounding=0.01)
    for k, cy in enumerate((0.6, 1.45)):
        s.add(CONE, (0, y * cy, -z), (x * (0.7 - 0.3 * k), 0.008, x * 0.3), "cone/dark", rotate(0, math.pi / 2, 0))
    return s


def camera(rng: random.Random) -> Solid:
    """A camera with its strap."""
    s = Solid()
    s.box((0, 0.04, 0), (0.065, 0.04, 0.03), "case/dark", rounding=0.01)
    s.pole((0, 0.04, -0.03), (0, 0.04, -0.03 - between(rng, 0.03, 0.1)), 0.03, "lens/dark")
    s.box((0, 0.085, 0), (0.02, 0.01, 0.02), "case/dark", rounding=0.004)
    s.rod((0.066, 0.07, 0), (0.1, 0.02, 0.06), 0.004, "strap/cloth")
    return s


def radio(rng: random.Random) -> Solid:
    """A radio with its grille, knobs and aerial."""
    s = Solid()
    x, y = between(rng, 0.1, 0.2), between(rng, 0.06, 0.12)
    s.box((0, y, 0), (x, y, 0.05), "case/" + rng.choice(["wood", "plastic", "paint"]), rounding=0.02)
    s.add(BARS, (-x * 0.35, y, -0.05), (x * 0.5, y * 0.75, 0.004), "grille/metal", extra=(0.012, 0.004, 0))
    for k in range(2):
        s.pole((x * (0.45 + 0.3 * k), y, -0.05), (x * (0.45 + 0.3 * k), y, -0.065), 0.018, "knobs/metal")
    s.rod((x * 0.8, 2 * y, 0.02), (x * 1.3, 2 * y + 0.25, 0.02), 0.002, "aerial/metal")
    return s


def headphones(rng: random.Random) -> Solid:
    """Headphones, standing."""
    s = Solid()
    s.add(TORUS, (0, 0.09, 0), (0.08, 0.0, 0.009), "band/dark", rotate(0, math.pi / 2, math.pi / 2), extra=(1.7, 0, 0))
    pads = "pads/" + rng.choice(["dark", "plastic"])
    for sx in (-1, 1):
        s.add(CYLINDER, (sx * 0.075, 0.05, 0), (0.04, 0.018, 0.04), pads, rotate(0, 0, math.pi / 2), 0.012)
    return s


def pan(rng: random.Random) -> Solid:
    """A pan with its handle."""
    s = Solid(blend=0.004)
    r, h = between(rng, 0.08, 0.14), between(rng, 0.02, 0.06)
    s.add(TUBE, (0, h, 0), (r * 0.9, h, 0.003), "pan/" + rng.choice(["metal", "dark"]), extra=(r, 0, 0))
    end = (r + between(rng, 0.1, 0.2), h * 1.9, 0)
    s.rod((r, h * 1.7, 0), end, 0.01, "handle/" + rng.choice(["wood", "dark", "metal"]))
    return s


def kettle(rng: random.Random) -> Solid:
    """A kettle or teapot: lid, knob, spout, handle."""
    s = Solid(blend=0.004)
    r = between(rng, 0.07, 0.1)
    body = "pot/" + rng.choice(["metal", "paint", "ceramic"])
    s.add(CONE, (0, r, 0), (r * 1.1, r, r * 0.7), body)
    s.ball((0, r * 2.05, 0), (r * 0.7, r * 0.25, r * 0.7), "lid/metal")
    s.ball((0, r * 2.4, 0), (0.012,) * 3, "knob/dark")
    s.rod((r * 0.8, r * 0.9, 0), (r * 1.7, r * 1.8, 0), 0.018, body, end=0.01)
    turn = rotate(math.pi, math.pi / 2, 0)
    s.add(TORUS, (-r * 0.9, r * 1.2, 0), (r * 0.6, 0.0, 0.009), "handle/dark", turn, extra=(1.5, 0, 0))
    return s


def hammer(rng: random.Random) -> Solid:
    """A hammer, lying."""
    s = Solid(blend=0.004)
    s.rod((-0.14, 0.015, 0), (0.12, 0.015, 0), 0.013, "handle/" + rng.choice(["wood", "plastic"]))
    s.box((0.12, 0.02, 0), (0.018, 0.018, 0.05), "head/metal", rounding=0.004)
    return s


def pens_in_a_pot(rng: random.Random) -> Solid:
    """Pens or brushes in a pot."""
    s = Solid(blend=0.004)
    r, h = between(rng, 0.03, 0.045), between(rng, 0.04, 0.06)
    s.add(TUBE, (0, h, 0), (r, h, 0.003), "pot/" + rng.choice(["ceramic", "metal", "plastic", "wood"]), extra=(r, 0, 0))
    for k in range(rng.randint(2, 8)):
        a, lean = rng.random() * math.tau, between(rng, 0.3, 0.9)
        end = (lean * r * 2 * math.cos(a), between(rng, 0.13, 0.2), lean * r * 2 * math.sin(a))
        s.rod((0, 0.01, 0), end, 0.004, f"pens{k % 3}/plastic")
    return s


def spray(rng: random.Random) -> Solid:
    """A spray bottle."""
    s = Solid(blend=0.004)
    s.add(CYLINDER, (0, 0.08, 0), (0.035, 0.08, 0.035), "body/package", rounding=0.01)
    s.box((0.01, 0.19, 0), (0.035, 0.018, 0.014), "head/plastic", rounding=0.006)
    s.rod((0, 0.15, 0), (0, 0.19, 0), 0.012, "head/plastic")
    return s


def candle(rng: random.Random) -> Solid:
    """A candle that burns, on a dish."""
    s = Solid(blend=0.004)
    h = between(rng, 0.03, 0.12)
    s.add(CYLINDER, (0, h, 0), (between(rng, 0.01, 0.04), h, 0.03), "wax/white")
    s.ball((0, 2 * h + 0.015, 0), (0.005, 0.014, 0.005), "flame/lit")
    s.add(CYLINDER, (0, 0.005, 0), (0.05, 0.005, 0.05), "dish/metal")
    return s


def drill(rng: random.Random) -> Solid:
    """A cordless drill, standing on its battery."""
    s = Solid(blend=0.004)
    s.box((0, 0.14, 0), (0.022, 0.05, 0.09), "body/plastic", rounding=0.015)
    s.box((0, 0.06, 0.03), (0.018, 0.06, 0.022), "grip/rubber", rotate(0, 0.2, 0), 0.012)
    s.box((0, 0.015, 0.03), (0.03, 0.018, 0.045), "battery/dark", rounding=0.005)
    s.add(CONE, (0, 0.14, -0.11), (0.02, 0.025, 0.008), "chuck/metal", rotate(0, -math.pi / 2, 0))
    return s


def scissors(rng: random.Random) -> Solid:
    """Scissors, lying."""
    s = Solid(blend=0.004)
    for sx in (-1, 1):
        s.rod((0, 0.01, 0), (sx * 0.03, 0.01, -0.1), 0.006, "blades/metal", end=0.002)
        s.add(TORUS, (sx * 0.025, 0.01, 0.07), (0.022, 0.0, 0.006), "handles/plastic")
    return s


# What sits on the front, the top or the side of a machine's body; q is its size, `at` a place on the front.


def add_dial(rng: random.Random, s: Solid, at: Vector, body: Vector, q: float) -> None:
    """A round dial on the front."""
    s.add(CYLINDER, at, (q, q * 0.4, q), f"dials{rng.randrange(2)}/metal", rotate(0, math.pi / 2, 0))


def add_panel(rng: random.Random, s: Solid, at: Vector, body: Vector, q: float) -> None:
    """A screen or a plate on the front."""
    part = f"panels{rng.randrange(2)}/" + rng.choice(["screen", "plastic", "package"])
    s.box(at, (q * 1.5, q, q * 0.3), part, rounding=q * 0.1)


def add_wheel(rng: random.Random, s: Solid, at: Vector, body: Vector, q: float) -> None:
    """A spoked wheel on the front."""
    turn = rotate(0, math.pi / 2, 0)
    s.add(TORUS, at, (q, 0.0, q * 0.2), "wheel/" + rng.choice(["rubber", "metal"]), turn)
    s.add(SPOKES, at, (q, q, q * 0.1), "wheel/metal", turn, 0.0, (float(rng.randint(3, 7)), q * 0.12, 0))


def add_pipe(rng: random.Random, s: Solid, at: Vector, body: Vector, q: float) -> None:
    """A pipe out of the top."""
    _, y, z = body
    up = (at[0], 2 * y, z * between(rng, -0.6, 0.6))
    s.pole(up, (up[0], 2 * y + q * 2, up[2]), q * 0.5, "pipes/" + rng.choice(["metal", "plastic"]))


def add_arm(rng: random.Random, s: Solid, at: Vector, body: Vector, q: float) -> None:
    """An arm out of a side."""
    x, _, z = body
    side = (x * rng.choice([-1, 1]), at[1], z * between(rng, -0.6, 0.6))
    end = (side[0] * between(rng, 1.1, 1.6), side[1] * between(rng, 0.3, 1.2), side[2])
    s.rod(side, end, q * 0.25, "arms/metal")


def add_grille(rng: random.Random, s: Solid, at: Vector, body: Vector, q: float) -> None:
    """A grille on the front."""
    s.add(BARS, at, (q * 1.5, q, q * 0.1), "grille/dark", extra=(q * 0.4, q * 0.12, 0))


FITTINGS = (add_dial, add_panel, add_wheel, add_pipe, add_arm, add_grille)


def machine(rng: random.Random) -> Solid:
    """An assembly of boxes, tubes, wheels and panels: a machine, an engine, an appliance."""
    s = Solid(blend=between(rng, 0, 0.01))
    size = between_log(rng, 0.08, 0.5)
    x, y, z = (size * between(rng, 0.5, 1) for _ in range(3))
    material = rng.choice(["metal", "paint", "plastic"])
    s.box((0, y, 0), (x, y, z), f"body/{material}", rounding=size * between(rng, 0, 0.15))
    for _ in range(rng.randint(2, 8)):
        at = (x * between(rng, -0.8, 0.8), y * between(rng, 0.3, 1.9), -z * between(rng, 0.9, 1.05))
        rng.choice(FITTINGS)(rng, s, at, (x, y, z), size * between(rng, 0.05, 0.3))
    s.carry(0, 2 * y, 0, x * 0.6, z * 0.6)
    return s


def coil(rng: random.Random) -> Solid:
    """A cable or a rope, coiled."""
    s = Solid(blend=0.004)
    r, part = between_log(rng, 0.002, 0.015), "rope/" + rng.choice(["cloth", "rubber"])
    for k in range(rng.randint(2, 6)):
        at = (between(rng, -0.01, 0.01), r * (1 + 1.6 * k), between(rng, -0.01, 0.01))
        s.add(TORUS, at, (between(rng, 0.05, 0.12), 0.0, r), part)
    return s


def cable(rng: random.Random) -> Solid:
    """A cable or a rope, laid in a curve."""
    s = Solid(blend=0.004)
    r, part = between_log(rng, 0.002, 0.015), "rope/" + rng.choice(["cloth", "rubber", "plastic"])
    at, heading = (0.0, r, 0.0), rng.random() * math.tau
    for _ in range(rng.randint(6, 12)):
        heading += between(rng, -0.9, 0.9)
        step = between(rng, 0.03, 0.08)
        end = (at[0] + step * math.cos(heading), r * between(rng, 1, 2), at[2] + step * math.sin(heading))
        s.rod(at, end, r, part)
        at = end
    return s


DEVICES = evenly(12, display, laptop, telephone, keyboard, speaker, camera, radio, headphones)
TOOLS = evenly(9, pan, kettle, hammer, pens_in_a_pot, spray, candle, drill, scissors)
GEAR = [*DEVICES, *TOOLS, (machine, 5), (coil, 1.4), (cable, 2.6)]
