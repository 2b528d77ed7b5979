"""SAM 1 through transformers: masks from clicks, boxes and an earlier mask. Kirillov et al. 2023."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Optional

from .promptable import PromptableModel
from .pytorch import Picturing, load_pretrained, read_picturing, require_folder, start_torch


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    folder = require_folder(weights)
    torch, place = start_torch(device)
    from transformers import SamModel

    model = load_pretrained(SamModel, folder, place)
    picturing = read_picturing(folder, Picturing(1024, 1024))
    segmenter = PromptableModel(torch, model, place, picturing, model.vision_encoder.layers, keeps_aspect=True)
    return {"prepare": segmenter.prepare, "segment": segmenter.segment}
