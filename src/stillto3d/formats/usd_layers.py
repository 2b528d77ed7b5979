"""USD from anywhere as layers: meshes, points and splats, in metres and Y up whatever the stage's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import ReadUsd, UsdItem
from ..project.geometry import Geometry, Material
from ..project.project import LayerKind
from ..project.space import stand_up
from ..project.still import F64
from .imported import Imported, keep_mesh, keep_points, keep_splats


def read_usd_layers(run: Run, path: Path) -> Imported:
    """The layers of a USD file. Raises BadInput for damage and for what leads out of the file, and OSError."""
    scene = run.call(ReadUsd(os.fsdecode(path.absolute())))
    found, place = Imported(path), stand_up(scene.up, scene.metres)
    materials = {k: Material(texture) for k, texture in scene.textures.items()}
    for item in scene.items:
        geometry = _make_geometry(found, item, materials)
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


def _make_geometry(found: Imported, item: UsdItem, materials: dict[int, Material]) -> Geometry | None:
    arrays: dict[str, NDArray[Any]] = dict(item.arrays)
    match item.told.get("kind"):
        case "mesh":
            texture = item.told.get("texture")
            return keep_mesh(found, arrays, None if texture is None else materials[texture])
        case "points":
            return keep_points(found, (arrays["positions"], arrays.get("colors"), arrays.get("observed")))
        case "splats":
            return keep_splats(found, arrays)
    return None
