"""Lines over the still that can be dragged: the horizon, and those along two directions of the set."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF
from PySide6.QtGui import QBrush, QColor, QPainter, QPen

from .horizon import HANDLES, Line, drag_horizon
from .theme import colour
from .vanishing import Lines, Place, move_end

GRAB_PIXELS = 12
DIRECTIONS = (QColor("#c47070"), QColor("#6f92c4"))
ToWidget = Callable[[float, float], QPointF]


class Guides:
    """What is shown, which handle is held, and where it was dragged."""

    def __init__(self) -> None:
        self.horizon: Line | None = None
        self.lines: Lines | None = None
        self.locked = False  # shown, and not to be dragged
        self._width = 0.0
        self._held: tuple[str, int] | None = None

    def show(self, horizon: Line | None, lines: Lines | None, width: float) -> None:
        """Show these over a still of that width."""
        self.horizon, self.lines, self._width = horizon, lines, width
        self._held = None

    def draw(self, painter: QPainter, to_widget: ToWidget) -> None:
        """Draw the lines and their handles."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.horizon is not None:
            ends = to_widget(0, self.horizon[0]), to_widget(self._width, self.horizon[1])
            _draw_line(painter, ends, colour("warning"))
        for k, (start, end) in enumerate(self.lines or ()):
            _draw_line(painter, (to_widget(*start), to_widget(*end)), DIRECTIONS[k // 2])
        if self.locked:
            return
        painter.setPen(QPen(colour("line", 0.6), 1))
        for (kind, k), place in self._list_handles().items():
            painter.setBrush(QBrush(colour("warning") if kind == "horizon" else DIRECTIONS[k // 4]))
            painter.drawEllipse(to_widget(*place), 4, 4)

    def grab(self, at: QPointF, to_widget: ToWidget) -> bool:
        """Take the handle under the pointer; False when there is none, or all are locked."""
        if self.locked:
            return False
        far = {key: (at - to_widget(*place)).manhattanLength() for key, place in self._list_handles().items()}
        self._held = min(far, key=lambda key: far[key]) if far and min(far.values()) <= GRAB_PIXELS else None
        return self._held is not None

    def drag(self, x: float, y: float) -> None:
        """Take the held handle to a place of the still."""
        if self._held is None:
            return
        kind, k = self._held
        if kind == "horizon" and self.horizon is not None:
            self.horizon = drag_horizon(self.horizon, k, y)
        elif self.lines is not None:
            self.lines = move_end(self.lines, k, (x, y))

    def release(self) -> str:
        """Let go; answers with what was held ("horizon", "lines" or "")."""
        held, self._held = self._held, None
        return held[0] if held is not None else ""

    @property
    def holds(self) -> bool:
        """A handle is held."""
        return self._held is not None

    def _list_handles(self) -> dict[tuple[str, int], Place]:
        handles: dict[tuple[str, int], Place] = {}
        if self.horizon is not None:
            left, right = self.horizon
            for k, share in enumerate(HANDLES):
                handles["horizon", k] = (share * self._width, left + (right - left) * share)
        for k, segment in enumerate(self.lines or ()):
            for end in range(2):
                handles["lines", 2 * k + end] = segment[end]
        return handles


def _draw_line(painter: QPainter, ends: tuple[QPointF, QPointF], hue: QColor) -> None:
    for thickness, shade in ((3.0, colour("line", 0.6)), (1.25, hue)):
        painter.setPen(QPen(shade, thickness))
        painter.drawLine(*ends)
