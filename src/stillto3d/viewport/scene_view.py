"""The viewport: set, props and camera of a project, turned, panned and zoomed as in Blender."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

os.environ.setdefault("QT_API", "pyside6")

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pyvistaqt import QtInteractor

from ..project.geometry import Geometry, measure_bounds
from ..project.project import Layer, Project
from ..project.space import Camera
from ..project.still import F64
from .actors import make_actor, make_frustum, make_grid, prepare_geometry
from .orbit import Orbit, stand_at

BACKGROUND = (0.16, 0.16, 0.16)
VIEW_ANGLE = np.radians(40.0)
TURN_PER_PIXEL = 0.008
Beside = Callable[..., Awaitable[Any]]


class SceneView(QWidget):
    """Shows a project; `beside` runs array work on another thread.

    Middle drag turns, with Shift it pans, with Ctrl it zooms, as does the wheel; Alt with the left button
    turns too.
    """

    lens_left = Signal()
    """The view was turned away from the solved camera."""
    drawn = Signal()
    """Every layer of the project is in the view."""

    def __init__(self, beside: Beside, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._beside = beside
        self.interactor = QtInteractor(self, auto_update=False, line_smoothing=True)
        self._plotter = self.interactor
        self._plotter.set_background(BACKGROUND)
        self._plotter.iren.interactor.SetInteractorStyle(None)
        self._plotter.installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.interactor)
        self.project = Project()
        self._actors: dict[str, tuple[Geometry, Any]] = {}
        self._extra: dict[str, Any] = {}
        self._orbit = Orbit()
        self._lens: Camera | None = None
        self._framed = False
        self._drag: QPointF | None = None

    # ----------------------------------------------------------------- the project

    async def show_project(self, project: Project) -> None:
        """Draw the project; only what is another object than before is made anew."""
        self.project = project
        present = {layer.id for layer in project.layers}
        for layer_id in self._actors.keys() - present:
            self._plotter.renderer.RemoveActor(self._actors.pop(layer_id)[1])
        for layer in project.layers:
            await self._show_layer(layer)
            if self.project is not project:
                return  # another one has come meanwhile
        self._show_camera(project)
        if not self._framed and self._actors:
            self._framed = True
            self._stand_at_camera(project)
        self._follow_lens(project)
        self.redraw()
        self.drawn.emit()

    async def _show_layer(self, layer: Layer) -> None:
        geometry = layer.geometry
        known = self._actors.get(layer.id)
        if known is not None and known[0] is not geometry:
            self._plotter.renderer.RemoveActor(known[1])
            del self._actors[layer.id]
            known = None
        if geometry is None:
            return
        if known is None:
            prepared = await self._beside(prepare_geometry, geometry)
            if self.project.layer(layer.id) is not layer:
                return
            known = (geometry, make_actor(prepared))
            self._plotter.renderer.AddActor(known[1])
            self._actors[layer.id] = known
        actor = known[1]
        actor.user_matrix = layer.transform
        actor.SetVisibility(layer.visible)

    def _show_camera(self, project: Project) -> None:
        camera = project.shots[0].camera if project.shots else None
        for actor in self._extra.values():
            self._plotter.renderer.RemoveActor(actor)
        self._extra.clear()
        if not self._actors:
            return
        self._extra["grid"] = make_grid(self._measure_bounds())
        if camera is not None:
            self._extra["camera"] = make_frustum(camera, 0.5)
        for actor in self._extra.values():
            self._plotter.renderer.AddActor(actor)

    def _measure_bounds(self) -> F64:
        """Bounds of what is near enough to be framed: without the sky, if there is anything else."""
        layers = [layer for layer in self.project.layers if layer.geometry is not None and layer.visible]
        near = [layer for layer in layers if layer.name != "sky"] or layers
        boxes = [measure_bounds(layer.geometry, layer.transform) for layer in near if layer.geometry is not None]
        if not boxes:
            return np.array([[-1.0, 0.0, -1.0], [1.0, 2.0, 1.0]])
        return np.stack([np.min([b[0] for b in boxes], axis=0), np.max([b[1] for b in boxes], axis=0)])

    # ----------------------------------------------------------------- the view

    def frame(self) -> None:
        """All that is visible, from the present direction."""
        self.leave_lens()
        self._orbit = self._orbit.frame(self._measure_bounds(), VIEW_ANGLE)
        self._aim()

    def look_through_lens(self) -> None:
        """See what the solved camera sees."""
        camera = self.project.shots[0].camera if self.project.shots else None
        if camera is not None:
            self._lens = camera
            self._aim()

    def leave_lens(self) -> None:
        """Stand freely again."""
        if self._lens is not None:
            self._orbit = stand_at(self._lens, self._measure_reach(self._lens))
            self._lens = None
            self.lens_left.emit()

    def look(self, orbit: Orbit) -> None:
        """Stand somewhere."""
        self.leave_lens()
        self._orbit = orbit
        self._aim()

    @property
    def orbit(self) -> Orbit:
        """Where the viewer stands when not at the lens."""
        return self._orbit

    def _follow_lens(self, project: Project) -> None:
        camera = project.shots[0].camera if project.shots else None
        if self._lens is not None and camera is not self._lens:
            self._lens = camera
        self._aim(draw=False)

    def _stand_at_camera(self, project: Project) -> None:
        """First sight: from behind the solved camera, a little above."""
        camera = project.shots[0].camera if project.shots else None
        if camera is None:
            self._orbit = self._orbit.frame(self._measure_bounds(), VIEW_ANGLE)
        else:
            stood = stand_at(camera, self._measure_reach(camera))
            self._orbit = stood.turn(0.35, -0.2).dolly(1.4)

    def _measure_reach(self, camera: Camera) -> float:
        """How far the middle of the scene lies before the camera, metres."""
        depth = self.project.shots[0].depth if self.project.shots else None
        if depth is None:
            return max(float(np.linalg.norm(self._measure_bounds().mean(axis=0) - camera.position)), 0.1)
        return float(np.median(depth.metres[::4, ::4]))

    def _aim(self, draw: bool = True) -> None:
        view = self._plotter.renderer.GetActiveCamera()
        view.SetWindowCenter(0, 0)
        if self._lens is None:
            orbit = self._orbit
            view.SetPosition(*orbit.position)
            view.SetFocalPoint(*orbit.target)
            view.SetViewUp(*orbit.up)
            view.SetViewAngle(np.degrees(VIEW_ANGLE))
        else:
            self._aim_lens(view, self._lens)
        for actor in self._extra.values():
            actor.SetVisibility(self._lens is None)
        self._plotter.renderer.ResetCameraClippingRange()
        if draw:
            self.redraw()

    def _aim_lens(self, view: Any, lens: Camera) -> None:
        """The still's frame fits the view, whichever is wider."""
        back, up = lens.world_from_camera[:3, 2], lens.world_from_camera[:3, 1]
        view.SetPosition(*lens.position)
        view.SetFocalPoint(*(lens.position - back))
        view.SetViewUp(*up)
        aspect = max(self.width(), 1) / max(self.height(), 1)
        tall = max(lens.height, lens.width / aspect)
        view.SetViewAngle(np.degrees(2 * np.arctan(tall / 2 / lens.fy)))
        wide = tall * aspect
        view.SetWindowCenter((lens.width / 2 - lens.cx) * 2 / wide, (lens.cy - lens.height / 2) * 2 / tall)

    def redraw(self) -> None:
        """Draw now."""
        if self.isVisible():
            self._plotter.render()

    def close_view(self) -> None:
        """Give back what the graphics hold; the view cannot be used any more."""
        self._plotter.removeEventFilter(self)
        self._actors.clear()
        self._extra.clear()
        self._plotter.close()

    # ----------------------------------------------------------------- the pointer

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.Wheel and isinstance(event, QWheelEvent):
            self._dolly(1.15 ** (-event.angleDelta().y() / 120))
            return True
        if kind == QEvent.Type.MouseButtonPress and isinstance(event, QMouseEvent):
            self._drag = event.position()
            self.interactor.setFocus()
            return True
        if kind == QEvent.Type.MouseButtonRelease:
            self._drag = None
            return True
        if kind == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            if self._drag is not None:
                self._move(event)
            return True
        if kind == QEvent.Type.Resize and self._lens is not None:
            self._aim(draw=False)
        return False

    def _move(self, event: QMouseEvent) -> None:
        assert self._drag is not None
        step = event.position() - self._drag
        self._drag = event.position()
        buttons, keys = event.buttons(), event.modifiers()
        alt = bool(keys & Qt.KeyboardModifier.AltModifier)
        middle = bool(buttons & Qt.MouseButton.MiddleButton)
        if (middle and keys & Qt.KeyboardModifier.ShiftModifier) or (alt and middle):
            self.leave_lens()
            metres = 2 * self._orbit.distance * np.tan(VIEW_ANGLE / 2) / max(self.height(), 1)
            self._orbit = self._orbit.pan(-step.x() * metres, step.y() * metres)
        elif (middle and keys & Qt.KeyboardModifier.ControlModifier) or (alt and buttons & Qt.MouseButton.RightButton):
            self.leave_lens()
            self._orbit = self._orbit.dolly(float(np.exp(step.y() * 0.005)))
        elif middle or (alt and buttons & Qt.MouseButton.LeftButton):
            self.leave_lens()
            self._orbit = self._orbit.turn(-step.x() * TURN_PER_PIXEL, -step.y() * TURN_PER_PIXEL)
        else:
            return
        self._aim()

    def _dolly(self, factor: float) -> None:
        self.leave_lens()
        self._orbit = self._orbit.dolly(factor)
        self._aim()
