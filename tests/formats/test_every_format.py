"""Every row of the table of formats, held to the same: random projects go out and come back, or are refused in words;
whatever stops a write, the old files are whole and nothing is left beside them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from formats.conftest import make_box, make_project
from formats.markers import make_camera, make_meshes, make_splats
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stillto3d import formats
from stillto3d.engine.run import Run
from stillto3d.errors import BadInput, CannotAccess, Refusal
from stillto3d.formats.atomic import replace_file
from stillto3d.formats.handover import PRESETS, write_handover
from stillto3d.formats.options import WriteOptions
from stillto3d.project.geometry import Geometry, Material, Mesh, Points, Splats, measure_bounds
from stillto3d.project.project import Layer, LayerKind, Project, Shot, make_layer
from stillto3d.project.space import translate

WRITTEN = [name for name, row in formats.FORMATS.items() if row.write is not None]
TARGETS = [name if not name.startswith(".") else f"shot{name}" for name in WRITTEN] + ["transforms.json"]
BRINGS_LAYERS = (".glb", ".ply", ".spz", ".obj", ".usdc", ".usda", ".usdz")
NAMES = [
    "Stuhl",
    "厨房 椅子",
    "كرسي",
    "कुर्सी",
    "стул",
    "의자",
    "e\u0301ta\u0308t",
    "\U0001f6cb\ufe0f",
    "a/b\\c:*?",
    "",
    " ",
    "..",
    "CON",
]
every_target = pytest.mark.parametrize("target", TARGETS)

numbers = st.floats(-50, 50, width=32)
small = st.integers(0, 5)
names = st.one_of(st.sampled_from(NAMES), st.text(max_size=30))


@st.composite
def shapes(draw: st.DrawFn) -> Geometry:
    """A mesh, points or splats of few elements, at times none; at times with values that are no numbers."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, spread = draw(small), draw(st.sampled_from([1e-3, 1.0, 1e4]))
    places = (rng.normal(size=(count, 3)) * spread).astype(np.float32)
    colors = rng.integers(0, 256, (count, 3), dtype=np.uint8) if draw(st.booleans()) else None
    observed = rng.integers(0, 2, count, dtype=np.uint8) if draw(st.booleans()) else None
    kind = draw(st.sampled_from(["mesh", "points", "splats"]))
    if kind == "points":
        return Points(places, colors, observed)
    if kind == "splats":
        turns = rng.normal(size=(count, 4)).astype(np.float32)
        k = draw(st.sampled_from([1, 4, 9, 16]))
        harmonics = rng.normal(size=(count, k, 3)).astype(np.float32)
        if count and draw(st.integers(0, 4)) == 0:
            harmonics[0, 0, 0] = np.nan
        sizes = np.exp(rng.normal(size=(count, 3))).astype(np.float32) * np.float32(0.1)
        opacity = rng.uniform(0, 1, count).astype(np.float32)
        turns /= np.maximum(np.linalg.norm(turns, axis=1, keepdims=True), 1e-6)
        return Splats(places, sizes, turns, opacity, harmonics, observed)
    faces = rng.integers(0, max(count, 1), (draw(small) if count else 0, 3)).astype(np.uint32)
    uvs = rng.uniform(-1, 2, (count, 2)).astype(np.float32) if draw(st.booleans()) else None
    if uvs is not None and count and draw(st.integers(0, 4)) == 0:
        uvs[0, 0] = np.nan
    texture = Material(rng.integers(0, 256, (4, 6, draw(st.sampled_from([3, 4]))), dtype=np.uint8))
    return Mesh(places, faces, None, uvs, None, colors, observed, texture if draw(st.booleans()) else None)


@st.composite
def projects(draw: st.DrawFn) -> Project:
    """A few layers of any shape, name and place before any camera or none."""
    layers = []
    for k in range(draw(st.integers(0, 3))):
        place = translate((draw(numbers), draw(numbers), draw(numbers)))
        place[:3, :3] *= draw(st.sampled_from([1.0, 0.01, -2.0]))
        kind = draw(st.sampled_from(LayerKind))
        shape = draw(st.none() | shapes())
        layers.append(Layer(f"l{k}", draw(names), kind, geometry=shape, transform=place, visible=draw(st.booleans())))
    still = replace(make_project(24, 16).hero.still, name=draw(names))
    camera = draw(st.sampled_from([None, make_camera(True), make_camera(False)]))
    if camera is not None:
        camera = replace(camera, width=24, height=16, cx=camera.cx / 30, cy=camera.cy / 30, fx=20.0, fy=21.0)
    return Project((Shot(still, camera=camera),), tuple(layers))


def count_elements(project: Project) -> dict[str, int]:
    """How many triangles, points and splats are visible."""
    visible = [layer.geometry for layer in project.layers if layer.visible and layer.geometry is not None]
    return {
        "triangles": sum(len(shape.faces) for shape in visible if isinstance(shape, Mesh)),
        "splats": sum(len(shape.means) for shape in visible if isinstance(shape, Splats)),
    }


def go_and_return(run: Run, project: Project, folder: Path, target: str) -> None:
    """Written, then inspected and read; or refused in a sentence, with nothing left."""
    folder.mkdir()
    path = folder / target
    try:
        formats.write(run, project, path)
    except Refusal as refusal:
        assert str(refusal).endswith((".", "?", ")")) and not list(folder.iterdir()), str(refusal)
        return
    found = formats.inspect(run, path)
    json.dumps(found, allow_nan=False)
    assert not [one for one in folder.iterdir() if one.name.startswith(".stillto3d") or one.suffix == ".part"]
    if path.suffix in BRINGS_LAYERS:
        layers = formats.import_layers(run, path).layers
        again = Project(project.shots, tuple(layers))
        said, came = count_elements(project), count_elements(again)
        if path.suffix in (".glb", ".usdc", ".usda", ".obj"):
            assert came["triangles"] <= said["triangles"]
        boxes = [measure_bounds(layer.geometry, layer.transform) for layer in layers if layer.geometry is not None]
        assert all(np.isfinite(box).all() for box in boxes)
    if path.suffix == ".s3d":
        again = formats.read(run, path)
        assert [layer.name for layer in again.layers] == [layer.name for layer in project.layers]
        assert count_elements(again) == count_elements(project)


def fuzz(run: Run, project: Project, targets: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="every-") as folder:
        for k, target in enumerate(targets):
            go_and_return(run, project, Path(folder) / str(k), target)


calm = {"deadline": None, "derandomize": True, "database": None}
checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=12, suppress_health_check=checks, **calm)
@given(projects())
def test_random_projects_go_out_and_come_back(run: Run, project: Project) -> None:
    fuzz(run, project, TARGETS)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=400, suppress_health_check=checks, **calm)
@given(projects())
def test_many_random_projects(run: Run, project: Project) -> None:
    fuzz(run, project, TARGETS)


def make_extreme(kind: str) -> Project:
    shot = make_project(24, 16).hero
    triangle = Mesh(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], dtype=np.uint32))
    if kind == "empty":
        return Project()
    if kind == "one triangle":
        return Project((shot,), (make_layer("t", LayerKind.SCENE, geometry=triangle),))
    if kind == "every script":
        layers = [make_layer(name, LayerKind.PROP, geometry=triangle) for name in NAMES]
        return Project((replace(shot, still=replace(shot.still, name="厨房 كرسي \U0001f6cb")),), tuple(layers))
    if kind == "1,000 layers":
        places = [translate((k % 32, 0, -(k // 32))) for k in range(1000)]
        layers = [make_layer("same", LayerKind.PROP, geometry=triangle, transform=place) for place in places]
        return Project((shot,), tuple(layers))
    count = int(kind.split(maxsplit=1)[0].replace(",", ""))
    rng = np.random.default_rng(0)
    points = Points(rng.normal(size=(count, 3)).astype(np.float32), rng.integers(0, 256, (count, 3), dtype=np.uint8))
    return Project((shot,), (make_layer("points", LayerKind.SCENE, geometry=points),))


@pytest.mark.parametrize("kind", ["empty", "one triangle", "every script"])
@every_target
def test_extremes_go_out_and_come_back(run: Run, tmp_path: Path, target: str, kind: str) -> None:
    go_and_return(run, make_extreme(kind), tmp_path / "out", target)


@pytest.mark.parametrize("target", ["shot.s3d", *(f"shot{suffix}" for suffix in BRINGS_LAYERS)])
def test_what_is_no_number_is_refused_but_saved(run: Run, tmp_path: Path, target: str) -> None:
    """In texture coordinates and in splats; positions that are no numbers cannot be made at all."""
    box = make_box(np.zeros((4, 4, 3), np.uint8))
    assert box.corner_uvs is not None
    uvs = np.where(np.arange(box.corner_uvs.size).reshape(box.corner_uvs.shape) == 7, np.nan, box.corner_uvs)
    (splats,) = make_splats(True).layers
    assert isinstance(splats.geometry, Splats)
    scales = np.where(splats.geometry.scales > 0.05, np.inf, splats.geometry.scales).astype(np.float32)
    for shape in (replace(box, corner_uvs=uvs.astype(np.float32)), replace(splats.geometry, scales=scales)):
        project = replace(make_project(), layers=(replace(splats, name="bad one", geometry=shape),))
        if target.endswith(".s3d"):
            formats.write(run, project, tmp_path / target)
            continue
        with pytest.raises(BadInput, match="bad one holds values that are not numbers"):
            formats.write(run, project, tmp_path / target)
        assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="finite"):
        replace(box, positions=np.full_like(box.positions, np.nan))


@pytest.mark.parametrize("target", ["shot.glb", "shot.s3d"])
def test_a_thousand_layers(run: Run, tmp_path: Path, target: str) -> None:
    go_and_return(run, make_extreme("1,000 layers"), tmp_path / "out", target)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("target", ["shot.usdc", "shot.usda", "shot.usdz", "shot.obj", "shot.ply", "shot.exr"])
def test_a_thousand_layers_in_every_format(run: Run, tmp_path: Path, target: str) -> None:
    go_and_return(run, make_extreme("1,000 layers"), tmp_path / "out", target)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("target", ["shot.glb", "shot.usdc", "shot.usdz", "shot.ply", "shot.s3d", "colmap"])
def test_ten_million_points(run: Run, tmp_path: Path, target: str) -> None:
    go_and_return(run, make_extreme("10,000,000 points"), tmp_path / "out", target)


# ---------------------------------------------------------------------- whatever stops a write


def choose_project(target: str) -> Project:
    return make_splats(True) if target.endswith(".spz") else make_project()


def list_all(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of 48 kB."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(folder)]
    if os.name == "nt" or os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("cannot mount a small disk here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # lazily: a traceback may hold a file open


def make_heavy(target: str) -> Project:
    """What no format writes in 48 kB; cameras come with a picture or with points, or are small."""
    project = make_project(200, 150, 70)
    if target.endswith(".spz"):
        (layer,) = make_splats(True).layers
        assert isinstance(layer.geometry, Splats)
        rng = np.random.default_rng(1)
        means = rng.normal(size=(6000, 3)).astype(np.float32)
        more = {name: np.resize(getattr(layer.geometry, name), (6000, *getattr(layer.geometry, name).shape[1:]))
                for name in ("scales", "rotations", "opacity", "sh", "observed")}  # fmt: skip
        return replace(project, layers=(replace(layer, geometry=Splats(means, **more)),))
    return project


@pytest.mark.parametrize("target", [t for t in TARGETS if t not in ("shot.chan", "shot.json")])
def test_a_full_disk(run: Run, disk: Path, target: str) -> None:
    for left in disk.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    path = disk / target
    formats.write(run, make_splats(True) if target.endswith(".spz") else make_meshes(True), path) if target in (
        "shot.spz", "shot.chan",
    ) else (path.mkdir() if target == "colmap" else path.write_bytes(b"old"))  # fmt: skip
    before = list_all(disk)
    with pytest.raises(Refusal, match="disk is full"):
        formats.write(run, make_heavy(target), path)
    assert list_all(disk) == before


@every_target
def test_a_name_that_is_too_long(run: Run, tmp_path: Path, target: str) -> None:
    if target in ("colmap", "transforms.json"):
        place = tmp_path / ("x" * 300) / target
    else:
        place = tmp_path / f"{'x' * 300}{Path(target).suffix}"
    with pytest.raises(CannotAccess, match="too long"):
        formats.write(run, choose_project(target), place)
    assert not list(tmp_path.iterdir())


@every_target
def test_a_file_where_a_folder_should_be(run: Run, tmp_path: Path, target: str) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(CannotAccess, match=r"not a folder|exists already"):
        formats.write(run, choose_project(target), tmp_path / "file" / target)
    assert list_all(tmp_path) == {"file": b"old"}


@every_target
def test_no_permission_as_the_system_says_it(
    run: Run, tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root nothing is forbidden, so the system's words are put into its mouth."""
    (tmp_path / target).mkdir() if target == "colmap" else (tmp_path / target).write_bytes(b"old")
    before = list_all(tmp_path)

    def forbid(function: Any) -> Any:
        def refuse(path: Any, *args: Any, **options: Any) -> Any:
            if os.fspath(path).startswith(str(tmp_path)):
                raise PermissionError(13, "Permission denied", os.fspath(path))
            return function(path, *args, **options)

        return refuse

    monkeypatch.setattr("stillto3d.formats.atomic.os.open", forbid(os.open))
    monkeypatch.setattr("stillto3d.formats.staging.Path.mkdir", forbid(Path.mkdir))
    with pytest.raises(CannotAccess, match="no permission"):
        formats.write(run, choose_project(target), tmp_path / target)
    monkeypatch.undo()
    assert list_all(tmp_path) == before


@every_target
def test_a_target_that_is_open_elsewhere_is_replaced_under_its_reader(run: Run, tmp_path: Path, target: str) -> None:
    """Who reads the old file goes on reading it; where the system forbids that (Windows), the write is refused."""
    path = tmp_path / (f"{target}/cameras.txt" if target == "colmap" else target)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        with suppress(CannotAccess):
            formats.write(run, choose_project(target), tmp_path / target)
            assert path.read_bytes() != b"old"
        assert reader.read() == b"old"


@pytest.mark.parametrize(
    "fault", [OSError(26, "Text file busy"), PermissionError(13, "in use")], ids=["busy", "shared"]
)
def test_a_file_in_use_is_said(tmp_path: Path, fault: OSError) -> None:
    old = tmp_path / "a.glb"
    old.write_bytes(b"old")
    if isinstance(fault, PermissionError):
        fault.winerror = 32  # type: ignore[attr-defined,unused-ignore]  # Windows' sharing violation

    def busy(part: Path) -> None:
        raise fault

    with pytest.raises(CannotAccess, match="open in another program"), replace_file(old, busy) as file:
        file.write(b"new")
    assert list_all(tmp_path) == {"a.glb": b"old"}


@every_target
def test_any_name_of_a_folder(run: Run, tmp_path: Path, target: str) -> None:
    place = tmp_path / "厨房 ñ \U0001f6cb" / "a\nb" / "\u202eabc" / "e\u0301" / "%20#?&"
    place.mkdir(parents=True)
    formats.write(run, choose_project(target), place / target)
    formats.inspect(run, place / target)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_on_a_full_disk(run: Run, disk: Path, name: str) -> None:
    for left in disk.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    (disk / "out").mkdir()
    (disk / "out" / "mine.txt").write_bytes(b"old")
    with pytest.raises(Refusal, match="disk is full"):
        write_handover(run, make_heavy(name), disk / "out", name, WriteOptions(texture="png"))
    assert list_all(disk) == {"out/mine.txt": b"old"}
