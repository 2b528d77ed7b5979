"""Preferences, shortcuts, palette, log and About; and the layout that comes back."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout

from ..engine.jobs import MOMENTARY, Event, Job
from ..errors import word_os_error
from ..settings import find_folders
from ..words import tr
from .about import About, list_licences
from .desk import Desk
from .palette import Palette
from .preferences import Preferences, write_settings

MOST_LOG_LINES = 2000


class HelpCommands:
    """What stands around the work."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._config = find_folders().config
        self.log: list[str] = []
        table = desk.window.actions_table
        self.palette = Palette(table, desk.window)
        table.bind("help.palette", self.palette.ask)
        table.bind("help.about", self.show_about)
        table.bind("help.log", self.show_log)
        table.bind("file.preferences", self.show_preferences)
        desk.engine.happened.connect(self._note)

    # ----------------------------------------------------------------- preferences

    async def show_preferences(self) -> None:
        """Ask for settings and shortcuts, and keep them. Settings count from the next start."""
        window = self._desk.window
        dialog = Preferences(self._desk.studio.settings, window.actions_table, window)
        if await window.await_dialog(dialog) != QDialog.DialogCode.Accepted.value:
            return
        keys = window.actions_table.change_keys(dialog.read_shortcuts())
        settings, path = dialog.read_settings(), self._config / "settings.toml"
        try:
            await self._desk.background.run(write_settings, path, settings)
            await self._desk.background.run(_write_json, self._config / "shortcuts.json", keys)
        except OSError as error:
            window.jobs.show_error(tr("Preferences"), word_os_error(error, path))
            return
        if settings != self._desk.studio.settings.model_dump(exclude_defaults=True):
            window.jobs.show_notes(tr("Preferences"), ["Settings count from the next start."])

    # ----------------------------------------------------------------- log and About

    def _note(self, job: Job, event: Event) -> None:
        if event.state.final and job.lane not in MOMENTARY:
            told = f"{time.strftime('%H:%M:%S')}  {job.label}  {event.state.name}  {job.seconds:.1f} s"
            evidence = getattr(job.error, "evidence", "")
            self.log += [told, *([f"    {job.error}"] if job.error else []), *evidence.splitlines()]
            del self.log[:-MOST_LOG_LINES]

    async def show_log(self) -> None:
        """What the jobs of this session came to."""
        dialog = QDialog(self._desk.window)
        dialog.setObjectName("log")
        dialog.setWindowTitle(tr("Log"))
        text = QPlainTextEdit("\n".join(self.log))
        text.setReadOnly(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(dialog.reject)
        column = QVBoxLayout(dialog)
        column.addWidget(text)
        column.addWidget(buttons)
        dialog.resize(720, 440)
        await self._desk.window.await_dialog(dialog)

    async def show_about(self) -> None:
        """Version and licences."""
        dialog = About(self._desk.window)
        self._desk.start(self._fill_about(dialog))
        await self._desk.window.await_dialog(dialog)

    async def _fill_about(self, dialog: About) -> None:
        dialog.show_licences(await self._desk.background.run(list_licences))

    # ----------------------------------------------------------------- what comes back

    async def restore(self) -> None:
        """The shortcuts and the layout of the last time."""
        window = self._desk.window
        window.actions_table.change_keys(await self._desk.background.run(_read_json, self._config / "shortcuts.json"))
        layout = await self._desk.background.run(_read_json, self._config / "layout.json")
        for name, restore in (("window", window.restoreGeometry), ("docks", window.restoreState)):
            if isinstance(layout.get(name), str):
                restore(QByteArray.fromBase64(layout[name].encode("ascii", "ignore")))
        window.hints.restore((await self._desk.background.run(_read_json, self._config / "hints.json")).get("gone", ()))
        if isinstance(layout.get("split"), str):
            window.split.restoreState(QByteArray.fromBase64(layout["split"].encode("ascii", "ignore")))

    async def keep_layout(self) -> None:
        """Remember where everything stands; a disk that refuses costs the layout alone."""
        window = self._desk.window
        states = {"window": window.saveGeometry(), "docks": window.saveState(), "split": window.split.saveState()}
        layout = {name: bytes(state.toBase64().data()).decode("ascii") for name, state in states.items()}
        try:
            await self._desk.background.run(_write_json, self._config / "layout.json", layout)
            gone = {"gone": sorted(window.hints.gone)}
            await self._desk.background.run(_write_json, self._config / "hints.json", gone)
        except OSError:
            return


def _read_json(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(values), encoding="utf-8")
    part.replace(path)
