"""What the writers are held against holds the same values as what they write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh
from plyfile import PlyData

from measure import peers
from measure.exports import make_sheet, make_splats
from stillto3d.engine.run import Run
from stillto3d.formats import ply
from stillto3d.project.geometry import Points

NOBODY = Run.nothing(lambda ask: None)


def read(path: Path) -> dict[str, np.ndarray]:
    rows = PlyData.read(str(path))["vertex"].data
    return {name: rows[name] for name in rows.dtype.names}


def test_splats_of_every_writer_are_the_same(tmp_path: Path) -> None:
    splats, columns = make_splats(100)
    ply.write_splats(NOBODY, splats, tmp_path / "ours.ply")
    peers.write_splats_numpy(tmp_path / "numpy.ply", columns)
    peers.write_splats_plyfile(tmp_path / "plyfile.ply", columns)
    ours = read(tmp_path / "ours.ply")
    for name in ("numpy", "plyfile"):
        theirs = read(tmp_path / f"{name}.ply")
        assert list(theirs) == list(ours)
        for key, values in theirs.items():
            np.testing.assert_allclose(ours[key], values, rtol=1e-4, atol=1e-5, err_msg=key)


def test_points_of_both_writers_are_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    positions, colors = rng.standard_normal((50, 3), np.float32), rng.integers(0, 256, (50, 3), np.uint8)
    ply.write_points(NOBODY, Points(positions, colors), tmp_path / "ours.ply")
    peers.write_points_numpy(tmp_path / "theirs.ply", positions, colors)
    ours, theirs = read(tmp_path / "ours.ply"), read(tmp_path / "theirs.ply")
    assert list(ours) == list(theirs)
    for key in ours:
        np.testing.assert_array_equal(ours[key], theirs[key])


def test_the_peers_mesh_opens_whole(tmp_path: Path) -> None:
    sheet = make_sheet(np.zeros((8, 8, 3), np.uint8), 5)
    assert sheet.uvs is not None
    peers.write_glb_pygltflib(
        tmp_path / "a.glb", sheet.positions, sheet.faces, sheet.uvs, np.zeros((8, 8, 3), np.uint8)
    )
    (mesh,) = trimesh.load(tmp_path / "a.glb").geometry.values()
    assert mesh.faces.shape == (32, 3) and mesh.visual.uv.shape == (25, 2)
