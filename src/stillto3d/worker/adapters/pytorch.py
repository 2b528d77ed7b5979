"""What adapters of PyTorch models share: the device, a still as the model's picture, progress from within a forward."""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..errors import BadInput, MissingWeights

KEPT_STILLS = 2  # the still and its clean plate
MOST_THREADS = 4
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
Tick = Callable[..., None]


class Picturing(NamedTuple):
    """How a model wants to see a still: size in pixels, and the mean and spread of its colours (0 to 1)."""

    height: int
    width: int
    mean: Tuple[float, ...] = IMAGENET_MEAN
    std: Tuple[float, ...] = IMAGENET_STD


def start_torch(device: str) -> Tuple[Any, Any]:
    """PyTorch and the device to use. Raises BadInput where a GPU is asked for and none is there."""
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(Path.cwd() / "inductor"))  # else among everybody's files
    import torch

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise BadInput("This model's environment sees no GPU; install PyTorch with CUDA there, or choose the cpu.")
    torch.set_num_threads(max(1, min(MOST_THREADS, os.cpu_count() or 1)))
    torch.set_grad_enabled(False)
    torch.manual_seed(0)
    return torch, torch.device(device)


def require_folder(weights: Optional[Path]) -> Path:
    """The folder with the model's files. Raises MissingWeights."""
    if weights is None or not Path(weights).is_dir():
        raise MissingWeights("the folder with its files is missing.")
    return Path(weights)


def load_pretrained(kind: Any, weights: Path, device: Any, **options: Any) -> Any:
    """A model class of transformers with its weights, from safetensors in a folder alone, ready to infer."""
    import transformers
    from safetensors import SafetensorError

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        model, told = kind.from_pretrained(
            str(weights), local_files_only=True, use_safetensors=True, output_loading_info=True, **options
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise MissingWeights("its files cannot be read (" + str(error).splitlines()[0] + ").") from error
    missing = sorted(told["missing_keys"])
    if missing:  # the library would go on with random numbers there
        raise MissingWeights("its files lack " + str(len(missing)) + " of its parts, such as " + missing[0] + ".")
    return model.to(device).eval()


def fill_network(network: Any, path: Path) -> None:
    """Give a network of no library its weights from safetensors. Raises MissingWeights where parts are missing.

    Parts that share one tensor stand in such a file once.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_model

    try:
        missing, _ = load_model(network, str(path), strict=False)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise word_unreadable(error) from error
    if missing:  # upstream would go on with random numbers there
        lacking = sorted(missing)
        raise MissingWeights("its files lack " + str(len(lacking)) + " of its parts, such as " + lacking[0] + ".")


def word_unreadable(error: Exception) -> MissingWeights:
    """The words for files that a library cannot read."""
    return MissingWeights("its files cannot be read (" + (str(error).splitlines() or ["?"])[0] + ").")


def load_tokenizer(weights: Path) -> Any:
    """The model's tokenizer, from its folder alone. Raises MissingWeights."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(str(weights), local_files_only=True)
    except (OSError, ValueError) as error:
        raise MissingWeights("its tokenizer cannot be read (" + str(error).splitlines()[0] + ").") from error


def read_settings(weights: Path) -> Dict[str, Any]:
    """What the model's own files say of its picture."""
    told: Dict[str, Any] = {}
    for name in ("processor_config.json", "preprocessor_config.json"):
        path = weights / name
        if path.is_file():
            found = json.loads(path.read_text(encoding="utf-8"))
            told.update(found.get("image_processor", found))
    return told


def read_picturing(weights: Path, default: Picturing) -> Picturing:
    """The same as a picture's size and colours; `default` where the files say nothing."""
    told = read_settings(weights)
    size = told.get("pad_size") or told.get("size") or {}
    side = size.get("longest_edge") or size.get("shortest_edge")
    return Picturing(
        int(size.get("height") or side or default.height),
        int(size.get("width") or side or default.width),
        tuple(told.get("image_mean") or default.mean),
        tuple(told.get("image_std") or default.std),
    )


def draw_picture(
    torch: Any, still: np.ndarray, picturing: Picturing, device: Any, dtype: Any = None, mode: str = "bilinear"
) -> Any:
    """The still u8[H,W,3] as f32[1,3,h,w], resized (antialiased) and normalised as torchvision does."""
    pixels = torch.from_numpy(np.ascontiguousarray(still)).to(device).permute(2, 0, 1)[None]
    resized = resize_bytes(torch, pixels, picturing.height, picturing.width, mode)
    mean, std = (torch.tensor(v, device=device).view(1, -1, 1, 1) for v in (picturing.mean, picturing.std))
    picture = (resized.float() - mean * 255) / (std * 255)
    return picture if dtype is None else picture.to(dtype)


def resize_bytes(torch: Any, pixels: Any, height: int, width: int, mode: str = "bilinear") -> Any:
    """u8[1,C,H,W] -> u8[1,C,height,width], antialiased."""
    if tuple(pixels.shape[-2:]) == (height, width):
        return pixels
    resize, on_cpu = torch.nn.functional.interpolate, pixels.device.type == "cpu"
    resized = resize(pixels if on_cpu else pixels.float(), (height, width), mode=mode, antialias=True)
    return resized if on_cpu else resized.round().clamp(0, 255).to(torch.uint8)


@contextmanager
def tick_within(blocks: Sequence[Any], tick: Tick, start: float, end: float, steps: float) -> Iterator[None]:
    """Let each block of a network report before it runs: `tick` goes from start to end, and may cancel between."""
    count = max(1, len(blocks))

    def hook(k: int) -> Callable[..., None]:
        return lambda module, given: tick(start + (end - start) * k / count, steps)

    handles = [block.register_forward_pre_hook(hook(k)) for k, block in enumerate(blocks)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class Remembered:
    """The last values by still id."""

    def __init__(self, kept: int = KEPT_STILLS) -> None:
        self._values: OrderedDict[str, Any] = OrderedDict()
        self._kept = kept

    def find(self, still_id: Optional[str]) -> Any:
        """What was kept of a still; None for another."""
        if still_id is None or still_id not in self._values:
            return None
        self._values.move_to_end(still_id)
        return self._values[still_id]

    def keep(self, still_id: Optional[str], value: Any) -> Any:
        """Keep a value for a still; answers the value."""
        if still_id is not None:
            self._values[still_id] = value
            while len(self._values) > self._kept:
                self._values.popitem(last=False)
        return value
