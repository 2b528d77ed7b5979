"""A hub of models on the loopback, as far as huggingface_hub asks: a listing, and files with ranges.

It can cut a connection after any byte, gate a repository, change a byte, and counts what it is asked.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c" * 40
LARGE = (".safetensors", ".pt")


class FakeHub:
    """One repository and its misbehaviour.

    cut_after   the connection ends after so many bytes of each answer (None: never)
    swapped     files whose first byte is sent wrong
    """

    def __init__(self, repository: str, files: dict[str, bytes]) -> None:
        self.repository, self.files = repository, files
        self.cut_after: int | None = None
        self.swapped: set[str] = set()
        self.token = ""
        self.asked: list[tuple[str, str, str]] = []
        self.endpoint = ""

    def describe(self) -> dict[str, object]:
        siblings: list[dict[str, object]] = []
        for name, data in self.files.items():
            git = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
            one: dict[str, object] = {"rfilename": name, "size": len(data), "blobId": git}
            if name.endswith(LARGE):
                one["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
            siblings.append(one)
        return {"id": self.repository, "sha": COMMIT, "siblings": siblings}

    def bytes_sent_for(self, name: str) -> list[str]:
        """The range of each request for a file."""
        return [ranged for method, path, ranged in self.asked if method == "GET" and path.endswith("/" + name)]


def make_handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            ranged = self.headers.get("Range", "")
            hub.asked.append((self.command, self.path.partition("?")[0], ranged))
            if hub.token and self.headers.get("Authorization") != f"Bearer {hub.token}":
                self.reply(403, b"{}", {"X-Error-Code": "GatedRepo", "X-Error-Message": "gated"})
            elif self.path.startswith(f"/api/models/{hub.repository}"):
                self.reply(200, json.dumps(hub.describe()).encode(), {"Content-Type": "application/json"})
            else:
                self.send_file(ranged)

        def send_file(self, ranged: str) -> None:
            name = self.path.removeprefix(f"/{hub.repository}/resolve/{COMMIT}/").partition("?")[0]
            data = hub.files.get(name)
            if data is None:
                self.reply(404, b"{}", {"X-Error-Code": "EntryNotFound"})
                return
            if name in hub.swapped:
                data = bytes([data[0] ^ 1]) + data[1:]
            start = int(match[1]) if (match := re.fullmatch(r"bytes=(\d+)-", ranged)) else 0
            self.reply(206 if start else 200, data[start:], {})

        def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            cut = hub.cut_after if "/resolve/" in self.path else None
            self.wfile.write(body[:cut])
            if cut is not None and cut < len(body):
                self.close_connection = True

    return Handler


@contextmanager
def serve(hub: FakeHub) -> Iterator[FakeHub]:
    """The hub on a port of its own; its thread ends with the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(hub))
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="fake-hub")
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        from huggingface_hub import close_session

        close_session()
        server.server_close()
        thread.join()
