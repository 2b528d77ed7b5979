"""An endless, seeded stream of batches: processes write scenes ahead, the device renders them."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor

import torch

from .marcher import join_records, render
from .panoramas import load_panoramas
from .truth import Worlds
from .worlds.records import Records, write_records
from .worlds.scenes import make_scene

SUPERSAMPLING = 2
SEEDS_APART = 10**9  # worlds between two streams
AHEAD = 3  # batches a process writes before they are asked for


def write_batch(first: int, count: int) -> list[Records]:
    """The records of the worlds with the seeds first..first + count - 1."""
    return [write_records(make_scene(seed)) for seed in range(first, first + count)]


class WorldStream:
    """Batches of worlds in an order that the seed alone decides; the picture's shape changes from batch to batch."""

    def __init__(
        self,
        batch: int,
        shapes: Sequence[tuple[int, int]],
        seed: int,
        device: torch.device,
        workers: int,
        uses: int = 1,
    ) -> None:
        self._uses, self._round = uses, 0
        self._held: dict[int, Worlds] = {}  # by shape, until their last use
        self._batch, self._shapes, self._device = batch, list(shapes), device
        self._next_seed, self._drawn = seed * SEEDS_APART, 0
        self._panoramas = load_panoramas(device).permute(0, 2, 3, 1).contiguous()
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(workers, mp_context=context) if workers else None
        self._ahead: deque[Future[list[Records]]] = deque()
        self._wanted = max(1, workers) * AHEAD

    def draw(self) -> Worlds:
        """The next batch at twice the picture's size.

        With more than one use, a batch of every shape comes again before new ones are rendered, to be filmed and asked
        about anew.
        """
        shapes = len(self._shapes)
        shape, use = self._round % shapes, self._round // shapes % self._uses
        if use == 0:
            self._held[shape] = self._render()
        self._round += 1
        return self._held.pop(shape) if use == self._uses - 1 else self._held[shape]

    def _render(self) -> Worlds:
        height, width = self._shapes[self._drawn % len(self._shapes)]
        self._drawn += 1
        batch = join_records(self._take())
        return render(batch, height * SUPERSAMPLING, width * SUPERSAMPLING, self._panoramas, self._device)

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _take(self) -> list[Records]:
        if self._pool is None:
            records = write_batch(self._next_seed, self._batch)
            self._next_seed += self._batch
            return records
        while len(self._ahead) < self._wanted:
            self._ahead.append(self._pool.submit(write_batch, self._next_seed, self._batch))
            self._next_seed += self._batch
        return self._ahead.popleft().result()
