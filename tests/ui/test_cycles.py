"""Windows that open and close leave nothing behind, and the first one is soon there."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from typing import Any

import psutil
import pytest
from PySide6.QtCore import QEvent, QEventLoop
from PySide6.QtWidgets import QApplication

from .conftest import SAMPLES

WARM_UP = 3


def live_once(loop: asyncio.AbstractEventLoop, work: bool) -> None:
    """One window's whole life, with its viewport; `work` opens a still in it."""
    from stillto3d.ui.app import Session

    async def live(session: Any) -> None:
        session.window.show()
        await session.load_viewport()
        if work:
            await session.commands.files.open_files([SAMPLES / "room_study" / "still.jpg"])
        await session.close()

    turning = QEventLoop()
    task = loop.create_task(live(Session(loop)))
    task.add_done_callback(lambda task: turning.quit())
    turning.exec()
    task.result()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()


def count_vtk() -> int:
    return sum(1 for thing in gc.get_objects() if str(type(thing).__module__).startswith("vtkmodules"))


def cycle(loop: asyncio.AbstractEventLoop, times: int) -> tuple[float, int, int]:
    """Growth over `times` windows: megabytes each, file handles, VTK objects."""
    process = psutil.Process()
    for k in range(WARM_UP):
        live_once(loop, work=k == 0)
    memory, handles, objects = process.memory_info().rss, process.num_fds(), count_vtk()
    for _ in range(times):
        live_once(loop, work=False)
    grown = (process.memory_info().rss - memory) / times / 2**20
    return grown, process.num_fds() - handles, count_vtk() - objects


def test_ten_windows_leave_no_handle_and_no_vtk_object(loop: asyncio.AbstractEventLoop) -> None:
    grown, handles, objects = cycle(loop, 10)
    assert handles <= 0 and objects <= 0
    assert grown < 4, f"{grown:.2f} MB a window"


@pytest.mark.long
def test_a_hundred_windows_keep_their_memory(loop: asyncio.AbstractEventLoop) -> None:
    cycle(loop, 40)
    grown, handles, objects = cycle(loop, 60)
    assert handles <= 0 and objects <= 0 and grown < 0.2, f"{grown:.2f} MB a window"


def test_the_command_opens_the_window(screen: None) -> None:
    """`python -m stillto3d FILE` shows a window with the still; SIGTERM ends it without a word."""
    program = """
import sys
from PySide6.QtCore import QTimer
import stillto3d.ui.app as app
live = app.Session.live
async def live_and_close(self, files=()):
    def look(old, new):
        print(new.hero.still.width, flush=True)
        QTimer.singleShot(0, self.window.close)
    self.document.changed.connect(look)
    await live(self, files)
app.Session.live = live_and_close
sys.argv = ["stillto3d", sys.argv[1]]
from stillto3d.__main__ import main
main()
"""
    still = str(SAMPLES / "room_study" / "still.jpg")
    ran = subprocess.run(
        [sys.executable, "-c", program, still], capture_output=True, text=True, timeout=90, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split()[0].isdigit() and not ran.stderr, ran.stderr
