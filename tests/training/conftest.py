"""These tests need PyTorch: `make train-smoke` runs them in .venv-models; elsewhere there is nothing to collect."""

import importlib.util
import os
import tempfile
from pathlib import Path

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["test_*.py"]

# PyTorch's compiler makes this folder when it is imported; not among the temporary files that a test leaves behind
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(Path(tempfile.gettempdir()) / "torchinductor"))

if not collect_ignore_glob:
    import torch

    torch.set_num_threads(2)
