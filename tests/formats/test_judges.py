"""Other people's readers: the Khronos validator and Blender judge what we write.

STILLTO3D_NODE_MODULES names a folder that holds `gltf-validator`; STILLTO3D_BLENDER_PYTHON a Python that has
`bpy` (else `node_modules` and `.venv-blender` at the root serve). Without them these tests are skipped
and say so.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from formats.conftest import make_box, make_project
from formats.markers import both_cameras, expect_pixels, locate_markers, make_meshes, make_splats

from stillto3d.engine.run import Run
from stillto3d.formats.gather import gather_points
from stillto3d.formats.glb import write_glb, write_prop
from stillto3d.formats.handover import write_handover
from stillto3d.formats.options import WriteOptions
from stillto3d.formats.ply import write_points
from stillto3d.formats.usd import write_usd
from stillto3d.project.geometry import Points, measure_bounds
from stillto3d.project.project import Layer, LayerKind, Project

pytestmark = [pytest.mark.judge, pytest.mark.timeout(600)]

SUPPORT = Path(__file__).parents[1] / "support"


def find_validator() -> Path:
    """The folder node_modules that holds the Khronos validator; skips where there is none."""
    modules = Path(os.environ.get("STILLTO3D_NODE_MODULES", "node_modules"))
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if not (modules / "gltf-validator").is_dir():
        pytest.skip("gltf-validator is not installed; STILLTO3D_NODE_MODULES may name its node_modules")
    return modules.resolve()


def validate(*files: Path) -> list[dict[str, Any]]:
    """What the Khronos validator says of each file."""
    command = ["node", str(SUPPORT / "validate_glb.mjs"), str(find_validator()), *map(str, files)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def probe(*files: Path) -> list[dict[str, Any]]:
    """What Blender holds after importing each file; skips where there is no Blender."""
    return run_blender("probe_blender.py", *map(str, files))


def run_blender(script: str, *arguments: str) -> list[dict[str, Any]]:
    """What a script of tests/support prints in Blender's Python; skips where there is no Blender."""
    python = os.environ.get("STILLTO3D_BLENDER_PYTHON", ".venv-blender/bin/python")
    if shutil.which(python) is None:
        pytest.skip("no Blender: STILLTO3D_BLENDER_PYTHON may name a Python that has bpy")
    command = [python, str(SUPPORT / script), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr
    lines = [line for line in result.stdout.splitlines() if line.startswith("PROBE ")]
    return [json.loads(line.removeprefix("PROBE ")) for line in lines]


def turn_z_up(points: np.ndarray) -> np.ndarray:
    """Y up to Blender's Z up, rows of xyz."""
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1)


def make_odd_project() -> Project:
    """Points, colours, alpha, normals, shear, mirror and flatness, all in one scene."""
    project = make_project()
    box = make_box(np.full((4, 4, 4), 77, np.uint8))
    rng = np.random.default_rng(3)
    bare = replace(box, material=None, corner_uvs=None, colors=np.arange(24, dtype=np.uint8).reshape(8, 3))
    normals = box.positions / np.linalg.norm(box.positions, axis=1, keepdims=True) * np.float32(1.01)
    shear = np.array([[1, 0.5, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1.0]])
    relief = np.dstack([rng.integers(100, 156, (16, 16, 2)), np.full((16, 16), 250)]).astype(np.uint8)
    surface = np.full((8, 8, 3), (200, 128, 40), np.uint8)
    mapped = replace(box, material=replace(box.material, normals=relief, surface=surface, unlit=False))
    things: list[tuple[str, Any, np.ndarray]] = [
        ("alpha", box, np.eye(4)),
        ("mapped", mapped, np.diag([1.0, 2, 3, 1])),
        ("bare", bare, np.diag([-1.0, 2, 3, 1])),
        ("normals", replace(bare, normals=normals), shear),
        ("flat", replace(bare, normals=normals), np.diag([1.0, 0, 1, 1])),
        ("dots", Points(box.positions, bare.colors, box.observed), np.eye(4)),
        ("empty", replace(bare, faces=bare.faces[:0]), np.eye(4)),
    ]
    layers = [Layer(name, name, LayerKind.PROP, geometry=g, transform=m) for name, g, m in things]
    return replace(project, layers=(*project.layers, *layers))


def test_khronos_finds_no_fault(run: Run, project: Project, tmp_path: Path) -> None:
    find_validator()
    write_glb(run, project, tmp_path / "shot.glb")
    write_glb(run, make_odd_project(), tmp_path / "odd.glb")
    write_prop(run, project.layers[1], tmp_path / "prop.glb")
    write_glb(run, make_project(90, 60, 300), tmp_path / "large.glb")  # more than 65535 vertices
    write_glb(run, project, tmp_path / "webp.glb", WriteOptions(texture="webp", texture_size=16))
    for report in validate(*sorted(tmp_path.glob("*.glb"))):
        assert (report["errors"], report["warnings"], report["hints"]) == (0, 0, 0), report


def test_khronos_knows_no_splats_and_finds_no_other_fault(run: Run, tmp_path: Path) -> None:
    """The extension is younger than the validator, which calls its attributes invalid."""
    find_validator()
    write_glb(run, make_splats(False), tmp_path / "splats.glb")
    (report,) = validate(tmp_path / "splats.glb")
    codes = {message["code"] for message in report["messages"] if message["severity"] == 0}
    assert codes == {"MESH_PRIMITIVE_INVALID_ATTRIBUTE"} and report["errors"] == 19
    assert (report["warnings"], report["hints"]) == (0, 0), report


def test_khronos_refuses_a_broken_file(tmp_path: Path, run: Run, project: Project) -> None:
    """The judge is awake."""
    find_validator()
    write_glb(run, project, tmp_path / "shot.glb")
    data = (tmp_path / "shot.glb").read_bytes()
    (tmp_path / "cut.glb").write_bytes(data[:-40])
    assert validate(tmp_path / "cut.glb")[0]["errors"] > 0


def test_blender_finds_camera_set_and_props(run: Run, project: Project, tmp_path: Path) -> None:
    write_glb(run, project, tmp_path / "shot.glb")
    (found,) = probe(tmp_path / "shot.glb")
    camera = project.hero.camera
    assert camera is not None
    (lens,) = found["cameras"].values()
    assert lens["angle_y"] == pytest.approx(2 * math.atan(52 / 2 / camera.fy), abs=1e-4)  # 48 pixels, padded
    position = np.array(lens["matrix"])[:3, 3]
    np.testing.assert_allclose(position, turn_z_up(camera.position[None])[0], atol=1e-5)
    forward = -np.array(lens["matrix"])[:3, 2]
    np.testing.assert_allclose(forward, turn_z_up(-camera.world_from_camera[None, :3, 2])[0], atol=1e-5)
    assert set(found["meshes"]) == {"set", "prop_01", "Stuhl/椅子"}
    for layer in project.layers[:3]:
        assert layer.geometry is not None
        mesh = found["meshes"][layer.name]
        bounds = turn_z_up(measure_bounds(layer.geometry, layer.transform))
        np.testing.assert_allclose(mesh["bounds"], np.sort(bounds, axis=0), atol=1e-5)
        assert mesh["materials"] and mesh["uvs"] == 1 and "_OBSERVED" in mesh["attributes"]
        assert found["parents"][layer.name] == "küche 厨房"
    assert sorted(found["images"].values()) == [[32, 24], [64, 48]]


@pytest.mark.parametrize("suffix", [".usda", ".usdc", ".usdz"])
def test_blender_finds_the_same_in_usd(run: Run, project: Project, tmp_path: Path, suffix: str) -> None:
    write_usd(run, project, tmp_path / f"shot{suffix}")
    (found,) = probe(tmp_path / f"shot{suffix}")
    camera = project.hero.camera
    assert camera is not None
    (lens,) = found["cameras"].values()
    assert lens["angle_x"] == pytest.approx(2 * math.atan(camera.width / 2 / camera.fx), abs=1e-4)
    assert lens["sensor"] == pytest.approx(camera.film_back_mm, rel=1e-4)
    shift = np.array([(camera.width / 2 - camera.cx) / camera.width, (camera.cy - camera.height / 2) / camera.width])
    np.testing.assert_allclose(lens["shift"][0], shift[0], atol=1e-4)
    assert lens["shift"][1] * shift[1] > 0
    np.testing.assert_allclose(np.array(lens["matrix"])[:3, 3], turn_z_up(camera.position[None])[0], atol=1e-5)
    meshes = list(found["meshes"].values())
    for layer, mesh in zip(project.layers[:3], meshes, strict=True):
        assert layer.geometry is not None
        bounds = turn_z_up(measure_bounds(layer.geometry, layer.transform))
        np.testing.assert_allclose(mesh["bounds"], np.sort(bounds, axis=0), atol=1e-5)
        assert mesh["materials"] and mesh["uvs"] == 1
    assert sorted(found["images"].values()) == [[32, 24], [64, 48]]


def test_blender_sees_splats_of_usd_as_points(run: Run, tmp_path: Path) -> None:
    write_usd(run, make_splats(True), tmp_path / "s.usdc")
    assert list(probe(tmp_path / "s.usdc")[0]["clouds"].values()) == [7]


def test_blender_reads_the_points(run: Run, project: Project, tmp_path: Path) -> None:
    points = gather_points(project)
    write_points(run, points, tmp_path / "scene.ply")
    (found,) = probe(tmp_path / "scene.ply")
    (mesh,) = found["meshes"].values()
    assert mesh["vertices"] == len(points.positions) and "Col" in mesh["attributes"]
    np.testing.assert_allclose(mesh["bounds"], np.sort(turn_z_up(measure_bounds(points)), axis=0), atol=1e-5)


@both_cameras
def test_blender_loads_the_shot_by_its_script(run: Run, tmp_path: Path, centered: bool) -> None:
    """The preset's own script: one camera that sees every marker on its pixel of the plate, shifted lens or not."""
    write_handover(run, make_meshes(centered), tmp_path / "shot", "blender")
    (found,) = run_blender("project_blender.py", str(tmp_path / "shot"), json.dumps(locate_markers().tolist()))
    assert (found["size"], found["plate"]) == ([640, 360], [[640, 360]])
    assert (found["meshes"], found["cameras"]) == (7, 1)
    np.testing.assert_allclose(found["pixels"], expect_pixels(centered), atol=0.01)
