"""USD (.usda, .usdc, .usdz) through usd-core: the shot as an assembly of components, in metres, Y up.

A component holds its geometry, its material and, as variants, what readers may choose: `rep` (splats or points),
`lod` (coarser meshes), `look` (the still's light as it is, or lit anew). Textures lie in `<name>_textures/`, or
inside a .usdz, which holds no splats.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import EncodeImage, WritePlate
from ..project.geometry import Geometry, Material, Mesh, Splats
from ..project.project import Layer, Project, Shot
from ..project.still import U8
from ..words import tr
from .about import About, compose_xmp, describe_project, insert_xmp
from .gather import convert_splats, list_visible, repeats_texture
from .glb_document import choose_encoding
from .lods import reduce_geometry
from .options import AS_THEY_ARE, WriteOptions
from .plate import LINEAR, describe_attributes, find_plate_samples, is_linear
from .staging import name_file, name_files, stage_set
from .strict_json import clean_text
from .usd_prims import (
    Settle,
    define_camera,
    define_component,
    define_maps,
    define_material,
    define_mesh,
    define_points,
    define_root,
    define_splats,
    name_prim,
    use_variant,
)

_PACKAGE, _MAIN = "package", "scene"
_SUFFIXES = {"jpeg": "jpg", "png": "png"}
_PART, _SHARE = 1 << 20, 8  # bytes of a part at least, and as a share of what is written already
_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)


def write_usd(run: Run, project: Project, path: Path, options: WriteOptions = AS_THEY_ARE) -> list[str]:
    """The shot as USD; the suffix says whether as text, binary or package.

    Raises BadInput (a name that USD cannot take, no room for splats), CannotAccess, Cancelled.
    """
    suffix = path.suffix.lower()
    layers = list_visible(project)
    about = describe_project(project, layers)
    notes = []
    with stage_set(path.parent) as staging:
        packed = suffix == ".usdz"
        folder = staging.home / _PACKAGE if packed else staging.folder
        folder.mkdir(exist_ok=True)
        main = folder / f"{_MAIN}{'.usdc' if packed else suffix}"
        if packed and any(isinstance(layer.geometry, Splats) for layer in layers):
            notes.append(tr("A .usdz holds no splats: they were written as points."))
        if packed and any(is_linear(shot) for shot in project.shots):
            notes.append(tr("A .usdz shows the still's light up to white; .usdc, .usda and .exr keep what is above."))
        place = f"{name_file(path.stem)}_textures"
        with _Textures(run, project, about, folder, place, options, packed) as textures, _word_faults():
            with _open_stage(main) as stage:
                _fill_stage(run, stage, project, layers, about, textures, options, packed)
            del stage
            _return_memory()
            textures.finish()
        _return_memory()
        check_usd(main, len(layers))
        if packed:
            with _word_faults():
                _pack(folder, main, textures.files, staging.folder / path.name)
            check_usd(staging.folder / path.name, len(layers))
        else:
            main.rename(staging.folder / path.name)
        staging.commit_beside(run)
    return notes


@contextmanager
def _word_faults() -> Iterator[None]:
    """The system's refusals, which USD tells in its own way, as what they are. Raises OSError."""
    from pxr import Tf

    try:
        yield
    except Tf.ErrorException as error:
        for number in _REFUSALS:
            if os.strerror(number) in str(error):
                raise OSError(number, os.strerror(number)) from error
        raise


@contextmanager
def _open_stage(path: Path) -> Iterator[Any]:
    """A new stage that is saved when the block ends well. Raises BadInput for a name that is not Unicode."""
    from pxr import Usd

    try:
        os.fspath(path).encode("utf-8")
    except UnicodeEncodeError as error:
        message = "USD cannot be written into {path}: its name is not Unicode."
        raise BadInput(message, "Rename the folder.", path=clean_text(str(path.parent))) from error
    stage = Usd.Stage.CreateNew(str(path))
    yield stage
    stage.GetRootLayer().Save()


class _Parts:
    """Saves a crate part by part: USD keeps a copy of every array until then, and none afterwards.

    Each save writes the list of all prims anew, so that a part is no smaller than a share of what is written.
    """

    def __init__(self, stage: Any) -> None:
        layer = stage.GetRootLayer()
        self._layer = layer if layer.GetFileFormat().formatId == "usdc" else None
        self._held = self._written = 0

    def settle(self, count: int) -> None:
        """Of so many bytes more that the stage holds."""
        self._held += count
        if self._layer is not None and self._held >= max(_PART, self._written // _SHARE):
            self._layer.Save()
            self._written += self._held
            self._held = 0


def _return_memory() -> None:
    """Give the system back what USD has freed: glibc would keep it, beside what is allocated next."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def _fill_stage(
    run: Run,
    stage: Any,
    project: Project,
    layers: list[Layer],
    about: About,
    textures: _Textures,
    options: WriteOptions,
    packed: bool,
) -> None:
    root = define_root(stage, about, compose_xmp(about))
    names = [name_prim(layer.name) for layer in layers]
    taken: set[str] = set()
    parts = _Parts(stage)
    for k, shot in enumerate(project.shots):
        if shot.camera is not None:
            name = "camera" if k == 0 else f"camera_{k + 1:02d}"
            taken.add(name)
            define_camera(stage, root.GetPath().AppendChild(name), shot.camera, primary=k == 0 and not packed)
    for k, (layer, name) in enumerate(zip(layers, names, strict=True)):
        part = run.sub(k / len(layers), 1 / len(layers))
        part.check()
        chosen, n = name, 1
        while chosen in taken:
            n += 1
            chosen = f"{name}_{n:02d}"
        taken.add(chosen)
        _add_layer(part, stage, root.GetPath().AppendChild(chosen), layer, textures, options, packed, parts.settle)


def _add_layer(
    run: Run,
    stage: Any,
    path: Any,
    layer: Layer,
    textures: _Textures,
    options: WriteOptions,
    packed: bool,
    settle: Settle,
) -> None:
    geometry = layer.geometry
    assert geometry is not None
    component = define_component(stage, path, layer)
    if isinstance(geometry, Splats):
        points = convert_splats(geometry)
        if packed:
            define_points(stage, path.AppendChild("points"), points, settle)
            return
        for rep in ("splats", "points"):
            with use_variant(component, "rep", rep):
                if rep == "splats":
                    define_splats(stage, path.AppendChild("splats"), geometry, settle)
                else:
                    define_points(stage, path.AppendChild("points"), points, settle)
        return
    material = None
    if isinstance(geometry, Mesh) and geometry.material is not None and _has_uvs(geometry):
        file, linear = textures.write(layer.name, geometry.material)
        uvs = geometry.corner_uvs if geometry.uvs is None else geometry.uvs
        repeat = uvs is not None and repeats_texture(uvs)
        material = define_material(stage, path.AppendChild("material"), geometry.material, file, repeat, linear)
        define_maps(stage, material, geometry.material, textures.write_maps(layer.name, geometry.material), repeat)
    if not isinstance(geometry, Mesh):
        define_points(stage, path.AppendChild("points"), geometry, settle)
        return
    levels = list(_list_levels(run, geometry, options))
    for level, mesh in enumerate(levels):
        if len(levels) == 1:
            define_mesh(stage, path.AppendChild("mesh"), mesh, layer.kind, material, settle)
            continue
        with use_variant(component, "lod", f"lod{level}"):
            define_mesh(stage, path.AppendChild("mesh"), mesh, layer.kind, material, settle)
    if len(levels) > 1:
        component.GetVariantSet("lod").SetVariantSelection("lod0")


def _has_uvs(mesh: Mesh) -> bool:
    return mesh.uvs is not None or mesh.corner_uvs is not None


def _list_levels(run: Run, mesh: Mesh, options: WriteOptions) -> Iterator[Mesh]:
    yield mesh
    for level in range(1, options.lods + 1):
        coarse: Geometry = reduce_geometry(run, mesh, level)
        if isinstance(coarse, Mesh):
            yield coarse


class _Textures:
    """Writes each texture once, under the name of the layer that first shows it.

    The plate of a scene-linear still becomes a scene-linear EXR, unless it is packed. Textures are encoded by a
    worker while the stage is put together: `finish` waits for them, and so does leaving the context.
    """

    def __init__(
        self,
        run: Run,
        project: Project,
        about: About,
        folder: Path,
        place: str,
        options: WriteOptions,
        packed: bool,
    ) -> None:
        self._run, self._project, self._about, self._folder = run, project, about, folder
        self._place = "textures" if packed else place
        self._options, self._packed = options, packed
        self._known: dict[Any, tuple[str, bool]] = {}
        self._names: list[str] = []
        self._encoder = ThreadPoolExecutor(1, "texture")
        self._encoded: dict[str, Future[bytes]] = {}
        self._files: list[str] = []

    def __enter__(self) -> _Textures:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._encoder.shutdown(wait=True, cancel_futures=True)

    @property
    def files(self) -> list[str]:
        """The textures' paths, relative to the stage."""
        return list(self._files)

    def write(self, name: str, material: Material) -> tuple[str, bool]:
        """The path of the material's texture, relative to the stage, and whether it is scene-linear."""
        pixels = material.base_color
        key = _find_key(pixels)
        if key not in self._known:
            self._known[key] = self._start(name, pixels, choose_encoding(pixels, self._options))
        return self._known[key]

    def write_maps(self, name: str, material: Material) -> dict[str, str]:
        """The paths of the maps that a material has beside its colours, by their names there."""
        maps = {key: pixels for key in ("surface", "normals") if (pixels := getattr(material, key)) is not None}
        files = {}
        for key, pixels in maps.items():
            known = _find_key(pixels)
            if known not in self._known:
                kind = "png" if self._options.texture == "auto" else choose_encoding(pixels, self._options)
                self._known[known] = self._start(f"{name}_{key}", pixels, kind)
            files[key] = self._known[known][0]
        return files

    def finish(self) -> None:
        """Write what has been encoded. Raises what went wrong in that."""
        xmp = compose_xmp(self._about)
        for file in self.files:
            path = self._folder / file
            path.parent.mkdir(exist_ok=True)
            with path.open("wb") as out:
                out.writelines(insert_xmp(self._encoded.pop(file).result(), xmp))

    def _start(self, name: str, pixels: U8, kind: str) -> tuple[str, bool]:
        shot = self._find_linear_shot(pixels)
        if kind not in ("jpeg", "png"):
            raise BadInput("USD textures are JPEG or PNG.", "Choose one of them.")
        (chosen,) = name_files([name], self._names)
        self._names.append(chosen)
        if shot is None:
            file = f"{self._place}/{chosen}.{_SUFFIXES[kind]}"
            ask = EncodeImage(pixels, kind, self._options.quality, self._options.texture_size)
            self._encoded[file] = self._encoder.submit(self._run.call, ask)
        else:
            file = f"{self._place}/{chosen}.exr"
            self._encoded[file] = self._encoder.submit(self._encode_linear, shot)
        self._files.append(file)
        return f"./{file}", shot is not None

    def _encode_linear(self, shot: Shot) -> bytes:
        samples, told = find_plate_samples(self._run, shot), describe_attributes(self._about)
        ask = WritePlate(samples.rgb, samples.space, "exr", LINEAR["lin_rec709"], "", told, self._options.texture_size)
        return self._run.call(ask)

    def _find_linear_shot(self, pixels: U8) -> Shot | None:
        """The shot whose clean plate these pixels are, if its still is scene-linear."""
        if self._packed:
            return None
        for shot in self._project.shots:
            plate = shot.clean_plate
            if is_linear(shot) and plate is not None and _find_key(plate) == _find_key(pixels):
                return shot
        return None


def _find_key(pixels: U8) -> tuple[Any, ...]:
    return pixels.__array_interface__["data"][0], pixels.shape, pixels.strides


def check_usd(path: Path, components: int | None = None) -> dict[str, Any]:
    """That a stage of ours opens again whole: its root, its components, meshes that hold together, its textures."""
    from pxr import Usd, UsdGeom, UsdShade

    stage = Usd.Stage.Open(str(path))
    root = stage.GetDefaultPrim() if stage else None
    if not root:
        raise BadInput("{name} is damaged: {what}.", name=path.name, what="it cannot be opened again")
    meshes = 0
    for prim in stage.Traverse():
        if prim.IsA(UsdGeom.Mesh):
            mesh = UsdGeom.Mesh(prim)
            corners = len(mesh.GetFaceVertexIndicesAttr().Get())  # one list at a time: they are long
            if 3 * len(mesh.GetFaceVertexCountsAttr().Get()) != corners:
                raise BadInput("{name} is damaged: {what}.", name=path.name, what="its triangles are not whole")
            meshes += 1
        if prim.IsA(UsdShade.Shader):
            file = UsdShade.Shader(prim).GetInput("file")
            asset = file.Get() if file else None
            if asset is not None and not asset.resolvedPath:
                raise BadInput("{name} is damaged: {what}.", name=path.name, what=f"{asset.path} is missing")
    found = sum(Usd.ModelAPI(prim).IsModel() and not Usd.ModelAPI(prim).IsGroup() for prim in root.GetChildren())
    if components is not None and found != components:
        raise BadInput("{name} is damaged: {what}.", name=path.name, what="it does not hold every layer")
    return {"components": found, "meshes": meshes}


def _pack(folder: Path, main: Path, files: list[str], target: Path) -> None:
    """A .usdz: stored, aligned to 64 bytes, the stage first."""
    from pxr import Sdf

    with Sdf.ZipFileWriter.CreateNew(str(target)) as writer:
        writer.AddFile(str(main), main.name)
        for file in files:
            writer.AddFile(str(folder / file), file)
