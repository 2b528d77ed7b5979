"""OBJ: trimesh reads what we write, textures and all; foreign ones come in as layers; lies are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from formats.markers import COLORS, NAMES, locate_markers, make_meshes, make_points

from stillto3d import formats
from stillto3d.engine.run import Run
from stillto3d.errors import BadInput
from stillto3d.formats.obj import read_obj_layers, write_obj
from stillto3d.formats.options import WriteOptions
from stillto3d.project.geometry import Mesh, measure_bounds
from stillto3d.project.project import Project


def test_trimesh_sees_markers_in_place(run: Run, tmp_path: Path) -> None:
    write_obj(run, make_meshes(True), tmp_path / "m.obj")
    mesh = trimesh.load(tmp_path / "m.obj", process=False)
    np.testing.assert_allclose(mesh.vertices.reshape(7, 4, 3).mean(axis=1), locate_markers(), atol=1e-6)
    np.testing.assert_array_equal(mesh.visual.vertex_colors[::4, :3], COLORS)
    assert mesh.is_watertight and mesh.volume > 0
    assert [layer.name for layer in read_obj_layers(run, tmp_path / "m.obj").layers] == list(NAMES)


def test_textures_lie_beside_and_come_along(run: Run, project: Project, tmp_path: Path) -> None:
    write_obj(run, project, tmp_path / "küche.obj", WriteOptions(texture="png"))
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {"küche.obj", "küche.mtl", "küche_textures/set.png", "küche_textures/prop_01.png"}
    scene = trimesh.load(tmp_path / "küche.obj", process=False)
    plate = project.hero.clean_plate
    meshes = {mesh.visual.material.name: mesh for mesh in scene.geometry.values()}
    np.testing.assert_array_equal(np.asarray(meshes["set"].visual.material.image), plate)
    original = project.layers[0].geometry
    assert isinstance(original, Mesh) and original.uvs is not None
    uv = meshes["set"].visual.uv  # trimesh's v runs up, as the file's does
    np.testing.assert_allclose(uv * (1, -1) + (0, 1), original.uvs, atol=1e-5)
    np.testing.assert_allclose(meshes["set"].bounds, measure_bounds(original), atol=1e-5)
    assert "AIGC" in (tmp_path / "küche.obj").read_text(encoding="utf-8")[:2000]


def test_our_own_come_back(run: Run, project: Project, tmp_path: Path) -> None:
    write_obj(run, project, tmp_path / "a.obj")
    found = read_obj_layers(run, tmp_path / "a.obj")
    assert [layer.name for layer in found.layers] == ["set", "prop_01", "Stuhl/椅子"] and len(found.notes) == 1
    for layer, original in zip(found.layers, project.layers, strict=False):
        assert isinstance(layer.geometry, Mesh) and layer.geometry.corner_uvs is not None
        assert original.geometry is not None
        bounds = measure_bounds(original.geometry, original.transform)
        np.testing.assert_allclose(measure_bounds(layer.geometry), bounds, atol=1e-5)


def test_an_obj_and_its_materials_are_inspected(run: Run, project: Project, tmp_path: Path) -> None:
    write_obj(run, project, tmp_path / "a.obj", WriteOptions(texture="png"))
    assert len(formats.inspect(run, tmp_path / "a.obj")["layers"]) == 3
    found = formats.inspect(run, tmp_path / "a.mtl")
    assert found["kind"] == "materials"
    assert found["materials"][0] == {"name": "set", "textures": ["a_textures/set.png"]}
    (tmp_path / "b.mtl").write_bytes(b"\xff\0 nothing\n" * 9)
    with pytest.raises(BadInput, match="no material"):
        formats.inspect(run, tmp_path / "b.mtl")


def test_a_project_without_a_mesh_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no mesh"):
        write_obj(run, make_points(True), tmp_path / "a.obj")
    assert not list(tmp_path.iterdir())


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_polygons_groups_colours_and_negative_indices(run: Run, tmp_path: Path) -> None:
    text = "# x\nv 0 0 0 1 0 0\nv 1 0 0 1 0 0\nv 1 1 0 0 1 0\nv 0 1 0 0 1 0\n"
    text += "o Quad one\nf 1 2 3 \\\n 4\ng other\nf -4//1 -3//1 -2//1\nl 1 2\n"
    layers = read_obj_layers(run, write(tmp_path / "q.obj", text)).layers
    assert [layer.name for layer in layers] == ["Quad one", "other"]
    quad, triangle = (layer.geometry for layer in layers)
    assert isinstance(quad, Mesh) and isinstance(triangle, Mesh)
    assert quad.faces.tolist() == [[0, 1, 2], [0, 2, 3]] and len(triangle.positions) == 3
    assert quad.colors is not None and quad.colors.tolist() == [[255, 0, 0]] * 2 + [[0, 255, 0]] * 2
    assert quad.corner_uvs is None


CORNERS = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"
HOSTILE = {
    "empty": "",
    "no_vertices": "f 1 2 3\n",
    "index": CORNERS + "f 1 2 4\n",
    "zero": CORNERS + "f 0 1 2\n",
    "negative": CORNERS + "f -4 -1 -2\n",
    "uv_index": CORNERS + "vt 0 0\nf 1/1 2/2 3/1\n",
    "words": CORNERS + "v one two three\n",
    "slashes": CORNERS + "f 1/ / /\n",
    "flat": "v 1 2\nf 1 1 1\n",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused(run: Run, kind: str, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"damaged|empty") as refusal:
        read_obj_layers(run, write(tmp_path / "h.obj", HOSTILE[kind]))
    assert type(refusal.value).__name__ == "BadInput"


def test_what_is_no_number_is_dropped(run: Run, tmp_path: Path) -> None:
    text = CORNERS + "v nan 0 0\nv 1e999 0 0\nf 1 2 3\nf 1 2 4\nf 1 2 5\n"
    found = read_obj_layers(run, write(tmp_path / "n.obj", text))
    assert isinstance(found.layers[0].geometry, Mesh) and len(found.layers[0].geometry.faces) == 1
    assert found.notes[0] == "2 triangles of n.obj cannot be; they were left out."
    assert len(found.layers[0].geometry.positions) == 5 or len(found.layers[0].geometry.positions) == 3


def test_other_files_are_not_opened(run: Run, tmp_path: Path) -> None:
    text = "mtllib /etc/passwd\nmtllib ../../x.mtl\n" + CORNERS + "usemtl a\nf 1 2 3\n"
    assert len(read_obj_layers(run, write(tmp_path / "m.obj", text)).layers) == 1
