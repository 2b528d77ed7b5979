"""Truth is read as it was written."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from measure.foreign import read_foreign
from measure.truth import find_down, read_samples

from .scenes import FAR, NEAR, PITCH, SQUARE, write_sample


def test_a_sample_reads_back(tmp_path):
    write_sample(tmp_path / "square")
    (truth,) = read_samples(tmp_path)
    assert truth.name == "square"
    assert truth.depth[80, 120] == pytest.approx(NEAR, rel=1e-3)
    assert truth.depth[10, 10] == pytest.approx(FAR, rel=1e-3)
    assert truth.depth[0, 0] == 0 and truth.sky[0, 0] and truth.sky.sum() == 1
    assert truth.instances[0].mask.sum() == (SQUARE[2] - SQUARE[0]) * (SQUARE[3] - SQUARE[1])
    assert truth.aside_m == pytest.approx(0.05 * FAR)
    assert truth.down == pytest.approx([0, np.cos(PITCH), -np.sin(PITCH)])


def test_down_follows_pitch_and_roll():
    assert find_down(-np.pi / 2, 0.0) == pytest.approx([0, 0, 1])  # looking at one's feet
    assert find_down(0.0, np.pi / 2) == pytest.approx([-1, 0, 0])  # turned clockwise, the floor is left


def write_still(folder, size=(8, 6)):
    folder.mkdir()
    Image.new("RGB", size).save(folder / "rgb.png")
    return folder


def test_instance_numbers_over_three_channels(tmp_path):
    folder = write_still(tmp_path / "wide")
    ids = np.zeros((6, 8, 3), np.uint8)
    ids[:2, :, 1] = 1  # 256
    ids[4:, :, 0] = 7
    Image.fromarray(ids).save(folder / "seg.png")
    (truth,) = read_foreign(tmp_path)
    assert {instance.id: int(instance.mask.sum()) for instance in truth.instances} == {7: 16, 256: 16}


def test_palette_masks_count_by_index(tmp_path):
    folder = write_still(tmp_path / "palette")
    indices = np.repeat([[0, 0, 1, 1, 1, 2, 2, 2]], 6, axis=0).astype(np.uint8)
    image = Image.frombytes("P", (8, 6), indices.tobytes())
    image.putpalette([9, 9, 9] * 256)
    image.save(folder / "mask.png")
    (truth,) = read_foreign(tmp_path)
    assert [int(instance.mask.sum()) for instance in truth.instances] == [18, 18]


def test_masks_of_another_size_are_left_out(tmp_path):
    folder = write_still(tmp_path / "other")
    Image.fromarray(np.ones((3, 4), np.uint8)).save(folder / "seg.png")
    assert not list(read_foreign(tmp_path))


def test_disparity_becomes_metres_and_unknown_stays_unknown(tmp_path):
    folder = write_still(tmp_path / "stereo")
    disparity = np.full((6, 8), 20.0, np.float32)
    disparity[0] = np.inf
    np.savez(folder / "disp.npz", disparity)
    (truth,) = read_foreign(tmp_path)
    assert (truth.depth[0] == 0).all()
    assert truth.depth[3, 3] == pytest.approx(0.193001 * 994.978 / 51.086, rel=1e-5)
    assert truth.focal_px == pytest.approx(994.978)


def test_a_reconstruction_gives_gravity_and_focal_length(tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    Image.new("RGB", (8, 6)).save(folder / "a.jpg")
    shot = {"camera": "c", "rotation": [np.pi / 2, 0, 0]}  # Z up becomes the camera's -y
    cameras = {"c": {"focal": 0.9, "width": 8, "height": 6}}
    told = [{"cameras": cameras, "shots": {"a.jpg": shot, "gone.jpg": shot}}]
    (folder / "reconstruction.json").write_text(json.dumps(told))
    (truth,) = read_foreign(tmp_path)
    assert truth.focal_px == pytest.approx(7.2)
    assert truth.down == pytest.approx([0, 1, 0], abs=1e-12)


def test_depth_and_recorded_down_are_read_as_they_are(tmp_path):
    folder = write_still(tmp_path / "lidar")
    metres = np.full((6, 8), 3.0, np.float32)
    metres[0], metres[1] = 0, 500  # unknown, and farther than a sensor knows
    np.savez(folder / "depth.npz", depth=metres)
    np.save(folder / "intrinsics.npy", np.array([[7.0, 0, 4], [0, 7, 3], [0, 0, 1]]))
    np.save(folder / "down.npy", np.array([0, 2.0, 0]))
    (truth,) = read_foreign(tmp_path)
    assert (truth.depth[:2] == 0).all() and (truth.depth[2:] == 3).all()
    assert truth.focal_px == 7 and truth.centre_px == (4, 3)
    assert truth.down == pytest.approx([0, 1, 0])


def test_down_comes_from_the_floor_where_none_was_recorded(tmp_path):
    folder = write_still(tmp_path / "yard", size=(64, 48))
    rows = (np.arange(48) + 0.5 - 24) / 60
    metres = np.where(rows > 0.05, 1.5 / np.maximum(rows, 0.05), 0).astype(np.float32)
    np.savez(folder / "depth.npz", depth=np.repeat(metres[:, None], 64, axis=1))
    np.save(folder / "intrinsics.npy", np.array([[60.0, 0, 32], [0, 60, 24], [0, 0, 1]]))
    (truth,) = read_foreign(tmp_path)
    assert truth.down == pytest.approx([0, 1, 0], abs=1e-3)
