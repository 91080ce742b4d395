"""What came out of measuring many networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from blockprof.evaluators.device.drift import Drift, fit_drift
from blockprof.evaluators.device.environment import Environment
from blockprof.evaluators.device.measurement import Measurement
from blockprof.evaluators.device.records import Visit
from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.errors import InputError
from blockprof.latency_data import LatencyData
from blockprof.spaces import Architectures


@dataclass(frozen=True, eq=False)
class MeasuredNetworks:
    """N networks, measured the same way on one machine.

    ``environments`` has one entry for each process that measured; ``visits`` all visits in order, the anchor's too;
    ``drift`` is that at the anchor's visits.
    """

    spec: MeasureSpec
    environments: tuple[Environment, ...]
    measurements: tuple[Measurement, ...]
    drift: Drift
    visits: tuple[Visit, ...]

    @classmethod
    def from_visits(
        cls,
        names: Sequence[str],
        spec: MeasureSpec,
        environments: Sequence[Environment],
        visits: Sequence[Visit],
        finished_at: Sequence[int] = (),
    ) -> "MeasuredNetworks":
        """Derive the results from all visits, in order; every network must have been visited in every round.

        ``finished_at`` is as in a journal's contents: the results of the visits before stay as they were then, and
        those after are corrected to the same speed of the machine.
        """
        # The system's clock may have been set back on the way; the order of the visits is certain.
        times_s = np.maximum.accumulate([visit.middle_s for visit in visits])
        is_anchor = np.array([visit.anchor for visit in visits])
        medians_ms = np.array([visit.median_ms for visit in visits])
        network = np.array([visit.network for visit in visits])
        # One visit alone tells its network's level, and nothing of the drift.
        is_telling = np.bincount(network)[network] > 1
        ends = [*finished_at, len(visits)]
        drifts: list[Drift] = []
        for end in ends:
            seen = np.flatnonzero(is_telling[:end])
            drift = fit_drift(times_s[seen], medians_ms[seen], network[seen])
            drifts.append(drift.keeping(drifts[-1]) if drifts else drift)
        parts = zip(drifts, pairwise([0, *ends]), strict=True)
        factors = np.concatenate([drift.at(times_s[start:end]) for drift, (start, end) in parts])
        places = [np.flatnonzero((network == index) & ~is_anchor) for index in range(len(names))]
        measurements = tuple(
            Measurement(name, tuple(visits[place] for place in own.tolist()), factors[own])
            for name, own in zip(names, places, strict=True)
        )
        return cls(spec, tuple(environments), measurements, drifts[-1].select(is_anchor[is_telling]), tuple(visits))

    @property
    def device(self) -> str:
        """What the latencies are measured on: ``AMD EPYC 7B13 ONNX Runtime CPU 1 thread``, without commas."""
        cpu = " ".join(self.environments[-1].machine.cpu.replace(",", " ").split())
        return f"{cpu} {self.spec.target}"

    @property
    def latencies_ms(self) -> FloatArray:
        """(N,): the corrected medians."""
        return np.array([measurement.corrected_ms for measurement in self.measurements])

    @property
    def repeatability_percent(self) -> float:
        """How far one round's median of a network is from another's, corrected for drift.

        The standard deviation between rounds, relative and pooled over the networks; nan with one round.
        """
        if self.spec.rounds == 1:
            return float("nan")
        logs = np.log([measurement.round_medians_ms for measurement in self.measurements])
        return float(100 * np.sqrt(logs.var(axis=1, ddof=1).mean()))

    @property
    def median_repeatability_percent(self) -> float:
        """How far the corrected median of all rounds is from that of as many others.

        The relative standard deviation of the median of n normal numbers, sqrt(pi / 2n) of one's for large n (Kendall
        and Stuart, The Advanced Theory of Statistics, vol. 1, 10.10); nan with one round.
        """
        return float(self.repeatability_percent * np.sqrt(np.pi / (2 * self.spec.rounds)))

    @property
    def num_noisy(self) -> int:
        """How many networks have a warning."""
        return sum(measurement.is_noisy for measurement in self.measurements)

    def to_latency_data(self, archs: Architectures, resolutions: IntArray) -> LatencyData:
        """The corrected medians of the networks ``archs`` in the order they were measured in.

        Raises:
            InputError: not as many networks as were measured.
        """
        if len(archs) != len(self.measurements):
            raise InputError(f"{len(archs)} networks, but {len(self.measurements)} were measured")
        return LatencyData(archs, resolutions, self.latencies_ms, self.device)

    def to_frame(self) -> pd.DataFrame:
        """One row a network, in the order given.

        ``name``; ``median_ms`` (raw), ``corrected_ms``, ``lower_ms`` and ``upper_ms`` (95 % interval of the corrected
        median), ``iqr_ms`` and ``iqr_percent`` (raw), ``num_runs``, ``warm_up_runs``, ``rounds``,
        ``drift_percent`` (mean correction: positive where the machine was slow), ``round_spread_percent`` (highest over
        lowest round), ``waiting_percent`` (of the time, for a core),
        ``order`` (place in the first round, from 1), ``warning`` (empty where none).
        """
        order = [visit.network for visit in self.visits if not visit.anchor and visit.round == 1]
        place = {network: number for number, network in enumerate(order, start=1)}
        rows = [
            {
                "name": each.name,
                "median_ms": each.median_ms,
                "corrected_ms": each.corrected_ms,
                "lower_ms": each.interval_ms[0],
                "upper_ms": each.interval_ms[1],
                "iqr_ms": each.iqr_ms,
                "iqr_percent": each.iqr_percent,
                "num_runs": each.num_runs,
                "warm_up_runs": sum(visit.timing.warm_up_runs for visit in each.visits),
                "rounds": len(each.visits),
                "drift_percent": float(100 * (each.factors.mean() - 1)),
                "round_spread_percent": float(100 * (each.round_medians_ms.max() / each.round_medians_ms.min() - 1)),
                "waiting_percent": each.waiting_percent,
                "order": place[index],
                "warning": each.warning,
            }
            for index, each in enumerate(self.measurements)
        ]
        return pd.DataFrame(rows)

    def raw_frame(self) -> pd.DataFrame:
        """One row a run, in the order they were made: ``network`` (from 0), ``round``, ``anchor``, ``started_s``
        (of the visit, seconds since 1970), ``time_ms``, ``wait_ms`` (of that, for a core).
        """
        runs = [len(visit.timing) for visit in self.visits]
        frame = pd.DataFrame(
            {
                "network": np.array([visit.network for visit in self.visits], dtype=np.int32),
                "round": np.array([visit.round for visit in self.visits], dtype=np.int16),
                "anchor": np.array([visit.anchor for visit in self.visits], dtype=bool),
                "started_s": np.array([visit.started_s for visit in self.visits]),
            }
        )
        frame = frame.loc[np.repeat(frame.index, runs)].reset_index(drop=True)
        return frame.assign(
            time_ms=np.concatenate([visit.timing.times_ns for visit in self.visits]) / 1e6,
            wait_ms=np.concatenate([visit.timing.waits_ns for visit in self.visits]) / 1e6,
        )

    def drift_frame(self) -> pd.DataFrame:
        """One row a visit of the anchor: ``time_s`` (since the first), ``anchor_ms``, ``factor`` (applied there)."""
        times_s = self.drift.times_s - self.drift.times_s[0]
        return pd.DataFrame({"time_s": times_s, "anchor_ms": self.drift.medians_ms, "factor": self.drift.factors})
