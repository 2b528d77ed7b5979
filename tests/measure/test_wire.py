"""The echo and the raw pipe bring back what was sent; memory is the sum of a family."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from measure.memory import PeakSampler, read_pss, sum_pss
from measure.wire import compare_wire, time_empty_calls, time_rounds


def test_both_echoes_answer_every_round():
    picture = np.arange(300 * 1000 * 3, dtype=np.uint32).astype(np.uint8).reshape(300, 1000, 3)
    ours, raw = compare_wire(picture, 3)
    assert len(ours) == len(raw) == 3 and min(ours + raw) > 0


def test_empty_calls_are_counted_one_by_one():
    calls, jobs = time_empty_calls(4)
    assert len(calls) == len(jobs) == 4


def test_works_take_turns():
    order = []
    time_rounds(2, lambda: order.append("a"), lambda: order.append("b"))
    assert order == ["a", "b"] * 3


def test_memory_counts_children_and_forgets_the_dead():
    code = "import sys; block = b'x' * 60_000_000; print('held', flush=True); sys.stdin.read()"
    nest = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    with subprocess.Popen([sys.executable, "-c", nest], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"held\n"
        family, alone = sum_pss(parent.pid), read_pss(parent.pid)
        parent.stdin.close()
        parent.wait()
    assert family > 60e6 > alone > 0
    assert sum_pss(parent.pid) == 0


def test_the_sampler_keeps_the_peak():
    code = "import sys; block = b'x' * 60_000_000; print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with PeakSampler(process.pid) as sampler:
            while not sampler.peak:
                pass
        process.stdin.close()
    assert sampler.peak > 60e6
