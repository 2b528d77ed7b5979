"""Layers by hand: order, copies, solo, names, and the inspector's numbers."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QToolButton

from stillto3d.engine.jobs import Job
from stillto3d.engine.run import Run
from stillto3d.errors import BadInput
from stillto3d.pipelines.prop import PropParams
from stillto3d.project.geometry import Mesh
from stillto3d.project.project import LayerKind, Project, make_layer, rescale_project, start_project
from stillto3d.project.space import Camera, aim_camera, join_transform, split_transform, translate
from stillto3d.project.still import Mask, Still
from stillto3d.ui import edits
from stillto3d.ui.canvas import Tool
from stillto3d.ui.drag_out import DraggedLayers
from stillto3d.ui.health import count_holes, examine_mesh
from stillto3d.ui.layers import EYE, LOCK, STATE
from stillto3d.ui.lens_panel import FILM_BACKS

from .conftest import Driver

QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
CUBE = Mesh(
    np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float32),
    np.array([(q[0], *pair) for q in QUADS for pair in (q[1:3], q[2:4])], np.uint32),
)


def make_project() -> Project:
    """A grey still with a solved camera, a set and three props."""
    still = Still(np.full((40, 60, 3), 90, np.uint8), "grey", "1" * 64)
    project = start_project(still)
    camera = Camera(60, 40, 50, 50, 30, 20, aim_camera(-0.2, 0.0, 1.5))
    alpha = np.zeros((40, 60), np.uint8)
    alpha[10:20, 10:20] = 255
    layers = [make_layer("set", LayerKind.SCENE, geometry=CUBE)]
    for name in "abc":
        masks = {still.id: Mask(alpha, still.id)}
        layers.append(make_layer(name, LayerKind.PROP, masks=masks, geometry=CUBE, transform=translate([1, 0, -3])))
    return edits.put_camera(Project(project.shots, tuple(layers)), camera)


def names(project: Project) -> list[str]:
    return [layer.name for layer in project.layers]


def ids(project: Project, *wanted: str) -> frozenset[str]:
    return frozenset(layer.id for layer in project.layers if layer.name in wanted)


# --------------------------------------------------------------------------- values


def test_layers_move_and_keep_their_order() -> None:
    project = make_project()
    first = next(iter(ids(project, "a")))
    assert names(edits.move_layers(project, ids(project, "b", "c"), first)) == ["set", "b", "c", "a"]
    assert names(edits.move_layers(project, ids(project, "a"), None)) == ["set", "b", "c", "a"]


def test_copies_have_names_and_ids_of_their_own() -> None:
    project, made = edits.duplicate_layers(make_project(), ids(make_project(), "a"))
    assert not made
    project = make_project()
    twice, made = edits.duplicate_layers(project, ids(project, "a", "b"))
    assert names(twice) == ["set", "a", "a_02", "b", "b_02", "c"] and len(made) == 2
    again, _ = edits.duplicate_layers(twice, ids(twice, "a"))
    assert len(set(names(again))) == len(again.layers)


def test_solo_goes_there_and_back() -> None:
    project = make_project()
    alone = edits.solo_layers(project, ids(project, "b"))
    assert [layer.visible for layer in alone.layers] == [False, False, True, False]
    assert all(layer.visible for layer in edits.solo_layers(alone, ids(project, "b")).layers)


def test_locked_layers_are_not_deleted() -> None:
    project = make_project()
    assert names(edits.remove_layers(project, ids(project, "a", "c"))) == ["set", "b"]
    assert edits.remove_layers(project, frozenset()) is project


@pytest.mark.parametrize("turns", [(0, 0, 0), (20, -130, 75), (-89, 10, 0), (90, 30, 0)])
def test_a_transform_is_split_and_joined(turns: tuple[float, float, float]) -> None:
    matrix = join_transform([1, -2, 3], turns, 0.4)
    place, found, scale = split_transform(matrix)
    assert place == pytest.approx([1, -2, 3]) and scale == pytest.approx(0.4)
    assert join_transform(place, found, scale) == pytest.approx(matrix, abs=1e-9)


def test_aiming_moves_the_set_with_the_camera() -> None:
    """What the camera sees stays where it is in the picture."""
    project = make_project()
    aimed = edits.aim_shot(project, 0.1, 0.05, 2.0)
    assert aimed.hero.camera.measure_tilt() == pytest.approx((0.1, 0.05))
    assert aimed.hero.camera.origin["rotation"].source == "user"
    for before, after in zip(project.layers, aimed.layers, strict=True):
        places = []
        for layer, camera in ((before, project.hero.camera), (after, aimed.hero.camera)):
            corners = CUBE.positions @ layer.transform[:3, :3].T + layer.transform[:3, 3]
            places.append(camera.project(corners)[0])
        assert places[0] == pytest.approx(places[1], abs=1e-6)


def test_everything_grows_together() -> None:
    project = make_project()
    grown = rescale_project(project, 2.5)
    assert grown.hero.camera.position == pytest.approx(project.hero.camera.position * 2.5)
    for before, after in zip(project.layers, grown.layers, strict=True):
        assert after.geometry.positions == pytest.approx(before.geometry.positions * 2.5)
        assert after.transform[:3, 3] == pytest.approx(before.transform[:3, 3] * 2.5)
        assert after.transform[:3, :3] == pytest.approx(before.transform[:3, :3])


def test_holes_are_counted() -> None:
    assert count_holes(CUBE) == 0 and examine_mesh(CUBE).watertight
    assert count_holes(Mesh(CUBE.positions, CUBE.faces[2:])) == 1
    assert count_holes(Mesh(CUBE.positions, CUBE.faces[:4])) == 2
    health = examine_mesh(Mesh(CUBE.positions, CUBE.faces[2:]))
    assert health.triangles == 10 and not health.watertight and health.size == (1, 1, 1)


# --------------------------------------------------------------------------- the panel


def test_the_panel_follows_edits_and_undo(driver: Driver) -> None:
    project = make_project()
    driver.document.open(project, None)
    panel = driver.window.layers
    rows = {panel.topLevelItem(k).text(0): panel.topLevelItem(k) for k in range(2)}

    def listed(group: str) -> list[str]:
        return [rows[group].child(k).text(0) for k in range(rows[group].childCount())]

    assert listed("SCENE") == ["set"] and listed("PROPS") == ["a", "b", "c"]
    panel.move_rows(ids(project, "c"), rows["PROPS"].child(0), below=False)
    assert listed("PROPS") == ["c", "a", "b"] == names(driver.document.project)[1:]
    rows["PROPS"].child(1).setText(0, "b")
    assert listed("PROPS") == ["c", "b_02", "b"]
    driver.do("edit.undo")
    driver.do("edit.undo")
    assert listed("PROPS") == ["a", "b", "c"] and driver.document.project is project


def test_eye_and_lock_are_clicked(driver: Driver) -> None:
    driver.document.open(make_project(), None)
    panel = driver.window.layers
    row = panel.topLevelItem(1).child(0)
    for column in (EYE, LOCK):
        driver.click_row(row, column)
    layer = driver.document.project.props()[0]
    assert not layer.visible and layer.locked
    driver.window.layers.select(frozenset([layer.id]))
    driver.do("edit.delete")
    assert driver.document.project.layer(layer.id) is not None


def test_a_layer_says_how_its_job_stands(driver: Driver) -> None:
    project = make_project()
    driver.document.open(project, None)
    panel, engine = driver.window.layers, driver.session.engine
    row = panel.topLevelItem(1).child(0)
    go_on = threading.Event()

    def work(run: Run) -> None:
        run.progress(0.4)
        go_on.wait()
        raise BadInput("It cannot be made.")

    made = engine.submit("prop", work, "heavy")
    driver.session.commands.making.begin(ids(project, "a"))
    assert row.text(STATE) == "waiting"
    with driver.wait(engine.happened, lambda job, event: event.fraction == 0.4):
        pass
    assert row.text(STATE) == "making 40 %"
    with driver.wait(engine.happened, lambda job, event: event.state.final):
        go_on.set()
    assert row.text(STATE) == "failed" and isinstance(made.exception(), BadInput)
    row.setText(0, "another")
    assert row.text(STATE) == "12 tris"


def test_the_inspector_moves_what_is_selected(driver: Driver) -> None:
    driver.document.open(make_project(), None)
    layer = driver.document.project.props()[1]
    driver.window.layers.select(frozenset([layer.id]))
    inspector = driver.window.inspector
    assert [spin.value() for spin in inspector.place] == [1, 0, -3]
    inspector.place[0].setValue(2.5)
    inspector.turn[1].setValue(90)
    moved = driver.document.project.layer(layer.id)
    assert moved.transform[:3, 3] == pytest.approx([2.5, 0, -3])
    assert moved.transform[:3, 0] == pytest.approx([0, 0, -1], abs=1e-9)
    driver.do("edit.undo")
    driver.do("edit.undo")
    assert [spin.value() for spin in inspector.place] == [1, 0, -3]


def test_the_inspector_offers_what_fits_the_layer(driver: Driver) -> None:
    project = make_project()
    driver.document.open(project, None)
    inspector, (stage, prop) = driver.window.inspector, (project.layers[0], project.props()[0])
    bare = make_layer("bare", LayerKind.PROP, masks=prop.masks)
    driver.document.edit("Add", Project(project.shots, (*project.layers, bare)))
    shown = {}
    for layer in (stage, prop, bare):
        driver.window.layers.select(frozenset([layer.id]))
        boxes = (inspector.mask_box, inspector.transform_box, inspector.prop_box)
        shown[layer.name] = [not box.isHidden() for box in boxes]
    assert shown == {"set": [False, True, False], "a": [True, True, True], "bare": [True, False, True]}
    inspector.mask_box.findChildren(QToolButton)[0].click()
    assert driver.canvas.tool is Tool.BRUSH


def test_a_back_says_which_numbers_count(driver: Driver) -> None:
    driver.document.open(make_project(), None)
    layer, inspector = driver.document.project.props()[0], driver.window.inspector
    inspector.reshape_wanted.disconnect(driver.session.commands.reshaping.wish)  # there is no set to make it in
    driver.window.layers.select(frozenset([layer.id]))
    with driver.wait(inspector.reshape_wanted, lambda layer_id, params: params["back"] == "mirrored"):
        inspector.back.setCurrentIndex(inspector.back.findData("mirrored"))
    assert inspector.thickness.isEnabled() and not inspector.profile.isEnabled()
    PropParams(**inspector.read_params())


def test_the_lens_is_changed_by_hand(driver: Driver) -> None:
    driver.document.open(make_project(), None)
    lens = driver.window.inspector.lens
    assert lens.focal.value() == pytest.approx(30.0)
    lens.focal.setValue(60.0)
    camera = driver.document.project.hero.camera
    assert camera.fx == pytest.approx(100) and camera.origin["focal"].source == "user"
    lens.film_mm.setValue(24.0)  # what was typed in millimetres stays
    assert lens.focal.value() == pytest.approx(60.0) and lens.film_back.currentIndex() == len(FILM_BACKS)
    lens.film_back.activated.emit(0)
    assert driver.document.project.hero.camera.fx == pytest.approx(100)
    lens.pitch.setValue(-5.0)
    assert np.degrees(driver.document.project.hero.camera.measure_tilt()[0]) == pytest.approx(-5)
    lens.lock.setChecked(True)
    assert driver.document.project.hero.camera.locked and not lens.focal.isEnabled()


def test_layers_are_dragged_out_as_a_file(driver: Driver) -> None:
    project = make_project()
    driver.document.open(project, None)
    chosen = ids(project, "b")
    mime = driver.session.commands.drag_out.begin(chosen)
    assert mime.hasUrls() and bytes(mime.data("application/x-stillto3d-layers").data()).decode() in chosen
    (url,) = mime.urls()
    data = Path(url.toLocalFile()).read_bytes()
    assert url.fileName() == "b.glb" and data[:4] == b"glTF" and b'"name":"b"' in data and b'"name":"a"' not in data
    (again,) = driver.session.commands.drag_out.begin(chosen).urls()
    assert again == url  # the same layers are not written twice
    empty = make_layer("mask", LayerKind.PROP)
    driver.document.edit("Add", Project(project.shots, (empty,)))
    assert not driver.session.commands.drag_out.begin(frozenset([empty.id])).hasUrls()


def test_a_drag_that_is_not_written_yet_says_so(driver: Driver, tmp_path: Path) -> None:
    told: list[Path] = []
    job = Job("Write", lambda run: None, "files", "", None)  # nobody runs it
    mime = DraggedLayers(frozenset("b"), job, tmp_path / "b.glb", told.append)
    assert mime.hasUrls() and not mime.urls() and told[0].name == "b.glb"


def test_several_layers_change_together(driver: Driver) -> None:
    project = make_project()
    driver.document.open(project, None)
    driver.window.layers.select(ids(project, "a", "b"))
    panel = driver.window.inspector.several
    assert panel.isVisibleTo(driver.window) and panel.visible.isChecked()
    panel.visible.click()
    assert not any(layer.visible for layer in driver.document.project.layers if layer.name in ("a", "b"))
    driver.do("edit.undo")
    panel.locked.click()
    locked = {layer.name for layer in driver.document.project.layers if layer.locked}
    assert locked == {"a", "b"}
    driver.do("edit.undo")
    assert driver.document.project is project


def test_keys_move_layers_within_their_group(driver: Driver) -> None:
    project = make_project()
    driver.document.open(project, None)
    driver.window.layers.select(ids(project, "a", "b"))
    driver.press("Ctrl+Down")
    assert names(driver.document.project) == ["set", "c", "a", "b"]
    driver.do("edit.lower")  # they stand at the end
    assert names(driver.document.project) == ["set", "c", "a", "b"]
    driver.press("Ctrl+Up")
    assert names(driver.document.project) == ["set", "a", "b", "c"]
