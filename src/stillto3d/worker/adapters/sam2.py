"""SAM 2.1 through transformers: masks from clicks, boxes and an earlier mask. Ravi et al. 2024."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Optional

from .promptable import PromptableModel
from .pytorch import Picturing, load_pretrained, read_picturing, require_folder, start_torch


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    folder = require_folder(weights)
    torch, place = start_torch(device)
    from transformers import Sam2Model

    model = load_pretrained(Sam2Model, folder, place)
    picturing = read_picturing(folder, Picturing(1024, 1024))
    blocks = model.vision_encoder.backbone.blocks
    segmenter = PromptableModel(torch, model, place, picturing, blocks)
    return {"prepare": segmenter.prepare, "segment": segmenter.segment}
