"""DUSt3R: points and cameras of one or several stills, up to scale. Wang et al. 2024."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import numpy as np

from .pointmaps import frame_still, load_network, look_at_one, make_view, word_view
from .pytorch import Tick, require_folder, start_torch
from .several_views import Seen, import_upstream, make_operations

SOURCE = "naver/dust3r"
USUAL_STEPS = 300
RATE, LEAST_RATE = 0.01, 1e-6


class Dust3r:
    """The network and its global alignment."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        self._model = load_network(import_upstream("dust3r.model", SOURCE).AsymmetricCroCo3DStereo, weights)
        self._model = self._model.to(self._device).eval()

    def look(self, stills: List[np.ndarray], params: Dict[str, Any], tick: Tick) -> Seen:
        """One still directly; several through pairs and a global alignment, which reports every step."""
        steps = int((params.get("options") or {}).get("iterations", USUAL_STEPS))
        tick(0, 1)
        framed = [frame_still(still) for still in stills]
        if len(framed) == 1:
            estimate = import_upstream("dust3r.post_process", SOURCE).estimate_focal_knowing_depth
            return look_at_one(self._torch, self._model, self._device, framed[0], estimate, metric=False)
        scene = self._align([make_view(self._torch, one, k) for k, one in enumerate(framed)], steps, tick)
        poses = scene.get_im_poses().detach().cpu().numpy().astype(np.float64)
        focals = scene.get_focals().detach().cpu().numpy().reshape(-1)
        depths = [depth.detach().cpu().numpy() for depth in scene.get_depthmaps()]
        sure = [conf.detach().cpu().numpy() for conf in scene.im_conf]
        parts = zip(depths, sure, focals, poses, framed)
        return Seen([word_view(d, c, float(f), p, one) for d, c, f, p, one in parts], metric=False)

    def _align(self, views: List[Dict[str, Any]], steps: int, tick: Tick) -> Any:
        make_pairs = import_upstream("dust3r.image_pairs", SOURCE).make_pairs
        inference = import_upstream("dust3r.inference", SOURCE).inference
        cloud = import_upstream("dust3r.cloud_opt", SOURCE)
        iterate = import_upstream("dust3r.cloud_opt.base_opt", SOURCE).global_alignment_iter
        initialise = import_upstream("dust3r.cloud_opt.init_im_poses", SOURCE).init_minimum_spanning_tree
        pairs = make_pairs(views, scene_graph="complete", prefilter=None, symmetrize=True)
        found = []
        for k, pair in enumerate(pairs):
            tick(k, len(pairs) + steps)
            found.append(inference([pair], self._model, self._device, batch_size=1, verbose=False))
        output = _join(self._torch, found)
        with self._torch.enable_grad():
            mode = cloud.GlobalAlignerMode.PointCloudOptimizer
            scene = cloud.global_aligner(output, device=self._device, mode=mode, verbose=False)
            initialise(scene, niter_PnP=10)
            trained = [p for p in scene.parameters() if p.requires_grad]
            optimiser = self._torch.optim.Adam(trained, lr=RATE, betas=(0.9, 0.9))
            for step in range(steps):
                tick(len(pairs) + step, len(pairs) + steps)
                iterate(scene, step, steps, RATE, LEAST_RATE, optimiser, "cosine")
        return scene


def _join(torch: Any, found: List[Dict[str, Any]]) -> Dict[str, Any]:
    """Answers of single pairs as one, with lists in place of batches, so that stills of several sizes go together."""
    joined: Dict[str, Any] = {"loss": None}
    for part in ("view1", "view2", "pred1", "pred2"):
        joined[part] = {}
        for name in found[0][part]:
            values = [one[part][name] for one in found]
            flat = [value[0] if isinstance(value, (list, torch.Tensor)) else value for value in values]
            joined[part][name] = flat
    return joined


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return make_operations(Dust3r(require_folder(weights), device).look)
