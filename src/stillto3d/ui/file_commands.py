"""Opening, saving, exporting, recent files, recovery after a crash, and closing."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox

from .. import formats
from ..engine.journal import LostJob
from ..engine.run import Run
from ..errors import StillTo3DError
from ..formats.handover import write_handover
from ..formats.options import AS_THEY_ARE, WriteOptions
from ..formats.picture import read_still
from ..formats.staging import name_file
from ..pipelines import PIPELINES
from ..project.project import start_project
from ..settings import find_folders
from ..words import tr
from .autosave import Autosave, Kept, list_kept, remove_kept
from .desk import Desk
from .edits import replace_still
from .export_dialog import ExportDialog
from .recent import keep_recent, read_recent
from .spill import Spill, sweep_steps
from .welcome import load_samples
from .word_jobs import word_pipelines


class FileCommands:
    """Whatever has to do with files. `run_pipeline` runs a lost job again; `before_end` is awaited on closing."""

    def __init__(
        self,
        desk: Desk,
        run_pipeline: Callable[[str, dict[str, Any]], Awaitable[None]],
        before_end: Callable[[], Awaitable[None]],
    ) -> None:
        self._desk, self._run_pipeline, self._before_end = desk, run_pipeline, before_end
        self._closing = False
        self._exported: Path | None = None
        self._data = find_folders().data
        self._aside = self._data / "autosave"
        rest = desk.studio.settings.autosave_seconds
        self.autosave = Autosave(desk.document, desk.engine, desk.background, desk.start, self._aside, rest)
        self.spill = Spill(desk.document, desk.engine, desk.background, desk.start, self._aside)
        self.recent: list[Path] = []
        self.kept: list[Kept] = []
        window, document = desk.window, desk.document
        window.files_dropped.connect(lambda paths: desk.start(self.open_files(paths)))
        window.welcome.chosen.connect(
            lambda path: desk.start(self.choose_file() if path is None else self.open_files([path]))
        )
        window.closing.connect(lambda: desk.start(self.close()))

        def has_still() -> bool:
            return bool(document.project.shots)

        def has_layers() -> bool:
            return any(layer.geometry is not None for layer in document.project.layers)

        bind = window.actions_table.bind
        bind("file.open", self.choose_file)
        bind("file.paste", self.paste_still)
        bind("file.recover", self.recover_newest, lambda: bool(self.kept))
        bind("file.replace", self.choose_replacement, has_still)
        bind("file.save", self.save, has_still)
        bind("file.save_as", self.save_as, has_still)
        bind("file.export", self.export, has_layers)
        bind("file.quit", window.close)

    async def greet(self) -> None:
        """Show recent files and samples."""
        self.recent = await self._desk.background.run(read_recent, self._data)
        self._show_recent()
        await self._desk.background.run(sweep_steps, self._aside)
        self.kept = await self._desk.background.run(list_kept, self._aside)
        self._offer_kept(self.kept)
        self._desk.window.actions_table.refresh()
        self._offer_lost()
        self._desk.window.welcome.show_samples(await self._desk.background.run(load_samples))

    def _offer_kept(self, found: Sequence[Kept]) -> None:
        """After a crash: what was open may come back."""
        for kept in found:
            text = tr("{name} was open when stillto3d ended unexpectedly.", name=kept.title)
            offers = [(tr("Recover"), partial(self._start_work, self.recover, kept))]
            discard = partial(self._start_work, self._desk.background.run, remove_kept, kept.file)
            self._desk.window.jobs.show_offer(text, [*offers, (tr("Discard"), discard)], lambda: None)

    def _start_work(self, work: Callable[..., Any], *arguments: Any) -> None:
        self._desk.start(work(*arguments))

    async def recover_newest(self) -> None:
        """Open the newest of what a crash has left."""
        self._desk.window.jobs.take_offer(tr("Recover"))

    async def recover(self, kept: Kept) -> None:
        """Open what a crash has left, as work that is not saved."""
        title = tr("Recover {name}", name=kept.title)
        try:
            project = await self._desk.engine.submit(title, lambda run: formats.read(run, kept.file), "files")
        except StillTo3DError as error:
            self._desk.window.jobs.show_error(title, error)
            return
        self.kept = [one for one in self.kept if one is not kept]
        self._desk.document.open(project, kept.origin, saved=False)
        await self.autosave.keep()
        await self._desk.background.run(remove_kept, kept.file)

    def _offer_lost(self) -> None:
        """After a crash: jobs that were under way may be run again."""
        for lost in self._desk.studio.list_lost():
            pipeline, path = lost.record.pipeline, Path(lost.record.project_path)
            if pipeline not in PIPELINES or path.parent == self._aside:
                self._desk.studio.forget(lost)
                continue
            told = tr("{step} of {name} was ended before it was done.", step=word_pipelines()[pipeline], name=path.name)
            again = partial(self._start_work, self._run_lost, lost, path)
            self._desk.window.jobs.show_offer(told, [(tr("Run again"), again)], partial(self._desk.studio.forget, lost))

    async def _run_lost(self, lost: LostJob, path: Path) -> None:
        self._desk.studio.forget(lost)
        await self.open_files([path])
        if self._desk.document.path == path:
            await self._run_pipeline(lost.record.pipeline, json.loads(lost.record.params_json))

    async def _keep_recent(self, path: Path) -> None:
        self.recent = await self._desk.background.run(keep_recent, self._data, path, self.recent)
        self._show_recent()

    def _show_recent(self) -> None:
        self._desk.window.welcome.show_recent(self.recent)
        menu = self._desk.window.recent_menu
        menu.clear()
        for path in self.recent:
            shown = path.name.encode("utf-8", "replace").decode().replace("&", "&&")
            menu.addAction(shown, partial(self._start_open, path))
        menu.setEnabled(bool(self.recent))

    def _start_open(self, path: Path) -> None:
        self._desk.start(self.open_files([path]))

    def find_file(self) -> Path | None:
        """Where the project lies, so that a job can be run again after a crash: its file, or the copy aside."""
        return self._desk.document.path or (self.autosave.file if self.autosave.kept is not None else None)

    async def choose_file(self) -> None:
        """Ask for a file and open it."""
        path = await self._desk.window.ask_path(tr("Open"), tr("Stills and projects (*)"), save=False)
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
                project = await self._desk.engine.submit(title, lambda run: formats.read(run, path), "files")
                self._desk.document.open(project, path)
            else:
                decoded = await self._desk.engine.submit(title, lambda run: read_still(run, path), "files")
                self._desk.document.open(start_project(decoded.still), None)
                self._desk.window.jobs.show_notes(title, [note.get("text", "") for note in decoded.warnings])
            await self._keep_recent(path)
        except StillTo3DError as error:
            self._desk.window.jobs.show_error(title, error)

    async def choose_replacement(self) -> None:
        """Ask for another still and put it in the place of this one."""
        path = await self._desk.window.ask_path(tr("Replace the still"), tr("Stills (*)"), save=False)
        if path is not None:
            await self.replace_still(path)

    async def replace_still(self, path: Path) -> None:
        """Another still in the place of this one: masks and camera stay where they fit."""
        title, document = tr("Open {name}", name=path.name), self._desk.document
        try:
            decoded = await self._desk.engine.submit(title, lambda run: read_still(run, path), "files")
            project = await self._desk.background.run(replace_still, document.project, decoded.still)
        except StillTo3DError as error:
            self._desk.window.jobs.show_error(title, error)
            return
        document.edit(tr("Replace the still"), project)

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
                if await self._desk.background.run(image.save, str(path)):
                    await self.open_files([path])

    async def save(self) -> bool:
        """Save where the project lies, or ask where. True once it is saved."""
        if self._desk.document.path is None:
            return await self.save_as()
        return await self._write(self._desk.document.path)

    async def save_as(self) -> bool:
        """Ask where to save, and save there."""
        path = await self._desk.window.ask_path(tr("Save project"), tr("stillto3d project (*.s3d)"), suffix="s3d")
        return path is not None and await self._write(path)

    async def _write(self, path: Path) -> bool:
        project = self._desk.document.project
        title = tr("Save {name}", name=path.name)
        try:
            await self._desk.engine.submit(title, lambda run: formats.write(run, project, path), "files")
        except StillTo3DError as error:
            self._desk.window.jobs.show_error(title, error, lambda: self._desk.start(self._write(path)))
            return False
        self._desk.document.note_saved(project, path)
        await self._keep_recent(path)
        return True

    async def export(self) -> None:
        """Ask what, where and how, and write it."""
        desk, document = self._desk, self._desk.document
        shots = document.project.shots
        name = document.path.stem if document.path else name_file(shots[0].still.name) if shots else "project"
        folder = self._exported or (document.path.parent if document.path else Path.home())
        dialog = ExportDialog(document.project, folder, name, desk.background, desk.start, desk.window)
        if await desk.window.await_dialog(dialog):
            self._exported = dialog.target.parent
            await self.export_to(dialog.target, dialog.options, dialog.preset)

    async def export_to(self, path: Path, options: WriteOptions = AS_THEY_ARE, preset: str | None = None) -> None:
        """Write the file whose suffix chooses the format, or the folder for one program; says what should be known."""
        project = self._desk.document.project
        title = tr("Export {name}", name=path.name)

        def write(run: Run) -> list[str]:
            if preset is None:
                return formats.write(run, project, path, options)
            notes: list[str] = write_handover(run, project, path, preset, options)["warnings"]
            return notes

        try:
            notes = await self._desk.engine.submit(title, write, "files")
        except StillTo3DError as error:
            again = partial(self._start_work, self.export_to, path, options, preset)
            self._desk.window.jobs.show_error(title, error, again)
        else:
            self._desk.window.jobs.show_notes(title, notes)

    # ----------------------------------------------------------------- questions

    async def _settle_changes(self, given_up: bool = False) -> bool:
        """Ask once about what is unsaved and, with `given_up`, what would end undone; False: rather stay."""
        dirty = self._desk.document.dirty
        if not dirty and not given_up:
            return True
        box = QMessageBox(self._desk.window)
        box.setObjectName("unsaved")
        box.setText(tr("Save the changes before going on?") if dirty else tr("Close while something is being made?"))
        told = [tr("What is not saved is lost.")] if dirty else []
        box.setInformativeText(" ".join([*told, *([tr("What is being made is given up.")] if given_up else [])]))
        kinds = QMessageBox.StandardButton
        box.setStandardButtons(kinds.Save | kinds.Discard | kinds.Cancel if dirty else kinds.Ok | kinds.Cancel)
        answer = await self._desk.window.await_dialog(box)
        if answer == kinds.Save.value:
            return await self.save()
        return answer in (kinds.Discard.value, kinds.Ok.value)

    async def close(self) -> None:
        """Ask once, cancel what runs, end every worker, close."""
        if self._closing:
            return
        self._closing = True
        runs = any(job.lane == "heavy" for job in self._desk.engine.list_jobs())
        if not await self._settle_changes(given_up=runs):
            self._closing = False
            return
        self.autosave.stop()
        await self.autosave.forget()
        await self.spill.close()
        await self._before_end()
        self._desk.window.hide()
        await self._desk.background.run(self._desk.engine.stop)
        self._desk.window.let_close()
