"""A tiny sample with exact truth, made by arithmetic: a wall, and a square that stands before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

WIDTH, HEIGHT, FOCAL = 240, 160, 200.0
NEAR, FAR = 2.0, 4.0
PITCH = -0.6  # radians: the horizon is far above the picture
SQUARE = (80, 40, 160, 120)  # x0, y0, x1, y1 in pixels
STEP, FAR_STEP = 1e-3, 1e-4
THICK = 1.2  # how much farther the square's far side is than its front


def make_pictures(aside: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Picture u8[H, W, 3], depth f64[H, W] and whether the square is seen, from `aside` metres along +x."""
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    near_x, far_x = x + FOCAL * aside / NEAR, x + FOCAL * aside / FAR
    inside = (near_x >= SQUARE[0]) & (near_x < SQUARE[2]) & (y >= SQUARE[1]) & (y < SQUARE[3])
    front, back = shade(near_x, y, 40.0, 0.9), shade(far_x, y, 60.0, 0.2)
    picture = np.where(inside[..., None], front, back)
    return picture.astype(np.uint8), np.where(inside, NEAR, FAR), inside


def shade(x: np.ndarray, y: np.ndarray, wave: float, red: float) -> np.ndarray:
    """A smooth pattern, so that resampling costs little."""
    light = 128 + 60 * np.sin(2 * np.pi * x / wave) + 50 * np.sin(2 * np.pi * y / (wave * 0.8))
    return np.stack([light * red + 20, light * 0.8, light * (1 - red * 0.7)], axis=-1).clip(0, 255)


def write_sample(folder: Path) -> Path:
    """The sample's folder, as scripts/render_samples.py lays it out."""
    folder.mkdir(parents=True)
    picture, depth, inside = make_pictures(0.0)
    aside = 0.05 * float(np.median(depth))
    Image.fromarray(picture).save(folder / "still.jpg", quality=98)
    Image.fromarray(make_pictures(aside)[0]).save(folder / "second.jpg", quality=98)
    Image.fromarray(inside.astype(np.uint8)).save(folder / "instances.png")
    code = np.rint(np.log(depth / NEAR) / STEP).astype(np.uint16) + 1
    code[0, 0] = 0
    Image.fromarray(code).save(folder / "depth.png")
    beyond = np.where(inside, round(np.log(THICK) / FAR_STEP) + 1, 0)
    Image.fromarray(beyond.astype(np.uint16)).save(folder / "far.png")
    (folder / "truth.json").write_text(json.dumps(describe(aside)), encoding="utf-8")
    return folder


def describe(aside: float) -> dict[str, Any]:
    """truth.json."""
    here, there = np.eye(4), np.eye(4)
    here[1, 3] = there[1, 3] = 1.5
    there[0, 3] = aside
    square_m = (SQUARE[3] - SQUARE[1]) / FOCAL * NEAR
    lens = {"width": WIDTH, "height": HEIGHT, "fx": FOCAL, "fy": FOCAL, "cx": WIDTH / 2, "cy": HEIGHT / 2}
    return {
        "camera": {**lens, "pitch": PITCH, "roll": 0.0, "world_from_camera": here.tolist()},
        "second_camera": {"world_from_camera": there.tolist()},
        "depth": {"kind": "log", "near_m": NEAR, "step": STEP, "none": 0},
        "far": {"kind": "log_ratio", "step": FAR_STEP, "none": 0},
        "instances": [
            {
                "id": 1,
                "name": "square",
                "height_m": square_m,
                "visible": 1.0,
                "cut_by_frame": False,
                "thin": False,
            }
        ],
    }
