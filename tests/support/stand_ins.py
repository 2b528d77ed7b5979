"""Stand-ins for upstream code that no package holds: its recorded names and parameters, with answers of right shapes.

`make_environment` builds an interpreter that has PyTorch and, in place of upstream's modules, these; a call that
upstream would refuse is refused here. The answers say nothing of quality.
"""

from __future__ import annotations

import importlib.machinery
import inspect
import json
import sys
import types
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
KINDS = {
    "ONLY": inspect.Parameter.POSITIONAL_ONLY,
    "PLAIN": inspect.Parameter.POSITIONAL_OR_KEYWORD,
    "STAR": inspect.Parameter.VAR_POSITIONAL,
    "NAMED": inspect.Parameter.KEYWORD_ONLY,
    "DOUBLE": inspect.Parameter.VAR_KEYWORD,
}


def read_signatures() -> dict[str, inspect.Signature]:
    """Every recorded call by its qualified name."""
    found = {}
    for recorded in json.loads((HERE / "signatures.json").read_text(encoding="utf-8")).values():
        for name, parameters in recorded["calls"].items():
            made = []
            for parameter, kind in parameters:
                default = None if kind.endswith("=") else inspect.Parameter.empty
                made.append(inspect.Parameter(parameter, KINDS[kind.rstrip("=")], default=default))
            found[name] = inspect.Signature(made)
    return found


def install() -> None:
    """Put every recorded module among those that are imported already."""
    import stand_in_answers as answers

    signatures = read_signatures()
    for name, signature in signatures.items():
        owner, _, last = name.rpartition(".")
        if owner.rpartition(".")[2][:1].isupper():
            module = _make_module(owner.rpartition(".")[0])
            family = _make_class(module, owner.rpartition(".")[2])
            setattr(family, last, _guard(name, signature, getattr(answers, _flatten(name), None)))
        else:
            setattr(_make_module(owner), last, _guard(name, signature, getattr(answers, _flatten(name), None)))
    answers.finish(sys.modules, signatures)


def _flatten(name: str) -> str:
    return name.replace(".", "_")


def _make_module(name: str) -> types.ModuleType:
    parent, _, last = name.rpartition(".")
    if name not in sys.modules:
        module = types.ModuleType(name)
        module.__path__ = []
        module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
        sys.modules[name] = module
        if parent:
            setattr(_make_module(parent), last, module)
    return sys.modules[name]


def _make_class(module: types.ModuleType, name: str) -> type:
    if not hasattr(module, name):
        setattr(module, name, type(name, (), {}))
    family: type = getattr(module, name)
    return family


def _guard(name: str, signature: inspect.Signature, answer: Any) -> Any:
    def guarded(*given: Any, **named: Any) -> Any:
        try:
            bound = signature.bind(*given, **named)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from error
        if answer is None:
            raise NotImplementedError(f"{name} has no answer here")
        return answer(**{k: v for k, v in bound.arguments.items() if k not in ("kwargs", "kw", "optim_kw")})

    def of_class(family: Any, *given: Any, **named: Any) -> Any:
        return guarded(family, *given, **named)

    first = next(iter(signature.parameters), "")
    if first == "cls":
        return classmethod(of_class)
    method = name.rpartition(".")[0].rpartition(".")[2][:1].isupper()
    return staticmethod(guarded) if method and first != "self" else guarded


def make_environment(folder: Path, python: Path) -> Path:
    """An interpreter with the packages of `python` and the stand-ins; answers its path."""
    import subprocess
    import venv

    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()
    base = subprocess.run(
        [python, "-c", "import sys; print(sys._base_executable)"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if base and Path(base).exists() and Path(base).resolve() != Path(sys.executable).resolve():
        subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
    else:
        venv.create(folder, with_pip=False)
    inner = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    made = folder / inner
    site = Path(subprocess.run([made, "-c", asked], capture_output=True, text=True, check=True).stdout.strip())
    (site / "packages.pth").write_text(f"{packages}\n{HERE}\nimport stand_ins; stand_ins.install()\n")
    return made
