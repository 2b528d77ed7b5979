"""What the read-me shows runs as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def test_the_python_example_runs(tmp_path):
    example = re.search(r"```python\n(.+?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert example
    still = np.full((480, 800, 3), (90, 120, 150), np.uint8)
    cv2.rectangle(still, (560, 330), (760, 470), (30, 40, 200), -1)
    cv2.imwrite(str(tmp_path / "kitchen.jpg"), still)
    ran = subprocess.run([sys.executable, "-c", example[1]], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert (tmp_path / "kitchen.s3d").stat().st_size > 1000
