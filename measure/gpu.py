"""Models at full size on a GPU, through the product's own store, engine and workers, with random weights.

    STILLTO3D_MODELS_PYTHON=PYTHON python -m measure.gpu --models sam2.1-large depth-pro --out gpu.json

Figures: seconds to load, milliseconds of the first and of a warm call, seconds from a submit to the start of a warm
job, seconds that a cancelled job takes to give its memory back, seconds to switch between models, and peak memory;
labelled with the card. Times say nothing of quality: the weights are random.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stillto3d.engine.engine import Engine
from stillto3d.engine.jobs import Job
from stillto3d.engine.video_memory import read_video_memory
from stillto3d.models.catalog import Catalog, ModelCard, Store
from stillto3d.models.environments import Environments
from stillto3d.models.roles import Ask, Click, EstimateDepth, PrepareStill, Segment, UpscaleStill
from stillto3d.models.shapes import SeeViews
from stillto3d.models.store import Machine
from stillto3d.project.still import Still, hash_array
from stillto3d.settings import Settings

LIMIT_GB = 24.0
CALLS = 10
PATIENCE = 900.0
GROUP = ("sam2.1-large", "depth-pro", "real-esrgan-x4plus")


class Quiet:
    """Work that nobody watches."""

    def progress(self, fraction: float, text: str = "") -> None:
        """Not told."""

    def check(self) -> None:
        """Never stopped."""


def make_still(seed: int, width: int = 1920, height: int = 1080) -> Still:
    """Noise of a still's size."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Still(pixels, "noise", hash_array(pixels))


def list_questions(card: ModelCard) -> list[Callable[[int], Ask[Any]]]:
    """What a model is asked: the same question of another still each time, but for a click."""
    if card.role == "segmenter":
        still = make_still(0)
        return [
            lambda k: PrepareStill(make_still(k)),
            lambda k: Segment(still, (Click(100.0 + 31 * k, 500.0),)),
        ]
    if card.role == "upscaler":
        return [lambda k: UpscaleStill(make_still(k, 480, 270))]
    if card.role == "scene":
        return [lambda k: SeeViews([make_still(k)])]
    return [lambda k: EstimateDepth(make_still(k))]


def measure_model(engine: Engine, card: ModelCard, submit: Callable[[str, Ask[Any]], Job]) -> dict[str, Any]:
    """Figures of one model."""
    figures: dict[str, Any] = {}
    for number, make in enumerate(list_questions(card)):
        asks = [make(k) for k in range(CALLS + 1)]
        first = time.monotonic()
        _finish(submit(card.id, asks[0]))
        name = type(asks[0]).__name__
        if not number:
            figures["load_and_first_call_s"] = round(time.monotonic() - first, 3)
        times = []
        for ask in asks[1:]:
            begun = time.monotonic()
            _finish(submit(card.id, ask))
            times.append(1000 * (time.monotonic() - begun))
        figures[f"{name}_ms"] = round(statistics.median(times), 2)
    resident = engine.list_residents()[-1]
    figures["peak_gb"] = round(resident.vram_bytes / 2**30, 3)
    begun = time.monotonic()
    job = submit(card.id, list_questions(card)[0](CALLS + 2))
    engine.cancel(job.id)
    job.wait(PATIENCE)
    figures["cancel_s"] = round(time.monotonic() - begun, 3)
    return figures


def _finish(job: Job) -> None:
    if not job.wait(PATIENCE):
        raise TimeoutError(job.label)
    if job.error is not None:
        raise job.error


def measure(models: list[str], python: str) -> dict[str, Any]:
    """Figures of a group of models, which share one engine and so compete for its memory."""
    catalog, told = Catalog(), read_video_memory()
    answer: dict[str, Any] = {"card": told.name if told else "no card", "limit_gb": LIMIT_GB, "models": {}}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        named = Environments(place / "environments", {"models": python})
        store = Store(place / "models", machine=Machine("cuda", int(LIMIT_GB * 2**30)), environments=named)
        engine = Engine(catalog, store, Settings(device="cuda", vram_limit_gb=LIMIT_GB, silence_seconds=PATIENCE))
        lane = threading.Thread(target=engine.serve, args=("heavy",), name="lane-heavy")
        lane.start()
        try:
            for model in models:
                card = catalog.find(model)
                subprocess.run([python, Path(__file__).with_name("full_size.py"), place / "hub", model], check=True)
                store.install(card, Quiet(), place / "hub" / model)

                def submit(name: str, ask: Ask[Any]) -> Job:
                    return engine.submit(name, lambda run: run.call(ask, name))

                answer["models"][model] = measure_model(engine, card, submit)
        finally:
            engine.close()
            lane.join()
    return answer


def main() -> None:
    """Measure and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--models", nargs="+", default=list(GROUP))
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    chosen = parser.parse_args()
    figures = measure(chosen.models, os.environ["STILLTO3D_MODELS_PYTHON"])
    chosen.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
