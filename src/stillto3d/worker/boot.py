"""A worker's life: hello, load, call, cancel, bye.

Started as `python -I -u .../worker/boot.py` in an empty private folder. It loads its own folder as a package,
alone, so that nothing beside a still and no other Python's packages are ever imported. docs/WORKER.md
describes the messages.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import os
import platform
import queue
import sys
import threading
import traceback
from collections import OrderedDict
from pathlib import Path
from typing import Any, Dict, NoReturn, Optional, Set

PACKAGE = "stillto3d_worker"
STILLS_KEPT = 2
OUT_OF_MEMORY = ("out of memory", "can't allocate memory")  # on a GPU; PyTorch's own on the processor


def load_package() -> None:
    """This folder as the package `stillto3d_worker`, with nothing else of ours on the path."""
    folder = Path(__file__).resolve().parent
    spec: Any = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)


def limit_memory(ceiling: int) -> None:
    """Refuse memory over `ceiling` bytes (0: no limit), and be the first to go when the machine runs out."""
    with contextlib.suppress(OSError):  # not Linux
        Path("/proc/self/oom_score_adj").write_text("900")
    if ceiling:
        try:
            import resource
        except ImportError:  # not POSIX
            return
        resource.setrlimit(resource.RLIMIT_DATA, (ceiling, ceiling))


class Tick:
    """The one progress and cancel primitive that an adapter gets: `tick(i, n)` after step i of n."""

    def __init__(self, worker: Worker, job: str) -> None:
        self._worker, self._job = worker, job

    def __call__(self, step: float, steps: float, text: str = "") -> None:
        if self._worker.is_cancelled(self._job):
            raise self._worker.errors.Cancelled()
        fraction = min(1.0, max(0.0, step / steps)) if steps else 1.0
        self._worker.send("progress", {"job": self._job, "fraction": fraction, "text": text})

    def preview(self, values: Dict[str, Any]) -> None:
        """Show an early look at the result (a dict of arrays and scalars)."""
        scalars, arrays = self._worker.frames.split_reply(values)
        self._worker.send("preview", {"job": self._job, "values": scalars}, arrays)


class Worker:
    """Answers one host over two pipes, one call at a time."""

    def __init__(self, source: int, sink: int) -> None:
        self.frames: Any = importlib.import_module(PACKAGE + ".frames")
        self.errors: Any = importlib.import_module(PACKAGE + ".errors")
        self._source, self._sink = source, sink
        self._writing = threading.Lock()
        self._waiting: queue.Queue[Any] = queue.Queue()
        self._cancelled: Set[str] = set()
        self._ops: Dict[str, Any] = {}
        self._stills: OrderedDict[str, Any] = OrderedDict()

    def send(self, kind: str, fields: Dict[str, Any], arrays: Optional[Dict[str, Any]] = None) -> None:
        """Write one frame; a host that is gone ends the worker."""
        pieces = self.frames.encode_frame(kind, fields, arrays or {})
        try:
            with self._writing:
                self.frames.write_frame(self._sink, pieces)
        except OSError:
            os._exit(0)

    def is_cancelled(self, job: str) -> bool:
        """Whether the host has taken the job back."""
        return job in self._cancelled

    def listen(self) -> None:
        """Read frames until the host closes the pipe; then the process ends at once, whatever it is doing."""
        try:
            while True:
                frame = self.frames.read_frame(self._source)
                if frame is None or frame.kind == "bye":
                    os._exit(0)
                if frame.kind == "cancel":
                    self._cancelled.add(frame.fields["job"])
                else:
                    self._waiting.put(frame)
        except BaseException:
            traceback.print_exc()
            os._exit(70)

    def serve(self) -> NoReturn:
        """Answer the host's calls, one after another, for ever."""
        self.send("hello", {"protocol": self.frames.PROTOCOL, "python": platform.python_version()})
        threading.Thread(target=self.listen, daemon=True, name="listen").start()
        while True:
            frame = self._waiting.get()
            job = frame.fields.get("job")
            try:
                self.answer(frame)
            except BaseException as error:
                self.report(job, error)
            self._cancelled.discard(job)

    def find_adapter(self, name: str) -> Any:
        """An adapter of this package, or (a card may name one) a file of its own."""
        if not name.endswith(".py"):
            return importlib.import_module(PACKAGE + ".adapters." + name)
        spec: Any = importlib.util.spec_from_file_location(PACKAGE + ".adapters.outside", name)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def answer(self, frame: Any) -> None:
        """Load an adapter or run one of its operations."""
        fields = frame.fields
        if frame.kind == "load":
            adapter = self.find_adapter(fields["adapter"])
            weights = Path(fields["weights"]) if fields.get("weights") else None
            self._ops = adapter.load(weights, fields["device"])
            self.send("loaded", {"job": fields["job"], "ops": sorted(self._ops), "vram_bytes": measure_video_memory()})
            return
        if frame.kind != "call":
            raise self.errors.BadInput("unknown message " + repr(frame.kind))
        arrays, params = dict(frame.arrays), fields.get("params", {})
        self.remember_still(params.get("still_id"), arrays)
        if fields["op"] not in self._ops:
            raise self.errors.BadInput("unknown operation " + repr(fields["op"]))
        if self.is_cancelled(fields["job"]):
            raise self.errors.Cancelled()
        reply = self._ops[fields["op"]](arrays, params, Tick(self, fields["job"]))
        scalars, bodies = self.frames.split_reply(reply)
        self.send("result", {"job": fields["job"], "values": scalars, "vram_bytes": measure_video_memory()}, bodies)

    def remember_still(self, still_id: Optional[str], arrays: Dict[str, Any]) -> None:
        """Keep a still that came along; lend one that was sent before."""
        if still_id is None:
            return
        if "still" in arrays:
            self._stills[still_id] = arrays["still"]
            self._stills.move_to_end(still_id)
            while len(self._stills) > STILLS_KEPT:
                self._stills.popitem(last=False)
        elif still_id in self._stills:
            self._stills.move_to_end(still_id)
            arrays["still"] = self._stills[still_id]
        else:
            raise self.errors.BadInput("the still " + str(still_id) + " was not sent")

    def report(self, job: str, error: BaseException) -> None:
        """Say in the wire's words what went wrong."""
        if isinstance(error, self.errors.Cancelled):
            give_back_memory(error)
            self.send("cancelled", {"job": job})
            return
        kinds = (
            (MemoryError, "oom"),
            (self.errors.BadInput, "bad_input"),
            (self.errors.MissingWeights, "missing_weights"),
        )
        kind = next((name for family, name in kinds if isinstance(error, family)), "other")
        if kind == "other" and any(words in str(error).lower() for words in OUT_OF_MEMORY):
            kind = "oom"
        evidence = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        if kind == "oom":
            give_back_memory(error)
        message = getattr(error, "sentence", None) or str(error) or type(error).__name__
        values = getattr(error, "values", {}) if kind == "bad_input" else {}
        fields = {"job": job, "error": kind, "message": message, "values": values, "traceback": evidence}
        self.send("error", fields)


def measure_video_memory() -> int:
    """Bytes of video memory that PyTorch has held at most in this process; 0 where it has used none."""
    torch: Any = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    if cuda is None or not getattr(cuda, "is_initialized", lambda: False)():
        return 0
    return int(cuda.max_memory_reserved())


def give_back_memory(error: BaseException) -> None:
    """Let go of what a call that ended early has left in its frames, and of the video memory that PyTorch keeps."""
    traceback.clear_frames(error.__traceback__)
    gc.collect()
    torch: Any = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    if cuda is not None and getattr(cuda, "is_initialized", lambda: False)():
        cuda.empty_cache()


def main() -> NoReturn:
    """Take the pipes, then serve: stdout is the wire's alone, what a model prints goes to stderr."""
    sink = os.dup(1)
    os.dup2(2, 1)
    source = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    limit_memory(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    load_package()
    Worker(source, sink).serve()


if __name__ == "__main__":
    main()
