"""Pictures of a shot: the clean plate (or the still), with all that it holds, as EXR, TIFF or PNG; and what pads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import MatchPlate, WritePlate
from ..project.project import Project, Shot
from ..project.space import Camera, center_camera
from .about import PNG, About, add_xmp, compose_xmp, describe_original, describe_project
from .atomic import replace_file
from .options import AS_THEY_ARE, WriteOptions

LINEAR = {"lin_rec709": "Linear Rec.709 (sRGB)", "lin_ap1": "ACEScg", "lin_ap0": "ACES2065-1"}
"""Scene-linear spaces of ours, and what the colour configuration calls them."""

KNOWN = {**LINEAR, "srgb": "sRGB - Texture", "cineon_log": "Linear Rec.709 (sRGB)"}
"""Spaces whose samples can be converted; others are shown as a display would."""

_TIFFS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_EXR = b"\x76\x2f\x31\x01"
_FORMATS = {".png": "png", ".tif": "tiff", ".tiff": "tiff", ".exr": "exr"}


@dataclass(frozen=True, eq=False)
class Samples:
    """A picture's samples [H, W, 3] and their colour space, one of ours."""

    rgb: NDArray[Any]
    space: str


def find_still_samples(shot: Shot) -> Samples:
    """The still with all that it holds; as it is shown, where its space has no name."""
    still = shot.still
    if still.source is None or still.source_space not in KNOWN:
        return Samples(still.pixels, "srgb")
    return Samples(still.source, still.source_space)


def is_linear(shot: Shot) -> bool:
    """Whether the still is scene-linear in a space that has a name."""
    source = shot.still.source
    return source is not None and source.dtype.kind == "f" and shot.still.source_space in LINEAR


def find_plate_samples(run: Run, shot: Shot) -> Samples:
    """The clean plate (without one, the still) with all that the still holds."""
    whole = find_still_samples(shot)
    if shot.clean_plate is None:
        return whole
    if whole.rgb is shot.still.pixels:
        return Samples(shot.clean_plate, "srgb")
    return Samples(run.call(MatchPlate(shot.still, shot.clean_plate)), whole.space)


def describe_plate(project: Project) -> About:
    """What the hero's plate says of itself: who filled it; without one it is the still."""
    if project.hero.clean_plate is None:
        return describe_original(project.hero.still)
    return describe_project(project, project.scenes())  # whose recipes name what has filled it


def choose_target(space: str, wanted: str) -> str:
    """The scene-linear space to write: the one wanted, else the still's own, else linear Rec. 709."""
    return wanted if wanted != "auto" else LINEAR.get(space, LINEAR["lin_rec709"])


def write_picture(run: Run, project: Project, path: Path, options: WriteOptions = AS_THEY_ARE) -> list[str]:
    """The hero's clean plate, or its still: 16 bits where it holds more than 8. Raises BadInput, CannotAccess."""
    if not project.shots:
        raise BadInput("The project holds no still.", "Open a still.")
    write_samples(run, find_plate_samples(run, project.hero), path, describe_plate(project), options)
    return []


def write_samples(run: Run, samples: Samples, path: Path, about: About, options: WriteOptions) -> None:
    """Samples as a picture file that says what it is; the suffix chooses EXR, TIFF or PNG."""
    kind = _FORMATS[path.suffix.lower()]
    target = choose_target(samples.space, options.space)
    told = describe_attributes(about)
    ask = WritePlate(samples.rgb, samples.space, kind, target, compose_xmp(about), told if kind == "exr" else {})
    data = run.call(ask)
    with replace_file(path, check_picture) as file:
        file.write(add_xmp(data, compose_xmp(about)))


def describe_attributes(about: About) -> Mapping[str, str]:
    """What an EXR says of itself: string attributes."""
    told = {"software": "stillto3d", "XMP": compose_xmp(about), "stillto3d:identifier": about.identifier}
    told |= {"DigitalSourceType": source} if (source := str(about.describe()["digitalSourceType"])) else {}
    return told | ({"AIGC": about.aigc} if about.aigc else {})


def check_picture(path: Path) -> None:
    """The file begins and ends as its kind does. Raises BadInput and OSError."""
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(-12, os.SEEK_END)
        whole = head != PNG or file.read() == b"\0\0\0\0IEND\xaeB`\x82"
    if not whole or not (head == PNG or head.startswith((*_TIFFS, _EXR))):
        raise BadInput("{name} is damaged: {what}.", name=path.name, what="it is not a whole picture")


# ---------------------------------------------------------------------- padding


def pad_picture(samples: Samples, camera: Camera) -> Samples:
    """The picture that the camera sees once its principal point is the centre: black where the still ends.

    The still's pixels are kept where it moves by whole ones; else they are shifted by the fraction (bilinear).
    """
    wide, left, top = center_camera(camera)
    if wide is camera:
        return samples
    rgb = samples.rgb
    for axis, shift in ((0, top), (1, left)):
        whole, part = int(np.floor(shift)), float(shift - np.floor(shift))
        size = wide.height if axis == 0 else wide.width
        widths = [(0, 0)] * 3
        widths[axis] = (whole, max(0, size - whole - rgb.shape[axis]))
        rgb = np.pad(rgb, widths)
        if part > 1e-6:
            before = np.roll(rgb, 1, axis=axis)
            mixed = rgb.astype(np.float32) * (1 - part) + before.astype(np.float32) * part
            rgb = (np.rint(mixed) if rgb.dtype.kind == "u" else mixed).astype(rgb.dtype)
    return Samples(rgb, samples.space)
