"""Which model answers: the best usable one, or the one that a project or a layer names; where its prop stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stillto3d.errors import BadInput, NotInstalled
from stillto3d.formats.s3d_manifest import collect_project, restore_project
from stillto3d.models.catalog import Catalog, Store
from stillto3d.models.roles import Placement
from stillto3d.models.shapes import GeneratedProp
from stillto3d.models.states import Availability, State
from stillto3d.pipelines.fitting import fit_generated
from stillto3d.project.geometry import Mesh, Splats, get_positions
from stillto3d.project.project import Policy, Project
from stillto3d.project.space import Camera, aim_camera
from stillto3d.project.still import Mask

CATALOG = Catalog()


class Shelf(Store):
    """A store in which just these models are installed."""

    def __init__(self, folder: Path, *ready: str) -> None:
        super().__init__(folder)
        self._ready = ready

    def check(self, card: Any) -> Availability:
        there = card.environment == "builtin" or card.id in self._ready
        return Availability(State.READY) if there else Availability(State.NOT_INSTALLED, "it is not there.")


@pytest.mark.parametrize(
    ("ready", "choices", "model", "expected"),
    [
        ((), (), None, ("solids", "solidify")),
        (("triposr",), (), None, ("triposr", "generate")),
        (("triposr", "trellis"), (), None, ("trellis", "generate")),
        (("triposr", "trellis"), (("prop", "triposr"),), None, ("triposr", "generate")),
        (("triposr", "trellis"), (("prop", "triposr"),), "solids", ("solids", "solidify")),
    ],
)
def test_the_best_one_answers_unless_one_is_named(
    tmp_path: Path, ready: tuple[str, ...], choices: Any, model: str | None, expected: tuple[str, str]
) -> None:
    policy = Policy(choices=choices)
    card, op = CATALOG.choose_step("prop", ("generate", "solidify"), model, policy, Shelf(tmp_path, *ready))
    assert (card.id, op) == expected


def test_one_that_was_chosen_is_never_replaced_in_silence(tmp_path: Path) -> None:
    steps = ("generate", "solidify")
    with pytest.raises(NotInstalled, match="triposr is not available: it is not there"):
        CATALOG.choose_step("prop", steps, None, Policy().choose("prop", "triposr"), Shelf(tmp_path))
    with pytest.raises(NotInstalled, match="trellis is not available"):  # what it brings along may not
        CATALOG.choose_step("prop", steps, "trellis", Policy("commercial", "US"), Shelf(tmp_path, "trellis"))
    with pytest.raises(BadInput, match="not a prop"):
        CATALOG.choose_step("prop", steps, "vtk", Policy(), Shelf(tmp_path))
    with pytest.raises(NotInstalled):
        CATALOG.choose("depth", None, Policy().choose("depth", "depth-pro"), Shelf(tmp_path), "depth")


def test_a_choice_leaves_other_steps_of_its_role_alone(tmp_path: Path) -> None:
    policy = Policy().choose("prop", "triposr")
    assert CATALOG.choose("prop", None, policy, Shelf(tmp_path, "triposr"), "place").id == "solids"
    assert policy.choose("prop", None) == Policy()


def test_choices_are_saved_with_the_project() -> None:
    project = Project(policy=Policy("commercial", "DE", (("depth", "moge-2-vitl"),)))
    described, arrays = collect_project(project)
    assert restore_project(described, arrays).policy == project.policy
    del described["policy"]["choices"]  # as older files are
    assert restore_project(described, arrays).policy.choices == ()


@pytest.mark.parametrize("form", ["mesh", "splats"])
@pytest.mark.parametrize("posed", [False, True])
def test_a_generated_prop_stands_where_its_mask_is(form: str, posed: bool) -> None:
    """A box of two by three by one fills its mask's height, stands on its lower edge and lies at its distance."""
    camera = Camera(400, 300, 350, 350, 200, 150, aim_camera(-0.2, 0.05, 1.6))
    alpha = np.zeros((300, 400), np.uint8)
    alpha[100:250, 220:320] = 255
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1.5, 1.5) for z in (-0.5, 0.5)], np.float32) * 0.2
    faces = np.array([[0, 1, 2]], np.uint32)
    shape: Mesh | Splats = Mesh(corners, faces)
    if form == "splats":
        turns = np.tile(np.float32([1, 0, 0, 0]), (8, 1))
        ones = np.ones(8, np.float32)
        shape = Splats(corners, np.full((8, 3), 0.01, np.float32), turns, ones, np.zeros((8, 1, 3), np.float32))
    pose = np.eye(4) if posed else None
    if pose is not None:
        pose[:3, 3] = (0.1, 0, -2)
    stood = fit_generated(GeneratedProp(shape, pose), Mask(alpha, "a"), camera, Placement(4.0, "floor"))
    points = get_positions(stood)
    pixels, depth = camera.project(points)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    assert high[1] == pytest.approx(250, abs=1) and low[1] == pytest.approx(100, abs=1)
    assert (low[0] + high[0]) / 2 == pytest.approx(270, abs=1)
    assert depth.mean() == pytest.approx(4, rel=0.1) and depth.min() > 0
    if not posed:  # upright, its front towards the camera
        front = points[1] - points[0]
        assert abs(front[1]) < 1e-4 and front @ (camera.position - points.mean(axis=0)) > 0
