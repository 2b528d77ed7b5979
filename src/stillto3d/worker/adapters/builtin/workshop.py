"""The builtins without weights in one process: matting, clean plate, set and props share their libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Optional

from . import fill, matte, place, scene, solids
from .ahead import import_ahead


def load(weights: Optional[Path], device: str) -> Dict[str, Any]:
    """The operations matte, lift, fill, reconstruct, place and solidify."""
    parts = (matte, fill, scene, place, solids)
    import_ahead("cv2", "scipy.sparse.linalg", "patchmatch.patch_match")
    return {name: op for part in parts for name, op in part.load(weights, device).items()}
