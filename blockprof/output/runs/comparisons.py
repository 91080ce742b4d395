"""What is logged of ``compare``: the params, metrics and files its run has."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from blockprof.comparing.predictors import PredictorComparison
from blockprof.comparing.profiles import ProfileComparison
from blockprof.comparing.targets import Targets
from blockprof.foundation.lazy import lazy_import
from blockprof.output.charts.comparisons import effects_chart, errors_chart
from blockprof.output.charts.targets import place_maps, regret_chart
from blockprof.output.draw_matplotlib import draw_chart
from blockprof.output.draw_place_maps import draw_place_maps
from blockprof.output.report import REPORT, comparison_report
from blockprof.output.report.comparisons import answer
from blockprof.output.runs.sources import Source
from blockprof.tracking import Run

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from blockprof.latency_data import LatencyData
else:
    pd = lazy_import("pandas")


def record_predictors(
    run: Run,
    comparison: PredictorComparison,
    sources: Sequence[Source],
    data: "LatencyData | None" = None,
    path: "Path | None" = None,
) -> None:
    """Log predictors compared: ``scores.csv``, ``differences.csv``, ``rows.csv``, ``verdict.txt`` and a figure.

    Metrics are ``predictor_1.<score>`` and, for each other predictor, ``predictor_2_minus_1.<score>`` with its bounds.
    """
    run.log_params({**_source_params(sources), "data": path or "test rows in common", "num_rows": len(comparison.rows)})
    if data is not None:
        run.log_dataset(data.to_frame(), source=str(path), name=str(path), digest=data.digest, context="testing")
    number = {label: index for index, label in enumerate(comparison.labels, start=1)}
    values: dict[str, float] = {}
    for label, scores in comparison.scores.set_index("label").iterrows():
        values |= {f"predictor_{number[str(label)]}.{name}": score for name, score in scores.items()}
    for row in comparison.differences.to_dict("records"):
        key = f"predictor_{number[row['second']]}_minus_{number[row['first']]}.{row['score']}"
        values |= {key: row["difference"], f"{key}_lower": row["lower"], f"{key}_upper": row["upper"]}
    run.log_metrics({name: value for name, value in values.items() if np.isfinite(value)})
    run.log_frame(comparison.scores, "scores.csv")
    run.log_frame(comparison.differences, "differences.csv")
    run.log_frame(comparison.rows, "rows.csv")
    run.log_text("\n".join(comparison.verdicts()) + "\n", "verdict.txt")
    run.describe(*comparison.verdicts())
    run.log_figure(draw_chart(errors_chart(comparison)), "figures/errors.png")


def record_profiles(run: Run, comparison: ProfileComparison, sources: Sequence[Source]) -> None:
    """Log profiles compared: ``pairs.csv``, ``placements.csv``, ``places.csv``, ``blocks.csv``, ``verdict.txt``, a
    report; a figure a pair, and one of the blocks of each place.

    Where a metric is in two profiles, also ``differences.csv``; of targets ``regret.csv`` with a figure, and
    ``verified.csv`` where networks were measured. Metrics are ``pair_1.effects_spearman`` and so on, the params
    ``pair_1`` say of what; of targets ``regret_points/npu_on_gpu`` and ``regret_ms/npu_on_gpu``.
    """
    summary = comparison.summary_frame()
    pairs = {f"pair_{number}": pair for number, pair in enumerate(comparison.pairs, start=1)}
    run.log_params(_source_params(sources) | {key: f"{pair.first}, {pair.second}" for key, pair in pairs.items()})
    values = {
        f"{key}.{name}": float(value)
        for key, (_, row) in zip(pairs, summary.drop(columns=["first", "second"]).iterrows(), strict=True)
        for name, value in row.items()
    }
    run.log_metrics({name: value for name, value in values.items() if np.isfinite(value)})
    run.log_frame(summary, "pairs.csv")
    for name in ("placements", "places", "blocks", "differences"):
        frames = [
            getattr(pair, name).assign(first_metric=pair.first, second_metric=pair.second) for pair in pairs.values()
        ]
        filled = [frame for frame in frames if len(frame)]
        if filled:
            run.log_frame(pd.concat(filled, ignore_index=True), f"{name}.csv")
    for key, pair in pairs.items():
        run.log_figure(draw_chart(effects_chart(pair)), f"figures/{key}.png")
    if maps := place_maps(comparison):
        run.log_figure(draw_place_maps(maps), "figures/places.png")
    if comparison.targets:
        _record_targets(run, comparison.targets)
    run.log_text("\n".join(answer(comparison)) + "\n", "verdict.txt")
    run.log_text(comparison_report(comparison), REPORT)


def _record_targets(run: Run, targets: Targets) -> None:
    run.log_tags({f"blockprof.source.{front.target.name}": front.target.metric.info.source for front in targets.fronts})
    values = {f"regret_points/{one.chosen_for}_on_{one.run_on}": one.points for one in targets.regrets}
    values |= {f"regret_ms/{one.chosen_for}_on_{one.run_on}": one.lost_ms for one in targets.regrets}
    run.log_metrics(values)
    run.log_frame(targets.regret_frame(), "regret.csv")
    run.log_figure(draw_chart(regret_chart(targets)), "figures/regret.png")
    if targets.verified:
        run.log_frame(targets.verified_frame(), "verified.csv")
        run.log_metrics({f"verified_mape_percent/{one.target}": one.error_percent for one in targets.verified})


def _source_params(sources: Sequence[Source]) -> dict[str, object]:
    params: dict[str, object] = {"num_compared": len(sources)}
    for number, source in enumerate(sources, start=1):
        params |= {f"{source.kind}_{number}": source.label, f"{source.kind}_{number}_run": source.run_id}
    return params
