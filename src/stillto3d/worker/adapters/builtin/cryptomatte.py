"""Cryptomatte 1.2 (Friedman and Jones 2015; specification of Psyop): who covers how much of every pixel, by name."""

from __future__ import annotations

import json
from typing import Any, Iterable

import numpy as np

TYPE = "CryptoObject"
RANKS = 4  # in two channels of four: id and coverage, twice
MASK = 0xFFFFFFFF


def compose(
    names: list[str], ids: np.ndarray | None, masks: dict[int, np.ndarray], scenes: set[int], shape: tuple[int, int]
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The channels f32[H, W] and the attributes of a Cryptomatte over layers `names`.

    A layer's mask u8[H, W] is its coverage; what masks leave goes to the layer whose id stands there, or to the first
    of `scenes` where that one has a mask, which says that it is not there. Nothing without layers.
    """
    if not names or (ids is None and not masks):
        return {}, {}
    distinct = _make_distinct(names)
    hashes = [hash_name(name) for name in distinct]
    found, cover = np.zeros((RANKS, *shape), np.float32), np.zeros((RANKS, *shape), np.float32)
    left = np.ones(shape, np.float32)
    for k, mask in masks.items():
        own = np.minimum(mask.astype(np.float32) / 255, left)
        left -= own
        _insert(found, cover, hashes[k], own)
    if ids is not None:
        behind = next(iter(sorted(scenes)), None)
        owners = ids.astype(np.int64) - 1
        if behind is not None:
            owners = np.where(np.isin(owners, list(masks)), behind, owners)
        for k in np.unique(owners[owners >= 0]).tolist():
            if k < len(names):
                _insert(found, cover, hashes[k], np.where(owners == k, left, 0).astype(np.float32))
    channels: dict[str, np.ndarray] = {}
    for level in range(RANKS // 2):
        pair = (found[2 * level], cover[2 * level], found[2 * level + 1], cover[2 * level + 1])
        channels |= {f"{TYPE}{level:02d}.{letter}": values for letter, values in zip("RGBA", pair)}
    return channels, _describe(distinct, hashes)


def _insert(found: np.ndarray, cover: np.ndarray, code: np.float32, own: np.ndarray) -> None:
    """Take a layer in where it covers more than the least of the ranks."""
    rows, columns = np.nonzero(own > cover[-1])
    if not len(rows):
        return
    ranked_ids = np.concatenate([found[:, rows, columns], np.full((1, len(rows)), code, np.float32)])
    ranked = np.concatenate([cover[:, rows, columns], own[None, rows, columns]])
    order = np.argsort(-ranked, axis=0, kind="stable")[:RANKS]
    found[:, rows, columns] = np.take_along_axis(ranked_ids, order, axis=0)
    cover[:, rows, columns] = np.take_along_axis(ranked, order, axis=0)


def _make_distinct(names: Iterable[str]) -> list[str]:
    taken: dict[str, int] = {}
    distinct = []
    for name in names:
        taken[name] = taken.get(name, 0) + 1
        distinct.append(name if taken[name] == 1 else f"{name}_{taken[name]:02d}")
    return distinct


def _describe(names: list[str], codes: list[np.float32]) -> dict[str, str]:
    key = f"cryptomatte/{murmur3(TYPE.encode()):08x}"[: len("cryptomatte/") + 7]
    manifest = {name: f"{int(code.view(np.uint32)):08x}" for name, code in zip(names, codes)}
    return {
        f"{key}/name": TYPE,
        f"{key}/hash": "MurmurHash3_32",
        f"{key}/conversion": "uint32_to_float32",
        f"{key}/manifest": json.dumps(manifest, ensure_ascii=True),
    }


def hash_name(name: str) -> np.float32:
    """A name as the float that stands for it: its hash, kept away from denormals, infinities and NaN."""
    code = murmur3(name.encode("utf-8", "replace"))
    if code >> 23 & 255 in (0, 255):
        code ^= 1 << 23
    value: Any = np.uint32(code).view(np.float32)
    return np.float32(value)


def murmur3(data: bytes, seed: int = 0) -> int:
    """MurmurHash3, x86, 32 bits (Appleby)."""
    h = seed
    for start in range(0, len(data) - len(data) % 4, 4):
        h ^= _scramble(int.from_bytes(data[start : start + 4], "little"))
        h = (((h << 13 | h >> 19) & MASK) * 5 + 0xE6546B64) & MASK
    rest = data[len(data) - len(data) % 4 :]
    if rest:
        h ^= _scramble(int.from_bytes(rest, "little"))
    h ^= len(data)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = ((h ^ h >> shift) * factor) & MASK
    return h ^ h >> 16


def _scramble(k: int) -> int:
    k = k * 0xCC9E2D51 & MASK
    return (k << 15 | k >> 17) * 0x1B873593 & MASK
