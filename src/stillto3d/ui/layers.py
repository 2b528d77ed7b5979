"""The layer panel: the SCENE and PROPS groups, what is selected, seen and locked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QMimeData, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QDrag, QDragEnterEvent, QDragMoveEvent, QDropEvent, QIcon, QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from ..project.geometry import Mesh
from ..project.project import Layer, LayerKind, Project
from ..project.still import U8
from ..words import tr
from .document import Document
from .edits import move_layers, put_layers
from .theme import colour, make_icon

NAME, STATE, EYE, LOCK = range(4)
THUMBNAIL = 32
LAYER_ID = Qt.ItemDataRole.UserRole


class _NoTyping(QStyledItemDelegate):
    """Icons are clicked; only names are typed."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        option.decorationSize = QSize(16, 16)
        option.decorationAlignment = Qt.AlignmentFlag.AlignCenter

    def createEditor(self, parent: QWidget, option: object, index: object) -> QWidget:
        return None  # type: ignore[return-value]


class LayerPanel(QTreeWidget):
    """Layers by group. Edits go to the document; what it answers is drawn."""

    chosen = Signal(object)
    """The ids (frozenset) of the selected layers."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._filling = False
        self._latest: frozenset[str] = frozenset()  # stays while undo takes a layer away and brings it back
        self.setAccessibleName(tr("Layers"))
        self.setColumnCount(4)
        self.setHeaderHidden(True)
        self.setIndentation(8)
        self.setIconSize(QSize(THUMBNAIL, THUMBNAIL))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(24)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(STATE, QHeaderView.ResizeMode.ResizeToContents)
        for column in (EYE, LOCK):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self.setColumnWidth(column, 28)
        untyped = _NoTyping(self)
        for column in (STATE, EYE, LOCK):
            self.setItemDelegateForColumn(column, untyped)
        self._groups = {LayerKind.SCENE: self._add_group(tr("SCENE")), LayerKind.PROP: self._add_group(tr("PROPS"))}
        self._items: dict[str, QTreeWidgetItem] = {}
        self._jobs: dict[str, str] = {}
        self._failed: frozenset[str] = frozenset()
        self.make_dragged: Callable[[frozenset[str]], QMimeData] | None = None
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.itemClicked.connect(self._click)
        self.itemChanged.connect(self._rename)
        self.itemSelectionChanged.connect(self._choose)
        document.changed.connect(self._follow)

    def show_job(self, ids: frozenset[str], state: str, failed: bool = False) -> None:
        """Say of these layers how the job stands that makes them; "" when it is over."""
        self._filling = True
        for layer_id in ids:
            self._failed = self._failed | {layer_id} if failed else self._failed - {layer_id}
            self._jobs[layer_id] = state
            layer = self._document.project.layer(layer_id)
            if layer is not None and layer_id in self._items:
                self._fill_state(self._items[layer_id], layer)
        self._filling = False

    def _fill_state(self, item: QTreeWidgetItem, layer: Layer) -> None:
        failed = layer.id in self._failed
        item.setText(STATE, self._jobs.get(layer.id) or word_state(layer))
        item.setForeground(STATE, colour("error") if failed else self.palette().placeholderText())
        item.setToolTip(STATE, tr("It could not be made; the reason stands below.") if failed else "")

    def rename_selected(self) -> None:
        """Type another name for the selected layer."""
        items = self.selectedItems()
        if len(items) == 1:
            self.editItem(items[0], NAME)

    def selected(self) -> frozenset[str]:
        """Ids of the selected layers."""
        ids = (item.data(NAME, LAYER_ID) for item in self.selectedItems())
        return frozenset(layer_id for layer_id in ids if layer_id)

    def select(self, ids: frozenset[str]) -> None:
        """Select these layers and no others."""
        if ids == self.selected():
            return
        self.blockSignals(True)
        for layer_id, item in self._items.items():
            item.setSelected(layer_id in ids)
        self.blockSignals(False)
        self._choose()

    def _choose(self) -> None:
        if not self._filling:
            self._latest = self.selected()
        self.chosen.emit(self.selected())

    # ----------------------------------------------------------------- drawing

    def _add_group(self, title: str) -> QTreeWidgetItem:
        group = QTreeWidgetItem(self, [title])
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        group.setFirstColumnSpanned(True)
        group.setExpanded(True)
        group.setForeground(NAME, colour("quiet"))
        group.setSizeHint(NAME, QSize(0, 24))
        return group

    def _follow(self, old: Project, new: Project) -> None:
        before = {layer.id: layer for layer in old.layers}
        self._filling = True
        for layer_id in self._items.keys() - {layer.id for layer in new.layers}:
            item = self._items.pop(layer_id)
            (item.parent() or self.invisibleRootItem()).removeChild(item)
        same_still = bool(old.shots and new.shots and old.shots[0].still is new.shots[0].still)
        for layer in new.layers:
            if layer.id not in self._items:
                self._items[layer.id] = QTreeWidgetItem(self._groups[layer.kind])
                self._items[layer.id].setSelected(layer.id in self._latest)
            elif before.get(layer.id) is layer and same_still:
                continue
            self._fill(self._items[layer.id], layer, new)
        for kind, group in self._groups.items():
            self._order(group, [layer.id for layer in new.layers if layer.kind is kind])
        self._filling = False

    def _order(self, group: QTreeWidgetItem, ids: list[str]) -> None:
        """Put a group's rows into the project's order."""
        if [child.data(NAME, LAYER_ID) for k in range(group.childCount()) if (child := group.child(k))] == ids:
            return
        chosen = self.selected()
        self.blockSignals(True)
        group.takeChildren()
        group.addChildren([self._items[layer_id] for layer_id in ids])
        for layer_id in ids:
            self._items[layer_id].setSelected(layer_id in chosen)
        self.blockSignals(False)

    def _fill(self, item: QTreeWidgetItem, layer: Layer, project: Project) -> None:
        item.setData(NAME, LAYER_ID, layer.id)
        item.setText(NAME, layer.name)
        item.setIcon(NAME, make_thumbnail(layer, project))
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
        item.setFlags(flags if layer.locked else flags | Qt.ItemFlag.ItemIsEditable)
        if layer.id in self._failed:  # it is another one now
            self._failed, self._jobs[layer.id] = self._failed - {layer.id}, ""
        self._fill_state(item, layer)
        item.setIcon(EYE, make_icon("eye" if layer.visible else "eye-off"))
        item.setToolTip(EYE, tr("Hide") if layer.visible else tr("Show"))
        item.setIcon(LOCK, make_icon("lock" if layer.locked else "unlock"))
        item.setToolTip(LOCK, tr("Unlock") if layer.locked else tr("Lock"))

    # ----------------------------------------------------------------- wishes

    def _click(self, item: QTreeWidgetItem, column: int) -> None:
        layer = self._document.project.layer(item.data(NAME, LAYER_ID) or "")
        if layer is None:
            return
        if column == EYE:
            label = tr("Hide {name}", name=layer.name) if layer.visible else tr("Show {name}", name=layer.name)
            self._put(label, replace(layer, visible=not layer.visible))
        elif column == LOCK:
            label = tr("Unlock {name}", name=layer.name) if layer.locked else tr("Lock {name}", name=layer.name)
            self._put(label, replace(layer, locked=not layer.locked))

    def _rename(self, item: QTreeWidgetItem, column: int) -> None:
        layer = self._document.project.layer(item.data(NAME, LAYER_ID) or "")
        if self._filling or column != NAME or layer is None:
            return
        wanted = item.text(NAME).strip()
        if not wanted or wanted == layer.name:
            item.setText(NAME, layer.name)
            return
        name = self._document.project.name_layer(wanted)
        self._put(tr("Rename {name}", name=layer.name), replace(layer, name=name))

    def _put(self, label: str, layer: Layer) -> None:
        self._document.edit(label, put_layers(self._document.project, layer))

    # ----------------------------------------------------------------- dragging rows

    def startDrag(self, actions: Qt.DropAction) -> None:
        if self.make_dragged is not None and self.selected():
            drag = QDrag(self)
            drag.setMimeData(self.make_dragged(self.selected()))
            drag.exec(Qt.DropAction.CopyAction | Qt.DropAction.MoveAction)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        event.setAccepted(event.source() is self)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        super().dragMoveEvent(event)
        event.setAccepted(event.source() is self)

    def dropEvent(self, event: QDropEvent) -> None:
        """Rows let go elsewhere in the list: the document moves the layers, and the list follows it."""
        event.setDropAction(Qt.DropAction.CopyAction)  # the view must not take the rows away itself
        event.setAccepted(event.source() is self)
        item = self.itemAt(event.position().toPoint())
        if event.source() is not self or item is None:
            return
        below = self.dropIndicatorPosition() == QAbstractItemView.DropIndicatorPosition.BelowItem
        self.move_rows(self.selected(), item, below)

    def move_rows(self, ids: frozenset[str], item: QTreeWidgetItem, below: bool) -> None:
        """Move layers before the row, or behind it; on a group's title, to the group's begin."""
        target = self.itemBelow(item) if below or item.parent() is None else item
        before = target.data(NAME, LAYER_ID) if target is not None else None
        if before not in ids:
            project = self._document.project
            self._document.edit(tr("Move {n} layers", n=len(ids)), move_layers(project, ids, before))


def word_state(layer: Layer) -> str:
    """What a layer holds, in a word."""
    if layer.kind is LayerKind.PROP and layer.geometry is None:
        return tr("mask")
    if isinstance(layer.geometry, Mesh):
        count = len(layer.geometry.faces)
        return tr("{n} k tris", n=round(count / 1000)) if count >= 1000 else tr("{n} tris", n=count)
    return ""


def make_thumbnail(layer: Layer, project: Project) -> QIcon:
    """The masked part of the still, or the texture of a set."""
    still = project.shots[0].still if project.shots else None
    mask = layer.masks.get(still.id) if still is not None else None
    if still is not None and mask is not None:
        return _make_icon(cut_out(still.pixels, mask.alpha))
    if isinstance(layer.geometry, Mesh) and layer.geometry.material is not None:
        return _make_icon(shrink(layer.geometry.material.base_color, 2 * THUMBNAIL))
    return QIcon()


def shrink(pixels: U8, size: int) -> U8:
    """Every n-th sample, so that the longer side is about `size`."""
    step = max(1, max(pixels.shape[:2]) // size)
    return np.ascontiguousarray(pixels[::step, ::step])


def cut_out(pixels: U8, alpha: U8) -> U8:
    """The mask's bounding box of the still as u8[h, w, 4], small."""
    step = max(1, max(alpha.shape) // 512)
    small = alpha[::step, ::step]
    rows, columns = np.flatnonzero(small.max(axis=1) > 127), np.flatnonzero(small.max(axis=0) > 127)
    if not len(rows):
        return np.zeros((1, 1, 4), np.uint8)
    area = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    both = np.dstack([pixels[::step, ::step][area], small[area]])
    return shrink(both, 2 * THUMBNAIL)


def _make_icon(pixels: U8) -> QIcon:
    height, width, channels = pixels.shape
    kind = QImage.Format.Format_RGBA8888 if channels == 4 else QImage.Format.Format_RGB888
    image = QImage(pixels.tobytes(), width, height, width * channels, kind)
    fit = image.scaled(
        2 * THUMBNAIL,
        2 * THUMBNAIL,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    pixmap = QPixmap(2 * THUMBNAIL, 2 * THUMBNAIL)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.drawImage((pixmap.width() - fit.width()) // 2, (pixmap.height() - fit.height()) // 2, fit)
    painter.end()
    pixmap.setDevicePixelRatio(2.0)
    icon = QIcon()
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        icon.addPixmap(pixmap, mode)
    return icon
