"""One frame of the wire: a JSON head and raw arrays, read and written over pipes.

`magic (4) | head length (u32) | JSON head (UTF-8) | arrays back to back`, everything little-endian, arrays in
C order. The head is `{"kind": ..., fields..., "arrays": [[name, dtype, shape], ...]}`. docs/WORKER.md is the
specification. No pickle, and ceilings on every size, so a frame from a broken peer is refused, not obeyed.
"""

from __future__ import annotations

import json
import os
import struct
from typing import Any, Dict, Iterable, List, NamedTuple, Tuple

import numpy as np

MAGIC = b"S3W1"
PROTOCOL = 1
HEAD_CEILING = 64 << 20
ARRAYS_CEILING = 4 << 30
_DTYPES = frozenset(["|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f2", "<f4", "<f8", "|b1"])
_START = struct.Struct("<4sI")
_PIECE = 1 << 20


class WireError(Exception):
    """The peer wrote something that is not a frame, or the pipe broke in the middle of one."""


class Frame(NamedTuple):
    """A message: its kind, JSON fields and named arrays."""

    kind: str
    fields: Dict[str, Any]
    arrays: Dict[str, np.ndarray]


def split_reply(values: Dict[str, Any]) -> Tuple[Dict[str, Any], Dict[str, np.ndarray]]:
    """A dict of arrays and JSON values, sorted apart (numpy scalars become Python's)."""
    arrays = {k: v for k, v in values.items() if isinstance(v, np.ndarray)}
    scalars = {k: v.item() if isinstance(v, np.generic) else v for k, v in values.items() if k not in arrays}
    return scalars, arrays


def encode_frame(kind: str, fields: Dict[str, Any], arrays: Dict[str, np.ndarray]) -> List[memoryview]:
    """The pieces of a frame, in order, without copying contiguous little-endian arrays."""
    listing = []
    bodies = []
    for name, array in arrays.items():
        flat = np.ascontiguousarray(array)
        flat = flat.astype(flat.dtype.newbyteorder("<"), copy=False)
        if flat.dtype.str not in _DTYPES:
            raise WireError(f"array {name!r} has the dtype {flat.dtype}, which the wire does not carry")
        listing.append([name, flat.dtype.str, list(array.shape)])
        if flat.size:
            bodies.append(memoryview(flat.reshape(-1).view(np.uint8).data))
    head = json.dumps({**fields, "kind": kind, "arrays": listing}, allow_nan=False).encode("ascii")
    if len(head) > HEAD_CEILING or sum(len(b) for b in bodies) > ARRAYS_CEILING:
        raise WireError("the frame is larger than the wire allows")
    return [memoryview(_START.pack(MAGIC, len(head)) + head), *bodies]


def write_frame(fd: int, pieces: Iterable[memoryview]) -> None:
    """Write a frame to a pipe; raises OSError when the reader is gone."""
    for piece in pieces:
        offset = 0
        while offset < len(piece):
            offset += os.write(fd, piece[offset : offset + _PIECE])


def _read_exactly(fd: int, target: memoryview) -> bool:
    """Fill `target`; False at a clean end before the first byte."""
    got = 0
    while got < len(target):
        n = os.readv(fd, [target[got:]]) if hasattr(os, "readv") else _read_into(fd, target[got:])
        if n == 0:
            if got == 0:
                return False
            raise WireError("the pipe ended in the middle of a frame")
        got += n
    return True


def _read_into(fd: int, target: memoryview) -> int:
    data = os.read(fd, min(len(target), _PIECE))
    target[: len(data)] = data
    return len(data)


def _read_body(fd: int, what: str, size: int) -> memoryview:
    try:
        body = np.empty(size, dtype=np.uint8).data
    except MemoryError as error:
        raise WireError(f"no memory for {size} bytes of {what}") from error
    if size and not _read_exactly(fd, body):
        raise WireError(f"the pipe ended before the {what}")
    return body


def read_frame(fd: int) -> "Frame | None":
    """The next frame, or None at a clean end of file. Raises WireError for anything that is not a frame."""
    start = bytearray(_START.size)
    if not _read_exactly(fd, memoryview(start)):
        return None
    magic, length = _START.unpack(start)
    if magic != MAGIC or length > HEAD_CEILING:
        raise WireError(f"not a frame: {bytes(start)!r}")
    try:
        fields = json.loads(bytes(_read_body(fd, "head", length)))
        kind, listing = fields.pop("kind"), fields.pop("arrays")
        shapes = [_check_listing(entry) for entry in listing]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WireError(f"the frame's head is broken: {error}") from error
    if sum(size for _, _, _, size in shapes) > ARRAYS_CEILING:
        raise WireError("the frame's arrays are larger than the wire allows")
    arrays = {
        name: np.frombuffer(_read_body(fd, name, size), dtype=dtype).reshape(shape)
        for name, dtype, shape, size in shapes
    }
    return Frame(kind, fields, arrays)


def _check_listing(entry: Any) -> Tuple[str, str, Tuple[int, ...], int]:
    name, dtype, shape = entry
    if not isinstance(name, str) or dtype not in _DTYPES:
        raise ValueError(f"array {name!r} of dtype {dtype!r}")
    if len(shape) > 8 or any(not isinstance(n, int) or n < 0 for n in shape):
        raise ValueError(f"array {name!r} of shape {shape!r}")
    count = 1
    for n in shape:
        count *= n  # Python integers: no overflow
    return name, dtype, tuple(shape), count * np.dtype(dtype).itemsize
