"""MASt3R: metric points and cameras of one or several stills, matched densely. Leroy et al. 2024."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import numpy as np

from .pointmaps import frame_still, load_network, look_at_one, make_view, word_view
from .pytorch import Tick, require_folder, start_torch
from .several_views import Seen, import_upstream, make_operations

SOURCE = "naver/mast3r"
USUAL_STEPS = 300


class Mast3r:
    """The network and its sparse global alignment."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        network = load_network(import_upstream("mast3r.model", SOURCE).AsymmetricMASt3R, weights)
        self._model = network.to(self._device).eval()

    def look(self, stills: List[np.ndarray], params: Dict[str, Any], tick: Tick) -> Seen:
        """One still directly; several through pairs, matches and an alignment, which reports every step."""
        steps = int((params.get("options") or {}).get("iterations", USUAL_STEPS))
        tick(0, 1)
        framed = [frame_still(still) for still in stills]
        if len(framed) == 1:
            estimate = import_upstream("dust3r.post_process", SOURCE).estimate_focal_knowing_depth
            return look_at_one(self._torch, self._model, self._device, framed[0], estimate, metric=True)
        views = [make_view(self._torch, one, k) for k, one in enumerate(framed)]
        cache = tempfile.mkdtemp(dir=str(Path.cwd()))  # the worker's own folder
        try:
            scene = self._align(views, cache, steps, tick)
            _, depths, confidences = scene.get_dense_pts3d(clean_depth=True)
        finally:
            shutil.rmtree(cache, ignore_errors=True)
        poses = scene.get_im_poses().detach().cpu().numpy().astype(np.float64)
        focals = scene.get_focals().detach().cpu().numpy().reshape(-1)
        found = []
        for one, depth, sure, focal, pose in zip(framed, depths, confidences, focals, poses):
            shape = (one.height, one.width)
            flat = depth.detach().cpu().numpy().reshape(shape), sure.detach().cpu().numpy().reshape(shape)
            found.append(word_view(*flat, float(focal), pose, one))
        return Seen(found, metric=True)

    def _align(self, views: List[Dict[str, Any]], cache: str, steps: int, tick: Tick) -> Any:
        make_pairs = import_upstream("dust3r.image_pairs", SOURCE).make_pairs
        alignment = import_upstream("mast3r.cloud_opt.sparse_ga", SOURCE)
        done = [0]

        def schedule(*given: Any) -> Any:
            """Its learning rate: asked for once a step, so that it can tell and stop."""
            tick(min(done[0], 2 * steps - 1), 2 * steps)
            done[0] += 1
            return alignment.cosine_schedule(*given)

        with self._torch.enable_grad():
            return alignment.sparse_global_alignment(
                [view["instance"] for view in views],
                make_pairs(views, scene_graph="complete", prefilter=None, symmetrize=True),
                cache,
                self._model,
                device=str(self._device),
                niter1=steps,
                niter2=steps,
                schedule=schedule,
                verbose=False,
            )


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return make_operations(Mast3r(require_folder(weights), device).look)
