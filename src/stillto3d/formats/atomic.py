"""Write beside, check, replace: a target holds its old bytes or all of its new ones, whatever happens."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import word_os_error

if sys.platform != "win32":
    import fcntl


@contextmanager
def replace_file(target: Path, check: Callable[[Path], object]) -> Iterator[BinaryIO]:
    """An open file that takes the place of `target` when the block ends well and `check` does not raise.

    The bytes go to `<name>.<random>.part` in the target's folder; they are synced, read back by `check`
    (the format's own structural reader), renamed over the target, and the folder is synced. Any failure,
    an interrupt included, removes the part and leaves the old file as it was. Raises CannotAccess for the
    operating system's refusals, and whatever the block or `check` raises.
    """
    try:
        final = _find_final(target)
        sweep_parts(final)
        with _open_part(final) as (part, file):
            yield file
            file.flush()
            os.fsync(file.fileno())
            check(part)
            part.replace(final)
            sync_folder(final.parent)
    except OSError as error:
        raise word_os_error(error, target) from error


def sweep_parts(target: Path) -> None:
    """Remove the parts that killed writers of `target` have left; parts of living writers stay."""
    ours = re.compile(re.escape(_name_prefix(target)) + r"[0-9a-f]{8}\.part")
    for entry in os.scandir(target.parent):
        if ours.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
            with suppress(OSError), Path(entry.path).open("rb") as file:
                if lock_file(file.fileno()):
                    Path(entry.path).unlink()


def lock_file(fd: int) -> bool:
    """Take the lock of an open file or folder without waiting; False when a living process holds it.

    The lock ends with its process, so what can be locked was left behind. Where there are no such locks
    (Windows) an open file cannot be removed, which serves as well.
    """
    if sys.platform != "win32":
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in (errno.EAGAIN, errno.EACCES)
    return True


def sync_file(path: Path) -> None:
    """Make what a file holds survive a power cut."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut, where the system can."""
    if sys.platform == "win32":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _find_final(target: Path) -> Path:
    """Where the bytes end up: behind a link, so that the link stays. Refuses folders and devices."""
    final = target.resolve() if target.is_symlink() else target
    try:
        mode = final.stat().st_mode
    except FileNotFoundError:
        return final
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return final


@contextmanager
def _open_part(final: Path) -> Iterator[tuple[Path, BinaryIO]]:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    part = final.with_name(f"{_name_prefix(final)}{secrets.token_hex(4)}.part")
    fd = os.open(part, flags, 0o666)
    try:
        with open(fd, "w+b") as file:  # noqa: PTH123 - a descriptor, not a path
            lock_file(file.fileno())
            with suppress(OSError):  # a file system without modes
                _copy_mode(final, part)
            yield part, file
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def _copy_mode(final: Path, part: Path) -> None:
    if final.exists():
        part.chmod(stat.S_IMODE(final.stat().st_mode))


def _name_prefix(target: Path) -> str:
    """What the names of the target's parts begin with; short enough for any file system."""
    name = target.name
    if len(os.fsencode(name)) <= 200:
        return f"{name}."
    return f"{name[:40]}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:12]}."
