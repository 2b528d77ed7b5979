"""JPEG, PNG, WebP, AVIF, GIF, BMP and 8-bit TIFF through Pillow, HEIC through libheif."""

from __future__ import annotations

import importlib
import io
import struct
from typing import Any, BinaryIO
from warnings import catch_warnings, simplefilter

import numpy as np

from ...errors import BadInput
from . import exif as exif_tags
from .decoded import FIRST_PAGE_USED, Decoded, Limits, Note, identify, note, refuse_damaged

PLUGINS = {
    "jpeg": "JPEG",
    "png": "PNG",
    "webp": "WEBP",
    "avif": "AVIF",
    "gif": "GIF",
    "bmp": "BMP",
    "tiff": "TIFF",
}
MODULES = {"WEBP": "WebP", "TIFF": "Tiff", "AVIF": "Avif"}
LABELS = {name: name.upper() for name in PLUGINS} | {"webp": "WebP", "heic": "HEIC"}
NEW_SUBFILE_TYPE, BITS_PER_SAMPLE, SUB_IFDS, SAMPLE_FORMAT, DNG_VERSION = 254, 258, 330, 339, 50706
MAX_COUNTED_PAGES = 64
WEBP_LARGEST = 16_383  # by the format
JPEG_MOST = 1024  # pixels that one byte of a JPEG can at most stand for


def read_picture(file: BinaryIO, name: str, limits: Limits) -> Decoded:
    """Decode `file`, of format `name` (a key of PLUGINS); raises BadInput, never a partial picture."""
    warnings: list[Note] = []
    if name == "webp":
        width, height = _read_webp_size(file)
        limits.check(width, height, 4)
    picture = _open(file, name)
    limits.check(picture.width, picture.height, max(3, len(picture.getbands())))
    if name == "jpeg" and file.seek(0, io.SEEK_END) * JPEG_MOST < picture.width * picture.height:
        raise refuse_damaged("JPEG")
    warnings += _describe_frames(picture, name)
    if name == "tiff":  # Pillow turns a TIFF upright by itself
        _load(picture, name)
        return finish(picture, name, _read_exif(picture, warnings), 1, warnings)
    _load(picture, name)
    if name == "jpeg" and _is_cut_jpeg(file, picture):
        raise refuse_damaged("JPEG")
    # EXIF only now: asked for it earlier, Pillow would load a PNG itself and hide damage
    exif = _read_exif(picture, warnings)
    return finish(picture, name, exif, exif_tags.read_orientation(exif), warnings)


def _load(picture: Any, name: str) -> None:
    try:
        picture.load()
    except MemoryError:
        raise
    except Exception as error:  # a decoder fed with broken data raises anything
        raise refuse_damaged(LABELS[name]) from error


def _open(file: BinaryIO, name: str) -> Any:
    """The picture with its header read and nothing decoded."""
    from PIL import Image

    plugin = PLUGINS[name]
    if plugin in MODULES:
        importlib.import_module(f"PIL.{MODULES[plugin]}ImagePlugin")
    Image.MAX_IMAGE_PIXELS = None  # our own limits are checked instead
    file.seek(0)
    try:
        return Image.open(file, formats=(plugin,))
    except MemoryError:
        raise
    except Exception as error:
        raise refuse_damaged(LABELS[name]) from error


def finish(picture: Any, name: str, exif: Any, orientation: int, warnings: list[Note]) -> Decoded:
    """A loaded Pillow picture as upright sRGB arrays."""
    alpha, profile = None, picture.info.get("icc_profile") or b""
    if picture.mode in ("LA", "PA", "La", "RGBa", "RGBA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        alpha = picture.getchannel("A")
    if picture.mode not in ("L", "RGB", "CMYK"):
        picture = picture.convert("RGB")
    turn = _find_turn(orientation)
    if turn is not None:
        picture = picture.transpose(turn)
        alpha = None if alpha is None else alpha.transpose(turn)
    stored = [np.asarray(plane) for plane in (picture, alpha) if plane is not None]
    identity, channels = identify(stored, profile), len(picture.getbands())
    if profile:
        from .colour import convert_profile

        picture = convert_profile(picture, profile, warnings)
    if picture.mode != "RGB":
        picture = picture.convert("RGB")
    return Decoded(
        pixels=np.asarray(picture) if profile or channels != 3 else stored[0],
        format=name,
        id=identity,
        alpha=None if alpha is None else stored[1],
        focal_px=_read_focal(exif, *picture.size),
        warnings=warnings,
    )


def _find_turn(orientation: int) -> Any:
    """What Pillow must do to turn a picture of this EXIF orientation upright; None for nothing."""
    from PIL.Image import Transpose

    return {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)


def _read_exif(picture: Any, warnings: list[Note]) -> Any:
    """The picture's EXIF; what is broken in it is left out, with a warning."""
    packed = picture.info.get("exif")
    return parse_exif(packed, warnings) if isinstance(packed, bytes) else picture.getexif()


def parse_exif(packed: bytes, warnings: list[Note]) -> Any:
    """EXIF bytes as a Pillow Exif; what is broken in them is left out, with a warning."""
    from PIL import Image

    found, broken = Image.Exif(), False
    with catch_warnings(record=True) as complaints:
        simplefilter("always")
        try:
            found.load(packed)
            found.get_ifd(exif_tags.EXIF_IFD)
        except MemoryError:
            raise
        except Exception:
            found, broken = Image.Exif(), True
    if broken or complaints:
        warnings.append(note("exif_ignored", "Its EXIF data are damaged: what cannot be read of them is ignored."))
    return found


def _read_focal(exif: Any, width: int, height: int) -> float | None:
    try:
        return exif_tags.read_focal_px(exif.get_ifd(exif_tags.EXIF_IFD), width, height)
    except (SyntaxError, ValueError, TypeError, KeyError, struct.error, OverflowError):
        return None


def _is_cut_jpeg(file: BinaryIO, picture: Any) -> bool:
    """Whether a JPEG whose end marker is in place lacks the end of its data.

    libjpeg fills what is missing with middle grey and says nothing. Where the last block is such grey, the
    picture is decoded once more with other data before the end marker: a whole picture has no use for them.
    """
    from PIL import Image

    width, height = picture.size
    corner = picture.crop((max(0, width - 8), max(0, height - 8), width, height))
    if picture.mode not in ("L", "RGB") or any(band != (128, 128) for band in _list_extrema(corner)):
        return False
    file.seek(0)
    data = file.read()
    end = data.find(b"\xff\xd9", _find_scan(data))
    if end < 0:
        return False
    padded = Image.open(io.BytesIO(data[:end] + bytes(4096) + data[end:]), formats=("JPEG",))
    _load(padded, "jpeg")
    return bool(padded.tobytes() != picture.tobytes())


def _list_extrema(picture: Any) -> list[tuple[int, int]]:
    return [band.getextrema() for band in picture.split()]


def _find_scan(data: bytes) -> int:
    """Offset of the first start-of-scan marker of a JPEG, past its thumbnails; its length if none."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        if data[position + 1] == 0xDA:
            return position
        if data[position + 1] == 0xFF:
            position += 1
            continue
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return len(data)


def _describe_frames(picture: Any, name: str) -> list[Note]:
    """A warning where the file holds more than one picture, counted without decoding any."""
    if name == "tiff":
        pages = 1
        try:
            while pages < MAX_COUNTED_PAGES:
                picture.seek(pages)
                pages += 1
        except (EOFError, SyntaxError, ValueError, KeyError, TypeError, OSError, struct.error):
            pass
        picture.seek(0)
        return [note("first_page_used", FIRST_PAGE_USED, pages=pages)] if pages > 1 else []
    if name in ("gif", "webp", "png", "avif") and getattr(picture, "is_animated", False):
        return [note("first_frame_used", "It is animated: only its first frame is used.")]
    return []


def is_deep_tiff(file: BinaryIO) -> bool:
    """Whether the first page has other than 8-bit samples, or is beyond Pillow; refuses camera raw."""
    try:
        tags = _open(file, "tiff").tag_v2
    except BadInput:
        return True
    if DNG_VERSION in tags or (tags.get(NEW_SUBFILE_TYPE, 0) == 1 and SUB_IFDS in tags):
        raise BadInput("This is a camera raw file. Develop it first, and save it as a 16-bit TIFF.")
    bits = tags.get(BITS_PER_SAMPLE, (1,))
    return bool(max(bits) > 8 or max(tags.get(SAMPLE_FORMAT, (1,))) != 1)


def _read_webp_size(file: BinaryIO) -> tuple[int, int]:
    """Canvas size as the RIFF header tells it (Pillow allocates the canvas when it opens the file)."""
    file.seek(12)
    head = file.read(18)
    if len(head) < 18:
        raise refuse_damaged("WebP")
    kind, body = head[:4], head[8:]
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    raise refuse_damaged("WebP")


def read_heic(file: BinaryIO, limits: Limits) -> Decoded:
    """Decode the primary picture of a HEIC file; libheif turns it upright, so EXIF orientation is not used.

    Pictures of 10 or 12 bits keep their samples as a 16-bit source.
    """
    import pi_heif

    file.seek(0)
    try:
        container = pi_heif.open_heif(file, convert_hdr_to_8bit=False)
        picture = container[container.primary_index]
    except MemoryError:
        raise
    except Exception as error:
        raise refuse_damaged("HEIC") from error
    deep = int(picture.info.get("bit_depth", 8)) > 8
    limits.check(picture.size[0], picture.size[1], 4 * (2 if deep else 1))
    try:
        samples = np.asarray(picture)
    except MemoryError:
        raise
    except Exception as error:
        raise refuse_damaged("HEIC") from error
    warnings = []
    if len(container) > 1:
        warnings.append(
            note("first_page_used", "It holds {pages} pictures: the main one is used.", pages=len(container))
        )
    return _finish_heic(picture, samples, warnings)


def _finish_heic(picture: Any, samples: np.ndarray, warnings: list[Note]) -> Decoded:
    from PIL import Image

    exif = parse_exif(picture.info.get("exif") or b"", warnings)
    profile = picture.info.get("icc_profile") or b""
    if samples.ndim == 2:
        samples = samples[..., None]
    if samples.dtype == np.uint8:
        image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)
        image.info["icc_profile"] = profile
        return finish(image, "heic", exif, 1, warnings)
    from .colour import show_samples

    height, width = samples.shape[:2]
    shown = show_samples(samples, "srgb", profile, warnings)
    shown.id = identify([samples], profile)
    shown.format, shown.focal_px = "heic", _read_focal(exif, width, height)
    return shown


def write_webp(pixels: np.ndarray, quality: int) -> bytes:
    """u8 [H, W, 1|3|4] as lossy WebP of this quality (1..100); alpha is kept exactly."""
    from PIL import Image

    if max(pixels.shape[:2]) > WEBP_LARGEST:
        raise BadInput("A WebP is at most 16383 pixels wide and high: write a PNG.")
    out = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(out, "WEBP", quality=quality)
    return out.getvalue()
