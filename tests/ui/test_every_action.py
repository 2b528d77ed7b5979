"""Every action of the table is done once in the real window and changes something; one without a deed here fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from stillto3d.models.roles import Candidates
from stillto3d.project.project import Project
from stillto3d.project.still import Mask
from stillto3d.ui.attempt import Attempt
from stillto3d.ui.wishes import list_wishes

from .conftest import PATIENCE, SAMPLES, Driver
from .test_viewport import make_project

CHOSEN = Path("chosen")
SHADINGS = ("textured", "clay", "wire", "normals", "depth", "seen")


@dataclass(frozen=True)
class Deed:
    """What is looked at, which must be another after the action than before; and what comes first."""

    look: Callable[[Driver], Any]
    before: Callable[[Driver], object] = lambda driver: None


def see_project(driver: Driver) -> Project:
    return driver.document.project


def see_files(driver: Driver) -> list[str]:
    return sorted(path.name for path in driver.folder.rglob("*") if path.is_file())


def see_job(driver: Driver) -> int:
    return len(driver.jobs)


def see_dialogs(driver: Driver) -> int:
    return sum(1 for one in QApplication.topLevelWidgets() if isinstance(one, QDialog) and one.isVisible())


def see_attempt(driver: Driver) -> Any:
    attempt = driver.masking.attempt
    return attempt and (attempt.chosen, attempt.mask)


def see_view(driver: Driver) -> Any:
    return driver.masking.view


def see_tool(driver: Driver) -> Any:
    return driver.canvas.tool


def see_shading(driver: Driver) -> Any:
    return driver.window.scene.shading


def see_gizmo(driver: Driver) -> Any:
    return driver.window.scene.gizmo_mode


def see_orbit(driver: Driver) -> Any:
    orbit = driver.window.scene.orbit
    return orbit.yaw, orbit.pitch, orbit.distance


def see_zoom(driver: Driver) -> float:
    return driver.canvas.zoom


def choose(name: str) -> Callable[[Driver], None]:
    """What the next file dialog would answer."""

    def arrange(driver: Driver) -> None:
        async def answer(*_: Any, **__: Any) -> Path:
            return driver.folder / name

        driver.window.ask_path = driver.window.ask_folder = answer

    return arrange


def do_first(*wishes: str) -> Callable[[Driver], None]:
    return lambda driver: [driver.do(wish) for wish in wishes]


def select(driver: Driver) -> None:
    """The first prop alone, for a program that begins from all."""
    driver.window.layers.select(frozenset([driver.document.project.layers[0].id]))


def select_row(driver: Driver, row: int) -> None:
    """The first or last layer, which can go down or up."""
    driver.window.layers.select(frozenset([driver.document.project.layers[row].id]))


def begin_mask(driver: Driver, chosen: int = 0) -> None:
    """A mask being made, with three candidates."""
    still = driver.document.project.hero.still
    masks = []
    for k in range(3):
        alpha = np.zeros((still.height, still.width), np.uint8)
        alpha[: 40 + k] = 255
        masks.append(Mask(alpha, still.id))
    driver.masking._push(Attempt(still, candidates=Candidates(tuple(masks), (0.9, 0.8, 0.7), 0), chosen=chosen))
    driver.window.actions_table.refresh()


def change(driver: Driver) -> None:
    driver.document.edit("Scale", replace(driver.document.project, unit_scale=2.0))


DEEDS: dict[str, Deed] = {
    "file.open": Deed(see_project, choose("still.jpg")),
    "file.paste": Deed(see_project, lambda driver: paste()),
    "file.replace": Deed(see_project, choose("halves.png")),
    "file.import": Deed(see_project, lambda driver: (export(driver), choose("shot.glb")(driver))),
    "file.camera": Deed(see_project, lambda driver: (camera_file(driver), choose("camera.json")(driver))),
    "file.recover": Deed(see_project, lambda driver: offer(driver)),
    "file.save": Deed(see_files, choose("saved.s3d")),
    "file.save_as": Deed(see_files, choose("saved_as.s3d")),
    "file.export": Deed(see_dialogs),
    "file.preferences": Deed(see_dialogs),
    "file.models": Deed(see_dialogs),
    "file.quit": Deed(see_dialogs, change),  # it asks: there is unsaved work
    "edit.undo": Deed(see_project, change),
    "edit.redo": Deed(see_project, lambda driver: (change(driver), driver.do("edit.undo"))),
    "edit.rename": Deed(lambda driver: driver.window.layers.state().name, select),
    "edit.duplicate": Deed(see_project, select),
    "edit.solo": Deed(see_project, select),
    "edit.raise": Deed(see_project, lambda driver: select_row(driver, -1)),
    "edit.lower": Deed(see_project, lambda driver: select_row(driver, 0)),
    "edit.delete": Deed(see_project, select),
    "mask.accept": Deed(see_project, begin_mask),
    "mask.drop": Deed(see_attempt, begin_mask),
    "mask.point": Deed(see_tool, do_first("mask.brush")),
    **{f"mask.{name}": Deed(see_tool) for name in ("brush", "eraser", "lasso", "measure")},
    "mask.smaller": Deed(lambda driver: driver.canvas.radius),
    "mask.larger": Deed(lambda driver: driver.canvas.radius),
    "mask.first": Deed(see_attempt, lambda driver: begin_mask(driver, 1)),
    "mask.second": Deed(see_attempt, begin_mask),
    "mask.third": Deed(see_attempt, begin_mask),
    "mask.soften": Deed(see_job, select),
    "mask.hair": Deed(see_job, select),
    "mask.alpha": Deed(see_project, lambda driver: give_alpha(driver)),
    "mask.import": Deed(see_project, choose("halves.png")),
    "mask.save": Deed(see_files, lambda driver: (select(driver), choose("mask.png")(driver))),
    "make.camera": Deed(see_job),
    "make.set": Deed(see_job),
    "make.prop": Deed(see_job, select),
    "make.props": Deed(see_job),
    "view.frame": Deed(see_zoom, do_first("view.actual")),
    "view.actual": Deed(see_zoom),
    "view.tint": Deed(see_view, do_first("view.contour")),
    **{f"view.{name}": Deed(see_view) for name in ("contour", "matte", "xray", "plate")},
    "view.horizon": Deed(lambda driver: driver.canvas.guides.horizon),
    "view.lines": Deed(lambda driver: driver.canvas.guides.lines),
    "view.lens": Deed(lambda driver: driver.window.scene.at_lens),
    "view.fill": Deed(lambda driver: driver.window.view_place.isVisible()),
    "view.front": Deed(see_orbit),
    "view.right": Deed(see_orbit),
    "view.top": Deed(see_orbit),
    "view.textured": Deed(see_shading, lambda driver: driver.finish(driver.window.scene.shade_as("clay"))),
    **{f"view.{name}": Deed(see_shading) for name in SHADINGS[1:]},
    "view.none": Deed(see_gizmo, do_first("view.move")),
    **{f"view.{name}": Deed(see_gizmo) for name in ("move", "turn", "scale")},
    "view.floor": Deed(see_project, lambda driver: (select(driver), lift(driver))),
    "view.measure": Deed(lambda driver: driver.window.scene.measures),
    "view.shot": Deed(see_files, choose("view.png")),
    "view.turntable": Deed(see_files, choose("")),
    "help.palette": Deed(lambda driver: driver.session.commands.help.palette.isVisible()),
    "help.log": Deed(see_dialogs),
    "help.about": Deed(see_dialogs),
}
ELSEWHERE = {"view.opened", "view.aces", "view.plain"}
"""Those that need a scene-linear still: tests/ui/test_imports.py does them."""


def paste() -> None:
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    QGuiApplication.clipboard().setImage(image)


def export(driver: Driver) -> None:
    driver.finish(driver.session.commands.files.export_to(driver.folder / "shot.glb"))


def camera_file(driver: Driver) -> None:
    driver.finish(driver.session.commands.files.export_to(driver.folder / "camera.json"))


def give_alpha(driver: Driver) -> None:
    project = driver.document.project
    still = replace(project.hero.still, alpha=np.full(project.hero.still.pixels.shape[:2], 200, np.uint8))
    driver.document.open(replace(project, shots=(replace(project.hero, still=still),)), None)


def lift(driver: Driver) -> None:
    driver.window.inspector.place[1].setValue(1.0)


def offer(driver: Driver) -> None:
    files = driver.session.commands.files
    driver.window.jobs.show_offer("kept", [("Recover", lambda: change(driver))], lambda: None)
    files.kept = [object()]
    driver.window.actions_table.refresh()


def test_every_action_has_a_deed() -> None:
    assert {wish.id for wish in list_wishes()} == DEEDS.keys() | ELSEWHERE


def close_all(driver: Driver) -> None:
    """What an action has opened goes."""
    popup: QWidget | None
    while (popup := QApplication.activePopupWidget()) is not None:
        popup.hide()
    for one in QApplication.topLevelWidgets():
        if isinstance(one, QDialog) and one.isVisible():
            one.reject()
    driver.qtbot.waitUntil(lambda: see_dialogs(driver) == 0, timeout=PATIENCE)
    for job in driver.session.engine.list_jobs():
        if job.lane != "files":
            driver.session.engine.cancel(job.id)
    driver.qtbot.waitUntil(lambda: not driver.session.engine.list_jobs(), timeout=PATIENCE)
    driver.masking.drop()


@pytest.mark.parametrize("menu", ["file", "edit", "mask", "make", "view", "help"])
def test_every_action_changes_what_it_says(driver: Driver, menu: str, tmp_path: Path) -> None:
    driver.folder, driver.jobs = tmp_path, []
    (tmp_path / "still.jpg").write_bytes((SAMPLES / "room_study" / "still.jpg").read_bytes())
    driver.session.engine.added.connect(driver.jobs.append)
    driver.finish(driver.session.load_viewport())
    made = make_project()
    still = made.hero.still
    QImage(still.pixels.data, 300, 200, 900, QImage.Format.Format_RGB888).save(str(tmp_path / "halves.png"))
    alpha = np.zeros((200, 300), np.uint8)
    alpha[80:120, 100:140] = 255
    layers = tuple(replace(layer, masks={still.id: Mask(alpha, still.id)}) for layer in made.layers)
    idle = []
    for wish, deed in DEEDS.items():
        if not wish.startswith(f"{menu}."):
            continue
        driver.document.open(replace(made, layers=layers), None)
        driver.finish(driver.window.scene.show_project(driver.document.project))
        deed.before(driver)
        driver.document._saved = driver.document.project if wish != "file.quit" else driver.document._saved
        before = deed.look(driver)
        driver.do(wish)
        try:
            driver.qtbot.waitUntil(lambda deed=deed, before=before: deed.look(driver) != before, timeout=20_000)
        except Exception as error:
            idle.append(f"{wish}: {error} {driver.window.jobs.list_errors()}")
        close_all(driver)
    assert not idle, idle
    driver.window.jobs.dismiss_all()
