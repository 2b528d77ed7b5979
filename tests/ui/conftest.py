"""The real window on a screen of its own: Xvfb stands for one, in every run."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6")
qasync = pytest.importorskip("qasync")

from PySide6.QtCore import QEvent, QEventLoop, QPoint, Qt, QTimer  # noqa: E402
from PySide6.QtGui import QCursor  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

SAMPLES = Path(__file__).parents[2] / "resources" / "samples"
PATIENCE = 60_000


@pytest.fixture(scope="session")
def screen(own_folders: Path) -> None:
    """A virtual screen that goes with its last client; not a child of ours, so that nobody waits for it."""
    if not sys.platform.startswith("linux"):
        return
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    reader, writer = os.pipe()
    size = ["-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-terminate"]
    command = ["sh", "-c", '"$@" &', "sh", "Xvfb", "-displayfd", str(writer), *size]
    nowhere = subprocess.DEVNULL
    subprocess.run(command, pass_fds=[writer], stdin=nowhere, stdout=nowhere, stderr=nowhere, check=True)
    os.close(writer)
    with os.fdopen(reader) as told:
        os.environ["DISPLAY"] = f":{told.readline().strip()}"
    os.environ["QT_QPA_PLATFORM"] = "xcb"


@pytest.fixture(scope="session")
def qapp_args(screen: None) -> list[str]:
    return ["stillto3d"]


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[asyncio.AbstractEventLoop]:
    """The event loop as the window runs it, while the test turns Qt's."""
    made = qasync.QEventLoop(qapp, already_running=True)
    asyncio.set_event_loop(made)
    yield made
    asyncio._set_running_loop(None)
    made._QEventLoop__is_running = False  # its stop() would tell every later event loop of Qt's to end
    made.close()
    asyncio.set_event_loop(None)


class Driver:
    """A session and hands to drive it with."""

    def __init__(self, session: Any, qtbot: Any) -> None:
        self.session, self.qtbot = session, qtbot
        self.window, self.canvas, self.document = session.window, session.window.canvas, session.document
        self.masking = session.window.masking

    def finish(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The answer of a coroutine, while the window lives on."""
        task, turning, late = self.session.start(work), QEventLoop(), QTimer()
        task.add_done_callback(lambda task: turning.quit())
        late.setSingleShot(True)
        late.timeout.connect(turning.quit)
        late.start(PATIENCE)
        if not task.done():
            turning.exec()
        assert task.done(), "it took too long"
        return task.result()

    def open(self, path: Path) -> None:
        self.finish(self.session.commands.files.open_files([path]))

    def wait(self, signal: Any, when: Callable[..., bool]) -> Any:
        """Until the signal comes with what is wanted."""
        return self.qtbot.waitSignal(signal, timeout=PATIENCE, check_params_cb=when)

    def point(self, x: float, y: float) -> Any:
        return self.canvas.to_widget(x, y).toPoint()

    def hover(self, x: float, y: float) -> None:
        """Move the screen's own pointer: a made-up move would be undone by the true pointer's leaving."""
        with self.wait(self.canvas.hovered, lambda at: at is None):  # from a corner: where it is, it cannot go
            QCursor.setPos(self.canvas.mapToGlobal(QPoint(2, 2)))
        QCursor.setPos(self.canvas.mapToGlobal(self.point(x, y)))

    def click(self, x: float, y: float, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Click and wait for the mask."""
        with self.wait(self.masking.changed, lambda: self.offered):
            QTest.mouseClick(self.canvas, Qt.MouseButton.LeftButton, keys, self.point(x, y))

    def point_at(self, x: float, y: float, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """A click that asks no model."""
        QTest.mouseClick(self.canvas, Qt.MouseButton.LeftButton, keys, self.point(x, y))

    def click_row(self, item: Any, column: int) -> None:
        """Click one column of a row in the layer panel."""
        panel = self.window.layers
        place = panel.visualRect(panel.indexFromItem(item, column)).center()
        QTest.mouseClick(panel.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)

    def drag(self, *places: tuple[float, float], button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
        QTest.mousePress(self.canvas, button, Qt.KeyboardModifier.NoModifier, self.point(*places[0]))
        for place in places[1:]:
            QTest.mouseMove(self.canvas, self.point(*place))
        QTest.mouseRelease(self.canvas, button, Qt.KeyboardModifier.NoModifier, self.point(*places[-1]))

    @property
    def offered(self) -> bool:
        return self.masking.attempt is not None and self.masking.attempt.candidates is not None

    def press(self, keys: str) -> None:
        QTest.keySequence(self.window, keys)

    def do(self, wish: str) -> None:
        """Choose an action as from its menu."""
        action = self.window.actions_table.table[wish]
        assert action.isEnabled(), f"{wish} cannot be done now"
        action.trigger()

    def accept(self) -> str:
        """Enter, and the layer that comes of it, once its edges are soft."""
        count = len(self.document.project.layers)
        self.finish(self.masking.accept())
        assert len(self.document.project.layers) == count + 1
        return self.document.project.layers[-1].id


@pytest.fixture
def driver(qtbot: Any, loop: asyncio.AbstractEventLoop) -> Iterator[Driver]:
    """The window, shown and in front."""
    from stillto3d.ui.app import Session
    from stillto3d.ui.theme import apply_theme

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(app)
    session = Session(loop)
    session.window.resize(1500, 900)
    with qtbot.waitExposed(session.window):
        session.window.show()
    with qtbot.waitActive(session.window):
        session.window.activateWindow()
    hands = Driver(session, qtbot)
    yield hands
    errors = session.window.jobs.list_errors()
    hands.finish(session.close())
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not errors, errors
