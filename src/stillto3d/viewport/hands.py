"""What the pointer does in the viewport: turn, pan, zoom, pick, drag the gizmo.

Middle drag turns, with Shift it pans, with Ctrl it zooms, as does the wheel. Alt with the left, middle and
right button turns, pans and zooms for those who have no middle button. At the lens, panning and zooming move its
picture, as over a still; turning leaves it. Esc or the right button gives a drag of the gizmo up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from ..project.project import Layer
from ..project.still import F64
from .gizmo import Gizmo

if TYPE_CHECKING:
    from .scene_view import SceneView

TURN_PER_PIXEL = 0.008
ZOOM_PER_PIXEL = 0.005
ZOOM_PER_NOTCH = 1.15
CLICK_PIXELS = 4


class Hands(QObject):
    """Filters the events of a SceneView's drawing area."""

    def __init__(self, view: SceneView) -> None:
        super().__init__(view)
        self._view = view
        self._last: QPointF | None = None
        self._press: QPointF | None = None
        self._grab: tuple[Gizmo, int, Layer] | None = None
        self._dragged: F64 | None = None
        view.interactor.installEventFilter(self)

    def let_go(self) -> None:
        """Watch no more."""
        self._view.interactor.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.Wheel and isinstance(event, QWheelEvent):
            factor, at = ZOOM_PER_NOTCH ** (event.angleDelta().y() / 120), event.position()
            if self._view.at_lens:
                self._view.zoom_lens(at.x(), at.y(), factor)
            else:
                self._view.look(self._view.orbit.dolly(1 / factor))
            return True
        if kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress) and isinstance(event, QKeyEvent):
            if self._grab is not None and event.key() == Qt.Key.Key_Escape:
                self._give_up()
                event.accept()
                return True
            return False
        if kind == QEvent.Type.Enter:
            self._view.entered.emit()
        if isinstance(event, QMouseEvent):
            if kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick):
                self._begin(event)
            elif kind == QEvent.Type.MouseMove:
                self._move(event)
            elif kind == QEvent.Type.MouseButtonRelease:
                self._end(event)
            return True
        if kind == QEvent.Type.Resize:
            self._view.fit()
        return False

    def _begin(self, event: QMouseEvent) -> None:
        self._view.interactor.setFocus()
        if self._grab is not None and event.button() == Qt.MouseButton.RightButton:
            self._give_up()
            return
        self._last = self._press = event.position()
        plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers() & Qt.KeyboardModifier.AltModifier
        gizmo, layer = self._view.make_gizmo(), self._view.find_movable()
        axis = self._find_handle(event.position())
        if plain and gizmo is not None and layer is not None:
            self._grab = None if axis is None else (gizmo, axis, layer)

    def _find_handle(self, at: QPointF) -> int | None:
        gizmo = self._view.make_gizmo()
        return None if gizmo is None else gizmo.find_handle(self._view.view_camera(), at.x(), at.y())

    def _give_up(self) -> None:
        """Leave the dragged layer where it stood."""
        assert self._grab is not None
        layer = self._grab[2]
        self._grab = self._dragged = self._press = self._last = None
        self._view.drop_move(layer)

    def _move(self, event: QMouseEvent) -> None:
        if self._last is None or self._press is None:
            self._view.touch_handle(self._find_handle(event.position()))
            return
        step, self._last = event.position() - self._last, event.position()
        if self._grab is not None:
            self._drag(event)
            return
        view, buttons, keys = self._view, event.buttons(), event.modifiers()
        middle, left = bool(buttons & Qt.MouseButton.MiddleButton), bool(buttons & Qt.MouseButton.LeftButton)
        alt = bool(keys & Qt.KeyboardModifier.AltModifier)
        if not (middle or alt):
            return
        if middle and (alt or keys & Qt.KeyboardModifier.ShiftModifier):
            self._pan(step)
        elif (middle and keys & Qt.KeyboardModifier.ControlModifier) or (alt and buttons & Qt.MouseButton.RightButton):
            factor = float(np.exp(-step.y() * ZOOM_PER_PIXEL))
            if view.at_lens:
                view.zoom_lens(self._press.x(), self._press.y(), factor)
            else:
                view.look(view.orbit.dolly(1 / factor))
        elif middle or left:
            view.leave_lens()
            view.look(view.orbit.turn(-step.x() * TURN_PER_PIXEL, -step.y() * TURN_PER_PIXEL))

    def _pan(self, step: QPointF) -> None:
        view = self._view
        if view.at_lens:
            view.shift_lens(step.x(), step.y())
            return
        metres = view.orbit.distance / view.view_camera().fy
        view.look(view.orbit.pan(-step.x() * metres, step.y() * metres))

    def _drag(self, event: QMouseEvent) -> None:
        assert self._grab is not None and self._press is not None
        gizmo, axis, layer = self._grab
        start, now = (self._press.x(), self._press.y()), (event.position().x(), event.position().y())
        snap = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        moved = gizmo.drag(self._view.view_camera(), layer.transform, axis, start, now, snap)
        self._dragged = self._view.preview_move(layer, moved, axis)

    def _end(self, event: QMouseEvent) -> None:
        press, self._press, self._last = self._press, None, None
        if self._grab is not None:
            _, _, layer = self._grab
            moved, self._grab, self._dragged = self._dragged, None, None
            if moved is not None:
                self._view.moved.emit(layer.id, moved)
        elif press is not None and event.button() == Qt.MouseButton.LeftButton:
            still = (event.position() - press).manhattanLength() < CLICK_PIXELS
            if still and not event.modifiers() & Qt.KeyboardModifier.AltModifier:
                self._view.pick(event.position(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
