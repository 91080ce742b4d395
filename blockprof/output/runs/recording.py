"""What is logged of each command: the one place that says which params, metrics and files its run has."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.files import temporary_folder
from blockprof.metrics import MetricInfo
from blockprof.output.comparison_figures import error_by_networks
from blockprof.output.figures import (
    caption,
    effect_curves,
    left_out_against_measured,
    predicted_against_measured,
    response_heatmap,
)
from blockprof.output.report import profile_report, training_report
from blockprof.profiling import Profile
from blockprof.tracking import Run, log_predictor

if TYPE_CHECKING:
    from blockprof.fetching import FetchedFile
    from blockprof.latency_data import LatencyData
    from blockprof.predictors import BlockwiseModel, CrossValidation, LearningCurve, TrainedPredictor
    from blockprof.tracking import RegisteredPredictor


REPORT = "report.html"


def profile_params(profile: Profile) -> dict[str, object]:
    """The params of a profile's run."""
    return {
        "metrics": ",".join(metric.info.name for metric in profile.metrics),
        "sampler": profile.sampler,
        "resolution": profile.resolution,
        "seed": profile.seed,
        "num_placements": len(profile.fixings),
        "num_archs": ",".join(str(metric.num_archs or "exact") for metric in profile.metrics),
    }


def profile_tags(profile: Profile) -> dict[str, str]:
    """The tags of a profile's run: where its numbers come from."""
    return {"blockprof.sampler": profile.sampler, **origin_tags([metric.info for metric in profile.metrics])}


def origin_tags(infos: Sequence[MetricInfo]) -> dict[str, str]:
    """The tags of any run with metrics: where each one's numbers come from, and how far they are off."""
    tags = {"blockprof.data_origin": ",".join(dict.fromkeys(info.origin for info in infos))}
    tags |= {f"blockprof.source.{info.name}": info.source for info in infos}
    tags |= {f"blockprof.error.{info.name}": info.errors.text for info in infos if info.errors}
    predicted = [info.source for info in infos if info.origin == "predicted"]
    if predicted:
        tags["blockprof.predictor"] = "; ".join(predicted)
    return tags


def profile_metrics(profile: Profile) -> dict[str, float]:
    """The metrics of a profile's run: means only, ``<metric>.response/<block>`` and ``<metric>.effect/<placement>``."""
    values: dict[str, float] = {"profile_seconds": profile.seconds}
    random, placements, responses = profile.random_frame(), profile.placement_frame(), profile.response_frame()
    for metric, mean in zip(random["metric"], random["mean"], strict=True):
        values[f"{metric}.random"] = float(mean)
    for metric, block, response in zip(responses["metric"], responses["block"], responses["response"], strict=True):
        values[f"{metric}.response/{block}"] = float(response)
    for metric, placement, effect in zip(
        placements["metric"], placements["placement"], placements["effect"], strict=True
    ):
        values[f"{metric}.effect/{placement.replace('+', ' ')}"] = float(effect)
    for pooled in profile.metrics:
        if pooled.check:
            scores = pooled.check.scores().items()
            values |= {f"{pooled.info.name}.held_out.{name}": score for name, score in scores if not np.isnan(score)}
    return values


def record_profile(run: Run, profile: Profile) -> None:
    """Log a profile: params, tags, metrics, ``responses.csv``, ``placements.csv``, ``random.csv``, figures, a report.

    Of pooled metrics also ``pooled.csv``, and of each ``pool_<metric>.csv`` and a figure of the networks left out.
    """
    run.log_params(profile_params(profile))
    run.log_tags(profile_tags(profile))
    run.log_frame(profile.random_frame(), "random.csv")
    run.log_frame(profile.placement_frame(), "placements.csv")
    if profile.blocks:
        run.log_frame(profile.response_frame(), "responses.csv")
    if any(metric.check for metric in profile.metrics):
        run.log_frame(profile.pooled_frame(), "pooled.csv")
    for metric in profile.metrics:
        name = metric.info.name
        if metric.check:
            run.log_frame(metric.check.to_frame(), f"pool_{name}.csv")
            run.log_figure(left_out_against_measured(profile, metric, metric.check), f"figures/{name}_pool.png")
        if profile.blocks:
            run.log_figure(response_heatmap(profile, metric), f"figures/{name}_responses.png")
            run.log_figure(effect_curves(profile, metric), f"figures/{name}_effects.png")
    run.log_text("\n".join(caption(profile, metric) for metric in profile.metrics) + "\n", "about.txt")
    run.log_text(profile_report(profile), REPORT)
    run.log_metrics(profile_metrics(profile))


def data_origin(device: str) -> str:
    """``reference`` for data made from the reference tables, else ``file``."""
    return "reference" if device.startswith("reference-") else "file"


def record_fetch(run: Run, files: "Sequence[FetchedFile]", source: str, params: dict[str, object]) -> None:
    """Log what was fetched: where from, the files with their checksums, the latencies they hold."""
    import pandas as pd

    held = [file.latencies for file in files if file.latencies is not None]
    origins = {data_origin(data.device) for data in held} or {"file"}
    run.log_tags({"blockprof.data_origin": ",".join(sorted(origins))})
    run.log_params({"source": source, **params})
    run.log_metrics({"num_files": len(files), "num_nets": sum(len(data) for data in held)})
    rows = [(str(file.path), file.sha256, len(file.latencies) if file.latencies else None) for file in files]
    run.log_frame(pd.DataFrame(rows, columns=["file", "sha256", "num_nets"]), "files.csv")
    for file in files:
        if file.latencies is not None:
            _log_data(run, file.latencies, file.path, "fetched")


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

    Of a cross-validation beside it also the scores and ``cv_predictions.csv``; of a blockwise predictor ``costs.csv``;
    of a gru ``epochs.csv``, and its recipe among the params.
    """
    import pandas as pd

    from blockprof import predictors
    from blockprof.comparing.champion import NETWORKS, choose_champion, networks_frame
    from blockprof.comparing.kept_training import keep_training
    from blockprof.comparing.loading import CROSS_VALIDATED, TEST_ROWS
    from blockprof.predictors.evaluation import predicted_frame

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
            **(asdict(trained.recipe) if trained.recipe else {}),
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
    _log_data(run, data, path, "training")
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
    run.log_frame(predicted_frame(test, prediction), f"{TEST_ROWS}.csv")
    run.log_frame(networks_frame(data, split), f"{NETWORKS}.csv")
    if folds:
        run.log_frame(folds.to_frame(), f"{CROSS_VALIDATED}.csv")
    if isinstance(model, predictors.BlockwiseModel):
        run.log_frame(pd.DataFrame(cost_rows(model)), "costs.csv")
    if trained.epochs:
        run.log_frame(pd.DataFrame(map(asdict, trained.epochs)), "epochs.csv")
    run.log_figure(predicted_against_measured(trained, test), "figures/test_predictions.png")
    with temporary_folder() as temporary:
        folder = temporary / "predictor"
        model.save(folder)
        registered = log_predictor(
            run,
            folder,
            Path(predictors.__file__).with_name("pyfunc_model.py"),
            metric=model.metric,
            kind=model.kind,
            num_nets=model.num_nets,
            test=test,
            predict=lambda stored: predictors.load_predictor(stored).predict(test.archs, test.resolutions).latency_ms,
            keep=lambda place: keep_training(place, trained, data, folds),
            choose=lambda: choose_champion(trained, data, folds),
        )
    run.log_tags(registered.run_tags)
    return registered


def record_learning_curve(run: Run, curve: "LearningCurve", trained: "TrainedPredictor") -> None:
    """Log a learning curve beside a training: metrics by number of networks, ``learning_curve.csv``, a figure."""
    run.log_steps(curve.steps())
    run.log_frame(curve.to_frame(), "learning_curve.csv")
    run.log_figure(error_by_networks(curve, trained), "figures/learning_curve.png")
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


def cost_rows(model: "BlockwiseModel") -> list[dict[str, object]]:
    """What the predictor says each block instance costs, at each resolution it knows, in ms."""
    rows: list[dict[str, object]] = []
    for resolution in model.resolutions.tolist():
        base, costs = model.cost_table(resolution)
        rows.append({"resolution": resolution, "instance": "base", "cost_ms": base})
        rows.extend(
            {"resolution": resolution, "instance": instance.name, "cost_ms": cost}
            for instance, cost in zip(model.space.instances, costs.tolist(), strict=True)
        )
    return rows


def _log_data(run: Run, data: "LatencyData", path: Path, context: str) -> None:
    run.log_dataset(data.to_frame(), source=str(path), name=path.name, digest=data.digest, context=context)
