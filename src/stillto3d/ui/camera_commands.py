"""The camera by hand, on the still: solve it, drag its horizon, lay lines along the set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from ..engine.run import Run
from ..errors import StillTo3DError
from ..pipelines.calibrate import CalibrateParams, solve_camera
from ..project.project import Shot
from ..project.space import Camera
from ..words import tr
from .desk import Desk
from .edits import aim_shot, put_camera, reset_camera
from .horizon import Line, find_horizon, read_tilt
from .vanishing import Lines, lay_lines, solve_lines
from .word_jobs import word_pipelines

Seen = tuple[float, ...]


class CameraCommands:
    """Whatever is known of the camera better than the solver knows it."""

    def __init__(self, desk: Desk, run_pipeline: Callable[[str, dict[str, Any]], Awaitable[None]]) -> None:
        self._desk, self._run_pipeline = desk, run_pipeline
        self._laid: dict[Seen, Lines] = {}
        table, document, canvas = desk.window.actions_table, desk.document, desk.window.canvas

        def has_still() -> bool:
            return bool(document.project.shots)

        table.bind("make.camera", self.solve, has_still)
        table.bind("view.horizon", self.show_guides, has_still)
        table.bind("view.lines", self.show_guides, has_still)
        desk.window.inspector.lens.solve_wanted.connect(lambda: desk.start(self.solve()))
        canvas.tilted.connect(self.tilt)
        canvas.aligned.connect(self.align)
        document.changed.connect(lambda old, new: self._draw())

    async def solve(self) -> None:
        """Solve the camera again, and forget what was set by hand."""
        document = self._desk.document
        camera, shot = document.project.hero.camera, document.project.hero
        if camera is not None and camera.locked:
            document.edit(tr("Unlock the camera"), put_camera(document.project, replace(camera, locked=False)))
        if shot.depth is None:
            await self._run_pipeline("calibrate", {})
            return
        title = word_pipelines()["calibrate"]
        try:
            work = partial(_solve, shot)
            solved: Camera = await self._desk.engine.submit("calibrate", work, "heavy")
        except StillTo3DError as error:
            self._desk.window.jobs.show_error(title, error)
            return
        if document.project.shots and document.project.hero.still is shot.still:
            document.edit(tr("Solve the camera"), reset_camera(document.project, solved))

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
        line = find_horizon(camera) if horizon else None
        laid = self._laid.get(_describe(camera)) or lay_lines(camera)
        self._desk.window.canvas.guides.locked = camera.locked
        self._desk.window.canvas.show_guides(line, laid if lines else None)

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
        camera = document.project.hero.camera
        if camera is None or camera.locked:
            self._draw()
            return
        solved = solve_lines(camera, lines)
        if solved is None:  # they stay as they were dragged, and tell nothing yet
            self._laid[_describe(camera)] = lines
            return
        lens, pitch, roll = solved
        project = aim_shot(put_camera(document.project, lens), pitch, roll, float(lens.position[1]))
        if project.hero.camera is not None:
            self._laid[_describe(project.hero.camera)] = lines
        document.edit(tr("Lay vanishing lines"), project)


def _solve(shot: Shot, run: Run) -> Camera:
    camera = solve_camera(run, shot, CalibrateParams()).camera
    assert camera is not None
    return camera


def _describe(camera: Camera) -> Seen:
    """What lines tell of a camera: undo and redo find the lines by it that belong to the camera they bring."""
    return (camera.width, camera.height, *(round(n, 6) for n in (camera.fx, *camera.measure_tilt())))
