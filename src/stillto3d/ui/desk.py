"""What every command works with."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from ..studio import Studio
from .background import Background
from .document import Document
from .engine_thread import EngineThread
from .window import MainWindow


@dataclass(frozen=True)
class Desk:
    """One window's things; `start` runs a coroutine beside it."""

    studio: Studio
    document: Document
    engine: EngineThread
    background: Background
    window: MainWindow
    start: Callable[[Coroutine[Any, Any, Any]], Any]
