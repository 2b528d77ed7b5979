"""What is said before an export is what comes: the same names, and about the same size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from formats.conftest import make_project
from formats.markers import make_points, make_splats

from stillto3d import formats
from stillto3d.engine.run import Run
from stillto3d.formats.forecast import Sizes
from stillto3d.formats.handover import PRESETS, weigh_handover, write_handover
from stillto3d.formats.options import WriteOptions
from stillto3d.project.project import Project


@pytest.fixture(scope="module")
def large() -> Project:
    """Geometry that outweighs what files say about themselves."""
    return make_project(256, 192, 120)


def measure(folder: Path, wanted: Sizes) -> Sizes:
    """The files of a folder by the forecast's names: folders that it sums are summed."""
    found: Sizes = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            holder = next((one for one in wanted if one.endswith("/") and name.startswith(one)), name)
            found[holder] = found.get(holder, 0) + path.stat().st_size
    return found


def assert_alike(said: Sizes, found: Sizes) -> None:
    assert set(said) == set(found)
    assert 0.45 < sum(said.values()) / sum(found.values()) < 2.2


@pytest.mark.parametrize(
    "name",
    [name for name, row in formats.FORMATS.items() if row.write and name not in (".json", ".spz")] + ["cam.json"],
)
def test_every_format_keeps_its_word(run: Run, large: Project, tmp_path: Path, name: str) -> None:
    path = tmp_path / "out" / (f"shot{name}" if name.startswith(".") else name)
    path.parent.mkdir()
    said = formats.weigh(large, path)
    formats.write(run, large, path)
    found = measure(path.parent, said)
    if name in (".chan", "cam.json"):
        assert set(said) == set(found)
    else:
        assert_alike(said, found)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("shot.glb", WriteOptions(lods=2, texture="png")),
        ("shot.obj", WriteOptions(lods=1)),
        ("shot.ply", WriteOptions(content="mesh")),
        ("transforms.json", WriteOptions()),
    ],
)
def test_options_are_heeded(run: Run, large: Project, tmp_path: Path, name: str, options: WriteOptions) -> None:
    (tmp_path / "out").mkdir()
    said = formats.weigh(large, tmp_path / "out" / name, options)
    formats.write(run, large, tmp_path / "out" / name, options)
    assert_alike(said, measure(tmp_path / "out", said))


@pytest.mark.parametrize("name", ["s.ply", "s.spz", "s.glb"])
def test_splats_are_weighed(run: Run, tmp_path: Path, name: str) -> None:
    """By difference: what a file says of itself outweighs seven splats."""
    sizes = []
    for degree in (0, 3):
        project = make_splats(True, degree)
        formats.write(run, project, tmp_path / name)
        sizes.append((sum(formats.weigh(project, tmp_path / name).values()), (tmp_path / name).stat().st_size))
    said, found = np.diff(sizes, axis=0)[0]
    assert said == pytest.approx(found, rel=0.7)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_keep_their_word(run: Run, large: Project, tmp_path: Path, name: str) -> None:
    said = weigh_handover(large, name)
    write_handover(run, large, tmp_path / "out", name)
    assert_alike(said, measure(tmp_path / "out", said))


def test_what_is_not_written_weighs_nothing(tmp_path: Path) -> None:
    assert formats.weigh(make_points(True), tmp_path / "a.fbx") == {}
