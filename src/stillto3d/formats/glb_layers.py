"""GLB from anywhere as layers: every node with a mesh, in place, with its texture, colours and splats."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import DecodeImage
from ..project.geometry import Geometry, Material, Mesh
from ..project.project import LayerKind
from ..project.still import F64, U8
from ..words import tr
from .glb_document import SPLATTING
from .glb_reader import Glb, check_glb, walk_nodes
from .imported import Imported, keep_mesh, keep_points, keep_splats

_UNDERSTOOD = {
    "KHR_materials_unlit",
    "KHR_texture_transform",
    "EXT_texture_webp",
    "KHR_mesh_quantization",
    "KHR_xmp_json_ld",
    "KHR_lights_punctual",
    SPLATTING,
}
_HARMLESS = "KHR_materials_"
_TRIANGLES, _STRIP, _FAN, _POINTS = 4, 5, 6, 0
_TEXTURE_CEILING = 1 << 30  # bytes of all textures, unpacked
_ELEMENTS_CEILING = 1 << 27  # vertices and corners of all layers

Entry = dict[str, Any]


def read_glb_layers(run: Run, path: Path) -> Imported:
    """The layers of a GLB; cameras, lights, skins and animations stay behind. Raises BadInput and OSError."""
    glb = check_glb(path)
    for name in glb.document.get("extensionsRequired", []):
        if name not in _UNDERSTOOD and not str(name).startswith(_HARMLESS):
            message = "{name} needs {extension}, which is not read."
            raise BadInput(message, "Export it without compression.", name=path.name, extension=str(name)[:80])
    found = Imported(path)
    reader = _LayerReader(run, glb, found)
    nodes = [(node, world) for node, world in walk_nodes(glb) if "mesh" in node]
    for k, (node, world) in enumerate(nodes):
        run.progress(k / len(nodes))
        run.check()
        for geometry in reader.read_mesh(node["mesh"]):
            found.add(str(node.get("name", ""))[:200], geometry, world, _find_kind(node))
    if any(key in glb.document for key in ("animations", "skins")):
        found.notes.append(tr("Animations and skins of {name} were left out.", name=path.name))
    if any(_leaves_textures(entry) for entry in glb.list("materials")):
        told = tr("Some textures of {name} were left out: emission, or what lies on uvs of its own.", name=path.name)
        found.notes.append(told)
    return found


def _leaves_textures(material: Entry) -> bool:
    """Whether a material has textures that stay behind."""
    surface = material.get("pbrMetallicRoughness")
    slots = surface if isinstance(surface, dict) else {}
    base, packed = slots.get("baseColorTexture"), slots.get("metallicRoughnessTexture")
    if not isinstance(base, dict):
        return bool({"normalTexture", "occlusionTexture", "emissiveTexture"} & set(material)) or packed is not None
    others = [packed, material.get("normalTexture")]
    occlusion = material.get("occlusionTexture")
    apart = isinstance(occlusion, dict) and not (
        isinstance(packed, dict) and packed.get("index") == occlusion.get("index")
    )
    return (
        apart or "emissiveTexture" in material or any(isinstance(o, dict) and not _lies_alike(o, base) for o in others)
    )


def _lies_alike(one: Entry, other: Entry) -> bool:
    """Whether two textures lie on the same uvs in the same way."""
    return (one.get("texCoord", 0), one.get("extensions")) == (other.get("texCoord", 0), other.get("extensions"))


def _find_kind(node: Entry) -> LayerKind:
    """A layer that we have written says what it is; whatever comes from elsewhere is a prop."""
    extras = node.get("extras")
    wanted = extras.get("kind") if isinstance(extras, dict) else None
    return LayerKind.SCENE if wanted == LayerKind.SCENE.value else LayerKind.PROP


class _LayerReader:
    """Reads each mesh and texture once, however many nodes show it."""

    def __init__(self, run: Run, glb: Glb, found: Imported) -> None:
        self._run, self._glb, self._found = run, glb, found
        self._meshes: dict[int, list[Geometry]] = {}
        self._pictures: dict[int, U8] = {}
        self._materials: dict[Any, Material | None] = {}
        self._texture_bytes = 0
        self._elements = 0

    def _refuse(self, what: str) -> NoReturn:
        raise BadInput("{name} is damaged: {what}.", name=self._glb.path.name, what=what)

    def read_mesh(self, index: int) -> list[Geometry]:
        """The geometries of a mesh's primitives."""
        if index not in self._meshes:
            primitives = self._glb.list("meshes")[index]["primitives"]
            read = (self._read_primitive(primitive) for primitive in primitives)
            self._meshes[index] = [geometry for geometry in read if geometry is not None]
        return self._meshes[index]

    def _read_primitive(self, primitive: Entry) -> Geometry | None:
        mode, attributes = primitive.get("mode", _TRIANGLES), primitive["attributes"]
        positions = self._read(attributes["POSITION"], 3)
        self._elements += len(positions)
        observed = None
        if "_OBSERVED" in attributes:
            observed = (self._read(attributes["_OBSERVED"], 1)[:, 0] > 0.5).astype(np.uint8)
        colors = self._read_colors(attributes)
        if mode == _POINTS:
            if isinstance(primitive.get("extensions"), dict) and SPLATTING in primitive["extensions"]:
                return keep_splats(self._found, self._read_splats(attributes, positions, observed))
            return keep_points(self._found, (positions, colors, observed))
        if mode not in (_TRIANGLES, _STRIP, _FAN):
            return None  # lines
        faces = self._read_faces(primitive, len(positions), mode)
        material, texture_at = self._read_material(primitive.get("material"))
        arrays: dict[str, NDArray[Any]] = {"positions": positions, "faces": faces}
        if "NORMAL" in attributes:
            arrays["normals"] = self._read(attributes["NORMAL"], 3)
        if observed is not None:
            arrays["observed"] = observed
        coordinates = f"TEXCOORD_{texture_at.get('texCoord', 0)}"
        if material is not None and coordinates in attributes:
            arrays["uvs"] = _move_uvs(self._read(attributes[coordinates], 2), texture_at)
        else:
            material = None
            factor = self._read_factor(primitive.get("material"))
            if colors is None and factor is not None:
                colors = np.broadcast_to(_encode(factor[:3]), (len(positions), 3)).copy()
        if colors is not None and material is None:
            arrays["colors"] = colors
        mesh: Mesh = keep_mesh(self._found, arrays, material)
        return mesh

    # ------------------------------------------------------------------ values

    def _read(self, index: int, width: int) -> NDArray[np.float32]:
        """An accessor's values as float; normalised integers come out in 0..1 or -1..1."""
        entry = self._glb.list("accessors")[index]
        values = self._glb.read_accessor(index)
        if values.shape[1] != width:
            self._refuse("an attribute has the wrong width")
        if values.dtype.kind == "f":
            return values
        if not entry.get("normalized", False):
            return values.astype(np.float32)
        scaled: NDArray[np.float32] = np.maximum(values / np.iinfo(values.dtype).max, -1).astype(np.float32)
        return scaled

    def _read_faces(self, primitive: Entry, vertices: int, mode: int) -> NDArray[np.uint32]:
        flat = np.arange(vertices, dtype=np.uint32)
        if "indices" in primitive:
            flat = self._glb.read_accessor(primitive["indices"]).reshape(-1).astype(np.uint32)
        self._elements += len(flat)
        if self._elements > _ELEMENTS_CEILING:
            self._refuse("its meshes are implausibly large")
        if mode == _TRIANGLES:
            return flat[: len(flat) // 3 * 3].reshape(-1, 3)
        if len(flat) < 3:
            return np.zeros((0, 3), dtype=np.uint32)
        if mode == _FAN:
            return np.stack([np.broadcast_to(flat[:1], len(flat) - 2), flat[1:-1], flat[2:]], axis=1)
        odd = np.arange(len(flat) - 2) % 2 == 1
        return np.stack([flat[:-2], np.where(odd, flat[2:], flat[1:-1]), np.where(odd, flat[1:-1], flat[2:])], axis=1)

    def _read_colors(self, attributes: Entry) -> U8 | None:
        if "COLOR_0" not in attributes:
            return None
        width = 4 if self._glb.list("accessors")[attributes["COLOR_0"]]["type"] == "VEC4" else 3
        return _encode(self._read(attributes["COLOR_0"], width)[:, :3])

    def _read_splats(
        self, attributes: Entry, means: NDArray[np.float32], observed: U8 | None
    ) -> dict[str, NDArray[Any]]:
        def get(key: str, width: int) -> NDArray[np.float32]:
            name = f"{SPLATTING}:{key}"
            if name not in attributes:
                self._refuse(f"its splats lack {key}")
            return self._read(attributes[name], width)

        names = [(degree, k) for degree in range(4) for k in range(2 * degree + 1)]
        there = [f"{SPLATTING}:SH_DEGREE_{degree}_COEF_{k}" in attributes for degree, k in names]
        count = max(size for size in (1, 4, 9, 16) if all(there[:size]) or size == 1)
        fields = {
            "means": means,
            "rotations": get("ROTATION", 4)[:, [3, 0, 1, 2]],
            "scales": get("SCALE", 3),
            "opacity": get("OPACITY", 1)[:, 0],
            "sh": np.stack([get(f"SH_DEGREE_{degree}_COEF_{k}", 3) for degree, k in names[:count]], axis=1),
        }
        return fields | ({} if observed is None else {"observed": observed})

    # ------------------------------------------------------------------ materials

    def _read_factor(self, index: int | None) -> NDArray[np.float32] | None:
        """The base colour of a material, linear f32[4]; None for plain white."""
        if index is None:
            return None
        factor = self._glb.list("materials")[index].get("pbrMetallicRoughness", {}).get("baseColorFactor")
        if not isinstance(factor, list) or len(factor) != 4 or not all(isinstance(f, int | float) for f in factor):
            return None
        values = np.clip(np.array(factor, dtype=np.float32), 0, 1)
        return None if (values == 1).all() else values

    def _read_material(self, index: int | None) -> tuple[Material | None, Entry]:
        """A textured material (None without a texture), and where the texture lies on the uvs."""
        if index is None:
            return None, {}
        entry = self._glb.list("materials")[index]
        surface = entry.get("pbrMetallicRoughness", {})
        slot = surface.get("baseColorTexture")
        if slot is None:
            return None, {}
        if index not in self._materials:
            self._materials[index] = self._make_material(index, entry, surface, slot)
        extensions = slot.get("extensions") or {}
        moved = extensions.get("KHR_texture_transform") if isinstance(extensions, dict) else None
        return self._materials[index], {"texCoord": slot.get("texCoord", 0)} | (
            moved if isinstance(moved, dict) else {}
        )

    def _make_material(self, index: int, entry: Entry, surface: Entry, slot: Entry) -> Material | None:
        texture = self._glb.list("textures")[slot["index"]]
        extensions = texture.get("extensions")
        webp = extensions.get("EXT_texture_webp") if isinstance(extensions, dict) else None
        source = texture.get("source") if webp is None else webp.get("source")
        if not isinstance(source, int) or not 0 <= source < len(self._glb.list("images")):
            return None
        pixels = self._read_picture(source)
        factor = self._read_factor(index)
        if factor is not None:
            pixels = _tint(pixels, factor)
        if entry.get("alphaMode", "OPAQUE") == "OPAQUE":
            pixels = pixels[..., :3]
        unlit = "KHR_materials_unlit" in (entry.get("extensions") or {})
        shares = _read_share(surface, "roughnessFactor"), _read_share(surface, "metallicFactor")
        return Material(pixels, *shares, unlit, *self._read_maps(entry, surface, slot))

    def _read_maps(self, entry: Entry, surface: Entry, slot: Entry) -> tuple[U8 | None, U8 | None]:
        """Occlusion, roughness and metallic as one map, and the normals; what lies on other uvs is left out."""
        packed, occlusion = surface.get("metallicRoughnessTexture"), entry.get("occlusionTexture")
        normals = entry.get("normalTexture")
        rough = self._read_map(packed, slot)
        shaded = isinstance(packed, dict) and isinstance(occlusion, dict) and occlusion.get("index") == packed["index"]
        if rough is not None and not shaded:
            rough = np.stack([np.full_like(rough[..., 0], 255), rough[..., 1], rough[..., 2]], axis=-1)
        return rough, self._read_map(normals, slot)

    def _read_map(self, wanted: Any, slot: Entry) -> U8 | None:
        if not isinstance(wanted, dict) or not _lies_alike(wanted, slot):
            return None
        source = self._glb.list("textures")[wanted["index"]].get("source")
        if not isinstance(source, int) or not 0 <= source < len(self._glb.list("images")):
            return None
        return self._read_picture(source)[..., :3]

    def _read_picture(self, index: int) -> U8:
        if index not in self._pictures:
            pixels = self._run.call(DecodeImage(self._glb.read_view(self._glb.list("images")[index]["bufferView"])))
            self._texture_bytes += pixels.nbytes
            if self._texture_bytes > _TEXTURE_CEILING:
                self._refuse("its textures are implausibly large")
            self._pictures[index] = pixels
        return self._pictures[index]


# ---------------------------------------------------------------------- values


def _read_share(surface: Entry, key: str) -> float:
    value = surface.get(key, 1.0)
    plain = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(min(1.0, max(0.0, value))) if plain else 1.0


def _encode(linear: NDArray[Any]) -> U8:
    """Linear colours as display-referred sRGB bytes (IEC 61966-2-1)."""
    x = np.clip(np.nan_to_num(linear.astype(np.float64)), 0, 1)
    encoded = np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055)
    pixels: U8 = np.rint(encoded * 255).astype(np.uint8)
    return pixels


def _tint(pixels: U8, factor: NDArray[np.float32]) -> U8:
    """A texture times a linear colour, channel by channel through a table."""
    codes = np.arange(256) / 255
    linear = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    tables = [_encode(linear * f) for f in factor[:3]] + [np.rint(np.arange(256) * factor[3]).astype(np.uint8)]
    return np.stack([tables[k][pixels[..., k]] for k in range(pixels.shape[2])], axis=-1)


def _move_uvs(uvs: NDArray[np.float32], moved: Entry) -> NDArray[np.float32]:
    """KHR_texture_transform: scale, then turn, then shift."""

    def read(key: str, default: list[float]) -> F64:
        value = moved.get(key, default)
        plain = isinstance(value, list) and len(value) == 2 and all(isinstance(v, int | float) for v in value)
        return np.array(value if plain else default, dtype=np.float64)

    if not {"offset", "scale", "rotation"} & set(moved):
        return uvs
    angle = moved.get("rotation", 0.0)
    a = float(angle) if isinstance(angle, int | float) else 0.0
    turn = np.array([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]])
    placed = (uvs * read("scale", [1.0, 1.0])) @ turn.T + read("offset", [0.0, 0.0])
    return np.asarray(placed, dtype=np.float32)
