"""USD from anywhere: meshes, points, splats and cameras of one file; what leads out of it is refused.

Ops
    read_usd  params path (os.fsdecode text) -> up "Y"|"Z", metres (per scene unit), items [{kind, name, matrix 4x4 (row
              vectors, to the world), ...}]; arrays of item k: "k.positions", "k.faces", "k.corner_uvs", "k.colors",
              "k.observed"; of splats "k.means", "k.scales", "k.rotations" (wxyz), "k.opacity", "k.sh"
A mesh's item names its texture, "texture.N" u8[h, w, 3], by its number, and so its maps: "surface" (occlusion,
roughness, metallic in red, green, blue) and "normals"; beside them the factors "roughness" and "metallic", and "unlit".
A camera's item holds focal, aperture [2] and offset [2] in the stage's tenths of a unit, and resolution [2] if told.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any, Iterator

import numpy as np

from ...errors import BadInput
from .decoded import Limits

MAX_BYTES = 2_000_000_000
MAX_ITEMS = 10_000
MAX_PRIMS = 1_000_000
MAX_ELEMENTS = 1 << 27
MAX_TEXTURE_BYTES = 1 << 30
RATIO = 1000  # a crate is compressed: a value may be so many times as large as the file

OUTSIDE = "This USD refers to other files, which are not opened. Flatten it into one file first."
DAMAGED = "This USD is damaged and cannot be read. Export it again."


def read_usd(arrays: dict[str, np.ndarray], params: dict[str, Any], tick: Any) -> dict[str, Any]:
    """What the stage at params["path"] shows at its first moment. Raises BadInput with a sentence."""
    from .codecs import open_still

    path = str(params["path"])
    with open_still(path, Limits(max_bytes=MAX_BYTES)) as file:
        head = file.read(8)
    if not (head.startswith((b"PXR-USDC", b"#usda", b"PK\x03\x04"))):
        raise BadInput("This is no USD. Export it as .usdc, .usda or .usdz.")
    if head.startswith(b"PK"):
        _check_package(path)
    from pxr import Tf

    try:
        return _Stage(path).read(tick)
    except (Tf.ErrorException, UnicodeError, RuntimeError, ValueError) as error:
        raise BadInput(DAMAGED) from error


def _check_package(path: str) -> None:
    """A .usdz is a ZIP of stored members with plain relative names, each once."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist()]
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadInput(DAMAGED) from error
    if not names or len(set(names)) != len(names) or not stored or any(not _is_inside(name) for name in names):
        raise BadInput(DAMAGED)


def _is_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts and ":" not in name and "\\" not in name


class _Stage:
    """One opened stage and what has been taken out of it."""

    def __init__(self, path: str) -> None:
        from pxr import Sdf, Usd

        self.folder = Path(path).parent
        self.package = path if path.lower().endswith(".usdz") else ""
        layer = Sdf.Layer.OpenAsAnonymous(path)  # a layer of a name would be kept, and the file may change
        if layer is None:
            raise BadInput(DAMAGED)
        self._refuse_outside(layer)
        self.stage = Usd.Stage.Open(layer, Usd.Stage.LoadNone)
        self.items: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {}
        self.textures: dict[str, int | None] = {}
        self.elements = self.texture_bytes = 0

    def _refuse_outside(self, layer: Any) -> None:
        """Composition stays within the one file: no sublayers, and references only to its own prims."""
        if layer.subLayerPaths:
            raise BadInput(OUTSIDE)
        count = 0

        def visit(path: Any) -> None:
            nonlocal count
            count += 1
            if count > MAX_PRIMS:
                raise BadInput("This USD holds more than can be opened. Export less of it.")
            spec = layer.GetPrimAtPath(path) if path.IsPrimPath() or path.IsPrimVariantSelectionPath() else None
            if spec is None:
                return
            for listed in (spec.referenceList, spec.payloadList):
                if any(item.assetPath for item in listed.GetAddedOrExplicitItems()):
                    raise BadInput(OUTSIDE)
            if spec.HasInfo("clips"):
                raise BadInput(OUTSIDE)

        layer.Traverse("/", visit)

    # ------------------------------------------------------------------ the walk

    def read(self, tick: Any) -> dict[str, Any]:
        from pxr import Usd, UsdGeom

        cache = UsdGeom.XformCache(Usd.TimeCode.EarliestTime())
        prims = list(self._walk())
        for k, prim in enumerate(prims):
            tick(k, len(prims))
            item = self._read_prim(prim)
            if item is None:
                continue
            matrix = np.array(cache.GetLocalToWorldTransform(prim), dtype=np.float64)
            if not np.isfinite(matrix).all():
                raise BadInput(DAMAGED)
            name = prim.GetDisplayName() or self._find_name(prim)
            self.items.append({**item, "name": str(name)[:200], "matrix": matrix.tolist()})
            if len(self.items) > MAX_ITEMS:
                raise BadInput("This file holds more objects than can be opened. Join some of them first.")
        return {
            **self.answer,
            "items": self.items,
            "up": str(UsdGeom.GetStageUpAxis(self.stage)),
            "metres": float(UsdGeom.GetStageMetersPerUnit(self.stage)),
        }

    def _walk(self) -> Iterator[Any]:
        from pxr import Usd, UsdGeom

        for prim in self.stage.Traverse(Usd.TraverseInstanceProxies()):
            image = UsdGeom.Imageable(prim)
            if image and image.ComputeVisibility(Usd.TimeCode.EarliestTime()) != UsdGeom.Tokens.invisible:
                yield prim

    @staticmethod
    def _find_name(prim: Any) -> str:
        """A component's name, if the prim is its only geometry, else its own."""
        from pxr import Kind, Usd

        parent = prim.GetParent()
        if parent and Usd.ModelAPI(parent).GetKind() == Kind.Tokens.component:
            return str(parent.GetDisplayName() or parent.GetName())
        return str(prim.GetName())

    def _read_prim(self, prim: Any) -> dict[str, Any] | None:
        from pxr import UsdGeom

        if prim.IsA(UsdGeom.Mesh):
            return self._read_mesh(prim)
        if prim.GetTypeName() == "ParticleField3DGaussianSplat":
            return self._read_splats(prim)
        if prim.IsA(UsdGeom.Points):
            return self._read_points(prim)
        if prim.IsA(UsdGeom.Camera):
            return self._read_camera(prim)
        return None

    def _put(self, **arrays: Any) -> None:
        for name, array in arrays.items():
            if array is not None:
                self.answer[f"{len(self.items)}.{name}"] = np.ascontiguousarray(array)

    def _get(self, prim: Any, name: str, width: int = 1) -> np.ndarray | None:
        """An attribute's values [n, width] (or [n]) at the first moment; None where there are none."""
        from pxr import Usd

        attribute = prim.GetAttribute(name)
        value = attribute.Get(Usd.TimeCode.EarliestTime()) if attribute else None
        if value is None:
            return None
        array = np.array(value)
        self.elements += array.size
        if self.elements > MAX_ELEMENTS:
            raise BadInput("This mesh is larger than can be opened. Reduce it first.")
        if array.size and array.shape[1:] != ((width,) if width > 1 else ()):
            raise BadInput(DAMAGED)
        return array.reshape(-1, width) if width > 1 else array.reshape(-1)

    # ------------------------------------------------------------------ geometry

    def _read_mesh(self, prim: Any) -> dict[str, Any] | None:
        points, counts = self._get(prim, "points", 3), self._get(prim, "faceVertexCounts")
        corners = self._get(prim, "faceVertexIndices")
        if points is None or counts is None or corners is None or not len(counts):
            return None
        if counts.min() < 0 or counts.sum() != len(corners) or (len(corners) and corners.min() < 0):
            raise BadInput(DAMAGED)
        if len(corners) and corners.max() >= len(points):
            raise BadInput("This file is damaged: a face names a vertex that does not exist. Export it again.")
        fans, face = _cut_fans(counts.astype(np.int64))
        if prim.GetAttribute("orientation").Get() == "leftHanded":
            fans = fans[:, ::-1]
        uvs = self._read_uvs(prim, corners, face, fans, len(points), len(counts))
        texture, told = (None, {}) if uvs is None else self._read_material(prim)
        colors = None if texture is not None else self._read_colors(prim, len(points))
        self._put(
            positions=points.astype(np.float32),
            faces=corners[fans].astype(np.uint32),
            corner_uvs=uvs if texture is not None else None,
            colors=colors,
            observed=self._read_observed(prim, len(points)),
        )
        return {"kind": "mesh", "texture": texture, **(told if texture is not None else {})}

    def _read_uvs(
        self, prim: Any, corners: np.ndarray, face: np.ndarray, fans: np.ndarray, points: int, faces: int
    ) -> np.ndarray | None:
        """Corner uvs f32[m, 3, 2], v running down; None without texture coordinates."""
        from pxr import Sdf, UsdGeom

        api = UsdGeom.PrimvarsAPI(prim)
        kinds = (Sdf.ValueTypeNames.TexCoord2fArray, Sdf.ValueTypeNames.Float2Array)
        there = [p for p in api.GetPrimvars() if p.GetTypeName() in kinds and p.HasValue()]
        chosen = sorted(there, key=lambda p: (p.GetPrimvarName() not in ("st", "UVMap", "uv"), p.GetPrimvarName()))
        if not chosen:
            return None
        values = np.array(chosen[0].ComputeFlattened() or [], dtype=np.float32).reshape(-1, 2)
        at = {"vertex": corners[fans], "varying": corners[fans], "faceVarying": fans}
        which = at.get(chosen[0].GetInterpolation())
        if which is None or not len(values) or (which.size and which.max() >= len(values)):
            return None
        flipped: np.ndarray = values[which] * np.array((1, -1), np.float32) + np.array((0, 1), np.float32)
        return flipped

    def _read_points(self, prim: Any) -> dict[str, Any] | None:
        points = self._get(prim, "points", 3)
        if points is None or not len(points):
            return None
        observed = self._read_observed(prim, len(points))
        self._put(positions=points.astype(np.float32), colors=self._read_colors(prim, len(points)), observed=observed)
        return {"kind": "points"}

    def _read_splats(self, prim: Any) -> dict[str, Any] | None:
        means = self._get(prim, "positions", 3)
        means = self._get(prim, "positionsh", 3) if means is None or not len(means) else means
        if means is None or not len(means):
            return None
        n = len(means)

        def get(name: str, width: int, default: float) -> np.ndarray:
            for key in (name, f"{name}h"):
                values = self._get(prim, key, width)
                if values is not None and len(values) == n:
                    return values.astype(np.float32)
            return np.full((n, width) if width > 1 else n, default, np.float32)

        turned = prim.GetAttribute("orientations").Get()
        if turned is None or len(turned) != n:
            turned = prim.GetAttribute("orientationsh").Get()
        rotations = np.tile(np.array((1, 0, 0, 0), np.float32), (n, 1))
        if turned is not None and len(turned) == n:
            rotations = np.array(turned, dtype=np.float32).reshape(n, 4)[:, [3, 0, 1, 2]]
        harmonics = self._get(prim, "radiance:sphericalHarmonicsCoefficients", 3)
        if harmonics is None or not len(harmonics):
            harmonics = self._get(prim, "radiance:sphericalHarmonicsCoefficientsh", 3)
        k = 0 if harmonics is None else len(harmonics) // n
        if harmonics is None or k not in (1, 4, 9, 16) or len(harmonics) != k * n:
            sh = np.zeros((n, 1, 3), np.float32)
        else:
            sh = harmonics.astype(np.float32).reshape(n, k, 3)
        self._put(
            means=means.astype(np.float32),
            scales=get("scales", 3, 0.01),
            rotations=rotations,
            opacity=get("opacities", 1, 1.0),
            sh=sh,
        )
        return {"kind": "splats"}

    def _read_colors(self, prim: Any, points: int) -> np.ndarray | None:
        """displayColor, which is linear, as sRGB bytes for each vertex."""
        from pxr import UsdGeom

        from . import colour

        primvar = UsdGeom.PrimvarsAPI(prim).GetPrimvar("displayColor")
        value = primvar.ComputeFlattened() if primvar and primvar.HasValue() else None
        if value is None:
            return None
        colors = np.nan_to_num(np.array(value, dtype=np.float64).reshape(-1, 3))
        if len(colors) not in (1, points):
            return None
        encoded = np.rint(colour.encode_srgb(colors) * 255).astype(np.uint8)
        return np.broadcast_to(encoded, (points, 3))

    def _read_observed(self, prim: Any, points: int) -> np.ndarray | None:
        values = self._get(prim, "primvars:observed")
        return (values > 0.5).astype(np.uint8) if values is not None and len(values) == points else None

    # ------------------------------------------------------------------ materials

    def _read_material(self, prim: Any) -> tuple[int | None, dict[str, Any]]:
        """The number of the picture that colours the prim (of its surface's diffuse or emissive colour), and the rest.

        Channels that a UsdPreviewSurface reads from pictures go into one map, each from its own place.
        """
        from pxr import UsdShade

        material, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
        surface = material.ComputeSurfaceSource()[0] if material else None
        if not surface:
            return None, {}
        texture, unlit = None, False
        for name in ("diffuseColor", "emissiveColor"):
            found = self._find_picture(surface, name)
            if texture is None and found is not None:
                texture, unlit = self._read_texture(found[0]), name == "emissiveColor"
        told: dict[str, Any] = {"unlit": unlit}
        parts = {name: self._find_picture(surface, name) for name in ("occlusion", "roughness", "metallic")}
        for name in ("roughness", "metallic"):
            told[name] = _read_share(surface, name, parts[name])
        packed = self._pack_surface(parts)
        if packed is not None:
            told["surface"] = packed
        relief = self._find_picture(surface, "normal")
        number = None if relief is None else self._read_texture(relief[0])
        return texture, told | ({} if number is None else {"normals": number})

    @staticmethod
    def _find_picture(surface: Any, name: str) -> tuple[str, str, Any] | None:
        """The file that feeds a surface's input, the channel that it reads, and the shader."""
        from pxr import UsdShade

        entry = surface.GetInput(name)
        for found in entry.GetConnectedSources()[0] if entry else []:
            shader = UsdShade.Shader(found.source.GetPrim())
            file = shader.GetInput("file")
            asset = file.Get() if file else None
            if asset is not None:
                return str(asset.path), str(found.sourceName), shader
        return None

    def _pack_surface(self, parts: dict[str, Any]) -> int | None:
        """The number of the map made of these channels; white where a channel has none."""
        key = repr([None if part is None else part[:2] for part in parts.values()])
        if all(part is None for part in parts.values()):
            return None
        if key not in self.textures:
            numbers = [None if part is None else self._read_texture(part[0]) for part in parts.values()]
            pictures = [None if n is None else self.answer[f"texture.{n}"] for n in numbers]
            sizes = {picture.shape[:2] for picture in pictures if picture is not None}
            if len(sizes) != 1:  # none could be read, or they do not lie on each other
                self.textures[key] = None
                return None
            packed = np.full((*sizes.pop(), 3), 255, np.uint8)
            for k, (part, picture) in enumerate(zip(parts.values(), pictures)):
                if picture is not None:
                    packed[..., k] = picture[..., max(0, "rgb".find(part[1][:1]))]
            self.textures[key] = len(self.textures)
            self.answer[f"texture.{self.textures[key]}"] = self._count_texture(packed)
        return self.textures[key]

    def _read_texture(self, name: str) -> int | None:
        """A picture beside the file or inside the package; None for one that lies elsewhere or is none."""
        if name not in self.textures:
            pixels = self._open_texture(name.removeprefix("./"))
            self.textures[name] = None if pixels is None else len(self.textures)
            if pixels is not None:
                self.answer[f"texture.{self.textures[name]}"] = pixels
        return self.textures[name]

    def _open_texture(self, name: str) -> np.ndarray | None:
        from . import codecs

        if not _is_inside(name):
            return None
        try:
            if self.package:
                with zipfile.ZipFile(self.package) as archive:
                    data = archive.read(name)
            else:
                file = self.folder / name
                if not file.resolve().is_relative_to(self.folder.resolve()):
                    return None
                with codecs.open_still(os.fspath(file), Limits()) as opened:
                    data = opened.read()
            still = codecs.decode_bytes({"bytes": np.frombuffer(data, np.uint8)}, {}, lambda i, n: None)
        except (BadInput, KeyError, OSError):
            return None
        return self._count_texture(still["pixels"])

    def _count_texture(self, pixels: np.ndarray) -> np.ndarray:
        self.texture_bytes += pixels.nbytes
        if self.texture_bytes > MAX_TEXTURE_BYTES:
            raise BadInput("The textures of this file are larger than can be opened. Scale them down first.")
        return pixels

    # ------------------------------------------------------------------ cameras

    def _read_camera(self, prim: Any) -> dict[str, Any] | None:
        from pxr import Usd, UsdGeom

        camera = UsdGeom.Camera(prim)
        start = Usd.TimeCode.EarliestTime()
        if camera.GetProjectionAttr().Get(start) == UsdGeom.Tokens.orthographic:
            return None
        names = ["focalLength", "horizontalAperture", "verticalAperture"]
        names += ["horizontalApertureOffset", "verticalApertureOffset"]
        focal, width, height, left, up = (float(prim.GetAttribute(name).Get(start)) for name in names)
        if not all(np.isfinite(v) for v in (focal, width, height, left, up)) or min(focal, width, height) <= 0:
            return None
        item = {"kind": "camera", "focal": focal, "aperture": [width, height], "offset": [left, up]}
        told = prim.GetCustomDataByKey("stillto3d") or {}
        size = [told.get("width"), told.get("height")]
        if all(isinstance(v, int) and 0 < v < 1 << 20 for v in size):
            item["resolution"] = size
        return item


def _read_share(surface: Any, name: str, picture: Any) -> float:
    """A surface's roughness or metallic: what its picture is scaled by, else its value, else USD's own default."""
    if picture is not None:
        scale = picture[2].GetInput("scale")
        values = scale.Get() if scale else None
        value = 1.0 if values is None else values[max(0, "rgba".find(picture[1][:1]))]
    else:
        entry = surface.GetInput(name)
        value = entry.Get() if entry else None
        value = {"roughness": 0.5, "metallic": 0.0}[name] if value is None else value
    return min(1.0, max(0.0, float(value))) if np.isfinite(float(value)) else 1.0


def _cut_fans(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Polygons as fans: for every triangle its three corners (as offsets into the list of all) and its face."""
    starts = np.cumsum(counts) - counts
    triangles = np.maximum(counts - 2, 0)
    face = np.repeat(np.arange(len(counts)), triangles)
    k = np.arange(len(face)) - np.repeat(np.cumsum(triangles) - triangles, triangles)
    first = starts[face]
    return np.stack([first, first + k + 1, first + k + 2], axis=1), face
