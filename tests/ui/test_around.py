"""Around the work: every action, the palette, preferences and shortcuts, both languages, the layout that comes back."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QPlainTextEdit

from stillto3d.project.project import Project
from stillto3d.settings import Settings, find_folders, load_settings
from stillto3d.ui.about import list_licences
from stillto3d.ui.actions import strip_mnemonic
from stillto3d.ui.lens_panel import word_film_back
from stillto3d.ui.palette import matches
from stillto3d.ui.preferences import CHOICES, Preferences, word_choices, write_settings
from stillto3d.ui.wishes import list_menus, list_wishes
from stillto3d.words import choose_language, find_resources

from .conftest import SAMPLES, Driver
from .test_every_action import begin_mask
from .test_layers import make_project

# --------------------------------------------------------------------------- the table


def test_every_action_has_words_a_menu_and_keys_of_its_own() -> None:
    wishes, menus = list_wishes(), list_menus()
    assert len({wish.id for wish in wishes}) == len(wishes)
    for wish in wishes:
        assert wish.id.partition(".")[0] in menus and wish.text and wish.tip.endswith(".")
        assert not wish.icon or (find_resources() / "icons" / f"{wish.icon}.svg").is_file()
    keys = Counter((wish.pane, one) for wish in wishes for one in wish.shortcut.split("|") if one)
    everywhere = {one for pane, one in keys if not pane}
    assert not [pair for pair, count in keys.items() if count > 1 or (pair[0] and pair[1] in everywhere)]
    assert all(QKeySequence(one).count() for _, one in keys)


def test_every_action_does_something(driver: Driver) -> None:
    assert not driver.window.actions_table.list_unbound()


def test_what_cannot_be_done_is_grey(driver: Driver) -> None:
    table = driver.window.actions_table.table
    empty = {wish for wish, action in table.items() if action.isEnabled()}
    assert {"file.open", "help.palette"} <= empty and not {"file.save", "make.set", "edit.undo", "view.lens"} & empty
    driver.open(SAMPLES / "room_study" / "still.jpg")
    assert table["file.save"].isEnabled() and table["make.set"].isEnabled() and not table["make.props"].isEnabled()


def test_words_lose_their_marks() -> None:
    assert strip_mnemonic("&Open…") == "Open" and strip_mnemonic("打开(&O)…") == "打开"


# --------------------------------------------------------------------------- the palette


def test_typing_finds_actions() -> None:
    assert matches("make pr", "Make: All props") and matches("", "x") and not matches("set z", "Make set")


def test_the_palette_does_what_is_found(driver: Driver) -> None:
    driver.open(SAMPLES / "room_study" / "still.jpg")
    palette = driver.session.commands.help.palette
    driver.press("Ctrl+K")
    assert palette.isVisible()
    QTest.keyClicks(palette.field, "x-ray")
    assert palette.found.count() == 1
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert not palette.isVisible() and driver.masking.view.value == "xray"


# --------------------------------------------------------------------------- preferences


def test_settings_are_written_as_they_are_read(tmp_path: Path) -> None:
    values = {"language": "zh_CN", "warm_workers": 3, "vram_limit_gb": 12.5, "weights": 'C:\\a "b"\n'}
    write_settings(tmp_path / "settings.toml", values)
    assert tomllib.loads((tmp_path / "settings.toml").read_text(encoding="utf-8")) == values


def test_preferences_show_every_setting_and_keep_what_is_changed(driver: Driver) -> None:
    def change() -> None:
        (dialog,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, Preferences) and w.isVisible()]
        assert set(dialog.fields) == set(Settings.model_fields)
        dialog.fields["warm_workers"].setValue(5)
        row = list(driver.window.actions_table.table).index("view.frame")
        dialog.shortcuts.cellWidget(row, 1).setKeySequence(QKeySequence("Ctrl+S"))
        dialog._accept()
        assert dialog.isVisible() and "Ctrl+S" in dialog.fault.text()
        dialog.shortcuts.cellWidget(row, 1).setKeySequence(QKeySequence("Ctrl+F"))
        dialog._accept()

    QTimer.singleShot(100, change)
    driver.finish(driver.session.commands.help.show_preferences())
    folders = find_folders()
    try:
        assert load_settings(folders).warm_workers == 5
        assert driver.window.actions_table.table["view.frame"].shortcut().toString() == "Ctrl+F"
        driver.window.actions_table.change_keys({})
        assert driver.window.actions_table.table["view.frame"].shortcut().toString() == "F"
        driver.finish(driver.session.commands.help.restore())
        assert driver.window.actions_table.table["view.frame"].shortcut().toString() == "Ctrl+F"
    finally:
        for name in ("settings.toml", "shortcuts.json"):
            (folders.config / name).unlink()


def test_choices_speak_chinese() -> None:
    choose_language("zh_CN")
    try:
        shown = [word_choices()[choice] for choice in ("", "cpu", "cuda")]
        shown += [word_film_back(name) for name in ("Full frame", "Super 35", "Academy 35", "65 mm", "Super 16")]
        assert all(any("\u4e00" <= c <= "\u9fff" for c in text) for text in shown)
    finally:
        choose_language("en")
    assert all(choice in word_choices() for choices in CHOICES.values() for choice in choices)


# --------------------------------------------------------------------------- hints


def test_hints_go_when_done_or_closed(driver: Driver) -> None:
    window, jobs = driver.window, driver.window.jobs
    window.hints.gone.clear()
    window.hints.follow(Project(), False)
    project = make_project()
    driver.document.open(Project(project.shots), None)
    first = jobs.hint.text()
    assert first and jobs.close_hint.isVisibleTo(window)
    driver.document.edit("Mask", project)  # the deed was done
    assert "point" in window.hints.gone and jobs.hint.text() != first
    driver.document.edit("Delete", Project(project.shots))
    assert not jobs.hint.text()
    driver.document.edit("Mask", project)
    assert jobs.hint.text()
    jobs.close_hint.click()
    assert not jobs.hint.text() and not jobs.close_hint.isVisibleTo(window)
    gone = set(window.hints.gone)
    driver.finish(driver.session.commands.help.keep_layout())
    window.hints.gone.clear()
    driver.finish(driver.session.commands.help.restore())
    assert window.hints.gone == gone
    for name in ("layout.json", "hints.json"):
        (find_folders().config / name).unlink()


def test_candidates_can_be_clicked(driver: Driver) -> None:
    driver.document.open(make_project(), None)
    begin_mask(driver)
    label = driver.window.attempt_label
    assert all(f'href="{k}"' in label.text() for k in range(3))
    label.linkActivated.emit("2")
    assert driver.masking.attempt.chosen == 2
    driver.masking.drop()


# --------------------------------------------------------------------------- about, log, layout


def close_dialog(name: str, look: object) -> None:
    def find() -> None:
        shown = [w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog) and w.objectName() == name]
        if not shown or not shown[0].isVisible() or not look(shown[0]):  # type: ignore[operator]
            QTimer.singleShot(20, find)
        else:
            shown[0].reject()

    QTimer.singleShot(0, find)


def test_about_lists_the_licences(driver: Driver) -> None:
    seen: list[str] = []
    close_dialog("about", lambda dialog: seen.append(dialog.licences.toPlainText()) or "LGPL" in seen[-1])
    driver.finish(driver.session.commands.help.show_about())
    lines = list_licences()
    assert any(line.startswith("numpy ") for line in lines) and any(line.lower().startswith("vtk ") for line in lines)


def test_the_log_tells_what_jobs_came_to(driver: Driver) -> None:
    driver.open(SAMPLES / "room_study" / "still.jpg")
    seen: list[str] = []
    close_dialog("log", lambda dialog: seen.append(dialog.findChild(QPlainTextEdit).toPlainText()) or True)
    driver.finish(driver.session.commands.help.show_log())
    assert "still.jpg" in seen[0] and "DONE" in seen[0]


def test_the_layout_comes_back(driver: Driver) -> None:
    help_commands = driver.session.commands.help
    driver.window.split.setSizes([300, 900])
    wanted = driver.window.split.sizes()
    driver.finish(help_commands.keep_layout())
    driver.window.split.setSizes([700, 500])
    driver.finish(help_commands.restore())
    assert driver.window.split.sizes() == pytest.approx(wanted, abs=3)
    (find_folders().config / "layout.json").write_text("[]")
    driver.finish(help_commands.restore())


# --------------------------------------------------------------------------- languages


def test_the_window_speaks_chinese() -> None:
    try:
        choose_language("zh_CN")
        for wish in list_wishes():
            assert any("\u4e00" <= letter <= "\u9fff" for letter in wish.text), wish.id
            assert any("\u4e00" <= letter <= "\u9fff" for letter in wish.tip), wish.id
    finally:
        choose_language("en")
