"""Matte and lifted colours: soft only near the edge, right where the answer is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from stillto3d.worker.adapters.builtin.matte import BAND_AT, BAND_PX, HAIR_BAND, lift, matte
from stillto3d.worker.errors import BadInput

WIDTH, HEIGHT = 480, 360
FRONT, BEHIND = (200, 60, 40), (40, 90, 180)


def tick(*_: object) -> None:
    return


def composite(blur: float = 1.2) -> tuple[np.ndarray, np.ndarray]:
    """A still of a soft-edged disc, and the disc's true alpha f32 0..1."""
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.circle(alpha, (240, 180), 100, 1.0, -1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), blur)
    still = alpha[..., None] * np.array(FRONT) + (1 - alpha[..., None]) * np.array(BEHIND)
    return still.round().astype(np.uint8), alpha


def edge_distance(mask: np.ndarray) -> np.ndarray:
    """Pixels to the mask's edge, on either side."""
    inside = (mask > 127).astype(np.uint8)
    return np.maximum(cv2.distanceTransform(inside, cv2.DIST_L2, 5), cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5))


@pytest.mark.parametrize("hair", [False, True])
def test_only_the_band_around_the_edge_is_soft(hair: bool) -> None:
    still, truth = composite()
    mask = np.where(truth > 0.5, 255, 0).astype(np.uint8)
    alpha = matte({"still": still, "mask": mask}, {"hair": hair}, tick)["alpha"]
    band = max(1.5, BAND_PX * WIDTH / BAND_AT) * (HAIR_BAND if hair else 1)
    changed = alpha != mask
    assert changed.any()
    assert edge_distance(mask)[changed].max() <= band + 1.5


def test_closed_form_finds_the_true_alpha_where_colours_tell() -> None:
    still, truth = composite(0.7)  # a ramp that the narrow band holds
    mask = cv2.dilate(np.where(truth > 0.5, 255, 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    alpha = matte({"still": still, "mask": mask}, {}, tick)["alpha"] / 255
    rough = np.abs(mask / 255 - truth).mean()
    assert np.abs(alpha - truth).mean() < 0.4 * rough


@pytest.mark.parametrize("width", [1, 2, 3])
def test_spokes_are_kept_and_what_shows_between_them_is_not_theirs(width: int) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for k in range(8):
        turn = k * np.pi / 8
        end = np.array([150 * np.cos(turn), 150 * np.sin(turn)])
        cv2.line(
            mask, *(tuple((np.array([240, 180]) + side * end).astype(int).tolist()) for side in (-1, 1)), 255, width
        )
    noise = np.random.default_rng(1).normal(0, 12, (HEIGHT, WIDTH, 3))
    still = np.clip(np.where(mask[..., None] > 0, FRONT, BEHIND) + noise, 0, 255).astype(np.uint8)
    alpha = matte({"still": still, "mask": mask}, {}, tick)["alpha"]
    assert (alpha[mask > 0] > 127).mean() > 0.97
    between = cv2.distanceTransform(255 - mask, cv2.DIST_L2, 5) > 2.5
    assert not alpha[between].any()


def test_hair_gives_another_alpha() -> None:
    still, truth = composite(3.0)
    mask = np.where(truth > 0.5, 255, 0).astype(np.uint8)
    plain = matte({"still": still, "mask": mask}, {"hair": False}, tick)["alpha"]
    hair = matte({"still": still, "mask": mask}, {"hair": True}, tick)["alpha"]
    assert ((hair > 0) & (hair < 255)).sum() > ((plain > 0) & (plain < 255)).sum()


def test_same_input_gives_the_same_bits() -> None:
    still, truth = composite()
    given = {"still": still, "mask": np.where(truth > 0.5, 255, 0).astype(np.uint8)}
    assert np.array_equal(matte(given, {}, tick)["alpha"], matte(given, {}, tick)["alpha"])


def test_picture_s_border_is_no_edge_of_the_prop() -> None:
    still, _ = composite()
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[200:, :200] = 255
    alpha = matte({"still": still, "mask": mask}, {}, tick)["alpha"]
    assert (alpha[220:, 0] == 255).all()
    assert (alpha[-1, :180] == 255).all()


@pytest.mark.parametrize("spot", [np.s_[50:51, 60:61], np.s_[70:71, 10:400], np.s_[:, :]])
def test_odd_mask_is_answered_and_never_vanishes(spot: tuple[slice, slice]) -> None:
    still, _ = composite()
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[spot] = 255
    assert (matte({"still": still, "mask": mask}, {}, tick)["alpha"] > 127).any()


@pytest.mark.parametrize("shape", [(1, 1), (2, 301), (17, 900)])
def test_odd_sized_still_is_answered(shape: tuple[int, int]) -> None:
    still = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    mask = np.zeros(shape, np.uint8)
    mask[0, : (shape[1] + 1) // 2] = 255
    for hair in (False, True):
        assert matte({"still": still, "mask": mask}, {"hair": hair}, tick)["alpha"].shape == shape


def test_empty_mask_is_refused_in_words() -> None:
    still, _ = composite()
    with pytest.raises(BadInput, match="mask is empty"):
        matte({"still": still, "mask": np.zeros((HEIGHT, WIDTH), np.uint8)}, {}, tick)


def test_lift_frees_soft_pixels_and_keeps_opaque_ones() -> None:
    still, truth = composite()
    alpha = np.round(truth * 255).astype(np.uint8)
    foreground = lift({"still": still, "alpha": alpha}, {}, tick)["foreground"]
    soft = (alpha > 60) & (alpha < 255)
    hard = (alpha == 0) | (alpha == 255)
    assert np.array_equal(foreground[hard], still[hard])
    before = np.abs(still[soft].astype(int) - FRONT).mean()
    assert np.abs(foreground[soft].astype(int) - FRONT).mean() < 0.35 * before


def test_lift_of_a_hard_mask_is_the_still() -> None:
    still, truth = composite()
    alpha = np.where(truth > 0.5, 255, 0).astype(np.uint8)
    assert np.array_equal(lift({"still": still, "alpha": alpha}, {}, tick)["foreground"], still)
