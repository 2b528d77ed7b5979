"""Through which view the still is shown: as it was opened, or by OpenColorIO's views of a scene-linear still."""

from __future__ import annotations

from ..errors import StillTo3DError
from ..formats.plate import KNOWN
from ..models.roles import VIEWS, ShowView
from ..project.project import Project
from ..project.still import Still
from ..words import tr
from .desk import Desk

OPENED, CHOICES = "view.opened", dict(zip(("view.aces", "view.plain"), VIEWS, strict=True))


class ColourView:
    """Shows the still at hand through the view that is checked; what is exported does not change."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        table = desk.window.actions_table
        table.group(OPENED, *CHOICES)
        table.table[OPENED].setChecked(True)
        for wish in (OPENED, *CHOICES):
            table.bind(wish, self.show, self._can_choose)
        desk.document.changed.connect(self._follow)

    def _can_choose(self) -> bool:
        project = self._desk.document.project
        return bool(project.shots) and has_light(project.hero.still)

    def _follow(self, old: Project, new: Project) -> None:
        before = old.hero.still if old.shots else None
        if new.shots and new.hero.still is not before and self._find_view() is not None and self._can_choose():
            self._desk.start(self.show())

    def _find_view(self) -> str | None:
        table = self._desk.window.actions_table.table
        return next((view for wish, view in CHOICES.items() if table[wish].isChecked()), None)

    async def show(self) -> None:
        """Show the still through the view that is checked now."""
        project, view = self._desk.document.project, self._find_view()
        still, source = project.hero.still, project.hero.still.source
        pixels = still.pixels
        if view is not None and source is not None:
            ask = ShowView(source, still.source_space, view)
            try:
                pixels = await self._desk.engine.submit(tr("Colours"), lambda run: run.call(ask), "files")
            except StillTo3DError as error:
                self._desk.window.jobs.show_error(tr("Colours"), error)
                return
        at_hand = self._desk.document.project.shots and self._desk.document.project.hero.still is still
        if at_hand and self._find_view() == view:
            await self._desk.window.show_pixels(still, pixels)


def has_light(still: Still) -> bool:
    """Whether a still holds scene-linear light in a space with a name."""
    return still.source is not None and still.source_space in KNOWN.keys() - {"srgb"}
