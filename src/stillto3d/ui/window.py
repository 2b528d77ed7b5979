"""The main window: canvas and viewport side by side, layers on the right, jobs below."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QDockWidget,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMainWindow,
    QMenu,
    QPlainTextEdit,
    QSplitter,
    QStackedWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from ..project.project import Project
from ..project.still import U8, Still
from ..viewport.surface import choose_format, hold_surface
from ..words import tr
from .actions import Actions
from .background import Background
from .canvas import Canvas
from .document import Document
from .drawables import make_picture
from .engine_thread import EngineThread
from .hints import Hints
from .inspector import Inspector
from .jobs import JobStrip
from .layers import LayerPanel
from .masking import Masking
from .pyramid import build_pyramid
from .theme import COLOURS
from .view_bar import ViewBar
from .welcome import Welcome
from .wishes import list_menus

DOCK_PIXELS = 272
LAYER_WISHES = ("edit.rename", "edit.duplicate", "edit.solo", "edit.raise", "edit.lower", "edit.delete")


class MainWindow(QMainWindow):
    """Lays the parts out and joins them; what actions do stands in `commands`."""

    closing = Signal()
    """The person wants the window closed; `commands` asks what must be asked, then calls `let_close`."""
    closed = Signal()
    """The window is closed."""
    scene_loaded = Signal()
    """The viewport is there."""
    files_dropped = Signal(list)
    """Paths let go over the window."""

    def __init__(
        self,
        document: Document,
        engine: EngineThread,
        background: Background,
        start: Callable[[Any], Any],
        expect_seconds: Callable[[str], float | None],
    ) -> None:
        choose_format()
        super().__init__()
        self._document, self._background, self._start = document, background, start
        self._shown: U8 | None = None
        self._may_close = False
        self.setAcceptDrops(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.actions_table = Actions(start)
        self.canvas = Canvas()
        self.scene: Any = None  # a SceneView, once VTK is loaded
        self.masking = Masking(document, engine, self.canvas, background, start)
        self.jobs = JobStrip(engine, expect_seconds)
        self.hints = Hints()
        self.hints.changed.connect(self.jobs.show_hint)
        self.jobs.hint_closed.connect(self.hints.close)
        self.layers = LayerPanel(document)
        self.inspector = Inspector(document, background, start, self.actions_table)
        self._build_centre()
        self._build_tools()
        self._build_docks()
        self._build_menus()
        self.layers.customContextMenuRequested.connect(self._show_layer_menu)
        self.layers.chosen.connect(self.masking.select)
        self.layers.chosen.connect(self.inspector.select)
        self.layers.chosen.connect(lambda ids: self.actions_table.refresh())
        self.masking.layer_wanted.connect(lambda layer_id: self.layers.select(frozenset([layer_id])))
        self.masking.changed.connect(self._show_attempt)
        self.canvas.zoomed.connect(lambda zoom: self.zoom_label.setText(f"{100 * zoom:.0f} %"))
        self.canvas.entered.connect(lambda: self._give_keys(self.canvas))
        document.changed.connect(self._follow)
        self.resize(1440, 900)
        self._show_title()

    # ----------------------------------------------------------------- layout

    def _build_centre(self) -> None:
        self.info_label, self.attempt_label, self.zoom_label = QLabel(), QLabel(), QLabel()
        for label in (self.info_label, self.zoom_label):
            label.setProperty("quiet", True)
        self.info_label.setMinimumWidth(1)  # of the bar, its text gives way first: the docks keep their width
        self.zoom_label.setMinimumWidth(48)
        self.zoom_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        table = self.actions_table
        self.attempt_label.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.attempt_label.linkActivated.connect(lambda index: self.masking.choose(int(index)))
        self.attempt_label.setAccessibleName(tr("Candidates"))
        views = [
            table.button(f"view.{name}") for name in ("horizon", "lines", "contour", "tint", "matte", "xray", "plate")
        ]
        bar = _strip(self.info_label, None, self.attempt_label, None, *views, self.zoom_label)
        self.welcome = Welcome()
        self._pages = QStackedWidget()
        self._pages.addWidget(self.welcome)
        self._pages.addWidget(self.canvas)
        self._left = left = _stack(bar, self._pages)
        self.view_bar = ViewBar(table)
        self._view_place = QVBoxLayout()
        self._view_place.setContentsMargins(0, 0, 0, 0)
        self.empty_view = QLabel(tr("Make the set to see it here."))
        self.empty_view.setProperty("quiet", True)
        self.empty_view.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._view_place.addWidget(self.empty_view)
        self.view_place = QWidget()
        self.view_place.setLayout(self._view_place)
        hold_surface(self.view_place)
        self._right = right = _stack(self.view_bar, self.view_place)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.addWidget(left)
        self.split.addWidget(right)
        self.split.setHandleWidth(4)
        self.split.setStretchFactor(0, 3)
        self.split.setStretchFactor(1, 2)
        self.split.setSizes([840, 420])
        centre = _stack(self.split, self.jobs)
        centre.setObjectName("centre")
        self.setCentralWidget(centre)

    def _build_tools(self) -> None:
        tools = QToolBar(tr("Tools"))
        tools.setObjectName("tools")
        tools.setMovable(False)
        tools.setIconSize(QSize(20, 20))
        tools.setOrientation(Qt.Orientation.Vertical)
        for name in ("point", "brush", "eraser", "lasso", "measure"):
            tools.addAction(self.actions_table.table[f"mask.{name}"])
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, tools)

    def _build_docks(self) -> None:
        dock = QDockWidget(tr("Layers"))
        dock.setObjectName("layers")
        dock.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetMovable)
        dock.setWidget(self.layers)
        dock.setMinimumWidth(DOCK_PIXELS)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        inspector = QDockWidget(tr("Inspector"))
        inspector.setObjectName("inspector")
        inspector.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetMovable)
        inspector.setWidget(self.inspector)
        inspector.setMinimumWidth(DOCK_PIXELS)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, inspector)
        self.resizeDocks([dock, inspector], [280, 280], Qt.Orientation.Horizontal)
        self.resizeDocks([dock, inspector], [360, 480], Qt.Orientation.Vertical)

    def _build_menus(self) -> None:
        for key, title in list_menus().items():
            chosen = [action for wish, action in self.actions_table.table.items() if wish.startswith(f"{key}.")]
            if not chosen:
                continue
            menu = self.menuBar().addMenu(title)
            menu.setObjectName(key)
            menu.setToolTipsVisible(True)
            menu.addActions(chosen)
            if key == "file":
                self.recent_menu = QMenu(tr("Open &recent"), self)
                self.recent_menu.setEnabled(False)
                menu.insertMenu(chosen[1], self.recent_menu)
        self.actions_table.place({"canvas": self.canvas, "view": self.view_place}, self)

    def _show_layer_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        table = self.actions_table.table
        for wish in ("make.prop", "mask.soften", "mask.hair", "mask.save", "", *LAYER_WISHES):
            if wish:
                menu.addAction(table[wish])
            else:
                menu.addSeparator()
        menu.popup(self.layers.viewport().mapToGlobal(at))

    def put_scene(self, scene: Any) -> None:
        """Put the viewport in its place."""
        self.scene = scene
        self._view_place.addWidget(scene)
        scene.hide()
        if self.isVisible():
            scene.ready()
        self.show_scene()
        scene.rested.connect(lambda: self.hints.finish("view"))
        scene.entered.connect(lambda: self._give_keys(scene.interactor))
        self.scene_loaded.emit()

    def _give_keys(self, pane: QWidget) -> None:
        """Keys count where the pointer is, unless something is being typed."""
        holder = QApplication.focusWidget()
        if self.isActiveWindow() and not isinstance(holder, QLineEdit | QAbstractSpinBox | QPlainTextEdit):
            pane.setFocus(Qt.FocusReason.MouseFocusReason)

    def show_scene(self) -> None:
        """The viewport when there is something in it, else a word."""
        filled = any(layer.geometry is not None for layer in self._document.project.layers)
        if self.scene is not None:
            self.scene.setVisible(filled)
        self.empty_view.setVisible(not (filled and self.scene is not None))

    def fill_centre(self) -> None:
        """Both, the still alone, the viewport alone, in turn."""
        left, right = self._left, self._right
        if left.isVisible() and right.isVisible():
            right.hide()
        elif left.isVisible():
            left.hide()
            right.show()
        else:
            left.show()

    # ----------------------------------------------------------------- the document

    def _follow(self, old: Project, new: Project) -> None:
        self._show_title()
        self.actions_table.refresh()
        before = old.shots[0].still if old.shots else None
        still = new.shots[0].still if new.shots else None
        if still is not None and still is not before:
            self.info_label.setText(f"{still.name}   {still.width} × {still.height}")
            self._start(self._show_still(new))
        page: QWidget = self.canvas if still is not None else self.welcome
        if page is not self._pages.currentWidget():
            self._pages.setCurrentWidget(page)
            page.setFocus()  # else Qt hands the keys to whatever comes next
        self._follow_hints()
        self.show_scene()
        if self.scene is not None:
            self._start(self.scene.show_project(new))

    async def _show_still(self, project: Project) -> None:
        await self.show_pixels(project.hero.still, project.hero.still.pixels)

    async def show_pixels(self, still: Still, pixels: U8) -> None:
        """Show the still at hand as these pixels u8[H, W, 3], until others are asked for."""
        self._shown = pixels
        size = (still.width, still.height)
        self.canvas.show_picture(make_picture([pixels]), size)
        levels = await self._background.run(build_pyramid, pixels)
        at_hand = self._document.project.shots and self._document.project.hero.still is still
        if at_hand and self._shown is pixels:
            self.canvas.show_picture(make_picture(levels), size)

    def _show_attempt(self) -> None:
        attempt = self.masking.attempt
        found = attempt.candidates if attempt is not None else None
        if attempt is None or found is None:
            self.attempt_label.setText(tr("Masking…") if attempt is not None else "")
        else:
            shown: list[str] = []
            for k, confidence in enumerate(found.confidences):
                text = f"{k + 1}  {100 * confidence:.0f} %"
                style = "color:{}; text-decoration:none".format(COLOURS["bright" if k == attempt.chosen else "quiet"])
                shown.append(f'<a href="{k}" style="{style}">{text}</a>')
            self.attempt_label.setText("&nbsp;&nbsp;&nbsp;&nbsp;".join(shown))
        self._follow_hints()
        self.actions_table.refresh()

    def _follow_hints(self) -> None:
        """What can be done next, in the job strip while nothing runs."""
        self.hints.follow(self._document.project, self.masking.attempt is not None)

    def _show_title(self) -> None:
        document = self._document
        shots = document.project.shots
        name = document.path.name if document.path else shots[0].still.name if shots else ""
        title = f"{name}[*] — stillto3d" if name else "stillto3d"
        self.setWindowModified(False)
        self.setWindowTitle(title)
        self.setWindowModified(document.dirty and bool(name))

    # ----------------------------------------------------------------- questions

    async def ask_path(
        self, title: str, kinds: str, suffix: str = "", save: bool = True, name: str = ""
    ) -> Path | None:
        """Ask for a file, beside everything else; None when the person would rather not."""
        dialog = QFileDialog(self, title)
        dialog.setObjectName("ask_path")
        dialog.setNameFilter(kinds)
        if save:
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setDefaultSuffix(suffix)
            shots = self._document.project.shots
            folder = self._document.path.parent if self._document.path else Path.home()
            name = name or (shots[0].still.name if shots else "project")
            dialog.selectFile(str(folder / f"{name}.{suffix}"))
        else:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        if not await self.await_dialog(dialog):
            return None
        path = Path(dialog.selectedFiles()[0])
        return path / f"{name}.{suffix}" if save and path.is_dir() else path

    async def ask_folder(self, title: str) -> Path | None:
        """Ask for a folder; None when the person would rather not."""
        dialog = QFileDialog(self, title)
        dialog.setObjectName("ask_folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        accepted = await self.await_dialog(dialog)
        return Path(dialog.selectedFiles()[0]) if accepted else None

    async def await_dialog(self, dialog: Any) -> int:
        """Open a dialog beside everything else, and answer with how it ended."""
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        dialog.finished.connect(lambda code: None if ended.done() else ended.set_result(code))
        dialog.open()
        try:
            return await ended
        finally:
            dialog.deleteLater()

    # ----------------------------------------------------------------- the person's hands

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            self.files_dropped.emit(paths)
            event.acceptProposedAction()

    def let_close(self) -> None:
        """Close without asking again."""
        self._may_close = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close:
            event.accept()
            self.closed.emit()
            return
        event.ignore()
        QTimer.singleShot(0, self.closing.emit)


def _strip(*widgets: QWidget | None) -> QWidget:
    """A low bar of widgets; None is a gap that stretches."""
    bar = QWidget()
    bar.setObjectName("strip")
    bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    layout = QHBoxLayout(bar)
    layout.setContentsMargins(8, 2, 8, 2)
    layout.setSpacing(8)
    for widget in widgets:
        if widget is None:
            layout.addStretch(1)
        else:
            layout.addWidget(widget)
    bar.setFixedHeight(28)
    return bar


def _stack(*widgets: QWidget) -> QWidget:
    """Widgets above each other; the larger ones share the room."""
    holder = QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for widget in widgets:
        layout.addWidget(widget, 0 if widget.objectName() in ("strip", "jobs") else 1)
    return holder
