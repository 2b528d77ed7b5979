"""SAM 3D Objects: mesh or splats of a thing, with its pose in the still's camera. Meta 2025."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Optional

import numpy as np

from ..errors import MissingWeights
from .cutouts import to_numpy, word_mesh, word_splats
from .pytorch import Tick, require_folder, start_torch
from .several_views import import_upstream

SOURCE = "facebookresearch/sam-3d-objects"


class Sam3D:
    """The pipeline, through upstream's own `Inference`."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        os.environ.setdefault("CONDA_PREFIX", sys.prefix)  # upstream reads it while it is imported
        inference = import_upstream("inference", SOURCE + " (its folder notebook)")
        found = sorted(weights.rglob("pipeline.yaml"))
        if not found:
            raise MissingWeights("its folder holds no pipeline.yaml.")
        self._infer = inference.Inference(str(found[0]), compile=False)

    def generate(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """A mesh (Y up) or splats (Z up) in the thing's own frame, and `pose` f64[4,4] from that frame turned Y up to
        PyTorch3D camera axes (x left, y up, z forward)."""
        options = params.get("options") or {}
        tick(0, 1)
        still, mask = np.ascontiguousarray(arrays["still"]), arrays["alpha"] > 127
        found = self._infer(still, mask, seed=int(options.get("seed", 42)))
        splats = str(options.get("form", "mesh")) == "splats" or found.get("glb") is None
        answer = word_splats(found["gs"], "z_up") if splats else word_mesh(found["glb"], "opengl")
        answer["pose"] = make_pose(found["rotation"], found["translation"], found["scale"])
        answer["pose_axes"] = "pytorch3d"
        tick(1, 1)
        return answer


def make_pose(rotation: Any, translation: Any, scale: Any) -> np.ndarray:
    """Camera from thing, for points that stand Y up. Upstream's thing stands Z up and is turned by row vectors, as in
    PyTorch3D: camera = thing x scale x R + t."""
    w, x, y, z = to_numpy(rotation).reshape(-1)[:4].astype(np.float64)
    w, x, y, z = np.array([w, x, y, z]) / max(float(np.linalg.norm([w, x, y, z])), 1e-12)
    matrix = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    size = np.broadcast_to(to_numpy(scale).reshape(-1).astype(np.float64), 3) if np.size(to_numpy(scale)) == 1 else None
    size = to_numpy(scale).reshape(-1)[:3].astype(np.float64) if size is None else size
    z_up_from_y_up = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    pose = np.eye(4)
    pose[:3, :3] = matrix.T @ np.diag(size) @ z_up_from_y_up
    pose[:3, 3] = to_numpy(translation).reshape(-1)[:3]
    return pose


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"generate": Sam3D(require_folder(weights), device).generate}
