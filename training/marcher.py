"""Compiles the marcher for what the machine has, and renders batches of records with it."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch

from .truth import Worlds
from .worlds.records import SCENE_FLOATS, Records

SOURCE = Path(__file__).with_name("marcher.cpp")
FIRST_THING, FIRST_MATERIAL = 68, 70  # columns of the scene record that a batch fills in
FLAGS_CPU = ("-O2", "-fopenmp", "-ffast-math", "-shared", "-fPIC", "-x", "c++")
FLAGS_CUDA = ("-O3", "-use_fast_math", "-std=c++17", "-shared", "-Xcompiler", "-fPIC", "-x", "cu", "-arch=native")


@cache
def compile_marcher(kind: str) -> ctypes.CDLL:
    """Compile the one source for "cpu" (the system's compiler) or "cuda" (nvcc); kept beside other caches by content.

    Raises FileNotFoundError in words where there is no compiler.
    """
    flags = FLAGS_CPU if kind == "cpu" else FLAGS_CUDA
    compiler = shutil.which(os.environ.get("CXX", "g++")) if kind == "cpu" else find_nvcc()
    if compiler is None:
        wanted = "a C++ compiler (g++)" if kind == "cpu" else "NVIDIA's compiler (nvcc)"
        raise FileNotFoundError(f"The marcher needs {wanted}, and none was found. Install one and try again.")
    name = hashlib.sha256(SOURCE.read_bytes() + " ".join(flags).encode()).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "stillto3d-training"
    folder.mkdir(parents=True, exist_ok=True)
    built = folder / f"marcher-{kind}-{name}.so"
    if not built.exists():
        with tempfile.TemporaryDirectory(dir=folder) as beside:  # whole or not at all, whoever else compiles it now
            fresh = Path(beside) / built.name
            subprocess.run([compiler, *flags, "-o", str(fresh), str(SOURCE)], check=True)
            fresh.replace(built)
    library = ctypes.CDLL(str(built))
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    library.render_worlds.argtypes = [pointer] * 5 + [integer] * 6 + [pointer] * 9
    library.render_worlds.restype = integer
    return library


def find_nvcc() -> str | None:
    """Where nvcc lies: on the path, or where CUDA is installed."""
    for folder in ("", "/usr/local/cuda/bin"):
        found = shutil.which("nvcc", path=folder or None)
        if found:
            return found
    return None


def join_records(records: Sequence[Records]) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]:
    """Join scenes to one batch of flat records, `standing` bool[B,64,64] and `camera` f32[B,4], in host memory."""
    scenes = np.stack([r.scene for r in records])
    assert scenes.shape[1] == SCENE_FLOATS
    things, prims, materials = [], [], []
    thing_at = prim_at = material_at = 0
    for scene, r in zip(scenes, records):
        scene[FIRST_THING], scene[FIRST_MATERIAL] = thing_at, material_at
        own = r.things.copy()
        own[:, 4] += prim_at
        things.append(own)
        prims.append(r.prims)
        materials.append(r.materials)
        thing_at, prim_at, material_at = thing_at + len(own), prim_at + len(r.prims), material_at + len(r.materials)
    flat = {"scenes": scenes, "things": np.concatenate(things), "prims": np.concatenate(prims)}
    flat["materials"] = np.concatenate(materials)
    standing = torch.from_numpy(np.stack([r.standing for r in records]))
    camera = torch.from_numpy(np.stack([r.camera for r in records]))
    return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in flat.items()}, standing, camera


def render(
    batch: tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor],
    height: int,
    width: int,
    panoramas: torch.Tensor,
    device: torch.device,
) -> Worlds:
    """Render a joined batch at height x width (already supersampled) on the device.

    `panoramas` f32[n, rows, columns, 3], linear, on that device; n may be 0.
    """
    flat, standing, camera = batch
    library = compile_marcher("cuda" if device.type == "cuda" else "cpu")
    inputs = [flat[name].to(device, non_blocking=True) for name in ("scenes", "things", "prims", "materials")]
    b = len(inputs[0])
    new = {"dtype": torch.float32, "device": device}
    colours = [torch.empty(b, 3, height, width, **new) for _ in range(2)]
    depths = [torch.empty(b, height, width, **new) for _ in range(3)]
    normal = torch.empty(b, 3, height, width, **new)
    ids = [torch.empty(b, height, width, dtype=torch.uint8, device=device) for _ in range(2)]
    stream = torch.cuda.current_stream(device).cuda_stream if device.type == "cuda" else None
    pointers = [t.data_ptr() for t in (*colours, *depths, normal, *ids)]
    count, rows, columns = panoramas.shape[:3]
    failed = library.render_worlds(
        *[t.data_ptr() for t in inputs], panoramas.data_ptr(), count, rows, columns, b, height, width, *pointers, stream
    )
    if failed:
        raise RuntimeError(f"the marcher's launch failed with CUDA error {failed}")
    return Worlds(
        radiance=colours[0],
        albedo=colours[1],
        instance=ids[0],
        part=ids[1],
        depth=depths[0],
        far=depths[1],
        behind=depths[2],
        normal=normal,
        standing=standing.to(device, non_blocking=True),
        camera=camera.to(device, non_blocking=True),
    )
