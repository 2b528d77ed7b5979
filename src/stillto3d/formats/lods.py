"""Levels of detail: coarser copies of a project, each in a file of its own beside the finest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..engine.run import Run
from ..models.roles import ReduceMesh
from ..project.geometry import Geometry, Mesh, Points
from ..project.project import Project
from .options import WriteOptions
from .staging import stage_set

WriteOne = Callable[[Run, Project, Path, WriteOptions], list[str]]

_FEWEST = 64  # triangles below which a mesh stays as it is
_STEP = 4


def write_levels(run: Run, project: Project, path: Path, options: WriteOptions, write_one: WriteOne) -> list[str]:
    """The file, and `options.lods` coarser ones beside it (name_lod1, ...), moved in together or not at all."""
    if not options.lods:
        return write_one(run, project, path, options)
    parts = options.lods + 1
    with stage_set(path.parent) as staging:
        notes = write_one(run.sub(0, 1 / parts), project, staging.folder / path.name, options)
        for level in range(1, parts):
            part = run.sub(level / parts, 1 / parts)
            coarse = reduce_project(part.sub(0, 0.5), project, level)
            name = f"{path.stem}_lod{level}{path.suffix}"
            write_one(part.sub(0.5, 0.5), coarse, staging.folder / name, limit_textures(project, options, level))
        staging.commit_beside(run)
    return notes


def reduce_project(run: Run, project: Project, level: int) -> Project:
    """The project with a quarter of the triangles and points at each level; splats stay, as each hides others."""
    layers = []
    for k, layer in enumerate(project.layers):
        run.progress(k / len(project.layers))
        if layer.visible and layer.geometry is not None:
            layer = replace(layer, geometry=reduce_geometry(run, layer.geometry, level))
        layers.append(layer)
    return replace(project, layers=tuple(layers))


def reduce_geometry(run: Run, geometry: Geometry, level: int) -> Geometry:
    """A geometry with a quarter of its triangles or points at each level."""
    share = _STEP**level
    if isinstance(geometry, Mesh) and len(geometry.faces) > _FEWEST:
        return run.call(ReduceMesh(geometry, max(_FEWEST, len(geometry.faces) // share)))
    if isinstance(geometry, Points):
        kept = slice(None, None, share)
        colors = None if geometry.colors is None else geometry.colors[kept]
        observed = None if geometry.observed is None else geometry.observed[kept]
        return Points(geometry.positions[kept], colors, observed)
    return geometry


def limit_textures(project: Project, options: WriteOptions, level: int) -> WriteOptions:
    """The options with textures half as large at each level."""
    meshes = [layer.geometry for layer in project.layers if isinstance(layer.geometry, Mesh)]
    sides = [max(mesh.material.base_color.shape[:2]) for mesh in meshes if mesh.material is not None]
    finest = min(options.texture_size or 16384, max(sides, default=16))
    return replace(options, texture_size=max(16, finest >> level))
