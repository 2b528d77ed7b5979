"""Cards: what they must say, and the words for one that does not."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from stillto3d.errors import BadInput, Bug
from stillto3d.models.card import ModelCard, Parameter, is_plain_path, read_card, word_faults
from stillto3d.words import find_resources

from .conftest import make_card

CARDS = sorted((find_resources() / "models").glob("*.toml"))
HOSTS = ("http", "huggingface.co", "github", ".com", ".org", "www.")


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_shipped_card_is_whole(path: Path) -> None:
    card = read_card(path)
    assert card.title and card.licence.code and card.limits
    assert card.environment == "builtin" or card.has_files or card.id == "gsplat"
    assert not [host for host in HOSTS if host in path.read_text(encoding="utf-8")], "a card names no host"


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_card_claims_no_figure_without_its_source(path: Path) -> None:
    """Other people's models have been run on no GPU yet, and nobody has told their hashes."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    if raw.get("environment", "builtin") == "builtin":
        return
    assert all(file.keys() == {"name"} for file in raw.get("weights", ()))
    card = read_card(path)
    assert bool(card.vram.measured_bytes) == bool(card.vram.measured_on)
    assert bool(card.vram.documented_bytes) == bool(card.vram.documented_in)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"role": "chef"}, "no role chef"),
        ({"also": ["chef"]}, "no role chef"),
        ({"repository": "https://hub/somebody/small"}, "without a host"),
        ({"fetch": ["*.bin"]}, "is a pickle"),
        ({"weights": [{"name": "w.pt"}]}, "is a pickle"),
        ({"loading": "exception"}, "go together"),
        ({"exception": "Its own code reads it."}, "go together"),
        ({"weights": [{"name": "../w.onnx"}]}, "inside the model's folder"),
        ({"weights": [{"name": "/w.onnx"}]}, "inside the model's folder"),
        ({"weights": [{"name": "w.onnx", "sha256": "abc"}]}, "64 small hexadecimal"),
        ({"gated": True, "repository": ""}, "names its repository"),
        ({"licence": {"code": "MIT", "commercial": "terms"}}, "needs the terms in words"),
        ({"licence": {"code": "MIT", "commercial": "perhaps"}}, "licence.commercial"),
        ({"licence": {"code": "MIT", "commercial": "yes", "excluded_regions": ["Europe"]}}, "neither an ISO 3166"),
        ({"weights": [{"name": "w.onnx"}], "licence": {"code": "MIT", "commercial": "yes"}}, "names their licence"),
        ({"vram": {"documented_bytes": 5}}, "names its source"),
        ({"vram": {"measured_bytes": 5}}, "names the device"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_card_that_cannot_be_is_refused_in_words(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make_card(**changes)
    assert word in word_faults(caught.value)


def test_file_and_id_agree(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text((find_resources() / "models" / "vtk.toml").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(Bug, match="file and id must agree"):
        read_card(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Bug, match="is not TOML"):
        read_card(path)


@pytest.mark.parametrize(
    ("default", "more", "value", "word"),
    [
        (12, {"low": 1, "high": 100}, 0, "not from 1.0 to 100.0"),
        (12, {"low": 1, "high": 100}, 5.5, "not a whole number"),
        (12, {"low": 1, "high": 100}, True, "not of the kind"),
        (0.5, {"low": 0, "high": 1}, 2, "not from 0.0 to 1.0"),
        (0.5, {"low": 0, "high": 1}, "half", "not of the kind"),
        ("512", {"choices": ["512", "1024"]}, "2048", "none of 512, 1024"),
        (False, {}, 1, "not of the kind"),
    ],
)
def test_a_parameter_refuses_what_does_not_fit(default: Any, more: dict[str, Any], value: Any, word: str) -> None:
    parameter = Parameter(name="a", help="What it does.", default=default, **more)
    assert parameter.find_fault(default) == ""
    assert word in parameter.find_fault(value)


def test_a_number_has_a_range_and_a_default_within_it() -> None:
    with pytest.raises(ValidationError, match="needs low and high"):
        Parameter(name="a", help="What it does.", default=1)
    with pytest.raises(ValidationError, match="the default of a"):
        Parameter(name="a", help="What it does.", default=5, low=0, high=1)


def test_options_are_complete_and_fit() -> None:
    card = make_card(parameters=[{"name": "steps", "help": "How many.", "default": 12, "low": 1, "high": 100}])
    assert (card.fill_options(), card.fill_options({"steps": 5})) == ({"steps": 12}, {"steps": 5})
    for chosen, word in (({"steps": 0}, "steps cannot be 0"), ({"colour": 1}, "no parameter colour")):
        with pytest.raises(BadInput, match=word):
            card.fill_options(chosen)


def test_the_strictest_part_decides() -> None:
    card = make_card(brings=[{"name": "parts", "licence": "non-commercial", "commercial": "no"}])
    assert (card.licence.commercial, card.commercial) == ("yes", "no")


def test_a_recipe_keeps_the_licences() -> None:
    card = ModelCard.model_validate(
        make_card().model_dump()
        | {
            "licence": {
                "code": "MIT",
                "weights": "Community",
                "commercial": "terms",
                "terms": "Be kind.",
                "excluded_regions": ["EU"],
            },
            "brings": [{"name": "parts", "licence": "BSD", "commercial": "yes"}],
        }
    )
    assert card.describe() == {
        "id": "small",
        "version": "1",
        "licence": "Community",
        "code_licence": "MIT",
        "commercial": True,
        "terms": "Be kind.",
        "excluded_regions": ["EU"],
        "brings": [{"name": "parts", "licence": "BSD"}],
    }


@pytest.mark.parametrize(
    "name", ["", "/a", "../a", "a/../b", "a\\b", "c:a", "a//b", "./a", "a/", "a ", "a.", "a\n", "nul|", "a/./b"]
)
def test_names_that_leave_their_folder_or_fit_no_system(name: str) -> None:
    assert not is_plain_path(name)
    assert is_plain_path("hunyuan3d-dit-v2-0/model.fp16.safetensors")
