"""Layers as VTK actors, with their textures unlit as the still's light has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

from ..project.geometry import Geometry, Points, Splats
from ..project.space import Camera
from ..project.still import F32, F64, U8


@dataclass(frozen=True, eq=False)
class Prepared:
    """Arrays as VTK takes them: computed on any thread, given to VTK on the window's."""

    points: F32
    faces: NDArray[np.int64] | None
    uvs: F32 | None
    texture: U8 | None
    colors: U8 | None


def prepare_geometry(geometry: Geometry) -> Prepared:
    """The slow half of making an actor: seams split, rows of faces, texture coordinates turned."""
    if isinstance(geometry, Points):
        return Prepared(geometry.positions, None, None, None, geometry.colors)
    if isinstance(geometry, Splats):
        colors = np.clip((geometry.sh[:, 0] * 0.28209479 + 0.5) * 255, 0, 255).astype(np.uint8)
        return Prepared(geometry.means, None, None, None, colors)
    mesh = geometry.split_seams()
    faces = np.ascontiguousarray(mesh.faces, dtype=np.int64)
    uvs = None if mesh.uvs is None else np.ascontiguousarray(mesh.uvs * (1, -1) + (0, 1), dtype=np.float32)
    texture = mesh.material.base_color if mesh.material is not None else None
    return Prepared(mesh.positions, faces, uvs, texture, mesh.colors)


def make_actor(prepared: Prepared) -> Any:
    """The quick half: a pyvista Actor."""
    if prepared.faces is None:
        data = pv.PolyData(prepared.points)
    else:
        data = pv.PolyData.from_regular_faces(prepared.points, prepared.faces)
    mapper = pv.DataSetMapper(data)
    actor = pv.Actor(mapper=mapper)
    actor.prop.lighting = False
    actor.prop.point_size = 2.0
    if prepared.uvs is not None and prepared.texture is not None:
        data.active_texture_coordinates = prepared.uvs
        texture = pv.Texture(np.ascontiguousarray(prepared.texture))
        texture.InterpolateOn()
        texture.MipmapOn()
        actor.texture = texture
        actor.prop.color = (1.0, 1.0, 1.0)
        mapper.scalar_visibility = False
    elif prepared.colors is not None:
        data.point_data["colors"] = prepared.colors
        mapper.set_scalars(prepared.colors, "colors", rgb=True)
    else:
        actor.prop.color = (0.6, 0.6, 0.6)
    return actor


def make_frustum(camera: Camera, depth: float) -> Any:
    """A solved camera as lines: its picture stands `depth` metres before it."""
    corners = np.array([[0, 0], [camera.width, 0], [camera.width, camera.height], [0, camera.height]], dtype=np.float64)
    rim = camera.unproject(corners, np.full(4, depth))
    above = camera.unproject([[camera.width / 2, -0.18 * camera.height]], [depth])
    points = np.vstack([camera.position, rim, above])
    pairs = [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1), (1, 5), (5, 2)]
    return make_lines(points, pairs, (0.75, 0.75, 0.75))


def make_grid(bounds: F64) -> Any:
    """A floor grid of metres about what there is, at height 0."""
    reach = float(np.clip(np.abs(bounds[:, [0, 2]]).max() * 1.2, 4, 50))
    step = 1.0 if reach <= 25 else 5.0
    count = int(np.ceil(reach / step))
    marks = np.arange(-count, count + 1) * step
    ends = count * step
    across = [((-ends, 0, z), (ends, 0, z)) for z in marks]
    along = [((x, 0, -ends), (x, 0, ends)) for x in marks]
    points = np.array([point for line in (*across, *along) for point in line], dtype=np.float64)
    actor = make_lines(points, [(k, k + 1) for k in range(0, len(points), 2)], (0.36, 0.36, 0.36))
    actor.prop.opacity = 0.6
    return actor


def make_lines(points: F64, pairs: list[tuple[int, int]], shade: tuple[float, float, float]) -> Any:
    """Straight lines between pairs of points, that cannot be picked."""
    lines = np.array([(2, a, b) for a, b in pairs], dtype=np.int64).reshape(-1)
    actor = pv.Actor(mapper=pv.DataSetMapper(pv.PolyData(points.astype(np.float32), lines=lines)))
    actor.prop.lighting = False
    actor.prop.color = shade
    actor.prop.line_width = 1.0
    actor.SetPickable(False)
    return actor
