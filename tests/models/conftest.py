"""A card of a model that is installed, weights for it, and a piece of work that counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.weights import make_safetensors

from stillto3d.errors import Cancelled
from stillto3d.models.card import ModelCard

FAKE = Path(__file__).parents[1] / "support" / "fake_adapter.py"


def make_card(**changes: Any) -> ModelCard:
    """A card of a small model in the hub."""
    fields: dict[str, Any] = {
        "id": "small",
        "role": "depth",
        "title": "A small model",
        "version": "1",
        "adapter": str(FAKE),
        "environment": "models",
        "repository": "somebody/small",
        "licence": {"code": "MIT", "weights": "MIT", "commercial": "yes"},
    }
    return ModelCard.model_validate(fields | changes)


class Counting:
    """Work that remembers how far it came, and is stopped at a fraction."""

    def __init__(self, stop_at: float = 2.0) -> None:
        self.fractions: list[float] = []
        self._stop_at = stop_at

    def progress(self, fraction: float, text: str = "") -> None:
        self.fractions.append(fraction)

    def check(self) -> None:
        if self.fractions and self.fractions[-1] >= self._stop_at:
            raise Cancelled


@pytest.fixture
def files() -> dict[str, bytes]:
    """What the small model's repository holds, and what nobody wants of it."""
    return {
        "config.json": b'{"model_type": "small"}',
        "model.safetensors": make_safetensors(bytes(range(256)) * 8000),
        "pytorch_model.bin": b"a pickle",
        "modeling_small.py": b"raise SystemExit",
        "README.md": b"words",
        "LICENSE": b"MIT",
    }


@pytest.fixture
def folder(tmp_path: Path, files: dict[str, bytes]) -> Path:
    """The same files in a folder."""
    place = tmp_path / "given"
    place.mkdir()
    for name, data in files.items():
        (place / name).write_bytes(data)
    return place
