"""GLB (glTF 2.0): our own small writer of a whole project, or of one prop alone.

The world is glTF's already (metres, right-handed, Y up, cameras look along -Z), so nothing is turned. glTF
has no principal point: it stands with the other intrinsics in the camera's extras.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import EncodeImage
from ..project.geometry import Geometry, Material, Mesh, Points, Splats, measure_bounds, place_mesh
from ..project.project import Layer, LayerKind, Project, Recipe
from ..project.space import Camera, move_points
from ..project.still import F64, U8
from .atomic import replace_file
from .glb_reader import check_glb
from .strict_json import clean_text, write_json

_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_UNSIGNED_SHORT, _UNSIGNED_INT, _FLOAT = 5123, 5125, 5126
_POINTS = 0
_CLAMP_TO_EDGE, _LINEAR, _LINEAR_MIPMAP_LINEAR = 33071, 9729, 9987
_JPEG_QUALITY = 92
_NEAR_M = 0.01
_SIZE_CEILING = (1 << 32) - 1
_WRITE_PIECE = 8 << 20

SH_C0 = 0.28209479177387814
"""The constant spherical harmonic: colour = 0.5 + SH_C0 * coefficient (Kerbl et al. 2023)."""


def write_glb(run: Run, project: Project, path: Path) -> None:
    """The whole shot: its cameras and every visible layer with geometry, under one node named after the shot.

    Raises BadInput (values that glTF cannot hold), CannotAccess, Cancelled.
    """
    layers = [layer for layer in project.layers if layer.visible and layer.geometry is not None]
    builder = _Builder(run, [*(shot.solved_by for shot in project.shots), *(layer.made_by for layer in layers)])
    corners = _list_corners(layers)
    nodes = []
    for k, shot in enumerate(project.shots):
        if shot.camera is not None:
            name = "camera" if k == 0 else f"camera_{k + 1:02d}"
            nodes.append(builder.add_camera(name, shot.camera, corners))
    for k, layer in enumerate(layers):
        run.progress(0.8 * k / len(layers))
        nodes.append(builder.add_layer(layer))
    extras: dict[str, Any] = {}
    if project.shots:
        still = project.hero.still
        extras["still"] = {"name": clean_text(still.name), "id": still.id}
    root: dict[str, Any] = {"name": clean_text(project.hero.still.name) if project.shots else "shot"}
    if nodes:
        root["children"] = nodes
    builder.write(path, {**root, **({"extras": extras} if extras else {})})


def write_prop(run: Run, layer: Layer, path: Path) -> None:
    """One layer alone, in metres: its pivot at the origin and its base on the ground (y = 0).

    The layer's scale is kept (it is what makes the prop metric), its place and turn are not.
    """
    if layer.geometry is None:
        raise BadInput("{name} has no geometry yet.", "Make the prop first.", name=layer.name)
    place = np.diag([*np.linalg.norm(layer.transform[:3, :3], axis=0), 1.0])
    place[1, 3] = -measure_bounds(layer.geometry, place)[0, 1]
    geometry = layer.geometry if (place == np.eye(4)).all() else _bake_transform(layer.geometry, place)
    alone = replace(layer, geometry=geometry, transform=np.eye(4))
    builder = _Builder(run, [alone.made_by])
    builder.write(path, builder.describe_layer(alone))


class _Builder:
    """Collects a glTF document and the pieces of its binary chunk, without copying large arrays."""

    def __init__(self, run: Run, recipes: list[Recipe | None]) -> None:
        self._run = run
        self._pieces: list[memoryview] = []
        self._length = 0
        self._textures: dict[Any, int] = {}
        self._materials: dict[Any, int] = {}
        self._doc: dict[str, Any] = {"asset": _describe_asset(recipes), "scene": 0, "nodes": []}

    # ------------------------------------------------------------------ the document

    def _add(self, kind: str, entry: dict[str, Any]) -> int:
        entries: list[dict[str, Any]] = self._doc.setdefault(kind, [])
        entries.append(entry)
        return len(entries) - 1

    def add_camera(self, name: str, camera: Camera, corners: F64) -> int:
        """A camera and its node; `corners` f64[n, 3] bound what it must see."""
        farthest = float(np.linalg.norm(corners - camera.position, axis=1).max())
        index = self._add(
            "cameras",
            {
                "name": name,
                "type": "perspective",
                "perspective": {
                    "yfov": 2 * math.atan(camera.height / (2 * camera.fy)),
                    "aspectRatio": (camera.width / camera.fx) / (camera.height / camera.fy),
                    "znear": _NEAR_M,
                    "zfar": max(100.0, 1.2 * farthest),
                },
                "extras": describe_camera(camera),
            },
        )
        node = {"name": name, "camera": index} | (_split_transform(camera.world_from_camera) or {})
        return self._add("nodes", node)

    def add_layer(self, layer: Layer) -> int:
        """The layer's node with its mesh."""
        return self._add("nodes", self.describe_layer(layer))

    def describe_layer(self, layer: Layer) -> dict[str, Any]:
        """The layer's node, its mesh already added."""
        geometry, place = layer.geometry, _split_transform(layer.transform)
        assert geometry is not None
        if place is None:  # a shear, which no glTF node may hold
            geometry, place = _bake_transform(geometry, layer.transform), {}
        name = clean_text(layer.name)
        node: dict[str, Any] = {"name": name, **place}
        primitive = self._add_geometry(layer, geometry)
        if primitive is not None:
            node["mesh"] = self._add("meshes", {"name": name, "primitives": [primitive]})
        node["extras"] = {
            "id": layer.id,
            "kind": layer.kind.value,
            "generated": _is_generated(layer),
            "made_by": _describe_recipe(layer.made_by),
        }
        return node

    def _add_geometry(self, layer: Layer, geometry: Geometry) -> dict[str, Any] | None:
        if isinstance(geometry, Mesh):
            return self._add_mesh(layer, geometry.split_seams()) if len(geometry.faces) else None
        points = convert_splats(geometry) if isinstance(geometry, Splats) else geometry
        if not len(points.positions):
            return None
        attributes = self._add_common(points.positions, points.colors, points.observed)
        return {"mode": _POINTS, "attributes": attributes, "material": self._add_material(None, False)}

    def _add_mesh(self, layer: Layer, mesh: Mesh) -> dict[str, Any]:
        textured = mesh.material is not None and mesh.uvs is not None
        # glTF multiplies vertex colours into the texture: here they stand in for one that is missing
        attributes = self._add_common(mesh.positions, None if textured else mesh.colors, mesh.observed)
        if mesh.normals is not None:
            attributes["NORMAL"] = self._add_vectors("VEC3", _straighten(mesh.normals))
        if textured and mesh.uvs is not None:
            if not np.isfinite(mesh.uvs).all():
                message = "{name} holds texture coordinates that are not numbers."
                raise BadInput(message, "Make it again.", name=layer.name)
            attributes["TEXCOORD_0"] = self._add_vectors("VEC2", mesh.uvs)
        material = mesh.material if textured else None
        # a set is seen from any side; a prop is a closed solid
        return {
            "attributes": attributes,
            "indices": self._add_indices(mesh.faces, len(mesh.positions)),
            "material": self._add_material(material, layer.kind is LayerKind.SCENE),
        }

    # ------------------------------------------------------------------ materials

    def _add_material(self, material: Material | None, double_sided: bool) -> int:
        key = (id(material), double_sided)
        if key not in self._materials:
            surface: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": 0.9}
            entry: dict[str, Any] = {"pbrMetallicRoughness": surface}
            if material is not None:
                surface["metallicFactor"] = float(material.metallic)
                surface["roughnessFactor"] = float(material.roughness)
                surface["baseColorTexture"] = {"index": self._add_texture(material.base_color)}
                if material.base_color.shape[2] == 4:
                    entry["alphaMode"] = "BLEND"
            if double_sided:
                entry["doubleSided"] = True
            if material is None or material.unlit:  # the still's light is in the colours
                entry["extensions"] = {"KHR_materials_unlit": {}}
                self._doc["extensionsUsed"] = ["KHR_materials_unlit"]
            self._materials[key] = self._add("materials", entry)
        return self._materials[key]

    def _add_texture(self, pixels: U8) -> int:
        key = (pixels.__array_interface__["data"][0], pixels.shape, pixels.strides)
        if key not in self._textures:
            png = pixels.shape[2] == 4
            encoded = self._run.call(EncodeImage(pixels, "png" if png else "jpeg", _JPEG_QUALITY))
            image = {
                "mimeType": "image/png" if png else "image/jpeg",
                "bufferView": self._add_view(memoryview(encoded), None),
            }
            if "samplers" not in self._doc:
                wrap = {"wrapS": _CLAMP_TO_EDGE, "wrapT": _CLAMP_TO_EDGE}
                self._add("samplers", {"magFilter": _LINEAR, "minFilter": _LINEAR_MIPMAP_LINEAR, **wrap})
            texture = {"sampler": 0, "source": self._add("images", image)}
            self._textures[key] = self._add("textures", texture)
        return self._textures[key]

    # ------------------------------------------------------------------ accessors

    def _add_common(self, positions: NDArray[np.float32], colors: U8 | None, observed: U8 | None) -> dict[str, int]:
        """What meshes and points share: POSITION, COLOR_0 and _OBSERVED."""
        columns = np.ascontiguousarray(positions.T)  # numpy is forty times slower along rows of three
        bounds = {"min": columns.min(axis=1).tolist(), "max": columns.max(axis=1).tolist()}
        attributes = {"POSITION": self._add_vectors("VEC3", positions, **bounds)}
        if colors is not None:
            rgba = np.full((len(colors), 4), 65535, dtype=np.uint16)
            rgba[:, :3] = _LINEAR_OF_SRGB[colors]
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
        return self._add("accessors", entry)

    def _add_view(self, data: memoryview, target: int | None) -> int:
        self._run.check()
        entry = {"buffer": 0, "byteOffset": self._length, "byteLength": len(data)}
        if target is not None:
            entry["target"] = target
        padding = -len(data) % 4
        self._pieces += [data, memoryview(bytes(padding))]
        self._length += len(data) + padding
        return self._add("bufferViews", entry)

    # ------------------------------------------------------------------ the file

    def write(self, path: Path, root: dict[str, Any]) -> None:
        """The file, with `root` as the one node of its one scene."""
        self._doc["scenes"] = [{"name": root["name"], "nodes": [self._add("nodes", root)]}]
        if self._length:
            self._doc["buffers"] = [{"byteLength": self._length}]
        text = write_json(self._doc)
        text += b" " * (-len(text) % 4)
        body = 8 + self._length if self._length else 0
        total = 12 + 8 + len(text) + body
        if total > _SIZE_CEILING:
            message = "The scene is too large for a GLB, which ends at 4 GB."
            raise BadInput(message, "Reduce its detail or write layers apart.")
        with replace_file(path, check_glb) as file:
            file.write(struct.pack("<4sIIII", b"glTF", 2, total, len(text), 0x4E4F534A) + text)
            if self._length:
                file.write(struct.pack("<II", self._length, 0x004E4942))
            for piece in self._slice_pieces():
                file.write(piece)

    def _slice_pieces(self) -> Iterator[memoryview]:
        done = 0
        for data in self._pieces:
            for start in range(0, len(data), _WRITE_PIECE):
                self._run.check()
                piece = data[start : start + _WRITE_PIECE]
                yield piece
                done += len(piece)
                self._run.progress(0.8 + 0.2 * done / max(1, self._length))


# ---------------------------------------------------------------------- values


def _make_linear_table() -> NDArray[np.uint16]:
    """sRGB's u8 codes as linear light in u16 (IEC 61966-2-1)."""
    s = np.arange(256) / 255.0
    linear = np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)
    table: NDArray[np.uint16] = np.rint(linear * 65535).astype(np.uint16)
    return table


_LINEAR_OF_SRGB = _make_linear_table()


def convert_splats(splats: Splats) -> Points:
    """The splats' centres in their base colour, for readers that know no splats."""
    colors = np.clip(np.rint((0.5 + SH_C0 * splats.sh[:, 0]) * 255), 0, 255).astype(np.uint8)
    return Points(splats.means, colors, splats.observed)


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


def _split_transform(matrix: F64) -> dict[str, Any] | None:
    """A node's translation, rotation (xyzw) and scale, without what is identity; None when it shears."""
    linear = matrix[:3, :3]
    scale = np.linalg.norm(linear, axis=0)
    if (scale < 1e-12).any():
        return None
    if np.linalg.det(linear) < 0:
        scale = scale * (-1, 1, 1)
    turn = linear / scale
    if not np.allclose(turn.T @ turn, np.eye(3), atol=1e-6):
        return None
    node: dict[str, Any] = {}
    if matrix[:3, 3].any():
        node["translation"] = matrix[:3, 3].tolist()
    if not np.allclose(turn, np.eye(3), atol=1e-12):
        node["rotation"] = _find_quaternion(turn)
    if not np.allclose(scale, 1, atol=1e-9):
        node["scale"] = scale.tolist()
    return node


def _find_quaternion(turn: F64) -> list[float]:
    """The unit quaternion xyzw of a rotation f64[3, 3] (Bar-Itzhack 2000: a greatest eigenvector)."""
    (a, b, c), (d, e, f), (g, h, i) = turn.tolist()
    k = np.array(
        [
            [a - e - i, b + d, c + g, h - f],
            [b + d, e - a - i, f + h, c - g],
            [c + g, f + h, i - a - e, d - b],
            [h - f, c - g, d - b, a + e + i],
        ]
    )
    q = np.linalg.eigh(k)[1][:, -1]
    q = q / np.linalg.norm(q) * (1 if q[3] >= 0 else -1)
    return [float(v) for v in q]


def _bake_transform(geometry: Geometry, transform: F64) -> Geometry:
    """The geometry moved for good; mirrored meshes turn right side out, flattened ones lose normals."""
    if isinstance(geometry, Mesh):
        turn = float(np.linalg.det(transform[:3, :3]))
        mesh = geometry if abs(turn) > 1e-12 else replace(geometry, normals=None)
        moved = place_mesh(mesh, transform)
        if turn >= 0:
            return moved
        corners = None if moved.corner_uvs is None else moved.corner_uvs[:, ::-1]
        return replace(moved, faces=moved.faces[:, ::-1], corner_uvs=corners)
    points = convert_splats(geometry) if isinstance(geometry, Splats) else geometry
    return replace(points, positions=move_points(points.positions, transform))


def _list_corners(layers: list[Layer]) -> F64:
    """The corners of the layers' boxes in the world, f64[n, 3]."""
    found = [np.zeros((1, 3))]
    for layer in layers:
        if layer.geometry is not None:
            box = measure_bounds(layer.geometry)
            corners = np.array([[box[i, 0], box[j, 1], box[k, 2]] for i, j, k in np.ndindex(2, 2, 2)])
            found.append(corners @ layer.transform[:3, :3].T + layer.transform[:3, 3])
    return np.concatenate(found)


# ---------------------------------------------------------------------- what the file says of itself


def _describe_asset(recipes: list[Recipe | None]) -> dict[str, Any]:
    asset: dict[str, Any] = {"version": "2.0", "generator": f"stillto3d {__version__}"}
    models = collect_models(recipes)
    if models:
        asset["extras"] = {"digitalSourceType": "compositeWithTrainedAlgorithmicMedia", "models": models}
    return asset


def collect_models(recipes: Iterator[Recipe | None] | list[Recipe | None]) -> list[Mapping[str, Any]]:
    """Each model that took part, once, in order of appearance."""
    found: dict[bytes, Mapping[str, Any]] = {}
    for recipe in recipes:
        for model in recipe.models if recipe is not None else ():
            found.setdefault(write_json(model), model)
    return list(found.values())


def _describe_recipe(recipe: Recipe | None) -> dict[str, Any] | None:
    if recipe is None:
        return None
    return {
        "pipeline": recipe.pipeline,
        "params": recipe.params,
        "models": recipe.models,
        "seed": recipe.seed,
        "seconds": recipe.seconds,
    }


def describe_camera(camera: Camera) -> dict[str, Any]:
    """Intrinsics, film back and where they came from, as JSON."""
    origin = {k: {"source": o.source, "confidence": o.confidence} for k, o in camera.origin.items()}
    keys = ("fx", "fy", "cx", "cy", "width", "height", "film_back_mm", "focal_mm")
    return {**{key: getattr(camera, key) for key in keys}, "origin": origin}


def _is_generated(layer: Layer) -> bool:
    """Whether part of the layer was made up: a model took part, or a surface that no still has seen."""
    observed = getattr(layer.geometry, "observed", None)
    unseen = observed is not None and bool((observed == 0).any())
    return unseen or bool(layer.made_by and layer.made_by.models)
