"""What the actions do. Whatever waits is a coroutine; nothing here blocks the window."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from ..engine.jobs import Record
from ..engine.run import Run
from ..errors import Cancelled, StillTo3DError
from ..pipelines import PIPELINES
from ..project.project import LayerKind, Patch, rebase_patch
from ..words import tr
from .camera_commands import CameraCommands
from .colour_view import ColourView
from .desk import Desk
from .document import Step
from .drag_out import DragOut
from .edits import duplicate_layers, remove_layers, shift_layers, solo_layers
from .file_commands import FileCommands
from .help_commands import HelpCommands
from .import_commands import ImportCommands
from .making import Making
from .mask_commands import MaskCommands
from .models_commands import ModelsCommands
from .reshaping import Reshaping
from .splat_drawing import SplatDrawing
from .view_commands import ViewCommands
from .word_jobs import word_pipelines


class Commands:
    """Wishes of the person, carried out on the document through the engine."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.making = Making(desk)
        for name, title in word_pipelines().items():
            desk.window.jobs.name(name, title)
        self.view, self.masks = ViewCommands(desk), MaskCommands(desk)
        self.help, self.models = HelpCommands(desk), ModelsCommands(desk)
        self.reshaping, self.splats = Reshaping(desk), SplatDrawing(desk)
        self.imports, self.colours = ImportCommands(desk), ColourView(desk)
        self.camera = CameraCommands(desk, self.run_pipeline)
        self.drag_out = DragOut(desk.engine, lambda: desk.document.project, desk.window.jobs.show_notes)
        desk.window.layers.make_dragged = self.drag_out.begin
        self.files = FileCommands(desk, self.run_pipeline, self.help.keep_layout)
        self._bind()
        start, inspector = desk.start, desk.window.inspector
        inspector.make_wanted.connect(
            lambda name, params: start(self.run_pipeline("prop", {**params, "only": (name,)}))
        )
        inspector.several.make_wanted.connect(
            lambda names, params: start(self.run_pipeline("prop", {**params, "only": names}))
        )
        inspector.lens.rebuild_wanted.connect(lambda: start(self.run_pipeline("reconstruct", {})))

    def _bind(self) -> None:
        window, document = self._desk.window, self._desk.document
        bind, layers, masking = window.actions_table.bind, window.layers, window.masking

        def has_still() -> bool:
            return bool(document.project.shots)

        bind("edit.undo", self.undo, lambda: document.undo_label is not None or masking.attempt is not None)
        bind("edit.redo", self.redo, lambda: document.redo_label is not None)
        bind("edit.rename", layers.rename_selected, lambda: len(layers.selected()) == 1)
        bind("edit.duplicate", self.duplicate_layers, lambda: bool(layers.selected()))
        bind("edit.solo", self.solo_layers, lambda: bool(layers.selected()))
        bind("edit.raise", lambda: self.shift_layers(-1), lambda: bool(layers.selected()))
        bind("edit.lower", lambda: self.shift_layers(1), lambda: bool(layers.selected()))
        bind("edit.delete", self.delete_layers, lambda: bool(layers.selected()))
        bind("make.set", lambda: self.run_pipeline("reconstruct", {}), has_still)
        bind("make.prop", self.make_selected, lambda: bool(self._chosen_props()))
        bind("make.props", lambda: self.run_pipeline("prop", {}), lambda: bool(document.project.props()))
        bind("view.actual", window.canvas.show_actual_size, has_still)
        bind("view.fill", window.fill_centre)
        document.changed.connect(self._name_steps)
        masking.changed.connect(self._name_steps)
        window.actions_table.refresh()

    # ----------------------------------------------------------------- edits

    def undo(self) -> Coroutine[Any, Any, None] | None:
        """Take back the latest stroke of the mask being made, else the latest step."""
        if self._desk.window.masking.step_back():
            return None
        document = self._desk.document
        return self._step(document.find_spilled(), document.undo)

    def redo(self) -> Coroutine[Any, Any, None] | None:
        """Bring the latest step back."""
        document = self._desk.document
        return self._step(document.find_spilled(redo=True), document.redo)

    def _step(self, spilled: Step | None, does: Callable[[], None]) -> Coroutine[Any, Any, None] | None:
        if spilled is not None:
            return self._step_from_file(spilled, does)
        does()
        return None

    async def _step_from_file(self, spilled: Step, does: Callable[[], None]) -> None:
        await self.files.spill.fetch(spilled)
        does()

    def _name_steps(self) -> None:
        """The menu and the palette say what would be taken back, or brought again."""
        table, document = self._desk.window.actions_table.table, self._desk.document
        masks = self._desk.window.masking.attempt is not None  # then it is a stroke that goes
        undo, redo = None if masks else document.undo_label, document.redo_label
        table["edit.undo"].setText(tr("&Undo: {step}", step=undo) if undo else tr("&Undo"))
        table["edit.redo"].setText(tr("&Redo: {step}", step=redo) if redo else tr("&Redo"))

    def delete_layers(self) -> None:
        """Delete the selected layers that are not locked."""
        project, ids = self._desk.document.project, self._desk.window.layers.selected()
        self._desk.document.edit(tr("Delete {n} layers", n=len(ids)), remove_layers(project, ids))

    def duplicate_layers(self) -> None:
        """Copy the selected layers, and select the copies."""
        ids = self._desk.window.layers.selected()
        project, copies = duplicate_layers(self._desk.document.project, ids)
        self._desk.document.edit(tr("Duplicate {n} layers", n=len(ids)), project)
        self._desk.window.layers.select(copies)

    def shift_layers(self, by: int) -> None:
        """Move the selected layers one row up (-1) or down (1) in their groups."""
        ids = self._desk.window.layers.selected()
        project = shift_layers(self._desk.document.project, ids, by)
        self._desk.document.edit(tr("Move {n} layers", n=len(ids)), project)

    def solo_layers(self) -> None:
        """Show the selected layers alone, or all again."""
        project = solo_layers(self._desk.document.project, self._desk.window.layers.selected())
        self._desk.document.edit(tr("Solo"), project)

    # ----------------------------------------------------------------- pipelines

    def _chosen_props(self) -> list[str]:
        project, selected = self._desk.document.project, self._desk.window.layers.selected()
        return [layer.name for layer in project.layers if layer.id in selected and layer.kind is LayerKind.PROP]

    async def make_selected(self) -> None:
        """Make the selected masks solid."""
        await self.run_pipeline("prop", {"only": tuple(self._chosen_props())})

    async def run_pipeline(self, name: str, params: dict[str, Any]) -> None:
        """Run a pipeline on the project as it is now; its patch becomes a step when it is done."""
        await self._desk.window.masking.accept()
        project = self._desk.document.project
        pipeline = PIPELINES[name]
        if self.view.known_length and project.hero.floor is None and name in ("reconstruct", "prop"):
            params = {"known_length": self.view.known_length, **params}
        title = word_pipelines()[name]
        try:
            chosen = self._desk.studio.check_params(pipeline, params)
            path = self.files.find_file()
            record = Record(name, chosen.model_dump_json(), str(path) if path is not None else "")

            def work(run: Run) -> Patch:
                return pipeline.function(run, project, chosen)

            made = self._desk.engine.submit(name, work, "heavy", record=record, policy=project.policy)
            self.making.begin(self._find_made(name, params))
            patch = await made
        except Cancelled:
            return
        except StillTo3DError as error:
            self._desk.window.jobs.show_error(title, error, lambda: self._desk.start(self.run_pipeline(name, params)))
            return
        now = self._desk.document.project
        if now.shots and now.hero.still.id == project.hero.still.id:
            self._desk.document.apply(rebase_patch(project, now, patch))

    def _find_made(self, name: str, params: dict[str, Any]) -> frozenset[str]:
        """Ids of the layers that are there and that a pipeline makes."""
        project = self._desk.document.project
        if name == "reconstruct":
            return frozenset(layer.id for layer in project.scenes())
        only = params.get("only") or [layer.name for layer in project.props()]
        return frozenset(layer.id for layer in project.props() if layer.name in only and name == "prop")
