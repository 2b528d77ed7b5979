"""Measuring on a GPU: the whole of it with tiny models on the processor, and how figures are kept and judged."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from measure.gpu import judge, measure
from measure.gpu_desk import Report, Unmeasured
from measure.gpu_parts import Bench

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get("STILLTO3D_MODELS_PYTHON", ROOT / ".venv-models" / "bin" / "python"))


def test_a_part_that_fails_leaves_words_and_what_was_found_before(tmp_path: Path) -> None:
    report = Report(tmp_path / "gpu.json", 1000)
    with report.part("models", "one") as figures:
        figures["load_s"] = 2.0
        raise RuntimeError("no such kernel")
    with report.part("models", "two") as figures:
        figures["load_s"] = 3.0
    told = json.loads((tmp_path / "gpu.json").read_text())["models"]
    assert told["one"]["load_s"] == 2.0 and told["one"]["failed"] == "RuntimeError: no such kernel"
    assert told["two"]["load_s"] == 3.0 and "failed" not in told["two"]


def test_what_no_time_is_left_for_is_said(tmp_path: Path) -> None:
    report = Report(tmp_path / "gpu.json", 5)
    report.require(1)
    with pytest.raises(Unmeasured, match="no time was left"):
        report.require(100)


def test_limits_are_judged_by_what_was_measured_alone() -> None:
    found = judge(
        {
            "clicks": {
                "idle": {"click_ms": 10.0},
                "bare": {"bare_decode_ms": 6.0, "bare_masks_ms": 7.0},
                "during depth-pro": {"click_ms": 21.0},
            },
            "models": {"a": {"depth": {"warm_start_ms": 3.0}, "cancel": {"given_back_s": 4.0}, "took_s": 9.0}},
        }
    )
    assert {name: one["kept"] for name, one in found.items()} == {
        "click beside bare_decode_ms": False,
        "click beside bare_masks_ms": True,
        "click during depth-pro": False,
        "warm start of a": True,
        "memory back from a": False,
    }


@pytest.mark.skipif(not PYTHON.exists(), reason="needs the models' environment: make setup-models")
@pytest.mark.keeps_workers
@pytest.mark.noisy
def test_tiny_models_are_measured_on_the_processor(tmp_path: Path) -> None:
    """Everything runs; what needs a GPU says so, and limits are judged."""
    bench = Bench(str(PYTHON), "cpu", 24.0, 96, 64, calls=1, splats=50, network_sides=(64,))
    report = Report(tmp_path / "gpu.json", 280)
    builder = ROOT / "tests" / "support" / "tiny_models.py"
    measure(["sam2.1-tiny", "real-esrgan-x4plus"], bench, report, builder)
    told = json.loads((tmp_path / "gpu.json").read_text())
    segmenter, upscaler = (told["models"][name] for name in ("sam2.1-tiny", "real-esrgan-x4plus"))
    assert segmenter["click"]["ms"] > 0 and segmenter["load_s"] > 0
    assert upscaler["cancel"]["state"] in ("CANCELLED", "DONE") and upscaler["cancel"]["same_worker"]
    assert told["clicks"]["bare"]["bare_decode_ms"] > 0
    assert "GPU" in told["splats"]["engine"]["failed"] and "GPU" in told["memory_runs_out"]["failed"]
    assert told["network"]["64x32"]["torch_float32_encode_ms"] > 0
    assert {"click beside bare_decode_ms", "warm start of real-esrgan-x4plus"} <= set(told["limits"])
