"""An installed wheel works from any folder, whatever lies in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = 'raise SystemExit("a file beside the still was run")\n'


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app as a wheel, built with what is installed here."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a fresh environment that holds the wheel, and this environment's dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    command = ["--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *command], check=True, capture_output=True)
    scheme = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", "venv", vars=scheme))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "stillto3d"


@pytest.fixture
def hostile_folder(tmp_path: Path) -> Path:
    for name in ("queue", "json", "numpy", "stillto3d", "vtkmodules", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(HOSTILE)
    return tmp_path


def run_command(command: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return subprocess.run(
        [str(command), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_wheel_holds_the_app_and_its_resources_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    folders = {name.split("/")[0] for name in names}
    assert len(folders) == 2 and "stillto3d" in folders
    for needed in (
        "weights/stillnet_encoder.onnx",
        "models/codecs.toml",
        "i18n/zh_CN/LC_MESSAGES/stillto3d.mo",
    ):
        assert f"stillto3d/resources/{needed}" in names
    assert not [name for name in names if name.endswith((".pyc", ".po.orig"))]


def test_an_installed_app_lists_its_models_among_hostile_files(installed, hostile_folder):
    listed = run_command(installed, "models", "list", "--json", folder=hostile_folder)
    assert listed.returncode == 0, listed.stderr
    models = {model["id"]: model for model in json.loads(listed.stdout)}
    assert models["stillnet-segmenter"]["state"] == "BUILTIN"


def test_an_installed_app_reads_a_still_among_hostile_files(installed, hostile_folder):
    """Through a worker, whose folder and path are its own."""
    import cv2
    import numpy as np

    cv2.imwrite(str(hostile_folder / "still.png"), np.full((20, 30, 3), 90, np.uint8))
    seen = run_command(installed, "inspect", "still.png", "--json", folder=hostile_folder)
    assert seen.returncode == 0, seen.stderr + seen.stdout
    assert "30" in seen.stdout and "20" in seen.stdout
