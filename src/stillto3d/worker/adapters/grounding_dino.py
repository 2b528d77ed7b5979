"""Grounding DINO through transformers: boxes for words. Liu et al. 2023."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from .detecting import answer_boxes, check_words, turn_corners
from .pytorch import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Picturing,
    Tick,
    draw_picture,
    load_pretrained,
    load_tokenizer,
    read_settings,
    require_folder,
    start_torch,
    tick_within,
)

SIZE = {"shortest_edge": 800, "longest_edge": 1333}
STRIDE = 32  # a smaller picture has no coarsest cell


class GroundingDino:
    """The network and its tokenizer."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        from transformers import GroundingDinoForObjectDetection

        self._model = load_pretrained(GroundingDinoForObjectDetection, weights, self._device)
        self._tokenizer = load_tokenizer(weights)
        told = read_settings(weights)
        self._size = {**SIZE, **(told.get("size") or {})}
        mean, std = (
            told.get(f"image_{k}") or default for k, default in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD))
        )
        self._picturing = Picturing(0, 0, tuple(mean), tuple(std))

    def detect(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Find things by words. arrays: `still` u8[H,W,3]. params: `words`; options `threshold`, `text_threshold`."""
        torch, still = self._torch, arrays["still"]
        height, width = still.shape[:2]
        words = check_words(params)
        options = params.get("options", {})
        tick(0, 1)
        tokens, spans = self._spell(words)
        h, w = self._fit(height, width)
        picture = draw_picture(torch, still, self._picturing._replace(height=h, width=w), self._device)
        layers = [*self._model.model.encoder.layers, *self._model.model.decoder.layers]
        with tick_within(layers, tick, 0.5, 1, 1):
            answer = self._model(pixel_values=picture.to(self._model.dtype), **tokens)
        chances = answer.logits[0].float().sigmoid().cpu().numpy()
        by_word = np.stack([chances[:, first:last].max(axis=1) for first, last in spans], axis=1)
        best = by_word.argmax(axis=1)
        scores = by_word.max(axis=1)
        keep = scores > float(options.get("threshold", 0.25))
        boxes = turn_corners(answer.pred_boxes[0].float().cpu().numpy()[keep], height, width)
        tick(1, 1)
        return answer_boxes(boxes, scores[keep], [words[k] for k in best[keep]], height, width)

    def _spell(self, words: List[str]) -> Tuple[Dict[str, Any], List[Tuple[int, int]]]:
        """The words as tokens of one sentence, and which tokens each of them has."""
        text, ends = "", []
        for word in words:
            text += word + "."
            ends.append(len(text) - 1)
            text += " "
        given = self._tokenizer(text, return_tensors="pt", return_offsets_mapping=True, truncation=True, max_length=256)
        offsets = given.pop("offset_mapping")[0].tolist()
        spans, start = [], 0
        for end in ends:
            own = [k for k, (a, b) in enumerate(offsets) if b > a and start <= a and b <= end]
            spans.append((own[0], own[-1] + 1) if own else (0, 1))
            start = end + 1
        return {name: value.to(self._device) for name, value in given.items()}, spans

    def _fit(self, height: int, width: int) -> Tuple[int, int]:
        """The picture's size: the shorter side as wanted, the longer at most so long."""
        scale = min(self._size["shortest_edge"] / min(height, width), self._size["longest_edge"] / max(height, width))
        return max(STRIDE, round(height * scale)), max(STRIDE, round(width * scale))


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"detect": GroundingDino(require_folder(weights), device).detect}
