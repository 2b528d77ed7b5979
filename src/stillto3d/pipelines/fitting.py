"""A prop that a model has made in a cube of its own, stood in the set where its mask shows it."""

from __future__ import annotations

import numpy as np

from ..models.roles import Placement
from ..models.shapes import GeneratedProp
from ..project.geometry import Mesh, Splats, get_positions, place_mesh, place_splats
from ..project.space import Camera
from ..project.still import F64, Mask

ROUNDS = 12
MOST_POINTS = 5000
SOLID = 127


def fit_generated(made: GeneratedProp, mask: Mask, camera: Camera, placement: Placement) -> Mesh | Splats:
    """The shape in the world: by the model's own pose, else upright and facing the camera; as high as its mask.

    The mask's lower edge is where it stands, at the distance that the placement tells along the camera's axis.
    """
    points = get_positions(made.shape).astype(np.float64)
    points = points[:: max(1, len(points) // MOST_POINTS)]
    if made.pose is not None:
        start = camera.world_from_camera @ made.pose
    else:
        start = np.eye(4)
        start[:3, :3] = _face(camera)
    transform = _fit_box(start, points, _find_box(mask), camera, placement.distance_m)
    if isinstance(made.shape, Splats):
        return place_splats(made.shape, transform)
    return place_mesh(made.shape, transform)


def _face(camera: Camera) -> F64:
    """The turn about the vertical by which +Z looks back at the camera."""
    back = camera.world_from_camera[:3, 2] * (1, 0, 1)
    if np.linalg.norm(back) < 1e-6:  # it looks straight down
        back = camera.world_from_camera[:3, 1] * (-1, 0, -1)
    back /= np.linalg.norm(back)
    up = np.array([0.0, 1.0, 0.0])
    return np.stack([np.cross(up, back), up, back], axis=1)


def _find_box(mask: Mask) -> F64:
    """Left, top, right and bottom of what the mask holds, in pixels."""
    solid = mask.alpha > min(SOLID, int(mask.alpha.max()) - 1)
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], dtype=np.float64)


def _fit_box(start: F64, points: F64, box: F64, camera: Camera, distance: float) -> F64:
    """Scale and move `start` until the points' box in the picture has the box's height, lower edge and middle."""
    linear = start[:3, :3] / np.cbrt(abs(np.linalg.det(start[:3, :3])))
    centred = (points - (points.min(axis=0) + points.max(axis=0)) / 2) @ linear.T
    reach = float(np.linalg.norm(centred, axis=1).max()) or 1.0
    size = 0.5 * distance * (box[3] - box[1]) / camera.fy / reach
    middle = camera.unproject([[(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]], [distance])[0]
    for _ in range(ROUNDS):
        size = min(size, 0.9 * distance / reach)  # it stays before the camera
        pixels, depth = camera.project(centred * size + middle)
        pixels = pixels[depth > 1e-6]
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        size *= (box[3] - box[1]) / max(high[1] - low[1], 1e-6)
        wanted = np.array([[(box[0] + box[2]) / 2, box[3]], [(low[0] + high[0]) / 2, high[1]]])
        there = camera.unproject(wanted, np.full(2, distance))
        middle = middle + there[0] - there[1]
    transform = np.eye(4)
    transform[:3, :3] = linear * size
    origin = -(points.min(axis=0) + points.max(axis=0)) / 2
    transform[:3, 3] = middle + transform[:3, :3] @ origin
    return transform
