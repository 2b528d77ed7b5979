"""The main job: clicks to masks, camera, set, props, and how well it all matches the still."""

from __future__ import annotations

import time
from typing import Any

from ..engine.run import Run
from ..models.roles import Match, MatchStill
from ..project.geometry import Mesh, place_mesh
from ..project.project import Patch, Project, apply_patch, merge_patches
from ..words import tr
from .calibrate import CalibrateParams, calibrate_camera
from .prop import PropParams, make_props
from .reconstruct import ReconstructParams, reconstruct_set
from .segment import SegmentParams, segment_objects


class ConvertParams(SegmentParams, PropParams):
    """Everything that the steps take."""


# Share of the whole that each step takes, measured at 1080p with two props.
_STEPS = (("segment", 0.0, 0.15), ("calibrate", 0.15, 0.05), ("reconstruct", 0.2, 0.5), ("prop", 0.7, 0.2))


def convert_still(run: Run, project: Project, params: ConvertParams) -> Patch:
    """Segment, calibrate, reconstruct and prop in turn, then the match with the still.

    `notes` of the patch: candidates by layer id, "seconds" by stage, and "match" (see `measure_match`).
    """
    functions: dict[str, Any] = {
        "segment": (segment_objects, SegmentParams),
        "calibrate": (calibrate_camera, CalibrateParams),
        "reconstruct": (reconstruct_set, ReconstructParams),
        "prop": (make_props, PropParams),
    }
    seconds: dict[str, float] = {}
    patches: list[Patch] = []
    for name, offset, length in _STEPS:
        function, kind = functions[name]
        started = time.monotonic()
        fields = {field: getattr(params, field) for field in kind.model_fields}
        if name != "calibrate" and project.hero.camera is not None:
            fields.pop("focal_mm", None)  # the camera has it
        if project.hero.floor is not None:
            fields.pop("known_length", None)  # and the set this
        patch = function(run.sub(offset, length), project, kind(**fields))
        project = apply_patch(project, patch)
        patches.append(patch)
        seconds[name] = time.monotonic() - started
    started = time.monotonic()
    run.progress(0.9, tr("comparing with the still"))
    match = measure_match(run.sub(0.9, 0.1), project)
    seconds["compare"] = time.monotonic() - started
    merged = merge_patches(tr("Convert {name}", name=project.hero.still.name), patches)
    notes = {key: value for patch in patches for key, value in patch.notes.items()}
    return merged.annotate({**notes, "seconds": seconds, "match": match})


def measure_match(run: Run, project: Project) -> Match:
    """Set and props through the solved camera against the still and against each prop's mask."""
    shot = project.hero
    assert shot.camera is not None
    scenes = [layer.geometry for layer in project.scenes() if isinstance(layer.geometry, Mesh)]
    props = [layer for layer in project.props() if isinstance(layer.geometry, Mesh)]
    solids = [place_mesh(layer.geometry, layer.transform) for layer in props if isinstance(layer.geometry, Mesh)]
    masks = [layer.masks[shot.still.id] for layer in props]
    return run.call(MatchStill(shot.still, scenes, solids, masks, shot.camera, tuple(p.id for p in props)))
