"""Files: one table of formats; reading, writing and describing whatever lies at a path."""

from __future__ import annotations

import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.run import Run
from ..errors import BadInput, CannotAccess, word_os_error
from ..project.project import Patch, Project
from . import forecast, inspection
from .camera_import import ReadCamera, make_camera_patch, read_usd_camera
from .camera_json import check_camera_json, read_camera_json, write_camera_json
from .chan import check_chan, read_chan, write_chan
from .colmap import check_colmap, is_model, read_colmap, write_colmap
from .exr import write_exr
from .forecast import Contents, Sizes, Weigh
from .fspy import check_fspy, read_fspy, write_fspy
from .gather import refuse_no_numbers
from .glb import write_glb
from .glb_layers import read_glb_layers
from .imported import Imported
from .obj import check_materials, read_obj_layers, write_obj
from .options import AS_THEY_ARE, WriteOptions
from .picture import read_still_project
from .plate import write_picture
from .ply import write_ply
from .ply_layers import read_ply_layers
from .s3d import read_s3d, write_s3d
from .spz import MAGICS as SPZ_MAGICS
from .spz import read_spz_layers, write_spz
from .staging import REPORT, check_set, recover
from .usd import write_usd
from .usd_layers import read_usd_layers

Describe = Callable[[Run, Path], dict[str, Any]]
Write = Callable[[Run, Project, Path, WriteOptions], list[str]]

COLMAP = "colmap"


@dataclass(frozen=True)
class Format:
    """One row of the table; what a format cannot do is None.

    kind      what `inspect` calls it
    magics    first bytes by which a file is known, whatever its suffix
    read      the project that a file is
    layers    the layers that a foreign file brings
    camera    the camera that a foreign file brings, for the still at hand
    write     answers what a person should know
    weigh     what it will write and how large
    """

    title: str
    kind: str
    describe: Describe
    magics: tuple[bytes, ...] = ()
    read: Callable[[Run, Path], Project] | None = None
    layers: Callable[[Run, Path], Imported] | None = None
    camera: ReadCamera | None = None
    write: Write | None = None
    weigh: Weigh | None = None


def _bring_layers(
    title: str,
    kind: str,
    layers: Callable[[Run, Path], Imported],
    write: Write,
    weigh: Weigh,
    magics: tuple[bytes, ...] = (),
    describe: Describe | None = None,
    camera: ReadCamera | None = None,
) -> Format:
    found = describe or inspection.describe_layers(layers)
    return Format(title, kind, found, magics, None, layers, camera, write, weigh)


def _bring_camera(
    title: str, check: Callable[[Path], dict[str, Any]], read: ReadCamera, write: Write, weigh: Weigh
) -> Format:
    return Format(title, "camera", lambda run, path: check(path), (), None, None, read, write, weigh)


def _write_only(title: str, write: Write, weigh: Weigh) -> Format:
    return Format(title, "still", inspection.describe_still, write=write, weigh=weigh)


_PROJECT = Format(
    "stillto3d project", "project", inspection.describe_project, (b"PK",), read_s3d, None, None, write_s3d,
    forecast.weigh_project,
)  # fmt: skip
_USD = (read_usd_layers, write_usd, forecast.weigh_usd)

FORMATS: dict[str, Format] = {
    ".s3d": _PROJECT,
    ".glb": _bring_layers(
        "glTF binary", "glb", read_glb_layers, write_glb, forecast.weigh_glb, (b"glTF",), inspection.describe_glb
    ),
    ".ply": _bring_layers(
        "PLY", "ply", read_ply_layers, write_ply, forecast.weigh_ply, (b"ply",), inspection.describe_ply
    ),
    ".spz": _bring_layers("SPZ splats", "spz", read_spz_layers, write_spz, forecast.weigh_spz, SPZ_MAGICS),
    ".obj": _bring_layers("Wavefront OBJ", "obj", read_obj_layers, write_obj, forecast.weigh_obj),
    ".mtl": Format("Materials of an OBJ", "materials", lambda run, path: check_materials(path)),
    ".usdc": _bring_layers("USD, binary", "usd", *_USD, (b"PXR-USDC",), None, read_usd_camera),
    ".usda": _bring_layers("USD, text", "usd", *_USD, (b"#usda",), None, read_usd_camera),
    ".usdz": _bring_layers("USD package", "usd", *_USD, camera=read_usd_camera),
    ".exr": _write_only("EXR, with depth, normals, ids and Cryptomatte", write_exr, forecast.weigh_exr),
    ".tif": _write_only("TIFF of the plate", write_picture, forecast.weigh_picture),
    ".png": _write_only("PNG of the plate", write_picture, forecast.weigh_picture),
    ".fspy": _bring_camera("fSpy project", check_fspy, read_fspy, write_fspy, forecast.weigh_fspy),
    ".json": _bring_camera(
        "Camera, JSON", check_camera_json, read_camera_json, write_camera_json, forecast.weigh_camera
    ),
    ".chan": _bring_camera("Nuke camera", check_chan, read_chan, write_chan, forecast.weigh_camera),
    COLMAP: _bring_camera("COLMAP model, a folder", check_colmap, read_colmap, write_colmap, forecast.weigh_colmap),
}
"""By suffix, in lower case; COLMAP by the folder's name. Whatever is not listed is read as a still, if it is one."""

_ALIASES = {"sparse": COLMAP, ".gltf": ".glb", ".usd": ".usdc", ".tiff": ".tif"}
_STILL = Format("Still", "still", inspection.describe_still)


def find_format(path: Path) -> Format | None:
    """The row that the suffix names; without one, that the name itself does (a folder)."""
    suffix = path.suffix.lower() or path.name.lower()
    return FORMATS.get(_ALIASES.get(suffix, suffix))


def recognise(path: Path) -> Format:
    """What a file is, by its first bytes; by its suffix where those tell nothing. Raises BadInput for no file."""
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe or a device would never end
        raise BadInput("{name} is not a file.", "Name a file.", name=path.name)
    with path.open("rb") as file:
        head = file.read(8)
    if path.suffix.lower() == ".usdz" and head.startswith(b"PK"):  # a ZIP too
        return FORMATS[".usdz"]
    known = (row for row in FORMATS.values() if any(head.startswith(magic) for magic in row.magics))
    return next(known, None) or find_format(path) or _STILL


def read(run: Run, path: Path, without_still: bool = False) -> Project:
    """The project that a file holds, or a project of the still that it is.

    `without_still`: of a foreign file, a project of nothing but its layers. What a person should know goes through
    `run.progress`. Raises BadInput, CannotAccess, Cancelled.
    """
    _tidy(path.parent)
    known = find_format(path)
    if known is not None and known.read is not None:
        return known.read(run, path)
    if known is None or known.layers is None:
        return read_still_project(run, path)
    if not without_still:
        message = "{name} holds no still: it cannot be opened as a project."
        raise BadInput(message, "Open the .s3d project or the still.", name=path.name)
    found = import_layers(run, path)
    for note in found.notes:
        run.progress(1.0, note)
    return found.make_project()


def import_layers(run: Run, path: Path) -> Imported:
    """The layers that a foreign file brings. Raises BadInput, CannotAccess, Cancelled."""
    try:
        known = recognise(path)
        if known.layers is None:
            suffixes = " ".join(suffix for suffix, row in FORMATS.items() if row.layers is not None)
            message = "{name} brings no layers; {formats} do."
            raise BadInput(message, "Choose one of them.", name=path.name, formats=suffixes)
        return known.layers(run, path)
    except OSError as error:
        raise word_os_error(error, path) from error


def import_camera(run: Run, project: Project, path: Path) -> Patch:
    """The hero seen through the camera that a foreign file brings. Raises BadInput, CannotAccess, Cancelled."""
    try:
        known = FORMATS[COLMAP] if path.is_dir() and is_model(path) else recognise(path)
        if known.camera is None:
            suffixes = " ".join(suffix for suffix, row in FORMATS.items() if row.camera is not None)
            message = "{name} brings no camera; {formats} do."
            raise BadInput(message, "Choose one of them.", name=path.name, formats=suffixes)
        return make_camera_patch(run, project, path, known.camera)
    except OSError as error:
        raise word_os_error(error, path) from error


def write(run: Run, project: Project, path: Path, options: WriteOptions = AS_THEY_ARE) -> list[str]:
    """Write the project in the format that the suffix names, replacing an old file only by a whole one.

    A folder that is not there yet is made. Answers sentences that a person should read. Raises BadInput,
    CannotAccess, Cancelled.
    """
    known = find_format(path)
    if known is None or known.write is None:
        formats = " ".join(suffix for suffix, row in FORMATS.items() if row.write is not None)
        message = "{name} has no suffix that stillto3d writes; it writes {formats}."
        raise BadInput(message, "Choose one of them.", name=path.name, formats=formats)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise word_os_error(error, path.parent) from error
    if known.layers is not None:  # a project is saved whatever it holds
        refuse_no_numbers(project)
    return known.write(run, project, path, options)


def weigh(project: Project, path: Path, options: WriteOptions = AS_THEY_ARE) -> Sizes:
    """What `write` would write there, and about how many bytes; nothing for what it would not."""
    known = find_format(path)
    return {} if known is None or known.weigh is None else known.weigh(Contents(project, options), path.name)


def inspect(run: Run, path: Path) -> dict[str, Any]:
    """What a still, project, set or any file of the table holds, ready for JSON; `kind` says which it is.

    A file is known by its content. Raises BadInput for damage and for a set that does not match its report,
    CannotAccess.
    """
    try:
        _tidy(path if path.is_dir() else path.parent)
        if path.is_dir() and is_model(path):
            return {"kind": "camera", **check_colmap(path)}
        if path.is_dir():
            if not (path / REPORT).exists():
                message = "{name} is a folder without a report.json."
                raise BadInput(message, "Name a file, or a folder that convert wrote.", name=path.name)
            return {"kind": "set", **check_set(path)}
        known = recognise(path)
        return {"kind": known.kind, **known.describe(run, path)}
    except OSError as error:
        raise word_os_error(error, path) from error


def _tidy(folder: Path) -> None:
    """Finish or undo what a killed command has left of the set that a file belongs to."""
    with suppress(CannotAccess):  # then there is nothing of ours to mend
        recover(folder)
