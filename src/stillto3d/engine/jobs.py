"""A job and its events: the life of one submitted piece of work, as everybody outside sees it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from ..errors import StillTo3DError
from ..project.project import Policy
from .run import Run

LaneName = Literal["heavy", "interactive", "view", "files", "downloads"]
LANES: tuple[LaneName, ...] = ("heavy", "interactive", "view", "files", "downloads")
"""Generations, one at a time; clicks and hover; frames of the view; opening and saving; installing models. None waits
for another."""

MOMENTARY: tuple[LaneName, ...] = ("interactive", "view")
"""Lanes whose jobs are of the moment: no list shows them."""

EVENTS_PER_SECOND = 30


class JobState(Enum):
    """CRASHED (a worker died), FAILED (it was refused or is our bug) and CANCELLED are three things."""

    QUEUED = "QUEUED"
    LOADING = "LOADING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    CRASHED = "CRASHED"

    @property
    def final(self) -> bool:
        """Nothing more will happen."""
        return self in (JobState.DONE, JobState.CANCELLED, JobState.FAILED, JobState.CRASHED)


@dataclass(frozen=True)
class Event:
    """Something about a job. Events of the same key stand in for each other: only the newest matters."""

    key: str
    job_id: str
    state: JobState
    fraction: float
    text: str
    preview: Any = None


@dataclass(frozen=True)
class Record:
    """What the durable queue keeps, so that lost work can be run again: never a project, only its file.

    Without a file (`project_path` "") it keeps how long the pipeline took, and nothing to run again.
    """

    pipeline: str
    params_json: str
    project_path: str


class Job:
    """A submitted piece of work. Fields change only under the engine's hands; `wait` for the end."""

    def __init__(self, label: str, work: Callable[[Run], Any], lane: LaneName, key: str, record: Record | None):
        self.id = uuid.uuid4().hex[:12]
        self.label, self.work, self.lane, self.key, self.record = label, work, lane, key, record
        self.state = JobState.QUEUED
        self.fraction = 0.0
        self.text = ""
        self.result: Any = None
        self.error: StillTo3DError | None = None
        self.seconds = 0.0
        self.started = time.monotonic()
        self.policy = Policy()
        self.cancelled = threading.Event()
        self.outdated = threading.Event()
        self._finished = threading.Event()
        self._last_event = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; False at the timeout."""
        return self._finished.wait(timeout)

    def finish(self) -> None:
        """Wake whoever waits."""
        self._finished.set()

    def describe(self, preview: Any = None) -> Event:
        """The event that tells the present state."""
        kind = "preview" if preview is not None else "state"
        return Event(f"{self.id}/{kind}", self.id, self.state, self.fraction, self.text, preview)

    def is_due(self) -> bool:
        """Whether another progress event may go out: at most thirty a second."""
        now = time.monotonic()
        if now - self._last_event < 1 / EVENTS_PER_SECOND and self.fraction < 1:
            return False
        self._last_event = now
        return True
