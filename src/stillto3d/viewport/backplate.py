"""What is drawn in front of everything: the still before its lens, and the gizmo."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyvista as pv
from vtkmodules.vtkRenderingCore import vtkCamera, vtkRenderer

from ..project.space import Camera
from ..project.still import Still
from .actors import make_chain

RIM = (0.45, 0.45, 0.45)


class Front:
    """A renderer over the scene's, seen through the same camera; those of a higher layer cover it."""

    def __init__(self, window: Any, layer: int) -> None:
        self._renderer = vtkRenderer()
        self._renderer.SetLayer(layer)
        self._renderer.InteractiveOff()
        self._camera = vtkCamera()
        self._renderer.SetActiveCamera(self._camera)
        window.SetNumberOfLayers(max(layer + 1, window.GetNumberOfLayers()))
        window.AddRenderer(self._renderer)
        self._window = window

    def add(self, actor: Any) -> None:
        """Show an actor."""
        self._renderer.AddActor(actor)

    def remove(self, actor: Any) -> None:
        """Show it no more."""
        self._renderer.RemoveActor(actor)

    def follow(self, camera: Any) -> None:
        """Look from where another camera does."""
        self._camera.DeepCopy(camera)
        self._renderer.ResetCameraClippingRange()

    def close(self) -> None:
        """Leave the window."""
        self._renderer.RemoveAllViewProps()
        self._window.RemoveRenderer(self._renderer)


class Backplate:
    """The still a metre before its camera: opacity 0 to 1, and wiped away from the left."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._still: Still | None = None
        self._camera: Camera | None = None
        self._data: Any = None
        self._actor: Any = None
        self._rim: Any = None
        self.opacity, self.wipe = 0.0, 0.0

    def show(self, still: Still, camera: Camera) -> None:
        """Stand before the camera."""
        if still is not self._still:
            self._make(still)
        if camera is not self._camera or self._rim is None:
            self._frame(camera)
        self._still, self._camera = still, camera
        self._rim.SetVisibility(True)
        self.adjust(self.opacity, self.wipe)

    def adjust(self, opacity: float, wipe: float) -> None:
        """Another opacity, another wipe."""
        self.opacity, self.wipe = opacity, wipe
        camera = self._camera
        if self._actor is None or camera is None:
            return
        left = wipe * camera.width
        corners: list[list[float]] = [
            [left, 0],
            [camera.width, 0],
            [camera.width, camera.height],
            [left, camera.height],
        ]
        self._data.points = camera.unproject(corners, np.ones(4)).astype(np.float32)
        self._data.active_texture_coordinates = np.array([[wipe, 1], [1, 1], [1, 0], [wipe, 0]], np.float32)
        self._actor.prop.opacity = opacity
        self._actor.SetVisibility(opacity > 0 and wipe < 1)

    def hide(self) -> None:
        """Be seen no more."""
        for actor in (self._actor, self._rim):
            if actor is not None:
                actor.SetVisibility(False)

    def _frame(self, camera: Camera) -> None:
        """A line around what the lens sees."""
        if self._rim is not None:
            self._front.remove(self._rim)
        w, h = camera.width, camera.height
        corners = camera.unproject([[0, 0], [w, 0], [w, h], [0, h], [0, 0]], np.ones(5))
        self._rim = make_chain(corners, RIM, 1.0)
        self._front.add(self._rim)

    def _make(self, still: Still) -> None:
        if self._actor is not None:
            self._front.remove(self._actor)
        self._data = pv.PolyData.from_regular_faces(np.zeros((4, 3), np.float32), np.array([[0, 1, 2], [0, 2, 3]]))
        self._actor = pv.Actor(mapper=pv.DataSetMapper(self._data))
        texture = pv.Texture(np.ascontiguousarray(still.pixels))
        texture.InterpolateOn()
        self._actor.SetTexture(texture)
        self._actor.mapper.SetScalarVisibility(False)
        self._actor.prop.lighting = False
        self._actor.prop.color = (1.0, 1.0, 1.0)
        self._front.add(self._actor)
