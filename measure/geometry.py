"""Errors of cameras, depths and heights against truth."""

from __future__ import annotations

import numpy as np

from stillto3d.project.space import Camera

from .truth import F32, F64, Instance, Truth

HONEST_LENGTH = 0.05  # a known length is given between points whose true distance is this near to it
LEAST_VISIBLE = 0.8  # of an object whose height can be asked for


def get_down(camera: Camera) -> F64:
    """Down f64[3] in OpenCV camera axes of a solved camera."""
    up_in_camera = camera.world_from_camera[:3, :3].T @ np.array([0.0, 1.0, 0.0])
    down: F64 = -up_in_camera * (1, -1, -1)
    return down


def measure_angle_deg(a: F64, b: F64) -> float:
    """The angle between two directions in degrees."""
    across, along = np.linalg.norm(np.cross(a, b)), float(np.dot(a, b))
    return float(np.degrees(np.arctan2(across, along)))


def find_horizon_row(down: F64, focal: float, centre: tuple[float, float], column: float) -> float:
    """The row (continuous pixels) where the horizon crosses a column of the picture."""
    across = (column - centre[0]) / focal
    return float(centre[1] - focal * (down[0] * across + down[2]) / down[1])


def score_camera(camera: Camera, truth: Truth) -> dict[str, float | None]:
    """gravity_deg; horizon (row error at the middle column, in picture heights); roll and true_roll, radians;
    focal_log, |ln ratio|; focal_landscape or focal_portrait, |ratio - 1|, by the picture's shape (a square lies)."""
    gravity = horizon = focal = None
    others: dict[str, float | None] = dict.fromkeys(("focal_landscape", "focal_portrait", "roll", "true_roll"))
    if truth.focal_px is not None:
        focal = float(abs(np.log(camera.fx / truth.focal_px)))
        shape = "focal_portrait" if camera.height > camera.width else "focal_landscape"
        others[shape] = abs(camera.fx / truth.focal_px - 1)
    if truth.down is not None:
        down = get_down(camera)
        gravity = measure_angle_deg(down, truth.down)
        others["roll"], others["true_roll"] = (float(np.arctan2(-axis[0], axis[1])) for axis in (down, truth.down))
        if truth.focal_px is not None and truth.centre_px is not None:
            middle = camera.width / 2
            solved = find_horizon_row(down, camera.fx, (camera.cx, camera.cy), middle)
            true = find_horizon_row(truth.down, truth.focal_px, truth.centre_px, middle)
            horizon = abs(solved - true) / camera.height
    return {"gravity_deg": gravity, "horizon": horizon, "focal_log": focal, **others}


def score_depth(metres: F32, truth: Truth) -> dict[str, float | None]:
    """AbsRel and delta1 (share within a factor of 1.25) after median scaling, ours and a constant depth's."""
    keys = ("abs_rel", "delta1", "constant_abs_rel", "constant_delta1")
    if truth.depth is None or not (truth.depth > 0).any():
        return dict.fromkeys(keys)
    known = truth.depth > 0
    true = truth.depth[known].astype(np.float64)
    seen = resize_depth(metres, truth.depth.shape)[known].astype(np.float64)
    figures = (
        *_compare_depths(seen * np.median(true) / np.median(seen), true),
        *_compare_depths(np.full_like(true, np.median(true)), true),
    )
    return dict(zip(keys, figures, strict=True))


def _compare_depths(scaled: F64, true: F64) -> tuple[float, float]:
    ratio = np.maximum(scaled / true, true / scaled)
    return float(np.mean(np.abs(scaled - true) / true)), float(np.mean(ratio < 1.25))


def resize_depth(metres: F32, shape: tuple[int, ...]) -> F32:
    """Depth f32[h, w] at another size, linear in log depth: edges stay between what they divide."""
    import cv2

    if metres.shape == shape:
        return metres
    logs = cv2.resize(np.log(metres), (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    resized: F32 = np.exp(logs).astype(np.float32)
    return resized


# --------------------------------------------------------------------------- a known length


def find_ends(instance: Instance) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where a person would lay a ruler: the top and the bottom of the object, a hair inside its outline."""
    ys, xs = np.nonzero(instance.mask)
    tall = int(np.ptp(ys)) + 1
    inset = max(1.0, 0.02 * tall)
    ends = []
    for edge, sign in ((int(ys.min()), 1.0), (int(ys.max()) + 1, -1.0)):
        row = int(np.clip(edge + sign * inset, ys.min(), ys.max()))
        ends.append((float(np.median(xs[ys == row])) + 0.5 if (ys == row).any() else 0.0, row + 0.5))
    return ends[0], ends[1]


def unproject_true(point: tuple[float, float], truth: Truth) -> F64 | None:
    """The true place f64[3] (OpenCV camera axes, metres) of a pixel; None where the depth is unknown."""
    if truth.depth is None or truth.focal_px is None or truth.centre_px is None:
        return None
    height, width = truth.instances[0].mask.shape
    h, w = truth.depth.shape
    z = float(truth.depth[min(h - 1, int(point[1] * h / height)), min(w - 1, int(point[0] * w / width))])
    if z <= 0:
        return None
    x, y = (point[0] - truth.centre_px[0]) / truth.focal_px, (point[1] - truth.centre_px[1]) / truth.focal_px
    return np.array([x * z, y * z, z])


def choose_reference(truth: Truth) -> Instance | None:
    """The object whose height is told: seen whole, upright as the camera sees it, and large.

    Only truth decides: the true distance between its ends must be its true height within 5 per cent (a
    bowl seen from above is no ruler), and of those the tallest in the picture is taken; if none is so
    honest, the best is.
    """
    rated = []
    for instance in truth.instances:
        whole = instance.visible >= LEAST_VISIBLE and not instance.cut_by_frame and not instance.thin
        if not whole or not instance.height_m:
            continue
        a, b = (unproject_true(end, truth) for end in find_ends(instance))
        if a is not None and b is not None:
            lie = abs(float(np.linalg.norm(a - b)) / instance.height_m - 1)
            tall = int(np.ptp(np.nonzero(instance.mask)[0]))
            rated.append((max(lie, HONEST_LENGTH), -tall, instance.id, instance))
    return min(rated)[3] if rated else None
