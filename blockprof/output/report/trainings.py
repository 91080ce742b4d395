"""The report of a predictor's training."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blockprof.output.charts.predictions import predicted_panel
from blockprof.output.charts.trainings import coverage_panel, error_panel, learning_panel
from blockprof.output.draw_svg import draw_panel
from blockprof.output.report.page import render

if TYPE_CHECKING:
    from blockprof.latency_data import LatencyData
    from blockprof.predictors import CrossValidation, LearningCurve, TrainedPredictor

MOST_DRAWN = 1000
WORST_SHOWN = 10
MOST_OUTLIERS = 20
BASELINES = {"flops_only": "FLOPs only", "mean_only": "mean only"}


def training_report(
    trained: "TrainedPredictor",
    data: "LatencyData",
    path: Path,
    *,
    is_reference: bool,
    curve: "LearningCurve | None" = None,
    folds: "CrossValidation | None" = None,
) -> str:
    """Write a training as an HTML page that needs nothing but itself.

    Scores beside the baselines, predicted against known latencies with their intervals, errors and coverage by latency,
    the learning curve where there is one, and the worst predicted networks. These are the test networks; where they are
    few and there is a cross-validation, all networks, each as predicted without it. Outliers are listed.

    Args:
        trained: the predictor, its split and its scores.
        data: all rows, those that ``trained.split`` numbers.
        path: the file of the rows.
        is_reference: whether the latencies are made from the reference tables, and so not measured.
        curve: errors by number of training networks.
        folds: the cross-validation.
    """
    kind = trained.model.kind
    if folds:
        rows, prediction, scores, interval = folds.data, folds.prediction, folds.scores, folds.interval
    else:
        rows, scores, interval = data.select(trained.split.test), trained.test.scores, trained.test.interval
        prediction = trained.model.predict(rows.archs, rows.resolutions)
    networks = rows.archs.to_strings()
    outliers = trained.outliers.to_frame(trained.model, data)
    errors = 100 * (prediction.latency_ms / rows.latencies_ms - 1)
    is_inside = (prediction.lower_ms <= rows.latencies_ms) & (rows.latencies_ms <= prediction.upper_ms)
    # Evenly by latency, so that what is left out is not seen as a gap.
    order = np.argsort(rows.latencies_ms, kind="stable")
    drawn = order[np.linspace(0, len(order) - 1, min(len(order), MOST_DRAWN)).astype(int)]
    worst = np.argsort(-np.abs(errors), kind="stable")[:WORST_SHOWN]
    return render(
        "training.html.j2",
        model=trained.model,
        kind=kind,
        data=data,
        path=path,
        resolutions=np.unique(data.resolutions).tolist(),
        is_reference=is_reference,
        split=trained.split,
        seconds=trained.seconds,
        folds=folds,
        shown=scores,
        interval=interval,
        flops_only=trained.test.baselines["flops_only"],
        scores=[
            *([(f"{kind}, all networks left out in turn", folds.scores)] if folds else []),
            (f"{kind}, test networks", trained.test.scores),
            *((BASELINES[name], each) for name, each in trained.test.baselines.items()),
            (f"{kind}, dev networks", trained.dev.scores),
        ],
        outliers=outliers.head(MOST_OUTLIERS).to_dict("records"),
        num_outliers=len(outliers),
        num_scored=int((folds or trained.test).is_outlier.sum()),
        sound_mape=(folds or trained.test).sound_mape_percent,
        num_rows=len(rows),
        num_drawn=len(drawn),
        against=draw_panel(
            predicted_panel(
                rows.latencies_ms[drawn], prediction.latency_ms[drawn], prediction.lower_ms[drawn],
                prediction.upper_ms[drawn], f"latency, {data.device} (ms)", "predicted (ms)", "ms",
                [networks[index] for index in drawn],
            ),
            f"predicted (ms) against latency, {data.device} (ms)",
        ),
        errors=draw_panel(error_panel(rows.latencies_ms[drawn], errors[drawn], data.device)),
        coverage=draw_panel(coverage_panel(rows.latencies_ms, is_inside.astype(float), data.device)),
        curve=curve,
        curve_rows=curve
        and zip(
            curve.sizes.tolist(),
            curve.median_mape.tolist(),
            curve.mape_percent,
            np.median(curve.coverage_percent, axis=1).tolist(),
            strict=True,
        ),
        learning=curve and draw_panel(learning_panel(curve, trained.test.baselines["flops_only"].mape_percent)),
        worst=[
            (
                networks[index],
                rows.resolutions[index],
                rows.latencies_ms[index],
                prediction.latency_ms[index],
                prediction.lower_ms[index],
                prediction.upper_ms[index],
                errors[index],
                bool(is_inside[index]),
            )
            for index in worst
        ],
    )  # fmt: skip
