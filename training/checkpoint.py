"""Keeps a training on disk in few small files, so that it goes on as if it had never stopped.

A checkpoint is `part_0.bin` ... and `manifest.json`, which is written last and holds the parts' digests: a set that
is not whole and of one piece is refused. Weights are stored as f16; the average, and the best average so far, as
8-bit differences to them; AdamW's first moment with 4 bits, the root of its second with 8, rounded up.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .flat import FlatNet, Slot, unpack

BLOCK = 256  # numbers that share a scale
PART_BYTES = 15_400_000
MANIFEST = "manifest.json"
KINDS = ("network", "average", "best")


class BadCheckpoint(ValueError):
    """A checkpoint that is not whole, or of another network."""


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    fraction: of the schedule, 0..1; seconds: of training so far; seed: of the next stream; figures: of the best average
    """

    step: int
    fraction: float
    seconds: float
    seed: int
    images: int
    best: dict[str, float]


def to_blocks(values: Tensor) -> Tensor:
    """f32[n] as f32[m, BLOCK], padded with 0."""
    return torch.nn.functional.pad(values, (0, -len(values) % BLOCK)).view(-1, BLOCK)


def quantise(values: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Whole numbers -most..most as i8[m, BLOCK], and what one of them is worth f32[m]."""
    blocks = to_blocks(values)
    scale = blocks.abs().amax(1) / most
    whole = (blocks / scale.clamp(min=1e-38)[:, None]).round().clamp(-most, most)
    return whole.to(torch.int8), scale


def quantise_up(values: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers >= 0 as u8[m, BLOCK], rounded up, so that only 0 becomes 0; and their scale f32[m]."""
    blocks = to_blocks(values)
    scale = blocks.amax(1) / 255
    whole = (blocks / scale.clamp(min=1e-38)[:, None]).ceil().clamp(0, 255)
    return torch.where(blocks > 0, whole.clamp(min=1), 0).to(torch.uint8), scale


def restore(whole: Tensor, scale: Tensor, size: int) -> Tensor:
    """What quantise or quantise_up was given, nearly, as f32[size]."""
    return (whole.float() * scale[:, None]).flatten()[:size]


def pack_nibbles(whole: Tensor) -> Tensor:
    """i8[m, BLOCK] of -7..7 as u8[m, BLOCK / 2]."""
    nibbles = (whole + 8).to(torch.uint8)
    return nibbles[:, 0::2] | (nibbles[:, 1::2] << 4)


def unpack_nibbles(packed: Tensor) -> Tensor:
    """The reverse of pack_nibbles."""
    both = torch.stack([packed & 15, packed >> 4], 2).flatten(1)
    return both.to(torch.int8) - 8


def _encode(flat: FlatNet, best: Tensor | None) -> dict[str, Tensor]:
    network = flat.values.half()
    kept = {"network": network}
    for name, vector in (("average", flat.average), ("best", best)):
        if vector is not None:
            kept[name], kept[f"{name}_scale"] = quantise(vector - network.float(), 127)
    first, kept["first_scale"] = quantise(flat.first, 7)
    kept["first"] = pack_nibbles(first)
    kept["second"], kept["second_scale"] = quantise_up(flat.second.sqrt())
    return kept


def write_checkpoint(folder: Path, flat: FlatNet, progress: Progress, best: Tensor | None = None) -> None:
    """Put a checkpoint into `folder` in place of the one there; `best` f32[n] is the best average so far."""
    sections, stream = [], bytearray()
    for name, tensor in _encode(flat, best).items():
        array = tensor.cpu().numpy()
        sections.append({"name": name, "dtype": array.dtype.str, "shape": list(array.shape), "offset": len(stream)})
        stream += array.tobytes()
    beside = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    parts = []
    for index, start in enumerate(range(0, len(stream), PART_BYTES)):
        data = bytes(stream[start : start + PART_BYTES])
        name = f"part_{index}.bin"
        (beside / name).write_bytes(data)
        parts.append({"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    slots = [asdict(slot) for slot in flat.slots]
    manifest = {
        "progress": asdict(progress),
        "size": len(flat.values),
        "parts": parts,
        "sections": sections,
        "slots": slots,
    }
    (beside / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    for old in folder.glob("part_*.bin"):
        old.unlink()
    for part in parts:
        (beside / str(part["name"])).rename(folder / str(part["name"]))
    (beside / MANIFEST).rename(folder / MANIFEST)
    beside.rmdir()


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        stream = b"".join(_read_parts(folder, manifest["parts"]))
    except FileNotFoundError as error:
        raise BadCheckpoint(f"{folder} holds no whole checkpoint: {error}") from error
    tensors = {}
    for section in manifest["sections"]:
        count = math.prod(section["shape"])
        array = np.frombuffer(stream, np.dtype(section["dtype"]), count, section["offset"])
        tensors[section["name"]] = torch.from_numpy(array.reshape(section["shape"]).copy())
    return manifest, tensors


def _read_parts(folder: Path, parts: list[dict[str, Any]]) -> Iterator[bytes]:
    for part in parts:
        data = (folder / part["name"]).read_bytes()
        if len(data) != part["bytes"] or hashlib.sha256(data).hexdigest() != part["sha256"]:
            raise BadCheckpoint(f"{part['name']} in {folder} is not of this checkpoint")
        yield data


def _restore_average(tensors: dict[str, Tensor], name: str, size: int) -> Tensor:
    network = tensors["network"].float()
    return network + restore(tensors[name], tensors[f"{name}_scale"], size)


def resume(folder: Path, flat: FlatNet) -> tuple[Progress, Tensor | None]:
    """Put a checkpoint's weights, average and moments into `flat`; how far it was, and the best average f32[n].

    Raises BadCheckpoint when the set is not whole, or of another network.
    """
    manifest, tensors = _read(folder)
    if [asdict(slot) for slot in flat.slots] != _read_slots(manifest):
        raise BadCheckpoint(f"{folder} was trained with another network")
    size, device = manifest["size"], flat.values.device
    flat.values.copy_(tensors["network"].float())
    flat.average.copy_(_restore_average(tensors, "average", size))
    flat.first.copy_(restore(unpack_nibbles(tensors["first"]), tensors["first_scale"], size))
    flat.second.copy_(restore(tensors["second"], tensors["second_scale"], size).square())
    progress = Progress(**manifest["progress"])
    flat.steps = progress.step
    best = _restore_average(tensors, "best", size).to(device) if "best" in tensors else None
    return progress, best


def _read_slots(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**slot, "shape": tuple(slot["shape"])} for slot in manifest["slots"]]


def read_network(folder: Path, which: str) -> dict[str, Tensor]:
    """The state dictionary of the `network`, its `average`, or the `best` average as measured in training."""
    manifest, tensors = _read(folder)
    if which not in KINDS or which not in tensors:
        raise BadCheckpoint(f"{folder} holds no {which} weights")
    size = manifest["size"]
    vector = tensors["network"].float() if which == "network" else _restore_average(tensors, which, size)
    return unpack([Slot(**slot) for slot in _read_slots(manifest)], vector)
