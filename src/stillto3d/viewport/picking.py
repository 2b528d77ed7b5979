"""What a ray meets first: every triangle is asked, for any thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..project.geometry import Mesh, get_positions
from ..project.project import Layer
from ..project.space import Camera
from ..project.still import F64

POINT_REACH = 0.01


@dataclass(frozen=True)
class Hit:
    """A layer, and where on it, f64[3] in metres."""

    layer_id: str
    place: tuple[float, float, float]
    distance: float


def cast_ray(camera: Camera, x: float, y: float) -> tuple[F64, F64]:
    """Origin and unit direction of the ray through a place of the picture."""
    way = camera.unproject([[x, y]], [1.0])[0] - camera.position
    return camera.position.copy(), way / np.linalg.norm(way)


def pick_layer(layers: Sequence[Layer], origin: F64, way: F64) -> Hit | None:
    """The nearest visible layer on the ray, or None."""
    best: Hit | None = None
    for layer in layers:
        if layer.geometry is None or not layer.visible:
            continue
        back = np.linalg.inv(layer.transform)
        local, direction = back[:3, :3] @ origin + back[:3, 3], back[:3, :3] @ way
        mesh = layer.geometry
        t = (
            _meet_mesh(mesh, local, direction)
            if isinstance(mesh, Mesh)
            else _meet_points(get_positions(mesh), local, direction)
        )
        if t is not None and (best is None or t < best.distance):
            place = origin + way * t
            best = Hit(layer.id, (float(place[0]), float(place[1]), float(place[2])), t)
    return best


def _meet_mesh(mesh: Mesh, origin: F64, way: F64) -> float | None:
    """Möller and Trumbore's intersection (1997) with every triangle at once; the distance in units of `way`."""
    points = mesh.positions.astype(np.float64)
    a, b, c = (points[mesh.faces[:, k]] for k in range(3))
    e1, e2 = b - a, c - a
    p = np.cross(way, e2)
    det = np.einsum("ij,ij->i", e1, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        s = origin - a
        u = np.einsum("ij,ij->i", s, p) / det
        q = np.cross(s, e1)
        v = (q @ way) / det
        t = np.einsum("ij,ij->i", e2, q) / det
        met = (np.abs(det) > 1e-15) & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 1e-9)
    return float(t[met].min()) if met.any() else None


def _meet_points(points: np.ndarray, origin: F64, way: F64) -> float | None:
    """The nearest point that the ray passes closely, measured as an angle."""
    offset = points.astype(np.float64) - origin
    t = offset @ way / (way @ way)
    aside = np.linalg.norm(offset - t[:, None] * way, axis=1)
    met = (t > 1e-9) & (aside < POINT_REACH * t * np.linalg.norm(way))
    return float(t[met].min()) if met.any() else None
