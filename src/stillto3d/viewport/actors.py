"""Layers as VTK actors, and the ways of shading them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

from ..project.geometry import Geometry, Points, Splats, measure_bounds
from ..project.space import Camera, move_points
from ..project.still import F32, F64, U8
from .pace import LEVELS

CLAY = (0.66, 0.64, 0.61)
INVENTED = (226, 104, 96)
SH_FLAT = 0.28209479


class Shading(Enum):
    """How surfaces look."""

    TEXTURED = "textured"
    CLAY = "clay"
    WIRE = "wire"
    NORMALS = "normals"
    DEPTH = "depth"
    SEEN = "seen"


@dataclass(frozen=True, eq=False)
class Prepared:
    """Arrays as VTK takes them, with VTK's data and texture made of them; ready on any thread."""

    points: F32
    faces: NDArray[np.int64] | None = None
    uvs: F32 | None = None
    texture: U8 | None = None
    colors: U8 | None = None
    observed: U8 | None = None
    others: Mapping[str, F32] = field(default_factory=dict)

    @cached_property
    def data(self) -> Any:
        """The geometry as VTK's."""
        if self.faces is None:
            data = pv.PolyData(self.points)
        else:
            data = pv.PolyData.from_regular_faces(self.points, self.faces)
        if self.uvs is not None:
            data.active_texture_coordinates = self.uvs
        if self.colors is not None:
            data.point_data["colors"] = self.colors
        for name, array in self.others.items():
            data.point_data[name] = array
        return data

    @cached_property
    def forms(self) -> list[Any]:
        """The geometry as VTK's, and of a cloud its thinner forms, one for each of LEVELS."""
        return [self.data] if self.faces is not None else thin_cloud(self.data)

    @cached_property
    def bounds(self) -> F64:
        """Least and greatest corner, f64[2, 3]; zeros when empty."""
        return measure_bounds(Points(self.points))

    @cached_property
    def surface(self) -> Any:
        """The texture as VTK's, or None."""
        if self.uvs is None or self.texture is None:
            return None
        surface = pv.Texture(np.ascontiguousarray(self.texture))
        surface.InterpolateOn()
        surface.MipmapOn()
        return surface


def prepare_geometry(geometry: Geometry) -> Prepared:
    """The slow half of making an actor: seams split, rows of faces, texture coordinates turned."""
    prepared = _arrange(geometry)
    for name in ("forms", "bounds", "surface"):  # made here, not on the window's thread
        getattr(prepared, name)
    return prepared


def _arrange(geometry: Geometry) -> Prepared:
    if isinstance(geometry, Points):
        return Prepared(geometry.positions, colors=geometry.colors, observed=geometry.observed)
    if isinstance(geometry, Splats):
        colors = np.clip((geometry.sh[:, 0] * SH_FLAT + 0.5) * 255, 0, 255).astype(np.uint8)
        form = {"scale": geometry.scales, "rotation": geometry.rotations, "opacity": geometry.opacity}
        return Prepared(geometry.means, colors=colors, observed=geometry.observed, others=form)
    mesh = geometry.split_seams()
    faces = np.ascontiguousarray(mesh.faces, dtype=np.int64)
    uvs = None if mesh.uvs is None else np.ascontiguousarray(mesh.uvs * (1, -1) + (0, 1), dtype=np.float32)
    texture = mesh.material.base_color if mesh.material is not None else None
    return Prepared(mesh.positions, faces, uvs, texture, mesh.colors, mesh.observed)


def thin_cloud(data: Any) -> list[Any]:
    """A cloud and at most LEVELS of its points with all that belongs to them; the same one where it has no more."""
    forms = [data]
    for most in LEVELS:
        step = -(-data.GetNumberOfPoints() // most)
        if step <= 1:
            forms.append(data)
            continue
        thin = pv.PolyData(np.ascontiguousarray(np.asarray(data.points)[::step]))
        for name in data.point_data.keys():  # noqa: SIM118 - a pyvista mapping, not a dict
            thin.point_data[name] = np.ascontiguousarray(data.point_data[name][::step])
        forms.append(thin)
    return forms


class Drawn:
    """A layer's geometry in the view. A large cloud has thinner forms for a view that moves.

    Each form keeps its own mapper, so that changing between them sends nothing to the graphics card again.
    """

    def __init__(self, geometry: Geometry, prepared: Prepared) -> None:
        self.geometry, self.prepared = geometry, prepared
        self._texture = prepared.surface
        self._forms = prepared.forms
        self._mappers = [self._make_mapper(data) for data in self._forms]
        self.actor = self._make_actor()
        self.shade(Shading.TEXTURED, None)

    def _make_mapper(self, data: Any) -> Any:
        return pv.DataSetMapper(data)

    def _make_actor(self) -> Any:
        actor = pv.Actor(mapper=self._mappers[0])
        actor.prop.point_size = 2.0
        return actor

    def shade(self, shading: Shading, colors: U8 | None) -> None:
        """Look like this; `colors` u8[n, 3] are those of `color_points`, where the shading needs them."""
        actor, prop = self.actor, self.actor.prop
        textured = shading is Shading.TEXTURED and self._texture is not None
        actor.SetTexture(self._texture if textured else None)
        name = "shading" if colors is not None else "colors" if "colors" in self._forms[0].point_data else ""
        shows_colors = colors is not None or (shading is Shading.TEXTURED and not textured and bool(name))
        for data, mapper in zip(self._forms, self._mappers, strict=True):
            if colors is not None and len(colors):
                step = -(-len(colors) // data.GetNumberOfPoints())
                data.point_data["shading"] = np.ascontiguousarray(colors[::step])
            if shows_colors:
                mapper.SetScalarModeToUsePointFieldData()
                mapper.SelectColorArray(name)
                mapper.SetColorModeToDirectScalars()
            mapper.SetScalarVisibility(shows_colors)
        prop.lighting = shading is Shading.CLAY
        prop.style = "wireframe" if shading is Shading.WIRE else "surface"
        prop.color = (1.0, 1.0, 1.0) if textured or shows_colors else CLAY

    def count_points(self, level: int | None = None) -> int:
        """Points of a cloud that are drawn now, or at a level; 0 of a mesh."""
        if self.prepared.faces is not None:
            return 0
        form = self.actor.GetMapper().GetInput() if level is None else self._forms[level]
        return int(form.GetNumberOfPoints())

    def thin_out(self, level: int) -> None:
        """Draw a thinner form (see LEVELS; 0 is all of it), where there is one."""
        self.actor.SetMapper(self._mappers[min(level, len(self._mappers) - 1)])


def color_points(prepared: Prepared, shading: Shading, transform: F64, camera: Camera | None) -> U8 | None:
    """Colours u8[n, 3] of the points for a shading that is computed, None for the others; for any thread."""
    if shading is Shading.NORMALS and prepared.faces is not None:
        normals = compute_normals(prepared.points, prepared.faces) @ _rotation(transform).T
        return np.round((normals * 0.5 + 0.5) * 255).astype(np.uint8)
    if shading is Shading.DEPTH and camera is not None:
        _, depth = camera.project(move_points(prepared.points, transform))
        near, far = np.log(np.maximum(np.percentile(depth, [1, 99]), 1e-3))
        grey = 1 - np.clip((np.log(np.maximum(depth, 1e-3)) - near) / max(far - near, 1e-3), 0, 1)
        return np.repeat(np.round(grey * 235 + 10).astype(np.uint8)[:, None], 3, axis=1)
    if shading is Shading.SEEN and prepared.observed is not None:
        colors = sample_texture(prepared)
        guessed = prepared.observed == 0
        colors[guessed] = np.round(0.35 * colors[guessed] + 0.65 * np.array(INVENTED)).astype(np.uint8)
        return colors
    return None


def sample_texture(prepared: Prepared) -> U8:
    """The colours u8[n, 3] of the points themselves."""
    if prepared.uvs is not None and prepared.texture is not None:
        height, width = prepared.texture.shape[:2]
        columns = np.clip(prepared.uvs[:, 0] * width, 0, width - 1).astype(int)
        rows = np.clip((1 - prepared.uvs[:, 1]) * height, 0, height - 1).astype(int)
        return np.ascontiguousarray(prepared.texture[rows, columns, :3])
    if prepared.colors is not None:
        return prepared.colors[:, :3].copy()
    return np.full((len(prepared.points), 3), 170, np.uint8)


def compute_normals(points: F32, faces: NDArray[np.int64]) -> F64:
    """Unit normals f64[n, 3] of the vertices: the mean of their faces', weighted by area."""
    p = points.astype(np.float64)
    a, b, c = (p[faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    corners = faces.reshape(-1)
    sums = [np.bincount(corners, np.repeat(flat[:, k], 3), len(p)) for k in range(3)]
    normals = np.stack(sums, axis=1)
    unit: F64 = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return unit


def _rotation(transform: F64) -> F64:
    matrix = transform[:3, :3]
    return matrix / max(float(np.cbrt(abs(np.linalg.det(matrix)))), 1e-9)


def make_frustum(camera: Camera, depth: float) -> Any:
    """A solved camera as lines: its picture stands `depth` metres before it."""
    corners = np.array([[0, 0], [camera.width, 0], [camera.width, camera.height], [0, camera.height]], dtype=np.float64)
    rim = camera.unproject(corners, np.full(4, depth))
    above = camera.unproject([[camera.width / 2, -0.18 * camera.height]], [depth])
    points = np.vstack([camera.position, rim, above])
    pairs = [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1), (1, 5), (5, 2)]
    return make_lines(points, pairs, (0.75, 0.75, 0.75))


def _measure_grid(bounds: F64) -> tuple[float, float]:
    """Metres between the grid's lines, and from its middle to its rim."""
    reach = float(np.clip(np.abs(bounds[:, [0, 2]]).max() * 1.2, 4, 50))
    step = 1.0 if reach <= 25 else 5.0
    return step, float(np.ceil(reach / step)) * step


def make_grid(bounds: F64) -> Any:
    """A floor grid of metres about what there is, at height 0."""
    step, ends = _measure_grid(bounds)
    marks = np.arange(-ends, ends + step / 2, step)
    across = [((-ends, 0, z), (ends, 0, z)) for z in marks]
    along = [((x, 0, -ends), (x, 0, ends)) for x in marks]
    points = np.array([point for line in (*across, *along) for point in line], dtype=np.float64)
    actor = make_lines(points, [(k, k + 1) for k in range(0, len(points), 2)], (0.36, 0.36, 0.36))
    actor.prop.opacity = 0.6
    return actor


def make_axis(bounds: F64, axis: int, shade: tuple[float, float, float]) -> Any:
    """The floor's line along an axis of the world (0: X, 2: Z), as long as the grid."""
    ends = np.zeros((2, 3))
    ends[:, axis] = np.array([-1, 1]) * _measure_grid(bounds)[1]
    return make_lines(ends, [(0, 1)], shade)


def move_bounds(bounds: F64, transform: F64) -> F64:
    """Bounds f64[2, 3] of a moved box: wide enough for all that lay in it, in no time however much that was."""
    corners = np.array([np.where(corner, bounds[1], bounds[0]) for corner in np.ndindex(2, 2, 2)])
    moved = move_points(corners, transform)
    return np.stack([moved.min(axis=0), moved.max(axis=0)]).astype(np.float64)


def make_box(bounds: F64, transform: F64, shade: tuple[float, float, float]) -> Any:
    """The corners of a layer's box: what is selected."""
    low, high = bounds
    points: list[F64] = []
    pairs: list[tuple[int, int]] = []
    for corner in np.ndindex(2, 2, 2):
        at = np.where(corner, high, low)
        for axis in range(3):
            end = at.copy()
            end[axis] += (low[axis] - high[axis] if corner[axis] else high[axis] - low[axis]) * 0.2
            pairs.append((len(points), len(points) + 1))
            points += [at, end]
    moved = move_points(np.array(points), transform).astype(np.float64)
    return make_lines(moved, pairs, shade)


def make_chain(points: F64, shade: tuple[float, float, float], width: float) -> Any:
    """Points joined one after another."""
    actor = make_lines(points, [(k, k + 1) for k in range(len(points) - 1)], shade)
    actor.prop.line_width = width
    return actor


def make_lines(points: F64, pairs: list[tuple[int, int]], shade: tuple[float, float, float]) -> Any:
    """Straight lines between pairs of points."""
    lines = np.array([(2, a, b) for a, b in pairs], dtype=np.int64).reshape(-1)
    actor = pv.Actor(mapper=pv.DataSetMapper(pv.PolyData(points.astype(np.float32), lines=lines)))
    actor.prop.lighting = False
    actor.prop.color = shade
    actor.prop.line_width = 1.0
    actor.SetPickable(False)
    return actor
