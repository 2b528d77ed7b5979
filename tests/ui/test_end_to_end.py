"""The whole job by hand, from outside: real key presses and clicks on a real process, which is killed between."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stillto3d.engine.run import Run
from stillto3d.formats.s3d import read_s3d
from stillto3d.project.geometry import Mesh
from stillto3d.project.project import LayerKind, Project

from .conftest import SAMPLES

pytestmark = pytest.mark.skipif(not all(map(shutil.which, ("Xvfb", "xdotool"))), reason="needs Xvfb and xdotool")
STILL = SAMPLES / "table_breakfast" / "still.jpg"
PATIENCE = 150.0
SIZE = (1500, 900)


class Desk:
    """A screen, the app on it, and hands."""

    def __init__(self, home: Path) -> None:
        reader, writer = os.pipe()
        command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1500x900x24", "-nolisten", "tcp"]
        self._screen = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
        os.close(writer)
        with os.fdopen(reader) as told:
            display = f":{told.readline().strip()}"
        (home / "temporary").mkdir()
        (home / "config").mkdir()
        (home / "config" / "settings.toml").write_text("autosave_seconds = 0.5\n")
        own = {"DISPLAY": display, "STILLTO3D_HOME": str(home), "TMPDIR": str(home / "temporary"), "HOME": str(home)}
        self._environment = {**os.environ, **own, "STILLTO3D_LANGUAGE": "en", "QT_QPA_PLATFORM": "xcb"}
        self.home = home
        self.app: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> None:
        self.app = subprocess.Popen([sys.executable, "-m", "stillto3d", *arguments], env=self._environment)
        self.wait(lambda: "stillto3d" in self.title())
        self._do("windowsize", "--sync", self.window, *map(str, SIZE))
        self.focus()

    def focus(self) -> None:
        """Give the window the keyboard, as a window manager does when a dialog has gone."""
        self._do("windowfocus", "--sync", self.window)

    def kill(self) -> None:
        """As a crash would."""
        assert self.app is not None
        self.app.kill()
        self.app.wait()

    def close(self) -> None:
        if self.app is not None and self.app.poll() is None:
            self.app.kill()
            self.app.wait()
        self._screen.terminate()
        self._screen.wait()

    @property
    def window(self) -> str:
        found = self._do("search", "--onlyvisible", "--name", "stillto3d").split()
        return found[0] if found else ""

    def title(self) -> str:
        return self._do("getwindowname", self.window) if self.window else ""

    def press(self, *keys: str) -> None:
        for key in keys:
            self._do("key", "--clearmodifiers", key)

    def type(self, text: str) -> None:
        self._do("type", "--delay", "4", text)

    def click(self, x: int, y: int) -> None:
        self._do("mousemove", "--sync", str(x), str(y), "click", "1")

    def drag(self, *places: tuple[int, int]) -> None:
        self._do("mousemove", "--sync", *map(str, places[0]), "mousedown", "1")
        for place in places[1:]:
            self._do("mousemove", "--sync", *map(str, place))
        self._do("mouseup", "1")

    def wait(self, done: Callable[[], bool], nudge: Callable[[], object] = lambda: None) -> None:
        """Until it is so; `nudge` is tried again and again meanwhile."""
        late = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < late, "it took too long"
            assert self.app is None or self.app.poll() is None, "the app has ended"
            nudge()
            time.sleep(0.25)  # another process is asked: there is no signal to wait for

    def command(self, words: str) -> None:
        """Through the palette."""
        self.press("Escape", "ctrl+k")
        self.type(words)
        self.press("Return")

    def read_aside(self) -> Project | None:
        """What the app has kept aside, if it is whole."""
        for file in (self.home / "data" / "autosave").glob("*.s3d"):
            return read_s3d(Run.nothing(), file)
        return None

    def _do(self, *arguments: str) -> str:
        ran = subprocess.run(
            ["xdotool", *arguments], env=self._environment, capture_output=True, text=True, check=False
        )
        return ran.stdout.strip()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    home = tmp_path / "home"
    home.mkdir()
    made = Desk(home)
    yield made
    made.close()


def test_the_whole_job_survives_a_crash(desk: Desk) -> None:
    desk.start(str(STILL))
    desk.wait(lambda: desk.title().startswith("still "))
    # A click, a box and a brush, each kept with Enter. The canvas fills the window's left half.
    desk.wait(lambda: count_props(desk) == 1, lambda: (desk.click(466, 522), desk.press("Return")))
    desk.drag((500, 330), (560, 380), (680, 460))
    desk.wait(lambda: count_props(desk) == 2, lambda: desk.press("Return"))
    desk.press("Escape", "b")  # else the brush would mend what is selected
    desk.drag((180, 350), (220, 360), (260, 350))
    desk.wait(lambda: count_props(desk) == 3, lambda: desk.press("Return"))
    desk.press("ctrl+shift+p")
    desk.wait(lambda: all(isinstance(layer.geometry, Mesh) for layer in read(desk).layers) and has_set(desk))
    desk.press("0", "ctrl+z", "ctrl+shift+z")
    desk.kill()

    desk.start()
    desk.wait(lambda: desk.title().startswith("still* "), lambda: desk.command("recover"))
    saved = desk.home / "still.s3d"
    desk.press("Escape", "ctrl+s")
    desk.wait(saved.exists, lambda: answer(desk))
    project = read_s3d(Run.nothing(), saved)
    assert len(project.props()) == 3 and project.scenes()
    exported = desk.home / "still.glb"
    desk.focus()
    desk.press("ctrl+e")
    desk.wait(exported.exists, lambda: answer(desk))
    assert exported.read_bytes()[:4] == b"glTF"
    desk.focus()
    desk.press("ctrl+q")
    assert desk.app is not None
    assert desk.app.wait(20) == 0
    assert not list((desk.home / "data" / "autosave").glob("*"))


def answer(desk: Desk) -> None:
    """Take the name that a dialog proposes, once it has come."""
    if desk._do("search", "--onlyvisible", "--name", "^(Save project|Export)$"):
        desk.press("Return")


def read(desk: Desk) -> Project:
    return desk.read_aside() or Project()


def count_props(desk: Desk) -> int:
    return len(read(desk).props())


def has_set(desk: Desk) -> bool:
    return any(layer.kind is LayerKind.SCENE for layer in read(desk).layers)
