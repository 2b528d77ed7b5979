"""How far back a prop reaches: its far side along every ray of the still, against the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stillto3d.engine.run import Run
from stillto3d.models.roles import RenderMeshes
from stillto3d.project.geometry import Mesh
from stillto3d.project.space import Camera

from .truth import F32, F64, Bool, Truth
from .views import resize_nearest

LEAST_PIXELS = 100  # of the truth's grid


def measure_far_side(run: Run, mesh: Mesh, camera: Camera, mask: Bool, truth: Truth) -> float | None:
    """How far a prop's far side is off, as a share of the prop's own extent in depth; None without truth.

    `mesh` stands in the world. Distances are scaled so that the fronts agree in the median: where the prop stands and
    how large it is are other figures. The extent is from the nearest front to the farthest far side, without 2 % at
    either end.
    """
    if truth.depth is None or truth.far is None:
        return None
    near, far = render_sides(run, mesh, camera)
    shape = truth.far.shape
    near, far, inside = (resize_nearest(values, shape) for values in (near, far, mask.astype(np.float32)))
    known = (inside > 0) & (near > 0) & (truth.depth > 0) & (truth.far > 0)
    if known.sum() < LEAST_PIXELS:
        return None
    true_near, true_far = truth.depth[known], truth.far[known]
    scale = float(np.median(true_near / near[known]))
    extent = float(np.percentile(true_far, 98) - np.percentile(true_near, 2))
    return float(np.median(np.abs(scale * far[known] - true_far)) / max(extent, 1e-6))


def render_sides(run: Run, mesh: Mesh, camera: Camera) -> tuple[F32, F32]:
    """Depth f32[H, W] of a mesh's nearest and of its farthest side along every ray, 0 beside it."""
    near = run.call(RenderMeshes((mesh,), camera, wants=("depth",))).depth
    assert near is not None
    to_camera = np.linalg.inv(camera.world_from_camera)
    local = mesh.positions.astype(np.float64) @ to_camera[:3, :3].T + to_camera[:3, 3]
    turned, turning = turn_inside_out(local)
    positions = turned @ camera.world_from_camera[:3, :3].T + camera.world_from_camera[:3, 3]
    swapped = run.call(
        RenderMeshes((replace(mesh, positions=positions.astype(np.float32)),), camera, wants=("depth",))
    ).depth
    assert swapped is not None
    far = np.where(swapped > 0, 1 / np.maximum(turning - 1 / np.maximum(swapped, 1e-9), 1e-9), 0)
    return near, far.astype(np.float32)


def turn_inside_out(points: F64) -> tuple[F64, float]:
    """Points f64[n, 3] (the camera looks along -z) moved along their rays so that what was farthest is nearest.

    Inverse depth 1/d becomes `turning` - 1/d. Planes stay planes, because inverse depth is linear in the picture.
    """
    inverse = 1 / np.maximum(-points[:, 2], 1e-6)
    turning = float(inverse.max() + inverse.min())
    return points * (inverse / (turning - inverse))[:, None], turning
