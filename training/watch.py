"""Measures a network on real stills while it trains, by the click protocol of measure/masks.py."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from measure.masks import ROUNDS, at_pixel, find_correction, find_deepest, jitter_box, measure_iou

from .clicks import FAR_SQUARED, Hints
from .net import StillNet

LONG_SIDE = 512  # pixels of the network's picture
NEAR_M, FAR_M = 0.1, 80.0  # depths that count
THREADS = 8
Bool = NDArray[np.bool_]

CHOICE = ("one_click", "best_of_three", "clicks_3", "box", "random_click")
KEYS = (*CHOICE, "clicks_2", "clicks_5", "random_best_of_three", "score_bias", "depth_abs_rel")


class Click(Protocol):
    """A point in pixels of a still: on the object, or not on it."""

    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...
    @property
    def positive(self) -> bool: ...


@dataclass(frozen=True, eq=False)
class WatchedStill:
    """pixels u8[H, W, 3] sRGB; masks bool[n, H, W]; depth f32[H, W] metres, 0 where unknown; focal in pixels."""

    name: str
    pixels: NDArray[np.uint8]
    masks: Bool
    depth: NDArray[np.float32] | None = None
    focal_px: float | None = None


def read_watch_folder(path: Path) -> list[WatchedStill]:
    """Every NAME.jpg with its NAME.npz: `masks` packed along the last axis (np.packbits), their `shape` [n, H, W],
    and where known `depth` f32[H, W] and `focal_px`."""
    import cv2

    stills = []
    for picture in sorted(path.glob("*.jpg")):
        pixels = cv2.imread(str(picture), cv2.IMREAD_COLOR_RGB)
        with np.load(picture.with_suffix(".npz")) as truth:
            shape = tuple(int(n) for n in truth["shape"])
            masks = np.unpackbits(truth["masks"], axis=-1, count=shape[-1]).astype(bool).reshape(shape)
            depth = truth["depth"].astype(np.float32) if "depth" in truth else None
            focal = float(truth["focal_px"]) if "focal_px" in truth else None
        stills.append(WatchedStill(picture.stem, np.asarray(pixels, np.uint8), masks, depth, focal))
    if not stills:
        raise ValueError(f"no stills in {path}")
    return stills


class WatchedNetwork:
    """A network that answers many artists at once on one still."""

    def __init__(self, net: StillNet, pixels: NDArray[np.uint8], device: torch.device) -> None:
        self.net, self.device = net, device
        self.height, self.width = pixels.shape[:2]
        long = max(self.height, self.width)
        h, w = (max(32, round(side * LONG_SIDE / long / 32) * 32) for side in (self.height, self.width))
        self.grid = h // 4, w // 4
        picture = torch.from_numpy(pixels).to(device).permute(2, 0, 1)[None].float() / 255
        picture = functional.interpolate(picture, size=(h, w), mode="bilinear", antialias=True, align_corners=False)
        with torch.no_grad():
            *features, self.geo, self.cam = net.encoder(picture)
            self.p4 = features[1]
            self.projected = net.decoder.project((features[0], features[1], features[2], features[3]))

    def find_depth(self) -> Tensor:
        """Metres f32[H, W]."""
        log = functional.interpolate(self.geo[:, :1], size=(self.height, self.width), mode="bilinear")
        return log[0, 0].exp()

    def answer(
        self,
        clicks: Sequence[Sequence[Click]],
        earlier: Sequence[Bool | None],
        boxes: Sequence[tuple[float, float, float, float] | None],
    ) -> tuple[Bool, NDArray[np.float32]]:
        """Candidates bool[n, 3, H, W] of n artists, and the IoU that is predicted of each f32[n, 3]."""
        hints = [self._hint(*said) for said in zip(clicks, earlier, boxes, strict=True)]
        joined = Hints(
            torch.cat([h.positive for h in hints]),
            torch.cat([h.negative for h in hints]),
            torch.cat([h.earlier for h in hints]),
            torch.cat([h.box for h in hints]),
        )
        with torch.no_grad():
            logits, scores = self.net.decoder.answer(self.p4, self.projected, joined.to_maps(), len(hints))
            size = self.height, self.width
            cut = functional.interpolate(logits, size=size, mode="bilinear", align_corners=False) > 0
        return cut.cpu().numpy(), scores.sigmoid().cpu().numpy()

    def _hint(
        self, clicks: Sequence[Click], earlier: Bool | None, box: tuple[float, float, float, float] | None
    ) -> Hints:
        h, w = self.grid
        y = torch.arange(h, device=self.device).view(-1, 1) + 0.5
        x = torch.arange(w, device=self.device).view(1, -1) + 0.5
        squares = []
        for positive in (True, False):
            nearest = torch.full((h, w), FAR_SQUARED, device=self.device)
            for click in clicks:
                if click.positive == positive:
                    dx, dy = x - click.x * w / self.width, y - click.y * h / self.height
                    nearest = torch.minimum(nearest, dx * dx + dy * dy)
            squares.append(nearest[None, None])
        mask = torch.zeros(1, 1, h, w, device=self.device)
        if earlier is not None:
            whole = torch.from_numpy(earlier).to(self.device)[None, None].float()
            mask = functional.interpolate(whole, size=(h, w), mode="area")
        inside = torch.zeros(1, 1, h, w, device=self.device)
        if box is not None:
            x0, x1 = (v * w / self.width for v in box[0::2])
            y0, y1 = (v * h / self.height for v in box[1::2])
            inside[0, 0] = ((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)).float()
        return Hints(squares[0], squares[1], mask, inside)


def measure_clicks(network: WatchedNetwork, masks: Bool, rng: np.random.RandomState) -> dict[str, list[float]]:
    """The protocol on all masks bool[n, H, W] of a still at once: the IoU of each, by key."""
    n = len(masks)
    nothing: list[None] = [None] * n
    taken = np.arange(n)
    found: dict[str, list[float]] = {}
    with ThreadPoolExecutor(THREADS) as pool:

        def compare(candidates: Bool) -> NDArray[np.float64]:
            return np.array(list(pool.map(_compare_all, candidates, masks)))

        clicks = [[at_pixel(*place)] for place in pool.map(find_deepest, masks)]
        candidates, scores = network.answer(clicks, nothing, nothing)
        overlaps = compare(candidates)
        found["one_click"] = list(overlaps[taken, scores.argmax(1)])
        found["best_of_three"] = list(overlaps.max(1))
        found["score_bias"] = list((scores - overlaps).mean(1))
        current = candidates[taken, overlaps.argmax(1)]
        for count in range(2, ROUNDS + 1):
            corrections = list(pool.map(find_correction, masks, current))
            for said, click in zip(clicks, corrections, strict=True):
                if click is not None:
                    said.append(click)
            candidates, scores = network.answer(clicks, list(current), nothing)
            refined = candidates[taken, scores.argmax(1)]
            wrong = np.array([click is not None for click in corrections])
            current = np.where(wrong[:, None, None], refined, current)
            if f"clicks_{count}" in KEYS:
                found[f"clicks_{count}"] = list(pool.map(measure_iou, current, masks))
        candidates, scores = network.answer([[]] * n, nothing, [jitter_box(mask, rng) for mask in masks])
        found["box"] = list(compare(candidates)[taken, scores.argmax(1)])
        candidates, scores = network.answer([[_pick(mask, rng)] for mask in masks], nothing, nothing)
        overlaps = compare(candidates)
    found["random_click"] = list(overlaps[taken, scores.argmax(1)])
    found["random_best_of_three"] = list(overlaps.max(1))
    return found


def measure_depth(network: WatchedNetwork, truth: NDArray[np.float32]) -> float:
    """Mean relative error of the depth after scaling it by medians."""
    wanted = torch.from_numpy(truth).to(network.device)
    known = (wanted > NEAR_M) & (wanted < FAR_M)
    depth, wanted = network.find_depth()[known], wanted[known]
    depth = depth * (wanted.median() / depth.median())
    return float(((depth - wanted).abs() / wanted).mean())


class StillWatch:
    """The stills of a folder, shared out among ranks; called with a network it answers sums and counts by key."""

    def __init__(self, folder: Path, device: torch.device, rank: int = 0, ranks: int = 1) -> None:
        self.stills, self.device = read_watch_folder(folder)[rank::ranks], device

    def __call__(self, net: StillNet) -> dict[str, float]:
        """`name` is a sum over masks or stills, `name#` how many."""
        sums: dict[str, float] = {}
        for key in KEYS:
            sums[key] = sums[f"{key}#"] = 0.0
        benchmark = torch.backends.cudnn.benchmark
        torch.backends.cudnn.benchmark = False  # every still has another size
        for still in self.stills:
            network = WatchedNetwork(net, still.pixels, self.device)
            found: dict[str, list[Any]] = {}
            if len(still.masks):
                found = measure_clicks(network, still.masks, np.random.RandomState(1))
            if still.depth is not None:
                found["depth_abs_rel"] = [measure_depth(network, still.depth)]
            for key, values in found.items():
                sums[key] += float(np.sum(values))
                sums[f"{key}#"] += len(values)
        torch.backends.cudnn.benchmark = benchmark
        return sums


def _compare_all(candidates: Bool, wanted: Bool) -> list[float]:
    return [measure_iou(candidate, wanted) for candidate in candidates]


def _pick(mask: Bool, rng: np.random.RandomState) -> Click:
    ys, xs = np.nonzero(mask)
    k = rng.randint(len(xs))
    return at_pixel(int(xs[k]), int(ys[k]))
