"""The thin way through the real window: a still, a click, a layer, the shot, its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from stillto3d.project.geometry import Mesh
from stillto3d.project.project import LayerKind

from .conftest import SAMPLES, Driver
from .test_files import answer

STILL = SAMPLES / "table_breakfast" / "still.jpg"
CUP, TEAPOT = (515, 340), (660, 210)


def test_from_a_still_to_a_glb(driver: Driver, tmp_path: Path) -> None:
    driver.finish(driver.session.load_viewport())
    driver.open(STILL)
    driver.click(*CUP)
    assert driver.masking.attempt.mask.count_pixels() > 500
    with driver.wait(driver.document.changed, lambda old, new: bool(new.layers)):
        driver.press("Return")
    with driver.wait(driver.document.changed, lambda old, new: has_set(new)):
        driver.do("make.props")
    project = driver.document.project
    assert all(isinstance(layer.geometry, Mesh) for layer in project.layers)
    scene = driver.window.scene
    driver.finish(scene.show_project(project))
    picture = scene.interactor.screenshot(return_img=True)
    assert picture[::8, ::8].reshape(-1, 3).std(axis=0).min() > 10, "the viewport shows one colour"

    assert driver.document.dirty
    driver.document.path = tmp_path / "shot.s3d"
    assert driver.finish(driver.session.commands.files.save())
    assert not driver.document.dirty
    driver.finish(driver.session.commands.files.export_to(tmp_path / "shot.glb"))
    assert (tmp_path / "shot.glb").read_bytes()[:4] == b"glTF"
    driver.open(tmp_path / "shot.s3d")
    assert [layer.name for layer in driver.document.project.layers] == [layer.name for layer in project.layers]


def has_set(project: Any) -> bool:
    return any(layer.kind is LayerKind.SCENE for layer in project.layers)


def test_hover_shows_what_a_click_would_take(driver: Driver) -> None:
    driver.open(STILL)
    with driver.wait(driver.masking.changed, lambda: driver.masking.preview is not None):
        driver.hover(*CUP)
    hovered = driver.masking.preview
    driver.click(*CUP)
    assert (driver.masking.attempt.mask.alpha == hovered.alpha).mean() > 0.999
    assert driver.masking.preview is None


def test_a_mask_is_refined_chosen_and_dropped(driver: Driver) -> None:
    driver.open(STILL)
    driver.click(*CUP)
    first = driver.masking.attempt
    driver.press("3")
    assert driver.masking.attempt.chosen == 2
    driver.press("Ctrl+Z")
    assert driver.masking.attempt is first
    driver.click(*TEAPOT, Qt.KeyboardModifier.ShiftModifier)
    both = driver.masking.attempt.mask
    assert (both.alpha >= first.mask.alpha).all() and both.count_pixels() > first.mask.count_pixels()
    driver.press("Esc")
    assert driver.masking.attempt is None and not driver.document.project.layers


def test_a_box_masks_what_it_holds(driver: Driver) -> None:
    driver.open(STILL)
    with driver.wait(driver.masking.changed, lambda: driver.offered):
        driver.drag((430, 300), (500, 350), (620, 460))
    alpha = driver.masking.attempt.mask.alpha
    inside = alpha[300:460, 430:620]
    assert (inside > 127).sum() > 0.9 * (alpha > 127).sum()


def test_undo_and_redo_go_through_everything(driver: Driver) -> None:
    driver.open(STILL)
    empty = driver.document.project
    driver.click(*CUP)
    layer_id = driver.accept()
    full = driver.document.project
    assert driver.window.layers.selected() == {layer_id}
    table = driver.window.actions_table.table
    assert "prop_01" in table["edit.undo"].text() and "prop_01" not in table["edit.redo"].text()
    driver.press("Ctrl+Z")
    assert "prop_01" not in table["edit.undo"].text() and "prop_01" in table["edit.redo"].text()
    assert driver.document.project is empty and not driver.document.dirty
    driver.press("Ctrl+Shift+Z")
    assert driver.document.project is full
    driver.press("Del")
    assert not driver.document.project.layers


def test_what_cannot_be_opened_is_said(driver: Driver, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture at all")
    driver.open(broken)
    (error,) = driver.window.jobs.list_errors()
    assert "not a picture" in error
    driver.window.jobs.dismiss_all()
    driver.open(tmp_path / "nowhere.png")
    (error,) = driver.window.jobs.list_errors()
    assert "does not exist" in error
    driver.window.jobs.dismiss_all()


def test_a_result_for_a_deleted_layer_does_no_harm(driver: Driver) -> None:
    driver.open(STILL)
    driver.click(*CUP)
    driver.accept()
    with driver.wait(driver.session.engine.added, lambda job: job.lane == "heavy"):
        driver.do("make.props")
    driver.do("edit.delete")
    with driver.wait(driver.document.changed, lambda old, new: has_set(new)):
        pass
    assert not driver.document.project.props()


def test_closing_while_a_job_runs_ends_every_worker(driver: Driver) -> None:
    driver.open(STILL)
    with driver.wait(driver.session.engine.happened, lambda job, event: job.lane == "heavy" and event.fraction > 0):
        driver.do("make.set")
    assert driver.session.studio.engine.list_workers()
    answer(QMessageBox, "", QMessageBox.StandardButton.Cancel)
    driver.finish(driver.session.commands.files.close())
    assert driver.window.isVisible() and driver.session.engine.list_jobs()
    answer(QMessageBox, "", QMessageBox.StandardButton.Ok)
    with driver.wait(driver.window.closed, lambda: True):
        driver.window.close()
    assert not driver.session.studio.engine.list_workers()
    assert not driver.session.engine.list_jobs()


def test_thickness_is_tried_out_live_as_one_step(driver: Driver) -> None:
    driver.open(STILL)
    driver.click(*CUP)
    layer_id = driver.accept()
    with driver.wait(driver.document.changed, lambda old, new: has_set(new)):
        driver.do("make.props")
    made = driver.document.project
    driver.window.layers.select(frozenset([layer_id]))
    spin = driver.window.inspector.thickness
    for thickness in (1.5, 0.4):
        with driver.wait(driver.document.changed, lambda old, new, t=thickness: shape(new, layer_id) == t):
            spin.setValue(thickness)
    layer = driver.document.project.layer(layer_id)
    assert len(layer.takes) == 1 and layer.takes[0].geometry is made.layer(layer_id).geometry
    driver.do("edit.undo")
    assert driver.document.project is made


def shape(project: Any, layer_id: str) -> float:
    return float(project.layer(layer_id).made_by.params["thickness"])


def test_clicks_are_answered_while_props_are_made(driver: Driver) -> None:
    driver.open(STILL)
    driver.click(*CUP)
    driver.accept()
    with driver.wait(driver.session.engine.happened, lambda job, event: job.lane == "heavy" and event.fraction > 0):
        driver.do("make.props")
    driver.click(*TEAPOT)
    driver.click(TEAPOT[0] + 5, TEAPOT[1])
    assert any(job.lane == "heavy" for job in driver.session.engine.list_jobs()), "the clicks waited for the props"
    with driver.wait(driver.document.changed, lambda old, new: has_set(new)):
        pass
    assert driver.masking.attempt is not None
    driver.masking.drop()
