"""What a call costs: frames against a raw pipe, and an empty call through the engine."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from stillto3d.engine.engine import Engine
from stillto3d.engine.process import PIPE_BYTES, WorkerProcess
from stillto3d.engine.run import Run
from stillto3d.models.catalog import Catalog, Store
from stillto3d.models.roles import Arrays, Params, Reply
from stillto3d.settings import Settings
from stillto3d.worker.frames import PROTOCOL

from .truth import U8

ADAPTER = Path(__file__).with_name("echo_adapter.py")
PATIENCE = 60.0

RAW_ECHO = """
import os, sys
size = int(sys.argv[1])
held = memoryview(bytearray(size))
while True:
    got = 0
    while got < size:
        n = os.readv(0, [held[got:]])
        if n == 0:
            sys.exit()
        got += n
    put = 0
    while put < size:
        put += os.write(1, held[put:put + (1 << 20)])
"""


def time_rounds(rounds: int, *works: Callable[[], Any], rest: float = 0.0) -> list[list[float]]:
    """Seconds of every work, taken in turn so that a busy moment of the machine hits them all alike.

    `rest` seconds pass before each, for threads of the one before that still spin.
    """
    seconds: list[list[float]] = [[] for _ in works]
    for work in works:
        work()
    for _ in range(rounds):
        for k, work in enumerate(works):
            time.sleep(rest)
            started = time.perf_counter()
            work()
            seconds[k].append(time.perf_counter() - started)
    return seconds


@contextmanager
def open_raw_echo(size: int) -> Iterator[Callable[[U8], None]]:
    """A function that sends `size` bytes through a plain process and back."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", RAW_ECHO, str(size)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    )
    assert process.stdin is not None and process.stdout is not None
    into, out = process.stdin.fileno(), process.stdout.fileno()
    _widen(into, out)

    def send(array: U8) -> None:
        source, target = array.data.cast("B"), np.empty(size, dtype=np.uint8).data
        put = got = 0
        while put < size:
            put += os.write(into, source[put : put + PIPE_BYTES])
        while got < size:
            got += os.readv(out, [target[got:]])

    try:
        yield send
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def _widen(*pipes: int) -> None:
    try:
        import fcntl

        for pipe in pipes:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except (ImportError, AttributeError, OSError):
        return


@contextmanager
def open_worker_echo() -> Iterator[Callable[[U8], None]]:
    """A function that sends an array through a worker of the engine and back, as frames."""
    with tempfile.TemporaryDirectory() as folder:
        process = WorkerProcess(sys.executable, Path(folder))
        try:
            fields = {"job": "load", "adapter": str(ADAPTER), "device": "cpu", "protocol": PROTOCOL}
            process.send("load", {**fields, "weights": None})
            _await(process, "loaded")

            def send(array: U8) -> None:
                process.send("call", {"job": "echo", "op": "echo", "params": {}}, {"pixels": array})
                _await(process, "result")

            yield send
        finally:
            process.end()


def _await(process: WorkerProcess, kind: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        frame = process.receive(deadline - time.monotonic())
        if frame is not None and frame.kind == kind:
            return
        if frame is not None and frame.kind == "error":
            raise RuntimeError(str(frame.fields))
    raise TimeoutError(f"no {kind} from the worker")


def compare_wire(picture: U8, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of a round trip of the picture through a worker, and through a raw pipe."""
    with open_worker_echo() as framed, open_raw_echo(picture.nbytes) as raw:
        ours, theirs = time_rounds(rounds, lambda: framed(picture), lambda: raw(picture))
    return ours, theirs


# --------------------------------------------------------------------------- the engine's own cost


@dataclass(frozen=True)
class AskNothing:
    """A call without work."""

    role: ClassVar[str] = "codec"
    op: ClassVar[str] = "echo"
    still: ClassVar[None] = None

    def arrays(self) -> Arrays:
        """Nothing travels."""
        return {}

    def params(self) -> Params:
        """Nothing is asked."""
        return {}

    def read(self, reply: Reply) -> None:
        """Nothing comes back."""


CARD = """
id = "echo"
role = "codec"
title = "Echo"
version = "1"
adapter = {adapter}

[licence]
code = "Apache-2.0"
commercial = "yes"
"""


@contextmanager
def open_echo_engine() -> Iterator[Engine]:
    """An engine whose only model is the echo."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        quoted = '"' + str(ADAPTER).replace("\\", "\\\\") + '"'
        (path / "echo.toml").write_text(CARD.format(adapter=quoted), encoding="utf-8")
        engine = Engine(Catalog(path), Store(path), Settings())
        thread = threading.Thread(target=engine.serve, args=("heavy",), daemon=True)
        thread.start()
        try:
            yield engine
        finally:
            engine.close()
            thread.join()


def time_empty_calls(rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of empty calls within one job, and of empty jobs of one call each, all warm."""

    def call(run: Run) -> list[float]:
        return time_rounds(rounds, lambda: run.call(AskNothing()))[0]

    with open_echo_engine() as engine:
        job = engine.submit("calls", call)
        job.wait()
        if job.error is not None:
            raise job.error
        jobs = time_rounds(rounds, lambda: engine.submit("call", lambda run: run.call(AskNothing())).wait())[0]
        return job.result, jobs
