"""What the network sees of the samples: masks, depth from the side, its worst masks; beside another pair of weights.

Usage: python scripts/network_sheet.py OUT_FOLDER [--weights DIR] [--before DIR]

Writes network-masks.jpg (one click on each of up to six objects, the candidate of the best score), network-depth.jpg
(the depth map as points, seen from the side through the true lens, beside the truth) and network-failures.jpg (the
masks that are farthest from the truth, with the click and the true outline).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from measure.masks import find_deepest, measure_iou
from measure.shots import choose_props
from measure.truth import Truth, load_picture, read_samples
from stillto3d.words import find_resources
from stillto3d.worker.adapters.builtin.stillnet import StillNet

U8 = NDArray[np.uint8]
TILE = 300  # height in pixels
WORST = 12
COLOURS = [(255, 80, 60), (60, 200, 90), (70, 130, 255), (250, 200, 40), (220, 80, 220), (40, 210, 220)]
PAPER = (30, 30, 34)


def click(net: StillNet, still: U8, point: tuple[int, int]) -> NDArray[np.bool_]:
    """The candidate of the best score for one click on a pixel."""
    x, y = point
    params = {"clicks": [[x + 0.5, y + 0.5, True]], "box": None, "still_id": str(id(still))}
    answer = net.segment({"still": still}, params, lambda *_: None)
    return np.asarray(answer["masks"][answer["best"]] > 127)


def tint(picture: U8, mask: NDArray[np.bool_], colour: tuple[int, int, int]) -> U8:
    """A mask over a picture, with its contour."""
    drawn = picture.copy()
    drawn[mask] = (0.55 * picture[mask] + 0.45 * np.array(colour)).astype(np.uint8)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(drawn, contours, -1, colour, 2)


def look_from_side(still: U8, depth: NDArray[np.floating[Any]], truth: Truth) -> U8:
    """A depth map as coloured points seen from the right: near is left, up is up, in shares of the median depth."""
    assert truth.focal_px is not None and truth.centre_px is not None and truth.depth is not None
    h, w = truth.depth.shape
    z = cv2.resize(np.log(np.maximum(depth, 1e-6)).astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR)
    known = truth.depth > 0
    z = np.exp(z - np.median(z[known]))
    rows = (np.arange(h) + 0.5) * still.shape[0] / h - truth.centre_px[1]
    drop = rows[:, None] / truth.focal_px * z
    picture = cv2.resize(still, (w, h), interpolation=cv2.INTER_AREA)
    size = (TILE, round(1.5 * TILE))
    across = np.clip((z - 0.2) / 2.0 * size[1], 0, size[1] - 1).astype(int)
    down = np.clip((drop + 0.75) / 1.3 * size[0], 0, size[0] - 1).astype(int)
    drawn = np.full((*size, 3), PAPER, np.uint8)
    drawn[down[known], across[known]] = picture[known]
    return drawn


def label(tile: U8, words: str) -> U8:
    """A tile at the common height with words in its corner."""
    height, width = tile.shape[:2]
    drawn: U8 = cv2.resize(tile, (round(width * TILE / height), TILE), interpolation=cv2.INTER_AREA)
    (wide, high), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 1)
    drawn[: high + 14, : wide + 16] = PAPER
    return cv2.putText(drawn, words, (8, high + 6), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA)


def stack(rows: list[list[U8]], path: Path) -> None:
    """Rows of tiles as one JPEG."""
    lines = [np.hstack(row) for row in rows]
    width = max(line.shape[1] for line in lines)
    padded = [
        cv2.copyMakeBorder(line, 0, 4, 0, width - line.shape[1], cv2.BORDER_CONSTANT, value=PAPER) for line in lines
    ]
    sheet = cv2.cvtColor(np.vstack(padded), cv2.COLOR_RGB2BGR)
    k = min(1.0, 1800 / sheet.shape[1])
    sheet = cv2.resize(sheet, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), sheet, [cv2.IMWRITE_JPEG_QUALITY, 82])


def draw_sheets(out: Path, nets: dict[str, StillNet]) -> None:
    """All sheets; the last of the nets is the one whose failures are shown."""
    out.mkdir(parents=True, exist_ok=True)
    masks, depths, failures = [], [], []
    for truth in read_samples(find_resources() / "samples"):
        still: U8 = load_picture(truth.picture)
        assert truth.depth is not None
        masks.append([label(still, truth.name)])
        depths.append([label(still, truth.name), label(look_from_side(still, truth.depth, truth), "truth")])
        for name, net in nets.items():
            drawn, ious = still, []
            for k, instance in enumerate(choose_props(truth)):
                point = find_deepest(instance.mask)
                answer = click(net, still, point)
                drawn = tint(drawn, answer, COLOURS[k])
                ious.append(measure_iou(answer, instance.mask))
                if net is list(nets.values())[-1]:
                    failures.append((ious[-1], still, answer, instance, point))
            masks[-1].append(label(drawn, f"{name}: IoU {np.mean(ious):.2f}"))
            depth = net.depth({"still": still}, {"still_id": str(id(still))}, lambda *_: None)["depth"]
            depths[-1].append(label(look_from_side(still, depth, truth), name))
    stack([a + b for a, b in zip(masks[::2], masks[1::2], strict=True)], out / "network-masks.jpg")
    stack([a + b for a, b in zip(depths[::2], depths[1::2], strict=True)], out / "network-depth.jpg")
    tiles = []
    for iou, still, answer, instance, point in sorted(failures, key=lambda row: row[0])[:WORST]:
        drawn = tint(still, answer, COLOURS[0])
        outline, _ = cv2.findContours(instance.mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        drawn = cv2.drawContours(drawn, outline, -1, (255, 255, 255), 2)
        drawn = cv2.circle(drawn, point, 7, (60, 230, 90), -1)
        tiles.append(label(drawn, f"{instance.name}: {iou:.2f}"))
    stack([tiles[k : k + 4] for k in range(0, len(tiles), 4)], out / "network-failures.jpg")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--weights", type=Path, default=find_resources() / "weights")
    parser.add_argument("--before", type=Path)
    chosen = parser.parse_args()
    pair = {"before": chosen.before, "now": chosen.weights}
    draw_sheets(chosen.out, {name: StillNet(folder, "cpu") for name, folder in pair.items() if folder})
