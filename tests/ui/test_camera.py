"""The camera by hand: the horizon is drawn where it lies, and dragging it tilts the camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stillto3d.project.geometry import Mesh
from stillto3d.project.project import LayerKind, Project, make_layer, start_project
from stillto3d.project.space import Camera, aim_camera
from stillto3d.project.still import Still
from stillto3d.ui.edits import aim_shot, put_camera, reset_camera
from stillto3d.ui.horizon import HANDLES, drag_horizon, find_horizon, read_tilt
from stillto3d.ui.lens_panel import FILM_BACKS, find_film_back
from stillto3d.ui.vanishing import lay_lines, move_end, solve_lines

from .conftest import SAMPLES, Driver


def make_camera(pitch: float, roll: float, width: int = 960, height: int = 640) -> Camera:
    return Camera(width, height, 900, 900, width / 2 + 7, height / 2 - 5, aim_camera(pitch, roll, 1.6))


@pytest.mark.parametrize(("pitch", "roll"), [(0, 0), (-0.4, 0), (0.2, 0.1), (-0.1, -0.3)])
def test_the_horizon_is_where_far_things_of_eye_height_are(pitch: float, roll: float) -> None:
    camera = make_camera(pitch, roll)
    line = find_horizon(camera)
    assert line is not None
    for x in (-3e5, 0.0, 2e5):
        (pixel,), depth = camera.project([[x, 1.6, -1e6]])
        assert depth[0] > 0
        assert pixel[1] == pytest.approx(line[0] + (line[1] - line[0]) * pixel[0] / camera.width, abs=0.01)
    assert read_tilt(camera, line) == pytest.approx((pitch, roll), abs=1e-9)


def test_the_ends_tip_the_line_and_the_middle_lifts_it() -> None:
    assert drag_horizon((100, 120), 1, 150) == pytest.approx((140, 160))
    tipped = drag_horizon((100, 100), 2, 200)
    at = [tipped[0] + (tipped[1] - tipped[0]) * share for share in HANDLES]
    assert at[0] == pytest.approx(100) and at[2] == pytest.approx(200)


def test_dragging_the_horizon_tilts_the_camera(driver: Driver) -> None:
    driver.open(SAMPLES / "room_living" / "still.jpg")
    still = driver.document.project.hero.still
    camera = make_camera(-0.1, 0.0, still.width, still.height)
    driver.document.edit("Aim", put_camera(driver.document.project, camera))
    aimed = driver.document.project
    driver.do("view.horizon")
    driver.finish(driver.session.commands.camera.show_guides())
    line = find_horizon(camera)
    middle = (still.width / 2, sum(line) / 2)
    with driver.wait(driver.document.changed, lambda old, new: True):
        driver.drag(middle, (middle[0], middle[1] + 20), (middle[0], middle[1] + 40))
    pitch, roll = driver.document.project.hero.camera.measure_tilt()
    assert pitch > -0.1 + 0.03 and roll == pytest.approx(0, abs=1e-6)
    lens = driver.window.inspector.lens
    assert lens.pitch.value() == pytest.approx(np.degrees(pitch), abs=0.01)
    driver.do("edit.undo")
    assert driver.document.project is aimed
    lens.lock.setChecked(True)
    driver.drag(middle, (middle[0], middle[1] + 20), (middle[0], middle[1] + 40))
    assert driver.document.project.hero.camera.measure_tilt()[0] == pytest.approx(-0.1)


# --------------------------------------------------------------------------- vanishing lines


def draw_lines(camera: Camera, turn: float) -> tuple:
    """Lines on the floor and above it along two level directions at right angles, as the camera sees them."""
    lines = []
    for angle in (turn, turn + np.pi / 2):
        way = np.array([np.cos(angle), 0, np.sin(angle)])
        for height in (0.0, 2.4):
            ends = np.array([[0.3, height, -5.0]]) + np.outer([-0.8, 0.8], way)
            pixels, _ = camera.project(ends)
            lines.append(tuple(map(tuple, pixels.tolist())))
    return tuple(lines)


@pytest.mark.parametrize(("pitch", "roll", "turn"), [(-0.2, 0.0, 0.6), (0.15, 0.12, 0.9), (-0.3, -0.05, 0.5)])
def test_lines_along_the_set_solve_the_lens(pitch: float, roll: float, turn: float) -> None:
    truth = make_camera(pitch, roll)
    guess = Camera(960, 640, 500, 500, truth.cx, truth.cy, aim_camera(0, 0, 1.6))
    solved = solve_lines(guess, draw_lines(truth, turn))
    assert solved is not None
    assert solved[0].fx == pytest.approx(900, rel=1e-6) and solved[0].origin["focal"].source == "user"
    assert solved[1:] == pytest.approx((pitch, roll), abs=1e-6)


def test_parallel_lines_leave_the_focal_length() -> None:
    truth = make_camera(-0.2, 0.0)
    solved = solve_lines(truth, draw_lines(truth, 0.0))
    assert solved is not None and solved[0].fx == 900 and solved[1:] == pytest.approx((-0.2, 0), abs=1e-6)


@pytest.mark.parametrize(("pitch", "roll"), [(-0.2, 0.0), (0.4, 0.1), (-1.2, -0.3)])
def test_lines_that_nobody_moved_say_what_the_camera_is(pitch: float, roll: float) -> None:
    camera = make_camera(pitch, roll)
    solved = solve_lines(camera, lay_lines(camera))
    assert solved is not None and solved[0].fx == pytest.approx(camera.fx)
    assert solved[1:] == pytest.approx((pitch, roll), abs=1e-6)


def test_a_locked_horizon_is_not_dragged(driver: Driver) -> None:
    driver.open(SAMPLES / "room_living" / "still.jpg")
    still = driver.document.project.hero.still
    camera = replace(make_camera(-0.1, 0.0, still.width, still.height), locked=True)
    driver.document.edit("Aim", put_camera(driver.document.project, camera))
    before = driver.document.project
    driver.do("view.horizon")
    driver.finish(driver.session.commands.camera.show_guides())
    middle = sum(driver.canvas.guides.horizon) / 2
    assert not driver.canvas.guides.grab(driver.canvas.to_widget(still.width / 2, middle), driver.canvas.to_widget)
    assert driver.document.project is before


def test_a_camera_is_reset_under_a_set_that_stands() -> None:
    solved = make_camera(-0.2, 0.05)
    still = Still(np.zeros((solved.height, solved.width, 3), np.uint8), "black", "3" * 64)
    mesh = Mesh(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.uint32))
    layer = make_layer("set", LayerKind.SCENE, geometry=mesh)
    project = put_camera(Project(start_project(still).shots, (layer,)), solved)
    by_hand = aim_shot(put_camera(project, replace(solved, fx=700, fy=700, locked=True)), 0.1, 0.0, 2.0)
    back = reset_camera(by_hand, solved)
    camera = back.hero.camera
    assert (camera.fx, camera.locked) == (solved.fx, False) and camera.origin["focal"] == solved.origin["focal"]
    assert camera.measure_tilt() == pytest.approx((-0.2, 0.05)) and camera.position[1] == pytest.approx(2.0)
    assert back.layers[0].transform[:3, :3] == pytest.approx(np.eye(3), abs=1e-9)


def test_a_film_back_turns_with_the_still() -> None:
    upright = replace(make_camera(0, 0, 640, 960), film_back_mm=36.0 * 640 / 960)
    assert FILM_BACKS[find_film_back(upright)][0] == "Full frame"
    assert find_film_back(replace(upright, film_back_mm=23.6)) == len(FILM_BACKS)  # APS-C stands upright as 15.7 mm


def test_dragging_a_line_changes_the_lens(driver: Driver) -> None:
    driver.open(SAMPLES / "room_living" / "still.jpg")
    still = driver.document.project.hero.still
    camera = make_camera(-0.1, 0.0, still.width, still.height)
    driver.document.edit("Aim", put_camera(driver.document.project, camera))
    before = driver.document.project
    driver.do("view.lines")
    driver.finish(driver.session.commands.camera.show_guides())
    lines = lay_lines(camera)
    x, y = lines[0][1]
    with driver.wait(driver.document.changed, lambda old, new: True):
        driver.drag((x, y), (x, y + 10), (x, y + 20))
    expected = solve_lines(camera, move_end(lines, 1, (x, y + 20)))
    now = driver.document.project.hero.camera
    assert now.fx == pytest.approx(expected[0].fx, rel=0.02)
    assert now.measure_tilt() == pytest.approx(expected[1:], abs=0.01)
    dragged = driver.canvas.guides.lines
    driver.do("edit.undo")
    assert driver.document.project is before and driver.canvas.guides.lines == lines
    driver.do("edit.redo")
    assert driver.canvas.guides.lines == dragged
