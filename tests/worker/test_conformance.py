"""Ten checks that every model passes; a new model adds its card's id to CONFORMING.

Size kept, dtype, range and no NaN are the role's own `read`; then: the same seed gives the same answer, a second
call equals the first, progress rises, a cancel gets through, 1 x 1 and 17 x 4001 pixels are answered or refused in
words, and what was handed over is left as it was.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.questions import QUESTIONS, Scene

from stillto3d.models.catalog import Catalog, Store
from stillto3d.models.roles import Ask, Reply
from stillto3d.project.still import Still
from stillto3d.worker.errors import BadInput, Cancelled
from stillto3d.worker.frames import split_reply

CONFORMING = (
    "codecs",
    "stillnet-segmenter",
    "matting",
    "stillnet-calibrator",
    "stillnet-depth",
    "patchfill",
    "stage",
    "solids",
    "vtk",
)
CATALOG = Catalog()
SIZES = {"usual": (96, 64), "one_pixel": (1, 1), "long": (17, 4001)}
CASES = [
    pytest.param(model, number, id=f"{model}-{ask.op}-{number}")
    for model in CONFORMING
    for number, ask in enumerate(QUESTIONS[CATALOG.find(model).role](Scene(96, 64)))
]
each_question = pytest.mark.parametrize(("model", "number"), CASES)
Tick = Callable[..., None]


def load(model: str) -> dict[str, Any]:
    """The model's operations, freshly loaded."""
    card = CATALOG.find(model)
    adapter = importlib.import_module(f"stillto3d.worker.adapters.{card.adapter}")
    return adapter.load(Store(Path("nowhere")).find_weights(card), "cpu")


@cache
def keep(model: str) -> dict[str, Any]:
    """The model's operations, loaded once."""
    return load(model)


def pose(model: str, number: int, size: str = "usual") -> Ask[Any]:
    return list(QUESTIONS[CATALOG.find(model).role](Scene(*SIZES[size])))[number]


class Steps:
    """A tick that remembers, or cancels at the first step."""

    def __init__(self, cancel: bool = False) -> None:
        self.fractions: list[float] = []
        self._cancel = cancel

    def __call__(self, step: float, steps: float, text: str = "") -> None:
        self.fractions.append(step / steps if steps else 1.0)
        if self._cancel:
            raise Cancelled

    def preview(self, values: dict[str, Any]) -> None:
        """Early looks are not judged."""


def answer(operations: dict[str, Any], ask: Ask[Any], tick: Steps | None = None) -> Reply:
    """What the worker would send back."""
    arrays, params = {name: array.copy() for name, array in ask.arrays().items()}, ask.params()
    if ask.still is not None:
        arrays["still"] = ask.still.pixels.copy()
        params["still_id"] = ask.still.id
    before = {name: array.tobytes() for name, array in arrays.items()}
    values, answered = split_reply(operations[ask.op](dict(arrays), params, tick or Steps()))
    assert all(arrays[name].tobytes() == before[name] for name in arrays), "it changed what it was given"
    return Reply(values, answered)


def assert_same(first: Reply, second: Reply) -> None:
    assert first.values == second.values
    assert first.arrays.keys() == second.arrays.keys()
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(array, second.arrays[name], err_msg=name)


@each_question
def test_its_answer_is_what_the_role_allows(model, number):
    ask = pose(model, number)
    ask.read(answer(keep(model), ask))


@each_question
def test_the_same_question_has_the_same_answer(model, number):
    """Again in the same worker, and in a fresh one."""
    first = answer(keep(model), pose(model, number))
    assert_same(first, answer(keep(model), pose(model, number)))
    assert_same(first, answer(load(model), pose(model, number)))


@each_question
def test_progress_rises(model, number):
    steps = Steps()
    answer(load(model), pose(model, number), steps)
    assert steps.fractions and steps.fractions == sorted(steps.fractions)
    assert steps.fractions[0] >= 0 and steps.fractions[-1] <= 1


@each_question
def test_a_cancel_gets_through_and_the_next_call_is_answered(model, number):
    operations, ask = load(model), pose(model, number)
    with pytest.raises(Cancelled):
        answer(operations, ask, Steps(cancel=True))
    ask.read(answer(operations, ask))


@pytest.mark.parametrize("size", ["one_pixel", "long"])
@each_question
def test_odd_sizes_are_answered_or_refused_in_words(model, number, size):
    ask = pose(model, number, size)
    try:
        reply = answer(keep(model), ask)
    except BadInput as refusal:
        assert str(refusal).endswith(".") and " " in str(refusal)
    else:
        ask.read(reply)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 4), (0, 5, 3)])
def test_no_model_meets_a_grey_or_transparent_still(shape):
    """Such pixels never become a Still, so an adapter may rely on three channels."""
    with pytest.raises(ValueError, match="pixels"):
        Still(np.zeros(shape, np.uint8), "s", "0" * 64)


def test_every_builtin_has_a_line():
    builtins = {card.id for card in CATALOG.cards.values() if card.environment == "builtin"}
    assert set(CONFORMING) == builtins
