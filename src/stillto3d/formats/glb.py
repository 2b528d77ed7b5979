"""GLB (glTF 2.0): a whole project, or one prop alone.

The world is glTF's already (metres, right-handed, Y up, cameras look along -Z), so nothing is turned. glTF has no
principal point: a camera whose is not the centre gets a larger picture of which it is, and its extras say how much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.run import Run
from ..errors import BadInput
from ..project.geometry import Geometry, Mesh, Splats, measure_bounds, place_mesh, place_splats
from ..project.project import Layer, LayerKind, Project
from ..project.space import Camera, center_camera, find_quaternion, move_points
from ..project.still import F64
from .about import choose_source_type, describe_layer_alone, describe_project, describe_recipe, is_generated
from .glb_document import GlbDocument
from .lens import describe_camera, word_padding
from .lods import write_levels
from .options import AS_THEY_ARE, WriteOptions
from .strict_json import clean_text

_NEAR_M = 0.01


def write_glb(run: Run, project: Project, path: Path, options: WriteOptions = AS_THEY_ARE) -> list[str]:
    """The whole shot: its cameras and every visible layer with geometry, under one node named after the shot.

    Coarser copies lie beside it. Answers what a person should know. Raises BadInput (values that glTF cannot hold),
    CannotAccess, Cancelled.
    """
    return write_levels(run, project, path, options, _write_shot)


def _write_shot(run: Run, project: Project, path: Path, options: WriteOptions) -> list[str]:
    layers = [layer for layer in project.layers if layer.visible and layer.geometry is not None]
    about, corners, notes = describe_project(project, layers), _list_corners(layers), []
    with GlbDocument(run, about, options) as document:
        nodes = []
        for k, shot in enumerate(project.shots):
            if shot.camera is not None:
                name = "camera" if k == 0 else f"camera_{k + 1:02d}"
                nodes.append(document.add("nodes", _describe_camera_node(document, name, shot.camera, corners)))
                notes += word_padding(shot.camera)
        for layer in layers:
            nodes.append(document.add("nodes", _describe_layer_node(document, layer)))
        root: dict[str, Any] = {"name": about.title, "extras": _describe_root(project, about.identifier)}
        if nodes:
            root["children"] = nodes
        document.write(path, root)
    return notes


def write_prop(run: Run, layer: Layer, path: Path, options: WriteOptions = AS_THEY_ARE) -> None:
    """One layer alone, in metres: its pivot at the origin and its base on the ground (y = 0).

    The layer's scale is kept (it is what makes the prop metric), its place and turn are not.
    """
    if layer.geometry is None:
        raise BadInput("{name} has no geometry yet.", "Make the prop first.", name=layer.name)
    place = np.diag([*np.linalg.norm(layer.transform[:3, :3], axis=0), 1.0])
    place[1, 3] = -measure_bounds(layer.geometry, place)[0, 1]
    geometry = layer.geometry if (place == np.eye(4)).all() else _bake_transform(layer.geometry, place)
    alone = replace(layer, geometry=geometry, transform=np.eye(4))
    with GlbDocument(run, describe_layer_alone(alone), options) as document:
        document.write(path, _describe_layer_node(document, alone))


# ---------------------------------------------------------------------- nodes


def _describe_root(project: Project, identifier: str) -> dict[str, Any]:
    extras: dict[str, Any] = {"id": identifier}
    if project.shots:
        still = project.hero.still
        extras["still"] = {"name": clean_text(still.name), "id": still.id}
        if still.source is not None:
            extras["colour"] = (
                "textures are display-referred sRGB; the still itself holds more, which EXR and USD carry"
            )
    return extras


def _describe_camera_node(document: GlbDocument, name: str, camera: Camera, corners: F64) -> dict[str, Any]:
    """A camera's node; `corners` f64[n, 3] bound what it must see."""
    farthest = float(np.linalg.norm(corners - camera.position, axis=1).max())
    wide, left, top = center_camera(camera)
    extras = describe_camera(camera)
    if wide is not camera:
        extras["padded"] = {"width": wide.width, "height": wide.height, "left": left, "top": top}
    index = document.add(
        "cameras",
        {
            "name": name,
            "type": "perspective",
            "perspective": {
                "yfov": 2 * math.atan(wide.height / (2 * wide.fy)),
                "aspectRatio": (wide.width / wide.fx) / (wide.height / wide.fy),
                "znear": _NEAR_M,
                "zfar": max(100.0, 1.2 * farthest),
            },
            "extras": extras,
        },
    )
    return {"name": name, "camera": index} | (_split_transform(camera.world_from_camera) or {})


def _describe_layer_node(document: GlbDocument, layer: Layer) -> dict[str, Any]:
    """The layer's node, its mesh already added."""
    geometry, place = layer.geometry, _split_transform(layer.transform)
    assert geometry is not None
    if place is None:  # a shear, which no glTF node may hold
        geometry, place = _bake_transform(geometry, layer.transform), {}
    name = clean_text(layer.name)
    node: dict[str, Any] = {"name": name, **place}
    mesh = _add_geometry(document, name, geometry, layer.kind is LayerKind.SCENE)
    if mesh is not None:
        node["mesh"] = mesh
    node["extras"] = {
        "id": layer.id,
        "kind": layer.kind.value,
        "generated": is_generated(layer.geometry, layer.made_by),
        "digitalSourceType": choose_source_type([layer.made_by]),
        "made_by": describe_recipe(layer.made_by),
    }
    return node


def _add_geometry(document: GlbDocument, name: str, geometry: Geometry, open_set: bool) -> int | None:
    if isinstance(geometry, Mesh):  # a set is seen from any side; a prop is a closed solid
        return document.add_mesh(name, geometry.split_seams(), open_set)
    if isinstance(geometry, Splats):
        return document.add_splats(name, geometry)
    return document.add_points(name, geometry)


# ---------------------------------------------------------------------- values


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
        node["rotation"] = np.roll(find_quaternion(turn), -1).tolist()
    if not np.allclose(scale, 1, atol=1e-9):
        node["scale"] = scale.tolist()
    return node


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
    if isinstance(geometry, Splats):
        return place_splats(geometry, transform)
    return replace(geometry, positions=move_points(geometry.positions, transform))


def _list_corners(layers: Sequence[Layer]) -> F64:
    """The corners of the layers' boxes in the world, f64[n, 3]."""
    found = [np.zeros((1, 3))]
    for layer in layers:
        if layer.geometry is not None:
            box = measure_bounds(layer.geometry)
            corners = np.array([[box[i, 0], box[j, 1], box[k, 2]] for i, j, k in np.ndindex(2, 2, 2)])
            found.append(corners @ layer.transform[:3, :3].T + layer.transform[:3, 3])
    return np.concatenate(found)
