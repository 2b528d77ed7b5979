"""The command palette: every action by its words, found as one types."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ..words import tr
from .actions import Actions, strip_mnemonic
from .wishes import list_menus

ROWS = 12
ACTION = Qt.ItemDataRole.UserRole


class Palette(QFrame):
    """Stands over the window until an action is chosen or Esc is pressed."""

    def __init__(self, actions: Actions, window: QWidget) -> None:
        super().__init__(window, Qt.WindowType.Popup)
        self.setObjectName("palette")
        self._actions, self._window = actions, window
        self.field = QLineEdit()
        self.field.setPlaceholderText(tr("What do you want to do?"))
        self.field.setAccessibleName(tr("Commands"))
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        self.found = QListWidget()
        self.found.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.found.itemClicked.connect(self._run)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self.field)
        column.addWidget(self.found)
        self.resize(520, 360)

    def ask(self) -> None:
        """Show all actions and wait for a word."""
        self.field.clear()
        self._filter("")
        corner = self._window.mapToGlobal(self._window.rect().topLeft())
        self.move(corner.x() + (self._window.width() - self.width()) // 2, corner.y() + 72)
        self.show()
        self.field.setFocus()

    def _filter(self, text: str) -> None:
        self.found.clear()
        menus = list_menus()
        for wish, action in self._actions.table.items():
            where = strip_mnemonic(menus[wish.partition(".")[0]])
            title = f"{where}: {strip_mnemonic(action.text())}"
            if matches(text, f"{title} {action.statusTip()}"):
                self._add(title, action)
        self._select(0)

    def _add(self, title: str, action: QAction) -> None:
        item = QListWidgetItem(title)
        item.setData(ACTION, action)
        item.setToolTip(action.statusTip())
        if not action.isEnabled():
            item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.found.addItem(item)
        keys = QLabel(action.shortcut().toString())
        keys.setProperty("quiet", True)
        keys.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        keys.setContentsMargins(0, 0, 8, 0)
        keys.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.found.setItemWidget(item, keys)

    def _select(self, row: int, step: int = 1) -> None:
        """The next row that can be chosen."""
        while 0 <= row < self.found.count():
            item = self.found.item(row)
            if item is not None and item.flags() & Qt.ItemFlag.ItemIsEnabled:
                self.found.setCurrentRow(row)
                return
            row += step

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
            if step:
                self._select(self.found.currentRow() + step, step)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.hide()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                item = self.found.currentItem()
                if item is not None:
                    self._run(item)
                return True
        return False

    def _run(self, item: QListWidgetItem) -> None:
        action: QAction = item.data(ACTION)
        self.hide()
        if action.isEnabled():
            action.trigger()


def matches(text: str, words: str) -> bool:
    """Every word that was typed begins a word or lies within one."""
    lower = words.lower()
    return all(part in lower for part in text.lower().split())
