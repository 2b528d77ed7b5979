"""The project file (.s3d): everything a project holds, reopened bit for bit.

A ZIP of stored members: `manifest.json` describes the project and names each distinct array once; `arrays/N`
holds its samples, compressed with Zstandard where that pays. Pixels are first differenced from row to row.
Everything in a file is checked against the manifest's dtypes and shapes before memory is taken for it.
"""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import zstandard
from numpy.typing import NDArray

from .. import __version__
from ..engine.run import Run
from ..errors import BadInput, word_os_error
from ..project.project import Project
from ..project.still import freeze
from .atomic import replace_file
from .options import AS_THEY_ARE, WriteOptions
from .s3d_manifest import collect_project, restore_project
from .strict_json import read_json, write_json

VERSION = 1
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""How the manifest of one version becomes that of the next."""

_FORMAT = "stillto3d project"
_MANIFEST = "manifest.json"
_DTYPES = frozenset(["|u1", "<u2", "<u4", "<f2", "<f4", "<f8"])
_LEVEL = 1
_ARRAY_CEILING = 4 << 30
_FREE_TOTAL = 1 << 30
_TOTAL_RATIO = 1000
_MEMBERS_CEILING = 100_000
_AHEAD = 4
_ZSTD_HEAD = 18
_DATE = (1980, 1, 1, 0, 0, 0)

T = TypeVar("T")
R = TypeVar("R")


def write_s3d(run: Run, project: Project, path: Path, options: WriteOptions = AS_THEY_ARE) -> list[str]:
    """Save the project, whatever the options. Raises CannotAccess, Cancelled; an old file stays whole until the end."""
    described, arrays = collect_project(project)
    entries: list[dict[str, Any]] = []
    with (
        replace_file(path, check_s3d) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,
    ):
        for k, (entry, data) in enumerate(_map_threads(_pack, arrays)):
            run.check()
            entry["member"] = f"arrays/{k}"
            archive.writestr(zipfile.ZipInfo(entry["member"], _DATE), data)
            entries.append(entry)
            run.progress((k + 1) / (len(arrays) + 1))
        manifest = {"format": _FORMAT, "version": VERSION, "generator": f"stillto3d {__version__}"}
        manifest |= {"arrays": entries, "project": described}
        archive.writestr(zipfile.ZipInfo(_MANIFEST, _DATE), write_json(manifest))
    run.progress(1.0)
    return []


def read_s3d(run: Run, path: Path) -> Project:
    """Open a saved project. Raises BadInput (no project, damaged, of a newer version), CannotAccess."""
    with _open_archive(path) as archive:
        manifest = _read_manifest(archive, path)
        packed = ((entry, archive.read(entry["member"])) for entry in manifest["arrays"])
        arrays = []
        for array in _map_threads(lambda pair: _unpack(*pair, path), packed):
            run.check()
            arrays.append(freeze(array))  # once, so that those who share it go on sharing
            run.progress(len(arrays) / (len(manifest["arrays"]) + 1))
    try:
        return restore_project(manifest["project"], arrays)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise BadInput(_DAMAGED, name=path.name, what="its description cannot be") from error


def check_s3d(path: Path) -> dict[str, Any]:
    """The manifest, once the archive's structure and every array's size have been checked.

    Raises BadInput, CannotAccess.
    """
    with _open_archive(path) as archive:
        manifest = _read_manifest(archive, path)
        for entry in manifest["arrays"]:
            with archive.open(entry["member"]) as member:
                stored = archive.getinfo(entry["member"]).file_size
                _check_size(entry, member.read(_ZSTD_HEAD), stored, path)
        return manifest


# ---------------------------------------------------------------------- threads


def _map_threads(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """`map` on as many threads as there are cores, a few items ahead, in order."""
    waiting: list[Future[R]] = []
    source = iter(items)
    with ThreadPoolExecutor(min(_AHEAD, os.cpu_count() or 1), "s3d") as pool:
        waiting += [pool.submit(work, item) for item in islice(source, _AHEAD)]
        while waiting:
            result = waiting.pop(0).result()
            waiting += [pool.submit(work, item) for item in islice(source, 1)]
            yield result


# ---------------------------------------------------------------------- arrays


def _pack(array: NDArray[Any]) -> tuple[dict[str, Any], Any]:
    """An array's entry in the manifest and its bytes in the archive."""
    plain = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    rows = _is_picture(plain.dtype.str, plain.shape)
    samples = _difference_rows(plain) if rows else plain
    raw = samples.reshape(-1).view(np.uint8).data
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(raw)
    entry = {"dtype": plain.dtype.str, "shape": list(plain.shape), "packing": "rows+zstd" if rows else "zstd"}
    if len(packed) > 0.95 * len(raw):
        return entry | {"packing": "raw"}, plain.reshape(-1).view(np.uint8).data
    return entry, packed


def _unpack(entry: dict[str, Any], data: bytes, path: Path) -> NDArray[Any]:
    size = _check_size(entry, data[:_ZSTD_HEAD], len(data), path)
    if entry["packing"] != "raw":
        try:
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=size)
        except zstandard.ZstdError as error:
            raise BadInput(_DAMAGED, name=path.name, what="an array cannot be unpacked") from error
        if len(data) != size:
            _refuse(path, "an array is not as large as it says")
    array = np.frombuffer(data, dtype=entry["dtype"]).reshape(entry["shape"])
    return _sum_rows(array) if entry["packing"] == "rows+zstd" else array


def _is_picture(dtype: str, shape: tuple[int, ...]) -> bool:
    return dtype == "|u1" and len(shape) in (2, 3) and shape[0] > 1


def _difference_rows(pixels: NDArray[Any]) -> NDArray[Any]:
    """Each row less the one above it, modulo 256: photographs shrink by a third more."""
    rows = np.empty_like(pixels)
    rows[0] = pixels[0]
    np.subtract(pixels[1:], pixels[:-1], out=rows[1:])
    return rows


def _sum_rows(rows: NDArray[Any]) -> NDArray[Any]:
    pixels = np.empty_like(rows)
    pixels[0] = rows[0]
    for y in range(1, len(rows)):
        np.add(pixels[y - 1], rows[y], out=pixels[y])
    return pixels


# ---------------------------------------------------------------------- the archive

_DAMAGED = "{name} is damaged: {what}."


def _refuse(path: Path, what: str) -> NoReturn:
    raise BadInput(_DAMAGED, name=path.name, what=what)


@contextmanager
def _open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive; what is wrong with it or with the disk leaves the block as BadInput or CannotAccess."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, struct.error) as error:
        message = "{name} is not a stillto3d project, or it is damaged."
        raise BadInput(message, "Open an earlier copy.", name=path.name) from error
    except OSError as error:
        raise word_os_error(error, path) from error


def _read_manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    """The manifest at today's version, once it and the list of members agree."""
    names = archive.namelist()
    if len(names) > _MEMBERS_CEILING or len(set(names)) != len(names):
        _refuse(path, "its archive names a member twice")
    if _MANIFEST not in names:
        raise BadInput("{name} is not a stillto3d project.", name=path.name)
    for info in archive.infolist():
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 0x1 or info.compress_size != info.file_size:
            _refuse(path, "a member of its archive is packed in a way that projects never are")
    if archive.getinfo(_MANIFEST).file_size > 64 << 20:
        _refuse(path, "its description is implausibly large")
    manifest = _migrate(read_json(archive.read(_MANIFEST), path.name), path)
    entries = manifest.get("arrays")
    if not isinstance(entries, list) or not isinstance(manifest.get("project"), dict):
        _refuse(path, "its description is incomplete")
    for entry in entries:
        _check_entry(entry, path)
    if sorted(names) != sorted([_MANIFEST, *(entry["member"] for entry in entries)]):
        _refuse(path, "its archive does not hold what its description names")
    total = sum(_count_bytes(entry) for entry in entries)
    if total > max(_FREE_TOTAL, _TOTAL_RATIO * path.stat().st_size):
        _refuse(path, "it would unpack to an implausible size")
    return manifest


def _migrate(manifest: dict[str, Any], path: Path) -> dict[str, Any]:
    version = manifest.get("version")
    if manifest.get("format") != _FORMAT or isinstance(version, bool) or not isinstance(version, int):
        raise BadInput("{name} is not a stillto3d project.", name=path.name)
    if version > VERSION:
        message = "{name} was saved by a newer stillto3d."
        raise BadInput(message, "Update stillto3d to open it.", name=path.name)
    while version < VERSION:
        if version not in MIGRATIONS:
            _refuse(path, f"its version {version} was never used")
        manifest, version = MIGRATIONS[version](manifest), version + 1
    return manifest


def _check_entry(entry: Any, path: Path) -> None:
    shape = entry.get("shape") if isinstance(entry, dict) else None
    if not isinstance(shape, list) or len(shape) > 4 or any(type(n) is not int or n < 0 for n in shape):
        _refuse(path, "an array has an impossible shape")
    if entry.get("dtype") not in _DTYPES or entry.get("packing") not in ("raw", "zstd", "rows+zstd"):
        _refuse(path, "an array is of an unknown kind")
    if entry["packing"] == "rows+zstd" and not _is_picture(entry["dtype"], tuple(shape)):
        _refuse(path, "an array is of an unknown kind")
    if not isinstance(entry.get("member"), str):
        _refuse(path, "an array names no member")
    if _count_bytes(entry) > _ARRAY_CEILING:
        _refuse(path, "an array is implausibly large")


def _count_bytes(entry: dict[str, Any]) -> int:
    count = int(np.dtype(entry["dtype"]).itemsize)
    for n in entry["shape"]:
        count *= n  # Python's integers: no overflow
    return count


def _check_size(entry: dict[str, Any], head: bytes, stored: int, path: Path) -> int:
    """The array's bytes by its shape, once the member says the same of itself before it is unpacked."""
    size = _count_bytes(entry)
    try:
        said = stored if entry["packing"] == "raw" else zstandard.frame_content_size(head)
    except zstandard.ZstdError:
        said = -1
    if said != size:
        _refuse(path, "an array is not as large as it says")
    return size
