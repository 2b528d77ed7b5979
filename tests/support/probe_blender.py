"""Run by Blender's Python: import files and print what arrived, one JSON object per file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import bpy


def probe(path: str) -> dict[str, Any]:
    """What Blender holds after importing one file into an empty scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if Path(path).suffix == ".ply":
        bpy.ops.wm.ply_import(filepath=path, forward_axis="NEGATIVE_Z", up_axis="Y")
    elif Path(path).suffix.startswith(".usd"):
        bpy.ops.wm.usd_import(filepath=path)
    else:
        bpy.ops.import_scene.gltf(filepath=path)
    bpy.context.view_layer.update()
    return {
        "file": path,
        "cameras": {o.name: describe_camera(o) for o in bpy.data.objects if o.type == "CAMERA"},
        "meshes": {o.name: describe_mesh(o) for o in bpy.data.objects if o.type == "MESH"},
        "clouds": {o.name: len(o.data.points) for o in bpy.data.objects if o.type == "POINTCLOUD"},
        "parents": {o.name: o.parent.name if o.parent else None for o in bpy.data.objects},
        "images": {image.name: list(image.size) for image in bpy.data.images if image.size[0]},
    }


def describe_camera(camera: Any) -> dict[str, Any]:
    """Angles in radians, and the place in Blender's Z-up world."""
    data = camera.data
    return {
        "angle_x": data.angle_x,
        "angle_y": data.angle_y,
        "sensor": data.sensor_width,
        "shift": [data.shift_x, data.shift_y],
        "matrix": [list(row) for row in camera.matrix_world],
        "extras": {key: value for key, value in data.items() if isinstance(value, int | float | str)},
    }


def describe_mesh(thing: Any) -> dict[str, Any]:
    """Counts, world bounds (Z up), attributes and materials."""
    corners = [thing.matrix_world @ vertex.co for vertex in thing.data.vertices]
    return {
        "vertices": len(corners),
        "triangles": len(thing.data.polygons),
        "bounds": [[f(c[k] for c in corners) for k in range(3)] for f in (min, max)],
        "attributes": [a.name for a in thing.data.attributes if not a.name.startswith(".")],
        "materials": [m.name for m in thing.data.materials if m],
        "uvs": len(thing.data.uv_layers),
    }


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print("PROBE " + json.dumps(probe(name)))
