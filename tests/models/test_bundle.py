"""Bundles: written on one machine, installed on another, and refused when they are not what they say."""

from __future__ import annotations

import json
import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillto3d.errors import BadInput, Cancelled, NotInstalled
from stillto3d.models.bundle import INDEX, install_bundle, write_bundle
from stillto3d.models.card import ModelCard
from stillto3d.models.hub import Hub
from stillto3d.models.states import State
from stillto3d.models.store import Store

from .conftest import Counting, make_card

CARD = make_card()
Members = list[tuple[zipfile.ZipInfo, bytes]]


def find_card(model_id: str) -> ModelCard:
    if model_id != CARD.id:
        raise BadInput("There is no model called {model}.", model=model_id)
    return CARD


@pytest.fixture
def bundle(tmp_path: Path, folder: Path) -> Path:
    """A bundle of the small model, as another machine wrote it."""
    store = Store(tmp_path / "there")
    store.install(CARD, Counting(), folder)
    write_bundle(store, [CARD], tmp_path / "small.bundle", Counting())
    return tmp_path / "small.bundle"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "here", hub=Hub(offline=True))


def rewrite(path: Path, change: Callable[[Members, dict[str, Any]], None]) -> None:
    """The same archive after `change` of its members and index."""
    with zipfile.ZipFile(path) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist() if info.filename != INDEX]
        index = json.loads(archive.read(INDEX))
    change(members, index)
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name twice
        archive.writestr(INDEX, json.dumps(index))
        for info, data in members:
            archive.writestr(info, data)


def test_a_bundle_carries_a_model_to_a_machine_without_a_network(bundle: Path, store: Store) -> None:
    work = Counting()
    (model,) = install_bundle(store, find_card, bundle, work)
    assert (model.id, store.check(CARD).state) == ("small", State.READY)
    assert store.verify(CARD, Counting()) == []
    installed = store.read_installed(CARD)
    assert installed is not None and installed.source == "bundle"
    assert work.fractions == sorted(work.fractions) and work.fractions[-1] == pytest.approx(1)


def test_only_what_is_installed_and_whole_is_bundled(tmp_path: Path, folder: Path) -> None:
    store = Store(tmp_path / "there")
    with pytest.raises(NotInstalled):
        write_bundle(store, [CARD], tmp_path / "b", Counting())
    store.install(CARD, Counting(), folder)
    weights = tmp_path / "there" / "small" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(BadInput, match="damaged"):
        write_bundle(store, [CARD], tmp_path / "b", Counting())
    assert not list(tmp_path.glob("b*"))


def test_a_cancelled_bundle_leaves_nothing(tmp_path: Path, bundle: Path, store: Store) -> None:
    with pytest.raises(Cancelled):
        write_bundle(Store(tmp_path / "there"), [CARD], tmp_path / "second", Counting(stop_at=0.1))
    assert not list(tmp_path.glob("second*"))
    with pytest.raises(Cancelled):
        install_bundle(store, find_card, bundle, Counting(stop_at=0.1))
    assert not store.check(CARD).usable
    install_bundle(store, find_card, bundle, Counting())
    assert store.check(CARD).state is State.READY


def rename(members: Members, index: dict[str, Any], name: str) -> None:
    """One more file, named in the index, that is called `name`."""
    file = dict(index["models"][0]["files"][-1])
    info = zipfile.ZipInfo(f"small/{name}")
    index["models"][0]["files"].append({**file, "name": name})
    members.append((info, next(data for old, data in members if old.filename == f"small/{file['name']}")))


def add(name: str) -> Callable[[Members, dict[str, Any]], None]:
    return lambda members, index: rename(members, index, name)


def smuggle(members: Members, index: dict[str, Any]) -> None:
    members.append((zipfile.ZipInfo("../../outside"), b"x"))


def repeat(members: Members, index: dict[str, Any]) -> None:
    members.append(members[0])


def link(members: Members, index: dict[str, Any]) -> None:
    members[0][0].external_attr = (stat.S_IFLNK | 0o777) << 16


def grow(members: Members, index: dict[str, Any]) -> None:
    members[0] = (members[0][0], members[0][1] + b"more")


def twist(members: Members, index: dict[str, Any]) -> None:
    members[-1] = (members[-1][0], members[-1][1][:-1] + b"?")


def lose(members: Members, index: dict[str, Any]) -> None:
    members.pop()


def stranger(members: Members, index: dict[str, Any]) -> None:
    index["models"][0]["id"] = "stranger"


def twice(members: Members, index: dict[str, Any]) -> None:
    index["models"] *= 2


def unproven(members: Members, index: dict[str, Any]) -> None:
    index["models"][0]["files"][0]["sha256"] = ""


def newer(members: Members, index: dict[str, Any]) -> None:
    index["version"] = 2


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (add("../outside.json"), "cannot be used"),
        (add("/outside.json"), "cannot be used"),
        (add("a\\..\\outside.json"), "cannot be used"),
        (add("code.py"), "does not belong"),
        (add("weights.bin"), "does not belong"),
        (add("installed.json"), "does not belong"),
        (smuggle, "is not what its index says"),
        (repeat, "twice"),
        (link, "a link"),
        (grow, "is not what its index says"),
        (twist, "damaged"),
        (lose, "is missing"),
        (stranger, "no model called stranger"),
        (twice, "holds a model twice"),
        (unproven, "does not belong"),
        (newer, "cannot be read"),
    ],
)
def test_an_archive_that_is_not_what_it_says_is_refused(
    bundle: Path, store: Store, tmp_path: Path, change: Callable[[Members, dict[str, Any]], None], word: str
) -> None:
    rewrite(bundle, change)
    with pytest.raises(BadInput, match=word):
        install_bundle(store, find_card, bundle, Counting())
    assert store.check(CARD).state is State.NOT_INSTALLED
    assert not list(tmp_path.parent.rglob("outside*"))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_an_archive_that_was_cut_is_refused(bundle: Path, store: Store, share: float) -> None:
    data = bundle.read_bytes()
    bundle.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(BadInput, match="bundle"):
        install_bundle(store, find_card, bundle, Counting())


def test_what_is_installed_survives_a_bad_bundle(bundle: Path, store: Store, folder: Path) -> None:
    store.install(CARD, Counting(), folder)
    rewrite(bundle, twist)
    with pytest.raises(BadInput):
        install_bundle(store, find_card, bundle, Counting())
    assert store.check(CARD).state is State.READY and store.verify(CARD, Counting()) == []


def test_a_zip_of_something_else_is_no_bundle(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(BadInput, match="no bundle of models"):
        install_bundle(store, find_card, path, Counting())
