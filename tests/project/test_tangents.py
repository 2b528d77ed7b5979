"""Tangents run along the texture, square to the normals; mirrored uvs turn their sign."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stillto3d.project.geometry import Mesh
from stillto3d.project.tangents import find_normals, find_tangents


def make_card(mirrored: bool = False) -> Mesh:
    """A card that faces +Z, its picture upright: u runs along +X, v (which runs down) along -Y."""
    positions = np.array([[0, 0, 0], [2, 0, 0], [2, 1, 0], [0, 1, 0]], np.float32)
    uvs = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)
    if mirrored:
        uvs[:, 0] = 1 - uvs[:, 0]
    return Mesh(positions, np.array([[0, 1, 2], [0, 2, 3]], np.uint32), uvs=uvs)


def test_a_card_has_the_pictures_axes() -> None:
    for mirrored in (False, True):
        card = make_card(mirrored)
        normals = find_normals(card)
        np.testing.assert_allclose(normals, np.tile((0, 0, 1), (4, 1)), atol=1e-7)
        tangents = find_tangents(card, normals)
        np.testing.assert_allclose(tangents, np.tile((-1, 0, 0, -1) if mirrored else (1, 0, 0, 1), (4, 1)), atol=1e-7)
        up = np.cross(normals, tangents[:, :3]) * tangents[:, 3:]
        np.testing.assert_allclose(up, np.tile((0, 1, 0), (4, 1)), atol=1e-7)


def test_tangents_are_unit_and_square_whatever_the_mesh() -> None:
    rng = np.random.default_rng(5)
    positions = rng.standard_normal((50, 3), np.float32)
    faces = rng.integers(0, 50, (80, 3)).astype(np.uint32)
    mesh = Mesh(positions, faces, uvs=rng.random((50, 2), np.float32))
    for shown in (mesh, replace(mesh, uvs=np.zeros((50, 2), np.float32)), replace(mesh, faces=faces[:0])):
        normals = find_normals(shown)
        tangents = find_tangents(shown, normals)
        np.testing.assert_allclose(np.linalg.norm(tangents[:, :3], axis=1), 1, atol=1e-5)
        np.testing.assert_allclose((tangents[:, :3] * normals).sum(axis=1), 0, atol=1e-5)
        assert (np.abs(tangents[:, 3]) == 1).all()
