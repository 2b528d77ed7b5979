"""The wire: what goes in comes out, and what is not a frame is refused."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stillto3d.worker.frames import MAGIC, WireError, encode_frame, read_frame, split_reply, write_frame


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for fd in ends:
        with contextlib.suppress(OSError):
            os.close(fd)


def push(fd: int, data: bytes) -> threading.Thread:
    def write() -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.close(fd)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


def read_bytes(pipe: tuple[int, int], data: bytes) -> object:
    thread = push(pipe[1], data)
    try:
        return read_frame(pipe[0])
    finally:
        os.close(pipe[0])
        thread.join()


dtypes = st.sampled_from(["u1", "<u2", "<i4", "<f4", "<f8", "bool", "<f2"])
arrays = dtypes.flatmap(lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(named=st.dictionaries(st.text(max_size=8), arrays, max_size=4), value=values)
def test_a_frame_comes_out_as_it_went_in(named: dict[str, np.ndarray], value: object) -> None:
    source, sink = os.pipe()
    data = b"".join(encode_frame("call", {"value": value}, named))
    thread = push(sink, data)
    frame = read_frame(source)
    assert read_frame(source) is None  # a clean end
    thread.join()
    os.close(source)
    assert frame is not None and frame.kind == "call" and frame.fields == {"value": value}
    assert list(frame.arrays) == list(named)
    for name, array in named.items():
        assert frame.arrays[name].dtype == array.dtype and frame.arrays[name].shape == array.shape
        np.testing.assert_array_equal(frame.arrays[name], array)


def test_slices_and_big_endian_arrays_travel_too(pipe: tuple[int, int]) -> None:
    grid = np.arange(24, dtype=">i4").reshape(4, 6)
    frame = read_bytes(pipe, b"".join(encode_frame("x", {}, {"a": grid[::2, ::-1]})))
    np.testing.assert_array_equal(frame.arrays["a"], grid[::2, ::-1])  # type: ignore[attr-defined]


@pytest.mark.parametrize("array", [np.array(["text"]), np.array([1j]), np.array([None])])
def test_what_the_wire_does_not_carry_is_refused_before_writing(array: np.ndarray) -> None:
    with pytest.raises((WireError, TypeError, ValueError)):
        encode_frame("x", {}, {"a": array})


def frame_bytes(head: object, body: bytes = b"") -> bytes:
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<4sI", MAGIC, len(text)) + text + body


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a not a frame",
        struct.pack("<4sI", MAGIC, 0xFFFFFFFF),
        frame_bytes(b"{broken"),
        frame_bytes(b"[" * 100_000),
        frame_bytes([]),
        frame_bytes({"arrays": []}),
        frame_bytes({"kind": "x", "arrays": [["a", "O", [1]]]}),
        frame_bytes({"kind": "x", "arrays": [["a", "<f4", [-1]]]}),
        frame_bytes({"kind": "x", "arrays": [["a", "<f4", [2**62, 2**62]]]}),
        frame_bytes({"kind": "x", "arrays": [["a", "<f4", [2.5]]]}),
        frame_bytes({"kind": "x", "arrays": [["a", "<f4", [4]]]}, b"only six"[:6]),
        struct.pack("<4s", MAGIC),
    ],
)
def test_what_is_no_frame_is_refused(pipe: tuple[int, int], data: bytes) -> None:
    with pytest.raises(WireError):
        read_bytes(pipe, data)


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_frame_cut_anywhere_is_refused(pipe: tuple[int, int], cut: int) -> None:
    data = b"".join(encode_frame("x", {"a": 1}, {"b": np.arange(9.0)}))
    with pytest.raises(WireError):
        read_bytes(pipe, data[: len(data) * cut // 60])


def test_numpy_scalars_become_plain_numbers() -> None:
    scalars, bodies = split_reply({"a": np.float32(0.5), "b": np.zeros(2), "c": [1]})
    assert scalars == {"a": 0.5, "c": [1]} and type(scalars["a"]) is float and list(bodies) == ["b"]


def test_writing_to_a_reader_that_is_gone_says_so(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    with pytest.raises(OSError):
        write_frame(pipe[1], encode_frame("x", {}, {}))
