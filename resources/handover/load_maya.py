"""Builds the shot in Maya: set, props, solved camera and plate. Run it in the Script Editor (Python):

exec(open("/path/to/load_maya.py").read(), {"FOLDER": "/path/to"})

It reads shot.json beside it and needs the mayaUsdPlugin. The scene is in metres; Y is up, as in the file.
"""

import json
import os

from maya import cmds

MM_PER_INCH = 25.4


def load_shot(folder):
    with open(os.path.join(folder, "shot.json"), encoding="utf-8") as file:
        shot = json.load(file)
    cmds.loadPlugin("mayaUsdPlugin", quiet=True)
    cmds.currentUnit(linear="m")
    cmds.upAxis(axis="y")
    cmds.mayaUSDImport(file=os.path.join(folder, shot["geometry"]), shadingMode=[["useRegistry", "UsdPreviewSurface"]])
    return make_camera(shot["camera"], os.path.join(folder, shot["plate"]))


def make_camera(told, plate):
    across = told["film_back_mm"] / MM_PER_INCH
    upright = across * told["height"] / told["width"] * told["fx"] / told["fy"]
    transform, shape = cmds.camera(
        name="shot_camera",
        focalLength=told["fx"] * told["film_back_mm"] / told["width"],
        horizontalFilmAperture=across,
        verticalFilmAperture=upright,
        horizontalFilmOffset=(told["width"] / 2 - told["cx"]) / told["width"] * across,
        verticalFilmOffset=(told["cy"] - told["height"] / 2) / told["height"] * upright,
        filmFit="horizontal",
        nearClipPlane=0.01,
        farClipPlane=told["far"],
    )
    rows = told["world_from_camera"]
    turn = [rows[row][k] if row < 3 and k < 3 else float(row == k) for k in range(4) for row in range(4)]
    cmds.xform(transform, worldSpace=True, matrix=turn)  # Maya's matrices are for row vectors, and in centimetres
    cmds.xform(transform, worldSpace=True, translation=[row[3] for row in rows[:3]])  # in the scene's metres
    cmds.imagePlane(camera=shape, fileName=plate)
    cmds.setAttr("defaultResolution.width", told["width"])
    cmds.setAttr("defaultResolution.height", told["height"])
    cmds.setAttr("defaultResolution.deviceAspectRatio", told["width"] / told["height"] * told["fy"] / told["fx"])
    cmds.lookThru(transform)
    return transform


if __name__ in ("__main__", "builtins"):
    load_shot(globals().get("FOLDER") or os.path.dirname(os.path.abspath(__file__)))
