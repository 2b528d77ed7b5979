"""What is visible in a project, brought together in the world: as points, as one mesh, as splats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..project.geometry import Mesh, Points, Splats, get_positions, place_mesh, place_splats
from ..project.harmonics import SH_C0
from ..project.project import Layer, Project
from ..project.space import move_points
from ..project.still import U8

_GREY = 128


def list_visible(project: Project) -> list[Layer]:
    """The visible layers that hold anything, in their order."""
    layers = (layer for layer in project.layers if layer.visible and layer.geometry is not None)
    return [layer for layer in layers if layer.geometry is not None and len(get_positions(layer.geometry))]


def refuse_no_numbers(project: Project) -> None:
    """Raise BadInput where a visible layer holds what is no number; positions cannot, by their making."""
    for layer in list_visible(project):
        shape = layer.geometry
        names: tuple[str, ...] = ("uvs", "corner_uvs", "normals") if isinstance(shape, Mesh) else ()
        names = ("means", "scales", "rotations", "opacity", "sh") if isinstance(shape, Splats) else names
        arrays = [array for name in names if (array := getattr(shape, name)) is not None and array.size]
        if not all(np.isfinite(array.min()) and np.isfinite(array.max()) for array in arrays):
            raise BadInput("{name} holds values that are not numbers.", "Make the layer again.", name=layer.name)


def list_set(project: Project) -> list[Layer]:
    """The visible layers of the set; where there is no set, all visible ones."""
    visible = list_visible(project)
    scenes = {layer.id for layer in project.scenes()}
    return [layer for layer in visible if layer.id in scenes] or visible


def gather_points(project: Project) -> Points:
    """The vertices of the set in the world, coloured from their textures.

    `observed` is kept where every layer has it.
    """
    parts = [_sample_layer(layer) for layer in list_set(project)]
    if not parts:
        return Points(np.zeros((0, 3), dtype=np.float32))
    colors = [_paint(part.colors, len(part.positions)) for part in parts]
    seen = _join([part.observed for part in parts])
    return Points(np.concatenate([part.positions for part in parts]), np.concatenate(colors), seen)


def gather_mesh(project: Project) -> Mesh | None:
    """All visible meshes as one in the world, vertices in the colours of their textures; None without any.

    `normals` and `observed` are kept where every mesh has them.
    """
    meshes = [
        place_mesh(layer.geometry.split_seams(), layer.transform)
        for layer in list_visible(project)
        if isinstance(layer.geometry, Mesh)
    ]
    if not meshes:
        return None
    starts = np.cumsum([0, *(len(mesh.positions) for mesh in meshes)])
    faces = [mesh.faces + np.uint32(start) for mesh, start in zip(meshes, starts[:-1], strict=True)]
    return Mesh(
        np.concatenate([mesh.positions for mesh in meshes]),
        np.concatenate(faces),
        normals=_join([mesh.normals for mesh in meshes]),
        colors=np.concatenate([_paint(color_vertices(mesh), len(mesh.positions)) for mesh in meshes]),
        observed=_join([mesh.observed for mesh in meshes]),
    )


def gather_splats(project: Project) -> Splats | None:
    """All visible splats as one in the world, with the harmonics of the richest; None without any."""
    placed = [
        layer.geometry if (layer.transform == np.eye(4)).all() else place_splats(layer.geometry, layer.transform)
        for layer in list_visible(project)
        if isinstance(layer.geometry, Splats)
    ]
    if len(placed) < 2:
        return placed[0] if placed else None
    k = max(splats.sh.shape[1] for splats in placed)
    return Splats(
        np.concatenate([s.means for s in placed]),
        np.concatenate([s.scales for s in placed]),
        np.concatenate([s.rotations for s in placed]),
        np.concatenate([s.opacity for s in placed]),
        np.concatenate([np.pad(s.sh, ((0, 0), (0, k - s.sh.shape[1]), (0, 0))) for s in placed]),
        _join([s.observed for s in placed]),
    )


def show_splats(splats: Splats) -> U8:
    """The splats' base colours, u8[n, 3] display-referred sRGB."""
    colors: U8 = np.clip(np.rint((0.5 + SH_C0 * splats.sh[:, 0]) * 255), 0, 255).astype(np.uint8)
    return colors


def convert_splats(splats: Splats) -> Points:
    """The splats' centres in their base colour, for readers that know no splats."""
    return Points(splats.means, show_splats(splats), splats.observed)


def repeats_texture(uvs: NDArray[np.float32]) -> bool:
    """Whether uvs [..., 2] run beyond the texture, which then repeats."""
    slack = np.float32(1e-3)
    return bool(uvs.size) and not bool((uvs.min() >= -slack) & (uvs.max() <= 1 + slack))


def color_vertices(mesh: Mesh) -> U8 | None:
    """Each vertex in the colour of the texel under its uv, u8[n, 3]; textures repeat beyond their edges."""
    if mesh.material is None or mesh.uvs is None:
        return mesh.colors
    texture = mesh.material.base_color
    uvs = np.nan_to_num(mesh.uvs)
    inside = (uvs >= 0) & (uvs <= 1)
    size = np.array([texture.shape[1], texture.shape[0]])
    texel = np.clip(np.where(inside, uvs, uvs - np.floor(uvs)) * size, 0, size - 1).astype(np.intp)
    return texture[texel[:, 1], texel[:, 0], :3]


def _sample_layer(layer: Layer) -> Points:
    geometry = layer.geometry
    assert geometry is not None
    if isinstance(geometry, Splats):
        points = convert_splats(geometry)
    elif isinstance(geometry, Mesh):
        mesh = geometry.split_seams()
        points = Points(mesh.positions, color_vertices(mesh), mesh.observed)
    else:
        points = geometry
    return Points(move_points(points.positions, layer.transform), points.colors, points.observed)


def _paint(colors: U8 | None, count: int) -> U8:
    return np.full((count, 3), _GREY, dtype=np.uint8) if colors is None else colors


def _join(parts: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    """The parts one after another; None unless all are there."""
    present: Iterable[NDArray[Any]] = [part for part in parts if part is not None]
    there = list(present)
    return np.concatenate(there) if len(there) == len(parts) else None
