"""The camera from lines whose truth is known: rooms drawn as wire, seen by cameras of every tilt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stillto3d.words import find_resources
from stillto3d.worker.adapters.builtin import stillnet
from stillto3d.worker.adapters.builtin.lens import level_axes
from stillto3d.worker.adapters.builtin.vanishing import Lines, Prior, find_lines, measure_trust, solve_camera


def aim(pitch: float, roll: float, yaw: float) -> np.ndarray:
    """World (x right, y down, z ahead) to camera axes, f64[3,3]; columns: the three world directions."""
    down, right, ahead = (v[0] for v in level_axes(np.array([pitch]), np.array([roll])))
    c, s = np.cos(yaw), np.sin(yaw)
    return np.stack([right * c + ahead * s, down, ahead * c - right * s], axis=1)


def see_room(
    pitch: float, roll: float, focal: float, size: tuple[int, int], yaw: float = 0.5, noise: float = 0.0
) -> Lines:
    """Segments of a box-shaped world along its three axes, in pixels about the picture's centre."""
    rng = np.random.default_rng(5)
    turn = aim(pitch, roll, yaw)
    starts = turn @ np.array([0.0, 0.0, 6.0])[:, None] + rng.uniform(-3, 3, (3, 400))
    axes = turn[:, rng.integers(0, 3, 400)]
    ends = starts + axes * rng.uniform(0.4, 1.5, 400)
    keep = (starts[2] > 1) & (ends[2] > 1)
    a, b = ((p[:2] / p[2] * focal).T[keep] for p in (starts, ends))
    inside = (np.abs(np.concatenate([a, b], 1)) < np.array([*size, *size]) / 2).all(1)
    a, b = a[inside], b[inside] + rng.normal(0, noise, b[inside].shape)
    length = np.linalg.norm(b - a, axis=1)
    long = length > 15
    a, b, length = a[long], b[long], length[long]
    return Lines((a + b) / 2, (b - a) / length[:, None], np.minimum(length / max(size), 0.25))


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280)])
@pytest.mark.parametrize(("pitch", "roll"), [(0.1, 0.0), (-0.15, 0.09), (-0.4, 0.0), (-0.7, -0.05)])
def test_a_room_of_lines_gives_its_camera(pitch: float, roll: float, size: tuple[int, int]) -> None:
    """Within a degree and five per cent of focal length, from a prior that is eight degrees off."""
    focal = 0.9 * max(size)
    lines = see_room(pitch, roll, focal, size, noise=0.5)
    solved = solve_camera(lines, Prior(pitch - 0.14, 0.0, max(size), 0.75 * max(size)))
    assert solved is not None
    down = level_axes(np.array([solved.pitch]), np.array([solved.roll]))[0][0]
    true = level_axes(np.array([pitch]), np.array([roll]))[0][0]
    assert np.degrees(np.arccos(down @ true)) < 1.0
    assert abs(np.log(solved.focal / focal)) < 0.05
    assert measure_trust(solved) > 0.4


def test_a_known_focal_length_is_kept() -> None:
    solved = solve_camera(see_room(-0.2, 0.0, 900, (1280, 720)), Prior(-0.1, 0.0, 1280, 900.0, True))
    assert solved is not None and solved.focal == 900.0


def test_lines_in_every_direction_earn_no_trust() -> None:
    rng = np.random.default_rng(2)
    angle = rng.uniform(0, np.pi, 150)
    lines = Lines(rng.uniform(-300, 300, (150, 2)), np.stack([np.cos(angle), np.sin(angle)], 1), np.full(150, 0.1))
    solved = solve_camera(lines, Prior(0.0, 0.0, 640, 540.0))
    assert solved is not None and measure_trust(solved) < stillnet.LINES_DECIDE


def test_too_few_lines_solve_nothing() -> None:
    lines = see_room(0.0, 0.0, 500, (640, 480))
    few = Lines(lines.middle[:5], lines.direction[:5], lines.weight[:5])
    assert solve_camera(few, Prior(0.0, 0.0, 640, 540.0)) is None


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (17, 800), (480, 640)])
def test_a_flat_picture_has_no_lines(shape: tuple[int, int]) -> None:
    assert not len(find_lines(np.full((*shape, 3), 128, dtype=np.uint8)).weight)


@pytest.fixture(scope="module")
def calibrate() -> Any:
    return stillnet.load(find_resources() / "weights", "cpu")["calibrate"]


def ask(calibrate: Any, still: np.ndarray, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = calibrate({"still": still}, {"focal_px": None, **params}, lambda *_: None)
    return answer


def test_without_lines_the_network_answers_and_says_so(calibrate: Any) -> None:
    answer = ask(calibrate, np.full((300, 500, 3), 90, dtype=np.uint8))
    assert answer["rotation"]["source"] == "network" and answer["focal"]["source"] == "network"
    assert 0.4 * 500 < answer["focal_px"] < 2.0 * 500
    assert 0.3 <= answer["height_m"] <= 3.0


@pytest.mark.parametrize("source", ["exif", "user"])
def test_a_focal_length_that_is_told_is_answered(calibrate: Any, source: str) -> None:
    answer = ask(calibrate, np.full((300, 500, 3), 90, dtype=np.uint8), focal_px=777.0, focal_source=source)
    assert answer["focal_px"] == 777.0 and answer["focal"]["source"] == source


def test_a_drawn_room_is_solved_by_its_lines(calibrate: Any) -> None:
    import cv2

    picture = np.full((720, 1280, 3), 200, dtype=np.uint8)
    lines = see_room(-0.3, 0.0, 1100, (1280, 720))
    for middle, direction, weight in zip(*lines, strict=True):
        half = direction * weight * 1280 / 2
        a, b = (tuple(np.round((middle + s * half + (640, 360)) * 16).astype(int).tolist()) for s in (-1, 1))
        cv2.line(picture, a, b, (40, 40, 40), 2, cv2.LINE_AA, 4)
    answer = ask(calibrate, picture)
    assert answer["rotation"]["source"] == "vanishing_points"
    assert answer["pitch"] == pytest.approx(-0.3, abs=np.radians(2)) and abs(answer["roll"]) < np.radians(1.5)


@pytest.mark.parametrize("shape", [(1, 1), (17, 801), (801, 17)])
def test_odd_sizes_are_answered(calibrate: Any, shape: tuple[int, int]) -> None:
    answer = ask(calibrate, np.zeros((*shape, 3), dtype=np.uint8))
    assert all(np.isfinite(answer[name]) for name in ("focal_px", "pitch", "roll", "height_m"))


def test_the_weights_are_asked_for_by_name(tmp_path: Path) -> None:
    from stillto3d.worker.errors import MissingWeights

    with pytest.raises(MissingWeights, match="weights"):
        ask(stillnet.load(tmp_path, "cpu")["calibrate"], np.zeros((40, 40, 3), dtype=np.uint8))
