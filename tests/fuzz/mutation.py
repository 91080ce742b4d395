"""Valid files made invalid: bytes, cells, JSON and the members of archives, changed at random from a seed."""

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from blockprof.foundation.journal_lines import encode

Mutate = Callable[[random.Random, bytes], bytes]

TOKENS = (
    b"", b"0", b"-1", b"nan", b"inf", b"1e999", b"1e-320", b"1e300", b"9" * 5000, b"0x" + b"f" * 400, b"1_2",
    b"true", b"null", b"1:2:3",
    b"[]", b"{}", b"[" * 3000, b"{a: " * 300, b"- " * 99, b'"', b"'", b",", b";", b"\t", b"\n", b"\r",
    b"\0", b"\xff", b"\xef\xbb\xbf", "１".encode(), b"&a [*a]", b"!!timestamp x", b"2026-13-45", b"!!int ''",
    b"2001-01-01T00:00:00+99:99", b"!!python/object:os.system x", b"<<: 3", b"|", b"->", b"%s", b"\x1b[2J", b"PAR1",
    b"\x1f\x8b", b"PK\x03\x04",
)  # fmt: skip
"""What parsers have stumbled over, here or elsewhere."""

VALUES = (
    None, True, False, 0, -1, 1, 2**63, 10**400, 1e400, -1e400, float("nan"), 1e-320, 0.5, "", "x", "224", "\0", [],
    [[]], [1], {}, {"a": 1}, [None] * 20, "9" * 5000,
)  # fmt: skip


def mutate_bytes(rng: random.Random, content: bytes) -> bytes:
    """One to four changes of any bytes: flipped, cut out, doubled, put in, cut off."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + rng.choice((1, 1, 2, 8, 64, 512)))
        match rng.randrange(6):
            case 0 if data and start < len(data):
                data[start] ^= 1 << rng.randrange(8)
            case 1:
                del data[start:end]
            case 2:
                data[start:start] = data[start:end]
            case 3:
                data[start:end] = rng.choice(TOKENS)
            case 4:
                data[start:start] = rng.choice(TOKENS)
            case _ if rng.random() < 0.3:
                del data[start:]
    return bytes(data)


def mutate_cells(separators: bytes) -> Mutate:
    """Change of the parts that any of ``separators`` parts: replaced, swapped, doubled, left out."""

    def mutate(rng: random.Random, content: bytes) -> bytes:
        if rng.random() < 0.3:
            return mutate_bytes(rng, content)
        cuts = [at for at, byte in enumerate(content) if byte in separators]
        for _ in range(rng.randint(1, 3)):
            start, end = sorted(rng.sample([0, *cuts, len(content)], 2)) if len(cuts) > 1 else (0, len(content))
            if rng.random() < 0.7:  # one part only
                end = next((cut for cut in cuts if cut > start), len(content))
            part = rng.choice((rng.choice(TOKENS), b"", content[start:end] * 2))
            content = content[: start + 1] + part + content[end:]
            cuts = [at for at, byte in enumerate(content) if byte in separators]
        return content

    return mutate


def mutate_json(rng: random.Random, content: bytes) -> bytes:
    """Change of one value of a JSON text, or of one of its lines, or of its bytes."""
    if rng.random() < 0.2:
        return mutate_bytes(rng, content)
    lines = content.splitlines()
    whole = _loads(content)
    if whole is not None:
        return _dumps(_changed(rng, whole))
    at = rng.randrange(len(lines))
    line = _loads(lines[at])
    if line is None or rng.random() < 0.1:
        lines[at] = mutate_bytes(rng, lines[at])
    else:
        lines[at] = _dumps(_changed(rng, line))
    if rng.random() < 0.1:
        lines[rng.randrange(len(lines))] = rng.choice(lines)
    return b"\n".join([*lines, b""])


def mutate_journal(rng: random.Random, content: bytes) -> bytes:
    """Change of a journal, mostly with the checksums that its lines should have then."""
    lines = mutate_json(rng, content).splitlines()
    if rng.random() < 0.2:
        return b"\n".join([*lines, b""])
    return b"".join(_signed(line) for line in lines)


def _signed(line: bytes) -> bytes:
    content = _loads(line)
    if not isinstance(content, dict):
        return line + b"\n"
    content.pop("crc", None)
    return encode(content)


def mutate_arrays(rng: random.Random, content: bytes) -> bytes:
    """Change of one array of a NumPy file: gone, another shape, type or value; text that is JSON as such."""
    if rng.random() < 0.2:
        return mutate_bytes(rng, content)
    with np.load(io.BytesIO(content)) as file:
        arrays: dict[str, Any] = dict(file)
    name = rng.choice(list(arrays))
    array = arrays[name]
    if array.dtype.kind == "U" and array.ndim == 0 and rng.random() < 0.9:
        arrays[name] = np.array(mutate_json(rng, str(array).encode()).decode("utf-8", "replace"))
    else:
        match rng.randrange(7):
            case 0:
                del arrays[name]
            case 1:
                arrays[name] = array[None]
            case 2:
                arrays[name] = array.reshape(-1)[: rng.randrange(max(array.size, 1))]
            case 3:
                kinds = ["f4", "i1", "U4", "?", "c16"] if array.dtype.kind in "ifu" else ["U4", "S4"]
                arrays[name] = array.astype(rng.choice(kinds))
            case 4:
                arrays[name] = np.full_like(array, rng.choice([0, 1, 100])) if array.dtype.kind in "ifu" else array
            case 5:
                arrays[name] = (
                    np.where(np.arange(array.size).reshape(array.shape) == 0, np.nan, array.astype(float))
                    if array.dtype.kind in "ifu"
                    else array
                )
            case _:
                return _with_member(rng, content)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def mutate_archive(rng: random.Random, content: bytes) -> bytes:
    """Change of one member of a zip archive, whose checksum is made to fit, or of the archive's own bytes."""
    return mutate_bytes(rng, content) if rng.random() < 0.2 else _with_member(rng, content)


def one_of(*mutations: Mutate) -> Mutate:
    """Any of several ways to change."""
    return lambda rng, content: rng.choice(mutations)(rng, content)


def where_it_begins(magic: bytes, then: Mutate, otherwise: Mutate) -> Mutate:
    """One way to change files that begin so, another for the others."""
    return lambda rng, content: (then if content.startswith(magic) else otherwise)(rng, content)


def repacked(pack: Callable[[bytes], bytes], unpack: Callable[[bytes], bytes], mutate: Mutate) -> Mutate:
    """Change of what a packed file holds, or of the packed bytes."""
    return lambda rng, content: mutate_bytes(rng, content) if rng.random() < 0.5 else pack(mutate(rng, unpack(content)))


def inputs(seeds: Sequence[bytes], mutate: Mutate, count: int, seed: int) -> "list[Callable[[], bytes]]":
    """So many inputs, each by itself from ``seed`` and its number; the first ones are the valid ``seeds``."""

    def make(number: int) -> bytes:
        rng = random.Random(f"{seed} {number}")
        return seeds[number] if number < len(seeds) else mutate(rng, rng.choice(seeds))

    return [lambda number=number: make(number) for number in range(count)]  # type: ignore[misc]


def _with_member(rng: random.Random, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(buffer, "w") as after:
        names = before.namelist()
        programs = [name for name in names if name.endswith(".pkl")]
        chosen = rng.choice(programs if programs and rng.random() < 0.7 else names)
        for name in names:
            data = before.read(name)
            if name == chosen:
                if rng.random() < 0.1:
                    continue
                data = mutate_bytes(rng, data)
            after.writestr(name, data)
    return buffer.getvalue()


def _loads(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _dumps(value: Any) -> bytes:
    try:
        return json.dumps(value, separators=(",", ":")).encode()
    except (ValueError, struct.error):
        return b"1" + b"0" * 5000


def _changed(rng: random.Random, value: Any) -> Any:
    """A value with one of its parts replaced, at any depth, left out or doubled."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.1:
        return rng.choice(VALUES)
    if isinstance(value, list):
        at = rng.randrange(len(value))
        return rng.choice(
            (
                [*value[:at], _changed(rng, value[at]), *value[at + 1 :]],
                [*value[:at], _changed(rng, value[at]), *value[at + 1 :]],
                value[:at] + value[at + 1 :],
                [*value, value[at]],
            )
        )
    key = rng.choice(list(value))
    if rng.random() < 0.15:
        return {name: each for name, each in value.items() if name != key}
    if rng.random() < 0.05:
        return {**value, rng.choice(("", "x", "format")): rng.choice(VALUES)}
    return {**value, key: _changed(rng, value[key])}
