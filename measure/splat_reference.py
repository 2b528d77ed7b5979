"""3D Gaussian splatting in float64, pixel by pixel, after Kerbl et al. 2023 with the constants of gsplat 1.5."""

from __future__ import annotations

import numpy as np

from stillto3d.project.geometry import Splats
from stillto3d.project.harmonics import evaluate_harmonics
from stillto3d.project.space import FLIP_YZ, Camera, make_rotations

BLUR = 0.3  # added to the covariance in the picture, pixels squared
LEAST_ALPHA = 1 / 255
MOST_ALPHA = 0.999
LEAST_LEFT = 1e-4  # a ray ends where less of it would be left
NEAR = 0.01


class Projected:
    """Splats in the picture: pixels f64[n,2], inverse covariances f64[n,3], depth, reach in pixels, colour, opacity."""

    def __init__(self, splats: Splats, camera: Camera) -> None:
        view = np.linalg.inv(camera.world_from_camera @ FLIP_YZ)
        means = splats.means.astype(np.float64)
        seen = means @ view[:3, :3].T + view[:3, 3]
        keep = seen[:, 2] > NEAR
        x, y, z = seen[keep].T
        factors = make_rotations(splats.rotations[keep].astype(np.float64)) * splats.scales[keep, None].astype(
            np.float64
        )
        factors = view[:3, :3] @ factors
        u, v = (
            np.clip(one / z, -(centre / focal + margin), (size - centre) / focal + margin)
            for one, centre, focal, size, margin in (
                (x, camera.cx, camera.fx, camera.width, 0.15 * camera.width / camera.fx),
                (y, camera.cy, camera.fy, camera.height, 0.15 * camera.height / camera.fy),
            )
        )
        slope = np.zeros((len(z), 2, 3))
        slope[:, 0, 0], slope[:, 0, 2] = camera.fx / z, -camera.fx * u / z
        slope[:, 1, 1], slope[:, 1, 2] = camera.fy / z, -camera.fy * v / z
        half = slope @ factors
        spread = half @ half.transpose(0, 2, 1) + BLUR * np.eye(2)
        inverse = np.linalg.inv(spread)
        self.conic = np.stack([inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 1, 1]], axis=1)
        self.pixels = np.stack([camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy], axis=1)
        self.depth = z
        self.opacity = splats.opacity[keep].astype(np.float64)
        most = np.sqrt(2 * np.log(np.maximum(self.opacity / LEAST_ALPHA, 1)))
        self.reach = most * np.sqrt(np.linalg.eigvalsh(spread)[:, 1])
        away = means[keep] - camera.position
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        bands = evaluate_harmonics(away, round(np.sqrt(splats.sh.shape[1])) - 1)
        self.colour = np.maximum(np.einsum("nk,nkc->nc", bands, splats.sh[keep].astype(np.float64)) + 0.5, 0)

    def trace(self, column: float, row: float) -> tuple[np.ndarray, float]:
        """Colour f64[3] over black and alpha of the pixel whose centre is at (column, row)."""
        dx, dy = self.pixels[:, 0] - column, self.pixels[:, 1] - row
        near = np.flatnonzero((np.abs(dx) <= self.reach) & (np.abs(dy) <= self.reach))
        near = near[np.argsort(self.depth[near], kind="stable")]
        a, b, c = self.conic[near].T
        power = 0.5 * (a * dx[near] ** 2 + c * dy[near] ** 2) + b * dx[near] * dy[near]
        alpha = np.minimum(MOST_ALPHA, self.opacity[near] * np.exp(-power))
        solid = alpha >= LEAST_ALPHA
        alpha, near = alpha[solid], near[solid]
        left = np.cumprod(1 - alpha)
        kept = left > LEAST_LEFT
        weight = (np.concatenate([[1.0], left])[:-1] * alpha)[kept]
        return weight @ self.colour[near[kept]], float(weight.sum())
