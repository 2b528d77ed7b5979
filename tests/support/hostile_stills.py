"""Awkward pictures of every kind, made by arithmetic: damaged, lying, huge, deep, oddly coloured or named.

`python tests/support/hostile_stills.py DIR` writes them with an EXPECT.tsv that `hostile_run.py` reads.
"""

from __future__ import annotations

import io
import os
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import OpenImageIO as oiio  # noqa: N813
from PIL import Image, ImageCms, PngImagePlugin

WIDTH, HEIGHT = 96, 64
SIZE = (WIDTH, HEIGHT)
CORNERS = {"top left": (200, 40, 60), "top right": (50, 180, 90), "bottom left": (70, 80, 210)}
FOURTH = (160, 150, 40)
ORIENTATION = 0x0112
HEIC = Path(__file__).with_name("quadrants.heic")
KINDS = {"uint8": "uint8", "uint16": "uint16", "float16": "half", "float32": "float"}
Verdict = Literal["ok", "reject"]


@dataclass(frozen=True)
class Case:
    """One awkward file: its name, whether it opens, at which upright size, and what is awkward about it."""

    name: str
    verdict: Verdict
    why: str
    build: Callable[[], bytes]
    size: tuple[int, int] | None = SIZE


def draw_quadrants(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """u8[height, width, 3]: a colour in each quarter, so that turns, flips and swaps are seen."""
    colours = np.array([[CORNERS["top left"], CORNERS["top right"]], [CORNERS["bottom left"], FOURTH]], np.uint8)
    rows, columns = np.arange(height) * 2 // height, np.arange(width) * 2 // width
    return colours[rows[:, None], columns[None, :]]


def draw_linear() -> np.ndarray:
    """f32[h, w, 3]: the quadrants in linear light."""
    encoded = draw_quadrants().astype(np.float32) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def draw_noise() -> Image.Image:
    """A picture that compresses badly, so that half of its file is half of its picture."""
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))


def pack(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of `picture` as Pillow writes them."""
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def quadrants(mode: str = "RGB") -> Image.Image:
    """The quadrants as a Pillow picture of `mode`."""
    return Image.fromarray(draw_quadrants()).convert(mode)


def pack_deep(suffix: str, *parts: np.ndarray, **attributes: Any) -> bytes:
    """The bytes of sample arrays as OpenImageIO writes them; several become pages or parts.

    `channelnames`, `origin` (x, y of the data window) and `full` (x, y, width, height of the display window)
    are properties of the picture, everything else is an attribute: a value, or a type and a value.
    """
    names, origin = attributes.pop("channelnames", None), attributes.pop("origin", (0, 0))
    full = attributes.pop("full", None)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "still" + suffix))
        specs = []
        for index, samples in enumerate(parts):
            spec = oiio.ImageSpec(samples.shape[1], samples.shape[0], samples.shape[2], KINDS[samples.dtype.name])
            if names:
                spec.channelnames = names
            spec.x, spec.y = origin
            if full:
                spec.full_x, spec.full_y, spec.full_width, spec.full_height = full
            for key, value in attributes.items():
                typed = value if isinstance(value, tuple) else (value,)
                spec.attribute(key.replace("__", ":"), *typed)
            if len(parts) > 1:
                spec.attribute("oiio:subimagename", f"part{index}")
            specs.append(spec)
        writer: Any = oiio.ImageOutput.create(path)
        assert writer.open(path, tuple(specs) if len(specs) > 1 else specs[0]), writer.geterror()
        for index, samples in enumerate(parts):
            if index:
                assert writer.open(path, specs[index], "AppendSubimage"), writer.geterror()
            assert writer.write_image(np.ascontiguousarray(samples)), writer.geterror()
        writer.close()
        return Path(path).read_bytes()


# --- damaged


def cut(data: bytes, share: float = 0.5) -> bytes:
    """The first part of a file."""
    return data[: int(len(data) * share)]


def flip_byte(data: bytes) -> bytes:
    """The file with one byte inverted, in its middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


def list_damaged() -> Iterator[Case]:
    """Cut and broken files of every format; none may open as if it were whole."""
    noise = draw_noise()
    jpeg = pack(noise, "JPEG", quality=90)
    yield Case("cut.jpg", "reject", "JPEG without its second half", lambda: cut(jpeg))
    yield Case("cut_marked.jpg", "reject", "cut, but with an end marker", lambda: cut(jpeg) + b"\xff\xd9")
    yield Case("header_only.jpg", "reject", "nothing but a header", lambda: jpeg[:24])
    yield Case("flipped.png", "reject", "a checksum is wrong", lambda: flip_byte(pack(noise, "PNG")))
    for kind, suffix in (("PNG", "png"), ("TIFF", "tif"), ("WEBP", "webp"), ("AVIF", "avif"), ("BMP", "bmp")):
        whole = pack(noise, kind)
        yield Case(f"cut.{suffix}", "reject", f"{kind} without its second half", lambda whole=whole: cut(whole))
    yield Case("cut.gif", "reject", "GIF without its second half", lambda: cut(pack(noise, "GIF")))
    yield Case("cut.heic", "reject", "HEIC without its end", lambda: cut(HEIC.read_bytes(), 0.8))
    deep = np.asarray(noise).astype(np.uint16) * 257
    yield Case("cut16.png", "reject", "16-bit PNG cut", lambda: cut(pack_deep(".png", deep)))
    yield Case("cut16.tif", "reject", "16-bit TIFF cut", lambda: cut(pack_deep(".tif", deep)))
    yield Case("cut.exr", "reject", "EXR cut", lambda: cut(pack_deep(".exr", draw_linear())))
    yield Case("cut.dpx", "reject", "DPX cut", lambda: cut(pack_dpx()))


# --- no pictures

SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


def list_foreign() -> Iterator[Case]:
    """Things that are no pictures made of pixels, whatever their names; and pictures under false names."""
    for name, data in {
        "empty.jpg": b"",
        "text.png": b"shopping list: apples, pears\n" * 40,
        "page.jpg": b"<!DOCTYPE html><html><body>404</body></html>",
        "drawing.png": SVG,
        "archive.png": b"PK\x03\x04" + bytes(60),
        "noise.jpg": bytes(range(256)),
        "layers.tif": b"8BPS" + bytes(60),
    }.items():
        yield Case(name, "reject", "not a picture that is read", lambda data=data: data)
    raw = {"tiffinfo": {50706: b"\1\4\0\0"}}
    yield Case("raw.tif", "reject", "camera raw with a thumbnail", lambda: pack(quadrants(), "TIFF", **raw))
    jpeg = pack(quadrants(), "JPEG", quality=95)
    yield Case("false_name.png", "ok", "a JPEG called PNG", lambda: jpeg)
    yield Case("no_suffix", "ok", "no suffix", lambda: pack(quadrants(), "PNG"))
    yield Case("tail.jpg", "ok", "an archive behind the end marker", lambda: jpeg + b"PK\x03\x04" + bytes(999))


# --- bombs and lies


def pack_chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def pack_png(width: int, height: int, bits: int, colour: int, raw: bytes, extra: bytes = b"") -> bytes:
    """A PNG whose header says what it likes, over these raw rows."""
    size = pack_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    data = pack_chunk(b"IDAT", zlib.compress(raw, 9))
    return b"\x89PNG\r\n\x1a\n" + size + extra + data + pack_chunk(b"IEND", b"")


def inflate_chunk(kind: bytes, head: bytes) -> bytes:
    """A chunk of few bytes that unpack to 64 MB."""
    return pack_chunk(kind, head + zlib.compress(bytes(64 << 20), 9))


def lie_jpeg() -> bytes:
    """A JPEG whose frame header claims 65000 x 65000."""
    data = bytearray(pack(quadrants(), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 65000, 65000)
    return bytes(data)


def lie_exr() -> bytes:
    """An EXR whose data window claims 2^31 rows."""
    data = bytearray(pack_deep(".exr", draw_linear()))
    start = data.index(b"dataWindow\0box2i\0") + len(b"dataWindow\0box2i\0") + 4
    data[start : start + 16] = struct.pack("<4i", -(2**30), -(2**30), 2**30 - 1, 2**30 - 1)
    return bytes(data)


def lie_dpx() -> bytes:
    """A DPX whose header claims 2^31 - 1 square."""
    data = bytearray(pack_dpx())
    data[772:780] = struct.pack(">II", 2**31 - 1, 2**31 - 1)
    return bytes(data)


def lie_webp() -> bytes:
    """A WebP whose canvas claims 16 million pixels square."""
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff" * 6
    return b"RIFF" + struct.pack("<I", 4 + len(canvas)) + b"WEBP" + canvas


def lie_tiff() -> bytes:
    """A TIFF of a few hundred bytes that claims 60000 x 60000."""
    data = bytearray(pack(quadrants(), "TIFF"))
    start = struct.unpack("<I", data[4:8])[0] + 2
    for entry in range(start, start + 24, 12):
        data[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, 60000)
    return bytes(data)


def loop_tiff() -> bytes:
    """A TIFF whose first page names itself as the next."""
    data = bytearray(pack(quadrants(), "TIFF"))
    start = struct.unpack("<I", data[4:8])[0]
    count = struct.unpack("<H", data[start : start + 2])[0]
    data[start + 2 + 12 * count : start + 6 + 12 * count] = struct.pack("<I", start)
    return bytes(data)


def list_bombs() -> Iterator[Case]:
    """Few bytes that claim or unpack to very many."""
    rows = bytes(5001 * 4)
    tiny = b"\0" + bytes(6) + b"\0" + bytes(6)
    yield Case("bomb.png", "reject", "1.6 gigapixels", lambda: pack_png(40000, 40000, 1, 0, bytes(5001 * 40000)))
    yield Case("hollow.png", "reject", "rows missing", lambda: pack_png(12000, 12000, 8, 2, rows))
    yield Case("vast.png", "reject", "2^31 - 1 square", lambda: pack_png(2**31 - 1, 2**31 - 1, 16, 6, b"\0"))
    yield Case("nothing.png", "reject", "no pixels", lambda: pack_png(0, 0, 8, 2, b"\0"))
    for build, suffix in (
        (lie_jpeg, "jpg"),
        (lie_exr, "exr"),
        (lie_dpx, "dpx"),
        (lie_webp, "webp"),
        (lie_tiff, "tif"),
    ):
        yield Case(f"lie.{suffix}", "reject", "a size that is a lie", build)
    text = lambda: pack_png(2, 2, 8, 2, tiny, inflate_chunk(b"zTXt", b"Comment\0\0"))  # noqa: E731
    profile = lambda: pack_png(2, 2, 8, 2, tiny, inflate_chunk(b"iCCP", b"x\0\0"))  # noqa: E731
    yield Case("text_bomb.png", "ok", "a text that unpacks to 64 MB", text, (2, 2))
    yield Case("profile_bomb.png", "ok", "a profile that unpacks to 64 MB", profile, (2, 2))
    yield Case("loop.tif", "ok", "a page that follows itself", loop_tiff)


# --- colours and depths


def pack_dpx(transfer: int = 6, code: Callable[[np.ndarray], np.ndarray] | None = None) -> bytes:
    """A 10-bit RGB DPX (SMPTE 268M, big-endian, filled to words) of the quadrants with this transfer."""
    values = draw_quadrants().astype(np.float64) / 255
    codes = np.round(code(values) if code else values * 1023).astype(np.uint32)
    words = codes[..., 0] << 22 | codes[..., 1] << 12 | codes[..., 2] << 2
    head = bytearray(2048)
    head[0:16] = b"SDPX" + struct.pack(">I", 2048) + b"V2.0\0\0\0\0"
    head[16:32] = struct.pack(">IIII", 2048 + 4 * words.size, 1, 1664, 384)
    head[768:780] = struct.pack(">HHII", 0, 1, WIDTH, HEIGHT)
    head[800:812] = struct.pack(">BBBBHHI", 50, transfer, transfer, 10, 1, 0, 2048)
    return bytes(head) + words.astype(">u4").tobytes()


def encode_density(shown: np.ndarray) -> np.ndarray:
    """Printing density codes of sRGB values 0..1: reference white 685, black 95."""
    light = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
    black = 10 ** ((95 - 685) * 0.002 / 0.6)
    return 685 + 300 * np.log10(light * (1 - black) + black)


def spoil(samples: np.ndarray) -> np.ndarray:
    """Samples with squares of NaN, Inf, negatives and very bright ones in the middle."""
    out = samples.copy()
    for step, value in enumerate((np.nan, np.inf, -np.inf, -3.0, 6e4)):
        out[28:36, 20 + 8 * step : 28 + 8 * step] = value
    return out


def list_eight_bit() -> Iterator[Case]:
    """Colour models of 8 bits and fewer."""
    yield Case("plain.jpg", "ok", "control", lambda: pack(quadrants(), "JPEG", quality=95))
    yield Case(
        "progressive.jpg",
        "ok",
        "progressive",
        lambda: pack(quadrants(), "JPEG", quality=95, progressive=True),
    )
    yield Case("cmyk.jpg", "ok", "CMYK, inverted as Adobe does", lambda: pack(quadrants("CMYK"), "JPEG", quality=95))
    yield Case("grey.jpg", "ok", "grey", lambda: pack(quadrants("L"), "JPEG", quality=95))
    middle = Image.new("RGB", SIZE, (128, 128, 128))
    yield Case("middle_grey.jpg", "ok", "whole, though as grey as a cut one", lambda: pack(middle, "JPEG"))
    for mode in ("RGB", "RGBA", "LA", "P", "1", "L"):
        yield Case(f"mode_{mode}.png", "ok", f"mode {mode}", lambda mode=mode: pack(quadrants(mode), "PNG"))
    yield Case("hole.png", "ok", "a palette with a clear entry", lambda: pack(quadrants("P"), "PNG", transparency=0))
    yield Case("one.png", "ok", "one pixel", lambda: pack(Image.new("RGB", (1, 1)), "PNG"), (1, 1))
    yield Case("wide.png", "ok", "very wide", lambda: pack(Image.new("RGB", (9000, 3)), "PNG"), (9000, 3))
    for kind, suffix in (("WEBP", "webp"), ("AVIF", "avif"), ("BMP", "bmp"), ("GIF", "gif"), ("TIFF", "tif")):
        yield Case(f"plain.{suffix}", "ok", kind, lambda kind=kind: pack(quadrants(), kind))
    yield Case("plain.heic", "ok", "HEIC", HEIC.read_bytes)
    yield Case("cmyk.tif", "ok", "CMYK TIFF", lambda: pack(quadrants("CMYK"), "TIFF"))
    yield Case("big.tif", "ok", "BigTIFF", lambda: pack(quadrants(), "TIFF", big_tiff=True))
    pages = {"save_all": True, "append_images": [quadrants().transpose(Image.Transpose.ROTATE_180)] * 2}
    yield Case("pages.tif", "ok", "three pages", lambda: pack(quadrants(), "TIFF", **pages))
    for kind, suffix in (("GIF", "gif"), ("PNG", "png"), ("WEBP", "webp")):
        yield Case(f"moving.{suffix}", "ok", "animated", lambda kind=kind: pack(quadrants(), kind, **pages))


def list_deep() -> Iterator[Case]:
    """More than 8 bits, floats, scene-linear light."""
    deep, linear = draw_quadrants().astype(np.uint16) * 257, draw_linear()
    half = linear.astype(np.float16)
    ramp = np.tile(np.linspace(0, 65535, WIDTH).astype(np.uint16)[:, None], (HEIGHT, 1, 1))
    cover = np.full((HEIGHT, WIDTH, 1), 0.5, np.float16)
    soft = np.concatenate([half * np.float16(0.5), cover], axis=2)
    yield Case("deep.png", "ok", "16-bit RGB", lambda: pack_deep(".png", deep))
    yield Case("deep_grey.png", "ok", "16-bit grey ramp", lambda: pack_deep(".png", ramp))
    yield Case("deep.tif", "ok", "16-bit RGB", lambda: pack_deep(".tif", deep))
    tiles = {"tiff__compression": 8}
    yield Case("deep_packed.tif", "ok", "16-bit deflated", lambda: pack_deep(".tif", deep, **tiles))
    yield Case("float_spoilt.tif", "ok", "floats with NaN and Inf", lambda: pack_deep(".tif", spoil(linear)))
    yield Case("half.exr", "ok", "half floats", lambda: pack_deep(".exr", half))
    yield Case("float.exr", "ok", "floats", lambda: pack_deep(".exr", linear))
    yield Case("spoilt.exr", "ok", "halves with NaN and Inf", lambda: pack_deep(".exr", spoil(half)))
    names = ("R", "G", "B", "A")
    yield Case("soft.exr", "ok", "colours times alpha", lambda: pack_deep(".exr", soft, channelnames=names))
    layer = ("beauty.R", "beauty.G", "beauty.B")
    yield Case("layer.exr", "ok", "colours in a layer", lambda: pack_deep(".exr", half, channelnames=layer))
    depth = ("Z",)
    yield Case("depth.exr", "reject", "no colours", lambda: pack_deep(".exr", linear[..., :1], channelnames=depth))
    yield Case("parts.exr", "ok", "two parts", lambda: pack_deep(".exr", half, half[::-1].copy()))
    full = (8, 4, WIDTH - 16, HEIGHT - 8)
    yield Case("overscan.exr", "ok", "overscan", lambda: pack_deep(".exr", half, full=full), full[2:])
    window = {"origin": (10, 6), "full": (0, 0, WIDTH + 20, HEIGHT + 12)}
    yield Case(
        "small_window.exr",
        "ok",
        "data in a part",
        lambda: pack_deep(".exr", half, **window),
        window["full"][2:],
    )
    yield Case("video.dpx", "ok", "10-bit video", pack_dpx)
    yield Case("linear.dpx", "ok", "10 bits that claim linear light", lambda: pack_dpx(2))
    yield Case("log.dpx", "ok", "10-bit printing density", lambda: pack_dpx(1, encode_density))


# --- metadata


def turn_away(orientation: int) -> Image.Image:
    """The quadrants as a camera that writes this EXIF orientation stores them."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)
    return quadrants() if undo is None else quadrants().transpose(Image.Transpose(undo))


def write_exif(orientation: int | None = None, **focal: float) -> bytes:
    """EXIF: orientation, focal length (`film` mm, or `lens` mm at `density` pixels a cm), a place."""
    exif = Image.Exif()
    if orientation is not None:
        exif[ORIENTATION] = orientation
    tags = exif.get_ifd(0x8769)
    if "film" in focal:
        tags[0xA405] = int(focal["film"])
    if "lens" in focal:
        tags[0x920A], tags[0xA20E], tags[0xA210] = focal["lens"], focal["density"], 3
    exif.get_ifd(0x8825).update({1: "N", 2: (12.0, 34.0, 56.0), 3: "E", 4: (65.0, 43.0, 21.0)})
    return exif.tobytes()


def make_profile() -> bytes:
    """An ICC profile like sRGB but with red and blue swapped, so that its use is plain to see."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for index in range(struct.unpack(">I", profile[128:132])[0]):
        start = 132 + 12 * index
        name = bytes(profile[start : start + 4])
        swapped = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}.get(name)
        if swapped:
            profile[start : start + 4] = swapped
    return bytes(profile).replace(b"s\0R\0G\0B", b"s\0w\0a\0p")


def list_metadata() -> Iterator[Case]:
    """EXIF and ICC, right and wrong."""
    for orientation in (1, 2, 3, 4, 5, 6, 7, 8):
        for kind, suffix in (("JPEG", "jpg"), ("PNG", "png"), ("TIFF", "tif"), ("WEBP", "webp")):
            options = {"exif": write_exif(orientation)} | ({"quality": 95} if kind in ("JPEG", "WEBP") else {})
            build = lambda o=orientation, k=kind, x=options: pack(turn_away(o), k, **x)  # noqa: E731
            yield Case(f"turned_{orientation}.{suffix}", "ok", f"EXIF orientation {orientation}", build)
    wrong = {"exif": write_exif(99), "quality": 95}
    yield Case("turned_99.jpg", "ok", "no such orientation", lambda: pack(quadrants(), "JPEG", **wrong))
    placed = {"exif": write_exif(film=28), "quality": 95}
    yield Case("placed.jpg", "ok", "a focal length and a place", lambda: pack(quadrants(), "JPEG", **placed))
    jpeg = pack(quadrants(), "JPEG", quality=95)
    broken = b"\xff\xe1\x00\x1cExif\0\0MM\0*\x70\0\0\0" + b"\xee" * 12
    yield Case("exif_broken.jpg", "ok", "EXIF that points out of the file", lambda: jpeg[:2] + broken + jpeg[2:])
    swapped = {"icc_profile": make_profile()}
    yield Case("profile.png", "ok", "a profile to convert from", lambda: pack(quadrants(), "PNG", **swapped))
    junk = {"icc_profile": b"junk" * 99}
    yield Case("profile_junk.jpg", "ok", "a broken profile", lambda: pack(quadrants(), "JPEG", quality=95, **junk))
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", "x" * 3_000_000, zip=True)
    yield Case("long_text.png", "ok", "3 MB of text", lambda: pack(quadrants(), "PNG", pnginfo=note))


# --- names

NAMES = (
    "café 撮影.png",
    "cafe\u0301.png",
    "two\nlines.png",
    "-o.png",
    "..png",
    ".dot.png",
    "$(x)`x`;&.png",
    "<b onclick=x>.png",
    "it's.png",
    "%2e%2e%2f.png",
    "{0}%s.png",
    "CAPS.PNG",
    "left\u202eright.png",
    "b" * 240 + ".png",
    os.fsdecode(b"latin\xe9.png"),
)


def list_named() -> Iterator[Case]:
    """Names that shells, pages, C strings and templates trip over."""
    for name in NAMES:
        yield Case("names/" + name, "ok", "an awkward name", lambda: pack(quadrants(), "PNG"))


def list_cases() -> list[Case]:
    """Every case, in a fixed order."""
    kinds = (list_damaged, list_foreign, list_bombs, list_eight_bit, list_deep, list_metadata, list_named)
    return [case for kind in kinds for case in kind()]


def write_cases(folder: Path) -> None:
    """Write every case under `folder`/files, and `folder`/EXPECT.tsv."""
    lines = ["file\tverdict\tsize\twhy"]
    for case in list_cases():
        path = folder / "files" / case.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(case.build())
        size = str(case.size) if case.verdict == "ok" else ""
        lines.append(f"{case.name!a}\t{case.verdict}\t{size}\t{case.why}")
    (folder / "EXPECT.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_cases(Path(sys.argv[1]))
