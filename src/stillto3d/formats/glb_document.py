"""A glTF document in the making: accessors, meshes, splats, materials, and the file that they become.

Textures are encoded by a worker while the rest is put together and written; the description, which stands first
in the file, is written last, into space that is kept for it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import EncodeImage
from ..project.geometry import Material, Mesh, Points, Splats
from ..project.still import U8
from ..project.tangents import find_normals, find_tangents
from .about import SOFTWARE, About, compose_xmp_packet
from .atomic import replace_file
from .gather import repeats_texture, show_splats
from .glb_reader import check_glb
from .options import WriteOptions
from .strict_json import write_json

_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_UNSIGNED_SHORT, _UNSIGNED_INT, _FLOAT = 5123, 5125, 5126
_POINTS = 0
_CLAMP_TO_EDGE, _REPEAT, _LINEAR, _LINEAR_MIPMAP_LINEAR = 33071, 10497, 9729, 9987
_SIZE_CEILING = (1 << 32) - 1
_WRITE_PIECE = 8 << 20
_ALPHA = "alphaMode"

SPLATTING = "KHR_gaussian_splatting"

Entry = dict[str, Any]


@dataclass(frozen=True)
class _Picture:
    """A texture that is being encoded: its view in the document, and the bytes to come."""

    view: Entry
    data: Future[bytes]


class GlbDocument:
    """Collects a glTF document and the pieces of its binary chunk, without copying large arrays.

    To be used as a context: leaving it waits for the texture that is being encoded.
    """

    def __init__(self, run: Run, about: About, options: WriteOptions) -> None:
        self._run, self._options = run, options
        self._pieces: list[memoryview] = []
        self._length = 0
        self._pictures: list[_Picture] = []
        self._textures: dict[Any, int] = {}
        self._materials: dict[Any, int] = {}
        self._encoder = ThreadPoolExecutor(1, "texture")
        asset = {"version": "2.0", "generator": SOFTWARE, "extras": about.describe()}
        asset["extensions"] = {"KHR_xmp_json_ld": {"packet": 0}}
        self._doc: dict[str, Any] = {"asset": asset, "scene": 0, "nodes": []}
        self._extend("KHR_xmp_json_ld", {"packets": [compose_xmp_packet(about)]})
        self._about = about

    def __enter__(self) -> GlbDocument:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._encoder.shutdown(wait=True, cancel_futures=True)

    def add(self, kind: str, entry: Entry) -> int:
        """An entry of one kind ("nodes", "meshes", ...); answers its index."""
        entries: list[Entry] = self._doc.setdefault(kind, [])
        entries.append(entry)
        return len(entries) - 1

    def _extend(self, name: str, root: Entry | None = None, required: bool = False) -> None:
        lists = ["extensionsUsed", "extensionsRequired"] if required else ["extensionsUsed"]
        for key in lists:
            if name not in self._doc.setdefault(key, []):
                self._doc[key].append(name)
        if root is not None:
            self._doc.setdefault("extensions", {})[name] = root

    # ------------------------------------------------------------------ geometry

    def add_mesh(self, name: str, mesh: Mesh, double_sided: bool) -> int | None:
        """A mesh without seams; None without triangles. Raises BadInput for uvs that are not numbers."""
        if not len(mesh.faces):
            return None
        textured = mesh.material is not None and mesh.uvs is not None
        # glTF multiplies vertex colours into the texture: here they stand in for one that is missing
        attributes = self._add_common(mesh.positions, None if textured else mesh.colors, mesh.observed)
        if textured and mesh.uvs is not None and not np.isfinite(mesh.uvs).all():
            message = "{name} holds texture coordinates that are not numbers."
            raise BadInput(message, "Make it again.", name=name)
        attributes |= self._add_normals(
            mesh, textured and mesh.material is not None and mesh.material.normals is not None
        )
        if textured and mesh.uvs is not None:
            attributes["TEXCOORD_0"] = self._add_vectors("VEC2", mesh.uvs)
        primitive = {
            "attributes": attributes,
            "indices": self._add_indices(mesh.faces, len(mesh.positions)),
            "material": self._add_material(
                mesh.material if textured else None,
                double_sided,
                textured and mesh.uvs is not None and repeats_texture(mesh.uvs),
            ),
        }
        return self.add("meshes", {"name": name, "primitives": [primitive]})

    def _add_normals(self, mesh: Mesh, mapped: bool) -> dict[str, int]:
        """NORMAL where the mesh has them, and TANGENT beside it under a map of normals."""
        normals = None if mesh.normals is None else _straighten(mesh.normals)
        if normals is None and mapped:
            normals = find_normals(mesh)
        if normals is None:
            return {}
        told = {"NORMAL": self._add_vectors("VEC3", normals)}
        return told | ({"TANGENT": self._add_vectors("VEC4", find_tangents(mesh, normals))} if mapped else {})

    def add_points(self, name: str, points: Points) -> int | None:
        """Coloured points; None without any."""
        if not len(points.positions):
            return None
        attributes = self._add_common(points.positions, points.colors, points.observed)
        primitive = {"mode": _POINTS, "attributes": attributes, "material": self._add_material(None, False)}
        return self.add("meshes", {"name": name, "primitives": [primitive]})

    def add_splats(self, name: str, splats: Splats) -> int | None:
        """Gaussians as KHR_gaussian_splatting; a reader without it shows coloured points. None without any."""
        if not len(splats.means):
            return None
        colors = show_splats(splats)
        attributes = self._add_common(splats.means, colors, splats.observed, splats.opacity)
        quaternions = splats.rotations[:, [1, 2, 3, 0]]
        values = {
            "ROTATION": ("VEC4", quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)),
            "SCALE": ("VEC3", splats.scales),
            "OPACITY": ("SCALAR", splats.opacity),
        }
        for degree in range(4):
            for k in range(2 * degree + 1):
                index = degree * degree + k
                if index < splats.sh.shape[1]:
                    values[f"SH_DEGREE_{degree}_COEF_{k}"] = ("VEC3", splats.sh[:, index])
        for key, (kind, array) in values.items():
            attributes[f"{SPLATTING}:{key}"] = self._add_vectors(kind, array)
        looks = {
            "kernel": "ellipse",
            "colorSpace": "srgb_rec709_display",
            "projection": "perspective",
            "sortingMethod": "cameraDistance",
        }
        self._extend(SPLATTING)
        primitive = {
            "mode": _POINTS,
            "attributes": attributes,
            "material": self._add_material(None, False),
            "extensions": {SPLATTING: looks},
        }
        return self.add("meshes", {"name": name, "primitives": [primitive]})

    # ------------------------------------------------------------------ materials

    def _add_material(self, material: Material | None, double_sided: bool, repeat: bool = False) -> int:
        key = (id(material), double_sided, repeat)
        if key not in self._materials:
            surface: Entry = {"metallicFactor": 0.0, "roughnessFactor": 0.9}
            entry: Entry = {"pbrMetallicRoughness": surface}
            if material is not None:
                surface["metallicFactor"] = float(material.metallic)
                surface["roughnessFactor"] = float(material.roughness)
                surface["baseColorTexture"] = {"index": self._add_texture(material.base_color, repeat)}
                if material.surface is not None:
                    packed = {"index": self._add_texture(material.surface, repeat, data=True)}
                    surface["metallicRoughnessTexture"] = packed
                    if material.surface[..., 0].min(initial=255) < 255:
                        entry["occlusionTexture"] = packed
                if material.normals is not None:
                    entry["normalTexture"] = {"index": self._add_texture(material.normals, repeat, data=True)}
                if material.base_color.shape[2] == 4:
                    entry[_ALPHA] = "BLEND"
            if double_sided:
                entry["doubleSided"] = True
            if material is None or material.unlit:  # the still's light is in the colours
                entry["extensions"] = {"KHR_materials_unlit": {}}
                self._extend("KHR_materials_unlit")
            self._materials[key] = self.add("materials", entry)
        return self._materials[key]

    def _add_texture(self, pixels: U8, repeat: bool, data: bool = False) -> int:
        """A texture's index; `data`: of numbers, not colours, which "auto" does not make worse."""
        key = (pixels.__array_interface__["data"][0], pixels.shape, pixels.strides, repeat)
        if key not in self._textures:
            kind = "png" if data and self._options.texture == "auto" else choose_encoding(pixels, self._options)
            ask = EncodeImage(pixels, kind, self._options.quality, self._options.texture_size)
            view: Entry = {"buffer": 0, "byteOffset": _SIZE_CEILING, "byteLength": _SIZE_CEILING}
            self._pictures.append(_Picture(view, self._encoder.submit(self._run.call, ask)))
            image = self.add("images", {"mimeType": f"image/{kind}", "bufferView": self.add("bufferViews", view)})
            texture: Entry = {"sampler": self._add_sampler(_REPEAT if repeat else _CLAMP_TO_EDGE), "source": image}
            if kind == "webp":
                del texture["source"]
                texture["extensions"] = {"EXT_texture_webp": {"source": image}}
                self._extend("EXT_texture_webp", required=True)
            self._textures[key] = self.add("textures", texture)
        return self._textures[key]

    def _add_sampler(self, wrap: int) -> int:
        sampler = {"magFilter": _LINEAR, "minFilter": _LINEAR_MIPMAP_LINEAR, "wrapS": wrap, "wrapT": wrap}
        samplers: list[Entry] = self._doc.setdefault("samplers", [])
        return samplers.index(sampler) if sampler in samplers else self.add("samplers", sampler)

    # ------------------------------------------------------------------ accessors

    def _add_common(
        self,
        positions: NDArray[np.float32],
        colors: U8 | None,
        observed: U8 | None,
        opacity: NDArray[np.float32] | None = None,
    ) -> dict[str, int]:
        """What meshes, points and splats share: POSITION, COLOR_0 and _OBSERVED."""
        columns = np.ascontiguousarray(positions.T)  # numpy is forty times slower along rows of three
        bounds = {"min": columns.min(axis=1).tolist(), "max": columns.max(axis=1).tolist()}
        attributes = {"POSITION": self._add_vectors("VEC3", positions, **bounds)}
        if colors is not None:
            rgba = np.full((len(colors), 4), 65535, dtype=np.uint16)
            rgba[:, :3] = _LINEAR_OF_SRGB[colors]
            if opacity is not None:
                rgba[:, 3] = np.rint(np.clip(opacity, 0, 1) * 65535)
            view = self._add_view(_view_bytes(rgba), _ARRAY_BUFFER)
            attributes["COLOR_0"] = self._add_accessor(view, _UNSIGNED_SHORT, len(rgba), "VEC4", normalized=True)
        if observed is not None:  # as float: four bytes each, and every reader takes it
            attributes["_OBSERVED"] = self._add_vectors("SCALAR", observed.astype(np.float32))
        return attributes

    def _add_vectors(self, kind: str, values: NDArray[np.float32], **more: Any) -> int:
        view = self._add_view(_view_bytes(values.astype("<f4", copy=False)), _ARRAY_BUFFER)
        return self._add_accessor(view, _FLOAT, len(values), kind, **more)

    def _add_indices(self, faces: NDArray[np.uint32], vertices: int) -> int:
        small = vertices <= 65535  # the index 65535 itself is reserved
        flat = faces.reshape(-1).astype("<u2" if small else "<u4", copy=False)
        view = self._add_view(_view_bytes(flat), _ELEMENT_ARRAY_BUFFER)
        return self._add_accessor(view, _UNSIGNED_SHORT if small else _UNSIGNED_INT, len(flat), "SCALAR")

    def _add_accessor(self, view: int, component: int, count: int, kind: str, **more: Any) -> int:
        entry = {"bufferView": view, "componentType": component, "count": count, "type": kind, **more}
        return self.add("accessors", entry)

    def _add_view(self, data: memoryview, target: int) -> int:
        self._run.check()
        entry = {"buffer": 0, "byteOffset": self._length, "byteLength": len(data), "target": target}
        self._keep(data)
        return self.add("bufferViews", entry)

    def _keep(self, data: memoryview) -> None:
        padding = -len(data) % 4
        self._pieces += [data, memoryview(bytes(padding))]
        self._length += len(data) + padding

    # ------------------------------------------------------------------ the file

    def write(self, path: Path, root: Entry) -> None:
        """The file, with `root` as the one node of its one scene. Raises BadInput beyond 4 GB."""
        scene = {"name": root["name"], "nodes": [self.add("nodes", root)], "extras": self._about.describe()}
        self._doc["scenes"] = [scene]
        holds_data = bool(self._length or self._pictures)
        if holds_data:
            self._doc["buffers"] = [{"byteLength": _SIZE_CEILING}]
        kept = len(write_json(self._doc))  # with every unknown length at its longest
        kept += -kept % 4
        self._refuse_beyond(28 + kept + self._length)
        with replace_file(path, check_glb) as file:
            file.seek(20 + kept + (8 if holds_data else 0))
            self._write_pieces(file)
            self._write_pictures(file)
            total = self._refuse_beyond(20 + kept + (8 + self._length if holds_data else 0))
            if holds_data:
                self._doc["buffers"][0]["byteLength"] = self._length
            text = write_json(self._doc).ljust(kept)
            file.seek(0)
            file.write(struct.pack("<4sIIII", b"glTF", 2, total, kept, 0x4E4F534A) + text)
            if holds_data:
                file.write(struct.pack("<II", self._length, 0x004E4942))

    @staticmethod
    def _refuse_beyond(total: int) -> int:
        if total > _SIZE_CEILING:
            message = "The scene is too large for a GLB, which ends at 4 GB."
            raise BadInput(message, "Reduce its detail or write layers apart.")
        return total

    def _write_pieces(self, file: BinaryIO) -> None:
        done = 0
        for piece in self._slice_pieces():
            file.write(piece)
            done += len(piece)
            self._run.progress(0.5 * done / max(1, self._length))
        if any(not picture.data.done() for picture in self._pictures):  # sync what there is, instead of waiting idly
            file.flush()
            os.fsync(file.fileno())

    def _write_pictures(self, file: BinaryIO) -> None:
        for k, picture in enumerate(self._pictures):
            data = picture.data.result()
            picture.view.update(byteOffset=self._length, byteLength=len(data))
            padding = -len(data) % 4
            file.write(data)
            file.write(bytes(padding))
            self._length += len(data) + padding
            self._run.progress(0.5 + 0.5 * (k + 1) / len(self._pictures))

    def _slice_pieces(self) -> Iterator[memoryview]:
        for data in self._pieces:
            for start in range(0, len(data), _WRITE_PIECE):
                self._run.check()
                yield data[start : start + _WRITE_PIECE]


# ---------------------------------------------------------------------- values


def choose_encoding(pixels: U8, options: WriteOptions) -> str:
    """ "jpeg", "png" or "webp" for a texture; alpha never goes into a JPEG."""
    alpha = pixels.shape[2] == 4
    if options.texture in ("auto", "jpeg"):
        return "png" if alpha else "jpeg"
    return options.texture


def _make_linear_table() -> NDArray[np.uint16]:
    """sRGB's u8 codes as linear light in u16 (IEC 61966-2-1)."""
    s = np.arange(256) / 255.0
    linear = np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)
    table: NDArray[np.uint16] = np.rint(linear * 65535).astype(np.uint16)
    return table


_LINEAR_OF_SRGB = _make_linear_table()


def _view_bytes(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _straighten(normals: NDArray[np.float32]) -> NDArray[np.float32]:
    """The normals at unit length; those without a direction point up."""
    lengths = np.linalg.norm(normals, axis=1)
    lost = ~np.isfinite(lengths) | (lengths < 1e-12)
    if not lost.any() and np.abs(lengths - 1).max(initial=0) < 1e-4:
        return normals
    unit = normals / np.where(lost, 1, lengths)[:, None]
    unit[lost] = (0, 1, 0)
    return unit.astype(np.float32)
