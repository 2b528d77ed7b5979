"""Other people's models at full size with random weights, saved as their hub repositories would be.

Run with an interpreter that has PyTorch: `python full_size.py FOLDER ID...` writes FOLDER/ID for each. Nothing is
downloaded; the sizes are those of the published configurations.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
from stillto3d.worker.adapters.spandrel_models import stand_in_for_torchvision

DOUBLED, ONCE = "tracker_model.tracker_model.", "tracker_model."


def save(model: Any, folder: Path, processor: dict[str, Any]) -> None:
    """Weights and configuration, and what a processor's file would say."""
    model.eval().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def save_tensors(path: Path, tensors: dict[str, Any]) -> None:
    """A pickle as PyTorch writes it."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(tensors, path)


def make_clip_tokenizer(longest: int) -> Any:
    """A tokenizer of single letters, as OWLv2 and SAM 3 have them."""
    from transformers import CLIPTokenizer

    letters = [chr(c) for c in (*range(33, 127), *range(161, 173), *range(174, 256))]
    vocabulary = {token: k for k, token in enumerate(letters + [letter + "</w>" for letter in letters])}
    for token in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[token] = len(vocabulary)
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=longest)


def save_sam3(config: Any, folder: Path, tokenizer: Any, side: int, mask_side: int) -> None:
    """As in the hub: one set of weights that holds the detector and the tracker."""
    from safetensors.torch import load_file, save_file
    from transformers import Sam3VideoModel

    size, mask_size = ({"height": n, "width": n} for n in (side, mask_side))
    save(Sam3VideoModel(config), folder, {"size": size, "mask_size": mask_size})
    file = folder / "model.safetensors"  # saving doubles a prefix that the hub's files have once
    weights = {name.replace(DOUBLED, ONCE): value for name, value in load_file(file).items()}
    save_file(weights, file, metadata={"format": "pt"})
    tokenizer.save_pretrained(folder)


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


def build_sam3(folder: Path) -> None:
    from transformers import Sam3VideoConfig

    save_sam3(Sam3VideoConfig(), folder, make_clip_tokenizer(32), 1008, 288)


def build_depth_pro(folder: Path) -> None:
    from transformers import DepthProConfig, DepthProForDepthEstimation

    encoder = {
        "model_type": "dinov2",
        "image_size": 384,
        "patch_size": 16,
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "mlp_ratio": 4,
        "use_mask_token": False,
    }
    config = DepthProConfig(
        use_fov_model=True, image_model_config=encoder, patch_model_config=encoder, fov_model_config=encoder
    )
    save(DepthProForDepthEstimation(config), folder, {"size": {"height": 1536, "width": 1536}})


def build_vitmatte(folder: Path) -> None:
    from transformers import VitDetConfig, VitMatteConfig, VitMatteForImageMatting

    backbone = VitDetConfig(
        hidden_size=384,
        num_attention_heads=6,
        image_size=512,
        num_channels=4,
        window_size=14,
        window_block_indices=[0, 1, 3, 4, 6, 7, 9, 10],
        residual_block_indices=[2, 5, 8, 11],
        use_relative_position_embeddings=True,
        out_features=["stage12"],
    )
    config = VitMatteConfig(
        backbone_config=backbone,
        hidden_size=384,
        convstream_hidden_sizes=[48, 96, 192],
        fusion_hidden_sizes=[256, 128, 64, 32],
    )
    save(VitMatteForImageMatting(config), folder, {"size_divisor": 32})


def build_esrgan(folder: Path) -> None:
    stand_in_for_torchvision()
    from spandrel.architectures.ESRGAN import ESRGAN

    network = ESRGAN(in_nc=3, out_nc=3, num_filters=64, num_blocks=23, scale=4)
    save_tensors(folder / "RealESRGAN_x4plus.pth", {"params_ema": network.state_dict()})


def build_lama(folder: Path) -> None:
    stand_in_for_torchvision()
    from spandrel.architectures.LaMa import LaMa

    save_tensors(folder / "big-lama.pt", LaMa(in_nc=4, out_nc=3).state_dict())


def save_moge2(config: dict[str, Any], folder: Path) -> None:
    """A network that sees depth everywhere, else random weights may see none."""
    from moge.model.v2 import MoGeModel

    model = MoGeModel(**config)
    *_, bias = (value for name, value in model.mask_head.named_parameters() if name.endswith("bias"))
    bias.data.fill_(3.0)
    save_tensors(folder / "model.pt", {"model_config": config, "model": model.state_dict()})


def build_moge2(folder: Path) -> None:
    widths = [1024, 256, 128, 64, 32]
    norms = {"res_block_in_norm": "none", "res_block_hidden_norm": "none"}
    rest = {"dim_res_blocks": widths, **norms, "resamplers": ["conv_transpose"] * 3 + ["bilinear"]}

    def head(channels: int) -> dict[str, Any]:
        return {"dim_in": widths, "dim_out": [None] * 4 + [channels], "num_res_blocks": [0, 1, 1, 1, 0], **rest}

    config = {
        "encoder": {"backbone": "dinov2_vitl14", "intermediate_layers": [5, 11, 17, 23], "dim_out": 1024},
        "neck": {"dim_in": [1026, 2, 2, 2, 2], "dim_out": None, "num_res_blocks": [0, 2, 2, 2, 0], **rest},
        "points_head": head(3),
        "mask_head": head(1),
        "scale_head": {"dims": [1024, 1024, 1024, 1]},
        "remap_output": "exp",
        "num_tokens_range": [1200, 3600],
    }
    if folder.name.endswith("normal"):
        config["normal_head"] = head(3)
    save_moge2(config, folder)


def build_anything3(folder: Path) -> None:
    from safetensors.torch import save_model

    api = importlib.import_module("depth_anything_3.api")
    save_model(api.DepthAnything3(model_name=folder.name), str(folder / "model.safetensors"))
    (folder / "config.json").write_text(json.dumps({"model_name": folder.name}))


def build_dust3r(folder: Path) -> None:
    from safetensors.torch import save_model

    config = {
        "output_mode": "pts3d",
        "head_type": "dpt",
        "depth_mode": ("exp", float("-inf"), float("inf")),
        "conf_mode": ("exp", 1, float("inf")),
        "patch_embed_cls": "PatchEmbedDust3R",
        "img_size": (512, 512),
        "pos_embed": "RoPE100",
        "enc_embed_dim": 1024,
        "enc_depth": 24,
        "enc_num_heads": 16,
        "dec_embed_dim": 768,
        "dec_depth": 12,
        "dec_num_heads": 12,
        "landscape_only": False,
    }
    network = importlib.import_module("dust3r.model").AsymmetricCroCo3DStereo(**config)
    save_model(network, str(folder / "model.safetensors"))
    (folder / "config.json").write_text(json.dumps(config))


BUILDS: dict[str, Callable[[Path], None]] = {
    "sam2.1-large": build_sam2,
    "sam3": build_sam3,
    "moge-2-vitl": build_moge2,
    "moge-2-vitl-normal": build_moge2,
    **dict.fromkeys(("da3-small", "da3-base", "da3-giant"), build_anything3),
    "dust3r": build_dust3r,
    "depth-pro": build_depth_pro,
    "vitmatte-small": build_vitmatte,
    "lama": build_lama,
    "real-esrgan-x4plus": build_esrgan,
}


def main(builds: dict[str, Callable[[Path], None]], arguments: list[str]) -> None:
    """Build each model that is named after the folder."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = arguments[0]  # else it lies among everybody's files
    import torch

    for name in arguments[1:]:
        torch.manual_seed(0)
        target = Path(arguments[0]) / name
        target.mkdir(parents=True, exist_ok=True)
        builds[name](target)


if __name__ == "__main__":
    main(BUILDS, sys.argv[1:])
