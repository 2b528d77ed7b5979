"""The viewport: set, props and camera of a project, turned, panned and zoomed as in Blender."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

os.environ.setdefault("QT_API", "pyside6")

from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from pyvistaqt import QtInteractor

from ..project.geometry import Splats
from ..project.project import Layer, Project
from ..project.space import Camera, move_points
from ..project.still import F64, U8
from ..words import tr
from .actors import (
    Drawn,
    Shading,
    color_points,
    make_axis,
    make_box,
    make_chain,
    make_frustum,
    make_grid,
    move_bounds,
    prepare_geometry,
)
from .backplate import Backplate, Front
from .gizmo import Gizmo, GizmoMode, make_gizmo, snap_to_floor
from .hands import Hands
from .orbit import Orbit, measure_growth, stand_at
from .pace import AT_ONCE_SECONDS, LEVELS, MOVING_SECONDS, RESTING_SECONDS, Pace
from .picking import Hit, cast_ray, pick_layer
from .splat_frames import SplatFrames
from .splats import DrawnSplats

BACKGROUND = (0.16, 0.16, 0.16)
SELECTED = (0.42, 0.62, 0.8)
AXES = ((0.78, 0.36, 0.36), (0.44, 0.66, 0.38), (0.36, 0.5, 0.78))
MEASURED = (0.78, 0.63, 0.35)
GRABBED = (0.95, 0.85, 0.5)
VIEW_ANGLE = np.radians(40.0)
REST_MILLISECONDS = 250
NEXT_MILLISECONDS = 20
Beside = Callable[..., Awaitable[Any]]


class SceneView(QWidget):
    """Shows a project; `beside` runs array work on another thread. What the pointer does stands in `hands`."""

    lens_left = Signal()
    """The view was turned away from the solved camera."""
    drawn = Signal()
    """Every layer of the project is in the view."""
    picked = Signal(object, bool)
    """The layer (id or None) that was clicked, and whether it joins the selection."""
    rested = Signal()
    """The view stands still, and all is drawn."""
    entered = Signal()
    """The pointer has come in."""
    touched = Signal(object)
    """The place f64[3] on a surface that was clicked, while a length is measured."""
    moved = Signal(str, object)
    """A layer's id and the transform that the gizmo gave it."""

    def __init__(self, beside: Beside, start: Callable[[Any], Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.beside, self._start = beside, start
        self.interactor = QtInteractor(self, auto_update=False, line_smoothing=True)
        self._plotter = self.interactor
        self._plotter.set_background(BACKGROUND)
        self._plotter.iren.interactor.SetInteractorStyle(None)
        self._plotter.iren.clear_key_event_callbacks()  # PyVista's own keys need a style
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.interactor)
        self._plotter.renderer.SetUseOIT(False)  # splats blend in their order; averages would be grey
        self.frames = SplatFrames(self)
        self.front = Front(self._plotter.ren_win, 2)
        self.backplate = Backplate(self.front)
        self.project = Project()
        self.selected: frozenset[str] = frozenset()
        self.shading = Shading.TEXTURED
        self.gizmo_mode = GizmoMode.NONE
        self.measures = False
        self._drawn: dict[str, Drawn] = {}
        self._shaded: dict[str, tuple[Any, ...]] = {}
        self._extra: dict[str, Any] = {}
        self._marks: list[Any] = []
        self._handles: list[Any] = []
        self._measure: list[Any] = []
        self._orbit = Orbit()
        self._lens: Camera | None = None
        self._lens_zoom, self._lens_shift = 1.0, (0.0, 0.0)  # of the picture in the widget, as of a still
        self._hot: int | None = None
        self._pace, self._level = Pace(), 0
        self._framed = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._come_to_rest)
        self.share = QLabel(self)  # what part of a large cloud is drawn
        self.share.setObjectName("share")
        self.share.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.share.hide()
        self._hands = Hands(self)

    def ready(self) -> None:
        """Make OpenGL's things now, where there is time, and not when the first set is shown."""
        self.interactor.grabFramebuffer()

    # ----------------------------------------------------------------- the project

    async def show_project(self, project: Project) -> None:
        """Draw the project; only what is another object than before is made anew."""
        self._orbit = self._orbit.grow(measure_growth(self.project, project))
        self.project = project
        present = {layer.id for layer in project.layers}
        for layer_id in self._drawn.keys() - present:
            self._remove(layer_id)
        for layer in project.layers:
            await self._show_layer(layer)
            if self.project is not project:
                return  # another one has come meanwhile
        self._show_camera(project)
        if not self._framed and self._drawn:
            self._framed = True
            self._stand_at_camera(project)
        if not project.layers:
            self._framed = False
        if self._lens is not None:
            self._lens = project.shots[0].camera if project.shots else None
        self._mark_selected()
        self._aim()
        await self._sort_splats()
        self.tell_share()
        self.drawn.emit()

    async def _show_layer(self, layer: Layer) -> None:
        geometry = layer.geometry
        known = self._drawn.get(layer.id)
        if known is not None and known.geometry is not geometry:
            self._remove(layer.id)
            known = None
        if geometry is None:
            return
        if known is None:
            prepared = await self.beside(prepare_geometry, geometry)
            if self.project.layer(layer.id) is not layer:
                return
            known = DrawnSplats(geometry, prepared) if isinstance(geometry, Splats) else Drawn(geometry, prepared)
            self._plotter.renderer.AddActor(known.actor)
            self._drawn[layer.id] = known
            known.thin_out(self._level)
        await self._shade(layer, known)
        known.actor.user_matrix = layer.transform
        known.actor.SetVisibility(layer.visible)

    async def _shade(self, layer: Layer, drawn: Drawn) -> None:
        """Give the layer its shading, unless it has it."""
        shading, camera = self.shading, self._find_camera()
        depends = {Shading.NORMALS: (layer.transform,), Shading.DEPTH: (layer.transform, camera)}.get(shading, ())
        state = (drawn, shading, *depends)
        known = self._shaded.get(layer.id, ())
        if len(known) == len(state) and all(a is b for a, b in zip(known, state, strict=True)):
            return
        colors: U8 | None = await self.beside(color_points, drawn.prepared, shading, layer.transform, camera)
        if self.shading is shading and self._drawn.get(layer.id) is drawn:
            drawn.shade(shading, colors)
            self._shaded[layer.id] = state

    async def shade(self, shading: Shading) -> None:
        """Show surfaces in another way."""
        self.shading = shading
        for layer in self.project.layers:
            drawn = self._drawn.get(layer.id)
            if drawn is not None:
                await self._shade(layer, drawn)
        await self._sort_splats()
        self.redraw()

    def shade_as(self, name: str) -> Awaitable[None]:
        """Show surfaces in the way of that name (see Shading)."""
        return self.shade(Shading(name))

    def show_measure(self, ends: F64) -> None:
        """Draw the line between two places f64[n, 3], in front of everything."""
        for actor in self._measure:
            self.front.remove(actor)
        self._measure = (
            [make_chain(np.repeat(ends, 2, axis=0), MEASURED, 2.0 * self.devicePixelRatioF())] if len(ends) else []
        )
        for actor in self._measure:
            self.front.add(actor)
        self.redraw()

    def _remove(self, layer_id: str) -> None:
        self._plotter.renderer.RemoveActor(self._drawn.pop(layer_id).actor)
        self._shaded.pop(layer_id, None)

    def _find_camera(self) -> Camera | None:
        return self.project.shots[0].camera if self.project.shots else None

    def _show_camera(self, project: Project) -> None:
        for actor in self._extra.values():
            self._plotter.renderer.RemoveActor(actor)
        self._extra.clear()
        if not self._drawn:
            return
        bounds = self._measure_bounds()
        self._extra["grid"] = make_grid(bounds)
        for axis in (0, 2):
            self._extra["XYZ"[axis]] = make_axis(bounds, axis, AXES[axis])
        camera = self._find_camera()
        if camera is not None:
            self._extra["camera"] = make_frustum(camera, 0.5)
        for actor in self._extra.values():
            self._plotter.renderer.AddActor(actor)

    def _measure_bounds(self) -> F64:
        """Bounds of what is selected, else of all that is near enough to be framed (the sky is not)."""
        layers = [layer for layer in self.project.layers if layer.id in self._drawn and layer.visible]
        chosen = [layer for layer in layers if layer.id in self.selected]
        near = chosen or [layer for layer in layers if layer.name != "sky"] or layers
        boxes = [move_bounds(self._drawn[layer.id].prepared.bounds, layer.transform) for layer in near]
        if not boxes:
            return np.array([[-1.0, 0.0, -1.0], [1.0, 2.0, 1.0]])
        return np.stack([np.min([b[0] for b in boxes], axis=0), np.max([b[1] for b in boxes], axis=0)])

    # ----------------------------------------------------------------- selection and gizmo

    def select(self, ids: frozenset[str]) -> None:
        """Mark these layers."""
        self.selected = ids
        self._mark_selected()
        self.redraw()

    def use_gizmo(self, mode: GizmoMode) -> None:
        """Show handles to move, turn or scale the selected layer."""
        self.gizmo_mode = mode
        self._show_gizmo()
        self.redraw()

    def find_movable(self) -> Layer | None:
        """The one selected layer that the gizmo may move."""
        chosen = [layer for layer in self.project.layers if layer.id in self.selected]
        fits = len(chosen) == 1 and chosen[0].geometry is not None and not chosen[0].locked
        return chosen[0] if fits and self.gizmo_mode is not GizmoMode.NONE else None

    def make_gizmo(self) -> Gizmo | None:
        """The handles as they stand now."""
        layer = self.find_movable()
        return None if layer is None else make_gizmo(self.gizmo_mode, layer.transform, self.view_camera())

    def preview_move(self, layer: Layer, transform: F64, axis: int) -> F64:
        """Show a layer where the gizmo drags it, near the floor upon it; answers where that is."""
        drawn = self._drawn.get(layer.id)
        if drawn is None or layer.geometry is None:
            return transform
        if self.gizmo_mode is GizmoMode.MOVE and axis == 1:
            points = drawn.prepared.points
            low = float(move_points(points[:: max(1, len(points) // 20_000)], transform)[:, 1].min())
            transform = snap_to_floor(transform, low, self._orbit.distance / max(self.height(), 1))
        drawn.actor.user_matrix = transform
        self._rest.start(REST_MILLISECONDS)
        self._thin_out(self._choose_level(MOVING_SECONDS))
        self._mark_selected({layer.id: transform}, axis)
        self.redraw()
        return transform

    def drop_move(self, layer: Layer) -> None:
        """Show a layer where it stands: the drag was given up."""
        if layer.id in self._drawn:
            self._drawn[layer.id].actor.user_matrix = layer.transform
        self._mark_selected()
        self.redraw()

    def touch_handle(self, axis: int | None) -> None:
        """Brighten the handle under the pointer."""
        if axis != self._hot:
            self._hot = axis
            self._show_gizmo()
            self.redraw()

    def _mark_selected(self, moved: dict[str, F64] | None = None, grabbed: int | None = None) -> None:
        for actor in self._marks:
            self._plotter.renderer.RemoveActor(actor)
        self._marks = []
        for layer in self.project.layers:
            drawn = self._drawn.get(layer.id)
            if layer.id in self.selected and drawn is not None:
                transform = (moved or {}).get(layer.id, layer.transform)
                self._marks.append(make_box(drawn.prepared.bounds, transform, SELECTED))
        for actor in self._marks:
            actor.SetVisibility(self._lens is None)
            self._plotter.renderer.AddActor(actor)
        self._show_gizmo(moved, grabbed)

    def _show_gizmo(self, moved: dict[str, F64] | None = None, grabbed: int | None = None) -> None:
        for actor in self._handles:
            self.front.remove(actor)
        self._handles = []
        layer = self.find_movable()
        if layer is None:
            return
        gizmo = make_gizmo(self.gizmo_mode, (moved or {}).get(layer.id, layer.transform), self.view_camera())
        for axis in range(3):
            shade = GRABBED if axis == (self._hot if grabbed is None else grabbed) else AXES[axis]
            self._handles.append(make_chain(gizmo.handle(axis), shade, 3.0 * self.devicePixelRatioF()))
            self.front.add(self._handles[-1])

    # ----------------------------------------------------------------- picking

    def pick(self, at: QPointF, adds: bool) -> None:
        """Find what lies under the pointer, beside the window, and tell."""
        self._start(self._pick(at.x(), at.y(), adds))

    async def _pick(self, x: float, y: float, adds: bool) -> None:
        origin, way = cast_ray(self.view_camera(), x, y)
        hit: Hit | None = await self.beside(pick_layer, self.project.layers, origin, way)
        if self.measures:
            if hit is not None:
                self.touched.emit(np.array(hit.place))
        else:
            self.picked.emit(hit.layer_id if hit is not None else None, adds)

    # ----------------------------------------------------------------- the view

    def frame(self) -> None:
        """What is selected, else all that is visible, from the present direction."""
        self.leave_lens()
        self.look(self._orbit.frame(self._measure_bounds(), VIEW_ANGLE))

    def look_along(self, yaw: float, pitch: float) -> None:
        """From a side, in degrees: (0, 0) looks along -Z, (0, -90) from above."""
        turned = Orbit(self._orbit.target, self._orbit.distance).turn(np.radians(yaw), np.radians(pitch))
        self.look(turned)

    def look_through_lens(self) -> None:
        """See what the solved camera sees."""
        camera = self._find_camera()
        if camera is not None:
            self._lens = camera
            self._lens_zoom, self._lens_shift = 1.0, (0.0, 0.0)
            self._mark_selected()
            self._stir()

    def leave_lens(self) -> None:
        """Stand freely again, where the lens was."""
        if self._lens is not None:
            self._orbit = stand_at(self._lens, self._measure_reach(self._lens))
            self._lens = None
            self._mark_selected()
            self.lens_left.emit()

    def zoom_lens(self, x: float, y: float, factor: float) -> None:
        """Show the lens' picture larger or smaller; what lies at that place of the widget stays there."""
        zoom = float(np.clip(self._lens_zoom * factor, 0.2, 64.0))
        grown = zoom / self._lens_zoom
        middle, shift = (self.width() / 2, self.height() / 2), self._lens_shift
        kept = [at - half - (at - half - by) * grown for at, half, by in zip((x, y), middle, shift, strict=True)]
        self._lens_zoom, self._lens_shift = zoom, (kept[0], kept[1])
        self._stir()

    def shift_lens(self, dx: float, dy: float) -> None:
        """Move the lens' picture in the widget, in its pixels."""
        self._lens_shift = (self._lens_shift[0] + dx, self._lens_shift[1] + dy)
        self._stir()

    @property
    def at_lens(self) -> bool:
        """The view is the solved camera's."""
        return self._lens is not None

    def look(self, orbit: Orbit) -> None:
        """Stand somewhere."""
        self.leave_lens()
        self._orbit = orbit
        self._stir()

    def _stir(self) -> None:
        """The view has moved: draw quickly what is large, until it rests."""
        self._rest.start(REST_MILLISECONDS)
        self._thin_out(self._choose_level(MOVING_SECONDS))
        self._aim()

    def _thin_out(self, level: int) -> None:
        self._level = level
        self.share.hide()
        for drawn in self._drawn.values():
            drawn.thin_out(level)

    @property
    def orbit(self) -> Orbit:
        """Where the viewer stands when not at the lens."""
        return self._orbit

    def view_camera(self) -> Camera:
        """The view as a camera whose pixels are the widget's."""
        width, height = max(self.width(), 1), max(self.height(), 1)
        pose = np.eye(4)
        if self._lens is None:
            orbit = self._orbit
            pose[:3, :3] = np.stack([orbit.right, orbit.up, orbit.back], axis=1)
            pose[:3, 3] = orbit.position
            focal = min(width, height) / 2 / np.tan(VIEW_ANGLE / 2)
            return Camera(width, height, focal, focal, width / 2, height / 2, pose)
        lens = self._lens
        k = min(width / lens.width, height / lens.height) * self._lens_zoom
        cx = width / 2 + (lens.cx - lens.width / 2) * k + self._lens_shift[0]
        cy = height / 2 + (lens.cy - lens.height / 2) * k + self._lens_shift[1]
        return Camera(width, height, lens.fx * k, lens.fy * k, cx, cy, lens.world_from_camera)

    def _stand_at_camera(self, project: Project) -> None:
        """First sight: from behind the solved camera, a little aside and above."""
        camera = self._find_camera()
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

    def _aim(self) -> None:
        """Point VTK's camera as `view_camera` says, and draw."""
        self._turn_camera()
        self.redraw()

    def fit(self) -> None:
        """Follow another size of the widget, which Qt draws afterwards."""
        self._drop_frame()
        self._turn_camera()
        self._spare()
        self.front.follow(self._plotter.renderer.GetActiveCamera())

    def _turn_camera(self) -> None:
        wanted, view = self.view_camera(), self._plotter.renderer.GetActiveCamera()
        back, up = wanted.world_from_camera[:3, 2], wanted.world_from_camera[:3, 1]
        view.SetPosition(*wanted.position)
        view.SetFocalPoint(*(wanted.position - back))
        view.SetViewUp(*up)
        view.SetViewAngle(np.degrees(2 * np.arctan(wanted.height / 2 / wanted.fy)))
        view.SetWindowCenter(1 - 2 * wanted.cx / wanted.width, 2 * wanted.cy / wanted.height - 1)
        for actor in self._extra.values():
            actor.SetVisibility(self._lens is None)
        if self._lens is None:
            self.backplate.hide()
        else:
            self.backplate.show(self.project.hero.still, self._lens)
        self._plotter.renderer.ResetCameraClippingRange()
        self._show_gizmo()

    def redraw(self) -> None:
        """Draw now; what would take long is thinned first, and drawn finely once the view has rested."""
        self._spare()
        self._render()

    def _spare(self) -> None:
        if self._pace.estimate(self._count_points(self._level)) > AT_ONCE_SECONDS:
            self._thin_out(self._choose_level(MOVING_SECONDS))
            self._rest.start(REST_MILLISECONDS)

    def _choose_level(self, seconds: float) -> int:
        """The finest form of clouds (0: all of them) that this machine draws in that time."""
        return self._pace.choose_level([self._count_points(k) for k in range(len(LEVELS) + 1)], seconds)

    def _drop_frame(self) -> None:
        """What a rasteriser has drawn fits no more; the next rest asks for another."""
        if self.frames.drop():
            self.rest_soon()

    def rest_soon(self) -> None:
        """Come to rest in a while, unless the view moves."""
        self._rest.start(REST_MILLISECONDS)

    def _render(self) -> None:
        self._drop_frame()
        for over in (self.front, self.frames):
            over.follow(self._plotter.renderer.GetActiveCamera())
        if self.isVisible():
            started = time.perf_counter()
            self.interactor.repaint()  # the plotter's render() would be followed by this, which renders again
            self._pace.note(self.count_points(), time.perf_counter() - started)

    def _come_to_rest(self) -> None:
        """Draw finer, by levels: each is waited for as long as it takes, so that who goes on moving is not held.

        What would hold the window too long is never drawn: words say how many points are.
        """
        if self.frames.shown:  # and nothing has moved since
            self.rested.emit()
            return
        self._render()
        finest = self._choose_level(RESTING_SECONDS)
        if self._level > finest:
            shown = self.count_points()
            while self._level > finest and self.count_points() == shown:
                self._thin_out(self._level - 1)
            seconds = self._pace.estimate(self.count_points())
            self._rest.start(max(NEXT_MILLISECONDS, round(1000 * seconds)))
            return
        self.tell_share()
        self._start(self._sort_splats())
        self.rested.emit()

    def tell_share(self) -> None:
        """Say what part of large clouds is drawn, and who draws the splats."""
        shown, there = self.count_points(), self._count_points(0)
        part = tr("{shown} of {there} points shown", shown=f"{shown:,}", there=f"{there:,}") if shown < there else ""
        self.share.setText("\n".join(line for line in (part, self.frames.note) if line))
        self.share.setVisible(bool(self.share.text()))
        self._place_share()

    def _place_share(self) -> None:
        self.share.adjustSize()
        self.share.move(8, self.height() - self.share.height() - 8)
        self.share.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place_share()

    async def _sort_splats(self) -> None:
        """Put splats in order for the view as it is, where there are any."""
        camera = self.view_camera()
        changed = False
        for layer, drawn in self.list_splats():
            data = await self.beside(drawn.sort, camera, layer.transform)
            if self._drawn.get(layer.id) is drawn:
                drawn.use(data)
                changed = True
        if changed:
            self._render()
            await self.frames.refine()

    def list_splats(self) -> list[tuple[Layer, DrawnSplats]]:
        """The layers of splats that are in the view, hidden ones too."""
        found = [(layer, self._drawn.get(layer.id)) for layer in self.project.layers]
        return [(layer, drawn) for layer, drawn in found if isinstance(drawn, DrawnSplats)]

    def count_points(self) -> int:
        """Points of clouds that are drawn now."""
        return self._count_points(None)

    def _count_points(self, level: int | None) -> int:
        return sum(drawn.count_points(level) for drawn in self._drawn.values() if drawn.actor.GetVisibility())

    # ----------------------------------------------------------------- pictures

    def take_picture(self, bare: bool = False) -> U8:
        """The view as it is, u8[h, w, 3]; a bare one is without grid, camera, marks and handles."""
        if bare:
            self._drop_frame()  # it is clear where they stood before it
        aside = [*self._extra.values(), *self._marks, *self._handles, *self._measure] if bare else []
        seen = [actor for actor in aside if actor.GetVisibility()]
        for actor in seen:
            actor.SetVisibility(False)
        self._plotter.render()  # a picture is of what was rendered last
        picture: U8 = np.asarray(self._plotter.screenshot(return_img=True))[..., :3]
        for actor in seen:
            actor.SetVisibility(True)
        return picture

    def list_turntable(self, count: int) -> list[Orbit]:
        """Viewpoints around the target, all the way."""
        return [self._orbit.turn(2 * np.pi * k / count, 0.0) for k in range(count)]

    def show_finely(self) -> None:
        """As many points of what is large as a view at rest has, though it has just moved: for pictures."""
        self._thin_out(self._choose_level(RESTING_SECONDS))

    def close_view(self) -> None:
        """Give back what the graphics hold; the view cannot be used any more."""
        self._rest.stop()
        self._hands.let_go()
        self.frames.close()
        self.front.close()
        self._drawn.clear()
        self._extra.clear()
        self._marks.clear()
        self._handles.clear()
        self._measure.clear()
        self._plotter.close()
