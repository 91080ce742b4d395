"""Networks of a space, composed and measured."""

import numpy as np
import pytest
from codes import coded
from listening import Heard

from blockprof.evaluators.device import MeasureSpec, measure_architectures
from blockprof.foundation.errors import InputError, MetricError
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

QUICK = MeasureSpec(rounds=1, min_runs=6, max_runs=6, time_limit_s=0.2)


@pytest.fixture
def archs():
    return sample_architectures(load_space("pn"), 2, np.random.default_rng(0))


def test_networks_are_measured_once_and_recognised(archs, tmp_path):
    journal, heard = tmp_path / "journal.jsonl", Heard()
    sizes = np.array([128, 160])
    measured = measure_architectures(archs, sizes, journal, QUICK, heard)
    names = [measurement.name for measurement in measured.measurements]
    assert names == [f"pn {net} at {size}" for net, size in zip(archs.to_strings(), sizes, strict=True)]
    assert (measured.latencies_ms > 0).all()
    assert len(heard.visits) == 2
    assert heard.steps[-1][0] == heard.steps[-1][1]
    before = journal.read_bytes()
    silent = Heard()
    again = measure_architectures(archs, sizes, journal, QUICK, silent)
    assert again.latencies_ms.tolist() == measured.latencies_ms.tolist()
    assert silent == Heard()
    assert journal.read_bytes() == before
    with pytest.raises(InputError, match="other networks"):
        measure_architectures(archs, sizes[::-1], journal, QUICK)


def test_resolutions_that_do_not_fit(archs, tmp_path):
    journal = tmp_path / "journal.jsonl"
    with pytest.raises(MetricError, match=r"225.*pn.*128.*256.*4", check=coded("no-such-resolution")):
        measure_architectures(archs, np.array([224, 225]), journal, QUICK)
    with pytest.raises(InputError, match=r"1.*2", check=coded("unpaired-resolutions")):
        measure_architectures(archs, np.array([224]), journal, QUICK)
    assert not journal.exists()
