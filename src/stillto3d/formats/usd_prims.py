"""The prims of a USD stage: what each of our values becomes, in USD's units and conventions.

Our world is the stage's (metres, Y up, a camera looks along -Z). Lengths of a lens are in tenths of a scene unit.
Texture coordinates run up, displayed colours are linear.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..project.geometry import Material, Mesh, Points, Splats
from ..project.project import Layer, LayerKind
from ..project.space import Camera
from ..project.still import F64, U8
from .about import About, choose_source_type, describe_recipe, is_generated
from .gather import show_splats
from .strict_json import clean_text, write_json

_PER_SCENE_UNIT = 10.0  # USD measures lenses in tenths of a scene unit; ours is the metre
_NEAR_M, _FAR_M = 0.01, 1e5
_POINT_WIDTH_M = 0.01
_REACH = 3.0  # standard deviations that a splat is drawn to
OURS = "stillto3d"
Settle = Callable[[int], None]
"""Told of so many bytes that the stage now holds, which it may write and let go of."""


def keep(count: int) -> None:
    """Leave the stage as it is."""


def name_prim(name: str) -> str:
    """A layer's name as a prim's: letters and digits of any script, underscores for the rest."""
    plain = unicodedata.normalize("NFC", clean_text(name))
    safe = "".join(c if c.isidentifier() or (c.isdigit() and f"_{c}".isidentifier()) else "_" for c in plain)[:100]
    return safe if safe and safe.isidentifier() and safe[:1] != "_" else f"layer{safe}"


def define_root(stage: Any, about: About, xmp: str) -> Any:
    """The shot's prim and what the layer says of itself."""
    from pxr import Kind, Sdf, Usd, UsdGeom

    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    layer = stage.GetRootLayer()
    told = {key: value if isinstance(value, str) else _to_text(value) for key, value in about.describe().items()}
    layer.customLayerData = {OURS: told, "xmp": xmp}
    layer.comment = f"stillto3d {__version__}: metres, Y up; {about.describe()['digitalSourceType']}"
    root = UsdGeom.Xform.Define(stage, f"/{name_prim(about.title)}").GetPrim()
    stage.SetDefaultPrim(root)
    root.SetDisplayName(about.title)
    model = Usd.ModelAPI(root)
    model.SetKind(Kind.Tokens.assembly)
    model.SetAssetName(about.title)
    model.SetAssetIdentifier(Sdf.AssetPath(about.identifier))
    model.SetAssetVersion("1")
    return root


def define_component(stage: Any, path: Any, layer: Layer) -> Any:
    """A layer's prim, in its place, with its recipe."""
    from pxr import Gf, Kind, Usd, UsdGeom

    place = UsdGeom.Xform.Define(stage, path)
    if not (layer.transform == np.eye(4)).all():
        place.AddTransformOp().Set(Gf.Matrix4d(layer.transform.T.tolist()))
    prim = place.GetPrim()
    prim.SetDisplayName(clean_text(layer.name))
    Usd.ModelAPI(prim).SetKind(Kind.Tokens.component)
    recipe = describe_recipe(layer.made_by)
    told = {
        "id": layer.id,
        "kind": layer.kind.value,
        "generated": is_generated(layer.geometry, layer.made_by),
        "digitalSourceType": choose_source_type([layer.made_by]),
    }
    prim.SetCustomDataByKey(OURS, told | ({} if recipe is None else {"recipe": _to_text(recipe)}))
    return prim


def define_camera(stage: Any, path: Any, camera: Camera, primary: bool) -> None:
    """A camera with its film back, focal length and lens shift; the `primary` one is named by the render settings."""
    from pxr import Gf, UsdGeom, UsdRender

    back = camera.film_back_mm / 1000 * _PER_SCENE_UNIT
    focal = camera.fx * back / camera.width
    prim = UsdGeom.Camera.Define(stage, path)
    prim.AddTransformOp().Set(Gf.Matrix4d(camera.world_from_camera.T.tolist()))
    prim.CreateProjectionAttr(UsdGeom.Tokens.perspective)
    prim.CreateFocalLengthAttr(focal)
    prim.CreateHorizontalApertureAttr(back)
    prim.CreateVerticalApertureAttr(camera.height * focal / camera.fy)
    prim.CreateHorizontalApertureOffsetAttr((camera.width / 2 - camera.cx) * focal / camera.fx)
    prim.CreateVerticalApertureOffsetAttr((camera.cy - camera.height / 2) * focal / camera.fy)
    prim.CreateClippingRangeAttr(Gf.Vec2f(_NEAR_M, _FAR_M))
    keys = ("width", "height", "fx", "fy", "cx", "cy", "film_back_mm", "focal_mm")
    origin = {name: [one.source, one.confidence] for name, one in camera.origin.items()}
    told = {key: getattr(camera, key) for key in keys} | {"origin": _to_text(origin)}
    prim.GetPrim().SetCustomDataByKey(OURS, told)
    if primary:
        UsdRender.Settings.Define(stage, "/Render/settings").CreateResolutionAttr(Gf.Vec2i(camera.width, camera.height))
        settings = UsdRender.Settings.Get(stage, "/Render/settings")
        settings.CreateCameraRel().SetTargets([path])
        stage.SetMetadata("renderSettingsPrimPath", "/Render/settings")


@contextmanager
def use_variant(prim: Any, group: str, name: str) -> Iterator[None]:
    """What is defined in the block belongs to this variant; the last one named stays chosen."""
    variants = prim.GetVariantSets().AddVariantSet(group)
    variants.AddVariant(name)
    variants.SetVariantSelection(name)
    with variants.GetVariantEditContext():
        yield


# ---------------------------------------------------------------------- geometry


def define_mesh(
    stage: Any, path: Any, mesh: Mesh, kind: LayerKind, material: Any | None, settle: Settle = keep
) -> None:
    """Triangles; a set is seen from any side, a prop is a closed solid."""
    from pxr import Sdf, UsdGeom, UsdShade, Vt

    prim = UsdGeom.Mesh.Define(stage, path)
    prim.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(mesh.faces.reshape(-1).view(np.int32)))
    settle(mesh.faces.nbytes)
    prim.CreatePointsAttr(Vt.Vec3fArray.FromBuffer(mesh.positions))
    settle(mesh.positions.nbytes)
    prim.CreateFaceVertexCountsAttr(Vt.IntArray(len(mesh.faces), 3))
    prim.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    prim.CreateDoubleSidedAttr(kind is LayerKind.SCENE)
    prim.CreateExtentAttr(_find_extent(mesh.positions))
    if mesh.normals is not None:
        prim.CreateNormalsAttr(Vt.Vec3fArray.FromBuffer(mesh.normals))
        prim.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
        settle(mesh.normals.nbytes)
    uvs = mesh.uvs if mesh.uvs is not None else mesh.corner_uvs
    values = UsdGeom.PrimvarsAPI(prim)
    if uvs is not None:
        step = UsdGeom.Tokens.vertex if mesh.uvs is not None else UsdGeom.Tokens.faceVarying
        values.CreatePrimvar("st", Sdf.ValueTypeNames.TexCoord2fArray, step).Set(_turn_uvs(uvs))
        settle(uvs.nbytes + 4 * len(mesh.faces))
    _set_colors(values, mesh.colors if material is None else None)
    _set_observed(values, mesh.observed)
    if material is not None:
        UsdShade.MaterialBindingAPI.Apply(prim.GetPrim()).Bind(material)


def _turn_uvs(uvs: NDArray[np.float32]) -> Any:
    """Texture coordinates whose v runs up."""
    from pxr import Vt

    flat = uvs.reshape(-1, 2).copy()
    np.subtract(np.float32(1), flat[:, 1], out=flat[:, 1])
    return Vt.Vec2fArray.FromNumpy(flat)


def define_points(stage: Any, path: Any, points: Points, settle: Settle = keep) -> None:
    """Coloured points, a centimetre wide."""
    from pxr import UsdGeom, Vt

    prim = UsdGeom.Points.Define(stage, path)
    prim.CreatePointsAttr(Vt.Vec3fArray.FromBuffer(points.positions))
    settle(points.positions.nbytes)
    prim.CreateWidthsAttr(Vt.FloatArray([_POINT_WIDTH_M]))
    prim.SetWidthsInterpolation(UsdGeom.Tokens.constant)
    prim.CreateExtentAttr(_find_extent(points.positions, _POINT_WIDTH_M / 2))
    values = UsdGeom.PrimvarsAPI(prim)
    _set_colors(values, points.colors)
    settle(points.positions.nbytes)
    _set_observed(values, points.observed)


def define_splats(stage: Any, path: Any, splats: Splats, settle: Settle = keep) -> None:
    """Gaussians: linear scales, opacity from 0 to 1, harmonics splat by splat with the constant one first."""
    from pxr import Sdf, UsdGeom, UsdVol, Vt

    prim = UsdVol.ParticleField3DGaussianSplat.Define(stage, path).GetPrim()
    coefficients = splats.sh.shape[1]
    prim.GetAttribute("radiance:sphericalHarmonicsDegree").Set(round(np.sqrt(coefficients)) - 1)
    values: dict[str, Callable[[], Any]] = {  # one after another, so that no two are held at once
        "radiance:sphericalHarmonicsCoefficients": lambda: Vt.Vec3fArray.FromBuffer(splats.sh.reshape(-1, 3)),
        "positions": lambda: Vt.Vec3fArray.FromBuffer(splats.means),
        "orientations": lambda: Vt.QuatfArray.FromNumpy(np.ascontiguousarray(splats.rotations[:, [1, 2, 3, 0]])),
        "scales": lambda: Vt.Vec3fArray.FromBuffer(splats.scales),
        "opacities": lambda: Vt.FloatArray.FromNumpy(splats.opacity),
    }
    for name, make in values.items():
        prim.GetAttribute(name).Set(make())
        settle((12 * coefficients if name.startswith("radiance") else 16) * len(splats.means))
    harmonics = UsdGeom.Primvar(prim.GetAttribute("radiance:sphericalHarmonicsCoefficients"))
    if harmonics:
        harmonics.SetElementSize(coefficients)
        harmonics.SetInterpolation(UsdGeom.Tokens.vertex)
    reach = _REACH * float(splats.scales.max(initial=0))
    prim.CreateAttribute("extent", Sdf.ValueTypeNames.Float3Array).Set(_find_extent(splats.means, reach))
    fallback = UsdGeom.PrimvarsAPI(prim)
    _set_colors(fallback, show_splats(splats))
    _set_observed(fallback, splats.observed)


def _find_extent(positions: NDArray[np.float32], reach: float = 0.0) -> Any:
    from pxr import Vt

    columns = np.ascontiguousarray(positions.T)
    box = np.stack([columns.min(axis=1) - reach, columns.max(axis=1) + reach]).astype(np.float32)
    return Vt.Vec3fArray.FromBuffer(box)


def _set_colors(values: Any, colors: U8 | None) -> None:
    from pxr import Sdf, UsdGeom, Vt

    if colors is not None:
        linear = _LINEAR_OF_SRGB[colors]
        kind = Sdf.ValueTypeNames.Color3fArray
        values.CreatePrimvar("displayColor", kind, UsdGeom.Tokens.vertex).Set(Vt.Vec3fArray.FromBuffer(linear))


def _set_observed(values: Any, observed: U8 | None) -> None:
    from pxr import Sdf, UsdGeom, Vt

    if observed is not None:
        numbers = Vt.FloatArray.FromNumpy(observed.astype(np.float32))
        values.CreatePrimvar("observed", Sdf.ValueTypeNames.FloatArray, UsdGeom.Tokens.vertex).Set(numbers)


# ---------------------------------------------------------------------- materials


def define_material(
    stage: Any, path: Any, material: Material, file: str, repeat: bool = False, linear: bool = False
) -> Any:
    """UsdPreviewSurface with one texture.

    A still's light is in its texture: the look `baked` shows it as it is (emitted), `lit` lets it be lit anew
    (diffuse). `repeat`: beyond its edges; `linear`: the file holds scene-linear Rec.709.
    """
    from pxr import Sdf, UsdShade

    types = Sdf.ValueTypeNames
    prim = UsdShade.Material.Define(stage, path)
    reader = UsdShade.Shader.Define(stage, path.AppendChild("st"))
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", types.String).Set("st")
    reader.CreateOutput("result", types.Float2)
    texture = _define_texture(stage, path.AppendChild("texture"), file, "raw" if linear else "sRGB", repeat)
    color = texture.CreateOutput("rgb", types.Float3)
    surface = UsdShade.Shader.Define(stage, path.AppendChild("surface"))
    surface.CreateIdAttr("UsdPreviewSurface")
    surface.CreateInput("roughness", types.Float).Set(float(material.roughness))
    surface.CreateInput("metallic", types.Float).Set(float(material.metallic))
    if material.base_color.shape[2] == 4:
        surface.CreateInput("opacity", types.Float).ConnectToSource(texture.CreateOutput("a", types.Float))
    prim.CreateSurfaceOutput().ConnectToSource(surface.CreateOutput("surface", types.Token))
    for look in ("lit", "baked") if material.unlit else ("lit",):
        with use_variant(prim.GetPrim(), "look", look):
            if look == "lit":
                surface.CreateInput("diffuseColor", types.Color3f).ConnectToSource(color)
            else:
                surface.CreateInput("diffuseColor", types.Color3f).Set((0.0, 0.0, 0.0))
                surface.CreateInput("emissiveColor", types.Color3f).ConnectToSource(color)
    return prim


def define_maps(stage: Any, prim: Any, material: Material, files: Mapping[str, str], repeat: bool) -> None:
    """The maps of a UsdPreviewSurface beside its colours: `surface` (occlusion, roughness, metallic), `normals`."""
    from pxr import Gf, Sdf, UsdShade

    types, path = Sdf.ValueTypeNames, prim.GetPath()
    look = UsdShade.Shader.Get(stage, path.AppendChild("surface"))
    if "surface" in files:
        texture = _define_texture(stage, path.AppendChild("surface_map"), files["surface"], "raw", repeat)
        texture.CreateInput("scale", types.Float4).Set(Gf.Vec4f(1, material.roughness, material.metallic, 1))
        for channel, name in (("r", "occlusion"), ("g", "roughness"), ("b", "metallic")):
            look.CreateInput(name, types.Float).ConnectToSource(texture.CreateOutput(channel, types.Float))
    if "normals" in files:
        texture = _define_texture(stage, path.AppendChild("normal_map"), files["normals"], "raw", repeat)
        texture.CreateInput("scale", types.Float4).Set(Gf.Vec4f(2, 2, 2, 1))
        texture.CreateInput("bias", types.Float4).Set(Gf.Vec4f(-1, -1, -1, 0))
        look.CreateInput("normal", types.Normal3f).ConnectToSource(texture.CreateOutput("rgb", types.Float3))


def _define_texture(stage: Any, path: Any, file: str, space: str, repeat: bool) -> Any:
    """A reader of a picture on the uvs that the material's shader `st` gives."""
    from pxr import Sdf, UsdShade

    types = Sdf.ValueTypeNames
    texture = UsdShade.Shader.Define(stage, path)
    texture.CreateIdAttr("UsdUVTexture")
    texture.CreateInput("file", types.Asset).Set(Sdf.AssetPath(file))
    uvs = UsdShade.Shader.Get(stage, path.GetParentPath().AppendChild("st"))
    texture.CreateInput("st", types.Float2).ConnectToSource(uvs.GetOutput("result"))
    texture.CreateInput("sourceColorSpace", types.Token).Set(space)
    for axis in ("wrapS", "wrapT"):
        texture.CreateInput(axis, types.Token).Set("repeat" if repeat else "clamp")
    return texture


def _make_linear_table() -> NDArray[np.float32]:
    s = np.arange(256) / 255.0
    linear: F64 = np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


_LINEAR_OF_SRGB = _make_linear_table()


def _to_text(value: Any) -> str:
    return write_json(value).decode("ascii")
