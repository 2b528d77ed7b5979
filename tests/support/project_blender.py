"""Run by Blender's Python: load a preset's folder by its own script, and print where world points (Y up) are seen."""

from __future__ import annotations

import json
import runpy
import sys

import bpy
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector


def project(folder: str, points: list[list[float]]) -> dict[str, object]:
    """Pixels from the top left, and what the script has made."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    runpy.run_path(f"{folder}/load_blender.py", run_name="__main__")
    bpy.context.view_layer.update()
    scene = bpy.context.scene
    width, height = scene.render.resolution_x, scene.render.resolution_y
    seen = [world_to_camera_view(scene, scene.camera, Vector((x, -z, y))) for x, y, z in points]
    backgrounds = scene.camera.data.background_images
    return {
        "size": [width, height],
        "pixels": [[at.x * width, (1 - at.y) * height] for at in seen],
        "meshes": sum(thing.type == "MESH" for thing in bpy.data.objects),
        "cameras": sum(thing.type == "CAMERA" for thing in bpy.data.objects),
        "plate": [list(shown.image.size) for shown in backgrounds],
    }


if __name__ == "__main__":
    print("PROBE " + json.dumps(project(sys.argv[1], json.loads(sys.argv[2]))))
