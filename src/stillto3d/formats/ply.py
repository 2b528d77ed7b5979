"""PLY, little-endian and interleaved: coloured points, a coloured mesh, or splats in the layout of INRIA.

What the file says of itself stands in its comments. Everything is in the world: metres, right-handed, Y up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.run import Run
from ..errors import BadInput
from ..project.geometry import Mesh, Points, Splats
from ..project.project import Project
from .about import About, compose_lines, describe_project
from .atomic import replace_file
from .gather import gather_mesh, gather_points, gather_splats, list_visible
from .lods import write_levels
from .options import AS_THEY_ARE, WriteOptions
from .ply_reader import check_points

_PIECE_BYTES = 1 << 20  # stays in the cache
_COLOURS = "metres, right-handed, Y up; colours are display-referred sRGB"
_OBSERVED = "observed: 1 = seen in a still, 0 = invented"
_SURE = 2.0**-24  # opacities nearer to 0 or 1 have no finite logit in 32 bits
_THIN_M = 1e-20
_POSITIONS = [f"property float {axis}" for axis in "xyz"]
_NORMALS = [f"property float n{axis}" for axis in "xyz"]
_RGB = [f"property uchar {channel}" for channel in ("red", "green", "blue")]

Fill = Callable[[NDArray[Any], slice], None]


def write_ply(run: Run, project: Project, path: Path, options: WriteOptions = AS_THEY_ARE) -> list[str]:
    """The set as coloured points, all meshes as one, or all splats, as `options.content` says.

    Raises BadInput where there is no such thing, CannotAccess, Cancelled.
    """
    return write_levels(run, project, path, options, _write_content)


def _write_content(run: Run, project: Project, path: Path, options: WriteOptions) -> list[str]:
    about = describe_project(project, list_visible(project))
    content = options.content if options.content != "auto" else choose_content(project)
    if content == "splats":
        splats = gather_splats(project)
        if splats is None:
            raise BadInput("The project has no splats to write.", "Choose points or mesh.")
        write_splats(run, splats, path, about)
    elif content == "mesh":
        mesh = gather_mesh(project)
        if mesh is None:
            raise BadInput("The project has no mesh to write.", "Reconstruct the still first.")
        write_mesh(run, mesh, path, about)
    else:
        points = gather_points(project)
        if not len(points.positions):
            raise BadInput("The project has no set to write as points.", "Reconstruct the still first.")
        write_points(run, points, path, about)
    return []


def choose_content(project: Project) -> str:
    """ "splats" where all is splats, "mesh" where props stand without a set, else "points"."""
    visible = list_visible(project)
    if visible and all(isinstance(layer.geometry, Splats) for layer in visible):
        return "splats"
    scenes = {layer.id for layer in project.scenes()}
    alone = all(isinstance(layer.geometry, Mesh) and layer.id not in scenes for layer in visible)
    return "mesh" if visible and alone else "points"


# ---------------------------------------------------------------------- writers


def write_points(run: Run, points: Points, path: Path, about: About | None = None) -> None:
    """Points as binary PLY: float x y z, uchar red green blue, and uchar observed where it is known."""
    lines, columns = _list_columns(points.positions, None, points.colors, points.observed)
    with replace_file(path, check_points) as file:
        file.write(_compose_header(lines, about))
        for piece in _interleave(run, columns):
            file.write(piece)


def write_mesh(run: Run, mesh: Mesh, path: Path, about: About | None = None) -> None:
    """A mesh as binary PLY, its vertices coloured; textures stay behind, as PLY knows none."""
    lines, columns = _list_columns(mesh.positions, mesh.normals, mesh.colors, mesh.observed)
    lines += [f"element face {len(mesh.faces)}", "property list uchar int vertex_indices"]
    count = np.full(len(mesh.faces), 3, dtype=np.uint8)
    with replace_file(path, check_points) as file:
        file.write(_compose_header(lines, about))
        for piece in _interleave(run.sub(0, 0.5), columns):
            file.write(piece)
        for piece in _interleave(run.sub(0.5, 0.5), [count, mesh.faces.astype("<i4", copy=False)]):
            file.write(piece)


def write_splats(run: Run, splats: Splats, path: Path, about: About | None = None) -> None:
    """Splats as INRIA's trainer writes them (Kerbl et al. 2023): all float; logits, logarithms, quaternions wxyz.

    `nx ny nz` are zeros, `f_rest` holds the red coefficients first, then green, then blue.
    """
    rest = splats.sh.shape[1] - 1
    names = ["x", "y", "z", "nx", "ny", "nz", *(f"f_dc_{k}" for k in range(3))]
    names += [*(f"f_rest_{k}" for k in range(3 * rest)), "opacity"]
    names += [*(f"scale_{k}" for k in range(3)), *(f"rot_{k}" for k in range(4))]
    lines = ["comment metres, right-handed, Y up", f"element vertex {len(splats.means)}"]
    lines += [f"property float {name}" for name in names]
    row: list[Any] = [("means", "V12"), ("normals", "V12"), ("dc", "V12"), ("rest", "<f4", (3, rest))]
    row += [("opacity", "<f4"), ("scales", "V12"), ("rotations", "V16")]
    means, rotations = _make_opaque(splats.means), _make_opaque(splats.rotations)

    def fill(rows: NDArray[Any], part: slice) -> None:
        rows["means"], rows["rotations"] = means[part], rotations[part]
        rows["normals"] = np.void(bytes(12))
        rows["dc"] = _make_opaque(splats.sh[part, 0])
        rows["rest"] = splats.sh[part, 1:].transpose(0, 2, 1)
        sure = np.clip(splats.opacity[part], _SURE, 1 - _SURE)
        rows["opacity"] = np.log(sure / (1 - sure))
        rows["scales"] = _make_opaque(np.log(np.maximum(splats.scales[part], _THIN_M)))

    with replace_file(path, check_points) as file:
        file.write(_compose_header(lines, about))
        for piece in _fill_rows(run, len(splats.means), np.dtype(row), fill):
            file.write(piece)


def _list_columns(
    positions: NDArray[Any], normals: NDArray[Any] | None, colors: NDArray[Any] | None, observed: NDArray[Any] | None
) -> tuple[list[str], list[NDArray[Any]]]:
    """The header's lines for the vertices, and the arrays that go into their rows."""
    lines = [f"comment {_COLOURS}", f"element vertex {len(positions)}", *_POSITIONS]
    columns = [positions.astype("<f4", copy=False)]
    if normals is not None:
        lines, columns = lines + _NORMALS, [*columns, normals.astype("<f4", copy=False)]
    if colors is not None:
        lines, columns = lines + _RGB, [*columns, colors]
    if observed is not None:
        lines, columns = [*lines, f"comment {_OBSERVED}", "property uchar observed"], [*columns, observed]
    return lines, columns


def _interleave(run: Run, columns: list[NDArray[Any]]) -> Iterator[memoryview]:
    """The bytes of rows that hold each column's values side by side."""
    packed = [_make_opaque(column) for column in columns]
    fields = [(f"f{k}", column.dtype) for k, column in enumerate(packed)]

    def fill(rows: NDArray[Any], part: slice) -> None:
        for (name, _), column in zip(fields, packed, strict=True):
            rows[name] = column[part]

    return _fill_rows(run, len(packed[0]), np.dtype(fields), fill)


def _make_opaque(values: NDArray[Any]) -> NDArray[Any]:
    """Rows [n] or [n, k] as bytes of no type [n]: numpy copies such a row at once, twice as fast as one by one."""
    flat = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"), copy=False)).reshape(len(values), -1)
    return flat.view(np.uint8).view(f"V{flat.shape[1] * flat.itemsize}").reshape(-1)


def _fill_rows(run: Run, count: int, dtype: np.dtype[Any], fill: Fill) -> Iterator[memoryview]:
    """The bytes of `count` rows, a piece at a time, in memory that serves again: use one up before the next."""
    most = max(1, _PIECE_BYTES // dtype.itemsize)
    rows = np.empty(min(count, most), dtype=dtype)
    for start in range(0, count, most):
        run.check()
        piece = rows[: min(most, count - start)]
        fill(piece, slice(start, start + len(piece)))
        yield piece.view(np.uint8).data
        run.progress((start + len(piece)) / count)


def _compose_header(lines: list[str], about: About | None) -> bytes:
    told = [] if about is None else [f"comment {line}" for line in compose_lines(about)]
    return ("\n".join(["ply", "format binary_little_endian 1.0", *told, *lines, "end_header"]) + "\n").encode("ascii")
