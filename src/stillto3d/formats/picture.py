"""Pictures: stills read in a worker, masks and plates written as PNG."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..engine.run import Run
from ..errors import BadInput, Crashed, word_os_error
from ..models.roles import DecodedStill, DecodeStill, EncodeImage
from ..project.project import Project, start_project
from ..project.still import Mask
from .about import About, add_xmp, compose_xmp
from .atomic import replace_file

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\0\0\0\0IEND\xaeB`\x82"


def read_still(run: Run, path: Path) -> DecodedStill:
    """A picture file as a still, with what a person should know about it. Raises BadInput, CannotAccess."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # a pipe or a device would never end
            raise BadInput("{path} is not a picture file.", "Name a file.", path=path.name or str(path))
    except OSError as error:
        raise word_os_error(error, path) from error
    try:
        return run.call(DecodeStill(os.fsdecode(path.absolute()), path.stem))
    except Crashed as crash:
        if not crash.at_work:
            raise
        message = "{path} is damaged in a way that no reader survives."
        # a codec in a process of its own: the picture is to blame
        raise BadInput(message, "Save it again from the program it comes from.", path=path.name) from crash


def read_still_project(run: Run, path: Path) -> Project:
    """A picture file as a project of one still; what a person should know goes through `run.progress`."""
    decoded = read_still(run, path)
    for note in decoded.warnings:
        run.progress(1.0, note.get("text", ""))
    return start_project(decoded.still)


def write_mask(run: Run, mask: Mask, path: Path, about: About | None = None) -> None:
    """A mask's soft alpha as an 8-bit grey PNG."""
    write_png(run, mask.alpha, path, about)


def write_png(run: Run, pixels: NDArray[Any], path: Path, about: About | None = None) -> None:
    """Pixels u8 or u16 [H, W] or [H, W, 3|4] as PNG, with what it says of itself."""
    encoded = run.call(EncodeImage(pixels, "png"))
    if about is not None:
        encoded = add_xmp(encoded, compose_xmp(about))
    with replace_file(path, _check_png) as file:
        file.write(encoded)


def _check_png(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(len(_SIGNATURE))
        file.seek(-len(_END), os.SEEK_END)
        if head != _SIGNATURE or file.read() != _END:
            raise BadInput("{name} is damaged: {what}.", name=path.name, what="it is not a whole PNG")
