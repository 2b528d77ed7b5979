"""The strip over the viewport: shading, gizmo, and the still's opacity and wipe at the lens."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from ..words import tr
from .actions import Actions

GIZMO = ("none", "move", "turn", "scale", "measure")
SHADING = ("textured", "clay", "wire", "normals", "depth", "seen")


class ViewBar(QWidget):
    """Buttons of actions, and two sliders that show at the lens."""

    mixed = Signal(int, int)
    """Opacity and wipe of the still, in per cent."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("strip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(28)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        row.setSpacing(2)
        for name in GIZMO:
            row.addWidget(actions.button(f"view.{name}"))
        row.addStretch(1)
        self.opacity, self.wipe = _make_slider(tr("Opacity of the still"), 100), _make_slider(tr("Wipe"), 50)
        self._mix = QWidget()
        keeps = self._mix.sizePolicy()
        keeps.setRetainSizeWhenHidden(True)  # else the panes would shift when the lens is looked through
        self._mix.setSizePolicy(keeps)
        mix = QHBoxLayout(self._mix)
        mix.setContentsMargins(0, 0, 0, 0)
        mix.setSpacing(6)
        for text, slider in ((tr("Still"), self.opacity), (tr("Wipe"), self.wipe)):
            label = QLabel(text)
            label.setProperty("quiet", True)
            mix.addWidget(label)
            mix.addWidget(slider)
            slider.valueChanged.connect(lambda: self.mixed.emit(self.opacity.value(), self.wipe.value()))
        row.addWidget(self._mix)
        row.addStretch(1)
        row.addWidget(actions.button("view.lens"))
        for name in SHADING:
            row.addWidget(actions.button(f"view.{name}"))
        self.show_lens(False)

    def show_lens(self, shown: bool) -> None:
        """Show what only counts at the lens."""
        self._mix.setVisible(shown)


def _make_slider(name: str, value: int) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, 100)
    slider.setValue(value)
    slider.setMinimumWidth(40)
    slider.setMaximumWidth(96)
    slider.setAccessibleName(name)
    slider.setToolTip(name)
    return slider
