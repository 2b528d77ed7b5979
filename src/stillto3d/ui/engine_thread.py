"""Lends a QThread to each lane of the engine, and brings its events to the window's thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot

from ..engine.engine import Engine
from ..engine.jobs import LANES, Event, Job, LaneName, Record
from ..engine.run import Run
from ..project.project import Policy


class _Lane(QThread):
    def __init__(self, parent: QObject, engine: Engine, lane: LaneName, hear: Callable[[Event], None]) -> None:
        super().__init__(parent)
        self._engine, self._lane, self._hear = engine, lane, hear
        self.setObjectName(f"lane-{lane}")

    def run(self) -> None:
        self._engine.serve(self._lane, self._hear)


class EngineThread(QObject):
    """The engine as the window sees it: jobs are awaited, events arrive as signals in the window's thread.

    Events of the same key stand in for each other while the window is busy: it never hears old news.
    """

    added = Signal(object)
    """A Job that was submitted."""
    happened = Signal(object, object)
    """A Job, and the newest Event about it."""
    _arrived = Signal()

    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._engine, self._loop = engine, loop
        self._letters: dict[str, Event] = {}
        self._lock = threading.Lock()
        self._jobs: dict[str, tuple[Job, asyncio.Future[Any]]] = {}
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._lanes = [_Lane(self, engine, lane, self._hear) for lane in LANES]
        for lane in self._lanes:
            lane.start()

    def submit(
        self,
        label: str,
        work: Callable[[Run], Any],
        lane: LaneName,
        key: str = "",
        record: Record | None = None,
        policy: Policy | None = None,
    ) -> asyncio.Future[Any]:
        """Queue `work`; the future answers with its result or raises what went wrong (Cancelled, too)."""
        return self.watch(self._engine.submit(label, work, lane, key, record, policy))

    def start_job(self, label: str, work: Callable[[Run], Any], lane: LaneName) -> Job:
        """`submit` for those who need the job itself and not its result."""
        job = self._engine.submit(label, work, lane)
        self.watch(job).add_done_callback(lambda future: future.cancelled() or future.exception())
        return job

    def watch(self, job: Job) -> asyncio.Future[Any]:
        """The end of a submitted job as a future."""
        future = self._loop.create_future()
        self._jobs[job.id] = (job, future)
        self.added.emit(job)
        if job.wait(0):
            self._conclude(job)
        return future

    def cancel(self, job_id: str) -> None:
        """Take a job back."""
        self._engine.cancel(job_id)

    def list_jobs(self) -> list[Job]:
        """Jobs that are not over, oldest first."""
        return [job for job, _ in self._jobs.values()]

    def stop(self) -> None:
        """Close the engine and wait for the lanes (at most a cancel's grace); for any thread."""
        self._engine.close()
        for lane in self._lanes:
            lane.wait()

    def _hear(self, event: Event) -> None:
        """Called on a lane's thread."""
        with self._lock:
            first = not self._letters
            self._letters.pop(event.key, None)
            self._letters[event.key] = event
        if first:
            self._arrived.emit()

    @Slot()
    def _deliver(self) -> None:
        with self._lock:
            letters, self._letters = self._letters, {}
        for event in letters.values():
            if event.job_id not in self._jobs:
                continue
            job, _ = self._jobs[event.job_id]
            self.happened.emit(job, event)
            if event.state.final:
                self._conclude(job)

    def _conclude(self, job: Job) -> None:
        _, future = self._jobs.pop(job.id)
        if future.done():
            return
        if job.error is not None:
            future.set_exception(job.error)
        else:
            future.set_result(job.result)
