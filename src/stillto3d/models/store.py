"""Where weights lie, whether a model can be used, and how it is installed, verified and removed."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInput, CannotAccess, NotInstalled
from ..words import find_resources, tr
from ..worker import frames
from .card import ModelCard, WeightFile
from .environments import Environments
from .files import (
    Manifest,
    Work,
    format_bytes,
    hash_as_git,
    hash_file,
    is_wanted,
    list_folder,
    read_manifest,
    read_pieces,
    refuse_false_weights,
    refuse_incomplete,
    write_manifest,
)
from .hub import Hub, HubFile, Listing
from .states import Availability, State

ADAPTERS = Path(frames.__file__).with_name("adapters")
STAGING = ".staging"
SPARE_BYTES = 200 << 20  # that a disk keeps free


@dataclass(frozen=True)
class Machine:
    """What models may run on here: "cpu" or "cuda", and the bytes of video memory they may use (0: untold)."""

    device: str = "cpu"
    vram_bytes: int = 0


@dataclass(frozen=True)
class Plan:
    """What installing would take: files and bytes to come, and bytes free on the disk."""

    listing: Listing
    bytes: int
    free_bytes: int


class Store:
    """Where the weights lie, and with which interpreter a model runs."""

    def __init__(
        self,
        installed: Path,
        weights: Path | None = None,
        interpreter: str = "",
        hub: Hub | None = None,
        machine: Machine | None = None,
        environments: Environments | None = None,
    ) -> None:
        """`installed` holds what was installed, by model id; `weights` stands in for those that ship.

        Without `environments` every model runs with `interpreter`.
        """
        self._installed, self._weights = installed, weights
        self._hub = hub or Hub()
        self.environments = environments
        self._machine = machine
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self.interpreter = interpreter or sys.executable

    # ----------------------------------------------------------------- what there is

    def find_weights(self, card: ModelCard) -> Path | None:
        """The folder with the model's files; None for a model without any."""
        if not card.has_files:
            return None
        if card.environment == "builtin":
            return self._weights or find_resources() / "weights"
        return self._installed / card.id

    def check(self, card: ModelCard) -> Availability:
        """Whether the model can be used: supported here, and its files there with the right size.

        Hashes are checked on installing and by `verify`.
        """
        refused = self._refuse_unsupported(card)
        if refused is not None:
            return refused
        found = self.check_files(card)
        if not found.usable or card.environment == "builtin":
            return found
        if self.environments is not None:
            found = self.environments.check(card.environment)
        slow = self._machine is not None and self._machine.device == "cpu" and "cuda" in card.devices
        if slow and found.state is State.READY:
            return Availability(State.READY, tr("it runs on the processor here, many times slower than on a GPU."))
        return found

    def find_interpreter(self, card: ModelCard) -> str:
        """The Python that the model's worker is started with."""
        if card.environment == "builtin" or self.environments is None:
            return self.interpreter
        return str(self.environments.find_python(card.environment))

    def measure_disk(self, card: ModelCard) -> int:
        """Bytes that the model takes on disk: installed, or come so far."""
        if card.environment == "builtin":
            return sum(file.bytes for file in card.weights)
        folders = (self._installed / card.id, self._staging(card))
        return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())

    def read_installed(self, card: ModelCard) -> Manifest | None:
        """What is installed of the model."""
        return read_manifest(self._installed / card.id)

    def _refuse_unsupported(self, card: ModelCard) -> Availability | None:
        if not has_adapter(card):
            return Availability(State.UNSUPPORTED, tr("this version of the app cannot run it yet."))
        machine = self._machine
        if machine is None:
            return None
        if machine.device not in card.devices:
            return Availability(
                State.UNSUPPORTED,
                tr("it needs a GPU with CUDA, and models run on the processor here."),
                tr("On a machine with such a GPU, set the device to cuda in the settings."),
            )
        if machine.device == "cuda" and machine.vram_bytes and card.vram_bytes > machine.vram_bytes:
            needs, may = (round(n / 2**30, 1) for n in (card.vram_bytes, machine.vram_bytes))
            return Availability(
                State.UNSUPPORTED,
                tr("it needs {needs} GB of video memory; {may} GB may be used.", needs=needs, may=may),
                tr("Use a smaller model, or raise the limit in the settings if the card has more."),
            )
        return None

    def check_files(self, card: ModelCard) -> Availability:
        """Whether the model's files are there, wherever it may run."""
        folder = self.find_weights(card)
        if card.environment == "builtin":
            return self._check_shipped(card, folder)
        if card.id in self._busy:
            return Availability(State.INSTALLING, tr("it is being installed."))
        if folder is None:
            return Availability(State.READY)
        manifest = read_manifest(folder)
        if manifest is None:
            return self._word_missing(card, folder)
        again = tr("Install it again.")
        for file in manifest.files:
            path = folder / file.name
            if not path.is_file():
                return Availability(State.BROKEN, tr("the file {name} is missing.", name=str(path)), again)
            if path.stat().st_size != file.bytes or file.name in manifest.damaged:
                return Availability(State.BROKEN, tr("the file {name} is damaged.", name=str(path)), again)
        if manifest.version != card.version:
            reason = tr("version {old} is installed, and the app needs {new}.", old=manifest.version, new=card.version)
            return Availability(State.OUTDATED, reason, again)
        return Availability(State.READY)

    def _check_shipped(self, card: ModelCard, folder: Path | None) -> Availability:
        again = tr("Install it again.")
        for file in card.weights if folder is not None else ():
            path = folder / file.name if folder else Path(file.name)
            if not path.is_file():
                return Availability(State.BROKEN, tr("the file {name} is missing.", name=str(path)), again)
            if self._weights is None and file.bytes and path.stat().st_size != file.bytes:
                return Availability(State.BROKEN, tr("the file {name} is damaged.", name=str(path)), again)
        return Availability(State.BUILTIN)

    def _word_missing(self, card: ModelCard, folder: Path) -> Availability:
        how = tr("Install it: stillto3d models install {model}", model=card.id)
        if folder.exists():
            return Availability(State.BROKEN, tr("its folder {name} is not whole.", name=str(folder)), how)
        come = self.measure_disk(card)
        if come:
            return Availability(
                State.NOT_INSTALLED, tr("its download is paused after {size}.", size=format_bytes(come)), how
            )
        if not card.repository:
            how = tr("Fetch {release} and install it from that folder.", release=tr(card.release))
        return Availability(State.NOT_INSTALLED, tr("it is not installed."), how)

    # ----------------------------------------------------------------- installing

    def plan(self, card: ModelCard) -> Plan:
        """What installing from the hub would bring. Raises NotInstalled, BadInput or CannotAccess."""
        if not card.repository:
            raise NotInstalled(
                card.id,
                tr("its files lie in no hub."),
                "Fetch {release} and install it from that folder.",
                release=tr(card.release),
            )
        listing = self._hub.list_files(card)
        wanted = tuple(file for file in listing.files if is_wanted(card, file.name))
        refuse_incomplete(card, [file.name for file in wanted], card.repository)
        staging = self._staging(card)
        there = sum(_measure(staging / name) for f in wanted for name in (f.name, _name_part(f)))
        still = max(0, sum(file.bytes for file in wanted) - there)
        return Plan(Listing(listing.revision, wanted), still, self.measure_free())

    def install(self, card: ModelCard, work: Work, source: Path | None = None) -> Manifest:
        """Install a model from the hub, or from a folder with its files.

        A cancel pauses: what has come is kept, and the next install takes it up. Nothing that is installed is
        touched before everything is there and proven. Raises NotInstalled, BadInput, CannotAccess or Cancelled.
        """
        if not card.has_files or card.environment == "builtin":
            raise BadInput("{model} comes with the app; there is nothing to install.", model=card.id)
        with self.claim(card) as staging:
            manifest = self._gather(card, staging, work, source) if source else self._download(card, staging, work)
            self.put_in_place(card, staging, manifest)
            return manifest

    def _gather(self, card: ModelCard, staging: Path, work: Work, source: Path) -> Manifest:
        """Copy the model's files out of a folder."""
        if not source.is_dir():
            raise BadInput("{path} is no folder.", path=source)
        names = list_folder(card, source)
        refuse_incomplete(card, names, str(source))
        sizes = {name: (source / name).stat().st_size for name in names}
        self.refuse_full(sum(sizes.values()))
        shutil.rmtree(staging)
        total, done = sum(sizes.values()) or 1, 0
        for name in names:
            work.check()
            target = staging / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as sink:
                for piece in read_pieces(source / name):
                    sink.write(piece)
                    done += len(piece)
                    work.progress(0.7 * done / total, tr("Copying {name}", name=name))
                    work.check()
        return self._prove(card, staging, [HubFile(name, sizes[name]) for name in names], work, "folder", "")

    def _download(self, card: ModelCard, staging: Path, work: Work) -> Manifest:
        """Bring the model's files from the hub, keeping what is there already and right."""
        work.progress(0.0, tr("Asking for {model}", model=card.id))
        plan = self.plan(card)
        self.refuse_full(plan.bytes)
        files = plan.listing.files
        total, before = sum(file.bytes for file in files) or 1, 0
        for file in files:
            target, part = staging / file.name, staging / _name_part(file)
            if _measure(target) != file.bytes:
                target.unlink(missing_ok=True)
            self._reuse(card, file, target)

            def hear(there: int, file: HubFile = file, before: int = before) -> None:
                come, whole = format_bytes(before + there), format_bytes(total)
                text = tr("Downloading {name}: {come} of {whole}", name=file.name, come=come, whole=whole)
                work.progress(0.9 * (before + there) / total, text)
                work.check()

            if not target.exists():
                work.check()
                self._hub.fetch(card, plan.listing.revision, file, part, hear)
                part.replace(target)
            before += file.bytes
        return self._prove(card, staging, files, work, "hub", plan.listing.revision)

    def _reuse(self, card: ModelCard, file: HubFile, target: Path) -> None:
        """Take an installed file of the same hash instead of bringing it again."""
        manifest = read_manifest(self._installed / card.id)
        old = next((f for f in manifest.files if f.name == file.name), None) if manifest else None
        if manifest is None or old is None or not file.sha256 or old.sha256 != file.sha256 or target.exists():
            return
        path = self._installed / card.id / file.name
        if file.name not in manifest.damaged and _measure(path) == file.bytes:
            target.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):
                os.link(path, target)

    def _prove(
        self, card: ModelCard, folder: Path, files: Sequence[HubFile], work: Work, source: str, revision: str
    ) -> Manifest:
        """Hash every file; one that is not what the hub and the card say is deleted and refused."""
        known = {file.name: file for file in card.weights}
        total, before = sum(file.bytes for file in files) or 1, 0
        proven = []
        for file in files:
            path = folder / file.name

            def hear(done: int, name: str = file.name, before: int = before) -> None:
                work.progress(0.9 + 0.1 * (before + done) / total, tr("Checking {name}", name=name))
                work.check()

            digest = hash_file(path, hear)
            told = known.get(file.name) or WeightFile(name=file.name)
            wrong = path.stat().st_size not in (file.bytes, told.bytes or file.bytes)
            wrong |= any(sha and sha != digest for sha in (file.sha256, told.sha256))
            wrong |= bool(told.bytes) and path.stat().st_size != told.bytes
            wrong |= bool(file.git_hash) and hash_as_git(path) != file.git_hash
            if wrong:
                path.unlink()
                raise BadInput(
                    "The file {name} of {model} is not what it should be: its size or hash is wrong.",
                    "It was deleted; nothing that was installed was changed. Install it again.",
                    name=file.name,
                    model=card.id,
                )
            refuse_false_weights(card, path)
            proven.append(WeightFile(name=file.name, bytes=path.stat().st_size, sha256=digest))
            before += file.bytes
        return Manifest(
            id=card.id,
            version=card.version,
            repository=card.repository,
            revision=revision,
            source=source,
            files=tuple(proven),
        )

    def put_in_place(self, card: ModelCard, staging: Path, manifest: Manifest) -> None:
        """Exchange what is installed for what lies, proven, in `staging`."""
        names = {file.name for file in manifest.files}
        for path in [path for path in staging.rglob("*") if path.is_file()]:
            if path.relative_to(staging).as_posix() not in names:
                path.unlink()
        write_manifest(staging, manifest)
        final, old = self._installed / card.id, self._installed / STAGING / f"{card.id}.old"
        shutil.rmtree(old, ignore_errors=True)
        if final.exists():
            final.replace(old)
        staging.replace(final)
        shutil.rmtree(old, ignore_errors=True)

    # ----------------------------------------------------------------- verifying, removing

    def verify(self, card: ModelCard, work: Work) -> list[str]:
        """The names of files that are missing or whose hash is wrong; what was found is remembered."""
        folder = self.find_weights(card)
        if folder is None:
            return []
        manifest = None if card.environment == "builtin" else read_manifest(folder)
        if manifest is None and card.environment != "builtin":
            found = self._word_missing(card, folder)
            raise NotInstalled(card.id, found.reason, found.remedy)
        files = manifest.files if manifest else tuple(file for file in card.weights if file.sha256)
        total, before, wrong = sum(file.bytes for file in files) or 1, 0, []
        for file in files:

            def hear(done: int, name: str = file.name, before: int = before) -> None:
                work.progress((before + done) / total, tr("Checking {name}", name=name))
                work.check()

            path = folder / file.name
            if not path.is_file() or hash_file(path, hear) != file.sha256:
                wrong.append(file.name)
            before += file.bytes
        if manifest is not None and tuple(wrong) != manifest.damaged:
            write_manifest(folder, manifest.model_copy(update={"damaged": tuple(wrong)}))
        return wrong

    def remove(self, card: ModelCard) -> int:
        """Delete the model's files, and what has come of a paused download; answers the bytes freed."""
        if card.environment == "builtin":
            raise BadInput("{model} comes with the app and cannot be removed.", model=card.id)
        freed = self.measure_disk(card)
        with self.claim(card) as staging:
            shutil.rmtree(staging, ignore_errors=True)
            folder = self._installed / card.id
            if folder.exists():
                gone = self._installed / STAGING / f"{card.id}.old"
                shutil.rmtree(gone, ignore_errors=True)
                folder.replace(gone)
                shutil.rmtree(gone)
        return freed

    # ----------------------------------------------------------------- disk

    def measure_free(self) -> int:
        """Bytes free on the disk that models are installed on."""
        folder = self._installed
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free

    def refuse_full(self, needed: int) -> None:
        """Raises CannotAccess when `needed` bytes do not fit on the disk."""
        free = self.measure_free()
        if needed + SPARE_BYTES > free:
            raise CannotAccess(
                "The disk of {path} has {free} free, and {needed} are needed.",
                "Free some space, or remove models that you do not use.",
                path=self._installed,
                free=format_bytes(free),
                needed=format_bytes(needed + SPARE_BYTES),
            )

    def _staging(self, card: ModelCard) -> Path:
        return self._installed / STAGING / card.id

    @contextmanager
    def claim(self, card: ModelCard) -> Iterator[Path]:
        """The model's staging folder, for one installer at a time, in this program or another."""
        from filelock import FileLock, Timeout

        staging = self._staging(card)
        staging.mkdir(parents=True, exist_ok=True)
        with self._lock:
            if card.id in self._busy:
                raise _word_busy(card)
            self._busy.add(card.id)
        try:
            with FileLock(self._installed / STAGING / f"{card.id}.lock", timeout=0):
                yield staging
        except Timeout as error:
            raise _word_busy(card) from error
        finally:
            with self._lock:
                self._busy.discard(card.id)


def _word_busy(card: ModelCard) -> CannotAccess:
    return CannotAccess("{model} is being installed already.", "Wait for its end, or cancel it there.", model=card.id)


def has_adapter(card: ModelCard) -> bool:
    """Whether the app holds the adapter that the card names."""
    if card.adapter.endswith(".py"):
        return Path(card.adapter).is_file()
    return (ADAPTERS / Path(*card.adapter.split("."))).with_suffix(".py").is_file()


def _name_part(file: HubFile) -> str:
    """What a file is called until all of it has come; another version of it has another name."""
    return f"{file.name}.{(file.sha256 or file.git_hash)[:12]}.part"


def _measure(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
