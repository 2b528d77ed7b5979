"""What several selected layers share, to be changed for all of them in one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ..pipelines.prop import PropParams
from ..project.project import Layer, LayerKind
from ..words import tr
from .document import Document
from .edits import put_layers


class SeveralPanel(QWidget):
    """Eye and lock of the layers, and the thickness and detail of those that are props."""

    make_wanted = Signal(object, object)
    """Names of props that shall be made again, and the parameters that they share."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._layers: Sequence[Layer] = ()
        self.told = QLabel()
        self.told.setProperty("heading", True)
        self.visible, self.locked = QCheckBox(tr("Visible")), QCheckBox(tr("Locked"))
        self.visible.clicked.connect(self._show_all)
        self.locked.clicked.connect(self._lock_all)
        usual = PropParams()
        self.thickness, self.detail = QDoubleSpinBox(), QDoubleSpinBox()
        for spin, low, high, decimals, step, value in (
            (self.thickness, 0.05, 4.0, 2, 0.05, usual.thickness),
            (self.detail, 16, 512, 0, 16, usual.grid),
        ):
            spin.setRange(low, high)
            spin.setDecimals(decimals)
            spin.setSingleStep(step)
            spin.setValue(value)
        self.make = QPushButton()
        self.make.clicked.connect(self._make)
        self._form = QWidget()
        form = QFormLayout(self._form)
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(4)
        for text, spin in ((tr("Thickness"), self.thickness), (tr("Detail"), self.detail)):
            spin.setAccessibleName(text)
            form.addRow(text, spin)
        form.addRow("", self.make)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        for part in (self.told, self.visible, self.locked, self._form):
            column.addWidget(part)
        column.addStretch(1)

    def show_layers(self, layers: Sequence[Layer]) -> None:
        """Show these; a box stands half way where they differ."""
        before, self._layers = {layer.id for layer in self._layers}, layers
        self.told.setText(tr("{n} layers are selected.", n=len(layers)))
        for box, states in (
            (self.visible, {layer.visible for layer in layers}),
            (self.locked, {layer.locked for layer in layers}),
        ):
            state = Qt.CheckState.PartiallyChecked if len(states) > 1 else None
            with QSignalBlocker(box):
                box.setTristate(state is not None)
                box.setCheckState(state or (Qt.CheckState.Checked if True in states else Qt.CheckState.Unchecked))
        props = self._list_props()
        self._form.setVisible(len(props) > 1)
        self.make.setText(tr("Make {n} props so", n=len(props)))
        if before != {layer.id for layer in layers}:
            self._take_form(props)

    def _list_props(self) -> list[Layer]:
        return [layer for layer in self._layers if layer.kind is LayerKind.PROP and layer.masks and not layer.locked]

    def _take_form(self, props: Sequence[Layer]) -> None:
        """What the first prop was made with."""
        made = (layer.made_by for layer in props)
        params = next((one.params for one in made if one is not None and one.pipeline == "prop"), {})
        for spin, name in ((self.thickness, "thickness"), (self.detail, "grid")):
            spin.setValue(float(params.get(name, spin.value())))

    def _show_all(self) -> None:
        visible = self.visible.checkState() is not Qt.CheckState.Unchecked
        label = tr("Show {n} layers", n=len(self._layers)) if visible else tr("Hide {n} layers", n=len(self._layers))
        self._put(label, [replace(layer, visible=visible) for layer in self._layers])

    def _lock_all(self) -> None:
        locked = self.locked.checkState() is not Qt.CheckState.Unchecked
        label = tr("Lock {n} layers", n=len(self._layers)) if locked else tr("Unlock {n} layers", n=len(self._layers))
        self._put(label, [replace(layer, locked=locked) for layer in self._layers])

    def _put(self, label: str, layers: Sequence[Layer]) -> None:
        self._document.edit(label, put_layers(self._document.project, *layers))

    def _make(self) -> None:
        params = {"thickness": self.thickness.value(), "grid": round(self.detail.value())}
        self.make_wanted.emit(tuple(layer.name for layer in self._list_props()), params)
