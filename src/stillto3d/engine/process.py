"""One worker process, as the host sees it: frames out, frames in, and what it printed."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
from collections import deque
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..worker import frames
from ..worker.frames import Frame, WireError

BOOT = Path(frames.__file__).with_name("boot.py")
PIPE_BYTES = 1 << 20
EVIDENCE_LINES = 200
MOST_WAITING = 1000  # frames that nobody has asked for yet; a worker that sends more is broken
LAST_WORDS = 2.0  # seconds that pipes get to run dry after their process has ended
# Idle threads do not spin, and no library calls home: onnxruntime reports its use unless told not to, and
# libraries of models would download what they miss. Weights come through the store alone.
QUIET = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
SECRETS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")  # are the store's alone


class WorkerDied(Exception):
    """The process ended or wrote something that is not a frame."""


class WorkerProcess:
    """A process that answers one call at a time.

    Each pipe has a thread of its own, so that neither a worker that does not read nor one that does not write
    can hold the host; `receive` is the only place that waits.
    """

    def __init__(self, interpreter: str, folder: Path, memory_bytes: int = 0) -> None:
        """`folder` is an empty private folder to start in."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", *SECRETS))}
        environment |= QUIET
        self._process = subprocess.Popen(
            [interpreter, "-I", "-u", str(BOOT), str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment,
            bufsize=0,
            start_new_session=True,  # Ctrl-C in a terminal is for the host alone
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._pipes = (self._process.stdin, self._process.stdout, self._process.stderr)
        for pipe in self._pipes[:2]:
            _widen_pipe(pipe.fileno())
        self._outgoing: queue.SimpleQueue[list[memoryview] | None] = queue.SimpleQueue()
        self._incoming: deque[Frame] = deque()
        self._arrived = threading.Condition()
        self._broken: str | None = None
        self._woken = False
        self._printed: deque[str] = deque(maxlen=EVIDENCE_LINES)
        self._threads = [
            threading.Thread(target=loop, name=f"worker-{self.pid}-{loop.__name__}", daemon=True)
            for loop in (self._write_frames, self._read_frames, self._read_print)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """The process runs and has not broken the wire."""
        return self._broken is None and self._process.poll() is None

    def send(self, kind: str, fields: dict[str, Any], arrays: dict[str, NDArray[Any]] | None = None) -> None:
        """Queue one frame; what becomes of it is seen in `receive`."""
        self._outgoing.put(frames.encode_frame(kind, fields, arrays or {}))

    def receive(self, timeout: float) -> Frame | None:
        """The next frame; None after `timeout` seconds or after `wake`. Raises WorkerDied."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._incoming or self._broken is not None or self._woken, timeout)
            self._woken = False
            if self._incoming:
                return self._incoming.popleft()
            if self._broken is not None:
                raise WorkerDied(self._broken)
            return None

    def wake(self) -> None:
        """Let a waiting `receive` return at once."""
        with self._arrived:
            self._woken = True
            self._arrived.notify_all()

    def evidence(self) -> str:
        """The last lines that the worker printed."""
        return "\n".join(self._printed)

    def end(self, grace: float = 0.0) -> None:
        """End the process: politely for `grace` seconds, then at once. Waits for its threads."""
        self._outgoing.put(None)
        if grace > 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        self._kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(LAST_WORDS)
        for pipe, thread in zip(self._pipes[1:], self._threads[1:], strict=True):
            if not thread.is_alive():  # else something has fled with the pipe: its reader ends when that does
                pipe.close()

    def _kill(self) -> None:
        """End the process and whatever it started, which would keep the pipes open."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self.pid, signal.SIGKILL)  # also when it is dead itself: its children may live
            else:
                self._process.kill()

    def _break(self, why: str) -> None:
        with self._arrived:
            self._broken = self._broken or why
            self._arrived.notify_all()

    def _write_frames(self) -> None:
        stdin = self._pipes[0]
        try:
            while (pieces := self._outgoing.get()) is not None:
                frames.write_frame(stdin.fileno(), pieces)
        except OSError:
            self._break("the process closed its input")
        finally:
            stdin.close()

    def _read_frames(self) -> None:
        stdout = self._pipes[1]
        why = "the process ended"
        try:
            while (frame := frames.read_frame(stdout.fileno())) is not None:
                with self._arrived:
                    last = self._incoming[-1] if self._incoming else None
                    if last is not None and frame.kind == last.kind == "progress":
                        self._incoming.pop()  # only the newest progress matters
                    self._incoming.append(frame)
                    if len(self._incoming) > MOST_WAITING:
                        raise WireError("it sent more than anybody asked for")
                    self._arrived.notify_all()
        except (WireError, OSError) as error:
            why = str(error)
            self._kill()
        self._break(why)

    def _read_print(self) -> None:
        stderr = self._pipes[2]
        rest = b""
        while piece := os.read(stderr.fileno(), 1 << 16):
            *lines, rest = (rest + piece).split(b"\n")
            self._printed.extend(line[-2000:].decode("utf-8", "replace") for line in lines[-EVIDENCE_LINES:])
            rest = rest[-2000:]
        if rest:
            self._printed.append(rest.decode("utf-8", "replace"))


def is_alive(pid: int) -> bool:
    """Whether a process of that id runs (one of somebody else's counts, and where none can be asked, all)."""
    if os.name == "nt":  # signal 0 is Ctrl-C there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _widen_pipe(fd: int) -> None:
    """Fewer, larger copies (Linux; elsewhere pipes stay as they are)."""
    try:
        import fcntl

        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except (ImportError, AttributeError, OSError):
        pass
