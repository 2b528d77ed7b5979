"""GLB as layers: our own comes back, trimesh's and hand-made ones come in, lies are refused."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from formats.markers import COLORS, NAMES, locate_markers, make_meshes, make_points, make_splats
from formats.test_glb import make_document, pack_glb
from PIL import Image

from stillto3d.engine.run import Run
from stillto3d.errors import BadInput
from stillto3d.formats.glb import write_glb
from stillto3d.formats.glb_layers import read_glb_layers
from stillto3d.formats.options import WriteOptions
from stillto3d.formats.s3d import read_s3d, write_s3d
from stillto3d.project.geometry import Mesh, Points, Splats
from stillto3d.project.project import LayerKind, Project


def test_our_own_come_back(run: Run, project: Project, tmp_path: Path) -> None:
    write_glb(run, project, tmp_path / "a.glb", WriteOptions(texture="png"))
    found = read_glb_layers(run, tmp_path / "a.glb")
    assert [layer.name for layer in found.layers] == ["set", "prop_01", "Stuhl/椅子"] and not found.notes
    assert [layer.kind for layer in found.layers] == [LayerKind.SCENE, LayerKind.PROP, LayerKind.PROP]
    for layer, original in zip(found.layers, project.layers, strict=False):
        mesh, expected = layer.geometry, original.geometry
        assert isinstance(mesh, Mesh) and isinstance(expected, Mesh)
        np.testing.assert_allclose(layer.transform, original.transform, atol=1e-9)
        split = expected.split_seams()
        np.testing.assert_array_equal(mesh.positions, split.positions)
        np.testing.assert_array_equal(mesh.faces, split.faces)
        np.testing.assert_array_equal(mesh.uvs, split.uvs)
        np.testing.assert_array_equal(mesh.observed, split.observed)
        assert mesh.material is not None and expected.material is not None and mesh.material.unlit
        np.testing.assert_array_equal(mesh.material.base_color, expected.material.base_color)


def test_markers_points_and_splats_come_back(run: Run, tmp_path: Path) -> None:
    for make in (make_meshes, make_points, make_splats):
        project = make(True)
        write_glb(run, project, tmp_path / "a.glb")
        layers = read_glb_layers(run, tmp_path / "a.glb").layers
        assert len(layers) == len(project.layers)
        for layer, original in zip(layers, project.layers, strict=True):
            np.testing.assert_allclose(layer.transform, original.transform, atol=1e-9)
            assert type(layer.geometry) is type(original.geometry)
            for key in ("positions", "means", "colors", "scales", "opacity", "sh", "observed"):
                value = getattr(original.geometry, key, None)
                if value is not None:
                    np.testing.assert_array_equal(getattr(layer.geometry, key), value)
            if isinstance(layer.geometry, Splats) and isinstance(original.geometry, Splats):
                np.testing.assert_allclose(layer.geometry.rotations, original.geometry.rotations, atol=1e-6)


def test_trimesh_scenes_come_in(run: Run, tmp_path: Path) -> None:
    scene = trimesh.Scene()
    for name, color, place in zip(NAMES, COLORS, locate_markers(), strict=True):
        ball = trimesh.creation.icosphere(subdivisions=1, radius=0.1)
        texture = Image.fromarray(np.broadcast_to(color, (8, 8, 3)).copy())
        uv = np.full((len(ball.vertices), 2), 0.25)
        material = trimesh.visual.material.PBRMaterial(
            baseColorTexture=texture, emissiveTexture=texture, roughnessFactor=0.3, metallicFactor=0.1
        )
        ball.visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
        scene.add_geometry(
            ball, node_name=name, geom_name=name, transform=trimesh.transformations.translation_matrix(place)
        )
    scene.export(tmp_path / "t.glb")
    found = read_glb_layers(run, tmp_path / "t.glb")
    layers = {layer.name: layer for layer in found.layers}
    assert len(found.notes) == 1 and "left out" in found.notes[0]
    for name, color, place in zip(NAMES, COLORS, locate_markers(), strict=True):
        mesh = layers[name].geometry
        assert isinstance(mesh, Mesh) and mesh.material is not None and not mesh.material.unlit
        np.testing.assert_allclose(layers[name].transform[:3, 3], place, atol=1e-6)
        np.testing.assert_allclose(mesh.positions.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_array_equal(mesh.material.base_color[0, 0], color)
        assert (mesh.material.roughness, mesh.material.metallic) == pytest.approx((0.3, 0.1))


def test_metal_and_relief_come_in_and_go_out(run: Run, tmp_path: Path) -> None:
    """trimesh writes the maps of a surface; we read them, keep them in a project, and trimesh reads ours."""
    rng = np.random.default_rng(5)
    base, packed, relief = (rng.integers(0, 255, (8, 8, 3), np.uint8) for _ in range(3))
    ball = trimesh.creation.icosphere(subdivisions=1, radius=0.1)
    maps = [Image.fromarray(picture) for picture in (base, packed, relief)]
    material = trimesh.visual.material.PBRMaterial(
        baseColorTexture=maps[0], metallicRoughnessTexture=maps[1], normalTexture=maps[2]
    )
    ball.visual = trimesh.visual.TextureVisuals(uv=np.full((len(ball.vertices), 2), 0.25), material=material)
    trimesh.Scene(ball).export(tmp_path / "theirs.glb")
    found = read_glb_layers(run, tmp_path / "theirs.glb")
    write_s3d(run, found.make_project(), tmp_path / "kept.s3d")
    write_glb(run, read_s3d(run, tmp_path / "kept.s3d"), tmp_path / "ours.glb", WriteOptions(texture="png"))
    (theirs,) = trimesh.load(tmp_path / "ours.glb").geometry.values()
    shown = theirs.visual.material
    np.testing.assert_array_equal(np.asarray(shown.baseColorTexture.convert("RGB")), base)
    np.testing.assert_array_equal(np.asarray(shown.normalTexture.convert("RGB")), relief)
    np.testing.assert_array_equal(np.asarray(shown.metallicRoughnessTexture.convert("RGB"))[..., 1:], packed[..., 1:])
    assert not found.notes and shown.occlusionTexture is None


# ---------------------------------------------------------------------- made by hand

SQUARE = struct.pack("<12f", 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0)


def write_square(path: Path, mode: int, **changes: Any) -> None:
    attributes = {"POSITION": 0}
    document = make_document(
        meshes=[{"primitives": [{"attributes": attributes, "mode": mode}]}],
        buffers=[{"byteLength": 48}],
        bufferViews=[{"buffer": 0, "byteLength": 48}],
        accessors=[{"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"}],
    )
    path.write_bytes(pack_glb(document | changes, SQUARE))


@pytest.mark.parametrize(
    ("mode", "faces"), [(4, [[0, 1, 2]]), (5, [[0, 1, 2], [1, 3, 2]]), (6, [[0, 1, 2], [0, 2, 3]])]
)
def test_strips_and_fans_become_triangles(run: Run, tmp_path: Path, mode: int, faces: list[list[int]]) -> None:
    write_square(tmp_path / "s.glb", mode)
    mesh = read_glb_layers(run, tmp_path / "s.glb").layers[0].geometry
    assert isinstance(mesh, Mesh) and mesh.faces.tolist() == faces


def test_lines_hold_nothing_and_points_are_points(run: Run, tmp_path: Path) -> None:
    write_square(tmp_path / "l.glb", 1)
    found = read_glb_layers(run, tmp_path / "l.glb")
    assert not found.layers
    with pytest.raises(BadInput, match="nothing that can be shown"):
        found.make_project()
    write_square(tmp_path / "p.glb", 0)
    assert isinstance(read_glb_layers(run, tmp_path / "p.glb").layers[0].geometry, Points)


def test_what_is_compressed_is_refused_in_words(run: Run, tmp_path: Path) -> None:
    write_square(tmp_path / "d.glb", 4, extensionsRequired=["KHR_draco_mesh_compression"])
    with pytest.raises(BadInput, match="needs KHR_draco_mesh_compression"):
        read_glb_layers(run, tmp_path / "d.glb")


def test_a_plain_colour_becomes_vertex_colours(run: Run, tmp_path: Path) -> None:
    write_square(tmp_path / "c.glb", 4)
    document = make_document(
        meshes=[{"primitives": [{"attributes": {"POSITION": 0}, "material": 0}]}],
        materials=[{"pbrMetallicRoughness": {"baseColorFactor": [0.2140411, 0, 1, 1]}}],
    )
    (tmp_path / "c.glb").write_bytes(pack_glb(document))
    mesh = read_glb_layers(run, tmp_path / "c.glb").layers[0].geometry
    assert isinstance(mesh, Mesh) and mesh.colors is not None
    np.testing.assert_allclose(mesh.colors, [[127.5, 0, 255]] * 3, atol=0.6)


def test_instances_share_and_too_many_are_refused(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [{"children": [1, 2, 3]}, *({"mesh": 0, "name": f"n{k}", "translation": [k, 0, 0]} for k in range(3))]
    (tmp_path / "i.glb").write_bytes(pack_glb(make_document(nodes=nodes)))
    layers = read_glb_layers(run, tmp_path / "i.glb").layers
    assert len(layers) == 3 and len({id(layer.geometry) for layer in layers}) == 1
    monkeypatch.setattr("stillto3d.formats.imported.MOST_LAYERS", 2)
    with pytest.raises(BadInput, match="more than 2 objects"):
        read_glb_layers(run, tmp_path / "i.glb")


def test_moved_textures_lie_where_they_belong(run: Run, tmp_path: Path) -> None:
    """KHR_texture_transform, against the formula of its specification."""
    import io

    picture = io.BytesIO()
    Image.new("RGB", (4, 4), (9, 8, 7)).save(picture, "PNG")
    data = picture.getvalue()
    uvs = struct.pack("<6f", 0, 0, 1, 0, 0, 1)
    binary = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0) + uvs + data
    moved = {"offset": [0.1, 0.2], "rotation": np.pi / 2, "scale": [0.5, 2]}
    slot = {"index": 0, "extensions": {"KHR_texture_transform": moved}}
    document = make_document(
        meshes=[{"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "material": 0}]}],
        materials=[{"pbrMetallicRoughness": {"baseColorTexture": slot}}],
        textures=[{"source": 0}],
        images=[{"bufferView": 2, "mimeType": "image/png"}],
        buffers=[{"byteLength": len(binary)}],
        bufferViews=[
            {"buffer": 0, "byteLength": 36},
            {"buffer": 0, "byteOffset": 36, "byteLength": 24},
            {"buffer": 0, "byteOffset": 60, "byteLength": len(data)},
        ],
        accessors=[
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5126, "count": 3, "type": "VEC2"},
        ],
    )
    (tmp_path / "t.glb").write_bytes(pack_glb(document, binary))
    mesh = read_glb_layers(run, tmp_path / "t.glb").layers[0].geometry
    assert isinstance(mesh, Mesh) and mesh.uvs is not None
    # (u, v) -> scale -> turned by 90 degrees: (v', -u') -> shifted
    np.testing.assert_allclose(mesh.uvs, [[0.1, 0.2], [0.1, -0.3], [2.1, 0.2]], atol=1e-6)
    assert mesh.material is not None and mesh.material.base_color[0, 0].tolist() == [9, 8, 7]
