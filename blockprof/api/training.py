"""``blockprof.train``: latency predictors, tested and registered."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof import predictors
from blockprof.api.latencies import check_latency_name, naming, read_latencies
from blockprof.fetching.reference import DEVICE_PREFIX
from blockprof.foundation.display import as_html
from blockprof.foundation.errors import Argument, Said
from blockprof.foundation.extras import check_extra
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.foundation.paths import data_folder
from blockprof.latency_data import LatencyData
from blockprof.predictors import CrossValidation, LearningCurve, TrainedPredictor, TrainingOptions
from blockprof.spaces import Space, load_space
from blockprof.tracking.log import NOT_LOGGED, Tracker

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from blockprof.output import draw_matplotlib
    from blockprof.output.charts import trainings as training_charts
    from blockprof.output.runs import trainings
    from blockprof.predictors.gru import importing
    from blockprof.tracking import RegisteredPredictor, Run
else:
    draw_matplotlib = lazy_import("blockprof.output.draw_matplotlib")
    importing = lazy_import("blockprof.predictors.gru.importing")
    training_charts = lazy_import("blockprof.output.charts.trainings")
    trainings = lazy_import("blockprof.output.runs.trainings")


GRU = "gru"
"""The kind that needs an extra."""


@dataclass(frozen=True, eq=False)
class Training:
    """A predictor trained on the latencies of a file ``path``, and what tells how good it is.

    ``folds`` is a cross-validation, where few test networks are left; ``curve`` the error by number of networks, where
    it was asked; ``registered`` its version in MLflow, where it is logged.
    """

    trained: TrainedPredictor
    data: LatencyData
    path: Path
    folds: CrossValidation | None = None
    curve: LearningCurve | None = None
    registered: "RegisteredPredictor | None" = None

    def __repr__(self) -> str:
        return f"<Training from {self.path}, latencies {self.origin}: {self.trained!r}>"

    def _repr_html_(self) -> str:
        return as_html(repr(self), self.to_pandas())

    @property
    def origin(self) -> str:
        """``reference`` where it was trained on data made from a built-in table, else ``measured``."""
        return "reference" if self.data.device.startswith(DEVICE_PREFIX) else "measured"

    def to_pandas(self) -> "pd.DataFrame":
        """One row for the predictor, its cross-validation where there is one, and each baseline: ``predictor``,
        ``scored_on`` (``test``, or ``folds``), the scores, ``coverage_percent`` and ``width_percent`` of its 90 %
        intervals; then the same in each row: space, metric, device, origin, how many networks it was trained on, and
        what it is registered as.
        """
        import pandas as pd

        test, folds = self.trained.test, self.folds
        own = {"predictor": self.trained.model.kind, "scored_on": "test"}
        rows = [own | asdict(test.scores) | asdict(test.interval)]
        if folds:
            rows.append(own | {"scored_on": "folds"} | asdict(folds.scores) | asdict(folds.interval))
        rows += [{"predictor": name, "scored_on": "test", **asdict(found)} for name, found in test.baselines.items()]
        registered = self.registered
        return pd.DataFrame(rows).assign(
            space=self.data.space.name,
            metric=self.trained.model.metric,
            device=self.data.device,
            origin=self.origin,
            num_networks=self.trained.model.num_nets,
            registered=registered.name if registered else None,
            version=registered.version if registered else None,
            is_champion=registered.is_champion if registered else None,
        )

    def plot(self) -> "Figure":
        """The test networks: predicted against measured, with the relative error."""
        tested = self.data.select(self.trained.split.test)
        return draw_matplotlib.draw_chart(training_charts.predictions_chart(self.trained, tested))

    @property
    def num_test(self) -> int:
        """How many networks it was tested on."""
        return self.data.select(self.trained.split.test).num_networks


def train(
    space: Space | str,
    data: str | Path | None = None,
    metric: str = "npu",
    *,
    kind: str = predictors.DEFAULT_KIND,
    options: TrainingOptions | None = None,
    train_size: int | None = None,
    learning_curve: bool = False,
    seed: int = 0,
    log: Tracker = NOT_LOGGED,
    listener: Listener = SILENT,
) -> Training:
    """Train a latency predictor, and test it on held-out networks.

    With ``log=blockprof.Log()`` it is registered as ``blockprof-<space>-<metric>``, and as the champion where it is
    better: ``blockprof.profile(space, [metric])`` then uses it. Where fewer than 30 test networks are left, it is also
    cross-validated, which trains ten more, unless only some networks are to train on.

    Args:
        space: a space, or its name.
        data: a CSV of measured networks; where None, the one of that metric in the data folder.
        metric: the name it will have in ``profile``.
        kind: ``blockwise``, ``gru`` (the paper's, half an hour or more), or a registered one.
        options: how to train, where the kind leaves a choice.
        train_size: train on so many networks only, the test rows unchanged.
        learning_curve: also train on 10, 30, 100, ... networks, five draws each: how many to measure.
        seed: of the split, and of all that is random in training.
        log: where it is logged and registered.
        listener: told of progress; of the training, of its curve, and of what was registered as each is there.

    Raises:
        InputError: no such space or kind, an option that it does not have, or a name that cannot be registered.
        DataFileError: the CSV is not there, cannot be used, or has too few networks; or a checkpoint of another
            training.
        TrackingError: the MLflow store does not answer.
        BlockprofError: the training diverged.
    """
    chosen, options = load_space(space) if isinstance(space, str) else space, options or TrainingOptions()
    check_latency_name(chosen, metric)
    if kind == GRU:
        check_extra("gru", f"training a {GRU}")
    path, latencies = read_latencies(chosen, metric, None if data is None else Path(data), listener)
    with naming(path):
        split = predictors.split_by_network(latencies, seed, train_size)
        if learning_curve:
            predictors.curve_sizes(latencies, split)
    predictors.check_options(kind, options)
    log.check()
    checkpoint = predictors.checkpoint_path(data_folder(), latencies, metric, kind, options, seed, train_size)
    if checkpoint and checkpoint.exists():
        listener.on_note(f"{checkpoint}: resuming what was trained before; remove it to train again")
    elif not checkpoint:
        listener.on_start(f"training on {latencies.select(split.train).num_networks:,} networks")
    with log.run("train-predictor", chosen.name, listener, metric) as record:
        with naming(path):
            trained = predictors.train_predictor(
                latencies, metric, seed, train_size, kind, options, checkpoint, listener
            )
            found = Training(trained, latencies, path)
            if found.num_test < predictors.FEW_TEST_NETWORKS and not train_size:
                # By the same folds whatever the seed: who tries many splits of the same networks finds no better
                # champion.
                folds = predictors.cross_validate(latencies, listener=listener, kind=kind, options=options)
                found = replace(found, folds=folds)
        listener.on_result(found)
        if learning_curve:
            with naming(path):
                curve = predictors.learning_curve(
                    latencies, seed, train_size, listener=listener, kind=kind, options=options
                )
            found = replace(found, curve=curve)
            listener.on_result(curve)
        found = replace(found, registered=record(lambda run: _record(run, found, seed)))
        if found.registered:
            listener.on_result(found.registered)
    if checkpoint:
        checkpoint.unlink(missing_ok=True)
    return found


def _record(run: "Run", found: Training, seed: int) -> "RegisteredPredictor":
    if found.curve:
        trainings.record_learning_curve(run, found.curve, found.trained)
    trainings.record_training_report(run, found.trained, found.data, found.path, found.curve, found.folds)
    return trainings.record_training(run, found.trained, found.data, found.path, seed, found.folds)


def import_predictor(
    file: Path,
    space: Space | str,
    metric: str,
    data: str | Path | None = None,
    *,
    max_ms: float | None = None,
    seed: int = 0,
    log: Tracker = NOT_LOGGED,
    listener: Listener = SILENT,
) -> Training:
    """Take over a predictor that BlockProfile trained, test it and register it as :func:`train` does.

    Args:
        file: a ``_best.pt`` of BlockProfile's predictor trainer; no code in it is run.
        space: a space, or its name.
        metric: the name it will have in ``profile``.
        data: a CSV of networks measured on its device; as for :func:`train`.
        max_ms: the greatest latency it was trained on; that of BlockProfile's own or the CSV's where None, whichever
            errs less on the CSV.
        seed: of the split.
        log: where it is logged and registered.
        listener: told of the predictor, and of what was registered.

    Raises:
        InputError, DataFileError, TrackingError: as :func:`train`; or a predictor that predicts the networks worse than
            their mean does.
    """
    chosen = load_space(space) if isinstance(space, str) else space
    check_latency_name(chosen, metric)
    check_extra("gru", "reading BlockProfile's predictors")
    if max_ms is None:
        importing.released_maximum(chosen, metric)
    path, latencies = read_latencies(chosen, metric, None if data is None else Path(data), listener)
    with naming(path):
        predictors.split_by_network(latencies, seed)
    if max_ms is None:
        best, other = importing.compare_maxima(file, latencies, metric, seed)
        max_ms = best.ms
        said = (
            f"the greatest latency it was trained on is not in its file: {best.ms:.6g} ms is used, {best.whose}, with "
            f"which it predicts {path} to {best.mape_percent:.2f} % (MAPE); with {other.ms:.6g} ms, {other.whose}, to "
            f"{other.mape_percent:.2f} %"
        )
        listener.on_note(Said("{}; {} sets another", said, Argument("max_ms")))
    found = Training(importing.import_predictor(file, latencies, metric, max_ms, seed), latencies, path)
    log.check()
    with log.run("import-predictor", chosen.name, listener, metric) as record:
        listener.on_result(found)
        found = replace(found, registered=record(lambda run: _record_imported(run, found, seed)))
        if found.registered:
            listener.on_result(found.registered)
    return found


def _record_imported(run: "Run", found: Training, seed: int) -> "RegisteredPredictor":
    return trainings.record_training(run, found.trained, found.data, found.path, seed)
