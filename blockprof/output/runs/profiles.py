"""What is logged of ``profile``: the params, metrics and files its run has."""

import numpy as np
import pandas as pd

from blockprof.output.answers import Answer, gains_and_costs, profile_answers
from blockprof.output.captions import profile_caption
from blockprof.output.charts.profiles import effect_chart, pool_chart, response_heatmap, worth_chart
from blockprof.output.draw_matplotlib import draw_chart, draw_heatmap
from blockprof.output.report import REPORT, profile_report
from blockprof.output.runs.origins import origin_tags, used_models
from blockprof.profiling import Profile
from blockprof.profiling.findings import trades
from blockprof.tracking import Run

_TABLE = [
    *("metric", "placement", "unit", "layer", "block", "mean", "effect", "effect_lower", "effect_upper"),
    *("contrast", "depth_effect", "lowest_net", "highest_net"),
]


def profile_params(profile: Profile) -> dict[str, object]:
    """The params of a profile's run."""
    return {
        "metrics": ",".join(metric.info.name for metric in profile.metrics),
        "sampler": profile.sampler,
        "resolution": profile.resolution,
        "seed": profile.seed,
        "num_placements": len(profile.constraints),
        "num_archs": ",".join(str(metric.num_archs or "exact") for metric in profile.metrics),
    }


def profile_tags(profile: Profile) -> dict[str, str]:
    """The tags of a profile's run: where its numbers come from."""
    return {"blockprof.sampler": profile.sampler, **origin_tags([metric.info for metric in profile.metrics])}


def profile_metrics(profile: Profile, *, effects: bool = False) -> dict[str, float]:
    """The metrics of a profile's run, means only: ``<metric>.random`` and ``<metric>.response/<block>``.

    With ``effects`` also ``<metric>.effect/<placement>``: hundreds, each a chart of its own on MLflow's pages.
    """
    values: dict[str, float] = {"profile_seconds": profile.seconds}
    random, placements, responses = profile.random_frame(), profile.placement_frame(), profile.response_frame()
    for metric, mean in zip(random["metric"], random["mean"], strict=True):
        values[f"{metric}.random"] = float(mean)
    for metric, block, response in zip(responses["metric"], responses["block"], responses["response"], strict=True):
        values[f"{metric}.response/{block}"] = float(response)
    if effects:
        for metric, placement, effect in zip(
            placements["metric"], placements["placement"], placements["effect"], strict=True
        ):
            values[f"{metric}.effect/{placement.replace('+', ' ')}"] = float(effect)
    for pooled in profile.metrics:
        if pooled.check:
            scores = pooled.check.scores().items()
            values |= {f"{pooled.info.name}.held_out.{name}": score for name, score in scores if not np.isnan(score)}
    return values


def record_profile(run: Run, profile: Profile, *, effects: bool = False) -> None:
    """Log a profile: params, tags, metrics, ``responses.csv``, ``placements.csv``, ``random.csv``, figures, a report.

    ``placements.json`` is the table that MLflow's pages show; with a gain and a cost there is ``trades.csv``. Of pooled
    metrics also ``pooled.csv``, and of each ``pool_<metric>.csv`` and a figure of the networks left out.
    Where something slows a target down also ``slowdowns.csv``.
    """
    run.log_params(profile_params(profile))
    run.log_tags(profile_tags(profile))
    run.log_models(used_models([metric.info for metric in profile.metrics]))
    run.log_frame(profile.random_frame(), "random.csv")
    run.log_frame(profile.placement_frame(), "placements.csv")
    run.log_table(profile.placement_frame()[_TABLE], "placements.json")
    run.describe(*(line for answer in profile_answers(profile) for line in _described(answer)))
    gains, costs = gains_and_costs(profile)
    pairs = [(gain, cost) for gain in gains for cost in costs]
    found = [
        trades(profile, gain, cost).assign(gain=gain.info.name, cost=cost.info.name)
        for gain, cost in pairs
        if profile.blocks
    ]
    if any(map(len, found)):
        run.log_frame(pd.concat(found, ignore_index=True), "trades.csv")
        for gain, cost in pairs:
            name = f"figures/{gain.info.name}_against_{cost.info.name}.png"
            run.log_figure(draw_chart(worth_chart(profile, gain, cost)), name)
    if profile.blocks:
        run.log_frame(profile.response_frame(), "responses.csv")
    if any(metric.slowdowns for metric in profile.metrics):
        run.log_frame(profile.slowdown_frame(), "slowdowns.csv")
    if any(metric.check for metric in profile.metrics):
        run.log_frame(profile.pooled_frame(), "pooled.csv")
    for metric in profile.metrics:
        name = metric.info.name
        if metric.check:
            run.log_frame(metric.check.to_frame(), f"pool_{name}.csv")
            run.log_figure(draw_chart(pool_chart(profile, metric, metric.check)), f"figures/{name}_pool.png")
        if profile.blocks:
            run.log_figure(draw_heatmap(response_heatmap(profile, metric)), f"figures/{name}_responses.png")
            run.log_figure(draw_chart(effect_chart(profile, metric)), f"figures/{name}_effects.png")
    run.log_text("\n".join(profile_caption(profile, metric) for metric in profile.metrics) + "\n", "about.txt")
    run.log_text(profile_report(profile), REPORT)
    run.log_metrics(profile_metrics(profile, effects=effects))


def _described(answer: Answer) -> list[str]:
    return [f"**{answer.heading}**", *(f"- {line}" for line in answer.lines), ""]
