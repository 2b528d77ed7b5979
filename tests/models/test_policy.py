"""What a project's policy refuses, why, and what to take instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stillto3d.errors import NotInstalled
from stillto3d.models.catalog import Catalog
from stillto3d.models.policy import allows, is_within, word_refusal
from stillto3d.models.store import Store
from stillto3d.project.project import Policy

from .conftest import make_card

CATALOG = Catalog()


@pytest.mark.parametrize(
    ("model", "use", "region", "word"),
    [
        ("sam2.1-large", "commercial", "", ""),
        ("sam3", "commercial", "DE", ""),
        ("dust3r", "research", "DE", ""),
        ("dust3r", "commercial", "US", "does not allow commercial work"),
        ("sharp", "commercial", "US", "research only"),
        ("trellis", "research", "", ""),
        ("trellis", "commercial", "US", "brings along nvdiffrast"),
        ("trellis2", "commercial", "US", "brings along"),
        ("hunyuan3d-2-shape", "research", "", "does not say where"),
        ("hunyuan3d-2-shape", "research", "US", ""),
        ("hunyuan3d-2-shape", "research", "FR", "does not hold in FR"),
        ("hunyuan3d-2-shape", "research", "EU", "does not hold in EU"),
        ("hunyuan3d-2.1-paint", "commercial", "KR", "does not hold in KR"),
        ("hunyuan3d-2.1-paint", "commercial", "GB", "does not hold in GB"),
        ("da3-large", "commercial", "US", "CC BY-NC 4.0"),
        ("da3-base", "commercial", "US", ""),
        ("depth-pro", "commercial", "US", "research only"),
    ],
)
def test_the_policy_refuses_what_it_must_with_the_reason(model: str, use: str, region: str, word: str) -> None:
    reason = word_refusal(Policy(use, region), CATALOG.find(model))
    assert bool(reason) == bool(word) and word in reason
    assert allows(Policy(use, region), CATALOG.find(model)) == (not word)


@pytest.mark.parametrize(
    ("region", "regions", "within"),
    [("DE", ["EU"], True), ("CH", ["EU"], False), ("EU", ["DE"], True), ("", ["EU"], False), ("KR", ["KR"], True)],
)
def test_the_union_is_its_members(region: str, regions: list[str], within: bool) -> None:
    assert is_within(region, regions) is within


def test_a_refusal_names_the_nearest_model_that_is_allowed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(NotInstalled, match="nearest model that the project allows is stillnet-depth"):
        CATALOG.choose("depth", "depth-pro", Policy("commercial"), store)
    with pytest.raises(NotInstalled, match="nearest model that the project allows is solids"):
        CATALOG.choose("prop", "trellis2", Policy("commercial"), store)


def test_nothing_is_taken_instead_silently(tmp_path: Path) -> None:
    """A model that is named and not there is refused, though a builtin would do."""
    with pytest.raises(NotInstalled, match=r"sam2\.1-large"):
        CATALOG.choose("segmenter", "sam2.1-large", Policy(), Store(tmp_path))


def make_catalog(folder: Path, *cards: dict[str, Any]) -> Catalog:
    catalog = Catalog(folder)
    catalog.__dict__["cards"] = {card["id"]: make_card(**card) for card in cards}
    return catalog


def test_the_best_ready_model_is_taken_and_a_builtin_where_none_is(tmp_path: Path) -> None:
    """A model that another one stands for is found by its rank, among those that are allowed and there."""
    no = {"code": "MIT", "weights": "NC", "commercial": "no"}
    catalog = make_catalog(
        tmp_path,
        {"id": "ours", "environment": "builtin", "repository": ""},
        {"id": "good", "rank": 5},
        {"id": "best", "rank": 9, "licence": no},
        {"id": "far", "rank": 99},
    )
    ready = {"ours", "good", "best"}

    class Some(Store):
        def check(self, card: Any) -> Any:
            found = super().check(catalog.find("ours"))
            return found if card.id in ready else super().check(card)

    store = Some(tmp_path / "models")
    assert catalog.choose("depth", None, Policy(), store).id == "best"
    assert catalog.choose("depth", None, Policy("commercial"), store).id == "good"
    ready.remove("good")
    assert catalog.choose("depth", None, Policy("commercial"), store).id == "ours"
