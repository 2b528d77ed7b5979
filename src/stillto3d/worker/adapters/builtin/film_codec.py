"""EXR, DPX and everything deeper than 8 bits (PNG, TIFF) through OpenImageIO."""

from __future__ import annotations

import io
import shutil
import struct
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Iterator

import numpy as np

from ...errors import BadInput
from . import colour, exif
from .decoded import Decoded, Limits, Note, identify, note, refuse_damaged

SUFFIXES = {"png": ".png", "tiff": ".tif", "exr": ".exr", "dpx": ".dpx"}
LABELS = {"png": "PNG", "tiff": "TIFF", "exr": "EXR", "dpx": "DPX"}
COLOURS = (("R", "G", "B"), ("r", "g", "b"), ("red", "green", "blue"))
GREYS = ("Y", "y", "L", "I", "luminance", "grey", "gray")
MAX_COUNTED_PARTS = 64
MAX_EXR_HEADER = 16_000_000
MULTIPART_FLAG = 0x10  # in the second byte of the version field
CODE_MAX = 1023
REFERENCE_BLACK, REFERENCE_WHITE = 95, 685  # 10-bit printing density codes (Cineon, SMPTE 268M)
DENSITY_PER_CODE, NEGATIVE_GAMMA = 0.002, 0.6
EXIF_NAMES = {
    exif.FOCAL_35MM: "Exif:FocalLengthIn35mmFilm",
    exif.FOCAL_LENGTH: "Exif:FocalLength",
    exif.PLANE_X: "Exif:FocalPlaneXResolution",
    exif.PLANE_UNIT: "Exif:FocalPlaneResolutionUnit",
    exif.PIXELS_X: "Exif:PixelXDimension",
    exif.PIXELS_Y: "Exif:PixelYDimension",
}


@dataclass(frozen=True)
class Channels:
    """Which channels of a part hold its picture: indices of red, green, blue (or one grey), and alpha."""

    colour: tuple[int, ...]
    alpha: int | None
    layer: str


def read_picture(file: BinaryIO, name: str, limits: Limits) -> Decoded:
    """Decode `file`, of format `name` (a key of SUFFIXES); raises BadInput, never a partial picture."""
    import OpenImageIO as oiio  # noqa: N813

    if name == "exr":
        check_exr_header(file, limits)
    elif name == "dpx":
        check_dpx_header(file, limits)
    oiio.attribute("limits:imagesize_MB", 1 + 2 * limits.max_bytes // 1_000_000)
    config = oiio.ImageSpec()
    config.attribute("oiio:UnassociatedAlpha", 1)
    with lend_path(file, SUFFIXES[name]) as path:
        reader = oiio.ImageInput.open(path, config)
        try:
            if reader is None:
                raise refuse_damaged(LABELS[name])
            return _read_part(oiio, reader, name, limits)
        except (BadInput, MemoryError):
            raise
        except Exception as error:  # a decoder fed with broken data raises anything
            raise refuse_damaged(LABELS[name]) from error
        finally:
            forget_errors(reader)
            forget_errors(oiio)


def forget_errors(speaker: Any) -> None:
    """Drop the library's pending messages, which it would print at exit; they quote any bytes of the file."""
    with suppress(UnicodeDecodeError, AttributeError):
        speaker.geterror()


@contextmanager
def lend_path(file: BinaryIO, suffix: str) -> Iterator[str]:
    """A plain path to what `file` holds, for a library that opens files by UTF-8 names and suffixes only."""
    with tempfile.TemporaryDirectory(prefix="still-") as folder:
        path = Path(folder, "still" + suffix)
        try:
            opened = Path(f"/dev/fd/{file.fileno()}")
        except io.UnsupportedOperation:
            opened = None
        file.seek(0)
        if opened is not None and opened.exists():
            path.symlink_to(opened)
        else:
            with path.open("wb") as copy:
                shutil.copyfileobj(file, copy)
        yield str(path)


def _read_part(oiio: Any, reader: Any, name: str, limits: Limits) -> Decoded:
    """The first part (page) that holds colours, cropped to the display window, upright, shown."""
    part, parts, channels = _choose_part(reader)
    warnings: list[Note] = []
    if parts > 1:
        text = "It holds {pages} parts: part {page} is used, the first with colours."
        warnings.append(note("first_page_used", text, pages=parts, page=part + 1))
    if channels is None:
        raise BadInput("This picture holds no colours, only depth or other data. Choose one with colours.")
    if channels.layer:
        layer = "".join(letter for letter in channels.layer if letter.isprintable())[:64]
        warnings.append(note("layer_used", "It holds its colours in layers: {layer} is used.", layer=layer))
    spec = reader.spec()
    if spec.deep:
        raise BadInput("This is a deep EXR, which holds many samples in a pixel. Flatten it first.")
    samples = _read_samples(oiio, reader, spec, channels, name, limits)
    samples = _turn_upright(_fit_display(samples, spec), int(spec.get_int_attribute("Orientation", 1)))
    shown = _show(samples, spec, name, warnings)
    shown.format, shown.id = name, identify([samples], shown.source_space.encode())
    height, width = shown.pixels.shape[:2]
    tags = {tag: spec.get_float_attribute(attribute, 0.0) for tag, attribute in EXIF_NAMES.items()}
    shown.focal_px = exif.read_focal_px(tags, width, height)
    return shown


def _choose_part(reader: Any) -> tuple[int, int, Channels | None]:
    """(first part with colours, number of parts, its channels); the reader is left at that part."""
    found: tuple[int, Channels] | None = None
    parts = 0
    while parts < MAX_COUNTED_PARTS and reader.seek_subimage(parts, 0):
        channels = find_channels(reader.spec().channelnames)
        if found is None and channels is not None:
            found = parts, channels
        parts += 1
    forget_errors(reader)
    part, chosen = found or (0, None)
    reader.seek_subimage(part, 0)
    return part, parts, chosen


def find_channels(names: tuple[str, ...]) -> Channels | None:
    """The picture among channel names: plain R, G, B (A) or Y first, else the first layer that has them."""
    layers = dict.fromkeys(name.rpartition(".")[0] for name in names)
    for layer in sorted(layers, key=lambda layer: layer != ""):
        prefix = layer + "." if layer else ""
        index = {name[len(prefix) :]: i for i, name in enumerate(names) if name.startswith(prefix)}
        alpha = index.get("A", index.get("a", index.get("alpha")))
        for trio in COLOURS:
            if all(colour_name in index for colour_name in trio):
                return Channels(tuple(index[c] for c in trio), alpha, layer)
        for grey in GREYS:
            if grey in index:
                return Channels((index[grey],), alpha, layer)
    return None


def _read_samples(oiio: Any, reader: Any, spec: Any, channels: Channels, name: str, limits: Limits) -> np.ndarray:
    """u8, u16, f16 or f32 [h, w, 1..4] of the chosen channels, over the data window."""
    wanted = [*channels.colour] + ([] if channels.alpha is None else [channels.alpha])
    first, last = min(wanted), max(wanted) + 1
    kinds = {"uint8": (oiio.UINT8, 1), "uint16": (oiio.UINT16, 2), "half": (oiio.HALF, 2)}
    kind, size = kinds.get(str(spec.format), (oiio.FLOAT, 4))
    for width, height in ((spec.width, spec.height), (spec.full_width, spec.full_height)):
        limits.check(width, height, max(3, last - first) * size)
    part = reader.current_subimage()
    samples = reader.read_image(part, 0, first, last, kind)
    if samples is None:
        raise refuse_damaged(LABELS[name])
    picked = [index - first for index in wanted]
    return samples if picked == list(range(last - first)) else np.ascontiguousarray(samples[..., picked])


def _fit_display(samples: np.ndarray, spec: Any) -> np.ndarray:
    """The display window of the picture: overscan is cut off, what is missing is black and transparent."""
    left, top = spec.full_x - spec.x, spec.full_y - spec.y
    width, height = spec.full_width, spec.full_height
    if (left, top, width, height) == (0, 0, spec.width, spec.height):
        return samples
    out = np.zeros((height, width, samples.shape[2]), samples.dtype)
    x0, x1 = max(left, 0), min(left + width, spec.width)
    y0, y1 = max(top, 0), min(top + height, spec.height)
    if x0 < x1 and y0 < y1:
        out[y0 - top : y1 - top, x0 - left : x1 - left] = samples[y0:y1, x0:x1]
    return out


def _turn_upright(samples: np.ndarray, orientation: int) -> np.ndarray:
    """Samples stored under EXIF orientation 1..8, upright."""
    if orientation in (5, 6, 7, 8):
        samples = samples.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    return samples


def _show(samples: np.ndarray, spec: Any, name: str, warnings: list[Note]) -> Decoded:
    """Samples in the colour space that the format and its header tell, shown."""
    if name == "exr":
        return _show_exr(samples, spec, warnings)
    if name == "dpx":
        return _show_dpx(samples, spec, warnings)
    profile = spec.getattribute("ICCProfile")
    packed = b"" if profile is None else bytes(np.asarray(profile, np.uint8))
    linear = samples.dtype.kind == "f"
    if linear and not packed:
        text = "Its samples are floats and it names no colour space: it is taken as scene-linear."
        warnings.append(note("taken_as_linear", text))
    return colour.show_samples(samples, "lin_rec709" if linear else "srgb", packed, warnings)


def _show_exr(samples: np.ndarray, spec: Any, warnings: list[Note]) -> Decoded:
    """Scene-linear, premultiplied (OpenEXR's rule): colours come out straight, shown by `colour.roll_off`."""
    if samples.dtype.kind == "u":
        samples = samples.astype(np.float32) / np.iinfo(samples.dtype).max
    if samples.shape[2] in (2, 4):
        samples = colour.tame(samples, warnings)
        straight = colour.unpremultiply(samples[..., :-1], samples[..., -1])
        samples = np.concatenate([straight, samples[..., -1:]], axis=2)
    xy = spec.getattribute("chromaticities")
    space, matrix = colour.name_primaries(None if xy is None else tuple(float(v) for v in xy))
    return colour.show_samples(samples, space, b"", warnings, matrix)


def _show_dpx(samples: np.ndarray, spec: Any, warnings: list[Note]) -> Decoded:
    """By the header's transfer: printing density, video as sRGB, or linear light."""
    transfer = str(spec.getattribute("dpx:Transfer") or "").lower()
    bits = int(spec.get_int_attribute("oiio:BitsPerSample", 8))
    if "density" in transfer or "log" in transfer:
        return _show_density(samples, warnings)
    if transfer == "linear" and bits <= 12 and samples.dtype.kind == "u":
        text = "Its header says linear light, which {bits} bits cannot hold: it is shown as video."
        warnings.append(note("taken_as_video", text, bits=bits))
    elif transfer == "linear" and samples.dtype.kind == "u":
        samples = samples.astype(np.float32) / np.iinfo(samples.dtype).max
    space = "lin_rec709" if samples.dtype.kind == "f" else "srgb"
    return colour.show_samples(samples, space, b"", warnings)


def _show_density(samples: np.ndarray, warnings: list[Note]) -> Decoded:
    """Printing density: reference white (685) is 1.0, reference black (95) is 0; kept as u16 "cineon_log"."""
    if samples.dtype != np.uint16:
        top = 1.0 if samples.dtype.kind == "f" else np.iinfo(samples.dtype).max
        clean = np.nan_to_num(samples.astype(np.float32) / top, nan=0.0)
        samples = np.round(np.clip(clean, 0, 1) * 65535).astype(np.uint16)
    shown = colour.show_samples(samples, "cineon_log", b"", warnings)
    table = decode_density(np.arange(65536) / 65535 * CODE_MAX).astype(np.float16)
    assert shown.source is not None
    shown.pixels = colour.map_strips(lambda strip: colour.show_linear(table[strip]), shown.source)
    return shown


def decode_density(code: np.ndarray) -> np.ndarray:
    """Scene-linear light of 10-bit printing density codes (Cineon: density 0.002 a code, gamma 0.6)."""
    slope = DENSITY_PER_CODE / NEGATIVE_GAMMA
    black = 10 ** ((REFERENCE_BLACK - REFERENCE_WHITE) * slope)
    light: np.ndarray = (10 ** ((code - REFERENCE_WHITE) * slope) - black) / (1 - black)
    return light


def check_exr_header(file: BinaryIO, limits: Limits) -> None:
    """Both windows of every part against the limits, before the library makes tables of that size."""
    file.seek(0)
    head = file.read(MAX_EXR_HEADER)
    position = 8
    try:
        multipart = bool(head[5] & MULTIPART_FLAG)
        while True:
            while head[position]:
                name_end = head.index(0, position)
                kind_end = head.index(0, name_end + 1)
                length = struct.unpack_from("<I", head, kind_end + 1)[0]
                if head[position:name_end] in (b"dataWindow", b"displayWindow"):
                    x0, y0, x1, y1 = struct.unpack_from("<4i", head, kind_end + 5)
                    limits.check(x1 - x0 + 1, y1 - y0 + 1, 1)
                position = kind_end + 5 + length
            position += 1
            if not multipart or not head[position]:
                return
    except (IndexError, ValueError, struct.error) as error:
        raise refuse_damaged("EXR") from error


def check_dpx_header(file: BinaryIO, limits: Limits) -> None:
    """Size against the limits, and against what the file can hold."""
    file.seek(0)
    head = file.read(808)
    if len(head) < 808:
        raise refuse_damaged("DPX")
    order = ">" if head[:4] == b"SDPX" else "<"
    width, height = struct.unpack(order + "II", head[772:780])
    bits, encoding = head[803], struct.unpack(order + "H", head[806:808])[0]
    limits.check(width, height, 6)
    if encoding == 0 and file.seek(0, io.SEEK_END) < width * height * bits // 8:
        raise refuse_damaged("DPX")


def write_picture(pixels: np.ndarray, name: str) -> bytes:
    """u8 or u16 sRGB (or, for "exr", f16 or f32 linear) [H, W, 1|3|4] as a TIFF or a half-float EXR.

    EXR holds linear light multiplied by alpha; 8- and 16-bit pixels are made so. No metadata is written.
    """
    import OpenImageIO as oiio  # noqa: N813

    if name == "exr":
        pixels = _make_linear(pixels)
    height, width, channels = pixels.shape
    kinds = {"uint8": oiio.UINT8, "uint16": oiio.UINT16, "float16": oiio.HALF, "float32": oiio.FLOAT}
    spec = oiio.ImageSpec(width, height, channels, kinds[pixels.dtype.name])
    spec.attribute("compression", "zip")
    if name == "tiff":
        spec.attribute("oiio:UnassociatedAlpha", 1)
    with tempfile.TemporaryDirectory(prefix="still-") as folder:
        path = Path(folder, "still" + SUFFIXES[name])
        writer: Any = oiio.ImageOutput.create(str(path))
        done = writer.open(str(path), spec) and writer.write_image(np.ascontiguousarray(pixels))
        if not (writer.close() and done):
            raise OSError(f"cannot write a temporary {LABELS[name]}: {writer.geterror()}")
        return path.read_bytes()


def _make_linear(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype.kind == "f":
        return pixels
    values = pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
    colours = slice(0, 3 if pixels.shape[2] == 4 else pixels.shape[2])
    values[..., colours] = colour.decode_srgb(values[..., colours])
    if pixels.shape[2] == 4:
        values[..., :3] *= values[..., 3:]
    return values.astype(np.float16)
