"""EXIF: which way is up and how long the lens was. Nothing else of it is read, least of all a position."""

from __future__ import annotations

import math
from typing import Any, Mapping

ORIENTATION, EXIF_IFD = 0x0112, 0x8769
FOCAL_LENGTH, FOCAL_35MM = 0x920A, 0xA405
PLANE_X, PLANE_UNIT = 0xA20E, 0xA210
PIXELS_X, PIXELS_Y = 0xA002, 0xA003
MILLIMETRES = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
FULL_FRAME_DIAGONAL = math.hypot(36.0, 24.0)


def read_orientation(exif: Any) -> int:
    """EXIF orientation 1..8 of a Pillow Exif; anything else counts as 1 (as stored)."""
    value = exif.get(ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def read_focal_px(tags: Mapping[int, Any], width: int, height: int) -> float | None:
    """Focal length in pixels of a picture of this size, or None where the EXIF tags do not tell it plausibly.

    FocalLengthIn35mmFilm scales with the diagonal (CIPA DCG-001: 43.27 mm); else FocalLength with the focal
    plane's resolution. A picture whose proportions differ from those that the camera wrote has been cropped,
    so its focal length is unknown.
    """
    taken = sorted((_read_number(tags, PIXELS_X), _read_number(tags, PIXELS_Y)))
    shown = sorted((float(width), float(height)))
    if taken[0] > 0 and abs(math.log(taken[0] / taken[1] * shown[1] / shown[0])) > 0.02:
        return None
    focal = _read_number(tags, FOCAL_35MM) * math.hypot(width, height) / FULL_FRAME_DIAGONAL
    if focal <= 0:
        millimetre = MILLIMETRES.get(int(_read_number(tags, PLANE_UNIT) or 2), 0.0)
        density = _read_number(tags, PLANE_X) / millimetre if millimetre else 0.0
        resized = shown[1] / taken[1] if taken[1] > 0 else 1.0
        focal = _read_number(tags, FOCAL_LENGTH) * density * resized
    return focal if 0.1 * shown[1] < focal < 100 * shown[1] else None


def _read_number(tags: Mapping[int, Any], tag: int) -> float:
    try:
        value = float(tags.get(tag, 0))
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0
    return value if math.isfinite(value) else 0.0
