"""GLB as pygltflib and trimesh read it: markers fall on their pixels, splats keep their values."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pygltflib
import pytest
import trimesh
from formats.conftest import make_box
from formats.markers import (
    COLORS,
    ENDS,
    NAMES,
    both_cameras,
    expect_pixels,
    locate_markers,
    make_meshes,
    make_points,
    make_splats,
    project_opengl,
)
from PIL import Image

from stillto3d.engine.run import Run
from stillto3d.errors import BadInput
from stillto3d.formats.glb import write_glb, write_prop
from stillto3d.formats.options import WriteOptions
from stillto3d.project.geometry import Mesh, Splats
from stillto3d.project.project import Layer, LayerKind, Project, Recipe

KINDS = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


def load(path: Path) -> pygltflib.GLTF2:
    return pygltflib.GLTF2().load(str(path))


def read_accessor(document: Any, index: int) -> np.ndarray:
    accessor = document.accessors[index]
    view = document.bufferViews[accessor.bufferView]
    start = (view.byteOffset or 0) + (accessor.byteOffset or 0)
    count = accessor.count * WIDTHS[accessor.type]
    values = np.frombuffer(document.binary_blob(), KINDS[accessor.componentType], count, start)
    return values.reshape(accessor.count, -1)


def find_worlds(document: Any) -> dict[str, tuple[Any, np.ndarray]]:
    """Every node of the scene by name, with its world transform."""
    found, waiting = {}, [(k, np.eye(4)) for k in document.scenes[document.scene].nodes]
    while waiting:
        index, parent = waiting.pop()
        node = document.nodes[index]
        quaternion = node.rotation or [0, 0, 0, 1]
        turn = trimesh.transformations.quaternion_matrix(np.roll(quaternion, 1))
        scale = np.diag([*(node.scale or (1, 1, 1)), 1.0])
        world = parent @ trimesh.transformations.translation_matrix(node.translation or (0, 0, 0)) @ turn @ scale
        found[node.name] = (node, world)
        waiting += [(child, world) for child in node.children or []]
    return found


def project_through(document: Any, points: np.ndarray) -> np.ndarray:
    """Pixels of the still, through the file's camera and what its extras say of the padding."""
    node, world = find_worlds(document)["camera"]
    camera = document.cameras[node.camera]
    extras = camera.extras
    window = extras.get("padded", {"width": extras["width"], "height": extras["height"], "left": 0, "top": 0})
    width, height = window["width"], window["height"]
    fy = height / 2 / np.tan(camera.perspective.yfov / 2)
    fx = fy * width / height / camera.perspective.aspectRatio
    pixels = project_opengl(points, world, fx, fy, width / 2, height / 2)
    return pixels - (window["left"], window["top"])


@both_cameras
def test_mesh_markers_fall_on_their_pixels(run: Run, tmp_path: Path, centered: bool) -> None:
    notes = write_glb(run, make_meshes(centered), tmp_path / "m.glb")
    assert bool(notes) is not centered
    document = load(tmp_path / "m.glb")
    worlds = find_worlds(document)
    ends = np.array([worlds[name][1][:3, 3] for name in NAMES])
    np.testing.assert_allclose(ends, locate_markers(), atol=1e-6)
    np.testing.assert_allclose(project_through(document, ends), expect_pixels(centered), atol=0.01)
    scene = trimesh.load(tmp_path / "m.glb")
    for name, color, end in zip(NAMES, COLORS, locate_markers(), strict=True):
        transform, geometry = scene.graph[name]
        mesh = scene.geometry[geometry].copy()
        mesh.apply_transform(transform)
        np.testing.assert_allclose(mesh.vertices.mean(axis=0), end, atol=1e-5)
        assert mesh.is_watertight and mesh.volume > 0  # not turned inside out
        linear = read_accessor(document, document.meshes[worlds[name][0].mesh].primitives[0].attributes.COLOR_0)
        np.testing.assert_allclose(decode_linear(linear[0, :3] / 65535), color, atol=0.51)


def decode_linear(values: np.ndarray) -> np.ndarray:
    return 255 * np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)


@both_cameras
def test_points_and_splats_stand_where_the_meshes_stand(run: Run, tmp_path: Path, centered: bool) -> None:
    for make, name in ((make_points, "points"), (make_splats, "splats")):
        write_glb(run, make(centered), tmp_path / "p.glb")
        document = load(tmp_path / "p.glb")
        node, world = find_worlds(document)[name]
        primitive = document.meshes[node.mesh].primitives[0]
        assert primitive.mode == pygltflib.POINTS
        positions = read_accessor(document, primitive.attributes.POSITION)
        ends = positions @ world[:3, :3].T + world[:3, 3]
        np.testing.assert_allclose(ends, locate_markers(), atol=1e-6)
        np.testing.assert_allclose(project_through(document, ends), expect_pixels(centered), atol=0.01)
        linear = read_accessor(document, primitive.attributes.COLOR_0)[:, :3] / 65535
        np.testing.assert_allclose(decode_linear(linear), COLORS, atol=0.51)
        seen = read_accessor(document, primitive.attributes._OBSERVED)[:, 0]
        np.testing.assert_array_equal(seen, [1, 1, 1, 1, 0, 0, 0])


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_splats_are_written_as_the_extension_says(run: Run, tmp_path: Path, degree: int) -> None:
    """KHR_gaussian_splatting: quaternions xyzw of unit length, linear scales, opacity 0..1, a coefficient each."""
    project = make_splats(True, degree)
    splats = project.layers[0].geometry
    assert isinstance(splats, Splats)
    write_glb(run, project, tmp_path / "s.glb")
    document = load(tmp_path / "s.glb")
    assert "KHR_gaussian_splatting" in document.extensionsUsed and not document.extensionsRequired
    primitive = document.meshes[0].primitives[0]
    assert primitive.extensions["KHR_gaussian_splatting"] == {
        "kernel": "ellipse",
        "colorSpace": "srgb_rec709_display",
        "projection": "perspective",
        "sortingMethod": "cameraDistance",
    }
    found = {
        key.removeprefix("KHR_gaussian_splatting:"): read_accessor(document, index)
        for key, index in vars(primitive.attributes).items()
        if key.startswith("KHR_")
    }
    np.testing.assert_allclose(np.roll(found.pop("ROTATION"), 1, axis=1), splats.rotations, atol=1e-6)
    np.testing.assert_array_equal(found.pop("SCALE"), splats.scales)
    np.testing.assert_array_equal(found.pop("OPACITY")[:, 0], splats.opacity)
    wanted = [f"SH_DEGREE_{d}_COEF_{k}" for d in range(degree + 1) for k in range(2 * d + 1)]
    assert sorted(found) == sorted(wanted)
    for index, key in enumerate(wanted):
        np.testing.assert_array_equal(found[key], splats.sh[:, index])
    alpha = read_accessor(document, primitive.attributes.COLOR_0)[:, 3]
    np.testing.assert_allclose(alpha / 65535, splats.opacity, atol=1e-5)


def test_the_file_says_what_it_is(run: Run, project: Project, tmp_path: Path) -> None:
    write_glb(run, project, tmp_path / "shot.glb")
    document = load(tmp_path / "shot.glb")
    packet = document.extensions["KHR_xmp_json_ld"]["packets"][document.asset.extensions["KHR_xmp_json_ld"]["packet"]]
    assert "KHR_xmp_json_ld" in document.extensionsUsed and not document.extensionsRequired
    for prefix in {key.partition(":")[0] for key in packet if ":" in key}:
        assert packet["@context"][prefix]
    source_type = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
    assert packet["Iptc4xmpExt:DigitalSourceType"] == source_type
    label = json.loads(packet["TC260:AIGC"])
    assert label["Label"] == "1" and len(label) == 7
    assert packet["dc:identifier"] == f"urn:uuid:{label['ProduceID']}"
    assert packet["dc:source"] == f"sha256:{project.hero.still.id}"
    assert packet["dc:title"]["rdf:_1"]["@value"] == "küche 厨房"
    assert "stillnet-depth 1 (Apache-2.0)" in packet["stillto3d:models"]["@list"]
    scene = document.scenes[0]
    for extras in (document.asset.extras, scene.extras):
        assert extras["identifier"] == packet["dc:identifier"] and extras["digitalSourceType"] == source_type
        assert extras["stills"] == [{"name": "küche 厨房", "id": project.hero.still.id}]
        assert extras["made_by"] == "network"  # nobody knows the model "lens"
        assert [m["id"] for m in extras["models"]] == ["lens", "stillnet-depth"]
    root = document.nodes[scene.nodes[0]]
    assert root.name == scene.name == "küche 厨房" and root.extras["id"] == packet["dc:identifier"]
    assert "display-referred" in root.extras["colour"]  # the still's source is linear
    layer = find_worlds(document)["prop_01"][0].extras
    assert (
        layer["made_by"]["pipeline"] == "prop" and layer["digitalSourceType"] == "compositeWithTrainedAlgorithmicMedia"
    )


def test_what_was_only_computed_is_not_called_generated(run: Run, project: Project, tmp_path: Path) -> None:
    by_rule = Recipe(
        "prop", {}, ({"id": "solids", "version": "1", "licence": "Apache-2.0", "commercial": True},), 0, 1.0
    )
    write_prop(run, project.layers[1], tmp_path / "ours.glb")
    assert load(tmp_path / "ours.glb").scenes[0].extras["made_by"] == "own network"
    prop = replace(project.layers[1], made_by=by_rule)
    write_prop(run, prop, tmp_path / "prop.glb")
    about = load(tmp_path / "prop.glb").scenes[0].extras
    assert about["made_by"] == "computed" and "AIGC" not in about
    assert about["digitalSourceType"].endswith("/algorithmicMedia")


def test_the_same_work_has_the_same_name(run: Run, project: Project, tmp_path: Path) -> None:
    other = replace(project, layers=project.layers[:2])
    for name, one in (("a", project), ("b", project), ("c", other)):
        write_glb(run, one, tmp_path / f"{name}.glb")
    assert (tmp_path / "a.glb").read_bytes() == (tmp_path / "b.glb").read_bytes()
    a, c = (load(tmp_path / f"{name}.glb").scenes[0].extras["identifier"] for name in "ac")
    assert a != c


# ---------------------------------------------------------------------- textures


def make_texture(side: int, alpha: bool) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    colors = np.stack([x * 255 // side, y * 255 // side, 255 - x * 255 // side], axis=-1)
    if alpha:
        colors = np.concatenate([colors, np.where(x < side // 2, 0, 255)[..., None]], axis=2)
    return colors.astype(np.uint8)


def write_box(run: Run, texture: np.ndarray, path: Path, options: WriteOptions) -> tuple[Any, Image.Image]:
    """The document, and its one texture as Pillow reads it."""
    import io

    layer = Layer("a", "box", LayerKind.PROP, geometry=make_box(texture))
    write_glb(run, Project((), (layer,)), path, options)
    document = load(path)
    view = document.bufferViews[document.images[0].bufferView]
    start = view.byteOffset
    return document, Image.open(io.BytesIO(document.binary_blob()[start : start + view.byteLength]))


@pytest.mark.parametrize(
    ("kind", "alpha", "encoded"),
    [
        ("auto", False, "JPEG"),
        ("auto", True, "PNG"),
        ("jpeg", True, "PNG"),
        ("png", False, "PNG"),
        ("webp", True, "WEBP"),
        ("webp", False, "WEBP"),
    ],
)
def test_textures_in_every_encoding(run: Run, tmp_path: Path, kind: str, alpha: bool, encoded: str) -> None:
    texture = make_texture(256, alpha)
    document, picture = write_box(run, texture, tmp_path / "t.glb", WriteOptions(texture=kind, texture_size=64))
    assert picture.format == encoded and picture.size == (64, 64)
    assert document.images[0].mimeType == f"image/{encoded.lower()}"
    assert ("EXT_texture_webp" in (document.extensionsRequired or [])) == (kind == "webp")
    back = np.asarray(picture).astype(int)
    expected = texture.reshape(64, 4, 64, 4, -1).mean(axis=(1, 3))
    seen = np.ones((64, 64), bool) if not alpha else expected[..., 3] > 0
    wrong = np.abs(back - expected)[seen]
    assert wrong.max() < 1 if encoded == "PNG" else wrong.mean() < 2


def test_textures_that_are_small_enough_stay(run: Run, tmp_path: Path) -> None:
    texture = make_texture(64, False)
    _, picture = write_box(run, texture, tmp_path / "t.glb", WriteOptions(texture="png", texture_size=64))
    np.testing.assert_array_equal(np.asarray(picture), texture)


def test_textures_repeat_where_uvs_run_beyond_them(run: Run, tmp_path: Path) -> None:
    box = make_box(make_texture(16, False))
    assert box.corner_uvs is not None
    tiled = replace(box, corner_uvs=box.corner_uvs * np.float32(3))
    layers = tuple(Layer(str(k), str(k), LayerKind.PROP, geometry=mesh) for k, mesh in enumerate((box, tiled, box)))
    write_glb(run, Project((), layers), tmp_path / "t.glb")
    document = load(tmp_path / "t.glb")
    materials = [document.meshes[k].primitives[0].material for k in range(3)]
    textures = [document.materials[m].pbrMetallicRoughness.baseColorTexture.index for m in materials]
    wraps = [document.samplers[document.textures[t].sampler].wrapS for t in textures]
    assert wraps == [33071, 10497, 33071] and len(document.samplers) == 2


def test_colours_at_a_hole_are_not_mixed_into_the_edge(run: Run, tmp_path: Path) -> None:
    """Scaled down, what alpha hides does not shine through."""
    texture = np.zeros((64, 64, 4), np.uint8)
    texture[:, :22] = (255, 0, 0, 255)
    texture[:, 22:] = (0, 255, 0, 0)
    _, picture = write_box(run, texture, tmp_path / "t.glb", WriteOptions(texture_size=16))
    edge = np.asarray(picture)[0, 5]
    assert edge[0] == 255 and edge[1] == 0 and 100 < edge[3] < 150


@pytest.mark.parametrize(
    "wrong", [{"texture": "tga"}, {"texture_size": 4}, {"texture_size": 99999}, {"quality": 0}, {"lods": 9}]
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        WriteOptions(**wrong)


def test_markers_are_not_symmetrical() -> None:
    """The scene is awake: every flip and exchange of axes moves some marker."""
    flips = [np.diag(signs) for signs in np.ndindex(2, 2, 2)]
    for flip in flips:
        turned = ENDS @ (2 * flip - np.eye(3)).T
        assert np.allclose(turned, ENDS) == bool((2 * np.diag(flip) - 1 == 1).all())
    assert isinstance(make_meshes(True).layers[0].geometry, Mesh)
