"""What is asked of the network: targets chosen in worlds, and the clicks, boxes and earlier masks of an artist.

Everything runs on the worlds' device without waiting for it. N = pictures x targets; a cell is 4 x 4 pixels of the
network's picture, and 8 x 8 samples of the worlds' ids; masks of truth have the decoder's stride of 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from .truth import PARTS, SKY, THINGS, Worlds

IDS = 256
NOWHERE = 255  # an id that no sample has
PART, OBJECT, GROUP = 0, 1, 2
PART_SHARE, GROUP_SHARE = 0.15, 0.14  # of the targets; the rest are objects
STUFF_WEIGHT = 0.07
LEAST, MOST, MOST_STUFF = 0.0025, 0.65, 0.9  # of the picture that a target covers
BY_AREA = 0.4  # a thing is chosen by its share of the picture to this power: artists want what is large
LEAST_PART = 0.0015
FAR_SQUARED = 1e6  # cells, where there is no click
INSIDE, BORDER = 0.35, 0.07  # of first clicks: anywhere inside, near the border; the rest are deep inside
BOXED, BOX_JITTER, BOX_EARLIER = 0.25, 0.06, 0.15
SCRIBBLED, STROKES = 0.10, 4
BINARY = 0.7  # of earlier masks are cut, as the product does
BEST_FIRST, BEST_LATER = 0.7, 0.3  # of earlier masks are the truly best candidate, and not the one that scores best

Compiled = Callable[..., Tensor]


@dataclass(frozen=True)
class Targets:
    """N masks that are wanted.

    wanted f32[N, h/2, w/2]    share of each pixel of the decoder's that is wanted
    levels f32[N, 3, h/2, w/2] part, object and group under the first click; one of them is what is wanted
    level  i64[N]              which
    click  f32[N, 2]           the first click, x, y in cells, inside what is wanted
    """

    wanted: Tensor
    levels: Tensor
    level: Tensor
    click: Tensor


@dataclass(frozen=True)
class Hints:
    """What the artist has said so far, each [N, 1, h/4, w/4]: squared distances to clicks, earlier mask, box."""

    positive: Tensor
    negative: Tensor
    earlier: Tensor
    box: Tensor

    def to_maps(self) -> Tensor:
        """The decoder's maps f32[N, 8, h/4, w/4]."""
        maps = []
        for squared in (self.positive, self.negative):
            maps += [torch.exp(-squared / 4.5), (1 - torch.log1p(squared) / 8).clamp(0, 1)]
        for inside in (self.earlier, self.box):
            maps += [inside, (inside.amax((2, 3), keepdim=True) > 0).float().expand_as(inside)]
        return torch.cat(maps, 1)


def make_hints(count: int, height: int, width: int, device: torch.device | str) -> Hints:
    """Nothing said yet, on a grid of height x width cells."""
    blank = torch.zeros(count, 1, height, width, device=device)
    return Hints(blank + FAR_SQUARED, blank + FAR_SQUARED, blank, blank)


def measure_squares(points: Tensor, height: int, width: int) -> Tensor:
    """Squared distances, in cells, of every cell's centre to points [N, 2] (x, y), as f32[N, 1, h, w]."""
    y = torch.arange(height, device=points.device).view(1, height, 1) + 0.5 - points[:, 1].view(-1, 1, 1)
    x = torch.arange(width, device=points.device).view(1, 1, width) + 0.5 - points[:, 0].view(-1, 1, 1)
    return (y * y + x * x)[:, None]


def add_clicks(hints: Hints, points: Tensor, positive: Tensor, negative: Tensor) -> Hints:
    """One more click per target at points [N, 2], where positive or negative (bool[N]) says so."""
    squares = measure_squares(points, *hints.box.shape[2:])

    def nearest(before: Tensor, wanted: Tensor) -> Tensor:
        return torch.where(wanted.view(-1, 1, 1, 1), torch.minimum(before, squares), before)

    return replace(hints, positive=nearest(hints.positive, positive), negative=nearest(hints.negative, negative))


def measure_depth_inside(mask: Tensor) -> Tensor:
    """How deep inside a mask f32[N, 1, h, w] each cell lies: boxes of several sizes, large ones at a quarter size."""
    quarter = functional.avg_pool2d(mask, 4, ceil_mode=True)
    wide = sum(functional.avg_pool2d(quarter, k, 1, k // 2) for k in (3, 5, 9, 15))
    wide = functional.interpolate(wide, size=mask.shape[2:], mode="bilinear", align_corners=False)
    return functional.avg_pool2d(mask, 5, 1, 2) + wide


def cut_hard(share: Tensor) -> Tensor:
    """Cells of f32[N, 1, h, w] that are more than half inside; the fullest where none is."""
    return ((share > 0.5) | ((share >= share.amax((2, 3), keepdim=True)) & (share > 0))).float()


def find_cell(weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The cell of the greatest weight in f32[N, 1, h, w]: column i64[N], row i64[N], the weight f32[N]."""
    value, index = weight.flatten(1).max(1)
    width = weight.shape[3]
    return index % width, index // width, value


def draw_by_weight(weight: Tensor, generator: torch.Generator) -> Tensor:
    """An index along the last axis, with chances as the weights are; torch.multinomial would wait for the device."""
    chance = torch.rand(weight.shape, device=weight.device, generator=generator)
    return (weight / -torch.log(chance.clamp(1e-12, 1 - 1e-6))).argmax(-1)


def choose_things(worlds: Worlds, copies: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What is wanted: id i64[B, K], level i64[B, K], part i64[B, K] (NOWHERE unless a part is wanted),
    and which ids make the group bool[B, K, 256]."""
    ids, parts = (x[:, 1::4, 1::4].flatten(1).long() for x in (worlds.instance, worlds.part))
    device = ids.device
    blank = torch.zeros(ids.shape[0], IDS, device=device)
    one = torch.full_like(ids, 1 / ids.shape[1], dtype=torch.float32)
    share, part_share = blank.scatter_add(1, ids, one), blank.scatter_add(1, parts, one)
    owner = blank.long().scatter(1, parts, ids)  # a part belongs to one thing
    number = torch.arange(IDS, device=device)
    things = (number > SKY) & (number <= THINGS)
    weight = torch.where(things, (share > LEAST) & (share < MOST), (share > LEAST) & (share < MOST_STUFF)).float()
    weight = weight * share.pow(BY_AREA)
    weight = torch.where(things, weight, weight * STUFF_WEIGHT) + 1e-6 * (share > 0)
    chosen = draw_by_weight(weight[:, None].expand(-1, copies, -1), generator)
    itself = number == chosen[:, :, None]
    is_thing = things[chosen]
    row = chosen.clamp(max=THINGS)[:, :, None].expand(-1, -1, THINGS + 1)
    members = worlds.standing.gather(1, row) & is_thing[:, :, None]
    group = itself | functional.pad(members, (0, IDS - THINGS - 1))
    seen = group & (share > LEAST / 4)[:, None]
    has_group = is_thing & (seen.sum(2) > 1) & ((group * share[:, None]).sum(2) < MOST_STUFF)
    own = (owner[:, None] == chosen[:, :, None]) & (part_share > LEAST_PART)[:, None]
    own = own & ((number > 0) & (number <= PARTS)) & is_thing[:, :, None]
    has_part = own.any(2)
    part_weight = own * part_share[:, None].sqrt() + (number == NOWHERE) * 1e-9
    part = draw_by_weight(part_weight, generator)
    draw = torch.rand(chosen.shape, device=device, generator=generator)
    wants_part = (draw < PART_SHARE) & has_part & (part != NOWHERE)
    wants_group = (draw > 1 - GROUP_SHARE) & has_group
    level = torch.where(wants_part, PART, torch.where(wants_group, GROUP, OBJECT))
    return chosen, level, torch.where(wants_part, part, NOWHERE), group


def cover(ids: Tensor, table: Tensor) -> Tensor:
    """The share of each 4 x 4 samples u8[B, H, W] whose id is in table bool[B, K, 256], as f32[B, K, H/4, W/4]."""
    b, height, width = ids.shape
    picture = torch.arange(b, device=ids.device).view(b, 1, 1, 1)
    target = torch.arange(table.shape[1], device=ids.device).view(1, -1, 1, 1)
    inside = table[picture, target, ids[:, None].long()]
    blocks = inside.view(b, -1, height // 4, 4, width // 4, 4)
    return blocks.sum((3, 5), dtype=torch.float32) / 16


def cover_one(ids: Tensor, number: Tensor) -> Tensor:
    """The share of each 4 x 4 samples u8[B, H, W] whose id is number i64[B, K], as f32[B, K, H/4, W/4]."""
    b, height, width = ids.shape
    inside = ids[:, None] == number.to(torch.uint8)[:, :, None, None]
    blocks = inside.view(b, -1, height // 4, 4, width // 4, 4)
    return blocks.sum((3, 5), dtype=torch.float32) / 16


def choose_targets(
    worlds: Worlds,
    copies: int,
    generator: torch.Generator,
    cover: Compiled = cover,
    cover_one: Compiled = cover_one,
) -> Targets:
    """`copies` targets in each picture, with the first click on each."""
    chosen, level, part, group = choose_things(worlds, copies, generator)
    groups = cover(worlds.instance, group)
    objects = cover_one(worlds.instance, chosen)
    parts = cover_one(worlds.part, part)
    choice = level[:, :, None, None]
    wanted = torch.where(choice == PART, parts, torch.where(choice == GROUP, groups, objects))
    cells = cut_hard(functional.avg_pool2d(wanted.flatten(0, 1)[:, None], 2))
    column, row = find_first_cell(cells, generator)
    click, thing, piece = read_click(worlds, column, row, (chosen, level, part, group), generator)
    levels = torch.stack([cover_one(worlds.part, piece), cover_one(worlds.instance, thing), groups], 2)
    return Targets(wanted.flatten(0, 1), levels.flatten(0, 1), level.flatten(), click)


def find_first_cell(cells: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Column and row i64[N] of a cell of f32[N, 1, h, w]: deep inside, anywhere or near the border."""
    deep = measure_depth_inside(cells)
    noise = torch.rand(cells.shape, device=cells.device, generator=generator)
    kind = torch.rand(cells.shape[0], 1, 1, 1, device=cells.device, generator=generator)
    near = (1.2 - deep / deep.amax((2, 3), keepdim=True).clamp(min=1e-6)) * (1 + noise)
    weight = torch.where(kind < BORDER, near, torch.where(kind < BORDER + INSIDE, noise, deep * (1 + 0.3 * noise)))
    column, row, _ = find_cell(cells * (weight + 1e-3))
    return column, row


def read_click(
    worlds: Worlds,
    column: Tensor,
    row: Tensor,
    wanted: tuple[Tensor, Tensor, Tensor, Tensor],
    generator: torch.Generator,
) -> tuple[Tensor, Tensor, Tensor]:
    """A wanted sample in each cell i64[N]: its place f32[N, 2] in cells, its thing and its part i64[B, K]."""
    chosen, level, part, group = wanted
    b, copies = chosen.shape
    width = worlds.instance.shape[2]
    step = torch.arange(8, device=column.device)
    rows, columns = row[:, None] * 8 + step, column[:, None] * 8 + step
    index = (rows[:, :, None] * width + columns[:, None]).view(b, copies * 64)
    thing = worlds.instance.flatten(1).gather(1, index).view(b, copies, 64).long()
    piece = worlds.part.flatten(1).gather(1, index).view(b, copies, 64).long()
    in_group = group.gather(2, thing)
    choice = level[:, :, None]
    inside = torch.where(
        choice == PART, piece == part[:, :, None], torch.where(choice == GROUP, in_group, thing == chosen[:, :, None])
    )
    draw = torch.rand(inside.shape, device=inside.device, generator=generator)
    sample = (inside * (1 + draw)).argmax(2, keepdim=True)
    at = sample.flatten()
    place = torch.stack([column + (at % 8 + 0.5) / 8, row + (at // 8 + 0.5) / 8], 1)
    return place, thing.gather(2, sample)[:, :, 0], piece.gather(2, sample)[:, :, 0]


def find_box(wanted: Tensor, generator: torch.Generator) -> Tensor:
    """Cells f32[N, 1, h, w] whose centre lies in the box around wanted f32[N, 2h, 2w], each side moved a little."""
    hard = cut_hard(wanted[:, None])[:, 0]
    sides = []
    for axis in (2, 1):  # columns of all rows, then rows of all columns
        seen = hard.amax(3 - axis) > 0
        place = torch.arange(seen.shape[1], device=wanted.device)
        low = torch.where(seen, place, seen.shape[1]).amin(1)
        high = torch.where(seen, place + 1, 0).amax(1)
        sides.append(torch.stack([low, high], 1) / 2)
    box = torch.stack(sides, 1)  # [N, x y, low high] in cells
    move = (torch.rand(box.shape, device=box.device, generator=generator) * 2 - 1) * BOX_JITTER
    box = box + move * (box[:, :, 1:] - box[:, :, :1])
    centre = box.mean(2)
    height, width = wanted.shape[1] // 2, wanted.shape[2] // 2
    inside = []
    for axis, size in enumerate((width, height)):
        place = torch.arange(size, device=wanted.device) + 0.5
        within = (place >= box[:, axis, :1]) & (place <= box[:, axis, 1:])
        inside.append(within | ((place - centre[:, axis, None]).abs() <= 0.5))  # never empty
    return (inside[1][:, :, None] & inside[0][:, None])[:, None].float()


def begin(targets: Targets, generator: torch.Generator) -> tuple[Hints, Tensor]:
    """The first hints, and bool[N]: whether they are one click alone, so that any of the three levels may be meant."""
    count, device = targets.wanted.shape[0], targets.wanted.device
    cells = functional.avg_pool2d(targets.wanted[:, None], 2)
    height, width = cells.shape[2:]

    def chance(share: float) -> Tensor:
        return torch.rand(count, device=device, generator=generator) < share

    boxed, scribbled = chance(BOXED), chance(SCRIBBLED)
    scribbled = scribbled & ~boxed
    none = torch.zeros_like(boxed)
    hints = add_clicks(make_hints(count, height, width, device), targets.click, ~boxed, none)
    hard = cut_hard(cells)
    for _ in range(STROKES):
        column, row, _ = find_cell(hard * (torch.rand(hard.shape, device=device, generator=generator) + 1e-3))
        hints = add_clicks(hints, torch.stack([column, row], 1) + 0.5, scribbled, none)
    box = find_box(targets.wanted, generator) * boxed.view(-1, 1, 1, 1)
    which = torch.randint(0, 3, (count,), device=device, generator=generator)
    other = targets.levels[torch.arange(count, device=device), which]
    earlier = functional.avg_pool2d((other > 0.5).float()[:, None], 2) * (boxed & chance(BOX_EARLIER)).view(-1, 1, 1, 1)
    return replace(hints, box=box, earlier=earlier), ~boxed & ~scribbled


def go_on(
    hints: Hints,
    wanted: Tensor,
    logits: Tensor,
    scores: Tensor,
    ious: Tensor,
    first: bool,
    generator: torch.Generator,
) -> Hints:
    """The next click, on the largest error of the candidate that the artist took, which becomes the earlier mask."""
    count, device = wanted.shape[0], wanted.device

    def chance(share: float) -> Tensor:
        return torch.rand(count, device=device, generator=generator) < share

    taken = torch.where(chance(BEST_FIRST if first else BEST_LATER), ious.argmax(1), scores.argmax(1))
    logit = logits[torch.arange(count, device=device), taken][:, None].float()
    binary = functional.avg_pool2d((logit > 0).float(), 2)
    soft = functional.avg_pool2d(logit.sigmoid(), 2)
    hard = cut_hard(functional.avg_pool2d(wanted[:, None], 2))
    current = (binary > 0.5).float()
    careless = torch.where(chance(0.6), 0.3, 10.0).view(-1, 1, 1, 1)
    missing, surplus = hard * (1 - current), current * (1 - hard)
    deep_missing, deep_surplus = measure_depth_inside(missing) * missing, measure_depth_inside(surplus) * surplus
    most_missing, most_surplus = deep_missing.amax((1, 2, 3)), deep_surplus.amax((1, 2, 3))
    positive = (most_missing >= most_surplus) & (most_missing > 0)
    negative = ~positive & (most_surplus > 0)
    deep = torch.where(positive.view(-1, 1, 1, 1), deep_missing, deep_surplus)
    noise = torch.rand(deep.shape, device=device, generator=generator)
    column, row, _ = find_cell(deep * (1 + careless * noise))
    place = torch.stack([column, row], 1) + 0.1
    place = place + 0.8 * torch.rand(place.shape, device=device, generator=generator)
    earlier = torch.where(chance(BINARY).view(-1, 1, 1, 1), binary, soft)
    return replace(add_clicks(hints, place, positive, negative), earlier=earlier)
