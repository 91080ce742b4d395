"""Numbers that were counted once, in files: read if they are whole, else counted again."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.decoding import MALFORMED, parse_json
from blockprof.foundation.errors import InputError
from blockprof.foundation.files import staged


def read_counts(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, FloatArray] | None:
    """The counts of a file, by name, of the ``shapes``; None where there is none, or it is damaged."""
    try:
        content = {key: np.array(value, dtype=float) for key, value in parse_json(path.read_bytes()).items()}
    except (OSError, *MALFORMED):
        return None
    if {key: value.shape for key, value in content.items()} != shapes:
        return None
    return content if all(np.isfinite(value).all() and (value >= 0).all() for value in content.values()) else None


def write_counts(path: Path, counts: Mapping[str, FloatArray]) -> None:
    """Write whole or not at all; a folder that cannot be written only means counting again."""
    try:
        with staged(path.parent) as stage:
            content = json.dumps({key: value.tolist() for key, value in counts.items()})
            (stage / path.name).write_text(content)
    except InputError as error:
        warnings.warn(f"cannot keep counts in {path.parent} ({error}): they are counted again each time", stacklevel=2)
