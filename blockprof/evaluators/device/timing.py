"""Time one network: warm up, then repeat. What is run and the clocks are given, so both can be synthetic."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.evaluators.device.statistics import relative_width, settled
from blockprof.evaluators.runtimes.onnxruntime import CPU_PROVIDER
from blockprof.foundation.arrays import FloatArray, IntArray

MAX_WARM_UP_RUNS = 50
WARM_UP_SHARE = 0.5
"""Warm-up takes at most this share of the time that a visit may repeat for."""

_NS_PER_S = 1e9


@dataclass(frozen=True)
class Clocks:
    """Two clocks in nanoseconds that never go back: time passed, and CPU time that the network was given.

    The latter is that of the calling thread, if not said otherwise; None where no clock tells. It is known for one
    thread on the CPU; ``is_device`` where it is a device's own, whatever the threads.
    """

    wall: Callable[[], int] = time.perf_counter_ns
    cpu: Callable[[], int] | None = time.thread_time_ns
    is_device: bool = False


@dataclass(frozen=True, eq=False)
class Timing:
    """What one visit gave.

    ``times_ns`` is (n,), in order: how long each run took. ``waits_ns`` is (n,), how much of that the thread wanted a
    core and other programs had it. It is known where one CPU thread does all the work, and 0 elsewhere.
    """

    times_ns: IntArray
    waits_ns: IntArray
    warm_up_runs: int

    @property
    def own_ms(self) -> FloatArray:
        """(n,): the network's own time in each run, without waiting for a core, in ms."""
        own: FloatArray = (self.times_ns - self.waits_ns) / 1e6
        return own

    def __len__(self) -> int:
        return len(self.times_ns)


def time_network(run: Callable[[], object], spec: MeasureSpec, clocks: Clocks | None = None) -> Timing:
    """Call ``run`` until its times settle, then until their median is known well enough (see :class:`MeasureSpec`)."""
    clocks = clocks or Clocks()
    limit_ns = round(spec.time_limit_s / spec.rounds * _NS_PER_S)
    with _no_garbage_collection():
        warm_up_runs = _warm_up(run, spec, round(WARM_UP_SHARE * limit_ns), clocks)
        runs = _repeat(run, spec, limit_ns, clocks)
    times_ns, waits_ns = np.array(runs, dtype=np.int64).T
    return Timing(times_ns, waits_ns, warm_up_runs)


def _warm_up(run: Callable[[], object], spec: MeasureSpec, limit_ns: int, clocks: Clocks) -> int:
    runs: list[tuple[int, int]] = []
    start = clocks.wall()
    while len(runs) < MAX_WARM_UP_RUNS and clocks.wall() - start < limit_ns and not settled(_own(runs)):
        runs.append(_time(run, spec, clocks))
    return len(runs)


def _repeat(run: Callable[[], object], spec: MeasureSpec, limit_ns: int, clocks: Clocks) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    target = spec.min_runs
    start = clocks.wall()
    while True:
        while len(runs) < target:
            runs.append(_time(run, spec, clocks))
            if len(runs) >= spec.min_runs and clocks.wall() - start >= limit_ns:
                return runs
        if len(runs) == spec.max_runs or relative_width(_own(runs)) <= spec.width:
            return runs
        # Looked at now and then, not after each run: the first time that chance makes it narrow is not the end.
        target = min(spec.max_runs, target + max(target // 4, 1))


def _time(run: Callable[[], object], spec: MeasureSpec, clocks: Clocks) -> tuple[int, int]:
    """How long one run took, and how long of that the thread waited for a core."""
    is_known = clocks.is_device or (spec.provider == CPU_PROVIDER and spec.threads == 1)
    known = clocks.cpu if is_known else None
    cpu_start = known() if known else 0
    start = clocks.wall()
    run()
    # A clock that is coarser than the network is quick must not give 0: latencies are positive.
    passed = max(clocks.wall() - start, 1)
    if not known:
        return passed, 0
    computed = known() - cpu_start
    return passed, min(max(passed - computed, 0), passed - 1)


def _own(runs: list[tuple[int, int]]) -> FloatArray:
    return np.array([passed - waited for passed, waited in runs], dtype=float)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
