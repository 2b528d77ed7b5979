"""Writers of files beside other people's, in turn and in one run; their read-back, and the memory that they take.

Files go to memory where the system has such a folder, so that no disk is measured: `sync` then costs nothing.
"""

from __future__ import annotations

import ctypes
import gc
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import psutil

from stillto3d.formats import glb_document, ply, usd
from stillto3d.formats.glb import write_glb
from stillto3d.formats.options import WriteOptions
from stillto3d.project.geometry import Material, Mesh, Points, Splats
from stillto3d.project.project import LayerKind, Project, make_layer
from stillto3d.studio import Studio

from . import peers
from .product import run_work
from .truth import F32, U8, Truth, load_picture
from .wire import time_rounds

ROUNDS = 15
SIDE, TEXTURE = 501, 2048  # vertices along a side of the mesh, pixels along one of its texture
POINTS, SPLATS = 5_000_000, 1_000_000
MEMORY_FOLDER = Path("/dev/shm")
CHECKS = {"glb": (glb_document, "check_glb"), "ply": (ply, "check_points"), "usd": (usd, "check_usd")}
Figures = dict[str, dict[str, Any]]


@dataclass
class Clock:
    """Seconds that the read-back has taken since it was last asked."""

    spent: float = 0.0

    def take(self) -> float:
        """The seconds, which begin anew."""
        spent, self.spent = self.spent, 0.0
        return spent


@contextmanager
def clock_checks(kind: str) -> Iterator[Clock]:
    """Time a writer's read-back apart while the block runs."""
    module, name = CHECKS[kind]
    check, clock = getattr(module, name), Clock()

    def timed(*arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return check(*arguments)
        finally:
            clock.spent += time.perf_counter() - started

    with patch.object(module, name, timed):
        yield clock


def compare(kind: str, ours: Callable[[], Any], *others: Callable[[], Any]) -> dict[str, list[float]]:
    """Seconds of our write without its read-back, of the read-back, and of each other writer, in turn.

    Of every one the quickest round: whatever else runs on the machine only ever adds, to two processes more than
    to one.
    """
    checks: list[float] = []
    with clock_checks(kind) as clock:

        def write() -> None:
            ours()
            checks.append(clock.take())

        seconds = time_rounds(ROUNDS, write, *others)
    writes = [whole - check for whole, check in zip(seconds[0], checks[1:], strict=True)]
    return {
        "write": [min(writes)],
        "check": [min(checks[1:])],
        "others": [min(each) for each in seconds[1:]],
    }


# --------------------------------------------------------------------------- memory


class PeakMemory:
    """The most memory that this process (`own`) and its workers have taken since the block began, in bytes (Linux)."""

    def __enter__(self) -> PeakMemory:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # what earlier writes have left would serve again, unseen
        self._before = {}
        for process in self._list_family():
            Path(f"/proc/{process.pid}/clear_refs").write_text("5", encoding="ascii")
            self._before[process.pid] = self._read(process.pid, "VmRSS")
        return self

    def __exit__(self, *problem: object) -> None:
        own, *workers = (process.pid for process in self._list_family())
        self.own, *others = (self._read(pid, "VmHWM") - self._before.get(pid, 0) for pid in (own, *workers))
        self.workers = sum(others)

    @staticmethod
    def _list_family() -> list[psutil.Process]:
        own = psutil.Process()
        return [own, *own.children(recursive=True)]

    @staticmethod
    def _read(pid: int, key: str) -> int:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        return next((int(line.split()[1]) << 10 for line in lines if line.startswith(f"{key}:")), 0)


def weigh(write: Callable[[], Any], *paths: Path) -> dict[str, float]:
    """Peak memory of a first large write as shares of the bytes that it writes into `paths`.

    `writer` is this process; `workers` hold copies of the textures that they encode.
    """
    with PeakMemory() as peak:
        write()
    written = sum(path.stat().st_size for path in paths)
    return {"writer": peak.own / written, "workers": peak.workers / written}


# --------------------------------------------------------------------------- cases


def make_sheet(texture: U8, side: int = SIDE) -> Mesh:
    """A waved sheet of side x side vertices: 500,000 triangles."""
    y, x = np.mgrid[:side, :side].astype(np.float32) / np.float32(side - 1)
    z = (0.1 * np.sin(9 * x) * np.cos(7 * y)).astype(np.float32)
    grid = np.arange(side * side, dtype=np.uint32).reshape(side, side)
    a, b, c, d = (part.ravel() for part in (grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]))
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])
    positions, uvs = (np.ascontiguousarray(np.stack(v, -1).reshape(side * side, -1)) for v in ((x, y, z), (x, 1 - y)))
    return Mesh(positions, faces, uvs=uvs, material=Material(texture))


def make_splats(count: int = SPLATS) -> tuple[Splats, list[F32]]:
    """A million Gaussians of degree 3, and the same as a trainer keeps them: logits, logarithms, channel-major."""
    rng = np.random.default_rng(0)
    means, dc, logit, scales, turns = (rng.standard_normal((count, k), dtype=np.float32) for k in (3, 3, 1, 3, 4))
    rest = rng.standard_normal((count, 45), dtype=np.float32)
    turns /= np.linalg.norm(turns, axis=1, keepdims=True)
    sh = np.concatenate([dc[:, None], rest.reshape(-1, 3, 15).transpose(0, 2, 1)], axis=1)
    opacity = (1 / (1 + np.exp(-logit[:, 0]))).astype(np.float32)
    return Splats(means, np.exp(scales), turns, opacity, sh), [means, dc, rest, logit, scales, turns]


def measure_exports(truth: Truth) -> Figures:
    """Every writer of geometry beside its peers: a textured mesh, many points, many splats."""
    import cv2

    place = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None
    texture = cv2.resize(load_picture(truth.picture), (TEXTURE, TEXTURE), interpolation=cv2.INTER_CUBIC)
    with tempfile.TemporaryDirectory(dir=place) as folder, Studio.open() as studio:
        return {
            **_measure_mesh(studio, Path(folder), make_sheet(texture)),
            **_measure_points(studio, Path(folder)),
            **_measure_splats(studio, Path(folder)),
        }


def _measure_mesh(studio: Studio, folder: Path, mesh: Mesh) -> Figures:
    assert mesh.uvs is not None and mesh.material is not None
    texture = mesh.material.base_color
    project = Project((), (make_layer("sheet", LayerKind.SCENE, geometry=mesh),))
    small = Project((), (make_layer("sheet", LayerKind.SCENE, geometry=make_sheet(texture[:16, :16], 3)),))
    options = WriteOptions(texture="jpeg", quality=peers.JPEG_QUALITY)
    parts = (mesh.positions, mesh.faces, mesh.uvs, texture)
    glb, stage = folder / "ours.glb", folder / "ours.usdc"

    def ours_glb(shot: Project = project) -> None:
        run_work(studio, "glb", lambda run: write_glb(run, shot, glb, options))

    def ours_usd(shot: Project = project) -> None:
        run_work(studio, "usd", lambda run: usd.write_usd(run, shot, stage, options))

    for load_libraries in (ours_glb, ours_usd):
        load_libraries(small)
    heavy_glb = weigh(ours_glb, glb)
    heavy_usd = weigh(ours_usd, stage, folder / "ours_textures" / "sheet.jpg")
    with patch.object(usd, "check_usd"):
        heavy_usd["without_check"] = weigh(ours_usd, stage, folder / "ours_textures" / "sheet.jpg")["writer"]
    plain = folder / "theirs.usdc"
    heavy_usd["usd_core"] = weigh(lambda: peers.write_usd_plain(plain, *parts), plain)["writer"]
    one = compare("glb", ours_glb, lambda: peers.write_glb_pygltflib(folder / "theirs.glb", *parts))
    two = compare("usd", ours_usd, lambda: peers.write_usd_plain(plain, *parts))
    return {
        **_judge("glb.mesh_500k", one, [("pygltflib", 0.8)], heavy_glb),
        **_judge("usd.mesh_500k", two, [("usd-core", 1.2)], heavy_usd),
    }


def _measure_points(studio: Studio, folder: Path) -> Figures:
    rng = np.random.default_rng(0)
    positions = rng.standard_normal((POINTS, 3), dtype=np.float32)
    colors = rng.integers(0, 256, (POINTS, 3), dtype=np.uint8)
    points, path = Points(positions, colors), folder / "ours.ply"

    def ours() -> None:
        run_work(studio, "ply", lambda run: ply.write_points(run, points, path))

    memory = weigh(ours, path)
    seconds = compare("ply", ours, lambda: peers.write_points_numpy(folder / "theirs.ply", positions, colors))
    return _judge("ply.points_5m", seconds, [("numpy", 1.15)], memory)


def _measure_splats(studio: Studio, folder: Path) -> Figures:
    (splats, columns), path = make_splats(), folder / "ours.ply"

    def ours() -> None:
        run_work(studio, "ply", lambda run: ply.write_splats(run, splats, path))

    theirs, memory = folder / "theirs.ply", weigh(ours, path)
    seconds = compare(
        "ply",
        ours,
        lambda: peers.write_splats_numpy(theirs, columns),
        lambda: peers.write_splats_plyfile(theirs, columns),
    )
    return _judge("ply.splats_1m", seconds, [("numpy", 1.1), ("plyfile", 1.05)], memory)


def _judge(
    name: str, seconds: dict[str, list[float]], limits: list[tuple[str, float]], memory: dict[str, float]
) -> Figures:
    """The figures of one writer beside their limits."""
    (write,), (check,) = seconds["write"], seconds["check"]
    rows = {
        f"{name}.to_{peer}": (write / other, limit, f"x {peer}", {"seconds": write, "other_seconds": other})
        for (peer, limit), other in zip(limits, seconds["others"], strict=True)
    }
    rows[f"{name}.read_back"] = (check / write, 1.0, "x write", {"seconds": check})
    rows[f"{name}.memory"] = (memory["writer"], 1.3, "x bytes written", memory)
    return {
        key: {"value": value, "limit": limit, "ok": value <= limit, "unit": unit} | details
        for key, (value, limit, unit, details) in rows.items()
    }
