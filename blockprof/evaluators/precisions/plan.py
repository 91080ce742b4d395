"""The fastest plan of a network: the precision of each of its pieces, and what it takes."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from blockprof.evaluators.precisions.costs import Costs
from blockprof.foundation.arrays import IntArray
from blockprof.foundation.display import Picture, as_html, plot
from blockprof.foundation.lazy import lazy_import
from blockprof.networks.onnx.composing import piece_names
from blockprof.spaces import Architectures

if TYPE_CHECKING:
    import pandas as pd

    from blockprof.evaluators.precisions.measuring import Checked, MeasuredPlans
else:
    pd = lazy_import("pandas")

FP32, INT8 = 0, 1
PRECISIONS = ("fp32", "int8")


@dataclass(frozen=True, eq=False)
class PrecisionPlan:
    """The fastest plan of one network with one run-time, by what measured plans tell.

    ``arch`` is the one network, ``plan`` (n,) the precision of each piece, an index of ``PRECISIONS``. ``measured`` are
    the plans that ``costs`` are fitted to, in ``seconds``. ``checked`` says how far its logits are from fp32's;
    ``verified`` are plan, all fp32 and all int8, measured; None where they were not. Only latency is looked at, not
    accuracy.
    """

    arch: Architectures
    resolution: int
    plan: IntArray
    costs: Costs
    measured: "MeasuredPlans"
    checked: "Checked"
    seconds: float
    verified: "MeasuredPlans | None" = None

    def __repr__(self) -> str:
        return f"<PrecisionPlan of {self.arch.space.name} at {self.resolution}: {self.words}>"

    def _repr_html_(self) -> str:
        return as_html(repr(self), self.to_pandas())

    def plot(self) -> Picture:
        """What int8 gains or loses along the network, and which precision each piece has."""
        return plot(self)

    @property
    def pieces(self) -> tuple[str, ...]:
        """``stem``, ``u1.l1.e6k7``, ..., ``head``."""
        return tuple(piece_names(self.arch, 0))

    @cached_property
    def compared(self) -> IntArray:
        """(3, n): the plan, all fp32, all int8."""
        return np.stack([self.plan, np.zeros_like(self.plan), np.ones_like(self.plan)])

    @property
    def num_seams(self) -> int:
        return int(np.abs(np.diff(self.plan)).sum())

    @property
    def words(self) -> str:
        """As in ``int8 but for stem, u1.l1.e6k7``; ``all int8``."""
        if self.num_seams == 0:
            return f"all {PRECISIONS[int(self.plan[0])]}"
        most = int(self.plan.mean() >= 0.5)
        others = [piece for piece, precision in zip(self.pieces, self.plan, strict=True) if precision != most]
        return f"{PRECISIONS[most]} but for {', '.join(others)}"

    def to_pandas(self) -> "pd.DataFrame":
        """One row a piece: ``piece``, ``precision``, ``difference_ms`` (int8 less fp32) with ``lower_ms`` and
        ``upper_ms`` (95 % interval), ``seam_ms`` (what the plan pays before the piece).
        """
        costs = self.costs
        seams = costs.seams * np.abs(np.diff(self.plan))
        return pd.DataFrame(
            {
                "piece": self.pieces,
                "precision": [PRECISIONS[precision] for precision in self.plan.tolist()],
                "difference_ms": costs.differences,
                "lower_ms": costs.differences - costs.difference_half_widths,
                "upper_ms": costs.differences + costs.difference_half_widths,
                "seam_ms": np.append(0.0, seams),
            }
        )

    def comparison_frame(self) -> "pd.DataFrame":
        """One row for the plan, for all fp32 and for all int8: ``plan``, ``predicted_ms`` with ``lower_ms`` and
        ``upper_ms`` (95 % interval); where verified ``measured_ms`` and ``error_percent``.
        """
        predicted, half = self.costs.predict(self.compared), self.costs.half_widths(self.compared)
        frame = pd.DataFrame(
            {
                "plan": ["fastest", "all fp32", "all int8"],
                "predicted_ms": predicted,
                "lower_ms": predicted - half,
                "upper_ms": predicted + half,
            }
        )
        if self.verified:
            frame["measured_ms"] = self.verified.latencies_of(self.compared)
            frame["error_percent"] = 100 * (frame["predicted_ms"] / frame["measured_ms"] - 1)
        return frame
