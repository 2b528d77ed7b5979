"""The architecture's own tests: what CONTRIBUTING promises about every file."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "stillto3d"
MODULES = sorted(SOURCE.rglob("*.py"))
WORKSHOPS = sorted(path for folder in ("measure", "training") for path in (ROOT / folder).rglob("*.py"))
MOST_LINES_OF_A_FILE = 600
MOST_LINES_OF_A_FUNCTION = 60
LONG_WITH_REASON: dict[str, str] = {
    # "path.py" or "path.py:function": why it is longer
    "src/stillto3d/models/roles.py": "every role's Ask and Answer on one page, to be read before an adapter is written",
}
MAY_PRINT = {"cli.py", "__main__.py"}
SHOUTS = re.compile(r"\b(T" r"ODO|F" r"IXME|X" r"XX)\b")
MACHINE = re.compile(
    r"(?<![\w.])/(home/\w|root/|work/|tmp/\w|Users/\w)|\.pyenv|"
    r"\b(files\.pythonhosted|pypi|registry\.npmjs|registry\.yarnpkg|artifactory|nexus|index-url)\b[./]",
    re.IGNORECASE,
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def list_tracked() -> list[Path]:
    """Every file that git knows (in an exported tree: every file)."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this tree is not a git checkout")
    names = [name for name in listed.stdout.decode("utf-8").split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def read_text(path: Path) -> str | None:
    data = path.read_bytes()
    return None if b"\0" in data[:8192] else data.decode("utf-8", "replace")


@pytest.mark.parametrize("path", MODULES + WORKSHOPS, ids=name_of)
def test_a_module_says_what_it_is_for(path):
    docstring = ast.get_docstring(parse(path))
    assert docstring and docstring.splitlines()[0].endswith((".", ":", "?", "`"))


@pytest.mark.parametrize("path", MODULES + WORKSHOPS, ids=name_of)
def test_files_and_functions_are_short(path):
    key = name_of(path)
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES_OF_A_FILE or key in LONG_WITH_REASON, f"{lines} lines"
    functions = [n for n in ast.walk(parse(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {
        f"{key}:{node.name}": length
        for node in functions
        if (length := (node.end_lineno or 0) - node.lineno + 1) > MOST_LINES_OF_A_FUNCTION
        and f"{key}:{node.name}" not in LONG_WITH_REASON
    }
    assert not long


def test_written_reasons_are_still_needed():
    for key, reason in LONG_WITH_REASON.items():
        name, _, function = key.partition(":")
        tree = parse(ROOT / name)
        assert reason
        assert not function or function in {getattr(node, "name", "") for node in ast.walk(tree)}, key


@pytest.mark.parametrize("path", [p for p in MODULES if p.name not in MAY_PRINT], ids=name_of)
def test_only_the_command_line_prints(path):
    calls = [node.func for node in ast.walk(parse(path)) if isinstance(node, ast.Call)]
    assert not [call.lineno for call in calls if isinstance(call, ast.Name) and call.id == "print"]


def test_no_dumping_grounds():
    forbidden = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    named = [name_of(path) for path in MODULES + WORKSHOPS if {path.stem, path.parent.name} & forbidden]
    assert not named


def test_import_contracts_hold():
    command = [
        sys.executable,
        "-c",
        "import sys; from importlinter.cli import lint_imports_command as c; c()",
    ]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_import_contracts_name_every_package():
    """A module that no layer names would be free of the contracts."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = re.findall(r"\w+", " ".join(tool["contracts"][0]["layers"]))
    there = {path.stem if path.is_file() else path.name for path in SOURCE.iterdir()}
    there = {name for name in there if (SOURCE / name).is_dir() or (SOURCE / f"{name}.py").exists()}
    assert there - {"__init__", "__pycache__", "resources"} <= set(layers)


def test_no_file_knows_a_machine():
    """No path of somebody's machine and no package registry's host stands in a tracked file."""
    found = [
        f"{name_of(path)}:{number}: {line.strip()[:80]}"
        for path in list_tracked()
        if path != Path(__file__).resolve() and (text := read_text(path)) is not None
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE.search(line)
    ]
    assert not found, "\n".join(found)


def test_no_work_left_as_a_remark():
    found = [name_of(path) for path in list_tracked() if SHOUTS.search(read_text(path) or "")]
    assert not found


def test_samples_and_weights_stay_small():
    """The samples are under 6 MB together; no other tracked file is larger than the weights need."""
    size = sum(path.stat().st_size for path in list_tracked() if "resources/samples" in name_of(path))
    assert size < 6e6
    large = [name_of(path) for path in list_tracked() if path.stat().st_size > 2e6]
    assert all(name.startswith(("resources/weights/", "resources/samples/")) for name in large), large


def test_the_read_me_names_commands_that_exist():
    """Every `make` target of the documents stands in the Makefile, every file they link to in the tree."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        text = document.read_text(encoding="utf-8")
        named = re.findall(r"^\s*make ([a-z-]+)", text, re.MULTILINE) + re.findall(r"`make ([a-z-]+)[ `]", text)
        assert set(named) <= targets, document.name
        for link in re.findall(r"\]\(([^)#]+)\)", text):
            assert "://" in link or (document.parent / link).exists(), f"{document.name}: {link}"


def test_the_read_me_names_subcommands_that_exist():
    from typer.main import get_command

    from stillto3d.cli import app

    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"stillto3d ([a-z]+)", text))
    assert named - {"import"} <= commands


def test_continuous_integration_runs_make_test_and_nothing_more():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    words = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert words == ["exec make test"]
