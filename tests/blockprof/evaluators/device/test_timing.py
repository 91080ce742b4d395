import gc
import itertools
import time
from collections.abc import Iterable

import numpy as np
import pytest

from blockprof.evaluators.device import MeasureSpec
from blockprof.evaluators.device.statistics import relative_width
from blockprof.evaluators.device.timing import MAX_WARM_UP_RUNS, Clocks, time_network
from blockprof.foundation.errors import InputError

MS = 1_000_000


class Synthetic:
    """A network that takes the given times in turn, in ms, after waiting for a core, and the clocks that see it."""

    def __init__(self, times_ms: Iterable[float], waits_ms: Iterable[float] = itertools.repeat(0.0)) -> None:
        self._runs = zip(times_ms, waits_ms, strict=False)
        self._wall, self._cpu = 5 * 10**12, 3 * 10**12
        self.clocks = Clocks(lambda: self._wall, lambda: self._cpu)

    def run(self) -> None:
        own_ms, wait_ms = next(self._runs)
        self._wall += round((own_ms + wait_ms) * MS)
        self._cpu += round(own_ms * MS)


def measured(times_ms: Iterable[float], waits_ms: Iterable[float] = itertools.repeat(0.0), **spec: object):
    network = Synthetic(times_ms, waits_ms)
    return time_network(network.run, MeasureSpec(**spec), network.clocks)


def test_steady_times_take_the_fewest_runs():
    timing = measured(itertools.repeat(10.0))
    assert timing.warm_up_runs == 2
    assert timing.times_ns.tolist() == [10 * MS] * 6


def test_warm_up_lasts_until_times_settle_and_is_not_counted():
    slow = [100, 80, 60, 50, 40, 30, 25, 20, 18, 16, 14, 12]
    timing = measured(itertools.chain(slow, itertools.repeat(10.0)), time_limit_s=6.0, rounds=3)
    assert timing.warm_up_runs == 12 + 2
    assert set(timing.times_ns.tolist()) == {10 * MS}


def test_warm_up_ends_where_times_never_settle():
    timing = measured((1000 * 0.95**step for step in itertools.count()), time_limit_s=1e6, max_runs=10)
    assert timing.warm_up_runs == MAX_WARM_UP_RUNS


def test_warm_up_leaves_time_to_repeat():
    timing = measured((30 * 0.95**step for step in itertools.count()), time_limit_s=0.93, rounds=3)
    # Half of the visit's 0.31 s: 30 + 28.5 + 27.1 + 25.7 + 24.4 are 136 ms, and the sixth run goes over it.
    assert timing.warm_up_runs == 6


@pytest.mark.parametrize("width", [0.02, 0.05, 0.2])
def test_repeats_until_the_interval_is_narrow(width):
    rng = np.random.default_rng(0)
    noise = (10 * np.exp(rng.normal(0, 0.1)) for _ in itertools.count())
    timing = measured(noise, width=width, time_limit_s=1e6)
    # The interval of a normal median is about 2 x 1.96 x 1.25 sigma / sqrt(n) wide.
    expected = (4.9 * 0.1 / width) ** 2
    assert max(6, expected / 3) <= len(timing.times_ns) <= max(20, expected * 3)


@pytest.mark.parametrize("seed", range(5))
def test_it_looks_again_after_a_quarter_more_runs(seed):
    """After 6 runs, 7, 8, 10, 12, 15 and so on; narrow by then, and at no look before."""
    noise = 10 * np.exp(np.random.default_rng(seed).normal(0, 0.1, 2000))
    count = len(measured(itertools.chain([10.0] * 2, noise), width=0.06, time_limit_s=1e6))
    looks = [6]
    while looks[-1] < count:
        looks.append(looks[-1] + looks[-1] // 4)
    assert looks[-1] == count
    widths = [relative_width(noise[:look]) for look in looks]
    assert widths[-1] <= 0.06 < min(widths[:-1])


def test_stops_at_the_time_limit_of_a_round_and_at_the_most_runs():
    wide = lambda: itertools.cycle([10.0, 20.0])  # noqa: E731
    assert len(measured(wide(), time_limit_s=3, rounds=3).times_ns) == pytest.approx(67, abs=1)
    assert len(measured(wide(), time_limit_s=3, rounds=1).times_ns) == pytest.approx(200, abs=1)
    assert len(measured(wide(), time_limit_s=1e6, max_runs=123).times_ns) == 123
    # A slow network still gets the fewest runs.
    assert len(measured(itertools.repeat(60_000.0), min_runs=7).times_ns) == 7


def test_waiting_for_a_core_is_told_apart():
    timing = measured(itertools.repeat(10.0), itertools.cycle([0.0, 3.0, 25.0]))
    assert timing.times_ns.tolist()[:3] == [x * MS for x in (35, 10, 13)]
    assert timing.waits_ns.tolist()[:3] == [x * MS for x in (25, 0, 3)]
    assert set(timing.own_ms) == {10.0}
    # It neither keeps the warm-up going, nor the repeating.
    assert (timing.warm_up_runs, len(timing)) == (2, 6)


@pytest.mark.parametrize(
    "spec", [{"threads": 2}, {"provider": "CUDAExecutionProvider"}, {"provider": "AzureExecutionProvider"}]
)
def test_waiting_is_not_known_where_others_compute_too(spec):
    timing = measured(itertools.repeat(10.0), itertools.repeat(5.0), **spec)
    assert timing.own_ms.tolist() == [15.0] * 6


def test_a_real_thread_that_sleeps_waits_and_one_that_computes_does_not():
    spec = MeasureSpec(time_limit_s=0.3, min_runs=6)
    asleep = time_network(lambda: time.sleep(0.002), spec)
    assert np.median(asleep.own_ms) < 1 < 2 <= np.median(asleep.times_ns) / MS
    # Some 0.5 ms a run: among hundreds, some lie between two turns of the scheduler, however busy the machine.
    numbers = np.random.default_rng(0).random(10_000)
    awake = time_network(lambda: np.sort(numbers), spec)
    assert (awake.waits_ns / awake.times_ns).min() < 0.05


def test_a_clock_too_coarse_for_the_network_gives_positive_times():
    assert measured(itertools.repeat(0.0)).times_ns.min() == 1


def test_garbage_is_not_collected_while_timing():
    enabled = []
    time_network(lambda: enabled.append(gc.isenabled()), MeasureSpec())
    assert not any(enabled)
    assert gc.isenabled()


def test_garbage_is_collected_again_after_an_error():
    def fail():
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        time_network(fail, MeasureSpec())
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"threads": 0}, "threads is 0: it must be at least 1"),
        ({"rounds": 0}, "rounds is 0"),
        ({"anchor_every": -1}, "anchor_every is -1"),
        ({"width": 0.0}, "width is 0.0: it must be positive and finite"),
        ({"time_limit_s": float("inf")}, "time_limit_s is inf"),
        ({"time_limit_s": float("nan")}, "time_limit_s is nan"),
        ({"min_runs": 5}, "6 <= min_runs <= max_runs"),
        ({"min_runs": 20, "max_runs": 10}, "min_runs is 20 and max_runs 10"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_a_spec_that_makes_no_sense(wrong, message):
    with pytest.raises(InputError, match=message):
        MeasureSpec(**wrong)
