"""How numbers are written."""

import numpy as np
import pytest

from blockprof.metrics import KnownErrors, MetricInfo
from blockprof.output.numbers import format_value


@pytest.mark.parametrize(
    ("value", "known_to", "shown"),
    [
        (78.00477, 0.0, "78.0048"),
        (78.00477, 0.0865, "78.00"),
        (78.00477, 0.1, "78.0"),
        (78.00477, 0.0999, "78.00"),
        (12.4107, 1.4, "12"),
        (141.2, 5.0, "141"),
        (141.2, 25.0, "141"),
    ],
)
def test_the_last_decimal_is_that_of_the_errors_first_digit(value: float, known_to: float, shown: str) -> None:
    assert format_value(value, np.array([78.0, 78.005]) if value < 100 else np.array([141.0]), known_to) == shown


def test_errors_scale_with_the_level_where_they_are_relative() -> None:
    errors = KnownErrors(relative=True, network=2.0, placement=0.1, fitted=(1.0, 9.0))
    latency = MetricInfo("npu", "ms", False, "reference", "made up", errors)
    accuracy = MetricInfo("accuracy", "%", True, "reference", "made up", KnownErrors(relative=False, network=0.1))
    assert latency.error_of_network(50.0) == pytest.approx(1.0)
    assert latency.error_of_placement(50.0) == pytest.approx(0.05)
    assert accuracy.error_of_network(50.0) == pytest.approx(0.1)
    assert MetricInfo("macs", "MACs", False, "counted", "made up").error_of_network(50.0) == 0.0
    assert latency.is_outside(np.array([0.5, 1.0, 9.0, 9.5])).tolist() == [True, False, False, True]
    assert not accuracy.is_outside(np.array([-1e9, 1e9])).any()
