"""Which models there are: the cards in resources/models, and the choice for a role."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from ..errors import BadInput, Bug, NotInstalled
from ..project.project import Policy
from ..words import find_resources, tr
from .card import ModelCard, read_card
from .policy import allows, find_nearest, word_refusal
from .roles import ROLES
from .states import Availability, State
from .store import Store

__all__ = ["Availability", "Catalog", "ModelCard", "State", "Store", "allows"]


class Catalog:
    """The cards of a folder. Broken cards are a bug of ours, so they raise at once."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or find_resources() / "models"

    @cached_property
    def cards(self) -> dict[str, ModelCard]:
        """Every card by id, in the order of roles and then of names."""
        cards = [read_card(path) for path in sorted(self._folder.glob("*.toml"))]
        return {card.id: card for card in sorted(cards, key=lambda card: (ROLES.index(card.role), card.id))}

    def find(self, model_id: str) -> ModelCard:
        """The card of that id. Raises BadInput, with the nearest names."""
        if model_id in self.cards:
            return self.cards[model_id]
        near = ", ".join(difflib.get_close_matches(model_id, self.cards, 3))
        remedy = "Did you mean: {near}?" if near else "`stillto3d models list` shows them."
        raise BadInput("There is no model called {model}.", remedy, model=model_id, near=near)

    def for_role(self, role: str) -> list[ModelCard]:
        """The cards that answer a role, the best first."""
        return sorted((c for c in self.cards.values() if role in c.roles), key=lambda c: -c.rank)

    def choose(self, role: str, model: str | None, policy: Policy, store: Store, op: str = "") -> ModelCard:
        """The card that shall answer `op` of `role`: the one named, else the best usable one that is allowed.

        Raises BadInput for a model that does not answer it, NotInstalled for one that is missing or not allowed, with
        the reason and what to take instead; nothing is ever taken instead silently.
        """
        if role not in ROLES:
            raise Bug(f"there is no role {role}")
        chosen = policy.find_choice(role)
        if model is None and chosen is not None and self.find(chosen).answers(role, op):
            model = chosen  # a step that it does not do is another model's, as it would be beside it
        if model is not None:
            card = self.find(model)
            if role not in card.roles:
                raise BadInput("{model} is a {has}, not a {wants}.", model=model, has=card.role, wants=role)
            if not card.answers(role, op):
                raise BadInput("{model} does not do this step ({op}).", model=model, op=op)
            self._refuse_unusable(card, role, policy, store)
            return card
        cards = [card for card in self.for_role(role) if card.answers(role, op)]
        for card in cards:
            if allows(policy, card) and store.check(card).usable:
                return card
        if cards:
            # A builtin that is damaged is nearer than a model that nobody has asked for yet.
            allowed = [card for card in cards if allows(policy, card)] or cards
            nearest = next((card for card in allowed if store.check(card).state is State.BROKEN), allowed[0])
            self._refuse_unusable(nearest, role, policy, store)
        raise NotInstalled(role, tr("no model for this step is installed."))

    def choose_step(
        self,
        role: str,
        ops: Sequence[str],
        model: str | None,
        policy: Policy,
        store: Store,
        named_ops: Sequence[str] = (),
    ) -> tuple[ModelCard, str]:
        """The card that shall do one of several operations, and which: the model named or chosen does the first that
        it can, of `named_ops` too; unless one is named, the best usable one of `ops`. Raises as `choose` does."""
        named = model or policy.find_choice(role)
        if named is not None:
            card = self.find(named)
            op = next((op for op in (*ops, *named_ops) if card.answers(role, op)), ops[0])
            return self.choose(role, named, policy, store, op), op
        for card in self.for_role(role):
            op = next((op for op in ops if card.answers(role, op)), "")
            if op and allows(policy, card) and store.check(card).usable:
                return card, op
        return self.choose(role, None, policy, store, ops[-1]), ops[-1]

    def _refuse_unusable(self, card: ModelCard, role: str, policy: Policy, store: Store) -> None:
        """Raise NotInstalled unless the model can be used under the policy."""
        reason = word_refusal(policy, card)
        if reason:
            raise NotInstalled(card.id, reason, **self._word_nearest(card, role, policy, store))
        found = store.check(card)
        if not found.usable:
            raise NotInstalled(card.id, found.reason, found.remedy)

    def _word_nearest(self, card: ModelCard, role: str, policy: Policy, store: Store) -> dict[str, str]:
        nearest = find_nearest(card, role, self.cards.values(), policy, lambda one: store.check(one).usable)
        if nearest is None:
            return {"remedy": "No other model for this step is allowed; change the project's policy."}
        if store.check(nearest).usable:
            return {"remedy": "The nearest model that the project allows is {nearest}.", "nearest": nearest.id}
        return {
            "remedy": "The nearest model that the project allows is {nearest}, which is not installed.",
            "nearest": nearest.id,
        }
