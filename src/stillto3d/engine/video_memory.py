"""How much video memory is there and free: asked of NVIDIA's management library (NVML), part of its driver."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class VideoMemory:
    """One card: its name, and bytes of its memory in all and free."""

    name: str
    total_bytes: int
    free_bytes: int


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


@cache
def _open_library() -> Any:
    """NVML, started; None on a machine without an NVIDIA card."""
    name = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
    try:
        library = ctypes.CDLL(name)
    except OSError:
        return None
    return library if library.nvmlInit_v2() == 0 else None


def read_video_memory() -> VideoMemory | None:
    """The card that models use: the first that CUDA_VISIBLE_DEVICES names by number, else the first. None: no card."""
    library = _open_library()
    if library is None:
        return None
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0].strip()
    device, memory, title = ctypes.c_void_p(), _Memory(), ctypes.create_string_buffer(96)
    if library.nvmlDeviceGetHandleByIndex_v2(int(named) if named.isdecimal() else 0, ctypes.byref(device)):
        return None
    if library.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory)):
        return None
    library.nvmlDeviceGetName(device, title, ctypes.c_uint(len(title)))
    return VideoMemory(title.value.decode("utf-8", "replace"), int(memory.total), int(memory.free))


def measure_free() -> int:
    """Free bytes of the card; so many that they never limit where no card tells."""
    found = read_video_memory()
    return 1 << 62 if found is None else found.free_bytes
