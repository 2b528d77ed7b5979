"""What a worker does when a call ends early."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from stillto3d.worker import boot


class Held(np.ndarray[Any, Any]):
    """An array that can be watched."""


def test_a_call_that_ends_early_lets_go_of_what_it_held_while_its_error_is_told() -> None:
    watched: list[weakref.ref[Held]] = []

    def work() -> None:
        held = np.zeros(1000).view(Held)
        watched.append(weakref.ref(held))
        raise MemoryError("no room")

    try:
        work()
    except MemoryError as error:
        assert watched[0]() is not None
        boot.give_back_memory(error)
        assert watched[0]() is None
        assert str(error) == "no room"
