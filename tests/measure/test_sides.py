"""The far side of a prop: seen through its front, and judged by the prop's own extent."""

from __future__ import annotations

import numpy as np
import pytest

from measure.sides import measure_far_side, render_sides, turn_inside_out
from measure.truth import read_sample
from stillto3d.project.geometry import Mesh
from stillto3d.project.space import Camera, aim_camera

from .scenes import FOCAL, HEIGHT, NEAR, SQUARE, THICK, WIDTH, write_sample

CAMERA = Camera(WIDTH, HEIGHT, FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2, aim_camera(-0.6, 0.0, 1.5))
BOX = np.array([[0, 2, 1], [0, 3, 2], [4, 5, 6], [4, 6, 7], [0, 1, 5], [0, 5, 4], [1, 2, 6], [1, 6, 5]])


def make_box(thick: float) -> Mesh:
    """The square as a frustum of rays: its front at NEAR, its far side at `thick` times that."""
    x0, y0, x1, y1 = SQUARE
    corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)
    sides = [CAMERA.unproject(corners, np.full(4, depth)) for depth in (NEAR, NEAR * thick)]
    return Mesh(np.concatenate(sides).astype(np.float32), BOX.astype(np.uint32))


def test_both_sides_are_seen_along_every_ray(run):
    near, far = render_sides(run, make_box(1.5), CAMERA)
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[SQUARE[1] + 1 : SQUARE[3] - 1, SQUARE[0] + 1 : SQUARE[2] - 1] = True
    np.testing.assert_allclose(near[inside], NEAR, rtol=1e-4)
    np.testing.assert_allclose(far[inside], 1.5 * NEAR, rtol=1e-3)
    assert not near[:10].any() and not far[:10].any()


@pytest.mark.parametrize(("thick", "error"), [(THICK, 0.0), (1 + (THICK - 1) / 2, 0.5), (1.0001, 1.0)])
def test_the_far_side_is_judged_by_the_props_own_extent(run, tmp_path, thick, error):
    truth = read_sample(write_sample(tmp_path / "square"))
    mask = truth.instances[0].mask
    assert measure_far_side(run, make_box(thick), CAMERA, mask, truth) == pytest.approx(error, abs=0.02)


def test_a_bigger_prop_farther_away_is_the_same(run, tmp_path):
    truth = read_sample(write_sample(tmp_path / "square"))
    box = make_box(THICK)
    eye = CAMERA.position
    larger = Mesh((eye + 3 * (box.positions - eye)).astype(np.float32), box.faces)
    assert measure_far_side(run, larger, CAMERA, truth.instances[0].mask, truth) == pytest.approx(0, abs=0.02)


def test_turning_twice_is_nothing():
    points = np.array([[0.1, 0.2, -1.0], [0.5, -0.3, -2.0], [0, 0, -7.0]])
    turned, _ = turn_inside_out(points)
    assert turned[:, 2].argmin() == 0
    np.testing.assert_allclose(turn_inside_out(turned)[0], points)
