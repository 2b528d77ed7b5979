"""Random numbers for a batch, drawn where the batch lies, and never waited for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Dice:
    """Draws from one generator, on the generator's device; the host never waits for a value."""

    generator: torch.Generator

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """f32[shape], even in low..high."""
        spread = torch.rand(shape, generator=self.generator, device=self.generator.device)
        return spread.mul_(high - low).add_(low)

    def log_uniform(self, *shape: int, low: float, high: float) -> Tensor:
        """f32[shape] whose logarithm is even in ln low..ln high."""
        return self.uniform(*shape, low=math.log(low), high=math.log(high)).exp_()

    def normal(self, *shape: int, spread: float = 1.0) -> Tensor:
        """f32[shape] around 0."""
        return torch.randn(shape, generator=self.generator, device=self.generator.device).mul_(spread)

    def happens(self, count: int, share: float) -> Tensor:
        """f32[count, 1, 1, 1] of ones with the probability `share`, else zeros."""
        return (self.uniform(count, 1, 1, 1) < share).float()

    def pick(self, count: int, *shares: float) -> list[tuple[Tensor, Tensor]]:
        """For each share, (index i64[n], on f32[n, 1, 1, 1]): the pictures of a batch that an effect touches.

        Each of `count` pictures is touched with exactly that probability: n is the share of the batch rounded up, and
        `on` is 0 for those that the rounding added. Shares given together touch different pictures (as far as the batch
        is large enough to have them).
        """
        order = self.uniform(count).argsort()
        picks, start = [], 0
        for share in shares:
            size = min(math.ceil(share * count - 1e-9), count)
            places = (torch.arange(start, start + size, device=order.device)) % count
            picks.append((order[places], self.happens(size, share * count / max(size, 1))))
            start += size
        return picks
