"""What the codecs share: the limits of a decode, its result, and the sentences of its refusals."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable

import numpy as np

from ...errors import BadInput

MAX_PIXELS = 200_000_000
MAX_BYTES = 2_000_000_000
MAX_PROFILE = 16_000_000

FIRST_PAGE_USED = "It holds {pages} pages: the first is used."

Note = Dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """How much one still may hold: pixels, and bytes once decoded (and on disk)."""

    max_pixels: int = MAX_PIXELS
    max_bytes: int = MAX_BYTES

    def check(self, width: int, height: int, bytes_per_pixel: int) -> None:
        """Refuse a size that a header claims, before anything of that size is allocated."""
        if width <= 0 or height <= 0:
            raise BadInput("This picture says that it has no pixels at all. Export it anew from its source.")
        pixels = width * height
        if pixels > self.max_pixels:
            raise BadInput(
                "This picture is {width} x {height} pixels ({size:.0f} megapixels); "
                "at most {most:.0f} megapixels are opened. Scale it down first.",
                width=width,
                height=height,
                size=pixels / 1e6,
                most=self.max_pixels / 1e6,
            )
        if pixels * bytes_per_pixel > self.max_bytes:
            raise BadInput(
                "This picture takes {size:.1f} GB once decoded; at most {most:.1f} GB are opened. "
                "Scale it down, or save it in fewer bits.",
                size=pixels * bytes_per_pixel / 1e9,
                most=self.max_bytes / 1e9,
            )


@dataclass
class Decoded:
    """One still as a codec read it, upright.

    pixels        u8[H, W, 3], display-referred sRGB, not multiplied by alpha
    id            sha256 of the file's own samples, upright, with their colour space (see `identify`)
    alpha         u8[H, W], straight
    source        u16, f16 or f32 [H, W, 3] in `source_space`, where 8 bits cannot hold the file; finite
    source_space  "srgb", "lin_rec709", "lin_ap0", ..., or the name of the file's ICC profile
    focal_px      focal length in pixels of the upright picture, from EXIF
    warnings      what a person should know, see `note`
    """

    pixels: np.ndarray
    format: str = ""
    id: str = ""
    alpha: np.ndarray | None = None
    source: np.ndarray | None = None
    source_space: str = "srgb"
    focal_px: float | None = None
    warnings: list[Note] = field(default_factory=list)

    def answer(self) -> dict[str, Any]:
        """The dict that the worker sends; absent parts are left out."""
        parts: dict[str, Any] = {
            "pixels": np.ascontiguousarray(self.pixels),
            "alpha": None if self.alpha is None else np.ascontiguousarray(self.alpha),
            "source": None if self.source is None else np.ascontiguousarray(self.source),
            "source_space": self.source_space,
            "focal_px": self.focal_px,
            "format": self.format,
            "id": self.id,
            "warnings": self.warnings,
        }
        return {name: value for name, value in parts.items() if value is not None}


def identify(samples: Iterable[np.ndarray], space: bytes) -> str:
    """sha256, in hexadecimal, of sample arrays before any view transform and of what names their space."""
    digest = hashlib.sha256(space)
    for array in samples:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def note(key: str, sentence: str, **values: Any) -> Note:
    """One warning: a stable key, an English sentence, and the same in parts that can be translated."""
    return {"key": key, "text": sentence.format(**values), "sentence": sentence, "values": values}


def refuse_damaged(label: str) -> BadInput:
    """The refusal of a file whose data are cut off or broken."""
    return BadInput(
        "This {format} file is damaged or cut off, so its picture cannot be decoded whole. "
        "Copy it again from its source, or export it anew.",
        format=label,
    )
