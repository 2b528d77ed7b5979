"""Camera files: markers fall on their pixels by each format's own formulas, and foreign cameras come in."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pycolmap
import pytest
from formats.markers import (
    both_cameras,
    expect_pixels,
    locate_markers,
    make_camera,
    make_meshes,
    make_points,
    make_still,
    project_opengl,
)
from PIL import Image
from pxr import Gf, Usd, UsdGeom
from scipy.spatial.transform import Rotation

from stillto3d import formats
from stillto3d.engine.run import Run
from stillto3d.errors import BadInput, CannotAccess
from stillto3d.formats.usd import write_usd
from stillto3d.project.project import Project, apply_patch, start_project
from stillto3d.project.space import Camera, center_camera
from stillto3d.project.still import Depth

Z_UP = np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])
"""Our Y-up world laid down: y becomes z, z becomes -y."""


def lay_down(points: np.ndarray) -> np.ndarray:
    return points @ Z_UP[:3, :3].T


def measure(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def write(run: Run, project: Project, path: Path) -> list[str]:
    return formats.write(run, project, path)


# ---------------------------------------------------------------------- markers, by each format's own formulas


@both_cameras
def test_fspy_as_blenders_importer_reads_it(run: Run, tmp_path: Path, centered: bool) -> None:
    write(run, make_meshes(centered), tmp_path / "a.fspy")
    data = (tmp_path / "a.fspy").read_bytes()
    magic, version, length, picture = struct.unpack("<IIII", data[:16])
    assert (magic, version) == (2037412710, 1) and 16 + length + picture == len(data)
    state = json.loads(data[16 : 16 + length])
    camera = state["cameraParameters"]
    (tmp_path / "still.png").write_bytes(data[16 + length :])
    assert measure(tmp_path / "still.png") == (640, 360) == (camera["imageWidth"], camera["imageHeight"])
    assert state["calibrationSettingsBase"]["referenceDistanceUnit"] == "Meters"
    pose = np.array(camera["cameraTransform"]["rows"])
    np.testing.assert_allclose(np.linalg.inv(pose), camera["viewTransform"]["rows"], atol=1e-12)
    aspect = camera["imageWidth"] / camera["imageHeight"]
    point = camera["principalPoint"]
    relative = (0.5 * (point["x"] + 1), 0.5 * (-point["y"] * aspect + 1))
    fx = 320 / math.tan(camera["horizontalFieldOfView"] / 2)
    fy = 180 / math.tan(camera["verticalFieldOfView"] / 2)
    assert camera["relativeFocalLength"] == pytest.approx(fx / 320)
    pixels = project_opengl(lay_down(locate_markers()), pose, fx, fy, relative[0] * 640, relative[1] * 360)
    np.testing.assert_allclose(pixels, expect_pixels(centered), atol=0.01)


@both_cameras
def test_fspys_own_lines_meet_at_the_vanishing_points(run: Run, tmp_path: Path, centered: bool) -> None:
    """What the app solves from: each pair of segments meets where its axis vanishes."""
    write(run, make_meshes(centered), tmp_path / "a.fspy")
    data = (tmp_path / "a.fspy").read_bytes()
    state = json.loads(data[16 : 16 + struct.unpack("<I", data[8:12])[0]])
    axes = state["cameraParameters"]["vanishingPointAxes"]
    base = state["calibrationSettingsBase"]
    pairs = [
        (base["firstVanishingPointAxis"], state["controlPointsStateBase"]["firstVanishingPoint"]),
        (base["secondVanishingPointAxis"], state["controlPointsState2VP"]["secondVanishingPoint"]),
    ]
    pose = np.array(state["cameraParameters"]["cameraTransform"]["rows"])
    for axis, lines in pairs:
        homogeneous = [np.cross(*([p["x"] * 640, p["y"] * 360, 1] for p in line)) for line in lines["lineSegments"]]
        meeting = np.cross(*homogeneous)
        direction = pose[:3, :3].T @ np.eye(3)[axes.index(axis)]
        camera = make_camera(centered)
        vanishing = [
            camera.cx - camera.fx * direction[0] / direction[2],
            camera.cy + camera.fy * direction[1] / direction[2],
        ]
        np.testing.assert_allclose(meeting[:2] / meeting[2], vanishing, rtol=1e-6)


@both_cameras
def test_colmap_markers(run: Run, tmp_path: Path, centered: bool) -> None:
    write(run, make_points(centered), tmp_path / "colmap")
    assert sorted(p.name for p in (tmp_path / "colmap").iterdir()) == ["cameras.txt", "images.txt", "points3D.txt"]
    lines = {
        name: [line for line in (tmp_path / "colmap" / f"{name}.txt").read_text().splitlines() if line[:1] != "#"]
        for name in ("cameras", "images", "points3D")
    }
    _, model, width, height, *lens = lines["cameras"][0].split()
    assert (model, width, height) == ("PINHOLE", "640", "360")
    fx, fy, cx, cy = map(float, lens)
    words = lines["images"][0].split()
    assert words[-1] == "markers.png" and lines["images"][1] == ""
    rotation = Rotation.from_quat(np.array(words[1:5], float), scalar_first=True).as_matrix()
    points = np.array([line.split()[1:4] for line in lines["points3D"]], dtype=float)
    np.testing.assert_allclose(points, locate_markers(), atol=1e-5)
    camera = points @ rotation.T + np.array(words[5:8], float)
    pixels = camera[:, :2] / camera[:, 2:] * (fx, fy) + (cx, cy)
    np.testing.assert_allclose(pixels, expect_pixels(centered), atol=0.01)


@both_cameras
def test_transforms_json_markers(run: Run, tmp_path: Path, centered: bool) -> None:
    write(run, make_meshes(centered), tmp_path / "transforms.json")
    told = json.loads((tmp_path / "transforms.json").read_text())
    (frame,) = told["frames"]
    assert measure(tmp_path / frame["file_path"]) == (told["w"], told["h"]) == (640, 360)
    pose = np.array(frame["transform_matrix"])
    pixels = project_opengl(lay_down(locate_markers()), pose, *(told[k] for k in ("fl_x", "fl_y", "cx", "cy")))
    np.testing.assert_allclose(pixels, expect_pixels(centered), atol=0.01)


@both_cameras
def test_chan_markers(run: Run, tmp_path: Path, centered: bool) -> None:
    notes = write(run, make_meshes(centered), tmp_path / "a.chan")
    assert bool(notes) is not centered
    frame, *place, rx, ry, rz, angle = map(float, (tmp_path / "a.chan").read_text().split())
    assert frame == 1
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("YXZ", (ry, rx, rz), degrees=True).as_matrix()  # z first, y last
    pose[:3, 3] = place
    wide, left, top = center_camera(make_camera(centered))
    fy = wide.height / 2 / math.tan(math.radians(angle) / 2)
    pixels = project_opengl(locate_markers(), pose, fy * 700 / 705, fy, wide.width / 2, wide.height / 2)
    np.testing.assert_allclose(pixels - (left, top), expect_pixels(centered), atol=0.01)


@both_cameras
def test_plain_json_markers(run: Run, tmp_path: Path, centered: bool) -> None:
    write(run, make_meshes(centered), tmp_path / "camera.json")
    told = json.loads((tmp_path / "camera.json").read_text())
    lens = [told["camera"][key] for key in ("fx", "fy", "cx", "cy")]
    pixels = project_opengl(locate_markers(), np.array(told["world_from_camera"]), *lens)
    np.testing.assert_allclose(pixels, expect_pixels(centered), atol=0.01)
    assert told["about"]["digitalSourceType"]


def test_a_camera_is_padded_no_more_than_needed() -> None:
    camera = make_camera(True)
    assert center_camera(camera) == (camera, 0.0, 0.0)
    wide, left, top = center_camera(replace(camera, cx=330.0, cy=175.5))
    assert (wide.width, wide.height, left, top) == (660, 369, 0.0, 9.0)  # whole pixels where that can be
    wide, left, top = center_camera(make_camera(False))
    assert (wide.width, wide.height) == (704, 438)
    assert (left, top) == pytest.approx((352 - 351.37, 219 - 141.82))
    out, left, _ = center_camera(replace(camera, cx=-100.0))
    assert out.width == 1480 and left == 840  # a principal point outside the picture


# ---------------------------------------------------------------------- reading


def bring(run: Run, path: Path) -> Camera:
    """The camera that a file brings to the markers' still."""
    patch = formats.import_camera(run, start_project(make_still()), path)
    camera = apply_patch(start_project(make_still()), patch).hero.camera
    assert camera is not None and camera.locked
    return camera


NAMES = ["a.fspy", "colmap", "transforms.json", "camera.json", "a.usdc", "a.usda", "a.usdz"]


@both_cameras
@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_comes_back(run: Run, tmp_path: Path, name: str, centered: bool) -> None:
    write(run, make_meshes(centered), tmp_path / name)
    pixels, _ = bring(run, tmp_path / name).project(locate_markers())
    np.testing.assert_allclose(pixels, expect_pixels(centered), atol=0.01)
    found = formats.inspect(run, tmp_path / name)
    json.dumps(found, allow_nan=False)
    assert found["kind"] == ("usd" if ".usd" in name else "camera")


def test_a_padded_chan_comes_back_with_the_json_beside_it(run: Run, tmp_path: Path) -> None:
    project = make_meshes(False)
    camera = project.hero.camera
    assert camera is not None
    for name in ("camera.chan", "camera.json", "alone.chan"):
        write(run, project, tmp_path / name)
    found = formats.import_camera(run, replace(project, layers=()), tmp_path / "camera.chan").shots[0].camera
    alone = formats.import_camera(run, replace(project, layers=()), tmp_path / "alone.chan").shots[0].camera
    assert found is not None and alone is not None
    assert (found.cx, found.cy, found.fy) == pytest.approx((camera.cx, camera.cy, camera.fy))
    assert alone.cx == alone.width / 2
    text = (tmp_path / "camera.chan").read_text()
    (tmp_path / "camera.chan").write_text(text.replace("1 ", "1 9", 1))  # moved since: the JSON is another camera's
    moved = formats.import_camera(run, replace(project, layers=()), tmp_path / "camera.chan").shots[0].camera
    assert moved is not None and moved.cx == moved.width / 2


def test_chan_comes_back_when_centred(run: Run, tmp_path: Path) -> None:
    square = replace(make_camera(True), fy=700.0)
    project = make_meshes(True)
    project = replace(project, shots=(replace(project.hero, camera=square),))
    write(run, project, tmp_path / "a.chan")
    expected, _ = square.project(locate_markers())
    np.testing.assert_allclose(bring(run, tmp_path / "a.chan").project(locate_markers())[0], expected, atol=0.01)


def test_a_camera_of_another_size_is_scaled(run: Run, tmp_path: Path) -> None:
    write(run, make_meshes(False), tmp_path / "camera.json")
    told = json.loads((tmp_path / "camera.json").read_text())
    for key in ("width", "height", "fx", "fy", "cx", "cy"):
        told["camera"][key] *= 3
    (tmp_path / "big.json").write_text(json.dumps(told))
    pixels, _ = bring(run, tmp_path / "big.json").project(locate_markers())
    np.testing.assert_allclose(pixels, expect_pixels(False), atol=0.01)
    told["camera"]["width"] *= 2
    (tmp_path / "wide.json").write_text(json.dumps(told))
    with pytest.raises(BadInput, match="another shape"):
        bring(run, tmp_path / "wide.json")


def test_blenders_export_in_centimetres_and_z_up(run: Run, tmp_path: Path) -> None:
    """A camera that usd-core's own Gf.Camera sets up, its sensor in the units of a stage of centimetres."""
    stage = Usd.Stage.CreateNew(str(tmp_path / "b.usda"))
    UsdGeom.SetStageUpAxis(stage, "Z")
    UsdGeom.SetStageMetersPerUnit(stage, 0.01)
    camera = make_camera(False)
    lens = Gf.Camera(horizontalAperture=36, focalLength=camera.fx * 36 / 640)
    lens.verticalAperture = 360 * lens.focalLength / camera.fy
    lens.horizontalApertureOffset = (320 - camera.cx) * lens.focalLength / camera.fx
    lens.verticalApertureOffset = (camera.cy - 180) * lens.focalLength / camera.fy
    pose = Z_UP @ camera.world_from_camera
    pose[:3, 3] *= 100
    lens.transform = Gf.Matrix4d(pose.T.tolist())
    UsdGeom.Camera.Define(stage, "/cam").SetFromCamera(lens, Usd.TimeCode.Default())
    stage.GetRootLayer().Save()
    back = bring(run, tmp_path / "b.usda")
    np.testing.assert_allclose(back.project(locate_markers())[0], expect_pixels(False), atol=0.01)
    assert back.film_back_mm == pytest.approx(36, rel=1e-5)


def test_binary_colmap_is_read(run: Run, tmp_path: Path) -> None:
    write(run, make_meshes(False), tmp_path / "colmap")
    folder = tmp_path / "bin"
    folder.mkdir()
    camera = (tmp_path / "colmap" / "cameras.txt").read_text().splitlines()[-1].split()
    lens = [float(v) for v in camera[4:]]
    (folder / "cameras.bin").write_bytes(struct.pack("<QIiQQ4d", 1, 1, 1, 640, 360, *lens))
    image = (tmp_path / "colmap" / "images.txt").read_text().splitlines()[-2].split()
    pose = [float(v) for v in image[1:8]]
    other = struct.pack("<I7dI", 7, 1, 0, 0, 0, 0, 0, 0, 1) + b"other.jpg\0" + struct.pack("<Q2dq", 1, 3, 4, 5)
    ours = struct.pack("<I7dI", 8, *pose, 1) + b"frames/Markers.JPG\0" + struct.pack("<Q", 0)
    (folder / "images.bin").write_bytes(struct.pack("<Q", 2) + other + ours)
    pixels, _ = bring(run, folder).project(locate_markers())
    np.testing.assert_allclose(pixels, expect_pixels(False), atol=0.01)


def test_pycolmap_agrees(run: Run, tmp_path: Path) -> None:
    write(run, make_points(False), tmp_path / "colmap")
    model = pycolmap.Reconstruction(str(tmp_path / "colmap"))
    image = next(iter(model.images.values()))
    pixels = [image.project_point(point) for point in locate_markers()]
    np.testing.assert_allclose(pixels, expect_pixels(False), atol=0.01)


@pytest.mark.parametrize(
    "change",
    [{"k1": 0.1}, {"p2": -1e-4}, {"camera_model": "OPENCV_FISHEYE"}, {"camera_model": "EQUIRECTANGULAR"}],
)
def test_distortion_is_refused_never_dropped(run: Run, tmp_path: Path, change: dict[str, Any]) -> None:
    write(run, make_meshes(True), tmp_path / "transforms.json")
    told = json.loads((tmp_path / "transforms.json").read_text()) | change
    (tmp_path / "bent.json").write_text(json.dumps(told))
    with pytest.raises(BadInput, match="lens distortion"):
        bring(run, tmp_path / "bent.json")
    write(run, make_meshes(True), tmp_path / "colmap")
    text = (
        (tmp_path / "colmap" / "cameras.txt").read_text().replace("PINHOLE 640 360 700 705", "OPENCV 640 360 700 705")
    )
    (tmp_path / "colmap" / "cameras.txt").write_text(text.rstrip("\n") + " 0.1 0 0 0\n")
    with pytest.raises(BadInput, match="lens distortion"):
        bring(run, tmp_path / "colmap")


def test_the_older_transforms_json(run: Run, tmp_path: Path) -> None:
    pose = (Z_UP @ make_camera(True).world_from_camera).tolist()
    frames = [{"file_path": "./train/other", "transform_matrix": np.eye(4).tolist()}]
    frames.append({"file_path": "./train/markers", "transform_matrix": pose})
    told = {"camera_angle_x": 2 * math.atan(320 / 700), "frames": frames}
    (tmp_path / "transforms.json").write_text(json.dumps(told))
    camera = bring(run, tmp_path / "transforms.json")
    assert (camera.fx, camera.fy, camera.cx) == pytest.approx((700, 700, 320))
    np.testing.assert_allclose(camera.world_from_camera, make_camera(True).world_from_camera, atol=1e-9)
    frames.pop()
    frames.append({"file_path": "a", "transform_matrix": pose})
    (tmp_path / "transforms.json").write_text(json.dumps(told))
    with pytest.raises(BadInput, match="none of its 2 pictures is called markers"):
        bring(run, tmp_path / "transforms.json")


def test_a_built_set_keeps_its_camera(run: Run, tmp_path: Path) -> None:
    project = make_meshes(True)
    write(run, project, tmp_path / "a.fspy")
    depth = Depth(np.ones((9, 16), np.float32), project.hero.still.id)
    built = replace(project, shots=(replace(project.hero, depth=depth),))
    with pytest.raises(BadInput, match="built with the camera"):
        formats.import_camera(run, built, tmp_path / "a.fspy")


def test_projects_without_a_camera_are_refused(run: Run, tmp_path: Path) -> None:
    for name in ("a.fspy", "a.chan", "a.json", "colmap"):
        with pytest.raises(BadInput, match="no camera yet"):
            write(run, start_project(make_still()), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_what_brings_no_camera_says_so(run: Run, tmp_path: Path) -> None:
    formats.write(run, make_meshes(True), tmp_path / "a.glb")
    with pytest.raises(BadInput, match=r"a.glb brings no camera; \.usdc"):
        bring(run, tmp_path / "a.glb")
    write_usd(run, Project(), tmp_path / "empty.usda")
    with pytest.raises(BadInput, match="holds no camera"):
        bring(run, tmp_path / "empty.usda")
    with pytest.raises(CannotAccess, match="does not exist"):
        bring(run, tmp_path / "missing.fspy")


GOOD = {"imageWidth": 640, "imageHeight": 360, "horizontalFieldOfView": 1, "verticalFieldOfView": 0.6}
GOOD |= {"principalPoint": {"x": 0, "y": 0}, "cameraTransform": {"rows": np.eye(4).tolist()}}


def fspy(state: bytes, picture: bytes = b"x", version: int = 1, more: int = 0) -> bytes:
    return struct.pack("<4sIII", b"fspy", version, len(state) + more, len(picture)) + state + picture


def state(**changes: Any) -> bytes:
    return json.dumps({"cameraParameters": GOOD | changes}).encode()


HOSTILE: dict[str, bytes] = {
    "empty.fspy": b"",
    "magic.fspy": b"fspx" + fspy(state())[4:],
    "version.fspy": fspy(state(), version=2),
    "length.fspy": fspy(state(), more=1 << 30),
    "json.fspy": fspy(b"{nope"),
    "unsolved.fspy": fspy(b'{"cameraParameters": null}'),
    "angle.fspy": fspy(state(horizontalFieldOfView=4)),
    "nan.fspy": fspy(state(imageWidth="640")),
    "point.fspy": fspy(state(principalPoint=[0, 0])),
    "rows.fspy": fspy(state(cameraTransform={"rows": [[1, 2], [3]]})),
    "mirror.fspy": fspy(state(cameraTransform={"rows": np.diag([-1, 1, 1, 1]).tolist()})),
    "shear.fspy": fspy(state(cameraTransform={"rows": [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]})),
    "nothing.json": b"{}",
    "deep.json": b'{"frames":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "no_frames.json": b'{"frames": []}',
    "bad_frames.json": b'{"frames": [1]}',
    "no_lens.json": b'{"frames": [{"transform_matrix": [[1,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]}]}',
    "short.json": b'{"camera_angle_x": 1, "frames": [{"transform_matrix": [[1]]}]}',
    "zero.json": b'{"fl_x": 0, "frames": [{"transform_matrix": [[1,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]}]}',
    "words.chan": b"1 2 3 four 5 6 7 8\n",
    "few.chan": b"1 2 3\n",
    "nan.chan": b"1 nan 0 0 0 0 0 40\n",
    "flat.chan": b"1 0 0 0 0 0 0 0\n",
    "empty.chan": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(run: Run, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(HOSTILE[name])
    with pytest.raises(BadInput, match=f"^{name}"):
        bring(run, tmp_path / name)


HOSTILE_MODELS: dict[str, dict[str, bytes]] = {
    "no_cameras": {"cameras.txt": b"", "images.txt": b"1 1 0 0 0 0 0 0 1 a.png\n\n"},
    "no_images": {"cameras.txt": b"1 PINHOLE 640 360 1 1 1 1\n", "images.txt": b"# none\n"},
    "few_params": {"cameras.txt": b"1 PINHOLE 640 360 1\n", "images.txt": b"1 1 0 0 0 0 0 0 1 a.png\n\n"},
    "unknown": {"cameras.txt": b"1 MAGIC 640 360 1\n", "images.txt": b"1 1 0 0 0 0 0 0 1 a.png\n\n"},
    "zero_turn": {"cameras.txt": b"1 PINHOLE 640 360 1 1 1 1\n", "images.txt": b"1 0 0 0 0 0 0 0 1 a.png\n\n"},
    "words": {"cameras.txt": b"1 PINHOLE x y 1 1 1 1\n", "images.txt": b"1 1 0 0 0 0 0 0 1 a.png\n\n"},
    "bin_count": {"cameras.bin": b"\xff" * 8, "images.bin": b"\xff" * 8},
    "bin_short": {"cameras.bin": struct.pack("<Q", 1), "images.bin": struct.pack("<Q", 0)},
    "bin_name": {
        "cameras.bin": struct.pack("<QIiQQ4d", 1, 1, 1, 640, 360, 1, 1, 1, 1),
        "images.bin": struct.pack("<QI7dI", 1, 1, *[1] * 7, 1) + b"a" * 9000,
    },
    "bin_points": {
        "cameras.bin": struct.pack("<QIiQQ4d", 1, 1, 1, 640, 360, 1, 1, 1, 1),
        "images.bin": struct.pack("<QI7dI", 1, 1, *[1] * 7, 1) + b"a\0" + b"\xff" * 8,
    },
}


@pytest.mark.parametrize("name", HOSTILE_MODELS)
def test_hostile_models_are_refused(run: Run, name: str, tmp_path: Path) -> None:
    for file, data in HOSTILE_MODELS[name].items():
        (tmp_path / file).write_bytes(data)
    with pytest.raises(BadInput, match="damaged"):
        bring(run, tmp_path)
