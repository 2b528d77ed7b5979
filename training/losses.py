"""What the network is taught by: masks over three levels, honest scores, geometry and an honest camera."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .net import CAMERA
from .truth import SKY, SKY_M, THINGS, Worlds

FAR_M = 100.0  # farther depths are not taught
AREA_FLOOR = 0.03  # of the picture: targets smaller than this do not weigh more per pixel
OWN_LEVEL, ALL_CANDIDATES = 0.4, 0.1  # weight of all three masks beside the best: at a first click; later
OTHER = 0.05  # of the larger of two masks: differing by more, they are two masks
SCORE = 0.4
FAR_MOST, BEHIND_MOST = 1.5, 2.0  # logarithms of ratios
ON_STUFF = 0.1  # weight of far and behind where there is no thing
SIGMA = (-5.0, 1.5)  # of log standard deviations
WEIGHTS = {"depth": 0.5, "normal": 0.3, "sky": 0.15, "far": 0.25, "behind": 0.2, "camera": 0.1}


@dataclass(frozen=True)
class Geometry:
    """The truth at the geometry head's stride of 2: one sample of the 4 x 4 per pixel, so that edges stay sharp.

    depth, far, behind f32[B, h, w] as in Worlds; normal f32[B, 3, h, w]; ids u8[B, h, w]; camera f32[B, 4]
    """

    depth: Tensor
    far: Tensor
    behind: Tensor
    normal: Tensor
    ids: Tensor
    camera: Tensor

    def to_tuple(self) -> tuple[Tensor, ...]:
        """As lose_on_geometry takes them."""
        return self.depth, self.far, self.behind, self.normal, self.ids, self.camera


def sample_geometry(worlds: Worlds, row: int, column: int) -> Geometry:
    """The samples at `row` and `column` (1 or 2) of each 4 x 4."""

    def pick(x: Tensor) -> Tensor:
        return x[..., row::4, column::4].contiguous()

    return Geometry(
        pick(worlds.depth),
        pick(worlds.far),
        pick(worlds.behind),
        pick(worlds.normal),
        pick(worlds.instance),
        worlds.camera,
    )


def measure_ious(logits: Tensor, truth: Tensor) -> Tensor:
    """IoU of the candidates [N, 3, h, w], cut at 0, with the share that is wanted [N, h, w], as f32[N, 3]."""
    cut, wanted = (logits > 0).float(), truth[:, None]
    shared = (cut * wanted).sum((2, 3))
    return shared / (cut.sum((2, 3)) + wanted.sum((2, 3)) - shared + 1e-3)


def compare_masks(logits: Tensor, truth: Tensor) -> Tensor:
    """Focal cross-entropy, per area of what is wanted, plus dice, for [N, 3, h, w] against the same, as f32[N, 3]."""
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    inside = logits.sigmoid()
    area = truth.sum((2, 3))
    floor = AREA_FLOOR * truth.shape[2] * truth.shape[3]
    focal = (entropy * (inside - truth).abs()).sum((2, 3)) / (area + floor)
    dice = 1 - (2 * (inside * truth).sum((2, 3)) + 1) / (inside.sum((2, 3)) + area + 1)
    return focal + dice


def lose_on_first(
    logits: Tensor, scores: Tensor, wanted: Tensor, levels: Tensor, free: Tensor
) -> tuple[Tensor, Tensor]:
    """The loss of the first candidates and of the logits of their scores, and their IoU f32[N, 3].

    The best candidate learns what is wanted [N, h, w]. Where `free` bool[N], one click alone was given: every candidate
    learns its own level of `levels` [N, 3, h, w] too, firmly where that is another mask than the wanted one: where a
    thing has no parts, three equal candidates would be two guesses wasted. Elsewhere all learn what is wanted.
    """
    logits, scores = logits.float(), scores.float()
    to_wanted = compare_masks(logits, wanted[:, None].expand_as(logits))
    to_levels = compare_masks(logits, levels)
    best = to_wanted.amin(1)
    asked = wanted[:, None]
    apart = (levels - asked).abs().sum((2, 3)) / torch.maximum(levels, asked).sum((2, 3)).clamp(min=1)
    own = torch.where(apart > OTHER, OWN_LEVEL, ALL_CANDIDATES)
    loss = torch.where(free, best + (own * to_levels).mean(1), best + ALL_CANDIDATES * to_wanted.mean(1))
    ious = measure_ious(logits.detach(), wanted)
    return loss.mean() + SCORE * functional.binary_cross_entropy_with_logits(scores, ious), ious


def lose_on_later(logits: Tensor, scores: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """As lose_on_first, where all candidates learn what is wanted."""
    logits, scores = logits.float(), scores.float()
    to_wanted = compare_masks(logits, wanted[:, None].expand_as(logits))
    loss = to_wanted.amin(1) + ALL_CANDIDATES * to_wanted.mean(1)
    ious = measure_ious(logits.detach(), wanted)
    return loss.mean() + SCORE * functional.binary_cross_entropy_with_logits(scores, ious), ious


def average(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of values where weighted; 0 where nothing weighs."""
    return (values * weight).sum() / (weight.sum() + 1.0)


def lose_on_depth(error: Tensor, known: Tensor) -> Tensor:
    """Of errors of ln depth f32[B, h, w]: absolute after each picture's median, a little as they are, and edges."""
    thin = torch.where(known[:, ::4, ::4], error.detach()[:, ::4, ::4], torch.nan)
    shift = thin.flatten(1).nanmedian(1).values.nan_to_num(0.0).view(-1, 1, 1)
    weight = known.float()
    loss = average((error - shift).abs().clamp(max=4), weight) + 0.15 * average(error.abs().clamp(max=4), weight)
    for step in (1, 2, 4, 8):
        for axis in (1, 2):
            size = error.shape[axis] - step
            across = error.narrow(axis, step, size) - error.narrow(axis, 0, size)
            both = weight.narrow(axis, step, size) * weight.narrow(axis, 0, size)
            loss = loss + 0.125 * average(across.abs().clamp(max=4), both)
    return loss


def lose_on_camera(answer: Tensor, truth: Tensor) -> Tensor:
    """Negative log-likelihood of a Laplace distribution, of the answered standard deviations."""
    sigma = answer[:, CAMERA:].clamp(*SIGMA)
    error = (answer[:, :CAMERA] - truth).abs()
    return (math.sqrt(2) * error * torch.exp(-sigma) + sigma).mean()


def lose_on_geometry(
    geo: Tensor,
    cam: Tensor,
    depth: Tensor,
    far: Tensor,
    behind: Tensor,
    normal: Tensor,
    ids: Tensor,
    camera: Tensor,
) -> Tensor:
    """Losses f32[6] of depth, normals, sky, far side, what is behind, camera, as WEIGHTS names them."""
    geo, cam = geo.float(), cam.float()
    sky = ids == SKY
    known = ~sky & (depth < FAR_M)
    things = ((ids > SKY) & (ids <= THINGS)).float()
    weight = known.float() * (things + ON_STUFF * (1 - things))
    log_depth = depth.clamp(min=0.05).log()
    normals = 1 - functional.cosine_similarity(geo[:, 1:4], normal, dim=1)
    far_error = geo[:, 5] - (far.clamp(min=0.05).log() - log_depth).clamp(0, FAR_MOST)
    behind_error = geo[:, 6] - (behind.clamp(min=0.05).log() - log_depth).clamp(0, BEHIND_MOST)
    return torch.stack(
        [
            lose_on_depth(geo[:, 0] - log_depth, known),
            average(normals, known.float()),
            functional.binary_cross_entropy_with_logits(geo[:, 4], sky.float()),
            average(far_error.abs(), weight),
            average(behind_error.abs(), weight * (behind < 0.99 * SKY_M)),
            lose_on_camera(cam, camera),
        ]
    )
