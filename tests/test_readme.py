"""What the read-me shows in Python runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .test_cli import draw_room

ROOT = Path(__file__).parents[1]


def test_the_example_of_the_read_me_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    draw_room((800, 500)).save(tmp_path / "kitchen.jpg")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {"__name__": "example"})
    assert (tmp_path / "kitchen.s3d").stat().st_size > 1000
