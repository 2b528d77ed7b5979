"""OWLv2 through transformers: boxes for words. Minderer et al. 2023."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Optional

import numpy as np

from .detecting import answer_boxes, check_words, turn_corners
from .pytorch import (
    Picturing,
    Tick,
    load_pretrained,
    load_tokenizer,
    read_picturing,
    require_folder,
    resize_bytes,
    start_torch,
    tick_within,
)

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
MOST_TOKENS = 16


class Owl:
    """The network and its tokenizer."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        from transformers import Owlv2ForObjectDetection

        self._model = load_pretrained(Owlv2ForObjectDetection, weights, self._device)
        self._tokenizer = load_tokenizer(weights)
        self._picturing = read_picturing(weights, Picturing(960, 960, MEAN, STD))

    def detect(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Find things by words. arrays: `still` u8[H,W,3]. params: `words`; option `threshold`."""
        still = arrays["still"]
        height, width = still.shape[:2]
        words = check_words(params)
        tick(0, 1)
        texts = ["a photo of a " + word for word in words]
        tokens = self._tokenizer(
            texts, return_tensors="pt", padding="max_length", max_length=MOST_TOKENS, truncation=True
        )
        given = {name: value.to(self._device) for name, value in tokens.items()}
        with tick_within(self._model.owlv2.vision_model.encoder.layers, tick, 0.1, 1, 1):
            answer = self._model(pixel_values=self._draw(still), **given)
        chances = answer.logits[0].float().sigmoid().cpu().numpy()[:, : len(words)]
        best, scores = chances.argmax(axis=1), chances.max(axis=1)
        keep = scores > float(params.get("options", {}).get("threshold", 0.1))
        side = max(height, width)
        boxes = turn_corners(answer.pred_boxes[0].float().cpu().numpy()[keep], side, side)
        tick(1, 1)
        return answer_boxes(boxes, scores[keep], [words[k] for k in best[keep]], height, width)

    def _draw(self, still: np.ndarray) -> Any:
        """The still in the upper left of a black square, resized and normalised."""
        torch, picturing = self._torch, self._picturing
        height, width = still.shape[:2]
        side = max(height, width)
        inner = max(1, round(picturing.height * height / side)), max(1, round(picturing.width * width / side))
        pixels = torch.from_numpy(np.ascontiguousarray(still)).to(self._device).permute(2, 0, 1)[None]
        pixels = resize_bytes(torch, pixels, *inner)
        beside = (0, picturing.width - inner[1], 0, picturing.height - inner[0])
        pixels = torch.nn.functional.pad(pixels, beside).float() / 255
        mean, std = (torch.tensor(v, device=self._device).view(1, 3, 1, 1) for v in (picturing.mean, picturing.std))
        return ((pixels - mean) / std).to(self._model.dtype)


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"detect": Owl(require_folder(weights), device).detect}
