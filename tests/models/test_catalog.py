"""The catalogue of cards and the choice of a model."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from stillto3d.errors import BadInput, Bug
from stillto3d.models.catalog import Catalog, State, Store
from stillto3d.models.store import Machine
from stillto3d.project.project import Policy

CARD = """
id = "{id}"
role = "{role}"
title = "A model"
version = "1"
adapter = "x"
environment = "models"
repository = "somebody/{id}"
[licence]
code = "MIT"
weights = "Research only"
commercial = "no"
"""


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    cards = tmp_path / "cards"
    cards.mkdir()
    for name in ("free", "research"):
        (cards / f"{name}.toml").write_text(CARD.format(id=name, role="depth"))
    return cards


def test_every_role_of_the_design_has_a_card() -> None:
    roles = {role for card in Catalog().cards.values() for role in card.roles}
    design = "segmenter matter detector calibrator depth scene inpainter prop upscaler rasteriser"
    assert roles >= {*design.split(), "codec"}


def test_what_ships_is_usable_and_the_rest_says_why_not(tmp_path: Path) -> None:
    catalog, store = Catalog(), Store(tmp_path, machine=Machine())
    for card in catalog.cards.values():
        found = store.check(card)
        if card.environment == "builtin":
            assert found.state is State.BUILTIN
        else:
            assert not found.usable and found.reason, card.id


def test_shipped_weights_are_what_their_cards_say(tmp_path: Path) -> None:
    catalog, store = Catalog(), Store(tmp_path, machine=Machine())
    for card in catalog.cards.values():
        folder = store.find_weights(card)
        for file in card.weights if card.environment == "builtin" else ():
            assert folder is not None
            data = (folder / file.name).read_bytes()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (file.bytes, file.sha256)


def test_a_named_model_must_exist_and_fit_the_role(cards: Path, tmp_path: Path) -> None:
    catalog, store = Catalog(cards), Store(tmp_path)
    with pytest.raises(BadInput, match="Did you mean: research"):
        catalog.choose("depth", "reserch", Policy(), store)
    with pytest.raises(BadInput, match="not a segmenter"):
        catalog.choose("segmenter", "free", Policy(), store)


@pytest.mark.parametrize("text", ["id = ", 'id = "bad"', CARD.format(id="bad", role="chef")])
def test_a_broken_card_is_our_bug(cards: Path, text: str) -> None:
    (cards / "bad.toml").write_text(text)
    with pytest.raises(Bug, match=r"bad\.toml"):
        _ = Catalog(cards).cards


def test_damaged_weights_of_the_app_are_broken(tmp_path: Path) -> None:
    card = Catalog().find("stillnet-depth")
    found = Store(tmp_path, weights=tmp_path).check(card)
    assert found.state is State.BROKEN and "missing" in found.reason
