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
USUAL = (96, 64)
NAMES = sorted(BUILDS)


def list_questions(model: str, scene: Scene) -> list[Ask[Any]]:
    """What the model can be asked."""
    card = CATALOG.find(model)
    asks = (ask for role in card.roles for ask in QUESTIONS[role](scene))
    return [ask for ask in asks if card.answers(ask.role, ask.op)]


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
        self.engine = Engine(CATALOG, self.store, Settings(silence_seconds=240, warm_workers=1))
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


@pytest.fixture(scope="module", params=NAMES)
def model(request: pytest.FixtureRequest) -> str:
    """Each model in turn, so that its worker is started once for all tests that need no fresh one."""
    return str(request.param)


def flatten(value: Any) -> list[Any]:
    """What two answers are compared by."""
    if isinstance(value, np.ndarray):
        return [value.shape, value.tobytes()]
    if isinstance(value, tuple | list):
        return [part for one in value for part in flatten(one)]
    if hasattr(value, "__dict__"):
        return [part for one in vars(value).values() for part in flatten(one)]
    return [value]


def test_its_answers_are_what_the_role_allows_and_the_same_again(desk: Desk, model: str) -> None:
    """`ask` reads the answer, which refuses wrong sizes, ranges and NaN; then again, and from a fresh worker."""
    asks = list_questions(model, Scene(*USUAL))
    first = [flatten(desk.ask(model, ask)) for ask in asks]
    assert first and [flatten(desk.ask(model, ask)) for ask in asks] == first
    desk.engine._residency.end_others()
    assert [flatten(desk.ask(model, ask)) for ask in asks] == first


def test_progress_rises(desk: Desk, model: str) -> None:
    for ask in list_questions(model, Scene(*USUAL, seed=4)):
        desk.events.clear()
        job = desk.submit(model, ask)
        assert job.wait(240) and job.state is JobState.DONE
        fractions = [event.fraction for event in desk.events if event.job_id == job.id]
        assert fractions == sorted(fractions) and fractions[-1] == 1


def test_a_cancel_gets_through_and_the_next_call_is_answered(desk: Desk, model: str) -> None:
    """The worker lives through it: it is asked to stop and does, rather than killed."""
    for ask in list_questions(model, Scene(*USUAL, seed=5)):
        desk.ask(model, ask)
        before = desk.engine.list_workers()
        job = desk.submit(model, ask)
        desk.engine.cancel(job.id)
        assert job.wait(10) and job.state in (JobState.CANCELLED, JobState.DONE)
        desk.ask(model, ask)
        assert desk.engine.list_workers() == before


@pytest.mark.parametrize("size", [(1, 1), (17, 4001)])
def test_odd_sizes_are_answered_or_refused_in_words(desk: Desk, model: str, size: tuple[int, int]) -> None:
    for ask in list_questions(model, Scene(*size)):
        try:
            desk.ask(model, ask)
        except BadInput as refusal:
            assert str(refusal).endswith(".") and " " in str(refusal)


def test_damaged_weights_are_said_in_words_and_mended_by_installing_again(desk: Desk) -> None:
    model = "sam2.1-tiny"
    folder = desk.store.find_weights(CATALOG.find(model))
    assert folder is not None
    ask = list_questions(model, Scene(*USUAL))[0]
    weights = folder / "model.safetensors"
    sound = weights.read_bytes()
    for damage in (sound[:8] + b"\0" * (len(sound) - 8), sound.replace(b"mask_decoder", b"musk_decoder")):
        desk.engine._residency.end_others()
        weights.write_bytes(damage)  # the size is right
        with pytest.raises(NotInstalled, match=r"cannot be read|files lack"):
            desk.ask(model, ask)
    weights.write_bytes(sound)
    desk.ask(model, ask)


def test_every_adapter_has_a_tiny_model() -> None:
    """One card of each adapter that the app has; its other sizes are the same code."""
    theirs = [card for card in CATALOG.cards.values() if card.environment != "builtin" and not card.upstream]
    written = {card.adapter for card in theirs if card.devices != ("cuda",)}
    assert all(has_adapter(card) for card in theirs)
    assert {CATALOG.find(name).adapter for name in NAMES} == written
