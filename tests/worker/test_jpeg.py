"""JPEG in bands: Pillow, somebody else's reader, sees one plain picture, whole and in its colours."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from stillto3d.worker.adapters.builtin import jpeg_codec


def make_picture(height: int, width: int, grain: int = 0) -> np.ndarray:
    """Smooth colours; with `grain`, every pixel has a colour of its own."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    smooth = np.stack([x, y, 1 - x], axis=-1) * 200 + 20
    noise = np.random.default_rng(0).integers(-grain, grain + 1, smooth.shape)
    return np.clip(smooth + noise, 0, 255).astype(np.uint8)


def open_jpeg(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize("shape", [(700, 801), (5000, 100), (17, 4001), (7, 9), (1, 1)])
@pytest.mark.parametrize(("quality", "grain"), [(92, 60), (92, 0), (70, 60)])
def test_bands_make_the_picture_that_one_band_makes(
    shape: tuple[int, int], quality: int, grain: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = make_picture(*shape, grain)
    monkeypatch.setattr(jpeg_codec, "SMALL", 1)
    monkeypatch.setattr(jpeg_codec.os, "cpu_count", lambda: 1)
    whole = jpeg_codec.write_jpeg(pixels, quality)
    monkeypatch.setattr(jpeg_codec.os, "cpu_count", lambda: 4)
    banded = jpeg_codec.write_jpeg(pixels, quality)
    assert whole.count(b"\xff\xd0") == 0 and (banded.count(b"\xff\xd0") > 0) == (shape[0] > 16)
    np.testing.assert_array_equal(np.asarray(open_jpeg(banded)), np.asarray(open_jpeg(whole)))


def test_grey_is_banded_too() -> None:
    grey = make_picture(1000, 900, 20)[..., :1]
    back = np.asarray(open_jpeg(jpeg_codec.write_jpeg(grey, 92)))
    assert back.shape == (1000, 900) and np.abs(back.astype(int) - grey[..., 0]).mean() < 3


def test_bands_are_short_enough_for_a_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg_codec, "LONGEST_INTERVAL", 64)  # a wide picture: more units than a marker counts
    pixels = make_picture(640, 512, 60)
    back = np.asarray(open_jpeg(jpeg_codec.write_jpeg(pixels, 92)))
    assert back.shape == pixels.shape and np.abs(back.astype(int) - pixels).mean() < 6


@pytest.mark.parametrize(("scale", "fine"), [(1, True), (16, False)])
def test_colours_are_halved_only_where_they_are_coarse(scale: int, fine: bool) -> None:
    """Coloured grain needs 4:4:4; the same grain enlarged does not."""
    grain = np.random.default_rng(1).integers(60, 196, (64, 64, 3), dtype=np.uint8)
    picture = Image.fromarray(grain).resize((64 * scale, 64 * scale), Image.Resampling.BICUBIC)
    pixels = np.asarray(picture)
    assert jpeg_codec.has_fine_colour(pixels) is fine
    layers = open_jpeg(jpeg_codec.write_jpeg(pixels, 92)).layer  # (id, horizontal, vertical, table)
    assert layers[0][1:3] == ((1, 1) if fine else (2, 2))
