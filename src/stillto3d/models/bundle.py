"""Bundles: installed models in one archive, written on one machine and installed on another without a network.

A ZIP (stored) with `bundle.json` and the files as `MODEL/NAME`. What an archive says of itself is checked
before anything is written: names stay inside, sizes and hashes are kept to, nothing else lies in it.
"""

from __future__ import annotations

import hashlib
import shutil
import stat
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import BadInput, NotInstalled
from ..words import tr
from .card import ModelCard
from .files import PIECE, Manifest, Work, is_wanted, read_pieces, refuse_false_weights, refuse_incomplete
from .store import Store

INDEX = "bundle.json"
MOST_INDEX = 16 << 20
SUFFIX = ".s3dmodels"


class Index(BaseModel):
    """What a bundle says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["stillto3d models"] = "stillto3d models"
    version: Literal[1] = 1
    models: tuple[Manifest, ...] = Field(min_length=1)


def write_bundle(store: Store, cards: Sequence[ModelCard], path: Path, work: Work) -> Index:
    """Write installed models into one archive. Raises NotInstalled for one that is not whole, BadInput, Cancelled."""
    index = Index(models=tuple(_find_whole(store, card) for card in cards))
    total, done = sum(model.bytes for model in index.models) or 1, 0
    part = path.with_name(f"{path.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
            archive.writestr(INDEX, index.model_dump_json(indent=1))
            for card, model in zip(cards, index.models, strict=True):
                folder = store.find_weights(card)
                assert folder is not None
                for file in model.files:
                    name, digest = f"{model.id}/{file.name}", hashlib.sha256()
                    info = zipfile.ZipInfo.from_file(folder / file.name, name, strict_timestamps=False)
                    with archive.open(info, "w") as sink:
                        for piece in read_pieces(folder / file.name):
                            sink.write(piece)
                            digest.update(piece)
                            done += len(piece)
                            work.progress(done / total, tr("Packing {name}", name=name))
                            work.check()
                    if digest.hexdigest() != file.sha256:
                        raise _word_damaged(name)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return index


def _find_whole(store: Store, card: ModelCard) -> Manifest:
    manifest, found = store.read_installed(card), store.check_files(card)
    if manifest is None or not found.usable:
        raise NotInstalled(card.id, found.reason or tr("it comes with the app and needs no bundle."), found.remedy)
    return manifest


def install_bundle(store: Store, find_card: Callable[[str], ModelCard], path: Path, work: Work) -> tuple[Manifest, ...]:
    """Install every model of a bundle; the whole archive is checked first.

    Raises BadInput for an archive that is broken or not what it says, or a model that the app does not know.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            index = _read_index(archive, path)
            cards = [find_card(model.id) for model in index.models]
            members = _check_members(archive, index, cards, path)
            store.refuse_full(sum(model.bytes for model in index.models))
            total, done = sum(model.bytes for model in index.models) or 1, 0
            installed = tuple(m.model_copy(update={"source": "bundle", "damaged": ()}) for m in index.models)
            for card, model in zip(cards, installed, strict=True):
                _install_one(store, card, model, archive, members, work, (done, total))
                done += model.bytes
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise _word_broken(path, str(error) or "it ends too early") from error
    return installed


def _read_index(archive: zipfile.ZipFile, path: Path) -> Index:
    """The archive's index. Raises BadInput."""
    try:
        info = archive.getinfo(INDEX)
        if info.file_size > MOST_INDEX:
            raise _word_broken(path, tr("its index is too large"))
        with archive.open(info) as file:
            index = Index.model_validate_json(file.read(MOST_INDEX))
    except KeyError as error:
        raise BadInput("{path} is no bundle of models.", path=path.name) from error
    except (ValidationError, RuntimeError) as error:
        raise _word_broken(path, tr("its index cannot be read")) from error
    if len({model.id for model in index.models}) < len(index.models):
        raise _word_broken(path, tr("it holds a model twice"))
    return index


def _check_members(
    archive: zipfile.ZipFile, index: Index, cards: Sequence[ModelCard], path: Path
) -> dict[str, zipfile.ZipInfo]:
    """The archive's members by name; raises BadInput unless they are exactly those of the index."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        linked = stat.S_ISLNK(info.external_attr >> 16)
        if info.filename in members or info.is_dir() or linked or info.flag_bits & 1:
            raise _word_broken(path, tr("{name} is in it twice, a link, a folder or encrypted", name=info.filename))
        members[info.filename] = info
    sizes = {f"{model.id}/{file.name}": file.bytes for model in index.models for file in model.files}
    for card, model in zip(cards, index.models, strict=True):
        for file in model.files:
            if not is_wanted(card, file.name) or not file.sha256:
                raise _word_broken(path, tr("{name} does not belong into it", name=f"{model.id}/{file.name}"))
        refuse_incomplete(card, [file.name for file in model.files], path.name)
    for name, info in members.items():
        if name != INDEX and sizes.get(name) != info.file_size:
            raise _word_broken(path, tr("{name} is not what its index says", name=name))
    missing = sizes.keys() - members.keys()
    if missing:
        raise _word_broken(path, tr("{name} is missing", name=min(missing)))
    return members


def _install_one(
    store: Store,
    card: ModelCard,
    model: Manifest,
    archive: zipfile.ZipFile,
    members: dict[str, zipfile.ZipInfo],
    work: Work,
    way: tuple[int, int],
) -> None:
    done, total = way
    known = {file.name: file for file in card.weights}
    with store.claim(card) as staging:
        shutil.rmtree(staging)
        for file in model.files:
            target = staging / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            digest, come = hashlib.sha256(), 0
            with archive.open(members[f"{model.id}/{file.name}"]) as source, target.open("wb") as sink:
                while piece := source.read(min(PIECE, file.bytes - come + 1)):
                    come += len(piece)
                    if come > file.bytes:
                        break
                    sink.write(piece)
                    digest.update(piece)
                    work.progress((done + come) / total, tr("Unpacking {name}", name=f"{model.id}/{file.name}"))
                    work.check()
            wanted = {file.sha256, known[file.name].sha256 if file.name in known else ""} - {""}
            if come != file.bytes or wanted != {digest.hexdigest()}:
                raise _word_damaged(f"{model.id}/{file.name}")
            refuse_false_weights(card, target)
            done += come
        store.put_in_place(card, staging, model)


def _word_damaged(name: str) -> BadInput:
    return BadInput(
        "The file {name} is damaged: its hash is wrong.",
        "Nothing that was installed was changed. Write the bundle again.",
        name=name,
    )


def _word_broken(path: Path, reason: str) -> BadInput:
    return BadInput(
        "The bundle {path} cannot be used: {reason}.",
        "Nothing was installed. Write the bundle again.",
        path=path.name,
        reason=reason,
    )
