"""All weights of a network in one vector, so that the optimiser, the average and the exchange are one step each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

ALIGN = 64  # numbers; every weight begins at a multiple
BETAS = 0.9, 0.98
EPSILON = 1e-8
DECAY = 0.03
CLIP = 1.0
AVERAGE = 0.9985  # of the average is kept at each step


@dataclass(frozen=True)
class Slot:
    """Where a weight lies in the vector."""

    name: str
    offset: int
    shape: tuple[int, ...]

    def view(self, vector: Tensor) -> Tensor:
        """The weight itself; kernels lie channels last."""
        part = vector[self.offset : self.offset + math.prod(self.shape)]
        if len(self.shape) != 4:
            return part.view(self.shape)
        outputs, inputs, height, width = self.shape
        return part.view(outputs, height, width, inputs).permute(0, 3, 1, 2)


def lay_out(net: nn.Module) -> tuple[list[Slot], int, int]:
    """Slots of all weights, those that decay first; the length of those; the whole length."""
    named = list(net.named_parameters())
    decaying = [(name, p) for name, p in named if p.ndim > 1]
    others = [(name, p) for name, p in named if p.ndim <= 1]
    slots, end, boundary = [], 0, 0
    for index, (name, p) in enumerate(decaying + others):
        slots.append(Slot(name, end, tuple(p.shape)))
        end += -(-p.numel() // ALIGN) * ALIGN
        if index + 1 == len(decaying):
            boundary = end
    return slots, boundary, end


def unpack(slots: Sequence[Slot], vector: Tensor) -> dict[str, Tensor]:
    """A state dictionary out of a vector."""
    return {slot.name: slot.view(vector).contiguous() for slot in slots}


class FlatNet:
    """A network whose weights and gradients are views of two vectors, with AdamW's moments and a running average."""

    def __init__(self, net: nn.Module) -> None:
        self.net = net
        self.slots, self.boundary, size = lay_out(net)
        device = next(net.parameters()).device
        self.values = torch.zeros(size, device=device)
        self.grads = torch.zeros_like(self.values)
        parameters = dict(net.named_parameters())
        for slot in self.slots:
            parameter = parameters[slot.name]
            slot.view(self.values).copy_(parameter.data)
            parameter.data = slot.view(self.values)
            parameter.grad = slot.view(self.grads)
        self.average = self.values.clone()
        self.first = torch.zeros_like(self.values)
        self.second = torch.zeros_like(self.values)
        self.steps = 0

    @torch.no_grad()
    def step(self, rate: float) -> Tensor:
        """One step of AdamW (Loshchilov and Hutter 2019) on clipped gradients; left out where they are not finite.

        Returns the gradients' norm before clipping, f32[].
        """
        self.steps += 1
        norm = self.grads.norm()
        finite = norm.isfinite()
        sure = finite.float()
        gradient = torch.where(finite, self.grads * (CLIP / norm).clamp(max=1.0), 0.0)
        self.first.lerp_(gradient, (1 - BETAS[0]) * sure)
        self.second.lerp_(gradient.square_(), (1 - BETAS[1]) * sure)
        root = (self.second / (1 - BETAS[1] ** self.steps)).sqrt_().add_(EPSILON)
        self.values[: self.boundary] *= 1 - rate * DECAY * sure
        self.values -= (self.first / root) * (rate / (1 - BETAS[0] ** self.steps) * sure)
        self.grads.zero_()
        return norm

    @torch.no_grad()
    def follow(self, every: int) -> None:
        """Move the average towards the weights, called once in `every` steps; quickly at first."""
        keep = min(AVERAGE, 1 - 1 / (self.steps / 8 + 2)) ** every
        self.average.lerp_(self.values, 1 - keep)
