"""The document: the project as it is now, the steps that led here, and the file it lies in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from ..project.project import Patch, Project, apply_patch


@dataclass(frozen=True, eq=False)
class Step:
    """One entry of the undo list: what it was called, and the project on its other side."""

    label: str
    project: Project


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
        """Take the latest step back."""
        if self._undo:
            step = self._undo.pop()
            self._redo.append(Step(step.label, self.project))
            self._put(step.project)

    def redo(self) -> None:
        """Bring the step that was taken back again."""
        if self._redo:
            step = self._redo.pop()
            self._undo.append(Step(step.label, self.project))
            self._put(step.project)

    def note_saved(self, project: Project, path: Path) -> None:
        """`project` lies in `path` now."""
        self.path, self._saved = path, project
        self.changed.emit(self.project, self.project)

    def _put(self, project: Project) -> None:
        before, self.project = self.project, project
        self.changed.emit(before, project)
