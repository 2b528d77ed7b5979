"""Solids, materials and scenes as plain values, and the float records that the marcher reads.

The world is metres, y up, x to the right of a camera that looks along +z (left-handed: it never leaves this package;
the truth leaves in camera axes). A thing is built upright around its own origin, its base at y = 0.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

SCENE_FLOATS, THING_FLOATS, PRIM_FLOATS, MATERIAL_FLOATS = 80, 20, 28, 28
MOST_THINGS = 63  # instances of a scene; ids above 250 are stuff
CEILING, WALL, GROUND = 251, 252, 253
OPEN_GROUND, ROOM, VOID = 0, 1, 2
(BOX, ELLIPSOID, CYLINDER, CONE, TORUS, CAPSULE, TUBE, FRAME, SHEET, BARS, SPOKES, BOWL, WEDGE, STAR, PILLOW, FOLIAGE,
 FLUTED) = range(17)  # fmt: skip
(PLAIN, MOTTLED, STRIPES, CHECKER, DOTS, WOOD, BRICKS, PHOTO, PRINT, PLAID, MARBLE, GRADIENT, CELLS, BANDS, CAMOUFLAGE,
 LOGO, GRASS) = range(17)  # fmt: skip

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]
Colour = tuple[float, float, float]
F32 = NDArray[np.float32]
T = TypeVar("T")

IDENTITY: Matrix = ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def multiply(a: Matrix, b: Matrix) -> Matrix:
    """The product of two 3x3 matrices, rows first."""
    return tuple(  # type: ignore[return-value]
        tuple(row[0] * b[0][j] + row[1] * b[1][j] + row[2] * b[2][j] for j in range(3)) for row in a
    )


def apply(m: Matrix, v: Vector) -> Vector:
    """A matrix times a column."""
    return tuple(row[0] * v[0] + row[1] * v[1] + row[2] * v[2] for row in m)  # type: ignore[return-value]


def rotate(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Matrix:
    """Roll around z, then pitch around x, then yaw around y, in radians."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (math.cos, math.sin))
    turn_y: Matrix = ((cy, 0, sy), (0, 1, 0), (-sy, 0, cy))
    turn_x: Matrix = ((1, 0, 0), (0, cp, -sp), (0, sp, cp))
    turn_z: Matrix = ((cr, -sr, 0), (sr, cr, 0), (0, 0, 1))
    return multiply(turn_y, multiply(turn_x, turn_z))


def lay_along(a: Vector, b: Vector) -> tuple[Vector, Matrix, float]:
    """Middle, rotation and half-length that lay an upright primitive (its y axis) from a to b."""
    dx, dy, dz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    length = math.sqrt(dx * dx + dy * dy + dz * dz) or 1e-6
    y = (dx / length, dy / length, dz / length)
    other = (1.0, 0.0, 0.0) if abs(y[0]) < 0.9 else (0.0, 0.0, 1.0)
    x = (other[1] * y[2] - other[2] * y[1], other[2] * y[0] - other[0] * y[2], other[0] * y[1] - other[1] * y[0])
    n = math.sqrt(sum(v * v for v in x))
    x = (x[0] / n, x[1] / n, x[2] / n)
    z = (x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0])
    columns: Matrix = ((x[0], y[0], z[0]), (x[1], y[1], z[1]), (x[2], y[2], z[2]))
    return ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2), columns, length / 2


@dataclass(slots=True)
class Primitive:
    """One signed distance in a solid's frame; `size` and `extra` mean what the marcher's shape says."""

    shape: int
    at: Vector
    size: Vector
    turn: Matrix
    rounding: float
    extra: Vector
    part: str
    carves: bool

    def bound(self) -> float:
        """A radius around `at` that holds it."""
        sx, sy, sz = self.size
        if self.shape in (ELLIPSOID, PILLOW, FOLIAGE):
            return max(sx, sy, sz) * (1.75 if self.shape == PILLOW else 1.05)
        if self.shape == CAPSULE:
            return max(sx, self.extra[0]) + sy
        if self.shape == TORUS:
            return sx + sz
        if self.shape == CONE:
            return math.hypot(max(sx, sz), sy) + self.rounding
        if self.shape == TUBE:
            return math.hypot(max(sx, self.extra[0]), sy) + sz
        if self.shape == BOWL:
            return sx + sz
        if self.shape in (CYLINDER, FLUTED):
            return math.hypot(sx * (1 + self.extra[1]), sy)
        if self.shape in (SPOKES, STAR):
            return math.hypot(sx, sz) + self.rounding
        return math.sqrt(sx * sx + sy * sy + sz * sz) + abs(self.extra[0]) * (self.shape == SHEET)


class Solid:
    """Primitives of one thing, built upright around the origin; a verb for each shape."""

    def __init__(self, blend: float = 0.0) -> None:
        self.primitives: list[Primitive] = []
        self.blend = blend
        self.dents: Vector = (0.0, 1.0, 0.0)
        self.safety = 0.95
        self.tops: list[tuple[float, float, float, float, float]] = []  # x, y, z, half extent x, half extent z
        self.see_through = 0.0

    def add(
        self,
        shape: int,
        at: Vector,
        size: Vector,
        part: str = "body",
        turn: Matrix = IDENTITY,
        rounding: float = 0.0,
        extra: Vector = (0.0, 0.0, 0.0),
        carves: bool = False,
    ) -> None:
        """Add a primitive; half sizes in metres."""
        sizes = (max(size[0], 5e-4), max(size[1], 5e-4), max(size[2], 5e-4))
        if shape in (BOX, CYLINDER, SHEET, BARS, FRAME):
            rounding = min(rounding, 0.98 * (min(sizes) if shape != CYLINDER else min(sizes[:2])))
        self.primitives.append(Primitive(shape, at, sizes, turn, rounding, extra, part, carves))

    def box(self, at: Vector, size: Vector, part: str = "body", turn: Matrix = IDENTITY, rounding: float = 0.0) -> None:
        """A box of half sizes `size` around `at`."""
        self.add(BOX, at, size, part, turn, rounding)

    def ball(self, at: Vector, size: Vector, part: str = "body", turn: Matrix = IDENTITY) -> None:
        """An ellipsoid."""
        self.add(ELLIPSOID, at, size, part, turn)

    def rod(self, a: Vector, b: Vector, radius: float, part: str = "body", end: float = 0.0) -> None:
        """A capsule from a to b; `end` is its radius at b where that differs."""
        at, turn, half = lay_along(a, b)
        self.add(CAPSULE, at, (radius, half, radius), part, turn, extra=(end, 0.0, 0.0))

    def pole(self, a: Vector, b: Vector, radius: float, part: str = "body", rounding: float = 0.0) -> None:
        """A flat-ended cylinder from a to b."""
        at, turn, half = lay_along(a, b)
        self.add(CYLINDER, at, (radius, half, radius), part, turn, rounding)

    def carry(self, x: float, y: float, z: float, half_x: float, half_z: float) -> None:
        """Say that things may stand here."""
        self.tops.append((x, y, z, half_x, half_z))

    def resize(self, factor: float) -> None:
        """Scale what was added so far about the origin, as a child is to a grown person: not exact for every shape."""
        for p in self.primitives:
            p.at = (p.at[0] * factor, p.at[1] * factor, p.at[2] * factor)
            p.size = (p.size[0] * factor, p.size[1] * factor, p.size[2] * factor)
            p.extra = (p.extra[0] * factor, p.extra[1], p.extra[2])
        self.blend *= factor

    def measure_height(self) -> float:
        """Upper end of the primitives' bounds, roughly."""
        return max((p.at[1] + min(p.bound(), reach_up(p)) for p in self.primitives if not p.carves), default=0.0)

    def measure_radius(self) -> float:
        """How far the primitives reach from the upright axis, roughly."""
        return max(
            (math.hypot(p.at[0], p.at[2]) + p.bound() * 0.75 for p in self.primitives if not p.carves), default=0.0
        )

    def parts(self) -> list[str]:
        """Names of the parts, in the order of their first use."""
        return list(dict.fromkeys(p.part for p in self.primitives))


def reach_up(p: Primitive) -> float:
    """How far a primitive reaches above its middle, from its box's corners."""
    sx, sy, sz = p.size
    if p.shape == CAPSULE:
        return abs(p.turn[1][1]) * sy + sx
    if p.shape in (TORUS, SPOKES):
        return abs(p.turn[1][0]) * sx + abs(p.turn[1][1]) * sz + abs(p.turn[1][2]) * sx
    if p.shape in (CYLINDER, CONE, TUBE, FLUTED):
        sz = sx = max(sx, sz if p.shape == CONE else sx)
    return abs(p.turn[1][0]) * sx + abs(p.turn[1][1]) * sy + abs(p.turn[1][2]) * sz


@dataclass(slots=True)
class Material:
    """What a part is made of; fields as in the marcher's material record."""

    pattern: int = PLAIN
    colour: Colour = (0.5, 0.5, 0.5)
    second: Colour = (0.3, 0.3, 0.3)
    scale: float = 1.0
    seed: int = 0
    along: Vector = (0.0, 0.0, 0.0)
    across: Vector = (0.0, 0.0, 0.0)
    first: float = 0.5
    other: float = 0.5
    grain: float = 0.1
    gloss: float = 0.0
    sharpness: float = 20.0
    wear: float = 0.0
    worn: Colour = (0.3, 0.25, 0.2)
    glow: float = 0.0
    metal: float = 0.0

    def record(self) -> list[float]:
        """Its floats, in the marcher's order."""
        return [
            self.pattern, *self.colour, *self.second, self.scale, self.seed, *self.along, *self.across, self.first,
            self.other, self.grain, self.gloss, self.sharpness, self.wear, *self.worn, self.glow, self.metal, 0, 0,
        ]  # fmt: skip


@dataclass(slots=True)
class Placed:
    """A solid that stands in a scene."""

    solid: Solid
    materials: dict[str, Material]
    at: Vector
    yaw: float = 0.0
    scale: float = 1.0
    tilt: Matrix = IDENTITY
    parent: int = -1  # index of the placed thing on which it stands
    stuff: int = 0  # CEILING, WALL or GROUND for things that nobody would select

    def tops(self) -> list[tuple[Vector, float, float]]:
        """Where things may stand on it, in the world: middle, and half extents along its own axes."""
        if self.tilt is not IDENTITY:
            return []
        turn = rotate(self.yaw)
        found = []
        for x, y, z, half_x, half_z in self.solid.tops:
            v = apply(turn, (x * self.scale, y * self.scale, z * self.scale))
            middle = (self.at[0] + v[0], self.at[1] + v[1], self.at[2] + v[2])
            found.append((middle, half_x * self.scale, half_z * self.scale))
        return found


@dataclass(slots=True)
class Lens:
    """The camera: where it stands, where it looks, and how long its lens is (of the picture's long side)."""

    eye: Vector = (0.0, 1.5, 0.0)
    pitch: float = 0.0
    roll: float = 0.0
    focal: float = 1.0


@dataclass(slots=True)
class Light:
    """Sun, ambient, sky and lamps of a scene, linear."""

    sun: Vector = (0.4, 0.8, -0.4)
    sun_colour: Colour = (1.0, 1.0, 1.0)
    above: Colour = (0.4, 0.4, 0.4)
    below: Colour = (0.2, 0.2, 0.2)
    panorama: int = -1
    panorama_turn: float = 0.0
    panorama_gain: float = 1.0
    horizon: Colour = (0.7, 0.75, 0.8)
    zenith: Colour = (0.2, 0.4, 0.8)
    cloud_seed: int = 0
    clouds: float = 0.0
    hardness: float = 12.0
    fog: float = 0.0
    fog_colour: Colour = (0.7, 0.7, 0.7)
    lamps: list[tuple[Vector, Colour, float]] = field(default_factory=list)
    patch: tuple[float, float, float, float] | None = None
    reflects: bool = False


@dataclass(slots=True)
class Scene:
    """One world and the camera that sees it."""

    kind: int = OPEN_GROUND
    room: tuple[float, float, float, float, float] = (-3.0, 3.0, -1.0, 5.0, 2.6)  # x0, x1, z0, z1, ceiling
    ground: Material = field(default_factory=Material)
    wall: Material = field(default_factory=Material)
    ceiling: Material = field(default_factory=Material)
    road: float = 0.0  # half width; beyond it the ground is `kerb`
    kerb: Material = field(default_factory=Material)
    things: list[Placed] = field(default_factory=list)
    lens: Lens = field(default_factory=Lens)
    light: Light = field(default_factory=Light)

    def place(self, placed: Placed) -> int:
        """Stand a thing in the scene; its index."""
        self.things.append(placed)
        return len(self.things) - 1


@dataclass(frozen=True, slots=True)
class Records:
    """A scene as the marcher reads it, and the truth that no ray can tell."""

    scene: F32
    things: F32
    prims: F32
    materials: F32
    standing: NDArray[np.bool_]  # [64, 64]
    camera: F32  # pitch, roll, ln focal of the long side, ln height


def write_records(scene: Scene) -> Records:
    """Turn a scene into the marcher's records: things nearest first, ids from 1 in that order."""
    materials = [scene.ground, scene.wall, scene.ceiling, scene.kerb]
    order = sorted(range(len(scene.things)), key=lambda i: distance_to(scene, i))
    ids: dict[int, int] = {}
    for i in order:
        if not scene.things[i].stuff and len(ids) < MOST_THINGS:
            ids[i] = len(ids) + 1
    things: list[list[float]] = []
    prims: list[list[float]] = []
    part_count = 0
    for i in order:
        placed = scene.things[i]
        if not placed.stuff and i not in ids:
            continue
        names = placed.solid.parts()
        base = len(materials)
        materials += [placed.materials[name] for name in names]
        first = len(prims)
        numbers = {name: min(part_count + k + 1, 239) for k, name in enumerate(names)}
        if not placed.stuff:
            part_count += len(names)
        prims += [place_primitive(p, placed, base + names.index(p.part), numbers[p.part]) for p in ordered(placed)]
        things.append(place_thing(placed, prims[first:], first, placed.stuff or ids[i]))
    standing = np.eye(64, dtype=bool)
    for i, number in ids.items():
        parent = scene.things[i].parent
        for _ in range(6):
            if parent < 0:
                break
            if parent in ids:
                standing[ids[parent], number] = True
            parent = scene.things[parent].parent
    lens = scene.lens
    camera = np.array([lens.pitch, lens.roll, math.log(lens.focal), math.log(max(lens.eye[1], 0.05))], np.float32)
    return Records(
        np.array(scene_record(scene, len(things)), np.float32),
        np.array(things, np.float32).reshape(-1, THING_FLOATS),
        np.array(prims, np.float32).reshape(-1, PRIM_FLOATS),
        np.array([m.record() for m in materials], np.float32),
        standing,
        camera,
    )


def ordered(placed: Placed) -> list[Primitive]:
    """Primitives with what they carve last: the marcher cuts from all that came before."""
    return sorted(placed.solid.primitives, key=lambda p: p.carves)


def distance_to(scene: Scene, i: int) -> float:
    """Distance from the eye to a thing's foot."""
    at, eye = scene.things[i].at, scene.lens.eye
    return math.dist((at[0], at[2]), (eye[0], eye[2]))


def place_primitive(p: Primitive, placed: Placed, material: int, part: int) -> list[float]:
    """The marcher's record of a primitive in the world."""
    turn = multiply(rotate(placed.yaw), placed.tilt)
    at = apply(turn, p.at)
    s = placed.scale
    centre = [placed.at[k] + s * at[k] for k in range(3)]
    rows = multiply(turn, p.turn)
    transposed = [rows[j][i] for i in range(3) for j in range(3)]
    a, b, c = p.extra
    if p.shape == SHEET:
        a, b, c = a * s, b / s, c / s
    elif p.shape in (CAPSULE, TUBE, BOWL):
        a *= s
    elif p.shape == BARS:
        a, b = a * s, b * s
    elif p.shape == SPOKES:
        b, c = b * s, c * s
    elif p.shape == FOLIAGE:
        b /= s
    return [
        p.shape, *centre, *transposed, p.size[0] * s, p.size[1] * s, p.size[2] * s, p.rounding * s, material, part,
        a, b, c, float(p.carves), p.bound() * s, 0, 0, 0, 0,
    ]  # fmt: skip


def place_thing(placed: Placed, prims: list[list[float]], first: int, number: int) -> list[float]:
    """The marcher's record of a thing: bounds, blending, dents, id, frame of its textures."""
    low = [min(p[1 + k] - p[23] for p in prims if p[22] < 0.5) for k in range(3)]
    high = [max(p[1 + k] + p[23] for p in prims if p[22] < 0.5) for k in range(3)]
    centre = [(a + b) / 2 for a, b in zip(low, high)]
    solid, s = placed.solid, placed.scale
    radius = max(math.dist(centre, p[1:4]) + p[23] for p in prims if p[22] < 0.5)
    deep, often, phase = solid.dents
    radius += 1.6 * deep * s + 0.3 * solid.blend * s + 0.002
    return [
        *centre, radius, first, len(prims), solid.blend * s, deep * s, often / s, phase, number,
        math.cos(placed.yaw), math.sin(placed.yaw), *placed.at, solid.see_through, solid.safety, 0, 0,
    ]  # fmt: skip


def scene_record(scene: Scene, count: int) -> list[float]:
    """The marcher's record of camera, surroundings and light; first thing and material are filled in by the batch."""
    lens, light = scene.lens, scene.light
    cp, sp, cr, sr = math.cos(lens.pitch), math.sin(lens.pitch), math.cos(lens.roll), math.sin(lens.roll)
    right, up = (cr, cp * sr, -sp * sr), (-sr, cp * cr, -sp * cr)
    n = math.sqrt(sum(v * v for v in light.sun))
    lamps = [(*at, *colour, radius) for at, colour, radius in light.lamps[:2]]
    lamps += [(0.0,) * 7] * (2 - len(lamps))
    patch = (1.0, *light.patch) if light.patch else (0.0,) * 5
    return [
        *lens.eye, *right, *up, 0.0, sp, cp, lens.focal, *(v / n for v in light.sun), *light.sun_colour, *light.above,
        *light.below, scene.kind, *scene.room, light.panorama, light.panorama_turn, light.panorama_gain,
        *light.horizon, *light.zenith, light.cloud_seed, light.clouds, light.hardness, light.fog, *light.fog_colour,
        *lamps[0], *lamps[1], scene.road, 3, *patch, 0, count, 0, float(light.reflects), *([0.0] * 8),
    ]  # fmt: skip


def between(rng: random.Random, a: float, b: float) -> float:
    """A number between a and b, evenly."""
    return a + (b - a) * rng.random()


def between_log(rng: random.Random, a: float, b: float) -> float:
    """A number between a and b, evenly in its logarithm."""
    return a * (b / a) ** rng.random()


def chance(rng: random.Random, share: float) -> bool:
    """True with the given probability."""
    return rng.random() < share


Builder = Callable[[random.Random], Solid]
Choice = Sequence[tuple[Builder, float]]
"""Builders, each with its weight: how often it is drawn, against the others."""


def evenly(weight: float, *builders: Builder) -> list[tuple[Builder, float]]:
    """Builders that share a weight: kinds of one thing."""
    return [(builder, weight / len(builders)) for builder in builders]


def weigh(total: float, things: Choice) -> list[tuple[Builder, float]]:
    """The same things with another weight all together."""
    whole = sum(weight for _, weight in things)
    return [(builder, weight * total / whole) for builder, weight in things]


def pick_weighted(rng: random.Random, things: Sequence[tuple[T, float]]) -> T:
    """One of a weighted list."""
    return rng.choices([thing for thing, _ in things], [weight for _, weight in things])[0]


def choose(rng: random.Random, things: Choice) -> Solid:
    """Build one of a weighted list."""
    return pick_weighted(rng, things)(rng)
