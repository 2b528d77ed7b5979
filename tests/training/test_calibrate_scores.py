"""Scores become honest, keep their order, and the graph says what the map says."""

from __future__ import annotations

import numpy as np
import pytest

from training.calibrate_scores import Asked, Calibration, choose, describe, fit, foretell, take_logits, write_calibrated


def make_asked(stills=12, clicks=20, lean=(1.0, 1.0, 1.0), seed=0):
    """Measured IoUs, and scores whose logits say too much: twice as steep, and leaning upwards."""
    rng = np.random.default_rng(seed)
    asked = []
    for _ in range(stills):
        measured = rng.beta(2, 2, (clicks, 3))
        asked.append(Asked(1 / (1 + np.exp(-(2 * take_logits(measured) + np.array(lean)))), measured))
    return asked


def test_one_map_undoes_one_lie():
    asked = make_asked()
    calibration, apart = choose(asked)
    assert calibration.steepness == pytest.approx([0.5] * 3, abs=0.02)
    assert calibration.shift == pytest.approx([-0.5] * 3, abs=0.02)
    assert abs(describe(foretell(asked, apart))["bias"]) < 0.005 < describe(asked)["bias"]


def test_candidates_that_lie_apart_are_mapped_apart():
    calibration, apart = choose(make_asked(lean=(2.0, 0.0, -1.0)))
    assert apart and calibration.shift == pytest.approx([-1.0, 0.0, 0.5], abs=0.03)


def test_the_map_always_rises():
    upside_down = [Asked(1 - still.measured, still.measured) for still in make_asked()]
    calibration = fit(upside_down, apart=True)
    assert (calibration.steepness > 0).all()
    scores = np.repeat(np.linspace(0, 1, 11)[:, None], 3, axis=1)
    assert (np.diff(calibration.apply(scores), axis=0) > 0).all()


def test_the_graph_says_what_the_map_says(tmp_path):
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    shape = helper.make_tensor_value_info("raw", TensorProto.FLOAT, [1, 3])
    score = helper.make_tensor_value_info("score", TensorProto.FLOAT, [1, 3])
    graph = helper.make_graph([helper.make_node("Sigmoid", ["raw"], ["score"])], "decoder", [shape], [score])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "before.onnx")
    calibration = Calibration(np.array([0.5, 1.0, 2.0]), np.array([-1.0, 0.0, 0.3]))
    write_calibrated(tmp_path / "before.onnx", tmp_path / "after.onnx", calibration)
    session = onnxruntime.InferenceSession(str(tmp_path / "after.onnx"), providers=["CPUExecutionProvider"])
    raw = np.array([[-2.0, 0.4, 1.5]], np.float32)
    wanted = calibration.apply(1 / (1 + np.exp(-raw.astype(np.float64))))
    np.testing.assert_allclose(session.run(["score"], {"raw": raw})[0], wanted, atol=1e-5)


def test_a_decoder_without_a_sigmoid_is_refused(tmp_path):
    import onnx
    from onnx import TensorProto, helper

    raw, score = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in ("raw", "score"))
    graph = helper.make_graph([helper.make_node("Relu", ["raw"], ["score"])], "decoder", [raw], [score])
    onnx.save(helper.make_model(graph, ir_version=8), tmp_path / "before.onnx")
    with pytest.raises(ValueError, match="no sigmoid"):
        write_calibrated(tmp_path / "before.onnx", tmp_path / "after.onnx", Calibration(np.ones(3), np.zeros(3)))
