"""Placement against scenes with a known answer: floor, table, above the horizon, rolled camera."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stillto3d.worker.adapters.builtin.lens import down_axis, facing_axis, pixel_rays
from stillto3d.worker.adapters.builtin.place import contact_point, place
from stillto3d.worker.errors import BadInput

WIDTH, HEIGHT = 320, 240


def tick(*_: object) -> None:
    return


def camera(pitch: float = -0.3, roll: float = 0.0, height_m: float = 1.6) -> dict[str, Any]:
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "fx": 300.0,
        "fy": 300.0,
        "cx": WIDTH / 2,
        "cy": HEIGHT / 2,
        "pitch": pitch,
        "roll": roll,
        "height_m": height_m,
    }


def scene(view: dict[str, Any], ahead_m: float, base_m: float, wall_m: float = 8.0) -> dict[str, np.ndarray]:
    """A post 0.3 m wide and 0.5 m tall, its base at base_m above the floor, on a level support (or the floor).

    Arrays for place, all at the still's size: alpha, depth, plate_depth, floor; and the post's true contact
    distance f64[] under "truth".
    """
    down = down_axis(view)
    ahead = facing_axis(np.array([0.0, 0.0, 1.0]), down)
    across = np.cross(down, ahead)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    rays = pixel_rays(view, columns, rows)
    with np.errstate(divide="ignore"):
        floor = np.where(rays @ down > 0, view["height_m"] / (rays @ down), np.inf)
        drop = view["height_m"] - base_m
        top = np.where((rays @ down) * drop > 0, drop / (rays @ down), np.inf)
    at = rays * np.where(np.isfinite(top), top, 0)[..., None]
    on_top = np.isfinite(top) & (np.abs(at @ across) < 0.8) & (np.abs(at @ ahead - ahead_m) < 0.6)
    wall = wall_m / (rays @ ahead)
    plate = np.minimum(wall, floor)
    plate = np.where(on_top & (top < plate), top, plate)
    post = ahead_m / (rays @ ahead)
    at = rays * post[..., None]
    height = view["height_m"] - at @ down
    inside = (np.abs(at @ across) < 0.15) & (height > base_m) & (height < base_m + 0.5)
    foot = ahead_m * ahead + drop * down
    return {
        "alpha": np.where(inside, 255, 0).astype(np.uint8),
        "depth": np.where(inside, post, plate).astype(np.float32),
        "plate_depth": plate.astype(np.float32),
        "floor": np.where(floor <= plate + 1e-9, 255, 0).astype(np.uint8),
        "truth": foot[2],
    }


@pytest.mark.parametrize("roll", [0.0, 0.09, -0.09])
@pytest.mark.parametrize("ahead_m", [2.8, 5.0])
def test_post_on_the_floor_stands_where_the_floor_says(roll: float, ahead_m: float) -> None:
    view = camera(roll=roll)
    given = scene(view, ahead_m, 0.0)
    answer = place(given, {"camera": view}, tick)
    assert answer["kind"] == "floor"
    assert answer["distance_m"] == pytest.approx(float(given["truth"]), rel=0.03)
    assert abs(answer["base_height_m"]) < 0.01


def test_prop_on_a_table_takes_the_table_s_distance() -> None:
    view = camera()
    given = scene(view, 2.5, 0.75)
    answer = place(given, {"camera": view}, tick)
    assert answer["kind"] == "support"
    assert answer["distance_m"] == pytest.approx(float(given["truth"]), rel=0.06)
    assert answer["base_height_m"] == pytest.approx(0.75, abs=0.06)


def test_contact_above_the_horizon_takes_the_prop_s_own_depth() -> None:
    view = camera(pitch=0.05)
    given = scene(view, 3.0, 1.7)  # hangs above the camera
    answer = place(given, {"camera": view}, tick)
    assert answer["kind"] == "depth"
    assert answer["distance_m"] == pytest.approx(float(given["truth"]), rel=0.06)
    assert answer["base_height_m"] == pytest.approx(1.7, abs=0.1)


def test_no_prop_stands_below_the_floor() -> None:
    view = camera()
    given = scene(view, 2.8, 0.0)
    given["depth"] = given["depth"] * 3
    given["plate_depth"] = given["plate_depth"] * 3
    answer = place(given, {"camera": view}, tick)
    assert answer["base_height_m"] >= -1e-6


def test_wrong_depth_does_not_move_what_stands_on_the_floor() -> None:
    view = camera()
    given = scene(view, 2.8, 0.0)
    given["depth"] = given["depth"] * 0.7
    assert place(given, {"camera": view}, tick)["distance_m"] == pytest.approx(float(given["truth"]), rel=0.03)


def test_depth_that_holds_nothing_still_gives_a_distance() -> None:
    view = camera(pitch=0.3)
    given = scene(view, 3.0, 1.7)
    given["depth"] = np.full((6, 8), np.nan, np.float32)
    given["plate_depth"] = np.full((6, 8), np.inf, np.float32)
    given["floor"] = np.zeros((6, 8), np.uint8)
    given["alpha"][100:120, 150:170] = 255
    answer = place(given, {"camera": view}, tick)
    assert np.isfinite(answer["distance_m"])
    assert answer["distance_m"] > 0


def test_contact_follows_gravity_when_the_camera_is_rolled() -> None:
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[100:180, 100:220] = True
    level = contact_point(inside, camera())
    assert level == pytest.approx((160.0, 180.0), abs=1)
    clockwise = contact_point(inside, camera(roll=0.2))  # the scene's down points to the lower left
    assert clockwise[0] < 115


def test_specks_do_not_move_the_contact() -> None:
    given = scene(camera(), 2.8, 0.0)
    clean = place(given, {"camera": camera()}, tick)
    given["alpha"][230:233, 20:23] = 255
    assert place(given, {"camera": camera()}, tick)["contact"] == clean["contact"]


def test_down_and_ahead_are_level_unit_axes() -> None:
    view = camera(pitch=-0.4, roll=0.1)
    down = down_axis(view)
    ahead = facing_axis(np.array([0.2, 0.1, 1.0]), down)
    assert np.linalg.norm(down) == pytest.approx(1)
    assert np.linalg.norm(ahead) == pytest.approx(1)
    assert ahead @ down == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("shape", [(1, 1), (17, 401)])
def test_odd_sized_still_is_answered(shape: tuple[int, int]) -> None:
    view = {**camera(), "width": shape[1], "height": shape[0]}
    flat = np.full(shape, 2.0, np.float32)
    given = {"alpha": np.full(shape, 255, np.uint8), "depth": flat, "plate_depth": flat, "floor": flat.astype(np.uint8)}
    assert np.isfinite(place(given, {"camera": view}, tick)["distance_m"])


def test_empty_mask_is_refused_in_words() -> None:
    given = scene(camera(), 2.8, 0.0)
    given["alpha"] = np.zeros_like(given["alpha"])
    with pytest.raises(BadInput, match="mask is empty"):
        place(given, {"camera": camera()}, tick)
