"""What numbers are and where they come from; stands under every chart of them, and above them in a terminal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blockprof.profiling import HeldOut, MetricProfile, Profile
    from blockprof.searching.study import Study


def profile_caption(profile: "Profile", metric: "MetricProfile") -> str:
    """What the numbers are and where they come from; stands under every figure."""
    how = f"{metric.num_archs:,} networks a placement" if metric.method == "sampled" else metric.method
    if metric.method == "exact" and metric.has_intervals:
        how = "exact for the predictor, intervals reflect uncertainty in the fitted costs"
    if metric.check:
        size = f"{metric.num_archs:,} networks in all"
        how = f"additive surrogate, pooled, {size}; held out: {describe_check(metric.check)}"
    return (
        f"{profile.space.title} ({profile.space.name}) at resolution {profile.resolution}. {metric.info.label}: "
        f"{metric.info.provenance}. Sampler {profile.sampler}, {how}."
    )


def describe_check(check: "HeldOut") -> str:
    """How well networks left out of the pool are predicted, in a few words."""
    error, unit = ("MAPE", "%") if check.relative else ("mean error", "points")
    return (
        f"{error} {check.mape_percent:.2f} {unit}, Spearman {check.spearman:.3f}, {check.coverage_percent:.0f} % in "
        f"90 % intervals, not additive {check.remainder_percent:.2f} {unit}"
    )


def search_caption(study: "Study") -> str:
    """What was searched, and where its numbers come from; stands under every figure."""
    problem, first = study.problem, study.first
    space = problem.reduction.space
    sources = [f"{metric.info.label}: {metric.info.provenance}." for metric in problem.metrics]
    within = f" Within {', '.join(limit.text for limit in problem.limits)}." if problem.limits else ""
    last_seed = study.searches[-1].spec.seed
    seeds = f"seed {first.spec.seed}" if len(study.searches) == 1 else f"seeds {first.spec.seed} to {last_seed}"
    how = first.spec.algorithm if study.is_exact else f"{first.spec.algorithm}, {seeds}"
    searched = problem.reduction.name + (" and whole space" if study.whole else "")
    return (
        f"{space.title} ({space.name}) at resolution {study.resolution}, {searched}. {' '.join(sources)}{within} "
        f"Search: {how}."
    )
