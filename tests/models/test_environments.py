"""Environments: what is said of those that are missing, broken, old or pointed to; and one made from a local wheel."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stillto3d.errors import BadInput, Cancelled, CannotAccess
from stillto3d.models import environments as module
from stillto3d.models.environments import Environments, read_requirements
from stillto3d.models.states import State

from .conftest import Counting


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    """A list of one tiny package, whose wheel lies beside it."""
    folder = tmp_path / "envs"
    folder.mkdir()
    (folder / "tiny.lock").write_text("tinything==1.0\n")
    write_wheel(folder, "1.0")
    return folder


def write_wheel(folder: Path, version: str, name: str = "tinything") -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def made(locks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environments:
    """An environment made by uv from that wheel alone, without any network."""
    for name, value in {
        "UV_OFFLINE": "1",
        "UV_NO_INDEX": "1",
        "UV_FIND_LINKS": str(locks),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_TORCH_BACKEND": "cpu",
        "UV_PYTHON_DOWNLOADS": "never",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "PYTHON", sys.executable)
    environments = Environments(tmp_path / "made", locks=locks)
    environments.make("tiny", Counting())
    return environments


def test_an_environment_is_made_from_its_list(made: Environments) -> None:
    assert made.check("tiny").state is State.READY
    assert made.diagnose("tiny").faults == ()
    told = subprocess.run(
        [made.find_python("tiny"), "-I", "-c", "import tinything; print(tinything.VERSION)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "1.0\n"


def test_what_asks_for_too_much_is_installed_without_it(made: Environments, locks: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(locks / "greedy-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("greedy.py", "")
        metadata = "Metadata-Version: 2.1\nName: greedy\nVersion: 1.0\nRequires-Dist: nowhere-to-be-found\n"
        wheel.writestr("greedy-1.0.dist-info/METADATA", metadata)
        wheel.writestr("greedy-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("greedy-1.0.dist-info/RECORD", "")
    (locks / "tiny.alone.lock").write_text("greedy==1.0\n")
    write_wheel(locks, "2.0", "behind")
    (locks / "tiny.upstream.lock").write_text("behind==2.0\n")
    assert made.check("tiny").state is State.OUTDATED
    assert set(made.diagnose("tiny").faults) >= {"greedy is missing", "behind is missing"}
    made.make("tiny", Counting())
    assert made.check("tiny").state is State.READY and made.diagnose("tiny").faults == ()


def test_a_broken_environment_says_what_is_broken_and_how_to_repair_it(
    made: Environments, locks: Path, tmp_path: Path
) -> None:
    (package,) = (tmp_path / "made" / "tiny").rglob("METADATA")
    package.write_text(package.read_text().replace("Version: 1.0", "Version: 0.9"))
    other = made.diagnose("tiny")
    assert other.faults == ("tinything is 0.9, not 1.0",) and "models environment tiny" in other.remedy
    package.unlink()
    for rest in package.parent.iterdir():
        rest.unlink()
    package.parent.rmdir()
    assert made.diagnose("tiny").faults == ("tinything is missing",)
    (locks / "tiny.lock").write_text("tinything==1.1\n")
    old = made.check("tiny")
    assert old.state is State.OUTDATED and "older list" in old.reason
    made.find_python("tiny").unlink()
    assert made.check("tiny").state is State.BROKEN and made.diagnose("tiny").faults
    write_wheel(locks, "1.1")
    made.make("tiny", Counting())
    assert made.check("tiny").state is State.READY and made.diagnose("tiny").faults == ()


def test_a_failed_making_leaves_the_old_one(made: Environments, locks: Path, tmp_path: Path) -> None:
    (locks / "tiny.lock").write_text("tinything==7.7\n")
    with pytest.raises(CannotAccess, match=r"could not be made: .*7\.7"):
        made.make("tiny", Counting())
    assert made.find_python("tiny").exists() and made.check("tiny").state is State.OUTDATED
    assert {path.name for path in (tmp_path / "made").iterdir()} == {"tiny"}


def test_a_cancelled_making_ends_uv(made: Environments, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stop(Counting):
        def check(self) -> None:
            raise Cancelled

    monkeypatch.setattr(module, "find_uv", lambda: sys.executable)
    monkeypatch.setattr(module, "PYTHON", "x")
    with pytest.raises(Cancelled):
        module.run_uv(["-c", "import time; time.sleep(60)"], "tiny", Stop())


def test_what_is_said_of_one_that_is_not_there(tmp_path: Path, locks: Path) -> None:
    environments = Environments(tmp_path / "made", {"theirs": str(tmp_path / "gone")}, locks)
    assert environments.check("tiny").state is State.NOT_INSTALLED
    by_hand = environments.check("trellis")
    assert by_hand.state is State.NOT_INSTALLED and "by hand" in by_hand.reason and "trellis=PATH" in by_hand.remedy
    gone = environments.check("theirs")
    assert gone.state is State.BROKEN and "gone" in gone.reason and gone.remedy
    with pytest.raises(BadInput):
        environments.make("trellis", Counting())
    with pytest.raises(CannotAccess, match="offline"):
        Environments(tmp_path / "made", locks=locks, offline=True).make("tiny", Counting())


def test_an_interpreter_that_is_pointed_to_is_looked_into(tmp_path: Path, locks: Path) -> None:
    environments = Environments(tmp_path, {"models": sys.executable, "odd": str(locks / "tiny.lock")}, locks)
    assert environments.check("models").state is State.READY
    assert environments.diagnose("models").faults == ()
    odd = environments.diagnose("odd")
    assert "does not start" in odd.faults[0] and "interpreters" in odd.remedy


def test_requirements_are_read_without_other_systems() -> None:
    lock = "# list\ntorch==2.13.0\nnumpy==2.4.6 ; sys_platform == 'win32'\ntorchvision==0.28.0+cpu\n-e .\n"
    assert read_requirements(lock) == {"torch": "2.13.0", "torchvision": "0.28.0"}


def test_the_shipped_list_can_be_read() -> None:
    from stillto3d.words import find_resources

    lock = (find_resources() / "envs" / "models.lock").read_text(encoding="utf-8")
    assert "torch" in read_requirements(lock) and json.dumps(read_requirements(lock))
