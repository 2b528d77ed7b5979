"""PLY splats, meshes and points as plyfile, gsply and trimesh read them; and foreign ones as layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gsply
import numpy as np
import pytest
import trimesh
from formats.markers import COLORS, both_cameras, locate_markers, make_meshes, make_points, make_splats
from plyfile import PlyData, PlyElement
from scipy.spatial.transform import Rotation

from stillto3d.engine.run import Run
from stillto3d.errors import BadInput
from stillto3d.formats.gather import gather_splats
from stillto3d.formats.options import WriteOptions
from stillto3d.formats.ply import write_ply
from stillto3d.formats.ply_layers import read_ply_layers
from stillto3d.project.geometry import Mesh, Points, Splats, place_splats
from stillto3d.project.harmonics import evaluate_harmonics
from stillto3d.project.project import Layer, LayerKind, Project


def name_fields(degree: int) -> list[str]:
    """INRIA's names in INRIA's order."""
    rest = 3 * ((degree + 1) ** 2 - 1)
    names = ["x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", *(f"f_rest_{k}" for k in range(rest))]
    return [*names, "opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"]


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_the_layout_is_inrias(run: Run, tmp_path: Path, degree: int) -> None:
    project = make_splats(True, degree)
    write_ply(run, project, tmp_path / "s.ply")
    data = PlyData.read(tmp_path / "s.ply")
    assert [element.name for element in data.elements] == ["vertex"] and data.byte_order == "<"
    vertex = data["vertex"]
    assert [(p.name, p.val_dtype) for p in vertex.properties] == [(name, "f4") for name in name_fields(degree)]
    splats = gather_splats(project)
    assert splats is not None
    stack = lambda *names: np.stack([vertex[name] for name in names], axis=1)  # noqa: E731
    np.testing.assert_allclose(stack("x", "y", "z"), locate_markers(), atol=1e-6)
    np.testing.assert_allclose(1 / (1 + np.exp(-vertex["opacity"])), splats.opacity, rtol=1e-6)
    np.testing.assert_allclose(np.exp(stack("scale_0", "scale_1", "scale_2")), splats.scales, rtol=1e-6)
    np.testing.assert_allclose(stack("rot_0", "rot_1", "rot_2", "rot_3"), splats.rotations, rtol=1e-6)
    rest = splats.sh.shape[1] - 1
    for channel in range(3):
        np.testing.assert_array_equal(vertex[f"f_dc_{channel}"], splats.sh[:, 0, channel])
        for k in range(rest):
            np.testing.assert_array_equal(vertex[f"f_rest_{channel * rest + k}"], splats.sh[:, 1 + k, channel])


def test_gsply_agrees(run: Run, tmp_path: Path) -> None:
    project = make_splats(True, 3)
    write_ply(run, project, tmp_path / "s.ply")
    splats, found = gather_splats(project), gsply.plyread(str(tmp_path / "s.ply"))
    assert splats is not None
    np.testing.assert_allclose(found.means, splats.means, atol=1e-6)
    np.testing.assert_allclose(np.exp(found.scales), splats.scales, rtol=1e-5)
    np.testing.assert_allclose(found.quats, splats.rotations, atol=1e-6)
    np.testing.assert_allclose(found.sh0, splats.sh[:, 0], atol=1e-6)
    np.testing.assert_allclose(found.shN, splats.sh[:, 1:], atol=1e-6)


def test_splats_are_seen_in_the_same_colours_in_the_world(run: Run, tmp_path: Path) -> None:
    """The layer is turned: so are its ellipsoids and what their harmonics show from each side."""
    project = make_splats(True, 3)
    layer = project.layers[0]
    assert isinstance(layer.geometry, Splats)
    write_ply(run, project, tmp_path / "s.ply")
    (back,) = read_ply_layers(run, tmp_path / "s.ply").layers
    assert isinstance(back.geometry, Splats)
    directions = np.random.default_rng(0).normal(size=(20, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    turn = layer.transform[:3, :3]
    local = np.einsum("dk,nkc->ndc", evaluate_harmonics(directions, 3), layer.geometry.sh)
    world = np.einsum("dk,nkc->ndc", evaluate_harmonics(directions @ turn.T, 3), back.geometry.sh)
    np.testing.assert_allclose(world, local, atol=1e-5)
    axes = turn @ Rotation.from_quat(layer.geometry.rotations, scalar_first=True).as_matrix()
    found = Rotation.from_quat(back.geometry.rotations, scalar_first=True).as_matrix()
    np.testing.assert_allclose(found, axes, atol=1e-5)


@both_cameras
def test_splats_points_and_mesh_agree(run: Run, tmp_path: Path, centered: bool) -> None:
    write_ply(run, make_points(centered), tmp_path / "p.ply")
    write_ply(run, make_meshes(centered), tmp_path / "m.ply")
    points = PlyData.read(tmp_path / "p.ply")["vertex"]
    np.testing.assert_allclose(np.stack([points[a] for a in "xyz"], 1), locate_markers(), atol=1e-6)
    np.testing.assert_array_equal(np.stack([points[c] for c in ("red", "green", "blue")], 1), COLORS)
    mesh = trimesh.load(tmp_path / "m.ply", process=False)
    pieces = mesh.vertices.reshape(7, 4, 3)
    np.testing.assert_allclose(pieces.mean(axis=1), locate_markers(), atol=1e-6)
    np.testing.assert_array_equal(mesh.visual.vertex_colors[::4, :3], COLORS)
    assert mesh.is_watertight and mesh.volume > 0


def test_what_is_written_is_chosen(run: Run, project: Project, tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    for content, faces in (("auto", False), ("points", False), ("mesh", True)):
        write_ply(run, project, path, WriteOptions(content=content))
        assert ("face" in PlyData.read(path)) is faces
    with pytest.raises(BadInput, match="no splats"):
        write_ply(run, project, path, WriteOptions(content="splats"))
    mesh = PlyData.read(path)
    assert len(mesh["face"].data) == 11 * 11 * 2 + 12 + 12  # the set and two boxes; what is hidden stays
    assert "observed" in mesh["vertex"]


def test_the_comments_say_what_the_file_is(run: Run, project: Project, tmp_path: Path) -> None:
    write_ply(run, project, tmp_path / "a.ply")
    comments = PlyData.read(tmp_path / "a.ply").comments
    assert any(line.startswith("AIGC {") and '"Label":"1"' in line for line in comments)
    assert any("compositeWithTrainedAlgorithmicMedia" in line for line in comments)
    assert f"still sha256:{project.hero.still.id}" in comments
    assert all(line.isascii() for line in comments)


def test_several_splat_layers_become_one(run: Run, tmp_path: Path) -> None:
    rich, plain = make_splats(True, 3).layers[0], make_splats(True, 0).layers[0]
    both = Project((), (rich, replace(plain, id="other")))
    write_ply(run, both, tmp_path / "s.ply")
    data = PlyData.read(tmp_path / "s.ply")["vertex"]
    assert data.count == 14 and "f_rest_44" in data
    assert (data["f_rest_44"][7:] == 0).all()


def test_opacities_of_0_and_1_survive(run: Run, tmp_path: Path) -> None:
    base = make_splats(True, 0).layers[0].geometry
    assert isinstance(base, Splats)
    hard = replace(base, opacity=np.float32([0, 1, 0.5, 0, 1, 1, 0]), scales=base.scales * np.float32(0))
    layer = Layer("s", "s", LayerKind.SCENE, geometry=hard)
    write_ply(run, Project((), (layer,)), tmp_path / "s.ply")
    (back,) = read_ply_layers(run, tmp_path / "s.ply").layers
    assert isinstance(back.geometry, Splats)
    np.testing.assert_allclose(back.geometry.opacity, hard.opacity, atol=1e-6)
    assert (back.geometry.scales < 1e-18).all()


# ---------------------------------------------------------------------- foreign files


def write_foreign(path: Path, fields: dict[str, np.ndarray], text: bool = False) -> None:
    rows = np.zeros(len(next(iter(fields.values()))), dtype=[(name, a.dtype.str) for name, a in fields.items()])
    for name, array in fields.items():
        rows[name] = array
    PlyData([PlyElement.describe(rows, "vertex")], text=text).write(path)


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_foreign_splats_are_understood(run: Run, tmp_path: Path, text: bool, kind: str) -> None:
    rng = np.random.default_rng(1)
    fields = {name: rng.normal(size=5).astype(kind) for name in name_fields(1) if not name.startswith("n")}
    write_foreign(tmp_path / "f.ply", fields, text)
    (layer,) = read_ply_layers(run, tmp_path / "f.ply").layers
    splats = layer.geometry
    assert isinstance(splats, Splats) and layer.kind is LayerKind.SCENE
    np.testing.assert_allclose(np.linalg.norm(splats.rotations, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(splats.sh[:, 2, 1], fields["f_rest_4"], rtol=1e-5)


def test_splats_that_cannot_be_are_dropped_and_counted(run: Run, tmp_path: Path) -> None:
    fields = {name: np.full(6, 0.5, np.float32) for name in name_fields(0)}
    fields["opacity"][0] = np.nan
    fields["scale_1"][1] = 80
    for k in range(4):
        fields[f"rot_{k}"][2] = 0
    fields["x"][3] = np.inf
    write_foreign(tmp_path / "bad.ply", fields)
    found = read_ply_layers(run, tmp_path / "bad.ply")
    assert isinstance(found.layers[0].geometry, Splats) and len(found.layers[0].geometry.means) == 2
    assert found.notes == ["4 splats of bad.ply cannot be; they were left out."]


def test_harmonics_of_no_degree_are_refused(run: Run, tmp_path: Path) -> None:
    fields = {name: np.ones(2, np.float32) for name in [*name_fields(0), "f_rest_0"]}
    write_foreign(tmp_path / "odd.ply", fields)
    with pytest.raises(BadInput, match="harmonics"):
        read_ply_layers(run, tmp_path / "odd.ply")


@pytest.mark.parametrize(("kind", "top"), [("u1", 255), ("u2", 65535), ("f4", 1)])
def test_foreign_points_keep_their_colours(run: Run, tmp_path: Path, kind: str, top: float) -> None:
    fields = {axis: np.float32([0, 1, np.nan]) for axis in "xyz"}
    fields |= {name: np.array([0, top, top]).astype(kind) for name in ("red", "green", "blue")}
    write_foreign(tmp_path / "p.ply", fields)
    found = read_ply_layers(run, tmp_path / "p.ply")
    points = found.layers[0].geometry
    assert isinstance(points, Points) and points.colors is not None
    assert points.colors.tolist() == [[0] * 3, [255] * 3] and len(found.notes) == 1


def test_a_mesh_of_trimesh_comes_in(run: Run, tmp_path: Path) -> None:
    ball = trimesh.creation.icosphere(subdivisions=2)
    ball.visual.vertex_colors = np.arange(len(ball.vertices))[:, None] % 255 + np.zeros(3)
    ball.export(tmp_path / "ball.ply", vertex_normal=True)
    (layer,) = read_ply_layers(run, tmp_path / "ball.ply").layers
    mesh = layer.geometry
    assert isinstance(mesh, Mesh) and mesh.is_watertight() and mesh.colors is not None and mesh.normals is not None
    np.testing.assert_allclose(mesh.positions, ball.vertices, atol=1e-6)


def test_triangles_of_lost_vertices_go(run: Run, tmp_path: Path) -> None:
    vertices = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (np.nan, 0, 0)], dtype=[(a, "f4") for a in "xyz"])
    faces = np.array([([0, 1, 2],), ([0, 1, 3],)], dtype=[("vertex_indices", "i4", (3,))])
    elements = [PlyElement.describe(vertices, "vertex"), PlyElement.describe(faces, "face")]
    PlyData(elements).write(tmp_path / "m.ply")
    found = read_ply_layers(run, tmp_path / "m.ply")
    assert isinstance(found.layers[0].geometry, Mesh) and len(found.layers[0].geometry.faces) == 1
    assert found.notes == ["1 triangles of m.ply cannot be; they were left out."]


def test_placed_twice_is_placed_once() -> None:
    """Composition: two placements are their product."""
    splats = make_splats(True, 2).layers[0].geometry
    assert isinstance(splats, Splats)
    a, b = np.eye(4), np.eye(4)
    a[:3, :3], b[:3, :3] = (Rotation.from_euler("xyz", e).as_matrix() for e in ((1, 2, 3), (0.3, 0.2, 0.1)))
    a[:3, 3] = 1, 2, 3
    twice, once = place_splats(place_splats(splats, b), a), place_splats(splats, a @ b)
    np.testing.assert_allclose(twice.sh, once.sh, atol=1e-5)
    np.testing.assert_allclose(np.abs((twice.rotations * once.rotations).sum(axis=1)), 1, atol=1e-5)
