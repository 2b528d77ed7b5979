"""Batches come in an order that the seed alone decides, in the shapes asked for, each as often as told."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from training.marcher import join_records, render
from training.panoramas import load_panoramas
from training.stream import SEEDS_APART, WorldStream, write_batch

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")
SHAPES = [(16, 24), (24, 16)]


def open_stream(seed=1, workers=0, uses=1, shapes=SHAPES):
    return WorldStream(2, shapes, seed, CPU, workers, uses)


def draw_depths(stream, count):
    depths = [stream.draw().depth for _ in range(count)]
    stream.close()
    return depths


def test_worlds_are_those_of_the_seeds_in_order():
    panoramas = load_panoramas(CPU).permute(0, 2, 3, 1).contiguous()
    for number, depth in enumerate(draw_depths(open_stream(), 3)):
        records = join_records(write_batch(SEEDS_APART + 2 * number, 2))
        assert torch.equal(depth, render(records, *depth.shape[1:], panoramas, CPU).depth)


def test_shapes_take_turns_at_twice_their_size():
    assert [tuple(depth.shape) for depth in draw_depths(open_stream(), 3)] == [(2, 32, 48), (2, 48, 32), (2, 32, 48)]


HELPED = f"""
import hashlib, torch
from training.stream import WorldStream
stream = WorldStream(2, {SHAPES}, 1, torch.device("cpu"), workers=1)
for _ in range(2):
    print(hashlib.sha256(stream.draw().depth.numpy().tobytes()).hexdigest())
stream.close()
"""


def test_processes_change_nothing():
    done = subprocess.run([sys.executable, "-c", HELPED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    alone = [hashlib.sha256(depth.numpy().tobytes()).hexdigest() for depth in draw_depths(open_stream(), 2)]
    assert done.stdout.split() == alone


def test_another_seed_is_another_stream():
    [one], [other] = draw_depths(open_stream(1), 1), draw_depths(open_stream(2), 1)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("shapes", [SHAPES, SHAPES[:1]])
def test_a_batch_of_every_shape_is_used_again_before_new_ones(shapes):
    stream, n = open_stream(uses=2, shapes=shapes), len(shapes)
    drawn = [stream.draw() for _ in range(4 * n)]
    fresh = draw_depths(open_stream(shapes=shapes), 2 * n)
    for number, worlds in enumerate(drawn):
        assert worlds is drawn[number - n] or number // n % 2 == 0
        assert torch.equal(worlds.depth, fresh[number // (2 * n) * n + number % n])
