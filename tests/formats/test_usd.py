"""USD as usd-core's own camera, composition and validators see it; and foreign stages as layers."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import PyOpenColorIO as ocio  # noqa: N813
import pytest
from formats.conftest import make_project
from formats.markers import (
    COLORS,
    NAMES,
    PLACE,
    both_cameras,
    expect_pixels,
    locate_markers,
    make_meshes,
    make_points,
    make_splats,
)
from PIL import Image
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade, UsdUtils, UsdValidation, Vt

from stillto3d.engine.run import Run
from stillto3d.errors import BadInput
from stillto3d.formats import usd
from stillto3d.formats.options import WriteOptions
from stillto3d.formats.usd import write_usd
from stillto3d.formats.usd_layers import read_usd_layers
from stillto3d.project.geometry import Material, Mesh, Points, Splats, measure_bounds
from stillto3d.project.project import Layer, LayerKind, Project
from stillto3d.worker.errors import BadInput as WorkerBadInput

every_suffix = pytest.mark.parametrize("suffix", [".usda", ".usdc", ".usdz"])
REFUSED = (BadInput, WorkerBadInput)  # the codec answers in this process here


def validate(path: Path) -> list[str]:
    """What usd-core's validators say."""
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert len(validators) > 20
    found = UsdValidation.ValidationContext(validators).Validate(Usd.Stage.Open(str(path)))
    return [f"{error.GetName()}: {error.GetMessage()}" for error in found]


def without_source(project: Project) -> Project:
    """The project of an 8-bit still: then its plate becomes an 8-bit texture."""
    still = replace(project.hero.still, source=None, source_space="")
    return replace(project, shots=(replace(project.hero, still=still),))


def find(stage: Any, kind: Any, name: str = "") -> Any:
    """The first prim of a kind, of that display name or below it."""
    for prim in stage.Traverse():
        if prim.IsA(kind) and (not name or name in (prim.GetDisplayName(), prim.GetParent().GetDisplayName())):
            return prim
    raise AssertionError(f"no {kind} {name}")


def project_through(stage: Any, points: np.ndarray, width: int, height: int) -> np.ndarray:
    """Pixels by USD's own frustum, lens shift included."""
    camera = UsdGeom.Camera(find(stage, UsdGeom.Camera)).GetCamera()
    matrix = np.array(camera.frustum.ComputeViewMatrix() * camera.frustum.ComputeProjectionMatrix())
    clip = np.c_[points, np.ones(len(points))] @ matrix
    ndc = clip[:, :2] / clip[:, 3:]
    return (ndc * (1, -1) + 1) / 2 * (width, height)


@both_cameras
@every_suffix
def test_mesh_markers_fall_on_their_pixels(run: Run, tmp_path: Path, suffix: str, centered: bool) -> None:
    path = tmp_path / f"m{suffix}"
    write_usd(run, make_meshes(centered), path)
    stage = Usd.Stage.Open(str(path))
    assert (UsdGeom.GetStageUpAxis(stage), UsdGeom.GetStageMetersPerUnit(stage)) == ("Y", 1.0)
    ends = []
    for name, color in zip(NAMES, COLORS, strict=True):
        prim = find(stage, UsdGeom.Mesh, name)
        matrix = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(prim))
        local = np.array(UsdGeom.Mesh(prim).GetPointsAttr().Get())
        ends.append((np.c_[local, np.ones(4)] @ matrix)[:, :3].mean(axis=0))
        linear = np.array(UsdGeom.PrimvarsAPI(prim).GetPrimvar("displayColor").Get())[0]
        srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
        np.testing.assert_allclose(srgb * 255, color, atol=0.51)
    np.testing.assert_allclose(ends, locate_markers(), atol=1e-5)
    np.testing.assert_allclose(project_through(stage, np.array(ends), 640, 360), expect_pixels(centered), atol=0.01)


@both_cameras
def test_points_and_splats_stand_where_the_meshes_stand(run: Run, tmp_path: Path, centered: bool) -> None:
    for make, name in ((make_points, "points"), (make_splats, "splats")):
        path = tmp_path / f"{name}.usdc"
        write_usd(run, make(centered), path)
        stage = Usd.Stage.Open(str(path))
        prim = find(stage, UsdGeom.Points)
        matrix = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(prim))
        ends = (np.c_[np.array(UsdGeom.Points(prim).GetPointsAttr().Get()), np.ones(7)] @ matrix)[:, :3]
        np.testing.assert_allclose(ends, locate_markers(), atol=1e-5)
        np.testing.assert_allclose(project_through(stage, ends, 640, 360), expect_pixels(centered), atol=0.01)


def test_a_36_mm_back_is_36_mm(run: Run, project: Project, tmp_path: Path) -> None:
    write_usd(run, make_meshes(True), tmp_path / "a.usda")
    stage = Usd.Stage.Open(str(tmp_path / "a.usda"))
    camera = UsdGeom.Camera(find(stage, UsdGeom.Camera))
    assert camera.GetHorizontalApertureAttr().Get() == pytest.approx(0.36)  # tenths of a metre
    assert camera.GetFocalLengthAttr().Get() == pytest.approx(700 * 0.36 / 640)
    view = camera.GetCamera().GetFieldOfView(Gf.Camera.FOVHorizontal)
    assert view == pytest.approx(np.degrees(2 * np.arctan(320 / 700)), abs=1e-4)


@pytest.mark.parametrize("degree", [0, 3])
def test_splats_are_a_variant_beside_points(run: Run, tmp_path: Path, degree: int) -> None:
    project = make_splats(True, degree)
    splats = project.layers[0].geometry
    assert isinstance(splats, Splats)
    write_usd(run, project, tmp_path / "s.usdc")
    stage = Usd.Stage.Open(str(tmp_path / "s.usdc"))
    component = find(stage, UsdGeom.Xform, "splats")
    reps = component.GetVariantSet("rep")
    assert sorted(reps.GetVariantNames()) == ["points", "splats"] and reps.GetVariantSelection() == "points"
    reps.SetVariantSelection("splats")
    prim = next(p for p in stage.Traverse() if p.GetTypeName() == "ParticleField3DGaussianSplat")
    np.testing.assert_array_equal(np.array(prim.GetAttribute("positions").Get()), splats.means)
    np.testing.assert_array_equal(np.array(prim.GetAttribute("scales").Get()), splats.scales)
    np.testing.assert_array_equal(np.array(prim.GetAttribute("opacities").Get()), splats.opacity)
    first = prim.GetAttribute("orientations").Get()[0]
    np.testing.assert_allclose([first.real, *first.imaginary], splats.rotations[0], atol=1e-6)
    assert prim.GetAttribute("radiance:sphericalHarmonicsDegree").Get() == degree
    sh = np.array(prim.GetAttribute("radiance:sphericalHarmonicsCoefficients").Get())
    np.testing.assert_array_equal(sh.reshape(7, -1, 3), splats.sh)
    low, high = np.array(prim.GetAttribute("extent").Get())
    assert (low < splats.means.min(axis=0)).all() and (high > splats.means.max(axis=0)).all()


def test_set_and_props_are_components_with_their_textures(run: Run, project: Project, tmp_path: Path) -> None:
    project = without_source(project)
    write_usd(run, project, tmp_path / "küche.usdc", WriteOptions(texture="png"))
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {"küche.usdc", "küche_textures/set.png", "küche_textures/prop_01.png"}
    stage = Usd.Stage.Open(str(tmp_path / "küche.usdc"))
    root = stage.GetDefaultPrim()
    assert Usd.ModelAPI(root).GetKind() == "assembly" and root.GetDisplayName() == "küche 厨房"
    parts = [prim for prim in root.GetChildren() if Usd.ModelAPI(prim).GetKind() == "component"]
    assert [prim.GetDisplayName() for prim in parts] == ["set", "prop_01", "Stuhl/椅子"]
    for prim, layer in zip(parts, project.layers, strict=False):
        told = prim.GetCustomDataByKey("stillto3d")
        assert told["id"] == layer.id and told["kind"] == layer.kind.value
        matrix = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(prim)).T
        np.testing.assert_allclose(matrix, layer.transform, atol=1e-12)
    assert json.loads(parts[1].GetCustomDataByKey("stillto3d")["recipe"])["pipeline"] == "prop"
    mesh = UsdGeom.Mesh(find(stage, UsdGeom.Mesh, "set"))
    geometry = project.layers[0].geometry
    assert isinstance(geometry, Mesh) and geometry.uvs is not None
    st = np.array(UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st").Get())
    np.testing.assert_allclose(st * (1, -1) + (0, 1), geometry.uvs, atol=1e-6)
    assert mesh.GetSubdivisionSchemeAttr().Get() == "none" and mesh.GetDoubleSidedAttr().Get()
    assert not UsdGeom.Mesh(find(stage, UsdGeom.Mesh, "prop_01")).GetDoubleSidedAttr().Get()
    material, _ = UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()
    assert find_texture(material, "emissiveColor").endswith("küche_textures/set.png")
    material.GetPrim().GetVariantSet("look").SetVariantSelection("lit")
    assert find_texture(material, "diffuseColor").endswith("küche_textures/set.png")
    shown = np.asarray(Image.open(tmp_path / "küche_textures" / "set.png"))
    np.testing.assert_array_equal(shown, project.hero.clean_plate)


def test_a_linear_plate_keeps_its_light(run: Run, tmp_path: Path) -> None:
    """A still up to 5 in ACEScg: the set's texture is linear Rec. 709, and says so."""
    project = make_project()
    source = np.linspace(0, 5, 48 * 64 * 3, dtype=np.float32).reshape(48, 64, 3)
    still = replace(project.hero.still, source=source, source_space="lin_ap1")
    shot = replace(project.hero, still=still, clean_plate=still.pixels)
    sheet = project.layers[0].geometry
    assert isinstance(sheet, Mesh)
    layer = replace(project.layers[0], geometry=replace(sheet, material=Material(shot.clean_plate)))
    write_usd(run, replace(project, shots=(shot,), layers=(layer,)), tmp_path / "a.usda")
    stage = Usd.Stage.Open(str(tmp_path / "a.usda"))
    texture = next(p for p in stage.Traverse() if p.GetName() == "texture")
    assert UsdShade.Shader(texture).GetInput("sourceColorSpace").Get() == "raw"
    with OpenEXR.File(str(tmp_path / "a_textures" / "set.exr"), separate_channels=True) as file:
        shown = np.stack([file.channels()[c].pixels for c in "RGB"], axis=-1).astype(np.float64)
    config = ocio.Config.CreateFromBuiltinConfig("cg-config-v2.2.0_aces-v1.3_ocio-v2.4")
    back = config.getProcessor("ACEScg", "Linear Rec.709 (sRGB)").getDefaultCPUProcessor()
    expected = np.array([back.applyRGB(pixel.tolist()) for pixel in source.reshape(-1, 3)])
    np.testing.assert_allclose(shown.reshape(-1, 3), expected, rtol=1e-3, atol=1e-3)
    assert shown.max() > 4 and not validate(tmp_path / "a.usda")
    write_usd(run, replace(project, shots=(shot,), layers=(layer,)), tmp_path / "b.usda", WriteOptions(texture_size=32))
    with OpenEXR.File(str(tmp_path / "b_textures" / "set.exr"), separate_channels=True) as file:
        small = np.stack([file.channels()[c].pixels for c in "RGB"], axis=-1).astype(np.float64)
        assert "TrainedAlgorithmicMedia" in file.header()["XMP"]
    assert small.shape == (24, 32, 3) and small.max() > 4
    means = expected.reshape(24, 2, 32, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small, means, rtol=1e-3, atol=1e-3)
    notes = write_usd(run, replace(project, shots=(shot,), layers=(layer,)), tmp_path / "c.usdz")
    assert len(notes) == 1 and "up to white" in notes[0]


@every_suffix
def test_metal_and_relief_are_maps(run: Run, tmp_path: Path, suffix: str) -> None:
    project = make_project()
    sheet = project.layers[0].geometry
    assert isinstance(sheet, Mesh) and sheet.material is not None
    packed, relief = (np.full((8, 8, 3), value, np.uint8) for value in ((255, 128, 64), (128, 128, 255)))
    lit = replace(sheet.material, surface=packed, normals=relief, roughness=1.0, metallic=0.5, unlit=False)
    layer = replace(project.layers[0], geometry=replace(sheet, material=lit))
    path = tmp_path / f"a{suffix}"
    write_usd(run, replace(project, layers=(layer,)), path)
    assert not validate(path)
    stage = Usd.Stage.Open(str(path))
    prim = next(p for p in stage.Traverse() if p.IsA(UsdShade.Material))
    for name, channel, file in (("roughness", "g", "surface"), ("metallic", "b", "surface"), ("normal", "rgb", "norm")):
        surface = UsdShade.Material(prim).ComputeSurfaceSource()[0]
        (source,) = surface.GetInput(name).GetConnectedSources()[0]
        assert source.sourceName == channel
        assert file in find_texture(UsdShade.Material(prim), name)
    mesh = read_usd_layers(run, path).layers[0].geometry
    assert isinstance(mesh, Mesh) and mesh.material is not None
    np.testing.assert_array_equal(mesh.material.surface, packed)
    np.testing.assert_array_equal(mesh.material.normals, relief)
    assert (mesh.material.roughness, mesh.material.metallic, mesh.material.unlit) == (1.0, 0.5, False)


def test_foreign_channels_come_from_wherever_they_lie(run: Run, tmp_path: Path) -> None:
    """Roughness in a picture of its own, red; metal a plain number: as other programs write it."""
    rng = np.random.default_rng(1)
    color, rough = (rng.integers(0, 256, (8, 8, 3), np.uint8) for _ in range(2))
    for name, pixels in (("color", color), ("rough", rough)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    stage = Usd.Stage.CreateNew(str(tmp_path / "f.usda"))
    types = Sdf.ValueTypeNames
    mesh = UsdGeom.Mesh.Define(stage, "/mesh")
    mesh.CreatePointsAttr([(0, 0, 0), (1, 0, 0), (0, 1, 0)])
    mesh.CreateFaceVertexCountsAttr([3])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2])
    uvs = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("st", types.TexCoord2fArray, "vertex")
    uvs.Set([(0, 0), (1, 0), (0, 1)])
    material = UsdShade.Material.Define(stage, "/m")
    surface = UsdShade.Shader.Define(stage, "/m/s")
    surface.CreateIdAttr("UsdPreviewSurface")
    for name, kind, file, channel in (
        ("diffuseColor", types.Color3f, "color", "rgb"),
        ("roughness", types.Float, "rough", "r"),
    ):
        texture = UsdShade.Shader.Define(stage, f"/m/{file}")
        texture.CreateIdAttr("UsdUVTexture")
        texture.CreateInput("file", types.Asset).Set(Sdf.AssetPath(f"./{file}.png"))
        surface.CreateInput(name, kind).ConnectToSource(texture.CreateOutput(channel, kind))
    surface.CreateInput("metallic", types.Float).Set(0.75)
    material.CreateSurfaceOutput().ConnectToSource(surface.CreateOutput("surface", types.Token))
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)
    stage.Save()
    found = read_usd_layers(run, tmp_path / "f.usda").layers[0].geometry
    assert isinstance(found, Mesh) and found.material is not None and found.material.surface is not None
    np.testing.assert_array_equal(found.material.base_color, color)
    np.testing.assert_array_equal(found.material.surface[..., 1], rough[..., 0])
    assert (found.material.surface[..., (0, 2)] == 255).all() and not found.material.unlit
    assert (found.material.roughness, found.material.metallic) == (1.0, 0.75)


def find_texture(material: Any, name: str) -> str:
    surface = material.ComputeSurfaceSource()[0]
    (source,) = surface.GetInput(name).GetConnectedSources()[0]
    asset = UsdShade.Shader(source.source.GetPrim()).GetInput("file").Get()
    return str(asset.resolvedPath)


def test_the_layer_says_what_it_is(run: Run, project: Project, tmp_path: Path) -> None:
    write_usd(run, project, tmp_path / "a.usda")
    stage = Usd.Stage.Open(str(tmp_path / "a.usda"))
    data = stage.GetRootLayer().customLayerData
    told = data["stillto3d"]
    assert told["digitalSourceType"].endswith("compositeWithTrainedAlgorithmicMedia")
    assert json.loads(told["AIGC"])["Label"] == "1" and project.hero.still.id in told["stills"]
    assert "DigitalSourceType" in data["xmp"] and "stillnet-depth" in told["models"]
    flat = stage.Flatten()
    assert flat.customLayerData["stillto3d"]["identifier"] == told["identifier"]


def test_levels_of_detail_are_variants(run: Run, tmp_path: Path) -> None:
    from formats.test_lods import make_ball

    ball = Project((), (Layer("a", "ball", LayerKind.PROP, geometry=make_ball()),))
    write_usd(run, ball, tmp_path / "ball.usdc", WriteOptions(lods=2))
    stage = Usd.Stage.Open(str(tmp_path / "ball.usdc"))
    levels = find(stage, UsdGeom.Xform, "ball").GetVariantSet("lod")
    assert levels.GetVariantNames() == ["lod0", "lod1", "lod2"] and levels.GetVariantSelection() == "lod0"
    counts = []
    for name in levels.GetVariantNames():
        levels.SetVariantSelection(name)
        counts.append(len(UsdGeom.Mesh(find(stage, UsdGeom.Mesh)).GetFaceVertexCountsAttr().Get()))
    assert counts[0] == 5120 and counts[0] > 3 * counts[1] > 9 * counts[2]
    assert not validate(tmp_path / "ball.usdc")


@every_suffix
def test_the_validators_are_silent(run: Run, project: Project, tmp_path: Path, suffix: str) -> None:
    for name, one in (("shot", project), ("m", make_meshes(False)), ("p", make_points(True)), ("s", make_splats(True))):
        path = tmp_path / f"{name}{suffix}"
        notes = write_usd(run, one, path)
        assert not validate(path), path.name
        assert bool(notes) == (suffix == ".usdz" and name in ("shot", "s"))
        assert not UsdUtils.ComputeAllDependencies(str(path))[2], "unresolved"


def test_the_validators_are_awake(tmp_path: Path) -> None:
    stage = Usd.Stage.CreateNew(str(tmp_path / "bad.usda"))
    UsdGeom.Mesh.Define(stage, "/m")
    stage.GetRootLayer().Save()
    assert validate(tmp_path / "bad.usda")


def test_a_package_is_stored_and_aligned(run: Run, project: Project, tmp_path: Path) -> None:
    write_usd(run, project, tmp_path / "a.usdz")
    assert [path.name for path in tmp_path.iterdir()] == ["a.usdz"]
    with zipfile.ZipFile(tmp_path / "a.usdz") as archive:
        entries = archive.infolist()
        assert entries[0].filename == "scene.usdc" and len(entries) == 3
        for entry in entries:
            assert entry.compress_type == zipfile.ZIP_STORED
            archive.fp.seek(entry.header_offset + 26)  # type: ignore[union-attr]
            name, extra = np.frombuffer(archive.fp.read(4), "<u2")  # type: ignore[union-attr]
            assert (entry.header_offset + 30 + int(name) + int(extra)) % 64 == 0


def test_odd_names_and_empty_projects(run: Run, tmp_path: Path) -> None:
    mesh = make_meshes(True).layers[0].geometry
    names = ["a b", "a_b", "9", "", "椅子", "\u05e9\u05dc", "a/b\nc", "camera", "…", "x" * 300, "caf\udce9"]
    layers = tuple(Layer(str(k), name, LayerKind.PROP, geometry=mesh) for k, name in enumerate(names))
    path = tmp_path / "odd {x} [1] \u200f\u05e9.usdc"
    write_usd(run, Project(make_meshes(True).shots, layers), path)
    stage = Usd.Stage.Open(str(path))
    assert sum(prim.IsA(UsdGeom.Mesh) for prim in stage.Traverse()) == len(names)
    write_usd(run, Project(), tmp_path / "empty.usda")
    assert not validate(tmp_path / "empty.usda")


# ---------------------------------------------------------------------- reading


@every_suffix
def test_our_own_come_back(run: Run, project: Project, tmp_path: Path, suffix: str) -> None:
    project = without_source(project)
    write_usd(run, project, tmp_path / f"a{suffix}", WriteOptions(texture="png"))
    layers = read_usd_layers(run, tmp_path / f"a{suffix}").layers
    assert [layer.name for layer in layers] == ["set", "prop_01", "Stuhl/椅子"]
    for layer, original in zip(layers, project.layers, strict=False):
        mesh, expected = layer.geometry, original.geometry
        assert isinstance(mesh, Mesh) and isinstance(expected, Mesh) and expected.material is not None
        np.testing.assert_allclose(layer.transform, original.transform, atol=1e-12)
        np.testing.assert_array_equal(mesh.positions, expected.positions)
        np.testing.assert_array_equal(mesh.observed, expected.observed)
        uvs = expected.corner_uvs if expected.uvs is None else expected.uvs[expected.faces]
        np.testing.assert_allclose(mesh.corner_uvs, uvs, atol=1e-6)
        assert mesh.material is not None
        np.testing.assert_array_equal(mesh.material.base_color, expected.material.base_color)


def test_points_splats_and_colours_come_back(run: Run, tmp_path: Path) -> None:
    write_usd(run, make_points(True), tmp_path / "p.usdc")
    (layer,) = read_usd_layers(run, tmp_path / "p.usdc").layers
    assert isinstance(layer.geometry, Points)
    np.testing.assert_array_equal(layer.geometry.colors, COLORS)
    np.testing.assert_array_equal(layer.geometry.observed, [1, 1, 1, 1, 0, 0, 0])
    np.testing.assert_allclose(layer.transform, PLACE, atol=1e-12)
    project = make_splats(True, 2)
    write_usd(run, project, tmp_path / "s.usdc")
    stage = Usd.Stage.Open(str(tmp_path / "s.usdc"))
    find(stage, UsdGeom.Xform, "splats").GetVariantSet("rep").SetVariantSelection("splats")
    stage.GetRootLayer().Export(str(tmp_path / "t.usdc"))
    (layer,) = read_usd_layers(run, tmp_path / "t.usdc").layers
    splats, expected = layer.geometry, project.layers[0].geometry
    assert isinstance(splats, Splats) and isinstance(expected, Splats)
    for key in ("means", "scales", "opacity", "sh"):
        np.testing.assert_array_equal(getattr(splats, key), getattr(expected, key))
    np.testing.assert_allclose(splats.rotations, expected.rotations, atol=1e-6)


def make_stage(path: Path, up: str, metres: float) -> Any:
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, up)
    UsdGeom.SetStageMetersPerUnit(stage, metres)
    return stage


def add_quad(stage: Any, name: str, **attributes: Any) -> Any:
    mesh = UsdGeom.Mesh.Define(stage, name)
    mesh.CreatePointsAttr([(0, 0, 0), (100, 0, 0), (100, 0, 200), (0, 0, 200)])
    mesh.CreateFaceVertexCountsAttr([4])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2, 3])
    return mesh


def test_centimetres_and_z_up_become_metres_and_y_up(run: Run, tmp_path: Path) -> None:
    stage = make_stage(tmp_path / "z.usda", "Z", 0.01)
    place = UsdGeom.Xform.Define(stage, "/house")
    place.AddTranslateOp().Set((0, 300, 0))
    add_quad(stage, "/house/door")
    hidden = add_quad(stage, "/house/hidden")
    hidden.MakeInvisible()
    stage.GetRootLayer().Save()
    (layer,) = read_usd_layers(run, tmp_path / "z.usda").layers
    assert layer.name == "door" and isinstance(layer.geometry, Mesh)
    assert layer.geometry.faces.tolist() == [[0, 1, 2], [0, 2, 3]]
    # z 0..200 cm stands up; y 300 cm lies behind, at -z
    np.testing.assert_allclose(measure_bounds(layer.geometry, layer.transform), [[0, 0, -3], [1, 2, -3]], atol=1e-6)


def test_left_handed_faces_are_turned(run: Run, tmp_path: Path) -> None:
    stage = make_stage(tmp_path / "l.usda", "Y", 1)
    add_quad(stage, "/a").CreateOrientationAttr("leftHanded")
    stage.GetRootLayer().Save()
    mesh = read_usd_layers(run, tmp_path / "l.usda").layers[0].geometry
    assert isinstance(mesh, Mesh) and mesh.faces.tolist() == [[2, 1, 0], [3, 2, 0]]


def test_textures_outside_the_folder_are_not_opened(run: Run, tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (1, 2, 3)).save(tmp_path / "secret.png")
    (tmp_path / "in").mkdir()
    Image.new("RGB", (4, 4), (9, 9, 9)).save(tmp_path / "in" / "ok.png")
    names = (("../secret.png", False), (str(tmp_path / "secret.png"), False), ("./ok.png", True))
    for k, (name, found) in enumerate(names):
        stage = make_stage(tmp_path / "in" / f"{k}.usda", "Y", 1)
        mesh = add_quad(stage, "/a")
        st = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("st", Sdf.ValueTypeNames.TexCoord2fArray, "vertex")
        st.Set(Vt.Vec2fArray.FromNumpy(np.zeros((4, 2), np.float32)))
        material = UsdShade.Material.Define(stage, "/m")
        surface, texture = (UsdShade.Shader.Define(stage, f"/m/{part}") for part in ("s", "t"))
        surface.CreateIdAttr("UsdPreviewSurface")
        texture.CreateIdAttr("UsdUVTexture")
        texture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(Sdf.AssetPath(name))
        rgb = texture.CreateOutput("rgb", Sdf.ValueTypeNames.Float3)
        surface.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).ConnectToSource(rgb)
        material.CreateSurfaceOutput().ConnectToSource(surface.CreateOutput("surface", Sdf.ValueTypeNames.Token))
        UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)
        stage.GetRootLayer().Save()
        geometry = read_usd_layers(run, tmp_path / "in" / f"{k}.usda").layers[0].geometry
        assert isinstance(geometry, Mesh) and (geometry.material is not None) is found


HEAD = '#usda 1.0\n(\n  defaultPrim = "a"\n)\n'
MESH = """def Mesh "a" {{
  point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]
  int[] faceVertexCounts = {}
  int[] faceVertexIndices = {}
}}
"""
VARIANT = """def "a" (variantSets = "v" variants = {string v = "x"}) {
  variantSet "v" = { "x" (references = @b.usda@) { } }
}
"""
HOSTILE = {
    "sublayer": "#usda 1.0\n(\n  subLayers = [@/etc/passwd@]\n)\n",
    "reference": HEAD + 'def "a" (references = @../../etc/passwd@) {}\n',
    "payload": HEAD + 'def "a" (payload = @http://127.0.0.1:9/a.usd@) {}\n',
    "in_a_variant": HEAD + VARIANT,
    "clips": HEAD + 'def "a" (clips = { dictionary default = { asset[] assetPaths = [@b.usda@] } }) {}\n',
    "counts": HEAD + MESH.format("[4]", "[0, 1, 2]"),
    "negative": HEAD + MESH.format("[3]", "[0, 1, -2]"),
    "index": HEAD + MESH.format("[3]", "[0, 1, 7]"),
    "syntax": "#usda 1.0\ndef Mesh {{{",
    "not_usd": "hello",
    "empty": "",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused(run: Run, kind: str, tmp_path: Path) -> None:
    (tmp_path / "h.usda").write_text(HOSTILE[kind])
    with pytest.raises(REFUSED):
        read_usd_layers(run, tmp_path / "h.usda")


def test_truncated_crates_and_packages_are_refused(run: Run, project: Project, tmp_path: Path) -> None:
    for suffix in (".usdc", ".usdz"):
        write_usd(run, project, tmp_path / f"a{suffix}")
        data = (tmp_path / f"a{suffix}").read_bytes()
        for length in (8, 100, len(data) // 2, len(data) - 40):
            (tmp_path / f"cut{suffix}").write_bytes(data[:length])
            with pytest.raises(REFUSED):
                read_usd_layers(run, tmp_path / f"cut{suffix}")


@pytest.mark.parametrize("name", ["../out.usda", "/abs.usda", "a\\b.usda"])
def test_packages_that_reach_out_are_refused(run: Run, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "z.usdz", "w") as archive:
        archive.writestr(name, HEAD)
    with pytest.raises(REFUSED):
        read_usd_layers(run, tmp_path / "z.usdz")


def test_a_crate_saved_in_many_parts_is_the_same_shot(
    run: Run, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_usd(run, project, tmp_path / "once.usdc")
    monkeypatch.setattr("stillto3d.formats.usd._PART", 1)
    saves: list[int] = []
    settle = usd._Parts.settle
    monkeypatch.setattr(usd._Parts, "settle", lambda self, count: (saves.append(count), settle(self, count))[1])
    write_usd(run, project, tmp_path / "parts.usdc")
    assert len(saves) > 6 and not validate(tmp_path / "parts.usdc")
    one, other = (
        Sdf.Layer.FindOrOpen(str(tmp_path / f"{name}.usdc")).ExportToString().replace(name, "x")
        for name in ("once", "parts")
    )
    assert one == other
