"""Read every picture of a folder through the product and hold the verdicts against its EXPECT.tsv.

`python tests/support/hostile_run.py DIR`, or `make hostile FILES=DIR`: DIR holds EXPECT.tsv and the pictures,
in a folder `files` or beside it; without DIR our own are made. What EXPECT.tsv does not list (pipes, links)
may open or be refused. One line for each file, one in sum; exit code 1 if any verdict differs.
"""

from __future__ import annotations

import ast
import csv
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from hostile_stills import write_cases

from stillto3d.errors import BadInput, CannotAccess, StillTo3DError
from stillto3d.studio import Studio

PATIENCE = 60.0  # seconds that one picture may take


@dataclass(frozen=True)
class Expected:
    """One line of EXPECT.tsv: where the file lies, "ok", "reject" or "either", and "(w, h)" or ""."""

    path: Path
    verdict: str
    size: str


def read_expected(folder: Path) -> list[Expected]:
    """The lines of EXPECT.tsv, then what it does not list; without other subjects (`3d/`)."""
    table = next(path / "EXPECT.tsv" for path in (folder, folder.parent) if (path / "EXPECT.tsv").exists())
    root = folder / "files" if (folder / "files").is_dir() else folder
    found = []
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            found.append(Expected(find_file(root, row["file"]), row["verdict"], row["size"]))
    listed = {expected.path for expected in found} | {table}
    others = sorted(path for path in root.rglob("*") if path not in listed and not path.is_dir())
    found += [Expected(path, "either", "") for path in others]
    return [expected for expected in found if "3d" not in expected.path.relative_to(root).parts]


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
        decoded = studio.read_still(expected.path)
    except (BadInput, CannotAccess) as error:
        verdict, told = "reject", str(error)
    except StillTo3DError as error:
        return False, f"{type(error).__name__}: {error}"
    else:
        size = (decoded.still.width, decoded.still.height)
        verdict, told = "ok", " ".join([str(size), *(note["text"] for note in decoded.warnings)])
        if expected.size and str(size) != expected.size:
            return False, f"{told}, not {expected.size}"
    if time.monotonic() - began > PATIENCE:
        return False, f"took more than {PATIENCE:.0f} s: {told}"
    return expected.verdict in (verdict, "either"), f"{verdict}: {told}"


def main(folder: Path) -> int:
    """Judge a folder; 0 if every verdict is as expected."""
    wrong, everything = 0, read_expected(folder)
    with Studio.open() as studio:
        for expected in everything:
            good, told = judge(studio, expected)
            wrong += not good
            sys.stdout.write(f"{'     ' if good else 'WRONG'} {ascii(expected.path.name)[:60]} {told}\n")
    sys.stdout.write(f"{len(everything)} pictures, {len(everything) - wrong} as expected, {wrong} wrong\n")
    return 1 if wrong else 0


def main_own() -> int:
    """Judge our own pictures, made for the occasion."""
    with tempfile.TemporaryDirectory() as folder:
        write_cases(Path(folder))
        return main(Path(folder))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])) if len(sys.argv) > 1 else main_own())
