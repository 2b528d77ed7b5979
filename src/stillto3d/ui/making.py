"""What the layer panel says of the layers that jobs are making: waiting, how far they are, that it failed."""

from __future__ import annotations

from ..engine.jobs import Event, Job, JobState
from ..words import tr
from .desk import Desk


class Making:
    """Joins the engine's jobs to the layers that they make."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._ids: dict[str, frozenset[str]] = {}
        desk.engine.happened.connect(self._follow)

    def begin(self, ids: frozenset[str]) -> None:
        """The job that was submitted last makes these layers."""
        self._ids[self._desk.engine.list_jobs()[-1].id] = ids
        self._desk.window.layers.show_job(ids, tr("waiting"))

    def _follow(self, job: Job, event: Event) -> None:
        ids, panel = self._ids.get(job.id), self._desk.window.layers
        if ids is None:
            return
        if event.state.final:
            del self._ids[job.id]
            still = frozenset().union(*self._ids.values())  # another job waits to make them
            failed = event.state in (JobState.FAILED, JobState.CRASHED)
            panel.show_job(ids - still, tr("failed") if failed else "", failed)
        elif event.state is not JobState.QUEUED:
            panel.show_job(ids, tr("making {n} %", n=round(100 * event.fraction)))
