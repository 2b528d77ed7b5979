"""What the actions do. Whatever waits is a coroutine; nothing here blocks the window."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox

from .. import formats
from ..engine.jobs import Record
from ..engine.run import Run
from ..errors import BadInput, Cancelled, StillTo3DError
from ..formats.picture import read_still, write_mask
from ..pipelines import PIPELINES
from ..project.project import Layer, LayerKind, Patch, Project, make_layer, start_project
from ..project.still import Mask, Still
from ..settings import find_folders
from ..studio import Studio
from ..words import tr
from .background import Background
from .canvas import Tool
from .document import Document
from .edits import duplicate_layers, remove_layers, solo_layers
from .engine_thread import EngineThread
from .mask_drawing import MaskView
from .recent import keep_recent, read_recent
from .view_commands import ViewCommands
from .welcome import load_samples
from .window import MainWindow

BRUSH_STEP = 1.25


def word_pipelines() -> dict[str, str]:
    """What the job strip calls the pipelines."""
    return {
        "convert": tr("Make the whole shot"),
        "segment": tr("Mask"),
        "calibrate": tr("Solve the camera"),
        "reconstruct": tr("Make set"),
        "prop": tr("Make props"),
    }


def read_matte(picture: Still, project: Project) -> Mask:
    """A picture of the hero still's size as a mask: its alpha if it has one, else its brightness."""
    still = project.hero.still
    if picture.pixels.shape != still.pixels.shape:
        raise BadInput(
            "The matte is {width} x {height}, the still is {wide} x {high}.",
            "Use a matte of the still's size.",
            width=picture.width,
            height=picture.height,
            wide=still.width,
            high=still.height,
        )
    alpha = picture.alpha if picture.alpha is not None else picture.pixels.max(axis=2)
    return Mask(alpha, still.id)


class Commands:
    """Wishes of the person, carried out on the document through the engine."""

    def __init__(
        self,
        studio: Studio,
        document: Document,
        engine: EngineThread,
        background: Background,
        window: MainWindow,
        start: Callable[[Any], Any],
    ) -> None:
        self._studio, self._document, self._engine = studio, document, engine
        self._background, self._window, self._start = background, window, start
        self._closing = False
        self._busy: list[frozenset[str]] = []
        self._data = find_folders().data
        self.recent: list[Path] = []
        for name, title in word_pipelines().items():
            window.jobs.name(name, title)
        self.view = ViewCommands(document, engine, window, start)
        self._bind()
        window.inspector.make_wanted.connect(
            lambda name, params: start(self.run_pipeline("prop", {**params, "only": (name,)}))
        )
        window.inspector.lens.solve_wanted.connect(lambda params: start(self.run_pipeline("calibrate", params)))
        window.inspector.lens.rebuild_wanted.connect(lambda: start(self.run_pipeline("reconstruct", {})))
        window.files_dropped.connect(lambda paths: start(self.open_files(paths)))
        window.welcome.chosen.connect(
            lambda path: start(self.choose_file() if path is None else self.open_files([path]))
        )
        window.closing.connect(lambda: start(self.close()))

    def _bind(self) -> None:
        bind, document, masking = self._window.actions_table.bind, self._document, self._window.masking

        def has_still() -> bool:
            return bool(document.project.shots)

        def has_layers() -> bool:
            return any(layer.geometry is not None for layer in document.project.layers)

        bind("file.open", self.choose_file)
        bind("file.paste", self.paste_still)
        bind("file.save", self.save, has_still)
        bind("file.save_as", self.save_as, has_still)
        bind("file.export", self.export, has_layers)
        bind("file.quit", self._window.close)
        bind("edit.undo", self.undo, lambda: document.undo_label is not None or masking.attempt is not None)
        bind("edit.redo", document.redo, lambda: document.redo_label is not None)
        layers = self._window.layers
        bind("edit.rename", layers.rename_selected, lambda: len(layers.selected()) == 1)
        bind("edit.duplicate", self.duplicate_layers, lambda: bool(layers.selected()))
        bind("edit.solo", self.solo_layers, lambda: bool(layers.selected()))
        bind("edit.delete", self.delete_layers, lambda: bool(layers.selected()))
        bind("mask.accept", masking.accept, lambda: masking.attempt is not None)
        bind("mask.drop", masking.drop, lambda: masking.attempt is not None)
        self._bind_masks()
        for k, name in enumerate(("first", "second", "third")):
            bind(f"mask.{name}", partial(masking.choose, k), lambda: masking.attempt is not None)
        bind("make.set", lambda: self.run_pipeline("reconstruct", {}), has_still)
        bind("make.prop", self.make_selected, lambda: bool(self._chosen_props()))
        bind("make.props", lambda: self.run_pipeline("prop", {}), lambda: bool(document.project.props()))
        bind("view.actual", self._window.canvas.show_actual_size, has_still)
        bind("view.fill", self._window.fill_centre)
        self._window.actions_table.refresh()

    def _bind_masks(self) -> None:
        table, masking, canvas = self._window.actions_table, self._window.masking, self._window.canvas
        for tool in Tool:
            table.bind(f"mask.{tool.value}", partial(canvas.take_tool, tool))
        table.group(*(f"mask.{tool.value}" for tool in Tool))
        table.table["mask.point"].setChecked(True)
        for view in MaskView:
            table.bind(f"view.{view.value}", partial(masking.show_as, view))
        table.group(*(f"view.{view.value}" for view in MaskView))
        table.table["view.tint"].setChecked(True)
        table.bind("mask.smaller", lambda: canvas.set_radius(canvas.radius / BRUSH_STEP))
        table.bind("mask.larger", lambda: canvas.set_radius(canvas.radius * BRUSH_STEP))

        def has_mask() -> bool:
            return bool(self._find_masked())

        def has_alpha() -> bool:
            return masking.still is not None and masking.still.alpha is not None

        table.bind("mask.soften", partial(self.soften_masks, False), has_mask)
        table.bind("mask.hair", partial(self.soften_masks, True), has_mask)
        table.bind("mask.alpha", self.take_alpha, has_alpha)
        table.bind("mask.import", self.import_matte, lambda: masking.still is not None)
        table.bind("mask.save", self.save_mask, has_mask)

    # ----------------------------------------------------------------- files

    async def greet(self) -> None:
        """Show recent files and samples."""
        self.recent = await self._background.run(read_recent, self._data)
        self._show_recent()
        self._window.welcome.show_samples(await self._background.run(load_samples))

    async def _keep_recent(self, path: Path) -> None:
        self.recent = await self._background.run(keep_recent, self._data, path, self.recent)
        self._show_recent()

    def _show_recent(self) -> None:
        self._window.welcome.show_recent(self.recent)
        menu = self._window.recent_menu
        menu.clear()
        for path in self.recent:
            shown = path.name.encode("utf-8", "replace").decode().replace("&", "&&")
            menu.addAction(shown, partial(self._start_open, path))
        menu.setEnabled(bool(self.recent))

    def _start_open(self, path: Path) -> None:
        self._start(self.open_files([path]))

    async def choose_file(self) -> None:
        """Ask for a file and open it."""
        path = await self._window.ask_path(tr("Open"), tr("Stills and projects (*)"), save=False)
        if path is not None:
            await self.open_files([path])

    async def open_files(self, paths: Sequence[Path]) -> None:
        """Open the first of the files, once what is unsaved has been asked about."""
        if not paths or not await self._settle_changes():
            return
        path = paths[0]
        title = tr("Open {name}", name=path.name)
        try:
            if path.suffix.lower() == ".s3d":
                project = await self._engine.submit(title, lambda run: formats.read(run, path), "files")
                self._document.open(project, path)
            else:
                decoded = await self._engine.submit(title, lambda run: read_still(run, path), "files")
                self._document.open(start_project(decoded.still), None)
                self._window.jobs.show_notes(title, [note.get("text", "") for note in decoded.warnings])
            await self._keep_recent(path)
        except StillTo3DError as error:
            self._window.jobs.show_error(title, error)

    async def paste_still(self) -> None:
        """Open the picture, or the file, that lies in the clipboard."""
        mime = QGuiApplication.clipboard().mimeData()
        files = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
        if files:
            await self.open_files(files)
        elif mime.hasImage():
            image = QGuiApplication.clipboard().image()
            with tempfile.TemporaryDirectory(prefix="stillto3d-paste-") as folder:
                path = Path(folder) / "clipboard.png"
                if await self._background.run(image.save, str(path)):
                    await self.open_files([path])

    async def save(self) -> bool:
        """Save where the project lies, or ask where. True once it is saved."""
        if self._document.path is None:
            return await self.save_as()
        return await self._write(self._document.path)

    async def save_as(self) -> bool:
        """Ask where to save, and save there."""
        path = await self._window.ask_path(tr("Save project"), tr("stillto3d project (*.s3d)"), suffix="s3d")
        return path is not None and await self._write(path)

    async def _write(self, path: Path) -> bool:
        project = self._document.project
        title = tr("Save {name}", name=path.name)
        try:
            await self._engine.submit(title, lambda run: formats.write(run, project, path), "files")
        except StillTo3DError as error:
            self._window.jobs.show_error(title, error, lambda: self._start(self._write(path)))
            return False
        self._document.note_saved(project, path)
        await self._keep_recent(path)
        return True

    async def export(self) -> None:
        """Ask where, and write set, props and camera as GLB."""
        path = await self._window.ask_path(tr("Export"), tr("glTF binary (*.glb)"), suffix="glb")
        if path is not None:
            await self.export_to(path)

    async def export_to(self, path: Path) -> None:
        """Write set, props and camera; the suffix chooses the format."""
        project = self._document.project
        title = tr("Export {name}", name=path.name)
        try:
            await self._engine.submit(title, lambda run: formats.write(run, project, path), "files")
        except StillTo3DError as error:
            self._window.jobs.show_error(title, error, lambda: self._start(self.export_to(path)))

    # ----------------------------------------------------------------- edits

    def undo(self) -> None:
        """Take back the latest stroke of the mask being made, else the latest step."""
        if not self._window.masking.step_back():
            self._document.undo()

    def delete_layers(self) -> None:
        """Delete the selected layers that are not locked."""
        project, ids = self._document.project, self._window.layers.selected()
        self._document.edit(tr("Delete {n} layers", n=len(ids)), remove_layers(project, ids))

    def duplicate_layers(self) -> None:
        """Copy the selected layers, and select the copies."""
        ids = self._window.layers.selected()
        project, copies = duplicate_layers(self._document.project, ids)
        self._document.edit(tr("Duplicate {n} layers", n=len(ids)), project)
        self._window.layers.select(copies)

    def solo_layers(self) -> None:
        """Show the selected layers alone, or all again."""
        project = solo_layers(self._document.project, self._window.layers.selected())
        self._document.edit(tr("Solo"), project)

    def _chosen_props(self) -> list[str]:
        project, selected = self._document.project, self._window.layers.selected()
        return [layer.name for layer in project.layers if layer.id in selected and layer.kind is LayerKind.PROP]

    async def make_selected(self) -> None:
        """Make the selected masks solid."""
        await self.run_pipeline("prop", {"only": tuple(self._chosen_props())})

    async def run_pipeline(self, name: str, params: dict[str, Any]) -> None:
        """Run a pipeline on the project as it is now; its patch becomes a step when it is done."""
        await self._window.masking.accept()
        project = self._document.project
        pipeline = PIPELINES[name]
        if self.view.known_length and project.hero.floor is None and name in ("reconstruct", "prop"):
            params = {"known_length": self.view.known_length, **params}
        title = word_pipelines()[name]
        try:
            chosen = self._studio.check_params(pipeline, params)
            path = self._document.path
            record = Record(name, chosen.model_dump_json(), str(path)) if path is not None else None

            def work(run: Run) -> Patch:
                return pipeline.function(run, project, chosen)

            with self._mark_busy(name, params):
                patch = await self._engine.submit(name, work, "heavy", record=record, policy=project.policy)
        except Cancelled:
            return
        except StillTo3DError as error:
            self._window.jobs.show_error(title, error, lambda: self._start(self.run_pipeline(name, params)))
            return
        if self._is_at_home(project):
            self._document.apply(patch)

    @contextmanager
    def _mark_busy(self, name: str, params: dict[str, Any]) -> Iterator[None]:
        """The layer panel says which props are being made."""
        only = params.get("only") or [layer.name for layer in self._document.project.props()]
        ids = [layer.id for layer in self._document.project.props() if layer.name in only]
        self._busy.append(frozenset(ids) if name == "prop" else frozenset())
        mine = self._busy[-1]
        try:
            self._window.layers.mark_busy(frozenset().union(*self._busy))
            yield
        finally:
            self._busy.remove(mine)
            self._window.layers.mark_busy(frozenset().union(*self._busy))

    def _is_at_home(self, project: Project) -> bool:
        """The project that a result belongs to is still the one that is open."""
        now = self._document.project
        return bool(now.shots and project.shots and now.hero.still.id == project.hero.still.id)

    # ----------------------------------------------------------------- masks

    def _find_masked(self) -> list[Layer]:
        """The selected prop layers that have a mask on the hero still."""
        project, selected = self._document.project, self._window.layers.selected()
        still_id = project.hero.still.id if project.shots else ""
        return [layer for layer in project.props() if layer.id in selected and still_id in layer.masks]

    async def soften_masks(self, hair: bool) -> None:
        """Solve the soft edges of the selected masks again."""
        await self._window.masking.accept()
        for layer in self._find_masked():
            still_id = self._document.project.hero.still.id
            again = replace(layer, masks={**layer.masks, still_id: replace(layer.masks[still_id])})
            self._document.apply(Patch(tr("Soften {name}", name=layer.name), (again,)))
            await self._window.masking.soften(again, hair)

    def take_alpha(self) -> None:
        """The still's own alpha as a prop layer."""
        still = self._document.project.hero.still
        if still.alpha is not None:
            self._add_mask(Mask(still.alpha, still.id), tr("alpha"))

    async def import_matte(self) -> None:
        """Ask for a picture and take its brightness, or its alpha, as a mask."""
        path = await self._window.ask_path(tr("Import matte"), tr("Pictures (*)"), save=False)
        if path is not None:
            await self.import_matte_from(path)

    async def import_matte_from(self, path: Path) -> None:
        """Take a picture of the still's size as a mask."""
        title = tr("Import {name}", name=path.name)
        try:
            decoded = await self._engine.submit(title, lambda run: read_still(run, path), "files")
            self._add_mask(await self._background.run(read_matte, decoded.still, self._document.project), path.stem)
        except StillTo3DError as error:
            self._window.jobs.show_error(title, error)

    def _add_mask(self, mask: Mask, wanted: str) -> None:
        name = self._document.project.name_layer(wanted)
        layer = make_layer(name, LayerKind.PROP, masks={mask.still_id: mask})
        self._document.apply(Patch(tr("Mask {name}", name=name), (layer,)))
        self._window.layers.select(frozenset([layer.id]))

    async def save_mask(self) -> None:
        """Ask where, and write the selected mask as PNG."""
        (layer, *_), still_id = self._find_masked(), self._document.project.hero.still.id
        path = await self._window.ask_path(tr("Save mask"), tr("PNG picture (*.png)"), suffix="png", name=layer.name)
        if path is not None:
            title, mask = tr("Save {name}", name=path.name), layer.masks[still_id]
            try:
                await self._engine.submit(title, lambda run: write_mask(run, mask, path), "files")
            except StillTo3DError as error:
                self._window.jobs.show_error(title, error)

    # ----------------------------------------------------------------- questions

    async def _settle_changes(self) -> bool:
        """Ask about what is unsaved; False when the person would rather stay."""
        if not self._document.dirty:
            return True
        box = QMessageBox(self._window)
        box.setObjectName("unsaved")
        box.setText(tr("Save the changes before going on?"))
        box.setInformativeText(tr("What is not saved is lost."))
        kinds = QMessageBox.StandardButton
        box.setStandardButtons(kinds.Save | kinds.Discard | kinds.Cancel)
        answer = await self._window.await_dialog(box)
        if answer == kinds.Save.value:
            return await self.save()
        return answer == kinds.Discard.value

    async def close(self) -> None:
        """Ask once, cancel what runs, end every worker, close."""
        if self._closing:
            return
        self._closing = True
        if not await self._settle_changes():
            self._closing = False
            return
        self._window.hide()
        await self._background.run(self._engine.stop)
        self._window.let_close()
