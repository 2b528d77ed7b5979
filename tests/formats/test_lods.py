"""Levels of detail: coarser, under the same texture, watertight where they were, in files of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from formats.conftest import make_set

from stillto3d.engine.run import Run
from stillto3d.errors import Cancelled
from stillto3d.formats.glb import write_glb
from stillto3d.formats.lods import reduce_geometry
from stillto3d.formats.options import WriteOptions
from stillto3d.project.geometry import Material, Mesh, Points
from stillto3d.project.project import Layer, LayerKind, Project


def make_ball(rings: int = 40) -> Mesh:
    """A closed ball whose front and back show the two halves of a texture, with a seam around it."""
    ball = trimesh.creation.icosphere(subdivisions=4)
    points = ball.vertices.astype(np.float32)
    faces = ball.faces.astype(np.uint32)
    corners = points[faces]
    back = corners[..., 2].mean(axis=1) < 0
    u, v = corners[..., 0] / 4 + 0.25, 0.5 - corners[..., 1] / 2
    uvs = np.stack([np.where(back[:, None], 1 - u, u), v], axis=-1).astype(np.float32)
    seen = (points[:, 2] > 0).astype(np.uint8)
    texture = np.zeros((64, 128, 3), np.uint8)
    texture[:, :64], texture[:, 64:] = (255, 0, 0), (0, 0, 255)
    return Mesh(points, faces, corner_uvs=uvs, observed=seen, material=Material(texture))


def test_a_closed_mesh_stays_closed_under_its_texture(run: Run) -> None:
    ball = make_ball()
    coarse = reduce_geometry(run, ball, 1)
    assert isinstance(coarse, Mesh) and coarse.is_watertight()
    assert len(coarse.faces) == pytest.approx(len(ball.faces) / 4, rel=0.1)
    np.testing.assert_allclose(np.linalg.norm(coarse.positions, axis=1), 1, atol=0.02)
    assert coarse.corner_uvs is not None and coarse.observed is not None
    corners = coarse.positions[coarse.faces]
    front = coarse.corner_uvs[..., 0].mean(axis=1) < 0.5
    assert (front == (corners[..., 2].mean(axis=1) > 0)).mean() > 0.95  # but for triangles that cross the seam
    u = np.where(front[:, None], corners[..., 0] / 4 + 0.25, 0.75 - corners[..., 0] / 4)
    assert np.abs(u - coarse.corner_uvs[..., 0]).max() < 0.02
    assert ((coarse.positions[:, 2] > 0.1) <= (coarse.observed == 1)).all()


def test_an_open_set_keeps_its_border_and_texture(run: Run) -> None:
    sheet = make_set(60, 40, np.zeros((8, 8, 3), np.uint8))
    coarse = reduce_geometry(run, sheet, 1)
    assert isinstance(coarse, Mesh) and len(coarse.faces) < 0.4 * len(sheet.faces)
    np.testing.assert_allclose(coarse.positions.min(0)[:2], sheet.positions.min(0)[:2], atol=1e-6)
    assert coarse.corner_uvs is not None
    x, y = np.moveaxis(coarse.positions[coarse.faces][..., :2], -1, 0)
    np.testing.assert_allclose(coarse.corner_uvs, np.stack([x / 4 + 0.5, 1 - y / 2], -1), atol=0.01)
    assert len(coarse.split_seams().positions) == len(coarse.positions)  # no seam where there was none


def test_small_things_and_colours(run: Run) -> None:
    sheet = replace(make_set(4, 4, np.zeros((8, 8, 3), np.uint8)), material=None, uvs=None)
    assert reduce_geometry(run, sheet, 2) is sheet
    colored = replace(make_set(40, 40, np.zeros((8, 8, 3), np.uint8)), material=None, uvs=None)
    colors = np.clip(colored.positions * 40 + 128, 0, 255).astype(np.uint8)
    coarse = reduce_geometry(run, replace(colored, colors=colors), 1)
    assert isinstance(coarse, Mesh) and coarse.colors is not None
    assert np.abs(coarse.colors.astype(float) - np.clip(coarse.positions * 40 + 128, 0, 255)).mean() < 4
    points = Points(np.arange(300, dtype=np.float32).reshape(100, 3), np.zeros((100, 3), np.uint8))
    thinner = reduce_geometry(run, points, 2)
    assert isinstance(thinner, Points) and len(thinner.positions) == 7


def test_levels_lie_beside_the_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "ball_lod1.glb").write_text("old")
    project = Project((), (Layer("a", "ball", LayerKind.PROP, geometry=make_ball()),))
    write_glb(run, project, tmp_path / "ball.glb", WriteOptions(lods=2))
    names = ["ball.glb", "ball_lod1.glb", "ball_lod2.glb", "mine.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    scenes = [trimesh.load(tmp_path / name) for name in names[:3]]
    counts = [scene.geometry["ball"].faces.shape[0] for scene in scenes]
    assert counts[0] == 5120 and counts[1] == pytest.approx(1280, rel=0.1) and counts[2] == pytest.approx(320, rel=0.1)
    sizes = [scene.geometry["ball"].visual.material.baseColorTexture.size for scene in scenes]
    assert sizes == [(128, 64), (64, 32), (32, 16)]
    for scene in scenes:
        np.testing.assert_allclose(scene.bounds, [[-1] * 3, [1] * 3], atol=0.05)


def test_a_failure_leaves_every_old_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ball.glb", "ball_lod1.glb"):
        (tmp_path / name).write_text("old")
    project = Project((), (Layer("a", "ball", LayerKind.PROP, geometry=make_ball()),))
    monkeypatch.setattr("stillto3d.formats.lods.reduce_project", lambda *_: (_ for _ in ()).throw(Cancelled()))
    with pytest.raises(Cancelled):
        write_glb(run, project, tmp_path / "ball.glb", WriteOptions(lods=1))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"ball.glb": "old", "ball_lod1.glb": "old"}
