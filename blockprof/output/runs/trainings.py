"""What is logged of a training: the params, metrics and files its run has."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.foundation.files import temporary_folder
from blockprof.foundation.lazy import lazy_import
from blockprof.output.charts.trainings import learning_chart, predictions_chart
from blockprof.output.draw_matplotlib import draw_chart
from blockprof.output.report import REPORT, training_report
from blockprof.output.runs.origins import data_origin, log_data
from blockprof.tracking import Run, log_predictor

if TYPE_CHECKING:
    import pandas as pd

    from blockprof import predictors
    from blockprof.latency_data import LatencyData
    from blockprof.output.runs import champion, kept_training, sources
    from blockprof.predictors import CrossValidation, LearningCurve, Predictor, TrainedPredictor, evaluation, serving
    from blockprof.tracking import RegisteredPredictor
else:
    champion = lazy_import("blockprof.output.runs.champion")
    evaluation = lazy_import("blockprof.predictors.evaluation")
    kept_training = lazy_import("blockprof.output.runs.kept_training")
    pd = lazy_import("pandas")
    predictors = lazy_import("blockprof.predictors")
    serving = lazy_import("blockprof.predictors.serving")
    sources = lazy_import("blockprof.output.runs.sources")


def record_training(
    run: Run,
    trained: "TrainedPredictor",
    data: "LatencyData",
    path: Path,
    seed: int,
    folds: "CrossValidation | None" = None,
) -> "RegisteredPredictor":
    """Log a training: params, scores on the dev and test rows, the test predictions, ``networks.csv`` (which networks
    are in which part), a figure; ``outliers.csv`` and a tag where there are outliers; register the model, as the
    champion where :func:`choose_champion` says so.

    Of a cross-validation beside it also the scores and ``cv_predictions.csv``; of one that is a sum of costs
    ``costs.csv``; of one trained by epochs ``epochs.csv``. How its kind trained it is among the params.
    """
    model, split = trained.model, trained.split
    test = data.select(split.test)
    prediction = model.predict(test.archs, test.resolutions)
    run.log_params(
        {
            "metric": model.metric,
            "model": model.kind,
            "data": path,
            "seed": seed,
            "num_train": len(split.train),
            "num_dev": len(split.dev),
            "num_test": len(split.test),
            **trained.settings,
            **({"imported_from": trained.source} if trained.source else {}),
        }
    )
    run.log_tags(
        {
            "blockprof.predictor": model.kind,
            "blockprof.metric": model.metric,
            "blockprof.device": data.device,
            "blockprof.data_origin": data_origin(data.device),
        }
    )
    if outliers := trained.outliers.summary(data):
        run.log_tags({"blockprof.outliers": outliers})
        run.log_frame(trained.outliers.to_frame(model, data), "outliers.csv")
    log_data(run, data, path, "training")
    log_data(run, test, path, "testing")
    scores, interval = trained.test.scores, trained.test.interval
    run.describe(
        f"**{model.metric} of {data.space.name}**: {test.num_networks:,} other networks predicted to "
        f"{scores.mape_percent:.2f} % (MAPE), Spearman {scores.spearman:.4f}; {interval.coverage_percent:.0f} % "
        f"lie in the 90 % intervals. Trained on {data.select(split.train).num_networks:,} networks."
    )
    run.log_metrics(
        {
            "train_seconds": trained.seconds,
            "test.num_networks": test.num_networks,
            "num_left_out": len(trained.outliers.left_out),
            **trained.dev.flat("dev"),
            **trained.test.flat("test"),
            **(folds.flat() if folds else {}),
        }
    )
    run.log_frame(evaluation.predicted_frame(test, prediction), f"{sources.TEST_ROWS}.csv")
    run.log_frame(champion.networks_frame(data, split), f"{champion.NETWORKS}.csv")
    if folds:
        run.log_frame(folds.to_frame(), f"{sources.CROSS_VALIDATED}.csv")
    if costs := cost_rows(model):
        run.log_frame(pd.DataFrame(costs), "costs.csv")
    if trained.epochs:
        run.log_frame(pd.DataFrame(map(asdict, trained.epochs)), "epochs.csv")
    # A server is asked several times for each file, and training asks most.
    run.log_figure(draw_chart(predictions_chart(trained, test)), "figures/test_predictions.png", as_image=False)
    with temporary_folder() as temporary:
        folder = temporary / "predictor"
        model.save(folder)
        registered = log_predictor(
            run,
            folder,
            serving.MODEL_CODE,
            serving.carried_files(model.kind),
            metric=model.metric,
            kind=model.kind,
            num_nets=model.num_nets,
            test=test,
            predict=lambda stored: predictors.load_predictor(stored).predict(test.archs, test.resolutions).latency_ms,
            keep=lambda place: kept_training.keep_training(place, trained, data, folds),
            choose=lambda: champion.choose_champion(trained, data, folds),
        )
    run.log_tags(registered.run_tags)
    return registered


def record_learning_curve(run: Run, curve: "LearningCurve", trained: "TrainedPredictor") -> None:
    """Log a learning curve beside a training: metrics by number of networks, ``learning_curve.csv``, a figure."""
    run.log_steps(curve.steps())
    run.log_frame(curve.to_frame(), "learning_curve.csv")
    run.log_figure(draw_chart(learning_chart(curve, trained)), "figures/learning_curve.png")
    run.log_tags({"blockprof.advice": curve.advice()})


def record_training_report(
    run: Run,
    trained: "TrainedPredictor",
    data: "LatencyData",
    path: Path,
    curve: "LearningCurve | None" = None,
    folds: "CrossValidation | None" = None,
) -> None:
    """Log a training's report, with the learning curve and the cross-validation where there are any."""
    is_reference = data_origin(data.device) == "reference"
    report = training_report(trained, data, path, is_reference=is_reference, curve=curve, folds=folds)
    run.log_text(report, REPORT)


def cost_rows(model: "Predictor") -> list[dict[str, object]]:
    """What the predictor says each block instance costs, in ms, at each resolution; none where it is no sum."""
    rows: list[dict[str, object]] = []
    for resolution in model.resolutions.tolist():
        found = model.additive_costs(resolution)
        if found is None:
            return []
        rows.append({"resolution": resolution, "instance": "base", "cost_ms": found.base_ms})
        rows.extend(
            {"resolution": resolution, "instance": instance.name, "cost_ms": cost}
            for instance, cost in zip(model.space.instances, found.costs_ms.tolist(), strict=True)
        )
    return rows
