"""What adapters of detectors share: words that are asked for, and boxes as the role wants them."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

import numpy as np

from ..errors import BadInput

MOST_WORDS = 64
MOST_LETTERS = 80
MOST_BOXES = 300
LEAST_PIXELS = 0.5  # of a box's side


def check_words(params: Dict[str, Any]) -> List[str]:
    """The words asked for, in small letters. Raises BadInput when there are none or too many."""
    words = [" ".join(str(word).lower().replace(".", " ").split())[:MOST_LETTERS] for word in params.get("words") or ()]
    words = list(dict.fromkeys(word for word in words if word))
    if not words:
        raise BadInput("Name what to look for, such as: lamp, chair.")
    if len(words) > MOST_WORDS:
        raise BadInput("At most {n} words can be looked for at once.", n=MOST_WORDS)
    return words


def answer_boxes(
    boxes: np.ndarray, scores: np.ndarray, labels: Sequence[str], height: int, width: int
) -> Dict[str, Any]:
    """Boxes f[n,4] (x0, y0, x1, y1 in pixels) clipped to the still, the surest first; slivers are dropped."""
    boxes = np.nan_to_num(np.asarray(boxes, np.float32).reshape(-1, 4))
    scores = np.clip(np.nan_to_num(np.asarray(scores, np.float32).reshape(-1)), 0, 1)
    clipped = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
    wide = np.minimum(clipped[:, 2] - clipped[:, 0], clipped[:, 3] - clipped[:, 1]) >= LEAST_PIXELS
    order = [k for k in np.argsort(-scores, kind="stable") if wide[k]][:MOST_BOXES]
    return {"boxes": clipped[order], "scores": scores[order], "labels": [labels[k] for k in order]}


def turn_corners(centred: np.ndarray, height: float, width: float) -> np.ndarray:
    """Boxes (centre x, centre y, width, height; 0 to 1) as corners in pixels of a picture of that size."""
    x, y, w, h = np.asarray(centred, np.float64).T
    return np.stack([(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height], axis=1)
