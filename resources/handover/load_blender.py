"""Builds the shot in Blender: set, props, solved camera and plate. Run it in the Scripting tab, or
blender --python load_blender.py

It reads shot.json beside it. Blender has Z up; the glTF importer turns the geometry, this script the camera.
"""

import json
import math
import os

import bpy
import mathutils

FOLDER = os.path.dirname(os.path.abspath(bpy.data.filepath if "__file__" not in globals() else __file__))
Y_TO_Z_UP = mathutils.Matrix.Rotation(math.radians(90), 4, "X")


def load_shot(folder):
    with open(os.path.join(folder, "shot.json"), encoding="utf-8") as file:
        shot = json.load(file)
    before = set(bpy.data.objects)
    bpy.ops.import_scene.gltf(filepath=os.path.join(folder, shot["geometry"]))
    for thing in set(bpy.data.objects) - before:
        if thing.type == "CAMERA":  # glTF has no lens shift; ours, below, has
            bpy.data.objects.remove(thing)
    camera = make_camera(shot["camera"])
    show_plate(camera.data, os.path.join(folder, shot["plate"]))
    camera["digitalSourceType"] = shot["digitalSourceType"]
    return camera


def make_camera(told):
    data = bpy.data.cameras.new("shot_camera")
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = told["film_back_mm"]
    data.lens = told["fx"] * told["film_back_mm"] / told["width"]
    data.shift_x = (told["width"] / 2 - told["cx"]) / told["width"]
    data.shift_y = (told["cy"] - told["height"] / 2) * told["fx"] / told["fy"] / told["width"]
    data.clip_start, data.clip_end = 0.01, told["far"]
    camera = bpy.data.objects.new("shot_camera", data)
    camera.matrix_world = Y_TO_Z_UP @ mathutils.Matrix(told["world_from_camera"])
    bpy.context.scene.collection.objects.link(camera)
    render = bpy.context.scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = told["width"], told["height"], 100
    render.pixel_aspect_x, render.pixel_aspect_y = max(1, told["fy"] / told["fx"]), max(1, told["fx"] / told["fy"])
    bpy.context.scene.camera = camera
    return camera


def show_plate(data, path):
    image = bpy.data.images.load(path)
    data.show_background_images = True
    background = data.background_images.new()
    background.image = image
    background.display_depth = "BACK"
    background.frame_method = "STRETCH"
    background.alpha = 1.0


if __name__ == "__main__":
    load_shot(FOLDER)
