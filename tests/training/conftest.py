"""These tests need PyTorch, which the product's own environment has not."""

import importlib.util

if importlib.util.find_spec("torch") is None:
    collect_ignore_glob = ["test_net.py", "test_clicks.py", "test_checkpoint.py", "test_export.py", "test_train.py", "test_watch.py"]
else:
    import torch

    torch.set_num_threads(2)
