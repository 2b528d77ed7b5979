"""Where the sky is: what the depth model takes for sky, where it is sure of it, cut along the picture's edges."""

from __future__ import annotations

import numpy as np

from .lens import Lens

LEAST_SURE = 1.3
"""Mean log-odds of a region that is taken for sky. Walls and backdrops that pass for it reach 1.1, skies 1.5 to 5.5."""

LEAST_SHARE = 0.003
"""Of the picture; what is smaller is a glint."""

CEILING = 0.45
"""How far the normal of a ceiling points down. What faces down and is darker than most of the picture is no sky."""

DARKEST = 0.3
"""Of the grey level of the brightest sky: no sky of one still is darker than that share of it."""

DOUBT_CELLS = 2
"""So near to the edge the model's cells are doubted, and the picture decides."""

SMOOTHING = (400.0, 8.0)
"""How far, and across which difference of grey levels, the sure cells reach into the doubted ones."""


def find_sky(chance: np.ndarray, picture: np.ndarray, lens: Lens, normals: np.ndarray | None) -> np.ndarray:
    """bool[H,W] of the picture u8[H,W,3] from a model's chance of sky f32[h,w], 0 to 1, over the whole of it.

    normals f32[n,m,3] (OpenCV camera axes), if there are any, tell a ceiling. Doubted cells are filled from sure ones
    along the picture (fast global smoothing, Min et al. 2014).
    """
    import cv2

    h, w = picture.shape[:2]
    coarse = np.clip(chance, 1e-4, 1 - 1e-4).astype(np.float32)
    odds = np.log(coarse / (1 - coarse))
    kept = drop_doubtful(odds, find_ceiling(odds, picture, lens, normals))
    if not kept.any():
        return np.zeros((h, w), bool)
    near = np.ones((3, 3), np.uint8)
    spread = cv2.dilate(kept.astype(np.uint8), near, iterations=DOUBT_CELLS)
    core = cv2.erode(kept.astype(np.uint8), near, iterations=DOUBT_CELLS)
    sure = np.where(spread == core, np.float32(1), np.float32(0.002))
    trust = cv2.resize(sure, (w, h), interpolation=cv2.INTER_LINEAR)
    fine = cv2.resize(kept.astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR)
    if min(h, w) < 16:
        return np.asarray(fine > 0.5)
    smoother = cv2.ximgproc.createFastGlobalSmootherFilter(picture, *SMOOTHING)
    return np.asarray(smoother.filter(fine * trust) > 0.5 * smoother.filter(trust))


def drop_doubtful(odds: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    """bool[h,w]: regions of positive log-odds f32[h,w] that are large and sure enough, without the ceiling."""
    import cv2

    likely = (odds > 0) & ~ceiling
    count, regions, stats, _ = cv2.connectedComponentsWithStats(likely.astype(np.uint8), connectivity=4)
    sums = np.bincount(regions.ravel(), odds.ravel(), count)
    areas = stats[:, cv2.CC_STAT_AREA]
    sure = (sums / np.maximum(areas, 1) >= LEAST_SURE) & (areas >= LEAST_SHARE * odds.size)
    sure[0] = False
    return np.asarray(sure[regions])


def find_ceiling(odds: np.ndarray, picture: np.ndarray, lens: Lens, normals: np.ndarray | None) -> np.ndarray:
    """bool[h,w] of the log-odds' shape: dark and facing down, or far darker than what is surely sky.

    A model's normals of a sky point anywhere, and a dark ceiling passes for sky; but a sky is bright.
    """
    import cv2

    size = odds.shape[::-1]
    light = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).mean(-1)
    likely = odds > 0
    dark = light < DARKEST * (np.percentile(light[likely], 90) if likely.any() else 0)
    if normals is None:
        return np.asarray(dark)
    drop = cv2.resize((normals @ lens.down).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(dark | (drop > CEILING) & (light < np.median(light)))
