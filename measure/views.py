"""A second view: how a card, our set and the true depth look from a camera that has moved aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stillto3d.engine.run import Run
from stillto3d.models.roles import RenderMeshes
from stillto3d.project.geometry import Material, Mesh
from stillto3d.project.space import Camera, aim_camera, convert_points
from stillto3d.worker.adapters.builtin.lens import Lens
from stillto3d.worker.adapters.builtin.tearing import build_front

from .geometry import get_down
from .truth import F32, U8, Bool, Truth

SKY_RATIO = 20.0  # the true sky stands this many times farther than the farthest thing


@dataclass(frozen=True)
class Grid:
    """How a set is meshed: the size of its depth map and the grid step in pixels of it."""

    shape: tuple[int, int]
    step: int


@dataclass(frozen=True)
class View:
    """What one method shows: PSNR in dB of all pixels after filling, and the share that had to be filled."""

    psnr_db: float
    holes: float


def measure_psnr(a: U8, b: U8) -> float:
    """PSNR in dB of two pictures u8[H, W, 3], at most 100."""
    error = float(np.square(a.astype(np.float32) - b.astype(np.float32)).mean(dtype=np.float64))
    return min(100.0, float(10 * np.log10(255.0**2 / error))) if error else 100.0


def fill_push_pull(pixels: U8, covered: Bool) -> U8:
    """Uncovered pixels from averages of what is covered around them, over a pyramid (Gortler et al. 1996)."""
    import cv2

    if covered.all() or not covered.any():
        return pixels
    weight = covered.astype(np.float32)
    levels = [(pixels.astype(np.float32) * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 1 and not (levels[-1][1] > 0).all():
        color, weight = levels[-1]
        half = max(1, (weight.shape[1] + 1) // 2), max(1, (weight.shape[0] + 1) // 2)
        share = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
        mean = cv2.resize(color, half, interpolation=cv2.INTER_AREA)
        full = np.minimum(1, 4 * share)  # a quarter covered is enough to be sure
        levels.append((mean / np.maximum(share, 1e-6)[..., None] * full[..., None], full.astype(np.float32)))
    guess = levels[-1][0] / np.maximum(levels[-1][1], 1e-6)[..., None]
    for color, weight in reversed(levels[:-1]):
        larger = cv2.resize(guess, weight.shape[::-1], interpolation=cv2.INTER_LINEAR)
        guess = color + larger * (1 - weight)[..., None]
    filled = np.clip(np.rint(guess), 0, 255).astype(np.uint8)
    return np.where(covered[..., None], pixels, filled)


def move_aside(camera: Camera, metres: float) -> Camera:
    """The camera moved along its own +x."""
    pose = camera.world_from_camera.copy()
    pose[:3, 3] += pose[:3, 0] * metres
    return replace(camera, world_from_camera=pose)


def make_true_camera(truth: Truth, width: int, height: int) -> Camera:
    """The true lens and tilt, a metre above the ground (how high it stands matters to no view)."""
    if truth.focal_px is None or truth.centre_px is None or truth.down is None:
        raise ValueError(f"{truth.name}: no true camera")
    f, (cx, cy), down = truth.focal_px, truth.centre_px, truth.down
    pose = aim_camera(float(np.arcsin(-down[2])), float(np.arctan2(-down[0], down[1])), 1.0)
    return Camera(width, height, f, f, cx, cy, pose)


def mesh_depth(metres: F32, camera: Camera, picture: U8, step: int) -> Mesh:
    """Depth f32[h, w] (0 = sky, put far away), stretched over the picture, torn as the product's set is."""
    depth = np.where(metres > 0, metres, metres.max() * SKY_RATIO).astype(np.float64)
    lens = Lens(
        camera.width,
        camera.height,
        camera.fx,
        camera.fy,
        camera.cx,
        camera.cy,
        get_down(camera),
        float(camera.position[1]),
    )
    nowhere = np.zeros(metres.shape, dtype=bool)
    arrays = build_front(depth, lens, step, nowhere, nowhere)
    return Mesh(
        positions=convert_points(arrays["set.positions"], "opencv", camera.world_from_camera),
        faces=arrays["set.faces"],
        uvs=arrays["set.uvs"],
        material=Material(picture),
    )


def make_card(metres: float, camera: Camera, picture: U8) -> Mesh:
    """The picture on a flat card across the camera's axis."""
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.float32)
    points = camera.unproject(corners * (camera.width, camera.height), np.full(4, metres))
    faces = np.array([[0, 2, 1], [1, 2, 3]], dtype=np.uint32)
    return Mesh(points.astype(np.float32), faces, uvs=corners, material=Material(picture))


def show_view(run: Run, meshes: Sequence[Mesh], camera: Camera, wanted: U8) -> View:
    """Render, fill the holes, compare."""
    seen = run.call(RenderMeshes(tuple(meshes), camera)).rgba
    assert seen is not None
    covered = seen[..., 3] > 0
    filled = fill_push_pull(np.ascontiguousarray(seen[..., :3]), covered)
    return View(measure_psnr(filled, wanted), float(1 - covered.mean()))


def score_second_view(
    run: Run, truth: Truth, still: U8, second: U8, meshes: Sequence[Mesh], camera: Camera, grid: Grid
) -> dict[str, View]:
    """The view from aside by method: card and truth through the true camera, ours through the solved one.

    The true camera moves by a share of the true median depth, ours by the same share of our own median (so
    the set's scale does not matter). `ours_true_focal` moves ours as far as it would with the true focal
    length: what it gains over `ours` is the fault of the focal length alone.
    """
    assert truth.depth is not None and truth.aside_m is not None and truth.focal_px is not None
    height, width = still.shape[:2]
    known = truth.depth > 0
    median = float(np.median(truth.depth[known]))
    true_camera = make_true_camera(truth, width, height)
    sampled = resize_nearest(truth.depth, grid.shape)
    drawn = run.call(RenderMeshes(tuple(meshes), camera, wants=("depth",))).depth
    assert drawn is not None
    there = (drawn > 0) & (resize_nearest(known.astype(np.float32), drawn.shape) > 0)
    aside = truth.aside_m / median * float(np.median(drawn[there])) if there.any() else 0.0
    true_aside = move_aside(true_camera, truth.aside_m)
    views = {
        "card": ([make_card(median, true_camera, still)], true_aside),
        "ours": (meshes, move_aside(camera, aside)),
        "ours_true_focal": (meshes, move_aside(camera, aside * truth.focal_px / camera.fx)),
        "truth": ([mesh_depth(sampled, true_camera, still, grid.step)], true_aside),
    }
    return {name: show_view(run, shown, eye, second) for name, (shown, eye) in views.items()}


def resize_nearest(values: F32, shape: tuple[int, ...]) -> F32:
    """Values f32[h, w] at another size without mixing."""
    import cv2

    resized: F32 = cv2.resize(values, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST_EXACT)
    return resized
