"""The folder of results: shot, props, points, masks, plate, project and report, as one staged set."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..engine.run import Run
from ..models.roles import Candidates, Match
from ..project.geometry import Mesh, measure_bounds
from ..project.project import Layer, LayerKind, Project
from ..words import tr
from .about import collect_models, describe_layer_alone, describe_project
from .glb import write_glb, write_prop
from .lens import describe_camera
from .picture import write_mask, write_png
from .plate import is_linear, write_picture
from .ply import write_ply
from .s3d import write_s3d
from .staging import name_file, name_files, name_some, stage_set


@dataclass(frozen=True)
class Outcome:
    """A folder that was written, and its report."""

    folder: Path
    report: Mapping[str, Any]

    def describe(self) -> Iterator[str]:
        """What a person wants to know, line by line."""
        yield from self.report["warnings"]
        removed = self.report["removed"]
        if removed:
            yield tr("Removed with the earlier set: {n} ({names})", n=len(removed), names=name_some(removed))
        camera = self.report["camera"]
        if camera is not None:
            source = word_source(camera["origin"]["focal"]["source"])
            yield tr("Camera: {mm:.0f} mm ({source})", mm=camera["focal_mm"], source=source)
        for layer in self.report["layers"]:
            measured = layer["kind"] == LayerKind.PROP.value and layer["height_m"] is not None
            size = f"{layer['height_m']:.2f} m" if measured else ""
            parts = (
                layer["name"],
                size,
                f"{layer['triangles']} " + tr("triangles") if layer["triangles"] else "",
            )
            yield "  ".join(part for part in parts if part)
        built = any(layer["height_m"] is not None for layer in self.report["layers"])
        if built and camera is not None and camera["origin"]["height"]["source"] != "user":
            yield tr("Metres are a guess: nothing in the still was measured. --known-length sets them right.")
        seconds = sum(self.report["seconds"].values())
        yield tr(
            "{n} files in {folder}, {seconds:.1f} s",
            n=len(self.report["files"]),
            folder=self.folder,
            seconds=seconds,
        )
        for entry in self.report["files"]:
            if entry["path"].endswith(".glb") and "/" not in entry["path"]:
                yield str(self.folder / entry["path"])


def write_shot_folder(
    run: Run,
    project: Project,
    out: Path,
    seconds: Mapping[str, float],
    match: Match | None = None,
    notes: Mapping[str, Any] | None = None,
    warnings: Sequence[Mapping[str, Any]] = (),
) -> Outcome:
    """Write whatever the project holds into `out`, whole or not at all.

    `<still>.glb`, scene.ply, props/<name>.glb, masks/<name>.png, plate.png (and, of a
    scene-linear still, plate.exr), `<still>.s3d` and report.json.
    `seconds` by stage and the reader's `warnings` go into the report; `notes` hold candidates by layer id.
    """
    started = time.monotonic()
    shot, camera = project.hero, project.hero.camera
    place = None if camera is None else camera.world_from_camera.tolist()
    with stage_set(out) as staging:
        folder = staging.folder
        for k, (path, write) in enumerate(steps := list(_list_files(run, project, notes or {}))):
            run.progress(k / len(steps), tr("writing {name}", name=path.name))
            (folder / path).parent.mkdir(exist_ok=True)
            write(folder / path)
        stages = {**seconds, "write": time.monotonic() - started}
        report = {
            "stillto3d": __version__,
            "still": {
                "name": shot.still.name,
                "id": shot.still.id,
                "width": shot.still.width,
                "height": shot.still.height,
            },
            "camera": None if camera is None else {**describe_camera(camera), "world_from_camera": place},
            "layers": [_describe_layer(layer, shot.still.id, match) for layer in project.layers],
            "plate_psnr_db": None if match is None else round(match.psnr_db, 3),
            "warnings": [_word_warning(warning) for warning in warnings],
            "candidates": _describe_candidates(project, notes or {}),
            "seconds": {name: round(value, 3) for name, value in stages.items()},
            "models": [dict(m) for m in collect_models([shot.solved_by, *(lay.made_by for lay in project.layers)])],
        }
        return Outcome(out, staging.commit(run, report))


def word_source(source: str) -> str:
    """Where a solved quantity came from (one of `space.ORIGINS`), in the person's language."""
    words = {
        "exif": tr("from EXIF"),
        "user": tr("as told"),
        "vanishing_points": tr("from the still's lines"),
        "network": tr("a guess of the network"),
        "prior": tr("assumed"),
    }
    return words[source]


def _list_files(run: Run, project: Project, notes: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Relative paths, and what writes each."""
    shot = project.hero
    stem = name_file(shot.still.name)
    if any(layer.geometry is not None for layer in project.layers):
        yield Path(f"{stem}.glb"), lambda path: write_glb(run, project, path)
    if any(layer.geometry is not None for layer in project.scenes()):
        yield Path("scene.ply"), lambda path: write_ply(run, project, path)
    props = project.props()
    names = name_files(layer.name for layer in props)
    for layer, name in zip(props, names, strict=True):
        mask, told = layer.masks.get(shot.still.id), describe_layer_alone(layer)
        if layer.geometry is not None:
            yield Path("props") / f"{name}.glb", lambda path, layer=layer: write_prop(run, layer, path)
        if mask is not None:
            yield Path("masks") / f"{name}.png", lambda path, mask=mask, about=told: write_mask(run, mask, path, about)
    offers = [
        (f"{name}.candidate_{k}", mask, describe_layer_alone(layer))
        for layer, name in zip(props, names, strict=True)
        if isinstance(offered := notes.get(layer.id), Candidates) and layer.geometry is None
        for k, mask in enumerate(offered.masks, 1)
    ]
    for name, (_, mask, told) in zip(name_files((offer[0] for offer in offers), names), offers, strict=True):
        yield Path("masks") / f"{name}.png", lambda path, mask=mask, about=told: write_mask(run, mask, path, about)
    if shot.clean_plate is not None:
        about = describe_project(project, project.scenes())
        yield Path("plate.png"), lambda path: write_png(run, shot.clean_plate, path, about)
        if is_linear(shot):
            yield Path("plate.exr"), lambda path: write_picture(run, project, path)
    yield Path(f"{stem}.s3d"), lambda path: write_s3d(run, project, path)


def _word_warning(warning: Mapping[str, Any]) -> str:
    """A reader's warning in the person's language."""
    return tr(str(warning.get("sentence") or warning.get("text", "")), **dict(warning.get("values") or {}))


def _describe_layer(layer: Layer, still_id: str, match: Match | None) -> dict[str, Any]:
    mesh = layer.geometry if isinstance(layer.geometry, Mesh) else None
    mask = layer.masks.get(still_id)
    overlap = None if match is None else match.silhouette_iou.get(layer.id)
    bounds = None if layer.geometry is None else measure_bounds(layer.geometry, layer.transform)
    models = collect_models([layer.made_by])
    return {
        "id": layer.id,
        "name": layer.name,
        "kind": layer.kind.value,
        "model": models[-1]["id"] if models else None,
        "triangles": 0 if mesh is None else len(mesh.faces),
        "watertight": None if mesh is None else mesh.is_watertight(),
        "height_m": None if bounds is None else float(np.round(bounds[1, 1] - bounds[0, 1], 4)),
        "mask_pixels": None if mask is None else mask.count_pixels(),
        "silhouette_iou": None if overlap is None else round(overlap, 4),
    }


def _describe_candidates(project: Project, notes: Mapping[str, Any]) -> dict[str, list[float]]:
    """The confidence of every mask that the segmenter offered, by layer name."""
    offered = ((layer.name, notes.get(layer.id)) for layer in project.props())
    return {
        name: [round(score, 4) for score in found.confidences]
        for name, found in offered
        if isinstance(found, Candidates)
    }
