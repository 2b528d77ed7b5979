"""The set: clean plate, depth agreed, and a mesh that stands on the solved floor."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import EstimateDepth, FillHoles, KnownLength, ReconstructScene
from ..project.geometry import Geometry
from ..project.project import Layer, LayerKind, Patch, Project, Recipe, Shot, make_layer
from ..project.still import U8, Still, hash_array
from ..words import tr
from .calibrate import CalibrateParams, solve_camera
from .seeing import measure_scale, see_plate, see_shots, stand_cameras, stand_splats
from .segment import parse_numbers


class ReconstructParams(CalibrateParams):
    """How the set is made."""

    known_length: Annotated[
        str, Field(description="A length you know: x0,y0,x1,y1=metres between two points of the still.")
    ] = ""
    detail: Annotated[
        int,
        Field(description="Grid step of the set's mesh in pixels of its depth map; less is finer.", ge=1, le=32),
    ] = 3


def parse_length(text: str) -> KnownLength | None:
    """ "100,200,100,640=0.75" to a known length; None for nothing. Raises BadInput."""
    if not text:
        return None
    points, _, metres = text.partition("=")
    numbers, length = parse_numbers(points, 4), parse_numbers(metres, 1)
    if numbers is None or length is None or not 1e-3 <= length[0] <= 1e5 or numbers[:2] == numbers[2:]:
        raise BadInput(
            "The known length {text} is not x0,y0,x1,y1=metres.",
            "For example: 100,200,100,640=0.75",
            text=text,
        )
    return KnownLength((numbers[0], numbers[1]), (numbers[2], numbers[3]), length[0])


def gather_holes(project: Project) -> U8:
    """Where props stand in the hero still, u8[H, W]: the largest alpha of their masks."""
    still = project.hero.still
    holes = np.zeros((still.height, still.width), dtype=np.uint8)
    for layer in project.props():
        mask = layer.masks.get(still.id)
        if mask is not None:
            np.maximum(holes, mask.alpha, out=holes)
    return holes


def reconstruct_set(run: Run, project: Project, params: ReconstructParams) -> Patch:
    """Scene layers (set, what lies behind its edges, sky), the clean plate, depth and the standing camera."""
    started = time.monotonic()
    known = parse_length(params.known_length)
    shot = project.hero
    still = shot.still
    if shot.camera is None or (params.focal_mm is not None and not shot.camera.locked):
        shot = solve_camera(run, shot, params)
    camera = shot.camera
    assert camera is not None
    holes = gather_holes(project)
    plate = still.pixels
    if holes.any():
        run.progress(0.1, tr("filling the plate"))
        run.preview({"plate": run.call(FillHoles(still, holes, preview=True))})
        plate = run.sub(0.1, 0.4).call(FillHoles(still, holes))
    run.progress(0.5, tr("estimating depth"))
    model, op = run.choose("scene", ("reconstruct",), None, ("see",))
    seen = see_shots(run, project, camera, model) if op == "see" and model else None
    depth = run.call(EstimateDepth(still, camera.fx)) if seen is None else seen.views[0].depth
    plate_depth = depth
    if plate is not still.pixels:
        cleaned = Still(plate, still.name, hash_array(plate))
        if seen is not None and model:
            plate_depth = see_plate(run, cleaned, camera, model)
        else:
            plate_depth = run.call(EstimateDepth(cleaned, camera.fx))
    run.progress(0.6, tr("building the set"))
    ask = ReconstructScene(still, plate, holes, depth, plate_depth, camera, params.detail, known)
    scene = run.sub(0.6, 0.4).call(ask)
    recipe = Recipe("reconstruct", params.model_dump(), run.models(), 0, time.monotonic() - started)
    stood = replace(
        shot,
        camera=scene.camera,
        clean_plate=plate,
        depth=scene.depth,
        plate_depth=scene.plate_depth,
        floor=scene.floor,
    )
    shapes: dict[str, Geometry] = dict(scene.meshes)
    others: tuple[Shot, ...] = ()
    if seen is not None:
        scale = measure_scale(seen, scene.depth.metres)
        splats = stand_splats(seen, scale, scene.camera)
        shapes |= {} if splats is None else {"splats": splats}
        others = stand_cameras(seen, scale, scene.camera, project.shots)
    layers = _renew_layers(project, shapes, recipe)
    gone = {layer.id for layer in project.scenes()} - {layer.id for layer in layers}
    return Patch(tr("Build the set"), layers, frozenset(gone), (stood, *others))


def _renew_layers(project: Project, shapes: Mapping[str, Geometry], recipe: Recipe) -> tuple[Layer, ...]:
    """One scene layer per shape; a layer of that name is renewed, so that its place in the list stays."""
    old = {layer.name: layer for layer in project.scenes()}
    renewed = []
    for name, mesh in shapes.items():
        layer = old.get(name) or make_layer(name, LayerKind.SCENE)
        renewed.append(replace(layer, geometry=mesh, transform=np.eye(4), made_by=recipe))
    return tuple(renewed)
