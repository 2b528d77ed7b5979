"""One step's lesson: pictures and truth in, losses out; clicks follow on the network's own errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .clicks import Hints, Targets, begin, choose_targets, cover, cover_one, go_on
from .losses import WEIGHTS, Geometry, lose_on_first, lose_on_geometry, lose_on_later, measure_ious
from .net import StillNet
from .truth import Worlds

FIGURES = ("masks", "later", *WEIGHTS, "one_click", "best_of_three", "score_bias", "last_round")
COMPILING = ("none", "light", "full")  # nothing; targets and losses; the network too


class Lesson:
    """The network with all that it is taught by; what is compiled has static shapes, one graph per picture shape."""

    def __init__(self, net: StillNet, copies: int, generator: torch.Generator, compiling: str = "none") -> None:
        self.net, self.copies, self.generator = net, copies, generator
        self.device = generator.device
        self.weights = torch.tensor(list(WEIGHTS.values()), device=self.device)
        if compiling != "none":
            torch._dynamo.config.recompile_limit = 64

        def prepare(function: Callable[..., Any], level: str) -> Callable[..., Any]:
            wanted = COMPILING.index(compiling) >= COMPILING.index(level)
            return torch.compile(function, dynamic=False) if wanted else function

        self.cover, self.cover_one = prepare(cover, "light"), prepare(cover_one, "light")
        self.lose_on_first, self.lose_on_later = prepare(lose_on_first, "light"), prepare(lose_on_later, "light")
        self.lose_on_geometry = prepare(lose_on_geometry, "light")
        self.measure_ious = prepare(measure_ious, "light")
        self.encode, self.answer = prepare(self._encode, "full"), prepare(self._answer, "full")

    def choose(self, worlds: Worlds) -> Targets:
        """Targets in a batch of worlds."""
        with torch.no_grad():
            return choose_targets(worlds, self.copies, self.generator, self.cover, self.cover_one)

    def teach(self, pictures: Tensor, targets: Targets, geometry: Geometry, rounds: int) -> tuple[Tensor, Tensor]:
        """The loss of pictures f32[B, 3, h, w], to go backward from, and FIGURES f32[...] of it."""
        precise = self.device.type != "cuda"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=not precise):
            p4, f2, f4, f8, f16, geo, cam = self.encode(pictures.contiguous(memory_format=torch.channels_last))
            projected = f2, f4, f8, f16
            with torch.no_grad():
                hints, free = begin(targets, self.generator)
            logits, scores = self.answer(p4, *projected, hints.to_maps())
        truth = targets.wanted
        first, ious = self.lose_on_first(logits, scores, truth, targets.levels, free)
        figures = measure_first(scores, ious, free)
        later = torch.zeros_like(first)
        for number in range(1, rounds):
            last = number == rounds - 1
            with torch.autocast(self.device.type, torch.bfloat16, enabled=not precise):
                hints = self._follow(hints, truth, logits, scores, ious, number == 1)
                with torch.set_grad_enabled(last):
                    logits, scores = self.answer(p4, *projected, hints.to_maps())
            if last:
                later, ious = self.lose_on_later(logits, scores, truth)
            else:
                ious = self.measure_ious(logits, truth)
        losses = self.lose_on_geometry(geo, cam, *geometry.to_tuple())
        loss = first + later + (self.weights * losses).sum()
        taken = ious.gather(1, scores.detach().argmax(1, keepdim=True)).mean()
        return loss, torch.cat([torch.stack([first, later]), losses, figures, taken[None]]).detach()

    @torch.no_grad()
    def _follow(self, hints: Hints, truth: Tensor, logits: Tensor, scores: Tensor, ious: Tensor, first: bool) -> Hints:
        return go_on(hints, truth, logits.detach(), scores.detach(), ious, first, self.generator)

    def _encode(self, pictures: Tensor) -> tuple[Tensor, ...]:
        s2, p4, p8, p16, geo, cam = self.net.encoder(pictures)
        return p4, *self.net.decoder.project((s2, p4, p8, p16)), geo, cam

    def _answer(
        self, p4: Tensor, f2: Tensor, f4: Tensor, f8: Tensor, f16: Tensor, maps: Tensor
    ) -> tuple[Tensor, Tensor]:
        logits, scores = self.net.decoder.answer(p4, (f2, f4, f8, f16), maps, self.copies)
        return logits.contiguous(), scores  # as masks of truth lie


def measure_first(scores: Tensor, ious: Tensor, free: Tensor) -> Tensor:
    """Of the first answers to one click alone: the IoU of the best score, the best IoU, how much scores boast."""
    scores, weight = scores.detach().float().sigmoid(), free.float()
    chosen = ious.gather(1, scores.argmax(1, keepdim=True))[:, 0]
    boast = (scores - ious).mean(1)
    figures = torch.stack([chosen, ious.amax(1), boast])
    return (figures * weight).sum(1) / weight.sum().clamp(min=1)
