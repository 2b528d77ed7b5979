"""A set of files that appears whole or not at all: staged, checked, moved in by a journal."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Any

from ..engine.run import Run
from ..errors import BadInput, CannotAccess, word_os_error
from ..words import tr
from .atomic import lock_file, sync_file, sync_folder
from .strict_json import read_json

REPORT = "report.json"
_JOURNAL, _NEW, _OLD, _LOCK = "journal.json", "new", "old", "lock"
_NAMED = 3  # files that a sentence names; of more it tells the number

Entry = dict[str, Any]
"""A file of a set: path (relative, with "/"), size, sha256; in a journal also whether it `replaces` another."""


@dataclass(frozen=True)
class Staging:
    """A set being made: write its files under `folder`, then `commit`.

    The staged folder lies beside the target (inside it where it is a disk of its own), so moving in is
    renaming. Until the journal is on the disk nothing of the target has changed; from then on a crash is
    rolled forward by `recover`.
    """

    out: Path
    home: Path

    @property
    def folder(self) -> Path:
        """Where the new files are written."""
        return self.home / _NEW

    def commit(self, run: Run, report: Mapping[str, Any]) -> dict[str, Any]:
        """Move the set in, with `report.json` last; answers the report with its `files` and `removed`.

        `files` lists path, size and sha256 of every other file. What the earlier set of that folder listed and
        this one has not is removed with the same move, and named in `removed`; what a person has changed or
        added stays and is told among the report's `warnings`. Raises CannotAccess, Cancelled; the target is then
        as it was.
        """
        try:
            files = _list_files(run, self.folder)
            stale, strange = _find_stale(run, self.out, [*(entry["path"] for entry in files), REPORT])
            whole = {**report, "removed": [entry["path"] for entry in stale], "files": files}
            if strange:
                whole["warnings"] = [*report.get("warnings", ()), _word_strange(strange)]
            text = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
            _write_synced(self.folder / REPORT, text)
            run.check()
            if not self.out.exists():
                _sync_tree(self.folder)
                self.folder.rename(self.out)
                sync_folder(self.out.parent)
            else:
                moves = [*files, _describe_file(self.folder, self.folder / REPORT)]
                moves = [{**move, "replaces": (self.out / move["path"]).exists()} for move in moves]
                self._move_in(moves, stale)
        except OSError as error:
            raise word_os_error(error, error.filename or self.out) from error
        return whole

    def commit_beside(self, run: Run) -> list[str]:
        """Move the files in among whatever else lies in the folder: no report, nothing is removed.

        Answers their paths. Raises CannotAccess, Cancelled; the folder is then as it was.
        """
        try:
            files = _list_files(run, self.folder)
            for file in files:  # not every library that wrote one has synced it
                sync_file(self.folder / file["path"])
            run.check()
            self.out.mkdir(exist_ok=True)
            self._move_in([{**file, "replaces": (self.out / file["path"]).exists()} for file in files], [])
        except OSError as error:
            raise word_os_error(error, error.filename or self.out) from error
        return [file["path"] for file in files]

    def _move_in(self, moves: list[Entry], stale: list[Entry]) -> None:
        _refuse_links(self.out, moves)
        for move in moves:
            _refuse_obstacles(self.out, PurePosixPath(move["path"]))
        _sync_tree(self.folder)
        journal = self.home / _JOURNAL
        _write_synced(journal, json.dumps({"version": 1, "moves": moves, "stale": stale}).encode("ascii"))
        sync_folder(self.home)
        try:
            _roll_forward(self.out, self.home, moves, stale)
        except BaseException:
            _roll_back(self.out, self.home, moves, stale)
            journal.unlink()
            raise
        journal.unlink()


@contextmanager
def stage_set(out: Path) -> Iterator[Staging]:
    """A staging area for the set that `out` is to hold; what an earlier command left is recovered first.

    Leaving the block removes the area, however it is left. Raises CannotAccess, BadInput.
    """
    try:
        recover(out)
        final = _resolve(out)
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.exists() and not final.is_dir():
            raise FileExistsError(17, os.strerror(17))
        home = _choose_home(final) / f"{_name_prefix(final)}{secrets.token_hex(4)}"
        home.mkdir()
        try:
            with (home / _LOCK).open("wb") as lock:
                lock_file(lock.fileno())
                (home / _NEW).mkdir()
                yield Staging(final, home)
        finally:
            if not (home / _JOURNAL).exists():  # else only `recover` may judge
                shutil.rmtree(home, ignore_errors=True)
    except OSError as error:
        raise word_os_error(error, out) from error


def recover(out: Path) -> None:
    """Finish or undo what a killed command has left of the set `out`. To be called before touching it.

    Forward when everything that was to be moved is still whole, else back to the old files.
    """
    try:
        final = _resolve(out)
        for home in _find_left(final):
            with (home / _LOCK).open("ab") as lock:
                if not lock_file(lock.fileno()):
                    continue  # a living command is at work
                _recover_one(final, home)
            shutil.rmtree(home, ignore_errors=True)
    except OSError as error:
        raise word_os_error(error, out) from error


def check_set(folder: Path) -> dict[str, Any]:
    """The report of a set, once every file that it lists has the size and sha256 that it says.

    Raises BadInput when the set does not match its report, CannotAccess.
    """
    try:
        report = read_json((folder / REPORT).read_bytes(), REPORT)
        files = report.get("files")
        if not isinstance(files, list):
            raise BadInput("{name} lists no files.", name=REPORT)
        for entry in files:
            path = _check_move(entry)
            if not _matches(folder / path, entry):
                message = "The set in {folder} does not match its report: {file} is missing or has changed."
                remedy = "An interrupted command is finished or undone by the next one; else make it again."
                raise BadInput(message, remedy, folder=folder.name, file=path)
    except OSError as error:
        raise word_os_error(error, error.filename or folder) from error
    return report


# ---------------------------------------------------------------------- names

_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\ud800-\udfff\u2028-\u202e\u2066-\u2069\ufeff]')
_NAME_BYTES = 120


def name_file(name: str) -> str:
    """A layer's name as a file name without suffix, on any file system; other scripts stay as they are."""
    safe = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", name))
    if safe.startswith("."):
        safe = "_" + safe[1:]
    safe = safe.encode("utf-8")[:_NAME_BYTES].decode("utf-8", "ignore").rstrip(". ").lstrip(" ")
    if not safe:
        return "layer"
    return f"_{safe}" if _RESERVED.fullmatch(safe) else safe


def name_files(names: Iterable[str], beside: Iterable[str] = ()) -> list[str]:
    """`name_file` of each, distinct from `beside` and each other, also where upper and lower case are one."""
    taken = {_fold(name) for name in beside}
    numbers: dict[str, int] = {}  # a thousand layers of one name need no half million tries
    result = []
    for name in names:
        safe = name_file(name)
        chosen, k = safe, numbers.get(safe, 1)
        while _fold(chosen) in taken:
            k += 1
            chosen = f"{safe}_{k:02d}"
        taken.add(_fold(chosen))
        numbers[safe] = k
        result.append(chosen)
    return result


def _fold(name: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


# ---------------------------------------------------------------------- moving


def _find_stale(run: Run, out: Path, new: list[str]) -> tuple[list[Entry], list[str]]:
    """What the set that lies in `out` leaves beside the files `new`: its own untouched files, and strange ones.

    Strange is what the earlier set lists but a person has changed, another still's project, and what it does not
    list at all, looked for in the folders of both sets. Without a readable report nothing of the folder is known, so
    nothing is told.
    """
    try:
        report = read_json((out / REPORT).read_bytes(), REPORT)
        listed = [(_check_move(entry), entry) for entry in report["files"]]
    except (FileNotFoundError, NotADirectoryError, BadInput, KeyError, TypeError):
        return [], []
    stale, strange, known = [], [], {_fold(path) for path in new}
    owned = [path for path in (*new, *(path for path, _ in listed)) if _find_link(out, path) is None]
    for path, entry in listed:
        run.check()
        if path.endswith(".s3d") and path not in new:
            continue  # another still's project: a person's work, told of with what is strange
        if path not in new and path in owned and _matches(out / path, entry):
            stale.append({"path": path, "size": entry["size"], "sha256": entry["sha256"]})
            known.add(_fold(path))
    for folder in {(out / path).parent for path in owned}:
        if folder.is_dir():
            there = (path for path in folder.iterdir() if not path.is_dir() and not path.name.startswith("."))
            names = (path.relative_to(out).as_posix() for path in there)
            strange += [name for name in names if _fold(name) not in known]
    return stale, sorted(strange)


def name_some(names: list[str]) -> str:
    """The first few of these names, for a sentence."""
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")


def _word_strange(strange: list[str]) -> str:
    names = name_some(strange)
    return tr("Left alone in the folder, as not of this set: {n} ({names}).", n=len(strange), names=names)


def _roll_forward(out: Path, home: Path, moves: list[Entry], stale: list[Entry]) -> None:
    """Take the stale files out and every staged file in, keeping what it replaces; what has moved already stays."""
    for entry in stale:  # first: where upper and lower case are one, a new file may take the name
        target, kept = out / entry["path"], home / _OLD / entry["path"]
        if not kept.exists() and _matches(target, entry):
            kept.parent.mkdir(parents=True, exist_ok=True)
            target.rename(kept)
    for move in moves:
        staged, target, kept = home / _NEW / move["path"], out / move["path"], home / _OLD / move["path"]
        if not staged.exists():
            continue
        if target.exists() and not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            target.rename(kept)
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(target)
    _remove_empty(out, stale)
    for folder in {out, *((out / move["path"]).parent for move in moves)}:
        if folder.exists():  # no set has come to be where nothing was moved
            sync_folder(folder)


def _roll_back(out: Path, home: Path, moves: list[Entry], stale: list[Entry]) -> None:
    """Put every replaced or stale file back and take away what was not there before."""
    for move in reversed(moves):
        staged, target, kept = home / _NEW / move["path"], out / move["path"], home / _OLD / move["path"]
        if kept.exists():
            kept.replace(target)
        elif not move["replaces"] and not staged.exists() and _matches(target, move):
            target.unlink()
    for entry in stale:
        target, kept = out / entry["path"], home / _OLD / entry["path"]
        if kept.exists() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            kept.rename(target)
    _remove_empty(out, moves)


def _remove_empty(out: Path, entries: list[Entry]) -> None:
    """Take away the folders of these files that hold nothing any more."""
    for folder in {(out / entry["path"]).parent for entry in entries} - {out}:
        with suppress(OSError):  # a folder that is in use stays
            folder.rmdir()


def _recover_one(out: Path, home: Path) -> None:
    """Judge one left area, whose lock is held; without its journal it is mere rubbish."""
    journal = home / _JOURNAL
    try:
        told = read_json(journal.read_bytes(), _JOURNAL)
        moves = [{**move, "path": _check_move(move), "replaces": bool(move["replaces"])} for move in told["moves"]]
        stale = [{**entry, "path": _check_move(entry)} for entry in told.get("stale", ())]
    except (FileNotFoundError, BadInput, KeyError, TypeError):
        moves, stale = [], []  # the journal never reached the disk whole: nothing was moved
    _refuse_links(out, [*moves, *stale])
    if all(_matches(home / _NEW / move["path"], move) or _matches(out / move["path"], move) for move in moves):
        _roll_forward(out, home, moves, stale)
    else:
        _roll_back(out, home, moves, stale)
    journal.unlink(missing_ok=True)


def _check_move(entry: Any) -> str:
    """The relative path of an entry of a journal or report. Raises BadInput for one that leads elsewhere."""
    path = entry.get("path") if isinstance(entry, dict) else None
    if not isinstance(path, str) or not isinstance(entry.get("size"), int):
        raise BadInput("A list of files is damaged.")
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        raise BadInput("A list of files names {path}, which lies outside its folder.", path=path[:200])
    if os.name == "nt" and ":" in path:
        raise BadInput("A list of files names {path}, which lies outside its folder.", path=path[:200])
    return path


def _find_link(out: Path, path: str) -> Path | None:
    """The folder of `path` within `out` that is a link, if one is."""
    folders = [out / parent for parent in list(PurePosixPath(path).parents)[:-1]]
    is_junction = getattr(os.path, "isjunction", lambda folder: False)  # Windows, from Python 3.12 on
    return next((folder for folder in folders if folder.is_symlink() or is_junction(folder)), None)


def _refuse_links(out: Path, entries: list[Entry]) -> None:
    """A set lies in its own folder: raise CannotAccess where a link would lead its files out of it."""
    for entry in entries:
        link = _find_link(out, entry["path"])
        if link is not None:
            message = "{path} is a link to another folder, and a set stays in its own: nothing was changed."
            remedy = "Put a folder in its place, or choose another --out."
            raise CannotAccess(message, remedy, path=link)


def _refuse_obstacles(out: Path, path: PurePosixPath) -> None:
    """Raise what a rename would raise later, before anything has moved."""
    target = out / path
    if target.is_dir() and not target.is_symlink():
        raise IsADirectoryError(21, os.strerror(21), str(target))
    for folder in [out, *(out / parent for parent in path.parents)]:
        if folder.exists():
            if not folder.is_dir():
                raise NotADirectoryError(20, os.strerror(20), str(folder))
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(13, os.strerror(13), str(folder))


# ---------------------------------------------------------------------- where things lie


def _resolve(out: Path) -> Path:
    return out.resolve() if out.is_symlink() else out.absolute()


def _name_prefix(out: Path) -> str:
    return f".stillto3d-{hashlib.sha256(os.fsencode(out.name)).hexdigest()[:12]}-"


def _choose_home(out: Path) -> Path:
    """Beside the target; inside where that is another disk or not ours to write."""
    if not out.exists():
        return out.parent
    beside = out.parent.stat().st_dev == out.stat().st_dev and os.access(out.parent, os.W_OK | os.X_OK)
    return out.parent if beside else out


def _find_left(out: Path) -> list[Path]:
    prefix = _name_prefix(out)
    folders = [folder for folder in (out.parent, out) if folder.is_dir()]
    found = [path for folder in folders for path in folder.iterdir() if path.name.startswith(prefix)]
    return [path for path in sorted(found) if path.is_dir() and not path.is_symlink()]


# ---------------------------------------------------------------------- files


def _list_files(run: Run, folder: Path) -> list[dict[str, Any]]:
    files = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / REPORT):
        run.check()
        files.append(_describe_file(folder, path))
    return files


def _describe_file(folder: Path, path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        return {"path": path.relative_to(folder).as_posix(), "size": size, "sha256": _hash(file)}


def _hash(file: BufferedReader) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()


def _matches(path: Path, entry: Mapping[str, Any]) -> bool:
    """Whether a regular file lies there with the entry's size and sha256."""
    try:
        info = path.lstat()
        if not stat.S_ISREG(info.st_mode) or info.st_size != entry["size"]:
            return False
        with path.open("rb") as file:
            return _hash(file) == entry.get("sha256")
    except (FileNotFoundError, NotADirectoryError):
        return False


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_tree(folder: Path) -> None:
    for path in [folder, *(p for p in folder.rglob("*") if p.is_dir())]:
        sync_folder(path)
