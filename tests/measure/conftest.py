"""What the tests of measuring share: a run whose rasteriser draws in this process."""

from __future__ import annotations

import numpy as np
import pytest

from stillto3d.engine.run import Run
from stillto3d.models.roles import Reply
from stillto3d.worker.adapters.builtin import rasterise


@pytest.fixture(scope="module")
def run():
    """A run whose rasteriser draws in this process."""
    operations = rasterise.load(None, "cpu")

    def answer(ask):
        replied = operations[ask.op](ask.arrays(), ask.params(), lambda *_: None)
        arrays = {name: value for name, value in replied.items() if isinstance(value, np.ndarray)}
        return ask.read(Reply({k: v for k, v in replied.items() if k not in arrays}, arrays))

    return Run.nothing(answer)
