"""Interpreters that share one start: each is a fork of a process that has imported PyTorch already.

`share_start` makes a file that may be called as an interpreter is. It hands its pipes, arguments and folder to the
process that `serve` keeps, waits for the fork, and ends as that ends. Only POSIX has forks.
"""

from __future__ import annotations

import array
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

CALLER = """#!{base} -IS
import array, json, os, socket, sys
if sys.argv[1:3] != ["-I", "-u"]:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
line = socket.socket(socket.AF_UNIX)
line.connect({place!r})
told = json.dumps({{"words": sys.argv[3:], "folder": os.getcwd(), "environment": dict(os.environ)}}).encode()
fds = array.array("i", [0, 1, 2]).tobytes()
line.sendmsg([len(told).to_bytes(4, "little")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
line.sendall(told)
for fd in range(3):
    os.close(fd)  # only the fork holds the pipes: the host sees them end with it
os._exit(int((line.recv(16) or b"1").decode()))
"""


def share_start(python: Path, folder: Path) -> tuple[Path, subprocess.Popen[bytes]]:
    """A file to call in place of `python`, and the process behind it, which ends with its input."""
    place = folder / "line"
    command = [str(python), str(Path(__file__).resolve()), str(place)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdout is not None and server.stdout.readline() == b"ready\n"
    caller = folder / "forked"
    caller.write_text(CALLER.format(base=sys.executable, python=str(python), place=str(place)))
    caller.chmod(0o755)
    return caller, server


def serve(place: str) -> None:
    """Import, listen, and fork for each caller until the input ends."""
    import numpy as np
    import torch

    assert np and torch
    line = socket.socket(socket.AF_UNIX)
    line.bind(place)
    line.listen()
    print("ready", flush=True)
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
    while True:
        caller, _ = line.accept()
        size, told, _, _ = caller.recvmsg(4, socket.CMSG_SPACE(12))
        fds = array.array("i", told[0][2])
        with caller.makefile("rb") as stream:
            asked = json.loads(stream.read(int.from_bytes(size, "little")))
        child = os.fork()
        if child == 0:
            line.close()
            caller.close()
            _become(asked, list(fds))
        for fd in fds:
            os.close(fd)
        threading.Thread(target=_wait, args=(child, caller), daemon=True).start()


def _become(asked: dict[str, Any], fds: list[int]) -> None:
    """Run the asked script in this fork, and end."""
    import runpy

    code = 1
    try:
        os.setsid()
        for k, fd in enumerate(fds):
            os.dup2(fd, k)
            os.close(fd)
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        sys.argv = asked["words"]
        runpy.run_path(asked["words"][0], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        os._exit(code)


def _wait(child: int, caller: socket.socket) -> None:
    _, status = os.waitpid(child, 0)
    with caller:
        caller.sendall(str(os.waitstatus_to_exitcode(status) & 255).encode())


if __name__ == "__main__":
    serve(sys.argv[1])
