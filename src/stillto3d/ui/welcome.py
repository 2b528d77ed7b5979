"""What stands in the centre before a still is open: samples, recent files, and how to begin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QImageReader, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from ..words import find_resources, tr

PICTURE = QSize(156, 104)
PATH = Qt.ItemDataRole.UserRole


class Welcome(QWidget):
    """Tells which file was chosen; an empty path asks for the file dialog."""

    chosen = Signal(object)
    """A Path, or None to be asked for one."""

    def __init__(self) -> None:
        super().__init__()
        title = QLabel("stillto3d")
        font = title.font()
        font.setPointSizeF(16)
        title.setFont(font)
        title.setProperty("heading", True)
        about = QLabel(tr("A film still in; masks, a metric set, props and a camera out."))
        about.setProperty("quiet", True)
        self.open_button = QPushButton(tr("Open a still or a project…"))
        self.open_button.setDefault(True)
        self.open_button.clicked.connect(lambda: self.chosen.emit(None))
        drop = QLabel(tr("or drop one here, or paste one"))
        drop.setProperty("quiet", True)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.open_button)
        row.addWidget(drop)
        row.addStretch(1)
        self.recent, self.samples = _make_list(), _make_list()
        self._recent_title = _make_heading(tr("Recent"))
        column = QVBoxLayout()
        column.setSpacing(8)
        for part in (title, about):
            column.addWidget(part)
        column.addSpacing(8)
        column.addLayout(row)
        column.addSpacing(16)
        column.addWidget(self._recent_title)
        column.addWidget(self.recent)
        column.addWidget(_make_heading(tr("Samples")))
        column.addWidget(self.samples, 1)
        holder = QWidget()
        holder.setLayout(column)
        holder.setMaximumWidth(780)
        centre = QHBoxLayout(self)
        centre.setContentsMargins(32, 40, 32, 24)
        centre.addStretch(1)
        centre.addWidget(holder, 8)
        centre.addStretch(1)
        for shown in (self.recent, self.samples):
            shown.itemActivated.connect(self._choose)
            shown.itemClicked.connect(self._choose)
        self.show_recent([])

    def show_recent(self, paths: Sequence[Path]) -> None:
        """The recent files by name, with their folder as a tip."""
        self.recent.clear()
        for path in paths:
            item = QListWidgetItem(_printable(path.name))
            item.setToolTip(_printable(str(path.parent)))
            item.setData(PATH, path)
            self.recent.addItem(item)
        self.recent.setFixedHeight(4 + 24 * min(max(len(paths), 1), 6))
        for part in (self._recent_title, self.recent):
            part.setVisible(bool(paths))

    def show_samples(self, samples: Sequence[tuple[Path, QImage]]) -> None:
        """The samples that ship with the app, as pictures."""
        self.samples.setViewMode(QListWidget.ViewMode.IconMode)
        self.samples.setIconSize(PICTURE)
        self.samples.setGridSize(QSize(PICTURE.width() + 16, PICTURE.height() + 36))
        self.samples.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.samples.setMovement(QListWidget.Movement.Static)
        self.samples.setMinimumHeight(2 * (PICTURE.height() + 40))
        for path, image in samples:
            name = path.parent.name.replace("_", " ")
            item = QListWidgetItem(QIcon(QPixmap.fromImage(image)), name)
            item.setData(PATH, path)
            self.samples.addItem(item)

    def _choose(self, item: QListWidgetItem) -> None:
        self.chosen.emit(item.data(PATH))


def load_samples() -> list[tuple[Path, QImage]]:
    """The sample stills with small pictures of them; for any thread."""
    found = []
    for path in sorted((find_resources() / "samples").glob("*/still.jpg")):
        reader = QImageReader(str(path))
        size = reader.size().scaled(PICTURE * 2, Qt.AspectRatioMode.KeepAspectRatio)
        reader.setScaledSize(size)
        image = reader.read()
        image.setDevicePixelRatio(2.0)
        found.append((path, image))
    return found


def _make_list() -> QListWidget:
    shown = QListWidget()
    shown.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return shown


def _make_heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("quiet", True)
    return label


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
