"""Whatever stops a write, the old file is whole, nothing is left beside it, and a sentence says why."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillto3d.errors import BadInput, CannotAccess
from stillto3d.formats import atomic
from stillto3d.formats.atomic import replace_file


def accept(part: Path) -> None:
    """A check that finds nothing wrong."""


def write(target: Path, data: bytes = b"new") -> None:
    with replace_file(target, accept) as file:
        file.write(data)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file that a write is to replace."""
    path = tmp_path / "kitchen.glb"
    path.write_bytes(b"old")
    return path


def assert_untouched(old: Path) -> None:
    assert old.read_bytes() == b"old" and list(old.parent.iterdir()) == [old]


def test_a_write_replaces_and_keeps_the_mode(old: Path) -> None:
    old.chmod(0o640)
    write(old)
    assert old.read_bytes() == b"new" and old.stat().st_mode & 0o777 == 0o640
    assert list(old.parent.iterdir()) == [old]


def test_a_link_stays_a_link(old: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(old.name)
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and old.read_bytes() == b"new"


@pytest.mark.parametrize("failure", [BadInput("no"), KeyboardInterrupt(), MemoryError(), ValueError("x")])
def test_a_failing_check_or_body_leaves_the_old_file(old: Path, failure: BaseException) -> None:
    def refuse(part: Path) -> None:
        assert part.read_bytes() == b"new"
        raise failure

    with pytest.raises(type(failure)), replace_file(old, refuse) as file:
        file.write(b"new")
    assert_untouched(old)
    with pytest.raises(type(failure)), replace_file(old, accept) as file:
        file.write(b"new")
        raise failure
    assert_untouched(old)


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EIO, "cannot be used"), (errno.EROFS, "read-only")],
)
def test_a_failing_disk(old: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str) -> None:
    def fail(fd: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic.os, "fsync", fail)
    with pytest.raises(CannotAccess, match=words):
        write(old)
    assert_untouched(old)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("cannot mount a small disk here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    old = small_disk / "kitchen.glb"
    old.write_bytes(b"old")
    with pytest.raises(CannotAccess, match=r"The disk is full while writing .*kitchen.glb"):
        write(old, bytes(1 << 20))
    assert_untouched(old)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(old: Path) -> None:
    old.parent.chmod(0o500)
    with pytest.raises(CannotAccess, match="no permission"):
        write(old)
    old.parent.chmod(0o700)
    assert_untouched(old)


def test_no_permission_as_the_system_says_it(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(atomic.os, "open", refuse)
    with pytest.raises(CannotAccess, match="no permission"):
        write(old)
    assert_untouched(old)


def test_targets_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for target, words in (
        (tmp_path, "is a folder"),
        (tmp_path / ("x" * 300), "too long"),
        (tmp_path / "missing" / "a.glb", "does not exist"),
        (tmp_path / "file" / "a.glb", "is not a folder"),
    ):
        with pytest.raises(CannotAccess, match=words):
            write(target)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(CannotAccess):
            write(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["x" * 251 + ".glb", "厨" * 80 + ".glb", "küche 厨房 \U0001f6cb.glb", "-rf", "a\nb"])
def test_names_up_to_the_limit(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    write(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_parts_of_the_dead_are_swept_and_those_of_the_living_stay(old: Path) -> None:
    part = f"{old.name}.0123abcd.part"
    (old.parent / part).write_bytes(b"left by a killed writer")
    (old.parent / f"{old.name}.mine.part").write_bytes(b"somebody's")
    with replace_file(old, accept) as file:
        file.write(b"first")
        living = {p.name for p in old.parent.iterdir()}
        assert part not in living and len(living) == 3
        code = "import sys; from pathlib import Path; from stillto3d.formats.atomic import sweep_parts"
        sweep = [sys.executable, "-c", f"{code}; sweep_parts(Path(sys.argv[1]))", str(old)]
        subprocess.run(sweep, check=True)
        assert {p.name for p in old.parent.iterdir()} == living
    assert {p.name for p in old.parent.iterdir()} == {old.name, f"{old.name}.mine.part"}
