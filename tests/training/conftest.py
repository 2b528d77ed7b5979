"""These tests need PyTorch, which the product's own environment has not."""

import importlib.util
import os
import tempfile
from pathlib import Path

TORCH = importlib.util.find_spec("torch") is not None
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(Path(tempfile.gettempdir()) / "torchinductor"))

if TORCH:
    import torch

    torch.set_num_threads(2)
