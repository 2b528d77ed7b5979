"""PLY: points come back from our reader and from plyfile; hostile files are refused."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from formats.conftest import make_set
from plyfile import PlyData

from stillto3d.engine.run import Run
from stillto3d.errors import BadInput
from stillto3d.formats.gather import gather_points
from stillto3d.formats.ply import write_ply, write_points
from stillto3d.formats.ply_reader import read_ply
from stillto3d.project.geometry import Points
from stillto3d.project.project import Layer, LayerKind, Project
from stillto3d.project.space import translate


def test_set_becomes_points_in_the_colours_of_its_texture(project: Project) -> None:
    texture = np.zeros((2, 2, 3), np.uint8)
    texture[0, 0], texture[1, 1] = (255, 0, 0), (0, 0, 255)
    mesh = make_set(2, 2, texture)
    layer = Layer("s", "set", LayerKind.SCENE, geometry=mesh, transform=translate((0, 0, -1)))
    hidden = replace(layer, id="h", visible=False)
    points = gather_points(replace(project, layers=(layer, hidden, *project.props())))
    np.testing.assert_allclose(points.positions, mesh.positions + np.float32([0, 0, -1]), atol=1e-6)
    assert points.colors is not None
    assert points.colors[2].tolist() == [255, 0, 0]  # the upper left corner (v runs down)
    assert points.colors[1].tolist() == [0, 0, 255]
    np.testing.assert_array_equal(points.observed, mesh.observed)


def test_plyfile_reads_what_we_write(run: Run, project: Project, tmp_path: Path) -> None:
    write_ply(run, project, tmp_path / "scene.ply")
    points = gather_points(project)
    vertices = PlyData.read(tmp_path / "scene.ply")["vertex"]
    np.testing.assert_array_equal(np.stack([vertices[a] for a in "xyz"], 1), points.positions)
    np.testing.assert_array_equal(np.stack([vertices[c] for c in ("red", "green", "blue")], 1), points.colors)
    np.testing.assert_array_equal(vertices["observed"], points.observed)
    ours = read_ply(tmp_path / "scene.ply")
    np.testing.assert_array_equal(ours.stack("x", "y", "z"), points.positions)
    assert any("stillto3d" in comment for comment in ours.header.comments)


def test_many_points_are_written_in_pieces(run: Run, tmp_path: Path) -> None:
    positions = np.random.default_rng(0).normal(size=((1 << 18) + 7, 3)).astype(np.float32)
    write_points(run, Points(positions), tmp_path / "many.ply")
    np.testing.assert_array_equal(read_ply(tmp_path / "many.ply").stack("x", "y", "z"), positions)


def test_a_project_without_a_set_is_refused(run: Run, project: Project, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no set"):
        write_ply(run, replace(project, layers=project.layers[3:]), tmp_path / "scene.ply")
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------------- reading


def make_ply(count: object, body: bytes, kind: str = "binary_little_endian", extra: str = "") -> bytes:
    head = f"ply\nformat {kind} 1.0\nelement vertex {count}\n"
    head += "".join(f"property float {axis}\n" for axis in "xyz")
    return (head + extra + "end_header\n").encode() + body


FACES = "element face 1\nproperty list uchar int vertex_indices\n"
TRIANGLE = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0)
HOSTILE = {
    "huge_count": make_ply(4_000_000_000, b"\0" * 120),
    "endless_count": make_ply("9" * 40, b""),
    "negative_count": make_ply(-1, b"", "ascii"),
    "short": make_ply(3, TRIANGLE[:-1]),
    "text_short": make_ply(3, b"0 0 0 1 1 1 2 2", "ascii"),
    "text_words": make_ply(1, b"0 zero 0", "ascii"),
    "bad_index": make_ply(3, b"0 0 0\n1 0 0\n0 1 0\n3 0 1 99\n", "ascii", FACES),
    "bad_index_binary": make_ply(3, TRIANGLE + struct.pack("<B3i", 3, 0, 1, 3), extra=FACES),
    "negative_index": make_ply(3, TRIANGLE + struct.pack("<B3i", 3, 0, 1, -1), extra=FACES),
    "negative_corners": make_ply(3, TRIANGLE + struct.pack("<b3i", -3, 0, 1, 2), extra=FACES.replace("uchar", "char")),
    "face_runs_out": make_ply(3, TRIANGLE + struct.pack("<B3i", 200, 0, 1, 2), extra=FACES),
    "many_faces": make_ply(3, TRIANGLE, extra=FACES.replace("face 1", "face 4000000000")),
    "nan_corners": make_ply(3, b"0 0 0 1 0 0 0 1 0 nan 0 1 2", "ascii", FACES),
    "no_header": b"ply\nformat ascii 1.0\n",
    "no_axes": b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n1\n",
    "twice": make_ply(1, b"0 0 0 0", "ascii", "property float x\n"),
    "unknown_type": make_ply(1, b"").replace(b"float", b"quad"),
    "list_vertices": make_ply(1, TRIANGLE, extra="property list uchar int z2\n"),
    "not_ply": b"\x89PNG\r\n\x1a\n",
    "empty": b"",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.ply"
    path.write_bytes(HOSTILE[kind])
    with pytest.raises(BadInput, match=f"^{kind}.ply is damaged"):
        read_ply(path)


@pytest.mark.parametrize("kind", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_polygons_become_triangles(kind: str, tmp_path: Path) -> None:
    order = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}[kind]
    corners = (0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0)
    body = " ".join(map(str, (*corners, 4, 0, 1, 2, 3))).encode()
    if order:
        body = struct.pack(f"{order}12fB4i", *corners, 4, 0, 1, 2, 3)
    path = tmp_path / "quad.ply"
    path.write_bytes(make_ply(4, body, kind, FACES))
    data = read_ply(path)
    assert data.faces.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert data.vertices["x"].tolist() == [0, 1, 1, 0]
