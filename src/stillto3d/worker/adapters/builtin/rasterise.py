"""Draw textured meshes as a camera sees them, off screen: colours as they are, distances, who is where."""

from __future__ import annotations

import math
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple

import numpy as np

from ...errors import BadInput

FARTHEST_RATIO = 1e5  # far plane over near plane: 24 bits of depth hold no more
LONGEST_SIDE = 16384  # pixels on a side
MOST_MESHES = 65535  # ids are u16 and 0 is "nothing"
MESH_ARRAYS = ("positions", "faces", "uvs", "corner_uvs", "texture", "colors")

Arrays = dict[str, np.ndarray]


class View(NamedTuple):
    """A pinhole camera: size and intrinsics in pixels, and its pose in the meshes' frame."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    camera_from_world: np.ndarray  # f64[4,4]; camera axes x right, y up, looking along -z

    @classmethod
    def read(cls, camera: dict[str, Any]) -> View:
        """The camera as the host words it; refuses one that cannot see."""
        try:
            width, height = int(camera["width"]), int(camera["height"])
            fx, fy, cx, cy = (float(camera[name]) for name in ("fx", "fy", "cx", "cy"))
            pose = np.asarray(camera["world_from_camera"], dtype=np.float64).reshape(4, 4)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput("The camera lacks a size, a focal length or a pose; solve it again.") from error
        if not (0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE):
            raise BadInput(
                "A picture of {width} x {height} pixels cannot be drawn; choose 1 to {most} pixels on each side.",
                width=width,
                height=height,
                most=LONGEST_SIDE,
            )
        if not (np.isfinite([fx, fy, cx, cy]).all() and fx > 0 and fy > 0 and np.isfinite(pose).all()):
            raise BadInput("The camera holds a number that is not finite, or no focal length; solve it again.")
        if abs(np.linalg.det(pose)) < 1e-12:
            raise BadInput("The camera's pose is not a rotation and a position; solve it again.")
        return cls(width, height, fx, fy, cx, cy, np.linalg.inv(pose))

    def project(self, near: float, far: float) -> np.ndarray:
        """The OpenGL projection f64[4,4] of this pinhole between two planes (metres)."""
        return np.array(
            [
                [2 * self.fx / self.width, 0, 1 - 2 * self.cx / self.width, 0],
                [0, 2 * self.fy / self.height, 2 * self.cy / self.height - 1, 0],
                [0, 0, (near + far) / (near - far), 2 * near * far / (near - far)],
                [0, 0, -1, 0],
            ]
        )


class Piece(NamedTuple):
    """One mesh, standing in camera axes and ready to be uploaded."""

    number: int  # its place in the caller's list
    positions: np.ndarray  # f32[n,3] metres, camera axes (x right, y up, looking along -z)
    faces: np.ndarray  # i32[m,3]
    uvs: np.ndarray | None  # f32[n,2], (0,0) = the texture's top-left corner
    texture: np.ndarray | None  # u8[h,w,3]
    colors: np.ndarray | None  # u8[n,3]


def read_piece(index: int, arrays: Arrays, transform: Any, view: View) -> Piece | None:
    """Mesh `index` of the call, checked and moved into camera axes; None where there is nothing to draw."""
    mesh = {name: arrays[key] for name in MESH_ARRAYS if (key := f"{index}.{name}") in arrays}
    if "positions" not in mesh or "faces" not in mesh:
        raise BadInput("Mesh {index} has no positions or no faces.", index=index)
    positions, faces = mesh["positions"].reshape(-1, 3), mesh["faces"].reshape(-1, 3)
    if not len(faces):
        return None
    if not np.isfinite(positions).all():
        raise BadInput("Mesh {index} holds positions that are not finite.", index=index)
    if faces.min() < 0 or faces.max() >= len(positions):
        raise BadInput("A face of mesh {index} names a vertex that does not exist.", index=index)
    placed = view.camera_from_world
    if transform is not None:
        placed = placed @ np.asarray(transform, dtype=np.float64).reshape(4, 4)
    if not np.isfinite(placed).all():
        raise BadInput("The place of mesh {index} is not finite.", index=index)
    positions = (positions @ placed[:3, :3].T + placed[:3, 3]).astype(np.float32)
    uvs, colors, texture = mesh.get("uvs"), mesh.get("colors"), mesh.get("texture")
    if "corner_uvs" in mesh:
        corners = faces.reshape(-1)
        positions, colors = positions[corners], None if colors is None else colors[corners]
        uvs, faces = mesh["corner_uvs"].reshape(-1, 2), np.arange(len(corners)).reshape(-1, 3)
    if texture is not None and texture.size:
        if uvs is None or len(uvs) != len(positions) or not np.isfinite(uvs).all():
            raise BadInput("Mesh {index} has a texture, but no finite texture coordinate for each vertex.", index=index)
        return Piece(index, positions, faces.astype(np.int32), uvs.astype(np.float32), texture, None)
    if colors is not None and len(colors) != len(positions):
        raise BadInput(
            "Mesh {index} has {colours} colours for {vertices} vertices.",
            index=index,
            colours=len(colors),
            vertices=len(positions),
        )
    return Piece(index, positions, faces.astype(np.int32), None, None, colors)


def choose_planes(pieces: list[Piece]) -> tuple[float, float] | None:
    """The near and far plane (metres) that hold what lies before the camera; None if nothing does."""
    nearest, farthest = np.inf, 0.0
    for piece in pieces:
        distances = -piece.positions[piece.faces.reshape(-1), 2]
        nearest, farthest = min(nearest, float(distances.min())), max(farthest, float(distances.max()))
    if farthest <= 0:
        return None
    farthest *= 1.001
    return max(nearest * 0.999, farthest / FARTHEST_RATIO), farthest


class Rasteriser:
    """One off-screen OpenGL window, kept from call to call."""

    def __init__(self, device: str) -> None:
        from vtkmodules.vtkRenderingOpenGL2 import vtkTextureObject

        self.window = open_window(device)
        self.window.Initialize()
        self.texture_limit = vtkTextureObject.GetMaximumTextureSize(self.window)

    def render(self, arrays: Arrays, params: dict[str, Any], tick: Callable[..., None]) -> dict[str, Any]:
        """The meshes `k.*` seen by `params["camera"]`.

        Per mesh k: `k.positions` f32[n,3] metres; `k.faces` u32[m,3]; then `k.uvs` f32[n,2] or `k.corner_uvs`
        f32[m,3,2] with `k.texture` u8[h,w,3], or `k.colors` u8[n,3], or neither (white). `params`: `meshes`
        [{transform: 4x4 row-major, world from mesh, else identity}], `camera` {width, height, fx, fy, cx, cy,
        world_from_camera: 4x4, looking along -z, y up}, `background` [r, g, b] 0..255, `wants` of color,
        depth, ids. Answers rgba u8[H,W,4] (unlit; alpha 255 where there is a mesh), depth f32[H,W] (metres
        along the axis; 0 = nothing), ids u16[H,W] (0 = nothing, else k+1).
        """
        wants = params.get("wants", ["color"])
        answer: Arrays = {}
        with self.set_stage(arrays, params) as stage:
            tick(1, 4)
            if "color" in wants or "depth" in wants:
                pixels, depth = stage.shoot(), stage.read_depth()
            if "color" in wants:
                answer["rgba"] = np.dstack([pixels, np.where(depth > 0, np.uint8(255), np.uint8(0))])
            if "depth" in wants:
                answer["depth"] = depth
            tick(3, 4)
            if "ids" in wants:
                answer["ids"] = stage.shoot_ids()
        tick(4, 4)
        return answer

    def match(self, arrays: Arrays, params: dict[str, Any], tick: Callable[..., None]) -> dict[str, Any]:
        """How meshes seen by the still's camera agree with the still u8[H,W,3] and with masks.

        Meshes as `render` takes them; the first `params["scenes"]` are the set, each other mesh k is a prop
        with the mask `k.mask` u8[H,W]. Answers psnr_db of the whole picture (all meshes, `background` behind;
        200 = equal) and silhouette_iou f32[props], each prop drawn alone against its mask at one half.
        """
        still, first, count = arrays["still"], int(params["scenes"]), len(params["meshes"])
        overlaps = []
        with self.set_stage(arrays, params) as stage:
            if still.shape[:2] != stage.shape:
                raise BadInput("The still and its camera differ in size; solve the camera again.")
            psnr = measure_psnr(stage.shoot(), still)
            for k in range(first, count):
                tick(k - first + 1, count - first + 1)
                overlaps.append(measure_iou(stage.shoot_silhouette(k), arrays[f"{k}.mask"] >= 128))
        tick(1, 1)
        return {"psnr_db": psnr, "silhouette_iou": np.array(overlaps, dtype=np.float32)}

    @contextmanager
    def set_stage(self, arrays: Arrays, params: dict[str, Any]) -> Iterator[Stage]:
        """The call's meshes before its camera; they are given back at the end."""
        view, meshes = View.read(params["camera"]), params["meshes"]
        if len(meshes) > MOST_MESHES:
            raise BadInput(
                "{count} meshes are too many to draw at once; {most} is the most.",
                count=len(meshes),
                most=MOST_MESHES,
            )
        read = (read_piece(k, arrays, mesh.get("transform"), view) for k, mesh in enumerate(meshes))
        pieces = [piece for piece in read if piece is not None]
        background = np.asarray(params.get("background", (0, 0, 0)), dtype=np.uint8).reshape(3)
        planes = choose_planes(pieces)
        stage = Stage(self.window, view, planes or (0.1, 1.0), background)
        try:
            for piece in pieces if planes else ():
                stage.add(piece, self.texture_limit)
            yield stage
        finally:
            stage.close()


def measure_psnr(seen: np.ndarray, still: np.ndarray) -> float:
    """Peak signal to noise of two pictures u8[H,W,3] in dB; 200 when they are equal."""
    difference = np.subtract(seen, still, dtype=np.int16).reshape(-1)
    squares = sum(
        float(np.square(part, dtype=np.int32).sum(dtype=np.int64))
        for part in np.array_split(difference, 1 + difference.size // (1 << 20))
    )
    return min(200.0, 10 * math.log10(255**2 * difference.size / squares)) if squares else 200.0


def measure_iou(seen: np.ndarray, mask: np.ndarray) -> float:
    """Intersection over union of two bool[H,W]; 1 when both are empty."""
    union = np.count_nonzero(seen | mask)
    return np.count_nonzero(seen & mask) / union if union else 1.0


def open_window(device: str) -> Any:
    """A window that needs no display: software Mesa for "cpu", else the GPU through EGL."""
    from vtkmodules import vtkRenderingOpenGL2
    from vtkmodules.vtkCommonCore import vtkObject
    from vtkmodules.vtkRenderingCore import vtkRenderWindow

    names = ["vtkOSOpenGLRenderWindow", "vtkEGLRenderWindow"]
    kinds = [getattr(vtkRenderingOpenGL2, name) for name in names if hasattr(vtkRenderingOpenGL2, name)] or [
        vtkRenderWindow
    ]
    vtkObject.GlobalWarningDisplayOff()  # a kind that this machine lacks complains at length
    try:
        for kind in kinds if device == "cpu" else reversed(kinds):
            window = kind()
            window.SetOffScreenRendering(True)
            window.SetMultiSamples(0)
            if window.SupportsOpenGL():
                return window
    finally:
        vtkObject.GlobalWarningDisplayOn()
    raise BadInput("Nothing can be drawn: OpenGL is missing. Install Mesa (libosmesa6 or libegl1).")


class Stage:
    """What one call draws: its meshes and its view, taken down again by `close`."""

    def __init__(self, window: Any, view: View, planes: tuple[float, float], background: np.ndarray) -> None:
        from vtkmodules.vtkCommonMath import vtkMatrix4x4
        from vtkmodules.vtkRenderingCore import vtkRenderer

        self._window, self._planes = window, planes
        self.shape = (view.height, view.width)
        self._renderer = vtkRenderer()
        self._renderer.SetBackground(*(float(value) / 255 for value in background))
        self._actors: list[tuple[int, Any]] = []
        window.AddRenderer(self._renderer)
        window.SetSize(view.width, view.height)
        # The meshes already stand in camera axes, in double precision: VTK's own camera stays at the origin.
        camera = self._renderer.GetActiveCamera()
        camera.SetPosition(0, 0, 0)
        camera.SetFocalPoint(0, 0, -1)
        camera.SetViewUp(0, 1, 0)
        camera.SetClippingRange(*planes)
        projection = vtkMatrix4x4()
        projection.DeepCopy(view.project(*planes).reshape(-1).tolist())
        camera.SetExplicitProjectionTransformMatrix(projection)
        camera.UseExplicitProjectionTransformMatrixOn()

    def add(self, piece: Piece, texture_limit: int) -> None:
        """Put a mesh on the stage, both of its sides visible, unlit."""
        from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

        mapper = vtkPolyDataMapper()
        mapper.SetInputDataObject(build_poly_data(piece))
        mapper.SetScalarVisibility(piece.colors is not None)
        mapper.SetColorModeToDirectScalars()
        actor = vtkActor()
        actor.SetMapper(mapper)
        appearance = actor.GetProperty()
        appearance.LightingOff()
        appearance.SetInterpolationToFlat()
        appearance.BackfaceCullingOff()
        if piece.texture is not None:
            actor.SetTexture(build_texture(piece.texture, texture_limit))
        self._renderer.AddActor(actor)
        self._actors.append((piece.number, actor))

    def shoot(self) -> np.ndarray:
        """Draw and read the colours back: u8[H,W,3], top row first."""
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

        height, width = self.shape
        self._window.Render()
        pixels = vtkUnsignedCharArray()
        self._window.GetPixelData(0, 0, width - 1, height - 1, 0, pixels, 0)
        return np.ascontiguousarray(vtk_to_numpy(pixels).reshape(height, width, 3)[::-1])

    def read_depth(self) -> np.ndarray:
        """Metres along the axis in the last picture: f32[H,W], top row first, 0 where nothing was drawn."""
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonCore import vtkFloatArray

        height, width = self.shape
        buffer = vtkFloatArray()
        self._window.GetZbufferData(0, 0, width - 1, height - 1, buffer)
        # Compute in double precision: the buffer is densest next to 1.
        z = vtk_to_numpy(buffer).reshape(height, width)[::-1].astype(np.float64)
        near, far = self._planes
        return np.where(z < 1, near * far / (far - z * (far - near)), 0).astype(np.float32)

    def shoot_silhouette(self, number: int) -> np.ndarray:
        """Where mesh `number` would be seen alone: bool[H,W]."""
        for other, actor in self._actors:
            actor.SetVisibility(other == number)
        self._window.Render()
        return self.read_depth() > 0

    def shoot_ids(self) -> np.ndarray:
        """Which mesh each pixel shows: u16[H,W], 0 = none, else its place in the list + 1."""
        self._renderer.SetBackground(0, 0, 0)
        for number, actor in self._actors:
            high, low = divmod(number + 1, 256)
            actor.SetTexture(None)
            actor.GetMapper().ScalarVisibilityOff()
            actor.GetProperty().SetColor(high / 255, low / 255, 0)
        pixels = self.shoot().astype(np.uint16)
        return pixels[..., 0] * np.uint16(256) + pixels[..., 1]

    def close(self) -> None:
        """Give the memory of the meshes and textures back."""
        self._renderer.RemoveAllViewProps()
        self._renderer.ReleaseGraphicsResources(self._window)
        self._window.RemoveRenderer(self._renderer)
        self._actors.clear()


def build_poly_data(piece: Piece) -> Any:
    """The mesh as VTK holds it."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    points, cells, poly_data = vtkPoints(), vtkCellArray(), vtkPolyData()
    points.SetData(numpy_to_vtk(piece.positions, deep=True))
    cells.SetData(3, numpy_to_vtk(piece.faces.reshape(-1), deep=True))
    poly_data.SetPoints(points)
    poly_data.SetPolys(cells)
    if piece.uvs is not None:
        poly_data.GetPointData().SetTCoords(numpy_to_vtk(piece.uvs, deep=True))
    if piece.colors is not None:
        poly_data.GetPointData().SetScalars(numpy_to_vtk(piece.colors, deep=True))
    return poly_data


def build_texture(pixels: np.ndarray, limit: int) -> Any:
    """A texture of u8[h,w,3], linear between pixels, its edge continued, reduced to `limit`."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkRenderingCore import vtkTexture

    if max(pixels.shape[:2]) > limit:
        import cv2

        scale = limit / max(pixels.shape[:2])
        size = [max(1, int(n * scale)) for n in pixels.shape[1::-1]]
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    height, width = pixels.shape[:2]
    image, texture = vtkImageData(), vtkTexture()
    image.SetDimensions(width, height, 1)  # OpenGL's v = 0 is the first row, as glTF's is
    image.GetPointData().SetScalars(numpy_to_vtk(pixels.reshape(-1, pixels.shape[2]), deep=True))
    texture.SetInputDataObject(image)
    texture.SetColorModeToDirectScalars()
    texture.InterpolateOn()
    texture.MipmapOff()
    texture.SetWrap(vtkTexture.ClampToEdge)
    return texture


def load(weights: Path | None, device: str) -> dict[str, Callable[..., dict[str, Any]]]:
    """The rasteriser's operations; it needs no weights."""
    rasteriser = Rasteriser(device)
    return {"render": rasteriser.render, "match": rasteriser.match}
