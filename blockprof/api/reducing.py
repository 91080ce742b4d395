"""``blockprof.reduce``: a smaller space, from a profile."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.foundation.display import Picture, as_html, plot
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.output.runs.reductions import LoggedProfile, load_profile
from blockprof.reduction import Reduction, derive_reduction, write_reduction
from blockprof.spaces import load_space
from blockprof.tracking.log import NOT_LOGGED, Tracker

if TYPE_CHECKING:
    import pandas as pd

    from blockprof.output.runs import reductions
    from blockprof.tracking import Run
else:
    reductions = lazy_import("blockprof.output.runs.reductions")


@dataclass(frozen=True, eq=False)
class Reduced:
    """A reduction, the profile it is derived from, and the file it is in."""

    reduction: Reduction
    profile: LoggedProfile
    path: Path

    def __repr__(self) -> str:
        origins = ", ".join(f"{metric} {origin}" for metric, origin in self.profile.origins.items())
        return f"<Reduced from the profile {self.profile.run.name} ({origins}): {self.reduction!r}, in {self.path}>"

    def _repr_html_(self) -> str:
        return as_html(repr(self), self.to_pandas())

    def to_pandas(self) -> "pd.DataFrame":
        """One row a placement, as ``Reduction.to_pandas``."""
        return self.reduction.to_pandas()

    def plot(self, what: str | None = None) -> Picture:
        """Which blocks are kept at each layer, ``kept``.

        Raises:
            InputError: there is no such picture.
        """
        return plot(self.reduction, what)


def reduce(
    source: str,
    gain: str | None = None,
    costs: Sequence[str] = (),
    *,
    space: str | None = None,
    trim: float = 1.0,
    out: str | Path | None = None,
    log: Tracker = NOT_LOGGED,
    listener: Listener = SILENT,
) -> Reduced:
    """Propose a smaller space from a profile, without the blocks and depths that are not worth what they cost.

    The file says why of each, and may be edited: ``search(space, reduction=...)`` takes it. Another one that is there
    already is kept as ``*.old``. Of a profile in memory, ``blockprof.reduction.derive_reduction`` does the same.

    Args:
        source: a run of ``profile`` with all placements, by id or name, or ``latest``: the newest.
        gain: the metric to maximise; the one of which higher is better where None.
        costs: the metrics to minimise; of several, what one of them keeps is kept.
        space: whose newest profile is meant; of any where None.
        trim: percent of the gain, and of the cost that can be saved, that may be given up at the two ends.
        out: YAML file to write; ``reduction-<space>-<cost>.yaml`` where None.
        log: where the reduction is logged.
        listener: told of the result before it is logged.

    Raises:
        InputError: no such run or metric, or a file that cannot be written.
        TrackingError: the MLflow store does not answer.
    """
    profile = load_profile(source, gain, costs, None if space is None else load_space(space).name)
    whole = profile.space
    reduction = derive_reduction(whole, profile.placements, gain=profile.gain, costs=profile.costs, trim=trim)
    path = Path(f"reduction-{whole.name}-{'-'.join(profile.costs)}.yaml") if out is None else Path(out)
    result = Reduced(reduction, profile, path)
    with log.run("reduce", whole.name, listener, ",".join(profile.costs)) as record:
        if old := write_reduction(reduction, path):
            listener.on_note(f"{path}: another file was there, which is kept as {old.name}")
        listener.on_result(result)
        record(lambda run: _record(run, result, trim))
    return result


def _record(run: "Run", result: Reduced, trim: float) -> None:
    reductions.record_reduction(run, result.reduction, result.profile, trim)
