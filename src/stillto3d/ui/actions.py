"""The actions: everything that can be done in the window, by id, with its words and its shortcut."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QSize
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QToolButton

from ..words import tr
from .theme import make_icon


@dataclass(frozen=True)
class Wish:
    """One row of the table: `id` is menu.name; the texts are in the language of the moment."""

    id: str
    text: str
    shortcut: str
    tip: str
    checkable: bool = False
    icon: str = ""


def list_menus() -> dict[str, str]:
    """The menus in their order, by the first part of an action's id."""
    return {
        "file": tr("&File"),
        "edit": tr("&Edit"),
        "mask": tr("&Mask"),
        "make": tr("M&ake"),
        "view": tr("&View"),
        "help": tr("&Help"),
    }


def list_wishes() -> list[Wish]:
    """Every action, in the order of the menus."""
    return [
        Wish("file.open", tr("&Open…"), "Ctrl+O", tr("Open a still or a project.")),
        Wish("file.paste", tr("&Paste still"), "Ctrl+V", tr("Open the picture that lies in the clipboard.")),
        Wish("file.save", tr("&Save"), "Ctrl+S", tr("Save the project.")),
        Wish("file.save_as", tr("Save &as…"), "Ctrl+Shift+S", tr("Save the project under another name.")),
        Wish("file.export", tr("&Export GLB…"), "Ctrl+E", tr("Write set, props and camera as one GLB file.")),
        Wish("file.quit", tr("&Quit"), "Ctrl+Q", tr("Close the window.")),
        Wish("edit.undo", tr("&Undo"), "Ctrl+Z", tr("Take the latest step back.")),
        Wish("edit.redo", tr("&Redo"), "Ctrl+Shift+Z", tr("Bring the step back.")),
        Wish("edit.rename", tr("Re&name layer"), "F2", tr("Type another name for the selected layer.")),
        Wish("edit.duplicate", tr("D&uplicate"), "Ctrl+D", tr("Copy the selected layers.")),
        Wish("edit.solo", tr("&Solo"), "/", tr("Show the selected layers alone, or all again.")),
        Wish("edit.delete", tr("&Delete layer"), "Del", tr("Delete the selected layers.")),
        Wish("mask.accept", tr("Make &prop layer"), "Return", tr("Keep the mask as a prop layer.")),
        Wish("mask.drop", tr("Drop mask"), "Esc", tr("Give up the mask that is being made.")),
        Wish("mask.point", tr("&Point"), "V", tr("Click on things, drag boxes around them."), True, "pointer"),
        Wish("mask.brush", tr("&Brush"), "B", tr("Paint into the mask; Alt takes away."), True, "brush"),
        Wish("mask.eraser", tr("&Eraser"), "E", tr("Paint out of the mask; Alt adds."), True, "eraser"),
        Wish("mask.lasso", tr("&Lasso"), "L", tr("Draw around what joins the mask; Alt takes away."), True, "lasso"),
        Wish("mask.smaller", tr("Smaller brush"), "[", tr("Make the brush smaller.")),
        Wish("mask.larger", tr("Larger brush"), "]", tr("Make the brush larger.")),
        Wish("mask.first", tr("Candidate &1"), "1", tr("Take the segmenter's first candidate.")),
        Wish("mask.second", tr("Candidate &2"), "2", tr("Take the segmenter's second candidate.")),
        Wish("mask.third", tr("Candidate &3"), "3", tr("Take the segmenter's third candidate.")),
        Wish("mask.soften", tr("&Soften edges"), "Shift+S", tr("Solve the selected masks' soft edges.")),
        Wish("mask.hair", tr("&Hair"), "Shift+H", tr("Solve wide soft edges, for hair and fur.")),
        Wish("mask.alpha", tr("Mask from the still's &alpha"), "", tr("Take the file's own alpha as a mask.")),
        Wish("mask.import", tr("&Import matte…"), "", tr("Take a picture's brightness as a mask.")),
        Wish("mask.save", tr("Sa&ve mask…"), "", tr("Write the selected mask as PNG.")),
        Wish("make.set", tr("Make &set"), "Ctrl+R", tr("Clean plate, depth and mesh of the place.")),
        Wish("make.prop", tr("Make selected p&rops"), "Ctrl+P", tr("Make the selected masks solid props.")),
        Wish("make.props", tr("Make &all props"), "Ctrl+Shift+P", tr("Make every mask a solid prop.")),
        Wish("view.frame", tr("&Frame"), "F", tr("Show the whole still and the whole set.")),
        Wish("view.actual", tr("&Actual size"), "Ctrl+1", tr("One pixel of the still on one of the screen.")),
        Wish("view.contour", tr("Masks as &contours"), "Alt+1", tr("Outlines alone."), True, "contour"),
        Wish("view.tint", tr("Masks as &tint"), "Alt+2", tr("Outlines and a tint."), True, "tint"),
        Wish("view.matte", tr("&Matte"), "Alt+3", tr("The matte in grey."), True, "matte"),
        Wish("view.xray", tr("&X-ray"), "Alt+4", tr("What the matte cuts out, before grey."), True, "xray"),
        Wish("view.lens", tr("Through the &lens"), "0", tr("Look through the solved camera."), True),
        Wish("view.fill", tr("Fi&ll the centre"), "Tab", tr("Still and viewport, still alone, viewport alone.")),
    ]


class Actions(QObject):
    """The table as QActions. A coroutine that an action is bound to is started, never waited for."""

    def __init__(self, start: Callable[[Any], Any]) -> None:
        super().__init__()
        self._start = start
        self._when: dict[str, Callable[[], bool]] = {}
        self.table: dict[str, QAction] = {}
        for wish in list_wishes():
            action = QAction(wish.text, self)
            action.setObjectName(wish.id)
            action.setShortcut(QKeySequence(wish.shortcut))
            action.setToolTip(f"{wish.tip}  {wish.shortcut}".rstrip())
            action.setStatusTip(wish.tip)
            action.setCheckable(wish.checkable)
            if wish.icon:
                action.setIcon(make_icon(wish.icon))
            self.table[wish.id] = action

    def bind(self, wish: str, does: Callable[[], Any], when: Callable[[], bool] | None = None) -> None:
        """Say what an action does, and when it can be done."""
        if when is not None:
            self._when[wish] = when

        def run() -> None:
            answer = does()
            if inspect.iscoroutine(answer):
                self._start(answer)

        self.table[wish].triggered.connect(run)

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
