"""Files of weights for tests."""

from __future__ import annotations

import json
import struct


def make_safetensors(payload: bytes) -> bytes:
    """A file in the layout of safetensors, with one tensor of bytes."""
    header = json.dumps({"x": {"dtype": "U8", "shape": [len(payload)], "data_offsets": [0, len(payload)]}}).encode()
    return struct.pack("<Q", len(header)) + header + payload
