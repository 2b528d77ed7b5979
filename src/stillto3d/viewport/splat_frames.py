"""Frames of the splats in view that the project's rasteriser has drawn, laid over the view while it rests."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyvista as pv
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkFloatArray

from ..models.shapes import SplatPicture
from ..project.geometry import Splats, place_splats
from ..project.project import Layer
from ..project.space import Camera
from ..project.still import F32, U8
from .actors import Shading
from .backplate import Front

if TYPE_CHECKING:
    from .scene_view import SceneView

DrawSplats = Callable[[Splats, str, Camera], Awaitable[SplatPicture | None]]
NEARLY = 1.01
"""A splat lies upon a surface, and not behind it, up to so many times its distance."""


class SplatFrames:
    """Asks `draw` for a frame once the view rests; while there is none, the view draws its splats by itself.

    Whatever else is drawn drops the frame, so that it never shows another view than the one it was made of.
    """

    def __init__(self, view: SceneView) -> None:
        self._view = view
        self._front = Front(view.interactor.ren_win, 1)
        self._actor: Any = None
        self._turn = 0
        self._reading = self._asking = self._again = False
        self._gathered: tuple[tuple[Any, ...], Splats, str] | None = None
        self.draw: DrawSplats | None = None
        self.note = ""

    @property
    def shown(self) -> bool:
        """A frame covers the view's own splats."""
        return self._actor is not None

    def drop(self) -> bool:
        """Show the view's own splats again; answers whether a frame was shown."""
        if self._reading:
            return False
        self._turn += 1
        if self._actor is None:
            return False
        self._front.remove(self._actor)
        self._actor = None
        for layer, drawn in self._view.list_splats():
            drawn.actor.SetVisibility(layer.visible)
        return True

    def follow(self, camera: Any) -> None:
        """Look from where another camera does."""
        self._front.follow(camera)

    def close(self) -> None:
        """Leave the window."""
        self.draw = None
        self.drop()
        self._front.close()

    async def refine(self) -> None:
        """Ask for a frame of the view as it is, one after another: whoever asks meanwhile is served by the next."""
        self._again = True
        if self._asking:
            return
        self._asking = True
        try:
            while self._again:
                self._again = False
                await self._ask()
        finally:
            self._asking = False

    async def _ask(self) -> None:
        """One frame, shown if the view is still the same when it comes."""
        view, turn = self._view, self._turn
        layers = [layer for layer, _ in view.list_splats() if layer.visible]
        if self.draw is None or not layers or self.shown or view.shading is not Shading.TEXTURED:
            return
        width, height = view.interactor.ren_win.GetSize()
        camera = magnify(view.view_camera(), width, height)
        splats, name = await view.beside(self._gather, layers)
        picture = await self.draw(splats, name, camera)
        view.tell_share()
        if picture is None:
            return
        pixels = None
        if turn == self._turn and view.isVisible():
            pixels = await view.beside(lay_behind, picture, self._read_depth(width, height))
        if pixels is None or turn != self._turn:
            view.rest_soon()  # something else was drawn meanwhile
            return
        self._show(pixels, camera)

    def _gather(self, layers: Sequence[Layer]) -> tuple[Splats, str]:
        """All splats in the world as one, with a name that stands for them; kept until a layer is another."""
        key = tuple(part for layer in layers for part in (layer.geometry, layer.transform.tobytes()))
        if self._gathered is None or self._gathered[0] != key:
            placed = [place_splats(x.geometry, x.transform) for x in layers if isinstance(x.geometry, Splats)]
            self._gathered = (key, join_splats(placed), uuid.uuid4().hex)
        return self._gathered[1:]

    def _read_depth(self, width: int, height: int) -> F32:
        """Metres along the axis f32[h, w] to what is drawn without the splats, which leave no depth; infinite where
        nothing is."""
        renderer, window = self._view.interactor.renderer, self._view.interactor.ren_win
        read = vtkFloatArray()
        tag = renderer.AddObserver(
            "EndEvent", lambda *_: window.GetZbufferData(0, 0, width - 1, height - 1, read)
        )  # before the renderers over it clear what it has left
        self._reading = True
        try:
            self._view.redraw()
        finally:
            self._reading = False
            renderer.RemoveObserver(tag)
        if read.GetNumberOfValues() != width * height:
            return np.full((height, width), np.inf, np.float32)
        near, far = renderer.GetActiveCamera().GetClippingRange()
        z = vtk_to_numpy(read).reshape(height, width)[::-1].copy()
        return np.where(z < 1, near * far / np.maximum(far - z * (far - near), 1e-9), np.inf).astype(np.float32)

    def _show(self, pixels: U8, camera: Camera) -> None:
        w, h = camera.width, camera.height
        corners = camera.unproject([[0, 0], [w, 0], [w, h], [0, h]], np.ones(4)).astype(np.float32)
        data = pv.PolyData.from_regular_faces(corners, np.array([[0, 1, 2], [0, 2, 3]]))
        data.active_texture_coordinates = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)
        self._actor = pv.Actor(mapper=pv.DataSetMapper(data))
        self._actor.SetTexture(pv.Texture(pixels))
        self._actor.ForceTranslucentOn()
        self._actor.prop.lighting = False
        self._actor.prop.color = (1.0, 1.0, 1.0)
        self._actor.SetPickable(False)
        self._front.add(self._actor)
        for _, drawn in self._view.list_splats():
            drawn.actor.SetVisibility(False)
        self._reading = True
        try:
            self._view.redraw()
        finally:
            self._reading = False


def magnify(camera: Camera, width: int, height: int) -> Camera:
    """The same view in so many pixels."""
    x, y = width / camera.width, height / camera.height
    lens = camera.fx * x, camera.fy * y, camera.cx * x, camera.cy * y
    return Camera(width, height, *lens, camera.world_from_camera)


def join_splats(parts: Sequence[Splats]) -> Splats:
    """Several clouds of splats as one; harmonics that one of them lacks are 0."""
    most = max(part.sh.shape[1] for part in parts)
    padded = [np.pad(part.sh, ((0, 0), (0, most - part.sh.shape[1]), (0, 0))) for part in parts]
    return Splats(
        np.concatenate([part.means for part in parts]),
        np.concatenate([part.scales for part in parts]),
        np.concatenate([part.rotations for part in parts]),
        np.concatenate([part.opacity for part in parts]),
        np.concatenate(padded),
    )


def lay_behind(picture: SplatPicture, metres: F32) -> U8:
    """Colours u8[h, w, 4] of splats drawn over black, clear where something else (f32[h, w]) stands before them."""
    alpha = np.where(picture.depth <= metres * np.float32(NEARLY), picture.alpha, 0)
    colours = picture.rgb / np.maximum(picture.alpha, np.float32(1e-6))[..., None]
    whole = np.concatenate([colours, alpha[..., None]], axis=2)
    return np.ascontiguousarray(np.round(np.clip(whole, 0, 1) * 255).astype(np.uint8))
