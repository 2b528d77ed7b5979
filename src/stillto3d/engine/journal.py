"""The durable queue: what was asked, so that a crash shows what was lost and can run it again (SQLite)."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import word_os_error
from .jobs import Job, JobState, Record
from .process import is_alive

_SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, params TEXT NOT NULL, project BLOB NOT NULL,
    state TEXT NOT NULL, owner INTEGER NOT NULL, owner_started REAL NOT NULL,
    created REAL NOT NULL, seconds REAL NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT ''
)
"""
_KEPT = 500


@dataclass(frozen=True)
class LostJob:
    """A job whose process is gone before the job was over."""

    id: str
    record: Record
    state: JobState
    created: float


class Journal:
    """The queue on disk. One file may serve several processes at once."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = _open_base(path)
        except sqlite3.DatabaseError:
            _set_aside(path)  # a damaged queue is no reason to stop working
            self._base = _open_base(path)
        except OSError as error:
            raise word_os_error(error, path) from error
        self._started = _tell_start(os.getpid())

    def add(self, job: Job) -> None:
        """Keep a job that has a record."""
        if job.record is None:
            return
        r = job.record
        path = r.project_path.encode("utf-8", "surrogateescape")  # a name need not be text
        row = (job.id, r.pipeline, r.params_json, path, job.state.value, os.getpid(), self._started)
        with self._lock, _forgive():
            self._base.execute(
                "INSERT INTO job (id, pipeline, params, project, state, owner, owner_started, created)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, time.time()),
            )
            self._base.execute(
                "DELETE FROM job WHERE id NOT IN (SELECT id FROM job ORDER BY created DESC LIMIT ?)", (_KEPT,)
            )

    def note(self, job: Job) -> None:
        """Keep the job's present state."""
        if job.record is None:
            return
        with self._lock, _forgive():
            self._base.execute(
                "UPDATE job SET state = ?, seconds = ?, error = ? WHERE id = ?",
                (job.state.value, job.seconds, str(job.error or ""), job.id),
            )

    def list_lost(self) -> list[LostJob]:
        """Jobs that were not over when their process ended, oldest first; without a file nothing is left."""
        open_states = [state.value for state in JobState if not state.final]
        marks = ",".join("?" * len(open_states))
        with self._lock:
            rows = self._base.execute(
                "SELECT id, pipeline, params, project, state, created, owner, owner_started FROM job"
                f" WHERE state IN ({marks}) ORDER BY created",
                open_states,
            ).fetchall()
        return [
            LostJob(row[0], Record(row[1], row[2], _read_path(row[3])), JobState(row[4]), row[5])
            for row in rows
            if row[3] and _tell_start(row[6]) != row[7]
        ]

    def forget(self, job_id: str) -> None:
        """Drop a job, because it was run again or is not wanted."""
        with self._lock, _forgive():
            self._base.execute("DELETE FROM job WHERE id = ?", (job_id,))

    def expect_seconds(self, pipeline: str) -> float | None:
        """How long the pipeline took lately (median of the last nine), or None when it never ran."""
        with self._lock:
            rows = self._base.execute(
                "SELECT seconds FROM job WHERE pipeline = ? AND state = 'DONE' ORDER BY created DESC LIMIT 9",
                (pipeline,),
            ).fetchall()
        return statistics.median(row[0] for row in rows) if rows else None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._base.close()


def _open_base(path: Path) -> sqlite3.Connection:
    base = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    try:
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=NORMAL")
        base.execute(_SCHEMA)
    except sqlite3.Error:
        base.close()
        raise
    return base


def _read_path(stored: bytes | str) -> str:
    return stored.decode("utf-8", "surrogateescape") if isinstance(stored, bytes) else stored


def _set_aside(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        with contextlib.suppress(FileNotFoundError):
            (path.parent / name).replace(path.parent / f"{name}.damaged")


@contextlib.contextmanager
def _forgive() -> Iterator[None]:
    """A full disk or a locked file costs the record of a job, never the job."""
    with contextlib.suppress(sqlite3.Error):
        yield


def _tell_start(pid: int) -> float:
    """A number that tells this process of that id from another with the same id; -1 when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        return float(stat.rpartition(")")[2].split()[19])
    except OSError:
        pass
    if Path("/proc/self/stat").exists():
        return -1.0
    return 0.0 if is_alive(pid) else -1.0
