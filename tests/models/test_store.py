"""Installing, pausing, proving and removing models; from a folder and from a hub, never from the network."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fake_hub import COMMIT, FakeHub, serve
from support.weights import make_safetensors

from stillto3d.errors import BadInput, Cancelled, CannotAccess, NotInstalled
from stillto3d.models.hub import Hub
from stillto3d.models.states import State
from stillto3d.models.store import Machine, Store

from .conftest import Counting, make_card

CARD = make_card()
WANTED = {"config.json", "model.safetensors", "LICENSE", "installed.json"}


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's library may connect, unlike in a worker."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)


@pytest.fixture
def hub(files: dict[str, bytes], online: None) -> Iterator[FakeHub]:
    with serve(FakeHub("somebody/small", files)) as fake:
        yield fake


@pytest.fixture
def store(tmp_path: Path, hub: FakeHub) -> Store:
    return Store(tmp_path / "models", hub=Hub(hub.endpoint))


def list_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# --------------------------------------------------------------------------- from a folder


def test_a_model_is_installed_from_a_folder(tmp_path: Path, folder: Path, files: dict[str, bytes]) -> None:
    store, work = Store(tmp_path / "models"), Counting()
    assert store.check(CARD).state is State.NOT_INSTALLED
    manifest = store.install(CARD, work, folder)
    assert store.check(CARD).state is State.READY
    place = store.find_weights(CARD)
    assert place is not None and list_files(place) == WANTED
    assert (place / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert manifest.source == "folder" and manifest.bytes == store.measure_disk(CARD) - (
        (place / "installed.json").stat().st_size
    )
    assert work.fractions == sorted(work.fractions) and work.fractions[-1] == pytest.approx(1)


def test_a_folder_without_the_weights_is_refused(tmp_path: Path, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    store = Store(tmp_path / "models")
    with pytest.raises(BadInput, match="does not hold what small needs"):
        store.install(CARD, Counting(), folder)
    with pytest.raises(BadInput, match="no folder"):
        store.install(CARD, Counting(), folder / "config.json")
    assert store.check(CARD).state is State.NOT_INSTALLED


def test_what_is_called_safetensors_must_be_it(tmp_path: Path, folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x80\x04 a pickle under another name")
    with pytest.raises(BadInput, match="something else"):
        Store(tmp_path / "models").install(CARD, Counting(), folder)


def test_a_hash_on_the_card_is_kept_to(tmp_path: Path, folder: Path) -> None:
    card = make_card(weights=[{"name": "model.safetensors", "sha256": "0" * 64}])
    store = Store(tmp_path / "models")
    with pytest.raises(BadInput, match="size or hash is wrong"):
        store.install(card, Counting(), folder)
    assert not store.check(card).usable


def test_a_cancelled_install_leaves_the_old_one(tmp_path: Path, folder: Path) -> None:
    store = Store(tmp_path / "models")
    store.install(CARD, Counting(), folder)
    (folder / "model.safetensors").write_bytes(make_safetensors(b"new" * 9_000_000))
    with pytest.raises(Cancelled):
        store.install(CARD, Counting(stop_at=0.3), folder)
    assert store.check(CARD).state is State.READY and store.verify(CARD, Counting()) == []


# --------------------------------------------------------------------------- from a hub


def test_a_model_is_installed_from_the_hub(store: Store, hub: FakeHub) -> None:
    plan = store.plan(CARD)
    assert {file.name for file in plan.listing.files} == WANTED - {"installed.json"}
    assert plan.bytes == sum(file.bytes for file in plan.listing.files) > 2_000_000
    manifest = store.install(CARD, Counting())
    assert (manifest.revision, manifest.source) == (COMMIT, "hub")
    assert store.check(CARD).state is State.READY and store.verify(CARD, Counting()) == []
    asked = {path.rpartition("/")[2] for _, path, _ in hub.asked}
    assert not asked & {"pytorch_model.bin", "modeling_small.py", "README.md"}


def test_a_paused_download_is_taken_up(store: Store, hub: FakeHub, files: dict[str, bytes]) -> None:
    with pytest.raises(Cancelled):
        store.install(CARD, Counting(stop_at=0.4))
    paused = store.check(CARD)
    assert paused.state is State.NOT_INSTALLED and "paused" in paused.reason
    come = store.measure_disk(CARD)
    assert 0 < come < len(files["model.safetensors"])
    assert store.plan(CARD).bytes < len(files["model.safetensors"])
    store.install(CARD, Counting())
    first, second = hub.bytes_sent_for("model.safetensors")
    assert first == "" and second.startswith("bytes=") and int(second[6:-1]) > 0
    assert store.check(CARD).state is State.READY


@pytest.mark.parametrize("cut", [1, 100_000, 262_144, 2_000_000])
def test_a_download_cut_at_any_byte_is_taken_up(store: Store, hub: FakeHub, cut: int) -> None:
    """The hub cuts every answer; as long as something comes it is asked again, from there."""
    hub.files = {**hub.files, "model.safetensors": make_safetensors(b"x" * (12 if cut == 1 else 700_000))}
    hub.cut_after = cut
    store.install(CARD, Counting())
    assert store.verify(CARD, Counting()) == []


def test_a_hub_that_sends_nothing_is_given_up_in_words(store: Store, hub: FakeHub) -> None:
    hub.cut_after = 0
    with pytest.raises(CannotAccess, match="cannot be reached"):
        store.install(CARD, Counting())
    hub.cut_after = None
    store.install(CARD, Counting())
    assert store.check(CARD).state is State.READY


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_that_came_wrong_is_refused_and_brought_again(store: Store, hub: FakeHub, name: str) -> None:
    hub.swapped = {name}
    with pytest.raises(BadInput, match="size or hash is wrong"):
        store.install(CARD, Counting())
    assert not store.check(CARD).usable
    hub.swapped = set()
    store.install(CARD, Counting())
    assert store.check(CARD).state is State.READY


def test_a_damaged_file_is_found_and_alone_brought_again(store: Store, hub: FakeHub) -> None:
    hub.files = {**hub.files, "other.safetensors": make_safetensors(b"other")}
    store.install(CARD, Counting())
    place = store.find_weights(CARD)
    assert place is not None
    data = bytearray((place / "other.safetensors").read_bytes())
    data[-1] ^= 1
    (place / "other.safetensors").write_bytes(data)
    assert store.check(CARD).state is State.READY  # its size is right
    assert store.verify(CARD, Counting()) == ["other.safetensors"]
    broken = store.check(CARD)
    assert broken.state is State.BROKEN and "damaged" in broken.reason and broken.remedy
    hub.asked.clear()
    store.install(CARD, Counting())
    assert store.check(CARD).state is State.READY
    assert not hub.bytes_sent_for("model.safetensors") and hub.bytes_sent_for("other.safetensors")


def test_a_gated_model_says_how_to_open_it(
    tmp_path: Path, hub: FakeHub, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.token = "hf_secret"
    card = make_card(gated=True)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(NotInstalled, match=r"gated.*Accept its terms"):
        store.install(card, Counting())
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    store.install(card, Counting())
    assert store.check(card).state is State.READY


def test_the_token_is_sent_for_gated_models_alone(hub: FakeHub, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.token = "hf_secret"
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with pytest.raises(NotInstalled, match="gated"):
        store.install(CARD, Counting())


def test_a_repository_that_is_gone_is_said_in_words(store: Store) -> None:
    with pytest.raises((NotInstalled, CannotAccess), match=r"small"):
        store.install(make_card(repository="somebody/gone"), Counting())


# --------------------------------------------------------------------------- offline


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every socket that is opened is refused and noted."""
    opened: list[str] = []

    def refuse(*arguments: object, **named: object) -> None:
        opened.append(repr(arguments))
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return opened


def test_an_offline_app_opens_no_socket(tmp_path: Path, folder: Path, no_sockets: list[str]) -> None:
    store = Store(tmp_path / "models", hub=Hub(offline=True))
    for ask in (store.plan, lambda card: store.install(card, Counting())):
        with pytest.raises(CannotAccess, match="stay offline"):
            ask(CARD)
    store.install(CARD, Counting(), folder)
    assert store.check(CARD).state is State.READY and store.verify(CARD, Counting()) == []
    store.remove(CARD)
    assert not no_sockets


def test_an_app_that_may_use_the_network_would_have(tmp_path: Path, online: None, no_sockets: list[str]) -> None:
    """The test above could fail: without the switch a socket is asked for."""
    with pytest.raises((CannotAccess, AssertionError)):
        Store(tmp_path / "models", hub=Hub("http://127.0.0.1:9")).plan(CARD)
    assert no_sockets


# --------------------------------------------------------------------------- states


def test_states_are_words_with_a_reason_and_a_remedy(tmp_path: Path, folder: Path) -> None:
    store = Store(tmp_path / "models")
    store.install(CARD, Counting(), folder)
    newer = store.check(make_card(version="2"))
    assert newer.state is State.OUTDATED and "version 1 is installed" in newer.reason and newer.remedy
    place = store.find_weights(CARD)
    assert place is not None
    (place / "config.json").unlink()
    assert (store.check(CARD).state, store.check(CARD).usable) == (State.BROKEN, False)
    (place / "installed.json").write_text("{")
    assert store.check(CARD).state is State.BROKEN
    assert store.check(make_card(adapter="nobody_wrote_it")).state is State.UNSUPPORTED


def test_a_machine_says_what_it_cannot_run(tmp_path: Path) -> None:
    cuda = make_card(devices=["cuda"], vram={"documented_bytes": 32 << 30, "documented_in": "its read-me"})
    on_cpu = Store(tmp_path, machine=Machine("cpu")).check(cuda)
    assert on_cpu.state is State.UNSUPPORTED and "GPU" in on_cpu.reason
    small = Store(tmp_path, machine=Machine("cuda", 24 << 30)).check(cuda)
    assert small.state is State.UNSUPPORTED and "32.0 GB" in small.reason and "24.0 GB" in small.reason
    assert Store(tmp_path, machine=Machine("cuda", 40 << 30)).check(cuda).state is State.NOT_INSTALLED


def test_a_model_that_a_gpu_would_speed_up_says_so(tmp_path: Path, folder: Path) -> None:
    store = Store(tmp_path, machine=Machine("cpu"))
    store.install(CARD, Counting(), folder)
    found = store.check(CARD)
    assert found.usable and "many times slower than on a GPU" in found.reason


def test_a_removed_model_is_gone(tmp_path: Path, folder: Path) -> None:
    store = Store(tmp_path / "models")
    store.install(CARD, Counting(), folder)
    freed = store.remove(CARD)
    assert freed > 2_000_000 and store.measure_disk(CARD) == 0
    assert store.check(CARD).state is State.NOT_INSTALLED
    builtin = make_card(environment="builtin", repository="")
    for refused in (lambda: store.remove(builtin), lambda: store.install(builtin, Counting())):
        with pytest.raises(BadInput, match="comes with the app"):
            refused()


def test_one_installer_at_a_time(tmp_path: Path, folder: Path) -> None:
    store, other = Store(tmp_path / "models"), Store(tmp_path / "models")

    class Meanwhile(Counting):
        def check(self) -> None:
            assert store.check(CARD).state is State.INSTALLING
            for one in (store, other):
                with pytest.raises(CannotAccess, match="already"):
                    one.install(CARD, Counting(), folder)

    store.install(CARD, Meanwhile(), folder)
    assert store.check(CARD).state is State.READY


def test_a_full_disk_is_said_before_the_download(store: Store, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "measure_free", lambda self: 1000)
    with pytest.raises(CannotAccess, match="1 kB free"):
        store.install(CARD, Counting())
    assert not hub.bytes_sent_for("model.safetensors")


def test_a_manifest_names_every_file_with_its_hash(tmp_path: Path, folder: Path) -> None:
    store = Store(tmp_path / "models")
    store.install(CARD, Counting(), folder)
    told = json.loads((tmp_path / "models" / "small" / "installed.json").read_text())
    assert {file["name"] for file in told["files"]} == WANTED - {"installed.json"}
    assert all(len(file["sha256"]) == 64 for file in told["files"])
