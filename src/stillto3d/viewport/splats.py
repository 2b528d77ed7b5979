"""Anisotropic Gaussians in the view: VTK draws each as it lies, we keep them in order from far to near."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyvista as pv
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLPointGaussianMapper

from ..project.geometry import Splats
from ..project.space import Camera, move_points
from ..project.still import F64, U8
from .actors import Drawn, Prepared, Shading

SEEN_FROM = 1.0 / 255
"""Opacity below which a splat is not worth drawing."""


class DrawnSplats(Drawn):
    """Splats of one layer. They blend rightly only from far to near, so they are sorted whenever the view rests."""

    def __init__(self, geometry: Splats, prepared: Prepared) -> None:
        self._gaussian = vtkOpenGLPointGaussianMapper()
        self._gaussian.SetAnisotropic(True)
        self._gaussian.SetScaleArray("scale")
        self._gaussian.SetRotationArray("rotation")
        self._gaussian.SetOpacityArray("opacity")
        self._gaussian.SetScaleFactor(1.0)
        self._gaussian.EmissiveOff()
        self._gaussian.SetScalarModeToUsePointFieldData()
        self._gaussian.SetColorModeToDirectScalars()
        self._splats = geometry
        self._colors = prepared.colors
        super().__init__(geometry, prepared)

    def _make_actor(self) -> Any:
        self._gaussian.SetInputData(self._data)
        actor = pv.Actor()
        actor.SetMapper(self._gaussian)
        actor.ForceTranslucentOn()
        return actor

    def shade(self, shading: Shading, colors: U8 | None) -> None:
        self._colors = colors if colors is not None else self.prepared.colors
        self._data.point_data["colors"] = self._colors
        self._gaussian.SelectColorArray("colors")

    def count_points(self) -> int:
        return int(self._gaussian.GetInput().GetNumberOfPoints())

    def sort(self, camera: Camera, transform: F64) -> Any:
        """The splats from far to near as the camera sees them, as VTK's data; for any thread."""
        splats = self._splats
        _, depth = camera.project(move_points(splats.means, transform))
        order = np.argsort(-depth, kind="stable")
        order = order[splats.opacity[order] > SEEN_FROM]
        data = pv.PolyData(np.ascontiguousarray(splats.means[order]))
        arrays = {"scale": splats.scales, "rotation": splats.rotations, "opacity": splats.opacity}
        for name, array in arrays.items():
            data.point_data[name] = np.ascontiguousarray(array[order], dtype=np.float32)
        colors = self._colors
        assert colors is not None
        data.point_data["colors"] = np.ascontiguousarray(colors[order])
        return data

    def use(self, data: Any) -> None:
        """Draw what `sort` has made."""
        self._data, self._thin = data, None
        self._gaussian.SetInputData(data)

    def _show(self, data: Any) -> None:
        self._gaussian.SetInputData(data)
