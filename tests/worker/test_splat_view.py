"""Splats through gsplat against a reference of ours in float64; without a GPU the reference alone is judged."""

from __future__ import annotations

import math
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from measure.gpu_parts import compare_splats, make_camera, make_splats
from measure.splat_reference import Projected
from stillto3d.engine.engine import Engine
from stillto3d.models.catalog import Catalog, Store
from stillto3d.models.environments import Environments
from stillto3d.models.shapes import RenderSplats, SplatPicture
from stillto3d.models.store import Machine
from stillto3d.project.geometry import Splats
from stillto3d.project.space import Camera
from stillto3d.settings import Settings

HARMONIC = 0.28209479177387814
CLOSE = 1e-3
PIXELS = 1500


def make_one(colour: float, opacity: float, z: float) -> Splats:
    sh = np.full((1, 1, 3), (colour - 0.5) / HARMONIC, np.float32)
    still = np.array([[1, 0, 0, 0]], np.float32)
    means = np.array([[0, 0, z]], np.float32)
    return Splats(means, np.full((1, 3), 0.05, np.float32), still, np.array([opacity], np.float32), sh)


def test_one_splat_is_what_a_formula_says() -> None:
    camera = Camera(200, 100, 180, 180, 100, 50, np.eye(4))
    seen = Projected(make_one(0.8, 0.6, -2.0), camera)
    colour, alpha = seen.trace(100, 50)
    assert alpha == pytest.approx(0.6) and np.allclose(colour, 0.6 * 0.8, atol=1e-6)
    spread = (0.05 * 180 / 2) ** 2 + 0.3
    assert seen.trace(105, 50)[1] == pytest.approx(0.6 * math.exp(-25 / 2 / spread), rel=1e-6)
    assert seen.trace(160, 50)[1] == 0


def test_the_nearer_one_covers_the_farther_whatever_their_order() -> None:
    near, far = make_one(1.0, 0.5, -1.0), make_one(0.0, 0.5, -3.0)
    camera = Camera(64, 64, 60, 60, 32, 32, np.eye(4))
    names = ("means", "scales", "rotations", "opacity", "sh")
    for order in ((near, far), (far, near)):
        both = Splats(*(np.concatenate([getattr(one, name) for one in order]) for name in names))
        colour, alpha = Projected(both, camera).trace(32, 32)
        assert alpha == pytest.approx(0.75) and colour[0] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.gpu
@pytest.mark.keeps_workers
def test_a_million_splats_agree_with_the_reference(tmp_path: Path) -> None:
    python = os.environ["STILLTO3D_MODELS_PYTHON"]  # an interpreter with PyTorch for CUDA and gsplat
    store = Store(
        tmp_path, machine=Machine("cuda"), environments=Environments(tmp_path / "environments", {"models": python})
    )
    engine = Engine(Catalog(), store, Settings(device="cuda", vram_limit_gb=24, silence_seconds=900))
    thread = threading.Thread(target=engine.serve, args=("heavy",), name="lane-heavy")
    thread.start()
    try:
        camera, splats = make_camera(1920, 1080), make_splats(1_000_000)
        job = engine.submit("splats", lambda run: run.call(RenderSplats(splats, "million", camera), "gsplat"))
        assert job.wait(900)
        if job.error is not None:
            raise job.error
        picture: SplatPicture = job.result
    finally:
        engine.close()
        thread.join(20)
    assert compare_splats(splats, camera, picture, PIXELS) < CLOSE
