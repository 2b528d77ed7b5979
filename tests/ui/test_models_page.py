"""The models' page in the real window: what it shows, installs, pauses and keeps."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QMessageBox
from ui.conftest import Driver

from stillto3d.errors import Cancelled
from stillto3d.models.hub import HubFile, Listing
from stillto3d.models.store import Plan
from stillto3d.project.project import Policy
from stillto3d.ui.models_page import MODEL, ModelsPage


@pytest.fixture
def page(driver: Driver) -> Any:
    driver.session.start(driver.session.commands.models.show())
    found: list[ModelsPage] = []

    def shown() -> bool:
        found[:] = [w for w in QApplication.topLevelWidgets() if isinstance(w, ModelsPage) and w.isVisible()]
        return bool(found) and found[0].list.topLevelItemCount() > 5

    driver.qtbot.waitUntil(shown, timeout=60_000)
    yield found[0]
    found[0].reject()


def select(page: ModelsPage, model: str) -> None:
    for k in range(page.list.topLevelItemCount()):
        role = page.list.topLevelItem(k)
        for n in range(role.childCount()):
            if role.child(n).data(0, MODEL) == model:
                page.list.setCurrentItem(role.child(n))
                return
    raise AssertionError(model)


def test_it_tells_state_licence_and_why_not(driver: Driver, page: ModelsPage) -> None:
    select(page, "trellis")
    told = page.told.text()
    assert "cannot run here" in told and "NVIDIA Source Code Licence" in told and "Verified: never" in told
    assert not page.install.isEnabled() or "Install" in page.install.text()
    select(page, "stillnet-depth")
    assert "comes with the app" in page.told.text() and not page.install.isVisible()
    assert "free" in page.disk.text() and "Loaded" in page.memory.text()


def test_policy_and_choice_are_steps_of_the_project(driver: Driver, page: ModelsPage) -> None:
    page.use.setCurrentIndex(1)
    page.use.activated.emit(1)
    assert driver.document.project.policy.use == "commercial"
    driver.qtbot.waitUntil(lambda: bool(page._facts["depth-pro"].refusal), timeout=60_000)
    select(page, "depth-pro")
    assert "Not allowed in this project" in page.told.text() and not page.choose.isEnabled()
    select(page, "stillnet-depth")
    page.choose.click()
    assert driver.document.project.policy == Policy("commercial", "", (("depth", "stillnet-depth"),))
    driver.document.undo()
    driver.document.undo()
    assert driver.document.project.policy == Policy()


def test_installing_asks_tells_and_pauses(driver: Driver, page: ModelsPage, monkeypatch: pytest.MonkeyPatch) -> None:
    store = driver.session.studio.store
    stopped: list[str] = []

    def install(card: Any, run: Any, source: Any = None) -> None:
        try:
            while True:
                run.progress(0.4, "Downloading")
                run.check()
        except Cancelled:
            stopped.append(card.id)
            raise

    plan = Plan(Listing("1", (HubFile("model.pt", 5),)), 1_300_000_000, 9_000_000_000)
    monkeypatch.setattr(store, "plan", lambda card: plan)
    monkeypatch.setattr(store, "install", install)
    select(page, "moge-2-vitl")
    page.install.click()

    def find_box() -> list[QMessageBox]:
        return [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox) and w.isVisible()]

    driver.qtbot.waitUntil(lambda: bool(find_box()), timeout=60_000)
    assert "1.3 GB come, 9.0 GB are free." in find_box()[0].text() and "MIT" in find_box()[0].text()
    find_box()[0].button(QMessageBox.StandardButton.Ok).click()
    driver.qtbot.waitUntil(lambda: page.bar.isVisible() and page.bar.value() == 400, timeout=60_000)
    assert page.install.text() == "Pause"
    page.install.click()
    driver.qtbot.waitUntil(lambda: stopped == ["moge-2-vitl"] and not page.bar.isVisible(), timeout=60_000)
    assert page.install.text().startswith("Install")
