"""Run: all that a pipeline may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..errors import Bug, Cancelled
from ..models.catalog import ModelCard
from ..models.roles import Ask

A = TypeVar("A")
CallModel = Callable[[Ask[Any], str | None, "Run"], tuple[Any, ModelCard]]
ChooseStep = Callable[[str, Sequence[str], str | None, Sequence[str]], tuple[str, str]]


class Run:
    """One piece of work, seen from inside: ask models, say how far it is, stop when it is cancelled."""

    def __init__(
        self,
        call_model: CallModel,
        report: Callable[[float, str], None],
        show: Callable[[Any], None],
        is_cancelled: Callable[[], bool],
        span: tuple[float, float] = (0.0, 1.0),
        parent: Run | None = None,
        choose: ChooseStep | None = None,
    ) -> None:
        self._call_model, self._report, self._show, self._is_cancelled = (
            call_model,
            report,
            show,
            is_cancelled,
        )
        self._offset, self._length = span
        self._parent, self._choose = parent, choose
        self._models: dict[str, ModelCard] = {}

    @classmethod
    def nothing(cls, answer: Callable[[Ask[Any]], Any] | None = None) -> Run:
        """A run for tests: `answer` stands in for every model; without it every call is a bug."""

        def call(ask: Ask[Any], model: str | None, run: Run) -> tuple[Any, ModelCard]:
            if answer is None:
                raise Bug(f"{type(ask).__name__} was asked of a run that answers nothing")
            return answer(ask), _NOBODY

        return cls(call, lambda fraction, text: None, lambda value: None, lambda: False)

    def call(self, ask: Ask[A], model: str | None = None) -> A:
        """The answer of the model named, or of the role's default. Raises Refusal or Bug."""
        self.check()
        answer, card = self._call_model(ask, model, self)
        holder: Run | None = self
        while holder is not None:
            holder._models[card.id] = card
            holder = holder._parent
        self.check()
        result: A = answer
        return result

    def choose(
        self, role: str, ops: Sequence[str], model: str | None = None, named_ops: Sequence[str] = ()
    ) -> tuple[str | None, str]:
        """Which model shall do one of several operations of a role, and which one: see `Catalog.choose_step`.

        A run that answers nothing takes the last.
        """
        return (model, ops[-1]) if self._choose is None else self._choose(role, ops, model, named_ops)

    def progress(self, fraction: float, text: str = "") -> None:
        """This run has come to `fraction` (0 to 1) of its way."""
        self._report(self._offset + self._length * min(1.0, max(0.0, fraction)), text)

    def sub(self, offset: float, length: float) -> Run:
        """A run whose 0 to 1 is [offset, offset + length] of this one; what it asks counts for both."""
        span = (self._offset + self._length * offset, self._length * length)
        return Run(self._call_model, self._report, self._show, self._is_cancelled, span, self, self._choose)

    def preview(self, value: Any) -> None:
        """Show an early look at the result."""
        self._show(value)

    def check(self) -> None:
        """Raises Cancelled once a person has stopped the work."""
        if self._is_cancelled():
            raise Cancelled

    def models(self) -> tuple[Mapping[str, Any], ...]:
        """What a recipe keeps of the models asked so far."""
        return tuple(card.describe() for card in self._models.values())


_NOBODY = ModelCard.model_validate(
    {
        "id": "nobody",
        "role": "codec",
        "title": "Nobody",
        "version": "0",
        "adapter": "none",
        "licence": {"code": "none", "commercial": "yes"},
    }
)
