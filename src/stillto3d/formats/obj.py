"""Wavefront OBJ: every visible mesh in the world, with its material file and textures beside it; read as layers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import EncodeImage, ReadObj
from ..project.geometry import Material, Mesh, place_mesh
from ..project.project import Project
from ..words import tr
from .about import About, add_xmp, compose_lines, compose_xmp, describe_project
from .atomic import replace_file
from .gather import list_visible
from .glb_document import choose_encoding
from .imported import Imported, keep_mesh
from .lods import write_levels
from .options import AS_THEY_ARE, WriteOptions
from .staging import name_file, name_files, stage_set
from .strict_json import clean_text

_PIECE = 1 << 14
_MATERIALS_CEILING = 16 << 20
_SUFFIXES = {"jpeg": "jpg", "png": "png", "webp": "webp"}


def write_obj(run: Run, project: Project, path: Path, options: WriteOptions = AS_THEY_ARE) -> list[str]:
    """name.obj, name.mtl and name_textures/, moved in together.

    Raises BadInput without a mesh, CannotAccess, Cancelled.
    """
    return write_levels(run, project, path, options, _write_set)


def _write_set(run: Run, project: Project, path: Path, options: WriteOptions) -> list[str]:
    layers = [layer for layer in list_visible(project) if isinstance(layer.geometry, Mesh)]
    meshes = [
        (layer.name, place_mesh(layer.geometry.split_seams(), layer.transform))
        for layer in layers
        if isinstance(layer.geometry, Mesh)
    ]
    if not meshes:
        raise BadInput("The project has no mesh to write.", "Reconstruct the still first.")
    about = describe_project(project, layers)
    told = [f"# {line}" for line in compose_lines(about)]
    with stage_set(path.parent) as staging:
        folder, stem = staging.folder, name_file(path.stem)
        materials = _write_materials(run.sub(0, 0.5), meshes, folder, stem, about, options)
        head = [*told, "# metres, right-handed, Y up", *([f"mtllib {stem}.mtl"] if any(materials) else [])]
        with replace_file(folder / path.name, _check_obj) as file:
            file.write("".join(f"{line}\n" for line in head).encode("utf-8"))
            for piece in _compose_objects(run.sub(0.5, 0.5), meshes, materials):
                file.write(piece.encode("utf-8", "replace"))
        staging.commit_beside(run)
    return []


def _write_materials(
    run: Run, meshes: list[tuple[str, Mesh]], folder: Path, stem: str, about: About, options: WriteOptions
) -> list[str | None]:
    """The material's name of each mesh; textures are written once, however many meshes show them."""
    chosen: list[str | None] = []
    known: dict[int, str] = {}
    lines = [f"# {line}" for line in compose_lines(about)]
    names = name_files(name for name, _ in meshes)
    for k, ((_, mesh), name) in enumerate(zip(meshes, names, strict=True)):
        run.progress(k / len(meshes))
        material = mesh.material if mesh.uvs is not None else None
        if material is None:
            chosen.append(None)
            continue
        key = id(material)
        if key not in known:
            known[key] = name.replace(" ", "_")
            data = _encode_texture(run, material, options)
            file = f"{stem}_textures/{known[key]}.{_SUFFIXES[choose_encoding(material.base_color, options)]}"
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_bytes(add_xmp(data, compose_xmp(about)))
            lines += [f"newmtl {known[key]}", "Ka 0 0 0", "Kd 1 1 1", "Ks 0 0 0", "illum 1", f"map_Kd {file}"]
        chosen.append(known[key])
    if known:
        with replace_file(folder / f"{stem}.mtl", lambda path: None) as out:
            out.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
    return chosen


def _encode_texture(run: Run, material: Material, options: WriteOptions) -> bytes:
    kind = choose_encoding(material.base_color, options)
    return run.call(EncodeImage(material.base_color, kind, options.quality, options.texture_size))


def _compose_objects(run: Run, meshes: list[tuple[str, Mesh]], materials: list[str | None]) -> Iterator[str]:
    vertices = coordinates = 1
    total = sum(len(mesh.positions) + len(mesh.faces) for _, mesh in meshes)
    done = 0
    for (name, mesh), material in zip(meshes, materials, strict=True):
        yield f"o {' '.join(name.split()) or 'mesh'}\n"
        textured = material is not None and mesh.uvs is not None
        colors = None if textured or mesh.colors is None else mesh.colors / 255
        rows = mesh.positions if colors is None else np.hstack([mesh.positions, colors])
        yield from _compose_rows(run, "v" + " %.7g" * rows.shape[1], rows)
        corners = mesh.faces.astype(np.int64)[..., None] + vertices
        pattern = "f %d %d %d"
        if textured and mesh.uvs is not None:
            yield from _compose_rows(run, "vt %.7g %.7g", mesh.uvs * (1, -1) + (0, 1))
            yield f"usemtl {material}\n"
            corners = np.concatenate([corners, mesh.faces.astype(np.int64)[..., None] + coordinates], axis=2)
            pattern, coordinates = "f %d/%d %d/%d %d/%d", coordinates + len(mesh.uvs)
        yield from _compose_rows(run, pattern, corners.reshape(len(corners), 3 * corners.shape[2]))
        vertices += len(mesh.positions)
        done += len(mesh.positions) + len(mesh.faces)
        run.progress(done / total)


def _compose_rows(run: Run, pattern: str, rows: NDArray[Any]) -> Iterator[str]:
    """One line for each row."""
    line = pattern + "\n"
    for start in range(0, len(rows), _PIECE):
        run.check()
        piece = rows[start : start + _PIECE]
        yield (line * len(piece)) % tuple(piece.reshape(-1).tolist())


def _check_obj(path: Path) -> None:
    """The file ends with a whole line, and begins as ours do."""
    with path.open("rb") as file:
        start = file.read(2)
        file.seek(-1, os.SEEK_END)
        if start != b"# " or file.read() != b"\n":
            raise BadInput("{name} is damaged: {what}.", name=path.name, what="it ends too early")


def check_materials(path: Path) -> dict[str, Any]:
    """The materials of a .mtl and the textures that they name; none is opened. Raises BadInput and OSError."""
    if path.stat().st_size > _MATERIALS_CEILING:
        raise BadInput("{name} is damaged: {what}.", name=path.name, what="it is implausibly large")
    materials: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.strip().partition(" ")
        if key == "newmtl":
            materials.append({"name": clean_text(value.strip()), "textures": []})
        elif materials and key.lower().startswith(("map_", "bump", "norm", "disp")) and value:
            materials[-1]["textures"].append(clean_text(value.strip()))
    if not materials:
        raise BadInput("{name} is damaged: {what}.", name=path.name, what="it names no material")
    return {"materials": materials}


def read_obj_layers(run: Run, path: Path) -> Imported:
    """A layer for each object or group of an OBJ; its materials lie in other files and are not opened."""
    found = Imported(path)
    for name, arrays in run.call(ReadObj(os.fsdecode(path.absolute()))):
        found.add(name, keep_mesh(found, arrays))
    if found.layers:
        found.notes.append(tr("The materials of {name} lie in other files and were left out.", name=path.name))
    return found
