"""Which version of a predictor is the champion, decided on networks that neither version was made from.

A champion trained by another split, or on fewer of the same rows, was trained on some of a new version's test networks
and would look better there than it is. So only the others count. Where they are too few, or show no difference beyond
the noise, a rule decides: a predictor of the same kind that is trained on more networks, from data that hold all of the
champion's, takes its place.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from blockprof import tracking
from blockprof.comparing.loading import TEST_ROWS
from blockprof.comparing.predictors import KEYS, MIN_NETWORKS, PredictedRows, compare_predictors
from blockprof.errors import InputError, TrackingError

if TYPE_CHECKING:
    from blockprof.latency_data import LatencyData
    from blockprof.predictors import Split, TrainedPredictor
    from blockprof.tracking import StoredPredictor

NETWORKS = "networks"
"""The table in which a run of ``train-predictor`` says what it used each row of its data for."""
_NEW = "the new version"
_RULE = (
    "without that, a champion gives way only to one of its kind that is trained on more networks, from data that hold "
    "all of its own"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether a new version becomes the champion, and why."""

    is_champion: bool
    reason: str


@dataclass(frozen=True, eq=False)
class _Record:
    """What the champion's run says of its networks: ``net``, ``resolution`` and ``part``; of an older one only the test
    rows are known, and the record is not ``whole``.
    """

    rows: pd.DataFrame
    whole: bool

    def unseen(self, data: "LatencyData") -> "LatencyData":
        """Those rows of ``data`` on whose networks the champion was neither trained nor chosen."""
        nets = data.to_frame()["net"]
        if self.whole:
            return data.select(np.flatnonzero(~nets.isin(self.rows["net"][self.rows["part"] != "test"])))
        return data.select(np.flatnonzero(nets.isin(self.rows["net"])))

    def is_part_of(self, rows: pd.DataFrame) -> bool:
        """Whether ``rows`` are known to hold every network and resolution that the champion was made from."""
        return self.whole and len(self.rows.merge(rows[list(KEYS)])) == len(self.rows)


def networks_frame(data: "LatencyData", split: "Split") -> pd.DataFrame:
    """One row a row of ``data`` that ``split`` uses: ``net``, ``resolution`` and ``part`` (train, dev or test)."""
    parts = {"train": split.train, "dev": split.dev, "test": split.test}
    frame = data.to_frame()[list(KEYS)]
    return pd.concat([frame.iloc[rows].assign(part=part) for part, rows in parts.items()], ignore_index=True)


def choose_champion(trained: "TrainedPredictor", data: "LatencyData") -> Choice:
    """Decide whether ``trained``, split from ``data``, takes the place of the champion of its space and metric.

    It does where there is none; where its error is lower on the test networks that the champion was neither trained nor
    chosen on, by more than the paired 95 % interval of :func:`compare_predictors`; and by the rule above, where these
    are fewer than 10 or the interval holds 0. A champion that cannot be asked stays.

    Raises:
        TrackingError: the champion's run cannot be read.
    """
    model = trained.model
    try:
        champion = tracking.find_champion(model.space.name, model.metric)
    except TrackingError as error:
        return Choice(False, f"it cannot be asked: {error}")
    if champion is None:
        return Choice(True, "there was none before")
    record = _load_record(champion)
    test = data.select(trained.split.test)
    unseen = record.unseen(test)
    try:
        theirs = _predict_known(champion, unseen)
    except TrackingError as error:
        return Choice(False, f"it cannot be asked: {error}")
    num_networks = theirs["net"].nunique()
    old = f"version {champion.version}"
    if num_networks >= MIN_NETWORKS:
        predicted = model.predict(unseen.archs, unseen.resolutions)
        ours = unseen.to_frame().assign(predicted_ms=predicted.latency_ms)
        comparison = compare_predictors([PredictedRows(_NEW, ours), PredictedRows(old, theirs)])
        (better,) = comparison.differences.query("score == 'mape_percent'")["better"]
        found = f"{comparison.verdicts()[0]}, on {num_networks:,} test networks that neither was trained on"
        if better:
            return Choice(better == _NEW, found)
    else:
        found = (
            f"{old} can be tested on {num_networks} of the {test.num_networks} test networks (it was made from the "
            f"others, or does not know their resolution), at least {MIN_NETWORKS} are needed"
        )
    if _is_successor(trained, data, champion, record):
        grown = f"it is trained on {model.num_nets:,} networks instead of {int(champion.tags['num_nets']):,}"
        return Choice(True, f"{found}; {grown}, from data that hold all of {old}'s")
    return Choice(False, f"{found}; {_RULE}")


def _load_record(champion: "StoredPredictor") -> _Record:
    try:
        run = tracking.find_run(champion.run_id)
        names = tracking.list_frames(run)
    except InputError:  # deleted for good
        names = ()
    if NETWORKS in names:
        return _Record(tracking.load_frame(run, NETWORKS), whole=True)
    if TEST_ROWS in names:
        return _Record(tracking.load_frame(run, TEST_ROWS)[list(KEYS)], whole=False)
    return _Record(pd.DataFrame(columns=list(KEYS)), whole=False)


def _predict_known(champion: "StoredPredictor", rows: "LatencyData") -> pd.DataFrame:
    """What the champion says of those (N,) rows whose resolution it knows, as :class:`PredictedRows` has them."""
    frames = [rows.to_frame().head(0).assign(predicted_ms=0.0)]
    for resolution in np.unique(rows.resolutions):
        part = rows.select(np.flatnonzero(rows.resolutions == resolution))
        try:
            predicted = tracking.predict_stored(champion, part)
        except InputError:
            continue
        frames.append(part.to_frame().assign(predicted_ms=predicted["latency_ms"].to_numpy()))
    return pd.concat(frames, ignore_index=True)


def _is_successor(
    trained: "TrainedPredictor", data: "LatencyData", champion: "StoredPredictor", record: _Record
) -> bool:
    """Whether it is of the champion's kind and trained on more networks, from data that hold all of the champion's."""
    return (
        trained.model.kind == champion.tags["kind"]
        and trained.model.num_nets > int(champion.tags["num_nets"])
        and record.is_part_of(networks_frame(data, trained.split))
    )
