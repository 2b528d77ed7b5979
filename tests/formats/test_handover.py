"""Presets: each folder holds what its text says, and each script builds the shot with the solved camera."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest
import trimesh
from formats.markers import (
    both_cameras,
    expect_pixels,
    locate_markers,
    make_camera,
    make_meshes,
    make_splats,
    project_opengl,
)
from PIL import Image

from stillto3d import formats
from stillto3d.engine.run import Run
from stillto3d.errors import BadInput, Cancelled
from stillto3d.formats.handover import PRESETS, README, SHOT, write_handover
from stillto3d.formats.options import WriteOptions
from stillto3d.project.project import Project
from stillto3d.project.space import center_camera, find_unreal_pose
from stillto3d.words import choose_language

RESOURCES = Path(__file__).parents[2] / "resources" / "handover"


def hand_over(run: Run, project: Project, out: Path, name: str) -> dict[str, Any]:
    write_handover(run, project, out, name)
    found: dict[str, Any] = json.loads((out / SHOT).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", PRESETS)
def test_a_folder_holds_what_its_text_names(run: Run, project: Project, tmp_path: Path, name: str) -> None:
    shot = hand_over(run, project, tmp_path / "out", name)
    out = tmp_path / "out"
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    for key in ("geometry", "plate", "still"):
        assert shot[key] in there
    preset = PRESETS[name]
    assert {SHOT, README, preset.script, "camera.json", "report.json"} <= there
    text = (out / README).read_text(encoding="utf-8")
    listed = {line.split("  ")[1].strip() for line in text.splitlines() if re.match(r"  \S+\.\w+( |$)", line)}
    assert there - {"report.json", README} <= listed and len(text.splitlines()) < 60
    assert "digitalsourcetype" in text and "AIGC" in text and project.hero.still.id in text and "24.90 mm" in text
    found = formats.inspect(run, out)  # every file has the size and hash of the report
    assert found["kind"] == "set" and found["preset"] == name
    for file in there - {"report.json", README, SHOT, preset.script}:
        if not file.endswith(".mtl"):
            formats.inspect(run, out / file)


@both_cameras
@pytest.mark.parametrize("name", PRESETS)
def test_markers_lie_on_the_plate(run: Run, tmp_path: Path, name: str, centered: bool) -> None:
    """Through the camera that the program gets, padded or not, onto the plate that it gets."""
    shot = hand_over(run, make_meshes(centered), tmp_path / "out", name)
    told = shot["camera"]
    padded = told["padded"] if shot["plate_is_padded"] else {"left": 0.0, "top": 0.0, "width": 640, "height": 360}
    with Image.open(tmp_path / "out" / shot["plate"]) as plate:
        assert plate.size == (padded["width"], padded["height"])
    cx, cy = (told["cx"], told["cy"]) if not shot["plate_is_padded"] else (padded["width"] / 2, padded["height"] / 2)
    pixels = project_opengl(locate_markers(), np.array(told["world_from_camera"]), told["fx"], told["fy"], cx, cy)
    np.testing.assert_allclose(pixels - (padded["left"], padded["top"]), expect_pixels(centered), atol=0.01)


@pytest.mark.parametrize("name", ["nuke", "web"])
def test_the_untouched_still_claims_no_making(run: Run, project: Project, tmp_path: Path, name: str) -> None:
    write_handover(run, project, tmp_path / "out", name)
    (still,), (plate,) = ((tmp_path / "out").glob(f"{kind}.*") for kind in ("still", "plate"))
    one, other = still.read_bytes(), plate.read_bytes()
    assert b"DigitalSourceType" in other and b"AIGC>" in other
    assert b"DigitalSourceType" not in one and b"AIGC>" not in one and b"Media<" not in one
    assert b"<stillto3d:madeBy>original</stillto3d:madeBy>" in one and project.hero.still.id.encode() in one


def test_splats_come_along(run: Run, tmp_path: Path) -> None:
    for name, file in (("houdini", "splats.ply"), ("web", "splats.spz"), ("blender", "splats.ply")):
        shot = hand_over(run, make_splats(True), tmp_path / name, name)
        assert shot["splats"] == file and (tmp_path / name / file).exists()


def test_textures_are_limited(run: Run, project: Project, tmp_path: Path) -> None:
    write_handover(run, project, tmp_path / "out", "web", WriteOptions(texture_size=16))
    scene = trimesh.load(tmp_path / "out" / "küche_厨房.glb")
    sizes = {max(mesh.visual.material.baseColorTexture.size) for mesh in scene.geometry.values()}
    assert sizes == {16} and (tmp_path / "out" / "küche_厨房_lod1.glb").exists()


def test_refusals(run: Run, project: Project, tmp_path: Path) -> None:
    bare = replace(project, shots=(replace(project.hero, camera=None),))
    empty = replace(project, layers=())
    for one, name, words in (
        (project, "fusion", "no preset"),
        (bare, "blender", "no camera"),
        (empty, "web", "no set"),
    ):
        with pytest.raises(BadInput, match=words):
            write_handover(run, one, tmp_path / "out", name)
    assert not (tmp_path / "out").exists()


def test_a_failure_leaves_the_old_folder(run: Run, project: Project, tmp_path: Path, monkeypatch: Any) -> None:
    write_handover(run, project, tmp_path / "out", "blender")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    monkeypatch.setattr("stillto3d.formats.handover._write_script", lambda *_: (_ for _ in ()).throw(Cancelled()))
    with pytest.raises(Cancelled):
        write_handover(run, project, tmp_path / "out", "nuke")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_the_text_speaks_chinese(run: Run, project: Project, tmp_path: Path) -> None:
    try:
        choose_language("zh_CN")
        write_handover(run, project, tmp_path / "out", "maya")
    finally:
        choose_language("en")
    assert "摄影机" in (tmp_path / "out" / README).read_text(encoding="utf-8")


# ---------------------------------------------------------------------- scripts


class Recorder:
    """Stands in for a program's module: any call is noted and answers with another recorder."""

    answers: ClassVar[dict[str, Any]] = {
        "camera": ["shot_camera", "shot_cameraShape"],
        "imagePlane": ["plate", "plateShape"],
        "listRelatives": ["|markers|x"],
    }

    def __init__(self, calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]], name: str = "") -> None:
        self._calls, self._name = calls, name

    def __getattr__(self, name: str) -> Recorder:
        if name.startswith("__"):
            raise AttributeError(name)
        return Recorder(self._calls, f"{self._name}.{name}".lstrip("."))

    def __call__(self, *args: Any, **options: Any) -> Any:
        self._calls.append((self._name, args, options))
        if self._name in self.answers:
            return self.answers[self._name]
        if self._name.endswith(("Matrix4", "Vector", "Rotator", "Name")):
            return args or options
        if self._name.endswith("get_editor_property") and args == ("imported_object_paths",):
            return ["/Game/plate"]
        return Recorder(self._calls, f"{self._name}({args[0]!r})" if args else self._name)


def run_script(folder: Path, script: str, module: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any, Any]]:
    """The calls that a script makes on a program's module."""
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
    fake: Any = ModuleType(module)
    recorder = Recorder(calls)
    if module == "maya":
        fake.cmds = recorder
    else:
        fake.__getattr__ = lambda name: getattr(recorder, name)
    monkeypatch.setitem(sys.modules, module, fake)
    text = (folder / script).read_text(encoding="utf-8")
    exec(compile(text, script, "exec"), {"__name__": "__main__", "__file__": str(folder / script)})
    return calls


@pytest.mark.parametrize("converts", [True, False], ids=["plug-in converts metres", "it does not"])
def test_mayas_script(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, converts: bool) -> None:
    shot = hand_over(run, make_meshes(False), tmp_path / "out", "maya")
    box = np.array(shot["bounds"]).reshape(-1) * (100 if converts else 1)
    monkeypatch.setitem(Recorder.answers, "exactWorldBoundingBox", box.tolist())
    calls = run_script(tmp_path / "out", "load_maya.py", "maya", monkeypatch)
    camera = make_camera(False)
    (lens,) = [options for name, _, options in calls if name == "camera"]
    inches = 36 / 25.4
    fx = lens["focalLength"] / (lens["horizontalFilmAperture"] * 25.4) * 640
    fy = lens["focalLength"] / (lens["verticalFilmAperture"] * 25.4) * 360
    assert (fx, fy) == pytest.approx((camera.fx, camera.fy)) and lens["horizontalFilmAperture"] == pytest.approx(inches)
    cx = 320 - lens["horizontalFilmOffset"] / lens["horizontalFilmAperture"] * 640
    cy = 180 + lens["verticalFilmOffset"] / lens["verticalFilmAperture"] * 360
    places = [options for name, _, options in calls if name == "xform"]
    pose = np.array(places[0]["matrix"]).reshape(4, 4).T  # in centimetres
    pixels = project_opengl(locate_markers() * 100, pose, fx, fy, cx, cy)
    np.testing.assert_allclose(pixels, expect_pixels(False), atol=0.01)
    assert any(name == "mayaUSDImport" and options["file"].endswith("markers.usdc") for name, _, options in calls)
    (depth,) = [args[1] for name, args, _ in calls if name == "setAttr" and str(args[0]).endswith(".depth")]
    assert 100 * max(-locate_markers()[:, 2]) < depth < lens["farClipPlane"]  # the plate stands behind everything
    grown = [args for name, args, _ in calls if name == "scale"]
    assert len(grown) == (0 if converts else 1) and all(args[:3] == pytest.approx((100,) * 3) for args in grown)
    assert any(name == "imagePlane" and options["fileName"].endswith("plate.png") for name, _, options in calls)


def test_houdinis_script(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_over(run, make_meshes(False), tmp_path / "out", "houdini")
    calls = run_script(tmp_path / "out", "load_houdini.py", "hou", monkeypatch)
    values = {}
    for name, args, _ in calls:
        found = re.search(r"parm\('(\w+)'\)\.set$", name)
        if found:
            values[found[1]] = args[0]
    (rows,) = [args[0] for name, args, _ in calls if name == "Matrix4"]
    fx = values["focal"] / values["aperture"] * values["resx"]
    fy = fx * values["aspect"]
    cx, cy = (0.5 - values["winx"]) * values["resx"], (values["winy"] + 0.5) * values["resy"]
    pixels = project_opengl(locate_markers(), np.array(rows).reshape(4, 4).T, fx, fy, cx, cy)
    np.testing.assert_allclose(pixels, expect_pixels(False), atol=0.01)
    read = [args[0] for name, args, _ in calls if name.endswith("parm('filepath1').set")]
    assert len(read) == 2 and len(set(read)) == 1
    assert values["filepath1"].endswith("markers.usdc") and values["vm_background"].endswith("plate.png")


def test_unreals_script(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_over(run, make_meshes(False), tmp_path / "out", "unreal")
    calls = run_script(tmp_path / "out", "load_unreal.py", "unreal", monkeypatch)
    place = next(args for name, args, _ in calls if name == "Vector")
    turn = next(options for name, _, options in calls if name == "Rotator")
    assert any(name.endswith("import_scene") and args[0] == "/Game/Stillto3D" for name, args, _ in calls)
    assert any(name.endswith("connect_material_expressions") and args[1] == "ViewportUV" for name, args, _ in calls)
    told = {args[0]: args[1] for name, args, _ in calls if name.endswith("set_editor_property")}
    # Unreal's own rotation matrix (FRotationMatrix): rows are the axes x forward, y right, z up
    sr, cr = math.sin(math.radians(turn["roll"])), math.cos(math.radians(turn["roll"]))
    sp, cp = math.sin(math.radians(turn["pitch"])), math.cos(math.radians(turn["pitch"]))
    sy, cy = math.sin(math.radians(turn["yaw"])), math.cos(math.radians(turn["yaw"]))
    axes = np.array(
        [
            [cp * cy, cp * sy, sp],
            [sr * sp * cy - cr * sy, sr * sp * sy + cr * cy, -sr * cp],
            [-(cr * sp * cy + sr * sy), cy * sr - cr * sp * sy, cr * cp],
        ]
    )
    markers = locate_markers() @ np.array([[0, 0, -1], [1, 0, 0], [0, 1, 0]]).T * 100
    local = (markers - np.array(place)) @ axes.T
    wide, left, top = center_camera(make_camera(False))
    fx = told["current_focal_length"] / told["sensor_width"] * wide.width
    fy = told["current_focal_length"] / told["sensor_height"] * wide.height
    pixels = np.stack(
        [wide.width / 2 + fx * local[:, 1] / local[:, 0], wide.height / 2 - fy * local[:, 2] / local[:, 0]], axis=1
    )
    np.testing.assert_allclose(pixels - (left, top), expect_pixels(False), atol=0.01)


def test_an_unreal_camera_that_is_not_turned_looks_forward() -> None:
    camera = replace(make_camera(True), world_from_camera=np.eye(4))
    place, turns = find_unreal_pose(camera)
    np.testing.assert_allclose((*place, *turns), 0, atol=1e-12)


@both_cameras
def test_nukes_script(run: Run, tmp_path: Path, centered: bool) -> None:
    hand_over(run, make_meshes(centered), tmp_path / "out", "nuke")
    text = (tmp_path / "out" / "shot.nk").read_text(encoding="utf-8")
    assert text.count("{") == text.count("}")
    nodes = re.findall(r"^(\w+) \{\n(.*?)^\}\n", text, re.MULTILINE | re.DOTALL)
    moved = [] if centered else ["Reformat", "Position"]
    kinds = ["Root", "Read", *moved, "Camera3", *["ReadGeo2"] * 7, "Scene", "Read", "ScanlineRender"]
    assert [kind for kind, _ in nodes] == kinds
    knobs = {dict(parse(body)).get("name", kind): dict(parse(body)) for kind, body in nodes}
    camera = knobs["shot_camera"]
    pose = np.array([row.split() for row in re.findall(r"\{([^{}]+)\}", camera["matrix"])], dtype=float)
    width, height = map(int, knobs["Root"]["format"].strip('"').split()[:2])
    fx = float(camera["focal"]) / float(camera["haperture"]) * width
    fy = float(camera["focal"]) / float(camera["vaperture"]) * height
    _, left, top = center_camera(make_camera(centered))
    pixels = project_opengl(locate_markers(), pose, fx, fy, width / 2, height / 2)
    np.testing.assert_allclose(pixels - (left, top), expect_pixels(centered), atol=0.01)
    for node in ("plate", "passes", "geometry1", "geometry7"):
        file = knobs[node]["file"].strip('"')
        here = "\\[file dirname \\[value root.name]]/"
        assert file.startswith(here) and (tmp_path / "out" / file.removeprefix(here)).exists()
    if not centered:
        x, y = map(int, knobs["passes_on_plate"]["translate"].strip("{}").split())
        assert abs(x - left) <= 0.5 and abs(height - y - 360 - top) <= 0.5


def test_nukes_nodes_are_fed(run: Run, project: Project, tmp_path: Path) -> None:
    """Run the script as Nuke does, by a stack: each mesh gets its texture, the render plate, scene and camera."""
    hand_over(run, project, tmp_path / "out", "nuke")
    text = (tmp_path / "out" / "shot.nk").read_text(encoding="utf-8")
    stack: list[str] = []
    fed: dict[str, list[str]] = {}
    for kind, body in re.findall(r"^(\w+) \{\n(.*?)^\}\n", text, re.MULTILINE | re.DOTALL):
        knobs = dict(parse(body))
        if kind != "Root":
            count = int(knobs.get("inputs", 1))
            fed[knobs["name"]] = [stack.pop() for _ in range(count)]
            stack.append(knobs["name"])
    assert fed["render"] == ["plate", "set_and_props", "shot_camera"]
    assert set(fed["set_and_props"]) == {"geometry1", "geometry2", "geometry3"}
    assert [fed[f"geometry{k}"] for k in (1, 2, 3)] == [["texture1"], ["texture2"], ["texture3"]]
    assert stack == ["passes_on_plate", "render"]


def parse(body: str) -> list[tuple[str, str]]:
    pairs = [line.strip().split(" ", 1) for line in body.splitlines()]
    return [(name, value) for name, value in pairs]


def test_the_scripts_are_python_and_javascript_that_compile() -> None:
    for path in RESOURCES.glob("*.py"):
        compile(path.read_text(encoding="utf-8"), path.name, "exec")
    assert {preset.script for preset in PRESETS.values()} - {p.name for p in RESOURCES.iterdir()} == {"shot.nk"}
    script = RESOURCES / "load_web.js"
    try:
        done = subprocess.run(["node", "--check", "--input-type=module", "-"], input=script.read_bytes(), check=False)
    except FileNotFoundError:
        pytest.skip("node is not installed")
    assert done.returncode == 0


def test_three_js_gets_the_padded_camera(run: Run, tmp_path: Path) -> None:
    """What load_web.js computes: the angle upright and the aspect of the padded picture."""
    told = hand_over(run, make_meshes(False), tmp_path / "out", "web")["camera"]
    wide = told["padded"]
    fov = 2 * math.atan(wide["height"] / 2 / told["fy"])
    aspect = wide["width"] / told["fx"] / (wide["height"] / told["fy"])
    fy = wide["height"] / 2 / math.tan(fov / 2)
    fx = fy * wide["width"] / wide["height"] / aspect
    pose = np.array(told["world_from_camera"])
    pixels = project_opengl(locate_markers(), pose, fx, fy, wide["width"] / 2, wide["height"] / 2)
    np.testing.assert_allclose(pixels - (wide["left"], wide["top"]), expect_pixels(False), atol=0.01)
