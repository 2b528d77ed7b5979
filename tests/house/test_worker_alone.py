"""A worker starts and loads with nothing on its path but the stdlib, numpy and its own folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import stillto3d
from stillto3d.worker import frames

WORKER = Path(frames.__file__).parent
ADAPTERS = sorted(
    ".".join(path.relative_to(WORKER).with_suffix("").parts)
    for path in (WORKER / "adapters").rglob("*.py")
    if path.name != "__init__.py"
)
GUARD = """
import importlib, sys
from pathlib import Path

folder = Path(sys.argv[1])
allowed = set(sys.stdlib_module_names) | {"numpy", "stillto3d_worker"}

class Guard:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ImportError(f"a worker imported {name}")
        return None

import numpy
sys.meta_path.insert(0, Guard())
spec = importlib.util.spec_from_file_location("boot", folder / "boot.py")
boot = importlib.util.module_from_spec(spec)
spec.loader.exec_module(boot)
boot.load_package()
for module in sys.argv[2:]:
    importlib.import_module("stillto3d_worker." + module)
"""


def test_a_worker_imports_nothing_but_the_stdlib_and_numpy(tmp_path):
    ran = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            "import importlib.util\n" + GUARD,
            str(WORKER),
            "frames",
            "errors",
            *ADAPTERS,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_the_guard_bites(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-I", "-c", "import importlib.util\n" + GUARD + "\nimport stillto3d", str(WORKER)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "a worker imported stillto3d" in ran.stderr


@pytest.mark.parametrize("path", sorted(WORKER.rglob("*.py")), ids=lambda path: path.name)
def test_a_worker_is_written_for_python_3_9(path):
    """Parsed as 3.9 would; with annotations postponed, newer type syntax in them is only text."""
    import ast

    source = path.read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 9))
    assert "from __future__ import annotations" in source or len(source.splitlines()) < 5
    newer = [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Match)]
    assert not newer


def test_the_package_itself_imports_nothing():
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import stillto3d"],
        capture_output=True,
        text=True,
        check=True,
    )
    ours = [line for line in ran.stderr.splitlines() if "numpy" in line or "stillto3d." in line]
    assert not ours and stillto3d.__version__
