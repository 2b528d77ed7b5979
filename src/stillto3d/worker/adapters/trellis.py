"""TRELLIS: mesh or splats of a cut-out. Xiang et al. 2024."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Dict, Optional

from .cutouts import cut_square, word_mesh, word_splats
from .pytorch import Tick, require_folder, start_torch
from .several_views import import_upstream

SOURCE = "microsoft/TRELLIS"


class CountingSampler:
    """Lets a sampler of TRELLIS tell each of its steps: its `sample_once` runs once per step."""

    def __init__(self, sampler: Any) -> None:
        self._once = sampler.sample_once
        self._tell: Callable[[], None] = lambda: None
        sampler.sample_once = self._sample

    def tell(self, callback: Callable[[], None]) -> None:
        """What is to be called before each step, and may raise."""
        self._tell = callback

    def _sample(self, *given: Any, **named: Any) -> Any:
        self._tell()
        return self._once(*given, **named)


class Trellis:
    """The pipeline."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        os.environ.setdefault("SPCONV_ALGO", "native")  # else it measures for minutes on the first call
        os.environ.setdefault("TORCH_HOME", str(weights / "torch"))  # DINOv2 comes through torch.hub
        pipelines = import_upstream("trellis.pipelines", SOURCE)
        self._pipeline = pipelines.TrellisImageTo3DPipeline.from_pretrained(str(weights))
        self._pipeline.to(self._device)
        samplers = (self._pipeline.sparse_structure_sampler, self._pipeline.slat_sampler)
        self._samplers = [CountingSampler(sampler) for sampler in samplers]

    def generate(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """A mesh or splats within a cube of 0.5, Z up, the front towards -Y."""
        options = params.get("options") or {}
        structure, surface = int(options.get("structure_steps", 12)), int(options.get("surface_steps", 12))
        form = str(options.get("form", "mesh"))
        done = [0]

        def tell() -> None:
            tick(min(done[0], structure + surface), structure + surface + 1)
            done[0] += 1

        for sampler in self._samplers:
            sampler.tell(tell)
        found = self._pipeline.run(
            cut_square(arrays),
            num_samples=1,
            seed=int(options.get("seed", 42)),
            sparse_structure_sampler_params={
                "steps": structure,
                "cfg_strength": float(options.get("structure_guidance", 7.5)),
            },
            slat_sampler_params={"steps": surface, "cfg_strength": float(options.get("surface_guidance", 3.0))},
            formats=["gaussian" if form == "splats" else "mesh"],
            preprocess_image=True,
        )
        if form == "splats":
            return word_splats(found["gaussian"][0], "z_up")
        return word_mesh(found["mesh"][0], "z_up")


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"generate": Trellis(require_folder(weights), device).generate}
