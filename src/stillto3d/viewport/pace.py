"""How fast large clouds are drawn here, so that a view never waits for more points than it has time for."""

from __future__ import annotations

from collections.abc import Sequence

LEVELS = (3_000_000, 1_000_000, 400_000, 150_000, 50_000)
"""Points of the thinner forms of a cloud: what is drawn of it where all would take too long."""

MOVING_SECONDS = 0.1
"""A picture of a view that moves should take no longer."""

AT_ONCE_SECONDS = 0.25
"""What takes longer is drawn only after the view has rested as long as that takes."""

RESTING_SECONDS = 1.0
"""A picture of a view that stands still takes no longer: the window is held meanwhile."""


LEAST_SLOPE = 0.3
"""Of the mean time of a point, what one more takes at least: two pictures that differ by chance promise nothing."""


class Pace:
    """Learns from the two latest pictures of different clouds what a picture and each of its points take."""

    def __init__(self) -> None:
        self._latest: tuple[int, float] | None = None
        self._before: tuple[int, float] | None = None

    def note(self, points: int, seconds: float) -> None:
        """A picture with so many points took so long."""
        if points < LEVELS[-1] // 2:
            return
        if self._latest is not None and self._latest[0] != points:
            self._before = self._latest
        self._latest = (points, seconds)

    def estimate(self, points: int) -> float:
        """Seconds for a picture of so many points; of many, endless while nothing is known."""
        if not points:
            return 0.0
        if self._latest is None:
            return float("inf") if points > LEVELS[-2] else 0.0
        known, seconds = self._latest
        slope = mean = seconds / known
        if self._before is not None:
            slope = min(max((seconds - self._before[1]) / (known - self._before[0]), LEAST_SLOPE * mean), mean)
        return seconds + slope * (points - known)

    def choose_level(self, counts: Sequence[int], seconds: float) -> int:
        """The finest form that is drawn in so many seconds, by the points of each from all to fewest; else the last."""
        fits = (level for level, count in enumerate(counts) if self.estimate(count) <= seconds)
        return next(fits, len(counts) - 1)
