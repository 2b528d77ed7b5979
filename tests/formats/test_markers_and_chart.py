"""One scene of markers and one chart through formats: each marker on its pixel, each colour what it was.

Cameras of fSpy, COLMAP and transforms.json, USD's own frustum and the web's canvas have these tests beside theirs.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from formats.markers import (
    both_cameras,
    expect_pixels,
    locate_markers,
    make_camera,
    make_meshes,
    make_points,
    make_splats,
    project_opengl,
)
from formats.test_pictures import CHART, make_chart, make_still, read_patches
from PIL import Image
from pxr import Usd, UsdShade

from stillto3d import formats
from stillto3d.engine.run import Run
from stillto3d.formats.glb_reader import check_glb, walk_nodes
from stillto3d.formats.options import WriteOptions
from stillto3d.project.geometry import Material, Mesh
from stillto3d.project.project import LayerKind, Project, Shot, make_layer
from stillto3d.project.space import center_camera

MAKERS = [make_meshes, make_points, make_splats]


@both_cameras
@pytest.mark.parametrize("make", MAKERS, ids=["meshes", "points", "splats"])
def test_gltf_markers(run: Run, tmp_path: Path, make: Callable[[bool], Project], centered: bool) -> None:
    """By nothing but what glTF defines: node transforms, POSITION, yfov and aspectRatio."""
    formats.write(run, make(centered), tmp_path / "m.glb")
    glb = check_glb(tmp_path / "m.glb")
    ends, pose, lens = [], np.eye(4), {}
    for node, world in walk_nodes(glb):
        if "camera" in node:
            pose, lens = world, glb.list("cameras")[node["camera"]]["perspective"]
        if "mesh" in node:
            (primitive,) = glb.list("meshes")[node["mesh"]]["primitives"]
            places = glb.read_accessor(primitive["attributes"]["POSITION"])
            places = np.c_[places, np.ones(len(places))] @ world.T
            ends += [places[:, :3].mean(axis=0)] if make is make_meshes else list(places[:, :3])
    np.testing.assert_allclose(ends, locate_markers(), atol=1e-5)
    wide, left, top = center_camera(make_camera(centered))
    fy = wide.height / 2 / np.tan(lens["yfov"] / 2)
    fx = fy * wide.width / wide.height / lens["aspectRatio"]
    pixels = project_opengl(np.array(ends), pose, fx, fy, wide.width / 2, wide.height / 2)
    np.testing.assert_allclose(pixels - (left, top), expect_pixels(centered), atol=0.01)


def make_poster(kind: str) -> Project:
    """The chart as a still, and on a square as its texture."""
    still = make_still(kind)
    corners = np.float32([(0, 0, -2), (1, 0, -2), (1, 1, -2), (0, 1, -2)])
    faces = np.array([(0, 1, 2), (0, 2, 3)], dtype=np.uint32)
    uvs = np.float32([(0, 1), (1, 1), (1, 0), (0, 0)])
    square = Mesh(corners, faces, uvs=uvs, material=Material(make_chart(CHART)))
    return Project((Shot(still),), (make_layer("poster", LayerKind.SCENE, geometry=square),))


def read_glb_texture(path: Path) -> Any:
    scene = trimesh.load(path)
    (mesh,) = scene.geometry.values()
    return mesh.visual.material.baseColorTexture


def read_usd_texture(path: Path) -> Any:
    stage = Usd.Stage.Open(str(path))
    for prim in stage.Traverse():
        file = UsdShade.Shader(prim).GetInput("file") if prim.IsA(UsdShade.Shader) else None
        if file:
            with Path(file.Get().resolvedPath).open("rb") as data:
                return Image.open(io.BytesIO(data.read()))
    raise AssertionError("no texture")


def read_obj_texture(path: Path) -> Any:
    material = path.with_suffix(".mtl").read_text(encoding="utf-8")
    (file,) = re.findall(r"^map_Kd (.*)$", material, re.MULTILINE)
    return Image.open(path.parent / file)


@pytest.mark.parametrize("texture", ["jpeg", "png"])
@pytest.mark.parametrize(
    ("name", "read"), [("a.glb", read_glb_texture), ("a.usdc", read_usd_texture), ("a.obj", read_obj_texture)]
)
def test_a_charts_colours_come_back_from_textures(
    run: Run, tmp_path: Path, name: str, read: Callable[[Path], Any], texture: str
) -> None:
    formats.write(run, make_poster("8"), tmp_path / name, WriteOptions(texture=texture))
    colors = read_patches(np.asarray(read(tmp_path / name).convert("RGB")))
    np.testing.assert_allclose(colors, CHART, atol=1.0 if texture == "jpeg" else 0)


@pytest.mark.parametrize("kind", ["8", "16"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_charts_colours_come_back_from_plates(run: Run, tmp_path: Path, suffix: str, kind: str) -> None:
    formats.write(run, make_poster(kind), tmp_path / f"a{suffix}")
    back = formats.read(run, tmp_path / f"a{suffix}").hero.still
    np.testing.assert_allclose(read_patches(back.pixels), CHART, atol=1.0)
