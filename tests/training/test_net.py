"""The network's shapes, sizes, coordinates, and what is shared between clicks."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest
import torch
from torch.nn import functional

from training.net import StillNet, make_coordinates, repeat


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return StillNet().eval()


def test_fits_its_size(net):
    assert sum(p.numel() for p in net.parameters()) <= 12_000_000


def test_answers_the_contract(net):
    with torch.no_grad():
        s2, p4, p8, p16, geo, cam = net.encoder(torch.rand(2, 3, 64, 96))
        mask, score = net.decoder((s2, p4, p8, p16), torch.rand(2, 8, 16, 24))
    assert [tuple(x.shape[2:]) for x in (s2, p4, p8, p16)] == [(32, 48), (16, 24), (8, 12), (4, 6)]
    assert geo.shape == (2, 7, 32, 48)
    assert cam.shape == (2, 8)
    assert (geo[:, 5:] >= 0).all()
    assert mask.shape == (2, 3, 32, 48)
    assert score.shape == (2, 3)
    assert ((score >= 0) & (score <= 1)).all()


def test_answers_many_clicks_on_a_picture_as_it_answers_each(net):
    maps = torch.rand(6, 8, 16, 16)
    with torch.no_grad():
        features = net.encoder(torch.rand(2, 3, 64, 64))[:4]
        together, _ = net.decoder.answer(features[1], net.decoder.project(features), maps, 3)
        alone, _ = net.decoder(tuple(x[1:] for x in features), maps[4:5])
    assert torch.allclose(together[4:5], alone, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(32, 64), (64, 32)])
def test_coordinates_span_the_long_side(height, width):
    down, right = make_coordinates(torch.rand(1, 3, height, width))[0]
    assert down[0, 0].item() == pytest.approx(-(height - 1) / 64)
    assert right[0, -1].item() == pytest.approx((width - 1) / 64)
    assert down[-1, 0].item() == pytest.approx(-down[0, 0].item())


def test_repeats_pictures_in_a_row():
    x = torch.rand(2, 3, 4, 4)
    assert torch.equal(repeat(x, 2), x.repeat_interleave(2, 0))


FUSED = """
import torch
from torch.nn import functional
from training.fused import enlarge, norm_relu
torch.manual_seed(0)
for shape, has_skip in (((2, 32, 9, 13), True), ((2, 96, 6, 5), False)):
    x = torch.randn(shape, requires_grad=True)
    skip = torch.randn(shape, requires_grad=True)
    weight, bias = torch.randn(shape[1], requires_grad=True), torch.randn(shape[1], requires_grad=True)
    inputs = [x, weight, bias] + [skip] * has_skip
    mine = norm_relu(x, weight, bias, skip if has_skip else None)
    plain = functional.group_norm(x, shape[1] // 16, weight, bias)
    plain = functional.relu(plain + skip if has_skip else plain)
    back = torch.randn(shape)
    assert torch.allclose(mine, plain, atol=1e-5)
    for a, b in zip(torch.autograd.grad(mine, inputs, back), torch.autograd.grad(plain, inputs, back)):
        assert torch.allclose(a, b, atol=1e-4)
x = torch.randn(2, 48, 5, 3, requires_grad=True)
mine, plain = enlarge(x), functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
back = torch.randn(mine.shape)
assert torch.equal(mine, plain)
for a, b in zip(torch.autograd.grad(mine, x, back), torch.autograd.grad(plain, x, back)):
    assert torch.allclose(a, b, atol=1e-4)
"""


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="no Triton")
def test_fused_steps_are_the_plain_ones():
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run([sys.executable, "-c", FUSED], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_plain_norm_adds_before_it_rectifies(net):
    norm = net.encoder.stage4[1].second.norm
    x, skip = torch.randn(1, 64, 4, 4), torch.randn(1, 64, 4, 4)
    wanted = functional.relu(functional.group_norm(x, 4) + skip)
    assert torch.allclose(norm(x, skip), wanted, atol=1e-5)
