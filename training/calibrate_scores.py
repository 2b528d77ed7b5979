"""Makes a decoder's predicted IoU honest on stills: a rising map of its logits, fitted, judged, written into the graph.

`python -m training.calibrate_scores --weights DIR --stills DIR [--out DIR]` asks an exported pair about true masks,
one first click each (the deepest point, and some random ones), and fits sigmoid(a · logit + b) to the measured IoU
by least squares: with one a and b, or with a pair for each candidate, whichever foretells stills that it was not
fitted to better (each still left out once). Platt, Probabilistic outputs for support vector machines, 1999, with an
overlap in place of a class.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from measure.bare import BareNetwork
from measure.masks import at_pixel, correlate, find_deepest, measure_iou

from .watch import WatchedStill, read_watch_folder

F64 = NDArray[np.float64]
CANDIDATES = 3
RANDOM_CLICKS = 3  # of a mask, beside the deepest point
EDGE = 1e-3  # scores are kept this far from 0 and 1 before their logit is taken
STEEPNESS = (0.1, 4.0)  # of the map: rising, and no step
SHIFT = 4.0  # at most


@dataclass(frozen=True, eq=False)
class Asked:
    """First clicks on one still: what was predicted of each candidate and what was measured, f64[n, 3]."""

    predicted: F64
    measured: F64


@dataclass(frozen=True, eq=False)
class Calibration:
    """sigmoid(steepness · logit(score) + shift), f64[3] each: one entry a candidate."""

    steepness: F64
    shift: F64

    def apply(self, scores: F64) -> F64:
        """Calibrated scores f64[n, 3]."""
        honest: F64 = 1 / (1 + np.exp(-(self.steepness * take_logits(scores) + self.shift)))
        return honest


def take_logits(scores: F64) -> F64:
    """Logits of scores, which are first kept away from 0 and 1."""
    kept = np.clip(scores, EDGE, 1 - EDGE)
    logits: F64 = np.log(kept / (1 - kept))
    return logits


def ask_still(network: BareNetwork, still: WatchedStill, rng: np.random.RandomState) -> Asked:
    """Every mask of a still, clicked once at its deepest point and at some random ones."""
    segmenter = network.look(still.pixels)
    predicted, measured = [], []
    for mask in still.masks:
        ys, xs = np.nonzero(mask)
        places = [find_deepest(mask), *((int(xs[k]), int(ys[k])) for k in rng.randint(len(xs), size=RANDOM_CLICKS))]
        for place in places:
            offer = segmenter.click([at_pixel(*place)], None)
            predicted.append(offer.scores)
            measured.append([measure_iou(candidate, mask) for candidate in offer.masks])
    return Asked(np.array(predicted, np.float64), np.array(measured, np.float64))


def fit(asked: Sequence[Asked], apart: bool) -> Calibration:
    """The map of least squared error; a steepness and a shift for each candidate if `apart`."""
    from scipy.optimize import least_squares

    predicted = np.concatenate([still.predicted for still in asked])
    measured = np.concatenate([still.measured for still in asked])
    count = CANDIDATES if apart else 1

    def unfold(values: F64) -> Calibration:
        steepness, shift = (np.broadcast_to(part, CANDIDATES).astype(np.float64) for part in np.split(values, 2))
        return Calibration(steepness, shift)

    def miss(values: F64) -> F64:
        gap: F64 = (unfold(values).apply(predicted) - measured).ravel()
        return gap

    low = np.repeat([STEEPNESS[0], -SHIFT], count)
    high = np.repeat([STEEPNESS[1], SHIFT], count)
    return unfold(least_squares(miss, np.repeat([1.0, 0.0], count), bounds=(low, high)).x)


def foretell(asked: Sequence[Asked], apart: bool) -> list[Asked]:
    """Each still scored by a map that was fitted to all the others."""
    told = []
    for left, still in enumerate(asked):
        others = [other for k, other in enumerate(asked) if k != left]
        told.append(Asked(fit(others, apart).apply(still.predicted), still.measured))
    return told


def describe(asked: Sequence[Asked]) -> dict[str, float]:
    """Pearson and mean difference over all candidates, root of the squared error, IoU of the best-scored candidate."""
    predicted = np.concatenate([still.predicted for still in asked])
    measured = np.concatenate([still.measured for still in asked])
    gap = predicted - measured
    return {
        "pearson": correlate(predicted.ravel().tolist(), measured.ravel().tolist()) or 0.0,
        "bias": float(gap.mean()),
        "rmse": float(np.sqrt((gap**2).mean())),
        "taken_iou": float(measured[np.arange(len(measured)), predicted.argmax(axis=1)].mean()),
    }


def choose(asked: Sequence[Asked]) -> tuple[Calibration, bool]:
    """The map fitted to all stills, apart by candidate where that foretells left-out stills better."""
    apart = describe(foretell(asked, True))["rmse"] < describe(foretell(asked, False))["rmse"]
    return fit(asked, apart), apart


def write_calibrated(source: Path, target: Path, calibration: Calibration) -> None:
    """The decoder with the map before its last sigmoid. Raises ValueError if no sigmoid makes its score."""
    import onnx
    from onnx import helper, numpy_helper

    model: Any = onnx.load(source)
    graph = model.graph
    places = [k for k, node in enumerate(graph.node) if "score" in node.output and node.op_type == "Sigmoid"]
    if not places:
        raise ValueError(f"no sigmoid makes the score of {source}")
    last = graph.node[places[0]]
    before = last.input[0]
    last.input[0] = "score_shifted"
    for name, values in (("score_steepness", calibration.steepness), ("score_shift", calibration.shift)):
        graph.initializer.append(numpy_helper.from_array(values[None].astype(np.float32), name))
    graph.node.insert(places[0], helper.make_node("Mul", [before, "score_steepness"], ["score_steep"]))
    graph.node.insert(places[0] + 1, helper.make_node("Add", ["score_steep", "score_shift"], ["score_shifted"]))
    onnx.checker.check_model(model)
    onnx.save(model, target)


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask, fit, print before and after; write the calibrated pair where --out says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="folder of an exported pair")
    parser.add_argument("--stills", type=Path, required=True, help="folder of NAME.jpg with NAME.npz")
    parser.add_argument("--out", type=Path, help="folder for the calibrated decoder")
    chosen = parser.parse_args(arguments)
    network, rng = BareNetwork(chosen.weights), np.random.RandomState(1)
    asked = [ask_still(network, still, rng) for still in read_watch_folder(chosen.stills) if len(still.masks)]
    calibration, apart = choose(asked)
    fitted = [Asked(calibration.apply(still.predicted), still.measured) for still in asked]
    for name, stills in (("before", asked), ("left out", foretell(asked, apart)), ("fitted", fitted)):
        figures = "  ".join(f"{key} {value:+.3f}" for key, value in describe(stills).items())
        print(f"{name:9} {figures}")  # noqa: T201
    print(f"steepness {calibration.steepness.round(3)} shift {calibration.shift.round(3)}")  # noqa: T201
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        write_calibrated(chosen.weights / "stillnet_decoder.onnx", chosen.out / "stillnet_decoder.onnx", calibration)


if __name__ == "__main__":
    main()
