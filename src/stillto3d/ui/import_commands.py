"""What foreign files bring into the project at hand: layers, and the camera."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from .. import formats
from ..errors import Cancelled, StillTo3DError
from ..formats.imported import Imported
from ..project.project import Patch
from ..words import tr
from .desk import Desk


class ImportCommands:
    """Each import is one step of the document; what was left out is told."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        table, document = desk.window.actions_table, desk.document
        table.bind("file.import", self.choose_layers, lambda: bool(document.project.shots))
        table.bind("file.camera", self.choose_camera, lambda: bool(document.project.shots))

    async def choose_layers(self) -> None:
        """Ask for a file and bring its layers."""
        kinds = " ".join(f"*{suffix}" for suffix, row in formats.FORMATS.items() if row.layers is not None)
        path = await self._desk.window.ask_path(tr("Import layers"), f"{tr('3D files')} ({kinds})", save=False)
        if path is not None:
            await self.bring_layers(path)

    async def bring_layers(self, path: Path) -> None:
        """Bring the layers of a file into the project."""
        title, document = tr("Import {name}", name=path.name), self._desk.document
        try:
            found: Imported = await self._desk.engine.submit(
                title, lambda run: formats.import_layers(run, path), "files"
            )
            layers = found.make_project().layers
        except Cancelled:
            return
        except StillTo3DError as error:
            self._desk.window.jobs.show_error(title, error, partial(self._again, self.bring_layers, path))
            return
        document.apply(Patch(title, layers=layers))
        self._desk.window.layers.select(frozenset(layer.id for layer in layers))
        if found.notes:
            self._desk.window.jobs.show_notes(title, found.notes)

    async def choose_camera(self) -> None:
        """Ask for a file and take its camera; of a COLMAP model any of its files."""
        kinds = " ".join(f"*{suffix}" for suffix, row in formats.FORMATS.items() if row.camera is not None)
        title, filters = tr("Import the camera"), f"{tr('Cameras')} ({kinds} cameras.txt cameras.bin)"
        path = await self._desk.window.ask_path(title, filters, save=False)
        if path is not None:
            await self.bring_camera(path.parent if path.stem == "cameras" else path)

    async def bring_camera(self, path: Path) -> None:
        """See the still through the camera of a file, or of a COLMAP model's folder."""
        title, document = tr("Import {name}", name=path.name), self._desk.document
        project = document.project
        try:
            patch: Patch = await self._desk.engine.submit(
                title, lambda run: formats.import_camera(run, project, path), "files"
            )
        except Cancelled:
            return
        except StillTo3DError as error:
            self._desk.window.jobs.show_error(title, error, partial(self._again, self.bring_camera, path))
            return
        now = document.project
        if now.shots and now.hero is project.hero:
            document.apply(patch)

    def _again(self, bring: Callable[[Path], Coroutine[Any, Any, None]], path: Path) -> None:
        self._desk.start(bring(path))
