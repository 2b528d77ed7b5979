"""The viewport's splats through the engine: a stand-in rasteriser draws them, and what is said where none does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stillto3d.project.geometry import Splats
from stillto3d.project.project import LayerKind, Policy, Project, make_layer, start_project
from stillto3d.project.still import Still
from stillto3d.viewport.orbit import Orbit

from .conftest import PATIENCE, Driver

PAINTER = Path(__file__).parents[1] / "support" / "splat_painter.py"

pytestmark = pytest.mark.keeps_workers


def make_project(opacity: float = 0.9, policy: Policy | None = None) -> Project:
    """One splat 5 m before the world's origin."""
    splats = Splats(
        np.array([[0, 0.5, -5]], np.float32),
        np.full((1, 3), 0.2, np.float32),
        np.array([[1, 0, 0, 0]], np.float32),
        np.full(1, opacity, np.float32),
        np.ones((1, 1, 3), np.float32),
    )
    shots = start_project(Still(np.zeros((20, 30, 3), np.uint8), "black", "3" * 64)).shots
    return Project(shots, (make_layer("cloud", LayerKind.SCENE, geometry=splats),), policy=policy or Policy())


def show(driver: Driver, project: Project) -> None:
    """Put the project in and let the view rest on its splats."""
    driver.finish(driver.session.load_viewport())
    driver.document.open(project, None)
    scene = driver.window.scene
    driver.finish(scene.show_project(project))
    with driver.wait(scene.rested, lambda: True):
        scene.look(Orbit((0, 0.5, -5), 6.0, 0.0, 0.0))
    driver.finish(scene.show_project(project))


def lend_painter(driver: Driver) -> None:
    """As if gsplat could run here: the stand-in in its place."""
    cards = driver.session.studio.catalog.cards
    changes = {"adapter": str(PAINTER), "environment": "builtin", "devices": ("cpu",)}
    cards["gsplat"] = cards["gsplat"].model_copy(update=changes)


def test_a_rasteriser_that_is_ready_draws_what_it_was_sent_once(driver: Driver) -> None:
    lend_painter(driver)
    show(driver, make_project())
    scene = driver.window.scene
    driver.qtbot.waitUntil(lambda: scene.frames.shown, timeout=PATIENCE)
    assert tuple(scene.take_picture()[100, 100]) == (0, 255, 51)
    assert "splats drawn by gsplat" in scene.share.text() and scene.share.isVisible()
    scene.look(scene.orbit.turn(0.2, 0.0))
    assert not scene.frames.shown
    driver.qtbot.waitUntil(lambda: scene.frames.shown, timeout=PATIENCE)
    assert tuple(scene.take_picture()[100, 100]) == (0, 255, 51), "another camera, and the splats of before"
    driver.session.studio.engine._residency.end_others()  # as a heavy model does that needs the memory
    scene.look(scene.orbit.turn(0.2, 0.0))
    driver.qtbot.waitUntil(lambda: scene.frames.shown, timeout=PATIENCE)
    assert tuple(scene.take_picture()[100, 100]) == (0, 255, 51), "sent again to a worker that is new"


def test_the_viewport_s_own_drawing_is_kept_where_it_was_chosen(driver: Driver) -> None:
    lend_painter(driver)
    show(driver, make_project(policy=Policy().choose("rasteriser", "vtk")))
    scene = driver.window.scene
    assert not scene.frames.shown and not scene.frames.note


def test_what_was_chosen_and_cannot_be_used_is_told(driver: Driver) -> None:
    show(driver, make_project())
    scene = driver.window.scene
    assert not scene.frames.shown and not scene.frames.note, "nobody has asked for it"
    project = make_project(policy=Policy().choose("rasteriser", "gsplat"))
    driver.document.open(project, None)
    driver.finish(scene.show_project(project))
    driver.qtbot.waitUntil(lambda: bool(scene.frames.note), timeout=PATIENCE)
    assert "by the viewport itself: The model gsplat is not available" in scene.share.text()


def test_a_rasteriser_that_dies_leaves_the_viewport_to_draw(driver: Driver) -> None:
    lend_painter(driver)
    show(driver, make_project(opacity=0.3))
    scene = driver.window.scene
    driver.qtbot.waitUntil(lambda: bool(scene.frames.note), timeout=PATIENCE)
    assert not scene.frames.shown and "stopped unexpectedly" in scene.share.text()
    assert all(drawn.actor.GetVisibility() for _, drawn in scene.list_splats())
    calm = make_project()
    driver.document.open(calm, None)
    driver.finish(scene.show_project(calm))
    assert not scene.frames.shown, "given up"
    driver.document.edit("rules", replace(calm, policy=Policy("commercial")))  # other rules: it is asked again
    driver.qtbot.waitUntil(lambda: scene.frames.shown, timeout=PATIENCE)
