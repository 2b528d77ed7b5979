"""`make eval`: score the builtins on the samples or on any folder of stills with truth."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from stillto3d.errors import StillTo3DError
from stillto3d.studio import Studio
from stillto3d.words import find_resources

from .foreign import read_foreign
from .machine import describe_machine, hash_weights, list_versions
from .masks import score_masks, shrink_still
from .product import ProductSegmenter, make_still, run_work
from .report import (
    Figures,
    StillFigures,
    compare_depths,
    describe_still,
    draw_limits,
    draw_stills,
    list_limits,
    measure_gains,
    summarise,
)
from .shots import measure_camera, measure_depth, measure_network_depth, measure_shot
from .truth import Truth, find_samples, read_samples

SEED = 1
PARTS = ("masks", "camera", "depth", "shot")


def main(arguments: Sequence[str] | None = None) -> int:
    """Score, print, write; 0 if every still could be scored."""
    parser = argparse.ArgumentParser(prog="make eval", description=__doc__)
    parser.add_argument("--stills", type=Path, help="a folder of stills with truth; default: the samples")
    parser.add_argument("--against", type=Path, help="a folder with another pair of weights")
    parser.add_argument("--out", type=Path, default=Path("eval.json"))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to score")
    chosen = parser.parse_args(arguments)
    console = Console()
    folder = chosen.stills or find_resources() / "samples"
    truths = list(read_samples(folder) if find_samples(folder) else read_foreign(folder))
    if not truths:
        console.print(f"No still with truth lies in {folder}.")
        return 2
    weights = find_resources() / "weights"
    started = time.monotonic()
    ours = score_weights(truths, chosen.parts, weights, console)
    scored = describe_run(ours, weights)
    scored |= {"machine": describe_machine(), "versions": list_versions()}
    if chosen.against:
        others = score_weights(truths, chosen.parts, chosen.against, console)
        scored["against"] = describe_run(others, chosen.against)
        scored["against"]["gain"] = measure_gains(ours, others)
        scored["against"]["depth_ratio"] = compare_depths(ours, others)
    scored["seconds"] = round(time.monotonic() - started, 1)
    chosen.out.write_text(json.dumps(scored, indent=1) + "\n", encoding="utf-8")
    print_run(console, scored)
    console.print(f"Written: {chosen.out}")
    return 1 if any(still.shot.failures for still in ours) else 0


def describe_run(stills: Sequence[StillFigures], weights: Path) -> Figures:
    """One pair of weights as eval.json holds it."""
    figures = summarise(stills)
    return {
        **figures,
        "limits": list_limits(figures),
        "stills": {still.name: describe_still(still) for still in stills},
        "weights": hash_weights(weights),
    }


def score_weights(truths: Sequence[Truth], parts: Sequence[str], weights: Path, console: Console) -> list[StillFigures]:
    """Every still through one studio with these weights."""
    rng = np.random.RandomState(SEED)
    scored = []
    with Studio.open(weights=str(weights)) as studio, Progress(console=console, transient=True) as progress:
        task = progress.add_task("", total=len(truths))
        for truth in truths:
            progress.update(task, description=truth.name)
            scored.append(score_still(studio, truth, parts, rng))
            progress.advance(task)
    return scored


def score_still(studio: Studio, truth: Truth, parts: Sequence[str], rng: np.random.RandomState) -> StillFigures:
    """Everything that this still's truth allows; what the product refuses is noted, not counted."""
    figures = StillFigures(truth.name)
    still = studio.read(truth.picture).hero.still
    if "masks" in parts and truth.instances:
        small, masks = shrink_still(still.pixels, truth)
        tiny = make_still(small, truth.name)
        figures.masks = run_work(studio, "masks", lambda run: score_masks(ProductSegmenter(run, tiny), masks, rng))
    steps: list[Any] = []
    if "shot" in parts and truth.instances:
        steps.append(measure_shot)
    else:
        if "camera" in parts and (truth.focal_px or truth.down is not None):
            steps.append(measure_camera)
        if "depth" in parts and truth.depth is not None:
            steps.append(measure_depth)
    if "depth" in parts and truth.depth is not None:
        steps.append(measure_network_depth)
    for step in steps:
        try:
            step(studio, still, truth, figures.shot)
        except StillTo3DError as refusal:
            figures.shot.failures.append(f"{step.__name__}: {refusal}")
    return figures


def print_run(console: Console, scored: Figures) -> None:
    """The tables of a run, and of what it is compared with."""
    for table in draw_stills([*scored["stills"].items(), ("all", scored)]):
        console.print(table)
    console.print(draw_limits(scored["limits"]))
    for name, figures in scored["stills"].items():
        for failure in figures["failures"]:
            console.print(f"{name}: {failure}", style="bold", highlight=False)
    if "against" in scored:
        for table in draw_stills([("ours", scored), ("against", scored["against"])]):
            console.print(table)
        for key, gain in scored["against"]["gain"].items():
            if gain is not None:
                console.print(f"{key}: {gain['mean']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})")
        for key, ratio in scored["against"]["depth_ratio"].items():
            if ratio is not None:
                console.print(f"{key}: {ratio:.3f} of the other's")


if __name__ == "__main__":
    sys.exit(main())
