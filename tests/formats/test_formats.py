"""The table of formats: what a path holds is told by its content, and every refusal is a sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from formats.markers import make_meshes, make_splats

from stillto3d import formats
from stillto3d.engine.run import Run
from stillto3d.errors import BadInput, CannotAccess
from stillto3d.formats.glb import write_prop
from stillto3d.formats.inspection import measure_picture
from stillto3d.formats.picture import write_mask, write_png
from stillto3d.formats.staging import stage_set
from stillto3d.models.roles import DecodeImage, EncodeImage
from stillto3d.project.geometry import measure_bounds
from stillto3d.project.project import Project


@pytest.mark.parametrize("suffix", [".s3d", ".glb", ".ply", ".GLB"])
def test_everything_written_can_be_inspected(run: Run, project: Project, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"kitchen{suffix}"
    formats.write(run, project, path)
    found = formats.inspect(run, path)
    json.dumps(found, allow_nan=False)
    assert found["kind"] == {".s3d": "project"}.get(suffix, suffix.lower()[1:])
    renamed = path.rename(tmp_path / "no suffix")  # the content decides
    assert formats.inspect(run, renamed) == found


def test_a_project_is_described(run: Run, project: Project, tmp_path: Path) -> None:
    formats.write(run, project, tmp_path / "kitchen.s3d")
    found = formats.inspect(run, tmp_path / "kitchen.s3d")
    assert found["shots"][0]["camera"]["origin"]["focal"] == {"source": "exif", "confidence": 1.0}
    assert [layer["name"] for layer in found["layers"]] == ["set", "prop_01", "Stuhl/椅子", "hidden"]
    box = found["layers"][1]
    assert box["geometry"]["watertight"] and box["geometry"]["triangles"] == 12 and box["takes"] == 1
    assert found["models"] == [{"id": "stillnet-depth", "version": "1", "licence": "Apache-2.0", "commercial": True}]


def test_a_glb_is_described(run: Run, project: Project, tmp_path: Path) -> None:
    formats.write(run, project, tmp_path / "kitchen.glb")
    found = formats.inspect(run, tmp_path / "kitchen.glb")
    assert found["name"] == "küche 厨房" and found["cameras"][0]["extras"]["fx"] == 70.0
    assert {layer["name"]: layer["watertight"] for layer in found["layers"]} == {
        "set": False,
        "prop_01": True,
        "Stuhl/椅子": True,
    }
    assert [(t["width"], t["height"]) for t in found["textures"]] == [(64, 48), (32, 24)]
    write_prop(run, project.layers[1], tmp_path / "prop.glb")
    alone = formats.inspect(run, tmp_path / "prop.glb")
    assert alone["bounds"][0][1] == 0 and alone["bounds"][1][1] == 1.5 and not alone["cameras"]


def test_points_that_are_not_numbers_are_counted(run: Run, tmp_path: Path) -> None:
    head = "ply\nformat ascii 1.0\nelement vertex 3\n" + "".join(f"property float {a}\n" for a in "xyz")
    (tmp_path / "nan.ply").write_text(head + "end_header\n0 0 0\n1 nan 2\n3 inf 5\n")
    found = formats.inspect(run, tmp_path / "nan.ply")
    assert (found["vertices"], found["not_numbers"]) == (3, 2) and found["bounds"] == [[0, 0, 0], [0, 0, 0]]


def test_stills_are_read_and_described(run: Run, project: Project, tmp_path: Path) -> None:
    pixels = project.hero.still.pixels
    write_png(run, pixels, tmp_path / "still.png")
    opened = formats.read(run, tmp_path / "still.png")
    np.testing.assert_array_equal(opened.hero.still.pixels, pixels)
    assert opened.hero.still.name == "still" and not opened.layers
    found = formats.inspect(run, tmp_path / "still.png")
    assert (found["kind"], found["width"], found["height"]) == ("still", 64, 48)


def test_a_mask_comes_back_soft(run: Run, project: Project, tmp_path: Path) -> None:
    mask = next(iter(project.layers[1].masks.values()))
    write_mask(run, mask, tmp_path / "mask.png")
    decoded = run.call(DecodeImage((tmp_path / "mask.png").read_bytes()))
    np.testing.assert_array_equal(decoded[..., 0], mask.alpha)


def test_a_set_is_inspected_by_its_report(run: Run, tmp_path: Path) -> None:
    with stage_set(tmp_path / "out") as area:
        (area.folder / "a.txt").write_text("a")
        area.commit(run, {"still": {"name": "a"}})
    found = formats.inspect(run, tmp_path / "out")
    assert found["kind"] == "set" and found["files"][0]["path"] == "a.txt"
    (tmp_path / "out" / "a.txt").write_text("b")
    with pytest.raises(BadInput, match="does not match its report"):
        formats.inspect(run, tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="without a report"):
        formats.inspect(run, tmp_path / "empty")


def test_refusals_are_sentences(run: Run, project: Project, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no suffix that stillto3d writes; it writes .s3d .glb .ply"):
        formats.write(run, project, tmp_path / "kitchen.fbx")
    formats.write(run, project, tmp_path / "kitchen.glb")
    with pytest.raises(BadInput, match="cannot be opened as a project"):
        formats.read(run, tmp_path / "kitchen.glb")
    for name in ("missing.jpg", "missing.s3d"):
        with pytest.raises(CannotAccess, match=f"{name} does not exist"):
            formats.read(run, tmp_path / name)
        with pytest.raises(CannotAccess, match=f"{name} does not exist"):
            formats.inspect(run, tmp_path / name)
    with pytest.raises(BadInput):
        formats.read(run, tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.jpg")
        for action in (formats.read, formats.inspect):
            with pytest.raises(BadInput, match="not a"):
                action(run, tmp_path / "pipe.jpg")


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_pictures_tell_their_size(run: Run, kind: str) -> None:
    data = run.call(EncodeImage(np.zeros((7, 300, 3), np.uint8), kind))
    assert measure_picture(data) == (300, 7)
    for length in range(0, 40):
        measure_picture(data[:length])
    assert measure_picture(b"\xff\xd8\xff\xe0\0\0\xff\xe0\0\0" * 9) == (0, 0)


@pytest.mark.parametrize("suffix", [".glb", ".ply", ".obj", ".spz"])
def test_geometry_of_any_kind_can_be_turned_into_any_other(run: Run, tmp_path: Path, suffix: str) -> None:
    source, target = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    formats.write(run, make_splats(True) if suffix == ".spz" else make_meshes(True), source)
    bare = formats.read(run, source, without_still=True)
    assert not bare.shots and bare.layers
    formats.write(run, bare, target)
    again = formats.read(run, target, without_still=True)
    boxes = [[measure_bounds(layer.geometry, layer.transform) for layer in one.layers] for one in (bare, again)]
    np.testing.assert_allclose(boxes[0], boxes[1], atol=1e-3)
    found = formats.inspect(run, target)
    assert found["kind"] == suffix[1:]
    json.dumps(found, allow_nan=False)


def test_pictures_and_projects_bring_no_layers(run: Run, project: Project, tmp_path: Path) -> None:
    write_png(run, project.hero.still.pixels, tmp_path / "a.png")
    with pytest.raises(BadInput, match=r"a.png brings no layers; \.glb \.ply"):
        formats.import_layers(run, tmp_path / "a.png")
    with pytest.raises(CannotAccess, match="does not exist"):
        formats.import_layers(run, tmp_path / "missing.glb")


@pytest.mark.parametrize("name", ["a.glb", "a.ply", "a.usda", "a.exr", "a.chan", "a.s3d"])
def test_a_folder_that_is_not_there_is_made(run: Run, project: Project, tmp_path: Path, name: str) -> None:
    formats.write(run, project, tmp_path / "new" / "folder" / name)
    assert (tmp_path / "new" / "folder" / name).stat().st_size
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CannotAccess):
        formats.write(run, project, tmp_path / "file" / name)
