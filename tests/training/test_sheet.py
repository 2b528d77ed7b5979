"""A contact sheet shows what was asked for, one row of cells for each kind of truth."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from support.rectangle_worlds import CUP, make_worlds

from training import sheet


def test_a_sheet_has_its_cells(tmp_path):
    out = tmp_path / "sheet.png"
    words = "--seed 4 --count 3 --columns 5 --size 24 32 --show picture things --out"
    sheet.main([*words.split(), str(out)])
    pixels = np.asarray(Image.open(out))
    assert pixels.shape == (24, 4 * 32, 3)  # two pairs; the third has no row of its own
    for cell in np.split(pixels, 4, axis=1):
        assert cell.std() > 5


@pytest.mark.parametrize("wanted", sheet.SHOWN)
def test_every_kind_of_truth_can_be_drawn(wanted):
    worlds = make_worlds(16, 24)
    drawn = sheet.draw_truth(worlds, wanted, torch.zeros(2, 3, 16, 24))
    assert drawn.shape == (2, 3, 16, 24)
    assert drawn.min() >= 0 and drawn.max() <= 1
    cup = (worlds.instance == CUP)[0, ::2, ::2]
    rest = drawn[0][:, ~cup].unique(dim=1)
    if wanted in ("things", "far", "behind"):
        assert not (drawn[0][:, cup][:, :1] == drawn[0][:, :1, 0]).all()
    assert wanted == "picture" or rest.shape[1] > 1
