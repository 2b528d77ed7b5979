"""Questions whose answers are whole shapes: what several stills show, a prop of a cut-out, splats through a camera.

They come back in the model's own axes and units; each Ask here turns them into ours once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import BadAnswer
from ..project.geometry import Material, Mesh, Splats, place_splats
from ..project.space import Camera, turn_into_ours
from ..project.still import F32, F64, U8, Mask, Still
from .roles import Arrays, Params, RawDepth, Reply, pack_camera

SHARPEST = 1e-9  # a splat's least standard deviation in metres


@dataclass(frozen=True, eq=False)
class SeeViews:
    """What one still or several stills of a place show: depth, lens and pose of each, and splats if asked for."""

    stills: Sequence[Still]
    focal_px: float | None = None
    splats: bool = False
    role: ClassVar[str] = "scene"
    op: ClassVar[str] = "see"

    @property
    def still(self) -> Still:
        """The first still, in whose camera everything is told."""
        return self.stills[0]

    def arrays(self) -> Arrays:
        return {f"still.{k}": still.pixels for k, still in enumerate(self.stills) if k}

    def params(self) -> Params:
        ids = [still.id for still in self.stills]
        return {"focal_px": self.focal_px, "splats": self.splats, "stills": ids}

    def read(self, reply: Reply) -> SeenViews:
        count = len(self.stills)
        turn = turn_into_ours(reply.axes())
        poses = reply.array("poses", "f8", count, 4, 4)
        _require_poses(poses)
        back = np.linalg.inv(poses[0])
        focals = reply.values.get("focals_px")
        if not isinstance(focals, list) or len(focals) != count:
            raise BadAnswer("The model's answer lacks {name}.", name="focals_px")
        views = []
        for k in range(count):
            depth = reply.array(f"depth.{k}", "f4", None, None)
            if not depth.size or depth.min() <= 0:
                raise BadAnswer("The scene model answered with distances that are not positive.")
            sound = reply.array(f"sound.{k}", "u1", *depth.shape)
            focal = Reply({"focal_px": focals[k]}, {}).number("focal_px", 1e-3, 1e7)
            raw = RawDepth(depth, None, bool(reply.values.get("metric", False)))
            views.append(SeenView(raw, sound, focal, turn @ back @ poses[k] @ turn.T))
        splats = _read_splats(reply, "splats.", turn @ back) if "splats.means" in reply.arrays else None
        return SeenViews(tuple(views), bool(reply.values.get("metric", False)), splats)


@dataclass(frozen=True, eq=False)
class SeenView:
    """One still as a model has seen it.

    depth RawDepth over the whole still; sound u8[h, w], 255 where it holds; focal_px in pixels of the still; pose
    f64[4, 4] from its camera to the first still's, both in our camera axes, in the model's unit.
    """

    depth: RawDepth
    sound: U8
    focal_px: float
    pose: F64


@dataclass(frozen=True, eq=False)
class SeenViews:
    """All of them; `metric`: the unit is the metre. Splats lie in the first still's camera axes (ours)."""

    views: tuple[SeenView, ...]
    metric: bool
    splats: Splats | None


@dataclass(frozen=True, eq=False)
class GenerateProp:
    """A cut-out to a whole thing in the model's own cube, turned Y up with its front towards +Z."""

    still: Still
    mask: Mask
    foreground: U8
    role: ClassVar[str] = "prop"
    op: ClassVar[str] = "generate"

    def arrays(self) -> Arrays:
        return {"foreground": self.foreground, "alpha": self.mask.alpha}

    def params(self) -> Params:
        return {}

    def read(self, reply: Reply) -> GeneratedProp:
        form, pose = str(reply.values.get("form")), None
        turn = turn_into_ours(reply.axes())
        if form not in ("mesh", "splats"):
            raise BadAnswer("The prop came back in a form that nobody knows: {form}.", form=form)
        shape = _read_splats(reply, "", turn) if form == "splats" else _read_mesh(reply, turn)
        if "pose" in reply.arrays:
            pose = turn_into_ours(str(reply.values.get("pose_axes"))) @ reply.array("pose", "f8", 4, 4)
            if not 1e-9 < float(np.linalg.det(pose[:3, :3])) < 1e9:
                raise BadAnswer("The model's poses are not those of cameras.")
        return GeneratedProp(shape, pose)


@dataclass(frozen=True, eq=False)
class GeneratedProp:
    """A prop in its own unit, Y up, front towards +Z; `pose` f64[4, 4] takes it to the camera (our axes), if told."""

    shape: Mesh | Splats
    pose: F64 | None


@dataclass(frozen=True, eq=False)
class RenderSplats:
    """Splats in the world through a camera. `send` is False for a worker that has these splats already."""

    splats: Splats
    splats_id: str
    camera: Camera
    background: tuple[int, int, int] = (0, 0, 0)
    send: bool = True
    role: ClassVar[str] = "rasteriser"
    op: ClassVar[str] = "splats"
    still: ClassVar[None] = None

    def arrays(self) -> Arrays:
        names = ("means", "rotations", "scales", "opacity", "sh")
        return {name: getattr(self.splats, name) for name in names} if self.send else {}

    def params(self) -> Params:
        camera = pack_camera(self.camera)
        return {"splats_id": self.splats_id, "camera": camera, "background": list(self.background)}

    def read(self, reply: Reply) -> SplatPicture:
        shape = self.camera.height, self.camera.width
        rgb = reply.array("rgb", "f4", *shape, 3)
        return SplatPicture(rgb, reply.array("alpha", "f4", *shape), reply.array("depth", "f4", *shape))


@dataclass(frozen=True, eq=False)
class SplatPicture:
    """rgb f32[H, W, 3] over the background and alpha f32[H, W], both 0 to 1; depth f32[H, W] in metres, 0 = nothing."""

    rgb: F32
    alpha: F32
    depth: F32


def _require_poses(poses: NDArray[np.float64]) -> None:
    for pose in poses:
        turn = pose[:3, :3]
        if not np.allclose(turn @ turn.T, np.eye(3), atol=1e-3) or np.linalg.det(turn) < 0:
            raise BadAnswer("The model's poses are not those of cameras.")


def _read_mesh(reply: Reply, turn: F64) -> Mesh:
    faces = reply.array("faces", "u4", None, 3)
    points = reply.array("positions", "f4", None, 3)
    if not len(faces):
        raise BadAnswer("The prop came back without a single triangle.")
    if int(faces.max()) >= len(points):
        raise BadAnswer("The model's mesh {name} names vertices that do not exist.", name="prop")
    textured = "texture" in reply.arrays
    return Mesh(
        positions=(points.astype(np.float64) @ turn[:3, :3].T + turn[:3, 3]).astype(np.float32),
        faces=faces,
        uvs=reply.array("uvs", "f4", len(points), 2) if textured else None,
        colors=reply.array("colors", "u1", len(points), 3) if "colors" in reply.arrays else None,
        observed=np.zeros(len(points), dtype=np.uint8),
        material=Material(reply.array("texture", "u1", None, None, 3)) if textured else None,
    )


def _read_splats(reply: Reply, prefix: str, transform: F64) -> Splats:
    means = reply.array(f"{prefix}means", "f4", None, 3)
    n = len(means)
    scales = reply.array(f"{prefix}scales", "f4", n, 3)
    opacity = reply.array(f"{prefix}opacity", "f4", n)
    rotations = reply.array(f"{prefix}rotations", "f4", n, 4)
    sh = reply.array(f"{prefix}sh", "f4", n, None, 3)
    unit = np.abs(np.linalg.norm(rotations, axis=1) - 1) < 1e-3
    if not n or not unit.all() or scales.min() < 0 or opacity.min() < 0 or opacity.max() > 1:
        raise BadAnswer("The model's splats are none: sizes, turns or opacities are out of range.")
    if sh.shape[1] not in (1, 4, 9, 16):
        raise BadAnswer("The model's splats are none: sizes, turns or opacities are out of range.")
    whole = Splats(means, np.maximum(scales, np.float32(SHARPEST)), rotations, opacity, sh)
    return place_splats(whole, transform)
