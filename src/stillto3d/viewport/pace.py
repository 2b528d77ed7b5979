"""How fast large clouds are drawn here, so that a view never waits for more points than it has time for."""

from __future__ import annotations

LEVELS = (400_000, 50_000)
"""Points of the thinner forms of a cloud, for a view that moves: with a graphics card, and without one."""

MOVING_SECONDS = 0.1
"""A picture of a view that moves should take no longer."""

AT_ONCE_SECONDS = 0.25
"""What takes longer is drawn fully only after the view has rested as long as that takes."""


class Pace:
    """Learns from each picture how long a point takes."""

    def __init__(self) -> None:
        self._per_point: float | None = None

    def note(self, points: int, seconds: float) -> None:
        """A picture with so many points took so long."""
        if points >= LEVELS[-1] // 2:
            self._per_point = seconds / points

    def estimate(self, points: int) -> float:
        """Seconds for a picture of so many points; of many, endless while nothing is known."""
        if self._per_point is None:
            return float("inf") if points > LEVELS[0] else 0.0
        return self._per_point * points

    def choose_level(self) -> int:
        """The finest form (1: many points, 2: few) that can follow a moving view."""
        return 1 if self._per_point is None or self.estimate(LEVELS[0]) <= MOVING_SECONDS else 2
