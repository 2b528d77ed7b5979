"""The camera, the light of the sky, rendering, and the exact truth read back from the scene."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector
from mathutils.bvhtree import BVHTree

from samples.stage import Stage

FILM_BACK_MM = 36.0
DEPTH_STEP, FAR_STEP = 1e-3, 1e-4


@dataclass(frozen=True)
class Sample:
    """One still: what builds it, its seed, and its camera (Z up, metres, degrees; yaw 0 looks along +y)."""

    name: str
    build: Callable[[Stage], None]
    seed: int
    size: tuple[int, int]
    focal_mm: float
    eye: tuple[float, float, float]
    yaw: float
    pitch: float
    roll: float = 0.0
    exposure: float = 0.0


def sky(elevation: float, heading: float, strength: float, sun: bool = False) -> None:
    """Light the world with a physical sky; `sun` adds the disc (outdoors)."""
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    world.use_nodes = True
    tree = world.node_tree
    texture = tree.nodes.new("ShaderNodeTexSky")
    texture.sky_type = "MULTIPLE_SCATTERING"
    texture.sun_elevation, texture.sun_rotation = math.radians(elevation), math.radians(heading)
    texture.sun_disc, texture.sun_size = sun, math.radians(0.8)
    background = tree.nodes["Background"]
    background.inputs["Strength"].default_value = strength
    tree.links.new(texture.outputs[0], background.inputs["Color"])


def camera_matrix(sample: Sample) -> Matrix:
    """Blender's matrix of the camera (looks along its -z): positive roll turns the picture clockwise."""
    yaw, pitch, roll = (math.radians(a) for a in (sample.yaw, sample.pitch, sample.roll))
    forward = Vector((-math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), math.sin(pitch)))
    right = Vector((math.cos(yaw), math.sin(yaw), 0))
    up = right.cross(forward)
    x, y = right * math.cos(roll) + up * math.sin(roll), up * math.cos(roll) - right * math.sin(roll)
    matrix = Matrix((x, y, -forward)).transposed().to_4x4()
    matrix.translation = sample.eye
    return matrix


def y_up(matrix: Matrix) -> list[list[float]]:
    """A world matrix turned from Z up to Y up."""
    turn = Matrix(((1, 0, 0, 0), (0, 0, 1, 0), (0, -1, 0, 0), (0, 0, 0, 1)))
    return [[round(v, 9) for v in row] for row in turn @ matrix]


def set_up(sample: Sample, size: tuple[int, int], samples: int, threads: int) -> bpy.types.Object:
    """Empty the file, and prepare the renderer and the camera."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.cycles.device, scene.cycles.samples, scene.cycles.seed = "CPU", samples, sample.seed
    scene.cycles.use_adaptive_sampling, scene.cycles.adaptive_threshold = True, 0.03
    scene.cycles.use_denoising, scene.cycles.denoiser = True, "OPENIMAGEDENOISE"
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
    scene.cycles.max_bounces, scene.cycles.diffuse_bounces, scene.cycles.glossy_bounces = 9, 3, 3
    scene.cycles.transmission_bounces, scene.cycles.sample_clamp_indirect = 8, 6
    scene.view_settings.view_transform, scene.view_settings.look = "AgX", "AgX - Medium High Contrast"
    scene.view_settings.exposure = sample.exposure
    lens = bpy.data.cameras.new("camera")
    lens.sensor_fit, lens.sensor_width, lens.lens = "HORIZONTAL", FILM_BACK_MM, sample.focal_mm
    lens.clip_start, lens.clip_end = 0.02, 500
    camera = bpy.data.objects.new("camera", lens)
    scene.collection.objects.link(camera)
    scene.camera = camera
    camera.matrix_world = camera_matrix(sample)
    return camera


def render_picture() -> np.ndarray:
    """Render the scene to u8[H,W,3], display-referred sRGB."""
    from PIL import Image

    scene = bpy.context.scene
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = str(Path(folder) / "still.png")
        scene.render.image_settings.file_format = "PNG"
        scene.render.image_settings.color_mode = "RGB"
        bpy.ops.render.render(write_still=True)
        return np.asarray(Image.open(scene.render.filepath).convert("RGB"))


def truth_material() -> bpy.types.Material:
    """Emits (depth along the axis, instance number, 0)."""
    material = bpy.data.materials.new("truth")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    depth, number = tree.nodes.new("ShaderNodeCameraData"), tree.nodes.new("ShaderNodeObjectInfo")
    pack, glow = tree.nodes.new("ShaderNodeCombineXYZ"), tree.nodes.new("ShaderNodeEmission")
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(depth.outputs["View Z Depth"], pack.inputs[0])
    tree.links.new(number.outputs["Object Index"], pack.inputs[1])
    tree.links.new(pack.outputs[0], glow.inputs["Color"])
    tree.links.new(glow.outputs[0], output.inputs["Surface"])
    return material


def prepare_truth() -> None:
    """Turn the renderer into a ray caster through pixel centres: one sample, no light, no filter."""
    scene = bpy.context.scene
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = 1, False, 0
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BLACKMAN_HARRIS", 0.01
    scene.cycles.sample_clamp_direct = scene.cycles.sample_clamp_indirect = 0
    scene.world = bpy.data.worlds.new("black")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0
    scene.view_layers[0].material_override = truth_material()


def cast(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Depth f32[H,W] metres (0 = nothing) and instance numbers u8[H,W], at pixel centres of `size`."""
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = size
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = str(Path(folder) / "truth.exr")
        settings = scene.render.image_settings
        settings.file_format, settings.color_depth, settings.exr_codec = "OPEN_EXR", "32", "ZIP"
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(scene.render.filepath)
        image.colorspace_settings.name = "Non-Color"
        pixels = np.empty(size[0] * size[1] * 4, np.float32)
        image.pixels.foreach_get(pixels)
        bpy.data.images.remove(image)
    pixels = pixels.reshape(size[1], size[0], 4)[::-1]
    return pixels[..., 0].copy(), np.rint(pixels[..., 1]).astype(np.uint8)


def encode_depth(depth: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """Depth as u16 steps of a tenth of a percent (0 = nothing), and how to read it."""
    seen = depth > 0
    near = float(depth[seen].min())
    code = np.zeros(depth.shape, np.uint16)
    code[seen] = np.rint(np.log(depth[seen] / near) / DEPTH_STEP).astype(np.uint16) + 1
    return code, {
        "kind": "log",
        "near_m": near,
        "step": DEPTH_STEP,
        "none": 0,
        "size": list(depth.shape[::-1]),
        "formula": "depth_m = near_m * exp((value - 1) * step), along the camera's axis, at the centre "
        "of each pixel of depth.png, which is stretched over the whole still",
    }


def find_far_sides(stage: Stage, camera: bpy.types.Object, depth: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Where the ray through each pixel's centre leaves the instance seen there for the last time.

    Depth f32[H,W] metres and instance numbers u8[H,W] as `cast` answers them; returns depths f32[H,W] along the
    camera's axis, 0 where no instance is seen. Each ray is cast back at the camera from behind the instance.
    """
    height, width = depth.shape
    focal = camera.data.lens / camera.data.sensor_width * width
    turn, eye = camera.matrix_world.to_3x3(), camera.matrix_world.translation
    far = np.zeros_like(depth)
    for instance in stage.instances:
        rows, columns = np.nonzero(numbers == instance.id)
        if not len(rows):
            continue
        points, triangles = gather_mesh(instance.id)
        tree = BVHTree.FromPolygons(points.tolist(), triangles.tolist())
        reach = float(np.linalg.norm(points - np.array(eye), axis=1).max()) + 1.0
        for row, column in zip(rows, columns):
            x, y = (column + 0.5 - width / 2) / focal, (height / 2 - row - 0.5) / focal
            ray = turn @ Vector((x, y, -1))
            start = eye + ray.normalized() * reach
            _, _, _, distance = tree.ray_cast(start, -ray)
            if distance is not None:
                far[row, column] = (reach - distance) / ray.length
    return np.where(far > 0, np.maximum(far, depth), np.where(numbers > 0, depth, 0)).astype(np.float32)


def gather_mesh(number: int) -> tuple[np.ndarray, np.ndarray]:
    """World vertices f64[n,3] and triangles i64[m,3] of an instance, bevels and subdivision included."""
    graph = bpy.context.evaluated_depsgraph_get()
    points, triangles, count = [], [], 0
    for item in bpy.context.scene.objects:
        if item.type != "MESH" or item.pass_index != number:
            continue
        mesh = item.evaluated_get(graph).to_mesh()
        mesh.calc_loop_triangles()
        own = np.empty(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", own)
        corners = np.empty(len(mesh.loop_triangles) * 3, np.int32)
        mesh.loop_triangles.foreach_get("vertices", corners)
        matrix = np.asarray(item.matrix_world)
        points.append(own.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3])
        triangles.append(corners.reshape(-1, 3) + count)
        count += len(mesh.vertices)
    return np.concatenate(points), np.concatenate(triangles)


def encode_far(depth: np.ndarray, far: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """Far sides as u16 steps of a hundredth of a percent beyond the depth (0 = no instance), and how to read them."""
    seen = far > 0
    code = np.zeros(depth.shape, np.uint16)
    code[seen] = np.rint(np.log(far[seen] / depth[seen]) / FAR_STEP).astype(np.uint16) + 1
    return code, {
        "kind": "log_ratio",
        "step": FAR_STEP,
        "none": 0,
        "size": list(depth.shape[::-1]),
        "formula": "far_m = depth_m * exp((value - 1) * step), along the camera's axis: where the ray through the "
        "pixel's centre leaves the instance seen there for the last time, on the grid of depth.png",
    }


def extents(stage: Stage) -> dict[int, tuple[float, float]]:
    """Lowest and highest point of each instance, from the evaluated meshes (bevels and subdivision included)."""
    graph = bpy.context.evaluated_depsgraph_get()
    found: dict[int, tuple[float, float]] = {}
    for item in bpy.context.scene.objects:
        if item.type != "MESH" or not item.pass_index:
            continue
        mesh = item.evaluated_get(graph).to_mesh()
        points = np.empty(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", points)
        row = np.asarray(item.matrix_world)[2]
        z = points.reshape(-1, 3) @ row[:3] + row[3]
        low, high = found.get(item.pass_index, (math.inf, -math.inf))
        found[item.pass_index] = (min(low, float(z.min())), max(high, float(z.max())))
    return found


def silhouettes(stage: Stage, size: tuple[int, int]) -> dict[int, int]:
    """Pixels each instance would cover if nothing stood before it, at `size`."""
    items = [item for item in bpy.context.scene.objects if item.type == "MESH"]
    counts = {}
    for instance in stage.instances:
        for item in items:
            item.hide_render = item.pass_index != instance.id
        counts[instance.id] = int((cast(size)[1] == instance.id).sum())
    for item in items:
        item.hide_render = False
    return counts
