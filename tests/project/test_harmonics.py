"""Harmonics: a turned colour looks the same from the turned side; scipy has them too, up to order and sign."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

from stillto3d.project.geometry import Splats, place_splats
from stillto3d.project.harmonics import evaluate_harmonics, find_harmonic_turn, turn_harmonics


def make_directions(n: int) -> np.ndarray:
    directions = np.random.default_rng(3).normal(size=(n, 3))
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def test_they_are_the_real_harmonics_of_scipy() -> None:
    directions = make_directions(20)
    theta = np.arccos(directions[:, 2])
    phi = np.arctan2(directions[:, 1], directions[:, 0])
    ours = evaluate_harmonics(directions, 3)
    for degree in range(4):
        for k, order in enumerate(range(-degree, degree + 1)):
            complex_value = sph_harm_y(degree, abs(order), theta, phi)
            real = complex_value.real if order >= 0 else complex_value.imag
            value = real * (1 if order == 0 else np.sqrt(2))
            # ours carry Condon and Shortley's phase, as the reference renderer does
            np.testing.assert_allclose(ours[:, degree * degree + k], value, atol=1e-12)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_a_turn_moves_what_is_seen(degree: int) -> None:
    turn = Rotation.from_euler("xyz", (0.3, -1.1, 2.0)).as_matrix()
    sh = np.random.default_rng(0).normal(size=(5, (degree + 1) ** 2, 3)).astype(np.float32)
    directions = make_directions(40)
    before = np.einsum("dk,nkc->ndc", evaluate_harmonics(directions, degree), sh)
    after = np.einsum("dk,nkc->ndc", evaluate_harmonics(directions @ turn.T, degree), turn_harmonics(sh, turn))
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_a_half_turn_about_x_only_changes_signs() -> None:
    matrix = find_harmonic_turn(np.diag([1.0, -1, -1]), 3)
    signs = [1, -1, -1, 1, -1, 1, 1, -1, 1, -1, 1, -1, -1, 1, -1, 1]
    np.testing.assert_allclose(matrix, np.diag(signs), atol=1e-12)


@pytest.mark.parametrize("kind", ["turned", "mirrored", "sheared"])
def test_placed_splats_have_the_covariance_that_algebra_says(kind: str) -> None:
    rng = np.random.default_rng(5)
    quaternions = rng.normal(size=(6, 4)).astype(np.float32)
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    sh = rng.normal(size=(6, 16, 3)).astype(np.float32)
    scales = rng.uniform(0.1, 1, (6, 3)).astype(np.float32)
    splats = Splats(rng.normal(size=(6, 3)).astype(np.float32), scales, quaternions, np.full(6, 0.5, np.float32), sh)
    turn = Rotation.from_euler("xyz", (0.3, -1.1, 2.0)).as_matrix()
    linear = {
        "turned": 2 * turn,
        "mirrored": np.diag([-1, 1, 1]) @ turn,
        "sheared": turn @ [[1, 0.5, 0], [0, 2, 0], [0, 0, 1]],
    }
    transform = np.eye(4)
    transform[:3, :3], transform[:3, 3] = linear[kind], (1, 2, 3)
    placed = place_splats(splats, transform)

    def covariance(one: Splats) -> np.ndarray:
        r = Rotation.from_quat(one.rotations, scalar_first=True).as_matrix()
        return r @ (one.scales[:, :, None].astype(float) ** 2 * np.eye(3)) @ r.transpose(0, 2, 1)

    np.testing.assert_allclose(covariance(placed), linear[kind] @ covariance(splats) @ linear[kind].T, atol=1e-5)
    np.testing.assert_allclose(placed.means, splats.means @ linear[kind].T + (1, 2, 3), atol=1e-5)
    if kind != "sheared":
        rotation = linear[kind] / np.cbrt(abs(np.linalg.det(linear[kind])))
        directions = make_directions(10)
        before = np.einsum("dk,nkc->ndc", evaluate_harmonics(directions, 3), sh)
        after = np.einsum("dk,nkc->ndc", evaluate_harmonics(directions @ rotation.T, 3), placed.sh)
        np.testing.assert_allclose(after, before, atol=1e-5)
