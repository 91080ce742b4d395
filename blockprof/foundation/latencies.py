"""What a latency may be, wherever it was read: one check for CSV, Parquet, YAML, JSON, block tables and journals."""

import re

import numpy as np
from numpy.typing import NDArray

MIN_LATENCY_MS = 1e-6
MAX_LATENCY_MS = 1e9
"""A clock's tick of 1 ns, and eleven days: a latency beyond either is a mistake in the file, or in its unit."""

_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_MAX_DIGITS = 400
_MAX_SHOWN = 80


def check_latency(value: object, ms_per_unit: float = 1.0) -> float:
    """Return a latency in ms.

    Args:
        value: a number, or text that is a plain decimal, such as ``9.8`` or ``1e-3``.
        ms_per_unit: what one of the value's unit is in ms.

    Raises:
        ValueError: it is no positive, finite number, or one that no clock gives; the message says so of ``value``.
    """
    latency_ms = check_positive(value) * ms_per_unit
    if not are_latencies(np.array(latency_ms)):
        raise ValueError(f"{_shown(value)} is a latency that no clock gives: 1 ns to 1e9 ms are taken")
    return latency_ms


def check_positive(value: object) -> float:
    """Return a positive, finite number that a file holds as such, or as a plain decimal; a boolean is none.

    Raises:
        ValueError: it is none; the message says so of ``value``.
    """
    number = parse_decimal(value) if isinstance(value, str) else _as_float(value)
    if not 0 < number < np.inf:
        raise ValueError(f"{_shown(value)} is not a positive, finite number")
    return number


def parse_decimal(text: str) -> float:
    """The number that ``text`` writes in ASCII digits, NaN where it is none: Python also reads ``1_2`` and ``١٢``."""
    text = text.strip()
    return float(text) if len(text) <= _MAX_DIGITS and _DECIMAL.fullmatch(text) else np.nan


def are_latencies(values_ms: NDArray[np.float64]) -> bool:
    """Whether all of ``values_ms``, of any shape, are latencies that a clock may give."""
    # NaN is neither.
    return bool(((values_ms >= MIN_LATENCY_MS) & (values_ms <= MAX_LATENCY_MS)).all())


def _as_float(value: object) -> float:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        return np.nan
    try:
        return float(value)
    except OverflowError:
        return np.nan


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    try:
        return repr(value)[:_MAX_SHOWN]
    except ValueError:  # an integer of over 4,300 digits, which YAML has in hexadecimal
        return "a number of thousands of digits"
