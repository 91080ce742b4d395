"""Rows that measure one network several times: kept where they agree within the noise, which they tell themselves."""

from dataclasses import dataclass

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.spaces import Architectures

MIN_LIMIT = 1.25
"""The factor by which repeats of a network may differ however quiet the others are: a clock rate may change once."""
FALLBACK_LIMIT = 1.5
"""The same where too few other networks are repeated to tell the noise."""
MIN_OTHERS = 5
NOISE_WIDTHS = 8
"""A repeat may be so many standard deviations of the others' noise off; it has heavy tails."""

SAME_LATENCY = 1e-9
"""Relative difference below which two latencies are the same number, written in different units."""
_COARSE_DIGITS = 3
_STD_PER_MAD = 1.4826


@dataclass(frozen=True)
class Contradiction:
    """Row ``row`` beside the first row of the same network, which it differs from by more than a factor ``limit``."""

    row: int
    first: int
    latency_ms: float
    first_ms: float
    limit: float


@dataclass(frozen=True)
class Repeats:
    """What repeats there are: ``copies`` are pairs of a row and the one it only copies; ``note`` says what is kept."""

    copies: tuple[tuple[int, int], ...]
    contradictions: tuple[Contradiction, ...]
    note: str


def repeated_rows(archs: Architectures, resolutions: IntArray) -> list[list[int]]:
    """The rows of each network and resolution that several rows are of, in order."""
    rows_of: dict[tuple[bytes, int], list[int]] = {}
    for row, (genes, resolution) in enumerate(zip(archs.genes, resolutions.tolist(), strict=True)):
        rows_of.setdefault((genes.tobytes(), resolution), []).append(row)
    return [rows for rows in rows_of.values() if len(rows) > 1]


def find_repeats(archs: Architectures, resolutions: IntArray, latencies_ms: FloatArray) -> Repeats:
    """Tell repeated measurements from copies of a row and from contradictions.

    A row is a copy where its latency is the same to more digits than a coarse clock gives. It contradicts the first of
    its network where the two differ by more than ``NOISE_WIDTHS`` standard deviations of the logarithm, which the
    median absolute deviation of the *other* repeated networks tells.
    """
    groups = repeated_rows(archs, resolutions)
    logs = np.log(latencies_ms)
    spreads = [np.abs(logs[rows] - np.median(logs[rows])) for rows in groups]
    # One number for each other group; of a few thousand groups, one more or less does not move the median.
    typical = np.array([spread.max() for spread in spreads])
    copies: list[tuple[int, int]] = []
    contradictions: list[Contradiction] = []
    for index, (first, *others) in enumerate(groups):
        limit = _limit(np.delete(typical, index))
        for row in others:
            latency, before = float(latencies_ms[row]), float(latencies_ms[first])
            if np.isclose(latency, before, rtol=SAME_LATENCY, atol=0) and not _is_coarse(latency):
                copies.append((row, first))
            elif abs(np.log(latency / before)) > np.log(limit):
                contradictions.append(Contradiction(row, first, latency, before, limit))
    return Repeats(tuple(copies), tuple(contradictions), _note(groups, latencies_ms))


def _limit(others: FloatArray) -> float:
    if len(others) < MIN_OTHERS:
        return FALLBACK_LIMIT
    return max(MIN_LIMIT, float(np.exp(NOISE_WIDTHS * _STD_PER_MAD * np.median(others))))


def _is_coarse(latency_ms: float) -> bool:
    return bool(np.isclose(float(f"{latency_ms:.{_COARSE_DIGITS}g}"), latency_ms, rtol=SAME_LATENCY, atol=0))


def _note(groups: list[list[int]], latencies_ms: FloatArray) -> str:
    if not groups:
        return ""
    ratios = [latencies_ms[rows].max() / latencies_ms[rows].min() for rows in groups]
    networks = "1 network is" if len(groups) == 1 else f"{len(groups):,} networks are"
    apart = 100 * (float(np.median(ratios)) - 1)
    return f"{networks} measured several times, {apart:.1f} % apart in the median: all rows are kept"
