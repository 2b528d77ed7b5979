"""Environments that models run in: made by uv from locked requirements, or interpreters that a person points to."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInput, Cancelled, CannotAccess
from ..words import find_resources, tr
from .files import Work
from .states import Availability, State

MADE = "made.json"
PYTHON = "3.11"
PATIENCE = 60.0  # seconds that an interpreter gets to say what it holds
MOST_LINES = 40
PROBE = """
import importlib.metadata as m, json, sys
names = json.loads(sys.argv[1])
found = {}
for name in names:
    try: found[name] = m.version(name)
    except m.PackageNotFoundError: found[name] = ""
faults = {}
for name in json.loads(sys.argv[2]):
    try: __import__(name)
    except BaseException as error: faults[name] = f"{type(error).__name__}: {error}"[:300]
print(json.dumps([sys.version.split()[0], found, faults]))
"""
IMPORTED = {"numpy": "numpy", "torch": "torch", "transformers": "transformers", "safetensors": "safetensors"}


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with an environment, as sentences; nothing when it is whole."""

    faults: tuple[str, ...] = ()
    remedy: str = ""


class Environments:
    """The environments of one person: made under `folder`, or pointed to by name."""

    def __init__(
        self,
        folder: Path,
        pointed: Mapping[str, str] | None = None,
        locks: Path | None = None,
        offline: bool = False,
        device: str = "cpu",
    ) -> None:
        """`locks` holds NAME.lock, perhaps NAME.upstream.lock and NAME.alone.lock, for what can be made."""
        self._folder, self._pointed = folder, dict(pointed or {})
        self._locks = locks or find_resources() / "envs"
        self._offline, self._device = offline, device
        self._busy: set[str] = set()

    def find_python(self, name: str) -> Path:
        """The interpreter of an environment, whether it is there or not."""
        if name in self._pointed:
            return Path(self._pointed[name])
        inner = Path("Scripts", "python.exe") if os.name == "nt" else Path("bin", "python")
        return self._folder / name / inner

    def check(self, name: str) -> Availability:
        """Whether an environment is there; looks at files alone, `diagnose` looks inside."""
        python = self.find_python(name)
        if name in self._pointed:
            if python.is_file():
                return Availability(State.READY)
            return Availability(
                State.BROKEN,
                tr("there is no interpreter {path} for its environment {name}.", path=python, name=name),
                tr("Correct `interpreters` in the settings."),
            )
        if name in self._busy:
            return Availability(State.INSTALLING, tr("its environment {name} is being made.", name=name))
        lock = self._read_lock(name)
        if lock is None:
            return Availability(
                State.NOT_INSTALLED,
                tr("its environment {name} has to be made by hand.", name=name),
                tr("Make one as its read-me says, and name its interpreter in the settings: {name}=PATH.", name=name),
            )
        again = tr("Make it again: stillto3d models environment {name}", name=name)
        made = self._read_made(name)
        if made is None and not (self._folder / name).exists():
            how = tr("Make it: stillto3d models environment {name}", name=name)
            return Availability(State.NOT_INSTALLED, tr("its environment {name} is not made yet.", name=name), how)
        if made is None or not python.is_file():
            return Availability(State.BROKEN, tr("its environment {name} is not whole.", name=name), again)
        if made != _hash_text(lock):
            return Availability(
                State.OUTDATED, tr("its environment {name} was made from an older list.", name=name), again
            )
        return Availability(State.READY)

    def make(self, name: str, work: Work) -> Path:
        """Make an environment from its locked requirements; answers its interpreter.

        Made beside the old one and exchanged when it is whole. Raises BadInput, CannotAccess or Cancelled.
        """
        lock = self._read_lock(name)
        if lock is None or name in self._pointed:
            found = self.check(name)
            raise BadInput("The environment {name} is not made by the app.", found.remedy, name=name)
        if self._offline:
            raise CannotAccess(
                "The app is set to stay offline, so the environment {name} cannot be made.",
                "Point to an interpreter in the settings, or allow the network.",
                name=name,
            )
        self._busy.add(name)
        fresh = self._folder / f"{name}.new"
        try:
            shutil.rmtree(fresh, ignore_errors=True)
            self._folder.mkdir(parents=True, exist_ok=True)
            work.progress(0.0, tr("Making the environment {name}", name=name))
            run_uv(["venv", "--relocatable", "--python", PYTHON, str(fresh)], name, work)
            listed = [part for path in self._list_together(name) for part in ("-r", str(path))]
            chosen = sys.platform == "darwin" or "UV_TORCH_BACKEND" in os.environ
            backend = [] if chosen else ["--torch-backend", _choose_backend(self._device)]
            run_uv(["pip", "install", "--python", str(fresh), *listed, *backend], name, work)
            if self._alone(name).is_file():
                run_uv(
                    ["pip", "install", "--python", str(fresh), "--no-deps", "-r", str(self._alone(name))], name, work
                )
            (fresh / MADE).write_text(json.dumps({"lock_sha256": _hash_text(lock)}), encoding="utf-8")
            self._exchange(name, fresh)
        finally:
            self._busy.discard(name)
            shutil.rmtree(fresh, ignore_errors=True)
        work.progress(1.0)
        return self.find_python(name)

    def _exchange(self, name: str, fresh: Path) -> None:
        final, old = self._folder / name, self._folder / f"{name}.old"
        shutil.rmtree(old, ignore_errors=True)
        if final.exists():
            final.replace(old)
        fresh.replace(final)
        shutil.rmtree(old, ignore_errors=True)

    def remove(self, name: str) -> None:
        """Delete an environment that the app made."""
        shutil.rmtree(self._folder / name, ignore_errors=True)

    def diagnose(self, name: str) -> Diagnosis:
        """Start the interpreter and ask what it holds: packages of the list that are missing or other, and imports
        that fail."""
        found = self.check(name)
        if not found.usable and found.state is not State.OUTDATED:
            return Diagnosis((found.reason,), found.remedy)
        wanted = read_requirements(self._read_lock(name) or "") if name not in self._pointed else {"numpy": ""}
        imported = [module for package, module in IMPORTED.items() if package in wanted]
        remedy = found.remedy or tr("Make it again: stillto3d models environment {name}", name=name)
        if name in self._pointed:
            remedy = tr("Repair that interpreter, or take it out of `interpreters` in the settings.")
        command = [str(self.find_python(name)), "-I", "-c", PROBE, json.dumps(list(wanted)), json.dumps(imported)]
        try:
            told = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
            _, versions, failed = json.loads(told.stdout.splitlines()[-1])
        except (OSError, subprocess.TimeoutExpired) as error:
            return Diagnosis((tr("its interpreter does not start: {why}", why=error),), remedy)
        except (ValueError, IndexError):
            why = told.stderr.strip().splitlines()[-1:] or [f"exit code {told.returncode}"]
            return Diagnosis((tr("its interpreter does not start: {why}", why=why[0]),), remedy)
        faults = [found.reason] if found.reason else []
        for package, version in wanted.items():
            if not versions[package]:
                faults.append(tr("{package} is missing", package=package))
            elif version and versions[package].partition("+")[0] != version:
                has, wants = versions[package], version
                faults.append(tr("{package} is {has}, not {wants}", package=package, has=has, wants=wants))
        faults += [tr("{package} cannot be imported: {why}", package=key, why=why) for key, why in failed.items()]
        return Diagnosis(tuple(faults), remedy if faults else "")

    def _read_lock(self, name: str) -> str | None:
        """Everything that belongs into an environment; None where the app has no list."""
        paths = [path for path in (*self._list_together(name), self._alone(name)) if path.is_file()]
        return "".join(path.read_text(encoding="utf-8") for path in paths) if paths else None

    def _list_together(self, name: str) -> list[Path]:
        """The list, and that of what code in no package imports, where there is one."""
        paths = (self._locks / f"{name}.lock", self._locks / f"{name}.upstream.lock")
        return [path for path in paths if path.is_file()]

    def _alone(self, name: str) -> Path:
        """The list of packages that are installed without what they ask for, which is more than they need."""
        return self._locks / f"{name}.alone.lock"

    def _read_made(self, name: str) -> str | None:
        try:
            made = json.loads((self._folder / name / MADE).read_text(encoding="utf-8"))
            return str(made["lock_sha256"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


def read_requirements(lock: str) -> dict[str, str]:
    """Versions by package from a locked list; lines with markers for other systems are left out."""
    found = {}
    for line in lock.splitlines():
        pinned, _, marker = line.partition(";")
        name, _, version = pinned.partition("==")
        if version and not marker.strip() and not line.startswith("#"):
            found[name.strip().partition("[")[0]] = version.strip().split()[0].partition("+")[0]
    return found


def run_uv(arguments: list[str], name: str, work: Work) -> None:
    """Run uv to its end, telling its last line; a cancel ends it. Raises CannotAccess with what it said."""
    command = [find_uv(), *arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON") and k != "VIRTUAL_ENV"}
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        errors="replace",
    )
    said: list[str] = []

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line.strip())
            del said[:-MOST_LINES]

    ear = threading.Thread(target=listen, name=f"uv-{name}", daemon=True)
    ear.start()
    try:
        while True:
            try:
                process.wait(0.2)
                break
            except subprocess.TimeoutExpired:
                work.progress(0.5, said[-1] if said else "")
                work.check()
    except Cancelled:
        process.kill()
        process.wait()
        raise
    finally:
        ear.join(5)
        if process.stderr is not None:
            process.stderr.close()
    if process.returncode:
        raise CannotAccess(
            "The environment {name} could not be made: {reason}",
            "Nothing that was there was changed. Check the network and the disk, and make it again.",
            name=name,
            reason=" ".join(line for line in said if line)[-600:] or f"uv {process.returncode}",
        )


def find_uv() -> str:
    """The uv that came with the app, or one on the path."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
        if found is None:
            raise CannotAccess("The program uv is missing.", "Install the app again.") from None
        return found


def _choose_backend(device: str) -> str:
    """Which builds of PyTorch: those for the card that is there, or for the processor alone."""
    return "auto" if device == "cuda" else "cpu"


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
