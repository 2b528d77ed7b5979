"""Colour: ICC profiles to sRGB, and the views that show deep and scene-linear samples as 8-bit sRGB."""

from __future__ import annotations

import io
from typing import Any

from .decoded import note

MAX_PROFILE = 16_000_000


def convert_profile(picture: Any, profile: bytes, warnings: list[dict[str, str]]) -> Any:
    """A Pillow L, RGB or CMYK picture as sRGB RGB (relative colorimetric, black point compensated).

    A profile that does not fit the picture, is broken, or is beyond MAX_PROFILE bytes is ignored with a warning.
    """
    from PIL import ImageCms

    try:
        if len(profile) > MAX_PROFILE:
            raise ValueError("profile too big")
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if embedded.profile.profile_description.startswith("sRGB") and picture.mode == "RGB":
            return picture
        intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, embedded, target, intent, "RGB", flags=flags)
    except MemoryError:
        raise
    except Exception:  # lcms and Pillow raise anything on a broken profile
        text = "Its colour profile is damaged or does not fit and was ignored: the colours are taken as sRGB."
        warnings.append(note("profile_ignored", text))
        return picture
