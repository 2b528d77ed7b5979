"""Models at full size on a GPU, through the product's own store, engine and workers, with random weights.

    STILLTO3D_MODELS_PYTHON=PYTHON python -m measure.gpu --models sam2.1-large depth-pro --out gpu.json

Figures, labelled with the card: seconds to load, milliseconds of first and warm calls, how soon a warm model begins its
next job, how soon a cancelled one has given its memory back, peak memory; clicks beside the bare decoder and during
heavy jobs; switching between models; recovery when memory runs out; gsplat beside the bare call and a float64
reference; our own network. The file is written after each part. Times say nothing of quality: the weights are random.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from stillto3d.engine.video_memory import read_video_memory
from stillto3d.models.catalog import Catalog, ModelCard, Store
from stillto3d.models.environments import Environments
from stillto3d.models.store import Machine

from .gpu_desk import GB, Desk, Figures, Report, Unmeasured
from .gpu_parts import (
    Bench,
    measure_clicks,
    measure_model,
    measure_network,
    measure_shortage,
    measure_splats,
    measure_switch,
)

LIMIT_GB = 24.0
GROUP = (
    "sam2.1-large",
    "real-esrgan-x4plus",
    "depth-pro",
    "da3-giant",
    "sam3",
    "moge-2-vitl",
    "dust3r",
    "da3-base",
    "da3-small",
    "vitmatte-small",
    "lama",
)
BUILDER = Path(__file__).with_name("full_size.py")
COMPILE = "from gsplat.cuda._backend import _C; assert _C is not None, 'no CUDA toolkit'"
BUSY = ("real-esrgan-x4plus", "depth-pro")  # that clicks are measured beside
BUILDERS = 4  # at once


class Quiet:
    """Work that nobody watches."""

    def progress(self, fraction: float, text: str = "") -> None:
        """Not told."""

    def check(self) -> None:
        """Never stopped."""


class Compiler:
    """gsplat's kernels, compiled beside everything else."""

    def __init__(self, python: str, log: Path) -> None:
        self._log, self._begun = log, time.monotonic()
        with log.open("wb") as sink:
            self._process = subprocess.Popen([python, "-I", "-c", COMPILE], stdout=sink, stderr=sink)

    def await_end(self, report: Report, place: Figures) -> None:
        """Wait as long as there is time. Raises Unmeasured with the compiler's last words."""
        try:
            code = self._process.wait(max(1.0, report.left - 20))
        except subprocess.TimeoutExpired as late:
            raise Unmeasured("gsplat was still being compiled when the time was up") from late
        place.setdefault("compiled_by_s", round(time.monotonic() - self._begun, 1))
        if code:
            lines = self._log.read_text("utf-8", "replace").strip().splitlines()
            errors = [line for line in lines if "error" in line.lower()][:8]
            raise Unmeasured("gsplat cannot be compiled: " + "\n".join([*errors, *lines[-4:]]))

    @property
    def ended(self) -> bool:
        """It is done, well or not."""
        return self._process.poll() is not None

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def build_models(report: Report, store: Store, models: list[str], bench: Bench, builder: Path, folder: Path) -> None:
    """Write each model's files, and install them as a person would from a folder; several at once."""

    def build(name: str) -> Figures:
        begun = time.monotonic()
        command = [bench.python, "-W", "ignore", str(builder), str(folder), name]
        card = store_catalog.find(name)
        done = subprocess.run(command, capture_output=True, text=True, timeout=max(1.0, report.left))
        if done.returncode:
            raise Unmeasured("it cannot be built: " + "\n".join(done.stderr.strip().splitlines()[-6:]))
        built = time.monotonic()
        store.install(card, Quiet(), folder / name)
        shutil.rmtree(folder / name, ignore_errors=True)
        gigabytes = round(store.measure_disk(card) / GB, 3)
        return {"build_s": round(built - begun, 1), "install_s": round(time.monotonic() - built, 1), "gb": gigabytes}

    store_catalog = Catalog()
    with ThreadPoolExecutor(BUILDERS) as pool:
        waiting = {name: pool.submit(build, name) for name in models}
        for name, future in waiting.items():
            with report.part("models", name, "built") as figures:
                figures |= future.result()


def measure(models: list[str], bench: Bench, report: Report, builder: Path = BUILDER) -> Figures:
    """All figures of a group of models, which share one engine and so compete for its memory."""
    report.figures |= describe_machine(bench)
    with tempfile.TemporaryDirectory() as name, report.part("all"):
        place = Path(name)
        compiler = Compiler(bench.python, place / "gsplat.log") if bench.device == "cuda" else None
        try:
            named = Environments(place / "environments", {"models": bench.python})
            machine = Machine(bench.device, int(bench.limit_gb * GB))
            store = Store(place / "models", machine=machine, environments=named)
            with report.part("facts") as facts:
                facts |= bench.call_bare(report, "facts")
            build_models(report, store, models, bench, builder, place / "hub")
            _measure_parts(models, bench, report, store, place, compiler)
        finally:
            if compiler is not None:
                compiler.close()
    report.figures["limits"] = judge(report.figures)
    report.write()
    return report.figures


def _measure_parts(
    models: list[str], bench: Bench, report: Report, store: Store, place: Path, compiler: Compiler | None
) -> None:
    """What has a limit to keep comes first, then the other models; splats as soon as they are compiled."""
    desk = Desk(Catalog(), store, bench.settings(), report)
    here = [desk.catalog.find(name) for name in models if store.check(desk.catalog.find(name)).usable]
    segmenter = next((card for card in here if card.adapter == "sam2"), None)
    busy = [card for card in here if card.id in BUSY]
    first = [card for card in here if card is segmenter or card in busy]

    def measure_each(cards: list[ModelCard]) -> None:
        for card in cards:
            with report.part("models", card.id) as figures:
                measure_model(desk, report, bench, card, figures)

    def draw_splats() -> None:
        def await_compiler() -> None:
            if compiler is not None:
                compiler.await_end(report, report.figures["splats"])

        measure_splats(desk, report, bench, place, await_compiler)

    try:
        measure_each(first)
        if segmenter is not None:
            folder = store.find_weights(segmenter) or place
            measure_clicks(desk, report, bench, segmenter.id, [card.id for card in busy], folder)
        measure_residency(busy, bench, report, store)
        ready = compiler is None or compiler.ended
        if ready:
            draw_splats()
        measure_each([card for card in here if card not in first])
        if not ready:
            draw_splats()
        measure_network(report, bench)
    finally:
        desk.close()


def measure_residency(heavies: list[ModelCard], bench: Bench, report: Report, store: Store) -> None:
    """From one heavy model to another, and a card without room."""
    if len(heavies) > 1:
        with report.part("switch") as figures:
            measure_switch(store, report, bench, (heavies[0].id, heavies[1].id), figures)
    upscaler = next((card.id for card in heavies if card.role == "upscaler"), None)
    if upscaler is not None:
        with report.part("memory_runs_out") as figures:
            measure_shortage(store, report, bench, upscaler, figures)


def describe_machine(bench: Bench) -> Figures:
    """What the figures are labelled with."""
    told = read_video_memory() if bench.device == "cuda" else None
    size = f"{bench.width}x{bench.height}"
    named = {"card": told.name, "card_gb": round(told.total_bytes / GB, 1)} if told else {"card": "none: a processor"}
    return {**named, "limit_gb": bench.limit_gb, "still": size, "calls": bench.calls, "cores": os.cpu_count()}


def judge(figures: Figures) -> dict[str, Any]:
    """The limits that are to be kept, with what was measured; a figure that is missing judges nothing."""
    clicks, splats = figures.get("clicks", {}), figures.get("splats", {})
    idle, bare = clicks.get("idle", {}).get("click_ms"), clicks.get("bare", {})
    told: list[tuple[str, float | None, float | None]] = [
        (f"click beside {name}", idle, 1.15 * bare[name] + 3 if name in bare else None)
        for name in ("bare_decode_ms", "bare_masks_ms")
    ]
    told += [
        (f"click {name}", part.get("click_ms"), 2 * idle if idle else None)
        for name, part in clicks.items()
        if name.startswith("during")
    ]
    for name, model in figures.get("models", {}).items():
        parts = [part for part in model.values() if isinstance(part, dict)]
        for title, figure, limit in (("warm start of", "warm_start_ms", 50), ("memory back from", "given_back_s", 3)):
            found = [part[figure] for part in parts if figure in part]
            told.append((f"{title} {name}", max(found, default=None), limit))
    for name in ("bare_frame_ms", "bare_frame_in_memory_ms"):
        limit = splats.get("bare", {}).get(name)
        told.append((f"splats beside {name}", splats.get("engine", {}).get("frame_ms"), 1.2 * limit if limit else None))
    told.append(("splats against the reference", splats.get("engine", {}).get("difference"), 1e-3))
    return {
        name: {"measured": round(value, 6), "limit": round(limit, 6), "kept": value <= limit}
        for name, value, limit in told
        if value is not None and limit is not None
    }


def main() -> None:
    """Measure and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--models", nargs="+", default=list(GROUP))
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    parser.add_argument("--seconds", type=float, default=1e5, help="measure no longer than this")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--limit", type=float, default=LIMIT_GB, help="video memory for all models, in GB")
    parser.add_argument("--still", nargs=2, type=int, default=(1920, 1080), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--splats", type=int, default=1_000_000)
    parser.add_argument("--builder", type=Path, default=BUILDER, help="script that writes the models")
    chosen = parser.parse_args()
    python = os.environ["STILLTO3D_MODELS_PYTHON"]
    width, height = chosen.still
    bench = Bench(python, chosen.device, chosen.limit, width, height, chosen.calls, chosen.splats)
    measure(chosen.models, bench, Report(chosen.out, chosen.seconds), chosen.builder)


if __name__ == "__main__":
    main()
