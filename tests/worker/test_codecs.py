"""Stills of every awkward kind get the right verdict, size and colours; what is written reads back."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from support import hostile_stills as hostile

from stillto3d.worker.adapters.builtin import codecs, colour, exif, film_codec, png_codec
from stillto3d.worker.errors import BadInput

CASES = {case.name: case for case in hostile.list_cases()}
OPS = codecs.load(None, "cpu")
COLOURED = ("plain.", "cmyk.", "progressive", "false_name", "deep.", "deep_packed", "half", "float", "spoilt")
COLOURED += (
    "soft",
    "layer",
    "parts",
    "small_window",
    "video",
    "linear",
    "log",
    "turned_",
    "placed",
    "moving",
)
COLOURED += ("exif_broken", "profile_junk", "long_text", "names/", "pages", "loop", "tail", "big", "mode_RGB")


def ignore_progress(step: int, steps: int) -> None:
    """A tick that nobody watches."""


def decode(path: Path, **limits: int) -> dict[str, Any]:
    """What the worker answers for a file."""
    return OPS["decode"]({}, {"path": str(path), **limits}, ignore_progress)


def decode_bytes(data: bytes, **limits: int) -> dict[str, Any]:
    """What the worker answers for a file's bytes."""
    return OPS["decode_bytes"]({"bytes": np.frombuffer(data, np.uint8)}, limits, ignore_progress)


def encode(pixels: np.ndarray, kind: str, quality: int = 92) -> bytes:
    """The bytes that the worker writes."""
    answer = OPS["encode"]({"pixels": pixels}, {"format": kind, "quality": quality}, ignore_progress)
    return bytes(answer["bytes"])


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a case to a file under its own name."""

    def put(name: str) -> Path:
        path = tmp_path / CASES[name].name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(CASES[name].build())
        return path

    return put


def list_keys(answer: dict[str, Any]) -> list[str]:
    """The keys of the answer's warnings."""
    return [note["key"] for note in answer["warnings"]]


@pytest.mark.parametrize("name", CASES, ids=[ascii(name)[1:60] for name in CASES])
def test_every_kind_gets_its_verdict_size_and_colours(name: str, write: Callable[[str], Path]) -> None:
    case = CASES[name]
    path = write(name)
    if case.verdict == "reject":
        with pytest.raises(BadInput) as refusal:
            decode(path)
        assert str(refusal.value).endswith(".") and len(str(refusal.value)) > 30
        return
    answer = decode(path)
    pixels = answer["pixels"]
    assert pixels.dtype == np.uint8 and pixels.shape == (case.size[1], case.size[0], 3)
    assert len(answer["id"]) == 64
    if name.startswith(COLOURED):
        height, width = pixels.shape[:2]
        for y, x, corner in (
            (0.25, 0.25, "top left"),
            (0.25, 0.75, "top right"),
            (0.75, 0.25, "bottom left"),
        ):
            shown = pixels[int(y * height), int(x * width) - 4].astype(int)
            assert np.abs(shown - hostile.CORNERS[corner]).max() <= 4, corner


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("pages.tif", "first_page_used"),
        ("parts.exr", "first_page_used"),
        ("moving.gif", "first_frame_used"),
        ("moving.png", "first_frame_used"),
        ("moving.webp", "first_frame_used"),
        ("exif_broken.jpg", "exif_ignored"),
        ("profile_junk.jpg", "profile_ignored"),
        ("profile_bomb.png", "profile_ignored"),
        ("layer.exr", "layer_used"),
        ("spoilt.exr", "samples_tamed"),
        ("float_spoilt.tif", "taken_as_linear"),
        ("linear.dpx", "taken_as_video"),
    ],
)
def test_what_was_done_is_said(name: str, key: str, write: Callable[[str], Path]) -> None:
    assert key in list_keys(decode(write(name)))


def test_a_plain_picture_is_not_talked_about(write: Callable[[str], Path]) -> None:
    assert decode(write("plain.jpg"))["warnings"] == []


@pytest.mark.parametrize("name", ["deep.png", "deep.tif", "deep_packed.tif"])
def test_sixteen_bits_are_kept(name: str, write: Callable[[str], Path]) -> None:
    answer = decode(write(name))
    assert answer["source_space"] == "srgb"
    np.testing.assert_array_equal(answer["source"], hostile.draw_quadrants().astype(np.uint16) * 257)
    np.testing.assert_array_equal(answer["pixels"], hostile.draw_quadrants())


def test_a_sixteen_bit_ramp_is_not_clipped(write: Callable[[str], Path]) -> None:
    row = decode(write("deep_grey.png"))["pixels"][0, :, 1].astype(int)
    assert row[0] == 0 and row[-1] == 255 and abs(row[hostile.WIDTH // 2] - 128) <= 2
    assert (np.diff(row) >= 0).all()


@pytest.mark.parametrize("name", ["spoilt.exr", "float_spoilt.tif"])
def test_no_sample_is_infinite_or_no_number(name: str, write: Callable[[str], Path]) -> None:
    answer = decode(write(name))
    assert np.isfinite(answer["source"]).all()
    shown = answer["pixels"][30, 20:60:8]
    np.testing.assert_array_equal(shown[[0, 2, 3]], 0)
    np.testing.assert_array_equal(shown[[1, 4]], 255)


def test_alpha_comes_out_straight(write: Callable[[str], Path]) -> None:
    answer = decode(write("soft.exr"))
    assert np.unique(answer["alpha"]).tolist() == [128]
    np.testing.assert_allclose(answer["source"], hostile.draw_linear(), rtol=2e-3)


def test_the_display_window_is_shown(write: Callable[[str], Path]) -> None:
    cropped = decode(write("overscan.exr"))["pixels"].astype(int)
    assert np.abs(cropped - hostile.draw_quadrants()[4:-4, 8:-8]).max() <= 4
    padded = decode(write("small_window.exr"))["pixels"]
    assert padded[:6].max() == 0 and padded[:, :10].max() == 0 and padded[10, 14].max() > 100


def test_the_scene_linear_view_keeps_exposure_and_highlights() -> None:
    light = np.array([0.0, 0.18, 0.5, 0.8, 1.0, 2.0, 16.0], np.float32)
    shown = colour.show_linear(np.repeat(light[None, :, None], 3, axis=2))[0, :, 0].tolist()
    assert shown[:4] == [0, 118, 188, 231]
    assert 240 < shown[4] < shown[5] <= shown[6] == 255


def test_chromaticities_are_converted() -> None:
    red = np.zeros((8, 8, 3), np.float32)
    red[..., 0] = 0.5
    plain, wide = (decode_bytes(hostile.pack_deep(".exr", red, **more)) for more in ({}, chromaticities()))
    assert plain["source_space"] == "lin_rec709" and wide["source_space"] == "lin_ap1"
    assert wide["pixels"][0, 0, 0] > plain["pixels"][0, 0, 0] and wide["pixels"][0, 0, 1] == 0
    white = decode_bytes(hostile.pack_deep(".exr", np.full((8, 8, 3), 0.5, np.float32), **chromaticities()))
    assert np.ptp(white["pixels"].astype(int)) <= 1


def chromaticities() -> dict[str, Any]:
    """EXR attributes of ACEScg."""
    return {"chromaticities": ("float[8]", list(colour.AP1))}


def test_printing_density_has_its_reference_points() -> None:
    np.testing.assert_allclose(film_codec.decode_density(np.array([95, 685])), [0, 1], atol=1e-9)
    assert 0.14 < film_codec.decode_density(np.array([445])).item() < 0.17  # the 16 % grey of the LAD patch


def test_a_profile_is_converted_at_any_depth() -> None:
    swapped = hostile.draw_quadrants()[..., ::-1].astype(int)
    eight = decode_bytes(CASES["profile.png"].build())
    assert np.abs(eight["pixels"] - swapped).max() <= 2
    profile = hostile.make_profile()
    chunk = hostile.pack_chunk(b"iCCP", b"swap\0\0" + zlib.compress(profile))
    deep = hostile.pack_deep(".png", hostile.draw_quadrants().astype(np.uint16) * 257)
    answer = decode_bytes(deep[:33] + chunk + deep[33:])
    assert np.abs(answer["pixels"] - swapped).max() <= 1
    assert answer["source_space"] not in ("srgb", "")


def test_our_reading_of_matrix_profiles_agrees_with_lcms() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    parsed = colour.parse_matrix_profile(profile)
    assert parsed is not None
    np.testing.assert_allclose(parsed.to_rec709, np.eye(3), atol=2e-3)
    codes = np.linspace(0, 1, 65536)
    np.testing.assert_allclose(parsed.curves[0], colour.decode_srgb(codes), atol=1e-4)


@pytest.mark.parametrize("profile", [b"", b"acsp", bytes(200), bytes(36) + b"acsp" + b"\xff" * 200])
def test_a_broken_profile_is_no_matrix_profile(profile: bytes) -> None:
    assert colour.parse_matrix_profile(profile) is None


@pytest.mark.parametrize(
    ("focal", "expected"),
    [
        ({"film": 35}, 35 / exif.FULL_FRAME_DIAGONAL * np.hypot(96, 64)),
        ({"lens": 10.0, "density": 100.0}, 100.0),
        ({"film": 0}, None),
        ({"film": 60000}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_focal_length_is_told(focal: dict[str, float], expected: float | None, orientation: int) -> None:
    data = hostile.pack(hostile.quadrants(), "JPEG", exif=hostile.write_exif(orientation, **focal))
    answer = decode_bytes(data)
    assert answer.get("focal_px") == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_pictures_are_turned_upright_and_tell_their_focal_length(orientation: int) -> None:
    stored = np.asarray(hostile.turn_away(orientation)).astype(np.uint16) * 257
    tags = {"Orientation": orientation, "Exif__FocalLengthIn35mmFilm": 35}
    plain, packed = hostile.pack_deep(".png", stored), hostile.write_exif(orientation, film=35)
    chunk = hostile.pack_chunk(b"eXIf", packed.removeprefix(b"Exif\0\0"))
    for data in (hostile.pack_deep(".tif", stored, **tags), plain[:33] + chunk + plain[33:]):
        answer = decode_bytes(data)
        np.testing.assert_array_equal(answer["pixels"], hostile.draw_quadrants())
        assert answer["focal_px"] == pytest.approx(35 / exif.FULL_FRAME_DIAGONAL * np.hypot(96, 64))


def test_a_cropped_picture_has_no_known_focal_length() -> None:
    packed = hostile.write_exif(film=35)
    tags = Image.Exif()
    tags.load(packed)
    tags.get_ifd(0x8769).update({0xA002: 6000, 0xA003: 3000})
    data = hostile.pack(hostile.quadrants(), "JPEG", exif=tags.tobytes())
    assert "focal_px" not in decode_bytes(data)


def test_a_place_is_never_passed_on(write: Callable[[str], Path]) -> None:
    answer = decode(write("placed.jpg"))
    assert set(answer) == {"pixels", "source_space", "focal_px", "format", "id", "warnings"}
    again = encode(answer["pixels"], "jpeg")
    assert b"Exif" not in again


FUZZED = (
    "plain.jpg",
    "progressive.jpg",
    "placed.jpg",
    "mode_RGB.png",
    "deep.png",
    "profile.png",
    "plain.webp",
)
FUZZED += ("plain.avif", "plain.heic", "plain.gif", "plain.bmp", "plain.tif", "deep.tif", "pages.tif")
FUZZED += ("half.exr", "parts.exr", "soft.exr", "video.dpx")


def judge_broken(name: str, rounds: int) -> None:
    """Change a few bytes, or cut the end off: the answer is a picture or a refusal, and nothing else."""
    whole = np.frombuffer(CASES[name].build(), np.uint8)
    random = np.random.default_rng(11)
    for turn in range(rounds):
        broken = whole.copy()
        reach = len(whole) if turn % 2 else min(len(whole), 400)
        for place in random.integers(0, reach, random.integers(1, 5)):
            broken[place] = random.integers(0, 256)
        if turn % 5 == 4:
            broken = broken[: random.integers(1, len(broken))]
        with contextlib.suppress(BadInput):
            assert decode_bytes(broken.tobytes())["pixels"].size


@pytest.mark.parametrize("name", FUZZED)
def test_broken_bytes_end_in_a_picture_or_a_refusal(name: str) -> None:
    judge_broken(name, 15)


@pytest.mark.long
@pytest.mark.parametrize("name", FUZZED)
def test_many_broken_bytes_end_in_a_picture_or_a_refusal(name: str) -> None:
    judge_broken(name, 1000)


def test_limits_are_the_callers(write: Callable[[str], Path]) -> None:
    with pytest.raises(BadInput, match="megapixels"):
        decode(write("plain.jpg"), max_pixels=1000)
    with pytest.raises(BadInput, match="GB"):
        decode(write("deep.tif"), max_bytes=30_000)


@pytest.mark.parametrize("name", ["mode_RGB.png", "deep.png", "half.exr", "plain.heic", "plain.avif", "video.dpx"])
def test_bytes_are_read_as_files_are(name: str, write: Callable[[str], Path]) -> None:
    from_file, from_bytes = decode(write(name)), decode_bytes(CASES[name].build())
    assert from_file["id"] == from_bytes["id"]
    np.testing.assert_array_equal(from_file["pixels"], from_bytes["pixels"])


def test_the_identity_follows_the_samples_and_their_space() -> None:
    plain = decode_bytes(CASES["mode_RGB.png"].build())["id"]
    assert plain == decode_bytes(CASES["plain.tif"].build())["id"]
    assert plain != decode_bytes(CASES["profile.png"].build())["id"]
    assert plain != decode_bytes(CASES["mode_RGBA.png"].build())["id"]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "text.png").symlink_to(__file__)
    os.mkfifo(tmp_path / "pipe.png")
    wrong = {
        "folder": "folder",
        "loop": "back to itself",
        "dangling": "not there",
        "text": "text",
        "pipe": "pipe",
    }
    for name, said in wrong.items():
        with pytest.raises(BadInput, match=said):
            decode(tmp_path / f"{name}.png")
    for path, said in (
        ("/dev/zero", "device"),
        (str(tmp_path / "none.png"), "no such file"),
        ("a\0b", "name"),
    ):
        with pytest.raises(BadInput, match=said):
            decode(Path(path))


def test_a_link_to_a_picture_is_followed(tmp_path: Path, write: Callable[[str], Path]) -> None:
    (tmp_path / "link.png").symlink_to(write("deep.png"))
    assert decode(tmp_path / "link.png")["pixels"].shape == (hostile.HEIGHT, hostile.WIDTH, 3)


@pytest.mark.parametrize("kind", ["png", "tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_is_written_reads_back(kind: str, dtype: type, channels: int) -> None:
    most = np.iinfo(dtype).max
    pixels = np.random.default_rng(3).integers(0, most, (23, 17, channels), dtype, endpoint=True)
    answer = decode_bytes(encode(pixels, kind))
    samples = answer["pixels"] if dtype == np.uint8 else answer["source"]
    np.testing.assert_array_equal(samples, np.broadcast_to(pixels[..., :3], (23, 17, 3)))
    if channels == 4:
        np.testing.assert_array_equal(answer["alpha"], np.round(pixels[..., 3] / most * 255))


def test_an_exr_is_written_in_linear_light() -> None:
    pixels = hostile.draw_quadrants()
    answer = decode_bytes(encode(pixels, "exr"))
    np.testing.assert_allclose(answer["source"], hostile.draw_linear(), rtol=2e-3)
    light = np.full((4, 4, 3), 7.5, np.float32)
    np.testing.assert_array_equal(decode_bytes(encode(light, "exr"))["source"], light)


def test_a_jpeg_is_written_close_to_its_pixels() -> None:
    pixels = hostile.draw_quadrants()
    assert np.abs(decode_bytes(encode(pixels, "jpeg", 95))["pixels"].astype(int) - pixels).mean() < 2
    assert decode_bytes(encode(pixels[..., 0], "jpeg"))["pixels"].shape == pixels.shape


@pytest.mark.parametrize(
    ("shape", "dtype", "kind"),
    [((4, 4, 4), "u1", "jpeg"), ((4, 4, 3), "u2", "jpeg"), ((4, 4, 2), "u1", "png"), ((0, 4, 3), "u1", "png"),
     ((4, 4, 3), "f4", "png"), ((4, 4, 3), "u1", "svg"), ((4, 70_000, 3), "u1", "jpeg")],
)  # fmt: skip
def test_what_cannot_be_written_is_said(shape: tuple[int, ...], dtype: str, kind: str) -> None:
    with pytest.raises(BadInput):
        encode(np.zeros(shape, dtype), kind)


def test_a_png_is_walked_without_inflating_its_texts() -> None:
    file = io.BytesIO(CASES["text_bomb.png"].build())
    header = png_codec.read_header(file, codecs.Limits())
    kept = png_codec.drop_chunks(file, header).read()
    assert len(header.dropped) == 1 and b"zTXt" not in kept and len(kept) < 200


def test_a_png_says_its_size_in_bytes() -> None:
    data = encode(np.zeros((3, 5, 3), np.uint16), "png")
    assert struct.unpack(">IIBB", data[16:26]) == (5, 3, 16, 2)
