"""Files and crashes: autosave, recovery, lost jobs, unsaved changes, recent files, results that come late."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from formats.conftest import make_project as make_shot
from PySide6.QtCore import QMimeData, Qt, QTimer, QUrl
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox, QToolButton

from stillto3d.engine.engine import CANCEL_GRACE
from stillto3d.engine.jobs import Job, JobState, Record
from stillto3d.engine.run import Run
from stillto3d.formats import exr
from stillto3d.formats.plate import Samples, find_still_samples
from stillto3d.project.project import (
    LayerKind,
    Patch,
    Project,
    Shot,
    apply_patch,
    make_layer,
    rebase_patch,
    start_project,
)
from stillto3d.project.still import Mask, Still
from stillto3d.settings import find_folders
from stillto3d.ui.autosave import list_kept
from stillto3d.ui.document import measure_arrays
from stillto3d.ui.export_dialog import ExportDialog
from stillto3d.ui.recent import keep_recent, read_recent

from .conftest import PATIENCE, SAMPLES, Driver

STILL = SAMPLES / "table_breakfast" / "still.jpg"
NOBODY = 2**22 + 1  # no process has so high a number


def make_project() -> Project:
    still = Still(np.zeros((8, 12, 3), np.uint8), "black", "3" * 64)
    masks = {still.id: Mask(np.full((8, 12), 255, np.uint8), still.id)}
    return replace(start_project(still), layers=(make_layer("a", LayerKind.PROP, masks=masks),))


@pytest.fixture
def aside() -> Iterator[Path]:
    folder = find_folders().data / "autosave"
    yield folder
    for path in folder.glob("*"):
        path.unlink()


def leave_behind(driver: Driver, aside: Path, project: Project, origin: Path | None = None) -> None:
    """What a window leaves that is killed."""
    file = aside / f"{NOBODY}-dead.s3d"
    aside.mkdir(parents=True, exist_ok=True)
    driver.document.open(project, None, saved=False)
    driver.finish(driver.session.commands.files.autosave.keep())
    driver.session.commands.files.autosave.file.rename(file)
    note = {"pid": NOBODY, "title": "black", "origin": str(origin) if origin else None}
    file.with_suffix(".json").write_text(json.dumps(note))


# --------------------------------------------------------------------------- late results


def test_edits_made_meanwhile_survive_a_result() -> None:
    base = make_project()
    (layer,) = base.layers
    made = replace(layer, transform=np.diag([2.0, 2, 2, 1]))
    now = replace(base, layers=(replace(layer, name="renamed", visible=False),))
    result = apply_patch(now, rebase_patch(base, now, Patch("Make", (made,), based_on=frozenset([layer.id]))))
    assert result.layers[0].name == "renamed" and not result.layers[0].visible
    assert result.layers[0].transform[0, 0] == 2.0 and result.layers[0].masks is layer.masks
    gone = replace(base, layers=())
    late = rebase_patch(base, gone, Patch("Make", (made,), based_on=frozenset([layer.id])))
    assert not apply_patch(gone, late).layers


# --------------------------------------------------------------------------- autosave and recovery


def test_what_is_changed_is_kept_aside_and_forgotten_when_saved(driver: Driver, aside: Path, tmp_path: Path) -> None:
    autosave = driver.session.commands.files.autosave
    autosave._rest.setInterval(10)
    driver.document.open(make_project(), None)
    with driver.wait(autosave.saved, lambda: True):
        driver.document.edit("Hide", replace(driver.document.project, unit_scale=2.0))
    assert autosave.file.exists() and autosave.kept is driver.document.project
    assert list_kept(aside) == []  # its window lives
    driver.document.path = tmp_path / "black.s3d"
    with driver.wait(autosave.forgotten, lambda: True):
        assert driver.finish(driver.session.commands.files.save())
    assert not autosave.file.exists()


def test_what_a_crash_left_is_offered_and_comes_back(driver: Driver, aside: Path, tmp_path: Path) -> None:
    project = make_project()
    leave_behind(driver, aside, project, tmp_path / "black.s3d")
    driver.document.open(Project(), None)
    driver.finish(driver.session.commands.files.greet())
    ((text, buttons),) = driver.window.jobs.list_offers()
    assert "black" in text
    with driver.wait(driver.document.changed, lambda old, new: bool(new.layers)):
        buttons["Recover"].click()
    assert driver.document.project.layers[0].name == "a"
    assert driver.document.dirty and driver.document.path == tmp_path / "black.s3d"
    assert not driver.window.jobs.list_offers()


def test_what_a_crash_left_may_be_discarded(driver: Driver, aside: Path) -> None:
    leave_behind(driver, aside, make_project())
    driver.finish(driver.session.commands.files.greet())
    ((_, buttons),) = driver.window.jobs.list_offers()
    buttons["Discard"].click()
    driver.finish(driver.session.background.run(lambda: None))
    driver.finish(driver.session.background.run(lambda: None))
    assert list_kept(aside) == []


def test_a_lost_job_is_offered_again(driver: Driver, tmp_path: Path) -> None:
    driver.open(STILL)
    driver.document.path = tmp_path / "shot.s3d"
    driver.finish(driver.session.commands.files.save())
    journal = driver.session.studio._journal
    job = Job("calibrate", lambda run: None, "heavy", "", Record("calibrate", "{}", str(tmp_path / "shot.s3d")))
    journal.add(job)
    with journal._lock:
        journal._base.execute("UPDATE job SET owner = ? WHERE id = ?", (NOBODY, job.id))
    driver.finish(driver.session.commands.files.greet())
    ((text, buttons),) = driver.window.jobs.list_offers()
    assert "shot.s3d" in text
    with driver.wait(driver.document.changed, lambda old, new: new.hero.camera is not None):
        buttons["Run again"].click()
    assert driver.session.studio.list_lost() == []


# --------------------------------------------------------------------------- export


def open_export(driver: Driver) -> ExportDialog:
    """The dialog over a project with a set, once it has counted."""
    driver.document.open(make_shot(), None, saved=False)
    driver.do("file.export")
    driver.qtbot.waitUntil(lambda: driver.window.findChild(ExportDialog) is not None, timeout=PATIENCE)
    dialog = driver.window.findChild(ExportDialog)
    driver.qtbot.waitUntil(lambda: dialog.files.topLevelItemCount() > 0, timeout=PATIENCE)
    return dialog


def choose_kind(driver: Driver, dialog: ExportDialog, key: str, names: set[str]) -> None:
    """A row of the list, and the files that it must promise."""
    rows = {dialog.kinds.item(k).data(Qt.ItemDataRole.UserRole): k for k in range(dialog.kinds.count())}
    dialog.kinds.setCurrentRow(rows[key])
    shown = dialog.files

    def promised() -> bool:
        return {shown.topLevelItem(k).text(0) for k in range(shown.topLevelItemCount())} == names

    driver.qtbot.waitUntil(promised, timeout=PATIENCE)


def test_an_export_is_chosen_weighed_and_written(driver: Driver, tmp_path: Path) -> None:
    dialog = open_export(driver)
    choose_kind(driver, dialog, ".obj", {"küche 厨房.obj", "küche 厨房.mtl", "küche 厨房_textures/"})
    assert dialog.fields["texture"].isVisible() and not dialog.fields["space"].isVisible()
    choose_kind(driver, dialog, "transforms.json", {"transforms.json", "images/"})
    choose_kind(driver, dialog, ".exr", {"küche 厨房.exr"})
    assert dialog.fields["space"].isVisible() and not dialog.fields["texture"].isVisible()
    names = {"küche_厨房.glb", "plate.exr", "still.exr", "shot.json", "load_blender.py", "README.txt", "report.json"}
    choose_kind(driver, dialog, "for:blender", names | {"camera.json"})
    assert "kB" in dialog.total.text()
    dialog.path.setText(str(tmp_path / "for blender"))
    driver.qtbot.waitUntil(dialog.export_button.isEnabled, timeout=PATIENCE)
    dialog.export_button.click()
    report = tmp_path / "for blender" / "report.json"
    driver.qtbot.waitUntil(report.exists, timeout=PATIENCE)
    driver.qtbot.waitUntil(lambda: not driver.session.engine.list_jobs(), timeout=PATIENCE)
    assert names - {"report.json"} <= {entry["path"] for entry in json.loads(report.read_text("utf-8"))["files"]}


def test_an_export_given_up_writes_nothing(driver: Driver, tmp_path: Path) -> None:
    dialog = open_export(driver)
    dialog.path.setText(str(tmp_path / "shot.fbx"))  # nothing that is written
    driver.qtbot.waitUntil(lambda: not dialog.export_button.isEnabled(), timeout=PATIENCE)
    dialog.path.setText(str(tmp_path / "shot.glb"))
    driver.qtbot.waitUntil(dialog.export_button.isEnabled, timeout=PATIENCE)
    with driver.wait(dialog.finished, lambda code: code == 0):
        dialog.reject()
    assert not list(tmp_path.iterdir())


def test_a_running_export_is_cancelled_and_the_old_file_stays(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, gate, begun = tmp_path / "shot.exr", threading.Event(), threading.Event()
    target.write_bytes(b"old")

    def hold(shot: Shot) -> Samples:  # in the middle of the writer
        begun.set()
        assert gate.wait(PATIENCE / 1000)
        return find_still_samples(shot)

    monkeypatch.setattr(exr, "find_still_samples", hold)
    dialog = open_export(driver)
    choose_kind(driver, dialog, ".exr", {"küche 厨房.exr"})
    dialog.path.setText(str(target))
    driver.qtbot.waitUntil(dialog.export_button.isEnabled, timeout=PATIENCE)
    dialog.export_button.click()
    driver.qtbot.waitUntil(begun.is_set, timeout=PATIENCE)
    (job,) = (job for job in driver.session.engine.list_jobs() if target.name in job.label)
    buttons = driver.window.jobs.findChildren(QToolButton)
    next(button for button in buttons if button.toolTip() == "Cancel").click()
    gate.set()
    driver.qtbot.waitUntil(lambda: not driver.session.engine.list_jobs(), timeout=PATIENCE)
    assert job.state is JobState.CANCELLED
    assert target.read_bytes() == b"old" and list(tmp_path.iterdir()) == [target]


# --------------------------------------------------------------------------- memory


def test_older_steps_go_into_files_and_come_back(driver: Driver) -> None:
    spill = driver.session.commands.files.spill
    spill.limit = 2000
    driver.document.open(make_project(), None)
    for k in range(6):
        alpha = np.full((8, 12), k, np.uint8)
        still = Still(np.full((8, 12, 3), k, np.uint8), f"grey {k}", f"{k}" * 64)
        masks = {still.id: Mask(alpha, still.id)}
        layers = (make_layer("a", LayerKind.PROP, masks=masks),)
        driver.document.edit(f"Paint {k}", replace(start_project(still), layers=layers))
    assert measure_arrays([driver.document.project]) == 8 * 12 * 4 + 16 * 8
    driver.qtbot.waitUntil(lambda: driver.document.find_surplus(2000) is None, timeout=20_000)
    for k in reversed(range(5)):
        with driver.wait(driver.document.changed, lambda old, new: True):
            driver.do("edit.undo")
        assert driver.document.project.hero.still.name == f"grey {k}"
        assert (driver.document.project.layers[0].masks[f"{k}" * 64].alpha == k).all()
    driver.qtbot.waitUntil(lambda: driver.document.find_surplus(2000) is None, timeout=20_000)
    for k in range(1, 6):  # what was taken back lay in files too
        with driver.wait(driver.document.changed, lambda old, new: old is not new):
            driver.do("edit.redo")
        assert driver.document.project.hero.still.name == f"grey {k}"
    driver.finish(spill.close())


def test_what_projects_share_counts_once() -> None:
    project = make_project()
    assert (
        measure_arrays([project, replace(project, unit_scale=2.0)]) == measure_arrays([project]) == 8 * 12 * 4 + 16 * 8
    )


# --------------------------------------------------------------------------- questions


def answer(kind: type, how: str, argument: object = None) -> None:
    """Answer the next dialog of a kind, once the event loop turns."""

    def find() -> None:
        shown = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, kind) and widget.isVisible()]
        if not shown:
            QTimer.singleShot(20, find)
        elif isinstance(shown[0], QMessageBox):
            shown[0].button(argument).click()
        else:
            shown[0].findChild(QLineEdit, "fileNameEdit").setText(str(argument))
            getattr(shown[0], how)()

    QTimer.singleShot(0, find)


def test_unsaved_changes_are_asked_about(driver: Driver, tmp_path: Path) -> None:
    driver.document.open(make_project(), None)
    driver.document.edit("Scale", replace(driver.document.project, unit_scale=2.0))
    kept = driver.document.project
    answer(QMessageBox, "", QMessageBox.StandardButton.Cancel)
    driver.open(STILL)
    assert driver.document.project is kept
    answer(QMessageBox, "", QMessageBox.StandardButton.Discard)
    driver.open(STILL)
    assert driver.document.project.hero.still.width == 960


def test_a_file_dialog_opens_and_saves(driver: Driver, tmp_path: Path) -> None:
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    answer(QFileDialog, "accept", STILL)
    driver.finish(driver.session.commands.files.choose_file())
    assert driver.document.project.hero.still.width == 960
    answer(QFileDialog, "accept", tmp_path / "mine")
    assert driver.finish(driver.session.commands.files.save())
    assert driver.document.path == tmp_path / "mine.s3d" and (tmp_path / "mine.s3d").exists()
    answer(QFileDialog, "reject", tmp_path / "other")
    assert not driver.finish(driver.session.commands.files.save_as())


def test_the_title_tells_the_state(driver: Driver, tmp_path: Path) -> None:
    driver.document.open(make_project(), tmp_path / "shot.s3d")
    assert driver.window.windowTitle().startswith("shot.s3d") and not driver.window.isWindowModified()
    driver.document.edit("Scale", replace(driver.document.project, unit_scale=2.0))
    assert driver.window.isWindowModified()
    driver.document.undo()
    assert not driver.window.isWindowModified()
    driver.document.redo()


# --------------------------------------------------------------------------- in and out


def test_a_picture_is_pasted(driver: Driver) -> None:
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    QGuiApplication.clipboard().setImage(image)
    driver.finish(driver.session.commands.files.paste_still())
    assert driver.document.project.hero.still.pixels[5, 5].tolist() == [255, 0, 0]


def test_a_file_is_pasted_and_dropped(driver: Driver) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(STILL))])
    QGuiApplication.clipboard().setMimeData(mime)
    driver.finish(driver.session.commands.files.paste_still())
    assert driver.document.project.hero.still.width == 960
    other = SAMPLES / "room_study" / "still.jpg"
    with driver.wait(driver.document.changed, lambda old, new: new.hero.still.width != 960):
        driver.window.files_dropped.emit([other])


def test_recent_files_are_kept_newest_first(tmp_path: Path) -> None:
    paths = [tmp_path / f"{k}.jpg" for k in range(15)]
    known: list[Path] = []
    for path in [*paths, paths[3]]:
        path.touch()
        known = keep_recent(tmp_path, path, known)
    assert known[0] == paths[3] and len(known) == 12 == len(set(known))
    paths[14].unlink()
    assert read_recent(tmp_path) == [path for path in known if path != paths[14]]
    (tmp_path / "recent.json").write_text("{")
    assert read_recent(tmp_path) == []


# --------------------------------------------------------------------------- the end


def list_children() -> set[int]:
    """Processes that this one has started and that live."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid() and state != "Z":
                found.add(int(stat.parent.name))
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are listed in /proc")
def test_closing_ends_every_worker_and_job(driver: Driver) -> None:
    before, begun = list_children(), threading.Event()
    driver.open(SAMPLES / "room_living" / "still.jpg")

    def work(run: Run) -> None:
        begun.set()
        while True:
            run.check()
            threading.Event().wait(0.02)

    job = driver.session.engine.start_job("Test", work, "heavy")
    driver.qtbot.waitUntil(lambda: begun.is_set() and bool(list_children() - before), timeout=PATIENCE)
    began = time.monotonic()
    driver.finish(driver.session.background.run(driver.session.engine.stop))
    assert job.state is JobState.CANCELLED and not list_children() - before
    assert time.monotonic() - began < 10 * CANCEL_GRACE  # on a quiet machine well within three seconds
