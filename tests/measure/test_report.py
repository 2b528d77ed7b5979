"""Figures of stills become the figures of a run."""

from __future__ import annotations

import json

import numpy as np
import pytest
from rich.console import Console

from measure.masks import IOU_KEYS, MaskScores
from measure.report import (
    StillFigures,
    bootstrap,
    compare_depths,
    describe_still,
    draw_stills,
    list_limits,
    measure_gain,
    measure_gains,
    summarise,
)
from measure.shots import PropFigures, ShotFigures
from measure.views import View

MASK_KEYS = {*IOU_KEYS, "score_correlation", "score_bias", "steps_down"}
PROMISED = {
    "masks": MASK_KEYS,
    "depth": {"abs_rel", "delta1", "network_abs_rel", "network_delta1", "constant_abs_rel", "constant_delta1"},
    "camera": {"gravity_deg", "horizon", "focal_log", "focal_landscape", "focal_portrait", "roll_share"},
    "props": {"height_error", "watertight", "silhouette_iou"},
    "set": {"plate_psnr_db", "second_view_psnr_db", "holes"},
}


def make_prop(name, **fields):
    known = {
        "height_m": 1.0,
        "true_height_m": 1.0,
        "height_error": 0.1,
        "free_height_error": None,
        "reference": False,
        "thin": False,
        "watertight": True,
        "silhouette_iou": 0.98,
        "shown": 1.0,
        "far_error": 0.2,
    }
    return PropFigures(name, **(known | fields))


def make_still(name, gravity, iou, props=()):
    shot = ShotFigures(
        camera={"gravity_deg": gravity, "horizon": 0.1, "focal_log": 0.2},
        depth={"abs_rel": 0.1, "delta1": 0.9, "constant_abs_rel": 0.2, "constant_delta1": 0.5},
        props=list(props),
        plate_psnr_db=29.0,
        views={
            "card": View(20, 0.05),
            "ours": View(21, 0.06),
            "ours_true_focal": View(21.5, 0.06),
            "truth": View(22, 0.04),
        },
    )
    return StillFigures(name, MaskScores(ious={key: [iou, iou] for key in IOU_KEYS}), shot)


def test_the_promised_keys_are_there_and_missing_truth_is_null():
    empty = json.loads(json.dumps(summarise([StillFigures("nothing")])))
    for group, keys in PROMISED.items():
        assert keys <= set(empty[group])
        assert {empty[group][key] for key in keys} == {None}
    assert {row["ok"] for row in list_limits(empty)} == {None}


def test_medians_means_and_the_worst():
    stills = [make_still(str(k), gravity, 0.5) for k, gravity in enumerate((1.0, 2.0, 9.0))]
    camera = summarise(stills)["camera"]
    assert (camera["gravity_deg"], camera["gravity_deg_mean"], camera["gravity_deg_max"]) == (2, 4, 9)


def test_half_a_roll_is_answered_by_half():
    stills = [make_still(str(k), 1.0, 0.5) for k in range(3)]
    for still, true in zip(stills, (0.1, -0.05, None), strict=True):
        still.shot.camera |= {"true_roll": true, "roll": None if true is None else true / 2}
    assert summarise(stills)["camera"]["roll_share"] == pytest.approx(0.5)


def test_the_reference_proves_no_height_and_thin_props_no_silhouette():
    props = [
        make_prop("a", height_error=0.0, reference=True),
        make_prop("b", height_error=0.3, silhouette_iou=0.2, thin=True),
        make_prop("c", height_error=0.1, watertight=False),
        make_prop("d", height_error=None),
    ]
    figures = summarise([make_still("x", 1.0, 0.5, props)])["props"]
    assert figures["height_error"] == pytest.approx(0.2)
    assert figures["watertight"] == 0.75
    assert figures["silhouette_iou_min"] == 0.98 and figures["thin_silhouette_iou"] == 0.2


def test_limits_are_judged_both_ways():
    verdicts = {row["figure"]: row["ok"] for row in list_limits(summarise([make_still("x", 4.0, 0.5)]))}
    assert verdicts["camera.gravity_deg (median)"] is False
    assert verdicts["camera.gravity_deg (each)"] is True
    assert verdicts["set.plate_psnr_db (each)"] is True
    assert verdicts["set.gain"] is True
    assert verdicts["props.watertight"] is None


def test_the_gain_is_a_share_of_what_truth_gains():
    methods = {name: {"psnr_db": value} for name, value in (("card", 20), ("ours", 22), ("truth", 26))}
    assert measure_gain(methods, "ours") == pytest.approx(1 / 3)
    assert measure_gain(methods | {"truth": {"psnr_db": 19}}, "ours") is None
    assert measure_gain(methods | {"ours": {"psnr_db": None}}, "ours") is None


def test_gains_are_paired_and_resampled_over_stills():
    ours = [make_still(str(k), 1.0, 0.5 + 0.1 * k) for k in range(4)]
    others = [make_still(str(k), 1.0, 0.4 + 0.1 * k) for k in range(4)]
    gain = measure_gains(ours, others)["box"]
    assert list(gain.values()) == pytest.approx([0.1, 0.1, 0.1])
    wide = bootstrap([np.array([0.5]), np.array([-0.5])])
    assert wide["mean"] == 0 and wide["low"] == -0.5 and wide["high"] == 0.5


def test_the_interval_is_over_stills_and_the_same_every_time():
    rng = np.random.default_rng(3)
    groups = [np.full(5, value) for value in rng.normal(0.05, 0.1, 20)]
    gain = bootstrap(groups)
    assert gain == bootstrap(groups)
    error = np.std([group[0] for group in groups]) / np.sqrt(20)
    assert gain["high"] - gain["low"] == pytest.approx(2 * 1.96 * error, rel=0.1), "five masks of a still are one draw"


def test_depths_are_compared_where_both_are_known():
    ours, others = ([make_still(str(k), 1.0, 0.5) for k in range(3)] for _ in range(2))
    for still, value in zip(others, (0.2, 0.4, None), strict=True):
        still.shot.depth["abs_rel"] = value
    assert compare_depths(ours, others) == {"abs_rel": pytest.approx(0.2 / 0.6), "network_abs_rel": None}


def test_tables_leave_out_what_nobody_knows():
    console = Console(width=100, record=True)
    with console.capture() as shown:
        for table in draw_stills([("one", describe_still(StillFigures("one")))]):
            console.print(table)
    assert not shown.get().strip()
    with console.capture() as shown:
        for table in draw_stills([("one", describe_still(make_still("one", 1.0, 0.5)))]):
            console.print(table)
    assert "0.500" in shown.get() and "29.0" in shown.get()
