"""Which models there are: cards in resources/models, their availability, and the choice for a role."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import BadInput, Bug, NotInstalled
from ..project.project import Policy
from ..words import find_resources, tr
from .roles import ROLES


class Licence(BaseModel):
    """What a model's licences allow. `commercial` is about the weights, or the code where there are none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    weights: str = ""
    commercial: bool
    territory: str = ""
    terms: str = ""


class WeightFile(BaseModel):
    """One file of a model, by name, with what proves it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    bytes: int = 0
    sha256: str = ""


class ModelCard(BaseModel):
    """Everything that can be known about a model without running it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    role: str
    title: str
    version: str
    adapter: str
    environment: str = "builtin"
    licence: Licence
    weights: tuple[WeightFile, ...] = ()
    repository: str = ""
    vram_bytes: int = 0
    silence_seconds: float = 0.0
    verified: str = ""
    limits: str = ""

    def describe(self) -> dict[str, Any]:
        """What a recipe keeps of a model."""
        return {
            "id": self.id,
            "version": self.version,
            "licence": self.licence.weights or self.licence.code,
            "commercial": self.licence.commercial,
        }


State = Enum(
    "State",
    "BUILTIN READY NOT_INSTALLED INSTALLING OUTDATED BROKEN UNSUPPORTED",
)


@dataclass(frozen=True)
class Availability:
    """Whether a model can be used now; if not, why, and what helps."""

    state: State
    reason: str = ""
    remedy: str = ""

    @property
    def usable(self) -> bool:
        """It can be asked now."""
        return self.state in (State.BUILTIN, State.READY)


class Catalog:
    """The cards of a folder. Broken cards are a bug of ours, so they raise at once."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or find_resources() / "models"

    @cached_property
    def cards(self) -> dict[str, ModelCard]:
        """Every card by id, in the order of roles and then of names."""
        cards = [self._read(path) for path in sorted(self._folder.glob("*.toml"))]
        return {card.id: card for card in sorted(cards, key=lambda card: (ROLES.index(card.role), card.id))}

    @staticmethod
    def _read(path: Path) -> ModelCard:
        try:
            card = ModelCard(**tomllib.loads(path.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, ValidationError, TypeError) as error:
            raise Bug(f"the model card {path.name} is broken: {error}") from error
        if card.role not in ROLES:
            raise Bug(f"the model card {path.name} names the unknown role {card.role}")
        return card

    def find(self, model_id: str) -> ModelCard:
        """The card of that id. Raises BadInput, with the nearest names."""
        if model_id in self.cards:
            return self.cards[model_id]
        import difflib

        near = ", ".join(difflib.get_close_matches(model_id, self.cards, 3)) or ", ".join(self.cards)
        raise BadInput("There is no model called {model}.", "Did you mean: {near}?", model=model_id, near=near)

    def for_role(self, role: str) -> list[ModelCard]:
        """The cards of a role."""
        return [card for card in self.cards.values() if card.role == role]

    def choose(self, role: str, model: str | None, policy: Policy, store: Store) -> ModelCard:
        """The card that shall answer `role`: the one named, else the first usable that the policy allows.

        Raises BadInput for a model of another role, NotInstalled for one that is missing or not allowed.
        """
        if model is not None:
            card = self.find(model)
            if card.role != role:
                raise BadInput("{model} is a {has}, not a {wants}.", model=model, has=card.role, wants=role)
            refuse_unusable(card, store.check(card), policy)
            return card
        cards = self.for_role(role)
        for card in cards:
            if allows(policy, card) and store.check(card).usable:
                return card
        if cards:
            refuse_unusable(cards[0], store.check(cards[0]), policy)
        raise NotInstalled(role, tr("no model for this step is installed."))


def allows(policy: Policy, card: ModelCard) -> bool:
    """Whether a project's policy lets the model take part."""
    return policy.use != "commercial" or card.licence.commercial


def refuse_unusable(card: ModelCard, availability: Availability, policy: Policy) -> None:
    """Raise NotInstalled, with the reason and a remedy, unless the model can be used under the policy."""
    if not allows(policy, card):
        reason = tr("its licence ({licence}) does not allow commercial work.", licence=card.licence.weights)
        raise NotInstalled(card.id, reason)
    if not availability.usable:
        raise NotInstalled(card.id, availability.reason, availability.remedy)


class Store:
    """Where the weights lie, and with which interpreter a model runs."""

    def __init__(self, installed: Path, weights: Path | None = None, interpreter: str = "") -> None:
        """`installed` holds what was installed, by model id; `weights` stands in for those that ship."""
        import sys

        self._installed = installed
        self._weights = weights
        self.interpreter = interpreter or sys.executable

    def find_weights(self, card: ModelCard) -> Path | None:
        """The folder with the model's files; None for a model without any."""
        if not card.weights:
            return None
        if card.environment == "builtin":
            return self._weights or find_resources() / "weights"
        return self._installed / card.id

    def check(self, card: ModelCard) -> Availability:
        """Whether the model's files are there with the right size (hashes are checked on installing)."""
        folder = self.find_weights(card)
        shipped = card.environment == "builtin" and self._weights is None
        for file in card.weights if folder is not None else ():
            path = folder / file.name if folder else Path(file.name)
            if not path.is_file():
                state = State.BROKEN if card.environment == "builtin" else State.NOT_INSTALLED
                return Availability(state, tr("the file {name} is missing.", name=str(path)), tr("Install it again."))
            if shipped and file.bytes and path.stat().st_size != file.bytes:
                return Availability(
                    State.BROKEN, tr("the file {name} is damaged.", name=str(path)), tr("Install it again.")
                )
        return Availability(State.BUILTIN if card.environment == "builtin" else State.READY)
