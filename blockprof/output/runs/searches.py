"""What is logged of a search: the one place that says which params, metrics and files its run has."""

from math import isfinite

from blockprof.output.captions import search_caption
from blockprof.output.charts.searches import front_chart, history_chart
from blockprof.output.draw_matplotlib import draw_chart
from blockprof.output.runs.measurements import measured_tags
from blockprof.output.runs.origins import origin_tags, used_models
from blockprof.reduction import format_reduction
from blockprof.searching.study import Estimate, Study
from blockprof.searching.verify import Verification
from blockprof.tracking import Run


def search_params(study: Study) -> dict[str, object]:
    """The params of a search's run."""
    problem, spec = study.problem, study.first.spec
    params: dict[str, object] = {
        "maximize": ",".join(one.metric.info.name for one in problem.objectives if one.maximize),
        "minimize": ",".join(one.metric.info.name for one in problem.objectives if not one.maximize),
        "limits": ", ".join(limit.text for limit in problem.limits),
        "reduction": problem.reduction.name,
        "algorithm": spec.algorithm,
        "resolution": study.resolution,
        "compare": bool(study.whole),
    }
    if not study.is_pareto:
        params["top_k"] = spec.top_k
    if not study.is_exact:
        budget = {"initial": spec.initial, "generations": spec.generations, "children": spec.children}
        params |= {**budget, "seed": spec.seed, "num_seeds": len(study.searches)}
    return params


def search_tags(study: Study) -> dict[str, str]:
    """The tags of a search's run: where its numbers come from, and how it was made."""
    return {
        **origin_tags([metric.info for metric in study.problem.metrics]),
        "blockprof.reduction": study.problem.reduction.name,
        "blockprof.algorithm": study.first.spec.algorithm,
    }


def search_steps(study: Study) -> dict[int, dict[str, float]]:
    """The metrics of the first search by generation, and the whole space's as ``whole.<name>``.

    What is not a number, such as the best value where no network is within the limits yet, is left out.
    """
    frame = study.history_frame()
    steps: dict[int, dict[str, float]] = {}
    for prefix, result in [("", study.first), *(("whole.", result) for result in study.whole[:1])]:
        is_its = (frame["reduction"] == result.problem.reduction.name) & (frame["seed"] == result.spec.seed)
        for row in frame[is_its].drop(columns=["reduction", "seed"]).to_dict("records"):
            values = {f"{prefix}{name}": float(value) for name, value in row.items() if name != "generation"}
            steps.setdefault(int(row["generation"]), {}).update(
                {name: value for name, value in values.items() if isfinite(value)}
            )
    return steps


def search_metrics(study: Study) -> dict[str, float]:
    """The metrics of a search's run that no generation has: over the seeds, and of what the reduction gains."""
    values = {"search_seconds": study.seconds, "num_networks": float(study.num_evaluated)}
    if study.is_pareto and len(study.searches) > 1:
        values |= _flat("hypervolume", Estimate.of(study.hypervolumes))
    if study.whole:
        values |= _flat("hypervolume_ratio" if study.is_pareto else "gain", study.gain)
    return values


def verification_metrics(verification: Verification) -> dict[str, float]:
    """The metrics of networks that were measured: ``verified.<metric>.spearman`` and so on, those that are numbers."""
    values = {"verified.num_networks": float(len(verification.archs))}
    for agreement in verification.agreements:
        for name in ("spearman", "kendall", "ratio", "mape_percent"):
            values[f"verified.{agreement.metric.name}.{name}"] = getattr(agreement, name)
    return {name: value for name, value in values.items() if isfinite(value)}


def record_search(run: Run, study: Study) -> None:
    """Log a search: params, tags, metrics by generation, ``front.csv`` (the best networks, of the first search),
    ``evaluated.csv`` (all that any search looked at), ``history.csv``, ``reduction.yaml``, a figure.

    Of a comparison with the whole space also ``comparison.csv``, a row a seed; of several searches also a figure of
    how they went on; of networks that were measured ``verified.csv``.
    """
    run.log_params(search_params(study))
    run.log_tags(search_tags(study))
    run.log_models(used_models([metric.info for metric in study.problem.metrics]))
    best = study.first.frame(study.first.best)
    run.describe(f"**{len(best)} best networks** of {study.num_evaluated:,} evaluated. {search_caption(study)}")
    run.log_frame(best, "front.csv")
    run.log_frame(study.evaluated_frame(), "evaluated.csv")
    run.log_frame(study.history_frame(), "history.csv")
    if study.whole:
        run.log_frame(study.comparison_frame(), "comparison.csv")
    run.log_text(format_reduction(study.problem.reduction), "reduction.yaml")
    run.log_figure(draw_chart(front_chart(study)), "figures/front.png")
    if (study.whole or len(study.searches) > 1) and not study.is_exact:
        run.log_figure(draw_chart(history_chart(study)), "figures/history.png")
    run.log_text(f"{search_caption(study)}\n", "about.txt")
    run.log_steps(search_steps(study))
    run.log_metrics(search_metrics(study))
    if verification := study.verification:
        # The search's own origins stay: what was measured is not what was searched by.
        run.log_tags({**measured_tags(verification.measured), **search_tags(study)})
        run.log_frame(verification.to_frame(), "verified.csv")
        run.log_metrics(verification_metrics(verification))


def _flat(name: str, estimate: Estimate) -> dict[str, float]:
    values = {f"{name}.mean": estimate.mean, f"{name}.lower": estimate.lower, f"{name}.upper": estimate.upper}
    return {key: value for key, value in values.items() if isfinite(value)}
