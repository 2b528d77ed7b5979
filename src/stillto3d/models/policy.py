"""What a project's policy allows: commercial work, and the regions where a licence does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..project.project import Policy
from ..words import tr
from .card import ModelCard

EUROPEAN_UNION = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)


def allows(policy: Policy, card: ModelCard) -> bool:
    """Whether the policy lets the model take part."""
    return not word_refusal(policy, card)


def word_refusal(policy: Policy, card: ModelCard) -> str:
    """Why the policy refuses the model, as the end of a sentence; "" when it allows it.

    A licence that does not hold everywhere is refused, too, where nobody says where the work is used.
    """
    licence = card.licence.weights or card.licence.code
    if policy.use == "commercial" and card.licence.commercial == "no":
        return tr("its licence ({licence}) does not allow commercial work.", licence=licence)
    part = next((part for part in card.brings if part.commercial == "no"), None)
    if policy.use == "commercial" and part is not None:
        return tr(
            "it brings along {part}, whose licence ({licence}) does not allow commercial work.",
            part=part.name,
            licence=part.licence,
        )
    excluded = ", ".join(card.licence.excluded_regions)
    if excluded and not policy.region:
        return tr(
            "its licence ({licence}) does not hold in {regions}, and the project does not say where it is used.",
            licence=licence,
            regions=excluded,
        )
    if is_within(policy.region, card.licence.excluded_regions):
        return tr("its licence ({licence}) does not hold in {region}.", licence=licence, region=policy.region)
    return ""


def is_within(region: str, regions: Iterable[str]) -> bool:
    """Whether a region (ISO 3166, or EU) is one of `regions`, or has a part in them."""
    there = set(regions)
    if "EU" in there:
        there |= EUROPEAN_UNION
    asked = {region} | (set(EUROPEAN_UNION) if region == "EU" else set())
    return bool(region) and bool(asked & there)


def find_nearest(
    card: ModelCard, role: str, cards: Iterable[ModelCard], policy: Policy, is_usable: Callable[[ModelCard], bool]
) -> ModelCard | None:
    """The model to take instead: of the same role and allowed; one that can be used now first, then the best."""
    allowed = [c for c in cards if c.id != card.id and role in c.roles and allows(policy, c)]
    return max(allowed, key=lambda c: (is_usable(c), c.rank), default=None)
