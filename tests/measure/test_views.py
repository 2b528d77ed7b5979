"""The second view: one renderer, three geometries, and what each deserves."""

from __future__ import annotations

import numpy as np
import pytest

from measure.report import measure_gain
from measure.truth import load_picture, read_sample
from measure.views import (
    SKY_RATIO,
    Grid,
    fill_push_pull,
    make_true_camera,
    measure_psnr,
    mesh_depth,
    move_aside,
    score_second_view,
    show_view,
)
from stillto3d.project.space import Camera, aim_camera

from .scenes import HEIGHT, WIDTH, write_sample


@pytest.fixture
def sample(tmp_path):
    truth = read_sample(write_sample(tmp_path / "square"))
    return truth, load_picture(truth.picture), load_picture(truth.second)


def gain_of(views):
    methods = {name: {"psnr_db": view.psnr_db} for name, view in views.items()}
    return measure_gain(methods, "ours")


def solve_otherwise(focal, height, pitch):
    """A camera that is not the true one."""
    return Camera(WIDTH, HEIGHT, focal, focal, WIDTH / 2, HEIGHT / 2, aim_camera(pitch, 0.0, height))


GRID = Grid((HEIGHT, WIDTH), 1)


def test_the_true_depth_shows_the_second_view_best(run, sample):
    truth, still, second = sample
    camera = solve_otherwise(200.0, 9.0, -0.7)
    ours = mesh_depth(truth.depth * 3, camera, still, 1)
    views = score_second_view(run, truth, still, second, [ours], camera, GRID)
    assert views["truth"].psnr_db > views["card"].psnr_db + 3
    assert views["ours"].psnr_db == pytest.approx(views["truth"].psnr_db, abs=0.7)
    assert gain_of(views) == pytest.approx(1, abs=0.15)
    assert views["ours"].holes == pytest.approx(views["truth"].holes, abs=0.01)
    assert views["truth"].holes > views["card"].holes > 0


def test_a_flat_set_is_no_better_than_a_card(run, sample):
    truth, still, second = sample
    camera = solve_otherwise(200.0, 1.0, -0.6)
    flat = mesh_depth(np.full_like(truth.depth, 7.0), camera, still, 1)
    views = score_second_view(run, truth, still, second, [flat], camera, GRID)
    assert gain_of(views) == pytest.approx(0, abs=0.02)


def test_a_wrong_focal_length_is_told_apart_from_wrong_depth(run, sample):
    truth, still, second = sample
    camera = solve_otherwise(400.0, 1.0, -0.6)
    ours = mesh_depth(truth.depth, camera, still, 1)
    views = score_second_view(run, truth, still, second, [ours], camera, GRID)
    assert views["ours"].psnr_db < views["truth"].psnr_db - 3
    assert views["ours_true_focal"].psnr_db == pytest.approx(views["truth"].psnr_db, abs=0.7)


def test_a_camera_that_stays_sees_the_still_itself(run, sample):
    truth, still, _ = sample
    camera = make_true_camera(truth, WIDTH, HEIGHT)
    view = show_view(run, [mesh_depth(np.full_like(truth.depth, 2.0), camera, still, 1)], camera, still)
    assert view.holes == 0 and view.psnr_db > 45
    assert np.allclose(move_aside(camera, 0.5).position - camera.position, [0.5, 0, 0])


def test_triangles_over_an_edge_of_depth_are_torn_and_sky_is_far(sample):
    truth, still, _ = sample
    camera = make_true_camera(truth, WIDTH, HEIGHT)
    torn = mesh_depth(truth.depth, camera, still, 2)
    z = camera.project(torn.positions)[1][torn.faces]
    assert (z.max(axis=1) / z.min(axis=1)).max() < 1.13
    cells = (WIDTH // 2) * (HEIGHT // 2)
    assert 0.9 * cells < len(torn.faces) / 2 < cells
    with_sky = mesh_depth(np.where(truth.depth == 2.0, 0, truth.depth), camera, still, 2)
    assert camera.project(with_sky.positions)[1].max() == pytest.approx(SKY_RATIO * 4, rel=1e-3)


def test_holes_are_filled_from_around_them_and_nothing_else_changes():
    pixels = np.full((40, 60, 3), 90, np.uint8)
    pixels[:, 30:] = 200
    covered = np.ones((40, 60), bool)
    covered[10:20, 5:15] = covered[:, 58:] = False
    pixels[~covered] = 0
    filled = fill_push_pull(pixels, covered)
    assert (filled[covered] == pixels[covered]).all()
    assert np.abs(filled[10:20, 5:15].astype(int) - 90).max() <= 2
    assert np.abs(filled[:, 58:].astype(int) - 200).max() <= 2


def test_psnr_of_equal_and_opposite_pictures():
    black = np.zeros((4, 4, 3), np.uint8)
    assert measure_psnr(black, black) == 100
    assert measure_psnr(black, black + np.uint8(255)) == pytest.approx(0)
