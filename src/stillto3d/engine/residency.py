"""Which workers are alive: kept warm while they fit the budget, ended when another needs the room."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import NoRoom
from ..models.catalog import ModelCard, Store
from ..models.roles import Ask
from ..project.still import Still
from ..settings import Settings, measure_memory
from .process import WorkerProcess, is_alive

STILLS_KEPT = 2  # as worker/boot.py keeps
GIVE_BACK_SECONDS = 3.0  # a driver gets to hand back the memory of a process that has ended
POLL_SECONDS = 0.05
GB = 2**30


@dataclass
class Resident:
    """A live worker, what it holds, and whether somebody is using it."""

    process: WorkerProcess
    card: ModelCard
    protocol: object = None  # what its hello says
    loaded: bool = False
    busy: bool = False
    warming: bool = True
    vram_bytes: int = 0  # that it has told to have held at most
    stills: OrderedDict[str, None] = field(default_factory=OrderedDict)

    @property
    def video_memory(self) -> int:
        """Bytes that it holds or may come to hold: what it told, else what its card says."""
        return self.vram_bytes or self.card.vram_bytes

    def pack_still(self, ask: Ask[object]) -> Still | None:
        """The ask's still if this worker has not got it; remembers what it has, as the worker does."""
        still = ask.still
        if still is None:
            return None
        known = still.id in self.stills
        self.stills[still.id] = None
        self.stills.move_to_end(still.id)
        while len(self.stills) > STILLS_KEPT:
            self.stills.popitem(last=False)
        return None if known else still


FOLDER = "stillto3d-worker-"
Key = tuple[str, str, str, str]
"""What a worker is for: lane, environment, adapter and weights. Cards that share all of them share it."""


class Residency:
    """The workers of one engine. A worker belongs to a lane, so that a click never waits for a generation."""

    def __init__(self, settings: Settings, store: Store, measure_free: Callable[[], int]) -> None:
        """`measure_free` tells the free bytes of video memory."""
        self._settings, self._store = settings, store
        self._measure_free = measure_free
        self._alive: OrderedDict[Key, Resident] = OrderedDict()
        self._lock = threading.Lock()
        _sweep_folders()
        self._folder = tempfile.TemporaryDirectory(prefix=f"{FOLDER}{os.getpid()}-")
        ceiling = settings.memory_limit_gb * 2**30 or measure_memory() * 0.75
        self._memory_bytes = int(ceiling)

    def borrow(self, lane: str, card: ModelCard) -> Resident:
        """A worker of the lane for the card, started if there is none; give it back with `give_back`."""
        with self._lock:
            resident = self._find_or_start(lane, card)
            resident.busy = True
            return resident

    def warm(self, lane: str, card: ModelCard) -> None:
        """Start a worker ahead of its first call."""
        with self._lock:
            self._find_or_start(lane, card)

    def give_back(self, resident: Resident) -> None:
        """The call is over; a worker that is dead, or one too many, goes."""
        with self._lock:
            resident.busy = False
            resident.warming = False
            dead = [k for k, r in self._alive.items() if not r.process.alive and not r.busy]
            idle = [k for k, r in self._alive.items() if not r.busy and not r.warming and k not in dead]
            surplus = idle[: max(0, len(self._alive) - len(dead) - self._settings.warm_workers)]
            gone = [self._alive.pop(k) for k in (*dead, *surplus)]
        end_all(gone)

    def end_others(self, kept: Resident | None = None) -> None:
        """End every idle worker but `kept`, to free memory."""
        with self._lock:
            keys = [k for k, r in self._alive.items() if r is not kept and not r.busy]
            gone = [self._alive.pop(k) for k in keys]
        end_all(gone)

    def pids(self) -> list[int]:
        """The processes alive."""
        with self._lock:
            return [resident.process.pid for resident in self._alive.values()]

    def close(self) -> None:
        """End every worker."""
        with self._lock:
            gone = list(self._alive.values())
            self._alive.clear()
        end_all(gone)
        self._folder.cleanup()

    def _find_or_start(self, lane: str, card: ModelCard) -> Resident:
        weights = self._store.find_weights(card)
        key = (lane, card.environment, card.adapter, str(weights or ""))
        resident = self._alive.get(key)
        if resident is not None and resident.process.alive:
            self._alive.move_to_end(key)
            return resident
        if resident is not None:
            del self._alive[key]
            resident.process.end()
        self._make_room(card)
        process = WorkerProcess(self._store.find_interpreter(card), Path(self._folder.name), self._memory_bytes)
        fields = {
            "job": "load",
            "adapter": card.adapter,
            "device": self._settings.device,
        }
        process.send("load", {**fields, "weights": str(weights) if weights else None})
        self._alive[key] = Resident(process, card)
        return self._alive[key]

    def list_residents(self) -> list[Resident]:
        """The workers alive, the one used last at the end."""
        with self._lock:
            return list(self._alive.values())

    def measure_budget(self) -> int:
        """Bytes of video memory that a further model may use: what is free, and no more than the limit leaves."""
        used = sum(resident.video_memory for resident in self._alive.values())
        return max(0, min(self._measure_free(), int(self._settings.vram_limit_gb * GB) - used))

    def measure_room(self, resident: Resident) -> int:
        """The budget as it is for a worker that has been started and holds nothing yet."""
        with self._lock:
            others = sum(r.video_memory for r in self._alive.values() if r is not resident)
        return max(0, min(self._measure_free(), int(self._settings.vram_limit_gb * GB) - others))

    def _make_room(self, card: ModelCard) -> None:
        """End idle workers, oldest first, until the card's peak fits the budget. Raises NoRoom in numbers."""
        if self._settings.device != "cuda" or not card.vram_bytes:
            return
        while card.vram_bytes > self.measure_budget():
            idle = next((k for k, r in self._alive.items() if not r.busy and r.video_memory), None)
            if idle is None:
                raise self._word_shortage(card)
            gone = self._alive.pop(idle)
            wanted = min(card.vram_bytes, self._measure_free() + gone.video_memory)
            gone.process.end()
            self._await_free(wanted)

    def _await_free(self, wanted: int) -> None:
        deadline = time.monotonic() + GIVE_BACK_SECONDS
        while self._measure_free() < wanted and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def _word_shortage(self, card: ModelCard) -> NoRoom:
        busy = ", ".join(r.card.title for r in self._alive.values() if r.busy and r.video_memory)
        remedy = "Close other programs that use the GPU, raise the limit in the settings, or take a smaller model."
        return NoRoom(
            "{model} needs {needs} GB of video memory, and {free} GB may be used.",
            "Wait for the end of: {busy}." if busy else remedy,
            model=card.title,
            needs=round(card.vram_bytes / GB, 1),
            free=round(self.measure_budget() / GB, 1),
            busy=busy,
        )


def _sweep_folders() -> None:
    """Remove the folders of engines that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*-*"):
        owner = folder.name.removeprefix(FOLDER).partition("-")[0]
        if owner.isdecimal() and not is_alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def end_all(residents: list[Resident]) -> None:
    """End several workers at once."""
    for resident in residents:
        resident.process.end()
