"""Which version of a predictor is the champion, decided on networks that neither version was made from.

A champion trained by another split, or on fewer of the same rows, was trained on some of a new version's test networks
and would look better there than it is. So only the others count; where they tell nothing, the networks that both runs
cross-validated, each predicted without it, or those that are new to the champion. Where the difference is not beyond
the noise, a lower error is enough for a predictor of the same kind that is trained on more networks, from data that
hold all of the champion's. Where fewer than 10 networks are left to compare on, the champion stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from blockprof import tracking
from blockprof.comparing.predictors import KEYS, MIN_NETWORKS, PredictedRows, compare_predictors
from blockprof.foundation.errors import InputError, ServerGoneError, TrackingError
from blockprof.output.runs.asking import predict_stored
from blockprof.output.runs.sources import CROSS_VALIDATED, TEST_ROWS
from blockprof.tracking.champion import Choice

if TYPE_CHECKING:
    from blockprof.latency_data import LatencyData
    from blockprof.predictors import CrossValidation, Split, TrainedPredictor
    from blockprof.predictors.prediction import Predictor
    from blockprof.tracking import StoredPredictor

NETWORKS = "networks"
"""The table in which a run of ``train-predictor`` says what it used each row of its data for."""
_NEW = "the new version"
_RULE = (
    "within noise, the alias moves only to a version of the same kind with a lower error, whose training data is a "
    "strict superset of the champion's"
)


@dataclass(frozen=True)
class KeptTraining:
    """What the choice needs of a training: as :class:`TrainedPredictor`, without its scores."""

    model: "Predictor"
    split: "Split"
    source: Path | None


@dataclass(frozen=True, eq=False)
class _Record:
    """What the champion's run says of its networks: the tables ``networks`` and ``cv_predictions``, None where it has
    none, and the test rows of older runs, which have nothing else. What an imported one was trained on is not known.
    """

    is_imported: bool
    networks: pd.DataFrame | None
    folds: pd.DataFrame | None
    test: pd.DataFrame | None

    def unseen(self, data: "LatencyData") -> "LatencyData":
        """Those rows of ``data`` on whose networks the champion is known to be neither trained nor chosen."""
        nets = data.to_frame()["net"]
        if self.networks is not None:
            return data.select(np.flatnonzero(~nets.isin(self.networks["net"][self.networks["part"] != "test"])))
        return data.select(np.flatnonzero(nets.isin([] if self.test is None else self.test["net"])))

    def is_part_of(self, rows: pd.DataFrame) -> bool:
        """Whether ``rows`` are known to hold every network and resolution that the champion was made from."""
        found = self.networks
        return (
            not self.is_imported
            and found is not None
            and len(found.merge(rows[list(KEYS)], on=list(KEYS))) == len(found)
        )


def networks_frame(data: "LatencyData", split: "Split") -> pd.DataFrame:
    """One row a row of ``data`` that ``split`` uses: ``net``, ``resolution`` and ``part`` (train, dev or test)."""
    parts = {"train": split.train, "dev": split.dev, "test": split.test}
    frame = data.to_frame()[list(KEYS)]
    return pd.concat([frame.iloc[rows].assign(part=part) for part, rows in parts.items()], ignore_index=True)


def choose_champion(
    trained: "TrainedPredictor | KeptTraining", data: "LatencyData", folds: "CrossValidation | None" = None
) -> Choice:
    """Decide whether ``trained``, split from ``data``, takes the place of the champion of its space and metric.

    It does where there is none; where its error is lower by more than the paired 95 % interval of
    :func:`compare_predictors`, on the test networks that the champion was neither trained nor chosen on or, if these do
    not tell, on those that both ``folds`` and the champion's predict, or that ``folds`` do and are new to the champion;
    and by the rule above, where the difference is not beyond the noise. A champion that cannot be asked stays.
    """
    model = trained.model
    try:
        champion = tracking.find_champion(model.space.name, model.metric)
        if champion is None:
            return Choice(True, "there was none before")
        record = _load_record(champion)
        old = f"version {champion.version}"
        is_lower = False
        found = f"fewer than {MIN_NETWORKS} test networks are known to be new to {old}, at resolutions that it knows"
        for where, ours, theirs in _evidence(trained, data.select(trained.split.test), folds, champion, record):
            try:
                comparison = compare_predictors([PredictedRows(_NEW, ours), PredictedRows(old, theirs)])
            except InputError:  # too few in common, or measured again
                continue
            found = f"{comparison.verdicts()[0]}, on {comparison.num_networks:,} {where}"
            errors = dict(zip(comparison.scores["label"], comparison.scores["mape_percent"], strict=True))
            is_lower = errors[_NEW] < errors[old]
            (better,) = comparison.differences.query("score == 'mape_percent'")["better"]
            if better:
                return Choice(better == _NEW, found, champion.version)
    except ServerGoneError:
        raise  # who resumes this compares
    except TrackingError as error:
        return Choice(False, f"it cannot be asked: {error}")
    if is_lower and _is_successor(trained, data, champion, record):
        grown = f"it is trained on {model.num_nets:,} networks instead of {int(champion.tags['num_nets']):,}"
        return Choice(True, f"{found}; {grown}, from data that hold all of {old}'s", champion.version)
    return Choice(False, f"{found}; {_RULE}")


def _load_record(champion: "StoredPredictor") -> _Record:
    try:
        run = tracking.find_run(champion.run_id)
    except InputError:  # deleted for good
        return _Record(False, None, None, None)
    names = set(tracking.list_frames(run))
    if NETWORKS in names:
        names -= {TEST_ROWS}
    tables = (NETWORKS, CROSS_VALIDATED, TEST_ROWS)
    found = (tracking.load_frame(run, name) if name in names else None for name in tables)
    return _Record("imported_from" in run.params, *found)


def _evidence(
    trained: "TrainedPredictor | KeptTraining",
    test: "LatencyData",
    folds: "CrossValidation | None",
    champion: "StoredPredictor",
    record: _Record,
) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """On which networks the two can be compared, what the new version says of them, and what the champion does."""
    unseen = record.unseen(test)
    if len(unseen):
        predicted = trained.model.predict(unseen.archs, unseen.resolutions)
        ours = unseen.to_frame().assign(predicted_ms=predicted.latency_ms)
        known = " (as far as is known of an imported one)" if trained.source or record.is_imported else ""
        yield f"test networks that neither was trained on{known}", ours, _predict_known(champion, unseen)
    if folds is None:
        return
    ours = folds.to_frame()
    if record.folds is not None and ours["net"][ours["net"].isin(record.folds["net"])].nunique() >= MIN_NETWORKS:
        yield "networks, each left out in turn", ours, record.folds
    elif len(unseen := record.unseen(folds.data)):
        where = f"networks new to version {champion.version}, each left out of the new version in turn"
        yield where, ours, _predict_known(champion, unseen)


def _predict_known(champion: "StoredPredictor", rows: "LatencyData") -> pd.DataFrame:
    """What the champion says of those (N,) rows whose resolution it knows, as :class:`PredictedRows` has them."""
    frames = [rows.to_frame().head(0).assign(predicted_ms=0.0)]
    for resolution in np.unique(rows.resolutions):
        part = rows.select(np.flatnonzero(rows.resolutions == resolution))
        try:
            predicted = predict_stored(champion, part)
        except InputError:
            continue
        frames.append(part.to_frame().assign(predicted_ms=predicted["latency_ms"].to_numpy()))
    return pd.concat(frames, ignore_index=True)


def _is_successor(
    trained: "TrainedPredictor | KeptTraining", data: "LatencyData", champion: "StoredPredictor", record: _Record
) -> bool:
    """Whether it is of the champion's kind and trained on more networks, from data that hold all of the champion's."""
    return (
        trained.model.kind == champion.tags["kind"]
        and trained.model.num_nets > int(champion.tags["num_nets"])
        and record.is_part_of(networks_frame(data, trained.split))
    )
