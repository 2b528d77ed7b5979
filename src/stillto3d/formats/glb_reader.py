"""GLB (glTF 2.0): our structural reader, which believes nothing that a file says of itself.

Every length, range and index is checked before it is used; nothing outside the file is ever opened.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from .strict_json import CEILING, read_json

_MAGIC, _JSON, _BIN = b"glTF", 0x4E4F534A, 0x004E4942
_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_ENTRIES_CEILING = 1_000_000
_ELEMENTS_CEILING = 1 << 28

Entry = dict[str, Any]


@dataclass(frozen=True)
class Glb:
    """A checked GLB: its document, and where its binary chunk lies in the file."""

    path: Path
    document: Entry
    binary_offset: int
    binary_length: int

    def list(self, kind: str) -> list[Entry]:
        """The document's entries of one kind ("nodes", "meshes", ...)."""
        entries: list[Entry] = self.document.get(kind, [])
        return entries

    def read_view(self, index: int) -> bytes:
        """The bytes of a buffer view."""
        view = self.list("bufferViews")[index]
        with self.path.open("rb") as file:
            file.seek(self.binary_offset + view.get("byteOffset", 0))
            return _read(file, view["byteLength"], self.path)

    def read_accessor(self, index: int) -> NDArray[Any]:
        """The values of an accessor, [count, width], as stored (not normalised). BadInput if sparse."""
        entry = self.list("accessors")[index]
        if "bufferView" not in entry or "sparse" in entry:
            _refuse(self.path, "an accessor holds no plain values")
        dtype, width, step = _measure_accessor(self.list("bufferViews"), entry)
        data = np.frombuffer(self.read_view(entry["bufferView"]), dtype=np.uint8)
        start, count, size = entry.get("byteOffset", 0), entry["count"], dtype.itemsize * width
        rows = np.lib.stride_tricks.as_strided(data[start:], (count, size), (step, 1), writeable=False)
        return np.ascontiguousarray(rows).view(dtype).reshape(count, width)


def open_glb(path: Path) -> Glb:
    """The checked document of a .glb (or of a .gltf without any other file). Raises BadInput and OSError."""
    with path.open("rb") as file:
        size = path.stat().st_size
        head = file.read(4)
        if head == _MAGIC:
            text, offset, length = _read_chunks(file, size, path)
        else:
            if size > CEILING:
                _refuse(path, "it is not a GLB")
            text, offset, length = head + file.read(CEILING), 0, 0
    glb = Glb(path, read_json(text, path.name), offset, length)
    try:
        _check_document(glb)
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise BadInput(_DAMAGED, name=path.name, what="a field is missing or of the wrong type") from error
    return glb


def check_glb(path: Path) -> Glb:
    """`open_glb`, and the values too: indices name existing vertices, positions and uvs are numbers."""
    glb = open_glb(path)
    accessors, checked = glb.list("accessors"), set()
    for primitive in _list_primitives(glb):
        attributes = primitive["attributes"]
        for name in ("POSITION", "NORMAL", "TEXCOORD_0"):
            if name in attributes and attributes[name] not in checked:
                checked.add(attributes[name])
                if not _is_finite(glb.read_accessor(attributes[name])):
                    _refuse(path, f"{name} holds values that are not numbers")
        if "indices" in primitive:
            count, index = accessors[attributes["POSITION"]]["count"], primitive["indices"]
            if (index, count) not in checked and int(glb.read_accessor(index).max()) >= count:
                _refuse(path, "a triangle names a vertex that does not exist")
            checked.add((index, count))
    return glb


def walk_nodes(glb: Glb) -> Iterator[tuple[Entry, NDArray[np.float64]]]:
    """Every node of the default scene with its world transform f64[4, 4], parents first."""
    nodes, scenes = glb.list("nodes"), glb.list("scenes")
    if not scenes:
        return
    roots = scenes[glb.document.get("scene", 0)].get("nodes", [])
    waiting = [(index, np.eye(4)) for index in reversed(roots)]
    while waiting:
        index, parent = waiting.pop()
        world = parent @ read_transform(nodes[index])
        yield nodes[index], world
        waiting += [(child, world) for child in reversed(nodes[index].get("children", []))]


def read_transform(node: Entry) -> NDArray[np.float64]:
    """A node's own transform f64[4, 4]."""
    if "matrix" in node:
        return np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    matrix = np.eye(4)
    x, y, z, w = node.get("rotation", (0.0, 0.0, 0.0, 1.0))
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] *= np.array(node.get("scale", (1.0, 1.0, 1.0)))
    matrix[:3, 3] = node.get("translation", (0.0, 0.0, 0.0))
    return matrix


# ---------------------------------------------------------------------- the container

_DAMAGED = "{name} is damaged: {what}."


def _refuse(path: Path, what: str) -> NoReturn:
    raise BadInput(_DAMAGED, name=path.name, what=what)


def _read(file: BinaryIO, length: int, path: Path) -> bytes:
    data = file.read(length)
    if len(data) != length:
        _refuse(path, "it ends too early")
    return data


def _read_chunks(file: BinaryIO, size: int, path: Path) -> tuple[bytes, int, int]:
    """The JSON text, and offset and length of the binary chunk (0, 0 without one)."""
    version, total = struct.unpack("<II", _read(file, 8, path))
    if version != 2:
        _refuse(path, f"its version is {version}, not 2")
    if total != size:
        _refuse(path, f"it says that it holds {total} bytes and holds {size}")
    length, kind = struct.unpack("<II", _read(file, 8, path))
    if kind != _JSON or length > min(CEILING, size - 20):
        _refuse(path, "its description does not fit into it")
    text = _read(file, length, path)
    position, binary = 20 + length, (0, 0)
    while position < size:
        if size - position < 8:
            _refuse(path, "it ends in the middle of a chunk")
        length, kind = struct.unpack("<II", _read(file, 8, path))
        position += 8
        if length > size - position:
            _refuse(path, "a chunk runs out of the file")
        if kind == _BIN and binary == (0, 0):
            binary = (position, length)
        position += length
        file.seek(position)
    return text, *binary


# ---------------------------------------------------------------------- the document


def _check_document(glb: Glb) -> None:
    document, path = glb.document, glb.path
    if not str(document["asset"]["version"]).startswith("2."):
        _refuse(path, "it is not glTF 2")
    for kind, entries in document.items():
        if isinstance(entries, list):
            if len(entries) > _ENTRIES_CEILING:
                _refuse(path, f"it holds too many {kind}")
            if not kind.startswith("extensions") and not all(isinstance(e, dict) for e in entries):
                _refuse(path, f"an entry of its {kind} is not an object")
    _check_buffers(glb)
    for view in glb.list("bufferViews"):
        _check_view(glb, view)
    for accessor in glb.list("accessors"):
        _check_accessor(glb, accessor)
    _check_pictures(glb)
    elements = sum(_check_primitive(glb, primitive) for primitive in _list_primitives(glb))
    if elements > _ELEMENTS_CEILING:
        _refuse(path, "its meshes are implausibly large")
    _check_nodes(glb)


def _number(glb: Glb, entry: Entry, key: str, low: int, high: int, default: int | None = None) -> int:
    value = entry.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        _refuse(glb.path, f"{key} is {str(value)[:40]}, which cannot be")
    return value


def _index(glb: Glb, entry: Entry, key: str, kind: str) -> int:
    """`entry[key]` as an index into the document's `kind`."""
    return _number(glb, entry, key, 0, len(glb.list(kind)) - 1)


def _check_buffers(glb: Glb) -> None:
    for k, buffer in enumerate(glb.list("buffers")):
        if "uri" in buffer:
            message = "{name} needs other files, which are not opened."
            raise BadInput(message, "Export it as one GLB file.", name=glb.path.name)
        _number(glb, buffer, "byteLength", 1, glb.binary_length if k == 0 else 0)


def _check_view(glb: Glb, view: Entry) -> None:
    size = glb.list("buffers")[_index(glb, view, "buffer", "buffers")]["byteLength"]
    offset = _number(glb, view, "byteOffset", 0, size, 0)
    _number(glb, view, "byteLength", 1, size - offset)
    if "byteStride" in view:
        _number(glb, view, "byteStride", 4, 252)


def _measure_accessor(views: list[Entry], entry: Entry) -> tuple[np.dtype[Any], int, int]:
    """Component dtype, components per element, and bytes from one element to the next."""
    dtype, width = np.dtype(_COMPONENTS[entry["componentType"]]), _WIDTHS[entry["type"]]
    own = dtype.itemsize * width
    return dtype, width, views[entry["bufferView"]].get("byteStride", own) if "bufferView" in entry else own


def _check_accessor(glb: Glb, entry: Entry) -> None:
    if entry["componentType"] not in _COMPONENTS or entry["type"] not in _WIDTHS:
        _refuse(glb.path, "an accessor is of an unknown type")
    count = _number(glb, entry, "count", 1, 1 << 32)
    if "sparse" in entry:
        for part in ("indices", "values"):
            _index(glb, entry["sparse"][part], "bufferView", "bufferViews")
        _number(glb, entry["sparse"], "count", 1, count)
    if "bufferView" not in entry:
        return
    view = glb.list("bufferViews")[_index(glb, entry, "bufferView", "bufferViews")]
    dtype, width, step = _measure_accessor(glb.list("bufferViews"), entry)
    offset = _number(glb, entry, "byteOffset", 0, view["byteLength"], 0)
    if step < dtype.itemsize * width or offset + step * (count - 1) + dtype.itemsize * width > view["byteLength"]:
        _refuse(glb.path, "an accessor runs out of its buffer")


def _check_pictures(glb: Glb) -> None:
    for image in glb.list("images"):
        if "uri" in image:
            message = "{name} needs other files, which are not opened."
            raise BadInput(message, "Export it as one GLB file.", name=glb.path.name)
        _index(glb, image, "bufferView", "bufferViews")
    for texture in glb.list("textures"):
        for key, kind in (("source", "images"), ("sampler", "samplers")):
            if key in texture:
                _index(glb, texture, key, kind)
    for material in glb.list("materials"):
        surface = material.get("pbrMetallicRoughness", {})
        slots = [surface.get(k) for k in ("baseColorTexture", "metallicRoughnessTexture")]
        slots += [material.get(k) for k in ("normalTexture", "occlusionTexture", "emissiveTexture")]
        for slot in slots:
            if slot is not None:
                _index(glb, slot, "index", "textures")


def _list_primitives(glb: Glb) -> Iterator[Entry]:
    for mesh in glb.list("meshes"):
        yield from mesh["primitives"]


def _check_primitive(glb: Glb, primitive: Entry) -> int:
    """How many vertices and indices the primitive walks through."""
    accessors, attributes = glb.list("accessors"), primitive["attributes"]
    _index(glb, attributes, "POSITION", "accessors")
    count = accessors[attributes["POSITION"]]["count"]
    for name in attributes:
        if accessors[_index(glb, attributes, name, "accessors")]["count"] != count:
            _refuse(glb.path, "the attributes of a mesh differ in length")
    elements: int = count
    if accessors[attributes["POSITION"]]["type"] != "VEC3":
        _refuse(glb.path, "POSITION is not a vector of three")
    if "indices" in primitive:
        indices = accessors[_index(glb, primitive, "indices", "accessors")]
        elements += indices["count"]
        if indices["type"] != "SCALAR" or indices["componentType"] not in (5121, 5123, 5125):
            _refuse(glb.path, "the indices of a mesh are not whole numbers")
    if "material" in primitive:
        _index(glb, primitive, "material", "materials")
    _number(glb, primitive, "mode", 0, 6, 4)
    return elements


def _check_nodes(glb: Glb) -> None:
    """Indices, transforms, and that the nodes are trees: no node has two parents or is its own ancestor."""
    nodes = glb.list("nodes")
    parents = [-1] * len(nodes)
    for k, node in enumerate(nodes):
        for key, kind in (("mesh", "meshes"), ("camera", "cameras"), ("skin", "skins")):
            if key in node:
                _index(glb, node, key, kind)
        for key, length in (("matrix", 16), ("translation", 3), ("rotation", 4), ("scale", 3)):
            if key in node:
                _check_numbers(glb, node[key], length)
        for child in node.get("children", []):
            _number(glb, {"child": child}, "child", 0, len(nodes) - 1)
            if parents[child] != -1:
                _refuse(glb.path, "a node hangs under two others")
            parents[child] = k
    _refuse_cycles(glb, parents)
    for scene in glb.list("scenes"):
        roots = scene.get("nodes", [])
        if len(set(roots)) != len(roots):
            _refuse(glb.path, "a scene names a node twice")
        for root in roots:
            _number(glb, {"node": root}, "node", 0, len(nodes) - 1)
            if parents[root] != -1:
                _refuse(glb.path, "a scene begins with a node that hangs under another")
    if "scene" in glb.document:
        _index(glb, glb.document, "scene", "scenes")


def _refuse_cycles(glb: Glb, parents: list[int]) -> None:
    """With one parent each, nodes that no root reaches run in a circle."""
    children: dict[int, list[int]] = {}
    for k, parent in enumerate(parents):
        children.setdefault(parent, []).append(k)
    reached, waiting = 0, list(children.get(-1, []))
    while waiting:
        reached += 1
        waiting += children.get(waiting.pop(), [])
    if reached != len(parents):
        _refuse(glb.path, "its nodes run in a circle")


def _check_numbers(glb: Glb, values: Any, length: int) -> None:
    plain = isinstance(values, list) and len(values) == length
    if not plain or not all(type(v) in (int, float) and math.isfinite(v) for v in values):
        _refuse(glb.path, "the place of a node is not made of numbers")


def _is_finite(values: NDArray[Any]) -> bool:
    return values.dtype.kind != "f" or bool(np.isfinite(values).all())
