"""Files: one table of formats; reading, writing and describing whatever lies at a path."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.run import Run
from ..errors import BadInput, CannotAccess, word_os_error
from ..project.project import Project
from . import inspection
from .glb import write_glb
from .options import AS_THEY_ARE, WriteOptions
from .picture import read_still_project
from .ply import write_ply
from .s3d import read_s3d, write_s3d
from .staging import REPORT, check_set, recover


@dataclass(frozen=True)
class Format:
    """One row of the table; what a format cannot do is None. `write` answers what a person should know."""

    title: str
    read: Callable[[Run, Path], Project] | None
    write: Callable[[Run, Project, Path, WriteOptions], list[str]] | None


FORMATS: dict[str, Format] = {
    ".s3d": Format("stillto3d project", read_s3d, write_s3d),
    ".glb": Format("glTF binary", None, write_glb),
    ".ply": Format("PLY points", None, write_ply),
}
"""By suffix, in lower case. Whatever is not listed is read as a still, which its content decides."""


def read(run: Run, path: Path) -> Project:
    """The project that a file holds, or a project of the still that it is.

    Raises BadInput, CannotAccess, Cancelled.
    """
    _tidy(path.parent)
    known = FORMATS.get(path.suffix.lower())
    if known is None:
        return read_still_project(run, path)
    if known.read is None:
        message = "{name} is written by stillto3d and cannot be opened as a project."
        raise BadInput(message, "Open the .s3d project or the still.", name=path.name)
    return known.read(run, path)


def write(run: Run, project: Project, path: Path, options: WriteOptions = AS_THEY_ARE) -> list[str]:
    """Write the project in the format that the suffix names, replacing an old file only by a whole one.

    Answers sentences that a person should read. Raises BadInput, CannotAccess, Cancelled.
    """
    known = FORMATS.get(path.suffix.lower())
    if known is None or known.write is None:
        formats = " ".join(suffix for suffix, row in FORMATS.items() if row.write is not None)
        message = "{name} has no suffix that stillto3d writes; it writes {formats}."
        raise BadInput(message, "Choose one of them.", name=path.name, formats=formats)
    return known.write(run, project, path, options)


def inspect(run: Run, path: Path) -> dict[str, Any]:
    """What a still, project, GLB, PLY or finished set holds, ready for JSON; `kind` says which it is.

    A file is known by its content. Raises BadInput for damage and for a set that does not match its report,
    CannotAccess.
    """
    try:
        _tidy(path if path.is_dir() else path.parent)
        if path.is_dir():
            if not (path / REPORT).exists():
                message = "{name} is a folder without a report.json."
                raise BadInput(message, "Name a file, or a folder that convert wrote.", name=path.name)
            return {"kind": "set", **check_set(path)}
        kind = inspection.recognise(path)
        return {"kind": kind, **inspection.DESCRIBE[kind](run, path)}
    except OSError as error:
        raise word_os_error(error, path) from error


def _tidy(folder: Path) -> None:
    """Finish or undo what a killed command has left of the set that a file belongs to."""
    with suppress(CannotAccess):  # then there is nothing of ours to mend
        recover(folder)
