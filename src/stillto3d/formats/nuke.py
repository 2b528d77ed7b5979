"""A Nuke script (.nk) that builds the shot: plate, layers, solved camera, geometry, and a render over the plate.

Set and props come as OBJ, each under its own texture: what every Nuke's classic 3D system reads alike. The camera's
film back is the padded picture's, so that no lens shift is needed. Paths are relative to the script.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..project.space import Camera, center_camera

_HERE = "\\[file dirname \\[value root.name]]"
"""Tcl that Nuke runs when it reads a path: the script's own folder."""
_STEP = 110


def compose_script(shot: Mapping[str, Any], camera: Camera) -> str:
    """The script's text; nodes that feed others stand before them, the last one being their first input."""
    wide, left, top = center_camera(camera)
    across = camera.film_back_mm * wide.width / camera.width
    upright = across * wide.height / wide.width * camera.fx / camera.fy
    pose = " ".join("{" + " ".join(f"{v:.9g}" for v in row) + "}" for row in camera.world_from_camera.tolist())
    size = f"{wide.width} {wide.height}"
    lens = {
        "focal": f"{camera.focal_mm:.9g}",
        "haperture": f"{across:.9g}",
        "vaperture": f"{upright:.9g}",
        "near": 0.01,
        "far": f"{shot['camera']['far']:.9g}",
    }
    nodes: list[tuple[str, Mapping[str, Any]]] = [
        ("Root", {"format": f'"{size} 0 0 {size} {camera.fy / camera.fx:.9g} shot"'})
    ]
    if shot.get("passes"):
        nodes.append(("Read", _source(shot["passes"], "passes", -300, 0)))
    if shot.get("passes") and wide is not camera:  # ids must not be filtered: whole pixels
        corner = f"{{{round(left)} {round(wide.height - top - camera.height)}}}"
        fit = {"resize": "none", "center": "false", "black_outside": "true", **_place("passes_in_plate", -300, 100)}
        nodes += [("Reformat", fit), ("Position", {"translate": corner, **_place("passes_on_plate", -300, 150)})]
    nodes.append(
        (
            "Camera3",
            {"inputs": 0, "useMatrix": "true", "matrix": "{" + pose + "}", **lens, **_place("shot_camera", 0, 250)},
        )
    )
    parts = shot.get("parts") or [{"file": shot["geometry"], "texture": None}]
    for k, part in enumerate(parts):
        if part["texture"]:
            nodes.append(("Read", _source(part["texture"], f"texture{k + 1}", 200 + k * _STEP, 0)))
        geometry = _source(part["file"], f"geometry{k + 1}", 200 + k * _STEP, 100)
        nodes.append(("ReadGeo2", {**geometry, "inputs": int(bool(part["texture"]))}))
    nodes += [
        ("Scene", {"inputs": len(parts), **_place("set_and_props", 200, 250)}),
        ("Read", _source(shot["plate"], "plate", 0, 0)),
        ("ScanlineRender", {"inputs": 3, **_place("render", 100, 350)}),
    ]
    return "".join(f"{kind} {{\n{_list_knobs(knobs)}}}\n" for kind, knobs in nodes)


def _source(file: str, name: str, x: int, y: int) -> dict[str, Any]:
    return {"inputs": 0, "file": f'"{_HERE}/{file}"', **_place(name, x, y)}


def _place(name: str, x: int, y: int) -> dict[str, Any]:
    return {"name": name, "xpos": x, "ypos": y}


def _list_knobs(knobs: Mapping[str, Any]) -> str:
    return "".join(f" {name} {value}\n" for name, value in knobs.items())
