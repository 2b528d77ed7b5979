"""Edits of layers by hand, each from one project to another."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from ..errors import BadInput
from ..project.project import Layer, LayerKind, Project, Shot
from ..project.space import Camera, Origin, aim_camera, translate
from ..project.still import Mask, Still

ASIDE_M = 0.1
ASPECT_TOLERANCE = 0.01


def put_layers(project: Project, *layers: Layer) -> Project:
    """The project with these in place of the layers of the same ids."""
    renewed = {layer.id: layer for layer in layers}
    return replace(project, layers=tuple(renewed.get(layer.id, layer) for layer in project.layers))


def remove_layers(project: Project, ids: Collection[str]) -> Project:
    """The project without these layers; locked ones stay."""
    kept = tuple(layer for layer in project.layers if layer.locked or layer.id not in ids)
    return project if len(kept) == len(project.layers) else replace(project, layers=kept)


def duplicate_layers(project: Project, ids: Collection[str]) -> tuple[Project, frozenset[str]]:
    """The project with a copy after each of these layers, a little to its right; and the copies' ids."""
    layers: list[Layer] = []
    made: set[str] = set()
    for layer in project.layers:
        layers.append(layer)
        if layer.id in ids:
            taken = (*project.layers, *(one for one in layers if one.id in made))
            name = Project(layers=taken).name_layer(layer.name)
            moved = translate([ASIDE_M, 0, 0]) @ layer.transform if layer.geometry is not None else layer.transform
            copy = replace(layer, id=uuid.uuid4().hex[:12], name=name, transform=moved, locked=False)
            layers.append(copy)
            made.add(copy.id)
    return replace(project, layers=tuple(layers)), frozenset(made)


def move_layers(project: Project, ids: Collection[str], before: str | None) -> Project:
    """The project with these layers, in their order, before another one (None: at the end)."""
    moved = [layer for layer in project.layers if layer.id in ids]
    rest = [layer for layer in project.layers if layer.id not in ids]
    at = next((k for k, layer in enumerate(rest) if layer.id == before), len(rest))
    return replace(project, layers=(*rest[:at], *moved, *rest[at:]))


def shift_layers(project: Project, ids: Collection[str], by: int) -> Project:
    """The project with each of these layers one row up (-1) or down (1) among those of its kind, as far as it goes."""
    layers = list(project.layers)
    for kind in LayerKind:
        places = [k for k, layer in enumerate(layers) if layer.kind is kind]
        rows = [layers[k] for k in places]
        order = range(len(rows)) if by < 0 else range(len(rows) - 1, -1, -1)
        for k in order:
            at = k + by
            if rows[k].id in ids and 0 <= at < len(rows) and rows[at].id not in ids:
                rows[k], rows[at] = rows[at], rows[k]
        for k, row in zip(places, rows, strict=True):
            layers[k] = row
    return project if tuple(layers) == project.layers else replace(project, layers=tuple(layers))


def solo_layers(project: Project, ids: Collection[str]) -> Project:
    """Only these layers visible; all of them again when that is so already."""
    alone = all(layer.visible == (layer.id in ids) for layer in project.layers)
    layers = [replace(layer, visible=alone or layer.id in ids) for layer in project.layers]
    return replace(
        project,
        layers=tuple(
            new if new.visible != old.visible else old for old, new in zip(project.layers, layers, strict=True)
        ),
    )


def put_camera(project: Project, camera: Camera) -> Project:
    """The project with another camera for the hero shot."""
    return replace(project, shots=(replace(project.hero, camera=camera), *project.shots[1:]))


def aim_shot(project: Project, pitch: float, roll: float, height_m: float) -> Project:
    """The hero's camera with another tilt (radians) and height; set and props stay before it, as it sees them."""
    camera = project.hero.camera
    if camera is None:
        return project
    pose = aim_camera(pitch, roll, height_m)
    tilted = bool(np.abs(np.subtract((pitch, roll), camera.measure_tilt())).max() > 1e-6)
    origin = dict(camera.origin)
    origin["rotation" if tilted else "height"] = Origin("user", 1.0)
    moved = pose @ np.linalg.inv(camera.world_from_camera)
    layers = [
        layer if layer.geometry is None else replace(layer, transform=moved @ layer.transform)
        for layer in project.layers
    ]
    aimed = replace(camera, world_from_camera=pose, origin=origin)
    return put_camera(replace(project, layers=tuple(layers)), aimed)


def reset_camera(project: Project, solved: Camera) -> Project:
    """The hero's camera with lens and tilt as they were solved, where it stands; set and props stay before it."""
    camera = project.hero.camera
    if camera is None:
        return put_camera(project, solved)
    origin = {**solved.origin, "height": camera.origin["height"]}
    pitch, roll = solved.measure_tilt()
    lens = replace(camera, fx=solved.fx, fy=solved.fy, cx=solved.cx, cy=solved.cy, film_back_mm=solved.film_back_mm)
    aimed = aim_shot(put_camera(project, lens), pitch, roll, float(camera.position[1]))
    assert aimed.hero.camera is not None
    return put_camera(aimed, replace(aimed.hero.camera, origin=origin, locked=False))


def replace_still(project: Project, still: Still) -> Project:
    """Another still for the hero shot. Masks and camera come along where the frame is the same or only scaled.

    Plate and depth belong to the old picture and go. Raises BadInput for a still of another frame.
    """
    old = project.hero.still
    if abs(still.width / still.height / (old.width / old.height) - 1) > ASPECT_TOLERANCE:
        raise BadInput(
            "The new still has another frame: {width} x {height} instead of {wide} x {high}.",
            "Open it as a project of its own.",
            width=still.width,
            height=still.height,
            wide=old.width,
            high=old.height,
        )
    shot = Shot(still, camera=_rescale_camera(project.hero.camera, still), solved_by=project.hero.solved_by)
    layers = tuple(_move_mask(layer, old, still) for layer in project.layers)
    return replace(project, shots=(shot, *project.shots[1:]), layers=layers)


def _rescale_camera(camera: Camera | None, still: Still) -> Camera | None:
    if camera is None:
        return None
    k, m = still.width / camera.width, still.height / camera.height
    return replace(
        camera,
        width=still.width,
        height=still.height,
        fx=camera.fx * k,
        fy=camera.fy * m,
        cx=camera.cx * k,
        cy=camera.cy * m,
    )


def _move_mask(layer: Layer, old: Still, still: Still) -> Layer:
    mask = layer.masks.get(old.id)
    if mask is None:
        return layer
    rows = (np.arange(still.height) + 0.5) * old.height / still.height
    columns = (np.arange(still.width) + 0.5) * old.width / still.width
    alpha = mask.alpha[rows.astype(int)][:, columns.astype(int)]
    others = {still_id: one for still_id, one in layer.masks.items() if still_id != old.id}
    return replace(layer, masks={**others, still.id: Mask(alpha, still.id)})
