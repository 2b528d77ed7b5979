"""SPZ: gsply reads what we write and we read what gsply writes; lies are refused."""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import gsply
import numpy as np
import pytest
from formats.markers import locate_markers, make_points, make_splats

from stillto3d.engine.run import Run
from stillto3d.errors import BadInput
from stillto3d.formats.gather import gather_splats
from stillto3d.formats.spz import check_spz, read_spz_layers, write_spz
from stillto3d.project.geometry import Splats
from stillto3d.project.project import Layer, LayerKind, Project


def read_one(run: Run, path: Path) -> Splats:
    (layer,) = read_spz_layers(run, path).layers
    assert isinstance(layer.geometry, Splats)
    return layer.geometry


def compare(found: Splats, splats: Splats) -> None:
    """Equal within what the quantisation allows."""
    np.testing.assert_allclose(found.means, splats.means, atol=2**-13 + 1e-6)
    np.testing.assert_allclose(found.opacity, splats.opacity, atol=0.5 / 255 + 1e-6)
    np.testing.assert_allclose(np.log(found.scales), np.log(splats.scales), atol=0.5 / 16 + 1e-5)
    np.testing.assert_allclose(np.abs((found.rotations * splats.rotations).sum(axis=1)), 1, atol=1e-5)
    np.testing.assert_allclose(found.sh[:, 0], splats.sh[:, 0], atol=0.5 / 255 / 0.15 + 1e-5)
    np.testing.assert_allclose(found.sh[:, 1:], np.clip(splats.sh[:, 1:], -1, 1), atol=9 / 128)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_gsply_reads_what_we_write(run: Run, tmp_path: Path, degree: int) -> None:
    project = make_splats(True, degree)
    write_spz(run, project, tmp_path / "s.spz")
    head = gzip.decompress((tmp_path / "s.spz").read_bytes())[:16]
    assert struct.unpack("<4sIIBBBB", head) == (b"NGSP", 3, 7, degree, 12, 0, 0)
    splats, found = gather_splats(project), gsply.read_spz(str(tmp_path / "s.spz"))
    assert splats is not None
    np.testing.assert_allclose(found.means, locate_markers(), atol=2**-13 + 1e-6)
    rest = np.zeros((7, 0, 3), np.float32) if degree == 0 else found.shN
    sh = np.concatenate([found.sh0[:, None], rest], axis=1).astype(np.float32)
    opacity = 1 / (1 + np.exp(-np.asarray(found.opacities).reshape(-1)))
    compare(Splats(found.means, np.exp(found.scales), found.quats, opacity.astype(np.float32), sh), splats)
    compare(read_one(run, tmp_path / "s.spz"), splats)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("degree", [0, 3])
def test_we_read_what_gsply_writes(run: Run, tmp_path: Path, version: int, degree: int) -> None:
    splats = make_splats(True, degree).layers[0].geometry
    assert isinstance(splats, Splats)
    logits = np.log(splats.opacity / (1 - splats.opacity))
    data = gsply.GSData(
        means=splats.means,
        scales=np.log(splats.scales),
        quats=splats.rotations,
        opacities=logits,
        sh0=splats.sh[:, 0].copy(),
        shN=splats.sh[:, 1:].copy() if degree else None,
    )
    gsply.write_spz(str(tmp_path / "g.spz"), data, version=version)
    compare(read_one(run, tmp_path / "g.spz"), splats)
    assert check_spz(tmp_path / "g.spz")["version"] == version


def test_version_2_is_read(run: Run, tmp_path: Path) -> None:
    body = struct.pack("<4sIIBBBB", b"NGSP", 2, 1, 0, 8, 0, 0)
    body += (256).to_bytes(3, "little") + (-512).to_bytes(3, "little", signed=True) + bytes(3)
    body += bytes([255, 128, 128, 128, 160, 160, 160, 255, 128, 128])
    (tmp_path / "v2.spz").write_bytes(gzip.compress(body))
    splats = read_one(run, tmp_path / "v2.spz")
    np.testing.assert_allclose(splats.means, [[1, -2, 0]])
    np.testing.assert_allclose(splats.scales, 1)
    np.testing.assert_allclose(splats.rotations[0], [0, 1, 0, 0], atol=0.01)


def test_far_splats_keep_their_place(run: Run, tmp_path: Path) -> None:
    splats = make_splats(True, 0).layers[0].geometry
    assert isinstance(splats, Splats)
    far = replace(splats, means=splats.means * np.float32(4000))
    write_spz(run, Project((), (Layer("s", "s", LayerKind.SCENE, geometry=far),)), tmp_path / "s.spz")
    np.testing.assert_allclose(read_one(run, tmp_path / "s.spz").means, far.means, atol=1e-3)


def test_a_project_without_splats_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no splats"):
        write_spz(run, make_points(True), tmp_path / "p.spz")


# ---------------------------------------------------------------------- hostile files


def pack(version: int = 3, count: int = 1, degree: int = 0, bits: int = 12, body: bytes = bytes(20)) -> bytes:
    return gzip.compress(struct.pack("<4sIIBBBB", b"NGSP", version, count, degree, bits, 0, 0) + body)


def pack_4(count: int = 1, streams: int = 5, table: int = 32, tail: bytes = b"") -> bytes:
    return struct.pack("<4sIIBBBBI", b"NGSP", 4, count, 0, 12, 0, streams, table).ljust(32, b"\0") + tail


HOSTILE = {
    "empty": b"",
    "not_gzip": b"\x1f\x8b" + bytes(50),
    "not_spz": gzip.compress(b"hello, hello, hello"),
    "short": pack(body=bytes(19)),
    "long": pack(body=bytes(21)),
    "huge_count": pack(count=(1 << 32) - 1),
    "many_for_its_size": pack(count=1 << 25),
    "version_9": pack(version=9),
    "degree_7": pack(degree=7),
    "no_bits": pack(bits=0),
    "bomb": zlib.compress(bytes(1 << 20)),
    "version_4_packed": pack(version=4),
    "v4_short": b"NGSP" + struct.pack("<I", 4),
    "v4_streams": pack_4(streams=3),
    "v4_table": pack_4(table=1 << 31),
    "v4_sizes": pack_4(tail=struct.pack("<QQ", 1 << 60, 9) * 5),
    "v4_rubbish": pack_4(tail=b"".join(struct.pack("<QQ", 4, n) for n in (9, 1, 3, 3, 4)) + bytes(20)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused(run: Run, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.spz"
    path.write_bytes(HOSTILE[kind])
    with pytest.raises(BadInput, match=f"^{kind}.spz "):
        read_spz_layers(run, path)


def test_truncated_files_are_refused(run: Run, tmp_path: Path) -> None:
    write_spz(run, make_splats(True, 1), tmp_path / "s.spz")
    data = (tmp_path / "s.spz").read_bytes()
    for length in range(0, len(data), 7):
        (tmp_path / "cut.spz").write_bytes(data[:length])
        with pytest.raises(BadInput):
            read_spz_layers(run, tmp_path / "cut.spz")
