"""Presets: a folder that a studio can hand over, made for one program, with a script that builds the shot there.

shot.json tells the script everything; README.txt tells a person.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..engine.run import Run
from ..errors import BadInput
from ..project.geometry import Mesh, Splats, measure_bounds
from ..project.project import Layer, Project
from ..project.space import Camera, center_camera, find_unreal_pose
from ..words import find_resources, tr
from . import weigh as weigh_format
from . import write as write_format
from .about import About, collect_models, describe_original, describe_project
from .forecast import Sizes
from .gather import list_visible
from .lens import describe_camera, get_camera, word_padding
from .nuke import compose_script
from .options import AS_THEY_ARE, WriteOptions
from .plate import Samples, find_plate_samples, find_still_samples, is_linear, pad_picture, write_samples
from .staging import REPORT, name_file, name_files, stage_set
from .strict_json import clean_text, write_json

SHOT, README = "shot.json", "README.txt"


@dataclass(frozen=True)
class Preset:
    """What one program is given.

    geometry   suffix of the file with set and props
    script     what builds the shot there
    splats     suffix of the file with splats, if there are any
    padded     the program's camera knows no lens shift: the plate is padded
    linear     a scene-linear plate is understood
    layers     an EXR with depth, normals, ids and Cryptomatte comes along
    parts      each mesh comes as an OBJ too, for a program that puts one texture on a file
    limit      longest side of a texture, 0: any
    lods       coarser copies
    """

    title: str
    geometry: str
    script: str
    splats: str = ".ply"
    padded: bool = False
    linear: bool = True
    layers: bool = False
    parts: bool = False
    limit: int = 0
    lods: int = 0


PRESETS: Mapping[str, Preset] = {
    "blender": Preset("Blender", ".glb", "load_blender.py", limit=8192),
    "maya": Preset("Maya", ".usdc", "load_maya.py", limit=8192),
    "houdini": Preset("Houdini", ".usdc", "load_houdini.py"),
    "nuke": Preset("Nuke", ".usdc", "shot.nk", padded=True, layers=True, parts=True),
    "unreal": Preset("Unreal", ".glb", "load_unreal.py", padded=True, linear=False, limit=4096, lods=2),
    "web": Preset("three.js", ".glb", "load_web.js", ".spz", padded=True, linear=False, limit=2048, lods=1),
}
"""By the name that `--for` takes."""


def find_preset(name: str) -> Preset:
    """The preset of that name. Raises BadInput."""
    if name not in PRESETS:
        message = "There is no preset {name}; choose one of {known}."
        raise BadInput(message, name=name, known=", ".join(PRESETS))
    return PRESETS[name]


def write_handover(
    run: Run, project: Project, out: Path, name: str, options: WriteOptions = AS_THEY_ARE
) -> dict[str, Any]:
    """The folder for one program, whole or not at all; answers its report, whose `warnings` a person should read.

    Raises BadInput (no such preset, no camera, nothing to show), CannotAccess, Cancelled.
    """
    preset = find_preset(name)
    camera = get_camera(project)
    layers = list_visible(project)
    if not layers:
        raise BadInput("The project has no set and no props yet.", "Reconstruct the still first.")
    about = describe_project(project, layers)
    stem = _name_stem(project)
    chosen = _limit(options, preset)
    with stage_set(out) as staging:
        folder = staging.folder
        geometry = f"{stem}{preset.geometry}"
        notes = write_format(run.sub(0, 0.5), project, folder / geometry, chosen)
        has_splats = any(isinstance(layer.geometry, Splats) for layer in layers)
        splats = f"splats{preset.splats}" if has_splats else None
        if splats:
            write_format(run.sub(0.5, 0.1), project, folder / splats, WriteOptions(content="splats"))
        plate, still = _write_pictures(run.sub(0.6, 0.2), project, camera, folder, preset, about, options)
        if preset.padded:
            notes = list(dict.fromkeys(notes + word_padding(camera)))
        files = {"geometry": geometry, "splats": splats, "plate": plate, "still": still}
        if preset.layers:
            files["passes"] = f"{stem}_layers.exr"
            notes += write_format(run.sub(0.8, 0.15), project, folder / str(files["passes"]), options)
            write_format(run, project, folder / "camera.chan")
        write_format(run, project, folder / "camera.json")
        shot = _describe_shot(project, camera, about, files, preset)
        if preset.parts:
            shot["parts"] = _write_parts(run.sub(0.95, 0.05), project, layers, folder, options)
        (folder / SHOT).write_bytes(write_json(shot))
        _write_script(folder, preset, shot, camera)
        text = "\n".join(_compose_text(project, camera, preset, shot, about, folder, notes)) + "\n"
        (folder / README).write_bytes(text.encode("utf-8", "replace"))
        report = {
            "stillto3d": __version__,
            "preset": name,
            "identifier": about.identifier,
            "shot": stem,
            "warnings": notes,
            "models": [dict(m) for m in collect_models([layer.made_by for layer in layers])],
        }
        return staging.commit(run, report)


def weigh_handover(project: Project, name: str, options: WriteOptions = AS_THEY_ARE) -> Sizes:
    """What `write_handover` would write into its folder, and about how many bytes. Raises BadInput."""
    preset, stem = find_preset(name), _name_stem(project)
    splats = any(isinstance(layer.geometry, Splats) for layer in list_visible(project))
    sizes = dict(weigh_format(project, Path(f"{stem}{preset.geometry}"), _limit(options, preset)))
    if splats:
        sizes |= weigh_format(project, Path(f"splats{preset.splats}"), WriteOptions(content="splats"))
    suffix = ".exr" if preset.linear and is_linear(project.hero) else ".png"
    (size,) = weigh_format(project, Path("plate.png")).values()
    sizes |= {f"plate{suffix}": size, f"still{suffix}": size}
    if preset.layers:
        sizes |= weigh_format(project, Path(f"{stem}_layers.exr")) | weigh_format(project, Path("camera.chan"))
    if preset.parts:
        sizes["parts/"] = sum(weigh_format(project, Path(f"{stem}.obj"), options).values())
    return sizes | dict.fromkeys(("camera.json", SHOT, preset.script, README, REPORT), 2000)


def _name_stem(project: Project) -> str:
    return re.sub(r"[^\w.-]", "_", name_file(project.hero.still.name))  # scripts of many languages hold it


def _limit(options: WriteOptions, preset: Preset) -> WriteOptions:
    limits = [size for size in (options.texture_size, preset.limit) if size]
    lods = max(options.lods, preset.lods)
    return replace(options, texture_size=min(limits, default=0), lods=lods)


def _write_pictures(
    run: Run, project: Project, camera: Camera, folder: Path, preset: Preset, about: About, options: WriteOptions
) -> tuple[str, str]:
    """The names of the plate (padded where the preset wants it) and of the still, both written."""
    plate = find_plate_samples(run, project.hero)
    if preset.padded:
        plate = pad_picture(plate, camera)
    names = []
    for name, samples in (("plate", plate), ("still", find_still_samples(project.hero))):
        linear = preset.linear and samples.rgb.dtype.kind == "f"
        shown = samples if linear or samples.rgb.dtype.kind == "u" else _show(project, samples, name, preset, camera)
        file = f"{name}{'.exr' if linear else '.png'}"
        untouched = name == "still" or project.hero.clean_plate is None
        told = describe_original(project.hero.still) if untouched else about
        write_samples(run, shown, folder / file, told, options)
        names.append(file)
    return names[0], names[1]


def _show(project: Project, samples: Samples, name: str, preset: Preset, camera: Camera) -> Samples:
    """The 8 bits that a person sees, for a program that takes no scene-linear picture."""
    shot = project.hero
    if name == "plate" and shot.clean_plate is not None:
        shown = Samples(shot.clean_plate, "srgb")
    else:
        shown = Samples(shot.still.pixels, "srgb")
    return pad_picture(shown, camera) if preset.padded and name == "plate" else shown


def _write_parts(
    run: Run, project: Project, layers: list[Layer], folder: Path, options: WriteOptions
) -> list[dict[str, str | None]]:
    """An OBJ for each mesh, with the texture that lies on it."""
    meshes = [layer for layer in layers if isinstance(layer.geometry, Mesh)]
    names = [re.sub(r"[^\w.-]", "_", name) for name in name_files(layer.name for layer in meshes)]
    parts: list[dict[str, str | None]] = []
    for k, (layer, name) in enumerate(zip(meshes, name_files(names), strict=True)):
        file = folder / "parts" / f"{name}.obj"
        write_format(run.sub(k / len(meshes), 1 / len(meshes)), replace(project, layers=(layer,)), file, options)
        texture = next(file.parent.glob(f"{glob.escape(name)}_textures/*"), None)
        place = None if texture is None else texture.relative_to(folder).as_posix()
        parts.append({"file": f"parts/{name}.obj", "texture": place})
    return parts


def _describe_shot(
    project: Project, camera: Camera, about: About, files: Mapping[str, str | None], preset: Preset
) -> dict[str, Any]:
    wide, left, top = center_camera(camera)
    corners = [measure_bounds(layer.geometry, layer.transform) for layer in list_visible(project) if layer.geometry]
    farthest = max(float(np.linalg.norm(box - camera.position, axis=1).max()) for box in corners)
    place, (roll, pitch, yaw) = find_unreal_pose(camera)
    across = camera.film_back_mm * wide.width / camera.width
    told = {
        **describe_camera(camera),
        "world_from_camera": camera.world_from_camera.tolist(),
        "far": max(100.0, 2 * farthest),
        "padded": {"width": wide.width, "height": wide.height, "left": left, "top": top},
        "unreal": {
            "location_cm": place.tolist(),
            "roll": float(roll),
            "pitch": float(pitch),
            "yaw": float(yaw),
            "focal_mm": camera.focal_mm,
            "sensor_width_mm": across,
            "sensor_height_mm": across * wide.height / wide.width * camera.fx / camera.fy,
        },
    }
    layers = [
        {"id": layer.id, "name": clean_text(layer.name), "kind": layer.kind.value} for layer in list_visible(project)
    ]
    lowest, highest = np.min(corners, axis=(0, 1)), np.max(corners, axis=(0, 1))
    world = {"unit": "metre", "up": "Y", "handed": "right", "plate_is_padded": preset.padded}
    bounds = [lowest.tolist(), highest.tolist()]
    return {
        "name": about.title,
        **files,
        **world,
        "bounds": bounds,
        "camera": told,
        "layers": layers,
        **about.describe(),
    }


def _write_script(folder: Path, preset: Preset, shot: Mapping[str, Any], camera: Camera) -> None:
    if preset.script.endswith(".nk"):
        text = compose_script(shot, camera)
    else:
        text = (find_resources() / "handover" / preset.script).read_text(encoding="utf-8")
    (folder / preset.script).write_bytes(text.encode("utf-8"))


# ---------------------------------------------------------------------- the text


def _compose_text(
    project: Project,
    camera: Camera,
    preset: Preset,
    shot: Mapping[str, Any],
    about: About,
    folder: Path,
    notes: list[str],
) -> list[str]:
    """One page: what lies here, how to load it, what the numbers mean, how it was made."""
    mm, back = camera.focal_mm, camera.film_back_mm
    meaning = _explain_files(preset)
    there = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [about.title, "=" * len(about.title), "", tr("A shot for {program}, from one still.", program=preset.title)]
    lines += ["", tr("To load it: {how}", how=_explain_loading(preset)), "", tr("Files:")]
    for name in there:
        key = next((key for key in meaning if name == shot.get(key) or name.endswith(key)), "")
        lines.append(f"  {name}" + (f"  {meaning[key]}" if key else ""))
    lines += ["", tr("Metres, right-handed, Y up. The camera looks along -Z.")]
    lines.append(tr("Camera: {mm:.2f} mm on a film back of {back:.2f} mm across.", mm=mm, back=back))
    lines.append(tr("Picture: {width} x {height} pixels.", width=camera.width, height=camera.height))
    if camera.origin["height"].source != "user":
        lines.append(tr("Metres are a guess: nothing in the still was measured."))
    lines += ["", *notes] if notes else []
    lines += ["", tr("How it was made:")]
    lines += [f"  {line}" for line in (f"DigitalSourceType: {about.describe()['digitalSourceType']}",)]
    lines += [f"  AIGC: {about.aigc}"] if about.aigc else []
    lines += [f"  {tr('Still')}: sha256 {still['id']}" for still in about.stills]
    lines += [f"  {tr('Model')}: {line}" for line in about.list_models()]
    return [*lines, f"  {about.identifier}", f"  stillto3d {__version__}"]


def _explain_files(preset: Preset) -> dict[str, str]:
    """What each file is; by its key in shot.json, or by how its name ends."""
    padded = tr("the clean plate, padded until the lens is centred") if preset.padded else tr("the clean plate")
    return {
        "geometry": tr("set and props, textured"),
        "splats": tr("the splats"),
        "plate": padded,
        "still": tr("the still as it came"),
        "passes": tr("the still with depth, normals, positions, ids and Cryptomatte"),
        ".obj": tr("one mesh, for the script"),
        "_lod1.glb": tr("coarser copies"),
        "_lod2.glb": tr("coarser copies"),
        "camera.chan": tr("the camera for Nuke"),
        "camera.json": tr("the camera in plain numbers"),
        SHOT: tr("what the script reads"),
        preset.script: tr("builds the shot"),
    }


def _explain_loading(preset: Preset) -> str:
    if preset.script.endswith(".nk"):
        return tr("open or import {script}; its paths are relative to the script.", script=preset.script)
    if preset.script.endswith(".js"):
        return tr("import {script} into your page; its first lines say how.", script=preset.script)
    return tr(
        "run {script} in {program}'s Python; its first lines say how.", script=preset.script, program=preset.title
    )
