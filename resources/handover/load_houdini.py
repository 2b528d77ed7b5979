"""Builds the shot in Houdini: the USD stage in Solaris, set and props in /obj, and a camera with the plate behind them.

hython load_houdini.py, or in the Python shell: exec(open("/path/to/load_houdini.py").read(), {"FOLDER": "/path/to"})

It reads shot.json beside it. Houdini has metres and Y up, as the file has. Splats, if there are any, lie in
splats.ply: a File SOP and Bake GSplat (Houdini 21) show them.
"""

import json
import os

import hou


def load_shot(folder):
    with open(os.path.join(folder, "shot.json"), encoding="utf-8") as file:
        shot = json.load(file)
    layer = hou.node("/stage").createNode("sublayer", "shot")
    layer.parm("filepath1").set(os.path.join(folder, shot["geometry"]))
    layer.setDisplayFlag(True)
    things = hou.node("/obj").createNode("geo", "set_and_props")
    things.createNode("usdimport", "read").parm("filepath1").set(os.path.join(folder, shot["geometry"]))
    if shot.get("splats"):
        splats = hou.node("/obj").createNode("geo", "splats")
        splats.createNode("file", "read").parm("file").set(os.path.join(folder, shot["splats"]))
    return make_camera(shot["camera"], os.path.join(folder, shot["plate"]))


def make_camera(told, plate):
    camera = hou.node("/obj").createNode("cam", "shot_camera")
    rows = [told["world_from_camera"][row][column] for column in range(4) for row in range(4)]
    camera.setWorldTransform(hou.Matrix4(rows))  # Houdini's matrices are for row vectors
    values = {
        "resx": told["width"],
        "resy": told["height"],
        "aspect": told["fy"] / told["fx"],
        "aperture": told["film_back_mm"],
        "focal": told["fx"] * told["film_back_mm"] / told["width"],
        "winx": 0.5 - told["cx"] / told["width"],
        "winy": told["cy"] / told["height"] - 0.5,
        "near": 0.01,
        "far": told["far"],
        "vm_background": plate,
    }
    for name, value in values.items():
        camera.parm(name).set(value)
    return camera


if __name__ in ("__main__", "builtins"):
    load_shot(globals().get("FOLDER") or os.path.dirname(os.path.abspath(__file__)))
