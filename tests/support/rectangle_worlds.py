"""Worlds of rectangles: a wall, a ground, a table of two parts, and a cup of two parts that stands on it."""

from __future__ import annotations

import torch

from training.truth import GROUND, SKY_M, WALL, Worlds

TABLE, CUP, ALONE = 1, 2, 3
TOP, LEG, BODY, HANDLE, WHOLE = 1, 2, 3, 4, 5


def make_worlds(height=64, width=96, batch=2, seed=0):
    """Pictures of height x width pixels, the ids at twice that; each world brightens its things at random."""
    generator = torch.Generator().manual_seed(seed)
    h, w = 2 * height, 2 * width
    part = torch.full((batch, h, w), WALL, dtype=torch.uint8)
    part[:, : h // 8] = 0
    part[:, 3 * h // 4 :] = GROUND
    part[:, h // 2 : 5 * h // 8, w // 8 : w // 2] = TOP
    part[:, 5 * h // 8 : 7 * h // 8, w // 4 : w // 3] = LEG
    part[:, h // 3 : h // 2, w // 6 : w // 4] = BODY
    part[:, h // 3 : 3 * h // 8, w // 4 : w // 4 + w // 12] = HANDLE
    part[:, h // 4 : 7 * h // 8, 5 * w // 8 : 7 * w // 8] = WHOLE
    owner = torch.arange(256, dtype=torch.uint8)
    owner[[TOP, LEG, BODY, HANDLE, WHOLE]] = torch.tensor([TABLE, TABLE, CUP, CUP, ALONE], dtype=torch.uint8)
    instance = owner[part.long()]
    standing = torch.eye(64, dtype=torch.bool).expand(batch, -1, -1).clone()
    standing[:, TABLE, CUP] = True
    colours = torch.rand(256, 3, generator=generator)
    radiance = colours[part.long()].permute(0, 3, 1, 2).contiguous()
    depth = torch.where(part == 0, SKY_M, 2.0 + (instance.float() % 5))
    things = (instance > 0) & (instance < 64)
    normal = torch.zeros(batch, 3, h, w)
    normal[:, 2] = -(part != 0).float()
    camera = torch.tensor([-0.1, 0.02, 0.0, 0.4]).expand(batch, -1).clone()
    far, behind = depth + 0.3 * things, depth + 2.0 * things
    return Worlds(radiance, radiance.clone(), instance, part, depth, far, behind, normal, standing, camera)


def develop_plainly(worlds, generator):
    """The light itself as a picture."""
    return torch.nn.functional.avg_pool2d(worlds.radiance, 2)


class FakeStream:
    """The same few worlds again and again."""

    def __init__(self, seed=0, shapes=((64, 96), (96, 64))):
        self.shapes, self.seed, self.count = shapes, seed, 0

    def draw(self):
        """The next batch."""
        self.count += 1
        return make_worlds(*self.shapes[self.count % len(self.shapes)], seed=self.seed + self.count % 2)

    def close(self):
        """Nothing to end."""
