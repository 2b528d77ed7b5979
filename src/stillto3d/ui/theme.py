"""How the window looks: one grey scale, one accent, a 4 px grid, icons drawn in the text's colour."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPalette, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from ..words import find_resources

COLOURS = {
    "window": "#232323",
    "canvas": "#2e2e2e",
    "panel": "#333333",
    "field": "#272727",
    "raised": "#404040",
    "hover": "#4d4d4d",
    "line": "#1f1f1f",
    "dim": "#6e6e6e",
    "quiet": "#9a9a9a",
    "text": "#cfcfcf",
    "bright": "#f2f2f2",
    "accent": "#4a7ba6",
    "focus": "#6fa3d0",
    "mask": "#cf5562",  # seldom met in stills, as the red film of retouchers
    "warning": "#c8a15a",
    "error": "#c8705a",
}
GRID = 4


def colour(name: str, alpha: float = 1.0) -> QColor:
    """A colour of the theme."""
    chosen = QColor(COLOURS[name])
    chosen.setAlphaF(alpha)
    return chosen


def apply_theme(app: QApplication) -> None:
    """Give the application its palette and style sheet."""
    app.setStyle("Fusion")
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: "panel",
        QPalette.ColorRole.WindowText: "text",
        QPalette.ColorRole.Base: "field",
        QPalette.ColorRole.AlternateBase: "panel",
        QPalette.ColorRole.Text: "text",
        QPalette.ColorRole.Button: "raised",
        QPalette.ColorRole.ButtonText: "text",
        QPalette.ColorRole.BrightText: "bright",
        QPalette.ColorRole.Highlight: "accent",
        QPalette.ColorRole.HighlightedText: "bright",
        QPalette.ColorRole.ToolTipBase: "raised",
        QPalette.ColorRole.ToolTipText: "text",
        QPalette.ColorRole.PlaceholderText: "dim",
        QPalette.ColorRole.Link: "accent",
    }
    for role, name in roles.items():
        palette.setColor(role, colour(name))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, colour("dim"))
    app.setPalette(palette)
    font = app.font()
    font.setPointSizeF(9.0)
    app.setFont(font)
    sheet = (find_resources() / "theme" / "dark.qss").read_text(encoding="utf-8")
    for name in sorted(COLOURS, key=len, reverse=True):
        sheet = sheet.replace(f"@{name}", COLOURS[name])
    app.setStyleSheet(sheet)


class _Engine(QIconEngine):
    """An SVG in the text's colour, sharp at every scale."""

    def __init__(self, drawing: bytes) -> None:
        super().__init__()
        self._drawing = drawing

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        if rect.isEmpty():
            return
        name = "dim" if mode == QIcon.Mode.Disabled else "bright" if state == QIcon.State.On else "text"
        ratio = painter.device().devicePixelRatioF()
        key = f"stillto3d/{hash(self._drawing)}/{name}/{rect.width()}x{rect.height()}@{ratio}"
        drawn = QPixmap()
        if not QPixmapCache.find(key, drawn):
            drawn = self._draw(rect.size(), ratio, name)
            QPixmapCache.insert(key, drawn)
        painter.drawPixmap(rect.topLeft(), drawn)

    def _draw(self, size: QSize, ratio: float, name: str) -> QPixmap:
        drawn = QPixmap(size * ratio)
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        drawing = self._drawing.replace(b"currentColor", COLOURS[name].encode())
        QSvgRenderer(QByteArray(drawing)).render(painter, QRectF(0, 0, size.width(), size.height()))
        painter.end()
        return drawn

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, pixmap.rect(), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _Engine(self._drawing)


@cache
def load_drawing(name: str) -> bytes:
    """The SVG of resources/icons."""
    return (find_resources() / "icons" / f"{name}.svg").read_bytes()


def make_icon(name: str) -> QIcon:
    """An icon of resources/icons."""
    return QIcon(_Engine(load_drawing(name)))
