"""What can be said of a mesh: triangles, holes, size. NumPy and SciPy, for any thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..project.geometry import Mesh, measure_bounds


@dataclass(frozen=True)
class Health:
    """`size` is width, height and depth in metres; a hole is a loop of edges with one face."""

    triangles: int
    watertight: bool
    holes: int
    size: tuple[float, float, float]
    seen: float | None


def examine_mesh(mesh: Mesh) -> Health:
    """Count what an artist asks of a mesh."""
    low, high = measure_bounds(mesh)
    seen = None if mesh.observed is None or not len(mesh.observed) else float(mesh.observed.mean())
    size = (float(high[0] - low[0]), float(high[1] - low[1]), float(high[2] - low[2]))
    return Health(len(mesh.faces), mesh.is_watertight(), count_holes(mesh), size, seen)


def count_holes(mesh: Mesh) -> int:
    """Loops of edges that have one face alone."""
    if not len(mesh.faces):
        return 0
    f, n = mesh.faces.astype(np.int64), len(mesh.positions)
    edges = np.sort(np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]]), axis=1)
    keys, counts = np.unique(edges[:, 0] * n + edges[:, 1], return_counts=True)
    rim = keys[counts == 1]
    if not len(rim):
        return 0
    vertices, compact = np.unique(np.stack([rim // n, rim % n]), return_inverse=True)
    ends = compact.reshape(2, -1)
    size = len(vertices)
    graph = coo_array((np.ones(len(rim), np.int8), (ends[0], ends[1])), shape=(size, size))
    return int(connected_components(graph, directed=False)[0])
