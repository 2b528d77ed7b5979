"""What a batch of worlds holds: light as it falls on a sensor, and the exact truth of every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SKY_M = 1000.0
"""The depth of the sky, metres."""

SKY = 0
"""The id of the sky in `instance` and `part`."""
THINGS = 63
"""Things have the ids 1..63 in `instance`."""
PARTS = 239
"""Parts of things have the ids 1..239 in `part`, unique in the scene."""
CEILING, WALL, GROUND = 251, 252, 253
"""The ids of stuff, in `instance` and in `part`."""


@dataclass(frozen=True, eq=False)
class Worlds:
    """A batch of B worlds, all tensors on one device; H, W = twice the network's picture (2 x 2 samples a pixel).

    radiance f32[B, 3, H, W]  linear RGB; 1 = diffuse white in key light, unbounded above
    albedo   f32[B, 3, H, W]  linear RGB 0..1
    instance u8[B, H, W]      SKY, 1..THINGS, or one of CEILING, WALL, GROUND
    part     u8[B, H, W]      SKY, 1..PARTS, or stuff as in `instance`
    depth    f32[B, H, W]     metres along the camera's axis; SKY_M for sky
    far      f32[B, H, W]     depth where the ray leaves the same thing for the last time; = depth for stuff and sky
    behind   f32[B, H, W]     depth of what is seen with this thing taken away, SKY_M for sky; = depth for stuff and sky
    normal   f32[B, 3, H, W]  unit, camera axes (x right, y down, z forward); 0 for sky
    standing bool[B, 64, 64]  [b, i, j]: thing j is in the group of thing i: i itself and all that stands or hangs on it
    camera   f32[B, 4]        pitch, roll (radians; negative pitch looks down, positive roll: picture turned clockwise),
                              ln(focal px / long side px), ln(camera height m)

    Down in camera axes is (-cos p sin r, cos p cos r, -sin p).
    """

    radiance: Tensor
    albedo: Tensor
    instance: Tensor
    part: Tensor
    depth: Tensor
    far: Tensor
    behind: Tensor
    normal: Tensor
    standing: Tensor
    camera: Tensor

    def flip(self) -> Worlds:
        """The same worlds in a mirror, left for right: the roll and the normals' x change sign."""
        normal = self.normal.flip(-1)
        pitch, roll, rest = self.camera.split([1, 1, 2], dim=1)
        return Worlds(
            radiance=self.radiance.flip(-1),
            albedo=self.albedo.flip(-1),
            instance=self.instance.flip(-1),
            part=self.part.flip(-1),
            depth=self.depth.flip(-1),
            far=self.far.flip(-1),
            behind=self.behind.flip(-1),
            normal=torch.cat([-normal[:, :1], normal[:, 1:]], dim=1),
            standing=self.standing,
            camera=torch.cat([pitch, -roll, rest], dim=1),
        )
