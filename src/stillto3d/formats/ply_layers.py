"""PLY from anywhere as a layer: points, a mesh, or splats, told apart by the names of the properties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.run import Run
from ..errors import BadInput
from ..project.project import LayerKind
from .imported import Imported, keep_mesh, keep_points, keep_splats
from .ply_reader import PlyData, read_ply

_COLOURS = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))
_UVS = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"))
_SPLAT = {"f_dc_0", "f_dc_1", "f_dc_2", "opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"}
_DEGREES = {0: 0, 9: 1, 24: 2, 45: 3}


def read_ply_layers(run: Run, path: Path) -> Imported:
    """The one layer of a PLY, its axes taken as they are. Raises BadInput and OSError."""
    data = read_ply(path)
    found = Imported(path)
    names = set(data.vertices.dtype.names or ())
    run.progress(0.5)
    if names >= _SPLAT:
        found.add(path.stem, keep_splats(found, unpack_splats(data, path)), kind=LayerKind.SCENE)
        return found
    positions = _stack(data, "x", "y", "z")
    assert positions is not None
    colors = _read_colors(data)
    observed = (data.vertices["observed"] > 0).astype(np.uint8) if "observed" in names else None
    if not len(data.faces):
        found.add(path.stem, keep_points(found, (positions, colors, observed)), kind=LayerKind.SCENE)
        return found
    uvs = next((uv for pair in _UVS if (uv := _stack(data, *pair)) is not None), None)
    arrays = {
        "positions": positions,
        "faces": data.faces,
        "normals": _stack(data, "nx", "ny", "nz"),
        "uvs": None if uvs is None else uvs * (1, -1) + (0, 1),  # v runs up in PLY
        "colors": colors,
        "observed": observed,
    }
    found.add(path.stem, keep_mesh(found, {key: a for key, a in arrays.items() if a is not None}))
    return found


def unpack_splats(data: PlyData, path: Path) -> dict[str, NDArray[Any]]:
    """The fields of Splats from INRIA's logits, logarithms and channel-major harmonics; nothing is dropped yet."""
    vertices, n = data.vertices, len(data.vertices)
    rest = sum(name.startswith("f_rest_") for name in vertices.dtype.names or ())
    if rest not in _DEGREES:
        raise BadInput(
            "{name} is damaged: {what}.", name=path.name, what=f"it has {rest} harmonics, which no degree has"
        )
    sh = np.empty((n, 1 + rest // 3, 3), dtype=np.float32)
    for channel in range(3):
        sh[:, 0, channel] = vertices[f"f_dc_{channel}"]
        for k in range(rest // 3):
            sh[:, 1 + k, channel] = vertices[f"f_rest_{channel * (rest // 3) + k}"]
    with np.errstate(over="ignore", invalid="ignore"):
        logits = vertices["opacity"].astype(np.float32)
        scales = np.exp(np.stack([vertices[f"scale_{k}"] for k in range(3)], axis=1).astype(np.float32))
        opacity = 1 / (1 + np.exp(-logits))
    return {
        "means": np.stack([vertices[axis] for axis in "xyz"], axis=1).astype(np.float32),
        "scales": scales,
        "rotations": np.stack([vertices[f"rot_{k}"] for k in range(4)], axis=1).astype(np.float32),
        "opacity": opacity,
        "sh": sh,
    }


def _stack(data: PlyData, *names: str) -> NDArray[Any] | None:
    found = data.stack(*names)
    if found is None:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        return found.astype(np.float32)


def _read_colors(data: PlyData) -> NDArray[np.uint8] | None:
    """Colours as bytes: 8 bits as they are, 16 bits scaled, floats from 0 to 1."""
    stacked = next((c for names in _COLOURS if (c := data.stack(*names)) is not None), None)
    if stacked is None or stacked.dtype == np.uint8:
        return stacked
    values = np.nan_to_num(stacked.astype(np.float64))
    top = 1.0 if stacked.dtype.kind == "f" else float(np.iinfo(stacked.dtype).max)
    return np.rint(np.clip(values / top, 0, 1) * 255).astype(np.uint8)
