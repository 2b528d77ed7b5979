"""Clean plate: only the hole changes, nothing comes from a prop, the same seed gives the same picture."""

from __future__ import annotations

import numpy as np
import pytest

from stillto3d.worker.adapters.builtin.fill import GROW_AT, GROW_PX, fill
from stillto3d.worker.errors import BadInput

WIDTH, HEIGHT = 320, 240
MAGENTA = (255, 0, 255)


def tick(*_: object) -> None:
    return


def still_with_props() -> tuple[np.ndarray, np.ndarray]:
    """Grey-green noise with two magenta props, and the props' mask u8."""
    rng = np.random.default_rng(3)
    still = np.clip(np.array([90, 130, 100]) + rng.normal(0, 12, (HEIGHT, WIDTH, 1)), 0, 255).astype(np.uint8)
    hole = np.zeros((HEIGHT, WIDTH), np.uint8)
    hole[60:140, 60:120] = 255
    hole[90:200, 170:250] = 255
    still[hole > 0] = MAGENTA
    return still, hole


def magenta(pixels: np.ndarray) -> np.ndarray:
    """How magenta pixels are: the smaller of red and blue, less green."""
    wide = pixels.astype(int)
    return np.minimum(wide[..., 0], wide[..., 2]) - wide[..., 1]


@pytest.mark.parametrize("preview", [True, False])
def test_only_the_grown_hole_changes_and_no_prop_is_copied(preview: bool) -> None:
    still, hole = still_with_props()
    answer = fill({"still": still, "hole": hole}, {"preview": preview}, tick)
    pixels, grown = answer["pixels"], answer["hole"] > 0
    assert np.array_equal(pixels[~grown], still[~grown])
    assert grown[hole > 0].all()
    reach = int(np.ceil(GROW_PX * WIDTH / GROW_AT)) + 1
    rows, columns = np.nonzero(grown)
    near = [
        (hole[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1] > 0).any()
        for y, x in zip(rows, columns, strict=True)
    ]
    assert all(near)
    assert magenta(pixels)[grown].max() < 60


@pytest.mark.parametrize("preview", [True, False])
def test_same_seed_gives_the_same_picture(preview: bool) -> None:
    still, hole = still_with_props()
    given = {"still": still, "hole": hole}
    first = fill(given, {"preview": preview}, tick)["pixels"]
    assert np.array_equal(first, fill(given, {"preview": preview}, tick)["pixels"])


def test_filled_part_keeps_grain() -> None:
    still, hole = still_with_props()
    pixels = fill({"still": still, "hole": hole}, {}, tick)["pixels"]
    assert pixels[110:180, 190:230, 1].std() > 0.3 * still[:50, :, 1].std()


def test_structure_continues_through_the_hole() -> None:
    still, hole = still_with_props()
    still[:120] //= 2
    still[hole > 0] = MAGENTA
    pixels = fill({"still": still, "hole": hole}, {}, tick)["pixels"].astype(int)
    assert pixels[150:195, 180:240, 1].mean() - pixels[95:110, 180:240, 1].mean() > 30


def test_no_hole_changes_nothing() -> None:
    still, hole = still_with_props()
    answer = fill({"still": still, "hole": np.zeros_like(hole)}, {}, tick)
    assert np.array_equal(answer["pixels"], still)
    assert not answer["hole"].any()


def test_everything_covered_is_refused_in_words() -> None:
    still, hole = still_with_props()
    with pytest.raises(BadInput, match="nothing is left"):
        fill({"still": still, "hole": np.full_like(hole, 255)}, {}, tick)


def test_nearly_everything_covered_is_filled_from_what_is_left() -> None:
    still, _ = still_with_props()
    still[:] = MAGENTA
    hole = np.full((HEIGHT, WIDTH), 255, np.uint8)
    still[:8, :] = (90, 130, 100)
    hole[:8, :] = 0
    answer = fill({"still": still, "hole": hole}, {}, tick)
    assert magenta(answer["pixels"])[20:].max() < 60


@pytest.mark.parametrize("shape", [(1, 2), (5, 7), (17, 900)])
@pytest.mark.parametrize("preview", [True, False])
def test_odd_sized_still_is_answered(shape: tuple[int, int], preview: bool) -> None:
    still = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    hole = np.zeros(shape, np.uint8)
    hole[0, 0] = 255
    pixels = fill({"still": still, "hole": hole}, {"preview": preview}, tick)["pixels"]
    assert pixels.shape == still.shape


def test_thin_holes_are_closed_from_their_sides_and_what_shows_between_them_stays() -> None:
    rows = np.linspace(40, 220, HEIGHT)[:, None, None]
    still = np.broadcast_to(rows, (HEIGHT, WIDTH, 3)).astype(np.uint8).copy()
    wanted = still.copy()
    hole = np.zeros((HEIGHT, WIDTH), np.uint8)
    hole[40:200, 60:260:8] = 255
    still[hole > 0] = MAGENTA
    answer = fill({"still": still, "hole": hole}, {}, tick)
    assert np.array_equal(answer["hole"], hole)
    assert np.abs(answer["pixels"].astype(int) - wanted).max() <= 3
