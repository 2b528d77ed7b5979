"""Wavefront OBJ: vertices, their colours, texture coordinates and polygons; no other file is ever opened.

Ops
    read_obj  params path (os.fsdecode text), max_bytes -> positions f32[n, 3], faces u32[m, 3] (polygons as fans),
              corner_uvs f32[m, 3, 2] and colors u8[n, 3] where every face or vertex has them, part i32[m];
              names [text], one for each part
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from ...errors import BadInput
from .decoded import Limits

MAX_BYTES = 1 << 30
MAX_CORNERS = 1 << 27
MOST_PARTS = 10_000
LONGEST_LINE = 1 << 20
TICKS = 100


def read_obj(arrays: dict[str, np.ndarray], params: dict[str, Any], tick: Any) -> dict[str, Any]:
    """The geometry of the OBJ at params["path"]. Raises BadInput with a sentence for whatever is none."""
    from .codecs import open_still

    limits = Limits(max_bytes=int(params.get("max_bytes", MAX_BYTES)))
    with open_still(str(params["path"]), limits) as file:
        return _Obj().read(file, tick)


class _Obj:
    """The lists that an OBJ's lines fill."""

    def __init__(self) -> None:
        self.positions: list[list[float]] = []
        self.uvs: list[list[float]] = []
        self.corners: list[int] = []  # vertex and texture coordinate of every corner of every triangle
        self.parts: list[int] = []
        self.names: list[str] = [""]
        self.textured = True

    def read(self, file: BinaryIO, tick: Any) -> dict[str, Any]:
        size = max(1, file.seek(0, 2))
        file.seek(0)
        done = told = 0
        while line := file.readline(LONGEST_LINE):
            done += len(line)
            if done * TICKS // size > told:
                told = done * TICKS // size
                tick(told, TICKS)
            while line.endswith(b"\\\n") and len(line) < LONGEST_LINE:
                line = line[:-2] + b" " + file.readline(LONGEST_LINE)
            self._take(line.split())
        if not self.positions:
            raise BadInput("This file is damaged: it holds no vertices. Export it again.")
        return self._answer()

    def _take(self, words: list[bytes]) -> None:
        if not words:
            return
        try:
            if words[0] == b"v":
                self.positions.append([float(word) for word in words[1:7]])
            elif words[0] == b"vt":
                self.uvs.append([float(word) for word in words[1:3]])
            elif words[0] == b"f":
                self._take_face([self._take_corner(word) for word in words[1:]])
            elif words[0] in (b"o", b"g"):
                self._begin_part(b" ".join(words[1:]).decode("utf-8", "replace"))
        except ValueError as error:
            raise BadInput("This file is damaged: a line holds what is not a number. Export it again.") from error

    def _take_corner(self, word: bytes) -> tuple[int, int]:
        """`v`, `v/t`, `v//n` or `v/t/n`, counted from 1, or from the end if negative."""
        numbers = word.split(b"/")
        vertex = int(numbers[0])
        vertex = vertex - 1 if vertex > 0 else len(self.positions) + vertex
        uv = int(numbers[1]) if len(numbers) > 1 and numbers[1] else 0
        uv = uv - 1 if uv > 0 else len(self.uvs) + uv if uv < 0 else -1
        if not 0 <= vertex < len(self.positions) or uv >= len(self.uvs):
            raise BadInput("This file is damaged: a face names a vertex that does not exist. Export it again.")
        return vertex, uv

    def _take_face(self, corners: list[tuple[int, int]]) -> None:
        for k in range(1, len(corners) - 1):
            for vertex, uv in (corners[0], corners[k], corners[k + 1]):
                self.corners += (vertex, uv)
            self.parts.append(len(self.names) - 1)
        self.textured = self.textured and all(uv >= 0 for _, uv in corners)
        if len(self.corners) > 2 * MAX_CORNERS:
            raise BadInput("This mesh is larger than can be opened. Reduce it first.")

    def _begin_part(self, name: str) -> None:
        if self.parts and self.parts[-1] == len(self.names) - 1:
            self.names.append(name[:200])
        else:  # the last name was given to nothing yet
            self.names[-1] = name[:200]
        if len(self.names) > MOST_PARTS:
            raise BadInput("This file holds more objects than can be opened. Join some of them first.")

    def _answer(self) -> dict[str, Any]:
        lengths = {len(row) for row in self.positions}
        if min(lengths) < 3:
            raise BadInput("This file is damaged: a vertex has less than three coordinates. Export it again.")
        with np.errstate(over="ignore"):
            positions = np.array([row[:3] for row in self.positions], dtype=np.float64).astype(np.float32)
        corners = np.array(self.corners, dtype=np.int64).reshape(-1, 3, 2)
        answer: dict[str, Any] = {
            "positions": positions,
            "faces": corners[..., 0].astype(np.uint32),
            "part": np.array(self.parts, dtype=np.int32),
            "names": self.names,
        }
        if self.textured and len(corners):
            uvs = np.array([[*row, 0.0, 0.0][:2] for row in self.uvs], dtype=np.float64)
            answer["corner_uvs"] = (uvs[corners[..., 1]] * (1, -1) + (0, 1)).astype(np.float32)
        if lengths == {6}:
            colours = np.nan_to_num(np.array([row[3:] for row in self.positions]))
            top = 255.0 if colours.max(initial=0) > 1 else 1.0
            answer["colors"] = np.rint(np.clip(colours / top, 0, 1) * 255).astype(np.uint8)
        return answer
