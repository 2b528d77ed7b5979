"""Writes a trained network as two ONNX files of any picture size, stored in half precision, proven equal first."""

from __future__ import annotations

import argparse
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .checkpoint import read_network
from .net import MAPS, Encoder, StillNet

OPSET = 17
TOLERANCE = 1e-4  # largest difference between the network and its graph, relative to 1 + the value
SIZES = ((320, 512), (512, 224))  # h, w that the graphs are proven at
HALVED_FROM = 256  # numbers in a constant from which it is stored in half precision
ENCODER_OUT = ["s2", "p4", "p8", "p16", "geo", "cam"]
DECODER_IN = ["s2", "p4", "p8", "p16", "m"]
STRIDES = {"s2": 2, "p4": 4, "p8": 8, "p16": 16, "m": 4}


class _Encode(nn.Module):
    """The encoder with its coordinates drawn from the picture's size, as the graph has it."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.encoder(x))


class _Decode(nn.Module):
    """The decoder with flat inputs."""

    def __init__(self, net: StillNet) -> None:
        super().__init__()
        self.decoder = net.decoder

    def forward(self, s2: Tensor, p4: Tensor, p8: Tensor, p16: Tensor, m: Tensor) -> tuple[Tensor, Tensor]:
        mask, score = self.decoder((s2, p4, p8, p16), m)
        return mask, score


def trace_graphs(net: StillNet) -> tuple[Any, Any]:
    """Encoder and decoder as ONNX models, single precision, height and width left open."""
    import onnx

    net = net.float().eval()
    x = torch.rand(1, 3, 96, 160, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        features = net.encoder(x)[:4]
    maps = torch.rand(1, MAPS, 24, 40, generator=torch.Generator().manual_seed(1))
    models = []
    for module, inputs, names, outputs in (
        (_Encode(net.encoder), (x,), ["x"], ENCODER_OUT),
        (_Decode(net), (*features, maps), DECODER_IN, ["mask", "score"]),
    ):
        file = io.BytesIO()
        axes = {name: {2: f"h{STRIDES.get(name, 1)}", 3: f"w{STRIDES.get(name, 1)}"} for name in names}
        with warnings.catch_warnings():  # of tracing; what it gives is compared with the network afterwards
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module.eval(),
                inputs,
                file,
                opset_version=OPSET,
                input_names=names,
                output_names=outputs,
                dynamic_axes=axes,
                dynamo=False,
            )
        models.append(onnx.load_from_string(file.getvalue()))
    return models[0], models[1]


def halve_weights(model: Any) -> Any:
    """The same graph with every large constant stored as f16 behind a Cast, which runtimes fold at load."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    graph = model.graph
    for constant in list(graph.initializer):
        if constant.data_type != TensorProto.FLOAT or np.prod(constant.dims) <= HALVED_FROM:
            continue
        name, values = constant.name, numpy_helper.to_array(constant)
        graph.initializer.remove(constant)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def run_graph(model: Any, inputs: dict[str, np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
    """What onnxruntime makes of it, on two threads of the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    answers: list[np.ndarray[Any, Any]] = session.run(None, inputs)
    return answers


def measure_difference(net: StillNet, encoder: Any, decoder: Any) -> float:
    """The largest |graph - network| / (1 + |network|) over all outputs at SIZES."""
    worst = 0.0
    generator = torch.Generator().manual_seed(2)
    for height, width in SIZES:
        x = torch.rand(1, 3, height, width, generator=generator)
        maps = torch.rand(1, MAPS, height // 4, width // 4, generator=generator)
        with torch.no_grad():
            seen = net.encoder(x)
            told = net.decoder(seen[:4], maps)
        graph_seen = run_graph(encoder, {"x": x.numpy()})
        inputs = dict(zip(DECODER_IN, [*(s.numpy() for s in seen[:4]), maps.numpy()], strict=True))
        graph_told = run_graph(decoder, inputs)
        for mine, theirs in zip([*seen, *told], [*graph_seen, *graph_told], strict=True):
            gap = np.abs(mine.numpy() - theirs) / (1 + np.abs(mine.numpy()))
            worst = max(worst, float(gap.max()))
    return worst


def export_network(net: StillNet, folder: Path) -> tuple[float, float]:
    """Write stillnet_encoder.onnx and stillnet_decoder.onnx; the differences in single and in half storage.

    Raises ValueError when the graphs do not answer as the network does.
    """
    import onnx

    encoder, decoder = trace_graphs(net)
    exact = measure_difference(net, encoder, decoder)
    if not exact <= TOLERANCE:
        raise ValueError(f"the graphs differ from the network by {exact:.2e}")
    encoder, decoder = halve_weights(encoder), halve_weights(decoder)
    halved = measure_difference(net, encoder, decoder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, model in (("encoder", encoder), ("decoder", decoder)):
        model.producer_version = ""  # the bytes shall not depend on the tool's version
        onnx.checker.check_model(model)
        (folder / f"stillnet_{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
    return exact, halved


def main(words: Sequence[str] | None = None) -> None:
    """Export as a command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="folder that training wrote")
    parser.add_argument("folder", type=Path, help="where the two ONNX files go")
    parser.add_argument("--which", choices=("average", "best", "network"), default="average")
    arguments = parser.parse_args(words)
    net = StillNet()
    net.load_state_dict(read_network(arguments.checkpoint, arguments.which))
    exact, halved = export_network(net, arguments.folder)
    print(f"graphs differ from the network by {exact:.1e}, with halved weights by {halved:.1e}")  # noqa: T201


if __name__ == "__main__":
    main()
