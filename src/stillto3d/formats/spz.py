"""SPZ (Niantic): splats in about 64 bytes, or 17 without harmonics; written as version 3, read as 1 to 4.

Values are quantised section by section: 24-bit fixed-point positions, bytes for opacity, colour, log scale and
harmonics, 32 bits for a rotation (its three smallest components). Axes are right, up, back: our world's. Versions up
to 3 are one gzip stream, 4 holds a Zstandard stream for each section.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import zstandard
from numpy.typing import NDArray

from ..engine.run import Run
from ..errors import BadInput
from ..project.geometry import Splats
from ..project.project import LayerKind, Project
from .atomic import replace_file
from .gather import gather_splats
from .imported import Imported, keep_splats
from .lods import write_levels
from .options import AS_THEY_ARE, WriteOptions

MAGICS = (b"\x1f\x8b", b"NGSP")

_HEAD = struct.Struct("<4sIIBBBB")
_HEAD_4 = struct.Struct("<4sIIBBBBI")
_HEAD_4_BYTES, _STREAM = 32, struct.Struct("<QQ")
_MAGIC = b"NGSP"
_VERSION = 3
_FRACTION_BITS, _MOST_BITS = 12, 23
_COLOR_SCALE = 0.15
_SPLATS_CEILING = 1 << 26
_BYTES_CEILING = 2 << 30
_RATIO_CEILING = 1100  # deflate cannot make more bytes than this out of one
_PIECE = 1 << 20
_LEVEL = 6
_SMALLEST = (1 << 9) - 1
_REST = {0: 0, 1: 3, 2: 8, 3: 15}

Bytes = NDArray[np.uint8]


def write_spz(run: Run, project: Project, path: Path, options: WriteOptions = AS_THEY_ARE) -> list[str]:
    """All visible splats as SPZ, version 3. Raises BadInput where there are none, CannotAccess, Cancelled."""
    return write_levels(run, project, path, options, _write_one)


def _write_one(run: Run, project: Project, path: Path, options: WriteOptions) -> list[str]:
    splats = gather_splats(project)
    if splats is None:
        raise BadInput("The project has no splats to write.", "Write a GLB or PLY.")
    head, sections = pack_splats(splats)
    total = sum(len(section) for section in sections)
    compressor, done = zlib.compressobj(_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS), 0
    with replace_file(path, check_spz) as file:
        file.write(compressor.compress(head))
        for section in sections:
            for start in range(0, len(section), _PIECE):
                run.check()
                piece = section[start : start + _PIECE]
                file.write(compressor.compress(piece.data))
                done += len(piece)
                run.progress(done / total)
        file.write(compressor.flush())
    return []


def read_spz_layers(run: Run, path: Path) -> Imported:
    """The one layer of an SPZ. Raises BadInput and OSError."""
    found = Imported(path)
    packed = _open(path)
    run.progress(0.5)
    found.add(path.stem, keep_splats(found, unpack_splats(packed)), kind=LayerKind.SCENE)
    return found


def check_spz(path: Path) -> dict[str, Any]:
    """What a whole SPZ says of itself: version, splats, degree, bounds. Raises BadInput and OSError."""
    packed = _open(path)
    means = _unpack_means(packed)
    box = [means.min(axis=0).tolist(), means.max(axis=0).tolist()] if len(means) else None
    return {"version": packed.version, "splats": packed.count, "degree": packed.degree, "bounds": box}


# ---------------------------------------------------------------------- packing


def pack_splats(splats: Splats) -> tuple[bytes, list[Bytes]]:
    """The header and the sections of version 3, uncompressed."""
    n, degree = len(splats.means), round(np.sqrt(splats.sh.shape[1])) - 1
    farthest = float(np.abs(splats.means).max(initial=1.0))
    bits = int(np.clip(np.floor(_MOST_BITS - 1e-9 - np.log2(farthest)), 1, _FRACTION_BITS))
    if farthest * 2**bits >= 2**_MOST_BITS:
        raise BadInput("SPZ reaches 4000 km at most; these splats lie farther away.", "Write a PLY.")
    fixed = np.rint(splats.means.astype(np.float64) * 2**bits).astype("<i4")
    positions = np.ascontiguousarray(fixed.reshape(-1, 1).view(np.uint8)[:, :3])
    sh = splats.sh.reshape(n, -1)
    sections = [
        positions.reshape(-1),
        _to_bytes(splats.opacity * 255),
        _to_bytes((sh[:, :3] * _COLOR_SCALE + 0.5) * 255),
        _to_bytes((np.log(np.maximum(splats.scales, 1e-20)) + 10) * 16),
        _pack_rotations(splats.rotations),
        _pack_harmonics(sh[:, 3:], degree),
    ]
    return _HEAD.pack(_MAGIC, _VERSION, n, degree, bits, 0, 0), sections


def _to_bytes(values: NDArray[np.floating[Any]]) -> Bytes:
    rounded: Bytes = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded.reshape(-1)


def _pack_rotations(rotations: NDArray[np.float32]) -> Bytes:
    """Two bits name the largest component of xyzw; sign and nine bits for each of the others, in order."""
    q = rotations[:, [1, 2, 3, 0]]
    q = q / np.maximum(np.linalg.norm(q, axis=1, keepdims=True), 1e-12)
    largest = np.abs(q).argmax(axis=1)
    rows = np.arange(len(q))
    q = q * np.where(q[rows, largest] < 0, -1, 1)[:, None]
    packed = largest.astype(np.uint32)
    magnitude = np.minimum(np.abs(q) / np.sqrt(0.5) * _SMALLEST + 0.5, _SMALLEST).astype(np.uint32)
    fields = (q < 0).astype(np.uint32) << np.uint32(9) | magnitude
    for k in range(4):
        packed = np.where(largest == k, packed, packed << np.uint32(10) | fields[:, k])
    flat: Bytes = packed.astype("<u4").view(np.uint8)
    return flat


def _pack_harmonics(rest: NDArray[np.float32], degree: int) -> Bytes:
    """Bytes about 128, in steps of 8 for the first band and of 16 for the others, which packs better."""
    values = np.rint(rest * 128) + 128
    step = np.where(np.arange(rest.shape[1]) < 9, 8, 16)
    stepped: Bytes = np.clip(np.floor((values + step / 2) / step) * step, 0, 255).astype(np.uint8)
    return stepped.reshape(-1)


# ---------------------------------------------------------------------- reading


@dataclass(frozen=True)
class _Packed:
    """A file's sections, uncompressed and of the sizes that its header promises."""

    version: int
    count: int
    degree: int
    bits: int
    positions: Bytes
    alphas: Bytes
    colors: Bytes
    scales: Bytes
    rotations: Bytes
    harmonics: Bytes


def _refuse(path: Path, what: str) -> NoReturn:
    raise BadInput("{name} is damaged: {what}.", name=path.name, what=what)


def _open(path: Path) -> _Packed:
    data = path.read_bytes()
    head = data if data[:4] == _MAGIC else _inflate(data[: 1 << 16], _HEAD.size, path, partly=True)
    if len(head) < _HEAD.size or head[:4] != _MAGIC:
        _refuse(path, "it is no SPZ")
    _, version, count, degree, bits, _, _ = _HEAD.unpack_from(head)
    if version not in (1, 2, 3, 4) or (version == 4) != (data[:4] == _MAGIC):
        message = "{name} is SPZ of version {version}; versions 1 to 4 are read."
        raise BadInput(message, "Save it again as version 3 or as PLY.", name=path.name, version=version)
    if count > _SPLATS_CEILING or degree not in _REST or not (version == 1 or 1 <= bits <= _MOST_BITS):
        _refuse(path, "its header promises what cannot be")
    sizes = [9 if version > 1 else 6, 1, 3, 3, 4 if version > 2 else 3, 3 * _REST[degree]]
    lengths = [size * count for size in sizes]
    if sum(lengths) > _BYTES_CEILING:
        _refuse(path, "it is implausibly large")
    if version == 4:
        body = list(_read_streams(data, lengths, path))
    else:
        whole = _inflate(data, _HEAD.size + sum(lengths), path)
        ends = np.cumsum([_HEAD.size, *lengths])
        body = [whole[start:stop] for start, stop in pairwise(ends)]
    return _Packed(version, count, degree, bits, *(np.frombuffer(part, dtype=np.uint8) for part in body))


def _inflate(data: bytes, wanted: int, path: Path, partly: bool = False) -> bytes:
    """`wanted` bytes out of a gzip stream, which must end there unless it is looked at `partly`."""
    if wanted > len(data) * _RATIO_CEILING:
        _refuse(path, "it holds less than its header promises")
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        found = stream.decompress(data, wanted + (0 if partly else 1))
    except zlib.error:
        _refuse(path, "it cannot be unpacked")
    if len(found) != wanted or not (partly or stream.eof):
        _refuse(path, "it does not hold what its header promises")
    return found


def _read_streams(data: bytes, lengths: list[int], path: Path) -> Iterator[bytes]:
    """The sections of version 4: a table of (packed, unpacked) sizes, then the streams; empty ones are left out."""
    if len(data) < _HEAD_4_BYTES:
        _refuse(path, "it ends too early")
    *_, streams, table = _HEAD_4.unpack_from(data)
    position = table + streams * _STREAM.size
    if streams != sum(length > 0 for length in lengths) or not _HEAD_4_BYTES <= table <= position <= len(data):
        _refuse(path, "its table of sections cannot be")
    for k, length in enumerate(lengths):
        if not length:
            yield b""
            continue
        packed, unpacked = _STREAM.unpack_from(data, table + _STREAM.size * sum(n > 0 for n in lengths[:k]))
        if unpacked != length or packed > len(data) - position:
            _refuse(path, "a section does not hold what its header promises")
        yield _unpack_stream(data[position : position + packed], length, path)
        position += packed


def _unpack_stream(data: bytes, length: int, path: Path) -> bytes:
    try:
        if zstandard.frame_content_size(data) not in (-1, length):
            _refuse(path, "a section does not hold what its header promises")
        found: bytes = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompress(data, max_output_size=length)
    except zstandard.ZstdError:
        _refuse(path, "it cannot be unpacked")
    if len(found) != length:
        _refuse(path, "a section does not hold what its header promises")
    return found


def unpack_splats(packed: _Packed) -> dict[str, NDArray[Any]]:
    """The fields of Splats."""
    n = packed.count
    colors = (packed.colors.reshape(n, 1, 3).astype(np.float32) / 255 - 0.5) / _COLOR_SCALE
    rest = (packed.harmonics.reshape(n, -1, 3).astype(np.float32) - 128) / 128
    return {
        "means": _unpack_means(packed),
        "scales": np.exp(packed.scales.reshape(n, 3).astype(np.float32) / 16 - 10),
        "rotations": _unpack_rotations(packed),
        "opacity": packed.alphas.astype(np.float32) / 255,
        "sh": np.concatenate([colors, rest], axis=1).astype(np.float32),
    }


def _unpack_means(packed: _Packed) -> NDArray[np.float32]:
    if packed.version == 1:
        return packed.positions.view("<f2").reshape(-1, 3).astype(np.float32)
    padded = np.zeros((3 * packed.count, 4), dtype=np.uint8)
    padded[:, 1:] = packed.positions.reshape(-1, 3)  # at the top, so that the sign is kept by dividing
    fixed = padded.view("<i4").reshape(-1, 3) >> 8
    return (fixed / 2.0**packed.bits).astype(np.float32)


def _unpack_rotations(packed: _Packed) -> NDArray[np.float32]:
    n = packed.count
    if packed.version < 3:
        xyz = packed.rotations.reshape(n, 3).astype(np.float32) / 127.5 - 1
        w = np.sqrt(np.maximum(0, 1 - (xyz * xyz).sum(axis=1, keepdims=True)))
        return np.concatenate([w, xyz], axis=1).astype(np.float32)
    left = packed.rotations.view("<u4").copy()
    largest = (left >> np.uint32(30)).astype(np.intp)
    q = np.zeros((n, 4), dtype=np.float32)
    for k in (3, 2, 1, 0):
        own = largest != k
        value = (left & np.uint32(_SMALLEST)).astype(np.float32) * np.float32(np.sqrt(0.5) / _SMALLEST)
        value = np.where(left >> np.uint32(9) & np.uint32(1), -value, value)
        q[:, k] = np.where(own, value, 0)
        left = np.where(own, left >> np.uint32(10), left)
    q[np.arange(n), largest] = np.sqrt(np.maximum(0, 1 - (q * q).sum(axis=1)))
    return np.ascontiguousarray(q[:, [3, 0, 1, 2]])
