"""What is drawn in front of everything: the still before its lens, and the gizmo."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyvista as pv
from vtkmodules.vtkRenderingCore import vtkCamera, vtkRenderer

from ..project.space import Camera
from ..project.still import Still


class Front:
    """A renderer over the scene's, seen through the same camera."""

    def __init__(self, window: Any) -> None:
        self._renderer = vtkRenderer()
        self._renderer.SetLayer(1)
        self._renderer.InteractiveOff()
        self._camera = vtkCamera()
        self._renderer.SetActiveCamera(self._camera)
        window.SetNumberOfLayers(2)
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
        self.opacity, self.wipe = 0.0, 0.0

    def show(self, still: Still, camera: Camera) -> None:
        """Stand before the camera."""
        if still is not self._still:
            self._make(still)
        self._still, self._camera = still, camera
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
        if self._actor is not None:
            self._actor.SetVisibility(False)

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
