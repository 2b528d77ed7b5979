"""What adapters of spandrel's models share: tensors alone out of a file, and the library without torchvision."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path
from typing import Any, Dict, Tuple

from ..errors import MissingWeights
from .pytorch import start_torch

ARCHIVES = (".pt",)  # TorchScript, perhaps


def open_model(weights: Path, device: str) -> Tuple[Any, Any, Any]:
    """PyTorch, the device and spandrel's description of the one model in a folder, ready to infer."""
    torch, place = start_torch(device)
    files = sorted(path for path in weights.iterdir() if path.suffix in (".pt", ".pth", ".safetensors"))
    if not files:
        raise MissingWeights("its file of weights is missing.")
    stand_in_for_torchvision()
    from spandrel import ModelLoader, UnsupportedModelError, canonicalize_state_dict

    try:
        state = canonicalize_state_dict(read_tensors(torch, files[0]))
        described = ModelLoader(place).load_from_state_dict(state)
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, UnsupportedModelError) as error:
        raise MissingWeights("its file cannot be read (" + (str(error).splitlines() or ["?"])[0] + ").") from error
    described.eval()
    return torch, place, described


def read_tensors(torch: Any, path: Path) -> Dict[str, Any]:
    """The tensors of a file by name. Pickles are read by PyTorch's restricted unpickler; code is never run."""
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(str(path))
    if path.suffix in ARCHIVES:
        try:
            return torch.jit.load(str(path), map_location="cpu").state_dict()
        except RuntimeError:  # no TorchScript
            pass
    import pickle

    try:
        return torch.load(str(path), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError("it holds more than tensors") from error


def stand_in_for_torchvision() -> None:
    """Let spandrel be imported where torchvision is missing or does not fit PyTorch: our models call none of it."""
    try:
        importlib.import_module("torchvision.transforms.functional")
    except (ImportError, RuntimeError):
        for name in ("torchvision", "torchvision.transforms", "torchvision.transforms.functional"):
            sys.modules[name] = types.ModuleType(name)
        functional = sys.modules["torchvision.transforms.functional"]
        for name in ("InterpolationMode", "rotate", "normalize"):
            setattr(functional, name, None)
