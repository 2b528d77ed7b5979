"""What measuring on a GPU stands on: figures written as they come, an engine that times its jobs, questions."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from stillto3d.engine.engine import Engine
from stillto3d.engine.jobs import Event, Job, JobState, LaneName
from stillto3d.engine.video_memory import measure_free, read_video_memory
from stillto3d.models.catalog import Catalog, ModelCard, Store
from stillto3d.models.roles import (
    Ask,
    Click,
    DetectThings,
    EstimateDepth,
    FillHoles,
    MatteMask,
    PrepareStill,
    Segment,
    UpscaleStill,
)
from stillto3d.models.shapes import SeeViews
from stillto3d.project.project import Policy
from stillto3d.project.still import Mask, Still, hash_array
from stillto3d.settings import Settings

GB = 2**30
Figures = dict[str, Any]
Make = Callable[[int], Ask[Any]]
POLICY = Policy(region="US")  # some licences hold in named regions alone


class Unmeasured(Exception):
    """A figure that cannot be had here; says why."""


class Report:
    """Figures by part, written to a file after each; a part that fails leaves words and does not stop the others."""

    def __init__(self, path: Path, seconds: float) -> None:
        """Measuring shall end within `seconds`."""
        self._path, self._ends = path, time.monotonic() + seconds
        self._begun = time.monotonic()
        self.figures: Figures = {}

    @property
    def left(self) -> float:
        """Seconds that measuring may still take."""
        return self._ends - time.monotonic()

    def require(self, seconds: float) -> None:
        """Raises Unmeasured unless so many seconds are left."""
        if self.left < seconds:
            raise Unmeasured(f"no time was left: {max(0, round(self.left))} s, and about {round(seconds)} s are needed")

    @contextmanager
    def part(self, *names: str) -> Iterator[Figures]:
        """The figures of one part; what goes wrong within is kept as `failed`."""
        place = self.figures
        for name in names:
            place = place.setdefault(name, {})
        begun = time.monotonic()
        try:
            yield place
        except Exception as error:
            place["failed"] = word_failure(error)
        finally:
            place["took_s"] = round(time.monotonic() - begun, 2)
            self.figures["took_s"] = round(time.monotonic() - self._begun, 1)
            self.write()

    def write(self) -> None:
        """All figures so far as JSON, whole or not at all."""
        part = self._path.with_name(self._path.name + ".part")
        part.write_text(json.dumps(self.figures, indent=2) + "\n", encoding="utf-8")
        part.replace(self._path)


def word_failure(error: BaseException) -> str:
    """An error in words, with the last lines of what it leaves as evidence."""
    evidence = str(getattr(error, "evidence", "") or "").strip().splitlines()[-12:]
    return "\n".join([f"{type(error).__name__}: {error}", *evidence])


class Desk:
    """An engine over installed models, its two lanes served here, and every event with its time."""

    def __init__(self, catalog: Catalog, store: Store, settings: Settings, report: Report) -> None:
        self.catalog, self._report = catalog, report
        self._told: dict[str, list[tuple[float, Event]]] = {}
        self.engine = Engine(catalog, store, settings, measure_free=measure_free)
        lanes: tuple[LaneName, ...] = ("heavy", "interactive")
        self._threads = [
            threading.Thread(target=self.engine.serve, args=(lane, self._hear), name=f"lane-{lane}") for lane in lanes
        ]
        for thread in self._threads:
            thread.start()

    def _hear(self, event: Event) -> None:
        self._told.setdefault(event.job_id, []).append((time.monotonic(), event))

    def submit(self, model: str, ask: Ask[Any], lane: LaneName = "heavy") -> Job:
        """A job that asks one question of one model."""
        return self.engine.submit(model, lambda run: run.call(ask, model), lane, policy=POLICY)

    def finish(self, job: Job) -> Any:
        """The job's answer. Raises its error, or Unmeasured once the time is up."""
        if not job.wait(max(1.0, self._report.left)):
            raise Unmeasured(f"{job.label} took longer than the time that was left")
        if job.error is not None:
            raise job.error
        return job.result

    def ask(self, model: str, ask: Ask[Any], lane: LaneName = "heavy") -> Any:
        """The answer of one model."""
        return self.finish(self.submit(model, ask, lane))

    def time_ask(self, model: str, ask: Ask[Any], lane: LaneName = "heavy") -> float:
        """Seconds from submitting to the answer."""
        begun = time.monotonic()
        self.ask(model, ask, lane)
        return time.monotonic() - begun

    def find_load(self, job: Job) -> float:
        """Seconds that the job waited for its worker to load; 0 for a warm one."""
        times = [(moment, event.state) for moment, event in self._told[job.id]]
        begun = next((moment for moment, state in times if state is JobState.LOADING), 0.0)
        ended = next((moment for moment, state in times if moment > begun and state is JobState.RUNNING), begun)
        return ended - begun if begun else 0.0

    def find_start(self, job: Job) -> float | None:
        """When the model itself began on the job: its first word; the engine's own comes before."""
        running = [moment for moment, event in self._told.get(job.id, ()) if event.state is JobState.RUNNING]
        return running[1] if len(running) > 1 else None

    def await_start(self, job: Job) -> None:
        """Wait until the model works on the job, or the job has ended."""
        while not job.wait(0.002) and self.find_start(job) is None and self._report.left > 0:
            pass

    def close(self) -> None:
        """End every job and worker."""
        self.engine.close()
        for thread in self._threads:
            thread.join()


def read_used() -> int:
    """Bytes of the card's memory that anybody holds; 0 without a card."""
    told = read_video_memory()
    return told.total_bytes - told.free_bytes if told else 0


def make_still(seed: int, width: int, height: int) -> Still:
    """Noise of a still's size."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Still(pixels, "noise", hash_array(pixels))


def make_disc(width: int, height: int) -> np.ndarray:
    """A mask u8[H, W] of a thing in the middle."""
    rows, columns = np.mgrid[0:height, 0:width]
    inside = (columns - width / 2) ** 2 + (rows - height / 2) ** 2 < (0.2 * height) ** 2
    return np.where(inside, np.uint8(255), np.uint8(0))


def list_questions(card: ModelCard, width: int, height: int) -> dict[str, Make]:
    """What a model is asked, by name: the same of another still each time, but for clicks on one that is known."""

    def draw(k: int) -> Still:
        return make_still(k, width, height)

    if card.role == "segmenter":
        still = draw(0)
        asked: dict[str, Make] = {
            "encode": lambda k: PrepareStill(draw(k)),
            "click": lambda k: Segment(still, (Click((31.0 * k + 9) % width, height / 2),)),
        }
        if "detector" in card.roles:
            asked["two_words"] = lambda k: DetectThings(draw(k), ("lamp", "chair"))
        return asked
    if card.role == "upscaler":
        return {"upscale": lambda k: UpscaleStill(draw(k))}
    if card.role == "scene":
        return {
            "one_still": lambda k: SeeViews([draw(k)]),
            "two_stills": lambda k: SeeViews([draw(2 * k), draw(2 * k + 1)]),
        }
    thing = make_disc(width, height)
    if card.role == "matter":

        def matte(k: int) -> Ask[Any]:
            still = draw(k)
            return MatteMask(still, Mask(thing, still.id))

        return {"matte": matte}
    if card.role == "inpainter":
        return {"fill": lambda k: FillHoles(draw(k), thing)}
    return {"depth": lambda k: EstimateDepth(draw(k))}
