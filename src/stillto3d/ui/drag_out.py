"""Layers that are dragged out of the window arrive elsewhere as a GLB file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMetaType, QMimeData, QUrl

from .. import formats
from ..engine.jobs import Job
from ..project.project import Layer, Project
from ..words import tr
from .engine_thread import EngineThread

URLS = "text/uri-list"
LAYERS = "application/x-stillto3d-layers"
PATIENCE_SECONDS = 1.0
"""Who asks for the file is waited with, as the system wants an answer at once: no longer than this."""


class DraggedLayers(QMimeData):
    """The file is written beside the window from when the drag begins; whoever asks too soon gets nothing."""

    def __init__(self, ids: frozenset[str], job: Job | None, path: Path, tell: Callable[[Path], None]) -> None:
        super().__init__()
        self._job, self._path, self._tell = job, path, tell
        self.setData(LAYERS, "\n".join(sorted(ids)).encode("ascii"))

    def formats(self) -> list[str]:
        return [LAYERS, URLS] if self._job is not None else [LAYERS]

    def hasFormat(self, mimetype: str) -> bool:
        return mimetype in self.formats()

    def retrieveData(self, mimetype: str, kind: QMetaType | QMetaType.Type) -> Any:
        if mimetype != URLS or self._job is None:
            return super().retrieveData(mimetype, kind)
        if not self._job.wait(PATIENCE_SECONDS):
            self._tell(self._path)
        return [QUrl.fromLocalFile(str(self._path))] if self._path.exists() else []


class DragOut:
    """Makes what is dragged; the files live as long as the window.

    What was dragged last is not written again: a drag that came too soon may be repeated at once.
    """

    def __init__(
        self, engine: EngineThread, get_project: Callable[[], Project], note: Callable[[str, Sequence[str]], None]
    ) -> None:
        self._engine, self._get_project, self._note = engine, get_project, note
        self._latest: tuple[tuple[Layer, ...], Job, Path] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0

    def begin(self, ids: frozenset[str]) -> DraggedLayers:
        """The layers of these ids, ready to be let go anywhere."""
        project = self._get_project()
        chosen = tuple(layer for layer in project.layers if layer.id in ids and layer.geometry is not None)
        if self._latest is not None and _are_same(self._latest[0], chosen) and self._latest[1].error is None:
            return DraggedLayers(ids, *self._latest[1:], self._tell)
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="stillto3d-drag-")
        self._count += 1
        folder = Path(self._folder.name) / str(self._count)
        folder.mkdir()
        name = chosen[0].name if len(chosen) == 1 else project.shots[0].still.name if project.shots else "layers"
        path = folder / f"{''.join(c if c.isalnum() or c in '-_ ' else '_' for c in name)}.glb"
        if not chosen:
            return DraggedLayers(ids, None, path, self._tell)
        part = replace(project, layers=chosen)
        title = tr("Write {name}", name=path.name)
        job = self._engine.start_job(title, lambda run: formats.write(run, part, path), "files")
        self._latest = (chosen, job, path)
        return DraggedLayers(ids, job, path, self._tell)

    def _tell(self, path: Path) -> None:
        self._note(path.name, ["The file is still being written. Drag the layers again when that is over."])

    def close(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _are_same(these: Sequence[Layer], those: Sequence[Layer]) -> bool:
    return len(these) == len(those) > 0 and all(a is b for a, b in zip(these, those, strict=True))
