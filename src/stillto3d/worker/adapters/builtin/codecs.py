"""Decoding and encoding of stills, in a worker because stills come from anywhere.

Ops
    decode        params path (os.fsdecode text), max_pixels, max_bytes -> see decoded.Decoded
    decode_bytes  arrays bytes u8[n]; params max_pixels, max_bytes -> the same
    encode        arrays pixels u8|u16 [H, W] or [H, W, 1|3|4] (exr: f16|f32 scene-linear too);
                  params format "png"|"jpeg"|"webp"|"tiff"|"exr", quality 1..100 (jpeg, webp),
                  longest (side in pixels, to which larger pictures are scaled down; 0: any) -> bytes u8[n]
    reduce_mesh   see reduce
    read_obj, read_usd  see obj_reader, usd_reader
    match_plate, write_layers, write_plate  see film_writer
    show_view     see film_view
What a file is, is told by its content, never by its name. Sizes are checked before anything is decoded.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, Callable
from warnings import catch_warnings, simplefilter

import numpy as np

from ...errors import BadInput
from . import film_view, film_writer, obj_reader, reduce, usd_reader
from .decoded import MAX_BYTES, MAX_PIXELS, Decoded, Limits

KNOWN = "JPEG, PNG, WebP, TIFF, HEIC, AVIF, EXR, DPX, BMP, GIF"
FOLDER = "This is a folder, not a picture file. Choose a picture file."
DEVICE = "This is a device or pipe, not a picture file. Choose a picture file."
MAGIC = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\x76\x2f\x31\x01", "exr"),
    (b"SDPX", "dpx"),
    (b"XPDS", "dpx"),
    (b"BM", "bmp"),
)
FOREIGN = (
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x80\x2a\x5f\xd7", "Cineon"),
    (b"FUJIFILM", "camera raw"),
)
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}

Op = Callable[[dict[str, np.ndarray], dict[str, Any], Any], dict[str, Any]]


def load(weights: Path | None, device: str) -> dict[str, Op]:
    """The ops by name; every codec is imported when a file first needs it."""
    ops = {"decode": decode, "decode_bytes": decode_bytes, "encode": encode}
    ops |= {"reduce_mesh": reduce.reduce_mesh, "read_obj": obj_reader.read_obj, "read_usd": usd_reader.read_usd}
    films = (film_writer.match_plate, film_writer.write_layers, film_writer.write_plate, film_view.show_view)
    return ops | {op.__name__: op for op in films}


def decode(arrays: dict[str, np.ndarray], params: dict[str, Any], tick: Any) -> dict[str, Any]:
    """Read the still at params["path"]; raises BadInput with a sentence for whatever is no such still."""
    limits = _read_limits(params)
    with open_still(str(params["path"]), limits) as file:
        return _decode_file(file, limits, tick)


def decode_bytes(arrays: dict[str, np.ndarray], params: dict[str, Any], tick: Any) -> dict[str, Any]:
    """Read the still whose whole file is arrays["bytes"]."""
    data = arrays["bytes"].tobytes()
    if not data:
        raise BadInput("This picture is empty: it holds no data at all.")
    return _decode_file(io.BytesIO(data), _read_limits(params), tick)


def _decode_file(file: BinaryIO, limits: Limits, tick: Any) -> dict[str, Any]:
    tick(0, 1)
    head = file.read(512)
    name = sniff_format(head)
    with catch_warnings():  # what matters of a decoder's grumbling is said in the answer's own warnings
        simplefilter("ignore")
        answer = _read(file, name, limits).answer()
    tick(1, 1)
    return answer


def _read(file: BinaryIO, name: str, limits: Limits) -> Decoded:
    from . import pillow_codec, png_codec

    if name == "heic":
        return pillow_codec.read_heic(file, limits)
    deep, warnings = name in ("exr", "dpx"), []
    if name == "png":
        header = png_codec.read_header(file, limits)
        file, deep, warnings = png_codec.drop_chunks(file, header), header.bits == 16, header.warnings
    elif name == "tiff":
        deep = pillow_codec.is_deep_tiff(file)
    if deep:
        from . import film_codec

        still = film_codec.read_picture(file, name, limits)
    else:
        still = pillow_codec.read_picture(file, name, limits)
    still.warnings = warnings + still.warnings
    return still


def _read_limits(params: dict[str, Any]) -> Limits:
    return Limits(int(params.get("max_pixels", MAX_PIXELS)), int(params.get("max_bytes", MAX_BYTES)))


def open_still(path: str, limits: Limits) -> BinaryIO:
    """Open a plain, non-empty file without ever waiting on it (a FIFO, a device); any name is a name."""
    try:
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(os.fsencode(path), flags)
    except (OSError, ValueError) as error:
        raise BadInput(_say_why_closed(path, error)) from error
    file = os.fdopen(descriptor, "rb") if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    if file is None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        os.close(descriptor)
        raise BadInput(FOLDER if is_folder else DEVICE)
    size = os.fstat(descriptor).st_size
    if size == 0 or size > limits.max_bytes:
        file.close()
        if size == 0:
            raise BadInput("This file is empty: it holds no data at all. Copy it again from its source.")
        most = limits.max_bytes / 1e9
        raise BadInput(
            "This file is {size:.1f} GB; at most {most:.1f} GB are opened. Scale it down first.",
            size=size / 1e9,
            most=most,
        )
    return file


def _say_why_closed(path: str, error: Exception) -> str:
    code = error.errno if isinstance(error, OSError) else errno.EINVAL
    if code == errno.ENOENT and Path(path).is_symlink():
        return "This is a link to a file that is not there. Choose the picture itself."
    reasons = {
        errno.ENOENT: "There is no such file. Check its name and folder.",
        errno.ENOTDIR: "There is no such file. Check its name and folder.",
        errno.ELOOP: "This is a link that leads back to itself. Choose the picture itself.",
        errno.EISDIR: FOLDER,
        errno.EACCES: "You may not read this file. Change its permissions, or copy it to a folder of yours.",
        errno.EPERM: "You may not read this file. Change its permissions, or copy it to a folder of yours.",
        errno.ENAMETOOLONG: "This name is longer than a file's can be. Check it.",
        errno.ENXIO: DEVICE,
        errno.EINVAL: "No file can have this name. Check it.",
    }
    return reasons.get(code or 0, "This file cannot be read: the disk or the network reports an error. Copy it again.")


def sniff_format(head: bytes) -> str:
    """The format that a file's first bytes (32 or more) tell; raises BadInput for anything else."""
    for magic, name in MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        length = min(max(int.from_bytes(head[:4], "big"), 16), len(head))
        brands = {head[8:12]} | {head[i : i + 4] for i in range(16, length - 3, 4)}
        if brands & AVIF_BRANDS:
            return "avif"
        if brands & HEIC_BRANDS:
            return "heic"
    for magic, what in FOREIGN:
        if head.startswith(magic):
            raise BadInput("This is a file of another kind ({kind}). Save it as PNG, TIFF or EXR.", kind=what)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head.lower():
        raise BadInput("This is an SVG drawing, not a picture made of pixels. Export it as PNG first.")
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        raise BadInput("This is a web page, not a picture. Save the picture itself.")
    if all(byte in b"\t\n\r\f" or 32 <= byte < 127 or byte > 127 for byte in head):
        raise BadInput("This is text, not a picture. {formats} are read.", formats=KNOWN)
    raise BadInput("This is no picture that can be read. {formats} are read.", formats=KNOWN)


def encode(arrays: dict[str, np.ndarray], params: dict[str, Any], tick: Any) -> dict[str, Any]:
    """Write pixels as a file's bytes, with no metadata of any source."""
    pixels = arrays["pixels"]
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or not pixels.size:
        raise BadInput("A picture to write has 1, 3 or 4 channels and at least one pixel.")
    name = params.get("format", "png")
    tick(0, 1)
    pixels = _scale_down(pixels, int(params.get("longest", 0)))
    data = _write(pixels, name, int(params.get("quality", 92)))
    tick(1, 1)
    return {"bytes": np.frombuffer(data, np.uint8)}


def _scale_down(pixels: np.ndarray, longest: int) -> np.ndarray:
    """The picture with a longer side of at most `longest` pixels (0: any), by averaging areas."""
    height, width = pixels.shape[:2]
    if not 0 < longest < max(height, width):
        return pixels
    import cv2

    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if pixels.shape[2] == 4:  # colours count as far as they cover
        alpha = pixels[..., 3:].astype(np.float32)
        cover = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)[..., None]
        sums = cv2.resize(pixels[..., :3] * alpha, size, interpolation=cv2.INTER_AREA)
        plain = cv2.resize(pixels[..., :3].astype(np.float32), size, interpolation=cv2.INTER_AREA)
        colours = np.where(cover > 0, sums / np.maximum(cover, 1e-6), plain)
        return np.rint(np.concatenate([colours, cover], axis=2)).astype(pixels.dtype)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)


def _write(pixels: np.ndarray, name: str, quality: int) -> bytes:
    if name == "png" and pixels.dtype in (np.uint8, np.uint16):
        from . import png_codec

        return png_codec.write_png(pixels)
    if name == "jpeg":
        from . import jpeg_codec

        return jpeg_codec.write_jpeg(pixels, min(100, max(1, quality)))
    if name == "webp" and pixels.dtype == np.uint8:
        from . import pillow_codec

        return pillow_codec.write_webp(pixels, min(100, max(1, quality)))
    if name == "exr" or (name == "tiff" and pixels.dtype in (np.uint8, np.uint16)):
        from . import film_codec

        return film_codec.write_picture(pixels, name)
    samples = str(pixels.dtype)
    raise BadInput("Pictures of {samples} samples are not written as {kind}.", samples=samples, kind=name)
