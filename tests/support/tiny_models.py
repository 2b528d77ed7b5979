"""The real classes of other people's models at tiny random size, saved as their hub repositories would be.

Run with an interpreter that has PyTorch: `python tiny_models.py FOLDER ID...` writes FOLDER/ID for each.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Build = Callable[[Path], None]


def save(model: Any, folder: Path, processor: dict[str, Any]) -> None:
    """Weights and configuration, and what a processor's file would say."""
    model.eval().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def build_sam2(folder: Path) -> None:
    from transformers import Sam2Config, Sam2Model

    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 12,
        "num_attention_heads": 1,
        "image_size": [128, 128],
        "patch_kernel_size": [7, 7],
        "patch_stride": [4, 4],
        "patch_padding": [3, 3],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [12, 24, 48, 96],
        "num_attention_heads_per_stage": [1, 2, 4, 8],
        "window_size_per_stage": [8, 4, 4, 4],
        "global_attention_blocks": [3],
        "window_positional_embedding_background_size": [7, 7],
    }
    vision = {
        "model_type": "sam2_vision_model",
        "backbone_config": backbone,
        "backbone_channel_list": [96, 48, 24, 12],
        "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
        "fpn_hidden_size": 32,
    }
    config = Sam2Config(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 32, "image_size": 128, "patch_size": 16, "mask_input_channels": 4},
        mask_decoder_config=SMALL_DECODER,
    )
    size = {"height": 128, "width": 128}
    save(Sam2Model(config), folder, {"size": size, "mask_size": {"height": 32, "width": 32}})


def build_sam1(folder: Path) -> None:
    from transformers import SamConfig, SamModel

    vision = {
        "hidden_size": 32,
        "output_channels": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "image_size": 64,
        "patch_size": 8,
        "window_size": 4,
        "global_attn_indexes": [1],
        "num_pos_feats": 16,
        "mlp_dim": 64,
    }
    config = SamConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 32, "image_size": 64, "patch_size": 8, "mask_input_channels": 4},
        mask_decoder_config=SMALL_DECODER,
    )
    save(SamModel(config), folder, {"size": {"longest_edge": 64}, "pad_size": {"height": 64, "width": 64}})


SMALL_DECODER = {
    "hidden_size": 32,
    "mlp_dim": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "iou_head_hidden_dim": 32,
}
BUILDS: dict[str, Build] = {"sam2.1-tiny": build_sam2, "sam1-base": build_sam1}


def main(arguments: list[str]) -> None:
    """Build each model that is named."""
    folder, *names = arguments
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
    import torch

    for name in names:
        torch.manual_seed(0)
        BUILDS[name](Path(folder) / name)


if __name__ == "__main__":
    main(sys.argv[1:])
