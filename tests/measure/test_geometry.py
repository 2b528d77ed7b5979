"""Errors against truth, on cases whose answers are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from measure.geometry import (
    choose_reference,
    find_ends,
    find_horizon_row,
    get_down,
    measure_angle_deg,
    score_camera,
    score_depth,
)
from measure.shots import is_thin
from measure.truth import Instance, Truth, find_down, read_sample
from stillto3d.project.space import Camera, aim_camera

from .scenes import write_sample


def make_camera(pitch=0.0, roll=0.0, focal=1000.0, width=1600, height=900):
    return Camera(width, height, focal, focal, width / 2, height / 2, aim_camera(pitch, roll, 1.5))


def make_truth(tmp_path, **fields):
    known = {"focal_px": 1000.0, "centre_px": (800.0, 450.0), "down": find_down(0.0, 0.0)}
    return Truth("x", tmp_path, **(known | fields))


@pytest.mark.parametrize(("pitch", "roll"), [(0.0, 0.0), (-0.5, 0.0), (0.2, 0.1), (-0.7, -0.3)])
def test_a_solved_camera_and_truth_speak_of_the_same_down(pitch, roll):
    assert get_down(make_camera(pitch, roll)) == pytest.approx(find_down(pitch, roll), abs=1e-12)


def test_gravity_is_the_angle_between_the_downs(tmp_path):
    truth = make_truth(tmp_path)
    assert score_camera(make_camera(pitch=np.radians(-4)), truth)["gravity_deg"] == pytest.approx(4)
    assert score_camera(make_camera(roll=np.radians(3)), truth)["gravity_deg"] == pytest.approx(3)
    assert measure_angle_deg(np.array([0, 1.0, 0]), np.array([0, -1.0, 0])) == pytest.approx(180)


def test_the_horizon_is_compared_at_the_middle_column(tmp_path):
    solved = score_camera(make_camera(pitch=np.radians(-10)), make_truth(tmp_path))
    assert solved["horizon"] == pytest.approx(1000 * np.tan(np.radians(10)) / 900)
    assert score_camera(make_camera(roll=0.2), make_truth(tmp_path))["horizon"] == pytest.approx(0)
    assert find_horizon_row(find_down(0, 0.2), 1000, (800, 450), 800) == pytest.approx(450)
    lower_at_the_right = find_horizon_row(find_down(0, 0.2), 1000, (800, 450), 1600)
    assert lower_at_the_right == pytest.approx(450 + 800 * np.tan(0.2))


def test_focal_errors_count_both_ways(tmp_path):
    for focal in (500.0, 2000.0):
        solved = score_camera(make_camera(focal=focal), make_truth(tmp_path))
        assert solved["focal_log"] == pytest.approx(np.log(2))
    unknown = score_camera(make_camera(), make_truth(tmp_path, focal_px=None, down=None))
    assert set(unknown.values()) == {None}


def test_depth_is_judged_after_median_scaling_and_without_sky(tmp_path):
    depth = np.array([[1.0, 2.0, 4.0, 0.0]], np.float32)
    truth = make_truth(tmp_path, depth=depth, sky=depth == 0)
    perfect = score_depth(np.array([[3.0, 6.0, 12.0, 900.0]], np.float32), truth)
    assert perfect["abs_rel"] == pytest.approx(0, abs=1e-6) and perfect["delta1"] == 1.0
    assert perfect["constant_abs_rel"] == pytest.approx((1 + 0 + 0.5) / 3)
    assert perfect["constant_delta1"] == pytest.approx(1 / 3)
    poor = score_depth(np.array([[1.0, 2.0, 6.0, 1.0]], np.float32), truth)
    assert poor["abs_rel"] == pytest.approx(0.5 / 3) and poor["delta1"] == pytest.approx(2 / 3)
    assert set(score_depth(depth + 1, make_truth(tmp_path)).values()) == {None}


def test_depth_of_another_size_is_stretched_over_the_still(tmp_path):
    truth = make_truth(tmp_path, depth=np.repeat([[2.0] * 8 + [8.0] * 8], 8, axis=0).astype(np.float32))
    half = np.repeat([[1.0] * 4 + [4.0] * 4], 4, axis=0).astype(np.float32)
    assert score_depth(half, truth)["delta1"] >= 14 / 16


def test_the_known_length_is_told_of_an_honest_object(tmp_path):
    truth = read_sample(write_sample(tmp_path / "square"))
    (square,) = truth.instances
    reference = choose_reference(truth)
    assert reference is square
    (_, top), (_, bottom) = find_ends(square)
    assert 40 < top < 43 and 117 < bottom < 120
    tilted = replace(square, id=2, height_m=square.height_m * 1.6)
    assert choose_reference(replace(truth, instances=(tilted, square))) is square
    hidden = replace(square, visible=0.5)
    assert choose_reference(replace(truth, instances=(hidden,))) is None


def test_thin_masks_are_told_apart():
    box, frame = np.zeros((200, 200), bool), np.zeros((200, 200), bool)
    box[20:180, 40:160] = True
    frame[20:180, 40:160] = True
    frame[22:178, 42:158] = False
    assert not is_thin(box, 160) and is_thin(frame, 160)
    assert Instance(1, box).visible == 1.0


def test_focal_errors_are_told_apart_by_the_shape_of_the_picture(tmp_path):
    lying = score_camera(make_camera(focal=1100.0), make_truth(tmp_path))
    assert lying["focal_landscape"] == pytest.approx(0.1) and lying["focal_portrait"] is None
    tall = score_camera(make_camera(focal=900.0, width=900, height=1600), make_truth(tmp_path))
    assert tall["focal_portrait"] == pytest.approx(0.1) and tall["focal_landscape"] is None


def test_solved_and_true_roll_stand_side_by_side(tmp_path):
    scores = score_camera(make_camera(-0.3, 0.1), make_truth(tmp_path, down=find_down(-0.3, 0.2)))
    assert (scores["roll"], scores["true_roll"]) == pytest.approx((0.1, 0.2))
