"""Anisotropic Gaussians in the view: VTK draws each as it lies, we keep them in order from far to near."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyvista as pv
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLPointGaussianMapper

from ..project.geometry import Splats
from ..project.space import Camera, move_points
from ..project.still import F64, U8
from .actors import Drawn, Prepared, Shading, thin_cloud

SEEN_FROM = 1.0 / 255
"""Opacity below which a splat is not worth drawing."""


class DrawnSplats(Drawn):
    """Splats of one layer. They blend rightly only from far to near, so they are sorted whenever the view rests."""

    def __init__(self, geometry: Splats, prepared: Prepared) -> None:
        self._splats = geometry
        super().__init__(geometry, prepared)

    def _make_mapper(self, data: Any) -> Any:
        mapper = vtkOpenGLPointGaussianMapper()
        mapper.SetAnisotropic(True)
        mapper.SetScaleArray("scale")
        mapper.SetRotationArray("rotation")
        mapper.SetOpacityArray("opacity")
        mapper.SetScaleFactor(1.0)
        mapper.EmissiveOff()
        mapper.SetScalarModeToUsePointFieldData()
        mapper.SetColorModeToDirectScalars()
        mapper.SelectColorArray("colors")
        mapper.SetInputData(data)
        return mapper

    def _make_actor(self) -> Any:
        actor = pv.Actor()
        actor.SetMapper(self._mappers[0])
        actor.ForceTranslucentOn()
        return actor

    def shade(self, shading: Shading, colors: U8 | None) -> None:
        """Another colour for each splat; they show once `sort` has put them in order."""
        self._colors = colors if colors is not None else self.prepared.colors

    def sort(self, camera: Camera, transform: F64) -> list[Any]:
        """The splats from far to near as the camera sees them, as VTK's data with thinner forms; for any thread."""
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
        return thin_cloud(data)

    def use(self, forms: list[Any]) -> None:
        """Draw what `sort` has made."""
        self._forms = forms
        for mapper, data in zip(self._mappers, forms, strict=True):
            mapper.SetInputData(data)
