"""Camera and transforms: corner markers must land where geometry says, whatever the axes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillto3d.project.space import AXES, Camera, Origin, aim_camera, convert_points, translate, turn_to_opencv

angles = st.floats(-1.4, 1.4)


def make_camera(pitch: float = 0.0, roll: float = 0.0, height: float = 1.5, **fields: float) -> Camera:
    lens = {"fx": 800.0, "fy": 810.0, "cx": 310.0, "cy": 250.0} | fields
    return Camera(640, 480, **lens, world_from_camera=aim_camera(pitch, roll, height))


@given(pitch=angles, roll=angles, height=st.floats(0.1, 30))
def test_tilt_is_read_back_from_the_matrix(pitch: float, roll: float, height: float) -> None:
    camera = make_camera(pitch, roll, height)
    assert np.allclose(camera.measure_tilt(), (pitch, roll), atol=1e-9)
    assert camera.position[1] == height


def test_a_level_camera_looks_along_minus_z() -> None:
    pixels, depth = make_camera().project([[0, 1.5, -4], [1, 1.5, -4], [0, 2.5, -4], [0, 1.5, 4]])
    assert np.allclose(pixels[0], (310, 250)) and np.allclose(depth[:3], 4) and depth[3] < 0
    assert pixels[1, 0] == pytest.approx(310 + 200) and pixels[2, 1] == pytest.approx(250 - 202.5)


def test_a_camera_that_looks_down_sees_the_floor_before_it() -> None:
    camera = make_camera(pitch=-np.pi / 4)
    pixels, depth = camera.project([[0, 0, -1.5]])
    assert np.allclose(pixels[0], (310, 250)) and depth[0] == pytest.approx(1.5 * np.sqrt(2))


def test_positive_roll_lets_the_horizon_fall_to_the_right() -> None:
    camera = make_camera(roll=0.1)
    left, right = camera.project([[-1000, 1.5, -5000], [1000, 1.5, -5000]])[0]
    assert right[1] > left[1]


@given(pitch=angles, roll=angles)
def test_unproject_undoes_project(pitch: float, roll: float) -> None:
    camera = make_camera(pitch, roll)
    pixels = np.array([[0.0, 0.0], [640, 480], [310, 250], [12.5, 400.25]])
    depth = np.array([0.5, 3.0, 10.0, 77.0])
    back, z = camera.project(camera.unproject(pixels, depth))
    assert np.allclose(back, pixels, atol=1e-6) and np.allclose(z, depth)


@given(pitch=angles, roll=angles)
def test_opencv_points_land_on_their_pixels(pitch: float, roll: float) -> None:
    """A point of OpenCV axes projects by K to the same pixel as its world point through the camera."""
    camera = make_camera(pitch, roll)
    points = np.array([[0.3, -0.2, 2.0], [-1.0, 0.8, 5.0]])
    expected = points[:, :2] / points[:, 2:] * (camera.fx, camera.fy) + (camera.cx, camera.cy)
    pixels, depth = camera.project(convert_points(points, "opencv", camera.world_from_camera))
    assert np.allclose(pixels, expected, atol=1e-3) and np.allclose(depth, points[:, 2], atol=1e-5)


@pytest.mark.parametrize(
    ("axes", "right", "up", "forward"),
    [
        ("opencv", (1, 0, 0), (0, -1, 0), (0, 0, 1)),
        ("opengl", (1, 0, 0), (0, 1, 0), (0, 0, -1)),
        ("pytorch3d", (-1, 0, 0), (0, 1, 0), (0, 0, 1)),
        ("z_up", (1, 0, 0), (0, 0, 1), (0, 1, 0)),
    ],
)
def test_corner_markers_of_every_axis_convention(
    axes: str, right: tuple[int, ...], up: tuple[int, ...], forward: tuple[int, ...]
) -> None:
    markers = np.array([right, up, forward], dtype=np.float32)
    assert np.allclose(turn_to_opencv(markers, axes), [[1, 0, 0], [0, -1, 0], [0, 0, 1]])
    assert np.allclose(convert_points(markers, axes, np.eye(4)), [[1, 0, 0], [0, 1, 0], [0, 0, -1]])


@pytest.mark.parametrize("axes", AXES)
def test_no_convention_turns_a_mesh_inside_out(axes: str) -> None:
    corners = convert_points(np.eye(3, dtype=np.float32), axes, np.eye(4))
    assert np.linalg.det(corners) == pytest.approx(1)


def test_unknown_axes_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown axes"):
        convert_points(np.zeros((1, 3)), "maya", np.eye(4))
    with pytest.raises(ValueError, match="unknown axes"):
        turn_to_opencv(np.zeros((1, 3)), "maya")


def test_the_focal_length_in_millimetres_follows_the_film_back() -> None:
    assert make_camera().focal_mm == pytest.approx(800 * 36 / 640)


@pytest.mark.parametrize("matrix", [np.diag([2.0, 1, 1, 1]), np.diag([-1.0, 1, 1, 1]), np.full((4, 4), np.nan)])
def test_a_pose_that_is_no_rotation_is_refused(matrix: np.ndarray) -> None:
    with pytest.raises(ValueError):
        Camera(4, 3, 1, 1, 2, 1.5, matrix)


def test_an_origin_is_one_of_the_known_and_its_confidence_a_share() -> None:
    with pytest.raises(ValueError):
        Origin("guess", 0.5)
    with pytest.raises(ValueError):
        Origin("exif", 1.5)


def test_a_translation_moves() -> None:
    assert np.allclose(translate((1, 2, 3)) @ (0, 0, 0, 1), (1, 2, 3, 1))
