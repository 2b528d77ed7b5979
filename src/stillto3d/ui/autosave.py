"""What is open is kept aside while it is worked on, and offered again after a crash."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from .. import formats
from ..engine.process import is_alive
from ..errors import StillTo3DError
from ..project.project import Project
from ..words import tr
from .background import Background
from .document import Document
from .engine_thread import EngineThread

LONGEST_SECONDS = 60.0


@dataclass(frozen=True)
class Kept:
    """A project that was kept aside: its file, what it was called, and the file it came from, if any."""

    file: Path
    title: str
    origin: Path | None


class Autosave(QObject):
    """Writes the document aside once it has rested for a moment, or has changed for a minute.

    Each window has a file of its own, with a note beside it that names the process; a clean end removes both.
    """

    saved = Signal()
    """The document as it is lies aside."""
    forgotten = Signal()
    """Nothing lies aside any more."""

    def __init__(
        self,
        document: Document,
        engine: EngineThread,
        background: Background,
        start: Callable[[Any], Any],
        folder: Path,
        rest_seconds: float,
    ) -> None:
        super().__init__()
        self._document, self._engine, self._background, self._start = document, engine, background, start
        self._folder = folder
        self.file = folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.s3d"
        self._kept: Project | None = None
        self._rest, self._longest = QTimer(self), QTimer(self)
        for timer, seconds in ((self._rest, rest_seconds), (self._longest, max(LONGEST_SECONDS, rest_seconds))):
            timer.setSingleShot(True)
            timer.setInterval(round(seconds * 1000))
            timer.timeout.connect(lambda: start(self.keep()))
        document.changed.connect(self._follow)

    @property
    def kept(self) -> Project | None:
        """The project that lies aside, or None."""
        return self._kept

    def _follow(self, old: Project, new: Project) -> None:
        if not self._document.dirty:
            self._rest.stop()
            self._longest.stop()
            if self._kept is not None:
                self._start(self.forget())
        elif new is not self._kept:
            self._rest.start()
            if not self._longest.isActive():
                self._longest.start()

    async def keep(self) -> None:
        """Write the document aside now. A disk that refuses costs the copy, never the work."""
        self._rest.stop()
        self._longest.stop()
        project, file = self._document.project, self.file
        if not self._document.dirty or project is self._kept:
            return
        shots = project.shots
        origin = self._document.path
        title = origin.name if origin is not None else shots[0].still.name if shots else ""
        note = {"pid": os.getpid(), "title": title, "origin": os.fsdecode(origin) if origin is not None else None}
        try:
            await self._background.run(_write_note, file, note)
            await self._engine.submit(
                tr("Keep a copy"), lambda run: formats.write(run, project, file), "files", "autosave"
            )
        except (StillTo3DError, OSError):
            return
        self._kept = project
        self.saved.emit()

    async def forget(self) -> None:
        """Remove what lies aside: it is saved, or not wanted."""
        self._kept = None
        await self._background.run(remove_kept, self.file)
        self.forgotten.emit()

    def stop(self) -> None:
        """Write no more."""
        self._rest.stop()
        self._longest.stop()


def list_kept(folder: Path) -> list[Kept]:
    """What windows have left that did not end well, newest first; for any thread."""
    found = []
    for note in folder.glob("*.json"):
        file = note.with_suffix(".s3d")
        try:
            told = json.loads(note.read_text(encoding="ascii"))
            if is_alive(int(told["pid"])):
                continue
            origin = told.get("origin")
            if file.is_file():
                found.append((file.stat().st_mtime, Kept(file, str(told["title"]), Path(origin) if origin else None)))
            else:
                note.unlink()
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return [kept for _, kept in sorted(found, key=lambda pair: pair[0], reverse=True)]


def remove_kept(file: Path) -> None:
    """Remove a copy and its note."""
    for path in (file, file.with_suffix(".json")):
        with suppress(OSError):
            path.unlink()


def _write_note(file: Path, note: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_suffix(".json").write_text(json.dumps(note, ensure_ascii=True), encoding="ascii")
