"""The actions as Qt has them: bound to what they do, enabled when it can be done, with keys that may be changed."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QToolButton, QWidget

from .theme import make_icon
from .wishes import list_wishes


def strip_mnemonic(text: str) -> str:
    """The words of a menu without the mark of its key: "&Open" and "打开(&O)" alike."""
    return re.sub(r"\(&.\)", "", text).replace("&", "").rstrip("…")


class Actions(QObject):
    """The table as QActions. A coroutine that an action is bound to is started, never waited for."""

    def __init__(self, start: Callable[[Any], Any]) -> None:
        super().__init__()
        self._start = start
        self._when: dict[str, Callable[[], bool]] = {}
        self.table: dict[str, QAction] = {}
        self._bound: set[str] = set()
        self.panes: dict[str, str] = {}
        self.defaults: dict[str, str] = {}
        for wish in list_wishes():
            action = QAction(wish.text, self)
            action.setObjectName(wish.id)
            action.setStatusTip(wish.tip)
            action.setCheckable(wish.checkable)
            if wish.icon:
                action.setIcon(make_icon(wish.icon))
            self.table[wish.id] = action
            self.panes[wish.id], self.defaults[wish.id] = wish.pane, wish.shortcut
            self._set_keys(wish.id, wish.shortcut)

    def _set_keys(self, wish: str, keys: str) -> None:
        action = self.table[wish]
        action.setShortcuts([QKeySequence(one) for one in keys.split("|") if one])
        action.setToolTip(f"{action.statusTip()}  {action.shortcut().toString()}".rstrip())

    def change_keys(self, keys: Mapping[str, str]) -> dict[str, str]:
        """Give actions other keys, by id; answers with those that are not the table's own."""
        changed = {}
        for wish, own in self.defaults.items():
            wanted = keys.get(wish, own.partition("|")[0])
            first = QKeySequence(own.partition("|")[0]).toString()
            if QKeySequence(wanted).toString() == first:
                self._set_keys(wish, own)
            else:
                self._set_keys(wish, wanted)
                changed[wish] = wanted
        return changed

    def place(self, panes: Mapping[str, QWidget], window: QWidget) -> None:
        """Let keys count in their pane, or in all of the window."""
        for wish in list_wishes():
            action = self.table[wish.id]
            if not wish.pane:
                window.addAction(action)
                continue
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            for name, pane in panes.items():
                if wish.pane in (name, "both"):
                    pane.addAction(action)

    def bind(self, wish: str, does: Callable[[], Any], when: Callable[[], bool] | None = None) -> None:
        """Say what an action does, and when it can be done."""
        if when is not None:
            self._when[wish] = when

        def run() -> None:
            answer = does()
            if inspect.iscoroutine(answer):
                self._start(answer)

        self.table[wish].triggered.connect(run)
        self._bound.add(wish)

    def list_unbound(self) -> set[str]:
        """Actions that would do nothing."""
        return set(self.table) - self._bound

    def button(self, wish: str) -> QToolButton:
        """A button that does what the action does."""
        button = QToolButton()
        button.setDefaultAction(self.table[wish])
        button.setIconSize(QSize(16, 16))
        button.setAutoRaise(True)
        button.setFixedSize(24, 24)
        return button

    def group(self, *wishes: str) -> None:
        """Of these, one is checked."""
        group = QActionGroup(self)
        for wish in wishes:
            group.addAction(self.table[wish])

    def refresh(self) -> None:
        """Enable what can be done now."""
        for wish, when in self._when.items():
            self.table[wish].setEnabled(when())
