"""What is made of the window's beats."""

from __future__ import annotations

import pytest

from measure.window import summarise_stalls


def test_one_outlier_a_minute_is_let_pass() -> None:
    stalls = [0.001] * 997 + [0.04, 0.3, 0.5]
    told = summarise_stalls({"stalls": stalls, "busy": stalls, "seconds": 120.0})
    assert told["max"] == pytest.approx(500) and told["max_but_outliers"] == pytest.approx(40)
    assert told["p99"] < 16 and told["beats"] == 1000
