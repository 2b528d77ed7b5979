"""Alpha matte and clean colours of one prop, from its mask (numpy and OpenCV only, so it starts fast)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np

from ...errors import BadInput

SOLVE_SIDE = 700
"""Longest side in pixels at which the closed form is solved; larger crops are solved smaller and upsampled."""

BAND_PX, BAND_AT = 8.0, 1920.0
"""Half width of the narrow unknown band, in pixels of a still with that long side."""

CORE = 0.7
"""Share of the largest distance to the edge nearby that a pixel of a thin part's core has."""

THIN_BAND = 0.5
"""The band beside thin parts, as a share of the other."""

HAIR_BAND, HAIR_RADIUS = 3.5, 24.0
"""Half width of the wide band (in narrow bands) and radius of the guided filter (px at `BAND_AT`) for hair."""

WINDOW = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


def load(weights: Path | None, device: str) -> dict[str, Callable[..., Any]]:
    """Return {"matte", "lift"}; needs no weights."""
    return {"matte": matte, "lift": lift}


def matte(arrays: dict[str, Any], params: dict[str, Any], tick: Callable[[int, int], None]) -> dict[str, Any]:
    """Soften the edge of a mask to an alpha matte.

    still u8[H,W,3] sRGB, mask u8[H,W] (over 127 = prop); params hair: bool, fur and hair get a wide band.
    Returns alpha u8[H,W]; only pixels near the mask's edge differ from the mask.
    Closed form: Levin, Lischinski, Weiss 2008, on a narrow band. Hair: guided filter, He et al. 2013.
    Raises BadInput for an empty mask.
    """
    still, inside = arrays["still"], arrays["mask"] > 127
    if not inside.any():
        raise BadInput("The mask is empty. Click on the object first.")
    hair = bool(params.get("hair", False))
    band = max(1.5, BAND_PX * max(still.shape[:2]) / BAND_AT) * (HAIR_BAND if hair else 1.0)
    box = _crop(inside, int(np.ceil(2 * band)) + 4)
    guide = still[box].astype(np.float32) / 255
    trimap = _trimap(inside[box], band)
    tick(0, 3)
    if hair:
        radius = max(2.0, HAIR_RADIUS * max(still.shape[:2]) / BAND_AT)
        soft = _guided(guide, inside[box].astype(np.float32), radius, 1e-4)
    else:
        soft = _closed_form_scaled(guide, trimap)
    tick(1, 3)
    soft = np.where(trimap == 0.5, np.clip(soft, 0, 1), trimap).astype(np.float32)
    soft[soft < 2 / 255] = 0
    soft[soft > 253 / 255] = 1
    alpha = np.zeros(inside.shape, np.uint8)
    alpha[box] = np.round(soft * 255)
    if not (alpha > 127).any():
        alpha = np.where(inside, 255, 0).astype(np.uint8)
    tick(2, 3)
    return {"alpha": alpha}


def lift(arrays: dict[str, Any], params: dict[str, Any], tick: Callable[[int, int], None]) -> dict[str, Any]:
    """Free a prop's colours from the background: still u8[H,W,3], alpha u8[H,W] -> foreground u8[H,W,3].

    The still, with the prop's own colours wherever alpha is soft (blur fusion, Forte 2021).
    """
    still, alpha = arrays["still"], arrays["alpha"]
    foreground = still.copy()
    edge = (alpha > 0) & (alpha < 255)
    if edge.any():
        band = max(1.5, BAND_PX * max(still.shape[:2]) / BAND_AT)
        box = _crop(alpha > 0, int(np.ceil(2 * band)) + 4)
        colours = _own_colours(still[box].astype(np.float32) / 255, alpha[box].astype(np.float32) / 255)
        own = np.round(np.clip(colours, 0, 1) * 255).astype(np.uint8)
        foreground[box] = np.where(edge[box][..., None], own, still[box])
    tick(1, 1)
    return {"foreground": foreground}


def _crop(inside: np.ndarray, margin: int) -> tuple[slice, slice]:
    """Slices of the bounding box of bool[H,W], grown by margin pixels."""
    ys, xs = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    return (
        slice(max(0, int(ys[0]) - margin), int(ys[-1]) + 1 + margin),
        slice(max(0, int(xs[0]) - margin), int(xs[-1]) + 1 + margin),
    )


def _trimap(inside: np.ndarray, band: float) -> np.ndarray:
    """f32[H,W] of 0, .5 and 1: .5 within band pixels of the mask's edge.

    A part thinner than the band keeps its core as 1, else a spoke or a twig has nothing to grow from and is lost; its
    band is narrower, so that what shows between spokes is not theirs.
    """
    import cv2

    padded = np.pad(inside.astype(np.uint8), 1)  # the picture's own border is no edge of the prop
    padded[0], padded[-1], padded[:, 0], padded[:, -1] = padded[1], padded[-2], padded[:, 1], padded[:, -2]
    inner = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    outer = cv2.distanceTransform(1 - padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    beyond = cv2.distanceTransform((inner <= band).astype(np.uint8), cv2.DIST_L2, 5)  # from what is thick
    core = inside & (beyond > band) & (inner >= CORE * cv2.dilate(inner, np.ones((3, 3), np.uint8)))
    trimap = np.full(inside.shape, 0.5, np.float32)
    trimap[(inner > band) | core] = 1
    trimap[(outer > band) | (outer > THIN_BAND * band) & (beyond > 2 * band)] = 0
    return trimap


def _closed_form_scaled(guide: np.ndarray, trimap: np.ndarray) -> np.ndarray:
    """Closed-form alpha f32[H,W], solved at no more than SOLVE_SIDE and upsampled along the guide's edges."""
    import cv2

    height, width = trimap.shape
    scale = min(1.0, SOLVE_SIDE / max(height, width))
    if scale == 1.0:
        return _closed_form(guide, trimap)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(guide, size, interpolation=cv2.INTER_AREA)
    known = cv2.resize(trimap, size, interpolation=cv2.INTER_AREA)
    small_trimap = np.where(known < 0.01, 0.0, np.where(known > 0.99, 1.0, 0.5)).astype(np.float32)
    solved = _closed_form(small, small_trimap)
    slope, offset = _linear_model(small, solved, 2, 1e-5)
    slope = cv2.resize(slope, (width, height), interpolation=cv2.INTER_LINEAR)
    offset = cv2.resize(offset, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.einsum("yxc,yxc->yx", slope, guide) + offset


def _closed_form(guide: np.ndarray, trimap: np.ndarray, eps: float = 1e-6, steps: int = 120) -> np.ndarray:
    """Solve the matting Laplacian for the unknown pixels of the trimap by conjugate gradients.

    guide f32[H,W,3] 0..1, trimap f32[H,W] of 0, .5, 1; returns f32[H,W]. Only windows that touch an unknown
    pixel are built, and each row of the matrix is kept as its 25 neighbours, which needs no sparse library.
    """
    height, width = trimap.shape
    if min(height, width) < 3 or not (trimap == 0.5).any():
        return trimap
    unknown = trimap == 0.5
    rows, neighbours, base = _laplacian_rows(guide, unknown, eps)
    alpha = trimap.ravel().astype(np.float32)
    is_unknown = np.zeros(alpha.size + 1, bool)
    is_unknown[base] = True
    position = np.full(alpha.size + 1, base.size, np.int64)
    position[base] = np.arange(base.size)
    fixed = np.append(np.where(is_unknown[:-1], 0, alpha), 0).astype(np.float32)
    target = -np.einsum("nk,nk->n", rows, fixed[neighbours])
    links = position[neighbours]
    rows = np.where(links < base.size, rows, 0)
    diagonal = np.maximum(rows[:, 12], 1e-6)
    x = np.append(alpha[base], 0).astype(np.float32)

    def multiply(vector: np.ndarray) -> np.ndarray:
        return np.einsum("nk,nk->n", rows, np.append(vector, np.float32(0))[links])

    x = x[:-1]
    residual = target - multiply(x)
    direction = z = residual / diagonal
    energy = float(residual @ z)
    goal = max(energy, 1e-12) * 1e-6
    for _ in range(steps):
        if energy <= goal:
            break
        image = multiply(direction)
        step = energy / max(float(direction @ image), 1e-20)
        x = x + step * direction
        residual = residual - step * image
        z = residual / diagonal
        before, energy = energy, float(residual @ z)
        direction = z + (energy / before) * direction
    alpha[base] = x
    return alpha.reshape(height, width)


def _laplacian_rows(guide: np.ndarray, unknown: np.ndarray, eps: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the matting Laplacian of the unknown pixels.

    Returns values f32[n,25] and flat pixel indices i64[n,25] (H*W = outside) over the 5x5 neighbourhood, and
    the unknown pixels' own indices i64[n].
    """
    import cv2

    height, width = unknown.shape
    near = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    near[[0, -1]] = False
    near[:, [0, -1]] = False
    centres = np.flatnonzero(near)
    pixels = centres[:, None] + np.array([dy * width + dx for dy, dx in WINDOW])
    colours = guide.reshape(-1, 3)[pixels]
    colours = colours - colours.mean(1, keepdims=True)
    covariance = np.einsum("wic,wid->wcd", colours, colours) / 9 + np.eye(3, dtype=np.float32) * (eps / 9)
    weights = np.linalg.inv(covariance.astype(np.float64)).astype(np.float32)
    affinity = (1 + np.einsum("wic,wcd,wjd->wij", colours, weights, colours, optimize=True)) / 9
    values = np.eye(9, dtype=np.float32) - affinity
    base = np.flatnonzero(unknown)
    row_of = np.full(unknown.size, base.size, np.int64)
    row_of[base] = np.arange(base.size)
    rows = np.zeros((base.size + 1, 25), np.float32)
    for i, (dy, dx) in enumerate(WINDOW):
        mine = row_of[pixels[:, i]]
        for j, (ey, ex) in enumerate(WINDOW):
            # one window adds to a row at most once per (i, j), so plain indexing adds without collisions
            rows[mine, (ey - dy + 2) * 5 + ex - dx + 2] += values[:, i, j]
    ys, xs = np.divmod(base, width)
    offsets = np.arange(-2, 3)
    ny = ys[:, None, None] + offsets[None, :, None]
    nx = xs[:, None, None] + offsets[None, None, :]
    valid = (ny >= 0) & (ny < height) & (nx >= 0) & (nx < width)
    neighbours = np.where(valid, ny * width + nx, unknown.size).reshape(-1, 25)
    return rows[:-1], neighbours, base


def _linear_model(guide: np.ndarray, target: np.ndarray, radius: int, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Guided filter's smoothed coefficients: slope f32[H,W,3] and offset f32[H,W], target = slope . guide + offset."""
    import cv2

    size = (2 * radius + 1, 2 * radius + 1)

    def mean(image: np.ndarray) -> np.ndarray:
        return cv2.blur(image, size, borderType=cv2.BORDER_REFLECT)

    centre, level = mean(guide), mean(target)
    cross = mean(guide * target[..., None]) - centre * level[..., None]
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    a, b, c, d, e, f = (
        mean(guide[..., i] * guide[..., j]) - centre[..., i] * centre[..., j] + (eps if i == j else 0) for i, j in pairs
    )
    cofactors = (d * f - e * e, c * e - b * f, b * e - c * d, a * f - c * c, b * c - a * e, a * d - b * b)
    det = np.maximum(a * cofactors[0] + b * cofactors[1] + c * cofactors[2], eps**3)
    p, q, r, s, t, u = (k / det for k in cofactors)
    x, y, z = cross[..., 0], cross[..., 1], cross[..., 2]
    slope = np.stack([p * x + q * y + r * z, q * x + s * y + t * z, r * x + t * y + u * z], -1)
    offset = level - np.einsum("yxc,yxc->yx", slope, centre)
    return mean(slope), mean(offset)


def _guided(guide: np.ndarray, target: np.ndarray, radius: float, eps: float) -> np.ndarray:
    """Guided filter of target f32[H,W]; its linear model is solved at SOLVE_SIDE (He and Sun 2015)."""
    import cv2

    height, width = target.shape
    scale = min(1.0, SOLVE_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(guide, size, interpolation=cv2.INTER_AREA)
    low = cv2.resize(target, size, interpolation=cv2.INTER_AREA)
    slope, offset = _linear_model(small, low, max(1, round(radius * scale)), eps)
    slope = cv2.resize(slope, (width, height), interpolation=cv2.INTER_LINEAR)
    offset = cv2.resize(offset, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.einsum("yxc,yxc->yx", slope, guide) + offset


def _own_colours(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours f32[H,W,3] of the foreground alone: blurred estimates corrected by the compositing equation, twice."""
    import cv2

    colours = image
    background = image
    weight = alpha[..., None]
    for radius in (max(8, max(alpha.shape) // 16), 4):
        size = (2 * radius + 1, 2 * radius + 1)
        share = cv2.blur(alpha, size)[..., None]
        near = cv2.blur(colours * weight, size) / (share + 1e-5)
        far = cv2.blur(background * (1 - weight), size) / (1 - share + 1e-5)
        colours = np.clip(near + weight * (image - weight * near - (1 - weight) * far), 0, 1)
        background = far
    return colours
