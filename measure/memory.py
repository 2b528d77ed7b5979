"""The memory of a process and all that it started: the sum of their proportional set sizes, sampled."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil

INTERVAL = 0.05  # seconds between samples


def read_pss(pid: int) -> int:
    """Proportional set size in bytes; 0 for a process that is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("Pss:"))


def sum_pss(pid: int) -> int:
    """Bytes of a process and its descendants together."""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(read_pss(member.pid) for member in family)


class PeakSampler:
    """Watches a process until the block is left; `peak` is the most bytes that were seen."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak-sampler", daemon=True)

    def __enter__(self) -> PeakSampler:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(INTERVAL):
            self.peak = max(self.peak, sum_pss(self._pid))
