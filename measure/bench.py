"""`make bench`: times and memory on this machine, each beside its limit."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from stillto3d.models.roles import Click, PrepareStill, Segment
from stillto3d.pipelines.convert import ConvertParams, convert_still
from stillto3d.project.project import Project, apply_patch, start_project
from stillto3d.project.still import Still
from stillto3d.studio import Studio
from stillto3d.words import find_resources

from .bare import BareNetwork, to_network_picture
from .exports import measure_exports
from .machine import describe_machine, hash_weights, list_versions
from .masks import IOU_KEYS, MaskScores, at_pixel, find_deepest, score_masks, shrink_still
from .memory import PeakSampler
from .product import ProductSegmenter, make_still, run_work
from .shots import choose_props
from .truth import U8, Bool, Truth, load_picture, read_sample
from .window import MAKINGS, POINTINGS, can_show, compare_starts, probe, summarise_pointing, summarise_stalls
from .wire import compare_wire, time_empty_calls, time_rounds

SAMPLE = "room_living"
FULL_HD, FOUR_K = (1920, 1080), (3840, 2160)
ROUNDS = 15
REST = 0.1  # seconds: onnxruntime's threads spin for a while after a run
SAVES = 5
CONVERTS = 3
MASK_SAMPLES = 4
Figures = dict[str, dict[str, Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; 0 if every limit is kept."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    chosen = parser.parse_args(arguments)
    console = Console()
    truth = read_sample(find_resources() / "samples" / SAMPLE)
    measured: dict[str, Any] = {"machine": describe_machine(), "versions": list_versions()}
    measured["weights"] = hash_weights(find_resources() / "weights")
    figures: Figures = {}
    for measure in (
        measure_wire,
        measure_network,
        measure_masks,
        measure_files,
        measure_exports,
        measure_convert,
        measure_window,
    ):
        console.print(f"{measure.__name__.replace('_', ' ')} ...", highlight=False)
        figures |= measure(truth)
    measured["figures"] = figures
    chosen.out.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    console.print(draw_figures(figures))
    console.print(f"Written: {chosen.out}")
    return 1 if any(figure["ok"] is False for figure in figures.values()) else 0


def bound(value: float, limit: float | None = None, unit: str = "", **details: Any) -> dict[str, Any]:
    """One figure: the limit is the most that it may be; None means that it is reported only."""
    return {
        "value": value,
        "limit": limit,
        "ok": None if limit is None else value <= limit,
        "unit": unit,
    } | details


def draw_figures(figures: Figures) -> Table:
    """The figures on the terminal."""
    table = Table("figure", "value", "limit", "", box=None, pad_edge=False)
    for name, figure in figures.items():
        verdict = {True: "kept", False: "[bold]missed[/bold]", None: ""}[figure["ok"]]
        limit = "" if figure["limit"] is None else f"{figure['limit']:g}"
        table.add_row(name, f"{figure['value']:.4g} {figure['unit']}", limit, verdict)
    return table


def enlarge(picture: U8, size: tuple[int, int]) -> U8:
    """The picture at another size, as a film still of that size would be."""
    import cv2

    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


# --------------------------------------------------------------------------- wire and engine


def measure_wire(truth: Truth) -> Figures:
    """Frames against a raw pipe, and what a call costs when there is nothing to do."""
    picture = enlarge(load_picture(truth.picture), FOUR_K)
    ours, raw = (statistics.median(seconds) for seconds in compare_wire(picture, ROUNDS))
    calls, jobs = (statistics.median(seconds) for seconds in time_empty_calls(10 * ROUNDS))
    return {
        "wire.round_trip_4k": bound(ours / raw, 1.2, "x raw pipe", seconds=ours, raw_seconds=raw),
        "engine.warm_call": bound(1e3 * calls, 2.0, "ms"),
        "engine.warm_job": bound(1e3 * jobs, None, "ms"),
    }


# --------------------------------------------------------------------------- the network in the product


def measure_network(truth: Truth) -> Figures:
    """Prepare and click at 1080p through the engine, beside the bare sessions taking turns with it."""
    pixels = enlarge(load_picture(truth.picture), FULL_HD)
    network = BareNetwork(find_resources() / "weights")
    picture = to_network_picture(pixels)
    click = (Click(FULL_HD[0] / 2, FULL_HD[1] / 2),)
    bare = network.look(pixels)
    question = {**bare.features, "m": bare.draw_maps(click, None, None)}
    stills = iter([make_still(_mark(pixels, k), f"still {k}") for k in range(ROUNDS + 1)])
    with Studio.open() as studio:

        def ask(what: Any) -> None:
            run_work(studio, "bench", lambda run: run.call(what))

        prepare = time_rounds(
            ROUNDS,
            lambda: ask(PrepareStill(next(stills))),
            lambda: network.encoder.run(["s2", "p4", "p8", "p16", "geo", "cam"], {"x": picture}),
            rest=REST,
        )
        still = make_still(pixels, "still")
        ask(PrepareStill(still))
        clicks = time_rounds(
            ROUNDS,
            lambda: ask(Segment(still, click)),
            lambda: network.decoder.run(["mask", "score"], question),
            rest=REST,
        )
    (a, b), (c, d) = (map(statistics.median, pair) for pair in (prepare, clicks))
    return {
        "prepare_1080p": bound(a / b, 1.3, "x bare session", seconds=a, bare_seconds=b),
        "click_1080p": bound(c / d, 1.5, "x bare session", seconds=c, bare_seconds=d),
    }


def _mark(pixels: U8, k: int) -> U8:
    """The picture with one sample changed, so that it is another still."""
    marked = pixels.copy()
    marked[0, 0] = k
    return marked


def measure_masks(truth: Truth) -> Figures:
    """The protocol through the product and on the bare network: the greatest difference of means."""
    folders = sorted(truth.picture.parent.parent.glob("*/truth.json"))[::2][:MASK_SAMPLES]
    network = BareNetwork(find_resources() / "weights")
    product, bare = MaskScores(), MaskScores()
    with Studio.open() as studio:
        for folder in folders:
            sample = read_sample(folder.parent)
            small, masks = shrink_still(load_picture(sample.picture), sample)
            still = make_still(small, sample.name)
            product.join(click_product(studio, still, masks))
            bare.join(score_masks(network.look(small), masks, np.random.RandomState(1)))
    differences = {
        key: float(np.mean(product.ious[key]) - np.mean(bare.ious[key])) for key in IOU_KEYS if bare.ious[key]
    }
    worst = max(map(abs, differences.values()))
    return {"masks.difference": bound(worst, 0.01, "IoU", each=differences, n=len(bare.ious["box"]))}


def click_product(studio: Studio, still: Still, masks: Sequence[Bool]) -> MaskScores:
    """The protocol on one still through the product."""
    rng = np.random.RandomState(1)
    return run_work(studio, "masks", lambda run: score_masks(ProductSegmenter(run, still), masks, rng))


# --------------------------------------------------------------------------- files


def measure_files(truth: Truth) -> Figures:
    """Saving and reopening a 4K project with two props, and writing it for others."""
    with Studio.open() as studio, tempfile.TemporaryDirectory() as folder:
        project = make_shot(studio, truth, FOUR_K)
        saved = Path(folder) / "shot.s3d"

        def save(name: str) -> list[float]:
            return time_rounds(SAVES, lambda: studio.wait(studio.write(project, Path(folder) / name)))[0]

        saves = statistics.median(save(saved.name))
        reopens = statistics.median(time_rounds(SAVES, lambda: studio.read(saved))[0])
        others = {suffix: statistics.median(save(f"shot.{suffix}")) for suffix in ("glb", "ply")}
        sizes = {path.suffix[1:]: path.stat().st_size for path in Path(folder).iterdir()}
    return {
        "s3d.save_4k": bound(saves, 1.0, "s", bytes=sizes["s3d"]),
        "s3d.reopen_4k": bound(reopens, 1.0, "s"),
        "glb.write_4k": bound(others["glb"], None, "s", bytes=sizes["glb"]),
        "ply.write_4k": bound(others["ply"], None, "s", bytes=sizes["ply"]),
    }


def make_shot(studio: Studio, truth: Truth, size: tuple[int, int]) -> Project:
    """The sample at `size` with two props."""
    still = make_still(enlarge(load_picture(truth.picture), size), truth.name)
    project = start_project(still)
    params = ConvertParams(click=tuple(choose_clicks(truth, size)))
    patch = run_work(studio, "convert", lambda run: convert_still(run, project, params))
    return apply_patch(project, patch)


def choose_clicks(truth: Truth, size: tuple[int, int], count: int = 2) -> list[str]:
    """One click on each of the largest props, as the product reads them, in a picture of `size`."""
    clicks = []
    for instance in choose_props(truth)[:count]:
        scale = size[0] / instance.mask.shape[1]
        click = at_pixel(*find_deepest(instance.mask))
        clicks.append(f"{click.x * scale:.1f},{click.y * scale:.1f}")
    return clicks


# --------------------------------------------------------------------------- the window


def measure_window(truth: Truth) -> Figures:
    """Start, stalls while set and props are made, hover and click, each on a virtual screen; none without Xvfb."""
    if not can_show():
        return {}
    ours, bare = (statistics.median(seconds) for seconds in compare_starts())
    with tempfile.TemporaryDirectory() as folder:
        still, clicks = write_full_hd(truth, Path(folder)), choose_clicks(truth, FULL_HD)
        pointing = summarise_pointing(probe("pointing", still, clicks, POINTINGS))
        stalls = summarise_stalls(probe("stalls", still, clicks, MAKINGS))
    hover, click, decoder = pointing["hover"], pointing["click"], pointing["bare"]
    return {
        "window.start": bound(ours / bare, 1.4, "x bare window", seconds=ours, bare_seconds=bare),
        "window.hover_1080p": bound(hover / decoder, 1.6, "x bare decoder", seconds=hover, bare_seconds=decoder),
        "window.click_1080p": bound(click / decoder, 1.6, "x bare decoder", seconds=click, bare_seconds=decoder),
        "window.stall_p99": bound(stalls["p99"], 16.0, "ms", **stalls),
        "window.stall": bound(stalls["max_but_outliers"], 50.0, "ms"),
    }


def write_full_hd(truth: Truth, folder: Path) -> Path:
    """The sample as a JPEG of 1080p."""
    import cv2

    still = folder / "still.jpg"
    pixels = enlarge(load_picture(truth.picture), FULL_HD)
    coded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
    still.write_bytes(coded.tobytes())
    return still


# --------------------------------------------------------------------------- the main job


def measure_convert(truth: Truth) -> Figures:
    """`convert` of a 1080p still with two props, from process start: cold, warm, and its memory."""
    with tempfile.TemporaryDirectory() as folder:
        still = write_full_hd(truth, Path(folder))
        clicks = [word for click in choose_clicks(truth, FULL_HD) for word in ("--click", click)]
        command = [sys.executable, "-m", "stillto3d", "convert", str(still), *clicks, "--json", "--out"]
        environment = os.environ | {"STILLTO3D_HOME": str(Path(folder) / "home")}

        def convert(k: int, watch: bool = False) -> tuple[float, int]:
            return run_command([*command, str(Path(folder) / f"out{k}")], environment, watch)

        cold, _ = convert(0)
        warm = [convert(k)[0] for k in range(1, CONVERTS + 1)]
        _, peak = convert(CONVERTS + 1, watch=True)
        report = json.loads((Path(folder) / "out1" / "report.json").read_text(encoding="utf-8"))
    return {
        "convert_1080p": bound(statistics.median(warm), 10.0, "s", each=warm, stages=report["seconds"]),
        "convert_1080p_cold": bound(cold, None, "s"),
        "convert_1080p_memory": bound(peak / 1e9, 2.0, "GB"),
    }


def run_command(command: Sequence[str], environment: dict[str, str], watch: bool) -> tuple[float, int]:
    """Wall seconds of a command, and, if it is watched, the peak memory of all its processes in bytes."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    peak = 0
    if watch:
        with PeakSampler(process.pid) as sampler:
            output, _ = process.communicate()
        peak = sampler.peak
    else:
        output, _ = process.communicate()
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: {output.decode('utf-8', 'replace')}")
    return seconds, peak


if __name__ == "__main__":
    sys.exit(main())
