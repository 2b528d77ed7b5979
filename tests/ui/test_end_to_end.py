"""The whole job by hand, from outside: real key presses and clicks on a real process, which is killed between."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ImageGrab

from stillto3d.engine.run import Run
from stillto3d.formats.s3d import read_s3d
from stillto3d.project.geometry import Mesh
from stillto3d.project.project import LayerKind, Project

from .conftest import SAMPLES

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not all(map(shutil.which, ("Xvfb", "xdotool"))), reason="needs Xvfb and xdotool"),
]
STILL = SAMPLES / "table_breakfast" / "still.jpg"
PATIENCE = 240.0
SIZE = (1500, 900)
VIEW = (760, 200, 1150, 700)
WIPE = ((1006, 36), (1014, 36), (1023, 36))  # the slider over the viewport, from its middle to its end


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

    def picture(self, part: tuple[int, int, int, int]) -> np.ndarray:
        """What stands on the screen, u8[h, w, 3]."""
        shown = ImageGrab.grab(part, xdisplay=self._environment["DISPLAY"])
        return np.asarray(shown.convert("RGB"))

    def wait(self, done: Callable[[], bool], nudge: Callable[[], object] = lambda: None, every: float = 0.0) -> None:
        """Until it is so; `nudge` is tried meanwhile, again and again or `every` so many seconds."""
        late, again = time.monotonic() + PATIENCE, time.monotonic()
        while not done():
            assert time.monotonic() < late, "it took too long"
            assert self.app is None or self.app.poll() is None, "the app has ended"
            if time.monotonic() >= again:
                nudge()
                again = time.monotonic() + every
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
    mend_the_brushed_mask(desk)
    desk.press("ctrl+shift+p")
    desk.wait(lambda: all(isinstance(layer.geometry, Mesh) for layer in read(desk).layers) and has_set(desk))
    set_a_length(desk)
    move_a_prop(desk)
    look_through_the_lens(desk)
    undo_and_redo_it_all(desk)
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
    assert desk.app.wait(PATIENCE) == 0
    assert not list((desk.home / "data" / "autosave").glob("*"))


def mend_the_brushed_mask(desk: Desk) -> None:
    """Paint some more into the mask that is selected."""
    before = measure_masks(read(desk))
    desk.drag((180, 380), (220, 390), (260, 380))
    desk.wait(lambda: measure_masks(read(desk)) > before, lambda: desk.press("Return"))
    assert count_props(desk) == 3
    desk.press("Escape", "v")


def set_a_length(desk: Desk) -> None:
    """Draw a line over the still and say that it is 5 m long."""
    before = read(desk).hero.camera
    assert before is not None

    def draw() -> None:
        desk.press("Escape", "k")
        desk.drag((400, 540), (460, 540), (560, 540))
        desk.type("5")
        desk.press("Return")

    desk.wait(lambda: height(desk) > 1.5 * before.position[1], draw, every=20)


def move_a_prop(desk: Desk) -> None:
    """Take the first prop up by its mask, and let it down to the floor."""
    before = read(desk).props()[0].transform

    def move() -> None:
        desk.press("v")
        desk.click(466, 522)
        desk.press("Escape", "End")

    desk.wait(lambda: not np.allclose(read(desk).props()[0].transform, before), move, every=20)


def look_through_the_lens(desk: Desk) -> None:
    """The still lies over the set, which is shaded by its normals to be told apart, and is wiped away."""
    textured = desk.picture(VIEW)
    desk.wait(lambda: differ(desk.picture(VIEW), textured), lambda: desk.press("F8"), every=20)
    shaded = desk.picture(VIEW)
    desk.wait(lambda: differ(desk.picture(VIEW), shaded), lambda: desk.press("0"), every=20)
    covered = desk.picture(VIEW)
    desk.wait(lambda: differ(desk.picture(VIEW), covered), lambda: desk.drag(*WIPE), every=20)
    desk.press("0", "F5")


def undo_and_redo_it_all(desk: Desk) -> None:
    """Back to the bare still, which is kept nowhere since it is no work, and to everything again."""
    full = read(desk)
    assert full.props()
    desk.wait(lambda: desk.read_aside() is None, lambda: desk.press("Escape", "ctrl+z"))
    desk.wait(lambda: describe(read(desk)) == describe(full), lambda: desk.press("ctrl+shift+z"))


def describe(project: Project) -> list[Any]:
    """What every step has changed: layers, their masks and places, the camera."""
    camera = project.hero.camera if project.shots else None
    layers = [(layer.name, layer.transform.round(6).tolist(), type(layer.geometry)) for layer in project.layers]
    return [*layers, measure_masks(project), camera.position.round(6).tolist() if camera is not None else None]


def measure_masks(project: Project) -> int:
    return sum(int(mask.alpha.sum()) for layer in project.props() for mask in layer.masks.values())


def height(desk: Desk) -> float:
    camera = read(desk).hero.camera
    return float(camera.position[1]) if camera is not None else 0.0


def differ(one: np.ndarray, other: np.ndarray) -> bool:
    """More than a tenth of the pixels are others."""
    return bool((np.abs(one.astype(int) - other).max(axis=-1) > 24).mean() > 0.1)


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
