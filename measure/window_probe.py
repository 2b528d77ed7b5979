"""Runs the window, or a bare one, in a process of its own and measures it from within (see `window`)."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .truth import F64

BEAT_MILLISECONDS = 5
REST = 0.1  # seconds between questions, for threads that still spin


def main(arguments: list[str]) -> None:
    """`start product|bare`, `stalls STILL COUNT X,Y ...` or `pointing STILL COUNT X,Y ...`."""
    what, *rest = arguments
    if what == "start":
        {"product": start_product, "bare": start_bare}[rest[0]]()
        return
    still, count = Path(rest[0]), int(rest[1])
    clicks = [tuple(map(float, word.split(","))) for word in rest[2:]]
    measure = {"stalls": measure_stalls, "pointing": measure_pointing}[what]
    sys.stdout.write(json.dumps(run_session(lambda session: measure(session, still, count, clicks))) + "\n")


# --------------------------------------------------------------------------- start


def tell_when_ready(window: Any) -> None:
    """Print once the window is on the screen and a click on it has arrived."""
    from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
    from PySide6.QtTest import QTest

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
            if event.type() == QEvent.Type.Expose:
                QTimer.singleShot(0, click)
            if event.type() == QEvent.Type.MouseButtonPress:
                sys.stdout.write("ready\n")
                sys.stdout.flush()
            return False

    def click() -> None:
        QTest.mouseClick(handle, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(5, 300))

    handle = window.windowHandle()
    watch = Watch(window)
    handle.installEventFilter(watch)


def start_product() -> None:
    """The command `stillto3d` as it is."""
    from stillto3d.ui import window

    show = window.MainWindow.show

    def show_and_tell(self: Any) -> None:
        self.winId()
        tell_when_ready(self)
        show(self)

    window.MainWindow.show = show_and_tell  # type: ignore[method-assign]
    sys.argv = ["stillto3d"]
    from stillto3d.__main__ import main as start

    start()


def start_bare() -> None:
    """A QMainWindow with one empty QtInteractor."""
    os.environ["QT_API"] = "pyside6"
    from PySide6.QtWidgets import QApplication, QMainWindow
    from pyvistaqt import QtInteractor

    app = QApplication([])
    window = QMainWindow()
    window.setCentralWidget(QtInteractor(window))
    window.resize(1440, 900)
    window.winId()
    tell_when_ready(window)
    window.show()
    app.exec()


# --------------------------------------------------------------------------- the window at work


def run_session(work: Callable[[Any], Any]) -> Any:
    """The answer of a coroutine that drives a shown window, as `run_window` runs it."""
    import qasync
    from PySide6.QtWidgets import QApplication

    from stillto3d.ui.app import Session
    from stillto3d.ui.theme import apply_theme

    app = QApplication(["stillto3d"])
    apply_theme(app)
    app.setQuitOnLastWindowClosed(False)
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)

    async def live() -> Any:
        session = Session(loop)
        session.window.resize(1920, 1080)
        session.window.show()
        await session.load_viewport()
        try:
            return await work(session)
        finally:
            await session.close()

    with loop:
        return loop.run_until_complete(live())


class Heartbeat:
    """A timer of 5 ms; `stalls` are the seconds by which beats came late, without the time inside Render().

    `busy` are the processor seconds that the thread itself spent between beats, without those inside Render(): what
    is left of a stall on a machine that others use too.
    """

    def __init__(self, scene: Any) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.stalls: list[float] = []
        self.busy: list[float] = []
        self._drawn = self._began = self._last = np.zeros(2)
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MILLISECONDS)
        self._timer.timeout.connect(self._beat)
        drawing = scene.interactor.ren_win
        self._drawing = drawing
        drawing.AddObserver("StartEvent", self._begin)
        drawing.AddObserver("EndEvent", self._end)

    def start(self) -> None:
        """Listen from now on."""
        self._last, self._drawn = read_clocks(), np.zeros(2)
        self._timer.start()

    def stop(self) -> None:
        """Listen no more."""
        self._timer.stop()

    def _begin(self, *_: Any) -> None:
        self._began = read_clocks()

    def _end(self, *_: Any) -> None:
        self._drawn = self._drawn + read_clocks() - self._began

    def _beat(self) -> None:
        now = read_clocks()
        wall, busy = now - self._last - self._drawn
        self.stalls.append(max(0.0, wall - BEAT_MILLISECONDS / 1e3))
        self.busy.append(busy)
        self._last, self._drawn = now, np.zeros(2)


def read_clocks() -> F64:
    """Seconds of the clock on the wall and of this thread on a processor."""
    return np.array([time.perf_counter(), time.thread_time()])


async def wait_for(signal: Any, done: Callable[[], bool]) -> None:
    """Until it is so, looking whenever the signal comes."""
    reached = asyncio.get_running_loop().create_future()

    def look(*_: Any) -> None:
        if done() and not reached.done():
            reached.set_result(None)

    signal.connect(look)
    await reached
    signal.disconnect(look)


async def measure_stalls(session: Any, still: Path, count: int, clicks: list[Any]) -> dict[str, Any]:
    """Two masks by clicks, then set and props made `count` times from them while the pointer wanders."""
    from PySide6.QtCore import QTimer
    from PySide6.QtTest import QTest

    window, document, masking = session.window, session.document, session.window.masking
    await session.commands.files.open_files([still])
    for x, y in clicks:
        QTest.mouseClick(window.canvas, *_left(), window.canvas.to_widget(x, y).toPoint())
        await wait_for(window.canvas.drawn, lambda: masking.attempt is not None and masking.attempt.mask is not None)
        await masking.accept()
    masked, seconds = document.project, 0.0
    heart, wander = Heartbeat(window.scene), QTimer()
    wander.timeout.connect(lambda: QTest.mouseMove(window.canvas, _wander(window.canvas, len(heart.stalls))))
    wander.start(40)
    for _ in range(count):
        began = time.perf_counter()
        heart.start()
        await session.commands.run_pipeline("prop", {})
        await window.scene.show_project(document.project)
        heart.stop()
        seconds += time.perf_counter() - began
        while document.project is not masked:
            document.undo()
        await asyncio.sleep(1.0)
    wander.stop()
    return {"stalls": heart.stalls, "busy": heart.busy, "seconds": seconds}


def _left() -> tuple[Any, Any]:
    from PySide6.QtCore import Qt

    return Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def _wander(canvas: Any, beat: int) -> Any:
    from PySide6.QtCore import QPoint

    return QPoint(canvas.width() // 4 + beat % (canvas.width() // 2), canvas.height() // 2)


async def measure_pointing(session: Any, still: Path, count: int, clicks: list[Any]) -> dict[str, Any]:
    """Seconds from a move to its preview, from a click to its mask, both as drawn, and of the bare decoder."""
    from PySide6.QtGui import QCursor
    from PySide6.QtTest import QTest

    from stillto3d.models.roles import Click
    from stillto3d.words import find_resources

    from .bare import BareNetwork
    from .truth import load_picture

    network = BareNetwork(find_resources() / "weights")
    looked = network.look(load_picture(still))
    canvas, masking = session.window.canvas, session.window.masking
    await session.commands.files.open_files([still])
    seconds: dict[str, list[float]] = {"hover": [], "click": [], "bare": []}
    for k in range(count + 1):
        x, y = clicks[k % len(clicks)]
        x, y = x + k, y + k // 2
        question = {**looked.features, "m": looked.draw_maps((Click(x, y),), None, None)}
        at = canvas.to_widget(x, y).toPoint()
        taken = {}
        began = time.perf_counter()
        QCursor.setPos(canvas.mapToGlobal(at))  # a made-up move would be undone by the true pointer's leaving
        await wait_for(canvas.drawn, lambda: masking.preview is not None)
        canvas.repaint()
        taken["hover"] = time.perf_counter() - began
        await asyncio.sleep(REST)
        began = time.perf_counter()
        QTest.mouseClick(canvas, *_left(), at)
        await wait_for(canvas.drawn, lambda: masking.attempt is not None and masking.attempt.mask is not None)
        canvas.repaint()
        taken["click"] = time.perf_counter() - began
        masking.drop()
        QCursor.setPos(canvas.mapToGlobal(canvas.rect().topLeft()))
        await asyncio.sleep(REST)
        began = time.perf_counter()
        network.decoder.run(["mask", "score"], question)
        taken["bare"] = time.perf_counter() - began
        await asyncio.sleep(REST)
        if k:  # the first finds everything cold
            for name, one in taken.items():
                seconds[name].append(one)
    return seconds


if __name__ == "__main__":
    main(sys.argv[1:])
