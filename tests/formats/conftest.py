"""A small project with everything in it, and a run whose codec answers in this process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stillto3d.engine.run import Run
from stillto3d.models.roles import Reply
from stillto3d.project.geometry import Material, Mesh
from stillto3d.project.project import Layer, LayerKind, Project, Recipe, Shot, Take
from stillto3d.project.space import Camera, Origin, aim_camera, translate
from stillto3d.project.still import Depth, Mask, Still, hash_array
from stillto3d.worker.adapters.builtin import codecs, rasterise
from stillto3d.worker.frames import split_reply


@pytest.fixture
def run() -> Run:
    """A run whose codec and rasteriser answer in this process."""
    ops = codecs.load(None, "cpu") | rasterise.load(None, "cpu")

    def answer(ask: Any) -> Any:
        values, arrays = split_reply(ops[ask.op](ask.arrays(), ask.params(), lambda i, n: None))
        return ask.read(Reply(values, arrays))

    return Run.nothing(answer)


def make_set(width: int, height: int, texture: np.ndarray) -> Mesh:
    """A wavy sheet of width x height points in front of the camera."""
    x, y = np.meshgrid(np.linspace(-2, 2, width), np.linspace(0, 2, height))
    z = -4 + 0.3 * np.sin(3 * x)
    corner = (np.arange(height - 1)[:, None] * width + np.arange(width - 1)).reshape(-1)
    faces = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + width], 1),
            np.stack([corner + 1, corner + width + 1, corner + width], 1),
        ]
    )
    return Mesh(
        positions=np.stack([x, y, z], -1).reshape(-1, 3).astype(np.float32),
        faces=faces.astype(np.uint32),
        uvs=np.stack([x / 4 + 0.5, 1 - y / 2], -1).reshape(-1, 2).astype(np.float32),
        observed=(np.arange(width * height) % 3 > 0).astype(np.uint8),
        material=Material(texture),
    )


def make_box(texture: np.ndarray) -> Mesh:
    """A closed unit box that stands on its pivot, with a seam at each edge."""
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=np.float32)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], dtype=np.uint32)
    square = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], dtype=np.float32)
    uvs = np.stack([square[list(t)] for _ in quads for t in ((0, 1, 2), (0, 2, 3))])
    return Mesh(
        positions=corners - np.float32([0.5, 0, 0.5]),
        faces=faces,
        corner_uvs=uvs,
        observed=np.array([1, 1, 1, 1, 0, 0, 0, 0], dtype=np.uint8),
        material=Material(texture),
    )


def make_project(width: int = 64, height: int = 48, grid: int = 12, seed: int = 0) -> Project:
    """A still with alpha and source, plate, camera, depths, a set, and props, one with an earlier take."""
    rng = np.random.default_rng(seed)
    ramp = np.add.outer(np.arange(height), np.arange(width))[..., None] * (1, 2, 3)
    pixels = (ramp + rng.integers(0, 24, (height, width, 3))).astype(np.uint8)
    plate = (pixels // 2).astype(np.uint8)
    source = pixels.astype(np.float16) / np.float16(3)
    still = Still(pixels, "küche 厨房", hash_array(source), pixels[..., 0], source, "lin_rec709", 80.5)
    camera = Camera(
        width, height, 70.0, 71.0, width / 2 + 1.5, height / 2 - 2, aim_camera(-0.2, 0.05, 1.6), 24.9,
        origin={
            "focal": Origin("exif", 1.0), "rotation": Origin("network", 0.4), "height": Origin("prior", 0.1),
        },
        locked=True,
    )  # fmt: skip
    metres = np.linspace(1, 5, height * width // 4, dtype=np.float32).reshape(height // 2, width // 2)
    depth = Depth(metres, still.id, (metres > 4.9).astype(np.uint8))
    recipe = Recipe(
        "prop", {"seed": 3, "clicks": [[1.5, 2, True]], "known": None},
        ({"id": "stillnet-depth", "version": "1", "licence": "Apache-2.0", "commercial": True},), 3, 0.25,
    )  # fmt: skip
    lens = {"id": "lens", "version": "1", "licence": "Apache-2.0", "commercial": True}
    solved_by = Recipe("calibrate", {"focal_mm": 35.0}, (lens,), 0, 0.5)
    shot = Shot(still, plate, camera, depth, Depth(metres + 1, still.id), (metres > 3).astype(np.uint8), solved_by)
    box = make_box(pixels[: height // 2, : width // 2])
    turned = translate((0.5, 0, -3)) @ np.array([[0, 0, 1.5, 0], [0, 1.5, 0, 0], [-1.5, 0, 0, 0], [0, 0, 0, 1]])
    layers = (
        Layer("a1", "set", LayerKind.SCENE, geometry=make_set(grid, grid, plate), made_by=recipe),
        Layer(
            "b2", "prop_01", LayerKind.PROP, {still.id: Mask(pixels[..., 1], still.id)}, box, turned,
            made_by=recipe, takes=(Take(make_box(plate), np.eye(4), None),),
        ),
        Layer("c3", "Stuhl/椅子", LayerKind.PROP, geometry=box, transform=translate((-1, 0, -3))),
        Layer("d4", "hidden", LayerKind.PROP, geometry=box, visible=False, locked=True),
    )  # fmt: skip
    return Project((shot,), layers, 1.0)


@pytest.fixture
def project() -> Project:
    """The small project."""
    return make_project()
