"""On what a figure was measured: the machine, versions and the weights."""

from __future__ import annotations

import hashlib
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import stillto3d
from stillto3d.settings import measure_memory

PACKAGES = (
    "numpy",
    "scipy",
    "onnxruntime",
    "opencv-contrib-python-headless",
    "vtk",
    "pillow",
    "usd-core",
    "pygltflib",
    "plyfile",
)


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory and system."""
    return {
        "processor": read_processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(measure_memory() / 2**30, 1),
        "system": platform.platform(),
        "load": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
    }


def read_processor() -> str:
    """The processor's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def list_versions() -> dict[str, str]:
    """The product, Python, and the libraries that the figures depend on."""
    own = {"stillto3d": stillto3d.__version__, "python": platform.python_version()}
    return own | {package: version(package) for package in PACKAGES}


def hash_weights(folder: Path) -> dict[str, str]:
    """sha256 of each file of weights in a folder."""
    files = sorted(folder.glob("*.onnx"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
