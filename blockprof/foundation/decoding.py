"""JSON and arrays read from files that may hold anything, and what reading content of another form runs into."""

import json
import sys
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What code raises that takes decoded content for what it should be: a key that lacks, a list where a number should be,
an infinite number that should be whole."""


def parse_json(content: str | bytes) -> Any:
    """What JSON says.

    Raises:
        ValueError: it is none, or nested too deep, or has an integer of over 4,300 digits.
    """
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deep") from None


def read_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of a NumPy file (``.npz``) by name; nothing pickled is read.

    Raises:
        ValueError: it is no such file, or damaged.
    """
    try:
        with np.load(BytesIO(content), allow_pickle=False) as file:
            arrays = dict(file)
    except Exception as error:  # of the archive, of compression, of a header, which is Python: there are a dozen kinds
        raise ValueError(f"no NumPy arrays ({type(error).__name__}: {' '.join(str(error).split())[:200]})") from None
    # A member that is no array comes as the bytes that it is.
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise ValueError("holds other things than arrays")
    if not all(_is_text(array) for array in arrays.values() if array.dtype.kind == "U"):
        raise ValueError("holds text of characters that do not exist")
    return arrays


def _is_text(array: NDArray[np.str_]) -> bool:
    """Whether its characters exist: NumPy makes strings of others too, which Python then fails to join."""
    codes = np.frombuffer(array.tobytes(), np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
    return bool((codes <= sys.maxunicode).all())
