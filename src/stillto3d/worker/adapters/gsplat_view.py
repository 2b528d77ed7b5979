"""Splats through gsplat on the GPU. Ye et al. 2024."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Optional

import numpy as np

from ..errors import BadInput
from .pytorch import Tick, start_torch
from .several_views import import_upstream

SOURCE = "nerfstudio-project/gsplat"
DEGREES = {1: 0, 4: 1, 9: 2, 16: 3}
PARTS = ("means", "rotations", "scales", "opacity", "sh")
FLIP = np.diag([1.0, -1.0, -1.0, 1.0])  # the host's camera looks along -Z with Y up, gsplat's is OpenCV's
NEAR_M, FAR_M = 0.01, 1e10


class SplatView:
    """Keeps the splats that were sent last, so that only the camera travels between frames."""

    def __init__(self, device: str) -> None:
        self._torch, self._device = start_torch(device)
        if self._device.type != "cuda":
            raise BadInput("Splats are drawn by gsplat on a GPU alone.")
        self._rasterize = import_upstream("gsplat", SOURCE).rasterization
        self._name: Optional[str] = None
        self._splats: Dict[str, Any] = {}

    def splats(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """Colour f32[H,W,3] over the background, alpha and depth f32[H,W] along the axis (0: nothing)."""
        torch = self._torch
        tick(0, 1)
        if params["splats_id"] != self._name:
            missing = [name for name in PARTS if name not in arrays]
            if missing:
                raise BadInput("the splats were not sent")
            self._splats = {name: torch.tensor(arrays[name], device=self._device) for name in PARTS}
            self._name = params["splats_id"]
        camera, parts = params["camera"], self._splats
        view = np.linalg.inv(np.array(camera["world_from_camera"]) @ FLIP)
        lens = [[camera["fx"], 0, camera["cx"]], [0, camera["fy"], camera["cy"]], [0, 0, 1]]
        colours, alphas, _ = self._rasterize(
            means=parts["means"],
            quats=parts["rotations"],
            scales=parts["scales"],
            opacities=parts["opacity"],
            colors=parts["sh"],
            sh_degree=DEGREES[parts["sh"].shape[1]],
            viewmats=torch.tensor(view[None], dtype=torch.float32, device=self._device),
            Ks=torch.tensor([lens], dtype=torch.float32, device=self._device),
            width=int(camera["width"]),
            height=int(camera["height"]),
            near_plane=NEAR_M,
            far_plane=FAR_M,
            render_mode="RGB+ED",
        )
        alpha = alphas[0, ..., 0]
        behind = torch.tensor(params["background"], dtype=torch.float32, device=self._device) / 255
        rgb = colours[0, ..., :3] + (1 - alpha)[..., None] * behind
        depth = torch.where(alpha > 0, colours[0, ..., 3], torch.zeros_like(alpha))
        tick(1, 1)
        found = {"rgb": rgb, "alpha": alpha, "depth": depth}
        return {name: value.float().contiguous().cpu().numpy() for name, value in found.items()}


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"splats": SplatView(device).splats}
