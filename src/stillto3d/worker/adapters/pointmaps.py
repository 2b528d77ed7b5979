"""What DUSt3R and MASt3R share: stills as they see them, and one still alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, NamedTuple

import numpy as np

from .pytorch import fill_network, word_unreadable
from .several_views import USUAL_LENS, Seen, View, resize_still

LONG_SIDE = 512
PATCH = 16


class Framed(NamedTuple):
    """A still at the model's size and the part of it that the model sees (left, top, width, height)."""

    pixels: np.ndarray
    left: int
    top: int
    width: int
    height: int


def frame_still(still: np.ndarray) -> Framed:
    """Longer side to 512 pixels, cut to whole patches around the middle, as their `load_images` does; squares stay
    whole."""
    height, width = still.shape[:2]
    scale = LONG_SIDE / max(height, width)
    pixels = resize_still(still, max(PATCH, round(width * scale)), max(PATCH, round(height * scale)))
    h, w = pixels.shape[:2]
    inner_w, inner_h = w // PATCH * PATCH, h // PATCH * PATCH
    return Framed(pixels, (w - inner_w) // 2, (h - inner_h) // 2, inner_w, inner_h)


def make_view(torch: Any, framed: Framed, index: int) -> Dict[str, Any]:
    """One view as the networks take it: img f32[1,3,h,w] from -1 to 1, its shape, index and name."""
    inner = framed.pixels[framed.top : framed.top + framed.height, framed.left : framed.left + framed.width]
    picture = torch.from_numpy(np.ascontiguousarray(inner)).permute(2, 0, 1)[None].float() / 127.5 - 1
    shape = np.array([[framed.height, framed.width]], np.int32)
    return {"img": picture, "true_shape": shape, "idx": index, "instance": str(index)}


def spread(depth: np.ndarray, framed: Framed) -> np.ndarray:
    """A map of the seen part to the whole still: the edge repeats."""
    h, w = framed.pixels.shape[:2]
    rows = (framed.top, h - framed.top - framed.height)
    return np.pad(depth.astype(np.float32), (rows, (framed.left, w - framed.left - framed.width)), mode="edge")


def word_view(depth: np.ndarray, confidence: np.ndarray, focal: float, pose: np.ndarray, framed: Framed) -> View:
    """A view from what lies on the seen part; `focal` in its pixels, confidence above 1 is sound."""
    whole = spread(depth, framed)
    sound = spread(confidence, framed) > 1
    return View(whole, sound & np.isfinite(whole) & (whole > 0), focal / framed.pixels.shape[1], pose)


def look_at_one(torch: Any, network: Any, device: Any, framed: Framed, estimate_focal: Any, metric: bool) -> Seen:
    """A single still: the network sees it twice, and its first answer is in the still's own camera."""
    views = [make_view(torch, framed, k) for k in range(2)]
    for view in views:
        view["img"] = view["img"].to(device)
        view["true_shape"] = torch.from_numpy(view["true_shape"])
    answer = network(*views)[0]
    points, confidence = answer["pts3d"][:1].float(), answer["conf"][0].float().cpu().numpy()
    middle = torch.tensor([[framed.width / 2, framed.height / 2]], device=points.device)
    focal = float(estimate_focal(points, middle, focal_mode="weiszfeld"))
    if not np.isfinite(focal) or focal <= 0:
        focal = USUAL_LENS * max(framed.pixels.shape[:2])
    depth = points[0, ..., 2].cpu().numpy()
    return Seen([word_view(depth, confidence, focal, np.eye(4), framed)], metric)


def load_network(kind: Any, weights: Path) -> Any:
    """A network from safetensors in its hub layout. Raises MissingWeights where parts are missing."""
    try:
        config = json.loads((weights / "config.json").read_text(encoding="utf-8"))
        for name in ("depth_mode", "conf_mode", "desc_conf_mode"):
            if isinstance(config.get(name), list):  # some write infinity as a word
                config[name] = tuple(float(v) if v in ("inf", "-inf") else v for v in config[name])
        network = kind(**{**config, "landscape_only": False})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise word_unreadable(error) from error
    fill_network(network, weights / "model.safetensors")
    return network
