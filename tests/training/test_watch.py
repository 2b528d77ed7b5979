"""Stills that are watched: how they are kept, and the protocol on all masks at once."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from training.net import StillNet
from training.watch import KEYS, StillWatch, WatchedNetwork, measure_depth, read_watch_folder

MASKS = np.zeros((2, 60, 90), bool)
MASKS[0, 10:40, 20:50] = True
MASKS[1, 30:55, 60:85] = True


@pytest.fixture
def folder(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.jpg"), pixels)
    np.savez(
        tmp_path / "a.npz",
        masks=np.packbits(MASKS, axis=-1),
        shape=np.array(MASKS.shape),
        depth=np.full((60, 90), 2.0, np.float32),
        focal_px=80.0,
    )
    cv2.imwrite(str(tmp_path / "b.jpg"), pixels)
    np.savez(tmp_path / "b.npz", masks=np.packbits(MASKS[:1], axis=-1), shape=np.array((1, 60, 90)))
    return tmp_path


def test_reads_the_folder(folder):
    one, two = read_watch_folder(folder)
    assert (one.masks == MASKS).all()
    assert one.focal_px == 80.0
    assert one.depth.shape == (60, 90)
    assert two.depth is None
    assert two.pixels.shape == (60, 90, 3)


def test_counts_all_masks_and_depths(folder, monkeypatch):
    monkeypatch.setattr("training.watch.LONG_SIDE", 96)
    torch.manual_seed(0)
    found = StillWatch(folder, torch.device("cpu"))(StillNet().eval())
    assert set(found) == {*KEYS, *(f"{key}#" for key in KEYS)}
    assert found["one_click#"] == found["box#"] == found["clicks_5#"] == 3
    assert found["depth_abs_rel#"] == 1
    assert found["best_of_three"] >= found["one_click"]
    assert np.isfinite(list(found.values())).all()
    assert StillWatch(folder, torch.device("cpu"), 1, 2).stills[0].name == "b"


def test_a_depth_that_is_right_but_for_its_scale_has_no_error():
    torch.manual_seed(0)
    network = WatchedNetwork(StillNet().eval(), np.zeros((60, 90, 3), np.uint8), torch.device("cpu"))
    truth = (3 * network.find_depth()).numpy()
    assert measure_depth(network, truth) == pytest.approx(0, abs=1e-5)
