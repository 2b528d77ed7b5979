"""The inspector: what is selected, and its numbers to change. The lens, when nothing is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..pipelines.prop import PropParams
from ..project.geometry import Mesh
from ..project.project import Layer, LayerKind, Project, Recipe, Take
from ..project.space import join_transform, split_transform
from ..words import tr
from .actions import Actions, strip_mnemonic
from .background import Background
from .document import Document
from .edits import put_layers
from .health import Health, examine_mesh
from .lens_panel import LensPanel
from .several_panel import SeveralPanel
from .word_jobs import word_pipelines

AXES = ("X", "Y", "Z")
MASK_WISHES = ("mask.brush", "mask.eraser", "mask.lasso", "mask.soften", "mask.hair", "mask.save")


class Inspector(QScrollArea):
    """Follows the selection. Each change of a number is one step of the document."""

    make_wanted = Signal(str, object)
    """Name of a prop that shall be made again, and its parameters."""

    reshape_wanted = Signal(str, object)
    """Id of a prop that shall have another form at once, and its parameters."""

    def __init__(
        self, document: Document, background: Background, start: Callable[[Any], Any], actions: Actions
    ) -> None:
        super().__init__()
        self._document, self._background, self._start = document, background, start
        self._actions = actions
        self._selected: frozenset[str] = frozenset()
        self._shown: Layer | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.lens = LensPanel(document)
        self.several = SeveralPanel(document)
        self._layer_page = self._build_layer_page()
        self._pages = QStackedWidget()
        for page in (self.lens, self._layer_page, self.several):
            self._pages.addWidget(page)
        self.setWidget(self._pages)
        self._turn_to(self.lens)
        document.changed.connect(self._follow)

    def select(self, ids: frozenset[str]) -> None:
        """Show these layers."""
        self._selected = ids
        self._refresh(self._document.project)

    # ----------------------------------------------------------------- the page of a layer

    def _build_layer_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        self.name = QLabel()
        self.name.setProperty("heading", True)
        column.addWidget(self.name)
        self._build_mask(column)
        self._build_transform(column)
        self._build_prop(column)
        self.health, self.recipe = _quiet(""), _quiet("")
        self._health_title, self._recipe_title = _heading(tr("Mesh")), _heading(tr("Made by"))
        for part in (self._health_title, self.health, self._recipe_title, self.recipe):
            column.addWidget(part)
        self._takes_title, self.takes = _heading(tr("Earlier takes")), QComboBox()
        self.use_take = QPushButton(tr("Go back to this take"))
        self.use_take.clicked.connect(self._use_take)
        for item in (self._takes_title, self.takes, self.use_take):
            column.addWidget(item)
        column.addStretch(1)
        return page

    def _build_mask(self, column: QVBoxLayout) -> None:
        """Tools for the mask of what is selected: painting takes it up, the edges are solved again."""
        self.mask_box = QWidget()
        grid = QGridLayout(self.mask_box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        for k, wish in enumerate(MASK_WISHES):
            button = QToolButton()
            button.setDefaultAction(self._actions.table[wish])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setText(strip_mnemonic(self._actions.table[wish].text()))
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            grid.addWidget(button, k // 2, k % 2)
        self._mask_title = _heading(tr("Mask"))
        column.addWidget(self._mask_title)
        column.addWidget(self.mask_box)

    def _build_transform(self, column: QVBoxLayout) -> None:
        self.transform_box = QWidget()
        grid = QGridLayout(self.transform_box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        for k, axis in enumerate(AXES):
            grid.addWidget(_quiet(axis), 0, k + 1, Qt.AlignmentFlag.AlignCenter)
        grid.addWidget(_quiet(tr("Place, m")), 1, 0)
        grid.addWidget(_quiet(tr("Turn, °")), 2, 0)
        grid.addWidget(_quiet(tr("Scale")), 3, 0)
        self.place = [make_spin(-1e5, 1e5, 3, 0.01) for _ in AXES]
        self.turn = [make_spin(-360, 360, 1, 1.0) for _ in AXES]
        self.scale = make_spin(1e-3, 1e3, 3, 0.01)
        for k in range(3):
            self.place[k].setAccessibleName(tr("Place {axis}", axis=AXES[k]))
            self.turn[k].setAccessibleName(tr("Turn {axis}", axis=AXES[k]))
            grid.addWidget(self.place[k], 1, k + 1)
            grid.addWidget(self.turn[k], 2, k + 1)
        grid.addWidget(self.scale, 3, 1)
        for spin in (*self.place, *self.turn, self.scale):
            spin.valueChanged.connect(self._move)
        self._transform_title = _heading(tr("Transform"))
        column.addWidget(self._transform_title)
        column.addWidget(self.transform_box)

    def _build_prop(self, column: QVBoxLayout) -> None:
        self.prop_box = QWidget()
        form = QFormLayout(self.prop_box)
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(4)
        self.thickness = make_spin(0.05, 4.0, 2, 0.05)
        self.profile = make_spin(0.0, 1.0, 2, 0.05)
        self.profile.setToolTip(tr("0.5 is round, 0 a box."))
        self.back = QComboBox()
        for name, text in (("inflated", tr("Inflated")), ("mirrored", tr("Front mirrored")), ("flat", tr("Flat"))):
            self.back.addItem(text, name)
        self.detail = make_spin(16, 512, 0, 16)
        self.make = QPushButton(tr("Make prop"))
        self.make.clicked.connect(self._make)
        rows = (
            (tr("Back"), self.back),
            (tr("Thickness"), self.thickness),
            (tr("Profile"), self.profile),
            (tr("Detail"), self.detail),
        )
        for text, field in rows:
            field.setAccessibleName(text)
            form.addRow(_quiet(text), field)
        form.addRow("", self.make)
        for spin in (self.thickness, self.profile, self.detail):
            spin.valueChanged.connect(self._reshape)
        self.back.currentIndexChanged.connect(self._reshape)
        self._prop_title = _heading(tr("Prop"))
        column.addWidget(self._prop_title)
        column.addWidget(self.prop_box)

    # ----------------------------------------------------------------- following

    def _follow(self, old: Project, new: Project) -> None:
        self._refresh(new)

    def _refresh(self, project: Project) -> None:
        chosen = [layer for layer in project.layers if layer.id in self._selected]
        if not chosen:
            self._shown = None
            self._turn_to(self.lens)
        elif len(chosen) > 1:
            self._shown = None
            self.several.show_layers(chosen)
            self._turn_to(self.several)
        elif chosen[0] is not self._shown:
            self._show(chosen[0])
            self._turn_to(self._layer_page)

    def _turn_to(self, page: QWidget) -> None:
        """Show a page, and let it alone say how high the inspector's content is."""
        kinds = QSizePolicy.Policy
        for one in (self.lens, self._layer_page, self.several):
            one.setSizePolicy(kinds.Preferred, kinds.Preferred if one is page else kinds.Ignored)
        self._pages.setCurrentWidget(page)

    def _show(self, layer: Layer) -> None:
        before, self._shown = self._shown, layer
        self.name.setText(layer.name)
        self._show_transform(layer)
        is_prop = layer.kind is LayerKind.PROP
        for part in (self._mask_title, self.mask_box):
            part.setVisible(is_prop and bool(layer.masks))
        for part in (self._prop_title, self.prop_box):
            part.setVisible(is_prop)
        params = layer.made_by.params if layer.made_by is not None and layer.made_by.pipeline == "prop" else {}
        if before is None or before.id != layer.id or before.made_by is not layer.made_by:
            self._show_form(params)
        self.make.setText(tr("Make again") if layer.geometry is not None else tr("Make prop"))
        self.recipe.setText(word_recipe(layer.made_by))
        for part in (self._recipe_title, self.recipe):
            part.setVisible(layer.made_by is not None)
        self.takes.clear()
        self.takes.addItems([word_take(k, take) for k, take in enumerate(layer.takes)])
        for part in (self._takes_title, self.takes, self.use_take):
            part.setVisible(bool(layer.takes))
        mesh = layer.geometry if isinstance(layer.geometry, Mesh) else None
        for part in (self._health_title, self.health):
            part.setVisible(mesh is not None)
        if mesh is not None and (before is None or before.geometry is not mesh):
            self.health.setText(tr("looking at the mesh…"))
            self._start(self._show_health(layer, mesh))

    def _show_form(self, params: Mapping[str, Any]) -> None:
        """The form of a prop as it was made, else as it would be."""
        usual = PropParams()
        for spin, name in ((self.thickness, "thickness"), (self.profile, "profile"), (self.detail, "grid")):
            with QSignalBlocker(spin):
                spin.setValue(float(params.get(name, getattr(usual, name))))
        with QSignalBlocker(self.back):
            self.back.setCurrentIndex(max(0, self.back.findData(params.get("back", usual.back))))
        self._allow_form()

    def _allow_form(self) -> None:
        """A flat back has no thickness, and only an inflated one a profile."""
        back = self.back.currentData()
        self.thickness.setEnabled(back != "flat")
        self.profile.setEnabled(back == "inflated")

    def _show_transform(self, layer: Layer) -> None:
        place, turns, scale = split_transform(layer.transform)
        for spins, values in ((self.place, place), (self.turn, turns), ([self.scale], [scale])):
            for spin, value in zip(spins, values, strict=True):
                with QSignalBlocker(spin):
                    spin.setValue(float(value))
        for part in (self._transform_title, self.transform_box):
            part.setVisible(layer.geometry is not None)
        self.transform_box.setEnabled(not layer.locked)
        self.prop_box.setEnabled(not layer.locked)

    async def _show_health(self, layer: Layer, mesh: Mesh) -> None:
        health = await self._background.run(examine_mesh, mesh)
        if self._shown is not None and self._shown.geometry is mesh:
            self.health.setText(word_health(health))

    # ----------------------------------------------------------------- wishes

    def _move(self) -> None:
        layer = self._shown
        if layer is not None and not layer.locked:
            place, turns = [spin.value() for spin in self.place], [spin.value() for spin in self.turn]
            moved = replace(layer, transform=join_transform(place, turns, self.scale.value()))
            label = tr("Move {name}", name=layer.name)
            self._document.edit(label, put_layers(self._document.project, moved))

    def read_params(self) -> dict[str, Any]:
        """The form of the fields as parameters of a prop."""
        return {
            "thickness": self.thickness.value(),
            "profile": self.profile.value(),
            "back": self.back.currentData(),
            "grid": round(self.detail.value()),
        }

    def _make(self) -> None:
        if self._shown is not None:
            self.make_wanted.emit(self._shown.name, self.read_params())

    def _reshape(self) -> None:
        self._allow_form()
        if self._shown is not None and self._shown.geometry is not None:
            self.reshape_wanted.emit(self._shown.id, self.read_params())

    def _use_take(self) -> None:
        layer, index = self._shown, self.takes.currentIndex()
        if layer is None or layer.geometry is None or not 0 <= index < len(layer.takes):
            return
        chosen = layer.takes[index]
        takes = (*layer.takes[:index], *layer.takes[index + 1 :], Take(layer.geometry, layer.transform, layer.made_by))
        back = replace(layer, geometry=chosen.geometry, transform=chosen.transform, made_by=chosen.made_by, takes=takes)
        label = tr("Go back to a take of {name}", name=layer.name)
        self._document.edit(label, put_layers(self._document.project, back))


def word_health(health: Health) -> str:
    """What a mesh is like, in lines."""
    closed = tr("watertight") if health.watertight else tr("{n} holes", n=health.holes)
    lines = [tr("{n} triangles, {closed}", n=f"{health.triangles:,}", closed=closed)]
    size = " × ".join(f"{metres:.2f}" for metres in health.size)
    lines.append(tr("{size} m", size=size))
    if health.seen is not None:
        lines.append(tr("{n} % seen in the still, the rest invented", n=round(100 * health.seen)))
    return "\n".join(lines)


def word_recipe(recipe: Recipe | None) -> str:
    """Which models made a layer, with their licences."""
    if recipe is None:
        return ""
    name = word_pipelines().get(recipe.pipeline, recipe.pipeline)
    lines = [tr("{name}, {seconds} s", name=name, seconds=f"{recipe.seconds:.1f}")]
    for model in recipe.models:
        lines.append(f"{model.get('id', '')} {model.get('version', '')} · {model.get('licence', '')}")
    return "\n".join(lines)


def word_take(index: int, take: Take) -> str:
    """A take in the list."""
    params = take.made_by.params if take.made_by is not None else {}
    shown = tr("thickness {t}, detail {d}", t=params.get("thickness", "?"), d=params.get("grid", "?"))
    if params.get("back", "inflated") != "inflated":
        shown = f"{shown}, {tr('Flat') if params['back'] == 'flat' else tr('Front mirrored')}"
    return f"{index + 1}  {shown}"


def make_spin(low: float, high: float, decimals: int, step: float) -> QDoubleSpinBox:
    """A field for a number that tells when it is typed to its end."""
    spin = QDoubleSpinBox()
    spin.setRange(low, high)
    spin.setDecimals(decimals)
    spin.setSingleStep(step)
    spin.setKeyboardTracking(False)
    spin.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    spin.setMinimumWidth(48)
    return spin


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("heading", True)
    label.setContentsMargins(0, 4, 0, 0)
    return label


def _quiet(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("quiet", True)
    label.setWordWrap(True)
    return label
