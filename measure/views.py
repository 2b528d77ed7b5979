"""A second view: how a card, our set and the true depth look from a camera that has moved aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stillto3d.engine.run import Run
from stillto3d.models.roles import RenderMeshes
from stillto3d.project.geometry import Material, Mesh
from stillto3d.project.space import Camera, aim_camera

from .truth import F32, U8, Bool, Truth

SKY_RATIO = 20.0  # the true sky stands this many times farther than the farthest thing


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
    """The true lens at the origin of the world (where it stands matters to no view)."""
    if truth.focal_px is None or truth.centre_px is None:
        raise ValueError(f"{truth.name}: no true camera")
    f, (cx, cy) = truth.focal_px, truth.centre_px
    return Camera(width, height, f, f, cx, cy, aim_camera(0.0, 0.0, 1.0))


def mesh_depth(metres: F32, camera: Camera, picture: U8, step: int, tear: float) -> Mesh:
    """Depth f32[h, w], stretched over the picture, as a textured grid: a vertex every `step` pixels of the
    depth, no triangle between depths of a ratio over `tear`."""
    h, w = metres.shape
    columns, rows = max(2, -(-w // step) + 1), max(2, -(-h // step) + 1)
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    z = metres[np.minimum((v * h).astype(int), h - 1), np.minimum((u * w).astype(int), w - 1)]
    pixels = np.stack([u.ravel() * camera.width, v.ravel() * camera.height], axis=1)
    corner = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:])
    faces = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, c, b), (b, c, d))])
    depths = z.ravel()[faces]
    faces = faces[depths.max(axis=1) <= tear * depths.min(axis=1)]
    return Mesh(
        positions=camera.unproject(pixels, z.ravel()).astype(np.float32),
        faces=faces.astype(np.uint32),
        uvs=np.stack([u.ravel(), v.ravel()], axis=1).astype(np.float32),
        material=Material(picture),
    )


def make_card(metres: float, camera: Camera, picture: U8) -> Mesh:
    """The picture on a flat card across the camera's axis."""
    return mesh_depth(np.full((2, 2), metres, dtype=np.float32), camera, picture, 2, np.inf)


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
    far = np.where(known, truth.depth, truth.depth.max() * SKY_RATIO).astype(np.float32)
    sampled = resize_nearest(far, grid.shape)
    drawn = run.call(RenderMeshes(tuple(meshes), camera, wants=("depth",))).depth
    assert drawn is not None
    there = (drawn > 0) & (resize_nearest(known.astype(np.float32), drawn.shape) > 0)
    aside = truth.aside_m / median * float(np.median(drawn[there])) if there.any() else 0.0
    true_aside = move_aside(true_camera, truth.aside_m)
    views = {
        "card": ([make_card(median, true_camera, still)], true_aside),
        "ours": (meshes, move_aside(camera, aside)),
        "ours_true_focal": (meshes, move_aside(camera, aside * truth.focal_px / camera.fx)),
        "truth": ([mesh_depth(sampled, true_camera, still, grid.step, grid.tear)], true_aside),
    }
    return {name: show_view(run, shown, eye, second) for name, (shown, eye) in views.items()}


@dataclass(frozen=True)
class Grid:
    """How a set is meshed: its depth's size, the grid step in its pixels, the greatest ratio in a face."""

    shape: tuple[int, int]
    step: int
    tear: float


def resize_nearest(values: F32, shape: tuple[int, ...]) -> F32:
    """Values f32[h, w] at another size without mixing."""
    import cv2

    resized: F32 = cv2.resize(values, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST_EXACT)
    return resized


def measure_gain(views: dict[str, View]) -> float | None:
    """What ours gains over the card, as a share of what the true depth gains; None if that gains nothing."""
    best = views["truth"].psnr_db - views["card"].psnr_db
    return (views["ours"].psnr_db - views["card"].psnr_db) / best if best > 0 else None
