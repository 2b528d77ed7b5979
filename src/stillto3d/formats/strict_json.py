"""JSON as files carry it: written from frozen values, read from strangers without trust."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from ..errors import BadInput

CEILING = 64 << 20


def write_json(value: Any) -> bytes:
    """Compact UTF-8 JSON; frozen mappings and numpy scalars become plain. Raises ValueError for NaN."""
    text = json.dumps(value, default=_thaw, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text.encode("ascii")


def read_json(data: bytes, name: str) -> dict[str, Any]:
    """The object that `data` holds; `name` is what the sentences call the file.

    Refused (BadInput): more than 64 MB, not UTF-8, not JSON, NaN and infinity, repeated keys, nesting that
    only serves to exhaust the stack, and anything that is not an object at the top.
    """
    if len(data) > CEILING:
        raise BadInput("{name} holds an implausibly large description.", name=name)
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_refuse_twice)
    except RecursionError as error:
        raise BadInput("{name} is nested too deeply to be read.", name=name) from error
    except ValueError as error:
        raise BadInput("{name} is damaged: its description cannot be read.", name=name) from error
    if not isinstance(value, dict):
        raise BadInput("{name} is damaged: its description cannot be read.", name=name)
    return value


def clean_text(text: str) -> str:
    """The text without lone surrogates, which no UTF-8 file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _thaw(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is repeated")
    return value
