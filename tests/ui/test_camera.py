"""The camera by hand: the horizon is drawn where it lies, and dragging it tilts the camera."""

from __future__ import annotations

import numpy as np
import pytest

from stillto3d.project.space import Camera, aim_camera
from stillto3d.ui.edits import put_camera
from stillto3d.ui.horizon import HANDLES, drag_horizon, find_horizon, read_tilt

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
    driver.finish(driver.session.commands.show_horizon())
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
