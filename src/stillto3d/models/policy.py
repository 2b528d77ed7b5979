"""What a project's policy allows: commercial work, and the regions where a licence does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..errors import BadInput
from ..project.project import Policy
from ..words import tr
from .card import ModelCard

EUROPEAN_UNION = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)

REGIONS = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
    JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
    TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    EU
    """.split()  # noqa: SIM905
)
"""ISO 3166-1 alpha-2, and the European Union."""
OTHER_NAMES = {"UK": "GB", "EL": "GR"}  # codes that are used, though ISO 3166 has others


def read_region(text: str) -> str:
    """A region's code from what a person has typed; "" says nothing. Raises BadInput for what is no code: a country
    that nobody knows would be one in which every licence holds."""
    code = text.strip().upper()
    code = OTHER_NAMES.get(code, code)
    if code and code not in REGIONS:
        raise BadInput("{text} is no country's code.", "Use ISO 3166, such as DE or US, or EU.", text=text)
    return code


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
