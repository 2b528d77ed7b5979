"""Film for the worlds: repeatable, within its range, whatever the light; and every effect does something."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from support.rectangle_worlds import make_worlds  # noqa: E402

from training import delivery, drawing, film, lens  # noqa: E402
from training.dice import Dice  # noqa: E402
from training.panoramas import load_panoramas  # noqa: E402


@pytest.fixture(scope="module")
def worlds():  # type: ignore[no-untyped-def]
    """Rectangles in textured light, deep enough for air and focus to show."""
    made = make_worlds(48, 64, 12)
    coarse = torch.rand(12, 3, 12, 16, generator=torch.Generator().manual_seed(4))
    texture = torch.nn.functional.interpolate(coarse, size=made.radiance.shape[2:], mode="bilinear")
    return replace(made, radiance=made.radiance * 0.5 + texture * 0.5)


def develop(worlds, seed: int):  # type: ignore[no-untyped-def]
    return film.develop(worlds, load_panoramas(), torch.Generator().manual_seed(seed))


def test_the_generator_decides_everything(worlds) -> None:  # type: ignore[no-untyped-def]
    once, again, other = (develop(worlds, seed) for seed in (1, 1, 2))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)


def test_pictures_are_half_the_size_and_in_eight_bits(worlds) -> None:  # type: ignore[no-untyped-def]
    pictures = develop(worlds, 3)
    assert pictures.shape == (12, 3, 48, 64)
    codes = pictures * 255
    assert torch.allclose(codes, codes.round(), atol=1e-3)
    assert pictures.min() >= 0
    assert pictures.max() <= 1


@pytest.mark.parametrize("light", [0.0, 1e-6, 1e4, float("nan"), float("inf")])
def test_no_light_breaks_it(worlds, light: float) -> None:  # type: ignore[no-untyped-def]
    pictures = develop(replace(worlds, radiance=torch.full_like(worlds.radiance, light)), 4)
    assert torch.isfinite(pictures).all()
    assert ((pictures >= 0) & (pictures <= 1)).all()


def test_the_world_is_left_as_it_was(worlds) -> None:  # type: ignore[no-untyped-def]
    before = worlds.radiance.clone()
    develop(worlds, 5)
    assert torch.equal(worlds.radiance, before)


def test_most_pictures_still_show_what_stands_there(worlds) -> None:  # type: ignore[no-untyped-def]
    """A picture is of use only as far as it follows the light: half of all must do so closely."""
    grey = torch.nn.functional.avg_pool2d(worlds.radiance, 2).mean(1).flatten(1)
    seen = torch.cat([develop(worlds, seed).mean(1).flatten(1) for seed in range(4)])
    alike = torch.cosine_similarity(seen - seen.mean(1, keepdim=True), (grey - grey.mean(1, keepdim=True)).repeat(4, 1))
    assert alike.abs().median() > 0.5


LIGHT = [lens.glow, lens.split_colours, lens.shake, lens.darken_corners]
PICTURES = [lens.soften, film.add_grain, delivery.compress, delivery.resize, delivery.sharpen]


@pytest.mark.parametrize("effect", LIGHT + PICTURES, ids=lambda e: e.__name__)
def test_every_effect_does_something_to_some(worlds, effect) -> None:  # type: ignore[no-untyped-def]
    before = torch.nn.functional.avg_pool2d(worlds.radiance, 2).clamp(0, 1)
    after = before.clone()
    for seed in range(6):
        effect(after, Dice(torch.Generator().manual_seed(seed)))
    changed = (after != before).flatten(1).any(1)
    assert changed.any()
    assert torch.isfinite(after).all()


def test_air_and_focus_follow_depth(worlds) -> None:  # type: ignore[no-untyped-def]
    before = torch.nn.functional.avg_pool2d(worlds.radiance, 2)
    for change in (
        lambda light, dice: lens.see_through_air(light, worlds.depth, dice, share=1.0),
        lambda light, dice: lens.focus(light, worlds, dice, share=1.0),
    ):
        after = before.clone()
        change(after, Dice(torch.Generator().manual_seed(1)))
        assert not torch.equal(after, before)


def test_drawings_are_among_many_pictures(worlds) -> None:  # type: ignore[no-untyped-def]
    light = torch.nn.functional.avg_pool2d(worlds.radiance, 2)
    drawn = 0
    for seed in range(8):
        pictures = light.clamp(0, 1)
        drawing.draw(pictures, light, worlds, Dice(torch.Generator().manual_seed(seed)))
        drawn += int((pictures != light.clamp(0, 1)).flatten(1).any(1).sum())
    assert 0 < drawn < 8 * len(light) / 2
