"""What a worker may say went wrong; everything else that is raised in a worker is a bug."""

from __future__ import annotations


class BadInput(Exception):
    """What was asked cannot be done with this input: one clear sentence for a person."""


class MissingWeights(Exception):
    """The model's files are not where they should be."""


class Cancelled(Exception):
    """Raised by `tick` when the host has cancelled the job."""
