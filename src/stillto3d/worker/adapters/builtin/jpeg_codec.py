"""JPEG, encoded in bands on several cores: restart markers (ITU-T T.81, E.1.4) join them into one picture."""

from __future__ import annotations

import os
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ...errors import BadInput

FULL_COLOUR_FROM = 90  # from this quality on, colours lose no resolution that the picture has
SEEN_LEVELS, SEEN_SHARE = 4, 1e-3  # halved colours may differ by more levels in this share of a picture
BAND, SAMPLED = 16, 8  # of so many bands of 16 rows, one is looked at
LARGEST = 65_500  # libjpeg's own ceiling
MOST_BANDS = 4
SMALL = 1 << 18  # pixels below which a second thread costs more than it saves
LONGEST_INTERVAL = 65_535  # units between two markers, by the format

SOI, EOI, SOS, DRI, RST0 = 0xD8, 0xD9, 0xDA, 0xDD, 0xD0
FRAMES = (0xC0, 0xC1, 0xC2)


def write_jpeg(pixels: np.ndarray, quality: int) -> bytes:
    """u8 [H, W, 1|3] as JPEG of this quality (1..100).

    From 90 on colours keep their full resolution, unless the picture has none beyond half of it (most stills
    were JPEG before): then halving them costs no quality that 4:4:4 would have kept, and half the time.
    """
    if pixels.dtype != np.uint8 or pixels.shape[2] not in (1, 3):
        raise BadInput("A JPEG holds 8 bits in 1 or 3 channels: drop the alpha, or write a PNG.")
    if max(pixels.shape[:2]) > LARGEST:
        raise BadInput("A JPEG is at most 65500 pixels wide and high: write a PNG.")
    whole = pixels.shape[2] == 1 or (quality >= FULL_COLOUR_FROM and has_fine_colour(pixels))
    unit = 8 if whole else 16
    height, width = pixels.shape[:2]
    per_row, rows = -(-width // unit), -(-height // unit)
    bands = 1 if height * width < SMALL else min(MOST_BANDS, os.cpu_count() or 1, rows)
    bands = max(bands, -(-rows // max(1, LONGEST_INTERVAL // per_row)))
    step = -(-rows // bands)
    pieces = [pixels[start * unit : (start + step) * unit] for start in range(0, rows, step)]
    if len(pieces) == 1:
        return _encode(pixels, quality, unit)
    with ThreadPoolExecutor(min(len(pieces), MOST_BANDS), "jpeg") as pool:
        encoded = list(pool.map(lambda piece: _encode(piece, quality, unit), pieces))
    return _join(encoded, height, step * per_row)


def has_fine_colour(pixels: np.ndarray) -> bool:
    """Whether halving the resolution of colours would be seen: a sample of rows is halved and compared."""
    import cv2

    height, width = pixels.shape[0] // BAND * BAND, pixels.shape[1] // 2 * 2
    if height < BAND or width < 2:
        return True
    step = 1 if height * width < SMALL else SAMPLED
    rows = np.ascontiguousarray(pixels[:height, :width].reshape(-1, BAND, width, 3)[::step]).reshape(-1, width, 3)
    colours = cv2.cvtColor(rows, cv2.COLOR_RGB2YCrCb)[..., 1:]
    half = cv2.resize(colours, (width // 2, len(colours) // 2), interpolation=cv2.INTER_AREA)
    back = cv2.resize(half, (width, len(colours)), interpolation=cv2.INTER_LINEAR)
    lost = cv2.absdiff(colours, back).reshape(-1, BAND, width, 2)[:, 2:-2]  # a band's edge has foreign neighbours
    return bool(np.count_nonzero(lost > SEEN_LEVELS) > SEEN_SHARE * lost.size)


def _encode(pixels: np.ndarray, quality: int, unit: int) -> bytes:
    import cv2

    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if unit == 8 else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    params = [cv2.IMWRITE_JPEG_QUALITY, quality]
    if pixels.shape[2] == 3:
        params += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(pixels), params)
    if not done:
        raise MemoryError("the picture could not be encoded")
    return bytes(data)


def _join(bands: list[bytes], height: int, interval: int) -> bytes:
    """Bands of one width and equal tables as one picture, `interval` units between the restart markers."""
    heads = [_find_scan(band) for band in bands]
    first = bytearray(bands[0][: heads[0][1]])
    frame, scan = heads[0][0], heads[0][2]
    first[frame + 5 : frame + 7] = struct.pack(">H", height)
    pieces = [bytes(first[:scan]), struct.pack(">BBHH", 0xFF, DRI, 4, interval), bytes(first[scan:])]
    for k, (band, (_, start, _)) in enumerate(zip(bands, heads)):
        if k:
            pieces.append(bytes([0xFF, RST0 + (k - 1) % 8]))
        pieces.append(band[start:-2])
    return b"".join([*pieces, bytes([0xFF, EOI])])


def _find_scan(band: bytes) -> tuple[int, int, int]:
    """Offsets of the frame header, of the coded data and of the scan header, in what the encoder has written."""
    position, frame = 2, 0
    while True:
        marker, length = band[position + 1], struct.unpack_from(">H", band, position + 2)[0]
        if marker in FRAMES:
            frame = position
        if marker == SOS:
            return frame, position + 2 + length, position
        position += 2 + length
