"""GLB: what is written comes back, from our reader and from trimesh; hostile files are refused."""

from __future__ import annotations

import contextlib
import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from formats.conftest import make_box, make_project

from stillto3d.engine.run import Run
from stillto3d.errors import BadInput
from stillto3d.formats import inspect
from stillto3d.formats.glb import write_glb, write_prop
from stillto3d.formats.glb_reader import Glb, check_glb, open_glb, walk_nodes
from stillto3d.project.geometry import Points, measure_bounds, place_mesh
from stillto3d.project.project import Layer, LayerKind, Project
from stillto3d.project.space import translate


def find(glb: Glb, name: str) -> tuple[dict[str, Any], np.ndarray]:
    """The node of that name and its world transform."""
    return next((node, world) for node, world in walk_nodes(glb) if node["name"] == name)


def read_primitive(glb: Glb, name: str) -> dict[str, np.ndarray]:
    """Attributes and indices of the one primitive of a node's mesh."""
    primitive = glb.list("meshes")[find(glb, name)[0]["mesh"]]["primitives"][0]
    values = {key: glb.read_accessor(index) for key, index in primitive["attributes"].items()}
    if "indices" in primitive:
        values["indices"] = glb.read_accessor(primitive["indices"])
    return values


@pytest.fixture
def written(run: Run, project: Project, tmp_path: Path) -> Glb:
    """The small project as a GLB, checked and opened."""
    write_glb(run, project, tmp_path / "shot.glb")
    return check_glb(tmp_path / "shot.glb")


def test_root_holds_camera_and_visible_layers(written: Glb, project: Project) -> None:
    nodes = [node for node, _ in walk_nodes(written)]
    assert [node["name"] for node in nodes] == ["küche 厨房", "camera", "set", "prop_01", "Stuhl/椅子"]
    assert len(written.list("scenes")) == 1 and len(written.list("scenes")[0]["nodes"]) == 1
    extras = find(written, "prop_01")[0]["extras"]
    assert extras["id"] == "b2" and extras["kind"] == "PROP" and extras["generated"] is True
    assert extras["made_by"]["params"] == {"seed": 3, "clicks": [[1.5, 2, True]], "known": None}
    assert written.document["asset"]["extras"]["models"][0]["licence"] == "Apache-2.0"


def test_camera_sees_what_the_solved_camera_sees(written: Glb, project: Project) -> None:
    camera = project.hero.camera
    assert camera is not None
    node, world = find(written, "camera")
    np.testing.assert_allclose(world, camera.world_from_camera, atol=1e-12)
    lens = written.list("cameras")[node["camera"]]
    assert lens["extras"]["padded"] == {"width": 67, "height": 52, "left": 0, "top": 4}
    fy = 52 / 2 / np.tan(lens["perspective"]["yfov"] / 2)
    fx = 67 / 2 / (np.tan(lens["perspective"]["yfov"] / 2) * lens["perspective"]["aspectRatio"])
    assert (fx, fy) == pytest.approx((camera.fx, camera.fy), rel=1e-9)
    for key in ("fx", "fy", "cx", "cy", "width", "height", "film_back_mm"):
        assert lens["extras"][key] == getattr(camera, key)
    assert lens["extras"]["origin"]["rotation"] == {"source": "network", "confidence": 0.4}


def test_meshes_come_back_in_place(written: Glb, project: Project) -> None:
    for layer in project.layers[:3]:
        assert layer.geometry is not None and not isinstance(layer.geometry, Points)
        got, split = read_primitive(written, layer.name), layer.geometry.split_seams()
        np.testing.assert_array_equal(got["POSITION"], split.positions)
        np.testing.assert_array_equal(got["indices"].reshape(-1, 3), split.faces)
        np.testing.assert_array_equal(got["TEXCOORD_0"], split.uvs)
        np.testing.assert_array_equal(got["_OBSERVED"][:, 0], split.observed)
        _, world = find(written, layer.name)
        np.testing.assert_allclose(world, layer.transform, atol=1e-9)


def test_one_texture_is_stored_once(written: Glb) -> None:
    assert len(written.list("images")) == 2  # the plate, and one texture that two boxes share
    assert [image["mimeType"] for image in written.list("images")] == ["image/jpeg"] * 2


def test_trimesh_agrees(written: Glb, project: Project) -> None:
    scene = trimesh.load(written.path)
    set_layer, prop = project.layers[0], project.layers[1]
    assert set_layer.geometry is not None and prop.geometry is not None
    for layer in (set_layer, prop):
        transform, name = scene.graph[layer.name]
        mesh = scene.geometry[name].copy()
        mesh.apply_transform(transform)
        np.testing.assert_allclose(mesh.bounds, measure_bounds(layer.geometry, layer.transform), atol=1e-6)
        assert mesh.visual.material.baseColorTexture is not None
    texture = np.asarray(scene.geometry[scene.graph["set"][1]].visual.material.baseColorTexture.convert("RGB"))
    plate = project.hero.clean_plate
    assert plate is not None and np.abs(texture.astype(int) - plate).mean() < 6


def test_prop_alone_stands_on_the_ground_in_metres(run: Run, project: Project, tmp_path: Path) -> None:
    prop = project.layers[1]
    sunk = replace(prop, geometry=place_mesh(make_box(np.zeros((2, 2, 3), np.uint8)), translate((0.2, -3, 0))))
    write_prop(run, sunk, tmp_path / "prop.glb")
    glb = check_glb(tmp_path / "prop.glb")
    _, world = find(glb, "prop_01")
    np.testing.assert_array_equal(world, np.eye(4))
    positions = read_primitive(glb, "prop_01")["POSITION"]
    assert positions[:, 1].min() == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(np.ptp(positions, axis=0), 1.5, atol=1e-6)  # the layer's scale is 1.5
    assert positions[:, 0].mean() == pytest.approx(0.3, abs=1e-6)


@pytest.mark.parametrize(
    "matrix",
    [
        np.diag([-1.0, 2.0, 3.0, 1.0]),
        np.array([[1, 0.5, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1.0]]),  # a shear: no TRS
        np.array([[1, -0.5, 0, 1], [0.3, -1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1.0]]),
        np.diag([1.0, 0.0, 1.0, 1.0]),
    ],
)
def test_any_transform_places_the_same_points(run: Run, tmp_path: Path, matrix: np.ndarray) -> None:
    box = make_box(np.zeros((2, 2, 3), np.uint8))
    layer = Layer("a", "box", LayerKind.PROP, geometry=box, transform=matrix)
    write_glb(run, Project((), (layer,)), tmp_path / "box.glb")
    glb = check_glb(tmp_path / "box.glb")
    got, (_, world) = read_primitive(glb, "box"), find(glb, "box")
    corners = got["POSITION"][got["indices"][:, 0]].astype(np.float64) @ world[:3, :3].T + world[:3, 3]
    expected = place_mesh(replace(box, normals=None), matrix).positions[box.faces.reshape(-1)]
    turned = np.linalg.det(matrix[:3, :3]) < 0 and np.linalg.det(world[:3, :3]) > 0
    expected = expected.reshape(-1, 3, 3)[:, ::-1].reshape(-1, 3) if turned else expected
    np.testing.assert_allclose(corners, expected, atol=1e-6)


def test_points_and_colours(run: Run, tmp_path: Path) -> None:
    colors = np.array([[0, 128, 255], [10, 20, 30]], dtype=np.uint8)
    points = Points(np.eye(3, dtype=np.float32)[:2], colors)
    write_glb(run, Project((), (Layer("a", "dots", LayerKind.SCENE, geometry=points),)), tmp_path / "dots.glb")
    got = read_primitive(check_glb(tmp_path / "dots.glb"), "dots")
    linear = got["COLOR_0"][:, :3] / 65535
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    np.testing.assert_array_equal(np.rint(srgb * 255), colors)


def test_alpha_becomes_a_png_that_blends(run: Run, tmp_path: Path) -> None:
    box = make_box(np.full((4, 4, 4), 77, np.uint8))
    write_glb(run, Project((), (Layer("a", "box", LayerKind.PROP, geometry=box),)), tmp_path / "a.glb")
    glb = check_glb(tmp_path / "a.glb")
    assert glb.list("images")[0]["mimeType"] == "image/png"
    assert glb.list("materials")[0]["alphaMode"] == "BLEND"


def test_empty_projects_and_lone_surrogates(run: Run, tmp_path: Path) -> None:
    write_glb(run, Project(), tmp_path / "empty.glb")
    project = make_project()
    shot = replace(project.hero, still=replace(project.hero.still, name="caf\udce9"))
    write_glb(run, replace(project, shots=(shot,)), tmp_path / "odd.glb")
    assert next(walk_nodes(check_glb(tmp_path / "odd.glb")))[0]["name"] == "caf?"


def test_uvs_that_are_not_numbers_are_refused(run: Run, tmp_path: Path) -> None:
    box = make_box(np.zeros((2, 2, 3), np.uint8))
    assert box.corner_uvs is not None
    broken = box.corner_uvs.copy()
    broken[0, 0, 0] = np.nan
    layer = Layer("a", "box", LayerKind.PROP, geometry=replace(box, corner_uvs=broken))
    with pytest.raises(BadInput, match="box holds texture coordinates"):
        write_glb(run, Project((), (layer,)), tmp_path / "box.glb")
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------------- hostile files

TRIANGLE = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0)


def make_document(**changes: Any) -> dict[str, Any]:
    """A good triangle, with parts replaced."""
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "t", "mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "buffers": [{"byteLength": 36}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
    } | changes


def pack_glb(document: dict[str, Any] | bytes, binary: bytes = TRIANGLE, length: int | None = None) -> bytes:
    """A GLB of a document (or raw JSON text) and a binary chunk; `length` lies about the whole."""
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks) if length is None else length) + chunks


def accessor(**changes: Any) -> list[dict[str, Any]]:
    return [make_document()["accessors"][0] | changes]


GOOD = pack_glb(make_document())
HOSTILE: dict[str, bytes] = {
    "bad_length": pack_glb(make_document(), length=10**9),
    "old_version": GOOD[:4] + struct.pack("<I", 1) + GOOD[8:],
    "json_length": GOOD[:12] + struct.pack("<I", 1 << 31) + GOOD[16:],
    "accessor_oob": pack_glb(make_document(accessors=accessor(count=10**9))),
    "accessor_offset": pack_glb(make_document(accessors=accessor(byteOffset=4))),
    "negative_offset": pack_glb(make_document(accessors=accessor(byteOffset=-4))),
    "unknown_type": pack_glb(make_document(accessors=accessor(componentType=9))),
    "count_text": pack_glb(make_document(accessors=accessor(count="3"))),
    "no_values": pack_glb(make_document(accessors=[{"componentType": 5126, "count": 3, "type": "VEC3"}])),
    "view_oob": pack_glb(make_document(bufferViews=[{"buffer": 0, "byteLength": 40}])),
    "buffer_oob": pack_glb(make_document(buffers=[{"byteLength": 1 << 40}])),
    "node_cycle": pack_glb(make_document(nodes=[{"children": [1]}, {"children": [0]}])),
    "node_self": pack_glb(make_document(nodes=[{}, {"children": [1]}])),
    "two_parents": pack_glb(make_document(nodes=[{"children": [1, 2]}, {"children": [2]}, {}])),
    "child_oob": pack_glb(make_document(nodes=[{"children": [7]}])),
    "mesh_oob": pack_glb(make_document(nodes=[{"mesh": 3}])),
    "infinite_place": pack_glb(make_document(nodes=[{"scale": [1, 2, 34567]}])).replace(b"34567", b"1e999"),
    "external_uri": json.dumps(make_document(buffers=[{"byteLength": 36, "uri": "../etc/passwd"}])).encode(),
    "remote_uri": json.dumps(make_document(buffers=[{"byteLength": 36, "uri": "http://127.0.0.1:9/x"}])).encode(),
    "image_uri": pack_glb(make_document(images=[{"uri": "/etc/passwd"}])),
    "json_deep": pack_glb(b'{"asset":{"version":"2.0"},"extras":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "json_nan": pack_glb(b'{"asset":{"version":"2.0"},"extras":NaN}'),
    "json_twice": pack_glb(b'{"asset":{"version":"2.0"},"asset":{"version":"2.0"}}'),
    "not_objects": pack_glb(make_document(nodes=[1, 2])),
    "wrong_kinds": pack_glb(make_document(meshes={"primitives": 3})),
    "no_asset": pack_glb(b"{}"),
    "nan_position": pack_glb(make_document(), TRIANGLE[:-4] + struct.pack("<f", float("nan"))),
    "empty": b"",
    "half_header": b"glTF\2\0",
}  # fmt: skip


def test_a_good_triangle_opens(tmp_path: Path) -> None:
    path = tmp_path / "good.glb"
    path.write_bytes(pack_glb(make_document()))
    assert check_glb(path).read_accessor(0).tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.glb"
    path.write_bytes(HOSTILE[kind])
    with pytest.raises(BadInput, match=f"^{kind}.glb "):
        check_glb(path)


def test_truncated_files_are_refused(written: Glb, tmp_path: Path) -> None:
    data, path = written.path.read_bytes(), tmp_path / "cut.glb"
    for length in range(0, len(data), 64):
        path.write_bytes(data[:length])
        with pytest.raises(BadInput):
            open_glb(path)


def test_index_that_names_no_vertex(run: Run, tmp_path: Path) -> None:
    indices = struct.pack("<3H", 0, 1, 3) + b"\0\0"
    document = make_document(
        meshes=[{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        buffers=[{"byteLength": 44}],
        bufferViews=[{"buffer": 0, "byteLength": 36}, {"buffer": 0, "byteOffset": 36, "byteLength": 6}],
        accessors=[*accessor(), {"bufferView": 1, "componentType": 5123, "count": 3, "type": "SCALAR"}],
    )
    path = tmp_path / "index.glb"
    path.write_bytes(pack_glb(document, TRIANGLE + indices))
    with pytest.raises(BadInput, match="names a vertex that does not exist"):
        check_glb(path)


def test_a_flipped_byte_never_surprises(run: Run, written: Glb, tmp_path: Path) -> None:
    """Any byte of the description may lie: it is believed or refused, and nothing else happens."""
    data, path = bytearray(written.path.read_bytes()), tmp_path / "flip.glb"
    for position in range(0, len(data), 37):
        for flip in (0x01, 0x10, 0x80):
            data[position] ^= flip
            path.write_bytes(data)
            with contextlib.suppress(BadInput):
                inspect(run, path)
            data[position] ^= flip
