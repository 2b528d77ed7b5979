"""Older steps of the undo list go into files when they hold too much memory, and come back when they are needed."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from .. import formats
from ..engine.process import is_alive
from ..engine.run import Run
from ..errors import StillTo3DError
from ..project.project import Project
from ..words import tr
from .background import Background
from .document import MOST_BYTES, Document, Step
from .engine_thread import EngineThread

FOLDER = "undo-"


class Spill:
    """Watches a document's steps. A disk that refuses leaves them in memory."""

    def __init__(
        self,
        document: Document,
        engine: EngineThread,
        background: Background,
        start: Callable[[Any], Any],
        aside: Path,
    ) -> None:
        self._document, self._engine, self._background, self._start = document, engine, background, start
        self._folder = aside / f"{FOLDER}{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._busy = False
        self.limit = MOST_BYTES
        document.changed.connect(lambda old, new: start(self.relieve()))

    async def relieve(self) -> None:
        """Put the oldest steps into files until the others fit."""
        if self._busy:
            return
        self._busy = True
        try:
            while (step := self._document.find_surplus(self.limit)) is not None:
                project, file = step.project, self._folder / f"{uuid.uuid4().hex}.s3d"
                assert project is not None
                await self._background.run(self._make_folder)
                work = partial(_write, project, file)
                await self._engine.submit(tr("Keep a step"), work, "files", "autosave")
                step.file, step.project = file, None
        except (StillTo3DError, OSError):
            return
        finally:
            self._busy = False

    async def fetch(self, step: Step) -> None:
        """Read a step that lies in a file. Raises StillTo3DError when the file is gone."""
        if step.file is not None and step.project is None:
            work = partial(_read, step.file)
            step.project = await self._engine.submit(tr("Fetch a step"), work, "files", "autosave")

    async def close(self) -> None:
        """Remove the files."""
        await self._background.run(shutil.rmtree, self._folder, True)

    def _make_folder(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)


def _read(file: Path, run: Run) -> Project:
    return formats.read(run, file)


def _write(project: Project, file: Path, run: Run) -> None:
    formats.write(run, project, file)


def sweep_steps(aside: Path) -> None:
    """Remove the steps of windows that were killed; for any thread."""
    for folder in aside.glob(f"{FOLDER}*-*"):
        owner = folder.name.removeprefix(FOLDER).partition("-")[0]
        if owner.isdecimal() and not is_alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
