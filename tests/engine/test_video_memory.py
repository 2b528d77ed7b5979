"""Video memory: who stays, who goes, what is said, with a card that exists on paper alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engine.conftest import FAKE, Do

from stillto3d.engine.engine import Engine
from stillto3d.engine.jobs import Event, Job, JobState
from stillto3d.engine.video_memory import measure_free, read_video_memory
from stillto3d.errors import Crashed, OutOfMemory
from stillto3d.models.catalog import Catalog, Store
from stillto3d.settings import Settings

GB = 2**30
NEEDS_GB = {"small": 4, "large": 18, "huge": 22}

pytestmark = [pytest.mark.keeps_workers, pytest.mark.noisy]


class Desk:
    """An engine on a card of `total_gb`, of which others hold `taken_gb`."""

    def __init__(self, folder: Path, total_gb: float = 24, taken_gb: float = 0, **settings: Any) -> None:
        cards = folder / "cards"
        cards.mkdir(parents=True)
        for name, needs in NEEDS_GB.items():
            (cards / f"{name}.toml").write_text(
                f'id = "{name}"\nrole = "depth"\ntitle = "The {name} one"\nversion = "1"\n'
                f'adapter = "{FAKE.as_posix()}"\nenvironment = "{name}"\n'
                '[licence]\ncode = "MIT"\ncommercial = "yes"\n'
                f'[vram]\ndocumented_bytes = {needs * GB}\ndocumented_in = "a test"\n'
                '[[parameters]]\nname = "size"\nhelp = "How much."\ndefault = 100\nlow = 1\nhigh = 100\n'
                + ("lean = 10\n" if name == "large" else "lean = 50\n")
            )
        self.taken_gb, self.total_gb = taken_gb, total_gb
        self.events: list[Event] = []
        chosen = Settings(device="cuda", **settings)
        self.engine = Engine(Catalog(cards), Store(folder / "models"), chosen, measure_free=self.measure)
        lanes = ("heavy", "interactive")
        self.threads = [threading.Thread(target=self.engine.serve, args=(lane, self.events.append)) for lane in lanes]
        for thread in self.threads:
            thread.start()

    def measure(self) -> int:
        """What NVML would say of a card that only others use; the limit counts ours."""
        return int((self.total_gb - self.taken_gb) * GB)

    def ask(self, model: str, op: str = "echo", lane: Any = "heavy", **values: Any) -> Any:
        job = self.submit(model, op, lane, **values)
        assert job.wait(60)
        if job.error is not None:
            raise job.error
        return job.result.values

    def submit(self, model: str, op: str = "echo", lane: Any = "heavy", **values: Any) -> Job:
        return self.engine.submit(op, lambda run: run.call(Do(op, values), model), lane=lane)

    def close(self) -> None:
        self.engine.close()
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def make_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(**named: Any) -> Desk:
        made.append(Desk(tmp_path / str(len(made)), **named))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


def names(desk: Desk) -> list[str]:
    return [resident.card.id for resident in desk.engine.list_residents()]


def test_models_that_fit_together_stay_warm(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    first = desk.ask("small")["pid"], desk.ask("large")["pid"]
    assert names(desk) == ["small", "large"]
    assert (desk.ask("small")["pid"], desk.ask("large")["pid"]) == first


def test_the_one_used_longest_ago_makes_room(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    for model in ("small", "large", "huge"):
        desk.ask(model)
    assert names(desk) == ["huge"]
    desk.ask("small")
    assert names(desk) == ["small"]  # 22 + 4 are more than 24


def test_what_a_worker_tells_goes_before_what_its_card_says(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    desk.ask("large", "hold", bytes=2 * GB)
    assert [resident.video_memory for resident in desk.engine.list_residents()] == [2 * GB]
    desk.ask("huge")
    assert names(desk) == ["large", "huge"]


def test_a_model_that_cannot_fit_is_refused_in_numbers_before_it_starts(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(total_gb=24, taken_gb=3)
    with pytest.raises(OutOfMemory, match=r"The huge one needs 22\.0 GB of video memory, and 21\.0 GB may be used"):
        desk.ask("huge")
    assert not names(desk)
    limited = make_desk(total_gb=80, vram_limit_gb=10)
    with pytest.raises(OutOfMemory, match="raise the limit"):
        limited.ask("large")


def test_what_it_needs_is_said_while_it_loads(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(taken_gb=3)
    desk.ask("large")
    told = [event.text for event in desk.events if event.state is JobState.LOADING]
    assert told == ["The large one needs 18.0 GB, 21.0 free"]


def test_a_model_at_work_is_not_ended_for_another(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    busy = desk.submit("large", "count")
    while not any(event.job_id == busy.id and event.fraction > 0 for event in desk.events):
        assert not busy.wait(0.02), busy.error
    with pytest.raises(OutOfMemory, match="Wait for the end of: The large one"):
        desk.ask("huge", lane="interactive")
    desk.ask("small", lane="interactive")
    assert busy.state is JobState.RUNNING
    desk.engine.cancel(busy.id)
    assert busy.wait(30) and busy.state is JobState.CANCELLED


def test_out_of_memory_is_tried_alone_then_with_less_then_said_in_numbers(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    desk.ask("small")
    job = desk.submit("large", "fussy")
    assert job.wait(60) and job.state is JobState.DONE
    assert job.result.values["size"] == 10
    assert names(desk) == ["large"]  # everything else was ended
    told = [event.text for event in desk.events if event.job_id == job.id]
    assert any("trying again alone" in text for text in told) and any("trying with size 10" in text for text in told)
    with pytest.raises(OutOfMemory, match=r"about 22\.0 GB are needed, and 24\.0 GB may be used"):
        desk.ask("huge", "fussy")  # what it can leave out is not enough
    assert desk.ask("huge")["pid"]


def test_what_was_lowered_stands_in_the_recipe(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    models: list[Any] = []

    def work(run: Any) -> None:
        run.call(Do("fussy"), "large")
        models.extend(run.models())

    job = desk.engine.submit("fussy", work)
    assert job.wait(60) and job.state is JobState.DONE
    assert models[0]["lowered"] == {"size": 10}


def test_a_job_that_takes_too_long_is_ended_in_words(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(job_limit_minutes=0.02)
    with pytest.raises(Crashed, match=r"count took longer than 0\.02 minutes"):
        desk.ask("small", "count")
    assert desk.ask("small")["pid"]


DYING = """
import os, pathlib

def load(weights, device):
    mark = pathlib.Path({mark!r})
    if not mark.exists():
        mark.touch()
        os._exit(9)
    return {{"echo": lambda arrays, params, tick: {{"pid": os.getpid()}}}}
"""


@pytest.mark.parametrize("when", ["load", "step", "answer"])
def test_a_worker_that_dies_leaves_a_clear_state_and_works_again(
    make_desk: Callable[..., Desk], tmp_path: Path, when: str
) -> None:
    desk = make_desk()
    if when == "load":
        adapter = tmp_path / "dying.py"
        adapter.write_text(DYING.format(mark=str(tmp_path / "died")))
        card = tmp_path / "0" / "cards" / "small.toml"
        card.write_text(card.read_text().replace(FAKE.as_posix(), adapter.as_posix()))
    op, again = {"load": ("echo", "echo"), "step": ("die_in_step", "die_in_step"), "answer": ("half_answer", "echo")}[
        when
    ]
    with pytest.raises(Crashed) as crash:
        desk.ask("small", op, marks=str(tmp_path))
    assert crash.value.at_work is (when != "load") and not desk.engine.list_residents()
    assert desk.ask("small", again, marks=str(tmp_path))["pid"]


def test_a_machine_without_a_card_is_no_limit() -> None:
    found = read_video_memory()
    assert measure_free() == (1 << 62 if found is None else pytest.approx(found.free_bytes, rel=0.5))
