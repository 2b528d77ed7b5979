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


QUESTIONS = {  # planes of the decoder's question that are not blank, and which map its scores go through
    "a click": ((0, 1), "click"),
    "a box": ((6, 7), "box"),
    "a click and an earlier mask": ((0, 1, 4, 5), None),
    "a click in a box": ((0, 1, 6, 7), None),
    "a box and an earlier mask": ((4, 5, 6, 7), None),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_graph_says_what_the_map_says(tmp_path, question):
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    raw, score = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in ("raw", "score"))
    maps = helper.make_tensor_value_info("m", TensorProto.FLOAT, [1, 8, "h", "w"])
    graph = helper.make_graph([helper.make_node("Sigmoid", ["raw"], ["score"])], "decoder", [raw, maps], [score])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "before.onnx")
    known = {
        "click": Calibration(np.array([0.5, 1.0, 2.0]), np.array([-1.0, 0.0, 0.3])),
        "box": Calibration(np.array([0.7, 1.1, 1.2]), np.array([0.6, 0.1, -0.2])),
    }
    write_calibrated(tmp_path / "before.onnx", tmp_path / "after.onnx", known["click"], known["box"])
    session = onnxruntime.InferenceSession(str(tmp_path / "after.onnx"), providers=["CPUExecutionProvider"])
    planes, kind = QUESTIONS[question]
    asked = np.zeros((1, 8, 4, 6), np.float32)
    asked[:, planes, 1, 2] = 0.97
    logits = np.array([[-2.0, 0.4, 1.5]], np.float32)
    plain = 1 / (1 + np.exp(-logits.astype(np.float64)))
    wanted = known[kind].apply(plain) if kind else plain
    np.testing.assert_allclose(session.run(["score"], {"raw": logits, "m": asked})[0], wanted, atol=1e-5)


def test_a_decoder_without_a_sigmoid_is_refused(tmp_path):
    import onnx
    from onnx import TensorProto, helper

    raw, score = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in ("raw", "score"))
    graph = helper.make_graph([helper.make_node("Relu", ["raw"], ["score"])], "decoder", [raw], [score])
    onnx.save(helper.make_model(graph, ir_version=8), tmp_path / "before.onnx")
    as_it_is = Calibration(np.ones(3), np.zeros(3))
    with pytest.raises(ValueError, match="no sigmoid"):
        write_calibrated(tmp_path / "before.onnx", tmp_path / "after.onnx", as_it_is, as_it_is)
