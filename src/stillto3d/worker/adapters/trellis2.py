"""TRELLIS.2: a mesh with a baked material of a cut-out. Xiang et al. 2025."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Optional

from .cutouts import cut_square, word_mesh
from .pytorch import Tick, require_folder, start_torch
from .several_views import import_upstream
from .trellis import CountingSampler

SOURCE = "microsoft/TRELLIS.2"
STEPS = 12  # of each of its samplers, as its settings have them
MOST_FACES = 16_777_216  # that its rasteriser takes
BOX = [[-0.5, -0.5, -0.5], [0.5, 0.5, 0.5]]


class Trellis2:
    """The pipeline."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        pipelines = import_upstream("trellis2.pipelines", SOURCE)
        self._baking = import_upstream("o_voxel.postprocess", SOURCE)
        self._pipeline = pipelines.Trellis2ImageTo3DPipeline.from_pretrained(str(weights))
        self._pipeline.to(self._device)
        names = ("sparse_structure_sampler", "shape_slat_sampler", "tex_slat_sampler")
        self._samplers = [CountingSampler(getattr(self._pipeline, name)) for name in names]

    def generate(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """A textured mesh within a cube of 0.5; its baking turns it Y up, the front towards +Z."""
        options = params.get("options") or {}
        resolution = str(options.get("resolution", "1024_cascade"))
        whole = STEPS * (4 if resolution.endswith("cascade") else 3)
        done = [0]

        def tell() -> None:
            tick(min(done[0], whole), whole + 1)
            done[0] += 1

        for sampler in self._samplers:
            sampler.tell(tell)
        mesh = self._pipeline.run(
            cut_square(arrays),
            num_samples=1,
            seed=int(options.get("seed", 42)),
            preprocess_image=True,
            pipeline_type=resolution,
        )[0]
        tick(whole, whole + 1)
        mesh.simplify(MOST_FACES)
        baked = self._baking.to_glb(
            vertices=mesh.vertices,
            faces=mesh.faces,
            attr_volume=mesh.attrs,
            coords=mesh.coords,
            attr_layout=mesh.layout,
            voxel_size=mesh.voxel_size,
            aabb=BOX,
            decimation_target=int(options.get("triangles", 1_000_000)),
            texture_size=int(options.get("texture_size", 4096)),
            remesh=True,
        )
        return word_mesh(baked, "opengl")


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"generate": Trellis2(require_folder(weights), device).generate}
