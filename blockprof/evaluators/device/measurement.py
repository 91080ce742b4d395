"""What came out of measuring one network."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from blockprof.evaluators.device.records import Visit
from blockprof.evaluators.device.statistics import interquartile_range, median_interval
from blockprof.foundation.arrays import FloatArray

NOISY_PERCENT = 10.0
"""Above this interquartile range, relative to the median, a measurement warns by itself."""


@dataclass(frozen=True, eq=False)
class Measurement:
    """One network's raw times, and what follows from them.

    ``visits`` holds them, one visit a round; ``factors`` is (rounds,), how many times slower than usual the machine
    was at each visit. All else is derived; latencies are in ms.

    A median is the median of the rounds' medians: a disturbed round, which takes the most runs, does not decide.
    A corrected time is what is left of a run without waiting for a core, at the machine's usual speed.
    """

    name: str
    visits: tuple[Visit, ...]
    factors: FloatArray

    @cached_property
    def times_ms(self) -> FloatArray:
        """(n,): the raw times of all rounds, in order."""
        return np.concatenate([visit.timing.times_ns for visit in self.visits]) / 1e6

    @property
    def num_runs(self) -> int:
        return len(self.times_ms)

    @cached_property
    def median_ms(self) -> float:
        """The median of the raw times."""
        return float(np.median([np.median(visit.timing.times_ns) for visit in self.visits])) / 1e6

    @cached_property
    def round_medians_ms(self) -> FloatArray:
        """(rounds,): the median of each round's corrected times."""
        return np.array([visit.median_ms for visit in self.visits]) / self.factors

    @cached_property
    def corrected_ms(self) -> float:
        """The median of the corrected times."""
        return float(np.median(self.round_medians_ms))

    @cached_property
    def interval_ms(self) -> tuple[float, float]:
        """An interval of ``corrected_ms``, of 95 % or more were all runs independent: the median of the rounds' own."""
        bounds = np.array([median_interval(visit.timing.own_ms) for visit in self.visits]) / self.factors[:, None]
        lower, upper = np.median(bounds, axis=0)
        return float(lower), float(upper)

    @cached_property
    def iqr_ms(self) -> float:
        """The interquartile range of the raw times."""
        return interquartile_range(self.times_ms)

    @property
    def iqr_percent(self) -> float:
        """The interquartile range relative to the median, both of the raw times."""
        return 100 * self.iqr_ms / self.median_ms

    @cached_property
    def waiting_percent(self) -> float:
        """The share of the time that the network waited for a core."""
        waited = sum(int(visit.timing.waits_ns.sum()) for visit in self.visits)
        return 100 * waited / sum(int(visit.timing.times_ns.sum()) for visit in self.visits)

    @property
    def is_noisy(self) -> bool:
        return self.iqr_percent > NOISY_PERCENT

    @property
    def warning(self) -> str:
        """What is to be said of this measurement, in one line; empty where there is nothing."""
        if not self.is_noisy:
            return ""
        noise = f"the interquartile range is {self.iqr_percent:.0f} % of the median (over {NOISY_PERCENT:.0f} %)"
        if not self.waiting_percent:
            return noise
        return f"{noise}, and {self.waiting_percent:.0f} % of the time went by waiting for a core: close other programs"
