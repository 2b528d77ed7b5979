"""What a file holds, told in plain values: stills, projects, GLB, PLY, and whatever else comes in as layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.run import Run
from ..project.geometry import Geometry, Mesh, Points, get_positions, measure_bounds
from ..project.project import Layer, Project, Shot
from .about import collect_models
from .glb_reader import Glb, check_glb, walk_nodes
from .imported import Imported
from .lens import describe_camera
from .picture import read_still
from .ply_reader import read_ply
from .s3d import read_s3d

Description = dict[str, Any]

_TRIANGLES = 4
_MOVED_CEILING = 1 << 26


# ---------------------------------------------------------------------- stills and projects


def describe_still(run: Run, path: Path) -> Description:
    """A picture: size, samples, colour space, lens."""
    decoded = read_still(run, path)
    still = decoded.still
    return {
        "name": still.name,
        "id": still.id,
        "format": decoded.format,
        "width": still.width,
        "height": still.height,
        "alpha": still.alpha is not None,
        "samples": "u1" if still.source is None else still.source.dtype.str[1:],
        "space": still.source_space or "srgb",
        "focal_px": still.focal_px,
        "warnings": [dict(note) for note in decoded.warnings],
    }


def describe_project(run: Run, path: Path) -> Description:
    """A project: its shots and layers."""
    project = read_s3d(run, path)
    recipes = [layer.made_by for layer in project.layers]
    return {
        "shots": [_describe_shot(shot) for shot in project.shots],
        "layers": [_describe_layer(layer) for layer in project.layers],
        "bounds": _describe_bounds(project),
        "models": [dict(model) for model in collect_models(recipes)],
        "policy": {"use": project.policy.use, "region": project.policy.region},
    }


def _describe_shot(shot: Shot) -> Description:
    return {
        "name": shot.still.name,
        "id": shot.still.id,
        "width": shot.still.width,
        "height": shot.still.height,
        "clean_plate": shot.clean_plate is not None,
        "depth": None if shot.depth is None else list(shot.depth.metres.shape[::-1]),
        "camera": None if shot.camera is None else describe_camera(shot.camera),
    }


def _describe_layer(layer: Layer) -> Description:
    plain = {"id": layer.id, "name": layer.name, "kind": layer.kind.value, "visible": layer.visible}
    masks = {key: mask.count_pixels() for key, mask in layer.masks.items()}
    geometry = None if layer.geometry is None else _describe_geometry(layer.geometry, layer.transform)
    made_by = None if layer.made_by is None else layer.made_by.pipeline
    return {
        **plain,
        "mask_pixels": masks,
        "takes": len(layer.takes),
        "made_by": made_by,
        "geometry": geometry,
    }


def _find_share(observed: NDArray[Any] | None) -> float | None:
    """How much of it a still has seen."""
    return None if observed is None or not len(observed) else float((observed > 0).mean())


def _describe_geometry(geometry: Geometry, transform: NDArray[np.float64]) -> Description:
    described: Description = {
        "type": type(geometry).__name__.lower(),
        "vertices": len(get_positions(geometry)),
        "bounds": measure_bounds(geometry, transform).tolist(),
        "observed": _find_share(geometry.observed),
    }
    if isinstance(geometry, Mesh):
        texture = None if geometry.material is None else geometry.material.base_color
        described |= {
            "triangles": len(geometry.faces),
            "watertight": geometry.is_watertight(),
            "texture": None if texture is None else [texture.shape[1], texture.shape[0]],
        }
    return described


def _describe_bounds(project: Project) -> list[list[float]] | None:
    boxes = [
        measure_bounds(layer.geometry, layer.transform)
        for layer in project.layers
        if layer.geometry is not None and len(get_positions(layer.geometry))
    ]
    if not boxes:
        return None
    return [np.min(boxes, axis=0)[0].tolist(), np.max(boxes, axis=0)[1].tolist()]


# ---------------------------------------------------------------------- GLB


def describe_glb(run: Run, path: Path) -> Description:
    """A GLB: cameras, layers, textures, and what it says of itself."""
    glb = check_glb(path)
    asset = glb.document["asset"]
    layers, boxes = [], []
    meshes = _MeshReader(glb)
    for node, world in walk_nodes(glb):
        run.check()
        if "mesh" in node:
            boxes.append(meshes.measure(node["mesh"], world))
            layers.append(_describe_node(node, meshes.read(node["mesh"])[0], boxes[-1]))
    about = _get_extras(asset)
    return {
        "generator": asset.get("generator", ""),
        "name": next((node.get("name", "") for node, _ in walk_nodes(glb)), ""),
        "cameras": [
            {"name": camera.get("name", ""), **camera.get("perspective", {}), "extras": camera.get("extras")}
            for camera in glb.list("cameras")
        ],
        "layers": layers,
        "triangles": sum(layer["triangles"] for layer in layers),
        "textures": [_describe_image(glb, image) for image in glb.list("images")],
        "bounds": [np.min(boxes, axis=0)[0].tolist(), np.max(boxes, axis=0)[1].tolist()] if boxes else None,
        "extensions": [str(name) for name in glb.document.get("extensionsUsed", [])],
        "models": about.get("models", []),
        "digital_source_type": about.get("digitalSourceType", ""),
    }


def _get_extras(entry: Description) -> Description:
    extras = entry.get("extras")
    return extras if isinstance(extras, dict) else {}


def _describe_node(node: Description, counts: Description, box: NDArray[np.float64]) -> Description:
    extras = _get_extras(node)
    about = {key: extras.get(key) for key in ("id", "kind", "generated")}
    return {"name": node.get("name", ""), **about, **counts, "bounds": box.tolist()}


class _MeshReader:
    """Reads each mesh of a GLB once, however many nodes show it."""

    def __init__(self, glb: Glb) -> None:
        self._glb = glb
        self._known: dict[int, tuple[Description, Points]] = {}
        self._moved = 0

    def read(self, index: int) -> tuple[Description, Points]:
        """Counts of a mesh, and its vertices."""
        if index not in self._known:
            parts = [_read_geometry(self._glb, p) for p in self._glb.list("meshes")[index]["primitives"]]
            counts = {
                "vertices": sum(len(part.positions) for part in parts),
                "triangles": sum(len(part.faces) for part in parts),
                "watertight": all(_weld(part).is_watertight() for part in parts),
            }
            points = [part.positions for part in parts] or [np.zeros((0, 3), dtype=np.float32)]
            self._known[index] = (counts, Points(np.concatenate(points)))
        return self._known[index]

    def measure(self, index: int, world: NDArray[np.float64]) -> NDArray[np.float64]:
        """A mesh's box in the world; from its own box's corners once a file asks for too many."""
        points = self.read(index)[1]
        self._moved += len(points.positions)
        if self._moved > _MOVED_CEILING:
            box = measure_bounds(points)
            corners = np.array([[box[i, 0], box[j, 1], box[k, 2]] for i, j, k in np.ndindex(2, 2, 2)])
            points = Points(corners.astype(np.float32))
        return measure_bounds(points, world)


def _read_geometry(glb: Glb, primitive: Description) -> Mesh:
    """A primitive's positions and triangles; other modes have none."""
    positions = glb.read_accessor(primitive["attributes"]["POSITION"]).astype(np.float32)
    flat = np.arange(len(positions), dtype=np.uint32)
    if "indices" in primitive:
        flat = glb.read_accessor(primitive["indices"]).reshape(-1).astype(np.uint32)
    usable = len(flat) // 3 * 3 if primitive.get("mode", _TRIANGLES) == _TRIANGLES else 0
    return Mesh(positions, flat[:usable].reshape(-1, 3))


def _weld(mesh: Mesh) -> Mesh:
    """The mesh with vertices of one place made one: writers split them where a texture has a seam."""
    places = np.ascontiguousarray(mesh.positions + np.float32(0)).view([("", "<f4")] * 3).reshape(-1)
    kept, inverse = np.unique(places, return_inverse=True)
    positions = kept.view(np.float32).reshape(-1, 3)
    return Mesh(positions, inverse.astype(np.uint32)[mesh.faces])


def _describe_image(glb: Glb, image: Description) -> Description:
    data = glb.read_view(image["bufferView"])
    width, height = measure_picture(data)
    return {"type": image.get("mimeType", ""), "width": width, "height": height, "bytes": len(data)}


def measure_picture(data: bytes) -> tuple[int, int]:
    """Width and height that a PNG or JPEG says it has; (0, 0) for anything else."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    position = 2
    while data[:2] == b"\xff\xd8" and position + 9 <= len(data) and data[position] == 0xFF:
        marker, length = data[position + 1], int.from_bytes(data[position + 2 : position + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a start of frame
            height, width = data[position + 5 : position + 7], data[position + 7 : position + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        position += 2 + length
    return 0, 0


# ---------------------------------------------------------------------- PLY


def describe_ply(run: Run, path: Path) -> Description:
    """A PLY: counts, properties and bounds."""
    data = read_ply(path)
    positions = data.stack("x", "y", "z")
    assert positions is not None
    finite = np.isfinite(positions).all(axis=1)
    kept = positions[finite]
    names = data.vertices.dtype.names or ()
    seen = data.vertices["observed"] if "observed" in names else None
    return {
        "vertices": len(positions),
        "not_numbers": int((~finite).sum()),
        "triangles": len(data.faces),
        "properties": list(names),
        "splats": {"opacity", "scale_0", "rot_0"} <= set(names),
        "observed": _find_share(seen),
        "bounds": [kept.min(axis=0).tolist(), kept.max(axis=0).tolist()] if len(kept) else None,
        "comments": list(data.header.comments),
        "text": not data.header.order,
    }


# ---------------------------------------------------------------------- layers


def describe_layers(read: Callable[[Run, Path], Imported]) -> Callable[[Run, Path], Description]:
    """How to describe a file by the layers that come out of it."""

    def describe(run: Run, path: Path) -> Description:
        found = read(run, path)
        layers = [
            {"name": layer.name}
            | ({} if layer.geometry is None else _describe_geometry(layer.geometry, layer.transform))
            for layer in found.layers
        ]
        return {
            "layers": layers,
            "triangles": sum(layer.get("triangles", 0) for layer in layers),
            "bounds": None if not layers else _describe_bounds(found.make_project()),
            "warnings": found.notes,
        }

    return describe
