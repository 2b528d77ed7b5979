"""What the models' page does: gather facts, install and pause, remove, keep the project's policy and choices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QMessageBox

from ..engine.engine import Engine
from ..engine.jobs import Event, Job
from ..engine.video_memory import read_video_memory
from ..errors import Cancelled, StillTo3DError
from ..models.files import format_bytes
from ..project.project import Policy
from ..words import tr
from .desk import Desk
from .models_page import ModelsPage, gather_facts

MEMORY_MILLISECONDS = 1000


class ModelsCommands:
    """One page at a time; a download goes on when it is closed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._page: ModelsPage | None = None
        self._jobs: dict[str, Job] = {}
        desk.window.actions_table.bind("file.models", self.show)
        desk.engine.happened.connect(self._hear)

    async def show(self) -> None:
        """Open the page."""
        page = self._page = ModelsPage(self._desk.document.project.policy, self._desk.window)
        page.install_asked.connect(lambda model: self._desk.start(self._install(model)))
        page.pause_asked.connect(lambda model: self._desk.engine.cancel(self._jobs[model].id))
        page.remove_asked.connect(lambda model: self._desk.start(self._remove(model)))
        page.policy_asked.connect(self._keep_policy)
        clock = QTimer(page)
        clock.timeout.connect(self._tell_memory)
        clock.start(MEMORY_MILLISECONDS)
        self._tell_memory()
        self._desk.start(self._refresh())
        try:
            await self._desk.window.await_dialog(page)
        finally:
            self._page = None

    async def _refresh(self) -> None:
        studio, page = self._desk.studio, self._page
        if page is None:
            return
        facts = await self._desk.background.run(gather_facts, studio.catalog, studio.store, page.policy)
        free = await self._desk.background.run(studio.store.measure_free)
        if page is self._page:
            page.show_facts(facts, free)
            for model, job in self._jobs.items():
                page.show_progress(model, job.fraction, job.text)

    async def _install(self, model: str) -> None:
        """Ask what it would bring, then bring it."""
        studio, page = self._desk.studio, self._page
        card = studio.catalog.find(model)
        try:
            plan = await self._desk.engine.submit(model, lambda run: studio.store.plan(card), "downloads")
            needed = tr(
                "{size} come, {free} are free.", size=format_bytes(plan.bytes), free=format_bytes(plan.free_bytes)
            )
            licence = tr("Its licence: {licence}.", licence=card.licence.weights or card.licence.code)
            box = QMessageBox(page or self._desk.window)
            box.setWindowTitle(tr("Install {model}", model=card.id))
            box.setText(f"{needed}\n{licence}\n{tr(card.licence.terms) if card.licence.terms else ''}".strip())
            box.setStandardButtons(QMessageBox.StandardButton.Ok | QMessageBox.StandardButton.Cancel)
            if await self._desk.window.await_dialog(box) != QMessageBox.StandardButton.Ok.value:
                return
            job = self._jobs[model] = studio.install(model)
            await self._desk.engine.watch(job)
        except Cancelled:
            pass  # paused: what has come is kept
        except StillTo3DError as refusal:
            self._desk.window.jobs.show_error(model, refusal)
        finally:
            self._jobs.pop(model, None)
            if self._page is not None:
                self._page.show_progress(model, None)
            await self._refresh()

    async def _remove(self, model: str) -> None:
        studio = self._desk.studio
        card = studio.catalog.find(model)
        try:
            await self._desk.engine.submit(model, lambda run: studio.store.remove(card), "downloads")
        except StillTo3DError as refusal:
            self._desk.window.jobs.show_error(model, refusal)
        await self._refresh()

    def _keep_policy(self, policy: Policy) -> None:
        """The project's policy and choices, as one step that can be taken back."""
        project = self._desk.document.project
        self._desk.document.edit(tr("Change the models' rules"), replace(project, policy=policy))
        self._desk.start(self._refresh())

    def _hear(self, job: Job, event: Event) -> None:
        model = next((name for name, one in self._jobs.items() if one is job), None)
        if model is not None and self._page is not None and not event.state.final:
            self._page.show_progress(model, event.fraction, event.text)

    def _tell_memory(self) -> None:
        if self._page is not None:
            self._page.show_memory(word_memory(self._desk.studio.engine, self._desk.studio.settings.vram_limit_gb))


def word_memory(engine: Engine, limit_gb: float) -> str:
    """Which models are loaded, what they hold of the GPU's memory, and what is free."""
    residents, card = engine.list_residents(), read_video_memory()
    names: list[Any] = [r.card.title for r in residents if r.card.environment != "builtin"]
    loaded = ", ".join(dict.fromkeys(map(tr, names))) or tr("none but those of the app")
    if card is None:
        return tr("Loaded: {models}. No GPU of NVIDIA is here.", models=loaded)
    used = sum(r.video_memory for r in residents) / 2**30
    return tr(
        "Loaded: {models}. Video memory: {used} of {limit} GB used by the app; {free} GB free on {card}.",
        models=loaded,
        used=round(used, 1),
        limit=round(limit_gb, 1),
        free=round(card.free_bytes / 2**30, 1),
        card=card.name,
    )
