"""Texture of a double-sheeted prop: what the still shows on the left, an invented back on the right."""

from __future__ import annotations

import numpy as np

LARGEST = 2048
"""Longest side of one half of the atlas, in pixels."""


def paint_atlas(
    foreground: np.ndarray, alpha: np.ndarray, box: tuple[slice, slice]
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Front and back side by side, as seen from the front.

    foreground u8[H,W,3], alpha u8[H,W], box = the slices of the still to paint. Returns u8[h,2w,3] and (corner,
    size) f64[2] each, x and y in pixels of the still, that either half covers. The front's own colours are
    carried outward past the mask, so filtering and mip maps never reach the background.
    """
    import cv2

    image, inside = foreground[box], alpha[box]
    height, width = inside.shape
    scale = min(1.0, LARGEST / max(height, width))
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        inside = cv2.resize(inside, size, interpolation=cv2.INTER_AREA)
    core = inside > 170
    if not core.any():
        core = inside >= max(1, int(inside.max()))
    front = _bleed(image, core)
    atlas = np.concatenate([front, _invent_back(front, core)], 1)
    corner = np.array([box[1].start, box[0].start], np.float64)
    return np.ascontiguousarray(atlas), (corner, np.array([width, height], np.float64))


def _bleed(image: np.ndarray, core: np.ndarray) -> np.ndarray:
    """u8[h,w,3] whose pixels outside bool[h,w] take the colour of the nearest one inside."""
    import cv2

    outside = 1 - core.astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    colours = np.zeros((int(labels.max()) + 1, 3), np.uint8)
    colours[labels[core]] = image[core]
    return np.where(core[..., None], image, colours[labels])


def _invent_back(front: np.ndarray, core: np.ndarray) -> np.ndarray:
    """A plausible back u8[h,w,3]: smooth colours of body and rim, some of the front's grain, equal at the rim."""
    import cv2

    height, width = core.shape
    longest = max(height, width)
    quarter = (max(1, width // 4), max(1, height // 4))
    depth = cv2.distanceTransform(core.astype(np.uint8), cv2.DIST_L2, 5)
    near_rim = ((depth > 0) & (depth < max(3.0, 0.03 * longest))).astype(np.float32)
    small = cv2.resize(front, quarter, interpolation=cv2.INTER_AREA).astype(np.float32)
    sigma = max(0.5, 0.011 * longest)

    def mean(weight: np.ndarray) -> np.ndarray:
        weight = cv2.resize(weight.astype(np.float32), quarter, interpolation=cv2.INTER_AREA) + 1e-4
        blurred = cv2.GaussianBlur(small * weight[..., None], (0, 0), sigma)
        return blurred / cv2.GaussianBlur(weight, (0, 0), sigma)[..., None]

    smooth = cv2.resize(0.6 * mean(core) + 0.4 * mean(near_rim), (width, height))
    coarse = cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma), (width, height))
    grain = cv2.GaussianBlur(front, (0, 0), 2).astype(np.float32) - coarse
    share = np.clip(1 - depth / max(1.0, 0.05 * longest), 0, 1)[..., None]
    back = share * front + (1 - share) * (smooth.reshape(height, width, 3) + 0.35 * grain)
    return np.clip(back, 0, 255).astype(np.uint8)
