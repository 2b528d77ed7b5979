"""TripoSR: a mesh with coloured vertices of a cut-out, in one go. Tochilkin et al. 2024."""

from __future__ import annotations

import importlib.util
import pickle
import sys
import types
from pathlib import Path
from typing import Any, Callable, Dict, Optional

import numpy as np

from .cutouts import cut_square, lay_on_grey, refuse_empty, word_mesh
from .pytorch import Tick, require_folder, start_torch, word_unreadable
from .several_views import import_upstream, stand_in_for

SOURCE = "VAST-AI-Research/TripoSR"
CHUNK = 8192
STEPS = 3


class TripoSR:
    """The network."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        stand_in_for_packages(self._torch)
        system = import_upstream("tsr.system", SOURCE)
        tokenizer = import_upstream("tsr.models.tokenizers.image", SOURCE)
        omegaconf = import_upstream("omegaconf", SOURCE)
        # upstream asks the hub for the settings of DINO ViT-B/16 while it builds itself
        tokenizer.hf_hub_download = lambda **named: _write_settings(weights)
        try:
            config = omegaconf.OmegaConf.load(str(weights / "config.yaml"))
            omegaconf.OmegaConf.resolve(config)
            model = system.TSR(config)
            model.load_state_dict(self._torch.load(str(weights / "model.ckpt"), map_location="cpu", weights_only=True))
        except (OSError, RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
            raise word_unreadable(error) from error
        model.renderer.set_chunk_size(CHUNK)
        self._model = model.to(self._device).eval()

    def generate(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """A mesh within a cube of 0.87, Z up, its front towards +X."""
        options = params.get("options") or {}
        tick(0, STEPS)
        codes = self._model([lay_on_grey(cut_square(arrays))], device=self._device)
        tick(1, STEPS)
        meshes = self._model.extract_mesh(
            codes,
            has_vertex_color=True,
            resolution=int(options.get("resolution", 256)),
            threshold=float(options.get("threshold", 25.0)),
        )
        tick(2, STEPS)
        return word_mesh(meshes[0], "z_up_x_front")


def _write_settings(weights: Path) -> str:
    """The settings of DINO ViT-B/16: those beside the weights, else a file with the published sizes."""
    import json

    given = weights / "dino-vitb16.json"
    if given.is_file():
        return str(given)
    path = Path.cwd() / "dino-vitb16.json"  # the worker's own folder
    sizes = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
    path.write_text(json.dumps({"model_type": "vit", **sizes, "image_size": 224, "patch_size": 16}), encoding="utf-8")
    return str(path)


def stand_in_for_packages(torch: Any) -> None:
    """Put marching cubes of scikit-image in place of a package that has to be compiled, and nothing in place of one
    that removes backgrounds: the mask is ours."""
    stand_in_for("rembg")
    if "torchmcubes" not in sys.modules and importlib.util.find_spec("torchmcubes") is None:

        def marching_cubes(level: Any, threshold: float) -> Any:
            find_surface = import_upstream("skimage.measure", SOURCE).marching_cubes
            volume = level.detach().cpu().numpy()
            if not volume.min() < threshold < volume.max():
                raise refuse_empty()  # upstream would stumble over a surface without points
            points, faces, _, _ = find_surface(volume, threshold)
            # scikit-image winds the other way round, and counts x first where torchmcubes counts it last
            points, faces = np.ascontiguousarray(points[:, ::-1]), np.ascontiguousarray(faces).astype(np.int64)
            return torch.from_numpy(points), torch.from_numpy(faces)

        module = types.ModuleType("torchmcubes")
        module.marching_cubes = marching_cubes  # type: ignore[attr-defined]
        sys.modules["torchmcubes"] = module


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"generate": TripoSR(require_folder(weights), device).generate}
