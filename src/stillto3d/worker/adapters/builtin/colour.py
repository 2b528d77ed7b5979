"""Colour: ICC profiles to sRGB, and the views that show deep and scene-linear samples as 8-bit sRGB."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Callable

import numpy as np

from .decoded import MAX_PROFILE, Decoded, Note, note

KNEE = 0.8  # where the shoulder of the scene-linear view begins
STRIP = 1_000_000  # pixels worked on at a time, so that float copies stay small
LARGEST_HALF = 65504.0
RESOLVED_ALPHA = 1 / 1024  # below this, dividing by alpha would only amplify noise

D50 = (0.9642, 1.0, 0.8249)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
# x, y of red, green, blue and white
REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
AP0 = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
AP1 = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)
PRIMARIES = {"lin_rec709": REC709, "lin_ap0": AP0, "lin_ap1": AP1}

IGNORED = "Its colour profile is damaged or does not fit and was ignored: the colours are taken as sRGB."


def encode_srgb(linear: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1 transfer of linear values, clipped to 0..1."""
    x = np.clip(linear, 0.0, 1.0)
    encoded: np.ndarray = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    return encoded


def decode_srgb(encoded: np.ndarray) -> np.ndarray:
    """Linear light of sRGB-encoded values in 0..1."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def roll_off(linear: np.ndarray) -> np.ndarray:
    """The scene-linear view's tone curve: unchanged up to KNEE, then an exponential shoulder towards 1.

    y = x below the knee k, y = k + (1 - k)(1 - exp(-(x - k) / (1 - k))) above: smooth in value and slope, no
    change of exposure (0.18 stays 0.18, shown as 118 of 255); 1.0 becomes 0.926 (246 of 255).
    """
    above = np.maximum(linear - KNEE, 0.0)
    rolled: np.ndarray = np.minimum(linear, KNEE) + (1 - KNEE) * (1 - np.exp(-above / (1 - KNEE)))
    return rolled


@lru_cache(maxsize=2)
def _tabulate_half(shoulder: bool) -> np.ndarray:
    """u8[65536]: what is shown for each bit pattern of a half float; NaN and negatives are black."""
    values = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32)
    values = np.nan_to_num(values, nan=0.0, posinf=LARGEST_HALF, neginf=0.0)
    values = np.maximum(values, 0.0)
    return np.round(255 * encode_srgb(roll_off(values) if shoulder else values)).astype(np.uint8)


def show_linear(rgb: np.ndarray, to_rec709: np.ndarray | None = None, shoulder: bool = True) -> np.ndarray:
    """f16 or f32 [H, W, 3] linear light as u8 sRGB: to Rec. 709 primaries, `roll_off`, the sRGB curve.

    Half precision (11 bits) is more than 8-bit output can show, so each sample is looked up as a half float.
    """
    table = _tabulate_half(shoulder)

    def show(strip: np.ndarray) -> np.ndarray:
        if to_rec709 is not None:
            strip = strip.astype(np.float32) @ to_rec709.T.astype(np.float32)
        return table[np.ascontiguousarray(strip, np.float16).view(np.uint16)]

    with np.errstate(all="ignore"):
        return map_strips(show, rgb)


def map_strips(function: Callable[[np.ndarray], np.ndarray], samples: np.ndarray) -> np.ndarray:
    """`function` of [h, W, C] strips of `samples`, u8 of the same shape; floats never exist for the whole."""
    out = np.empty(samples.shape, np.uint8)
    rows = max(1, STRIP // samples.shape[1])
    for top in range(0, samples.shape[0], rows):
        out[top : top + rows] = function(samples[top : top + rows])
    return out


def show_u16(samples: np.ndarray) -> np.ndarray:
    """u16 display-referred samples as u8, rounded (65535 -> 255, 32768 -> 128), never clipped."""
    table = ((np.arange(65536, dtype=np.uint32) + 128) // 257).astype(np.uint8)
    return map_strips(lambda strip: table[strip], samples)


def primaries_to_xyz(xy: tuple[float, ...]) -> np.ndarray:
    """3 x 3 from linear RGB of these chromaticities (red, green, blue, white x y) to XYZ adapted to D50."""
    corners = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in zip(xy[0::2], xy[1::2])]).T
    rgb, white = corners[:, :3], corners[:, 3]
    matrix = rgb * np.linalg.solve(rgb, white)
    gains = (BRADFORD @ np.array(D50)) / (BRADFORD @ white)
    adapted: np.ndarray = np.linalg.inv(BRADFORD) @ np.diag(gains) @ BRADFORD @ matrix
    return adapted


def name_primaries(xy: tuple[float, ...] | None) -> tuple[str, np.ndarray | None]:
    """(space name, matrix to linear Rec. 709 or None for Rec. 709 itself) of an EXR's chromaticities."""
    if xy is None or len(xy) != 8:
        return "lin_rec709", None
    known = [name for name, like in PRIMARIES.items() if np.allclose(xy, like, atol=2e-3)]
    if known == ["lin_rec709"]:
        return "lin_rec709", None
    try:
        matrix = np.linalg.solve(primaries_to_xyz(REC709), primaries_to_xyz(xy))
    except (np.linalg.LinAlgError, ZeroDivisionError):
        return "lin_rec709", None
    if not np.isfinite(matrix).all() or np.abs(matrix).max() > 100:
        return "lin_rec709", None
    return (known[0] if known else "lin_custom"), matrix


def tame(samples: np.ndarray, warnings: list[Note]) -> np.ndarray:
    """Float samples without NaN (0), Inf (the largest half) and -Inf (0); a warning counts them."""
    wild = int(np.count_nonzero(~np.isfinite(samples)))
    if not wild:
        return samples
    text = "{count} of its samples are infinite or no numbers: infinite ones become white, others black."
    warnings.append(note("samples_tamed", text, count=wild))
    tamed: np.ndarray = np.nan_to_num(samples, nan=0.0, posinf=LARGEST_HALF, neginf=0.0)
    return tamed


def unpremultiply(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Float colours [H, W, 3] divided by their alpha [H, W] where there is enough of it; same dtype."""
    out = np.empty_like(rgb)
    rows = max(1, STRIP // rgb.shape[1])
    for top in range(0, rgb.shape[0], rows):
        part = slice(top, top + rows)
        cover = alpha[part].astype(np.float32)
        gain = np.where((cover > RESOLVED_ALPHA) & (cover < 1), 1 / np.maximum(cover, RESOLVED_ALPHA), 1)
        out[part] = np.clip(rgb[part] * gain[..., None], -LARGEST_HALF, LARGEST_HALF)
    return out


def convert_profile(picture: Any, profile: bytes, warnings: list[Note]) -> Any:
    """A Pillow L, RGB or CMYK picture as sRGB RGB (relative colorimetric, black point compensated).

    A profile that does not fit, is broken, or is beyond MAX_PROFILE bytes is ignored with a warning.
    """
    from PIL import ImageCms

    try:
        if len(profile) > MAX_PROFILE:
            raise ValueError("profile too big")
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if (embedded.profile.profile_description or "").startswith("sRGB") and picture.mode == "RGB":
            return picture
        intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, embedded, target, intent, "RGB", flags=flags)
    except MemoryError:
        raise
    except Exception:  # lcms and Pillow raise anything on a broken profile
        warnings.append(note("profile_ignored", IGNORED))
        return picture


def name_profile(profile: bytes) -> str:
    """The profile's own description, printable and short; raises on a broken one."""
    from PIL import ImageCms

    text = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.profile_description or ""
    return "".join(letter for letter in text if letter.isprintable()).strip()[:64]


@dataclass(frozen=True)
class MatrixProfile:
    """An ICC matrix/TRC profile: f32[3, 65536] linear light per 16-bit code, and 3 x 3 to linear Rec. 709."""

    curves: np.ndarray
    to_rec709: np.ndarray
    linear: bool

    def show(self, samples: np.ndarray) -> np.ndarray:
        """u16, f16 or f32 [H, W, 3] in this profile as u8 sRGB."""
        if self.linear and samples.dtype != np.uint16:
            return show_linear(samples, self.to_rec709)

        def show(strip: np.ndarray) -> np.ndarray:
            if strip.dtype != np.uint16:
                clean = np.nan_to_num(strip.astype(np.float32), nan=0.0)
                strip = np.round(np.clip(clean, 0, 1) * 65535).astype(np.uint16)
            linear = np.stack([self.curves[c][strip[..., c]] for c in range(3)], axis=-1)
            return show_linear(linear, self.to_rec709, shoulder=False)

        return map_strips(show, samples)


def parse_matrix_profile(profile: bytes) -> MatrixProfile | None:
    """The profile's curves and matrix (ICC.1:2022), or None where it is of another kind or broken."""
    try:
        tags = _list_tags(profile)
        if b"A2B0" in tags or profile[36:40] != b"acsp":
            return None
        if profile[16:20] == b"GRAY":
            curve = _parse_curve(tags[b"kTRC"])
            curves, matrix = np.stack([curve] * 3), np.eye(3)
        else:
            curves = np.stack([_parse_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")])
            columns = [struct.unpack(">3i", tags[name][8:20]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
            matrix = np.linalg.solve(primaries_to_xyz(REC709), np.array(columns).T / 65536)
    except (KeyError, struct.error, IndexError, ValueError, np.linalg.LinAlgError):
        return None
    if not (np.isfinite(curves).all() and np.abs(matrix).max() < 100):
        return None
    identity = np.linspace(0, 1, 65536, dtype=np.float32)
    return MatrixProfile(curves, matrix, bool(np.abs(curves - identity).max() < 1e-3))


def _list_tags(profile: bytes) -> dict[bytes, bytes]:
    count = min(struct.unpack(">I", profile[128:132])[0], 100)
    entries = [struct.unpack(">4sII", profile[132 + 12 * i : 144 + 12 * i]) for i in range(count)]
    return {name: profile[start : start + length] for name, start, length in entries}


def _parse_curve(tag: bytes) -> np.ndarray:
    """f32[65536] of a 'curv' or 'para' tag."""
    x = np.linspace(0, 1, 65536)
    kind, count = tag[:4], struct.unpack(">I", tag[8:12])[0]
    if kind == b"curv":
        if count == 0:
            return x.astype(np.float32)
        if count == 1:
            gamma = int.from_bytes(tag[12:14], "big") / 256
            return np.power(x, gamma).astype(np.float32)
        table = np.frombuffer(tag, ">u2", count, 12) / 65535
        return np.interp(x, np.linspace(0, 1, count), table).astype(np.float32)
    if kind != b"para":
        raise ValueError("unknown curve")
    form = struct.unpack(">H", tag[8:10])[0]
    g, a, b, c, d, e, f = _read_parameters(form, tag)
    with np.errstate(all="ignore"):
        curve = np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f)
    return np.clip(curve, 0, 1).astype(np.float32)


def _read_parameters(form: int, tag: bytes) -> tuple[float, ...]:
    """g a b c d e f of a parametric curve of any form, so that one formula serves all five."""
    count = (1, 3, 4, 5, 7)[form]
    given = [value / 65536 for value in struct.unpack_from(f">{count}i", tag, 12)]
    g, a, b, c, d, e, f = given + [0.0] * (7 - count)
    if form == 0:
        return g, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if form in (1, 2):  # below -b/a: 0, or the constant c
        return g, a, b, 0.0, -b / a if a else 0.0, c, c
    return g, a, b, c, d, e, f


def show_samples(
    samples: np.ndarray,
    space: str,
    profile: bytes,
    warnings: list[Note],
    to_rec709: np.ndarray | None = None,
) -> Decoded:
    """u8, u16, f16 or f32 [H, W, 1..4] as a Decoded that lacks its format.

    Floats are scene-linear, integers display-referred. Two and four channels end in straight alpha. An ICC
    `profile` outranks `space`.
    """
    alpha = None
    if samples.shape[2] in (2, 4):
        samples, alpha = samples[..., :-1], show_alpha(samples[..., -1])
    rgb = np.repeat(samples, 3, axis=2) if samples.shape[2] == 1 else np.ascontiguousarray(samples[..., :3])
    if rgb.dtype.kind == "f":
        rgb = tame(rgb, warnings)
    source = None if rgb.dtype == np.uint8 else rgb
    shown = _show_with_profile(rgb, profile, warnings) if profile else None
    if shown is not None:
        pixels, space = shown[0], "srgb" if source is None else shown[1]
    elif rgb.dtype == np.uint8:
        pixels = rgb
    elif rgb.dtype == np.uint16:
        pixels = show_u16(rgb)
    else:
        pixels = show_linear(rgb, to_rec709)
    return Decoded(pixels, alpha=alpha, source=source, source_space=space, warnings=warnings)


def show_alpha(alpha: np.ndarray) -> np.ndarray:
    """Alpha of any sample type as u8."""
    if alpha.dtype == np.uint8:
        return alpha
    if alpha.dtype == np.uint16:
        return show_u16(alpha[..., None])[..., 0]
    clean = np.nan_to_num(alpha.astype(np.float32), nan=0.0)
    return np.round(np.clip(clean, 0, 1) * 255).astype(np.uint8)


def _show_with_profile(rgb: np.ndarray, profile: bytes, warnings: list[Note]) -> tuple[np.ndarray, str] | None:
    """(u8 sRGB, name of the profile) or None, with a warning, where the profile cannot be used."""
    from PIL import Image

    try:
        name = name_profile(profile)
    except Exception:  # lcms and Pillow raise anything on a broken profile
        warnings.append(note("profile_ignored", IGNORED))
        return None
    if name.startswith("sRGB") and rgb.dtype.kind == "u":
        return (show_u16(rgb) if rgb.dtype == np.uint16 else rgb), "srgb"
    shaper = parse_matrix_profile(profile)
    if shaper is not None and rgb.dtype != np.uint8:
        return shaper.show(rgb), name or "icc"
    if rgb.dtype.kind == "f":
        warnings.append(note("profile_ignored", IGNORED))
        return None
    eight = Image.fromarray(show_u16(rgb) if rgb.dtype == np.uint16 else rgb)
    return np.asarray(convert_profile(eight, profile, warnings)), name or "icc"
