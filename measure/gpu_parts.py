"""The parts of measuring on a GPU: each model, clicks beside heavy work, switching, running out of memory, splats."""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stillto3d.engine.jobs import LaneName
from stillto3d.engine.video_memory import read_video_memory
from stillto3d.models.card import Vram
from stillto3d.models.catalog import Catalog, ModelCard, Store
from stillto3d.models.roles import Ask, UpscaleStill
from stillto3d.models.shapes import RenderSplats, SplatPicture
from stillto3d.project.geometry import Splats
from stillto3d.project.space import FLIP_YZ, Camera, aim_camera
from stillto3d.settings import Settings
from stillto3d.words import find_resources

from .gpu_desk import (
    GB,
    Desk,
    Figures,
    Make,
    Report,
    Unmeasured,
    list_questions,
    make_still,
    read_used,
)
from .splat_reference import Projected

BARE = Path(__file__).with_name("gpu_bare.py")
ONE_QUESTION_S = 4.0  # that calls of one question may take together
GIVEN_BACK_S = 3.0
SAME = 64 << 20  # bytes that do not count as a difference of memory
POLL = 0.02
SHORT_GB = 9.0  # left free when memory shall run out
LARGE_TILE, SMALL_TILE = 4096, 512
CHECKED_PIXELS = 400


@dataclass(frozen=True)
class Bench:
    """What everything is measured with: an interpreter with PyTorch, a device, a still's size, calls for a median."""

    python: str
    device: str
    limit_gb: float
    width: int
    height: int
    calls: int
    splats: int
    network_sides: tuple[int, ...] = (512, 1024)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a still."""
        return self.height, self.width

    def settings(self, limit_gb: float = 0.0, warm_workers: int = 3) -> Settings:
        """The engine's settings; memory of the machine is not what is measured."""
        return Settings(
            device=self.device,
            vram_limit_gb=limit_gb or self.limit_gb,
            warm_workers=warm_workers,
            memory_limit_gb=128 if self.device == "cuda" else 0,
            silence_seconds=900,
        )

    def call_bare(self, report: Report, task: str, *arguments: object) -> Figures:
        """What measure/gpu_bare.py tells of one task. Raises Unmeasured with its last words."""
        command = [self.python, "-W", "ignore", BARE, task, self.device, self.calls, *arguments]
        try:
            done = subprocess.run(
                [str(part) for part in command], capture_output=True, text=True, timeout=max(1.0, report.left)
            )
        except subprocess.TimeoutExpired as late:
            raise Unmeasured("the bare call took longer than the time that was left") from late
        if done.returncode:
            raise Unmeasured("the bare call failed: " + "\n".join(done.stderr.strip().splitlines()[-6:]))
        told: Figures = json.loads(done.stdout.strip().splitlines()[-1])
        return told


def round_ms(seconds: list[float]) -> float:
    """The median in milliseconds."""
    return round(1000 * statistics.median(seconds), 2)


# --------------------------------------------------------------------------- each model


def measure_model(desk: Desk, report: Report, bench: Bench, card: ModelCard, place: Figures) -> None:
    """Load, first and warm calls, the start of a warm job, peak memory, and a cancel in the middle of a job."""
    before = read_used()
    lane: LaneName = "interactive" if card.role == "segmenter" else "heavy"
    questions = list_questions(card, bench.width, bench.height)
    means: dict[str, float] = {}
    for name, make in questions.items():
        with report.part("models", card.id, name) as figures:
            report.require(10)
            job = desk.submit(card.id, make(0), lane)
            desk.finish(job)
            load = desk.find_load(job)
            if load:
                place["load_s"] = round(load, 3)
            figures["first_ms"] = round(1000 * (job.seconds - load), 2)
            times, starts = _time_warm(desk, report, card, make, lane, bench.calls)
            means[name] = statistics.median(times)
            figures["job_s" if means[name] >= 1 else "ms"] = round(means[name] * (1 if means[name] >= 1 else 1000), 3)
            figures["calls"] = len(times)
            if starts:
                figures["warm_start_ms"] = round_ms(starts)
    resident = next((one for one in desk.engine.list_residents() if one.card.id == card.id), None)
    if resident is not None:
        place["peak_gb"] = round(resident.vram_bytes / GB, 3)
    place["card_holds_gb"] = round((read_used() - before) / GB, 3)
    if not means:
        return
    longest = max((name for name in means if name != "click"), key=means.__getitem__)
    with report.part("models", card.id, "cancel") as figures:
        _measure_cancel(desk, card, questions[longest](7000), means[longest], before, lane, figures)


def _time_warm(
    desk: Desk, report: Report, card: ModelCard, make: Make, lane: LaneName, calls: int
) -> tuple[list[float], list[float]]:
    """Seconds of warm calls, and from submitting each until its model began."""
    times: list[float] = []
    starts: list[float] = []
    for k in range(1, calls + 1):
        ask = make(k)
        begun = time.monotonic()
        job = desk.submit(card.id, ask, lane)
        desk.finish(job)
        times.append(time.monotonic() - begun)
        start = desk.find_start(job)
        if start is not None:
            starts.append(start - begun)
        if sum(times) > ONE_QUESTION_S or report.left < 5:
            break
    return times, starts


def _measure_cancel(
    desk: Desk, card: ModelCard, ask: Ask[Any], usual: float, before: int, lane: LaneName, figures: Figures
) -> None:
    """Take a job back in its middle; how soon it ends, and how soon the card's memory is what it stays at."""
    workers = desk.engine.list_workers()
    job = desk.submit(card.id, ask, lane)
    desk.await_start(job)
    job.wait(0.4 * usual)
    figures["asked_while"], at = job.state.value, read_used()
    begun = time.monotonic()
    desk.engine.cancel(job.id)
    job.wait(60)
    figures["state"], figures["ended_s"] = job.state.value, round(time.monotonic() - begun, 3)
    figures["same_worker"] = desk.engine.list_workers() == workers
    if read_video_memory() is None:
        return
    seen = [(time.monotonic() - begun, read_used())]
    while seen[-1][0] < GIVEN_BACK_S:
        time.sleep(POLL)
        seen.append((time.monotonic() - begun, read_used()))
    stays = seen[-1][1]
    figures["given_back_s"] = next(round(moment, 3) for moment, used in seen if used <= stays + SAME)
    figures["held_gb_above_start"] = {"at_cancel": _tell_gb(at - before), "after": _tell_gb(stays - before)}


def _tell_gb(count: int) -> float:
    return round(count / GB, 3)


# --------------------------------------------------------------------------- clicks


def measure_clicks(desk: Desk, report: Report, bench: Bench, name: str, heavies: list[str], folder: Path) -> None:
    """Clicks through the engine beside the bare decoder, and while heavy jobs run in the other lane."""
    card = desk.catalog.find(name)
    questions = list_questions(card, bench.width, bench.height)
    count = 3 * bench.calls
    with report.part("clicks", "idle") as figures:
        report.require(15)
        desk.ask(name, questions["click"](0), "interactive")
        times = sorted(desk.time_ask(name, questions["click"](k), "interactive") for k in range(count))
        figures["click_ms"], figures["click_p95_ms"] = round_ms(times), round(1000 * times[int(0.95 * count)], 2)
    with report.part("clicks", "bare") as figures:
        report.require(15)
        figures |= bench.call_bare(report, "sam2", folder, bench.width, bench.height)
    for heavy in heavies:
        with report.part("clicks", f"during {heavy}") as figures:
            report.require(15)
            _measure_busy_clicks(desk, bench, name, questions["click"], heavy, count, figures)


def _measure_busy_clicks(
    desk: Desk, bench: Bench, name: str, click: Make, heavy: str, count: int, figures: Figures
) -> None:
    """Clicks of which each began and ended while the heavy job ran."""
    make = list(list_questions(desk.catalog.find(heavy), bench.width, bench.height).values())[-1]
    times: list[float] = []
    jobs = 0
    begun = time.monotonic()
    while len(times) < count and time.monotonic() - begun < 2 * ONE_QUESTION_S:
        job = desk.submit(heavy, make(8000 + jobs))
        jobs += 1
        desk.await_start(job)
        while not job.state.final and len(times) < count:
            seconds = desk.time_ask(name, click(len(times)), "interactive")
            if not job.state.final:
                times.append(seconds)
        if len(times) >= count:
            desk.engine.cancel(job.id)
            job.wait(60)
        else:
            desk.finish(job)
    figures["heavy_jobs"], figures["clicks"] = jobs, len(times)
    if not times:
        raise Unmeasured("the heavy job was over before a click had its answer")
    figures["click_ms"] = round_ms(times)


# --------------------------------------------------------------------------- residency


def measure_switch(store: Store, report: Report, bench: Bench, pair: tuple[str, str], place: Figures) -> None:
    """Two models of which the limit holds one, asked in turn: a worker ended, the other loaded and answering."""
    report.require(20)
    catalog = Catalog()
    peaks = [int(report.figures["models"][name].get("peak_gb", 0.0) * GB) for name in pair]
    for name, peak in zip(pair, peaks, strict=True):
        held = Vram(measured_bytes=peak, measured_on="here") if peak else Vram()
        catalog.cards[name] = catalog.find(name).model_copy(update={"vram": held})
    limit = 1.1 * max(peaks) / GB if min(peaks) else bench.limit_gb
    place["limit_gb"] = round(limit, 2)
    desk = Desk(catalog, store, bench.settings(limit, warm_workers=1), report)
    try:
        asked = [next(iter(list_questions(catalog.find(name), bench.width, bench.height).values())) for name in pair]
        for turn in range(2):
            for name, make in zip(pair, asked, strict=True):
                report.require(5)
                seconds = desk.time_ask(name, make(9000 + turn))
                if turn:
                    place[f"to {name}_s"] = round(seconds, 3)
        place["workers"] = len(desk.engine.list_workers())
    finally:
        desk.close()


def measure_shortage(store: Store, report: Report, bench: Bench, name: str, place: Figures) -> None:
    """Another program holds the card's memory: the job is told so, asks for less, and answers; then all is as before.

    The tile that cannot fit stands as the usual one, and the one that fits as what is tried last.
    """
    report.require(25)
    if bench.device != "cuda":
        raise Unmeasured("a GPU's memory cannot run out on the processor")
    catalog = Catalog()
    card = catalog.find(name)
    tile = next(p for p in card.parameters if p.name == "tile")
    changed = tile.model_copy(update={"default": LARGE_TILE, "lean": SMALL_TILE})
    catalog.cards[name] = card.model_copy(update={"parameters": (changed,)})
    command = [bench.python, str(BARE), "hold", bench.device, "0", str(int(SHORT_GB * GB))]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    desk = Desk(catalog, store, bench.settings(), report)
    try:
        assert holder.stdout is not None
        place["held_by_another"] = json.loads(holder.stdout.readline())
        job = desk.submit(name, UpscaleStill(make_still(1, bench.width, bench.height)))
        desk.finish(job)
        place["answered_after_s"], place["said"] = round(job.seconds, 2), job.text
        place["recovered"] = job.error is None
        holder.communicate()
        seconds = desk.time_ask(name, UpscaleStill(make_still(2, bench.width // 4, bench.height // 4)))
        place["next_job_s"] = round(seconds, 3)
    finally:
        holder.kill()
        holder.communicate()
        desk.close()


# --------------------------------------------------------------------------- splats


def make_camera(width: int, height: int) -> Camera:
    """A camera in the room of `make_splats`."""
    return Camera(width, height, 0.9 * width, 0.9 * width, width / 2, height / 2, aim_camera(-0.1, 0.05, 1.5))


def make_splats(count: int, seed: int = 0) -> Splats:
    """A room's worth of splats before the camera, with harmonics of the first degree."""
    rng = np.random.default_rng(seed)
    means = rng.uniform((-4, -1, -12), (4, 4, -1), (count, 3)).astype(np.float32)
    scales = np.exp(rng.uniform(math.log(0.003), math.log(0.03), (count, 3))).astype(np.float32)
    turns = rng.normal(size=(count, 4))
    turns /= np.linalg.norm(turns, axis=1, keepdims=True)
    sh = rng.normal(0, 0.3, (count, 4, 3)).astype(np.float32)
    return Splats(means, scales, turns.astype(np.float32), rng.uniform(0.05, 1, count).astype(np.float32), sh)


def compare_splats(splats: Splats, camera: Camera, picture: SplatPicture, pixels: int) -> float:
    """The largest difference of colour or alpha from the float64 reference, over pixels drawn at random."""
    seen, rng = Projected(splats, camera), np.random.default_rng(1)
    columns, rows = (rng.integers(0, size, pixels) for size in (camera.width, camera.height))
    worst = 0.0
    for column, row in zip(columns, rows, strict=True):
        colour, alpha = seen.trace(column + 0.5, row + 0.5)
        worst = max(worst, float(np.abs(colour - picture.rgb[row, column]).max()))
        worst = max(worst, abs(alpha - float(picture.alpha[row, column])))
    return worst


def measure_splats(desk: Desk, report: Report, bench: Bench, folder: Path, ready: Callable[[], None]) -> None:
    """Frames of many splats through the engine, beside the bare call, and against the reference."""
    camera, splats = make_camera(bench.width, bench.height), make_splats(bench.splats)
    with report.part("splats", "engine") as figures:
        figures["splats"] = bench.splats
        ready()
        report.require(10)
        job = desk.submit("gsplat", RenderSplats(splats, "room", camera))
        picture = desk.finish(job)
        figures["load_s"], figures["first_s"] = round(desk.find_load(job), 2), round(job.seconds, 2)
        again = RenderSplats(splats, "room", camera, send=False)
        figures["frame_ms"] = round_ms([desk.time_ask("gsplat", again) for _ in range(2 * bench.calls)])
        figures["peak_gb"] = round(desk.engine.list_residents()[-1].vram_bytes / GB, 3)
        figures["difference"] = compare_splats(splats, camera, picture, CHECKED_PIXELS)
    with report.part("splats", "bare") as figures:
        if bench.device != "cuda":
            raise Unmeasured("gsplat draws on a GPU alone")
        ready()
        report.require(10)
        parts = {name: getattr(splats, name) for name in ("means", "rotations", "scales", "opacity", "sh")}
        view = np.linalg.inv(camera.world_from_camera @ FLIP_YZ).astype(np.float32)
        lens = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]], np.float32)
        size = np.array([camera.width, camera.height])
        np.savez(folder / "splats.npz", view=view, lens=lens, size=size, **parts)
        figures |= bench.call_bare(report, "gsplat", folder / "splats.npz")


def measure_network(report: Report, bench: Bench) -> None:
    """Our own network at the sides of a still's picture, in whole strides."""
    for side in bench.network_sides:
        height, width = (32 * max(1, round(side * n / max(bench.width, bench.height) / 32)) for n in bench.size)
        with report.part("network", f"{width}x{height}") as figures:
            report.require(10)
            figures |= bench.call_bare(report, "network", find_resources() / "weights", height, width)
