"""`stillto3d models ...`, as a person or a script meets it, against a hub on the loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fake_hub import FakeHub, serve
from support.weights import make_safetensors

from stillto3d import cli
from stillto3d.errors import BadInput, NotInstalled
from stillto3d.model_commands import Rules
from stillto3d.models.catalog import Catalog, Store
from stillto3d.project.project import Policy
from stillto3d.settings import find_folders

MODEL = "sam2.1-tiny"
FILES = {
    "config.json": b"{}",
    "model.safetensors": make_safetensors(b"weights" * 40_000),
    "sam2.1_hiera_tiny.pt": b"a pickle",
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    """A hub on the loopback, and a person whose settings name it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("STILLTO3D_HOME", str(tmp_path / "home"))
    with serve(FakeHub("facebook/sam2.1-hiera-tiny", FILES)) as fake:
        write_settings(hub_endpoint=fake.endpoint)
        yield fake


def write_settings(**settings: object) -> None:
    folder = find_folders().config
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.toml").write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()))


def ask(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> Any:
    """The JSON answer of a command."""
    assert cli.main(["models", *map(str, words), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def tell(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> str:
    """What a command says to a person."""
    assert cli.main(["models", *map(str, words)]) == code
    said = capsys.readouterr()
    return said.out + said.err


def state(capsys: pytest.CaptureFixture[str]) -> str:
    return str(ask(capsys, "show", MODEL)["state"])


@pytest.fixture
def supported(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the app could run every model."""
    monkeypatch.setattr("stillto3d.models.store.has_adapter", lambda card: True)


@pytest.mark.usefixtures("supported")
def test_a_models_life(hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_settings(hub_endpoint=hub.endpoint, interpreters=f"models={__file__}")
    assert state(capsys) == "NOT_INSTALLED"
    (installed,) = ask(capsys, "install", MODEL)
    assert {file["name"] for file in installed["files"]} == {"config.json", "model.safetensors"}
    shown = ask(capsys, "show", MODEL)
    assert shown["state"] == "READY" and shown["disk_bytes"] > 280_000
    written = ask(capsys, "bundle", "--to", tmp_path / "models.bundle", MODEL)
    assert written["models"] == [MODEL]
    assert ask(capsys, "remove", MODEL)["freed_bytes"] > 280_000
    assert state(capsys) == "NOT_INSTALLED"
    write_settings(offline=True, interpreters=f"models={__file__}")
    hub.asked.clear()
    refused = ask(capsys, "install", MODEL, code=6)
    assert "stay offline" in refused["message"]
    (again,) = ask(capsys, "install", tmp_path / "models.bundle")
    assert again["source"] == "bundle" and state(capsys) == "READY"
    assert not hub.asked


def test_what_a_person_is_told_before_a_download(hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    said = tell(capsys, "install", MODEL)
    assert "280 kB to download" in said and "licence of the weights: Apache-2.0" in said and "Installed:" in said
    assert "whole" in tell(capsys, "verify", "stillnet-depth")
    assert "kB freed" in tell(capsys, "remove", MODEL)


def test_a_folder_is_taken_instead_of_the_hub(hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "given").mkdir()
    for name, data in FILES.items():
        (tmp_path / "given" / name).write_bytes(data)
    (installed,) = ask(capsys, "install", MODEL, "--from", tmp_path / "given")
    assert installed["source"] == "folder" and not hub.asked


def test_damage_and_a_broken_environment_are_found(hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    ask(capsys, "install", MODEL)
    weights = find_folders().data / "models" / MODEL / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    found = ask(capsys, "verify", MODEL, code=3)
    assert found["models"] == {MODEL: ["model.safetensors"]} and not found["whole"]
    assert found["environments"]["models"]["faults"] and found["environments"]["models"]["remedy"]
    assert "damaged" in tell(capsys, "verify", code=3)


def test_licences_are_judged_by_use_and_region(capsys: pytest.CaptureFixture[str]) -> None:
    (trellis,) = ask(capsys, "licences", "trellis", "--use", "commercial")
    assert trellis["commercial"] == "no" and "nvdiffrast" in trellis["refused"]
    (shape,) = ask(capsys, "licences", "hunyuan3d-2-shape", "--region", "de")
    assert shape["excluded_regions"] == ["EU", "GB", "KR"] and "DE" in shape["refused"]
    assert all(row["code"] for row in ask(capsys, "licences"))
    assert "nvdiffrast" in tell(capsys, "licences", "trellis")
    assert "cannot be" in tell(capsys, "list", "--use", "fun", code=2)


def test_unknown_figures_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    said = tell(capsys, "show", "da3-base")
    assert (
        "documented: unknown; measured: unknown" in said and "Verified: never" in said and "Download: unknown" in said
    )
    assert "at least 24 GB" in tell(capsys, "show", "trellis2")
    rows = {row["id"]: row for row in ask(capsys, "list")}
    assert rows["vtk"]["state"] == "BUILTIN" and len(rows) > 50
    assert {row["role"] for row in ask(capsys, "list", "--role", "upscaler")} == {"upscaler"}


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (("install", "vtk"), "comes with the app"),
        (("remove", "vtk"), "cannot be removed"),
        (("show", "sam2.1-tinny"), "Did you mean: sam2.1-tiny"),
        (("show", "qqqqqq"), "models list"),
        (("bundle", "--to", "x"), "nothing to pack"),
        (("environment", "trellis"), "not made by the app"),
    ],
)
def test_what_cannot_be_done_is_said(
    hub: FakeHub, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], word: str
) -> None:
    assert word in ask(capsys, *words, code=2)["message"]


def test_a_project_s_rules_are_changed_one_by_one() -> None:
    policy = Policy("commercial", "FR", (("depth", "moge-2-vitl"),))
    assert Rules().change(policy) == policy
    assert Rules(use="research").change(policy) == Policy("research", "FR", policy.choices)
    assert Rules(region="uk").change(policy).region == "GB"
    assert Rules(region="").change(policy).region == ""
    changed = Rules(choices=("prop = solids", "depth=auto")).change(policy)
    assert changed.choices == (("prop", "solids"),)


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        (Rules(use="fun"), "use cannot be fun"),
        (Rules(region="Germany"), "no country's code"),
        (Rules(region="XQ"), "no country's code"),
        (Rules(choices=("depth",)), "no choice of a model"),
        (Rules(choices=("chef=solids",)), "segmenter, "),
    ],
)
def test_rules_that_are_none_are_refused(rules: Rules, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        rules.change(Policy())


def test_a_model_that_cannot_be_used_is_not_chosen(tmp_path: Path) -> None:
    catalog, store = Catalog(), Store(tmp_path)
    for rules, policy, kind, word in (
        (Rules(choices=("depth=depth-pro",)), Policy(), NotInstalled, "depth-pro is not available"),
        (Rules(choices=("depth=solids",)), Policy(), BadInput, "solids is a prop"),
        (Rules(choices=("depth=nobody",)), Policy(), BadInput, "no model called nobody"),
        (Rules("commercial", choices=("scene=dust3r",)), Policy(), NotInstalled, "does not allow commercial"),
        (Rules(region="DE", choices=("prop=hunyuan3d-2-shape",)), Policy(), NotInstalled, "does not hold in DE"),
    ):
        with pytest.raises(kind, match=word):
            rules.refuse_unusable(rules.change(policy), catalog, store)
    Rules(choices=("depth=stillnet-depth",)).refuse_unusable(
        Policy(choices=(("depth", "stillnet-depth"),)), catalog, store
    )
    kept = Policy(choices=(("prop", "triposr"),))  # of what the project had already, its steps tell
    Rules(use="research").refuse_unusable(kept, catalog, store)
