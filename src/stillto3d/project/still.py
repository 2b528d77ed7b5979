"""Still, Mask and Depth: pixels and their conventions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


def freeze(array: NDArray[Any]) -> NDArray[Any]:
    """The same array, contiguous and read-only, so that values can share it."""
    kept = np.ascontiguousarray(array)
    if kept.flags.writeable:
        kept = kept.view()
        kept.flags.writeable = False
    return kept


def require(condition: bool, what: str) -> None:
    """Refuse a value that breaks its type's promise; a breach is a bug of whoever built the value."""
    if not condition:
        raise ValueError(what)


def hash_array(array: NDArray[Any]) -> str:
    """sha256 over dtype, shape and samples, as 64 hexadecimal digits."""
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Still:
    """One picture, upright.

    pixels        u8[H, W, 3], display-referred sRGB: what a person and a model see
    alpha         u8[H, W], the file's own alpha, straight (colours are not multiplied by it)
    source        u16, f16 or f32 [H, W, 3]: the file's samples where 8 bits cannot hold them
    source_space  the colour space of `source` ("srgb", "lin_rec709", ...), "" without a source
    focal_px      focal length in pixels of the upright picture, where the file tells it
    name          the file's stem, for people
    id            sha256 of the decoded source samples, before any view transform
    """

    pixels: U8
    name: str
    id: str
    alpha: U8 | None = None
    source: NDArray[Any] | None = None
    source_space: str = ""
    focal_px: float | None = None

    def __post_init__(self) -> None:
        p = self.pixels
        require(p.dtype == np.uint8 and p.ndim == 3 and p.shape[2] == 3 and p.size > 0, "pixels: u8[H,W,3]")
        object.__setattr__(self, "pixels", freeze(p))
        if self.alpha is not None:
            require(self.alpha.dtype == np.uint8 and self.alpha.shape == p.shape[:2], "alpha: u8[H,W]")
            object.__setattr__(self, "alpha", freeze(self.alpha))
        if self.source is not None:
            require(self.source.shape == p.shape and self.source.dtype.str[1:] in ("u2", "f2", "f4"), "source")
            require(bool(self.source_space), "a source names its colour space")
            object.__setattr__(self, "source", freeze(self.source))
        require(self.focal_px is None or 0 < self.focal_px < 1e7, "focal_px")

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.pixels.shape[0])


@dataclass(frozen=True, eq=False)
class Mask:
    """Where something is in a still: alpha u8[H, W] (0 outside, 255 inside, soft edges allowed)."""

    alpha: U8
    still_id: str

    def __post_init__(self) -> None:
        require(self.alpha.dtype == np.uint8 and self.alpha.ndim == 2, "alpha: u8[H,W]")
        object.__setattr__(self, "alpha", freeze(self.alpha))

    def count_pixels(self) -> int:
        """Pixels that are more inside than outside."""
        return int(np.count_nonzero(self.alpha > 127))


@dataclass(frozen=True, eq=False)
class Depth:
    """Distance along the camera's axis, f32[h, w] in metres, stretched over the whole still.

    `sky` u8[h, w] is 1 where there is no surface at all; the metres there are a far stand-in.
    """

    metres: F32
    still_id: str
    sky: U8 | None = None

    def __post_init__(self) -> None:
        z = self.metres
        require(z.dtype == np.float32 and z.ndim == 2 and z.size > 0, "metres: f32[h,w]")
        require(bool(np.isfinite(z).all() and (z > 0).all()), "metres: finite and positive")
        object.__setattr__(self, "metres", freeze(z))
        if self.sky is not None:
            require(self.sky.dtype == np.uint8 and self.sky.shape == z.shape, "sky: u8[h,w]")
            object.__setattr__(self, "sky", freeze(self.sky))
