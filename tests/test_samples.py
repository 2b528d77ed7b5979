"""The sample stills keep what they promise: cameras, instances, depth and a second view that agree."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stillto3d.project.space import Camera
from stillto3d.words import find_resources

SAMPLES = find_resources() / "samples"
NAMES = [f"{kind}_{name}" for kind, name in (
    ("table", "breakfast"), ("table", "workbench"), ("room", "living"), ("room", "study"),
    ("street", "corner"), ("street", "arcade"), ("hard", "kitchen"), ("hard", "bicycle"),
)]  # fmt: skip


@cache
def read_truth(name: str) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads((SAMPLES / name / "truth.json").read_text(encoding="utf-8"))
    return truth


def read_picture(name: str, file: str) -> np.ndarray:
    with Image.open(SAMPLES / name / file) as picture:
        return np.asarray(picture)


def decode_depth(name: str) -> np.ndarray:
    told, code = read_truth(name)["depth"], read_picture(name, "depth.png").astype(np.float64)
    metres = told["near_m"] * np.exp((code - 1) * told["step"])
    return np.where(code > 0, metres, 0)


def make_camera(name: str, key: str = "camera") -> Camera:
    truth = read_truth(name)
    lens = truth["camera"]
    pose = np.array(truth[key]["world_from_camera"])
    u, _, v = np.linalg.svd(pose[:3, :3])
    pose[:3, :3] = u @ v
    return Camera(lens["width"], lens["height"], lens["fx"], lens["fy"], lens["cx"], lens["cy"], pose)


def test_there_are_eight_two_of_each_kind_and_they_are_small() -> None:
    assert sorted(path.parent.name for path in SAMPLES.glob("*/truth.json")) == sorted(NAMES)
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 6_000_000


def test_the_cameras_are_spread_as_promised() -> None:
    lenses = [read_truth(name)["camera"] for name in NAMES]
    pitch = np.degrees([lens["pitch"] for lens in lenses])
    roll = np.degrees([lens["roll"] for lens in lenses])
    assert pitch.min() == pytest.approx(-40) and pitch.max() == pytest.approx(10)
    assert sorted(np.round(np.abs(roll), 6))[-2:] == [0, 5]
    heights, focal = [lens["height_m"] for lens in lenses], [lens["focal_mm"] for lens in lenses]
    assert min(heights) == 0.6 and max(heights) == 2.5 and min(focal) == 20 and max(focal) == 85
    assert sum(lens["height"] > lens["width"] for lens in lenses) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_pose_is_what_pitch_roll_and_height_say(name: str) -> None:
    lens, camera = read_truth(name)["camera"], make_camera(name)
    assert camera.measure_tilt() == pytest.approx((lens["pitch"], lens["roll"]), abs=1e-5)
    assert camera.position[1] == pytest.approx(lens["height_m"], abs=1e-5)
    assert lens["fx"] == pytest.approx(lens["focal_mm"] / lens["film_back_mm"] * lens["width"])


@pytest.mark.parametrize("name", NAMES)
def test_at_least_six_instances_are_seen_and_named(name: str) -> None:
    numbers, truth = read_picture(name, "instances.png"), read_truth(name)
    seen = {int(k): int(n) for k, n in zip(*np.unique(numbers, return_counts=True), strict=True) if k}
    told = {item["id"]: item for item in truth["instances"]}
    assert set(seen) == set(told) and len(told) >= 6
    assert all(item["pixels"] == seen[k] and item["height_m"] > 0 for k, item in told.items())
    size = (truth["camera"]["height"], truth["camera"]["width"])
    assert numbers.shape == size == read_picture(name, "still.jpg").shape[:2]


def test_props_stand_on_tables_as_well_as_on_floors() -> None:
    carried = [item["standing_on"] != "floor" for name in NAMES for item in read_truth(name)["instances"]]
    assert any(carried) and not all(carried)


@pytest.mark.parametrize("name", NAMES)
def test_depth_is_metric_and_its_median_is_told(name: str) -> None:
    depth, truth = decode_depth(name), read_truth(name)
    known = depth[depth > 0]
    assert known.min() > 0.1 and known.max() < 500
    assert np.median(known) == pytest.approx(truth["median_depth_m"], rel=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_the_second_camera_stands_five_per_cent_aside(name: str) -> None:
    first, second = make_camera(name), make_camera(name, "second_camera")
    offset = first.world_from_camera[:3, :3].T @ (second.position - first.position)
    assert offset == pytest.approx((0.05 * read_truth(name)["median_depth_m"], 0, 0), abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_depth_carries_the_still_into_the_second_view(name: str) -> None:
    """Where a surface is level in colour and not hidden, both pictures show it alike (shine moves, so: most)."""
    depth, still, second = (decode_depth(name), *(read_picture(name, f"{n}.jpg") for n in ("still", "second")))
    k = still.shape[1] / depth.shape[1]
    rows, columns = np.nonzero(depth > 0)
    pixels = (np.stack([columns, rows], 1) + 0.5) * k
    points = make_camera(name).unproject(pixels, depth[rows, columns])
    there, _ = make_camera(name, "second_camera").project(points)
    inside = ((there > 1) & (there < (still.shape[1] - 1, still.shape[0] - 1))).all(1)

    def look(picture: np.ndarray, at: np.ndarray) -> np.ndarray:
        return picture[at[:, 1].astype(int), at[:, 0].astype(int)].astype(np.float64).mean(1)

    moved = np.abs(look(still, pixels[inside]) - look(second, there[inside]))
    stayed = np.abs(look(still, pixels[inside]) - look(second, pixels[inside]))
    assert np.mean(moved) < 0.8 * np.mean(stayed)


def test_the_demo_names_a_sample_that_is_there() -> None:
    told = json.loads((SAMPLES / "demo.json").read_text(encoding="utf-8"))
    assert (SAMPLES / Path(told["still"])).is_file() and (told.get("click") or told.get("box"))
