"""The document: the project as it is now, the steps that led here, and the file it lies in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from ..project.project import Patch, Project, Recipe, apply_patch

MOST_BYTES = 2 << 30
"""What the steps may hold in memory together, before older ones are put into files."""


@dataclass(eq=False)
class Step:
    """One entry of the undo list: what it was called, and the project on its other side, or the file it lies in."""

    label: str
    project: Project | None
    file: Path | None = None


class Document(QObject):
    """One project being edited. A project is a value, so a step back is an earlier value.

    Widgets hear one signal and compare by identity: what `is` the same has not changed.
    """

    changed = Signal(object, object)
    """Project before, project after. Both are the same one when only the file's state has changed."""

    def __init__(self) -> None:
        super().__init__()
        self.project = Project()
        self.path: Path | None = None
        self._undo: list[Step] = []
        self._redo: list[Step] = []
        self._saved: Project = self.project

    @property
    def dirty(self) -> bool:
        """There is something that no file holds."""
        return self.project is not self._saved

    @property
    def undo_label(self) -> str | None:
        """What undo would take back, or None."""
        return self._undo[-1].label if self._undo else None

    @property
    def redo_label(self) -> str | None:
        """What redo would bring back, or None."""
        return self._redo[-1].label if self._redo else None

    def open(self, project: Project, path: Path | None, saved: bool = True) -> None:
        """Begin with another project; `path` is the project file that it came from, if any.

        With `saved=False` it is work that no file holds: what a crash has left.
        """
        self._undo.clear()
        self._redo.clear()
        self.path = path
        self._saved = project if saved else Project()
        self._put(project)

    def apply(self, patch: Patch) -> None:
        """Take in a result or an edit, as one step. What it knows of layers deleted meanwhile is left out."""
        self.edit(patch.label, apply_patch(self.project, patch))

    def edit(self, label: str, project: Project) -> None:
        """Put another project in the place of this one, as one step."""
        if project is self.project:
            return
        self._undo.append(Step(label, self.project))
        self._redo.clear()
        self._put(project)

    def amend(self, project: Project) -> None:
        """Finish the latest step with a better result, without a step of its own."""
        self._redo.clear()
        self._put(project)

    def undo(self) -> None:
        """Take the latest step back; a step that lies in a file is read before (see `find_spilled`)."""
        if self._undo and (project := self._undo[-1].project) is not None:
            step = self._undo.pop()
            self._redo.append(Step(step.label, self.project))
            self._put(project)

    def redo(self) -> None:
        """Bring the step that was taken back again; one that lies in a file is read before."""
        if self._redo and (project := self._redo[-1].project) is not None:
            step = self._redo.pop()
            self._undo.append(Step(step.label, self.project))
            self._put(project)

    def find_surplus(self, limit: int = MOST_BYTES) -> Step | None:
        """The step in memory that is farthest from now, when all together hold more than the limit.

        Earlier ones go before those that were taken back. Takes count as parts of the layers that hold them.
        """
        held = [step for step in (*self._undo, *self._redo) if step.project is not None]
        projects = [self.project, *(step.project for step in held if step.project is not None)]
        return held[0] if held and measure_arrays(projects) > limit else None

    def find_spilled(self, redo: bool = False) -> Step | None:
        """The step that undo (or redo) needs next, when it lies in a file."""
        steps = self._redo if redo else self._undo
        return steps[-1] if steps and steps[-1].project is None else None

    def note_saved(self, project: Project, path: Path) -> None:
        """`project` lies in `path` now."""
        self.path, self._saved = path, project
        self.changed.emit(self.project, self.project)

    def _put(self, project: Project) -> None:
        before, self.project = self.project, project
        self.changed.emit(before, project)


def measure_arrays(projects: Iterable[Project]) -> int:
    """Bytes of the arrays that projects hold; what they share counts once."""
    seen: dict[int, int] = {}
    for project in projects:
        _collect(project, seen)
    return sum(seen.values())


def _collect(value: object, seen: dict[int, int]) -> None:
    if isinstance(value, np.ndarray):
        seen[value.ctypes.data] = value.nbytes
    elif isinstance(value, tuple):
        for item in value:
            _collect(item, seen)
    elif isinstance(value, Mapping):
        for item in value.values():
            _collect(item, seen)
    elif is_dataclass(value) and not isinstance(value, Recipe):
        for field in fields(value):
            _collect(getattr(value, field.name), seen)
