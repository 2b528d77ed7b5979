"""Models whose code no package holds: their adapters call stand-ins made from recorded signatures of that code.

This shows that our calls fit upstream's names and parameters and that answers of its shapes are read right; it says
nothing of quality. docs/models.md tells what has run with the real code.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.forked_python import share_start
from support.questions import QUESTIONS, Scene
from support.stand_ins import make_environment

from stillto3d.engine.engine import Engine
from stillto3d.engine.jobs import Event, JobState
from stillto3d.errors import BadInput, NotInstalled
from stillto3d.models.catalog import Catalog, Store
from stillto3d.models.environments import Environments
from stillto3d.models.roles import Ask
from stillto3d.models.shapes import GeneratedProp, GenerateProp, SeenViews, SeeViews
from stillto3d.models.store import has_adapter
from stillto3d.project.geometry import Splats, get_positions
from stillto3d.project.project import Policy
from stillto3d.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get("STILLTO3D_MODELS_PYTHON", ROOT / ".venv-models" / "bin" / "python"))
CATALOG = Catalog()
UPSTREAM = sorted(card.id for card in CATALOG.cards.values() if card.upstream)
SCENES = ["da3-small", "da3-nested", "dust3r", "mast3r", "sharp"]  # one of each adapter, and each of its ways
PROPS = [
    "hunyuan3d-2-paint",
    "hunyuan3d-2-shape",
    "hunyuan3d-2.1-paint",
    "sam3d-objects",
    "trellis",
    "trellis2",
    "triposr",
]

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="its workers are forks of one, for they all import PyTorch"),
    pytest.mark.skipif(not PYTHON.exists(), reason="needs the models' environment: make setup-models"),
    pytest.mark.keeps_workers,
    pytest.mark.noisy,
]


def fill_folder(name: str, folder: Path) -> None:
    """The least files that the adapter of a model looks for."""
    folder.mkdir(parents=True)
    presets = {"metric-large": "da3metric-large", "mono-large": "da3mono-large", "nested": "da3nested-giant-large"}
    if name.startswith("da3-"):
        preset = presets.get(name.removeprefix("da3-"), name)
        (folder / "config.json").write_text(json.dumps({"model_name": preset}))
    elif name in ("dust3r", "mast3r"):
        (folder / "config.json").write_text('{"head_type": "dpt", "depth_mode": ["exp", -Infinity, Infinity]}')
    elif name == "triposr":
        (folder / "config.yaml").write_text("cond_image_size: 8\n")
    elif name.startswith("hunyuan3d-"):
        inner = folder / "hunyuan3d-dit-v2-0"
        inner.mkdir()
        (inner / "config.yaml").write_text("model: {}\n")
        (inner / "model.fp16.safetensors").write_bytes(b"S")
        if name == "hunyuan3d-2.1-paint":
            (folder / "hunyuan3d-paintpbr-v2-1").mkdir()
            (folder / "dinov2-giant").mkdir()
            (folder / "RealESRGAN_x4plus.pth").write_bytes(b"")
    elif name == "sam3d-objects":
        (folder / "pipeline.yaml").write_text("{}")
    header = json.dumps({"weight": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))


class Files(Store):
    """A store whose models lie ready, whatever their lists of files say."""

    def check_files(self, card: Any) -> Any:
        from stillto3d.models.states import Availability, State

        return Availability(State.READY)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("upstream")
    python, server = share_start(make_environment(folder / "python", PYTHON), folder)
    names = {CATALOG.find(name).environment for name in UPSTREAM}
    environments = Environments(folder, dict.fromkeys(names, str(python)))
    for name in UPSTREAM:
        fill_folder(name, folder / "models" / name)
    _save_pickles(python, folder / "models")
    made = Engine(CATALOG, Files(folder / "models", environments=environments), Settings(warm_workers=2))
    events: list[Event] = []
    thread = threading.Thread(target=made.serve, args=("heavy", events.append), name="lane-heavy")
    thread.start()
    made.told = events  # type: ignore[attr-defined]
    yield made
    made.close()
    thread.join(20)
    server.communicate()
    assert not thread.is_alive()


def _save_pickles(python: Path, models: Path) -> None:
    import subprocess

    script = models / "save.py"
    script.write_text("import sys, torch\nfor path in sys.argv[1:]: torch.save({'weight': torch.zeros(2)}, path)\n")
    paths = [models / "sharp" / "sharp_2572gikvuh.pt", models / "triposr" / "model.ckpt"]
    subprocess.run([python, "-I", "-u", script, *paths], check=True, capture_output=True)


def ask(engine: Engine, model: str, question: Ask[Any]) -> Any:
    policy = Policy(region="US")  # some licences hold in named regions alone
    job = engine.submit(model, lambda run: run.call(question, model), policy=policy)
    assert job.wait(240)
    if job.error is not None:
        raise job.error
    fractions = [event.fraction for event in engine.told if event.job_id == job.id]  # type: ignore[attr-defined]
    assert fractions == sorted(fractions) and job.state is JobState.DONE
    return job.result


@pytest.mark.parametrize("model", SCENES)
def test_several_stills_are_seen_in_one_world(engine: Engine, model: str) -> None:
    stills = [Scene(96, 64, seed).still for seed in (1, 2)]
    if model == "sharp":
        stills = stills[:1]
    seen: SeenViews = ask(engine, model, SeeViews(stills, splats=True))
    assert len(seen.views) == len(stills)
    assert np.allclose(seen.views[0].pose, np.eye(4))
    assert all(view.depth.depth.min() > 0 and view.focal_px > 0 for view in seen.views)
    assert (seen.splats is not None) == (model in ("sharp", "da3-giant", "da3-nested"))
    card = CATALOG.find(model)
    scene = Scene(96, 64)
    for role in card.roles:
        for question in QUESTIONS[role](scene):
            if card.answers(question.role, question.op) and question.role != "scene":
                ask(engine, model, question)


@pytest.mark.parametrize("model", PROPS)
def test_a_cut_out_becomes_a_whole_thing_that_stands_y_up(engine: Engine, model: str) -> None:
    scene = Scene(96, 64)
    made: GeneratedProp = ask(engine, model, GenerateProp(scene.still, scene.mask, scene.still.pixels))
    assert len(get_positions(made.shape)) >= 4
    assert (made.pose is not None) == (model == "sam3d-objects")
    if made.pose is not None:
        assert np.allclose(made.pose[:3, 3], (0, 0, -3))  # before the camera, which looks along -Z


def test_a_mask_without_a_thing_is_refused_in_words(engine: Engine) -> None:
    scene = Scene(96, 64)
    empty = type(scene.mask)(np.zeros_like(scene.thing), scene.still.id)
    with pytest.raises(BadInput, match="mask"):
        ask(engine, "triposr", GenerateProp(scene.still, empty, scene.still.pixels))


def test_splats_of_a_model_in_metres_are_scaled_with_its_depth(engine: Engine) -> None:
    """The nested preset scales its depth by 2 and leaves its splats; ours are scaled, and one that is none is gone."""
    plain = ask(engine, "da3-giant", SeeViews([Scene(96, 64).still], splats=True)).splats
    nested = ask(engine, "da3-nested", SeeViews([Scene(96, 64).still], splats=True)).splats
    assert isinstance(plain, Splats) and len(plain.means) == 1
    assert np.allclose(nested.means, 2 * plain.means) and np.allclose(nested.scales, 2 * plain.scales)


def test_code_that_is_not_there_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    fill_folder("dust3r", folder / "dust3r")
    store = Files(folder, environments=Environments(tmp_path, {"models": str(PYTHON)}))
    engine = Engine(CATALOG, store, Settings(warm_workers=0))
    thread = threading.Thread(target=engine.serve, args=("heavy",), name="lane-heavy")
    thread.start()
    try:
        job = engine.submit("see", lambda run: run.call(SeeViews([Scene(96, 64).still]), "dust3r"))
        assert job.wait(240)
        assert isinstance(job.error, NotInstalled)
        assert "naver/dust3r" in str(job.error)
    finally:
        engine.close()
        thread.join(20)


def test_every_adapter_is_called_somewhere() -> None:
    assert all(has_adapter(card) for card in CATALOG.cards.values())
    called = {CATALOG.find(name).adapter for name in (*SCENES, *PROPS)}
    assert {CATALOG.find(name).adapter for name in UPSTREAM} == called
