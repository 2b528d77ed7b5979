"""The camera from straight lines: focal length, pitch and roll of a world of uprights and two level directions.

A search over focal length, pitch and roll; for each, the level directions are voted for (a Hough transform on
the horizon, as in Bazin et al. 2012), and every line says how well it points at one of the three vanishing
points (Manhattan world, Coughlan and Yuille 1999). The best cells are refined. What the network believes of
pitch and roll enters as a prior, because a few strong diagonals can outvote a room.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .lens import level_axes

LOOKED_AT = 900  # long side in pixels at which lines are looked for
SHORTEST = 0.018  # of the picture's diagonal
MOST_LINES = 400
FEWEST_LINES = 12
HEADINGS = 90  # bins of a quarter turn
PRIOR_WEIGHT = 0.035  # of the prior's negative logarithm against the share of lines that agree
FOCALS = np.geomspace(0.45, 2.6, 11)  # in long sides
PITCHES = np.radians(np.arange(-27, 28, 3.0))  # from the prior's
ROLLS = np.radians(np.arange(-10, 11, 2.0))


class Lines(NamedTuple):
    """Segments about the picture's centre: middle f64[n,2] px, direction f64[n,2], weight f64[n]."""

    middle: np.ndarray
    direction: np.ndarray
    weight: np.ndarray


class Solution(NamedTuple):
    """A solved camera: focal px, pitch and roll (radians), and the share of lines (by weight) that agree."""

    focal: float
    pitch: float
    roll: float
    agreement: float
    lines: int


class Prior(NamedTuple):
    """What is believed before any line is seen: radians, pixels; a known focal length is not searched for.

    The spreads are standard deviations: of pitch and roll in radians, of the focal length's logarithm.
    """

    pitch: float
    roll: float
    long_side: float
    focal: float
    focal_is_known: bool = False
    pitch_spread: float = np.radians(12.0)
    roll_spread: float = np.radians(3.0)
    focal_spread: float = 0.35

    def punish(self, focal: np.ndarray | float, pitch: np.ndarray | float, roll: np.ndarray | float) -> np.ndarray:
        """The weighted negative logarithm of the prior."""
        lens = 0.0 if self.focal_is_known else (np.log(focal / self.focal) / self.focal_spread) ** 2
        tilt = ((pitch - self.pitch) / self.pitch_spread) ** 2 + ((roll - self.roll) / self.roll_spread) ** 2
        return np.asarray(PRIOR_WEIGHT * 0.5 * (lens + tilt))


def find_lines(still: np.ndarray) -> Lines:
    """The longest straight lines of u8[H,W,3] (LSD, von Gioi et al. 2010), in pixels of the still."""
    import cv2

    height, width = still.shape[:2]
    k = min(1.0, LOOKED_AT / max(height, width))
    grey = cv2.cvtColor(still, cv2.COLOR_RGB2GRAY)
    if k < 1:
        size = (max(1, round(width * k)), max(1, round(height * k)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    ends = np.zeros((0, 4)) if found is None else found.reshape(-1, 4).astype(np.float64) / k
    along = ends[:, 2:] - ends[:, :2]
    length = np.hypot(along[:, 0], along[:, 1])
    order = np.argsort(-length, kind="stable")
    order = order[length[order] > SHORTEST * np.hypot(height, width)][:MOST_LINES]
    along, length = along[order], length[order]
    middle = (ends[order, :2] + ends[order, 2:]) / 2 - (width / 2, height / 2)
    return Lines(middle, along / np.maximum(length, 1e-9)[:, None], np.minimum(length / max(height, width), 0.25))


def solve_camera(lines: Lines, prior: Prior) -> Solution | None:
    """The camera that most lines agree with under the prior; None with too few lines."""
    if len(lines.weight) < FEWEST_LINES:
        return None
    focals = np.array([prior.focal]) if prior.focal_is_known else FOCALS * prior.long_side
    scores = np.empty((len(focals), len(PITCHES), len(ROLLS)))
    headings = np.empty_like(scores)
    pitches = np.clip(prior.pitch + PITCHES, np.radians(-80), np.radians(60))
    pitch, roll = (grid.ravel() for grid in np.meshgrid(pitches, ROLLS, indexing="ij"))
    for k, focal in enumerate(focals):
        score, heading = _vote(lines, focal, pitch, roll)
        scores[k] = (score - prior.punish(focal, pitch, roll)).reshape(scores.shape[1:])
        headings[k] = heading.reshape(scores.shape[1:])
    best: tuple[float, np.ndarray] | None = None
    starts = [(np.log(focals[a]), pitches[b], ROLLS[c], headings[a, b, c]) for a, b, c in _pick_peaks(scores)]
    heading = _vote(lines, prior.focal, np.array([prior.pitch]), np.array([prior.roll]))[1][0]
    starts.append((np.log(prior.focal), prior.pitch, prior.roll, heading))  # between the grid's cells, or beyond them
    for start in starts:
        refined = _refine(lines, prior, np.array(start))
        if best is None or refined[0] > best[0]:
            best = refined
    assert best is not None
    x = best[1]
    focal = prior.focal if prior.focal_is_known else float(np.exp(x[0]))
    agreement = _agree(lines, focal, x[1], x[2], x[3], np.radians(1.5))
    return Solution(focal, float(x[1]), float(x[2]), agreement, len(lines.weight))


def measure_trust(solution: Solution) -> float:
    """How far to believe a solution, 0..1: chance alone lets about a third of all lines agree."""
    return float(np.clip((solution.agreement - 0.33) / 0.4, 0, 1) * min(1.0, solution.lines / 60))


def _miss(point: np.ndarray, x: np.ndarray, y: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Squared sine of the angle between each line and the way from its middle to a vanishing point [k,3]."""
    ax = point[:, :1] - x * point[:, 2:]
    ay = point[:, 1:2] - y * point[:, 2:]
    cross = ax * direction[:, 1] - ay * direction[:, 0]
    return np.asarray(cross**2 / (ax**2 + ay**2 + 1e-12))


def _vote(lines: Lines, focal: float, pitch: np.ndarray, roll: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Agreement f64[k] of every tilt at one focal length, and the heading (radians) of its level directions."""
    sharp = 1 / np.sin(np.radians(3.0)) ** 2
    x, y = (lines.middle / focal).T
    down, right, ahead = level_axes(pitch, roll)
    upright = np.exp(-sharp * _miss(down, x, y, lines.direction))
    step = 0.01 * lines.direction
    normal = np.stack([-step[:, 1], step[:, 0], x * step[:, 1] - y * step[:, 0]])
    along, across = ahead @ normal, right @ normal
    heading = np.arctan2(-across, along) / (np.pi / 2)
    clear = np.minimum(1.0, 4 * np.hypot(along, across) / np.maximum(np.linalg.norm(normal, axis=0), 1e-15))
    share = lines.weight * (1 - upright) * clear
    place = (heading - np.floor(heading)) * HEADINGS
    low = place.astype(np.int64) % HEADINGS
    rest = place - np.floor(place)
    rows = np.arange(len(pitch))[:, None] * HEADINGS
    count = len(pitch) * HEADINGS
    votes = np.bincount((rows + low).ravel(), (share * (1 - rest)).ravel(), count)
    votes += np.bincount((rows + (low + 1) % HEADINGS).ravel(), (share * rest).ravel(), count)
    votes = votes.reshape(len(pitch), HEADINGS)
    smooth = votes + 0.7 * (np.roll(votes, 1, 1) + np.roll(votes, -1, 1))
    best = smooth.argmax(1) / HEADINGS * np.pi / 2
    agreed = upright
    for point in _level_points(right, ahead, best):
        agreed = np.maximum(agreed, np.exp(-sharp * _miss(point, x, y, lines.direction)))
    return agreed @ lines.weight / lines.weight.sum(), best


def _level_points(right: np.ndarray, ahead: np.ndarray, heading: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two level directions f64[k,3] of a heading."""
    c, s = np.cos(heading)[:, None], np.sin(heading)[:, None]
    return right * c + ahead * s, ahead * c - right * s


def _agree(lines: Lines, focal: float, pitch: float, roll: float, heading: float, sigma: float) -> float:
    """The share of lines, by weight, that point at one of the three vanishing points, within about sigma."""
    x, y = (lines.middle / focal).T
    down, right, ahead = level_axes(np.array([pitch]), np.array([roll]))
    points = (down, *_level_points(right, ahead, np.array([heading])))
    miss = np.min([_miss(point, x, y, lines.direction)[0] for point in points], axis=0)
    return float(np.exp(-miss / np.sin(sigma) ** 2) @ lines.weight / lines.weight.sum())


def _pick_peaks(scores: np.ndarray, most: int = 9) -> list[tuple[int, int, int]]:
    """The best cells of a grid that are not neighbours of better ones."""
    picked: list[tuple[int, int, int]] = []
    for flat in np.argsort(-scores, axis=None, kind="stable")[:400]:
        cell = tuple(int(i) for i in np.unravel_index(flat, scores.shape))
        if all(max(abs(i - j) for i, j in zip(cell, other)) > 1 for other in picked):
            picked.append((cell[0], cell[1], cell[2]))
        if len(picked) == most:
            break
    return picked


def _refine(lines: Lines, prior: Prior, start: np.ndarray) -> tuple[float, np.ndarray]:
    """Climb from a cell of the grid, first by a wide, then by a narrow measure of agreement."""
    from scipy import optimize

    minimize: Any = optimize.minimize  # whose stubs know no function of four arguments
    x, value = start, 0.0
    for sigma in np.radians([2.5, 1.5]):
        simplex = x + np.vstack([np.zeros(4), np.diag([0.12, 0.04, 0.02, 0.04])])
        options = {"initial_simplex": simplex, "maxiter": 120, "xatol": 2e-4, "fatol": 2e-5}
        found = minimize(_lose, x, args=(lines, prior, sigma), method="Nelder-Mead", options=options)
        x, value = found.x, -float(found.fun)
    return value, x


def _lose(x: np.ndarray, lines: Lines, prior: Prior, sigma: float) -> float:
    """What the climb makes small: x holds ln focal, pitch, roll and heading."""
    focal = prior.focal if prior.focal_is_known else float(np.exp(x[0]))
    return float(prior.punish(focal, x[1], x[2])) - _agree(lines, focal, x[1], x[2], x[3], sigma)
