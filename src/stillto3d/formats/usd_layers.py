"""USD from anywhere as layers: meshes, points and splats, in metres and Y up whatever the stage's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import ReadUsd, UsdItem, UsdScene
from ..project.geometry import Geometry, Material
from ..project.project import LayerKind
from ..project.space import stand_up
from ..project.still import F64
from .imported import Imported, keep_mesh, keep_points, keep_splats


def read_usd_layers(run: Run, path: Path) -> Imported:
    """The layers of a USD file. Raises BadInput for damage and for what leads out of the file, and OSError."""
    scene = run.call(ReadUsd(os.fsdecode(path.absolute())))
    found, place = Imported(path), stand_up(scene.up, scene.metres)
    materials: dict[str, Material] = {}
    for item in scene.items:
        geometry = _make_geometry(found, item, _choose_material(scene, item, materials))
        if geometry is not None:
            kind = LayerKind.PROP if item.told.get("kind") == "mesh" else LayerKind.SCENE
            found.add(str(item.told.get("name", "")), geometry, place @ read_matrix(item, path), kind)
    return found


def read_matrix(item: UsdItem, path: Path) -> F64:
    """A prim's place in its stage, for column vectors. Raises BadInput."""
    matrix = np.array(item.told.get("matrix"), dtype=np.float64)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not np.allclose(matrix[:, 3], (0, 0, 0, 1)):
        raise BadInput("{name} is damaged: {what}.", name=path.name, what="a place is not made of numbers")
    return matrix.T


def _choose_material(scene: UsdScene, item: UsdItem, known: dict[str, Material]) -> Material | None:
    """What an item looks like; items of one look share it. Raises BadInput for a picture that did not come."""
    number = item.told.get("texture")
    if number is None:
        return None
    keys = ("texture", "surface", "normals", "roughness", "metallic", "unlit")
    key = repr([item.told.get(name) for name in keys])
    if key not in known:
        numbers = [item.told.get(name) for name in keys[:3]]
        pixels, surface, normals = (None if n is None else scene.textures.get(n) for n in numbers)
        if pixels is None:
            raise BadInput("This USD is damaged and cannot be read. Export it again.")
        roughness, metallic = (float(item.told.get(name, 0.0)) for name in ("roughness", "metallic"))
        known[key] = Material(pixels, roughness, metallic, bool(item.told.get("unlit")), surface, normals)
    return known[key]


def _make_geometry(found: Imported, item: UsdItem, material: Material | None) -> Geometry | None:
    arrays: dict[str, NDArray[Any]] = dict(item.arrays)
    match item.told.get("kind"):
        case "mesh":
            return keep_mesh(found, arrays, material)
        case "points":
            return keep_points(found, (arrays["positions"], arrays.get("colors"), arrays.get("observed")))
        case "splats":
            return keep_splats(found, arrays)
    return None
