"""Masked objects to closed solids that stand in the set."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import Back, LiftForeground, MakeProp, PlaceProp
from ..models.shapes import GenerateProp
from ..project.geometry import Mesh, Splats, get_positions
from ..project.project import Layer, Patch, Project, Recipe, Shot, Take, apply_patch, merge_patches
from ..project.space import translate
from ..project.still import F64
from ..words import tr
from .fitting import fit_generated
from .reconstruct import ReconstructParams, reconstruct_set


class PropParams(ReconstructParams):
    """Which props, and their form."""

    only: Annotated[tuple[str, ...], Field(description="Names of the props to make; all by default.")] = ()
    thickness: Annotated[float, Field(description="Depth of the unseen back, in half widths.", gt=0, le=4)] = 1.0
    profile: Annotated[float, Field(description="How round the back is: 0.5 is round, 0 a box.", ge=0, le=1)] = 0.28
    back: Annotated[Back, Field(description="The unseen side: inflated, the front mirrored, or flat.")] = "inflated"
    grid: Annotated[int, Field(description="Cells along a prop's long side.", ge=16, le=512)] = 160
    model: Annotated[str, Field(description="Model that makes these props; empty: the project's choice.")] = ""


def make_props(run: Run, project: Project, params: PropParams) -> Patch:
    """Geometry and place for every masked prop; the set is built first if there is none."""
    patches = []
    if project.hero.floor is not None and (params.known_length or params.focal_mm is not None):
        message = "The set stands already, so neither its scale nor its lens can change here."
        raise BadInput(message, "Give them when you build the set again, then make the props.")
    if project.hero.floor is None:
        patches.append(reconstruct_set(run.sub(0.0, 0.5), project, _narrow(params)))
        project = apply_patch(project, patches[0])
    shot = project.hero
    chosen = [layer for layer in project.props() if shot.still.id in layer.masks]
    if params.only:
        unknown = set(params.only) - {layer.name for layer in chosen}
        if unknown:
            raise BadInput("There is no masked prop called {name}.", name=sorted(unknown)[0])
        chosen = [layer for layer in chosen if layer.name in params.only]
    start = 0.5 if patches else 0.0
    made = []
    for k, layer in enumerate(chosen):
        part = run.sub(start + (1 - start) * k / len(chosen), (1 - start) / len(chosen))
        part.progress(0.0, tr("making {name}", name=layer.name))
        made.append(make_prop(part, shot, layer, params))
    ids = frozenset(layer.id for layer in made)
    patches.append(Patch(tr("Make {n} props", n=len(made)), tuple(made), based_on=ids))
    return merge_patches(patches[-1].label, patches)


def make_prop(run: Run, shot: Shot, layer: Layer, params: PropParams) -> Layer:
    """The layer with a solid around its own pivot (middle of its base) and the transform that stands it."""
    started = time.monotonic()
    still, mask = shot.still, layer.masks[shot.still.id]
    if shot.camera is None or shot.depth is None or shot.plate_depth is None or shot.floor is None:
        raise BadInput("The set has not been built yet.", "Build the set first.")
    foreground = run.call(LiftForeground(still, mask))
    run.progress(0.3)
    placement = run.call(PlaceProp(still, mask, shot.depth, shot.plate_depth, shot.floor, shot.camera))
    form: dict[str, Any] = {name: getattr(params, name) for name in ("thickness", "profile", "back", "grid")}
    model, op = run.choose("prop", ("generate", "solidify"), params.model or None)
    ask = MakeProp(still, mask, foreground, shot.depth, shot.plate_depth, shot.camera, placement, **form)
    made: Mesh | Splats
    if op == "generate":
        generated = run.sub(0.4, 0.6).call(GenerateProp(still, mask, foreground), model)
        made = fit_generated(generated, mask, shot.camera, placement)
        form = {}
    else:
        made = run.sub(0.4, 0.6).call(ask, model)
    form |= {"model": params.model} if params.model else {}
    pivot = find_pivot(made)
    seconds = time.monotonic() - started
    recipe = continue_recipe(layer.made_by, Recipe("prop", form, run.models(), 0, seconds))
    takes = layer.takes
    if layer.geometry is not None:
        takes = (*takes, Take(layer.geometry, layer.transform, layer.made_by))
    centred = move_geometry(made, -pivot)
    return replace(layer, geometry=centred, transform=translate(pivot), made_by=recipe, takes=takes)


def continue_recipe(earlier: Recipe | None, recipe: Recipe) -> Recipe:
    """The prop's recipe with that of its mask: both are needed to run it again."""
    if earlier is None:
        return recipe
    mask = earlier.params if earlier.pipeline == "segment" else earlier.params.get("mask", {})
    models = {model["id"]: model for model in (*earlier.models, *recipe.models)}
    own = [model["id"] for model in recipe.models]
    ordered = [model for name, model in models.items() if name not in own] + [models[name] for name in own]
    return replace(recipe, params={**recipe.params, "mask": dict(mask)}, models=tuple(ordered))


def find_pivot(shape: Mesh | Splats) -> F64:
    """The middle of the base: centre of the footprint of the lowest two per cent, at the lowest height."""
    points = get_positions(shape).astype(np.float64)
    low, high = points[:, 1].min(), points[:, 1].max()
    base = points[points[:, 1] <= low + 0.02 * (high - low)]
    middle = (base.min(axis=0) + base.max(axis=0)) / 2
    return np.array([middle[0], low, middle[2]])


def move_geometry(shape: Mesh | Splats, by: F64) -> Mesh | Splats:
    """The shape moved by a vector."""
    moved = (get_positions(shape) + by).astype(np.float32)
    return replace(shape, means=moved) if isinstance(shape, Splats) else replace(shape, positions=moved)


def _narrow(params: PropParams) -> ReconstructParams:
    return ReconstructParams(**{name: getattr(params, name) for name in ReconstructParams.model_fields})
