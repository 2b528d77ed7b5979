"""The canvas: a still with its masks, zoomed and panned, and where the pointer is on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QBrush,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from .drawables import OUTLINE_PIXELS, Overlay, Picture
from .guides import Guides
from .horizon import Line
from .theme import colour
from .vanishing import Lines

ZOOM_STEP = 1.2
GREATEST_ZOOM = 64.0
SHARP_FROM = 1.5
DRAG_PIXELS = 4
REST_MILLISECONDS = 120
COARSE_FROM = 1.5  # screen pixels along a step of the coarse outline
WIDE_FROM = 1.75  # screen pixels to one of the window's, from where outlines are drawn wider
NEXT = ((0.0, 0.0),)
AROUND = ((-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0))
FAR_AROUND = tuple((2.0 * x, 2.0 * y) for x, y in AROUND)


class Mode(Enum):
    """What a click means."""

    ADD = "add"
    PART = "part"
    TAKE = "take"


class Tool(Enum):
    """What a drag with the left button does."""

    POINT = "point"
    BRUSH = "brush"
    ERASER = "eraser"
    LASSO = "lasso"
    MEASURE = "measure"


@dataclass(frozen=True)
class Stroke:
    """A way over the still in its pixels: a brush's with a radius, a lasso's without."""

    places: tuple[tuple[float, float], ...]
    radius: float | None
    adds: bool


class Canvas(QWidget):
    """Shows a Picture and Overlays; tells where the pointer rests, clicks and drags, in pixels of the still.

    Middle drag (or Space and drag) pans, the wheel zooms at the pointer.
    """

    hovered = Signal(object)
    """(x, y) of the still under the pointer, or None."""
    clicked = Signal(float, float, object)
    """x, y, Mode."""
    boxed = Signal(float, float, float, float, object)
    """x0, y0, x1, y1, Mode."""
    stroked = Signal(object)
    """A Stroke of brush, eraser or lasso that has ended."""
    drawn = Signal()
    """The masks have been put on."""
    tilted = Signal(object)
    """The horizon (a Line) as it was dragged."""
    aligned = Signal(object)
    """The Lines along two directions as they were dragged."""
    measured = Signal(float, float, float, float)
    """A line x0, y0, x1, y1 that was drawn to be measured."""
    entered = Signal()
    """The pointer has come in."""
    resized_brush = Signal(float)
    """The brush's radius in pixels of the still."""
    zoomed = Signal(float)
    """Screen pixels per pixel of the still."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(160, 120)
        self.setAccessibleName("canvas")
        self._picture: Picture | None = None
        self._size = (0, 0)
        self._overlays: list[Overlay] = []
        self._zoom, self._origin = 1.0, QPointF()
        self._framed = True
        self._pan_from: QPointF | None = None
        self._press: QPointF | None = None
        self._box: QRectF | None = None
        self._space = self._ringed = False
        self.points: list[tuple[float, float, bool]] = []
        self._cover: Picture | None = None
        self._tool = Tool.POINT
        self._radius = 16.0
        self._way: list[tuple[float, float]] = []
        self._pointer: QPointF | None = None
        self.guides = Guides()
        self._cache: QPixmap | None = None
        self._ground: QPixmap | None = None
        self._ground_of: tuple[Picture | None, tuple[float, ...]] = (None, ())
        self._moving = False  # then it is drawn quickly, and well once the view rests
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MILLISECONDS)
        self._rest.timeout.connect(self._come_to_rest)
        self.measure: tuple[float, float, float, float] | None = None

    # ----------------------------------------------------------------- what is shown

    def show_picture(self, picture: Picture | None, size: tuple[int, int]) -> None:
        """Show a still of `size` (width, height); another size is framed, the same one keeps its place."""
        self._picture = picture
        if size != self._size:
            self._size = size
            self.frame()
        self._renew()

    def show_overlays(
        self,
        overlays: list[Overlay],
        points: list[tuple[float, float, bool]] | None = None,
        cover: Picture | None = None,
    ) -> None:
        """Masks to draw over the still, last on top; the clicks of the mask being made; a picture in its place."""
        self._overlays, self._cover = overlays, cover
        self.points = points or []
        self._renew()
        self.drawn.emit()

    def show_guides(self, horizon: Line | None, lines: Lines | None) -> None:
        """Draw the horizon and lines along two directions, with handles; None for neither."""
        self.guides.show(horizon, lines, self._size[0])
        self.update()

    # ----------------------------------------------------------------- tools

    @property
    def tool(self) -> Tool:
        """What a drag does."""
        return self._tool

    def take_tool(self, tool: Tool) -> None:
        """Take up another tool."""
        self._tool = tool
        self._way, self._press, self._box = [], None, None
        self.setCursor(Qt.CursorShape.BlankCursor if self._paints else Qt.CursorShape.ArrowCursor)
        if tool in (Tool.LASSO, Tool.MEASURE):
            self.setCursor(Qt.CursorShape.CrossCursor)
        if tool is not Tool.POINT:
            self.hovered.emit(None)
        self.update()

    @property
    def radius(self) -> float:
        """The brush's radius in pixels of the still."""
        return self._radius

    def set_radius(self, radius: float) -> None:
        """Make the brush larger or smaller."""
        self._radius = min(max(radius, 0.5), 2000.0)
        self.resized_brush.emit(self._radius)
        self.update()

    @property
    def _paints(self) -> bool:
        return self._tool in (Tool.BRUSH, Tool.ERASER)

    # ----------------------------------------------------------------- the view

    @property
    def zoom(self) -> float:
        """Screen pixels (real ones) per pixel of the still."""
        return self._zoom * self.devicePixelRatioF()

    @property
    def is_near(self) -> bool:
        """The coarse outlines of masks would show their steps."""
        return max(self._size) * self.zoom >= OUTLINE_PIXELS[-1] * COARSE_FROM

    def to_still(self, at: QPointF) -> tuple[float, float]:
        """A place of the widget in pixels of the still."""
        return (at.x() - self._origin.x()) / self._zoom, (at.y() - self._origin.y()) / self._zoom

    def to_widget(self, x: float, y: float) -> QPointF:
        """A place of the still in the widget."""
        return QPointF(x * self._zoom + self._origin.x(), y * self._zoom + self._origin.y())

    def holds(self, x: float, y: float) -> bool:
        """The place lies on the still."""
        return 0 <= x < self._size[0] and 0 <= y < self._size[1]

    def frame(self) -> None:
        """The whole still, in the middle."""
        width, height = self._size
        if not width:
            return
        self._zoom = 0.96 * min(self.width() / width, self.height() / height)
        self._centre()
        self._framed = True

    def show_actual_size(self) -> None:
        """One pixel of the still on one of the screen, around the middle of the view."""
        self.zoom_at(QPointF(self.rect().center()), 1.0 / self.zoom)

    def zoom_at(self, at: QPointF, factor: float) -> None:
        """Zoom and keep what lies at a place of the widget there."""
        if not self._size[0]:
            return
        least = min(1.0, 0.1 * min(self.width() / self._size[0], self.height() / self._size[1]))
        zoom = min(max(self._zoom * factor, least), GREATEST_ZOOM / self.devicePixelRatioF())
        x, y = self.to_still(at)
        self._zoom, self._framed = zoom, False
        self._origin = QPointF(at.x() - x * zoom, at.y() - y * zoom)
        self._moved()

    def _centre(self) -> None:
        width, height = self._size
        self._origin = QPointF((self.width() - width * self._zoom) / 2, (self.height() - height * self._zoom) / 2)
        self._moved()

    def _moved(self) -> None:
        self.zoomed.emit(self.zoom)
        self._moving = True
        self._rest.start()
        self._renew()

    def sizeHint(self) -> QSize:
        return QSize(800, 600)

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._framed:
            self.frame()
        elif event.oldSize().isValid():
            self._cache = None
            grown = event.size() - event.oldSize()
            self._origin += QPointF(grown.width() / 2, grown.height() / 2)

    # ----------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if self.size().isEmpty():
            return
        if self._cache is None or self._cache.size() != self.size() * ratio:
            self._cache = self._draw_scene(ratio)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._cache)
        self._draw_points(painter)
        if self._box is not None:
            painter.setPen(QPen(colour("bright"), 1, Qt.PenStyle.DashLine))
            painter.drawRect(self._box)
        self.guides.draw(painter, self.to_widget)
        self._draw_way(painter)
        if self._ringed:
            painter.setPen(QPen(colour("focus"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _draw_scene(self, ratio: float) -> QPixmap:
        """The still and the masks: what stays while only the pointer moves."""
        scene = QPixmap(self._draw_ground(ratio))
        if self._picture is not None and self._overlays:
            painter = QPainter(scene)
            for overlay in self._overlays:
                self._draw_overlay(painter, overlay)
            painter.end()
        return scene

    def _draw_ground(self, ratio: float) -> QPixmap:
        """The picture alone, kept while masks change over it: to scale it costs more than all of them."""
        shown = self._cover or self._picture
        place = (self.width(), self.height(), ratio, self._zoom, self._origin.x(), self._origin.y(), self._moving)
        if self._ground is None or self._ground_of[0] is not shown or self._ground_of[1] != place:
            self._ground = QPixmap(self.size() * ratio)
            self._ground.setDevicePixelRatio(ratio)
            painter = QPainter(self._ground)
            painter.fillRect(self.rect(), colour("canvas"))
            if shown is not None:
                self._draw(painter, shown)
            painter.end()
            self._ground_of = (shown, place)
        return self._ground

    def _renew(self) -> None:
        """Draw the still and the masks again."""
        self._cache = None
        self.update()

    def _come_to_rest(self) -> None:
        self._moving = False
        self._renew()

    def _draw(self, painter: QPainter, picture: Picture) -> None:
        """The part of a picture that is seen, from the level that is just finer than the screen."""
        level = min(max(0, math.floor(math.log2(1 / self.zoom))), len(picture.levels) - 1) if self.zoom < 1 else 0
        image, block = picture.levels[level], 2.0**level
        x0, y0 = self.to_still(QPointF(0, 0))
        x1, y1 = self.to_still(QPointF(self.width(), self.height()))
        left, top = max(0, math.floor(x0 / block)), max(0, math.floor(y0 / block))
        right, bottom = min(image.width(), math.ceil(x1 / block)), min(image.height(), math.ceil(y1 / block))
        if right <= left or bottom <= top:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.zoom < SHARP_FROM and not self._moving)
        corner = self.to_widget(left * block, top * block)
        size = block * self._zoom
        target = QRectF(corner.x(), corner.y(), (right - left) * size, (bottom - top) * size)
        painter.save()
        painter.setClipRect(QRectF(self._origin.x(), self._origin.y(), *(n * self._zoom for n in self._size)))
        painter.drawImage(target, image, QRectF(left, top, right - left, bottom - top))
        painter.restore()

    def _draw_overlay(self, painter: QPainter, overlay: Overlay) -> None:
        if overlay.tint is not None:
            self._draw(painter, overlay.tint)
        if not overlay.outlines:
            return
        outline = overlay.outlines[0 if self.is_near and not self._moving else -1]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, not self._moving)
        # Lines of one screen pixel, side by side: Qt draws those directly; a wider pen costs it thirty times as much.
        dark, light = QPen(colour("line", 0.6), 1.0), QPen(colour("bright" if overlay.strong else "quiet"), 1.0)
        inner, outer = (NEXT, AROUND) if self.devicePixelRatioF() < WIDE_FROM else (AROUND, FAR_AROUND)
        ways = [(light, inner)] if self._moving else [(dark, outer), (light, inner)]
        for pen, shifts in ways:
            pen.setCosmetic(True)
            painter.setPen(pen)
            for x, y in shifts:
                painter.resetTransform()
                painter.translate(self._origin + QPointF(x, y) / self.devicePixelRatioF())
                painter.scale(self._zoom, self._zoom)
                painter.drawPath(outline)
        painter.restore()

    def _draw_points(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for x, y, positive in self.points:
            at = self.to_widget(x, y)
            painter.setPen(QPen(colour("bright"), 1.5))
            painter.setBrush(QBrush(colour("accent" if positive else "error")))
            painter.drawEllipse(at, 5, 5)
            painter.drawLine(at - QPointF(2.5, 0), at + QPointF(2.5, 0))
            if positive:
                painter.drawLine(at - QPointF(0, 2.5), at + QPointF(0, 2.5))

    def _draw_way(self, painter: QPainter) -> None:
        """The stroke being drawn, and the brush where the pointer is."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        line = QPolygonF([self.to_widget(x, y) for x, y in self._way])
        length = (*self._way[0], *self._way[-1]) if self._tool is Tool.MEASURE and self._way else self.measure
        if length is not None:
            ends = self.to_widget(*length[:2]), self.to_widget(*length[2:])
            for thickness, hue in ((3.5, colour("line", 0.7)), (1.5, colour("warning"))):
                painter.setPen(QPen(hue, thickness))
                painter.drawLine(*ends)
                for end in ends:
                    painter.drawEllipse(end, 3, 3)
        if self._tool is Tool.LASSO and self._way:
            painter.setPen(QPen(colour("bright"), 1.25, Qt.PenStyle.DashLine))
            painter.drawPolyline(line)
        elif self._paints:
            width = 2 * self._radius * self._zoom
            if self._way:
                hue = colour("mask" if self._tool is Tool.BRUSH else "quiet", 0.5)
                round_pen = QPen(hue, width)
                round_pen.setCapStyle(Qt.PenCapStyle.RoundCap)
                round_pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
                painter.setPen(round_pen)
                painter.drawPolyline(line if len(self._way) > 1 else QPolygonF([line.first(), line.first()]))
            if self._pointer is not None:
                for thickness, hue in ((2.5, colour("line", 0.6)), (1.0, colour("bright"))):
                    painter.setPen(QPen(hue, thickness))
                    painter.drawEllipse(self._pointer, width / 2, width / 2)

    # ----------------------------------------------------------------- the pointer

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120
        self.zoom_at(event.position(), ZOOM_STEP**steps)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton or (
            self._space and event.button() == Qt.MouseButton.LeftButton
        ):
            self._pan_from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() == Qt.MouseButton.LeftButton:
            if self._tool is Tool.POINT and self.guides.grab(event.position(), self.to_widget):
                return
            self._press = event.position()
            if self._tool is not Tool.POINT:
                self._way = [self.to_still(event.position())]
                self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = self._pointer = event.position()
        if self._pan_from is not None:
            self._origin += at - self._pan_from
            self._pan_from, self._framed = at, False
            self._moved()
            return
        if self.guides.holds:
            self.guides.drag(*self.to_still(at))
            self.update()
            return
        if self._tool is not Tool.POINT:
            if self._press is not None:
                self._way.append(self.to_still(at))
            self.update()
            return
        if self._press is not None:
            if self._box is not None or (at - self._press).manhattanLength() > DRAG_PIXELS:
                self._box = QRectF(self._press, at).normalized()
                self.update()
            return
        x, y = self.to_still(at)
        self.hovered.emit((x, y) if self.holds(x, y) else None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None:
            self._pan_from = None
            self.take_tool(self._tool)
        elif self.guides.holds:
            if self.guides.release() == "horizon":
                self.tilted.emit(self.guides.horizon)
            else:
                self.aligned.emit(self.guides.lines)
        elif self._press is not None and self._tool is not Tool.POINT:
            self._end_stroke(event)
        elif self._press is not None:
            press, box = self._press, self._box
            self._press = self._box = None
            mode = _read_mode(event)
            if box is not None:
                (x0, y0), (x1, y1) = self.to_still(box.topLeft()), self.to_still(box.bottomRight())
                x0, y0 = max(x0, 0.0), max(y0, 0.0)
                x1, y1 = min(x1, float(self._size[0])), min(y1, float(self._size[1]))
                if x1 - x0 >= 1 and y1 - y0 >= 1:
                    self.boxed.emit(x0, y0, x1, y1, mode)
            elif self.holds(*self.to_still(press)):
                self.clicked.emit(*self.to_still(press), mode)
            self.update()

    def _end_stroke(self, event: QMouseEvent) -> None:
        way, self._way, self._press = self._way, [], None
        if self._tool is Tool.MEASURE:
            if len(way) > 1 and self._size[0]:
                self.measured.emit(*way[0], *way[-1])
            self.update()
            return
        turned = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        adds = (self._tool is not Tool.ERASER) != turned
        if self._size[0] and (self._paints or len(way) > 2):
            self.stroked.emit(Stroke(tuple(way), self._radius if self._paints else None, adds))
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._ringed = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.update()  # who points at it needs no ring

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._ringed = False
        self.update()

    def enterEvent(self, event: object) -> None:
        self.entered.emit()

    def leaveEvent(self, event: object) -> None:
        self._pointer = None
        self.hovered.emit(None)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self._space = True
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self.take_tool(self._tool)
        else:
            super().keyReleaseEvent(event)


def _read_mode(event: QMouseEvent) -> Mode:
    if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
        return Mode.PART
    if event.modifiers() & Qt.KeyboardModifier.AltModifier:
        return Mode.TAKE
    return Mode.ADD
