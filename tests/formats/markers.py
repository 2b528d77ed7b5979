"""A scene of coloured markers, one at each end of each axis, before a known camera: flipped axes cannot hide in it."""

from __future__ import annotations

import numpy as np
import pytest

from stillto3d.project.geometry import Mesh, Points, Splats
from stillto3d.project.project import Layer, LayerKind, Project, Shot, make_layer
from stillto3d.project.space import Camera, aim_camera, translate
from stillto3d.project.still import Still, hash_array

ENDS = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (-1.5, 0, 0), (0, -0.5, 0), (0, 0, -2)], dtype=np.float64)
"""Where the markers stand, metres; no two ends of an axis are alike."""

COLORS = np.array(
    [(255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 0, 0), (0, 128, 0), (0, 0, 128)], dtype=np.uint8
)
NAMES = ("centre", "x", "y", "z", "minus_x", "minus_y", "minus_z")
PLACE = translate((0.3, 0.9, -4.0)) @ aim_camera(0.3, -0.2, 0.0)
"""How the markers stand in the world: moved and turned, so that nothing is symmetrical."""

SIZE = 0.02


def make_marker(color: np.ndarray) -> Mesh:
    """A small tetrahedron about its origin, the mean of whose vertices is the origin."""
    corners = np.array([(1, 1, 1), (-1, -1, 1), (-1, 1, -1), (1, -1, -1)], dtype=np.float32) * SIZE
    faces = np.array([(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)], dtype=np.uint32)
    return Mesh(corners, faces, colors=np.repeat(color[None], 4, axis=0), observed=np.array([1, 1, 0, 0], np.uint8))


def make_camera(centered: bool) -> Camera:
    """A lens of unlike focal lengths; its principal point the centre, or far off by odd fractions of a pixel."""
    cx, cy = (320.0, 180.0) if centered else (351.37, 141.82)
    place = translate((0.2, 0.0, 0.4)) @ aim_camera(-0.15, 0.08, 1.4)
    return Camera(640, 360, 700.0, 705.0, cx, cy, place)


def make_still() -> Still:
    """A grey ramp."""
    ramp = np.add.outer(np.arange(360), np.arange(640))[..., None] * (1, 1, 1) % 251
    pixels = ramp.astype(np.uint8)
    return Still(pixels, "markers", hash_array(pixels))


def locate_markers() -> np.ndarray:
    """Where the markers stand in the world, f64[7, 3]."""
    return ENDS @ PLACE[:3, :3].T + PLACE[:3, 3]


def make_meshes(centered: bool) -> Project:
    """A layer per marker, the turn in its transform."""
    layers = tuple(
        make_layer(name, LayerKind.PROP, geometry=make_marker(color), transform=PLACE @ translate(end))
        for name, color, end in zip(NAMES, COLORS, ENDS, strict=True)
    )
    return Project((Shot(make_still(), camera=make_camera(centered)),), layers)


def make_points(centered: bool) -> Project:
    """One set of seven points."""
    points = Points(ENDS.astype(np.float32), COLORS, np.array([1, 1, 1, 1, 0, 0, 0], np.uint8))
    layer = Layer("p", "points", LayerKind.SCENE, geometry=points, transform=PLACE)
    return Project((Shot(make_still(), camera=make_camera(centered)),), (layer,))


def make_splats(centered: bool, degree: int = 3) -> Project:
    """One set of seven long splats, each with its own turn and harmonics."""
    rng = np.random.default_rng(4)
    rotations = rng.normal(size=(7, 4)).astype(np.float32)
    rotations /= np.linalg.norm(rotations, axis=1, keepdims=True)
    sh = rng.normal(scale=0.2, size=(7, (degree + 1) ** 2, 3)).astype(np.float32)
    sh[:, 0] = (COLORS / 255 - 0.5) / 0.28209479177387814
    scales = np.float32([0.05, 0.02, 0.01]) * rng.uniform(0.5, 2, (7, 1)).astype(np.float32)
    opacity = rng.uniform(0.2, 0.95, 7).astype(np.float32)
    splats = Splats(ENDS.astype(np.float32), scales, rotations, opacity, sh, np.array([1, 1, 1, 1, 0, 0, 0], np.uint8))
    layer = Layer("s", "splats", LayerKind.SCENE, geometry=splats, transform=PLACE)
    return Project((Shot(make_still(), camera=make_camera(centered)),), (layer,))


def expect_pixels(centered: bool) -> np.ndarray:
    """Where the markers fall in the still, f64[7, 2]."""
    pixels, depth = make_camera(centered).project(locate_markers())
    assert (depth > 0).all()
    return pixels


def project_opengl(
    points: np.ndarray, world_from_camera: np.ndarray, fx: float, fy: float, cx: float, cy: float
) -> np.ndarray:
    """Pixels of world points by textbook means, apart from our Camera: looking along -Z, Y up."""
    camera = (np.linalg.inv(world_from_camera) @ np.c_[points, np.ones(len(points))].T).T
    return np.stack([cx - fx * camera[:, 0] / camera[:, 2], cy + fy * camera[:, 1] / camera[:, 2]], axis=1)


both_cameras = pytest.mark.parametrize("centered", [True, False], ids=["centred", "shifted"])
