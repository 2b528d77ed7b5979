"""Run a save or the commit of a set, and die by SIGKILL at the n-th line of our file code.

python die_at_line.py save|commit TARGET N [LABEL]; N = 0 runs to the end and counts its lines.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from stillto3d.engine.run import Run
from stillto3d.formats.atomic import replace_file
from stillto3d.formats.s3d import write_s3d
from stillto3d.formats.staging import stage_set
from stillto3d.project.project import Project, start_project
from stillto3d.project.still import Still

FOLDER = str(Path("stillto3d", "formats")) + os.sep
SET_FILES = ("kitchen.glb", "props/chair.glb", "props/table.glb", "scene.ply")


def make_project(label: str) -> Project:
    """A still whose pixels follow from its name."""
    pixels = np.random.default_rng(len(label)).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    return start_project(Still(pixels, label, "0" * 64))


def save(target: Path, label: str) -> None:
    """Save a project over `target`."""
    write_s3d(Run.nothing(), make_project(label), target)


def commit(target: Path, label: str) -> None:
    """Put a set of files, each holding `label`, in place of what is at `target`."""
    with stage_set(target) as staging:
        for name in (*SET_FILES, f"only_{label}.txt"):
            path = staging.folder / name
            path.parent.mkdir(exist_ok=True)
            with replace_file(path, lambda part: None) as file:
                file.write(label.encode())
        staging.commit(Run.nothing(), {"label": label})


def main() -> None:
    """Count lines of our file code; at the n-th the process is gone."""
    action, target, fatal = {"save": save, "commit": commit}[sys.argv[1]], Path(sys.argv[2]), int(sys.argv[3])
    lines = 0

    def count(frame: FrameType, event: str, value: Any) -> Any:
        nonlocal lines
        if FOLDER not in frame.f_code.co_filename:
            return None
        lines += 1
        if lines == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return count

    sys.settrace(count)
    action(target, sys.argv[4] if len(sys.argv) > 4 else "new")
    sys.settrace(None)
    print(lines)


if __name__ == "__main__":
    main()
