"""Normals and tangents of a mesh, as a normal map needs them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .geometry import Mesh
from .still import F64

F32 = NDArray[np.float32]


def find_normals(mesh: Mesh) -> F32:
    """The vertices' unit normals f32[n, 3]: those of their faces, weighed by area; up where there are none."""
    a, b, c = (mesh.positions[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    summed = _sum_at(mesh, np.cross(b - a, c - a))
    lengths = np.linalg.norm(summed, axis=1, keepdims=True)
    unit = np.where(lengths > 1e-300, summed / np.maximum(lengths, 1e-300), (0.0, 1.0, 0.0))
    return unit.astype(np.float32)


def find_tangents(mesh: Mesh, normals: F32) -> F32:
    """Unit tangents f32[n, 4] along growing u, square to the unit `normals`; w is 1, or -1 where the uvs are mirrored.

    The bitangent, w * cross(normal, tangent), runs up the texture. Faces count by their share of the texture (Lengyel
    2001); where a face's uvs have no area, any direction square to the normal serves. Mirrored halves that share a
    vertex share its sign, where MikkTSpace would double it. The mesh has uvs on its vertices.
    """
    assert mesh.uvs is not None
    p, t = (
        values[mesh.faces].astype(np.float64) for values in (mesh.positions, mesh.uvs * np.array((1, -1), np.float32))
    )
    (e, f), (d, g) = ((v[:, 1] - v[:, 0], v[:, 2] - v[:, 0]) for v in (p, t))
    area = d[:, 0] * g[:, 1] - g[:, 0] * d[:, 1]
    along = _sum_at(mesh, np.sign(area)[:, None] * (e * g[:, 1:] - f * d[:, 1:]))
    signs = _sum_at(mesh, area[:, None])
    n = normals.astype(np.float64)
    along -= n * (along * n).sum(axis=1, keepdims=True)
    size = np.linalg.norm(along, axis=1, keepdims=True)
    spare = np.cross(n, np.eye(3)[np.abs(n).argmin(axis=1)])
    lost = size <= 1e-12 * max(1e-300, float(size.max(initial=0)))
    along = np.where(lost, spare, along)
    unit = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-300)
    return np.hstack([unit, np.where(signs < 0, -1.0, 1.0)]).astype(np.float32)


def _sum_at(mesh: Mesh, values: F64) -> F64:
    """What each face has f64[m, k], added up at its vertices f64[n, k]."""
    corners, n = mesh.faces.reshape(-1).astype(np.intp), len(mesh.positions)
    columns = [np.bincount(corners, np.repeat(column, 3), n).astype(np.float64) for column in values.T]
    return np.stack(columns, axis=1)
