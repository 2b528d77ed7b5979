"""First-run hints: what can be done next, told until it was done once or the hint was closed."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from ..project.project import Project
from ..words import tr


class Hints(QObject):
    """Follows the work; a hint whose deed follows it is not shown again, in no later session either."""

    changed = Signal(str)
    """The hint that counts now, "" for none."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[str] = set()
        self._shown = ""

    def follow(self, project: Project, masking: bool) -> None:
        """Choose the hint for a project; `masking` says that a mask is being made."""
        stage = _find_stage(project, masking)
        done = {"point": masking or bool(project.props()), "refine": not masking and bool(project.props())}
        done["make"] = bool(project.scenes())
        if done.get(self._shown, False):
            self.gone.add(self._shown)
        self._show(stage)

    def finish(self, stage: str) -> None:
        """What the hint of a stage speaks of was done, if that is shown."""
        if stage == self._shown:
            self.close()

    def close(self) -> None:
        """Never show the present hint again."""
        self.gone.add(self._shown)
        self._show(self._shown)

    def restore(self, gone: Iterable[str]) -> None:
        """Leave out what was done in earlier sessions."""
        self.gone |= set(gone)
        self._show(self._shown)

    def _show(self, stage: str) -> None:
        self._shown = "" if stage in self.gone else stage
        self.changed.emit(_word_hints().get(self._shown, ""))


def _find_stage(project: Project, masking: bool) -> str:
    if not project.shots:
        return ""
    if masking:
        return "refine"
    if not project.props():
        return "point"
    return "view" if project.scenes() else "make"


def _word_hints() -> dict[str, str]:
    return {
        "refine": tr("Click refines · Shift-click adds a part · Alt-click takes away · 1 2 3 choose · Enter keeps"),
        "point": tr("Point at things: a click masks them, a drag frames them. B brush, E eraser, L lasso."),
        "make": tr("Mask what shall be a prop, then make all props: the set is built first."),
        "view": tr("Middle drag turns the viewport, Shift pans, the wheel zooms; 0 looks through the lens."),
    }
