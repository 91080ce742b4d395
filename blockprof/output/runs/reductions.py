"""Reductions and MLflow: the profile that one is derived from, and what is logged of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

from blockprof import tracking
from blockprof.foundation.errors import Argument, InputError
from blockprof.metrics import ACCURACY, default_metric
from blockprof.reduction.deriving import check_sampler_is_papers
from blockprof.reduction.effects import choose_metrics, profile_command
from blockprof.reduction.files import format_reduction
from blockprof.reduction.reduction import Reduction
from blockprof.spaces import Space, load_space, space_names

if TYPE_CHECKING:
    import pandas as pd

    from blockprof.tracking import Run, RunRecord

REDUCTION_FILE = "reduction.yaml"


@dataclass(frozen=True, eq=False)
class LoggedProfile:
    """A profile as it is in MLflow: its run, its ``placements.csv``, and which metrics a reduction goes by."""

    run: "RunRecord"
    space: Space
    placements: "pd.DataFrame"
    gain: str
    costs: tuple[str, ...]

    @property
    def origins(self) -> dict[str, str]:
        """Where the numbers of the gain and the costs come from, by metric."""
        origins = dict(zip(self.placements["metric"], self.placements["origin"], strict=True))
        return {metric: origins[metric] for metric in (self.gain, *self.costs)}


def load_profile(
    id_or_name: str, gain: str | None = None, costs: Sequence[str] = (), of_space: str | None = None
) -> LoggedProfile:
    """Find the run of a profile, and read what a reduction is derived from; ``latest`` is the newest, ``of_space``
    where given.

    Raises:
        InputError: there is no such run; it is none of a profile, or of one that ended early; it was sampled as
            upstream does; or it has not the metrics to go by.
        TrackingError: the store does not answer.
    """
    run = tracking.find_run(id_or_name, "profile", of_space)
    space = load_space(run.space or space_names()[0])
    if of_space and run.space != of_space:
        raise InputError(f"run {run.name} is a profile of {run.space}", where=Argument("space", of_space))
    remedy = f"make one with {profile_command(space, (default_metric(space), ACCURACY))}"
    if run.command != "profile":
        what = f"of `blockprof {run.command}`" if run.command else "none of blockprof's"
        raise InputError(f"run {run.name} is {what}, not of a profile: {remedy}")
    placements = tracking.load_frames(run).get("placements")
    if placements is None:
        raise InputError(f"the profile of run {run.name} has no placements.csv, it is {run.status}: {remedy}")
    check_sampler_is_papers(run.tags.get("blockprof.sampler", "paper"))
    return LoggedProfile(run, space, placements, *choose_metrics(space, placements, gain, costs))


def reduction_tags(reduction: Reduction, profile: LoggedProfile) -> dict[str, str]:
    """The tags of a reduction's run: the profile's run, and where the numbers it goes by come from."""
    sources = {f"blockprof.source.{metric}" for metric in profile.origins}
    return {
        "blockprof.reduction": reduction.name,
        "blockprof.source_run": profile.run.id,
        "blockprof.data_origin": ",".join(dict.fromkeys(profile.origins.values())),
        **{key: value for key, value in profile.run.tags.items() if key in sources},
    }


def reduction_metrics(reduction: Reduction) -> dict[str, float]:
    """The metrics of a reduction's run: how many networks are left, and how many placements and depths are not."""
    space, networks = reduction.space, reduction.num_networks
    placements_left = sum(
        int(reduction.kinds[slots][: max(depths)].sum())
        for slots, depths in zip(space.unit_slots, reduction.depths, strict=True)
    )
    return {
        "networks_log10": log10(networks),
        "networks_share": networks / Reduction.whole(space).num_networks,
        "placements_dropped": reduction.blocks.size - placements_left,
        "depths_dropped": sum(len(unit.depths) for unit in space.units) - sum(map(len, reduction.depths)),
    }


def record_reduction(run: "Run", reduction: Reduction, profile: LoggedProfile, trim: float) -> None:
    """Log a reduction derived from a profile: params, tags, metrics, and its file as ``reduction.yaml``."""
    run.log_params(
        {"from": profile.run.id, "gain": profile.gain, "costs": ",".join(profile.costs), "trim_percent": trim}
    )
    run.log_tags(reduction_tags(reduction, profile))
    whole = Reduction.whole(reduction.space).num_networks
    run.describe(
        f"**{reduction.num_networks:.2g} of {whole:.2g} networks** of {reduction.space.name} are left, by "
        f"{profile.gain} against {', '.join(profile.costs)}.",
        *(f"- {reason}" for reason in reduction.reasons),
    )
    run.log_metrics(reduction_metrics(reduction))
    run.log_text(format_reduction(reduction), REDUCTION_FILE)
