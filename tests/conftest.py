"""What every test must leave behind: no thread, no worker process, no temporary file, no noise."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stillto3d.engine.process import QUIET, WorkerProcess

os.environ |= QUIET  # adapters that a test loads into its own process behave as in a worker
SWITCHES = {
    "long": "run the long tests: hundreds of kills, wide fuzzing",
    "gpu": "run the tests that need a CUDA device",
    "judges": "run the tests that need other tools: Khronos' validator, Blender, Chromium, ...",
}
MARKERS = {"long": "long", "gpu": "gpu", "judge": "judges"}


def pytest_addoption(parser: pytest.Parser) -> None:
    for switch, meaning in SWITCHES.items():
        parser.addoption(f"--{switch}", action="store_true", help=meaning)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "keeps_workers: its module shares a studio, judged when all is over")
    config.addinivalue_line("markers", "noisy: its workers may print (the fake adapter's chatter)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for marker, switch in MARKERS.items():
            if marker in item.keywords and not config.getoption(switch):
                item.add_marker(pytest.mark.skip(reason=f"needs --{switch}"))


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Temporary files and the person's folders, apart from the real ones; compiled caches are kept."""
    base = tmp_path_factory.mktemp("person")
    temporary = base / "temporary"
    temporary.mkdir()
    kept = {name: os.environ.get(name) for name in ("TMPDIR", "STILLTO3D_HOME", "STILLTO3D_LANGUAGE")}
    os.environ |= {"TMPDIR": str(temporary), "STILLTO3D_HOME": str(base / "home"), "STILLTO3D_LANGUAGE": "en"}
    tempfile.tempdir = None
    yield temporary
    assert not list_children() and not list(temporary.iterdir()), "processes or temporary files were left"
    tempfile.tempdir = None
    for name, value in kept.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture(autouse=True)
def fail_on_leaks(request: pytest.FixtureRequest, own_folders: Path) -> Iterator[None]:
    """A test that leaves a thread, a child process or a temporary file behind has failed."""
    if "keeps_workers" in request.keywords:
        yield
        return
    threads, children, files = set(threading.enumerate()), list_children(), set(own_folders.iterdir())
    yield
    foreign = threading._DummyThread  # Python's word for a thread of Qt's; tests/ui ends those
    leaked_threads = [t for t in threading.enumerate() if t not in threads and not isinstance(t, foreign)]
    for thread in leaked_threads:
        thread.join(2.0)
    alive = [thread.name for thread in leaked_threads if thread.is_alive()]
    assert not alive, f"threads left running: {alive}"
    leaked = list_children() - children
    _, stubborn = psutil.wait_procs(leaked, timeout=2.0)
    lines = [" ".join(process.cmdline()[:6]) for process in stubborn if process.is_running()]
    for process in stubborn:
        process.kill()
    assert not lines, f"processes left running: {lines}"
    left = sorted(path.name for path in set(own_folders.iterdir()) - files)
    assert not left, f"temporary files left: {left}"


def list_children() -> set[psutil.Process]:
    """Child processes that live (one that only waits to be reaped does not)."""
    children = psutil.Process().children(recursive=True)
    return {child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE}


@pytest.fixture(autouse=True)
def fail_on_worker_noise(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a worker prints is a fault, unless the test is marked `noisy`."""
    printed: list[str] = []
    end = WorkerProcess.end

    def end_and_listen(process: WorkerProcess, grace: float = 0.0) -> None:
        end(process, grace)
        printed.extend(line for line in process.evidence().splitlines() if line.strip())

    monkeypatch.setattr(WorkerProcess, "end", end_and_listen)
    yield
    if "noisy" not in request.keywords:
        assert not printed, "a worker printed:\n" + "\n".join(printed)
