"""EXR: everything known of the hero's still in one file, pixel by pixel.

Half R G B A in a named scene-linear space; float Z (metres along the camera's axis), N and P (world normals and
positions, Y up), id (the layer's number), and Cryptomatte by the layers' names.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import RenderMeshes, WriteLayers
from ..project.geometry import Mesh, place_mesh
from ..project.project import Layer, LayerKind, Project
from ..words import tr
from .about import describe_project
from .atomic import replace_file
from .gather import list_visible
from .options import AS_THEY_ARE, WriteOptions
from .plate import check_picture, choose_target, describe_attributes, find_still_samples
from .strict_json import clean_text

_MOST_IDS = 65_000


def write_exr(run: Run, project: Project, path: Path, options: WriteOptions = AS_THEY_ARE) -> list[str]:
    """The hero's still with depth, normals, positions, ids and Cryptomatte of the visible layers.

    Answers what could not be told. Raises BadInput without a still, CannotAccess, Cancelled.
    """
    if not project.shots:
        raise BadInput("The project holds no still.", "Open a still.")
    shot, notes = project.hero, []
    layers = [layer for layer in project.layers if layer.visible][:_MOST_IDS]
    solid = [k for k, layer in enumerate(layers) if isinstance(layer.geometry, Mesh) and len(layer.geometry.faces)]
    depth = ids = None
    if shot.camera is not None and solid:
        meshes = [_place(layers[k]) for k in solid]
        seen = run.sub(0, 0.6).call(RenderMeshes(meshes, shot.camera, wants=("depth", "ids")))
        depth, ids = seen.depth, None if seen.ids is None else _renumber(seen.ids, solid)
    else:
        notes.append(tr("Without a camera and a set there is no depth: only colours and masks were written."))
    if any(layer.geometry is not None and not isinstance(layer.geometry, Mesh) for layer in list_visible(project)):
        notes.append(tr("Points and splats have no depth in an EXR; they were left out."))
    masks = {k: layer.masks[shot.still.id].alpha for k, layer in enumerate(layers) if shot.still.id in layer.masks}
    samples, about = find_still_samples(shot), describe_project(project, layers)
    ask = WriteLayers(
        samples.rgb,
        samples.space,
        choose_target(samples.space, options.space),
        [clean_text(layer.name) for layer in layers],
        [k for k, layer in enumerate(layers) if layer.kind is LayerKind.SCENE],
        masks,
        shot.camera,
        shot.still.alpha,
        depth,
        ids,
        {**describe_attributes(about), "stillto3d:depth_kind": "planar", "stillto3d:unit": "metre"},
    )
    data = run.sub(0.6, 0.3).call(ask)
    with replace_file(path, check_picture) as file:
        file.write(data)
    return notes


def _place(layer: Layer) -> Mesh:
    """The layer's mesh in the world, without its looks: depth and ids ask for none."""
    assert isinstance(layer.geometry, Mesh)
    return place_mesh(Mesh(layer.geometry.positions, layer.geometry.faces), layer.transform)


def _renumber(ids: NDArray[np.uint16], solid: list[int]) -> NDArray[np.uint16]:
    """Ids of the meshes that were drawn as ids of the layers that they belong to; 0 stays."""
    table = np.array([0, *(k + 1 for k in solid)], dtype=np.uint16)
    return table[ids]
