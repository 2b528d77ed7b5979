"""Makes a decoder's predicted IoU honest on stills: rising maps of its logits, fitted, judged, written into the graph.

`python -m training.calibrate_scores --weights DIR --stills DIR [--out DIR]` asks an exported pair about true masks:
one first click each (the deepest point, and some random ones), and boxes around them. To each of the two kinds of
question it fits sigmoid(a · logit + b) to the measured IoU by least squares: with one a and b, or with a pair for each
candidate, whichever foretells stills that it was not fitted to better (each still left out once). Which candidate is
an object and which a part is another matter for a click than for a box, so each kind has a map of its own; where an
earlier mask is given too, the scores stay as they are. Platt, Probabilistic outputs for support vector machines, 1999,
with an overlap in place of a class.
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
from measure.masks import Offer, at_pixel, correlate, find_deepest, jitter_box, measure_iou
from measure.truth import Bool

from .watch import WatchedStill, read_watch_folder

F64 = NDArray[np.float64]
CANDIDATES = 3
RANDOM_CLICKS = 3  # of a mask, beside the deepest point
BOXES = 3  # around a mask
MAPS = "m"  # the decoder's question f32[1, 8, h, w]
CLICK_MAP, EARLIER_MAP, BOX_MAP = 0, 5, 7  # of its planes, those that are blank where nothing was said
EDGE = 1e-3  # scores are kept this far from 0 and 1 before their logit is taken
STEEPNESS = (0.1, 4.0)  # of the map: rising, and no step
SHIFT = 4.0  # at most


@dataclass(frozen=True, eq=False)
class Asked:
    """Questions of a kind on one still: what was predicted of each candidate and what was measured, f64[n, 3]."""

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


def ask_still(network: BareNetwork, still: WatchedStill, rng: np.random.RandomState) -> tuple[Asked, Asked]:
    """Every mask of a still: clicked once, at its deepest point and at some random ones; and boxed."""
    segmenter = network.look(still.pixels)
    clicked: list[tuple[Offer, Bool]] = []
    boxed: list[tuple[Offer, Bool]] = []
    for mask in still.masks:
        ys, xs = np.nonzero(mask)
        places = [find_deepest(mask), *((int(xs[k]), int(ys[k])) for k in rng.randint(len(xs), size=RANDOM_CLICKS))]
        clicked += [(segmenter.click([at_pixel(*place)], None), mask) for place in places]
        boxed += [(segmenter.box(jitter_box(mask, rng)), mask) for _ in range(BOXES)]
    return measure_offers(clicked), measure_offers(boxed)


def measure_offers(offers: Sequence[tuple[Offer, Bool]]) -> Asked:
    """Candidates against the masks that were wanted."""
    predicted = [offer.scores for offer, _ in offers]
    measured = [[measure_iou(candidate, mask) for candidate in offer.masks] for offer, mask in offers]
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


def write_calibrated(source: Path, target: Path, click: Calibration, box: Calibration) -> None:
    """The decoder with both maps before its last sigmoid. Raises ValueError if no sigmoid makes its score."""
    import onnx

    model: Any = onnx.load(source)
    graph = model.graph
    places = [k for k, node in enumerate(graph.node) if "score" in node.output and node.op_type == "Sigmoid"]
    if not places:
        raise ValueError(f"no sigmoid makes the score of {source}")
    last = graph.node[places[0]]
    nodes = [*_tell_questions(graph), *_map_scores(graph, last.input[0], click, box)]
    last.input[0] = "score_shifted"
    for offset, node in enumerate(nodes):
        graph.node.insert(places[0] + offset, node)
    onnx.checker.check_model(model)
    onnx.save(model, target)


def _tell_questions(graph: Any) -> list[Any]:
    """Nodes that say whether clicks alone (`first_click`) or a box alone (`box_alone`) was given: f32[1, 1], 0 or 1."""
    from onnx import helper, numpy_helper

    def keep(name: str, values: NDArray[Any]) -> None:
        graph.initializer.append(numpy_helper.from_array(values, name))

    nodes = [helper.make_node("ReduceMax", [MAPS], ["said"], axes=[2, 3], keepdims=0)]
    keep("said_from", np.array(0.01, np.float32))
    keep("said_one", np.array(1, np.float32))
    nodes += [
        helper.make_node("Greater", ["said", "said_from"], ["said_or_not"]),
        helper.make_node("Cast", ["said_or_not"], ["said_flags"], to=1),
        helper.make_node("Sub", ["said_one", "said_flags"], ["unsaid_flags"]),
    ]
    for name, plane, source in (
        ("clicked", CLICK_MAP, "said_flags"),
        ("unclicked", CLICK_MAP, "unsaid_flags"),
        ("no_earlier", EARLIER_MAP, "unsaid_flags"),
        ("boxed", BOX_MAP, "said_flags"),
        ("unboxed", BOX_MAP, "unsaid_flags"),
    ):
        keep(f"{name}_plane", np.array([plane], np.int64))
        nodes.append(helper.make_node("Gather", [source, f"{name}_plane"], [name], axis=1))
    for name, first, second in (("first_click", "clicked", "unboxed"), ("box_alone", "boxed", "unclicked")):
        nodes.append(helper.make_node("Mul", [first, second], [f"{name}_or_more"]))
        nodes.append(helper.make_node("Mul", [f"{name}_or_more", "no_earlier"], [name]))
    return nodes


def _map_scores(graph: Any, before: str, click: Calibration, box: Calibration) -> list[Any]:
    """Nodes that make `score_shifted` f32[1, 3] of the score's logits: steepened and shifted as the question asks."""
    from onnx import helper, numpy_helper

    nodes = []
    for word, neutral, values in (
        ("steepness", 1.0, (click.steepness, box.steepness)),
        ("shift", 0.0, (click.shift, box.shift)),
    ):
        graph.initializer.append(numpy_helper.from_array(np.array([[neutral] * CANDIDATES], np.float32), f"{word}_0"))
        for number, (question, value) in enumerate(zip(("first_click", "box_alone"), values, strict=True)):
            more = numpy_helper.from_array((value - neutral)[None].astype(np.float32), f"{question}_{word}")
            graph.initializer.append(more)
            nodes += [
                helper.make_node("Mul", [question, more.name], [f"{question}_{word}_taken"]),
                helper.make_node("Add", [f"{word}_{number}", f"{question}_{word}_taken"], [f"{word}_{number + 1}"]),
            ]
    nodes.append(helper.make_node("Mul", [before, "steepness_2"], ["score_steep"]))
    nodes.append(helper.make_node("Add", ["score_steep", "shift_2"], ["score_shifted"]))
    return nodes


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask, fit, print before and after; write the calibrated pair where --out says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="folder of an exported pair")
    parser.add_argument("--stills", type=Path, required=True, help="folder of NAME.jpg with NAME.npz")
    parser.add_argument("--out", type=Path, help="folder for the calibrated decoder")
    chosen = parser.parse_args(arguments)
    network, rng = BareNetwork(chosen.weights), np.random.RandomState(1)
    asked = [ask_still(network, still, rng) for still in read_watch_folder(chosen.stills) if len(still.masks)]
    fitted = {}
    for kind, questions in zip(("click", "box"), zip(*asked, strict=True), strict=True):
        calibration, apart = choose(questions)
        fitted[kind] = calibration
        mapped = [Asked(calibration.apply(still.predicted), still.measured) for still in questions]
        for name, stills in (("before", questions), ("left out", foretell(questions, apart)), ("fitted", mapped)):
            figures = "  ".join(f"{key} {value:+.3f}" for key, value in describe(stills).items())
            print(f"{kind:5} {name:9} {figures}")  # noqa: T201
        print(f"steepness {calibration.steepness.round(3)} shift {calibration.shift.round(3)}")  # noqa: T201
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        name = "stillnet_decoder.onnx"
        write_calibrated(chosen.weights / name, chosen.out / name, fitted["click"], fitted["box"])


if __name__ == "__main__":
    main()
