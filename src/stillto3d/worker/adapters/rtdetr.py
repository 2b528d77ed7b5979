"""RT-DETR v2 through transformers: boxes of the kinds of things that it was trained on. Lv et al. 2024."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Optional

import numpy as np

from ..errors import BadInput
from .detecting import MOST_BOXES, answer_boxes, check_words, turn_corners
from .pytorch import Picturing, Tick, draw_picture, load_pretrained, read_picturing, require_folder, start_torch

NO_MEAN, NO_STD = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


class RealTimeDetector:
    """The network and the names of its kinds."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        from transformers import RTDetrV2ForObjectDetection

        self._model = load_pretrained(RTDetrV2ForObjectDetection, weights, self._device)
        self._picturing = read_picturing(weights, Picturing(640, 640))._replace(mean=NO_MEAN, std=NO_STD)
        self._kinds = [str(name).lower() for _, name in sorted(self._model.config.id2label.items())]

    def detect(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Find things. arrays: `still` u8[H,W,3]. params: `words` of kinds it knows, none: all; option `threshold`."""
        still = arrays["still"]
        height, width = still.shape[:2]
        wanted = list(range(len(self._kinds)))
        if params.get("words"):
            words = check_words(params)
            known = [word for word in words if word in self._kinds]
            if not known:
                raise BadInput("This detector knows only: {kinds}.", kinds=", ".join(self._kinds))
            wanted = [k for k, kind in enumerate(self._kinds) if kind in known]
        tick(0, 1)
        picture = draw_picture(self._torch, still, self._picturing, self._device, self._model.dtype)
        tick(0.1, 1)
        answer = self._model(pixel_values=picture)
        chances = answer.logits[0].float().sigmoid().cpu().numpy()
        centred = answer.pred_boxes[0].float().cpu().numpy()
        columns = np.array(wanted)
        flat = chances[:, columns].ravel()
        best = np.argsort(-flat, kind="stable")[: min(MOST_BOXES, len(centred))]
        best = best[flat[best] > float(params.get("options", {}).get("threshold", 0.5))]
        boxes = turn_corners(centred[best // len(columns)], height, width)
        tick(1, 1)
        labels = [self._kinds[columns[k % len(columns)]] for k in best]
        return answer_boxes(boxes, flat[best], labels, height, width)


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"detect": RealTimeDetector(require_folder(weights), device).detect}
