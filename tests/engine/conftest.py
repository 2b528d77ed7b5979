"""An engine whose every role is answered by the fake adapter."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from stillto3d.engine.engine import Engine
from stillto3d.engine.journal import Journal
from stillto3d.models.catalog import Catalog, Store
from stillto3d.models.roles import Reply
from stillto3d.project.still import Still
from stillto3d.settings import Settings

FAKE = Path(__file__).parents[1] / "support" / "fake_adapter.py"


@dataclass(frozen=True, eq=False)
class Do:
    """Ask the fake adapter for one of its tricks."""

    op: str = "echo"
    values: dict[str, Any] = field(default_factory=dict)
    payload: dict[str, np.ndarray] = field(default_factory=dict)
    still: Still | None = None
    role: ClassVar[str] = "depth"

    def arrays(self) -> dict[str, np.ndarray]:
        return dict(self.payload)

    def params(self) -> dict[str, Any]:
        return dict(self.values)

    def read(self, reply: Reply) -> Reply:
        return reply


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    licence = '[licence]\ncode = "Apache-2.0"\ncommercial = "yes"\n'
    for name in ("fake", "other"):
        (folder / f"{name}.toml").write_text(
            f'id = "{name}"\nrole = "depth"\ntitle = "A fake"\nversion = "1"\nadapter = "{FAKE.as_posix()}"\n{licence}'
        )
    return folder


@pytest.fixture
def make_engine(cards: Path, tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    """Engines with both lanes served; closed, and their threads joined, after the test."""
    made: list[tuple[Engine, list[threading.Thread]]] = []

    def make(on_event: Any = None, journal: Journal | None = None, **settings: Any) -> Engine:
        chosen = Settings(**settings)
        store = Store(tmp_path / "models", interpreter=chosen.worker_python)
        engine = Engine(Catalog(cards), store, chosen, journal)
        threads = [
            threading.Thread(target=engine.serve, args=(lane, on_event), name=f"lane-{lane}")
            for lane in ("heavy", "interactive")
        ]
        for thread in threads:
            thread.start()
        made.append((engine, threads))
        return engine

    yield make
    for engine, threads in made:
        engine.close()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture
def engine(make_engine: Callable[..., Engine]) -> Engine:
    return make_engine()
