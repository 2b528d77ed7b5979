"""PLY: a reader that trusts no header.

Counts are held against the file before memory is taken; what a face names exists; text is read up to 64 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput

_HEADER_CEILING = 1 << 16
_TEXT_CEILING = 64 << 20
_TYPES = {
    **{"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"},
    **{"float": "f4", "double": "f8", "float32": "f4", "float64": "f8"},
}
_FORMATS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


@dataclass(frozen=True)
class Element:
    """One element of a header: its count, and (name, dtype, dtype of the length or "") of its properties."""

    name: str
    count: int
    properties: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Header:
    """A checked header: byte order ("" for text), elements, comments, and where the data begins."""

    order: str
    elements: tuple[Element, ...]
    comments: tuple[str, ...]
    size: int


@dataclass(frozen=True, eq=False)
class PlyData:
    """What a PLY holds: a structured array of vertices, and u32[m, 3] triangles (fans of its polygons)."""

    header: Header
    vertices: NDArray[Any]
    faces: NDArray[np.uint32]

    def stack(self, *names: str) -> NDArray[Any] | None:
        """Properties of the vertices side by side, [n, k]; None where one is missing."""
        if not set(names) <= set(self.vertices.dtype.names or ()):
            return None
        return np.stack([self.vertices[name] for name in names], axis=1)


def check_points(path: Path) -> PlyData:
    """`read_ply`, and every position is a number. Raises BadInput and OSError."""
    data = read_ply(path)
    for axis in "xyz":
        if not np.isfinite(data.vertices[axis]).all():
            _refuse(path, "it holds positions that are not numbers")
    return data


def read_ply(path: Path) -> PlyData:
    """Vertices and faces of a PLY, text or binary. Other elements must not lie before them.

    Raises BadInput for a header that cannot be, for less data than it promises, and for faces that name
    vertices which do not exist.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        header = read_header(file, path)
        body = _TextBody(file, size, path) if not header.order else _BinaryBody(file, size, header, path)
        vertices: NDArray[Any] | None = None
        faces = np.zeros((0, 3), dtype=np.uint32)
        for element in header.elements:
            if element.name == "vertex":
                vertices = body.read_rows(element)
            elif element.name == "face":
                faces = body.read_faces(element)
            else:
                break
    if vertices is None or not {"x", "y", "z"} <= set(vertices.dtype.names or ()):
        _refuse(path, "it holds no vertices")
    if faces.size and int(faces.max()) >= len(vertices):
        _refuse(path, "a face names a vertex that does not exist")
    return PlyData(header, vertices, faces)


def read_header(file: BinaryIO, path: Path) -> Header:
    """The checked header; the file then stands at its first row. Raises BadInput."""
    head = file.read(_HEADER_CEILING)
    end = head.find(b"end_header")
    stop = head.find(b"\n", end)
    if not head.startswith(b"ply") or end < 0 or stop < 0:
        _refuse(path, "it has no PLY header")
    file.seek(stop + 1)
    order, comments = None, []
    elements: list[tuple[str, int, list[tuple[str, str, str]]]] = []
    for line in head[:end].decode("utf-8", "replace").splitlines()[1:]:
        words = line.split()
        match words:
            case ["format", kind, _] if kind in _FORMATS:
                order = _FORMATS[kind]
            case ["comment" | "obj_info", *_]:
                comments.append(line.strip())
            case ["element", name, count] if count.isascii() and count.isdigit() and len(count) < 12:
                elements.append((name, int(count), []))
            case ["property", "list", length, kind, name] if elements and _is_list(length, kind):
                elements[-1][2].append((name, _TYPES[kind], _TYPES[length]))
            case ["property", kind, name] if elements and kind in _TYPES:
                elements[-1][2].append((name, _TYPES[kind], ""))
            case []:
                pass
            case _:
                _refuse(path, f"its header says {line.strip()[:40]!r}")
    if order is None or not elements:
        _refuse(path, "its header is incomplete")
    for name, _, properties in elements:
        if len({p[0] for p in properties}) != len(properties) or not properties:
            _refuse(path, f"its header describes {name[:40]!r} badly")
    kept = tuple(Element(name, count, tuple(properties)) for name, count, properties in elements)
    return Header(order, kept, tuple(comments), stop + 1)


def _is_list(length: str, kind: str) -> bool:
    return length in _TYPES and kind in _TYPES and _TYPES[length][0] in "iu"


class _BinaryBody:
    """Rows of a binary PLY, read in order."""

    def __init__(self, file: BufferedReader, size: int, header: Header, path: Path) -> None:
        self._file, self._left, self._order, self._path = file, size - header.size, header.order, path

    def _take(self, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """The next `count` values of `dtype`; the promise is held against the file before memory is taken."""
        needed = count * dtype.itemsize
        if needed > self._left:
            _refuse(self._path, "it holds less than its header promises")
        rows = np.empty(count, dtype=dtype)
        if needed and self._file.readinto(rows.view(np.uint8).data) != needed:
            _refuse(self._path, "it ends too early")
        self._left -= needed
        return rows

    def read_rows(self, element: Element) -> NDArray[Any]:
        if any(length for _, _, length in element.properties):
            _refuse(self._path, "its vertices hold lists")
        fields = [(name, self._order + kind) for name, kind, _ in element.properties]
        return self._take(element.count, np.dtype(fields))

    def read_faces(self, element: Element) -> NDArray[np.uint32]:
        """Triangles at one sweep; other polygons one by one."""
        fields: list[Any] = []
        for name, kind, length in element.properties:
            fields += [(f"#{name}", self._order + length)] if length else []
            fields += [(name, self._order + kind, (3,) if length else ())]
        lists = [name for name, _, length in element.properties if length]
        dtype = np.dtype(fields)
        if not lists:
            _refuse(self._path, "its faces name no vertices")
        if element.count * dtype.itemsize <= self._left:
            start, left = self._file.tell(), self._left
            rows = self._take(element.count, dtype)
            if all((rows[f"#{name}"] == 3).all() for name in lists):
                return _check_corners(rows[lists[0]], self._path)
            self._file.seek(start)
            self._left = left
        return _check_corners(_cut_fans(self._walk_faces(element, lists[0])), self._path)

    def _walk_faces(self, element: Element, wanted: str) -> Iterator[NDArray[Any]]:
        for _ in range(element.count):
            for name, kind, length in element.properties:
                count = int(self._take(1, np.dtype(self._order + length))[0]) if length else 1
                if count < 0:
                    _refuse(self._path, "a face has a negative number of corners")
                values = self._take(count, np.dtype(self._order + kind))
                if name == wanted:
                    yield values


class _TextBody:
    """Rows of a text PLY, read in order."""

    def __init__(self, file: BinaryIO, size: int, path: Path) -> None:
        if size > _TEXT_CEILING:
            _refuse(path, "it is text of more than 64 MB")
        self._path, self._position = path, 0
        try:
            self._numbers = np.array(file.read().split(), dtype=np.float64)
        except ValueError:
            _refuse(path, "its text holds something that is not a number")

    def _take(self, count: int) -> NDArray[np.float64]:
        if count > len(self._numbers) - self._position:
            _refuse(self._path, "it holds less than its header promises")
        self._position += count
        return self._numbers[self._position - count : self._position]

    def read_rows(self, element: Element) -> NDArray[Any]:
        if any(length for _, _, length in element.properties):
            _refuse(self._path, "its vertices hold lists")
        width = len(element.properties)
        table = self._take(element.count * width).reshape(element.count, width)
        rows = np.empty(element.count, dtype=[(name, f"<{kind}") for name, kind, _ in element.properties])
        for k, (name, kind, _) in enumerate(element.properties):
            if kind[0] in "iu":
                limits = np.iinfo(kind)
                if not ((table[:, k] >= limits.min) & (table[:, k] <= limits.max)).all():
                    _refuse(self._path, f"{name[:40]} is out of range")
            with np.errstate(over="ignore"):
                rows[name] = table[:, k]
        return rows

    def read_faces(self, element: Element) -> NDArray[np.uint32]:
        lists = [name for name, _, length in element.properties if length]
        if not lists:
            _refuse(self._path, "its faces name no vertices")
        return _check_corners(_cut_fans(self._walk_faces(element, lists[0])), self._path)

    def _walk_faces(self, element: Element, wanted: str) -> Iterator[NDArray[Any]]:
        for _ in range(element.count):
            for name, _, length in element.properties:
                count = self._take(1)[0] if length else 1
                if not 0 <= count <= len(self._numbers):
                    _refuse(self._path, "a face has an impossible number of corners")
                values = self._take(int(count))
                if name == wanted:
                    yield values


def _cut_fans(polygons: Iterator[NDArray[Any]]) -> NDArray[Any]:
    """Polygons as fans of triangles."""
    fans = [np.stack([np.broadcast_to(p[:1], len(p) - 2), p[1:-1], p[2:]], axis=1) for p in polygons if len(p) >= 3]
    return np.concatenate(fans) if fans else np.zeros((0, 3), dtype=np.uint32)


def _check_corners(faces: NDArray[Any], path: Path) -> NDArray[np.uint32]:
    if faces.size and not (faces.min() >= 0 and faces.max() < 1 << 32):
        _refuse(path, "a face names a vertex that does not exist")
    return faces.astype(np.uint32)


def _refuse(path: Path, what: str) -> NoReturn:
    raise BadInput("{name} is damaged: {what}.", name=path.name, what=what)
