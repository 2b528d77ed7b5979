"""An adapter that can do everything a model should not: crash, stall, lie, chatter, eat memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import sys
import time

import numpy as np


def load(weights, device):
    if weights is not None and (weights / "crash_on_load").exists():
        os._exit(9)
    ops = (
        echo,
        surroundings,
        count,
        stall,
        crash,
        fork_and_die,
        babble,
        segfault,
        chatter,
        flood,
        lie_shape,
        lie_nan,
        garbage,
        half_answer,
        hungry,
        oom,
        fussy,
        hold,
        die_in_step,
    )
    return {op.__name__: op for op in ops}


def echo(arrays, params, tick):
    return {**arrays, "params": params, "pid": os.getpid(), "modules": sorted(sys.modules)[:0]}


def surroundings(arrays, params, tick):
    """What the worker was started with."""
    return {"environment": dict(os.environ)}


def count(arrays, params, tick):
    """Ticks for a long while, so that it can be cancelled between two steps."""
    for i in range(100_000):
        tick(i, 100_000)
        time.sleep(0.001)
    return {}


def stall(arrays, params, tick):
    time.sleep(3600)


def crash(arrays, params, tick):
    print("last words", file=sys.stderr, flush=True)
    os._exit(3)


def fork_and_die(arrays, params, tick):
    """Leave a child behind that holds every pipe."""
    import subprocess

    subprocess.Popen(["sleep", "60"], close_fds=False)
    os._exit(3)


def babble(arrays, params, tick):
    """Previews without end, that nobody asked for."""
    while True:
        tick.preview({"n": 1})


def segfault(arrays, params, tick):
    ctypes.string_at(0)


def chatter(arrays, params, tick):
    for _ in range(2000):
        print("x" * 500)
        print("y" * 500, file=sys.stderr)
    return {"quiet": False}


def flood(arrays, params, tick):
    for i in range(50_000):
        tick(i, 50_000)
    return {"flooded": True}


def lie_shape(arrays, params, tick):
    return {"depth": np.ones((3, 4, 5), dtype=np.float32)}


def lie_nan(arrays, params, tick):
    return {"depth": np.full((4, 5), np.nan, dtype=np.float32)}


def garbage(arrays, params, tick):
    """Write what is not a frame to every pipe that might be the wire."""
    for fd in range(3, 12):
        with contextlib.suppress(OSError):
            os.write(fd, b"this is not a frame" * 100)
    time.sleep(3600)


def half_answer(arrays, params, tick):
    """Announce an answer and die in its middle."""
    for fd in range(3, 12):
        with contextlib.suppress(OSError):
            os.write(fd, b'S3W1\xff\x00\x00\x00{"kind":')
    os._exit(0)


def hungry(arrays, params, tick):
    """More memory than a worker may have."""
    return {"a": np.ones(1 << 40, dtype=np.uint8)}


def fussy(arrays, params, tick):
    """Out of memory unless it is asked for little."""
    if params["options"]["size"] > 10:
        raise MemoryError("CUDA out of memory")
    return {"size": params["options"]["size"], "pid": os.getpid()}


def hold(arrays, params, tick):
    """Tell of video memory as PyTorch would."""
    import types

    cuda = types.SimpleNamespace(is_initialized=lambda: True, max_memory_reserved=lambda: params["bytes"])
    sys.modules["torch"] = types.SimpleNamespace(cuda=cuda)
    return {"pid": os.getpid()}


def die_in_step(arrays, params, tick):
    """End between two steps, once: a file in `marks` remembers it."""
    tick(1, 3)
    mark = pathlib.Path(params["marks"], "died")
    if not mark.exists():
        mark.touch()
        os._exit(4)
    tick(2, 3)
    return {"pid": os.getpid()}


def oom(arrays, params, tick):
    raise MemoryError("CUDA out of memory")
