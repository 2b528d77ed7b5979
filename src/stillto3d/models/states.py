"""What can be said of a model or an environment on this machine: one word, the reason and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """What can be said of a model on this machine, in one word."""

    BUILTIN = "BUILTIN"
    READY = "READY"
    NOT_INSTALLED = "NOT_INSTALLED"
    INSTALLING = "INSTALLING"
    OUTDATED = "OUTDATED"
    BROKEN = "BROKEN"
    UNSUPPORTED = "UNSUPPORTED"


@dataclass(frozen=True)
class Availability:
    """Whether a model can be used now; if not, why, and what helps."""

    state: State
    reason: str = ""
    remedy: str = ""

    @property
    def usable(self) -> bool:
        """It can be asked now."""
        return self.state in (State.BUILTIN, State.READY)
