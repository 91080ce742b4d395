"""Several targets of one space: what choosing for one costs on another, predicted and measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from blockprof.comparing.regret import Front, Regret, regret_frame
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.scores import CONFIDENCE, mape_percent
from blockprof.metrics import MetricInfo
from blockprof.spaces import Architectures

if TYPE_CHECKING:
    from blockprof.evaluators.device import MeasuredNetworks


@dataclass(frozen=True, eq=False)
class Verified:
    """The networks of the regrets, measured on one of the targets.

    ``archs`` are N different networks, ``predicted_ms`` (N,) what the target's metric says of them.
    """

    target: str
    archs: Architectures
    predicted_ms: FloatArray
    measured: "MeasuredNetworks"

    @property
    def error_percent(self) -> float:
        """The mean absolute error of what was predicted."""
        return mape_percent(self.measured.latencies_ms, self.predicted_ms)

    def times(self, network: Architectures) -> tuple[float, float]:
        """A network's measured time and half its 95 % interval, ms."""
        index = self.archs.to_strings().index(network.to_strings()[0])
        found = self.measured.measurements[index]
        # A network's visits differ by more than the runs of one visit do.
        visits = found.round_medians_ms
        of_visits = student_t.ppf(0.5 + CONFIDENCE / 2, len(visits) - 1) * visits.std(ddof=1) / np.sqrt(len(visits))
        return found.corrected_ms, float(max((found.interval_ms[1] - found.interval_ms[0]) / 2, of_visits))

    def slower_by(self, first: Architectures, second: Architectures) -> tuple[float, float, float]:
        """By how many ms one network is slower than another as measured, with its 95 % interval."""
        (one, half), (other, other_half) = self.times(first), self.times(second)
        wide = float(np.hypot(half, other_half)) if first.to_strings() != second.to_strings() else 0.0
        return one - other, one - other - wide, one - other + wide


@dataclass(frozen=True, eq=False)
class Targets:
    """Targets of a space beside each other.

    ``fronts`` are in the order asked; ``regrets`` of all ordered pairs; ``accuracy`` is what the networks are chosen
    by. ``verified`` has the targets that were measured here.
    """

    accuracy: MetricInfo
    fronts: tuple[Front, ...]
    regrets: tuple[Regret, ...]
    verified: tuple[Verified, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(front.target.name for front in self.fronts)

    def greatest(self) -> Regret:
        """The regret of the most points."""
        return max(self.regrets, key=lambda one: one.points)

    def regret_frame(self) -> pd.DataFrame:
        """One row an ordered pair of targets: see ``blockprof.comparing.regret``."""
        return regret_frame(self.regrets)

    def verified_frame(self) -> pd.DataFrame:
        """One row a network and target that was measured: ``target``, ``net_str``, ``predicted_ms``, ``measured_ms``,
        ``lower_ms`` and ``upper_ms`` (95 % interval).
        """
        return pd.concat(
            [
                pd.DataFrame(
                    {
                        "target": one.target,
                        "net_str": one.archs.to_strings(),
                        "predicted_ms": one.predicted_ms,
                        "measured_ms": one.measured.latencies_ms,
                        "lower_ms": [each.interval_ms[0] for each in one.measured.measurements],
                        "upper_ms": [each.interval_ms[1] for each in one.measured.measurements],
                    }
                )
                for one in self.verified
            ],
            ignore_index=True,
        )

    def verified_sentences(self) -> list[str]:
        """What measuring says of each regret on a target that was measured."""
        found = {one.target: one for one in self.verified}
        return [_verified_sentence(regret, found[regret.run_on]) for regret in self.regrets if regret.run_on in found]


def networks_of(regrets: Sequence[Regret], target: str) -> Architectures:
    """The networks to measure on a target: of each regret that it has a part in, each once."""
    nets = [
        net
        for regret in regrets
        if target in (regret.chosen_for, regret.run_on)
        for net in (regret.network, regret.own, regret.faster)
    ]
    strings = dict.fromkeys(net.to_strings()[0] for net in nets)
    return Architectures.from_strings(nets[0].space, list(strings))


def _verified_sentence(regret: Regret, verified: Verified) -> str:
    ms, half = verified.times(regret.network)
    lost, low, high = verified.slower_by(regret.network, regret.faster)
    apart, _, _ = verified.slower_by(regret.own, regret.network)
    return (
        f"measured on {regret.run_on}: the network for {regret.chosen_for} takes {ms:.4g} ± {half:.2g} ms "
        f"({regret.ms:.4g} predicted), {lost:.3g} ms ({low:.3g} to {high:.3g}) more than {regret.run_on}'s own as "
        f"accurate ({regret.lost_ms:.3g} predicted); the one {regret.points:.2f} points more accurate takes "
        f"{abs(apart):.2g} ms {'more' if apart > 0 else 'less'} (0 predicted)"
    )
