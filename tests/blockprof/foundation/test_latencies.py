"""The one check that every latency passes, whatever file it came in."""

import math

import numpy as np
import pytest

from blockprof.foundation.latencies import are_latencies, check_latency, check_positive


@pytest.mark.parametrize(
    ("value", "ms_per_unit", "latency_ms"),
    [
        ("9.8", 1.0, 9.8),
        (" 1e-3 ", 1.0, 1e-3),
        ("+.5", 1.0, 0.5),
        ("5.", 1e3, 5000.0),
        ("1", 1e-6, 1e-6),
        (7, 1.0, 7.0),
        (np.float32(0.5), 1.0, 0.5),
        (np.int64(3), 1.0, 3.0),
        (1e9, 1.0, 1e9),
    ],
)
def test_latencies(value: object, ms_per_unit: float, latency_ms: float) -> None:
    assert check_latency(value, ms_per_unit) == latency_ms


@pytest.mark.parametrize(
    "value",
    ["fast", "", "nan", "inf", "-1", "0", "0.0", "1_2_3", "１２", "١٢", "1,5", "0x10", "1e", "1" * 401, "1e400",
     -1, 0, 0.0, math.nan, math.inf, -math.inf, True, False, np.True_, None, [1.0], {"mean": 1.0}, b"1",
     pytest.param(16**5000, id="huge"), np.float64(np.nan)],
)  # fmt: skip
def test_no_latencies(value: object) -> None:
    with pytest.raises(ValueError, match=r"is not a positive, finite number$"):
        check_latency(value)
    with pytest.raises(ValueError, match=r"is not a positive, finite number$"):
        check_positive(value)


@pytest.mark.parametrize(
    ("value", "ms_per_unit"),
    [("1e-320", 1.0), ("1e-12", 1.0), ("1e300", 1.0), ("1.7e308", 1.0), (1e-12, 1.0), (1.7e308, 1e3), ("0.9", 1e-6)],
)
def test_latencies_that_no_clock_gives(value: object, ms_per_unit: float) -> None:
    with pytest.raises(ValueError, match=r"that no clock gives: 1 ns to 1e9 ms are taken$"):
        check_latency(value, ms_per_unit)


def test_many_at_once() -> None:
    assert are_latencies(np.array([1e-6, 1.0, 1e9]))
    for bad in (0.0, -1.0, np.nan, np.inf, 9e-7, 1.1e9):
        assert not are_latencies(np.array([[1.0, bad]]))
