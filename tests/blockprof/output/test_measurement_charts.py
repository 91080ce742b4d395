"""What charts of measurements show, of visits that are made up."""

import numpy as np
import pytest

from blockprof.evaluators.device import BlockTable, Environment, MeasureSpec
from blockprof.evaluators.device.environment import Machine
from blockprof.evaluators.device.records import Visit
from blockprof.evaluators.device.results import MeasuredNetworks
from blockprof.evaluators.device.timing import Timing
from blockprof.networks.onnx.pieces import all_pieces
from blockprof.output.charts import Line, Points
from blockprof.output.charts.measurements import sums_chart
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")
NUM_WHOLE = 5


@pytest.fixture(scope="module")
def table() -> BlockTable:
    """Five networks that take 10 to 14 ms, and pieces of half a millisecond each."""
    archs = sample_architectures(PN, NUM_WHOLE, np.random.default_rng(0))
    names = [*(f"n{number}" for number in range(NUM_WHOLE)), *(f"p{number}" for number in range(len(all_pieces(PN))))]
    visits = []
    for network in range(len(names)):
        for anchor in (True, False):
            times_ms = 10.0 if anchor else 10.0 + network if network < NUM_WHOLE else 0.5
            times_ns = np.full(8, round(times_ms * 1e6))
            timing = Timing(times_ns, np.zeros_like(times_ns), 5)
            visits.append(Visit(0 if anchor else network, 1, anchor, 1e9 + len(visits), timing))
    environment = Environment(Machine("Abacus", 2, "wood", "Linux", "1.30.0"), "Linux", "performance", 0.1)
    return BlockTable(archs, 224, MeasuredNetworks.from_visits(names, MeasureSpec(rounds=1), [environment], visits))


def test_sums_of_pieces_are_raw_and_hollow_or_scaled_against_what_was_measured(table: BlockTable) -> None:
    (panel,) = sums_chart(table).panels
    equal, raw, scaled = panel.layers
    assert isinstance(equal, Line)
    assert isinstance(raw, Points)
    assert isinstance(scaled, Points)
    assert equal.x.tolist() == equal.y.tolist() == pytest.approx([10, 14])
    assert raw.x.tolist() == scaled.x.tolist() == pytest.approx([10, 11, 12, 13, 14])
    np.testing.assert_array_equal(raw.y, table.sums_ms)
    np.testing.assert_array_equal(scaled.y, table.scaled_ms)
    assert (raw.hollow, scaled.hollow) == (True, False)
    assert raw.name == f"sum of pieces: MAPE {table.raw_scores.mape_percent:.1f} %"
