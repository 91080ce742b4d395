"""The lines of journals: JSON with a checksum, in which arrays of numbers may be."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from blockprof.foundation.decoding import parse_json

_CHECKED = re.compile(rb'(\{.*),"crc":"([0-9a-f]{8})"\}', re.DOTALL)


def encode(content: Mapping[str, Any]) -> bytes:
    """A line of a journal, with its checksum."""
    line = json.dumps(content, separators=(",", ":")).encode()[:-1]
    return b'%s,"crc":"%08x"}\n' % (line, crc32(line))


def decode(line: bytes) -> tuple[bool, dict[str, Any]]:
    """Whether a line has a checksum, and what it says; raises ValueError where it is damaged."""
    found = _CHECKED.fullmatch(line)
    if found and crc32(found[1]) != int(found[2], 16):
        raise ValueError("another checksum")
    content = parse_json(found[1] + b"}" if found else line)
    if not isinstance(content, dict):
        raise ValueError("not an object")
    return found is not None, content


def pack(array: NDArray[Any]) -> dict[str, Any]:
    """An array of numbers, for a row."""
    return {"type": array.dtype.str, "shape": array.shape, "data": b64encode(array.tobytes()).decode()}


def unpack(packed: Mapping[str, Any], kinds: str) -> NDArray[Any]:
    """The inverse of :func:`pack`; raises ValueError, KeyError or TypeError where it is no array of ``kinds``, as of
    ``dtype.kind``.
    """
    dtype = np.dtype(packed["type"])
    if dtype.kind not in kinds:
        raise ValueError("numbers of another kind")
    return np.frombuffer(b64decode(packed["data"], validate=True), dtype).reshape(packed["shape"])
