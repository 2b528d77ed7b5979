"""Cards, availability and the choice of a model under a policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillto3d.errors import BadInput, Bug, NotInstalled
from stillto3d.models.catalog import Catalog, State, Store
from stillto3d.project.project import Policy

CARD = """
id = "{id}"
role = "{role}"
title = "A model"
version = "1"
adapter = "x"
environment = "{environment}"
[licence]
code = "MIT"
weights = "Research only"
commercial = {commercial}
[[weights]]
name = "w.bin"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cards = tmp_path / "cards"
    cards.mkdir()
    for name, environment, commercial in (("free", "models", "true"), ("research", "models", "false")):
        text = CARD.format(id=name, role="depth", environment=environment, commercial=commercial)
        (cards / f"{name}.toml").write_text(text)
    return cards


def install(store_folder: Path, model: str) -> None:
    (store_folder / model).mkdir(parents=True)
    (store_folder / model / "w.bin").write_bytes(b"x")


def test_every_shipped_card_is_read_and_usable(tmp_path: Path) -> None:
    catalog, store = Catalog(), Store(tmp_path)
    assert {card.role for card in catalog.cards.values()} >= {"codec", "segmenter", "depth", "scene", "prop"}
    assert {store.check(card).state for card in catalog.cards.values()} == {State.BUILTIN}


def test_shipped_weights_are_what_their_cards_say(tmp_path: Path) -> None:
    import hashlib

    catalog, store = Catalog(), Store(tmp_path)
    for card in catalog.cards.values():
        folder = store.find_weights(card)
        for file in card.weights:
            assert folder is not None
            data = (folder / file.name).read_bytes()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (file.bytes, file.sha256)


def test_the_first_usable_model_answers(folder: Path, tmp_path: Path) -> None:
    catalog, store = Catalog(folder), Store(tmp_path / "models")
    with pytest.raises(NotInstalled, match=r"w\.bin is missing"):
        catalog.choose("depth", None, Policy(), store)
    install(tmp_path / "models", "research")
    assert catalog.choose("depth", None, Policy(), store).id == "research"
    install(tmp_path / "models", "free")
    assert catalog.choose("depth", None, Policy(), store).id == "free"


def test_a_commercial_policy_refuses_what_is_for_research(folder: Path, tmp_path: Path) -> None:
    catalog, store = Catalog(folder), Store(tmp_path / "models")
    install(tmp_path / "models", "research")
    with pytest.raises(NotInstalled, match="commercial"):
        catalog.choose("depth", "research", Policy("commercial"), store)
    assert catalog.choose("depth", "research", Policy(), store).id == "research"


def test_a_named_model_must_exist_and_fit_the_role(folder: Path, tmp_path: Path) -> None:
    catalog, store = Catalog(folder), Store(tmp_path)
    with pytest.raises(BadInput, match="Did you mean: research"):
        catalog.choose("depth", "reserch", Policy(), store)
    with pytest.raises(BadInput, match="not a segmenter"):
        catalog.choose("segmenter", "free", Policy(), store)


@pytest.mark.parametrize(
    "text", ["id = ", 'id = "x"', CARD.format(id="x", role="chef", environment="e", commercial="true")]
)
def test_a_broken_card_is_our_bug(folder: Path, text: str) -> None:
    (folder / "bad.toml").write_text(text)
    with pytest.raises(Bug, match=r"bad\.toml"):
        _ = Catalog(folder).cards


def test_damaged_weights_of_the_app_are_broken(tmp_path: Path) -> None:
    card = Catalog().find("stillnet-depth")
    found = Store(tmp_path, weights=tmp_path).check(card)
    assert found.state is State.BROKEN and "missing" in found.reason
