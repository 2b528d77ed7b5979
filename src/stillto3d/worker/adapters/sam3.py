"""SAM 3 through transformers: masks from clicks and boxes, and of everything that a word names. Meta 2025."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Callable, Dict, Optional

import numpy as np

from .detecting import LEAST_PIXELS, check_words
from .promptable import PromptableModel
from .pytorch import (
    Picturing,
    Remembered,
    Tick,
    draw_picture,
    load_pretrained,
    load_tokenizer,
    read_picturing,
    require_folder,
    start_torch,
    tick_within,
)

HALF = (0.5, 0.5, 0.5)
MOST_TOKENS = 32
MOST_THINGS = 64
LOOKING = 0.7  # of the way, before the first word


class Sam3:
    """Two networks that share their weights' folder: one for clicks, one for words; each is read when needed."""

    def __init__(self, weights: Path, device: str) -> None:
        self._weights = weights
        self._torch, self._device = start_torch(device)
        self._picturing = read_picturing(weights, Picturing(1008, 1008, HALF, HALF))
        self._stills = Remembered()

    @cached_property
    def clicks(self) -> PromptableModel:
        """The network that answers clicks."""
        from transformers import Sam3TrackerModel

        model = load_pretrained(Sam3TrackerModel, self._weights, self._device)
        blocks = model.vision_encoder.backbone.layers
        return PromptableModel(self._torch, model, self._device, self._picturing, blocks)

    @cached_property
    def words(self) -> Any:
        """The network that answers words."""
        from transformers import Sam3Model

        return load_pretrained(Sam3Model, self._weights, self._device)

    @cached_property
    def tokenizer(self) -> Any:
        """Spells words."""
        return load_tokenizer(self._weights)

    def prepare(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Embed the still for clicks."""
        return self.clicks.prepare(arrays, params, tick)

    def segment(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Offer masks for clicks and boxes."""
        return self.clicks.segment(arrays, params, tick)

    def detect(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Find and mask things by words. arrays: `still` u8[H,W,3]. params: `words`; option `threshold`.

        Returns boxes f32[n,4], scores f32[n], labels and masks u8[n,H,W]; one pass of the decoder for each word.
        """
        torch, still = self._torch, arrays["still"]
        height, width = still.shape[:2]
        words = check_words(params)
        threshold = float(params.get("options", {}).get("threshold", 0.3))
        seen = self._look(still, params.get("still_id"), tick)
        found = []
        for k, word in enumerate(words):
            tick(LOOKING + (1 - LOOKING) * k / len(words), 1)
            tokens = self.tokenizer(
                [word], return_tensors="pt", padding="max_length", max_length=MOST_TOKENS, truncation=True
            )
            given = {name: value.to(self._device) for name, value in tokens.items() if name != "token_type_ids"}
            answer = self.words(vision_embeds=seen, **given)
            scores = answer.pred_logits[0].float().sigmoid()
            if answer.presence_logits is not None:
                scores = scores * answer.presence_logits[0].float().sigmoid()
            for index in torch.nonzero(scores > threshold)[:, 0].tolist():
                found.append((float(scores[index]), word, answer.pred_masks[0, index].float().cpu()))
        found.sort(key=lambda one: -one[0])
        return self._word_found(found[:MOST_THINGS], height, width, tick)

    def _look(self, still: np.ndarray, still_id: Any, tick: Tick) -> Any:
        tick(0, 1)
        kept = self._stills.find(still_id)
        if kept is not None:
            return kept
        picture = draw_picture(self._torch, still, self._picturing, self._device, self.words.dtype)
        with tick_within(self.words.vision_encoder.backbone.layers, tick, 0, LOOKING, 1):
            return self._stills.keep(still_id, self.words.get_vision_features(picture))

    def _word_found(self, found: Any, height: int, width: int, tick: Tick) -> Dict[str, Any]:
        """Masks at the still's size, with the boxes that hold them; empty ones are dropped."""
        boxes, scores, labels, masks = [], [], [], []
        for score, word, logits in found:
            plane = self._torch.nn.functional.interpolate(logits[None, None], (height, width), mode="bilinear")[0, 0]
            mask = (plane > 0).numpy()
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            if len(rows) * len(columns) < LEAST_PIXELS:
                continue
            boxes.append((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
            scores.append(min(1.0, score))
            labels.append(word)
            masks.append(mask.astype(np.uint8) * 255)
        tick(1, 1)
        return {
            "boxes": np.array(boxes, np.float32).reshape(-1, 4),
            "scores": np.array(scores, np.float32),
            "labels": labels,
            "masks": np.stack(masks) if masks else np.zeros((0, height, width), np.uint8),
        }


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    model = Sam3(require_folder(weights), device)
    return {"prepare": model.prepare, "segment": model.segment, "detect": model.detect}
