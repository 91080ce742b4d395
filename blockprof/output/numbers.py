"""How numbers are written: with as many digits as tell them apart, and no more than are known."""

import numpy as np

from blockprof.foundation.arrays import FloatArray

_MINUS = "\N{MINUS SIGN}"


def format_value(value: float, among: FloatArray, known_to: float = 0.0) -> str:
    """Write a value with four digits, or as many as tell ``among`` apart, but no finer than it is known.

    ``known_to`` is the size of its error, in its unit: the last decimal is that of the error's first digit.
    """
    spread = float(np.nanmax(among) - np.nanmin(among))
    size = float(np.nanmax(np.abs(among)))
    if size >= 1e6:
        return f"{value / 1e6:,.1f}M"
    digits = 4 if size == 0 else 3 - int(np.floor(np.log10(size)))
    if spread > 0:
        digits = max(digits, 1 - int(np.floor(np.log10(spread))))
    if known_to > 0:
        digits = min(digits, -int(np.floor(np.log10(known_to))))
    return f"{value:,.{min(max(digits, 0), 5)}f}"


def number(value: float, among: FloatArray, known_to: float = 0.0) -> str:
    """Write a value as :func:`format_value` does, with a real minus sign; a dash where there is none."""
    return "–" if np.isnan(value) else format_value(value, among, known_to).replace("-", _MINUS)


def signed(value: float, among: FloatArray, known_to: float = 0.0) -> str:
    """The same, with a plus sign where it is positive."""
    return ("" if value < 0 or np.isnan(value) else "+") + number(value, among, known_to)


def tick_text(value: float) -> str:
    """Write a round number as short as can be, millions as M."""
    shown = f"{value / 1e6:,.10g}M" if abs(value) >= 1e6 else f"{value:,.10g}"
    return shown.replace("-", _MINUS)
