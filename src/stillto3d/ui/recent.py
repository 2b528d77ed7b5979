"""The files that were open lately, newest first, kept in the person's data folder."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

MOST = 12


def read_recent(folder: Path) -> list[Path]:
    """Files that were open lately and are still there; a damaged list counts as empty."""
    try:
        stored = json.loads((folder / "recent.json").read_text(encoding="utf-8"))
        paths = [Path(name) for name in stored if isinstance(name, str)]
    except (OSError, ValueError, TypeError):
        return []
    return [path for path in paths if path.is_file()][:MOST]


def keep_recent(folder: Path, path: Path, known: Sequence[Path]) -> list[Path]:
    """The list with a file at its head, written down; a list that cannot be written is no loss."""
    path = path.absolute()
    kept = [path, *(other for other in known if other != path)][:MOST]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"recent.json.{os.getpid()}"
        part.write_text(json.dumps([os.fspath(one) for one in kept]), encoding="utf-8")
        part.replace(folder / "recent.json")
    except (OSError, UnicodeError):  # a name that is no text stays out of the list on disk
        pass
    return kept
