"""Hunyuan3D-2 and 2.1, shape: a mesh of a cut-out by diffusion, without colours. Zhao et al. 2025."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, Callable, Dict, Optional

from ..errors import MissingWeights
from .cutouts import cut_square, refuse_empty, word_mesh
from .pytorch import Tick, require_folder, start_torch, word_unreadable
from .several_views import import_upstream, stand_in_for

SOURCE = "Tencent-Hunyuan/Hunyuan3D-2"
BOX = 1.01  # half the side of the cube that the mesh lies in


class Hunyuan3D:
    """The pipeline of the folder that holds a `config.yaml`."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        stand_in_for("pymeshlab")
        pipelines = import_upstream("hy3dgen.shapegen", SOURCE)
        found = sorted(weights.glob("hunyuan3d-dit-*/config.yaml"))
        if not found:
            raise MissingWeights("its folder holds no hunyuan3d-dit-*/config.yaml.")
        folder = found[0].parent
        files = sorted(folder.glob("model*.safetensors")) or sorted(folder.glob("model*.ckpt"))
        if not files:
            raise MissingWeights("its folder holds no model.")
        half = self._device.type == "cuda"
        try:
            self._pipeline = pipelines.Hunyuan3DDiTFlowMatchingPipeline.from_single_file(
                str(files[0]),
                str(found[0]),
                device=str(self._device),
                dtype=self._torch.float16 if half else self._torch.float32,
                use_safetensors=files[0].suffix == ".safetensors",
            )
        except (OSError, RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
            raise word_unreadable(error) from error

    def generate(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """A mesh within a cube of 1.01, Y up, its front towards +Z."""
        return word_mesh(self.make_mesh(cut_square(arrays), params.get("options") or {}, tick, 1.0), "opengl")

    def make_mesh(self, picture: Any, options: Dict[str, Any], tick: Tick, share: float) -> Any:
        """The trimesh of a picture with alpha; its steps fill `share` of the whole way."""
        steps = int(options.get("steps", 50))
        tick(0, steps)
        found = self._pipeline(
            image=picture,
            num_inference_steps=steps,
            guidance_scale=float(options.get("guidance", 5.0)),
            octree_resolution=int(options.get("octree_resolution", 384)),
            num_chunks=int(options.get("chunks", 8000)),
            box_v=BOX,
            generator=self._torch.Generator(device=self._device).manual_seed(int(options.get("seed", 42))),
            callback=lambda step, at, outputs: tick(share * (step + 1), steps + 1),
            callback_steps=1,  # None, its default, breaks it
            enable_pbar=False,
        )
        mesh = found[0]
        if mesh is None:  # upstream's word for: no surface
            raise refuse_empty()
        return mesh


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"generate": Hunyuan3D(require_folder(weights), device).generate}
