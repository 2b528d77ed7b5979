"""Whole worlds: rooms, table tops, streets, land, portraits, crowds and single things, each with its light and lens."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from . import beings, belongings, furniture, objects, outdoors, ware
from .light import lens_of, light_outdoors, light_room
from .materials import dress, floor_material, ground_material, painted, stone, vary, wall_material, wood
from .records import (
    GROUND,
    MOTTLED,
    OPEN_GROUND,
    ROOM,
    VOID,
    WALL,
    Builder,
    Choice,
    Material,
    Placed,
    Scene,
    Solid,
    between,
    between_log,
    chance,
    choose,
    pick_weighted,
    rotate,
    weigh,
)

CLEAR = 0.28  # metres around the eye where nothing stands
LEFT_ON_SEATS: Choice = [
    *weigh(3, belongings.CLOTHES), *weigh(2, ware.BOOKS), *weigh(2, belongings.TOYS), (beings.quadruped, 0.6)
]  # fmt: skip


def stand(rng: random.Random, scene: Scene, solid: Solid, x: float, z: float, yaw: float, **more: object) -> int:
    """Stand a new solid on the ground at (x, z); its index."""
    y = float(more.pop("y", 0.0))  # type: ignore[arg-type]
    materials = dress(rng, solid.parts())
    return scene.place(Placed(solid, materials, (x, y, z), yaw, **more))  # type: ignore[arg-type]


def load_tops(rng: random.Random, scene: Scene, index: int, things: Choice, most: int, fill: float = 0.7) -> None:
    """Stand small things on a thing's tops, side by side; now and then something on top of them."""
    for (x, y, z), half_x, half_z in scene.things[index].tops():
        if not chance(rng, fill):
            continue
        taken: list[tuple[float, float, float]] = []
        yaw = scene.things[index].yaw
        for _ in range(rng.randint(1, most)):
            solid = choose(rng, things)
            r = solid.measure_radius()
            scale = min(1.0, max(half_x, half_z) / max(r, 1e-3), 1.6 * min(half_x, half_z) / max(r, 1e-3))
            if scale < 0.3:
                continue
            for _ in range(6):
                a, b = between(rng, -half_x, half_x), between(rng, -half_z, half_z)
                if all(math.hypot(a - p, b - q) > 0.8 * (r * scale + s) for p, q, s in taken):
                    taken.append((a, b, r * scale))
                    dx, dz = math.cos(yaw) * a + math.sin(yaw) * b, -math.sin(yaw) * a + math.cos(yaw) * b
                    turn = yaw + (between(rng, -0.6, 0.6) if chance(rng, 0.6) else rng.random() * math.tau)
                    placed = Placed(solid, dress(rng, solid.parts()), (x + dx, y, z + dz), turn, scale, parent=index)
                    on_top = scene.place(placed)
                    if placed.solid.tops and chance(rng, 0.35):
                        load_tops(rng, scene, on_top, objects.SMALL, 1)
                    break


# ---- compositions ---------------------------------------------------------------------------------------------------


def furnish_wall(rng: random.Random, scene: Scene, side: int) -> None:
    """Furniture along a wall (0 far, 1 left, 2 right) and things on the wall above it."""
    x0, x1, z0, z1, top = scene.room
    low, high = (x0, x1) if side == 0 else (max(z0, 0.4), z1)
    yaw = (0.0, -math.pi / 2, math.pi / 2)[side]

    def on_wall(along: float, off: float) -> tuple[float, float]:
        return (along, z1 - off) if side == 0 else (x0 + off, along) if side == 1 else (x1 - off, along)

    at = low + between(rng, 0, 0.6)
    while at < high - 0.3:
        if chance(rng, 0.3):
            at += between(rng, 0.3, 1.0)
            continue
        solid = choose(rng, [*furniture.FURNITURE, *weigh(3, ware.PLANTS)])
        r = max(max(abs(p.at[0]) + p.bound() * 0.6 for p in solid.primitives), 0.2)
        deep = max(max(p.at[2] + p.bound() * 0.55 for p in solid.primitives), 0.12)
        if at + 2 * r > high + 0.2:
            break
        x, z = on_wall(at + r, deep + 0.03)
        if math.hypot(x, z) > 0.9 + r:
            index = stand(rng, scene, solid, x, z, yaw + rng.gauss(0, 0.03))
            load_tops(rng, scene, index, objects.SMALL, rng.choice([2, 3, 5]))
            if solid.measure_height() < 1.3 and chance(rng, 0.7):
                hang(rng, scene, on_wall(at + r, 0.0), yaw, solid.measure_height(), top)
        at += 2 * r + between(rng, 0.02, 0.6)
    for _ in range(rng.randint(0, 2)):
        hang(rng, scene, on_wall(between(rng, low + 0.4, high - 0.4), 0.0), yaw, between(rng, 0.6, 1.2), top)


def hang(rng: random.Random, scene: Scene, at: tuple[float, float], yaw: float, above: float, top: float) -> None:
    """Hang something on a wall above a height, if there is room."""
    builder = pick_weighted(rng, furniture.WALL_THINGS)
    solid = builder(rng)
    h = solid.measure_height()
    y = 0.0 if builder is furniture.door else 0.05 if builder is furniture.curtain else above + between(rng, 0.1, 0.5)
    if builder is furniture.curtain:
        y = max(0.02, top - h - 0.1) if chance(rng, 0.7) else 0.02
    if y + h > top and builder not in (furniture.door, furniture.curtain):
        return
    index = stand(rng, scene, solid, at[0], at[1], yaw, y=y)
    if solid.tops:
        load_tops(rng, scene, index, objects.SMALL, 3)


def make_room(rng: random.Random) -> Scene:
    """A furnished room seen from inside it."""
    scene = Scene(ROOM)
    wide, deep, top = between(rng, 1.4, 3.6), between_log(rng, 2.4, 8), between(rng, 2.3, 3.4)
    short, long = 0.45, 1.5
    if chance(rng, 0.2):  # from far with a long lens
        short, long, deep = 1.3, 3.2, between(rng, 4.5, 11)
    x0 = -wide * between(rng, 0.5, 1.4)
    scene.room = (x0, x0 + 2 * wide, -between(rng, 0.4, 1.5), deep, top)
    scene.ground, scene.wall, scene.ceiling = floor_material(rng), wall_material(rng), painted(rng)
    if chance(rng, 0.75):
        scene.ceiling = Material(MOTTLED, vary(rng, (0.75, 0.74, 0.72), 0.15), (0.7, 0.7, 0.7), 2.0, grain=0.05)
    for side in (0, 1, 2):
        if chance(rng, 0.85):
            furnish_wall(rng, scene, side)
    for _ in range(rng.choice([0, 1, 1, 2])):  # a table with its chairs, or a seat, in the open
        z = between(rng, 1.2, max(1.4, deep - 1.0))
        x = between(rng, max(x0 + 0.7, -0.6 * z), min(x0 + 2 * wide - 0.7, 0.6 * z))
        if chance(rng, 0.4):
            stand(rng, scene, furniture.rug(rng), x, z, rng.gauss(0, 0.1), stuff=0)
        group(rng, scene, x, z)
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        z = between(rng, 1.0, deep - 0.4)
        solid = choose(rng, beings.BEINGS) if chance(rng, 0.55) else choose(rng, objects.SMALL)
        stand(rng, scene, solid, between(rng, -0.5 * z, 0.5 * z), z, rng.random() * math.tau)
    if chance(rng, 0.35):
        lamp = furniture.hanging_lamp(rng)
        stand(rng, scene, lamp, between(rng, -1, 1), between(rng, 1.2, deep), 0.0, y=top - lamp.measure_height() - 0.02)
    if chance(rng, 0.5):
        skirting(scene)
    light_room(rng, scene)
    eye = (0.0, between(rng, 0.5, 1.9) if chance(rng, 0.9) else between(rng, 1.9, top - 0.2), 0.0)
    pitch = rng.gauss(-0.12, 0.13) - 0.1 * (eye[1] - 1.2)
    scene.lens = lens_of(rng, eye, max(-0.9, min(0.25, pitch)), short, long)
    return scene


def skirting(scene: Scene) -> None:
    """Skirting boards: stuff of the wall."""
    x0, x1, _, z1, _ = scene.room
    board = Solid()
    board.box((0, 0.05, 0), (1, 0.05, 0.01), "board/white")
    white = {"board/white": Material(colour=(0.7, 0.69, 0.67), gloss=0.3)}
    far = Solid()
    far.box(((x0 + x1) / 2, 0.05, z1 - 0.008), ((x1 - x0) / 2, 0.05, 0.01), "board/white")
    for x in (x0 + 0.008, x1 - 0.008):
        far.box((x, 0.05, z1 / 2), (0.01, 0.05, z1 / 2), "board/white")
    scene.place(Placed(far, white, (0, 0, 0), stuff=WALL))


def group(rng: random.Random, scene: Scene, x: float, z: float) -> None:
    """A table with things on it and chairs around, or a seat with something beside it."""
    if chance(rng, 0.7):
        table = furniture.table(rng)
        index = stand(rng, scene, table, x, z, rng.choice([0, math.pi / 2]) + rng.gauss(0, 0.1))
        load_tops(rng, scene, index, objects.SMALL, rng.choice([3, 6, 9]), 0.9)
        first = furniture.chair(rng)
        dressed = dress(rng, first.parts())
        for _ in range(rng.choice([0, 1, 2, 4])):
            a = rng.choice([0, 1, 2, 3]) * math.pi / 2 + rng.gauss(0, 0.2)
            r = between(rng, 0.55, 0.95)
            at = (x + r * math.sin(a), 0.0, z + r * math.cos(a))
            if math.hypot(at[0], at[2]) > 0.8:
                scene.place(Placed(first, dressed, at, a + rng.gauss(0, 0.15)))
    else:
        seat = rng.choice([furniture.sofa, furniture.chair, furniture.stool, furniture.bed])(rng)
        index = stand(rng, scene, seat, x, z, rng.gauss(0, 0.8))
        load_tops(rng, scene, index, LEFT_ON_SEATS, 1, 0.4)


def make_table_top(rng: random.Random) -> Scene:
    """A table, shelf or floor seen close, with things on it and a room or darkness behind."""
    scene = Scene(ROOM)
    deep = between(rng, 1.2, 5)
    scene.room = (-between(rng, 1.2, 4), between(rng, 1.2, 4), -0.8, deep, between(rng, 2.3, 3.2))
    scene.ground, scene.wall, scene.ceiling = floor_material(rng), wall_material(rng), painted(rng)
    if chance(rng, 0.3):
        scene.wall = scene.ground
    focal = between_log(rng, 0.65, 2.6)
    dist = between_log(rng, 0.45, 1.3) * max(1.0, focal) ** 0.7
    pitch = -between(rng, 0.12, 0.75) if chance(rng, 0.85) else -between(rng, 0.75, 1.35)
    height = between(rng, 0.7, 0.8) if chance(rng, 0.75) else 0.0
    eye_y = height + dist * math.sin(-pitch) + between(rng, 0, 0.1)
    z = dist * math.cos(pitch)
    top = Solid()
    wide, half = between(rng, 0.35, 0.9), between(rng, 0.25, 0.55)
    seen = dist / focal  # metres across the picture at the things
    if height:
        part = rng.choice(["top/wood", "top/wood", "top/cloth", "top/stone", "top/paint", "top/plastic"])
        top.box((0, height - 0.02, 0), (wide, 0.02, half), part, rounding=0.01)
        furniture.legs(rng, top, wide * 0.9, half * 0.9, height - 0.04, "legs/wood")
    else:
        top.box((0, 0.004, 0), (wide, 0.006, half), "cloth/cloth")
    top.carry(0, max(height, 0.01), 0, min(wide * 0.85, 0.6 * seen), min(half * 0.85, 0.5 * seen))
    index = stand(
        rng, scene, top, 0.0, z + between(rng, -0.1, 0.15), rng.gauss(0, 0.2) if chance(rng, 0.7) else rng.random() * 6
    )
    load_tops(rng, scene, index, objects.SMALL, rng.choice([3, 5, 8, 14, 20]), 1.0)
    if chance(rng, 0.5):
        furnish_wall(rng, scene, 0)
    for _ in range(rng.choice([0, 0, 1, 2])):
        a = between(rng, -0.9, 0.9)
        stand(rng, scene, furniture.chair(rng), a * 1.2, z + half + between(rng, 0.1, 0.6), math.pi + rng.gauss(0, 0.5))
    light_room(rng, scene)
    scene.lens = lens_of(rng, (0.0, eye_y, 0.0), pitch + rng.gauss(0, 0.06), focal, focal * 1.05)
    return scene


def make_street(rng: random.Random) -> Scene:
    """A street with houses on both sides, traffic and people."""
    scene = Scene(OPEN_GROUND)
    scene.ground = Material(
        MOTTLED,
        vary(rng, (0.12, 0.12, 0.125), 0.5),
        vary(rng, (0.16, 0.16, 0.16), 0.4),
        between_log(rng, 0.3, 2),
        grain=0.5,
    )
    scene.kerb = stone(rng) if chance(rng, 0.7) else ground_material(rng)
    scene.road = between(rng, 2.5, 6)
    for side in (-1, 1):
        z, line = between(rng, -2, 8), scene.road + between(rng, 1.5, 7)
        while z < 60 and len(scene.things) < 40:
            house = outdoors.building(rng)
            half = max(p.size[0] for p in house.primitives[:1])
            depth = house.primitives[0].size[2]
            if chance(rng, 0.85):
                stand(rng, scene, house, side * (line + depth), z + half, side * math.pi / 2)
            z += 2 * half + between(rng, 0, 6) * float(chance(rng, 0.5))
            if chance(rng, 0.1):
                break
    for _ in range(rng.randint(1, 7)):
        side, z = rng.choice([-1, 1]), between_log(rng, 3, 35)
        parked = chance(rng, 0.6)
        x = side * (scene.road - 1.1 if parked else scene.road * 0.45)
        stand(rng, scene, choose(rng, outdoors.VEHICLES), x, z, (0 if side > 0 else math.pi) + rng.gauss(0, 0.06))
    for _ in range(rng.randint(1, 8)):
        side, z = rng.choice([-1, 1]), between_log(rng, 2, 30)
        stand(
            rng, scene, choose(rng, outdoors.STREET), side * (scene.road + between(rng, 0.3, 2)), z, rng.gauss(0, 0.3)
        )
    for _ in range(rng.choice([0, 1, 2, 4, 8])):
        z = between_log(rng, 2.5, 25)
        x = between(rng, -1, 1) * min(scene.road + 2, 0.6 * z)
        stand(rng, scene, choose(rng, beings.BEINGS), x, z, rng.random() * math.tau)
    light_outdoors(rng, scene)
    eye = (
        between(rng, -0.6, 0.6) * scene.road,
        between(rng, 0.9, 2.2) if chance(rng, 0.85) else between(rng, 2.2, 7),
        0.0,
    )
    scene.lens = lens_of(rng, eye, rng.gauss(-0.03, 0.08), 0.5, 1.8)
    clear_eye(scene)
    return scene


def make_land(rng: random.Random) -> Scene:
    """Open land: trees, rocks, animals, people, vehicles, hills."""
    scene = Scene(OPEN_GROUND)
    scene.ground = ground_material(rng)
    if chance(rng, 0.3):
        scene.road, scene.kerb = between(rng, 0.6, 3), ground_material(rng)
    for _ in range(rng.choice([0, 2, 4])):
        hill, r = Solid(), between(rng, 15, 60)
        hill.ball((0, -r * 0.15, 0), (r, r * between(rng, 0.2, 0.5), r * 0.7), "hill/leaf")
        a = between(rng, -0.9, 0.9)
        scene.place(
            Placed(hill, {"hill/leaf": ground_material(rng)}, (130 * math.sin(a), 0, 130 * math.cos(a)), stuff=GROUND)
        )
    for _ in range(rng.randint(2, 16)):
        z = between_log(rng, 3, 60)
        stand(rng, scene, choose(rng, outdoors.LAND), between(rng, -0.7, 0.7) * z, z, rng.random() * math.tau)
    for _ in range(rng.choice([1, 2, 3, 5])):
        z = between_log(rng, 1.5, 14)
        kind = rng.random()
        solid = choose(rng, beings.BEINGS if kind < 0.65 else outdoors.VEHICLES if kind < 0.8 else furniture.FURNITURE)
        stand(rng, scene, solid, between(rng, -0.45, 0.45) * z, z, rng.random() * math.tau)
    if chance(rng, 0.3):
        z = between(rng, 1.5, 6)
        group(rng, scene, between(rng, -0.3, 0.3) * z, z)
    if chance(rng, 0.25):
        stand(rng, scene, outdoors.building(rng), between(rng, -12, 12), between(rng, 14, 40), rng.gauss(0, 0.6))
    light_outdoors(rng, scene)
    scene.lens = lens_of(rng, (0.0, between(rng, 0.4, 2.0), 0.0), rng.gauss(-0.06, 0.1), 0.6, 2.2)
    clear_eye(scene)
    return scene


def make_portrait(rng: random.Random) -> Scene:
    """One to three people or animals close, in a room or outdoors."""
    inside = chance(rng, 0.5)
    scene = Scene(ROOM if inside else OPEN_GROUND)
    dist = between(rng, 1.2, 3.5)
    if inside:
        scene.room = (
            -between(rng, 1.5, 4),
            between(rng, 1.5, 4),
            -0.8,
            dist + between(rng, 0.5, 3.5),
            between(rng, 2.4, 3.2),
        )
        scene.ground, scene.wall, scene.ceiling = floor_material(rng), wall_material(rng), painted(rng)
        furnish_wall(rng, scene, 0)
        light_room(rng, scene)
    else:
        scene.ground = ground_material(rng)
        for _ in range(rng.randint(2, 9)):
            z = between_log(rng, dist + 1.5, 40)
            stand(
                rng,
                scene,
                choose(rng, [*outdoors.LAND, *outdoors.STREET]),
                between(rng, -0.6, 0.6) * z,
                z,
                rng.random() * 6,
            )
        light_outdoors(rng, scene)
    animal = chance(rng, 0.3)
    top = 0.0
    for k in range(rng.choice([1, 1, 1, 2, 3])):
        solid = beings.quadruped(rng) if animal else beings.person(rng)
        yaw = rng.gauss(0, 0.6) if not animal else between(rng, -1.8, 1.8)
        stand(
            rng,
            scene,
            solid,
            (k - 0.5 * (k > 0)) * between(rng, 0.4, 0.7) * (-1) ** k,
            dist + between(rng, -0.2, 0.4),
            yaw,
        )
        top = max(top, solid.measure_height())
    if chance(rng, 0.3):
        stand(
            rng,
            scene,
            choose(rng, objects.SMALL),
            between(rng, -0.6, 0.6),
            dist - between(rng, 0.1, 0.4),
            rng.random() * 6,
        )
    long = between(rng, 0.9, 2.4)
    eye_y = min(max(0.35, top * between(rng, 0.5, 1.0)), scene.room[4] - 0.2 if inside else 9)
    aim = top * between(rng, 0.45, 0.85)
    lens = lens_of(rng, (0.0, eye_y, 0.0), math.atan2(aim - eye_y, dist) + rng.gauss(0, 0.03), long, long * 1.1)
    scene.lens = lens
    return scene


def make_many(rng: random.Random) -> Scene:
    """Many of one kind: rows, heaps and crowds, alike or varied."""
    inside = chance(rng, 0.5)
    scene = Scene(ROOM if inside else OPEN_GROUND)
    scene.ground = floor_material(rng) if inside else ground_material(rng)
    kind = rng.random()
    builder: Builder
    if kind < 0.3:
        builder, size = beings.person, 0.6
    elif kind < 0.5:
        builder, size = (
            rng.choice([furniture.chair, furniture.stool, furniture.crate, beings.quadruped, beings.bird]),
            0.6,
        )
    elif kind < 0.6 and not inside:
        builder, size = rng.choice([outdoors.car, outdoors.broad_tree, outdoors.bicycle]), 2.5
    else:
        builder, size = pick_weighted(rng, objects.SMALL), 0.2
    seed, alike = rng.randrange(10**9), chance(rng, 0.45)
    n, near = rng.randint(6, 36), size * between(rng, 2, 4)
    across = max(2, round(math.sqrt(n) * between(rng, 0.8, 1.8)))
    gap = size * between(rng, 0.7, 1.5)
    lift, parent = 0.0, -1
    if size < 0.5 and chance(rng, 0.75):
        table = Solid()
        lift = between(rng, 0.6, 0.9)
        table.box(
            (0, lift - 0.02, 0),
            (gap * across * 0.7 + 0.1, 0.02, gap * n / across * 0.7 + 0.1),
            "top/" + rng.choice(["wood", "cloth", "paint", "stone"]),
        )
        parent = stand(rng, scene, table, 0.0, near + gap * n / across / 2, 0.0)
    for k in range(n):
        solid = builder(random.Random(seed) if alike else rng)
        materials = dress(random.Random(seed + 1) if alike and chance(rng, 0.7) else rng, solid.parts())
        x = (k % across - (across - 1) / 2) * gap + rng.gauss(0, gap * 0.12)
        z = near + (k // across) * gap + rng.gauss(0, gap * 0.12)
        yaw = rng.gauss(0, 0.25) if chance(rng, 0.7) else rng.random() * 6
        scene.place(Placed(solid, materials, (x, lift, z), yaw, between(rng, 0.85, 1.15), parent=parent))
    if inside:
        z1 = near + gap * (n // across + 1) + between(rng, 0.3, 3)
        half = gap * across / 2 + between(rng, 0.4, 2)
        scene.room = (-half, half, -0.6, z1, max(2.4, lift + 2))
        scene.wall, scene.ceiling = wall_material(rng), painted(rng)
        light_room(rng, scene)
    else:
        light_outdoors(rng, scene)
    eye_y = lift + size * between(rng, 0.8, 3.0)
    middle = near + gap * n / across * 0.4
    scene.lens = lens_of(rng, (0.0, eye_y, 0.0), -math.atan2(eye_y - lift - size * 0.3, middle), 0.6, 1.8)
    clear_eye(scene)
    return scene


def make_single(rng: random.Random) -> Scene:
    """A thing or a few on a plain backdrop, in the open or in nothing."""
    kind = rng.choices([ROOM, OPEN_GROUND, VOID], [5, 3, 2])[0]
    scene = Scene(kind)
    pool: Choice = rng.choice([objects.SMALL, objects.SMALL, furniture.FURNITURE, beings.BEINGS, outdoors.VEHICLES])
    first = choose(rng, pool)
    size = max(first.measure_height(), first.measure_radius() * 1.5, 0.08)
    dist = size * between(rng, 1.6, 3.5)
    for k in range(rng.choice([1, 1, 2, 3, 5])):
        solid = first if k == 0 else choose(rng, pool)
        x = 0.0 if k == 0 else rng.choice([-1, 1]) * between(rng, 0.4, 1.1) * size
        y = between(rng, -0.3, 0.3) * size if kind == VOID else 0.0
        tilt = rotate(0, rng.gauss(0, 0.6), rng.gauss(0, 0.6)) if kind == VOID and chance(rng, 0.5) else None
        placed = Placed(
            solid,
            dress(rng, solid.parts()),
            (x, y, dist + between(rng, -0.3, 0.6) * size * (k > 0)),
            rng.random() * math.tau,
        )
        if tilt:
            placed.tilt = tilt
        scene.place(placed)
    scene.ground = rng.choice([floor_material, painted, ground_material, wood])(rng)
    scene.wall = scene.ground if chance(rng, 0.6) else wall_material(rng)
    scene.ceiling = painted(rng)
    half = size * between(rng, 2, 6)
    scene.room = (-half, half, -0.5, dist + size * between(rng, 0.8, 4), size * 4 + 1)
    eye_y = size * between(rng, 0.2, 1.6)
    if kind == ROOM:
        light_room(rng, scene)
    else:
        light_outdoors(rng, scene)
    pitch = math.atan2(size * 0.45 - eye_y, dist)
    scene.lens = lens_of(rng, (0.0, eye_y, 0.0), pitch + rng.gauss(0, 0.05), 0.9, 2.2)
    clear_eye(scene)
    return scene


def make_jumble(rng: random.Random) -> Scene:
    """Anything anywhere: furniture, beings, small things at odd scales, fallen and floating."""
    scene = Scene(ROOM if chance(rng, 0.6) else OPEN_GROUND)
    scene.ground, scene.wall, scene.ceiling = floor_material(rng), wall_material(rng), painted(rng)
    deep = between(rng, 2, 7)
    scene.room = (-between(rng, 1.2, 4), between(rng, 1.2, 4), -0.6, deep, between(rng, 2.2, 3.5))
    focal = between_log(rng, 0.55, 1.6)
    for _ in range(rng.randint(4, 20)):
        z = between_log(rng, 0.8, deep - 0.3)
        pool: Choice = rng.choice([objects.SMALL, objects.SMALL, furniture.FURNITURE, beings.BEINGS])
        solid = choose(rng, pool)
        size = max(solid.measure_height(), solid.measure_radius())
        scale = z / focal * between_log(rng, 0.12, 0.6) / size
        placed = Placed(
            solid,
            dress(rng, solid.parts()),
            (between(rng, -0.5, 0.5) * z / focal, 0.0, z),
            rng.random() * math.tau,
            scale,
        )
        if chance(rng, 0.2):
            placed.tilt = rotate(0, between(rng, -1.6, 1.6), between(rng, -1.6, 1.6))
            placed.at = (placed.at[0], size * scale * 0.4, placed.at[2])
        elif chance(rng, 0.08):
            placed.at = (placed.at[0], between(rng, 0.3, 1.8), placed.at[2])
        index = scene.place(placed)
        load_tops(rng, scene, index, objects.SMALL, 3, 0.6)
    if scene.kind == ROOM:
        light_room(rng, scene)
    else:
        light_outdoors(rng, scene)
    pitch = between(rng, -0.5, 0.1) if chance(rng, 0.85) else between(rng, -1.1, -0.5)
    scene.lens = lens_of(rng, (0.0, between(rng, 0.4, 2.0), 0.0), pitch, focal, focal * 1.05)
    clear_eye(scene)
    return scene


def clear_eye(scene: Scene) -> None:
    """Take away what stands in the camera's way; what stood on it goes too."""
    eye = scene.lens.eye
    gone: set[int] = set()
    kept: list[Placed] = []
    number: dict[int, int] = {}
    for i, placed in enumerate(scene.things):
        reach = placed.solid.measure_radius() * placed.scale
        flat = math.hypot(placed.at[0] - eye[0], placed.at[2] - eye[2])
        low, high = placed.at[1] - 0.1, placed.at[1] + placed.solid.measure_height() * placed.scale + 0.1
        if placed.parent in gone or (not placed.stuff and flat < reach * 0.8 + CLEAR and low < eye[1] < high):
            gone.add(i)
            continue
        number[i] = len(kept)
        placed.parent = number.get(placed.parent, -1)
        kept.append(placed)
    scene.things = kept


COMPOSITIONS: Sequence[tuple[Callable[[random.Random], Scene], float]] = [
    (make_room, 30), (make_table_top, 22), (make_street, 11), (make_land, 11), (make_portrait, 9), (make_many, 6),
    (make_single, 5), (make_jumble, 8),
]  # fmt: skip


def make_scene(seed: int) -> Scene:
    """The world of a seed."""
    rng = random.Random(seed)
    while True:
        make = pick_weighted(rng, COMPOSITIONS)
        scene = make(rng)
        clear_eye(scene)
        borrow_colours(rng, scene)
        if count_in_view(scene) >= (1 if make in (make_single, make_portrait) else 3):
            return scene


def count_in_view(scene: Scene) -> int:
    """Things whose middle falls into a square picture, neither tiny nor filling it; 0 if one covers the lens."""
    lens, count = scene.lens, 0
    cp, sp = math.cos(lens.pitch), math.sin(lens.pitch)
    for placed in scene.things:
        x, y, z = (placed.at[k] - lens.eye[k] for k in range(3))
        high = placed.solid.measure_height() * placed.scale
        y += high / 2
        ahead, up = cp * z + sp * y, cp * y - sp * z
        size = max(high, placed.solid.measure_radius() * placed.scale) * lens.focal
        if ahead < 0.15 or placed.stuff:
            continue
        u, v, share = x / ahead * lens.focal, up / ahead * lens.focal, size / ahead
        if abs(u) < 0.5 and abs(v) < 0.45 and share > 0.04:
            if share > 1.6 and ahead < 1.0:
                return 0
            count += share < 1.2
    return count


def borrow_colours(rng: random.Random, scene: Scene) -> None:
    """Now and then a thing is of the colour of what stands behind it."""
    behind = scene.wall if scene.kind == ROOM else scene.ground
    for placed in scene.things:
        if chance(rng, 0.08):
            for part, material in placed.materials.items():
                if chance(rng, 0.6):
                    placed.materials[part] = copy_colours(rng, material, behind)


def copy_colours(rng: random.Random, material: Material, other: Material) -> Material:
    """A material in another's colours."""
    return replace(material, colour=vary(rng, other.colour, 0.2), second=vary(rng, other.second, 0.2))
