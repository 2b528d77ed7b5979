"""Camera and transforms: the only file that knows OpenCV's, glTF's and other people's axes.

Inside: the world is in metres, right-handed, Y up; a camera at identity looks along -Z with Y up (as in
glTF). Models mostly speak OpenCV camera axes: x right, y down, z forward. Pixels are continuous: the picture
spans [0, width] x [0, height], the centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .still import F64, freeze, require

FLIP_YZ: F64 = np.diag([1.0, -1.0, -1.0, 1.0])
"""OpenCV camera axes to ours and back (a half turn about x)."""

# Row vectors of model axes in our camera axes (Y up, looking along -Z).
_AXES: dict[str, F64] = {
    "opencv": np.diag([1.0, -1.0, -1.0]),
    "opengl": np.eye(3),
    "pytorch3d": np.diag([-1.0, 1.0, -1.0]),
    "z_up": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
    "z_up_x_front": np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
}

AXES = tuple(_AXES)
"""What a model may call its axes."""

ORIGINS = ("exif", "user", "vanishing_points", "network", "prior")
"""Where a solved quantity came from, best first."""


@dataclass(frozen=True)
class Origin:
    """Where one solved quantity came from, and how sure it is (0 to 1)."""

    source: str
    confidence: float

    def __post_init__(self) -> None:
        require(self.source in ORIGINS, f"source is one of {ORIGINS}")
        require(0.0 <= self.confidence <= 1.0, "confidence lies in 0..1")


def _unknown() -> Mapping[str, Origin]:
    return MappingProxyType({k: Origin("prior", 0.0) for k in ("focal", "rotation", "height")})


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera without distortion, standing in the world.

    width, height      pixels of the still
    fx, fy, cx, cy     focal lengths and principal point in pixels
    world_from_camera  f64[4, 4], rotation and translation in metres
    film_back_mm       film back across the picture's width that `focal_mm` refers to; a camera on its side has 24
    origin             where focal, rotation and height came from
    locked             a person has fixed it: solvers leave it alone
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    world_from_camera: F64
    film_back_mm: float = 36.0
    origin: Mapping[str, Origin] = field(default_factory=_unknown)
    locked: bool = False

    def __post_init__(self) -> None:
        require(self.width > 0 and self.height > 0, "a camera has pixels")
        require(self.fx > 0 and self.fy > 0 and self.film_back_mm > 0, "focal lengths are positive")
        m = np.asarray(self.world_from_camera, dtype=np.float64)
        require(m.shape == (4, 4) and bool(np.isfinite(m).all()), "world_from_camera: f64[4,4]")
        r = m[:3, :3]
        require(bool(np.allclose(r @ r.T, np.eye(3), atol=1e-6) and np.linalg.det(r) > 0), "a rotation")
        require(bool(np.allclose(m[3], (0, 0, 0, 1))), "last row 0 0 0 1")
        object.__setattr__(self, "world_from_camera", freeze(m))
        object.__setattr__(self, "origin", MappingProxyType(dict(self.origin)))

    @property
    def focal_mm(self) -> float:
        """Focal length in millimetres on the film back."""
        return self.fx * self.film_back_mm / self.width

    @property
    def position(self) -> F64:
        """Where the camera stands, metres."""
        return self.world_from_camera[:3, 3]

    def measure_tilt(self) -> tuple[float, float]:
        """Pitch and roll in radians: pitch < 0 looks down, roll > 0 turns the picture clockwise."""
        down = self.world_from_camera[:3, :3].T @ np.array([0.0, -1.0, 0.0]) * (1, -1, -1)
        pitch = float(np.arcsin(np.clip(-down[2], -1, 1)))
        return pitch, float(np.arctan2(-down[0], down[1]))

    def project(self, points: ArrayLike) -> tuple[F64, F64]:
        """World points [n, 3] to pixels f64[n, 2] and depth along the axis f64[n] (negative: behind)."""
        world = np.asarray(points, dtype=np.float64)
        local = (world - self.position) @ self.world_from_camera[:3, :3]
        depth = -local[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            u = self.cx + self.fx * local[:, 0] / depth
            v = self.cy - self.fy * local[:, 1] / depth
        return np.stack([u, v], axis=1), depth

    def unproject(self, pixels: ArrayLike, depth: ArrayLike) -> F64:
        """Pixels [n, 2] at a depth along the axis [n] to world points f64[n, 3]."""
        uv, z = np.asarray(pixels, dtype=np.float64), np.asarray(depth, dtype=np.float64)
        local = np.stack([(uv[:, 0] - self.cx) / self.fx * z, -(uv[:, 1] - self.cy) / self.fy * z, -z], axis=1)
        return local @ self.world_from_camera[:3, :3].T + self.position


def aim_camera(pitch: float, roll: float, height_m: float) -> F64:
    """world_from_camera of a camera `height_m` above the ground that faces -Z; pitch and roll in radians."""
    down = np.array([-np.cos(pitch) * np.sin(roll), np.cos(pitch) * np.cos(roll), -np.sin(pitch)])
    up = -down * (1, -1, -1)  # in our camera axes
    back = np.array([0.0, 0.0, 1.0])
    level_back = back - up * (back @ up)
    if np.linalg.norm(level_back) < 1e-6:  # looking straight up or down: let the picture's top face -Z
        level_back = np.array([0.0, -1.0, 0.0]) * -np.sign(up[2] or 1.0)
    level_back /= np.linalg.norm(level_back)
    right = np.cross(up, level_back)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, up, level_back])  # rows: world axes seen from the camera
    matrix[1, 3] = height_m
    return matrix


def center_camera(camera: Camera) -> tuple[Camera, float, float]:
    """The camera with a larger picture whose centre is its principal point, and where the old one begins in it.

    For formats that know no lens shift. Left and top are in pixels, whole ones where twice the principal point
    is whole. A camera that is centred (within a millionth of a pixel) comes back itself, with 0 and 0.
    """
    sizes = (camera.width, camera.cx), (camera.height, camera.cy)
    if all(abs(2 * center - size) < 1e-6 for size, center in sizes):
        return camera, 0.0, 0.0
    wanted = [_find_centered(size, center) for size, center in sizes]
    (width, left), (height, top) = [(size, size / 2 - center) for size, (_, center) in zip(wanted, sizes, strict=True)]
    return replace(camera, width=width, height=height, cx=width / 2, cy=height / 2), left, top


def _find_centered(size: int, center: float) -> int:
    """Pixels that reach as far on either side of `center` as the picture does on the farther one."""
    reach = 2 * max(center, size - center)
    return round(reach) if abs(reach - round(reach)) < 1e-6 else 2 * int(np.ceil(reach / 2))


def convert_points(points: NDArray[Any], axes: str, world_from_camera: F64) -> NDArray[np.float32]:
    """Points [n, 3] in a model's camera axes (a key of this module's table) to the world, f32[n, 3]."""
    turn = world_from_camera[:3, :3] @ _find_axes(axes).T
    return (points.astype(np.float64) @ turn.T + world_from_camera[:3, 3]).astype(np.float32)


def turn_to_opencv(directions: NDArray[Any], axes: str) -> NDArray[np.float32]:
    """Directions [..., 3] in a model's camera axes to OpenCV's, f32[..., 3]."""
    turn = _find_axes(axes) @ _AXES["opencv"].T
    return (directions.astype(np.float64) @ turn).astype(np.float32)


def turn_into_ours(axes: str) -> F64:
    """The rotation f64[4, 4] of columns in a model's axes to our camera axes (Y up, looking along -Z)."""
    turn = np.eye(4)
    turn[:3, :3] = _find_axes(axes).T
    return turn


def _find_axes(axes: str) -> F64:
    if axes not in _AXES:
        raise ValueError(f"unknown axes {axes!r}; known: {sorted(_AXES)}")
    return _AXES[axes]


def move_points(points: NDArray[Any], transform: F64) -> NDArray[np.float32]:
    """Points [n, 3] through a 4x4 transform, f32[n, 3]."""
    return (points.astype(np.float64) @ transform[:3, :3].T + transform[:3, 3]).astype(np.float32)


def find_quaternions(turns: NDArray[Any]) -> F64:
    """The unit quaternions wxyz f64[n, 4] of rotations [n, 3, 3] (Bar-Itzhack 2000: greatest eigenvectors), w >= 0."""
    (a, b, c), (d, e, f), (g, h, i) = np.moveaxis(np.asarray(turns, dtype=np.float64), 0, -1)
    rows = [
        [a - e - i, b + d, c + g, h - f],
        [b + d, e - a - i, f + h, c - g],
        [c + g, f + h, i - a - e, d - b],
        [h - f, c - g, d - b, a + e + i],
    ]
    q = np.roll(np.linalg.eigh(np.moveaxis(np.array(rows), -1, 0))[1][:, :, -1], 1, axis=1)
    unit: F64 = q / np.linalg.norm(q, axis=1, keepdims=True) * np.where(q[:, :1] >= 0, 1, -1)
    return unit


def find_quaternion(turn: F64) -> F64:
    """The unit quaternion wxyz of a rotation f64[3, 3], w >= 0."""
    quaternion: F64 = find_quaternions(np.asarray(turn)[None])[0]
    return quaternion


def multiply_quaternions(left: F64, right: NDArray[Any]) -> F64:
    """The rotation `left` f64[4] after each of `right` [n, 4], wxyz, f64[n, 4]."""
    w, x, y, z = left
    matrix = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])
    product: F64 = right.astype(np.float64) @ matrix.T
    return product


def make_rotations(quaternions: NDArray[Any]) -> F64:
    """Rotations f64[n, 3, 3] of unit quaternions wxyz [n, 4]."""
    w, x, y, z = quaternions.astype(np.float64).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def stand_up(up: str, metres: float = 1.0) -> F64:
    """The 4x4 transform from a world whose `up` is "Y", "Z" or "-Y", in units of `metres`, to ours."""
    turns = {
        "Y": np.eye(3),
        "Z": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
        "-Y": np.diag([1.0, -1.0, -1.0]),
    }
    matrix = np.eye(4)
    matrix[:3, :3] = turns[up] * metres
    return matrix


def lay_down(pose: F64) -> F64:
    """A pose of our world as a 4x4 of a world whose Z is up (Blender, fSpy, Nerfstudio)."""
    laid: F64 = np.linalg.inv(stand_up("Z")) @ pose
    return laid


def find_opencv_pose(camera: Camera) -> tuple[F64, F64]:
    """Rotation f64[3, 3] and translation f64[3] from our world to OpenCV's camera axes, as COLMAP keeps them."""
    view = FLIP_YZ @ np.linalg.inv(camera.world_from_camera)
    return view[:3, :3], view[:3, 3]


def make_opencv_pose(rotation: ArrayLike, translation: ArrayLike) -> F64:
    """world_from_camera of a camera that is kept as OpenCV's world-to-camera rotation and translation."""
    view = np.eye(4)
    view[:3, :3], view[:3, 3] = np.asarray(rotation), np.asarray(translation)
    pose: F64 = np.linalg.inv(view) @ FLIP_YZ
    return pose


def straighten_pose(pose: ArrayLike) -> F64:
    """A 4x4 pose whose rotation is the nearest exact one, free of scale.

    Raises ValueError where it is none: sheared or mirrored by more than a thousandth, or not finite.
    """
    matrix = np.array(pose, dtype=np.float64)
    require(matrix.shape == (4, 4) and bool(np.isfinite(matrix).all()), "a pose is 4x4 numbers")
    scale = float(np.cbrt(np.linalg.det(matrix[:3, :3])))
    require(scale > 1e-9, "a pose is not mirrored")
    u, _, v = np.linalg.svd(matrix[:3, :3])
    require(bool(np.allclose(u @ v, matrix[:3, :3] / scale, atol=1e-3)), "a pose is not sheared")
    straight = np.eye(4)
    straight[:3, :3], straight[:3, 3] = u @ v, matrix[:3, 3]
    return straight


def find_unreal_pose(camera: Camera) -> tuple[F64, F64]:
    """Where the camera stands in Unreal, centimetres f64[3], and its roll, pitch and yaw in degrees f64[3].

    Unreal is left-handed: x is where we have -z, y where we have x, z is up; a camera looks along its x.
    """
    place = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    turn = place @ camera.world_from_camera[:3, :3]
    right, up, forward = turn[:, 0], turn[:, 1], -turn[:, 2]
    pitch = np.arcsin(np.clip(forward[2], -1, 1))
    yaw, roll = np.arctan2(forward[1], forward[0]), np.arctan2(-right[2], up[2])
    return place @ camera.position * 100, np.degrees(np.array([roll, pitch, yaw]))


def translate(offset: ArrayLike) -> F64:
    """The 4x4 transform that moves by `offset` [3]."""
    matrix = np.eye(4)
    matrix[:3, 3] = np.asarray(offset, dtype=np.float64)
    return matrix


def split_transform(transform: F64) -> tuple[F64, F64, float]:
    """Position f64[3] in metres, turns f64[3] in degrees (about x, y, z; z first, y last) and uniform scale.

    `join_transform` makes the same 4x4 again, unless it shears or mirrors.
    """
    scale = float(np.cbrt(np.linalg.det(transform[:3, :3]))) or 1.0
    r = transform[:3, :3] / scale
    x = np.arcsin(np.clip(-r[1, 2], -1, 1))
    if abs(r[1, 2]) < 1 - 1e-9:
        y, z = np.arctan2(r[0, 2], r[2, 2]), np.arctan2(r[1, 0], r[1, 1])
    else:  # looking straight up or down: y and z turn about one axis, so z is 0
        y, z = np.arctan2(-r[2, 0], r[0, 0]), 0.0
    return transform[:3, 3].copy(), np.degrees(np.array([x, y, z])), scale


def join_transform(position: ArrayLike, turns: ArrayLike, scale: float) -> F64:
    """The 4x4 transform of a position in metres, turns in degrees about x, y, z (z first, y last) and a scale."""
    x, y, z = np.radians(np.asarray(turns, dtype=np.float64))
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    matrix = translate(position)
    matrix[:3, :3] = about_y @ about_x @ about_z * scale
    return matrix
