"""Real spherical harmonics up to degree 3, as 3D Gaussian splatting orders and signs them (Kerbl et al. 2023)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .still import F32, F64

SH_C0 = 0.28209479177387814
"""The constant harmonic: colour = 0.5 + SH_C0 * coefficient."""

_SAMPLES = 64


def evaluate_harmonics(directions: F64, degree: int) -> F64:
    """The (degree + 1)^2 harmonics of unit directions [n, 3], f64[n, k]."""
    x, y, z = directions.T
    bands = [np.full_like(x, SH_C0)]
    if degree > 0:
        bands += [-0.4886025119029199 * y, 0.4886025119029199 * z, -0.4886025119029199 * x]
    if degree > 1:
        bands += [
            1.0925484305920792 * x * y,
            -1.0925484305920792 * y * z,
            0.31539156525252005 * (2 * z * z - x * x - y * y),
            -1.0925484305920792 * x * z,
            0.5462742152960396 * (x * x - y * y),
        ]
    if degree > 2:
        bands += [
            -0.5900435899266435 * y * (3 * x * x - y * y),
            2.890611442640554 * x * y * z,
            -0.4570457994644658 * y * (4 * z * z - x * x - y * y),
            0.3731763325901154 * z * (2 * z * z - 3 * x * x - 3 * y * y),
            -0.4570457994644658 * x * (4 * z * z - x * x - y * y),
            1.445305721320277 * z * (x * x - y * y),
            -0.5900435899266435 * x * (x * x - 3 * y * y),
        ]
    return np.stack(bands, axis=1)


def find_harmonic_turn(turn: F64, degree: int) -> F64:
    """The matrix f64[k, k] that turns coefficients with the rotation `turn` f64[3, 3] (or a mirroring).

    A turned colour seen from d is the old one seen from turn^T d; fitted over directions, exact but for rounding.
    """
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(_SAMPLES, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    k = (degree + 1) ** 2
    matrix = np.zeros((k, k))
    old, new = evaluate_harmonics(directions @ turn, degree), evaluate_harmonics(directions, degree)
    for band in range(degree + 1):  # bands do not mix
        part = slice(band * band, (band + 1) ** 2)
        matrix[part, part] = np.linalg.lstsq(new[:, part], old[:, part], rcond=None)[0]
    return matrix


def turn_harmonics(sh: F32, turn: F64) -> F32:
    """Coefficients f32[n, k, 3] under a rotation f64[3, 3]."""
    degree = round(np.sqrt(sh.shape[1])) - 1
    if degree == 0 or np.allclose(turn, np.eye(3), atol=1e-12):
        return sh
    matrix: NDArray[np.float32] = find_harmonic_turn(turn, degree).astype(np.float32)
    return np.ascontiguousarray(np.matmul(matrix, sh))
