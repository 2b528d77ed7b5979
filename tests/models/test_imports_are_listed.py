"""Whatever an adapter, and upstream's code behind it, imports is in the list of the environment that its card names."""

from __future__ import annotations

import ast
import importlib
import json
import sys
from pathlib import Path

import pytest

import stillto3d
from stillto3d.models.card import ModelCard
from stillto3d.models.catalog import Catalog
from stillto3d.models.environments import read_requirements
from stillto3d.words import find_resources
from stillto3d.worker.adapters.several_views import stand_in_for

ADAPTERS = Path(stillto3d.__file__).parent / "worker" / "adapters"
SIGNATURES = Path(__file__).resolve().parents[1] / "support" / "signatures.json"
RECORDED = json.loads(SIGNATURES.read_text(encoding="utf-8"))
PACKAGES = {
    "PIL": "pillow",
    "cv2": "opencv-contrib-python-headless",
    "huggingface_hub": "huggingface-hub",
    "moge": "dlr-moge",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
}
MADE_BY_THE_ADAPTER = {"triposr": {"torchmcubes"}}
GPL = {"evo", "plyfile", "pymeshlab", "pymeshfix", "pillow-heif", "moviepy", "imageio-ffmpeg"}
LISTED = {path.name.partition(".")[0] for path in (find_resources() / "envs").glob("*.lock")}
CARDS = {card.adapter: card for card in Catalog().cards.values() if card.environment in LISTED}


def read_list(environment: str) -> dict[str, str]:
    """Versions by package of everything that is installed into an environment."""
    paths = sorted((find_resources() / "envs").glob(f"{environment}.*lock"))
    return read_requirements("".join(path.read_text(encoding="utf-8") for path in paths))


def read_adapter(name: str) -> tuple[set[str], set[str], set[str]]:
    """What an adapter and its neighbours import: packages, upstream's modules, and what it stands in for."""
    packages: set[str] = set()
    upstream: set[str] = set()
    stood_in: set[str] = set()
    todo, seen = [name], set()
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.add(module)
        for node in ast.walk(ast.parse((ADAPTERS / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                packages |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level and node.module:
                above = module.split(".")[: -node.level]
                if len(above) == module.count(".") + 1 - node.level:
                    todo.append(".".join([*above, node.module]))
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                packages.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                told = [str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)]
                upstream |= set(told[:1]) if node.func.id == "import_upstream" else set()
                stood_in |= set(told) if node.func.id == "stand_in_for" else set()
    return packages - set(sys.stdlib_module_names) - {"__future__"}, upstream, stood_in


def list_unlisted(card: ModelCard) -> set[str]:
    """What a model needs to be imported that its environment has not, and its adapter does not stand in for."""
    packages, called, stood_in = read_adapter(card.adapter)
    recorded = RECORDED.get(card.upstream.partition("@")[0], {})
    own = {name.partition(".")[0] for name in recorded.get("calls", ())}
    needed = packages | set(recorded.get("imports", ())) | ({name.partition(".")[0] for name in called} - own)
    needed -= stood_in | MADE_BY_THE_ADAPTER.get(card.adapter, set())
    listed = read_list(card.environment)
    return {name for name in needed if PACKAGES.get(name, name).lower() not in listed}


@pytest.mark.parametrize("adapter", sorted(CARDS))
def test_what_a_model_imports_is_in_its_list(adapter: str) -> None:
    assert list_unlisted(CARDS[adapter]) == set()


def test_what_upstream_imports_is_recorded_for_every_model_of_a_list() -> None:
    sources = {card.upstream.partition("@")[0] for card in CARDS.values() if card.upstream}
    assert len(sources) == 5
    for source in sources:
        assert "torch" in RECORDED[source]["imports"], source


def test_a_package_that_nobody_lists_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    source = CARDS["triposr"].upstream.partition("@")[0]
    more = {**RECORDED[source], "imports": [*RECORDED[source]["imports"], "nobody_lists_this"]}
    monkeypatch.setitem(RECORDED, source, more)
    assert list_unlisted(CARDS["triposr"]) == {"nobody_lists_this"}


def test_what_is_stood_in_for_can_be_imported_but_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    stand_in_for("nobody_has_this", "json")
    inner = importlib.import_module("nobody_has_this.deep.inside")
    assert isinstance(inner.Thing, type) and importlib.import_module("json.tool").__file__
    with pytest.raises(ImportError, match=r"inside\.Thing is called, but"):
        inner.Thing(1)
    with pytest.raises(ImportError):
        importlib.import_module("nor_this")
    for name in [name for name in sys.modules if name.startswith("nobody_has_this")]:
        del sys.modules[name]


def test_a_list_says_each_version_once_and_brings_nothing_under_the_gpl() -> None:
    for environment in LISTED:
        lines = [
            line
            for path in (find_resources() / "envs").glob(f"{environment}.*lock")
            for line in path.read_text(encoding="utf-8").splitlines()
        ]
        names = [line.partition("==")[0] for line in lines]
        assert len(names) == len(set(names)) and all("==" in line for line in lines)
        assert not GPL & set(names)
