"""How: the pipelines, and the one table of them that every face reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ..engine.run import Run
from ..project.project import Patch, Project
from . import calibrate, convert, prop, reconstruct, segment


@dataclass(frozen=True)
class Pipeline:
    """A named way from a project to a patch. `params` is a pydantic model; its fields become options."""

    name: str
    title: str
    params: type[BaseModel]
    function: Callable[[Run, Project, Any], Patch]
    roles: tuple[str, ...]


PIPELINES: dict[str, Pipeline] = {
    pipeline.name: pipeline
    for pipeline in (
        Pipeline(
            "convert",
            "Make the whole shot: masks, camera, set, props and plate.",
            convert.ConvertParams,
            convert.convert_still,
            ("segmenter", "matter", "calibrator", "depth", "inpainter", "scene", "prop", "rasteriser"),
        ),
        Pipeline(
            "segment",
            "Turn clicks and boxes into masks.",
            segment.SegmentParams,
            segment.segment_objects,
            ("segmenter", "matter"),
        ),
        Pipeline(
            "calibrate",
            "Solve the camera: focal length, tilt and height.",
            calibrate.CalibrateParams,
            calibrate.calibrate_camera,
            ("calibrator",),
        ),
        Pipeline(
            "reconstruct",
            "Make the set: clean plate, depth and mesh.",
            reconstruct.ReconstructParams,
            reconstruct.reconstruct_set,
            ("calibrator", "depth", "inpainter", "scene"),
        ),
        Pipeline(
            "prop",
            "Make every masked object a solid that stands in the set.",
            prop.PropParams,
            prop.make_props,
            ("matter", "prop", "calibrator", "depth", "inpainter", "scene"),
        ),
    )
}
