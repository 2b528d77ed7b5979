"""Masks by hand: brush, eraser, lasso, mending a layer's mask, and the ways of showing them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt

from stillto3d.models.roles import Candidates, Click
from stillto3d.project.geometry import Material, Mesh
from stillto3d.project.project import LayerKind, make_layer
from stillto3d.project.still import Mask, Still
from stillto3d.ui.attempt import Attempt, draw_stroke, fill_lasso
from stillto3d.ui.mask_drawing import MaskView

from .conftest import SAMPLES, Driver

STILL = SAMPLES / "table_breakfast" / "still.jpg"
CUP, BREAD = (515, 340), (860, 220)


def make_attempt() -> Attempt:
    return Attempt(Still(np.zeros((20, 30, 3), np.uint8), "black", "0" * 64))


def block(y0: int, y1: int, x0: int, x1: int) -> np.ndarray:
    alpha = np.zeros((20, 30), np.uint8)
    alpha[y0:y1, x0:x1] = 255
    return alpha


# --------------------------------------------------------------------------- the value


def test_a_stroke_covers_its_way_with_round_ends() -> None:
    alpha = draw_stroke((30, 20), [(5, 10), (25, 10)], 3.0)
    assert alpha.shape == (20, 30) and alpha[10, 5:25].min() == 255
    assert alpha[10, 3] == 255 and alpha[10, 1] == 0 and alpha[4].max() == 0
    assert (alpha > 127).sum() == pytest.approx(20 * 6 + np.pi * 9, rel=0.08)


def test_a_dot_and_a_lasso_are_filled() -> None:
    assert (draw_stroke((30, 20), [(15, 10)], 4.0) > 127).sum() == pytest.approx(np.pi * 16, rel=0.1)
    triangle = fill_lasso((30, 20), [(5, 5), (25, 5), (5, 15)])
    assert (triangle > 127).sum() == pytest.approx(100, rel=0.1)


def test_parts_join_and_leave() -> None:
    attempt = make_attempt().paint(block(2, 10, 2, 10), adds=True)
    attempt = attempt.paint(block(4, 6, 4, 6), adds=False)
    assert attempt.mask is not None and attempt.mask.count_pixels() == 64 - 4 and attempt.strokes == 2
    part = Candidates((Mask(block(0, 5, 0, 30), attempt.still.id),), (0.9,), 0)
    pointed = Attempt(
        attempt.still, base=attempt.base, takes_away=True, clicks=(Click(1.5, 2),), candidates=part, chosen=0
    )
    assert pointed.mask is not None and pointed.mask.alpha[:5].max() == 0
    settled = pointed.settle()
    assert settled.base is not None and (settled.base.alpha == pointed.mask.alpha).all()
    assert settled.asked == ("1.5,2",) and not settled.pointed


# --------------------------------------------------------------------------- by hand


def paint(driver: Driver, *places: tuple[float, float]) -> None:
    with driver.wait(driver.masking.changed, lambda: True):
        driver.drag(*places)


def test_brush_and_eraser_make_a_layer(driver: Driver) -> None:
    driver.open(STILL)
    driver.press("B")
    driver.canvas.set_radius(20)
    paint(driver, (200, 200), (300, 200), (300, 300))
    painted = driver.masking.attempt.mask.count_pixels()
    assert painted == pytest.approx(200 * 40 + np.pi * 400, rel=0.1)
    driver.press("E")
    paint(driver, (300, 300), (300, 250))
    assert driver.masking.attempt.mask.count_pixels() < painted
    driver.press("Ctrl+Z")
    assert driver.masking.attempt.mask.count_pixels() == painted
    driver.accept()
    (layer,) = driver.document.project.props()
    assert layer.made_by.params["strokes"] == 1


def test_a_lasso_takes_what_it_encloses(driver: Driver) -> None:
    driver.open(STILL)
    driver.press("L")
    paint(driver, (100, 100), (300, 100), (300, 300), (100, 300), (100, 110))
    assert driver.masking.attempt.mask.count_pixels() == pytest.approx(200 * 200, rel=0.03)


def test_a_click_on_a_layer_mends_its_mask(driver: Driver) -> None:
    driver.open(STILL)
    driver.click(*CUP)
    layer_id = driver.accept()
    before = driver.document.project.layers[0].masks
    with driver.wait(driver.masking.changed, lambda: driver.masking.attempt is not None):
        driver.hover(*CUP)
        driver.point_at(*CUP)
    assert driver.masking.attempt.layer_id == layer_id
    driver.click(*BREAD, Qt.KeyboardModifier.ShiftModifier)
    driver.finish(driver.masking.accept())
    (layer,) = driver.document.project.layers
    still_id = driver.document.project.hero.still.id
    assert layer.id == layer_id and layer.masks[still_id].count_pixels() > before[still_id].count_pixels()
    driver.press("Ctrl+Z")
    assert driver.document.project.layers[0].masks is before


def test_the_mask_under_the_pointer_stands_out(driver: Driver) -> None:
    """What a click would take up shows before it, and asks no model."""
    driver.open(STILL)
    driver.press("B")
    driver.canvas.set_radius(20)
    paint(driver, (200, 200), (300, 200))
    driver.accept()
    driver.press("V")

    def are_strong(*wanted: bool) -> Any:
        return driver.wait(driver.canvas.drawn, lambda: [o.strong for o in driver.canvas._overlays] == list(wanted))

    with are_strong(False):
        driver.window.layers.select(frozenset())
    with are_strong(True):
        driver.hover(250, 200)
    with are_strong(False):
        driver.masking._point(None)


def test_alt_click_takes_a_part_away(driver: Driver) -> None:
    driver.open(STILL)
    driver.click(*CUP)
    driver.click(*BREAD, Qt.KeyboardModifier.ShiftModifier)
    both = driver.masking.attempt.mask.count_pixels()
    driver.click(*BREAD, Qt.KeyboardModifier.AltModifier)
    assert driver.masking.attempt.mask.count_pixels() < both
    assert driver.masking.attempt.mask.alpha[int(BREAD[1]), int(BREAD[0])] < 128


@pytest.mark.parametrize("view", [view for view in MaskView if view is not MaskView.PLATE])
def test_masks_are_shown_in_four_ways(driver: Driver, view: MaskView) -> None:
    driver.open(STILL)
    driver.press("B")
    paint(driver, (400, 300), (500, 300))
    with driver.wait(driver.canvas.drawn, lambda: driver.masking.view is view):
        driver.do(f"view.{view.value}")
    picture = driver.canvas.grab().toImage()
    place = driver.canvas.to_widget(450, 300).toPoint()
    aside = driver.canvas.to_widget(450, 400).toPoint()
    inside, outside = picture.pixelColor(place).getRgb()[:3], picture.pixelColor(aside).getRgb()[:3]
    still = driver.document.project.hero.still.pixels
    if view is MaskView.MATTE:
        assert inside == (255, 255, 255) and outside == (0, 0, 0)
    elif view is MaskView.XRAY:
        assert outside == (46, 46, 46)
    else:
        assert np.abs(np.subtract(outside, still[400, 450].astype(int))).max() < 60


def test_a_matte_comes_in_and_goes_out(driver: Driver, tmp_path: Path) -> None:
    driver.open(STILL)
    alpha = np.zeros((640, 960), np.uint8)
    alpha[100:200, 300:500] = 200
    Image.fromarray(alpha).save(tmp_path / "vase.png")
    driver.finish(driver.session.commands.masks.import_matte_from(tmp_path / "vase.png"))
    (layer,) = driver.document.project.props()
    assert layer.name == "vase"
    assert (layer.masks[driver.document.project.hero.still.id].alpha == alpha).all()
    Image.fromarray(alpha[:50]).save(tmp_path / "small.png")
    driver.finish(driver.session.commands.masks.import_matte_from(tmp_path / "small.png"))
    (error,) = driver.window.jobs.list_errors()
    assert "960 x 50" in error
    driver.window.jobs.dismiss_all()


def test_a_painted_hole_is_filled_in_plate_and_texture(driver: Driver) -> None:
    driver.open(STILL)
    still = driver.document.project.hero.still
    plate = still.pixels.copy()
    plate[300:340, 200:240] = (255, 0, 0)
    shot = replace(driver.document.project.hero, clean_plate=plate)
    quad = Mesh(
        np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32),
        np.array([[0, 1, 2]], np.uint32),
        uvs=np.zeros((3, 2), np.float32),
        material=Material(shot.clean_plate),
    )
    layer = make_layer("set", LayerKind.SCENE, geometry=quad)
    driver.document.edit("Build", replace(driver.document.project, shots=(shot,), layers=(layer,)))
    before = driver.document.project
    driver.do("view.plate")
    driver.press("B")
    driver.canvas.set_radius(36)
    paint(driver, (220, 320), (221, 320))
    driver.finish(driver.session.commands.masks.accept())
    filled = driver.document.project.hero.clean_plate
    assert (filled[300:340, 200:240, 0].astype(int) - filled[300:340, 200:240, 1] < 200).all()
    assert (filled[:200] == plate[:200]).all()
    assert driver.document.project.layers[0].geometry.material.base_color is filled
    driver.do("edit.undo")
    assert driver.document.project is before


def test_another_still_keeps_masks_and_camera(driver: Driver, tmp_path: Path) -> None:
    driver.open(STILL)
    driver.press("B")
    paint(driver, (400, 300), (500, 300))
    driver.accept()
    small = tmp_path / "small.png"
    Image.open(STILL).resize((480, 320)).save(small)
    driver.finish(driver.session.commands.files.replace_still(small))
    project = driver.document.project
    alpha = project.layers[0].masks[project.hero.still.id].alpha
    assert alpha.shape == (320, 480) and alpha[150, 225] == 255 and alpha[50, 50] == 0
    Image.open(STILL).resize((480, 480)).save(small)
    driver.finish(driver.session.commands.files.replace_still(small))
    assert driver.document.project is project
    (error,) = driver.window.jobs.list_errors()
    assert "480 x 480" in error
    driver.window.jobs.dismiss_all()


def test_a_click_where_the_pointer_rests_asks_no_second_time(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.open(STILL)
    with driver.wait(driver.masking.changed, lambda: driver.masking.preview is not None):
        driver.hover(*CUP)
    preview, asked = driver.masking.preview, []
    submit = driver.masking._engine.submit

    def listen(label: str, *rest: Any) -> Any:
        asked.append(rest[-1])
        return submit(label, *rest)

    monkeypatch.setattr(driver.masking._engine, "submit", listen)
    driver.click(*CUP)
    assert "click" not in asked
    assert np.array_equal(driver.masking.attempt.mask.alpha, preview.alpha)
    driver.click(CUP[0] + 40, CUP[1] + 10, Qt.KeyboardModifier.ShiftModifier)
    assert "click" in asked, "a further click is another question"
