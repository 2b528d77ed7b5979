"""Where the sky is: open to the top of the picture, above the horizon, smooth, and sky-coloured."""

from __future__ import annotations

import numpy as np

from .lens import Lens

SIDE = 320  # the question is answered at this size


def find_sky(picture: np.ndarray, lens: Lens, normals: np.ndarray | None) -> np.ndarray:
    """bool[h,w] of the picture's size. Grown from the top edge by colour (grabCut, Rother et al. 2004), then
    kept only where it looks like sky: blue or bright, no ceiling, and ending at a clear skyline."""
    import cv2

    h, w = picture.shape[:2]
    nothing = np.zeros((h, w), bool)
    k = min(1.0, SIDE / max(h, w))
    size = (max(1, round(w * k)), max(1, round(h * k)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    if min(small.shape[:2]) < 24:
        return nothing
    above = lens.cast(small.shape[:2]) @ lens.down < -0.01
    colour = small.astype(np.float32)
    blue = colour[..., 2] - colour[..., 0]
    light = colour.mean(-1)
    rough = cv2.GaussianBlur(np.abs(cv2.Laplacian(light, cv2.CV_32F)), (0, 0), 2)
    likely = above & (rough < 12) & ((blue > 18) | (light > 165))
    if normals is not None:
        rise = cv2.resize((-(normals @ lens.down)).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        likely &= rise > -0.45  # a ceiling faces down
    top = _join_top(likely)
    if top.mean() < 0.02:
        return nothing
    marks = np.where(above, cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    marks[top] = cv2.GC_PR_FGD
    marks[_join_top(top & (rough < 5))] = cv2.GC_FGD
    if (marks == cv2.GC_FGD).any() and (marks != cv2.GC_FGD).any():
        cv2.setRNGSeed(0)
        cv2.grabCut(small, marks, None, np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
    sky = _join_top(((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)) & above)
    if not _looks_like_sky(sky, blue, light):
        return nothing
    return cv2.resize(sky.astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR) > 0.5


def _join_top(mask: np.ndarray) -> np.ndarray:
    """The parts of a mask that touch the top row."""
    import cv2

    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    touching = np.unique(labels[0][mask[0]])
    return np.isin(labels, touching[touching > 0])


def _looks_like_sky(sky: np.ndarray, blue: np.ndarray, light: np.ndarray) -> bool:
    """Large and wide enough, sky-coloured, and bounded below by something that differs from it."""
    if sky.mean() < 0.02 or sky[0].mean() < 0.25:
        return False
    if np.median(blue[sky]) < 15 and np.median(light[sky]) < 190:
        return False
    columns = np.flatnonzero(sky.any(0))
    ends = sky.shape[0] - 1 - sky[::-1].argmax(0)[columns]
    reach = 4
    inside = light[np.maximum(ends - 2, 0), columns]
    beyond = light[np.minimum(ends + reach, sky.shape[0] - 1), columns]
    inside_blue = blue[np.maximum(ends - 2, 0), columns]
    beyond_blue = blue[np.minimum(ends + reach, sky.shape[0] - 1), columns]
    clear = (np.abs(inside - beyond) > 25) | (np.abs(inside_blue - beyond_blue) > 25)
    return bool(clear.mean() > 0.75)
