"""What the window is made of, without a window: the document, outlines, the viewpoint, the choice of face."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal

from stillto3d.__main__ import wants_window
from stillto3d.project.project import LayerKind, Patch, Project, make_layer, start_project
from stillto3d.project.space import Camera, aim_camera
from stillto3d.project.still import Still
from stillto3d.ui.document import Document
from stillto3d.ui.pyramid import build_pyramid, halve, trace_outline
from stillto3d.viewport.orbit import Orbit, stand_at


def make_project() -> Project:
    return start_project(Still(np.zeros((4, 6, 3), np.uint8), "black", "0" * 64))


def make_patch(name: str) -> Patch:
    return Patch(f"Add {name}", (make_layer(name, LayerKind.PROP),))


# --------------------------------------------------------------------------- document


def test_a_step_back_is_the_earlier_value() -> None:
    document = Document()
    document.open(make_project(), None)
    states = [document.project]
    for name in "abc":
        document.apply(make_patch(name))
        states.append(document.project)
    assert document.undo_label == "Add c" and document.redo_label is None
    for state in reversed(states[:-1]):
        document.undo()
        assert document.project is state
    assert document.undo_label is None and document.redo_label == "Add a" and not document.dirty
    for state in states[1:]:
        document.redo()
        assert document.project is state


def test_a_new_step_forgets_what_was_taken_back() -> None:
    document = Document()
    document.open(make_project(), None)
    document.apply(make_patch("a"))
    document.undo()
    document.apply(make_patch("b"))
    assert document.redo_label is None and [layer.name for layer in document.project.layers] == ["b"]


def test_a_finished_step_is_one_step() -> None:
    document = Document()
    document.open(make_project(), None)
    first = document.project
    document.apply(make_patch("a"))
    document.amend(replace(document.project, unit_scale=2.0))
    document.undo()
    assert document.project is first


def test_every_change_is_told_with_what_was_before() -> None:
    document, heard = Document(), []
    document.changed.connect(lambda old, new: heard.append((old, new)))
    empty, project = document.project, make_project()
    document.open(project, None)
    document.apply(make_patch("a"))
    document.edit("nothing", document.project)
    assert heard == [(empty, project), (project, document.project)]


# --------------------------------------------------------------------------- pictures


def area(ring: np.ndarray) -> float:
    x, y = ring.astype(np.float64).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def test_the_outline_of_a_block_runs_around_it() -> None:
    alpha = np.zeros((9, 12), np.uint8)
    alpha[2:6, 3:10] = 255
    (ring,) = trace_outline(alpha)
    assert ring.min(axis=0) == pytest.approx((3, 2), abs=0.01) and ring.max(axis=0) == pytest.approx((10, 6), abs=0.01)
    assert abs(area(ring)) == pytest.approx(4 * 7, abs=0.6)


def test_a_hole_runs_the_other_way_round_and_touching_corners_stay_apart() -> None:
    alpha = np.full((8, 8), 255, np.uint8)
    alpha[3:5, 3:5] = 0
    outer, hole = sorted((area(ring) for ring in trace_outline(alpha)), key=abs, reverse=True)
    assert outer * hole < 0
    alpha[:] = 0
    alpha[2, 2] = alpha[3, 3] = 255
    assert len(trace_outline(alpha)) == 2


def test_an_outline_lies_where_a_soft_edge_is_half() -> None:
    alpha = np.tile(np.linspace(0, 255, 11).astype(np.uint8), (5, 1))
    (ring,) = trace_outline(alpha)
    assert ring[:, 0].min() == pytest.approx(5.5, abs=0.1)


def test_nothing_has_no_outline() -> None:
    assert trace_outline(np.zeros((3, 5), np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1), (17, 4001), (640, 960, 3), (3, 1025, 3)])
def test_levels_cover_two_to_the_k_pixels_a_sample(shape: tuple[int, ...]) -> None:
    levels = build_pyramid(np.full(shape, 77, np.uint8))
    for k, level in enumerate(levels):
        assert level.shape[:2] == tuple(-(-n // 2**k) for n in shape[:2])
        assert (level == 77).all()
    assert max(levels[-1].shape[:2]) <= 256


def test_a_half_is_the_mean_of_four() -> None:
    assert halve(np.array([[0, 255], [255, 255]], np.uint8)) == [[191]]


# --------------------------------------------------------------------------- the viewpoint


@pytest.mark.parametrize(("pitch", "roll"), [(0.0, 0.0), (-0.5, 0.0), (0.3, 0.0)])
def test_the_viewer_stands_where_the_camera_does(pitch: float, roll: float) -> None:
    camera = Camera(600, 400, 500, 500, 300, 200, aim_camera(pitch, roll, 1.5))
    orbit = stand_at(camera, 3.0)
    assert orbit.position == pytest.approx(camera.position)
    assert orbit.back == pytest.approx(camera.world_from_camera[:3, 2])
    assert orbit.up == pytest.approx(camera.world_from_camera[:3, 1])
    pixels, depth = camera.project([orbit.target])
    assert pixels[0] == pytest.approx((300, 200)) and depth[0] == pytest.approx(3.0)


def test_turning_keeps_the_target_and_never_goes_over_the_top() -> None:
    orbit = Orbit((1, 2, 3), 4.0).turn(0.5, 9.0)
    assert np.linalg.norm(orbit.position - (1, 2, 3)) == pytest.approx(4.0)
    assert orbit.up[1] > 0


def test_framing_shows_everything() -> None:
    bounds = np.array([[-1.0, 0.0, -1.0], [3.0, 2.0, 1.0]])
    orbit = Orbit(yaw=0.7, pitch=-0.3).frame(bounds, 0.7)
    corners = np.array([[x, y, z] for x in bounds[:, 0] for y in bounds[:, 1] for z in bounds[:, 2]])
    before = (orbit.position - corners) @ orbit.back
    for side in (orbit.right, orbit.up):
        assert (np.abs((corners - orbit.position) @ side) <= before * np.tan(0.35) + 1e-9).all()


# --------------------------------------------------------------------------- the face


@pytest.mark.parametrize(
    ("arguments", "window"),
    [
        ([], True),
        (["kitchen.jpg"], True),
        (["./kitchen"], True),
        (["a b.s3d", "c.png"], True),
        (["convert", "kitchen.jpg"], False),
        (["--version"], False),
        (["-h"], False),
        (["nonsense"], False),
    ],
)
def test_the_window_opens_for_files_and_for_nothing(arguments: list[str], window: bool) -> None:
    assert wants_window(arguments) is window


def test_the_window_needs_no_torch() -> None:
    """The modules of the window, VTK's too, load behind a hook that refuses what models run on."""
    program = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers", "diffusers", "onnxruntime", "cv2"}:
            raise AssertionError(f"the window imports {name}")
sys.meta_path.insert(0, Refuse())
import stillto3d.ui.app, stillto3d.viewport.scene_view
assert "typer" not in sys.modules, "the window loads the command line"
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


# --------------------------------------------------------------------------- the ground


def test_signals_lose_no_reference() -> None:
    """PySide6 6.12.0 gives True away with every signal; Python 3.11 ends when none is left."""

    class Sender(QObject):
        told = Signal(int)

    sender = Sender()
    before = sys.getrefcount(True)
    for k in range(500):
        sender.told.emit(k)
    assert abs(sys.getrefcount(True) - before) < 100
