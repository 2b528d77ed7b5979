"""Bare calls of models on a GPU, without the product: what its own figures are held against.

Run with an interpreter that has PyTorch: `python gpu_bare.py TASK DEVICE CALLS ...` prints one line of JSON. `hold`
keeps video memory until its input closes.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

WARM_UPS = 3
CHUNK = 256 << 20


def time_calls(torch: Any, device: str, calls: int, call: Callable[[], Any]) -> float:
    """Milliseconds of a call, the median of several after some that do not count; the GPU has finished each."""
    times = []
    for k in range(WARM_UPS + calls):
        begun = time.perf_counter()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        if k >= WARM_UPS:
            times.append(1000 * (time.perf_counter() - begun))
    return round(statistics.median(times), 3)


def start(device: str) -> Any:
    """PyTorch without gradients."""
    import torch

    torch.set_grad_enabled(False)
    torch.manual_seed(0)
    return torch


def find_version(name: str) -> str:
    """The version of a package; "" where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def tell_facts(device: str, calls: int) -> dict[str, Any]:
    """Versions, and what the card is."""
    torch = start(device)
    names = ("transformers", "spandrel", "gsplat", "onnxruntime")
    facts = {"torch": torch.__version__, "cuda": torch.version.cuda, **{name: find_version(name) for name in names}}
    return {**facts, "python": sys.version.split()[0], "gpu": torch.cuda.get_device_name() if device == "cuda" else ""}


def call_sam2(device: str, calls: int, folder: str, width: str, height: str) -> dict[str, Any]:
    """SAM 2.1: the still's embedding; the decoder alone; and the decoder with masks of the still's size at hand."""
    torch = start(device)
    from transformers import Sam2Model

    model = Sam2Model.from_pretrained(folder, local_files_only=True).to(device).eval()
    side = json.loads((Path(folder) / "preprocessor_config.json").read_text())["size"]
    picture = torch.rand(1, 3, side["height"], side["width"], device=device)
    embeddings = model.get_image_embeddings(picture)
    labels = torch.ones(1, 1, 1, dtype=torch.int32, device=device)

    def decode() -> Any:
        points = torch.rand(1, 1, 1, 2).mul_(side["width"]).to(device)
        told = model(image_embeddings=embeddings, input_points=points, input_labels=labels, multimask_output=True)
        return told.pred_masks[0, 0]

    def mask() -> Any:
        size = int(height), int(width)
        planes = torch.nn.functional.interpolate(decode()[None].float(), size, mode="bilinear")[0]
        return (planes > 0).to(torch.uint8).mul_(255).cpu().numpy()

    return {
        "bare_encode_ms": time_calls(torch, device, calls, lambda: model.get_image_embeddings(picture)),
        "bare_decode_ms": time_calls(torch, device, calls, decode),
        "bare_masks_ms": time_calls(torch, device, calls, mask),
    }


def call_gsplat(device: str, calls: int, file: str) -> dict[str, Any]:
    """gsplat: a frame on the card, and a frame in the machine's memory. `file` holds splats and camera (npz)."""
    torch = start(device)
    import gsplat
    import numpy as np

    told = dict(np.load(file))
    size = [int(n) for n in told.pop("size")]
    parts = {name: torch.from_numpy(value).to(device) for name, value in told.items()}

    def draw() -> Any:
        colours, alphas, _ = gsplat.rasterization(
            means=parts["means"],
            quats=parts["rotations"],
            scales=parts["scales"],
            opacities=parts["opacity"],
            colors=parts["sh"],
            sh_degree=round(parts["sh"].shape[1] ** 0.5) - 1,
            viewmats=parts["view"][None],
            Ks=parts["lens"][None],
            width=size[0],
            height=size[1],
            near_plane=0.01,
            far_plane=1e10,
            render_mode="RGB+ED",
        )
        return colours[0], alphas[0]

    frame = time_calls(torch, device, calls, draw)
    return {
        "bare_frame_ms": frame,
        "bare_frame_in_memory_ms": time_calls(torch, device, calls, lambda: [part.cpu() for part in draw()]),
    }


def call_network(device: str, calls: int, weights: str, height: str, width: str) -> dict[str, Any]:
    """Our own network: PyTorch with random weights in several precisions, onnxruntime with the ones that ship."""
    torch = start(device)
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from training.net import MAPS, StillNet

    size = int(height), int(width)
    figures: dict[str, Any] = {"picture": list(size)}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16), ("float16", torch.float16)):
        if device == "cpu" and dtype is not torch.float32:
            continue
        try:
            net = StillNet().eval().to(device, dtype, memory_format=torch.channels_last)
            picture = torch.rand(1, 3, *size, device=device).to(dtype, memory_format=torch.channels_last)
            maps = torch.rand(1, MAPS, size[0] // 4, size[1] // 4, device=device).to(dtype)
            features = net.encoder(picture)[:4]
            figures[f"torch_{name}_encode_ms"] = time_calls(torch, device, calls, partial(net.encoder, picture))
            figures[f"torch_{name}_decode_ms"] = time_calls(torch, device, calls, partial(net.decoder, features, maps))
        except Exception as error:
            figures[f"torch_{name}_failed"] = f"{type(error).__name__}: {error}"
    figures["onnxruntime"] = _call_sessions(torch, calls, Path(weights), size)
    return figures


def _call_sessions(torch: Any, calls: int, weights: Path, size: tuple[int, int]) -> dict[str, Any]:
    """The same through onnxruntime on every device that it has."""
    try:
        import numpy as np
        import onnxruntime
    except ImportError as error:
        return {"failed": str(error)}
    there = onnxruntime.get_available_providers()
    figures: dict[str, Any] = {"version": onnxruntime.__version__, "providers": there}
    for provider in ("CUDAExecutionProvider", "CPUExecutionProvider"):
        if provider not in there:
            figures[provider] = "not in this build"
            continue
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        encoder, decoder = (
            onnxruntime.InferenceSession(str(weights / f"stillnet_{part}.onnx"), options, providers=[provider])
            for part in ("encoder", "decoder")
        )
        picture = np.random.default_rng(0).random((1, 3, *size), np.float32)
        names = ["s2", "p4", "p8", "p16"]
        features = dict(zip(names, encoder.run(names, {"x": picture})))
        features["m"] = np.zeros((1, 8, size[0] // 4, size[1] // 4), np.float32)
        figures[provider] = {
            "encode_ms": time_calls(torch, "cpu", calls, partial(encoder.run, None, {"x": picture})),
            "decode_ms": time_calls(torch, "cpu", calls, partial(decoder.run, None, features)),
        }
    return figures


def hold(device: str, calls: int, spare: str) -> dict[str, Any]:
    """Take the card's memory by plain allocations until `spare` bytes are free, and keep it until the input closes."""
    torch = start(device)
    kept = []
    while torch.cuda.mem_get_info()[0] > int(spare) + CHUNK:
        kept.append(torch.empty(CHUNK, dtype=torch.uint8, device=device))
    sys.stdout.write(json.dumps({"free": torch.cuda.mem_get_info()[0], "held": len(kept) * CHUNK}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    return {}


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "facts": tell_facts,
    "sam2": call_sam2,
    "gsplat": call_gsplat,
    "network": call_network,
    "hold": hold,
}

if __name__ == "__main__":
    task, place, count, *rest = sys.argv[1:]
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache  # else it lies among everybody's files
        sys.stdout.write(json.dumps(TASKS[task](place, int(count), *rest)) + "\n")
