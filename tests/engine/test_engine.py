"""The engine against a worker that misbehaves in every way: it stays up, says so, and runs the next job."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stillto3d.engine.engine import Engine
from stillto3d.engine.jobs import Event, Job, JobState, Record
from stillto3d.engine.journal import Journal
from stillto3d.engine.process import BOOT
from stillto3d.engine.run import Run
from stillto3d.errors import BadAnswer, BadInput, Bug, Cancelled, Crashed, OutOfMemory
from stillto3d.models.roles import EstimateDepth
from stillto3d.project.still import Still

from .conftest import Do

MakeEngine = Callable[..., Engine]


def ask(engine: Engine, op: str = "echo", **values: Any) -> Job:
    job = engine.submit(op, lambda run: run.call(Do(op, values)))
    assert job.wait(60)
    return job


def wait_until_running(engine: Engine, job: Job, events: list[Event]) -> None:
    """Wait (without sleeping) until the worker has ticked."""
    pause = threading.Event()
    for _ in range(600):
        if any(event.job_id == job.id and event.fraction > 0 for event in list(events)):
            return
        pause.wait(0.05)
    raise AssertionError("the job never ran")


def make_still(value: int = 0) -> Still:
    return Still(np.full((4, 5, 3), value, dtype=np.uint8), "s", f"{value:064d}")


def test_a_call_carries_arrays_and_values_there_and_back(engine: Engine) -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    job = engine.submit("echo", lambda run: run.call(Do("echo", {"a": [1, "é", None]}, {"x": array})))
    assert job.wait(60) and job.state is JobState.DONE
    np.testing.assert_array_equal(job.result.arrays["x"], array)
    assert job.result.values["params"]["a"] == [1, "é", None]


def test_a_worker_stays_warm_between_calls(engine: Engine) -> None:
    first, second = ask(engine).result.values["pid"], ask(engine).result.values["pid"]
    assert first == second


def test_a_worker_has_no_token_and_downloads_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    seen = ask(engine, "surroundings").result.values["environment"]
    assert seen["HF_HUB_OFFLINE"] == seen["TRANSFORMERS_OFFLINE"] == "1"
    assert "hf_secret" not in seen.values()


def test_a_card_tells_its_parameters_to_the_adapter(engine: Engine, cards: Path) -> None:
    parameter = '[[parameters]]\nname = "steps"\nhelp = "How many."\ndefault = 12\nlow = 1\nhigh = 100\n'
    text = (cards / "other.toml").read_text().replace('"other"', '"tuned"')
    (cards / "tuned.toml").write_text(text + parameter)
    job = engine.submit("echo", lambda run: run.call(Do(), model="tuned"))
    assert job.wait(60) and job.result.values["params"]["options"] == {"steps": 12}


def test_each_lane_has_a_worker_of_its_own(engine: Engine) -> None:
    heavy = ask(engine).result.values["pid"]
    job = engine.submit("echo", lambda run: run.call(Do()), lane="interactive")
    assert job.wait(60) and job.result.values["pid"] != heavy


def test_cards_share_a_worker_only_within_an_environment(engine: Engine, cards: Path) -> None:
    card = (cards / "other.toml").read_text().replace('"other"', '"apart"')
    (cards / "apart.toml").write_text('environment = "models"\n' + card)

    def find_pid(model: str) -> int:
        job = engine.submit("echo", lambda run: run.call(Do(), model=model))
        assert job.wait(60) and job.error is None
        return int(job.result.values["pid"])

    assert find_pid("fake") == find_pid("other") != find_pid("apart")


@pytest.mark.noisy
@pytest.mark.parametrize(
    ("op", "error", "state"),
    [
        ("crash", Crashed, JobState.CRASHED),
        ("segfault", Crashed, JobState.CRASHED),
        ("fork_and_die", Crashed, JobState.CRASHED),
        ("garbage", Crashed, JobState.CRASHED),
        ("half_answer", Crashed, JobState.CRASHED),
        ("hungry", OutOfMemory, JobState.FAILED),
        ("oom", OutOfMemory, JobState.FAILED),
        ("unknown_op", BadInput, JobState.FAILED),
    ],
)
def test_a_misbehaving_worker_is_reported_and_the_next_job_runs(
    engine: Engine, op: str, error: type[Exception], state: JobState
) -> None:
    job = ask(engine, op)
    assert type(job.error) is error and job.state is state
    assert ask(engine).state is JobState.DONE


@pytest.mark.noisy
def test_a_crash_keeps_the_last_words_as_evidence(engine: Engine) -> None:
    error = ask(engine, "crash").error
    assert isinstance(error, Crashed) and "last words" in error.evidence


@pytest.mark.noisy
@pytest.mark.parametrize("op", ["chatter", "flood"])
def test_noise_does_no_harm(engine: Engine, op: str) -> None:
    assert ask(engine, op).state is JobState.DONE


@pytest.mark.parametrize("op", ["lie_shape", "lie_nan"])
def test_an_answer_that_the_role_does_not_allow_is_refused(engine: Engine, op: str) -> None:
    class Lied(EstimateDepth):
        pass

    Lied.op = op  # type: ignore[misc]
    job = engine.submit("depth", lambda run: run.call(Lied(make_still())))
    assert job.wait(60) and isinstance(job.error, BadAnswer)
    assert ask(engine).state is JobState.DONE


def test_silence_is_taken_for_death(make_engine: MakeEngine) -> None:
    engine = make_engine(silence_seconds=1.0)
    job = ask(engine, "stall")
    assert job.state is JobState.CRASHED and ask(engine).state is JobState.DONE


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP on this system")
def test_a_stopped_worker_that_does_not_even_read_is_given_up(make_engine: MakeEngine) -> None:
    engine = make_engine(silence_seconds=2.0)
    pid = ask(engine).result.values["pid"]
    os.kill(pid, signal.SIGSTOP)
    big = np.zeros(64 << 20, dtype=np.uint8)  # far more than a pipe holds
    job = engine.submit("echo", lambda run: run.call(Do("echo", {}, {"x": big})))
    assert job.wait(60) and job.state is JobState.CRASHED
    assert ask(engine).state is JobState.DONE


def test_a_killed_worker_is_replaced(engine: Engine) -> None:
    pid = ask(engine).result.values["pid"]
    os.kill(pid, signal.SIGKILL)
    states = {ask(engine).state for _ in range(3)}
    assert states <= {JobState.DONE, JobState.CRASHED} and ask(engine).state is JobState.DONE


def test_cancelling_a_running_job_between_ticks_keeps_its_worker(make_engine: MakeEngine) -> None:
    events: list[Event] = []
    engine = make_engine(on_event=events.append)
    pid = ask(engine).result.values["pid"]
    job = engine.submit("count", lambda run: run.call(Do("count")))
    wait_until_running(engine, job, events)
    assert engine.cancel(job.id) and job.wait(10)
    assert job.state is JobState.CANCELLED and isinstance(job.error, Cancelled)
    assert ask(engine).result.values["pid"] == pid


def test_cancelling_a_deaf_job_kills_its_worker(make_engine: MakeEngine) -> None:
    events: list[Event] = []
    engine = make_engine(on_event=events.append)
    pid = ask(engine).result.values["pid"]

    def work(run: Run) -> None:
        run.progress(0.1)
        run.call(Do("stall"))

    job = engine.submit("stall", work)
    wait_until_running(engine, job, events)
    engine.cancel(job.id)
    assert job.wait(10) and job.state is JobState.CANCELLED
    assert ask(engine).result.values["pid"] != pid


def test_cancelling_a_waiting_job_takes_it_out_of_the_queue(make_engine: MakeEngine) -> None:
    events: list[Event] = []
    engine = make_engine(on_event=events.append)
    running = engine.submit("count", lambda run: run.call(Do("count")))
    waiting = engine.submit("echo", lambda run: run.call(Do()))
    assert engine.cancel(waiting.id) and waiting.wait(1) and waiting.state is JobState.CANCELLED
    wait_until_running(engine, running, events)
    engine.cancel(running.id)
    assert running.wait(10)
    assert not engine.cancel("nobody")


def test_a_newer_click_replaces_a_waiting_one_and_drops_a_running_one(make_engine: MakeEngine) -> None:
    started, gate = threading.Event(), threading.Event()
    engine = make_engine()

    def hold(run: Run) -> str:
        started.set()
        gate.wait(10)
        return "stale"

    first = engine.submit("hover", hold, lane="interactive", key="hover")
    assert started.wait(10)
    second = engine.submit("hover", lambda run: "replaced", lane="interactive", key="hover")
    third = engine.submit("hover", lambda run: "newest", lane="interactive", key="hover")
    gate.set()
    assert all(job.wait(10) for job in (first, second, third))
    assert first.state is second.state is JobState.CANCELLED
    assert third.result == "newest"


def test_a_click_does_not_wait_for_a_heavy_job(make_engine: MakeEngine) -> None:
    events: list[Event] = []
    engine = make_engine(on_event=events.append)
    heavy = engine.submit("count", lambda run: run.call(Do("count")))
    wait_until_running(engine, heavy, events)
    click = engine.submit("click", lambda run: run.call(Do()), lane="interactive")
    assert click.wait(60) and click.state is JobState.DONE and not heavy.state.final
    engine.cancel(heavy.id)
    assert heavy.wait(10)


def test_a_still_is_sent_once_per_worker(engine: Engine) -> None:
    still = make_still(7)
    for _ in range(2):
        job = engine.submit("echo", lambda run: run.call(Do("echo", still=still)))
        assert job.wait(60)
        np.testing.assert_array_equal(job.result.arrays["still"], still.pixels)
    others = [make_still(value) for value in (8, 9)]  # a worker keeps two: the first is forgotten by both ends
    for other in (*others, still):
        job = engine.submit("echo", lambda run, s=other: run.call(Do("echo", still=s)))
        assert job.wait(60), job.error
        np.testing.assert_array_equal(job.result.arrays["still"], other.pixels)


def test_events_are_coalesced(make_engine: MakeEngine) -> None:
    events: list[Event] = []
    engine = make_engine(on_event=events.append)
    job = ask(engine, "flood")
    assert job.state is JobState.DONE
    assert len(events) < 1000
    fractions = [event.fraction for event in events]
    assert fractions == sorted(fractions)


def test_a_pipelines_own_mistake_is_a_bug_with_a_traceback(engine: Engine) -> None:
    job = engine.submit("broken", lambda run: 1 / 0)
    assert job.wait(10) and isinstance(job.error, Bug) and "ZeroDivisionError" in job.error.evidence


def test_a_listener_that_fails_stops_no_lane(make_engine: MakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("a face's mistake")

    engine = make_engine(on_event=fail)
    assert ask(engine).state is JobState.DONE and ask(engine).state is JobState.DONE
    assert "a face's mistake" in capsys.readouterr().err


def test_what_was_finished_is_not_called_cancelled(engine: Engine) -> None:
    """A cancel that comes after the last check comes too late."""

    def work(run: Run) -> str:
        engine.cancel(job_id[0])
        return "written"

    gate, job_id = threading.Event(), [""]
    engine.submit("wait", lambda run: gate.wait(10))
    job = engine.submit("write", work)
    job_id[0] = job.id
    gate.set()
    assert job.wait(10) and job.state is JobState.DONE and job.result == "written"


def test_idle_babble_is_cut_off(make_engine: MakeEngine) -> None:
    engine = make_engine(silence_seconds=30.0)
    job = engine.submit("babble", lambda run: run.call(Do("babble")))
    pause = threading.Event()
    pause.wait(1.0)
    engine.cancel(job.id)
    assert job.wait(20) and ask(engine).state is JobState.DONE


@pytest.mark.parametrize("junk", [b"this is no database" * 100, b""])
def test_a_damaged_queue_is_set_aside(tmp_path: Path, junk: bytes) -> None:
    base = tmp_path / "queue.sqlite"
    base.write_bytes(junk)
    journal = Journal(base)
    journal.add(Job("convert", lambda run: None, "heavy", "", Record("convert", "{}", "a.s3d")))
    assert journal.expect_seconds("convert") is None
    journal.close()
    assert (tmp_path / "queue.sqlite.damaged").exists() == bool(junk)


def test_a_record_that_cannot_be_kept_costs_no_job(make_engine: MakeEngine, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "queue.sqlite")
    journal.close()  # every statement fails from now on
    engine = make_engine(journal=journal)
    job = engine.submit("echo", lambda run: "done", record=Record("convert", "{}", "a.s3d"))
    assert job.wait(10) and job.result == "done"


def test_closing_ends_every_worker(make_engine: MakeEngine) -> None:
    engine = make_engine()
    pid = ask(engine).result.values["pid"]
    job = engine.submit("stall", lambda run: run.call(Do("stall")))
    engine.close()
    assert job.wait(10) and job.state is JobState.CANCELLED
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_another_python_serves_as_worker(make_engine: MakeEngine, tmp_path: Path) -> None:
    """Any interpreter with numpy can be a worker: here one whose environment lacks the app."""
    link = tmp_path / "python"
    link.symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    probe = subprocess.run([link, "-I", "-c", "import numpy"], capture_output=True)
    if probe.returncode:
        pytest.skip("the base interpreter has no numpy")
    engine = make_engine(worker_python=str(link))
    assert ask(engine).state is JobState.DONE


@pytest.mark.parametrize(
    ("file", "ours", "theirs", "told"),
    [
        ("frames.py", "PROTOCOL = 1", "PROTOCOL = 2", "speaks version 2 of the wire, and this app speaks 1"),
        ("boot.py", '"protocol": self.frames.PROTOCOL, ', "", "speaks version None"),
        ("boot.py", 'self.send("hello"', '(lambda *_: None)("hello"', "speaks version None"),
    ],
)
def test_a_worker_of_another_protocol_is_refused_in_words(
    make_engine: MakeEngine, tmp_path: Path, file: str, ours: str, theirs: str, told: str
) -> None:
    shutil.copytree(BOOT.parent, tmp_path / "worker")
    changed = (tmp_path / "worker" / file).read_text()
    assert ours in changed
    (tmp_path / "worker" / file).write_text(changed.replace(ours, theirs))
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\nshift 3\nexec "{sys.executable}" -I -u "{tmp_path}/worker/boot.py" "$@"\n')
    script.chmod(0o755)
    job = ask(make_engine(worker_python=str(script)))
    assert job.state is JobState.CRASHED and told in str(job.error) and "Install" in str(job.error)


def test_a_worker_imports_nothing_from_the_folder_it_is_started_in(tmp_path: Path) -> None:
    for name in ("queue", "json", "numpy", "struct"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the current folder')")
    process = subprocess.run(
        [sys.executable, "-I", "-u", str(BOOT)],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert process.returncode == 0 and b"hello" in process.stdout and not process.stderr


def test_the_queue_on_disk_tells_what_a_crash_has_lost(tmp_path: Path) -> None:
    """A process that dies with a job running leaves it for the next one to find."""
    base = tmp_path / "queue.sqlite"
    code = (
        "import os, sys; from pathlib import Path\n"
        "from stillto3d.engine.jobs import Job, Record\nfrom stillto3d.engine.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "journal.add(Job('convert', lambda run: None, 'heavy', '', Record('convert', '{}', 'a.s3d')))\n"
        "journal.add(Job('convert', lambda run: None, 'heavy', '', Record('convert', '{}', '')))\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(base)], timeout=60)
    journal = Journal(base)
    try:
        (lost,) = journal.list_lost()
        assert lost.record == Record("convert", "{}", "a.s3d")
        mine = Job("prop", lambda run: None, "heavy", "", Record("prop", "{}", "b.s3d"))
        journal.add(mine)
        assert [job.id for job in journal.list_lost()] == [lost.id]  # this process is alive
        journal.forget(lost.id)
        assert not journal.list_lost()
        mine.seconds = 4.0
        mine.state = JobState.DONE
        journal.note(mine)
        assert journal.expect_seconds("prop") == 4.0 and journal.expect_seconds("convert") is None
        unsaved = Job("prop", lambda run: None, "heavy", "", Record("prop", "{}", ""))
        journal.add(unsaved)
        unsaved.seconds, unsaved.state = 8.0, JobState.DONE
        journal.note(unsaved)
        assert journal.expect_seconds("prop") == 6.0  # a project without a file teaches, too
    finally:
        journal.close()
