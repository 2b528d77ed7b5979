"""PNG: a walk over its chunks before anything is inflated, and a fast writer for 8 and 16 bits."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from ...errors import BadInput
from .decoded import MAX_PROFILE, Limits, Note, note, refuse_damaged

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
INFLATE_MOST = 1032  # deflate cannot make more bytes than this out of one
TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")


@dataclass
class PngHeader:
    """What the chunks say. `dropped` are the offsets and lengths of chunks that no decoder should see."""

    width: int = 0
    height: int = 0
    bits: int = 0
    colour_type: int = 0
    frames: int = 1
    profile: bytes | None = None
    dropped: list[tuple[int, int]] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)


def read_header(file: BinaryIO, limits: Limits) -> PngHeader:
    """Walk the chunks: a size within the limits, data that can hold it, an end; nothing but iCCP inflates."""
    header, data_bytes, ended = PngHeader(), 0, False
    size = file.seek(0, io.SEEK_END)
    position = len(SIGNATURE)
    while not ended:
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            raise refuse_damaged("PNG")
        length, kind = struct.unpack(">I4s", head)
        if position + 12 + length > size or (header.width == 0) != (kind == b"IHDR"):
            raise refuse_damaged("PNG")
        if kind == b"IHDR":
            _read_size(header, file.read(13), limits)
        elif kind == b"IDAT":
            data_bytes += length
        elif kind == b"acTL" and length == 8:
            header.frames = max(1, struct.unpack(">I", file.read(4))[0])
        elif kind == b"iCCP":
            _read_profile(header, file.read(length), (position, 12 + length))
        elif kind in TEXT_CHUNKS:
            header.dropped.append((position, 12 + length))
        ended = kind == b"IEND"
        position += 12 + length
    row = (header.width * header.bits * SAMPLES[header.colour_type] + 7) // 8
    if data_bytes * INFLATE_MOST < row * header.height:
        raise refuse_damaged("PNG")
    return header


def _read_size(header: PngHeader, body: bytes, limits: Limits) -> None:
    if len(body) < 13:
        raise refuse_damaged("PNG")
    header.width, header.height, header.bits, header.colour_type = struct.unpack(">IIBB", body[:10])
    if header.colour_type not in SAMPLES or header.bits not in (1, 2, 4, 8, 16):
        raise refuse_damaged("PNG")
    samples = max(3, SAMPLES[header.colour_type])
    limits.check(header.width, header.height, samples * (1 if header.bits <= 8 else 2))


def _read_profile(header: PngHeader, body: bytes, span: tuple[int, int]) -> None:
    packed = body[body.find(b"\0") + 2 :]
    try:
        profile = zlib.decompressobj().decompress(packed, MAX_PROFILE + 1)
    except zlib.error:
        profile = b""
    if 0 < len(profile) <= MAX_PROFILE:
        header.profile = profile
        return
    header.dropped.append(span)
    text = "Its colour profile is damaged or far too big and was ignored: the colours are taken as sRGB."
    header.warnings.append(note("profile_ignored", text))


def drop_chunks(file: BinaryIO, header: PngHeader) -> BinaryIO:
    """The same PNG without its texts and unusable profiles, which a decoder would inflate in full."""
    if not header.dropped:
        file.seek(0)
        return file
    kept, position = io.BytesIO(), 0
    for start, length in [*header.dropped, (file.seek(0, io.SEEK_END), 0)]:
        file.seek(position)
        kept.write(file.read(start - position))
        position = start + length
    kept.seek(0)
    return kept


def write_png(pixels: np.ndarray, level: int = 1) -> bytes:
    """u8 or u16 [H, W, 1|3|4] as PNG; each row is stored as its difference to the row above (filter "Up").

    Measured faster than the libraries' encoders at a like size, 16 bits included; no metadata is written.
    """
    height, width, channels = pixels.shape
    if channels not in COLOUR_TYPES or not width or not height:
        raise BadInput("A PNG holds 1, 3 or 4 channels and at least one pixel.")
    deep = pixels.dtype == np.uint16
    raw = np.ascontiguousarray(pixels.astype(">u2") if deep else pixels).view(np.uint8).reshape(height, -1)
    rows = np.empty((height, 1 + raw.shape[1]), np.uint8)
    rows[:, 0] = 2
    rows[0, 1:] = raw[0]
    np.subtract(raw[1:], raw[:-1], out=rows[1:, 1:])
    size = struct.pack(">IIBBBBB", width, height, 16 if deep else 8, COLOUR_TYPES[channels], 0, 0, 0)
    chunks = ((b"IHDR", size), (b"IDAT", zlib.compress(rows.data, level)), (b"IEND", b""))
    return SIGNATURE + b"".join(_pack_chunk(kind, body) for kind, body in chunks)


def _pack_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
