"""One scene that can be asked of every role: a wall behind a floor, a thing on it, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from stillto3d.models.roles import (
    Ask,
    Calibrate,
    Click,
    DetectThings,
    EncodeImage,
    EstimateDepth,
    FillHoles,
    KnownLength,
    LiftForeground,
    MakeProp,
    MatchStill,
    MatteMask,
    Placement,
    PlaceProp,
    PrepareStill,
    RawDepth,
    ReconstructScene,
    RenderMeshes,
    Segment,
    UpscaleStill,
)
from stillto3d.project.geometry import Material, Mesh
from stillto3d.project.space import Camera, aim_camera
from stillto3d.project.still import Depth, Mask, Still, hash_array

HEIGHT_M, WALL_M, PITCH = 1.5, 6.0, -0.25


class Scene:
    """A picture of `width` x `height` pixels with everything that an earlier step would have found out."""

    def __init__(self, width: int, height: int, seed: int = 3) -> None:
        self.width, self.height = width, height
        rng = np.random.default_rng(seed)
        rows, columns = np.mgrid[0:height, 0:width]
        self.thing = self._draw_thing(rows, columns)
        pixels = np.stack([90 + rows % 64, 120 + columns % 96, 60 + (rows + columns) % 80], axis=-1)
        pixels = pixels + rng.integers(-12, 13, pixels.shape)
        self.plate = pixels.clip(0, 255).astype(np.uint8)
        pixels = np.where(self.thing[..., None] > 0, pixels // 3 + (120, 10, 10), pixels)
        pixels = pixels.clip(0, 255).astype(np.uint8)
        self.still = Still(pixels, "scene", hash_array(pixels))
        self.mask = Mask(self.thing, self.still.id)
        focal = 0.9 * max(width, height)
        pose = aim_camera(PITCH, 0.0, HEIGHT_M)
        self.camera = Camera(width, height, focal, focal, width / 2, height / 2, pose)

    def _draw_thing(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        across = (columns + 0.5 - self.width * 0.5) / (self.width * 0.2)
        down = (rows + 0.5 - self.height * 0.62) / (self.height * 0.25)
        thing = np.where(across**2 + down**2 <= 1, np.uint8(255), np.uint8(0))
        return thing if thing.any() else np.full_like(thing, 255)

    @cached_property
    def metres(self) -> np.ndarray:
        """Depth f32[h, w] of floor and wall on a grid of a quarter of the still."""
        h, w = max(1, self.height // 4), max(1, self.width // 4)
        x = ((np.arange(w) + 0.5) * self.width / w - self.camera.cx) / self.camera.fx
        y = ((np.arange(h) + 0.5) * self.height / h - self.camera.cy) / self.camera.fy
        fall = np.cos(PITCH) * y[:, None] - np.sin(PITCH) + 0 * x
        depth = np.where(fall > 1e-3, HEIGHT_M / np.maximum(fall, 1e-3), WALL_M)
        return np.minimum(depth, WALL_M).astype(np.float32)

    @cached_property
    def raw_depth(self) -> RawDepth:
        """The same as a depth model words it."""
        normals = np.zeros((*self.metres.shape, 3), np.float32)
        normals[...] = np.where((self.metres < WALL_M)[..., None], (0, -np.cos(PITCH), np.sin(PITCH)), (0, 0, -1))
        return RawDepth(self.metres, normals, False)

    @property
    def depth(self) -> Depth:
        """The same as the set has agreed on it."""
        return Depth(self.metres, self.still.id)

    @cached_property
    def mesh(self) -> Mesh:
        """A textured card in the world, two metres before the camera."""
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
        pixels = corners * (self.width, self.height)
        positions = self.camera.unproject(pixels, np.full(4, 2.0)).astype(np.float32)
        faces = np.array([[0, 3, 2], [0, 2, 1]], np.uint32)
        observed = np.ones(4, np.uint8)
        material = Material(self.still.pixels)
        return Mesh(positions=positions, faces=faces, uvs=corners, observed=observed, material=material)


def ask_segmenter(scene: Scene) -> Iterator[Ask[Any]]:
    middle = Click(scene.width / 2, scene.height * 0.62)
    yield PrepareStill(scene.still)
    yield Segment(scene.still, (middle,))
    yield Segment(scene.still, (middle, Click(0.5, 0.5, False)), earlier=scene.mask)
    yield Segment(scene.still, box=(0.0, 0.0, scene.width, scene.height))


def ask_detector(scene: Scene) -> Iterator[Ask[Any]]:
    yield DetectThings(scene.still, ("cat", "dog"))


def ask_matter(scene: Scene) -> Iterator[Ask[Any]]:
    yield MatteMask(scene.still, scene.mask)
    yield MatteMask(scene.still, scene.mask, hair=True)
    yield LiftForeground(scene.still, scene.mask)


def ask_calibrator(scene: Scene) -> Iterator[Ask[Any]]:
    yield Calibrate(scene.still)
    yield Calibrate(scene.still, focal_px=scene.camera.fx)


def ask_depth(scene: Scene) -> Iterator[Ask[Any]]:
    yield EstimateDepth(scene.still)


def ask_inpainter(scene: Scene) -> Iterator[Ask[Any]]:
    yield FillHoles(scene.still, scene.thing, preview=True)
    yield FillHoles(scene.still, scene.thing)


def ask_upscaler(scene: Scene) -> Iterator[Ask[Any]]:
    yield UpscaleStill(scene.still)


def ask_scene(scene: Scene) -> Iterator[Ask[Any]]:
    known = KnownLength((0, scene.height), (scene.width, scene.height), 1.2)
    for length in (None, known):
        yield ReconstructScene(
            scene.still, scene.plate, scene.thing, scene.raw_depth, scene.raw_depth, scene.camera, 3, length
        )


def ask_prop(scene: Scene) -> Iterator[Ask[Any]]:
    floor = (scene.metres < WALL_M).astype(np.uint8) * 255
    yield PlaceProp(scene.still, scene.mask, scene.depth, scene.depth, floor, scene.camera)
    placement = Placement(3.0, "floor")
    yield MakeProp(
        scene.still, scene.mask, scene.still.pixels, scene.depth, scene.depth, scene.camera, placement, 1.0, 24
    )


def ask_rasteriser(scene: Scene) -> Iterator[Ask[Any]]:
    yield RenderMeshes([scene.mesh], scene.camera, wants=("color", "depth", "ids"))
    yield MatchStill(scene.still, [scene.mesh], [scene.mesh], [scene.mask], scene.camera, ["thing"])


def ask_codec(scene: Scene) -> Iterator[Ask[Any]]:
    yield EncodeImage(scene.still.pixels, "png")
    yield EncodeImage(scene.still.pixels, "jpeg")


QUESTIONS: dict[str, Callable[[Scene], Iterator[Ask[Any]]]] = {
    "codec": ask_codec,
    "segmenter": ask_segmenter,
    "detector": ask_detector,
    "matter": ask_matter,
    "calibrator": ask_calibrator,
    "depth": ask_depth,
    "inpainter": ask_inpainter,
    "scene": ask_scene,
    "upscaler": ask_upscaler,
    "prop": ask_prop,
    "rasteriser": ask_rasteriser,
}
