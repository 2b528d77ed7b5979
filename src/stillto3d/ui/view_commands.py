"""What the actions of the viewport do, and what it tells back: picks, moves, measured lengths, pictures."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import numpy as np

from ..engine.run import Run
from ..errors import StillTo3DError
from ..formats.about import About, describe_project
from ..formats.gather import list_visible
from ..formats.picture import write_png
from ..project.geometry import measure_bounds
from ..project.project import rescale_project
from ..project.space import translate
from ..project.still import F64, U8
from ..viewport.gizmo import GizmoMode
from ..words import tr
from .desk import Desk
from .edits import put_layers
from .length_bar import LengthBar, measure_on_still

SHADINGS = ("textured", "clay", "wire", "normals", "depth", "seen")
TURNTABLE_PICTURES = 72
PICTURES_AHEAD = 4
SIDES = {"front": (0.0, 0.0), "right": (90.0, 0.0), "top": (0.0, -89.5)}


class ViewCommands:
    """Joins the viewport, which is loaded after the window, to the document."""

    def __init__(self, desk: Desk) -> None:
        self._document, self._engine, self._window, self._start = desk.document, desk.engine, desk.window, desk.start
        self._background = desk.background
        window = desk.window
        self._ends: list[F64] = []
        self._measured: float | None = None
        self.known_length = ""
        self._canvas_bar, self._view_bar = LengthBar(window.canvas), LengthBar(window.view_place)
        for bar in (self._canvas_bar, self._view_bar):
            bar.known.connect(self._set_scale)
        self._canvas_bar.closed.connect(self._clear_line)
        window.canvas.measured.connect(self._measure_on_still)
        window.scene_loaded.connect(self._join)
        self._bind()

    @property
    def _scene(self) -> Any:
        return self._window.scene

    def _bind(self) -> None:
        table = self._window.actions_table

        def is_filled() -> bool:
            return self._scene is not None and any(
                layer.geometry is not None for layer in self._document.project.layers
            )

        for name in SHADINGS:
            table.bind(f"view.{name}", partial(self._shade, name), is_filled)
        table.group(*(f"view.{name}" for name in SHADINGS))
        for mode in GizmoMode:
            table.bind(f"view.{mode.value}", partial(self._use_gizmo, mode), is_filled)
        table.group(*(f"view.{mode.value}" for mode in GizmoMode))
        for name, (yaw, pitch) in SIDES.items():
            table.bind(f"view.{name}", partial(self._look_along, yaw, pitch), is_filled)
        for name in ("textured", "none"):
            table.table[f"view.{name}"].setChecked(True)
        table.bind("view.lens", self._look_through_lens, is_filled)
        table.bind("view.floor", self.stand_on_floor, lambda: bool(self._window.layers.selected()))
        table.bind("view.measure", self._begin_measure, is_filled)
        table.bind("view.shot", self._save_picture, is_filled)
        table.bind("view.turntable", self._save_turntable, is_filled)
        table.bind("view.frame", self._frame)

    def _join(self) -> None:
        scene, bar = self._scene, self._window.view_bar
        scene.picked.connect(self._pick)
        scene.moved.connect(self._move)
        scene.touched.connect(self._touch)
        scene.lens_left.connect(self._note_lens_left)
        self._window.layers.chosen.connect(scene.select)
        scene.select(self._window.layers.selected())
        bar.mixed.connect(self._mix)
        self._mix(bar.opacity.value(), bar.wipe.value())

    # ----------------------------------------------------------------- looking

    def _shade(self, name: str) -> Any:
        return self._scene.shade_as(name)

    def _look_along(self, yaw: float, pitch: float) -> None:
        self._scene.look_along(yaw, pitch)

    def _frame(self) -> None:
        self._window.canvas.frame()
        if self._scene is not None and self._scene.isVisible():
            self._scene.frame()

    def _look_through_lens(self) -> None:
        action = self._window.actions_table.table["view.lens"]
        if action.isChecked():
            self._scene.look_through_lens()
        else:
            self._scene.look(self._scene.leave_lens() or self._scene.orbit)
        self._window.view_bar.show_lens(self._scene.at_lens)
        action.setChecked(self._scene.at_lens)

    def _note_lens_left(self) -> None:
        self._window.actions_table.table["view.lens"].setChecked(False)
        self._window.view_bar.show_lens(False)

    def _mix(self, opacity: int, wipe: int) -> None:
        if self._scene is not None:
            self._scene.backplate.adjust(opacity / 100, wipe / 100)
            if self._scene.at_lens:
                self._scene.redraw()

    # ----------------------------------------------------------------- selecting and moving

    def _use_gizmo(self, mode: GizmoMode) -> None:
        self._scene.use_gizmo(mode)

    def _pick(self, layer_id: str | None, adds: bool) -> None:
        layers = self._window.layers
        if layer_id is None:
            layers.select(layers.selected() if adds else frozenset())
        elif adds:
            layers.select(layers.selected() ^ {layer_id})
        else:
            layers.select(frozenset([layer_id]))

    def _move(self, layer_id: str, transform: F64) -> None:
        layer = self._document.project.layer(layer_id)
        if layer is not None and not layer.locked:
            moved = put_layers(self._document.project, replace(layer, transform=transform))
            self._document.edit(tr("Move {name}", name=layer.name), moved)

    async def stand_on_floor(self) -> None:
        """Let the selected layers down, or up, to height 0."""
        project, stood = self._document.project, []
        for layer in project.layers:
            if layer.id in self._window.layers.selected() and layer.geometry is not None and not layer.locked:
                low = float((await self._background.run(measure_bounds, layer.geometry, layer.transform))[0, 1])
                stood.append(replace(layer, transform=translate([0, -low, 0]) @ layer.transform))
        if stood and self._document.project is project:
            self._document.edit(tr("Stand on the floor"), put_layers(project, *stood))

    # ----------------------------------------------------------------- lengths

    def _begin_measure(self) -> None:
        self._ends.clear()
        self._scene.measures = self._window.actions_table.table["view.measure"].isChecked()
        self._scene.show_measure(np.zeros((0, 3)))
        self._view_bar.hide()

    def _touch(self, place: F64) -> None:
        self._ends = [*self._ends, place] if len(self._ends) < 2 else [place]
        self._scene.show_measure(np.array(self._ends))
        if len(self._ends) == 2:
            self._measured = float(np.linalg.norm(self._ends[1] - self._ends[0]))
            self._view_bar.ask(self._measured)

    def _measure_on_still(self, x0: float, y0: float, x1: float, y1: float) -> None:
        line = (x0, y0, x1, y1)
        self._window.canvas.measure = line
        self._measured = measure_on_still(self._document.project.hero, line)
        self._canvas_bar.ask(self._measured)

    def _clear_line(self) -> None:
        if self._document.project.hero.depth is not None:
            self._window.canvas.measure = None
        self._window.canvas.update()

    def _set_scale(self, metres: float) -> None:
        if self._measured is None:
            line = self._window.canvas.measure
            if line is not None:
                self.known_length = f"{','.join(f'{n:g}' for n in line)}={metres:g}"
        elif self._measured > 0:
            project = rescale_project(self._document.project, metres / self._measured)
            self._document.edit(tr("Set the scale"), project)

    # ----------------------------------------------------------------- pictures

    async def _save_picture(self) -> None:
        path = await self._window.ask_path(tr("Save picture"), tr("PNG picture (*.png)"), suffix="png", name="viewport")
        if path is not None:
            await self._write_picture(path, self._scene.take_picture())

    async def _save_turntable(self) -> None:
        folder = await self._window.ask_folder(tr("Folder for the turntable"))
        if folder is not None:
            await self.write_turntable(folder, TURNTABLE_PICTURES)

    async def write_turntable(self, folder: Path, count: int) -> None:
        """Pictures from all around the target as turntable_0000.png and on, without grid, marks and handles."""
        scene, before = self._scene, self._scene.orbit
        taken: Queue[U8] = Queue()
        about = self._describe_picture()
        room, loop = asyncio.Semaphore(PICTURES_AHEAD), asyncio.get_running_loop()

        def work(run: Run) -> None:
            for k in range(count):
                run.progress(k / count, tr("picture {k} of {n}", k=k + 1, n=count))
                path = folder / f"turntable_{k:04d}.png"
                write_png(run.sub(k / count, 1 / count), _await_picture(run, taken), path, about)
                loop.call_soon_threadsafe(room.release)

        title = tr("Turntable")
        written = self._engine.submit(title, work, "files")
        for orbit in scene.list_turntable(count):
            waiting = asyncio.ensure_future(room.acquire())
            await asyncio.wait([waiting, written], return_when=asyncio.FIRST_COMPLETED)
            if written.done():
                waiting.cancel()
                break
            scene.look(orbit)
            scene.show_finely()
            taken.put(scene.take_picture(bare=True))
        scene.look(before)
        try:
            await written
        except StillTo3DError as error:
            self._window.jobs.show_error(title, error)

    def _describe_picture(self) -> About:
        """What a picture of the viewport says of itself."""
        project = self._document.project
        return describe_project(project, list_visible(project))

    async def _write_picture(self, path: Path, pixels: Any) -> bool:
        title, about = tr("Save {name}", name=path.name), self._describe_picture()
        try:
            await self._engine.submit(title, lambda run: write_png(run, pixels, path, about), "files")
        except StillTo3DError as error:
            self._window.jobs.show_error(title, error)
            return False
        return True


def _await_picture(run: Run, taken: Queue[U8]) -> U8:
    """The next picture from the window, unless the job is taken back."""
    while True:
        run.check()
        with suppress(Empty):
            return taken.get(timeout=0.1)
