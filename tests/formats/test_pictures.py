"""EXR, TIFF and PNG: OpenEXR and Pillow read what we write; colours, depth, ids and labels come back."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import OpenImageIO as oiio  # noqa: N813
import PyOpenColorIO as ocio  # noqa: N813
import pytest
from formats.markers import both_cameras, expect_pixels, locate_markers, make_camera, make_meshes
from PIL import Image

from stillto3d import formats
from stillto3d.engine.run import Run
from stillto3d.errors import BadInput
from stillto3d.formats.about import add_xmp
from stillto3d.formats.exr import write_exr
from stillto3d.formats.options import WriteOptions
from stillto3d.formats.plate import Samples, find_plate_samples, pad_picture, write_picture
from stillto3d.project.project import Layer, LayerKind, Project, Shot
from stillto3d.project.space import center_camera
from stillto3d.project.still import Mask, Still, hash_array
from stillto3d.worker.adapters.builtin import colour, cryptomatte

CHART = np.array(
    [
        (115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177), (103, 189, 170),
        (214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108), (157, 188, 64), (224, 163, 46),
        (56, 61, 150), (70, 148, 73), (175, 54, 60), (231, 199, 31), (187, 86, 149), (8, 133, 161),
        (243, 243, 242), (200, 200, 200), (160, 160, 160), (122, 122, 121), (85, 85, 85), (52, 52, 52),
    ],
    dtype=np.uint8,
)  # fmt: skip
PATCH = 32


def make_chart(colors: np.ndarray) -> np.ndarray:
    """4 x 6 patches."""
    return np.repeat(np.repeat(colors.reshape(4, 6, 3), PATCH, axis=0), PATCH, axis=1)


def read_patches(picture: np.ndarray) -> np.ndarray:
    """The mean of the middle of each patch, f64[24, 3]."""
    blocks = picture[..., :3].astype(np.float64).reshape(4, PATCH, 6, PATCH, 3)[:, 8:-8, :, 8:-8]
    return blocks.mean(axis=(1, 3)).reshape(24, 3)


def make_still(kind: str) -> Still:
    """The chart as an 8-bit, a 16-bit, or a scene-linear still that goes up to 6."""
    pixels = make_chart(CHART)
    if kind == "8":
        return Still(pixels, "chart", hash_array(pixels))
    if kind == "16":
        source: Any = make_chart(CHART.astype(np.uint16) * 257 + 31)
        return Still(colour.show_u16(source), "chart", hash_array(source), source=source, source_space="srgb")
    source = (colour.decode_srgb(pixels / 255.0) * 6).astype(np.float16 if kind == "half" else np.float32)
    shown = colour.show_linear(source)
    return Still(shown, "chart", hash_array(source), source=source, source_space="lin_rec709")


def read_exr(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Channels and header, by OpenEXR."""
    with OpenEXR.File(str(path), separate_channels=True) as file:
        return {name: np.array(c.pixels) for name, c in file.channels().items()}, dict(file.header())


def stack(channels: dict[str, np.ndarray], names: str = "RGB") -> np.ndarray:
    return np.stack([channels[name] for name in names], axis=-1).astype(np.float64)


# ---------------------------------------------------------------------- colour


@pytest.mark.parametrize("kind", ["8", "16", "half", "float"])
def test_a_charts_light_comes_back_from_exr(run: Run, tmp_path: Path, kind: str) -> None:
    still = make_still(kind)
    write_exr(run, Project((Shot(still),)), tmp_path / "a.exr")
    channels, header = read_exr(tmp_path / "a.exr")
    assert all(channels[name].dtype == np.float16 for name in "RGBA")
    expected = read_patches(still.source) if kind in ("half", "float") else None
    if expected is None:
        codes = still.pixels / 255.0 if still.source is None else still.source / 65535.0
        expected = colour.decode_srgb(read_patches(codes))
    np.testing.assert_allclose(read_patches(stack(channels)), expected, atol=1e-3, rtol=1e-3)
    if kind in ("half", "float"):
        assert stack(channels).max() > 4  # what no display shows
    np.testing.assert_allclose(header["chromaticities"], colour.REC709, atol=1e-6)


@pytest.mark.parametrize("space", ["ACEScg", "ACES2065-1", "Linear Rec.2020", "Linear P3-D65"])
def test_named_spaces_are_those_of_the_configuration(run: Run, tmp_path: Path, space: str) -> None:
    still = make_still("float")
    write_exr(run, Project((Shot(still),)), tmp_path / "a.exr", WriteOptions(space=space))
    channels, header = read_exr(tmp_path / "a.exr")
    config = ocio.Config.CreateFromBuiltinConfig(header["stillto3d:config"])
    processor = config.getProcessor(space, "Linear Rec.709 (sRGB)").getDefaultCPUProcessor()
    back = np.array([processor.applyRGB(patch.tolist()) for patch in read_patches(stack(channels))])
    np.testing.assert_allclose(back, read_patches(still.source), atol=4e-3, rtol=2e-3)
    assert header["stillto3d:space"] == space
    file = oiio.ImageInput.open(str(tmp_path / "a.exr"))
    try:
        assert file.spec().get_string_attribute("oiio:ColorSpace").startswith("lin_")
    finally:
        file.close()


def test_the_stills_own_linear_space_is_kept(run: Run, tmp_path: Path) -> None:
    still = replace(make_still("half"), source_space="lin_ap1")
    write_exr(run, Project((Shot(still),)), tmp_path / "a.exr")
    channels, header = read_exr(tmp_path / "a.exr")
    np.testing.assert_array_equal(stack(channels), still.source)
    assert header["stillto3d:space"] == "ACEScg"


def test_unknown_spaces_are_written_as_they_are_shown(run: Run, tmp_path: Path) -> None:
    still = replace(make_still("16"), source_space="Some Camera Log")
    write_exr(run, Project((Shot(still),)), tmp_path / "a.exr")
    channels, _ = read_exr(tmp_path / "a.exr")
    expected = colour.decode_srgb(read_patches(still.pixels) / 255)
    np.testing.assert_allclose(read_patches(stack(channels)), expected, atol=1e-3)


@pytest.mark.parametrize(("suffix", "kind", "bits"), [(".png", "8", 8), (".png", "16", 16), (".tif", "16", 16)])
def test_plates_keep_their_bits(run: Run, tmp_path: Path, suffix: str, kind: str, bits: int) -> None:
    still = make_still(kind)
    write_picture(run, Project((Shot(still),)), tmp_path / f"a{suffix}")
    image = oiio.ImageBuf(str(tmp_path / f"a{suffix}"))
    assert image.spec().format == {8: "uint8", 16: "uint16"}[bits]
    samples = image.get_pixels(oiio.UINT16 if bits == 16 else oiio.UINT8)
    np.testing.assert_array_equal(samples, still.pixels if still.source is None else still.source)


@pytest.mark.parametrize("suffix", [".tif", ".tiff", ".png"])
def test_a_linear_plate_is_shown_with_16_bits(run: Run, tmp_path: Path, suffix: str) -> None:
    still = make_still("float")
    write_picture(run, Project((Shot(still),)), tmp_path / f"a{suffix}")
    samples = oiio.ImageBuf(str(tmp_path / f"a{suffix}")).get_pixels(oiio.UINT16)
    expected = colour.encode_srgb(read_patches(still.source)) * 65535
    np.testing.assert_allclose(read_patches(samples), expected, atol=40)


@pytest.mark.parametrize("kind", ["half", "float", "16"])
def test_a_filled_plate_has_the_light_of_what_was_copied(run: Run, kind: str) -> None:
    """The fill has copied patch 16 over patches 0 to 5, and drawn a colour of its own over patch 23."""
    still = make_still(kind)
    assert still.source is not None
    plate = still.pixels.copy()
    copied = 2 * PATCH + 8, 4 * PATCH + 8
    plate[:PATCH] = still.pixels[copied]
    plate[-PATCH:, -PATCH:] = (1, 200, 77)
    shot = Shot(still, clean_plate=plate)
    samples = find_plate_samples(run, shot)
    assert samples.rgb.dtype == still.source.dtype and samples.space == still.source_space
    np.testing.assert_array_equal(samples.rgb[PATCH:-PATCH], still.source[PATCH:-PATCH])
    np.testing.assert_allclose(samples.rgb[0, 0], still.source[copied], rtol=1e-3)
    if kind != "16":
        assert samples.rgb[:PATCH].max() > 2  # above white, though the plate is 8 bits
        expected = colour.decode_srgb(np.array([1, 200, 77]) / 255)
        np.testing.assert_allclose(samples.rgb[-1, -1], expected, rtol=2e-3)
    else:
        np.testing.assert_array_equal(samples.rgb[-1, -1], [257, 51400, 19789])


# ---------------------------------------------------------------------- depth, ids, Cryptomatte


@pytest.fixture
def scene() -> Project:
    """Markers as large balls of four faces, so that they cover pixels."""
    project = make_meshes(False)
    layers = []
    for layer in project.layers:
        mesh = layer.geometry
        assert mesh is not None and hasattr(mesh, "positions")
        layers.append(replace(layer, geometry=replace(mesh, positions=mesh.positions * np.float32(6))))
    return replace(project, layers=tuple(layers))


def test_depth_positions_normals_and_ids_agree(run: Run, tmp_path: Path, scene: Project) -> None:
    write_exr(run, scene, tmp_path / "a.exr")
    channels, header = read_exr(tmp_path / "a.exr")
    camera = make_camera(False)
    assert all(channels[name].dtype == np.float32 for name in ("Z", "N.X", "P.Y", "id"))
    assert header["stillto3d:depth_kind"] == "planar"
    pixels, depth = camera.project(locate_markers())
    for k, (x, y) in enumerate(pixels.astype(int)):
        if y < 40 or channels["Z"][y, x] < depth[k] - 0.2:
            continue  # at the picture's edge, or behind another
        assert channels["id"][y, x] == k + 1
        assert abs(channels["Z"][y, x] - depth[k]) < 0.15
    there = channels["id"] > 0
    rows, columns = np.nonzero(there)
    points = np.stack([channels[f"P.{axis}"] for axis in "XYZ"], axis=-1)[there]
    again, z = camera.project(points)
    np.testing.assert_allclose(again, np.stack([columns + 0.5, rows + 0.5], axis=1), atol=0.01)
    np.testing.assert_allclose(z, channels["Z"][there], rtol=1e-5)
    normals = np.stack([channels[f"N.{axis}"] for axis in "XYZ"], axis=-1)[there]
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-4)
    assert (((camera.position - points) * normals).sum(axis=1) > -1e-6).all()  # towards the camera
    assert (channels["Z"][~there] == 1e10).all() and np.isfinite(channels["Z"]).all()


@both_cameras
def test_markers_fall_on_their_pixels(run: Run, tmp_path: Path, centered: bool) -> None:
    write_exr(run, make_meshes(centered), tmp_path / "a.exr")
    channels, _ = read_exr(tmp_path / "a.exr")
    for k, (x, y) in enumerate(expect_pixels(centered)):
        if 20 < x < 620 and 20 < y < 340:
            rows, columns = np.nonzero(channels["id"] == k + 1)
            np.testing.assert_allclose([columns.mean() + 0.5, rows.mean() + 0.5], [x, y], atol=1)


def read_cryptomatte(channels: dict[str, np.ndarray], header: dict[str, Any], name: str) -> np.ndarray:
    """The coverage of one name, as a compositing program extracts it."""
    (key,) = {key.rpartition("/")[0] for key in header if key.startswith("cryptomatte/")}
    assert header[f"{key}/conversion"] == "uint32_to_float32" and header[f"{key}/hash"] == "MurmurHash3_32"
    kind, manifest = header[f"{key}/name"], json.loads(header[f"{key}/manifest"])
    wanted = np.uint32(int(manifest[name], 16)).view(np.float32)
    matte = np.zeros(channels["R"].shape)
    for level in ("00", "01"):
        for code, cover in ("RG", "BA"):
            matte += np.where(channels[f"{kind}{level}.{code}"] == wanted, channels[f"{kind}{level}.{cover}"], 0)
    return matte


def test_cryptomatte_tells_who_covers_what(run: Run, tmp_path: Path, scene: Project) -> None:
    still = scene.hero.still
    soft = np.zeros((360, 640), np.uint8)
    soft[100:200, 100:200] = 128
    hard = np.zeros((360, 640), np.uint8)
    hard[150:250, 150:250] = 255
    layers = (
        Layer("a", "椅子", LayerKind.PROP, {still.id: Mask(soft, still.id)}),
        Layer("b", "lamp", LayerKind.PROP, {still.id: Mask(hard, still.id)}),
        *scene.layers[:2],
    )
    write_exr(run, replace(scene, layers=layers), tmp_path / "a.exr")
    channels, header = read_exr(tmp_path / "a.exr")
    chair, lamp = (read_cryptomatte(channels, header, name) for name in ("椅子", "lamp"))
    np.testing.assert_allclose(chair, soft / 255, atol=1e-6)
    assert lamp[160, 160] == pytest.approx(1 - 128 / 255) and lamp[240, 240] == 1 and lamp[0, 0] == 0
    (x, y), *_ = make_camera(False).project(locate_markers())[0].astype(int)
    assert read_cryptomatte(channels, header, "centre")[y, x] == 1
    for name, code in json.loads(next(v for k, v in header.items() if k.endswith("/manifest"))).items():
        assert f"{int(cryptomatte.hash_name(name).view(np.uint32)):08x}" == code


def test_murmur3_gives_the_published_values() -> None:
    known = {"": 0, "hello": 0x248BFA47, "hello, world": 0x149BBB7F}
    assert {text: cryptomatte.murmur3(text.encode()) for text in known} == known
    for name in ("a", "b", "CryptoObject", "椅子"):
        assert np.isfinite(cryptomatte.hash_name(name))


def test_without_a_set_there_are_colours_and_masks(run: Run, tmp_path: Path) -> None:
    still = make_still("8")
    mask = Mask(np.full(still.pixels.shape[:2], 255, np.uint8), still.id)
    project = Project((Shot(still),), (Layer("a", "thing", LayerKind.PROP, {still.id: mask}),))
    (note,) = write_exr(run, project, tmp_path / "a.exr")
    assert "no depth" in note
    channels, header = read_exr(tmp_path / "a.exr")
    assert "Z" not in channels and (read_cryptomatte(channels, header, "thing") == 1).all()


def test_projects_without_a_still_are_refused(run: Run, tmp_path: Path) -> None:
    for name in ("a.exr", "a.png", "a.tif"):
        with pytest.raises(BadInput, match="no still"):
            formats.write(run, Project(), tmp_path / name)
    with pytest.raises(BadInput, match="no colour space Rec709"):
        WriteOptions(space="Rec709")


def test_premultiplied_alpha(run: Run, tmp_path: Path) -> None:
    still = replace(make_still("float"), alpha=np.full((4 * PATCH, 6 * PATCH), 51, np.uint8))
    write_exr(run, Project((Shot(still),)), tmp_path / "a.exr")
    channels, _ = read_exr(tmp_path / "a.exr")
    np.testing.assert_allclose(stack(channels), still.source * 0.2, rtol=2e-3, atol=1e-3)
    assert channels["A"][0, 0] == pytest.approx(0.2, abs=1e-3)


# ---------------------------------------------------------------------- labels


def read_xmp(path: Path) -> str:
    with Image.open(path) as picture:
        if path.suffix == ".tif":
            return bytes(picture.tag_v2[700]).decode("utf-8")  # type: ignore[attr-defined]
        packet = picture.info.get("XML:com.adobe.xmp") or picture.info["xmp"]
        return packet if isinstance(packet, str) else packet.decode("utf-8")


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.exr"])
def test_every_picture_says_what_it_is(run: Run, project: Project, tmp_path: Path, name: str) -> None:
    formats.write(run, project, tmp_path / name)
    if name == "a.exr":
        header = read_exr(tmp_path / name)[1]
        xmp = header["XMP"]
        assert header["DigitalSourceType"].endswith("compositeWithTrainedAlgorithmicMedia")
        assert json.loads(header["AIGC"])["Label"] == "1"
    else:
        xmp = read_xmp(tmp_path / name)
    from xml.etree import ElementTree

    tree = ElementTree.fromstring(xmp.partition("?>")[2].rpartition("<?")[0])
    found = {element.tag.rpartition("}")[2]: element.text for element in tree.iter()}
    assert found["source"] == f"sha256:{project.hero.still.id}"
    assert json.loads(str(found["AIGC"]))["Label"] == "1" and str(found["DigitalSourceType"]).startswith(
        "http://cv.iptc"
    )
    opened = formats.read(run, tmp_path / name)  # and it opens as a still again
    assert opened.hero.still.width == 64


def test_a_jpeg_takes_a_packet_too() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG")
    data = add_xmp(out.getvalue(), "<x>hello</x>")
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        assert b"hello" in picture.info["xmp"]
    assert add_xmp(b"nothing known", "<x/>") == b"nothing known"


# ---------------------------------------------------------------------- padding


@pytest.mark.parametrize(("cx", "cy"), [(330.0, 180.0), (320.0, 150.5), (351.37, 141.82), (300.25, 200.0)])
def test_a_padded_plate_lies_under_the_padded_camera(cx: float, cy: float) -> None:
    """A ramp of columns and rows: where the padded camera sees a point, the padded plate shows its pixel."""
    camera = replace(make_camera(True), cx=cx, cy=cy)
    u, v = np.meshgrid(np.arange(640) + 0.5, np.arange(360) + 0.5)
    ramp = np.stack([u, v, np.ones_like(u)], axis=-1).astype(np.float32)
    padded = pad_picture(Samples(ramp, "lin_rec709"), camera).rgb
    wide, left, top = center_camera(camera)
    assert padded.shape == (wide.height, wide.width, 3)
    for x, y in ((100.5, 100.5), (500.5, 300.5)):
        column, row = x + left, y + top
        shown = sample(padded, column, row)
        np.testing.assert_allclose(shown[:2], (x, y), atol=1e-2)
    if left == int(left) and top == int(top):
        inner = padded[int(top) : int(top) + 360, int(left) : int(left) + 640]
        np.testing.assert_array_equal(inner, ramp)


def sample(picture: np.ndarray, x: float, y: float) -> np.ndarray:
    """Bilinear, pixel centres at halves."""
    i, j = int(np.floor(x - 0.5)), int(np.floor(y - 0.5))
    a, b = x - 0.5 - i, y - 0.5 - j
    block = picture[j : j + 2, i : i + 2]
    rows = block[0] * (1 - b) + block[1] * b
    value: np.ndarray = rows[0] * (1 - a) + rows[1] * a
    return value
