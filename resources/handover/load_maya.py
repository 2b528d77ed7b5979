"""Builds the shot in Maya: set, props, solved camera and plate. Run it in the Script Editor (Python):

exec(open("/path/to/load_maya.py").read(), {"FOLDER": "/path/to"})

It reads shot.json beside it and needs the mayaUsdPlugin. Maya counts in centimetres, so a metre arrives as 100 units;
plug-ins that do not convert a file's metres are seen by the size of what came in. Y is up, as in the file.
"""

import json
import os

from maya import cmds

MM_PER_INCH = 25.4
CM_PER_METRE = 100.0


def load_shot(folder):
    with open(os.path.join(folder, "shot.json"), encoding="utf-8") as file:
        shot = json.load(file)
    cmds.loadPlugin("mayaUsdPlugin", quiet=True)
    unit = cmds.currentUnit(query=True, linear=True)
    cmds.currentUnit(linear="cm")
    try:
        cmds.upAxis(axis="y")
        import_geometry(os.path.join(folder, shot["geometry"]), shot["bounds"])
        return make_camera(shot["camera"], os.path.join(folder, shot["plate"]))
    finally:
        cmds.currentUnit(linear=unit)


def import_geometry(path, bounds):
    shading = [["useRegistry", "UsdPreviewSurface"]]
    roots = cmds.mayaUSDImport(file=path, shadingMode=shading, primPath="/")
    below = {"allDescendents": True, "fullPath": True}
    cameras = cmds.listRelatives(roots, type="camera", **below) or []
    for shape in cameras:  # ours, below, has the plate
        cmds.delete(cmds.listRelatives(shape, parent=True, fullPath=True))
    meshes = cmds.listRelatives(roots, type="mesh", **below) or []
    if meshes:
        box = cmds.exactWorldBoundingBox(meshes)
        grow = (
            CM_PER_METRE
            * max(bounds[1][k] - bounds[0][k] for k in range(3))
            / max(box[k + 3] - box[k] for k in range(3))
        )
        if abs(grow - 1) > 0.01:
            cmds.scale(grow, grow, grow, roots, pivot=(0, 0, 0), relative=True)


def make_camera(told, plate):
    across = told["film_back_mm"] / MM_PER_INCH
    upright = across * told["height"] / told["width"] * told["fx"] / told["fy"]
    far = CM_PER_METRE * told["far"]
    transform, shape = cmds.camera(
        name="shot_camera",
        focalLength=told["fx"] * told["film_back_mm"] / told["width"],
        horizontalFilmAperture=across,
        verticalFilmAperture=upright,
        horizontalFilmOffset=(told["width"] / 2 - told["cx"]) / told["width"] * across,
        verticalFilmOffset=(told["cy"] - told["height"] / 2) / told["height"] * upright,
        filmFit="horizontal",
        nearClipPlane=1.0,
        farClipPlane=far,
    )
    rows = told["world_from_camera"]
    scaled = [[rows[row][k] * (CM_PER_METRE if row < 3 and k == 3 else 1) for k in range(4)] for row in range(4)]
    cmds.xform(transform, worldSpace=True, matrix=[scaled[row][k] for k in range(4) for row in range(4)])  # by columns
    backplate = cmds.imagePlane(camera=shape, fileName=plate)[1]
    cmds.setAttr(backplate + ".depth", 0.9 * far)  # behind the set; a new image plane stands a metre before the lens
    cmds.setAttr("defaultResolution.width", told["width"])
    cmds.setAttr("defaultResolution.height", told["height"])
    cmds.setAttr("defaultResolution.deviceAspectRatio", told["width"] / told["height"] * told["fy"] / told["fx"])
    cmds.lookThru(transform)
    return transform


if __name__ in ("__main__", "builtins"):
    load_shot(globals().get("FOLDER") or os.path.dirname(os.path.abspath(__file__)))
