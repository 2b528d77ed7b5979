"""Our network without the product: two onnxruntime sessions, to see what the product costs and changes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stillto3d.models.roles import Click

from .masks import Offer
from .truth import F32, U8, Bool

LONG_SIDE, MULTIPLE, STRIDE = 512, 32, 4
FAR = 1e6


class BareNetwork:
    """The encoder and decoder of a folder of weights, by the contract of the weights alone."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(4, os.cpu_count() or 1)
        options.log_severity_level = 3
        self.encoder, self.decoder = (
            onnxruntime.InferenceSession(
                str(folder / f"stillnet_{part}.onnx"), options, providers=["CPUExecutionProvider"]
            )
            for part in ("encoder", "decoder")
        )

    def encode(self, picture: F32) -> dict[str, Any]:
        """The maps that the decoder reads, of a network picture f32[1, 3, h, w]."""
        names = ["s2", "p4", "p8", "p16"]
        return dict(zip(names, self.encoder.run(names, {"x": picture}), strict=True))

    def look(self, still: U8) -> BareSegmenter:
        """A segmenter of one still."""
        return BareSegmenter(self, still)


def to_network_picture(still: U8) -> F32:
    """The still u8[H, W, 3] stretched, antialiased, to the network's size: f32[1, 3, h, w], 0 to 1."""
    from PIL import Image

    height, width = still.shape[:2]
    scale = LONG_SIDE / max(height, width) / MULTIPLE
    h, w = (max(1, round(side * scale)) * MULTIPLE for side in (height, width))
    small = np.asarray(Image.fromarray(still).resize((w, h), Image.Resampling.BILINEAR), dtype=np.float32)
    return np.ascontiguousarray(small.transpose(2, 0, 1)[None] / np.float32(255))


class BareSegmenter:
    """One still, encoded; answers clicks and boxes by the decoder alone."""

    def __init__(self, network: BareNetwork, still: U8) -> None:
        self._network = network
        self._size = still.shape[:2]
        self.features = network.encode(to_network_picture(still))
        self._grid: tuple[int, int] = self.features["p4"].shape[2:]

    def click(self, clicks: Sequence[Click], earlier: Bool | None) -> Offer:
        """Candidates for clicks and an earlier mask."""
        return self._answer(self.draw_maps(clicks, earlier, None))

    def box(self, box: tuple[float, float, float, float]) -> Offer:
        """Candidates for a box."""
        return self._answer(self.draw_maps((), None, box))

    def draw_maps(
        self,
        clicks: Sequence[Click],
        earlier: Bool | None,
        box: tuple[float, float, float, float] | None,
    ) -> F32:
        """The decoder's question f32[1, 8, h, w]."""
        import cv2

        h, w = self._grid
        across, down = w / self._size[1], h / self._size[0]
        x, y = np.arange(w) + 0.5, np.arange(h)[:, None] + 0.5
        maps = np.zeros((1, 8, h, w), dtype=np.float32)
        for plane, positive in ((0, True), (2, False)):
            squared = np.full((h, w), FAR)
            for click in clicks:
                if click.positive is positive:
                    squared = np.minimum(squared, (x - click.x * across) ** 2 + (y - click.y * down) ** 2)
            maps[0, plane] = np.exp(-squared / 4.5)
            maps[0, plane + 1] = np.clip(1 - np.log1p(squared) / 8, 0, 1)
        if earlier is not None and earlier.any():
            maps[0, 4] = cv2.resize(earlier.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)
            maps[0, 5] = 1
        if box is not None:
            x0, y0, x1, y1 = box
            inside_x = (x >= x0 * across) & (x <= x1 * across)
            maps[0, 6] = inside_x & (y >= y0 * down) & (y <= y1 * down)
            maps[0, 7] = 1
        return maps

    def _answer(self, maps: F32) -> Offer:
        import cv2

        logits, scores = self._network.decoder.run(["mask", "score"], {**self.features, "m": maps})
        size = self._size[::-1]
        masks = np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) > 0 for plane in logits[0]])
        return Offer(masks, np.clip(scores[0], 0, 1).astype(np.float32), int(scores[0].argmax()))
