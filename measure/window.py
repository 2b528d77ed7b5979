"""The window's figures: how soon it takes clicks, how long it stalls while things are made, hover and click to mask.

Each figure is taken by a process of its own (`window_probe`) on a virtual screen.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

STARTS = 7
MAKINGS = 4
POINTINGS = 25


@contextmanager
def open_screen() -> Iterator[dict[str, str]]:
    """A virtual screen and folders of its own, as the environment of a probe."""
    reader, writer = os.pipe()
    size = ["-screen", "0", "1920x1080x24", "-nolisten", "tcp"]
    screen = subprocess.Popen(["Xvfb", "-displayfd", str(writer), *size], pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as told, tempfile.TemporaryDirectory() as home:
            display = f":{told.readline().strip()}"
            own = {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "STILLTO3D_HOME": home, "STILLTO3D_LANGUAGE": "en"}
            yield os.environ | own
    finally:
        screen.terminate()
        screen.wait()


def can_show() -> bool:
    """A virtual screen can be had."""
    return shutil.which("Xvfb") is not None


def time_start(which: str, environment: dict[str, str]) -> float:
    """Seconds from the start of the process to a window that takes clicks; `which` is "product" or "bare"."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "measure.window_probe", "start", which]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        seconds = time.perf_counter() - started
        process.kill()
    if told.strip() != "ready":
        raise RuntimeError(f"the {which} window did not open")
    return seconds


def compare_starts(rounds: int = STARTS) -> tuple[list[float], list[float]]:
    """Seconds of our start and of a bare QMainWindow with one empty QtInteractor, taking turns."""
    ours, bare = [], []
    with open_screen() as environment:
        for which in ("product", "bare"):
            time_start(which, environment)
        for _ in range(rounds):
            ours.append(time_start("product", environment))
            bare.append(time_start("bare", environment))
    return ours, bare


def probe(what: str, still: Path, clicks: list[str], count: int) -> dict[str, Any]:
    """What a probe measured on a still, with clicks "x,y" on its props."""
    with open_screen() as environment:
        command = [sys.executable, "-m", "measure.window_probe", what, str(still), str(count), *clicks]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{what}: {ran.stderr}")
    answer: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return answer


def summarise_stalls(measured: dict[str, Any]) -> dict[str, float]:
    """Stalls in milliseconds: 99th percentile, the greatest, and the greatest beside one outlier a minute."""
    stalls = np.sort(np.array(measured["stalls"]) * 1e3)
    outliers = max(1, int(measured["seconds"] / 60))
    return {
        "p99": float(np.percentile(stalls, 99)),
        "max": float(stalls[-1]),
        "max_but_outliers": float(stalls[-1 - outliers]),
        "busy_p99": float(np.percentile(measured["busy"], 99)) * 1e3,
        "busy_max": float(np.max(measured["busy"])) * 1e3,
        "seconds": float(measured["seconds"]),
        "beats": len(stalls),
    }


def summarise_pointing(measured: dict[str, Any]) -> dict[str, float]:
    """Medians in seconds of hover, click and the bare decoder, which took turns."""
    return {name: statistics.median(measured[name]) for name in ("hover", "click", "bare")}
