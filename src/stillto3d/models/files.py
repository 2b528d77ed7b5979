"""Files of models on disk: what an installed model consists of, hashes, and checks of what came from elsewhere."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import BadInput
from .card import PICKLES, ModelCard, WeightFile, is_plain_path

MANIFEST = "installed.json"
PIECE = 4 << 20
MOST_HEADER = 100 << 20  # as safetensors itself allows
CODE = (".py", ".pyc", ".so", ".dll", ".pyd", ".sh", ".bat", ".exe")
WEIGHTS = (".safetensors", ".onnx", *PICKLES)


class Work(Protocol):
    """What a long piece of work reports to; the engine's `Run` is one."""

    def progress(self, fraction: float, text: str = "") -> None:
        """It has come to `fraction` (0 to 1) of its way."""

    def check(self) -> None:
        """Raises Cancelled once a person has stopped the work."""


class Manifest(BaseModel):
    """What was installed: written last, so that a model without it is not there.

    source    "hub", "folder" or "bundle"
    damaged   files whose hash was found to be wrong
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    version: str
    repository: str = ""
    revision: str = ""
    source: str
    files: tuple[WeightFile, ...] = Field(min_length=1)
    damaged: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(file.bytes for file in self.files)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of an installed model; None where there is none that can be read."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError):
        return None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the manifest beside the files, in one step."""
    part = folder / f"{MANIFEST}.part"
    part.write_text(json.dumps(manifest.model_dump(), indent=1), encoding="utf-8")
    part.replace(folder / MANIFEST)


def is_wanted(card: ModelCard, name: str) -> bool:
    """Whether a file of a repository or folder belongs to the model; code never does."""
    if not is_plain_path(name) or name == MANIFEST or name.endswith(CODE):
        return False
    if name.endswith(PICKLES) and card.loading == "safetensors":
        return False
    return name in {file.name for file in card.weights} or any(fnmatch(name, one) for one in card.fetch)


def list_folder(card: ModelCard, folder: Path) -> list[str]:
    """The model's files in a folder, without what programs hide there."""
    names = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
    return [name for name in names if not name.startswith(".") and "/." not in name and is_wanted(card, name)]


def refuse_incomplete(card: ModelCard, names: list[str], where: str) -> None:
    """Raises BadInput unless every file that the card names, and some weights at all, are among `names`."""
    missing = [file.name for file in card.weights if file.name not in names]
    if missing or not any(name.endswith(WEIGHTS) for name in names):
        raise BadInput(
            "{where} does not hold what {model} needs: {files}.",
            where=where,
            model=card.id,
            files=", ".join(missing or card.fetch),
        )


def hash_file(path: Path, hear: Callable[[int], None] = lambda done: None) -> str:
    """The sha256 of a file; `hear` is told of the bytes read and may raise."""
    digest, done = hashlib.sha256(), 0
    for piece in read_pieces(path):
        digest.update(piece)
        done += len(piece)
        hear(done)
    return digest.hexdigest()


def hash_as_git(path: Path) -> str:
    """The hash under which git keeps the file."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    for piece in read_pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def read_pieces(path: Path) -> Iterator[bytes]:
    """A file in pieces of a few megabytes."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def refuse_false_weights(card: ModelCard, path: Path) -> None:
    """Raises BadInput for a .safetensors that is something else, and for a pickle that no card allows."""
    if path.suffix in PICKLES and card.loading == "safetensors":
        raise BadInput(
            "{path} is a pickle, which may run code; {model} is read from safetensors alone.",
            path=path.name,
            model=card.id,
        )
    if path.suffix != ".safetensors":
        return
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else MOST_HEADER + 1
        header = file.read(length) if length <= MOST_HEADER else b""
    try:
        sound = isinstance(json.loads(header), dict)
    except (ValueError, RecursionError):
        sound = False
    if not sound:
        raise BadInput("{path} is called .safetensors but is something else.", path=path.name)


def format_bytes(count: float) -> str:
    """A size for a person: 38 kB, 156 MB, 3.4 GB."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size * 0.9995:
            return f"{count / size:.1f} {unit}" if unit == "GB" else f"{count / size:.0f} {unit}"
    return f"{int(count)} B"


def word_bytes(count: int, unknown: str) -> str:
    """A size, or the word for one that nobody knows."""
    return format_bytes(count) if count else unknown
