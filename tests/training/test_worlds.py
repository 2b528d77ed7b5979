"""The worlds: the same from the same seed, true to their own truth, and the same on a CPU and a GPU."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
import torch

from training.marcher import join_records, render
from training.panoramas import load_panoramas
from training.truth import GROUND, SKY, SKY_M, THINGS, Worlds
from training.worlds import beings, furniture, objects, outdoors
from training.worlds.materials import dress
from training.worlds.records import (
    OPEN_GROUND,
    Lens,
    Placed,
    Scene,
    Solid,
    write_records,
)
from training.worlds.scenes import COMPOSITIONS, make_scene

SIZE = 64
THINGS_TO_BUILD = (
    *furniture.FURNITURE,
    *furniture.WALL_THINGS,
    *objects.SMALL,
    *beings.BEINGS,
    *outdoors.VEHICLES,
    *outdoors.STREET,
    *outdoors.LAND,
    (outdoors.building, 1.0),
)
BUILDERS = list(dict.fromkeys(builder for builder, _ in THINGS_TO_BUILD))


def show(scenes: list[Scene], device: str = "cpu", height: int = SIZE, width: int = SIZE) -> Worlds:
    """The truth of scenes, rendered small."""
    panoramas = load_panoramas(device).permute(0, 2, 3, 1).contiguous()
    return render(join_records([write_records(s) for s in scenes]), height, width, panoramas, torch.device(device))


def stand_ball(radius: float, at: tuple[float, float, float], lens: Lens) -> Scene:
    """A ball on open ground before a camera."""
    solid = Solid()
    solid.ball((0, radius, 0), (radius, radius, radius))
    scene = Scene(OPEN_GROUND, lens=lens)
    scene.place(Placed(solid, dress(random.Random(1), solid.parts()), at))
    return scene


def test_a_seed_is_a_world() -> None:
    once, again, other = (show([make_scene(s)]) for s in (5, 5, 6))
    assert torch.equal(once.radiance, again.radiance)
    assert torch.equal(once.instance, again.instance)
    assert not torch.equal(once.radiance, other.radiance)


def test_depth_of_a_ball_is_what_geometry_says() -> None:
    worlds = show([stand_ball(0.5, (0.0, 0.0, 3.0), Lens((0.0, 0.5, 0.0), 0.0, 0.0, 1.0))], height=65, width=65)
    middle = worlds.depth[0, 32, 32].item()
    assert middle == pytest.approx(2.5, abs=2e-3)
    assert worlds.far[0, 32, 32].item() == pytest.approx(3.5, abs=5e-3)
    assert worlds.instance[0, 32, 32].item() == 1
    assert worlds.normal[0, :, 32, 32].tolist() == pytest.approx([0, 0, -1], abs=1e-2)
    wide = (worlds.instance[0] == 1)[32].sum().item() / 65  # tangent cone of half-angle asin(.5 / 3)
    assert wide == pytest.approx(2 * math.tan(math.asin(0.5 / 3)), abs=0.04)


def test_what_is_behind_is_what_is_seen_without_the_thing() -> None:
    lens = Lens((0.0, 1.5, 0.0), -0.35, 0.0, 1.0)
    with_ball = stand_ball(0.3, (0.0, 0.0, 3.0), lens)
    without = stand_ball(0.3, (50.0, 0.0, -50.0), lens)
    there, gone = show([with_ball]), show([without])
    ball = there.instance == 1
    assert ball.float().mean() > 0.01
    assert torch.allclose(there.behind[ball], gone.depth[ball], rtol=2e-3)
    assert torch.equal(there.behind[~ball], there.depth[~ball])
    assert torch.equal(there.far[~ball], there.depth[~ball])


def test_the_camera_record_is_the_camera() -> None:
    lens = Lens((0.0, 1.5, 0.0), -0.3, 0.2, 0.8)
    worlds = show([stand_ball(0.3, (0.0, 0.0, 3.0), lens)], height=48, width=80)
    pitch, roll, focal, height = worlds.camera[0].tolist()
    assert (pitch, roll) == pytest.approx((-0.3, 0.2))
    assert math.exp(focal) == pytest.approx(0.8)
    assert math.exp(height) == pytest.approx(1.5)
    down = torch.tensor([-math.cos(pitch) * math.sin(roll), math.cos(pitch) * math.cos(roll), -math.sin(pitch)])
    ground = worlds.instance[0] == GROUND
    assert torch.allclose(worlds.normal[0][:, ground].mean(1), -down, atol=1e-4)
    rows, columns = torch.meshgrid(torch.arange(48) + 0.5 - 24, torch.arange(80) + 0.5 - 40, indexing="ij")
    rays = torch.stack([columns / (0.8 * 80), rows / (0.8 * 80), torch.ones(48, 80)])
    fall = (rays * worlds.depth[0] * down[:, None, None]).sum(0)
    assert torch.allclose(fall[ground], torch.full_like(fall[ground], 1.5), rtol=1e-3)


def test_mirrored_worlds_keep_their_gravity() -> None:
    worlds = show([stand_ball(0.3, (0.5, 0.0, 3.0), Lens((0.0, 1.5, 0.0), -0.3, 0.2, 0.8))])
    mirrored = worlds.flip()
    pitch, roll = mirrored.camera[0, :2].tolist()
    down = torch.tensor([-math.cos(pitch) * math.sin(roll), math.cos(pitch) * math.cos(roll), -math.sin(pitch)])
    ground = mirrored.instance[0] == GROUND
    assert torch.allclose(mirrored.normal[0][:, ground].mean(1), -down, atol=1e-4)


@pytest.mark.parametrize("make", [make for make, _ in COMPOSITIONS])
def test_every_composition_makes_honest_truth(make: Callable[[random.Random], Scene]) -> None:
    rng = random.Random(3)
    worlds = show([make(rng) for _ in range(3)])
    for field in (worlds.radiance, worlds.albedo, worlds.depth, worlds.far, worlds.behind, worlds.normal):
        assert torch.isfinite(field).all()
    assert (worlds.radiance >= 0).all()
    assert (worlds.depth > 0).all()
    assert (worlds.far >= worlds.depth).all()
    assert (worlds.behind >= worlds.depth).all()
    sky = worlds.instance == SKY
    assert (worlds.depth[sky] == SKY_M).all()
    assert torch.allclose(worlds.normal.norm(dim=1)[~sky], torch.ones(1), atol=1e-3)
    thing = (worlds.instance > 0) & (worlds.instance <= THINGS)
    assert thing.any()
    assert (worlds.part[thing] <= 239).all()
    assert (worlds.part[thing] >= 1).all()


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda b: b.__name__)
def test_every_thing_can_be_seen(builder: Callable[[random.Random], Solid]) -> None:
    scenes = []
    for seed in range(3):
        solid = builder(random.Random(seed))
        assert {p.part for p in solid.primitives} == set(solid.parts())
        high, wide = max(solid.measure_height(), 0.02), max(solid.measure_radius(), 0.02)
        away = 2.2 * max(high, wide)
        scenes.append(Scene(OPEN_GROUND, lens=Lens((0.0, 0.6 * high + 0.5 * wide, -away), -0.12, 0.0, 0.9)))
        scenes[-1].place(Placed(solid, dress(random.Random(seed), solid.parts()), (0.0, 0.0, 0.0)))
    seen = show(scenes).instance == 1
    assert (seen.flatten(1).sum(1) > 1).all()


def test_a_group_is_all_that_stands_on_a_thing() -> None:
    table, cup = Solid(), Solid()
    table.box((0, 0.5, 0), (1, 0.5, 1))
    cup.ball((0, 0.1, 0), (0.1, 0.1, 0.1))
    scene = Scene(OPEN_GROUND)
    at = scene.place(Placed(table, dress(random.Random(1), table.parts()), (0, 0, 3)))
    scene.place(Placed(cup, dress(random.Random(2), cup.parts()), (0, 1, 2.5), parent=at))
    standing = write_records(scene).standing
    near, far = (1, 2)  # ids are by distance: the cup is nearer
    assert standing[far, near]
    assert not standing[near, far]
    assert standing.diagonal().all()


@pytest.mark.gpu
def test_the_one_source_renders_the_same_on_both() -> None:
    scenes = [make_scene(s) for s in range(100, 116)]
    ours, theirs = show(scenes), show(scenes, "cuda")
    same = ours.instance == theirs.instance.cpu()
    assert same.float().mean() >= 0.995
    apart = ((ours.depth - theirs.depth.cpu()).abs() / ours.depth)[same]
    assert apart.max() <= 1e-3
