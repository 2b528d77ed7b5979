"""A length that somebody knows: drawn on the still or in the viewport, typed in metres."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDoubleSpinBox, QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from ..project.project import Shot
from ..words import tr


def measure_on_still(shot: Shot, line: tuple[float, float, float, float]) -> float | None:
    """The metres between two places of the still as the set has them; None before there is a set."""
    if shot.depth is None or shot.camera is None:
        return None
    metres, camera = shot.depth.metres, shot.camera
    pixels = np.array([line[:2], line[2:]], dtype=np.float64)
    height, width = metres.shape
    columns = np.clip(pixels[:, 0] * width / camera.width, 0, width - 1).astype(int)
    rows = np.clip(pixels[:, 1] * height / camera.height, 0, height - 1).astype(int)
    ends = camera.unproject(pixels, metres[rows, columns])
    return float(np.linalg.norm(ends[1] - ends[0]))


class LengthBar(QFrame):
    """Stands over a pane: what was measured, and a field for what it is. Enter takes it, Esc goes."""

    known = Signal(float)
    """The metres that were typed."""
    closed = Signal()

    def __init__(self, pane: QWidget) -> None:
        super().__init__(pane)
        self._pane = pane
        self.setObjectName("length")
        self.label = QLabel()
        self.field = QDoubleSpinBox()
        self.field.setRange(0.001, 1e5)
        self.field.setDecimals(3)
        self.field.setSuffix(" m")
        self.field.setMinimumWidth(96)
        self.field.setAccessibleName(tr("Known length"))
        self.take = QPushButton(tr("Set scale"))
        self.take.clicked.connect(self._take)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(8)
        for part in (self.label, self.field, self.take):
            row.addWidget(part)
        self.hide()

    def ask(self, measured: float | None) -> None:
        """Ask for the true length of what was measured (None: nothing is built yet)."""
        shown = tr("Drawn length:") if measured is None else tr("Measured {n} m. It is:", n=f"{measured:.3f}")
        self.label.setText(shown)
        self.field.setValue(measured or 1.0)
        self.adjustSize()
        self.move(max(8, (self._pane.width() - self.width()) // 2), 12)
        self.show()
        self.raise_()
        self.field.setFocus()
        self.field.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take()
        elif event.key() == Qt.Key.Key_Escape:
            self._leave()
        else:
            super().keyPressEvent(event)

    def _take(self) -> None:
        self.field.interpretText()
        self._leave()
        self.known.emit(self.field.value())

    def _leave(self) -> None:
        self.hide()
        self._pane.setFocus()  # its keys count again
        self.closed.emit()
