"""Figures of stills to the figures of a run: eval.json, and the table on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from rich.table import Table

from .masks import IOU_KEYS, MaskScores
from .shots import PropFigures, ShotFigures

CAMERA_KEYS = ("gravity_deg", "horizon", "focal_log", "focal_landscape", "focal_portrait")
NETWORK_KEYS = ("network_abs_rel", "network_delta1")  # of the depth model alone
DEPTH_KEYS = ("abs_rel", "delta1", *NETWORK_KEYS, "constant_abs_rel", "constant_delta1")
METHODS = ("card", "ours", "ours_true_focal", "truth")
RESAMPLES = 10_000
Figures = dict[str, Any]


@dataclass
class StillFigures:
    """What was measured on one still."""

    name: str
    masks: MaskScores = field(default_factory=MaskScores)
    shot: ShotFigures = field(default_factory=ShotFigures)


def take(statistic: Callable[[Sequence[float]], Any], values: Iterable[float | None]) -> float | None:
    """A statistic of the values that are known; None if none is."""
    known = [value for value in values if value is not None]
    return float(statistic(known)) if known else None


def summarise(stills: Sequence[StillFigures]) -> Figures:
    """eval.json's figures over some stills (one still: its own).

    gravity_deg, height_error and silhouette_iou are medians, steps_down, score_correlation and watertight are
    over everything at once, the rest are means over stills (depth, camera, set) or over masks.
    """
    masks = MaskScores()
    for still in stills:
        masks.join(still.masks)
    shots = [still.shot for still in stills]
    return {
        "masks": {**masks.summarise(), "n": len(masks.ious["one_click"])},
        "depth": {key: take(np.mean, [shot.depth.get(key) for shot in shots]) for key in DEPTH_KEYS},
        "camera": summarise_cameras(shots),
        "props": summarise_props([prop for shot in shots for prop in shot.props]),
        "set": summarise_sets(shots),
        "n": len(stills),
    }


def summarise_cameras(shots: Sequence[ShotFigures]) -> Figures:
    """Median, mean and greatest error of gravity; medians of focal lengths by shape; means of the others."""
    values = {key: [shot.camera.get(key) for shot in shots] for key in CAMERA_KEYS}
    gravity = values["gravity_deg"]
    return {
        "gravity_deg": take(np.median, gravity),
        "gravity_deg_mean": take(np.mean, gravity),
        "gravity_deg_max": take(np.max, gravity),
        "roll_share": measure_roll_share(shots),
        "horizon": take(np.mean, values["horizon"]),
        "focal_log": take(np.mean, values["focal_log"]),
        "focal_landscape": take(np.median, values["focal_landscape"]),
        "focal_portrait": take(np.median, values["focal_portrait"]),
    }


def measure_roll_share(shots: Sequence[ShotFigures]) -> float | None:
    """How much of the true roll is answered: the slope of solved over true roll, through 0; None without any roll."""
    pairs = [(shot.camera.get("true_roll"), shot.camera.get("roll")) for shot in shots]
    known = [(true, solved) for true, solved in pairs if true is not None and solved is not None]
    weight = sum(true * true for true, _ in known)
    return sum(true * solved for true, solved in known) / weight if weight > 1e-6 else None


def summarise_props(props: Sequence[PropFigures]) -> Figures:
    """Medians over props; the object whose length was told is no evidence for heights."""
    judged = [prop for prop in props if not prop.reference]
    solid = [prop for prop in props if not prop.thin]
    return {
        "height_error": take(np.median, [prop.height_error for prop in judged]),
        "free_height_error": take(np.median, [prop.free_height_error for prop in judged]),
        "watertight": take(np.mean, [float(prop.watertight) for prop in props]),
        "silhouette_iou": take(np.median, [prop.silhouette_iou for prop in solid]),
        "silhouette_iou_min": take(np.min, [prop.silhouette_iou for prop in solid]),
        "thin_silhouette_iou": take(np.median, [prop.silhouette_iou for prop in props if prop.thin]),
        "shown": take(np.mean, [prop.shown for prop in props]),
        "far_error": take(np.median, [prop.far_error for prop in props]),
        "n": len(props),
    }


def summarise_sets(shots: Sequence[ShotFigures]) -> Figures:
    """Means over stills; `gain` is what ours gains over the card as a share of what the true depth gains."""
    plates = [shot.plate_psnr_db for shot in shots]
    views = [shot.views for shot in shots if shot.views]
    methods = {
        method: {
            "psnr_db": take(np.mean, [view[method].psnr_db for view in views]),
            "holes": take(np.mean, [view[method].holes for view in views]),
        }
        for method in METHODS
    }
    return {
        "plate_psnr_db": take(np.mean, plates),
        "plate_psnr_db_min": take(np.min, plates),
        "clicked_plate_psnr_db": take(np.mean, [shot.clicked_plate_psnr_db for shot in shots]),
        "second_view_psnr_db": methods["ours"]["psnr_db"],
        "holes": methods["ours"]["holes"],
        "gain": measure_gain(methods, "ours"),
        "gain_true_focal": measure_gain(methods, "ours_true_focal"),
        "methods": methods,
    }


def measure_gain(methods: Figures, name: str) -> float | None:
    """What a method gains over the card, as a share of what the true depth gains; None if that gains nothing."""
    card, own, true = (methods[key]["psnr_db"] for key in ("card", name, "truth"))
    if card is None or own is None or true is None or true <= card:
        return None
    return float((own - card) / (true - card))


def describe_still(still: StillFigures) -> Figures:
    """One still's figures, with those of each prop and each method."""
    summary = summarise([still])
    summary.pop("n")
    shot = still.shot
    summary["props"]["each"] = [asdict(prop) for prop in shot.props]
    summary["failures"] = shot.failures
    return summary


# --------------------------------------------------------------------------- limits, gains


def list_limits(figures: Figures) -> list[Figures]:
    """The figures that the samples bound, each {figure, value, limit, ok}; ok is None without truth."""
    camera, depth, props, made = (figures[key] for key in ("camera", "depth", "props", "set"))
    constant = depth["constant_abs_rel"]
    true_holes = made["methods"]["truth"]["holes"]
    rows: list[tuple[str, float | None, float | None, bool]] = [
        ("camera.gravity_deg (median)", camera["gravity_deg"], 3.0, False),
        ("camera.gravity_deg (each)", camera["gravity_deg_max"], 6.0, False),
        ("props.height_error (median)", props["height_error"], 0.2, False),
        ("depth.abs_rel", depth["abs_rel"], None if constant is None else 0.8 * constant, False),
        ("props.far_error (median)", props["far_error"], 0.25, False),
        ("props.silhouette_iou (median)", props["silhouette_iou"], 0.97, True),
        ("props.silhouette_iou (each)", props["silhouette_iou_min"], 0.9, True),
        ("set.plate_psnr_db (each)", made["plate_psnr_db_min"], 28.0, True),
        ("set.gain", made["gain"], 1 / 3, True),
        ("set.gain_true_focal", made["gain_true_focal"], 1 / 3, True),
        ("set.holes", made["holes"], None if true_holes is None else true_holes + 0.05, False),
        ("props.watertight", props["watertight"], 1.0, True),
    ]
    return [
        {"figure": name, "value": value, "limit": limit, "ok": judge(value, limit, at_least)}
        for name, value, limit, at_least in rows
    ]


def judge(value: float | None, limit: float | None, at_least: bool) -> bool | None:
    """Whether a value keeps its limit; None where either is unknown."""
    if value is None or limit is None:
        return None
    return value >= limit if at_least else value <= limit


def measure_gains(ours: Sequence[StillFigures], others: Sequence[StillFigures]) -> Figures:
    """What `ours` gains over `others` in each IoU: mean over masks, and 95 % by bootstrap over stills."""
    gains: Figures = {}
    for key in IOU_KEYS:
        pairs = [
            np.subtract(a.masks.ious[key], b.masks.ious[key])
            for a, b in zip(ours, others, strict=True)
            if a.masks.ious[key]
        ]
        gains[key] = bootstrap(pairs) if pairs else None
    return gains


def compare_depths(ours: Sequence[StillFigures], others: Sequence[StillFigures]) -> dict[str, float | None]:
    """Our mean AbsRel as a share of the other's, over the stills where both are known."""
    ratios: dict[str, float | None] = {}
    for key in ("abs_rel", "network_abs_rel"):
        pairs = [(a.shot.depth.get(key), b.shot.depth.get(key)) for a, b in zip(ours, others, strict=True)]
        known = [(a, b) for a, b in pairs if a is not None and b is not None]
        theirs = sum(b for _, b in known)
        ratios[key] = sum(a for a, _ in known) / theirs if theirs else None
    return ratios


def bootstrap(groups: Sequence[Any]) -> Figures:
    """The mean over all values of all groups, with the 2.5 and 97.5 % of means over resampled groups."""
    rng = np.random.default_rng(1)
    sums, counts = np.array([group.sum() for group in groups]), np.array([len(group) for group in groups])
    drawn = rng.integers(len(groups), size=(RESAMPLES, len(groups)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {"mean": float(sums.sum() / counts.sum()), "low": float(low), "high": float(high)}


# --------------------------------------------------------------------------- tables

TABLES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "masks": (
        ("1 click", "masks", "one_click"),
        ("best of 3", "masks", "best_of_three"),
        ("2", "masks", "clicks_2"),
        ("3", "masks", "clicks_3"),
        ("5", "masks", "clicks_5"),
        ("box", "masks", "box"),
        ("random", "masks", "random_click"),
        ("best", "masks", "random_best_of_three"),
    ),
    "scores": (
        ("Pearson", "masks", "score_correlation"),
        ("bias", "masks", "score_bias"),
        ("steps down", "masks", "steps_down"),
    ),
    "camera": (
        ("gravity", "camera", "gravity_deg"),
        ("horizon", "camera", "horizon"),
        ("roll's share", "camera", "roll_share"),
        ("ln f", "camera", "focal_log"),
        ("f, lying", "camera", "focal_landscape"),
        ("f, tall", "camera", "focal_portrait"),
    ),
    "depth": (
        ("AbsRel", "depth", "abs_rel"),
        ("constant", "depth", "constant_abs_rel"),
        ("network", "depth", "network_abs_rel"),
        ("delta1", "depth", "delta1"),
        ("network", "depth", "network_delta1"),
        ("constant", "depth", "constant_delta1"),
    ),
    "props": (
        ("height", "props", "height_error"),
        ("height, free", "props", "free_height_error"),
        ("silhouette", "props", "silhouette_iou"),
        ("shown", "props", "shown"),
        ("far side", "props", "far_error"),
        ("watertight", "props", "watertight"),
    ),
    "set": (
        ("plate dB", "set", "plate_psnr_db"),
        ("second view dB", "set", "second_view_psnr_db"),
        ("gain", "set", "gain"),
        ("gain, true f", "set", "gain_true_focal"),
        ("holes", "set", "holes"),
    ),
}


def draw_stills(rows: Sequence[tuple[str, Figures]]) -> Iterator[Table]:
    """One line per still that has a figure of the table."""
    for heading, columns in TABLES.items():
        table = Table(box=None, pad_edge=False, title=heading, title_justify="left")
        table.add_column("still", no_wrap=True)
        for title, _, _ in columns:
            table.add_column(title, justify="right", no_wrap=True)
        for name, figures in rows:
            values = [figures[group][key] for _, group, key in columns]
            if any(value is not None for value in values):
                table.add_row(name, *map(show, values))
        if table.row_count:
            yield table


def draw_limits(limits: Iterable[Figures]) -> Table:
    """The bounded figures."""
    table = Table("figure", "value", "limit", "", box=None, pad_edge=False)
    for row in limits:
        verdict = {True: "kept", False: "[bold]missed[/bold]", None: "unknown"}[row["ok"]]
        table.add_row(row["figure"], show(row["value"]), show(row["limit"]), verdict)
    return table


def show(value: float | None) -> str:
    """A figure in a table."""
    if value is None:
        return "-"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"
