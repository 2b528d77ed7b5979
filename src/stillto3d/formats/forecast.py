"""What an export will write and about how large, before it is written: counted, and pictures by what they come to.

A format's row in the table names its function here; a name that ends in "/" stands for a folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

from ..project.geometry import Material, Mesh, Splats, get_positions
from ..project.project import Layer, Project
from .gather import list_set, list_visible
from .options import WriteOptions
from .staging import name_file

Sizes = dict[str, int]
"""Bytes by name, relative to the folder of the file."""

_PER_PIXEL = {"jpeg": 0.25, "png": 1.2, "webp": 0.15}
"""Bytes of a pixel of a photograph, at the quality that is written."""
_DEEP_PER_PIXEL = 4
"""Of a picture of 16 bits."""
_LAYERED_PER_PIXEL = 20
"""Of an EXR with everything in it."""
_SMALL = 2000
"""A text with a camera in it."""
_COLMAP_POINTS = 200_000
_FEW = 65_536
"""Vertices whose indices take two bytes."""


@dataclass(frozen=True)
class Contents:
    """A project as a writer looks at it."""

    project: Project
    options: WriteOptions

    @cached_property
    def layers(self) -> list[Layer]:
        """The visible layers."""
        return list_visible(self.project)

    @cached_property
    def meshes(self) -> list[Mesh]:
        """The visible meshes as they are written, split along the seams of their textures."""
        found = (layer.geometry for layer in self.layers)
        return [mesh.split_seams() for mesh in found if isinstance(mesh, Mesh)]

    @cached_property
    def splats(self) -> list[Splats]:
        """The visible splats."""
        return [layer.geometry for layer in self.layers if isinstance(layer.geometry, Splats)]

    @cached_property
    def points(self) -> int:
        """How many visible points there are."""
        shaped = (Mesh, Splats)
        return sum(
            len(get_positions(layer.geometry))
            for layer in self.layers
            if layer.geometry is not None and not isinstance(layer.geometry, shaped)
        )

    @cached_property
    def textures(self) -> int:
        """Bytes of all textures."""
        materials = {id(m.material): m.material for m in self.meshes if m.material is not None and m.uvs is not None}
        return sum(self._weigh_texture(material) for material in materials.values())

    def _weigh_texture(self, material: Material) -> int:
        height, width, channels = material.base_color.shape
        limit = self.options.texture_size
        share = min(1.0, limit / max(height, width)) if limit else 1.0
        kind = self.options.texture
        if kind == "auto":
            kind = "png" if channels == 4 else "jpeg"
        return int(height * width * share**2 * _PER_PIXEL[kind])

    @property
    def pixels(self) -> int:
        """Of the still."""
        shots = self.project.shots
        return shots[0].still.width * shots[0].still.height if shots else 0

    @property
    def picture(self) -> int:
        """Bytes of the still, or of its plate, without loss."""
        source = self.project.shots[0].still.source if self.project.shots else None
        return int(self.pixels * (_PER_PIXEL["png"] if source is None else _DEEP_PER_PIXEL))

    def sum_meshes(self, vertex: float, triangle: float) -> int:
        """Bytes of the meshes, at these for each vertex and triangle."""
        return int(sum(len(mesh.positions) * vertex + len(mesh.faces) * triangle for mesh in self.meshes))

    def sum_splats(self, fixed: float, harmonic: float) -> int:
        """Bytes of the splats, at these for each splat and each coefficient (three colours) beyond the first."""
        return int(sum(len(s.means) * (fixed + harmonic * (s.sh.shape[1] - 1)) for s in self.splats))


Weigh = Callable[[Contents, str], Sizes]
"""From what is to be written and the file's name: every file, and about how many bytes."""


def weigh_glb(contents: Contents, name: str) -> Sizes:
    """Binary geometry, textures inside; coarser copies beside it."""
    vertices = sum(len(mesh.positions) * 24 for mesh in contents.meshes)
    corners = sum(len(mesh.faces) * (6 if len(mesh.positions) < _FEW else 12) for mesh in contents.meshes)
    rest = contents.sum_splats(72, 12) + contents.points * 20 + _SMALL
    return _weigh_levels(contents, name, vertices + corners + rest, contents.textures)


def weigh_usd(contents: Contents, name: str) -> Sizes:
    """Geometry as text, or binary and packed; textures beside it, or inside a package."""
    text = name.lower().endswith(".usda")
    size = contents.sum_meshes(60, 58) if text else contents.sum_meshes(24, 9)
    size += int(contents.sum_splats(72, 12) * (3 if text else 1)) + contents.points * (60 if text else 20) + 2 * _SMALL
    if name.lower().endswith(".usdz"):
        return {name: size + contents.textures}
    beside = {f"{name_file(PurePath(name).stem)}_textures/": contents.textures} if contents.textures else {}
    return {name: size} | beside


def weigh_obj(contents: Contents, name: str) -> Sizes:
    """Text, a material file and textures."""
    sizes = _weigh_levels(contents, name, contents.sum_meshes(55, 38), 0)
    if contents.textures:
        for level, file in enumerate(list(sizes)):
            stem = name_file(PurePath(file).stem)
            sizes |= {f"{stem}.mtl": _SMALL, f"{stem}_textures/": contents.textures // 4**level}
    return sizes


def weigh_ply(contents: Contents, name: str) -> Sizes:
    """Splats, a mesh, or the points of the set: what the options or the project choose."""
    content = contents.options.content
    if content == "splats" or (content == "auto" and contents.splats):
        return {name: contents.sum_splats(68, 12) + _SMALL}
    if content == "mesh":
        return {name: contents.sum_meshes(16, 13) + _SMALL}
    return {name: _count_set(contents) * 16 + _SMALL}


def weigh_spz(contents: Contents, name: str) -> Sizes:
    """Splats, compressed."""
    return {name: contents.sum_splats(17, 2.4) + 100}


def weigh_project(contents: Contents, name: str) -> Sizes:
    """Everything: geometry as it is, the still and its plate without loss."""
    return {name: contents.sum_meshes(24, 12) + contents.sum_splats(60, 12) + 4 * contents.pixels}


def weigh_exr(contents: Contents, name: str) -> Sizes:
    """Half colours, float depth, normals, positions and ids."""
    return {name: contents.pixels * _LAYERED_PER_PIXEL}


def weigh_picture(contents: Contents, name: str) -> Sizes:
    """The plate without loss."""
    return {name: contents.picture}


def weigh_fspy(contents: Contents, name: str) -> Sizes:
    """The still inside a project of fSpy."""
    return {name: int(contents.pixels * _PER_PIXEL["png"]) + _SMALL}


def weigh_camera(contents: Contents, name: str) -> Sizes:
    """A text with a camera in it; transforms.json names its picture, which lies beside it."""
    pictures = {"images/": int(contents.pixels * _PER_PIXEL["png"])} if name.lower() == "transforms.json" else {}
    return {name: _SMALL} | pictures


def weigh_colmap(contents: Contents, name: str) -> Sizes:
    """A model of three texts, points among them."""
    return {f"{name}/": min(_count_set(contents), _COLMAP_POINTS) * 45 + _SMALL}


def _count_set(contents: Contents) -> int:
    shapes = (layer.geometry for layer in list_set(contents.project))
    return sum(len(get_positions(shape)) for shape in shapes if shape is not None)


def _weigh_levels(contents: Contents, name: str, geometry: int, textures: int) -> Sizes:
    """The file, and the coarser copies beside it: a quarter of the triangles, half the texture's side, each."""
    path = PurePath(name)
    levels = {
        f"{path.stem}_lod{level}{path.suffix}": int((geometry + textures) / 4**level)
        for level in range(1, contents.options.lods + 1)
    }
    return {name: geometry + textures} | levels
