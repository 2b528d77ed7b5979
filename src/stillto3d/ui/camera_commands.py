"""The camera by hand, on the still: solve it, drag its horizon, lay lines along the set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from ..words import tr
from .desk import Desk
from .edits import aim_shot, put_camera
from .horizon import Line, find_horizon, read_tilt
from .vanishing import Lines, lay_lines, solve_lines


class CameraCommands:
    """Whatever is known of the camera better than the solver knows it."""

    def __init__(self, desk: Desk, run_pipeline: Callable[[str, dict[str, Any]], Awaitable[None]]) -> None:
        self._desk, self._run_pipeline = desk, run_pipeline
        self._lines: tuple[str, Lines] | None = None
        table, document, canvas = desk.window.actions_table, desk.document, desk.window.canvas

        def has_still() -> bool:
            return bool(document.project.shots)

        table.bind("make.camera", self.solve, has_still)
        table.bind("view.horizon", self.show_guides, has_still)
        table.bind("view.lines", self.show_guides, has_still)
        canvas.tilted.connect(self.tilt)
        canvas.aligned.connect(self.align)
        document.changed.connect(lambda old, new: self._draw())

    async def solve(self) -> None:
        """Solve the camera again, and forget what was set by hand."""
        document = self._desk.document
        camera = document.project.hero.camera
        if camera is not None and camera.locked:
            document.edit(tr("Unlock the camera"), put_camera(document.project, replace(camera, locked=False)))
        await self._run_pipeline("calibrate", {})

    async def show_guides(self) -> None:
        """Show horizon and lines, or hide them; the camera is solved first if it is not."""
        if any(self._wanted()) and self._desk.document.project.hero.camera is None:
            await self._run_pipeline("calibrate", {})
        self._draw()

    def _wanted(self) -> tuple[bool, bool]:
        table = self._desk.window.actions_table.table
        return table["view.horizon"].isChecked(), table["view.lines"].isChecked()

    def _draw(self) -> None:
        project, (horizon, lines) = self._desk.document.project, self._wanted()
        camera = project.hero.camera if project.shots else None
        if camera is None:
            self._desk.window.canvas.show_guides(None, None)
            return
        still = project.hero.still
        if self._lines is None or self._lines[0] != still.id:
            self._lines = (still.id, lay_lines(still.width, still.height))
        line = find_horizon(camera) if horizon else None
        self._desk.window.canvas.show_guides(line, self._lines[1] if lines else None)

    def tilt(self, line: Line) -> None:
        """Aim the camera as the dragged horizon says."""
        document = self._desk.document
        camera = document.project.hero.camera
        if camera is None or camera.locked:
            self._draw()
            return
        pitch, roll = read_tilt(camera, line)
        document.edit(tr("Drag the horizon"), aim_shot(document.project, pitch, roll, float(camera.position[1])))

    def align(self, lines: Lines) -> None:
        """Give the camera the lens and tilt that the lines mean."""
        document = self._desk.document
        self._lines = (document.project.hero.still.id, lines)
        camera = document.project.hero.camera
        solved = solve_lines(camera, lines) if camera is not None and not camera.locked else None
        if solved is None:
            self._draw()
            return
        lens, pitch, roll = solved
        project = put_camera(document.project, lens)
        document.edit(tr("Lay vanishing lines"), aim_shot(project, pitch, roll, float(lens.position[1])))
