"""Depth made whole: the network's depth and normals joined into surfaces that stand on the solved floor.

Log depth is solved on the network's grid so that neighbouring cells lie on a common plane where the normals
say so (variational normal integration; discontinuities weigh little, as in Cao et al. 2022), pulled weakly to
the network's own depth and strongly to the floor plane; then it is carried to the picture's edges.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .lens import Lens

DATA_WEIGHT = 0.005  # pull of the network's own depth, against 1 for a neighbour on a common plane
PIN_WEIGHT = 4.0  # pull of depth that is known: the floor, or the plate around a prop
JUMP = 0.08  # log depth between neighbouring cells, beyond their plane, that counts as an edge
ROUNDS = 3
BELIEF = 0.85  # share of the network's spread of log depth to believe: the best guess of a noisy one is less
RAMP = 14  # pixels of the working size over which a depth edge may be smeared
STEP = 0.15  # and the change of log depth across it that makes it an edge
LEVEL = 0.85  # cosine to the vertical from which a surface counts as level
MARGIN = 0.04  # slope of rays about the horizon within which tops and undersides are doubted
UPRIGHT = 0.3  # and below which it counts as upright


class Surface(NamedTuple):
    """Depth on the network's grid: log metres, floor bool, and the camera's height above the floor."""

    log_depth: np.ndarray
    floor: np.ndarray
    camera_height: float | None


def straighten_normals(normals: np.ndarray, rays: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Normals f64[h,w,3] with level surfaces made level, upright ones upright and on the room's two axes.

    What cannot be seen is stood upright: tops above the horizon, undersides below it.
    """
    n = normals.astype(np.float64)
    rise, drop = -(n @ down), rays @ down
    unseen = np.clip(np.where(rise > 0, MARGIN - drop, drop + MARGIN) / (2 * MARGIN), 0, 1) * (np.abs(rise) > UPRIGHT)
    n = n + (unseen * rise)[..., None] * down
    towards = -(rays - drop[..., None] * down)
    n = n + 1e-3 * towards  # what was level faces the camera now
    n /= np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-9)
    rise = -(n @ down)
    level = np.clip((np.abs(rise) - LEVEL) / 0.08, 0, 1)[..., None]
    n = n * (1 - level) - np.sign(rise)[..., None] * level * down
    across = np.cross(down, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across) + 1e-9
    ahead = np.cross(across, down)
    upright = np.abs(rise) < UPRIGHT
    heading = np.arctan2(n @ ahead, n @ across)
    axis = _find_axis(heading[upright])
    quarter = np.pi / 2
    off = (heading - axis + quarter / 2) % quarter - quarter / 2
    pull = np.clip(1.6 - np.abs(off) / np.radians(12), 0, 1) * np.clip((UPRIGHT - np.abs(rise)) / 0.15, 0, 1)
    turned = heading - off * pull
    stood = np.cos(turned)[..., None] * across + np.sin(turned)[..., None] * ahead
    weight = pull[..., None]
    n = np.where(upright[..., None], n * (1 - weight) + stood * weight, n)
    return n / np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-9)


def _find_axis(headings: np.ndarray) -> float:
    """The heading (radians, mod a quarter turn) that most upright surfaces face."""
    if not headings.size:
        return 0.0
    bins = 60
    counts, _ = np.histogram(headings % (np.pi / 2), bins=bins, range=(0, np.pi / 2))
    smooth = counts + np.roll(counts, 1) + np.roll(counts, -1)
    return float((smooth.argmax() + 0.5) * np.pi / 2 / bins)


def find_floor(depth: np.ndarray, normals: np.ndarray, lens: Lens) -> tuple[np.ndarray, float | None]:
    """Floor cells bool[h,w] and the camera's height above them in the depth's own unit; None without a floor.

    The floor is the lowest level surface of some size.
    """
    rays = lens.cast(depth.shape)
    drop = rays @ lens.down
    level = (-(normals @ lens.down) > LEVEL) & (drop > 0.02)
    if level.mean() < 0.01:
        return np.zeros(depth.shape, bool), None
    below = depth * drop
    logs = np.log(below[level])
    counts, edges = np.histogram(logs, bins=40)
    share = np.convolve(counts, [1, 1, 1], "same") / level.size
    strong = np.flatnonzero(share >= max(0.25, min(1.0, 0.015 / share.max())) * share.max())
    lowest = (edges[strong[-1]] + edges[strong[-1] + 1]) / 2
    for _ in range(3):
        near = np.abs(logs - lowest) < 0.25
        lowest = float(np.median(logs[near]))
    height = float(np.exp(lowest))
    floor = level & (np.abs(np.log(np.maximum(below, 1e-9)) - lowest) < 0.35)
    return floor, height


def integrate(
    depth: np.ndarray, normals: np.ndarray, rays: np.ndarray, pins: np.ndarray, pin_weight: np.ndarray
) -> np.ndarray:
    """Log depth f64[h,w] that follows the normals where the network's depth lets it, and the pins.

    pins: log depth f64[h,w] and their weight f64[h,w] (0 = free).
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import splu

    h, w = depth.shape
    target = np.log(depth.astype(np.float64))
    target = np.median(target) + BELIEF * (target - np.median(target))
    first, second, step, current = link_cells(target, normals, rays)
    index = np.arange(h * w)
    diagonal = DATA_WEIGHT + pin_weight.ravel()
    right_side = DATA_WEIGHT * target.ravel() + pin_weight.ravel() * pins.ravel()
    solution = target.ravel()
    for _ in range(ROUNDS):
        weight = 1 / (1 + ((current - step) / JUMP) ** 2) ** 2
        total = diagonal + np.bincount(first, weight, h * w) + np.bincount(second, weight, h * w)
        pull = np.bincount(second, weight * step, h * w) - np.bincount(first, weight * step, h * w)
        rows = np.concatenate([index, first, second])
        columns = np.concatenate([index, second, first])
        values = np.concatenate([total, -weight, -weight])
        matrix = coo_matrix((values, (rows, columns)), (h * w, h * w)).tocsc()
        solver = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
        solution = solver.solve(right_side + pull)
        current = solution[second] - solution[first]
    return solution.reshape(h, w)


def link_cells(target: np.ndarray, normals: np.ndarray, rays: np.ndarray) -> list[np.ndarray]:
    """All pairs of neighbours of log depth f64[h,w]: flat indices of both, the step of log depth that the plane
    through their normals asks for, and the step that the network saw."""
    h, w = target.shape
    index = np.arange(h * w).reshape(h, w)
    facing = (normals * rays).sum(-1) < -0.05
    pairs = []
    for a, b in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        n = normals[a] + normals[b]
        at, to = (n * rays[a]).sum(-1), (n * rays[b]).sum(-1)
        good = facing[a] & facing[b] & (at < 0) & (to < 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.log(at / to)
        seen = target[b] - target[a]
        pairs.append([index[a], index[b], np.where(good & (np.abs(step) < 0.7), step, seen), seen])
    return [np.concatenate([pair[k].ravel() for pair in pairs]) for k in range(4)]


def fuse_depth(depth: np.ndarray, normals: np.ndarray | None, lens: Lens) -> Surface:
    """One surface from a network's depth f32[h,w] and normals f32[h,w,3] of the whole still."""
    rays = lens.cast(depth.shape)
    straight = straighten_normals(guess_normals(depth, rays) if normals is None else normals, rays, lens.down)
    floor, camera_height = find_floor(depth, straight, lens)
    pins, weight = pin_floor(floor, camera_height, rays @ lens.down)
    return Surface(integrate(depth, straight, rays, pins, weight), floor, camera_height)


def pin_floor(floor: np.ndarray, camera_height: float | None, drop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log depth f64[h,w] of the floor plane and how strongly floor cells are pulled to it."""
    if camera_height is None:
        return np.zeros(drop.shape), np.zeros(drop.shape)
    pull = np.where(floor, PIN_WEIGHT * np.clip(drop / 0.1, 0.05, 1), 0.0)
    return np.log(camera_height / np.maximum(drop, 1e-3)), pull


def complete_plate(
    surface: Surface, depth: np.ndarray, normals: np.ndarray | None, hole: np.ndarray, lens: Lens
) -> Surface:
    """The surface without its props: inside `hole` bool[h,w] as the network sees the plate, else as it was.

    A filled plate is a poor picture, so it is asked for nothing that the still itself shows.
    """
    rays = lens.cast(depth.shape)
    straight = straighten_normals(guess_normals(depth, rays) if normals is None else normals, rays, lens.down)
    aligned = depth * np.exp(align_parts(surface.log_depth - np.log(depth), hole))
    drop = rays @ lens.down
    floor = surface.floor & ~hole
    if surface.camera_height is not None:
        level = (-(straight @ lens.down) > LEVEL) & (drop > 0.02)
        near = np.abs(np.log(np.maximum(aligned * drop, 1e-9) / surface.camera_height)) < 0.35
        floor |= hole & level & near
    pins, weight = pin_floor(floor, surface.camera_height, drop)
    pins, weight = np.where(hole, pins, surface.log_depth), np.where(hole, weight, PIN_WEIGHT)
    joined = integrate(aligned, straight, rays, pins, weight)
    return Surface(np.where(hole, joined, surface.log_depth), floor, surface.camera_height)


def align_parts(shift: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """What to add to log depth inside each part of the hole so that it meets its surroundings.

    shift f64[h,w]: what had to be added outside, where both are known.
    """
    import cv2

    aligned = np.where(hole, np.median(shift[~hole]) if (~hole).any() else 0.0, shift)
    count, parts = cv2.connectedComponents(hole.astype(np.uint8))
    for part in range(1, count):
        inside = parts == part
        ring = (cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~hole
        if ring.any():
            aligned[inside] = np.median(shift[ring])
    return aligned


def guess_normals(depth: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """Normals f64[h,w,3] of a depth map, towards the camera, for models that give none."""
    if min(depth.shape) < 2:
        return -rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    points = rays * depth[..., None]
    normal = np.cross(np.gradient(points, axis=0), np.gradient(points, axis=1))
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    return np.where((normal * rays).sum(-1, keepdims=True) > 0, -normal, normal)


def sharpen_depth(log_depth: np.ndarray, picture: np.ndarray, lens: Lens) -> np.ndarray:
    """Log depth of the network's grid at the picture's size, its edges on the picture's edges.

    Values near a depth edge are doubted and filled again from their sure neighbours, along the picture (fast
    global smoothing, Min et al. 2014).
    """
    import cv2

    size = (picture.shape[1], picture.shape[0])
    coarse = log_depth.astype(np.float32)
    kernel = np.ones((3, 3), np.uint8)
    spread = cv2.dilate(coarse, kernel) - cv2.erode(coarse, kernel)
    sure = np.exp(-((spread / 0.12) ** 2)).astype(np.float32) + 0.002
    fine = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    trust = cv2.resize(sure, size, interpolation=cv2.INTER_LINEAR)
    if min(size) < 16:
        return fine.astype(np.float64)
    smoother = cv2.ximgproc.createFastGlobalSmootherFilter(picture, 60.0, 10.0)
    filled = smoother.filter(fine * trust) / np.maximum(smoother.filter(trust), 1e-6)
    mixed = fine * np.clip(trust, 0, 1) ** 2 + filled * (1 - np.clip(trust, 0, 1) ** 2)
    mixed = np.clip(mixed, coarse.min(), coarse.max())
    return cut_ramps(mixed, lens.cast(mixed.shape) @ lens.down).astype(np.float64)


def cut_ramps(log_depth: np.ndarray, drop: np.ndarray) -> np.ndarray:
    """Turn the ramps that a coarse grid leaves at depth edges into steps where they are steepest.

    A toggle mapping (Kramer and Bruckner 1975), repeated, and only where depth changes by more than a surface
    would: level ground (`drop` = how far a ray of z = 1 falls) is left alone however it is foreshortened.
    """
    import cv2

    def spread(values: np.ndarray, radius: int) -> np.ndarray:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        return cv2.dilate(values, disc) - cv2.erode(values, disc)

    log = log_depth.astype(np.float32)
    with np.errstate(divide="ignore"):
        below = log + np.log(np.maximum(drop, 1e-4)).astype(np.float32)
    level = (drop > 0.005) & (spread(below, RAMP // 2) < 0.5 * spread(log, RAMP // 2))
    zone = (spread(log, RAMP // 2) > STEP) & ~level
    zone = cv2.dilate(zone.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    kernel = np.ones((3, 3), np.uint8)
    for _ in range(RAMP):
        high, low = cv2.dilate(log, kernel), cv2.erode(log, kernel)
        toggled = np.where(high - log < log - low, high, np.where(log - low < high - log, low, log))
        log = np.where(zone, toggled, log)
    return log
