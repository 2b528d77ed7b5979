"""Pictures for compositing: EXR with depth, normals, positions, ids and Cryptomatte; plates in scene-linear or 16 bits.

Ops
    match_plate   pixels u8[H, W, 3], plate u8[H, W, 3], source u16|f16|f32[H, W, 3]; params space
                  -> source of the plate, of the source's dtype
    write_layers  rgb u8|u16|f16|f32[H, W, 3], alpha u8[H, W]?, depth f32[H, W]? (metres along the axis, 0 = nothing),
                  ids u16[H, W]? (k + 1 of layer k, 0 = nothing), "mask.K" u8[H, W] of layer K; params space, target,
                  names [text], camera (see rasterise), attributes {name: text} -> bytes u8[n], an EXR
    write_plate   rgb; params space, target, format "exr"|"tiff"|"png", xmp, attributes, size (an EXR's longest side,
                  0 = as it is) -> bytes u8[n]
Spaces are ours ("srgb", "lin_rec709", ...), targets those of the colour configuration that CONFIG names.
"""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import BadInput
from . import colour, cryptomatte

CONFIG = "cg-config-v2.2.0_aces-v1.3_ocio-v2.4"
DISPLAYED = "sRGB - Texture"
SPACES = {
    "srgb": DISPLAYED,
    "lin_rec709": "Linear Rec.709 (sRGB)",
    "lin_ap1": "ACEScg",
    "lin_ap0": "ACES2065-1",
}
REC2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)
P3_D65 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290)
# of each target: the interchange name that OpenEXR's colorInteropID takes, and its primaries
TARGETS = {
    "Linear Rec.709 (sRGB)": ("lin_rec709_scene", colour.REC709),
    "ACEScg": ("lin_ap1_scene", colour.AP1),
    "ACES2065-1": ("lin_ap0_scene", colour.AP0),
    "Linear Rec.2020": ("lin_rec2020_scene", REC2020),
    "Linear P3-D65": ("lin_p3d65_scene", P3_D65),
}
NOTHING_M = 1e10  # depth where there is nothing: far, but a number
STRIP_ROWS = 256
XMP_TAG, BYTE = 700, 1


def convert(rgb: np.ndarray, space: str, target: str) -> np.ndarray:
    """Samples of one of our spaces as f32 scene-linear ones of a target of TARGETS. Raises BadInput for others."""
    import PyOpenColorIO as ocio  # noqa: N813

    if target not in TARGETS:
        raise BadInput("{space} is not a colour space that is written.", space=target)
    values = np.array(rgb, np.float32, order="C")
    if rgb.dtype.kind == "u":
        values = values / np.float32(np.iinfo(rgb.dtype).max)
    if space == "cineon_log":
        from .film_codec import CODE_MAX, decode_density

        values, space = decode_density(values * CODE_MAX).astype(np.float32), "lin_rec709"
    name = SPACES.get(space)
    if name is None:
        raise BadInput("The still's colour space {space} has no name that other programs know.", space=space)
    if name == target:
        return values
    config = ocio.Config.CreateFromBuiltinConfig(CONFIG)
    processor = config.getProcessor(name, target).getDefaultCPUProcessor()
    for top in range(0, len(values), STRIP_ROWS):
        strip = np.ascontiguousarray(values[top : top + STRIP_ROWS])
        processor.applyRGB(strip)
        values[top : top + STRIP_ROWS] = strip
    return values


def match_plate(arrays: dict[str, np.ndarray], params: dict[str, Any], tick: Any) -> dict[str, Any]:
    """What the plate shows, in the still's own samples.

    Where plate and still agree, these are the still's. Elsewhere the fill has copied colours of the still: a colour
    takes the mean of the samples that show it. One that the still does not show is decoded.
    """
    pixels, plate, source = arrays["pixels"], arrays["plate"], arrays["source"]
    tick(0, 1)
    changed = (pixels != plate).any(axis=2)
    matched = source.copy()
    if changed.any():
        wanted, where = np.unique(_pack(plate[changed]), return_inverse=True)
        shown, samples = _pack(pixels.reshape(-1, 3)), source.reshape(-1, 3)
        index = np.minimum(np.searchsorted(wanted, shown), len(wanted) - 1)
        hit = wanted[index] == shown
        counts = np.bincount(index[hit], minlength=len(wanted))
        guesses = _decode(wanted, source.dtype, str(params["space"]))
        means = (
            np.stack(
                [np.bincount(index[hit], samples[hit, k].astype(np.float64), len(wanted)) for k in range(3)], axis=1
            )
            / np.maximum(counts, 1)[:, None]
        )
        found = np.where(counts[:, None] > 0, means, guesses)
        matched[changed] = (np.rint(found) if source.dtype.kind == "u" else found).astype(source.dtype)[
            where.reshape(-1)
        ]
    tick(1, 1)
    return {"source": matched}


def _pack(colours: np.ndarray) -> np.ndarray:
    wide = colours.astype(np.uint32)
    packed: np.ndarray = wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
    return packed


def _decode(packed: np.ndarray, dtype: np.dtype, space: str) -> np.ndarray:
    """Packed sRGB colours in a space, f64[n, 3]."""
    codes = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1)
    if dtype.kind == "u":
        return codes * 257.0
    linear = colour.decode_srgb(codes / 255.0)
    primaries = colour.PRIMARIES.get(space)
    if primaries is None or primaries == colour.REC709:
        return linear
    to_space = np.linalg.solve(colour.primaries_to_xyz(primaries), colour.primaries_to_xyz(colour.REC709))
    turned: np.ndarray = linear @ to_space.T
    return turned


# --------------------------------------------------------------------------- EXR


def write_layers(arrays: dict[str, np.ndarray], params: dict[str, Any], tick: Any) -> dict[str, Any]:
    """Everything known of a still in one EXR: half colours, float data, 16-bit-safe ids."""
    tick(0, 3)
    rgb, target = arrays["rgb"], str(params["target"])
    height, width = rgb.shape[:2]
    alpha = arrays.get("alpha")
    cover = np.ones((height, width), np.float32) if alpha is None else alpha.astype(np.float32) / 255
    layers: dict[str, np.ndarray] = {}
    colours = convert(rgb, str(params["space"]), target) * cover[..., None]
    layers |= dict(zip("RGB", _split_halves(colours)))
    layers["A"] = cover.astype(np.float16)
    tick(1, 3)
    depth = arrays.get("depth")
    if depth is not None:
        layers |= _measure_surface(depth, params["camera"])
    ids = arrays.get("ids")
    if ids is not None:
        layers["id"] = ids.astype(np.float32)
    masks = {int(name[5:]): array for name, array in arrays.items() if name.startswith("mask.")}
    matte, told = cryptomatte.compose(params["names"], ids, masks, set(params.get("scenes", ())), (height, width))
    layers |= matte
    tick(2, 3)
    data = write_exr(layers, target, {**params.get("attributes", {}), **told})
    tick(3, 3)
    return {"bytes": np.frombuffer(data, np.uint8)}


def _split_halves(colours: np.ndarray) -> list[np.ndarray]:
    """Channels f16 [H, W] of colours [H, W, 3]; what is brighter than a half can say is the brightest half."""
    halves = np.clip(colours, -colour.LARGEST_HALF, colour.LARGEST_HALF).astype(np.float16)
    return [halves[..., k] for k in range(3)]


def _measure_surface(depth: np.ndarray, camera: dict[str, Any]) -> dict[str, np.ndarray]:
    """Z, world positions and world normals of what lies at this depth along the camera's axis."""
    height, width = depth.shape
    there = depth > 0
    u = (np.arange(width, dtype=np.float32) + 0.5 - camera["cx"]) / camera["fx"]
    v = (np.arange(height, dtype=np.float32) + 0.5 - camera["cy"]) / camera["fy"]
    local = np.stack([u[None] * depth, -v[:, None] * depth, -depth], axis=-1).astype(np.float32)
    across, down = _find_step(local, depth, 1), _find_step(local, depth, 0)
    normal = np.cross(down, across)
    normal *= np.where((normal * local).sum(axis=2, keepdims=True) > 0, -1, 1)  # towards the camera
    length = np.linalg.norm(normal, axis=2, keepdims=True)
    normal = np.where(there[..., None] & (length > 0), normal / np.maximum(length, 1e-30), 0)
    pose = np.array(camera["world_from_camera"], np.float64)
    turn = pose[:3, :3].astype(np.float32)
    position = np.where(there[..., None], local @ turn.T + pose[:3, 3].astype(np.float32), 0)
    normal = normal.astype(np.float32) @ turn.T
    named = {"Z": np.where(there, depth, NOTHING_M)}
    for k, axis in enumerate("XYZ"):
        named |= {f"N.{axis}": normal[..., k], f"P.{axis}": position[..., k]}
    return {name: values.astype(np.float32) for name, values in named.items()}


def _find_step(local: np.ndarray, depth: np.ndarray, axis: int) -> np.ndarray:
    """From each pixel to the next along `axis`, on the side where the depth changes less (edges tear)."""
    if depth.shape[axis] < 2:
        step = np.zeros_like(local)
        step[..., 0 if axis == 1 else 1] = 1 if axis == 1 else -1
        return step
    steps, jumps = np.diff(local, axis=axis), np.abs(np.diff(depth, axis=axis))
    first = (slice(None),) * axis + (slice(0, 1),)
    last = (slice(None),) * axis + (slice(-1, None),)
    ahead, behind = np.concatenate([steps, steps[last]], axis), np.concatenate([steps[first], steps], axis)
    jump_ahead = np.concatenate([jumps, jumps[last]], axis)
    jump_behind = np.concatenate([jumps[first], jumps], axis)
    return np.where((jump_ahead <= jump_behind)[..., None], ahead, behind)


def write_exr(layers: dict[str, np.ndarray], target: str, attributes: dict[str, str]) -> bytes:
    """Named channels f16 or f32 [H, W] as one scan-line EXR in the target's colour space."""
    import OpenImageIO as oiio  # noqa: N813

    height, width = next(iter(layers.values())).shape
    kinds = {"float16": oiio.HALF, "float32": oiio.FLOAT}
    alike = {values.dtype.name for values in layers.values()}
    spec = oiio.ImageSpec(width, height, len(layers), kinds[alike.pop()] if len(alike) == 1 else oiio.FLOAT)
    spec.channelnames = tuple(layers)
    spec.channelformats = tuple(oiio.TypeDesc(kinds[values.dtype.name]) for values in layers.values())
    spec.attribute("compression", "zip")
    interchange, primaries = TARGETS[target]
    spec.attribute("oiio:ColorSpace", interchange)
    spec.attribute("colorInteropID", interchange)
    spec.attribute("chromaticities", oiio.TypeDesc("float[8]"), tuple(primaries))
    for name, text in {"stillto3d:space": target, "stillto3d:config": CONFIG, **attributes}.items():
        spec.attribute(name, text)
    stacked = np.stack([values.astype(np.float32, copy=False) for values in layers.values()], axis=-1)
    return _write_file(oiio, spec, stacked, ".exr")


def _write_file(oiio: Any, spec: Any, samples: np.ndarray, suffix: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="still-") as folder:
        path = Path(folder, "still" + suffix)
        writer: Any = oiio.ImageOutput.create(str(path))
        done = writer.open(str(path), spec) and writer.write_image(np.ascontiguousarray(samples))
        if not (writer.close() and done):
            raise OSError(f"cannot write a temporary {suffix}: {writer.geterror()}")
        return path.read_bytes()


# --------------------------------------------------------------------------- plates


def write_plate(arrays: dict[str, np.ndarray], params: dict[str, Any], tick: Any) -> dict[str, Any]:
    """A picture alone: scene-linear as EXR, or display-referred with 8 or 16 bits (as the samples have)."""
    rgb, space, kind = arrays["rgb"], str(params["space"]), params["format"]
    tick(0, 1)
    if kind == "exr":
        colours = _scale_down(convert(rgb, space, str(params["target"])), int(params.get("size", 0)))
        data = write_exr(dict(zip("RGB", _split_halves(colours))), str(params["target"]), params.get("attributes", {}))
    else:
        data = _write_displayed(_display(rgb, space), str(kind), str(params.get("xmp", "")))
    tick(1, 1)
    return {"bytes": np.frombuffer(data, np.uint8)}


def _scale_down(colours: np.ndarray, size: int) -> np.ndarray:
    """f32 [H, W, 3] with a longest side of `size` at most, each pixel the mean of what it covers; 0: as it is."""
    import cv2

    height, width = colours.shape[:2]
    scale = size / max(height, width)
    if not size or scale >= 1:
        return colours
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(colours, small, interpolation=cv2.INTER_AREA))


def _display(rgb: np.ndarray, space: str) -> np.ndarray:
    """u8 or u16 sRGB; what is brighter than a display ends at its white."""
    if rgb.dtype.kind == "u" and space not in SPACES.keys() - {"srgb"}:
        return rgb
    linear = convert(rgb, space, SPACES["lin_rec709"])
    return np.rint(colour.encode_srgb(linear) * 65535).astype(np.uint16)


def _write_displayed(pixels: np.ndarray, kind: str, xmp: str) -> bytes:
    if kind == "png":
        from . import png_codec

        return png_codec.write_png(pixels)
    import OpenImageIO as oiio  # noqa: N813

    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, {"uint8": oiio.UINT8, "uint16": oiio.UINT16}[pixels.dtype.name])
    spec.attribute("compression", "zip")
    spec.attribute("oiio:ColorSpace", "srgb_rec709_scene")
    return add_tiff_tag(_write_file(oiio, spec, pixels, ".tif"), XMP_TAG, xmp.encode("utf-8"))


def add_tiff_tag(data: bytes, tag: int, value: bytes) -> bytes:
    """A little-endian TIFF with this tag of bytes in its first directory, which is written anew at the end."""
    if not value or data[:4] != b"II*\0":
        return data
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    entries = [data[start + 2 + 12 * k : start + 14 + 12 * k] for k in range(count)]
    following = data[start + 2 + 12 * count : start + 6 + 12 * count]
    data += b"\0" * (len(data) % 2)
    entries = [entry for entry in entries if struct.unpack("<H", entry[:2])[0] != tag]
    entries.append(struct.pack("<HHII", tag, BYTE, len(value), len(data)))
    entries.sort(key=lambda entry: struct.unpack("<H", entry[:2]))
    data += value + b"\0" * (len(value) % 2)
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + following
    return data[:4] + struct.pack("<I", len(data)) + data[8:] + directory
