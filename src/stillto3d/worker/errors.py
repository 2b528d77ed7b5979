"""What a worker may say went wrong; everything else that is raised in a worker is a bug."""

from __future__ import annotations

from typing import Any


class BadInput(Exception):
    """What was asked cannot be done with this input: a clear sentence for a person, and what to do.

    `sentence` may hold `{name}` fields, filled from `values`, so that the host can say it in any language.
    """

    def __init__(self, sentence: str, **values: Any) -> None:
        self.sentence, self.values = sentence, values
        super().__init__(sentence.format(**values) if values else sentence)


class MissingWeights(Exception):
    """The model's files are not where they should be."""


class Cancelled(Exception):
    """Raised by `tick` when the host has cancelled the job."""
