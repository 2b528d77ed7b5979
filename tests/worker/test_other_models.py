"""Other people's models, the real classes at tiny random size: installed through the store, asked through the engine.

They run in an environment with PyTorch (`make setup-models`), in workers of their own; the checks are those that
the builtins pass.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.questions import QUESTIONS, Scene
from support.tiny_models import BUILDS

from stillto3d.engine.engine import Engine
from stillto3d.engine.jobs import Event, Job, JobState
from stillto3d.errors import BadInput, NotInstalled
from stillto3d.models.catalog import Catalog, Store
from stillto3d.models.environments import Environments
from stillto3d.models.roles import Ask
from stillto3d.models.store import has_adapter
from stillto3d.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get("STILLTO3D_MODELS_PYTHON", ROOT / ".venv-models" / "bin" / "python"))
CATALOG = Catalog()
SIZES = {"usual": (96, 64), "one_pixel": (1, 1), "long": (17, 4001)}
NAMES = sorted(BUILDS)
CASES = [
    pytest.param(model, number, id=f"{model}-{ask.op}-{number}")
    for model in NAMES
    for number, ask in enumerate(QUESTIONS[CATALOG.find(model).role](Scene(96, 64)))
]
each_question = pytest.mark.parametrize(("model", "number"), CASES)
pytestmark = [
    pytest.mark.skipif(not PYTHON.exists(), reason="needs the models' environment: make setup-models"),
    pytest.mark.keeps_workers,
    pytest.mark.noisy,
]


class Desk:
    """An engine with every tiny model installed, and what its jobs have told."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "models", environments=Environments(folder, {"models": str(PYTHON)}))
        self.events: list[Event] = []
        self.engine = Engine(CATALOG, self.store, Settings(silence_seconds=240, warm_workers=2))
        self.thread = threading.Thread(target=self.engine.serve, args=("heavy", self.events.append), name="lane-heavy")
        self.thread.start()

    def submit(self, model: str, ask: Ask[Any]) -> Job:
        """A job that asks one question of one model."""
        return self.engine.submit(model, lambda run: run.call(ask, model))

    def ask(self, model: str, ask: Ask[Any]) -> Any:
        """The model's answer."""
        job = self.submit(model, ask)
        assert job.wait(240)
        if job.error is not None:
            raise job.error
        return job.result

    def close(self) -> None:
        self.engine.close()
        self.thread.join(20)
        assert not self.thread.is_alive()


class Quiet:
    """Work that nobody watches."""

    def progress(self, fraction: float, text: str = "") -> None:
        """Not told."""

    def check(self) -> None:
        """Never stopped."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("tiny")
    script = ROOT / "tests" / "support" / "tiny_models.py"
    subprocess.run([PYTHON, "-W", "ignore", script, folder / "hub", *NAMES], check=True, capture_output=True)
    desk = Desk(folder)
    for name in NAMES:
        desk.store.install(CATALOG.find(name), Quiet(), folder / "hub" / name)
        assert desk.store.check(CATALOG.find(name)).usable
    yield desk
    desk.close()


def pose(model: str, number: int, size: str = "usual") -> Ask[Any]:
    return list(QUESTIONS[CATALOG.find(model).role](Scene(*SIZES[size])))[number]


def flatten(value: Any) -> list[Any]:
    """What two answers are compared by."""
    if isinstance(value, np.ndarray):
        return [value.shape, value.tobytes()]
    if isinstance(value, tuple | list):
        return [part for one in value for part in flatten(one)]
    if hasattr(value, "__dict__"):
        return [part for one in vars(value).values() for part in flatten(one)]
    return [value]


@each_question
def test_its_answer_is_what_the_role_allows_and_the_same_again(desk: Desk, model: str, number: int) -> None:
    """`ask` reads the answer, which refuses wrong sizes, ranges and NaN; then again, and from a fresh worker."""
    first = flatten(desk.ask(model, pose(model, number)))
    assert flatten(desk.ask(model, pose(model, number))) == first


@pytest.mark.parametrize("model", NAMES)
def test_a_fresh_worker_answers_the_same(desk: Desk, model: str) -> None:
    numbers = range(sum(case.values[0] == model for case in CASES))
    before = [flatten(desk.ask(model, pose(model, number))) for number in numbers]
    desk.engine._residency.end_others()
    assert [flatten(desk.ask(model, pose(model, number))) for number in numbers] == before


@each_question
def test_progress_rises(desk: Desk, model: str, number: int) -> None:
    desk.events.clear()
    job = desk.submit(model, pose(model, number, "usual"))
    assert job.wait(240) and job.state is JobState.DONE
    fractions = [event.fraction for event in desk.events if event.job_id == job.id]
    assert fractions == sorted(fractions) and fractions[-1] == 1


@each_question
def test_a_cancel_gets_through_and_the_next_call_is_answered(desk: Desk, model: str, number: int) -> None:
    job = desk.submit(model, pose(model, number))
    desk.engine.cancel(job.id)
    assert job.wait(10) and job.state in (JobState.CANCELLED, JobState.DONE)
    desk.ask(model, pose(model, number))


@pytest.mark.parametrize("size", ["one_pixel", "long"])
@each_question
def test_odd_sizes_are_answered_or_refused_in_words(desk: Desk, model: str, number: int, size: str) -> None:
    try:
        desk.ask(model, pose(model, number, size))
    except BadInput as refusal:
        assert str(refusal).endswith(".") and " " in str(refusal)


@pytest.mark.parametrize("model", NAMES)
def test_damaged_weights_are_said_in_words_and_mended_by_installing_again(desk: Desk, model: str) -> None:
    card = CATALOG.find(model)
    folder = desk.store.find_weights(card)
    assert folder is not None
    weights = max(folder.iterdir(), key=lambda path: path.stat().st_size)
    sound = weights.read_bytes()
    desk.engine._residency.end_others()
    weights.write_bytes(sound[:8] + b"\0" * (len(sound) - 8))  # the size is right, nothing else
    with pytest.raises(NotInstalled, match="cannot be read"):
        desk.ask(model, pose(model, 0))
    weights.write_bytes(sound)
    desk.ask(model, pose(model, 0))


def test_every_adapter_has_a_tiny_model() -> None:
    """One card of each adapter that the app has; its other sizes are the same code."""
    theirs = [card for card in CATALOG.cards.values() if card.environment != "builtin"]
    written = {card.adapter for card in theirs if has_adapter(card)}
    assert {CATALOG.find(name).adapter for name in NAMES} == written
