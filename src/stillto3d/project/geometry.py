"""Mesh, Points and Splats, their material, and what can be asked of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .harmonics import turn_harmonics
from .space import find_quaternion, find_quaternions, make_rotations, move_points, multiply_quaternions
from .still import F32, F64, U8, freeze, require

U32 = NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Material:
    """How a surface looks: base colour u8[h, w, 3] display-referred sRGB, or alpha as a fourth channel.

    A still's light is baked into its texture, so `unlit` surfaces show it as it is. On the same uvs, as glTF packs
    them: `surface` u8[h, w, 3], occlusion, roughness and metallic (the latter two times the numbers here), and
    `normals` u8[h, w, 3], tangent space, y up.
    """

    base_color: U8
    roughness: float = 0.9
    metallic: float = 0.0
    unlit: bool = True
    surface: U8 | None = None
    normals: U8 | None = None

    def __post_init__(self) -> None:
        t = self.base_color
        require(t.dtype == np.uint8 and t.ndim == 3 and t.shape[2] in (3, 4), "base_color: u8[h,w,3|4]")
        object.__setattr__(self, "base_color", freeze(t))
        for name in ("surface", "normals"):
            values: U8 | None = getattr(self, name)
            if values is not None:
                require(values.dtype == np.uint8 and values.ndim == 3 and values.shape[2] == 3, f"{name}: u8[h,w,3]")
                object.__setattr__(self, name, freeze(values))


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles.

    positions   f32[n, 3], metres
    faces       u32[m, 3], counter-clockwise seen from outside
    normals     f32[n, 3], unit
    uvs         f32[n, 2] or, where a seam runs, corner_uvs f32[m, 3, 2]; (0, 0) is the texture's top left
    colors      u8[n, 3], display-referred sRGB
    observed    u8[n], 1 = seen in a still, 0 = invented
    """

    positions: F32
    faces: U32
    normals: F32 | None = None
    uvs: F32 | None = None
    corner_uvs: F32 | None = None
    colors: U8 | None = None
    observed: U8 | None = None
    material: Material | None = None

    def __post_init__(self) -> None:
        n, m = len(self.positions), len(self.faces)
        expected: dict[str, tuple[str, tuple[int, ...]]] = {
            "positions": ("f4", (n, 3)),
            "faces": ("u4", (m, 3)),
            "normals": ("f4", (n, 3)),
            "uvs": ("f4", (n, 2)),
            "corner_uvs": ("f4", (m, 3, 2)),
            "colors": ("u1", (n, 3)),
            "observed": ("u1", (n,)),
        }
        _check_arrays(self, expected)
        require(m == 0 or int(self.faces.max()) < n, "faces name existing vertices")
        require(bool(np.isfinite(self.positions).all()), "positions are finite")
        require(self.uvs is None or self.corner_uvs is None, "uvs lie on vertices or on corners")

    def is_watertight(self) -> bool:
        """Every edge is shared by exactly two faces that run through it in opposite directions."""
        if not len(self.faces):
            return False
        f = self.faces.astype(np.int64)
        edges = np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]])
        forward = edges[:, 0] * len(self.positions) + edges[:, 1]
        backward = edges[:, 1] * len(self.positions) + edges[:, 0]
        forward.sort()
        backward.sort()
        return bool((np.diff(forward) > 0).all() and (forward == backward).all())

    def split_seams(self) -> Mesh:
        """The same mesh with uvs on vertices: a vertex is doubled where its corners disagree."""
        if self.corner_uvs is None:
            return self
        corners = self.faces.reshape(-1)
        flat = np.ascontiguousarray(self.corner_uvs.reshape(-1, 2)) + np.float32(0)  # no negative zeros
        keys = np.empty(len(corners), dtype=[("v", "<u4"), ("u", "<u8")])
        keys["v"], keys["u"] = corners, flat.view(np.uint64).reshape(-1)
        kept, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        source = kept["v"]

        def take(values: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if values is None else values[source]

        return Mesh(
            positions=self.positions[source],
            faces=inverse.reshape(-1, 3).astype(np.uint32),
            normals=take(self.normals),
            uvs=flat[first],
            colors=take(self.colors),
            observed=take(self.observed),
            material=self.material,
        )


@dataclass(frozen=True, eq=False)
class Points:
    """A coloured point cloud: positions f32[n, 3] metres, colors u8[n, 3] sRGB, observed u8[n]."""

    positions: F32
    colors: U8 | None = None
    observed: U8 | None = None

    def __post_init__(self) -> None:
        n = len(self.positions)
        _check_arrays(self, {"positions": ("f4", (n, 3)), "colors": ("u1", (n, 3)), "observed": ("u1", (n,))})
        require(bool(np.isfinite(self.positions).all()), "positions are finite")


@dataclass(frozen=True, eq=False)
class Splats:
    """Anisotropic 3D Gaussians (Kerbl et al. 2023).

    means f32[n, 3] metres; scales f32[n, 3] standard deviations in metres; rotations f32[n, 4] unit
    quaternions wxyz; opacity f32[n] 0..1; sh f32[n, k, 3] spherical harmonics, k = 1, 4, 9 or 16.
    """

    means: F32
    scales: F32
    rotations: F32
    opacity: F32
    sh: F32
    observed: U8 | None = None

    def __post_init__(self) -> None:
        n, k = len(self.means), self.sh.shape[1]
        require(k in (1, 4, 9, 16), "sh: 1, 4, 9 or 16 coefficients")
        _check_arrays(
            self,
            {
                "means": ("f4", (n, 3)),
                "scales": ("f4", (n, 3)),
                "rotations": ("f4", (n, 4)),
                "opacity": ("f4", (n,)),
                "sh": ("f4", (n, k, 3)),
                "observed": ("u1", (n,)),
            },
        )


Geometry = Mesh | Points | Splats


def _check_arrays(value: Geometry, expected: dict[str, tuple[str, tuple[int, ...]]]) -> None:
    for name, (kind, shape) in expected.items():
        array = getattr(value, name)
        if array is not None:
            require(array.dtype.str[1:] == kind and array.shape == shape, f"{name}: {kind}{list(shape)}")
            object.__setattr__(value, name, freeze(array))


def get_positions(geometry: Geometry) -> F32:
    """The points that carry a geometry, f32[n, 3]."""
    return geometry.means if isinstance(geometry, Splats) else geometry.positions


def measure_bounds(geometry: Geometry, transform: F64 | None = None) -> F64:
    """Least and greatest corner, f64[2, 3], after an optional transform; zeros when empty."""
    points = get_positions(geometry)
    if not len(points):
        return np.zeros((2, 3))
    moved = points if transform is None else move_points(points, transform)
    columns = np.ascontiguousarray(moved.T)  # numpy is forty times slower along rows of three
    return np.stack([columns.min(axis=1), columns.max(axis=1)]).astype(np.float64)


def place_mesh(mesh: Mesh, transform: F64) -> Mesh:
    """The mesh moved by a 4x4 transform (rotation, translation, scale)."""
    normals = mesh.normals
    if normals is not None:
        turned = normals.astype(np.float64) @ np.linalg.inv(transform[:3, :3])
        normals = (turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    return replace(mesh, positions=move_points(mesh.positions, transform), normals=normals)


def place_splats(splats: Splats, transform: F64) -> Splats:
    """The splats moved by any 4x4 transform that flattens nothing: means, covariances and harmonics."""
    linear = transform[:3, :3]
    size = float(np.cbrt(abs(np.linalg.det(linear))))
    means = move_points(splats.means, transform)
    if (
        size > 0
        and np.linalg.det(linear) > 0
        and np.allclose(linear @ linear.T, size**2 * np.eye(3), atol=1e-9 * size**2)
    ):
        turn = linear / size
        rotations = multiply_quaternions(find_quaternion(turn), splats.rotations).astype(np.float32)
        scales = splats.scales * np.float32(size)
    else:
        factors = linear @ make_rotations(splats.rotations) * splats.scales[:, None].astype(np.float64)
        left, lengths, _ = np.linalg.svd(factors)
        left[:, :, 2] *= np.sign(np.linalg.det(left))[:, None]
        rotations = find_quaternions(left).astype(np.float32)
        scales = lengths.astype(np.float32)
        u, _, v = np.linalg.svd(linear)
        turn = u @ v
    sh = turn_harmonics(splats.sh, turn)
    return replace(splats, means=means, rotations=rotations, scales=scales, sh=sh)


def rescale_geometry(geometry: Geometry, factor: float) -> Geometry:
    """The geometry `factor` times as large about its own origin."""
    k = np.float32(factor)
    if isinstance(geometry, Splats):
        return replace(geometry, means=geometry.means * k, scales=geometry.scales * k)
    return replace(geometry, positions=geometry.positions * k)
