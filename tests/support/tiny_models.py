"""The real classes of other people's models at tiny random size, saved as their hub repositories would be.

Run with an interpreter that has PyTorch: `python tiny_models.py FOLDER ID...` writes FOLDER/ID for each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from measure.full_size import (
    build_lama,
    main,
    make_clip_tokenizer,
    save,
    save_moge2,
    save_sam3,
    save_tensors,
    stand_in_for_torchvision,
)

Build = Callable[[Path], None]


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


def build_sam3(folder: Path) -> None:
    from transformers import Sam3VideoConfig

    tokenizer = make_clip_tokenizer(32)
    backbone = {
        "model_type": "sam3_vit_model",
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "image_size": 112,
        "patch_size": 14,
        "window_size": 4,
        "global_attn_indexes": [1],
        "pretrain_image_size": 56,
    }
    sizes = [[32, 32], [16, 16], [8, 8]]
    vision = {"backbone_config": backbone, "fpn_hidden_size": 32, "backbone_feature_sizes": sizes}
    small = {"hidden_size": 32, "num_attention_heads": 4}
    layer = {**small, "intermediate_size": 64}
    text = {
        **layer,
        "vocab_size": len(tokenizer),
        "projection_dim": 32,
        "num_hidden_layers": 2,
        "max_position_embeddings": 32,
        "hidden_act": "gelu",
        "bos_token_id": len(tokenizer) - 2,
        "eos_token_id": len(tokenizer) - 1,
        "pad_token_id": len(tokenizer) - 1,
    }
    detector = {
        "vision_config": vision,
        "text_config": text,
        "geometry_encoder_config": {**layer, "num_layers": 1},
        "detr_encoder_config": {**layer, "num_layers": 1},
        "detr_decoder_config": {**layer, "num_layers": 2, "num_queries": 7},
        "mask_decoder_config": {**small, "num_upsampling_stages": 3},
    }
    tracker = {
        "vision_config": vision,
        "prompt_encoder_config": {"hidden_size": 32, "image_size": 112, "patch_size": 14, "mask_input_channels": 4},
        "mask_decoder_config": SMALL_DECODER,
        "image_size": 112,
        "memory_attention_hidden_size": 32,
        "memory_attention_num_layers": 1,
        "memory_attention_feed_forward_hidden_size": 32,
        "memory_encoder_hidden_size": 32,
        "memory_encoder_output_channels": 16,
        "mask_downsampler_embed_dim": 32,
        "memory_fuser_embed_dim": 32,
        "memory_fuser_intermediate_dim": 32,
        "memory_fuser_num_layers": 1,
    }
    save_sam3(Sam3VideoConfig(detector_config=detector, tracker_config=tracker), folder, tokenizer, 112, 32)


def build_grounding_dino(folder: Path) -> None:
    from transformers import BertTokenizer, GroundingDinoConfig, GroundingDinoForObjectDetection

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "cat", "dog", "chair", *"abcdefghijklmnopqrstuvwxyz"]
    tokenizer = BertTokenizer(vocab={token: k for k, token in enumerate(words)})
    swin = {
        "model_type": "swin",
        "image_size": 64,
        "patch_size": 4,
        "embed_dim": 8,
        "depths": [1, 1, 1, 1],
        "num_heads": [1, 2, 2, 4],
        "window_size": 4,
        "out_features": ["stage2", "stage3", "stage4"],
    }
    bert = {
        "model_type": "bert",
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 256,
    }
    config = GroundingDinoConfig(
        backbone_config=swin,
        text_config=bert,
        num_queries=9,
        encoder_layers=1,
        decoder_layers=2,
        d_model=32,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        num_feature_levels=4,
        disable_custom_kernels=True,
    )
    size = {"shortest_edge": 128, "longest_edge": 192}
    save(GroundingDinoForObjectDetection(config), folder, {"size": size})
    tokenizer.save_pretrained(folder)


def build_owlv2(folder: Path) -> None:
    from transformers import Owlv2Config, Owlv2ForObjectDetection

    tokenizer = make_clip_tokenizer(16)
    layer = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    text = {
        **layer,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 16,
        "bos_token_id": len(tokenizer) - 2,
        "eos_token_id": len(tokenizer) - 1,
    }
    vision = {**layer, "image_size": 64, "patch_size": 16}
    config = Owlv2Config(text_config=text, vision_config=vision, projection_dim=32)
    save(Owlv2ForObjectDetection(config), folder, {"size": {"height": 64, "width": 64}})
    tokenizer.save_pretrained(folder)


def build_rtdetr(folder: Path) -> None:
    from transformers import RTDetrResNetConfig, RTDetrV2Config, RTDetrV2ForObjectDetection

    backbone = RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16, 32, 64],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
        out_indices=[2, 3, 4],
    )
    kinds = ["cat", "dog", "chair", "lamp", "person"]
    config = RTDetrV2Config(
        backbone_config=backbone,
        encoder_hidden_dim=32,
        encoder_in_channels=[16, 32, 64],
        encoder_ffn_dim=64,
        encoder_attention_heads=4,
        d_model=32,
        num_queries=10,
        decoder_in_channels=[32, 32, 32],
        decoder_ffn_dim=64,
        decoder_layers=2,
        decoder_attention_heads=4,
        num_denoising=0,
        num_labels=len(kinds),
        id2label=dict(enumerate(kinds)),
        label2id={kind: k for k, kind in enumerate(kinds)},
    )
    save(RTDetrV2ForObjectDetection(config), folder, {"size": {"height": 64, "width": 64}})


def build_depth_anything2(folder: Path, kind: str = "relative") -> None:
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation

    backbone = {
        "model_type": "dinov2",
        "hidden_size": 32,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "image_size": 70,
        "patch_size": 14,
        "out_indices": [1, 2, 3, 4],
        "reshape_hidden_states": False,
        "apply_layernorm": True,
    }
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=32,
        neck_hidden_sizes=[8, 16, 32, 32],
        fusion_hidden_size=16,
        head_hidden_size=8,
        depth_estimation_type=kind,
        max_depth=20 if kind == "metric" else 1,
    )
    save(DepthAnythingForDepthEstimation(config), folder, {"size": {"height": 70, "width": 70}})


def build_metric_depth_anything2(folder: Path) -> None:
    build_depth_anything2(folder, "metric")


def build_depth_pro(folder: Path) -> None:
    from transformers import DepthProConfig, DepthProForDepthEstimation

    encoder = {
        "model_type": "dinov2",
        "image_size": 32,
        "patch_size": 16,
        "hidden_size": 32,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "mlp_ratio": 2,
    }
    config = DepthProConfig(
        patch_size=32,
        fusion_hidden_size=16,
        intermediate_hook_ids=[3, 1],
        intermediate_feature_dims=[16, 16],
        scaled_images_ratios=[0.25, 0.5, 1.0],
        scaled_images_overlap_ratios=[0.0, 0.5, 0.25],
        scaled_images_feature_dims=[32, 32, 16],
        merge_padding_value=1,
        use_fov_model=True,
        num_fov_head_layers=2,
        image_model_config=encoder,
        patch_model_config=encoder,
        fov_model_config=encoder,
    )
    save(DepthProForDepthEstimation(config), folder, {"size": {"height": 128, "width": 128}})


def build_vitmatte(folder: Path) -> None:
    from transformers import VitDetConfig, VitMatteConfig, VitMatteForImageMatting

    backbone = VitDetConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=64,
        patch_size=16,
        num_channels=4,
        window_size=0,
        out_features=["stage2"],
        use_relative_position_embeddings=True,
        residual_block_indices=[],
    )
    config = VitMatteConfig(
        backbone_config=backbone,
        hidden_size=32,
        convstream_hidden_sizes=[8, 16, 24],
        fusion_hidden_sizes=[32, 16, 8, 4],
    )
    save(VitMatteForImageMatting(config), folder, {"size_divisor": 32})


def build_esrgan(folder: Path) -> None:
    stand_in_for_torchvision()
    from spandrel.architectures.ESRGAN import ESRGAN

    network = ESRGAN(in_nc=3, out_nc=3, num_filters=8, num_blocks=1, scale=4)
    save_tensors(folder / "RealESRGAN_x4plus.pth", {"params_ema": network.state_dict()})


def build_moge2(folder: Path) -> None:
    widths = [32, 32, 16, 16, 8]
    resamplers = ["conv_transpose"] * 3 + ["bilinear"]

    def head(channels: int) -> dict[str, Any]:
        sizes = {"dim_in": widths, "dim_res_blocks": widths, "dim_out": [None] * 4 + [channels]}
        return {**sizes, "num_res_blocks": [0] * 5, "resamplers": resamplers}

    neck = {"dim_in": [34, 2, 2, 2, 2], "dim_res_blocks": widths, "dim_out": None, "num_res_blocks": [0] * 5}
    norms = {"res_block_in_norm": "none", "res_block_hidden_norm": "none"}
    config = {
        "encoder": {"backbone": "dinov2_vits14", "intermediate_layers": 4, "dim_out": 32},
        "neck": {**neck, **norms, "resamplers": resamplers},
        "points_head": head(3),
        "normal_head": head(3),
        "mask_head": head(1),
        "scale_head": {"dims": [384, 32, 1]},
        "remap_output": "exp",
        "num_tokens_range": [60, 120],
    }
    save_moge2(config, folder)


SMALL_DECODER = {
    "hidden_size": 32,
    "mlp_dim": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "iou_head_hidden_dim": 32,
}
BUILDS: dict[str, Build] = {
    "sam1-base": build_sam1,
    "sam2.1-tiny": build_sam2,
    "sam3": build_sam3,
    "grounding-dino-tiny": build_grounding_dino,
    "owlv2-base": build_owlv2,
    "rtdetr-v2-r18vd": build_rtdetr,
    "vitmatte-small": build_vitmatte,
    "depth-anything-v2-small": build_depth_anything2,
    "depth-anything-v2-metric-indoor-small": build_metric_depth_anything2,
    "depth-pro": build_depth_pro,
    "lama": build_lama,
    "real-esrgan-x4plus": build_esrgan,
    "moge-2-vits-normal": build_moge2,
}


if __name__ == "__main__":
    main(BUILDS, sys.argv[1:])
