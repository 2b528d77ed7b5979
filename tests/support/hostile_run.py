"""Read every file of a folder through the product and hold the verdicts against its EXPECT.tsv.

`python tests/support/hostile_run.py DIR`, or `make hostile FILES=DIR`: DIR holds EXPECT.tsv and the files,
in a folder `files` or beside it; without DIR our own pictures are made. Pictures are opened as stills; what lies in
a folder `3d` is described and imported, archives under the names of a project and of a USD package too. What
EXPECT.tsv does not list (pipes, links) may open or be refused. One line for each file, one in sum; exit code 1 if
any verdict differs.
"""

from __future__ import annotations

import ast
import csv
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from hostile_stills import write_cases

from stillto3d.errors import BadInput, CannotAccess, StillTo3DError
from stillto3d.formats import recognise
from stillto3d.studio import Studio

PATIENCE = 60.0  # seconds that one file may take
SCENES = "3d"


@dataclass(frozen=True)
class Expected:
    """One line of EXPECT.tsv: where the file lies, "ok", "reject" or "either", and "(w, h)" or ""."""

    path: Path
    verdict: str
    size: str


def read_expected(folder: Path) -> list[Expected]:
    """The lines of EXPECT.tsv, then what it does not list."""
    table = next(path / "EXPECT.tsv" for path in (folder, folder.parent) if (path / "EXPECT.tsv").exists())
    root = folder / "files" if (folder / "files").is_dir() else folder
    found = []
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            found.append(Expected(find_file(root, row["file"]), row["verdict"], row["size"]))
    listed = {expected.path for expected in found} | {table}
    others = sorted(path for path in root.rglob("*") if path not in listed and not path.is_dir())
    return found + [Expected(path, "either", "") for path in others]


def find_file(root: Path, written: str) -> Path:
    """The file that a name stands for, written as a Python literal, perhaps cut at 200 characters."""
    try:
        name = ast.literal_eval(written)
        return root / os.fsdecode(name)
    except SyntaxError:
        start = written[1:]
        return next(path for path in root.rglob("*") if str(path.relative_to(root)).startswith(start))


def judge(studio: Studio, expected: Expected) -> tuple[bool, str]:
    """(whether the verdict is as expected, what happened)."""
    if not os.path.lexists(expected.path):
        return False, "there is no such file"
    began = time.monotonic()
    try:
        told, size = (
            open_scene(studio, expected.path)
            if expected.path.parent.name == SCENES
            else open_still(studio, expected.path)
        )
    except (BadInput, CannotAccess) as error:
        verdict, told, size = "reject", str(error), ""
    except StillTo3DError as error:
        return False, f"{type(error).__name__}: {error}"
    else:
        verdict = "ok"
        if expected.size and size != expected.size:
            return False, f"{told}, not {expected.size}"
    if time.monotonic() - began > PATIENCE:
        return False, f"took more than {PATIENCE:.0f} s: {told}"
    return expected.verdict in (verdict, "either"), f"{verdict}: {told}"


def open_still(studio: Studio, path: Path) -> tuple[str, str]:
    """What there is to say of a picture, and its upright size."""
    decoded = studio.read_still(path)
    size = str((decoded.still.width, decoded.still.height))
    return " ".join([size, *(note["text"] for note in decoded.warnings)]), size


def open_scene(studio: Studio, path: Path) -> tuple[str, str]:
    """What an import of a file says; an archive must open under every name that an archive of ours has."""
    if path.suffix == ".zip":
        with tempfile.TemporaryDirectory() as folder:
            for suffix in (".s3d", ".usdz"):
                copy = Path(shutil.copy(path, Path(folder, path.stem + suffix)))
                try:
                    studio.inspect(copy)
                except (BadInput, CannotAccess) as error:
                    told = str(error)
                else:
                    return f"it opens as {suffix}", ""
        raise BadInput(told)
    studio.inspect(path)
    if recognise(path).layers is None:
        return "described", ""
    found = studio.wait(studio.import_layers(path))
    return " ".join([f"{len(found.layers)} layers", *found.notes]), ""


def main(folder: Path) -> int:
    """Judge a folder; 0 if every verdict is as expected."""
    wrong, everything = 0, read_expected(folder)
    with Studio.open() as studio:
        for expected in everything:
            good, told = judge(studio, expected)
            wrong += not good
            sys.stdout.write(f"{'     ' if good else 'WRONG'} {ascii(expected.path.name)[:60]} {told}\n")
    sys.stdout.write(f"{len(everything)} files, {len(everything) - wrong} as expected, {wrong} wrong\n")
    return 1 if wrong else 0


def main_own() -> int:
    """Judge our own pictures, made for the occasion."""
    with tempfile.TemporaryDirectory() as folder:
        write_cases(Path(folder))
        return main(Path(folder))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])) if len(sys.argv) > 1 else main_own())
