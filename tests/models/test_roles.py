"""Asks and answers: what a model may not say is refused in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stillto3d.errors import BadAnswer
from stillto3d.models.roles import Calibrate, EstimateDepth, MakeProp, Placement, PlaceProp, Reply, Segment
from stillto3d.project.space import AXES, Camera, aim_camera
from stillto3d.project.still import Depth, Mask, Still

STILL = Still(np.zeros((6, 8, 3), dtype=np.uint8), "s", "0" * 64)
CAMERA = Camera(8, 6, 10, 10, 4, 3, aim_camera(-0.3, 0.1, 1.5))
MASK = Mask(np.full((6, 8), 255, dtype=np.uint8), STILL.id)
DEPTH = Depth(np.ones((6, 8), dtype=np.float32), STILL.id)


def masks(**changes: Any) -> Reply:
    arrays = {
        "masks": np.zeros((3, 6, 8), dtype=np.uint8),
        "scores": np.array([0.1, 0.9, 0.5], dtype=np.float32),
    }
    values = {"best": 1}
    for name, value in changes.items():
        (arrays if isinstance(value, np.ndarray) else values)[name] = value
    return Reply(values, arrays)


def test_candidates_are_read() -> None:
    found = Segment(STILL).read(masks())
    assert found.best == 1 and found.confidences == pytest.approx((0.1, 0.9, 0.5))
    assert all(mask.still_id == STILL.id for mask in found.masks)


@pytest.mark.parametrize(
    "lie",
    [
        {"masks": np.zeros((3, 8, 6), dtype=np.uint8)},
        {"masks": np.zeros((3, 6, 8), dtype=np.float32)},
        {"masks": np.zeros((0, 6, 8), dtype=np.uint8), "scores": np.zeros(0, dtype=np.float32)},
        {"scores": np.array([0.1, np.nan, 0.5], dtype=np.float32)},
        {"scores": np.array([0.1, 1.5, 0.5], dtype=np.float32)},
        {"best": 3},
        {"best": True},
        {"best": "1"},
        {"best": float("nan")},
    ],
)
def test_a_segmenter_that_lies_is_refused(lie: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        Segment(STILL).read(masks(**lie))


def test_what_is_missing_is_named() -> None:
    with pytest.raises(BadAnswer, match="masks"):
        Segment(STILL).read(Reply({}, {}))


def calibration(**changes: Any) -> Reply:
    told = {"source": "network", "confidence": 0.5}
    values = {"focal_px": 9.0, "pitch": -0.2, "roll": 0.05, "height_m": 1.4}
    return Reply({**values, "focal": told, "rotation": told, "height": told, **changes}, {})


def test_a_solved_camera_stands_in_the_world() -> None:
    camera = Calibrate(STILL).read(calibration())
    assert camera.measure_tilt() == pytest.approx((-0.2, 0.05)) and camera.position[1] == pytest.approx(1.4)
    assert (camera.cx, camera.cy) == (4, 3) and camera.origin["focal"].source == "network"


@pytest.mark.parametrize(
    "lie",
    [
        {"focal_px": 0},
        {"pitch": 9.0},
        {"height_m": None},
        {"focal": {"source": "guess", "confidence": 0.5}},
        {"rotation": {"source": "exif", "confidence": 2}},
        {"height": "network"},
    ],
)
def test_a_calibrator_that_lies_is_refused(lie: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        Calibrate(STILL).read(calibration(**lie))


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_depth_that_is_no_distance_is_refused(bad: float) -> None:
    depth = np.ones((3, 4), dtype=np.float32)
    depth[1, 1] = bad
    with pytest.raises(BadAnswer):
        EstimateDepth(STILL).read(Reply({}, {"depth": depth}))


def prop_reply(**changes: Any) -> Reply:
    arrays = {
        "positions": np.array([[0, 0, 2], [1, 0, 2], [0, 1, 2]], dtype=np.float32),
        "faces": np.array([[0, 1, 2]], dtype=np.uint32),
        "corner_uvs": np.zeros((1, 3, 2), dtype=np.float32),
        "observed": np.ones(3, dtype=np.uint8),
        "texture": np.zeros((2, 4, 3), dtype=np.uint8),
    }
    return Reply({"axes": "opencv"}, {**arrays, **changes})


def test_a_prop_is_stood_in_the_world_where_its_pixels_are() -> None:
    ask = MakeProp(STILL, MASK, STILL.pixels, DEPTH, DEPTH, CAMERA, Placement(2.0, "floor"), 1.0, 160)
    mesh = ask.read(prop_reply())
    pixels, depth = CAMERA.project(mesh.positions)
    assert np.allclose(depth, 2) and np.allclose(pixels, [[4, 3], [9, 3], [4, 8]], atol=1e-4)


@pytest.mark.parametrize(
    "lie",
    [
        {"faces": np.array([[0, 1, 3]], dtype=np.uint32)},
        {"faces": np.zeros((0, 3), dtype=np.uint32), "corner_uvs": np.zeros((0, 3, 2), dtype=np.float32)},
        {"observed": np.ones(2, dtype=np.uint8)},
        {"positions": np.full((3, 3), np.nan, dtype=np.float32)},
    ],
)
def test_a_prop_that_is_no_mesh_is_refused(lie: dict[str, Any]) -> None:
    ask = MakeProp(STILL, MASK, STILL.pixels, DEPTH, DEPTH, CAMERA, Placement(2.0, "floor"), 1.0, 160)
    with pytest.raises(BadAnswer):
        ask.read(prop_reply(**lie))


def make_prop() -> MakeProp:
    return MakeProp(STILL, MASK, STILL.pixels, DEPTH, DEPTH, CAMERA, Placement(2.0, "floor"), 1.0, 160)


# A marker 1 m to the right, 2 m up and 4 m ahead of the camera, as each convention writes it.
MARKERS = {
    "opencv": (1, -2, 4),
    "opengl": (1, 2, -4),
    "pytorch3d": (-1, 2, 4),
    "z_up": (1, 4, 2),
    "z_up_x_front": (-4, 1, 2),
}


@pytest.mark.parametrize("axes", AXES)
def test_a_corner_marker_lands_on_its_pixel_from_any_axes(axes: str) -> None:
    points = np.array([MARKERS[axes]] * 3, dtype=np.float32)
    reply = prop_reply(positions=points)
    pixels, depth = CAMERA.project(make_prop().read(Reply({"axes": axes}, reply.arrays)).positions)
    assert np.allclose(depth, 4, atol=1e-5) and np.allclose(pixels, [[4 + 10 / 4, 3 - 20 / 4]] * 3, atol=1e-4)


@pytest.mark.parametrize("axes", AXES)
def test_normals_reach_the_set_in_opencv_axes(axes: str) -> None:
    normals = np.broadcast_to(np.float32(MARKERS[axes]) / np.sqrt(np.float32(21)), (3, 4, 3))
    reply = Reply({"axes": axes}, {"depth": np.ones((3, 4), dtype=np.float32), "normals": normals})
    found = EstimateDepth(STILL).read(reply).normals
    assert found is not None and np.allclose(found, np.array([1, -2, 4]) / np.sqrt(21))


@pytest.mark.parametrize("axes", ["maya", "", None, 3, ["opencv"], {"opencv": 1}, "OpenCV"])
def test_axes_that_nobody_knows_are_a_lie(axes: Any) -> None:
    with pytest.raises(BadAnswer, match=r"axes .* none of opencv"):
        make_prop().read(Reply({"axes": axes}, prop_reply().arrays))
    normals = np.ones((3, 4, 3), dtype=np.float32)
    with pytest.raises(BadAnswer, match="axes"):
        EstimateDepth(STILL).read(Reply({"axes": axes}, {"depth": normals[..., 0], "normals": normals}))


def test_axes_that_are_not_told_are_not_guessed() -> None:
    with pytest.raises(BadAnswer, match="axes"):
        make_prop().read(Reply({}, prop_reply().arrays))


def test_a_place_of_an_unknown_kind_is_refused() -> None:
    floor = np.zeros((6, 8), dtype=np.uint8)
    with pytest.raises(BadAnswer):
        PlaceProp(STILL, MASK, DEPTH, DEPTH, floor, CAMERA).read(Reply({"kind": "ceiling", "distance_m": 2.0}, {}))
