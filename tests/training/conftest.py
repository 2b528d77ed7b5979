"""These tests need PyTorch, which the product's own environment has not."""

import importlib.util
import os
import tempfile

TORCH = importlib.util.find_spec("torch") is not None
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", os.path.join(tempfile.gettempdir(), "torchinductor"))

if TORCH:
    import torch

    torch.set_num_threads(2)
