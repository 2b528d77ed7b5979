"""Other people's models at full size with random weights, saved as their hub repositories would be.

Run with an interpreter that has PyTorch: `python full_size.py FOLDER ID`. Nothing is downloaded.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PRESETS = {"da3-small": "da3-small", "da3-base": "da3-base", "da3-giant": "da3-giant"}


def save(model: Any, folder: Path, processor: dict[str, Any]) -> None:
    """Weights and configuration, and what a processor's file would say."""
    model.eval().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def build_sam2(folder: Path) -> None:
    from transformers import Sam2Config, Sam2Model

    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 144,
        "num_attention_heads": 2,
        "blocks_per_stage": [2, 6, 36, 4],
        "embed_dim_per_stage": [144, 288, 576, 1152],
        "num_attention_heads_per_stage": [2, 4, 8, 16],
        "window_size_per_stage": [8, 4, 16, 8],
        "global_attention_blocks": [23, 33, 43],
        "window_positional_embedding_background_size": [7, 7],
    }
    channels = [1152, 576, 288, 144]
    vision = {"model_type": "sam2_vision_model", "backbone_config": backbone, "backbone_channel_list": channels}
    side = {"height": 1024, "width": 1024}
    save(
        Sam2Model(Sam2Config(vision_config=vision)), folder, {"size": side, "mask_size": {"height": 256, "width": 256}}
    )


def build_depth_pro(folder: Path) -> None:
    from transformers import DepthProConfig, DepthProForDepthEstimation

    save(
        DepthProForDepthEstimation(DepthProConfig(use_fov_model=True)),
        folder,
        {"size": {"height": 1536, "width": 1536}},
    )


def build_esrgan(folder: Path) -> None:
    import torch
    from spandrel.architectures.ESRGAN import ESRGAN

    torch.save(
        {"params_ema": ESRGAN(in_nc=3, out_nc=3, num_filters=64, num_blocks=23, scale=4).state_dict()},
        folder / "RealESRGAN_x4plus.pth",
    )


def build_anything3(folder: Path) -> None:
    from safetensors.torch import save_model

    api, preset = importlib.import_module("depth_anything_3.api"), PRESETS[folder.name]
    save_model(api.DepthAnything3(model_name=preset), str(folder / "model.safetensors"))
    (folder / "config.json").write_text(json.dumps({"model_name": preset}))


BUILDS: dict[str, Callable[[Path], None]] = {
    "sam2.1-large": build_sam2,
    "depth-pro": build_depth_pro,
    "real-esrgan-x4plus": build_esrgan,
    **dict.fromkeys(PRESETS, build_anything3),
}

if __name__ == "__main__":
    target = Path(sys.argv[1]) / sys.argv[2]
    target.mkdir(parents=True, exist_ok=True)
    BUILDS[sys.argv[2]](target)
