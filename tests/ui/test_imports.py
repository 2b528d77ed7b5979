"""What foreign files bring in the window, and the still through OpenColorIO's views."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from formats.conftest import make_project as make_shot

from stillto3d import formats
from stillto3d.models.roles import VIEWS
from stillto3d.project.project import Project, start_project
from stillto3d.worker.adapters.builtin import film_view

from .conftest import Driver


def show(rgb: np.ndarray, view: str) -> np.ndarray:
    told = {"space": "lin_rec709", "view": view}
    return film_view.show_view({"rgb": rgb}, told, lambda done, of: None)["pixels"]


def shown(driver: Driver) -> np.ndarray:
    """The pixels that the canvas draws at their own size."""
    image = driver.canvas._picture.levels[0]
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)


def test_views_are_those_of_the_configuration() -> None:
    """A grey of 0.18 in ACEScg, as the configuration's own documents give it."""
    grey = np.full((1, 1, 3), 0.18, np.float32)
    ops = [film_view.show_view({"rgb": grey}, {"space": "lin_ap1", "view": view}, lambda i, n: None) for view in VIEWS]
    assert [int(op["pixels"][0, 0, 0]) for op in ops] == [91, 118]  # 0.356 and 0.461 of 255
    with pytest.raises(Exception, match="not a colour space"):
        show(grey, "no such view")


def test_a_linear_still_is_seen_through_a_view(driver: Driver, tmp_path: Path) -> None:
    rgb = np.linspace(0, 6, 48 * 64 * 3, dtype=np.float32).reshape(48, 64, 3).astype(np.float16)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"RGB": rgb}).write(str(tmp_path / "light.exr"))
    driver.open(tmp_path / "light.exr")
    colours = driver.session.commands.colours
    for wish, view in (("view.aces", VIEWS[0]), ("view.plain", VIEWS[1])):
        driver.do(wish)
        driver.finish(colours.show())
        np.testing.assert_array_equal(shown(driver), show(rgb, view))
    driver.do("view.opened")
    driver.finish(colours.show())
    np.testing.assert_array_equal(shown(driver), driver.document.project.hero.still.pixels)


def test_a_still_of_8_bits_has_no_other_view(driver: Driver) -> None:
    driver.document.open(make_shot(), None)
    table = driver.window.actions_table.table
    assert table["view.aces"].isEnabled()  # its source is scene-linear
    still = make_shot().hero.still
    flat = type(still)(still.pixels, "flat", "5" * 64)
    driver.document.open(start_project(flat), None)
    assert not table["view.aces"].isEnabled() and not table["view.opened"].isEnabled()


async def write(driver: Driver, project: Project, path: Path) -> None:
    await driver.session.engine.submit("write", lambda run: formats.write(run, project, path), "files")


def test_layers_and_a_camera_come_in(driver: Driver, tmp_path: Path) -> None:
    shot = make_shot()
    for path in (tmp_path / "shot.ply", tmp_path / "shot.fspy"):
        driver.finish(write(driver, shot, path))
    plain = start_project(shot.hero.still)
    driver.document.open(plain, None)
    imports = driver.session.commands.imports
    driver.finish(imports.bring_layers(tmp_path / "shot.ply"))
    (layer,) = driver.document.project.layers
    assert layer.name == "shot" and driver.window.layers.selected() == {layer.id}
    driver.finish(imports.bring_camera(tmp_path / "shot.fspy"))
    camera, wanted = driver.document.project.hero.camera, shot.hero.camera
    assert camera is not None and wanted is not None
    np.testing.assert_allclose(camera.world_from_camera, wanted.world_from_camera, atol=1e-6)
    driver.do("edit.undo")
    driver.do("edit.undo")
    assert not driver.document.project.layers and driver.document.project.hero.camera is None
