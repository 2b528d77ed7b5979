"""What an export is held against: the same values written with other people's libraries, or with numpy alone."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .truth import F32, U8

JPEG_QUALITY = 90
POINTS_HEADER = (
    "ply\nformat binary_little_endian 1.0\nelement vertex {n}\nproperty float x\nproperty float y\nproperty float z\n"
    "property uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n"
)


def encode_jpeg(texture: U8) -> bytes:
    """A texture as Pillow writes it."""
    from PIL import Image

    coded = io.BytesIO()
    Image.fromarray(texture).save(coded, "JPEG", quality=JPEG_QUALITY)
    return coded.getvalue()


def write_glb_pygltflib(path: Path, positions: F32, faces: NDArray[np.uint32], uvs: F32, texture: U8) -> None:
    """A textured mesh through pygltflib."""
    import pygltflib as gltf

    parts = [positions.tobytes(), uvs.tobytes(), faces.tobytes(), encode_jpeg(texture)]
    views, start = [], 0
    for part, target in zip(parts, (34962, 34962, 34963, None), strict=True):
        views.append(gltf.BufferView(buffer=0, byteOffset=start, byteLength=len(part), target=target))
        start += len(part) + -len(part) % 4
    blob = b"".join(part + b"\0" * (-len(part) % 4) for part in parts)
    low, high = positions.min(0).tolist(), positions.max(0).tolist()
    primitive = gltf.Primitive(attributes=gltf.Attributes(POSITION=0, TEXCOORD_0=1), indices=2, material=0)
    surface = gltf.PbrMetallicRoughness(baseColorTexture=gltf.TextureInfo(index=0), metallicFactor=0)
    document = gltf.GLTF2(
        asset=gltf.Asset(version="2.0"),
        scene=0,
        scenes=[gltf.Scene(nodes=[0])],
        nodes=[gltf.Node(mesh=0)],
        meshes=[gltf.Mesh(primitives=[primitive])],
        accessors=[
            gltf.Accessor(bufferView=0, componentType=5126, count=len(positions), type="VEC3", min=low, max=high),
            gltf.Accessor(bufferView=1, componentType=5126, count=len(uvs), type="VEC2"),
            gltf.Accessor(bufferView=2, componentType=5125, count=faces.size, type="SCALAR"),
        ],
        bufferViews=views,
        images=[gltf.Image(bufferView=3, mimeType="image/jpeg")],
        textures=[gltf.Texture(source=0)],
        materials=[gltf.Material(pbrMetallicRoughness=surface)],
        buffers=[gltf.Buffer(byteLength=len(blob))],
    )
    document.set_binary_blob(blob)
    document.save_binary(str(path))


def write_usd_plain(path: Path, positions: F32, faces: NDArray[np.uint32], uvs: F32, texture: U8) -> None:
    """The same mesh through plain usd-core calls, its texture beside it."""
    from pxr import Sdf, Usd, UsdGeom, UsdShade, Vt

    picture = path.with_name("texture.jpg")
    picture.write_bytes(encode_jpeg(texture))
    path.unlink(missing_ok=True)
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/shot").GetPrim())
    mesh = UsdGeom.Mesh.Define(stage, "/shot/mesh")
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(positions))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(faces), 3, np.int32)))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(faces.reshape(-1).view(np.int32)))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(mesh.GetPointsAttr().Get()))
    kind = Sdf.ValueTypeNames.TexCoord2fArray
    flipped = uvs * np.array((1, -1), np.float32) + np.array((0, 1), np.float32)
    st = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("st", kind, UsdGeom.Tokens.vertex)
    st.Set(Vt.Vec2fArray.FromNumpy(flipped))
    material = UsdShade.Material.Define(stage, "/shot/material")
    surface = UsdShade.Shader.Define(stage, "/shot/material/surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    image = UsdShade.Shader.Define(stage, "/shot/material/texture")
    image.CreateIdAttr("UsdUVTexture")
    image.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(Sdf.AssetPath("./texture.jpg"))
    color = image.CreateOutput("rgb", Sdf.ValueTypeNames.Float3)
    surface.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).ConnectToSource(color)
    material.CreateSurfaceOutput().ConnectToSource(surface.CreateOutput("surface", Sdf.ValueTypeNames.Token))
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)
    stage.GetRootLayer().Save()


def write_points_numpy(path: Path, positions: F32, colors: U8) -> None:
    """Coloured points through a structured array, column by column."""
    names = ("x", "y", "z", "red", "green", "blue")
    rows = np.empty(len(positions), dtype=[(name, "<f4" if len(name) == 1 else "u1") for name in names])
    for k, name in enumerate(names):
        rows[name] = positions[:, k] if k < 3 else colors[:, k - 3]
    with path.open("wb") as file:
        file.write(POINTS_HEADER.format(n=len(positions)).encode())
        rows.tofile(file)


def join_splats(columns: list[F32]) -> tuple[list[str], F32]:
    """INRIA's properties and their values [n, p], of means, dc, rest, opacities, scales and rotations as trained."""
    means, dc, rest, opacities, scales, rotations = columns
    names = ["x", "y", "z", "nx", "ny", "nz", *(f"f_dc_{k}" for k in range(3))]
    names += [*(f"f_rest_{k}" for k in range(rest.shape[1])), "opacity"]
    names += [*(f"scale_{k}" for k in range(3)), *(f"rot_{k}" for k in range(4))]
    return names, np.concatenate([means, np.zeros_like(means), dc, rest, opacities, scales, rotations], axis=1)


def write_splats_numpy(path: Path, columns: list[F32]) -> None:
    """Splats joined into one array and written as it lies."""
    names, values = join_splats(columns)
    lines = ["ply", "format binary_little_endian 1.0", f"element vertex {len(values)}"]
    with path.open("wb") as file:
        file.write("\n".join([*lines, *(f"property float {name}" for name in names), "end_header\n"]).encode())
        values.tofile(file)


def write_splats_plyfile(path: Path, columns: list[F32]) -> None:
    """The same through plyfile, which is given a view of that array."""
    from plyfile import PlyData, PlyElement

    names, values = join_splats(columns)
    rows: NDArray[Any] = values.view([(name, "f4") for name in names]).reshape(-1)
    PlyData([PlyElement.describe(rows, "vertex")]).write(str(path))
