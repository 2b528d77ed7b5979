"""Masks from clicks, boxes and an earlier mask, for every model of the Segment Anything family in transformers.

A still is embedded once and then decoded for each question. Kirillov et al. 2023; Ravi et al. 2024.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Sequence, Tuple

import numpy as np

from ..errors import BadInput
from .builtin.stillnet import check_box, check_clicks
from .pytorch import Picturing, Remembered, Tick, draw_picture, tick_within

SURE = 20.0  # logits between the two sides of a mask that is given
ENCODING = 0.9  # of the way
MASK_CELLS = 4  # of a mask that is given, along one cell of the embedding


class Embedded(NamedTuple):
    """A still as the model has seen it: its embeddings, and the part of the picture that it fills, in pixels."""

    embeddings: Any
    height: int
    width: int


class PromptableModel:
    """One model that answers `prepare` and `segment`.

    `keeps_aspect`: the still fills the picture's upper left part and the rest is empty (SAM 1); otherwise it is
    stretched over the whole picture.
    """

    def __init__(
        self,
        torch: Any,
        model: Any,
        device: Any,
        picturing: Picturing,
        blocks: Sequence[Any],
        keeps_aspect: bool = False,
    ) -> None:
        self._torch, self._model, self._device = torch, model, device
        self._picturing, self._blocks, self._keeps_aspect = picturing, blocks, keeps_aspect
        self._stills = Remembered()

    def prepare(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Embed the still, so that the first click does not wait for it."""
        self._embed(arrays["still"], params.get("still_id"), tick, 1.0)
        return {}

    def segment(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Offer masks for clicks, a box, an earlier mask, or any of them together.

        arrays: `still` u8[H,W,3]; `earlier` u8[H,W] (optional). params: `clicks` [[x, y, positive], ...] and `box`
        [x0, y0, x1, y1] or null, continuous pixels. Returns `masks` u8[n,H,W] (0 or 255; three for a lone click,
        which may mean a part or the whole, else one), `scores` f32[n] (predicted IoU) and `best`.
        """
        still = arrays["still"]
        height, width = still.shape[:2]
        clicks = check_clicks(params.get("clicks") or [], width, height)
        box = None if params.get("box") is None else check_box(params["box"], width, height)
        earlier = arrays.get("earlier")
        if earlier is not None and earlier.shape != (height, width):
            raise BadInput("The earlier mask and the still differ in size. Start from a click.")
        if box is None and not (clicks[:, 2] > 0).any() and (earlier is None or not earlier.any()):
            raise BadInput("There is nothing to segment: click on an object or draw a box around it.")
        seen = self._embed(still, params.get("still_id"), tick, ENCODING)
        tick(ENCODING, 1)
        given = self._word_prompts(seen, (height, width), clicks, box, earlier)
        several = len(clicks) == 1 and box is None and earlier is None
        answer = self._model(image_embeddings=seen.embeddings, multimask_output=several, **given)
        scores = answer.iou_scores[0, 0].float().cpu().numpy()
        scores = np.clip(np.nan_to_num(scores), 0, 1).astype(np.float32)
        threshold = float(params.get("options", {}).get("mask_threshold", 0.0))
        masks = self._cut(answer.pred_masks[0, 0], seen, height, width, threshold)
        tick(1, 1)
        return {"masks": masks, "scores": scores, "best": int(scores.argmax())}

    def _embed(self, still: np.ndarray, still_id: Any, tick: Tick, end: float) -> Embedded:
        tick(0, 1)
        kept = self._stills.find(still_id)
        if kept is not None:
            return kept
        torch, shape = self._torch, self._fit(*still.shape[:2])
        picture = draw_picture(torch, still, self._picturing._replace(height=shape[0], width=shape[1]), self._device)
        below, right = self._picturing.height - shape[0], self._picturing.width - shape[1]
        if below or right:
            picture = torch.nn.functional.pad(picture, (0, right, 0, below))
        with tick_within(self._blocks, tick, 0, end, 1):
            embeddings = self._model.get_image_embeddings(picture.to(self._model.dtype))
        return self._stills.keep(still_id, Embedded(embeddings, *shape))

    def _fit(self, height: int, width: int) -> Tuple[int, int]:
        """The size at which a still of that size lies in the model's picture."""
        if not self._keeps_aspect:
            return self._picturing.height, self._picturing.width
        scale = max(self._picturing.height, self._picturing.width) / max(height, width)
        return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))

    def _word_prompts(
        self, seen: Embedded, size: Tuple[int, int], clicks: np.ndarray, box: Any, earlier: Any
    ) -> Dict[str, Any]:
        """The question in the model's coordinates, whose pixel centres are whole numbers."""
        torch, given = self._torch, {}
        scale = np.array([seen.width / size[1], seen.height / size[0]])
        if len(clicks):
            points = (clicks[:, :2] * scale - 0.5).astype(np.float32)
            given["input_points"] = torch.from_numpy(points)[None, None].to(self._device, self._model.dtype)
            given["input_labels"] = torch.from_numpy(clicks[:, 2].astype(np.int32))[None, None].to(self._device)
        if box is not None:
            corners = (np.array(box).reshape(2, 2) * scale - 0.5).astype(np.float32).reshape(1, 1, 4)
            given["input_boxes"] = torch.from_numpy(corners).to(self._device, self._model.dtype)
        if earlier is not None and earlier.any():
            given["input_masks"] = self._shrink(earlier, seen)
        return given

    def _shrink(self, earlier: np.ndarray, seen: Embedded) -> Any:
        """An earlier mask u8[H,W] as logits [1,1,h,w] of the size that the model reads."""
        torch = self._torch
        wanted = tuple(MASK_CELLS * side for side in self._model.prompt_encoder.image_embedding_size)
        share = seen.height / self._picturing.height, seen.width / self._picturing.width
        inner = max(1, round(wanted[0] * share[0])), max(1, round(wanted[1] * share[1]))
        mask = torch.from_numpy(np.ascontiguousarray(earlier)).to(self._device)[None, None].float() / 255
        mask = torch.nn.functional.interpolate(mask, inner, mode="bilinear", antialias=True)
        logits = (mask - 0.5) * SURE
        rest = (0, wanted[1] - inner[1], 0, wanted[0] - inner[0])
        return torch.nn.functional.pad(logits, rest, value=-SURE / 2).to(self._model.dtype)

    def _cut(self, logits: Any, seen: Embedded, height: int, width: int, threshold: float) -> np.ndarray:
        """Logits [n,h,w] over the model's picture as masks u8[n,H,W] of the still's size."""
        resize = self._torch.nn.functional.interpolate
        masks = np.empty((len(logits), height, width), np.uint8)
        for k, one in enumerate(logits.float()):
            plane = one[None, None]
            if self._keeps_aspect:
                full = (self._picturing.height, self._picturing.width)
                plane = resize(plane, full, mode="bilinear")[..., : seen.height, : seen.width]
            plane = resize(plane, (height, width), mode="bilinear")[0, 0]
            masks[k] = (plane > threshold).to(self._torch.uint8).mul_(255).cpu().numpy()
        return masks
