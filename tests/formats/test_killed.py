"""SIGKILL at any line of a save or of a set's move-in: what was there before, or all of what is new."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import die_at_line

from stillto3d.engine.run import Run
from stillto3d.formats.s3d import read_s3d
from stillto3d.formats.staging import REPORT, check_set, recover

FEW, MANY = 10, 300


def run_child(action: str, target: Path, fatal: int) -> int:
    """Lines counted by a run to the end (fatal = 0), or 0 for a child that was killed as asked."""
    command = [sys.executable, die_at_line.__file__, action, str(target), str(fatal)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if fatal:
        assert child.returncode == -signal.SIGKILL, child.stderr
        return 0
    assert child.returncode == 0, child.stderr
    return int(child.stdout)


def spread(lines: int, count: int) -> list[int]:
    """`count` line numbers over the whole way, both ends included."""
    return [1 + round(k * (lines - 1) / (count - 1)) for k in range(count)]


def kill_saves(folder: Path, count: int) -> None:
    target = folder / "kitchen.s3d"
    die_at_line.save(target, "old")
    lines = run_child("save", folder / "other.s3d", 0)
    for fatal in spread(lines, count):
        run_child("save", target, fatal)
        name = read_s3d(Run.nothing(), target).hero.still.name
        assert name in ("old", "new"), fatal
        die_at_line.save(target, "old")
        assert sorted(p.name for p in folder.iterdir()) == ["kitchen.s3d", "other.s3d"], fatal


def kill_commits(folder: Path, count: int, *, replacing: bool) -> None:
    before, out = folder / "before", folder / "out"
    die_at_line.commit(before, "old")
    trial = folder / "trial"
    if replacing:
        shutil.copytree(before, trial)
    lines = run_child("commit", trial, 0)
    labels = set()
    for fatal in spread(lines, count):
        if replacing:
            shutil.copytree(before, out)
        run_child("commit", out, fatal)
        recover(out)
        assert sorted(p.name for p in folder.iterdir() if p != out) == ["before", "trial"], fatal
        if out.exists():
            labels.add(check_whole(out))
            assert not any(p.name.startswith(".") for p in out.rglob("*")), fatal
            shutil.rmtree(out)
        else:
            assert not replacing, fatal
            labels.add("nothing")
    assert labels == ({"old", "new"} if replacing else {"nothing", "new"})


def check_whole(out: Path) -> str:
    """The label of the one set that lies there."""
    label = str(check_set(out)["label"])
    assert {(out / name).read_text() for name in die_at_line.SET_FILES} == {label}
    other = {"old": "new", "new": "old"}[label]
    assert (out / f"only_{label}.txt").exists()
    assert not (out / f"only_{other}.txt").exists()
    assert (out / REPORT).exists()
    return label


def test_killed_save_leaves_a_project(tmp_path: Path) -> None:
    kill_saves(tmp_path, FEW)


@pytest.mark.parametrize("replacing", [True, False])
def test_killed_commit_is_recovered(tmp_path: Path, replacing: bool) -> None:
    kill_commits(tmp_path, FEW, replacing=replacing)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_saves_killed_often(tmp_path: Path) -> None:
    kill_saves(tmp_path, MANY)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("replacing", [True, False])
def test_commits_killed_often(tmp_path: Path, replacing: bool) -> None:
    kill_commits(tmp_path, MANY, replacing=replacing)
