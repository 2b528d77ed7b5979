"""What adapters of other people's models compute themselves: a floor, boxes, tiles, and depth from a disparity."""

from __future__ import annotations

import numpy as np
import pytest

from stillto3d.project.space import aim_camera
from stillto3d.worker.adapters.depth_anything2 import FARTHEST, turn_disparity
from stillto3d.worker.adapters.detecting import answer_boxes, check_words, turn_corners
from stillto3d.worker.adapters.esrgan import OVERLAP, cut_tiles
from stillto3d.worker.adapters.floor import find_floor, word_camera
from stillto3d.worker.adapters.lama import find_part
from stillto3d.worker.errors import BadInput

FOCAL = 90.0


def look_at_floor(pitch: float, roll: float, height_m: float, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals of a floor and a far wall, as a camera aimed so sees them; OpenCV axes."""
    rows, columns = np.mgrid[0:60, 0:100] + 0.5
    rays = np.stack([(columns - 50) / FOCAL, (rows - 30) / FOCAL, np.ones_like(rows)], axis=-1)
    down = np.array([-np.cos(pitch) * np.sin(roll), np.cos(pitch) * np.cos(roll), -np.sin(pitch)])
    fall = rays @ down
    distance = np.where(fall > 0.02, height_m / np.maximum(fall, 0.02), np.inf)
    wall = 12.0
    points = rays * np.minimum(distance, wall)[..., None]
    normals = np.where((distance < wall)[..., None], -down, (0.0, 0.0, -1.0))
    shake = np.random.default_rng(0).normal(0, noise, normals.shape)
    return points * (1 + shake[..., :1] * 0.2), normals + shake


@pytest.mark.parametrize(("pitch", "roll"), [(-0.3, 0.0), (-0.15, 0.1), (-0.5, -0.2), (0.05, 0.05)])
def test_a_floor_tells_tilt_and_height(pitch: float, roll: float) -> None:
    points, normals = look_at_floor(pitch, roll, 1.6, noise=0.02)
    floor = find_floor(points, normals, np.ones(points.shape[:2], bool))
    camera = word_camera(floor, FOCAL, "network", 0.7)
    assert camera["pitch"] == pytest.approx(pitch, abs=0.02)
    assert camera["roll"] == pytest.approx(roll, abs=0.02)
    assert camera["height_m"] == pytest.approx(1.6, rel=0.1)
    assert camera["rotation"]["source"] == "network" and camera["rotation"]["confidence"] > 0.3


def test_the_answers_angles_are_those_of_the_world() -> None:
    """The camera that is aimed by the answer looks at the floor that it was taken from."""
    points, normals = look_at_floor(-0.25, 0.12, 1.4)
    camera = word_camera(find_floor(points, normals, np.ones(points.shape[:2], bool)), FOCAL, "network", 0.7)
    pose = aim_camera(camera["pitch"], camera["roll"], camera["height_m"])
    world = (points * (1, -1, -1)) @ pose[:3, :3].T + pose[:3, 3]
    assert np.percentile(np.abs(world[-5:, :, 1]), 90) < 0.05


def test_without_a_floor_nothing_is_made_up() -> None:
    points, normals = look_at_floor(-0.3, 0, 1.6)
    assert find_floor(points, np.zeros_like(normals) - np.array([0, 0, 1]), np.ones(points.shape[:2], bool)) is None
    assert find_floor(points, normals, np.zeros(points.shape[:2], bool)) is None
    camera = word_camera(None, FOCAL, "prior", 0.2)
    assert camera["rotation"] == {"source": "prior", "confidence": 0.0}


def test_boxes_are_clipped_sorted_and_slivers_dropped() -> None:
    boxes = [[-5, -5, 20, 20], [10, 10, 500, 30], [70, 5, 90, 9], [3, 3, 3.1, 9], [np.nan, 0, 5, 5]]
    found = answer_boxes(np.array(boxes), np.array([0.2, 0.9, 0.5, 0.99, 1.5]), list("abcde"), 40, 60)
    assert found["labels"] == ["e", "b", "a"]
    assert found["boxes"].tolist() == [[0, 0, 5, 5], [10, 10, 60, 30], [0, 0, 20, 20]]
    assert found["scores"].tolist() == pytest.approx([1, 0.9, 0.2])
    assert turn_corners(np.array([[0.5, 0.5, 0.5, 1.0]]), 40, 60).tolist() == [[15, 0, 45, 40]]


def test_words_are_cleaned_and_counted() -> None:
    assert check_words({"words": [" Red  Lamp.", "lamp", "LAMP", ""]}) == ["red lamp", "lamp"]
    for words in ([], ["", " . "], [str(n) for n in range(100)]):
        with pytest.raises(BadInput):
            check_words({"words": words})


@pytest.mark.parametrize("size", [(1, 1), (100, 70), (64, 64), (65, 33)])
def test_tiles_cover_a_picture_once(size: tuple[int, int]) -> None:
    covered = np.zeros(size, int)
    for inner, outer in cut_tiles(*size, 32):
        covered[inner[0] : inner[1], inner[2] : inner[3]] += 1
        assert outer[0] >= max(0, inner[0] - OVERLAP) and outer[3] <= min(size[1], inner[3] + OVERLAP)
    assert (covered == 1).all()


def test_a_part_holds_its_hole_with_room() -> None:
    hole = np.zeros((400, 600), bool)
    hole[100:150, 580:590] = True
    (y0, y1), (x0, x1) = find_part(hole)
    assert (y0, y1, x0, x1) == (36, 214, 516, 600)


def test_a_disparity_becomes_a_depth() -> None:
    disparity = np.array([[10.0, 5.0, 1.0, 0.0, -3.0, np.nan, np.inf]])
    depth = turn_disparity(disparity)
    assert depth[0, 0] == pytest.approx(1.0, rel=0.1) and depth[0, 1] == pytest.approx(2.0, rel=0.1)
    assert np.isfinite(depth).all() and depth.max() == FARTHEST and depth.min() >= 1
    assert (turn_disparity(np.zeros((2, 2))) == FARTHEST).all()
