"""Lens and light of a world: sun, sky, lamps, evening, backlight, night, haze."""

from __future__ import annotations

import random

from .materials import vary
from .records import Lens, Scene, between, between_log, chance

PANORAMAS = 12


def lens_of(rng: random.Random, eye: tuple[float, float, float], pitch: float, short: float, long: float) -> Lens:
    """A lens with its roll: hand-held steady, or tilted now and then."""
    roll = rng.gauss(0, 0.015) if chance(rng, 0.6) else rng.gauss(0, 0.08) if chance(rng, 0.8) else rng.gauss(0, 0.22)
    return Lens(eye, pitch, max(-0.6, min(0.6, roll)), between_log(rng, short, long))


def warm(rng: random.Random, by: float) -> tuple[float, float, float]:
    """A colour of light, from daylight to lamps (by = 1)."""
    k = by * rng.random()
    return (1.0, 1.0 - 0.35 * k, 1.0 - 0.7 * k)


def scaled(colour: tuple[float, float, float], k: float) -> tuple[float, float, float]:
    """A colour times a number."""
    return (colour[0] * k, colour[1] * k, colour[2] * k)


def light_room(rng: random.Random, scene: Scene) -> None:
    """Window light, lamps or evening in a room."""
    light, (x0, x1, z0, z1, top) = scene.light, scene.room
    evening = chance(rng, 0.25)
    ambient = between_log(rng, 0.08, 0.25) if evening else between_log(rng, 0.25, 0.9)
    light.above = scaled(warm(rng, 0.6 if evening else 0.25), ambient)
    light.below = scaled(vary(rng, light.above, 0.2), between(rng, 0.45, 0.95))
    light.sun = (rng.gauss(0, 1), between(rng, 0.4, 1.6), between(rng, -1.2, 1.2))
    light.sun_colour = scaled(warm(rng, 0.3), 0.0 if evening and chance(rng, 0.6) else between_log(rng, 0.2, 1.2))
    light.hardness = between_log(rng, 2.5, 30)
    if not evening and chance(rng, 0.25):
        light.patch = (between(rng, x0, x1), between(rng, 1.0, 1.8), between(rng, 0.5, 1.2), between(rng, 0.5, 1.0))
        light.sun_colour = scaled(warm(rng, 0.5), between(rng, 1.2, 3.0))
        light.sun = (rng.gauss(0, 0.6), between(rng, 0.4, 0.9), rng.choice([-1, 1]) * 1.0)
        light.hardness = between_log(rng, 15, 60)
    for _ in range(2 if evening else int(chance(rng, 0.45))):
        at = (between(rng, x0 * 0.8, x1 * 0.8), between(rng, 0.8, top - 0.2), between(rng, z0 * 0.5, z1 * 0.9))
        light.lamps.append((at, scaled(warm(rng, 1.0), between_log(rng, 0.6, 5)), between(rng, 0.4, 1.6)))
    light.panorama, light.panorama_turn = rng.randrange(PANORAMAS), rng.random()
    light.panorama_gain = between_log(rng, 0.3, 1.0)
    light.reflects = chance(rng, 0.5)
    if chance(rng, 0.06):
        light.fog, light.fog_colour = between_log(rng, 0.01, 0.08), light.above


def light_outdoors(rng: random.Random, scene: Scene) -> None:
    """Sun, overcast, backlight, dusk, night, haze."""
    light = scene.light
    kind = rng.random()
    light.panorama = rng.randrange(PANORAMAS) if chance(rng, 0.6) else -1
    light.panorama_turn, light.panorama_gain = rng.random(), between_log(rng, 0.5, 1.6)
    light.cloud_seed, light.clouds = rng.randrange(100000), rng.random()
    grey = between(rng, 0.45, 1.0)
    light.horizon = vary(rng, (grey, grey, grey * between(rng, 0.9, 1.1)), 0.15)
    light.zenith = (between(rng, 0.04, 0.5), between(rng, 0.15, 0.6), between(rng, 0.3, 0.95))
    if chance(rng, 0.25):
        light.zenith = vary(rng, light.horizon, 0.15)
    light.sun = (rng.gauss(0, 1), between_log(rng, 0.25, 2.5), rng.gauss(-0.3, 0.9))
    light.hardness = between_log(rng, 8, 60)
    sun, ambient = between_log(rng, 0.9, 3.0), between_log(rng, 0.2, 0.6)
    if kind < 0.25:
        sun, ambient = between_log(rng, 0.05, 0.4), between_log(rng, 0.6, 1.1)
        light.hardness = 3.0
    elif kind < 0.4:
        light.sun = (rng.gauss(0, 0.5), between(rng, 0.15, 0.6), between(rng, 0.6, 1.5))
    elif kind < 0.5:
        sun, ambient = between_log(rng, 0.01, 0.1), between_log(rng, 0.03, 0.12)
        light.panorama, light.zenith, light.horizon = -1, (0.005, 0.008, 0.02), (0.02, 0.02, 0.035)
        for _ in range(2):
            at = (between(rng, -4, 4), between(rng, 2, 5), between(rng, 1, 10))
            light.lamps.append((at, scaled(warm(rng, 1.0), between(rng, 1, 6)), between(rng, 1, 4)))
    light.sun_colour = scaled(warm(rng, 0.6), sun)
    light.above = scaled((between(rng, 0.8, 1.0), between(rng, 0.9, 1.0), 1.0), ambient)
    light.below = scaled(vary(rng, scene.ground.colour, 0.2), ambient * 1.2)
    if chance(rng, 0.4):
        light.fog, light.fog_colour = between_log(rng, 0.001, 0.05), light.horizon
