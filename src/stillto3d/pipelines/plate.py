"""The clean plate, mended: a hole that a person has painted is filled again."""

from __future__ import annotations

from dataclasses import replace

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import FillHoles
from ..project.geometry import Mesh
from ..project.project import Layer, Patch, Project
from ..project.still import U8, Mask, Still, freeze, hash_array
from ..words import tr


def refill_plate(run: Run, project: Project, hole: Mask) -> Patch:
    """The hero's plate filled anew where `hole` is, and the same in the set's texture.

    Raises BadInput before there is a plate.
    """
    shot = project.hero
    plate = shot.clean_plate
    if plate is None:
        raise BadInput("There is no clean plate yet.", "Make the set first.")
    filled = freeze(run.call(FillHoles(Still(plate, shot.still.name, hash_array(plate)), hole.alpha)))
    layers = tuple(_dress(layer, plate, filled) for layer in project.scenes())
    changed = tuple(new for new, old in zip(layers, project.scenes(), strict=True) if new is not old)
    ids = frozenset(layer.id for layer in changed)
    return Patch(tr("Fill the plate"), changed, shots=(replace(shot, clean_plate=filled),), based_on=ids)


def _dress(layer: Layer, before: U8, after: U8) -> Layer:
    """The layer with the new plate for a texture, where it wore the old one."""
    mesh = layer.geometry
    if not isinstance(mesh, Mesh) or mesh.material is None or not _is_same(mesh.material.base_color, before):
        return layer
    return replace(layer, geometry=replace(mesh, material=replace(mesh.material, base_color=after)))


def _is_same(one: U8, other: U8) -> bool:
    """The same samples in memory, maybe through another view of them."""
    return one.shape == other.shape and one.ctypes.data == other.ctypes.data
