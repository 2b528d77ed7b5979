"""The folder of results: every mask, candidate and prop has a file of its own, whatever people call things."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from stillto3d.engine.run import Run
from stillto3d.formats.shot_folder import write_shot_folder
from stillto3d.models.roles import Candidates
from stillto3d.project.project import Layer, LayerKind, Project, start_project
from stillto3d.project.still import Mask, Still

from .conftest import make_project


def mask_objects(names: list[str]) -> tuple[Project, dict[str, Candidates]]:
    """Layers whose mask of 8 x 8 is all 10 k, and whose candidates are all 10 k + 1, 10 k + 2."""
    still = Still(np.zeros((8, 8, 3), dtype=np.uint8), "kitchen", "0" * 64)

    def fill(value: int) -> Mask:
        return Mask(np.full((8, 8), value, dtype=np.uint8), still.id)

    layers = tuple(Layer(f"id{k}", name, LayerKind.PROP, {still.id: fill(10 * k)}) for k, name in enumerate(names, 1))
    project = start_project(still)
    notes = {
        f"id{k}": Candidates((fill(10 * k + 1), fill(10 * k + 2)), (0.5, 0.25), 0) for k in range(1, len(names) + 1)
    }
    return Project(project.shots, layers), notes


@pytest.mark.parametrize(
    "names",
    [["x", "x.candidate_1"], ["x.candidate_2", "x"], ["x", "x_2", "x_02"], ["Chair", "chair", "CHAIR"], ["a/b", "a:b"]],
)
def test_no_mask_takes_the_file_of_another(run: Run, tmp_path: Path, names: list[str]) -> None:
    project, notes = mask_objects(names)
    outcome = write_shot_folder(run, project, tmp_path / "out", {}, notes=notes)
    masks = [entry["path"] for entry in outcome.report["files"] if entry["path"].startswith("masks/")]
    assert len({path.casefold() for path in masks}) == 3 * len(names)
    held = {path: int(np.asarray(Image.open(tmp_path / "out" / path))[0, 0]) for path in masks}
    assert sorted(held.values()) == sorted(10 * k + c for k in range(1, len(names) + 1) for c in range(3))
    first = next(path for path in masks if held[path] == 10)
    assert first.removeprefix("masks/") == f"{names[0].replace('/', '_')}.png"


def test_pictures_say_what_they_are_and_a_linear_plate_keeps_its_light(run: Run, tmp_path: Path) -> None:
    project = make_project()
    source = np.linspace(0, 5, 48 * 64 * 3, dtype=np.float32).reshape(48, 64, 3)
    still = replace(project.hero.still, source=source, source_space="lin_rec709")
    project = replace(project, shots=(replace(project.hero, still=still, clean_plate=still.pixels),))
    write_shot_folder(run, project, tmp_path / "out", {})
    for file in ("plate.png", "masks/prop_01.png"):
        with Image.open(tmp_path / "out" / file) as picture:
            packet = str(picture.info["XML:com.adobe.xmp"])
        assert "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia" in packet
        assert "<TC260:AIGC>{&quot;Label" in packet or '<TC260:AIGC>{"Label":"1"' in packet
    with OpenEXR.File(str(tmp_path / "out" / "plate.exr"), separate_channels=True) as file:
        assert file.channels()["B"].pixels.max() > 4.9
