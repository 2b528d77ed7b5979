"""Starts the window: application, event loop, studio; and ends them in order."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Coroutine, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import qasync
from PySide6.QtCore import QLibraryInfo, QTranslator
from PySide6.QtWidgets import QApplication

from .. import __version__
from ..errors import Bug, Cancelled, StillTo3DError
from ..studio import Studio
from ..words import name_language
from .background import Background
from .commands import Commands
from .desk import Desk
from .document import Document
from .engine_thread import EngineThread
from .theme import apply_theme
from .window import MainWindow


class Session:
    """Everything that lives as long as one window."""

    def __init__(self, loop: asyncio.AbstractEventLoop, **settings: Any) -> None:
        self._loop = loop
        self._tasks: set[asyncio.Task[Any]] = set()
        self.studio = Studio.open(serve=False, **settings)
        self.engine = EngineThread(self.studio.engine, loop)
        self.background = Background(loop)
        self.document = Document()
        self.window = MainWindow(self.document, self.engine, self.background, self.start, self.studio.expect_seconds)
        self.commands = Commands(
            Desk(self.studio, self.document, self.engine, self.background, self.window, self.start)
        )

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine beside the window; what goes wrong in it is shown."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None or isinstance(error, Cancelled):
            return
        if not isinstance(error, StillTo3DError):
            trace = "".join(traceback.format_exception(error))
            error = Bug(f"{type(error).__name__}: {error}", trace)
        self.window.jobs.show_error("stillto3d", error)

    async def load_viewport(self) -> None:
        """Load VTK beside the window, which takes clicks meanwhile, and put the viewport in its place."""
        module = await self.background.run(import_module, "stillto3d.viewport.scene_view")
        if self.window.scene is None:
            scene = module.SceneView(self.background.run, self.start, self.window.view_place)
            self.window.put_scene(scene)
            await scene.show_project(self.document.project)

    async def live(self, files: Sequence[str] = ()) -> None:
        """Show the window, and come back when it is closed and everything is given back."""
        ended = self._loop.create_future()
        self.window.closed.connect(lambda: None if ended.done() else ended.set_result(None))
        await self.commands.help.restore()
        self.window.show()
        self.start(self.load_viewport())
        if files:
            self.start(self.commands.files.open_files([Path(name) for name in files]))
        self.start(self.commands.files.greet())
        await ended
        await self.close()

    async def close(self) -> None:
        """End the workers, threads and tasks, and give back what the graphics hold."""
        self.commands.files.autosave.stop()
        await self.background.run(self.engine.stop)
        if self.window.scene is not None:
            self.window.scene.close_view()
        left = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self.commands.drag_out.close()
        self.background.close()
        self.studio.close()
        own = (self.commands.files.autosave, self.window.masking, self.window.actions_table, self.engine, self.document)
        for part in (*own, self.window):  # connections hold whatever they call until their sender is gone
            part.deleteLater()


def translate_qt(app: QApplication) -> None:
    """Let Qt's own words (Save, Cancel, the file dialog's) be in the language of ours."""
    translator = QTranslator(app)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(f"qtbase_{name_language()}", folder):
        app.installTranslator(translator)


def run_window(files: Sequence[str]) -> int:
    """Open the window with these files, and answer with an exit code when it is closed."""
    if sys.platform.startswith("linux") and "QT_QPA_PLATFORM" not in os.environ and os.environ.get("DISPLAY"):
        os.environ["QT_QPA_PLATFORM"] = "xcb"  # VTK draws through X11, also under Wayland
    app = QApplication.instance() or QApplication([sys.argv[0]])
    assert isinstance(app, QApplication)
    app.setApplicationName("stillto3d")
    app.setApplicationVersion(__version__)
    apply_theme(app)
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    app.setQuitOnLastWindowClosed(False)
    with loop:
        session = Session(loop)  # it reads the settings, which choose the language
        translate_qt(app)
        loop.run_until_complete(session.live(files))
    return 0
