"""Depth Anything 3: depth and cameras of one or several stills; its giants make splats too. Lin et al. 2025."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import numpy as np

from .pytorch import Tick, fill_network, require_folder, start_torch, word_unreadable
from .several_views import (
    USUAL_LENS,
    Seen,
    View,
    import_upstream,
    invert_poses,
    keep_sound_splats,
    make_operations,
    stand_in_for,
)

SOURCE = "ByteDance-Seed/Depth-Anything-3"
METRIC_FOCAL = 300.0  # metres = focal length in pixels of what the model saw x its answer / 300 (its read-me)
USUAL_SIDE = 504


class DepthAnything3:
    """The network of any preset; `config.json` in its folder names it."""

    def __init__(self, weights: Path, device: str) -> None:
        self._torch, self._device = start_torch(device)
        stand_in_for("evo", "moviepy", "plyfile", "pycolmap")
        api = import_upstream("depth_anything_3.api", SOURCE)
        try:
            config = json.loads((weights / "config.json").read_text(encoding="utf-8"))
            self._preset = str(config["model_name"])
            model = api.DepthAnything3(**config)
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise word_unreadable(error) from error
        fill_network(model, weights / "model.safetensors")
        self._model = model.to(self._device).eval()

    def look(self, stills: List[np.ndarray], params: Dict[str, Any], tick: Tick) -> Seen:
        """One forward over all stills; those of several sizes are made as large as the first, which moves no ray by
        more than their shapes differ."""
        tick(0, 1)
        side = int((params.get("options") or {}).get("process_res", USUAL_SIDE))
        splats = "giant" in self._preset and bool(params.get("splats"))
        found = self._model.inference(
            image=[np.ascontiguousarray(still) for still in stills],
            infer_gs=splats,
            process_res=side,
            process_res_method="upper_bound_resize",
            ref_view_strategy="first",
        )
        depths = np.asarray(found.depth, np.float32)
        width = depths.shape[2]
        focals: List[Optional[float]] = [None] * len(stills)
        poses = [np.eye(4) for _ in stills]
        if found.intrinsics is not None:
            focals = [float(k[0, 0]) / width for k in found.intrinsics]
        if found.extrinsics is not None:
            poses = invert_poses(found.extrinsics)
        metric = self._preset.startswith("da3nested") or found.is_metric == 1
        if self._preset == "da3metric-large":
            metric = bool(params.get("focal_px"))
            known = float(params.get("focal_px") or USUAL_LENS * max(stills[0].shape[:2]))
            depths = depths * (known / stills[0].shape[1] * width / METRIC_FOCAL)
        sky = np.zeros(depths.shape, bool) if found.sky is None else np.asarray(found.sky) > 0.5
        sound = np.isfinite(depths) & (depths > 0) & ~sky
        views = [View(*parts) for parts in zip(depths, sound, focals, poses)]
        return Seen(views, metric, self._read_splats(found) if splats else None)

    def _read_splats(self, found: Any) -> Optional[Dict[str, np.ndarray]]:
        """Upstream scales depth and cameras of the nested preset to metres, and leaves its splats as they were."""
        if found.gaussians is None:
            return None
        parts = found.gaussians
        means, scales, rotations, harmonics, opacity = (
            part[0].float().cpu().numpy()
            for part in (parts.means, parts.scales, parts.rotations, parts.harmonics, parts.opacities)
        )
        factor = float(found.scale_factor or 1.0)
        opacity = opacity[:, 0, 0] if opacity.ndim == 3 else opacity
        return keep_sound_splats(means * factor, scales * factor, rotations, opacity, harmonics.transpose(0, 2, 1))


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return make_operations(DepthAnything3(require_folder(weights), device).look)
