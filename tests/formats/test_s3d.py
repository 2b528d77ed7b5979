"""The project file reopens to the same state; files that lie are refused before they cost anything."""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from formats.conftest import make_project

from stillto3d.engine.run import Run
from stillto3d.errors import BadInput, CannotAccess
from stillto3d.formats.s3d import check_s3d, read_s3d, write_s3d
from stillto3d.project.geometry import Mesh, Points, Splats
from stillto3d.project.project import Layer, LayerKind, Policy, Project


def assert_same(one: Any, other: Any, where: str = "project") -> None:
    """Every field equal, arrays bit by bit with their dtypes."""
    if isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray) and one.dtype == other.dtype and one.shape == other.shape, where
        assert one.tobytes() == other.tobytes() and not other.flags.writeable, where
    elif is_dataclass(one):
        assert type(one) is type(other), where
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name), f"{where}.{field.name}")
    elif isinstance(one, Mapping):
        assert list(one) == list(other), where
        for key in one:
            assert_same(one[key], other[key], f"{where}[{key!r}]")
    elif isinstance(one, tuple):
        assert len(one) == len(other), where
        for k, (a, b) in enumerate(zip(one, other, strict=True)):
            assert_same(a, b, f"{where}[{k}]")
    else:
        assert one == other and (isinstance(one, Enum) or type(one) is type(other)), where


def test_reopens_to_the_same_state(run: Run, project: Project, tmp_path: Path) -> None:
    path = tmp_path / "kitchen.s3d"
    project = replace(project, policy=Policy("commercial", "DE"), unit_scale=2.5)
    write_s3d(run, project, path)
    assert_same(project, read_s3d(run, path))


def test_no_field_is_forgotten(project: Project) -> None:
    """The project of these tests uses every field of its values, so that a new field fails here."""
    shot = project.hero
    for values in ([shot], [shot.still], [shot.camera], [shot.depth], project.layers):
        unused = {
            field.name
            for field in fields(values[0])  # type: ignore[arg-type]
            if all(np.size(getattr(v, field.name)) == 0 or getattr(v, field.name) is None for v in values)
        }
        assert not unused
    assert {layer.visible for layer in project.layers} == {layer.locked for layer in project.layers}


def test_points_splats_and_odd_values(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    unit = np.tile(np.float32([1, 0, 0, 0]), (5, 1))
    f32 = rng.normal(size=(5, 3)).astype(np.float32)
    splats = Splats(f32, f32 * f32, unit, np.float32([0, 0.5, 1, 0.2, -0.0]), f32[:, None], np.ones(5, np.uint8))
    empty = Points(np.zeros((0, 3), np.float32))
    layers = (
        Layer("a", "splats", LayerKind.SCENE, geometry=splats, transform=np.full((4, 4), 1 / 3)),
        Layer("b", "caf\udce9 \0 \u202e", LayerKind.PROP, geometry=empty, visible=False),
        Layer("c", "nothing", LayerKind.PROP),
    )
    project = Project((), layers)
    write_s3d(run, project, tmp_path / "odd.s3d")
    assert_same(project, read_s3d(run, tmp_path / "odd.s3d"))


def test_one_array_is_stored_once_and_stays_one(run: Run, project: Project, tmp_path: Path) -> None:
    path = tmp_path / "kitchen.s3d"
    write_s3d(run, project, path)
    forms = [(entry["dtype"], tuple(entry["shape"])) for entry in check_s3d(path)["arrays"]]
    assert forms.count(("|u1", (48, 64, 3))) == 2  # still and plate; the set's texture is the plate
    opened = read_s3d(run, path)
    mesh = opened.layers[0].geometry
    assert isinstance(mesh, Mesh) and mesh.material is not None
    assert mesh.material.base_color is opened.hero.clean_plate


def test_the_same_project_gives_the_same_bytes(run: Run, project: Project, tmp_path: Path) -> None:
    for name in ("one.s3d", "two.s3d"):
        write_s3d(run, project, tmp_path / name)
    assert (tmp_path / "one.s3d").read_bytes() == (tmp_path / "two.s3d").read_bytes()


# ---------------------------------------------------------------------- files that lie


def rewrite(path: Path, edit: Callable[[dict[str, bytes]], dict[str, bytes]]) -> None:
    """The archive with its members edited."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in edit(members).items():
            archive.writestr(name, data)


def edit_manifest(
    change: Callable[[dict[str, Any]], object],
) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    def edit(members: dict[str, bytes]) -> dict[str, bytes]:
        manifest = json.loads(members["manifest.json"])
        change(manifest)
        return members | {"manifest.json": json.dumps(manifest).encode()}

    return edit


def make_bomb(members: dict[str, bytes]) -> dict[str, bytes]:
    """An array that unpacks to 3 GB, honest in every head."""
    size = 3 << 30
    manifest = json.loads(members["manifest.json"])
    entry = manifest["arrays"][0] | {"shape": [size], "dtype": "|u1", "packing": "zstd"}
    manifest["arrays"][0] = entry
    frame = zstandard.ZstdCompressor().compress(bytes(1 << 20))
    return members | {"manifest.json": json.dumps(manifest).encode(), entry["member"]: frame}


LIES: dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]] = {
    "zip_slip": lambda members: members | {"../../escaped.txt": b"x"},
    "unnamed_member": lambda members: members | {"arrays/999": b"x"},
    "missing_member": lambda members: {k: v for k, v in members.items() if k != "arrays/1"},
    "no_manifest": lambda members: {k: v for k, v in members.items() if k != "manifest.json"},
    "manifest_not_json": lambda members: members | {"manifest.json": b"{"},
    "manifest_deep": lambda members: members | {"manifest.json": b'{"a":' * 100_000 + b"1" + b"}" * 100_000},
    "manifest_list": lambda members: members | {"manifest.json": b"[]"},
    "bomb": make_bomb,
    "grown_shape": edit_manifest(lambda m: m["arrays"][0].update(shape=[1 << 20, 1 << 10])),
    "shrunk_shape": edit_manifest(lambda m: m["arrays"][0].update(shape=[1, 2, 3])),
    "negative_shape": edit_manifest(lambda m: m["arrays"][0].update(shape=[-1, 2, 3])),
    "huge_shape": edit_manifest(lambda m: m["arrays"][0].update(shape=[1 << 62, 1 << 62])),
    "shape_text": edit_manifest(lambda m: m["arrays"][0].update(shape=["1"])),
    "dtype_object": edit_manifest(lambda m: m["arrays"][0].update(dtype="|O")),
    "unknown_packing": edit_manifest(lambda m: m["arrays"][0].update(packing="pickle")),
    "rows_of_floats": edit_manifest(lambda m: m["arrays"][-1].update(packing="rows+zstd", dtype="<f4")),
    "member_twice": edit_manifest(lambda m: m["arrays"].append(m["arrays"][0])),
    "index_oob": edit_manifest(lambda m: m["project"]["shots"][0]["still"].update(pixels=999)),
    "index_negative": edit_manifest(lambda m: m["project"]["shots"][0]["still"].update(pixels=-1)),
    "index_bool": edit_manifest(lambda m: m["project"]["shots"][0]["still"].update(pixels=True)),
    "unknown_kind": edit_manifest(lambda m: m["project"]["layers"][0].update(kind="EVIL")),
    "no_layers": edit_manifest(lambda m: m["project"].pop("layers")),
    "layers_number": edit_manifest(lambda m: m["project"].update(layers=3)),
    "same_ids": edit_manifest(lambda m: m["project"]["layers"][1].update(id="a1")),
    "shot_text": edit_manifest(lambda m: m["project"].update(shots=["x"])),
    "unit_text": edit_manifest(lambda m: m["project"].update(unit_scale="1")),
    "version_zero": edit_manifest(lambda m: m.update(version=0)),
    "other_format": edit_manifest(lambda m: m.update(format="zoo")),
}


@pytest.mark.parametrize("kind", LIES)
def test_lies_are_refused(kind: str, run: Run, project: Project, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.s3d"
    write_s3d(run, project, path)
    rewrite(path, LIES[kind])
    with pytest.raises(BadInput, match=f"{kind}.s3d"):
        read_s3d(run, path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_newer_version_says_so(run: Run, project: Project, tmp_path: Path) -> None:
    path = tmp_path / "new.s3d"
    write_s3d(run, project, path)
    rewrite(path, edit_manifest(lambda m: m.update(version=99)))
    with pytest.raises(BadInput, match="newer stillto3d"):
        read_s3d(run, path)


def test_a_member_twice_in_the_archive(run: Run, project: Project, tmp_path: Path) -> None:
    path = tmp_path / "dup.s3d"
    write_s3d(run, project, path)
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("manifest.json", b"{}")
    with pytest.raises(BadInput, match="twice"):
        read_s3d(run, path)


def test_deflated_members_are_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bomb.s3d"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(64 << 20))
    with pytest.raises(BadInput, match="packed in a way"):
        read_s3d(run, path)


def test_cut_at_every_64th_byte(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "cut.s3d"
    write_s3d(run, make_project(16, 12, 4), path)
    data = path.read_bytes()
    for length in range(0, len(data), 64):
        path.write_bytes(data[:length])
        with pytest.raises(BadInput):
            read_s3d(run, path)


def test_a_flipped_byte_is_refused_or_harmless(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "flip.s3d"
    project = make_project(16, 12, 4)
    write_s3d(run, project, path)
    data = bytearray(path.read_bytes())
    for position in range(0, len(data), 97):
        data[position] ^= 0x55
        path.write_bytes(data)
        try:
            opened = read_s3d(run, path)
        except (BadInput, CannotAccess):
            pass
        else:  # dates and attributes of the archive's members mean nothing
            assert_same(project, opened)
        data[position] ^= 0x55
