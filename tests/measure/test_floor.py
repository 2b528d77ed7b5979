"""Down is found from the depth of a floor, whatever stands on it, and not from a wall."""

from __future__ import annotations

import numpy as np
import pytest

from measure.floor import fit_floor
from measure.geometry import measure_angle_deg
from measure.truth import find_down

WIDTH, HEIGHT, FOCAL = 160, 120, 150.0
CENTRE = (80.0, 60.0)
CAMERA_M, WALL_M = 1.5, 6.0


def make_rays():
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    return np.stack([(x - CENTRE[0]) / FOCAL, (y - CENTRE[1]) / FOCAL, np.ones_like(x)], axis=-1)


def make_room(pitch, roll):
    """Depth of a floor below the camera that ends at an upright wall."""
    down, rays = find_down(pitch, roll), make_rays()
    ahead = np.array([0, 0, 1.0]) - down[2] * down
    ahead /= np.linalg.norm(ahead)
    drop, reach = rays @ down, rays @ ahead
    floor = np.where(drop > 1e-6, CAMERA_M / np.maximum(drop, 1e-6), np.inf)
    return np.minimum(floor, WALL_M / reach).astype(np.float32)


@pytest.mark.parametrize(("pitch", "roll"), [(0.0, 0.0), (-0.3, 0.1), (-0.8, -0.2), (0.05, 0.0)])
def test_down_is_square_to_the_floor(pitch, roll):
    depth = make_room(pitch, roll)
    noise = 1 + 0.004 * np.random.default_rng(1).standard_normal(depth.shape)
    down = fit_floor((depth * noise).astype(np.float32), FOCAL, CENTRE)
    assert measure_angle_deg(down, find_down(pitch, roll)) < 0.5


def test_a_table_and_missing_depth_do_not_tilt_the_floor():
    depth = make_room(-0.4, 0.0)
    table = (CAMERA_M - 0.7) / np.maximum(make_rays() @ find_down(-0.4, 0.0), 1e-6)
    depth[70:100, 30:80] = table[70:100, 30:80]
    depth[::3] = 0
    down = fit_floor(depth, FOCAL, CENTRE)
    assert measure_angle_deg(down, find_down(-0.4, 0.0)) < 0.2


def test_a_wall_alone_and_nothing_are_no_floor():
    assert fit_floor(np.full((HEIGHT, WIDTH), WALL_M, np.float32), FOCAL, CENTRE) is None
    assert fit_floor(np.zeros((HEIGHT, WIDTH), np.float32), FOCAL, CENTRE) is None


def test_points_on_a_line_are_no_plane():
    depth = np.zeros((HEIGHT, WIDTH), np.float32)
    depth[100] = 2.0
    assert fit_floor(depth, FOCAL, CENTRE) is None
