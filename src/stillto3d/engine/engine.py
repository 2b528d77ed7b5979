"""The engine: lanes of jobs, lent to workers one call at a time."""

from __future__ import annotations

import itertools
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from .. import errors
from ..errors import BadInput, Bug, Cancelled, Crashed, NoRoom, NotInstalled, OutOfMemory, StillTo3DError
from ..models.catalog import Catalog, ModelCard, Store
from ..models.roles import Ask, Reply
from ..project.project import Policy
from ..settings import Settings
from ..words import tr
from ..worker.frames import PROTOCOL, Frame
from .jobs import LANES, Event, Job, JobState, LaneName, Record
from .journal import Journal
from .process import WorkerDied
from .residency import Residency, Resident
from .run import Run

CANCEL_GRACE = 2.0
Listener = Callable[[Event], None]


class _Lane:
    def __init__(self) -> None:
        self.waiting: deque[Job] = deque()
        self.running: Job | None = None
        self.resident: Resident | None = None
        self.listener: Listener | None = None


class Engine:
    """Runs submitted work. A face lends a thread per lane: `serve(lane, on_event)` returns after `close`."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        settings: Settings,
        journal: Journal | None = None,
        measure_free: Callable[[], int] = lambda: 1 << 62,
    ) -> None:
        self._catalog, self._store, self._settings, self._journal = catalog, store, settings, journal
        self._residency = Residency(settings, store, measure_free)
        self._lanes: dict[LaneName, _Lane] = {lane: _Lane() for lane in LANES}
        self._changed = threading.Condition()
        self._closed = False
        self._calls = itertools.count(1)

    # ----------------------------------------------------------------- from any thread

    def submit(
        self,
        label: str,
        work: Callable[[Run], Any],
        lane: LaneName = "heavy",
        key: str = "",
        record: Record | None = None,
        policy: Policy | None = None,
    ) -> Job:
        """Queue `work`. In the interactive lane a newer job of the same key replaces one that still waits;
        one that is running is let finish and its answer dropped."""
        job = Job(label, work, lane, key, record)
        job.policy = policy or Policy()
        if self._journal:
            self._journal.add(job)
        stale: list[Job] = []
        with self._changed:
            if self._closed:
                raise Bug("a job was submitted to a closed engine")
            line = self._lanes[lane]
            if lane == "interactive" and key:
                stale = [old for old in line.waiting if old.key == key]
                line.waiting = deque(old for old in line.waiting if old.key != key)
                if line.running is not None and line.running.key == key:
                    line.running.outdated.set()
            line.waiting.append(job)
            self._changed.notify_all()
        for old in stale:
            self._conclude(old, JobState.CANCELLED, Cancelled())
        self._tell(job)
        return job

    def cancel(self, job_id: str) -> bool:
        """Take a job back: a waiting one is gone at once, a running one is asked, then killed."""
        with self._changed:
            for line in self._lanes.values():
                waiting = next((job for job in line.waiting if job.id == job_id), None)
                if waiting is not None:
                    line.waiting.remove(waiting)
                    break
                if line.running is not None and line.running.id == job_id:
                    line.running.cancelled.set()
                    if line.resident is not None:
                        line.resident.process.wake()
                    return True
            else:
                return False
        self._conclude(waiting, JobState.CANCELLED, Cancelled())
        return True

    def warm(self, role: str, lane: LaneName = "heavy", model: str | None = None, policy: Policy | None = None) -> None:
        """Start the worker of a role ahead of its first call; says nothing when it cannot be started."""
        try:
            self._residency.warm(lane, self._catalog.choose(role, model, policy or Policy(), self._store))
        except StillTo3DError:
            return

    def list_residents(self) -> list[Resident]:
        """The workers alive: what each is for, whether it works, and the video memory that it holds."""
        return self._residency.list_residents()

    def list_workers(self) -> list[int]:
        """Process ids of the workers alive."""
        return self._residency.pids()

    def close(self) -> None:
        """Cancel everything and end every worker; `serve` returns in its threads."""
        with self._changed:
            self._closed = True
            ids = [job.id for line in self._lanes.values() for job in line.waiting]
            ids += [line.running.id for line in self._lanes.values() if line.running]
            self._changed.notify_all()
        for job_id in ids:
            self.cancel(job_id)
        with self._changed:
            self._changed.wait_for(lambda: all(line.running is None for line in self._lanes.values()), 2 * CANCEL_GRACE)
        self._residency.close()

    # ----------------------------------------------------------------- on the thread that a face lends

    def serve(self, lane: LaneName, on_event: Listener | None = None) -> None:
        """Run the lane's jobs, one after another, until the engine is closed."""
        line = self._lanes[lane]
        line.listener = on_event
        while True:
            with self._changed:
                self._changed.wait_for(lambda: line.waiting or self._closed)
                if not line.waiting:
                    return
                job = line.running = line.waiting.popleft()
            try:
                self._run(job)
            finally:
                with self._changed:
                    line.running = None
                    self._changed.notify_all()

    def _run(self, job: Job) -> None:
        job.state = JobState.RUNNING
        self._note(job)
        started = job.started = time.monotonic()
        state = JobState.DONE
        error: StillTo3DError | None = None
        run = Run(
            lambda ask, model, inner: self._call(job, ask, model, inner),
            lambda fraction, text: self._report(job, fraction, text),
            lambda value: self._tell(job, value),
            lambda: job.cancelled.is_set() or job.outdated.is_set(),
            choose=lambda role, ops, model, named_ops: self._choose(job, role, ops, model, named_ops),
        )
        try:
            job.result = job.work(run)
            if job.outdated.is_set():
                raise Cancelled
        except Cancelled as stop:
            state, error = JobState.CANCELLED, stop
        except Crashed as crash:
            state, error = JobState.CRASHED, crash
        except StillTo3DError as refusal:
            state, error = JobState.FAILED, refusal
        except OSError as refusal:
            state, error = JobState.FAILED, errors.word_os_error(refusal, refusal.filename or "")
        except MemoryError:
            state, error = (
                JobState.FAILED,
                OutOfMemory("The memory of this machine ran out.", "Close other programs."),
            )
        except Exception as bug:
            state, error = JobState.FAILED, Bug(f"{type(bug).__name__}: {bug}", traceback.format_exc())
        job.seconds = time.monotonic() - started
        self._conclude(job, state, error)

    def _choose(
        self, job: Job, role: str, ops: Sequence[str], model: str | None, named_ops: Sequence[str]
    ) -> tuple[str, str]:
        card, op = self._catalog.choose_step(role, ops, model, job.policy, self._store, named_ops)
        return card.id, op

    def _call(self, job: Job, ask: Ask[Any], model: str | None, run: Run) -> tuple[Any, ModelCard]:
        card = self._catalog.choose(ask.role, model, job.policy, self._store, ask.op)
        try:
            reply = self._ask_worker(job, card, ask, run)
        except NoRoom:
            raise
        except OutOfMemory:
            self._residency.end_others()
            reply, card = self._ask_again(job, card, ask, run)
        try:
            return ask.read(reply), card
        except ValueError as lie:
            raise errors.BadAnswer("The model {model} answered nonsense: {reason}", model=card.id, reason=lie) from lie

    def _ask_again(self, job: Job, card: ModelCard, ask: Ask[Any], run: Run) -> tuple[Reply, ModelCard]:
        """Ask once more with all the memory that can be had, then once with less to do, where the card names what.

        Raises OutOfMemory with what was needed and free.
        """
        self._report(job, job.fraction, tr("memory ran out; trying again alone"))
        try:
            return self._ask_worker(job, card, ask, run), card
        except OutOfMemory as again:
            self._residency.end_others()
            less = card.lean()
            if less is None:
                raise self._word_shortage(card, again) from again
        named = ", ".join(f"{p.name} {p.default}" for p in less.parameters if p.name in less.lowered)
        self._report(job, job.fraction, tr("memory ran out; trying with {what}", what=named))
        try:
            return self._ask_worker(job, less, ask, run), less
        except OutOfMemory as last:
            self._residency.end_others()
            raise self._word_shortage(card, last) from last

    def _word_shortage(self, card: ModelCard, error: OutOfMemory) -> OutOfMemory:
        """The same with numbers, where there are any."""
        if self._settings.device != "cuda" or not card.vram_bytes:
            return error
        needs, free = (round(n / 2**30, 1) for n in (card.vram_bytes, self._residency.measure_budget()))
        return OutOfMemory(
            "{model} ran out of video memory: about {needs} GB are needed, and {free} GB may be used.",
            "Close other programs that use the GPU, use a smaller still, or take a smaller model.",
            model=card.title,
            needs=needs,
            free=free,
        )

    def _ask_worker(self, job: Job, card: ModelCard, ask: Ask[Any], run: Run) -> Reply:
        line = self._lanes[job.lane]
        resident = self._residency.borrow(job.lane, card)
        line.resident = resident
        try:
            self._load(job, resident, card)
            call = f"{job.id}/{next(self._calls)}"
            params, arrays = ask.params(), ask.arrays()
            if card.parameters:
                params["options"] = card.fill_options()
            if ask.still is not None:
                params["still_id"] = ask.still.id
                unsent = resident.pack_still(ask)
                if unsent is not None:
                    arrays["still"] = unsent.pixels
            resident.process.send("call", {"job": call, "op": ask.op, "params": params}, arrays)
            frame = self._await(job, resident, card, call, run)
            self._weigh(resident, frame)
            return Reply({**frame.fields["values"]}, frame.arrays)
        except WorkerDied as death:
            raise self._word_death(resident, card, str(death)) from death
        except (KeyError, TypeError, ValueError, AttributeError) as lie:  # a frame that docs/WORKER.md does not allow
            resident.process.end()
            raise errors.BadAnswer("The worker of {model} broke the wire: {why}", model=card.id, why=lie) from lie
        finally:
            line.resident = None
            self._residency.give_back(resident)

    def _load(self, job: Job, resident: Resident, card: ModelCard) -> None:
        """Wait until the worker has said hello and loaded its adapter."""
        if resident.loaded:
            return
        job.state = JobState.LOADING
        if self._settings.device == "cuda" and card.vram_bytes:
            needs, free = (round(n / 2**30, 1) for n in (card.vram_bytes, self._residency.measure_room(resident)))
            job.text = tr("{model} needs {needs} GB, {free} free", model=card.title, needs=needs, free=free)
        self._tell(job)
        self._weigh(resident, self._await(job, resident, card, "load", None, "loaded"))
        self._refuse_foreign(resident, card)
        resident.loaded = True
        job.state = JobState.RUNNING
        self._tell(job)

    @staticmethod
    def _weigh(resident: Resident, frame: Frame) -> None:
        """Remember what the worker tells of its video memory."""
        told = frame.fields.get("vram_bytes", 0)
        if isinstance(told, int) and told > resident.vram_bytes:
            resident.vram_bytes = told

    def _await(
        self, job: Job, resident: Resident, card: ModelCard, call: str, run: Run | None, wanted: str = "result"
    ) -> Frame:
        """The worker's answer to `call`; asks it to stop, then kills it, when the job is taken back."""
        process = resident.process
        silence = card.silence_seconds or self._settings.silence_seconds
        heard = time.monotonic()
        asked_to_stop: float | None = None
        while True:
            now = time.monotonic()
            if job.cancelled.is_set() and asked_to_stop is None:
                process.send("cancel", {"job": call})
                asked_to_stop = now
            deadline = heard + silence if asked_to_stop is None else asked_to_stop + CANCEL_GRACE
            limit = job.started + 60 * (self._settings.job_limit_minutes or float("inf"))
            if asked_to_stop is None and now >= limit:
                process.end()
                raise self._word_lateness(job, card)
            deadline = min(deadline, limit) if asked_to_stop is None else deadline
            if now >= deadline:
                process.end()
                if asked_to_stop is not None:
                    raise Cancelled
                raise self._word_death(resident, card, tr("it said nothing for {n} seconds", n=round(silence)))
            frame = process.receive(deadline - now)
            if frame is None:
                continue
            heard = time.monotonic()
            if frame.kind == "hello":
                resident.protocol = frame.fields.get("protocol")
                self._refuse_foreign(resident, card)
                continue
            if frame.fields.get("job") != call:
                continue  # the late answer to a call that was given up
            if frame.kind == wanted:
                return frame
            if frame.kind in ("error", "cancelled"):
                raise self._word_error(resident, card, frame)
            if run is not None and frame.kind == "progress":
                run.progress(float(frame.fields["fraction"]), str(frame.fields.get("text", "")))
            elif run is not None and frame.kind == "preview":
                run.preview({**frame.fields["values"], **frame.arrays})

    # ----------------------------------------------------------------- words

    def _word_lateness(self, job: Job, card: ModelCard) -> Crashed:
        return Crashed(
            "{label} took longer than {n} minutes and was ended while {model} worked.",
            "Nothing was changed. Raise the limit in the settings, or take a faster model.",
            at_work=True,
            label=job.label,
            n=f"{self._settings.job_limit_minutes:g}",
            model=card.title,
        )

    def _word_error(self, resident: Resident, card: ModelCard, frame: Frame) -> StillTo3DError:
        if frame.kind == "cancelled":
            return Cancelled()
        fields = frame.fields
        kind, message = fields.get("error"), str(fields.get("message", ""))
        evidence = f"{fields.get('traceback', '')}\n{resident.process.evidence()}".strip()
        if frame.fields.get("job") == "load":
            resident.process.end()
        if kind == "bad_input":
            return BadInput(message, **dict(fields.get("values") or {}))
        if kind == "missing_weights":
            return NotInstalled(card.id, message)
        if kind == "oom":
            return OutOfMemory(
                "{model} ran out of memory.",
                "Close other programs, or use a smaller still.",
                model=card.title,
            )
        return Bug(f"{card.id}: {message}", evidence)

    @staticmethod
    def _refuse_foreign(resident: Resident, card: ModelCard) -> None:
        """End a worker whose hello named another protocol than ours, or that has said none."""
        if resident.protocol != PROTOCOL:
            resident.process.end()
            raise Crashed(
                "The worker of {model} speaks version {theirs} of the wire, and this app speaks {ours}.",
                "Nothing was changed. Install the app and its models again, so that they fit.",
                evidence=resident.process.evidence(),
                model=card.title,
                theirs=resident.protocol,
                ours=PROTOCOL,
            )

    @staticmethod
    def _word_death(resident: Resident, card: ModelCard, why: str) -> Crashed:
        resident.process.end()
        return Crashed(
            "{model} stopped unexpectedly: {why}.",
            "Nothing was changed; try again.",
            evidence=resident.process.evidence(),
            at_work=resident.loaded,
            model=card.title,
            why=why,
        )

    # ----------------------------------------------------------------- events

    def _report(self, job: Job, fraction: float, text: str) -> None:
        job.fraction, job.text = max(job.fraction, fraction), text or job.text
        if job.is_due():
            self._tell(job)

    def _tell(self, job: Job, preview: Any = None) -> None:
        listener = self._lanes[job.lane].listener
        if listener is not None:
            try:
                listener(job.describe(preview))
            except Exception:  # a face's mistake must not stop the lane
                traceback.print_exc()

    def _note(self, job: Job) -> None:
        if self._journal:
            self._journal.note(job)
        self._tell(job)

    def _conclude(self, job: Job, state: JobState, error: StillTo3DError | None) -> None:
        if state is JobState.DONE:
            job.fraction = 1.0
        job.state, job.error = state, error
        if self._journal:
            self._journal.note(job)
        job.finish()
        self._tell(job)
