"""Imports that take their time, begun while a worker waits for its first call."""

from __future__ import annotations

import contextlib
import importlib
import threading


def import_ahead(*names: str) -> None:
    """Import libraries beside the first calls, which wait for what they need and no more."""

    def run() -> None:
        for name in names:
            with contextlib.suppress(ImportError):  # whoever needs it will say so
                importlib.import_module(name)

    threading.Thread(target=run, daemon=True, name="import").start()
