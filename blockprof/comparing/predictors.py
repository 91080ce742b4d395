"""Predictors on the same rows: scores, and paired intervals of their differences.

The interval is a bootstrap over networks: those of the test rows are drawn with replacement, each with all its
resolutions, and both predictors are scored on each draw, so what is hard for both cancels. Percentiles are expanded as
Student's t is against the normal distribution, since those of few networks are too narrow (Hesterberg, What Teachers
Should Know about the Bootstrap, 2014).
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import t as student_t

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.display import Picture, as_html, plot
from blockprof.foundation.errors import Argument, InputError, Said
from blockprof.foundation.scores import CONFIDENCE, WITHIN, relative_errors
from blockprof.predictors.evaluation import score, score_interval
from blockprof.predictors.prediction import Prediction

NUM_RESAMPLES = 2000
MIN_NETWORKS = 10
SAME_LATENCY = 1e-6
KEYS = ("net", "resolution")
BOUNDS = ("lower_ms", "upper_ms")
HIGHER_IS_BETTER = {
    "mape_percent": False,
    "rmse_ms": False,
    "within_5_percent": True,
    "within_10_percent": True,
    "spearman": True,
}
"""The scores whose differences get an interval."""
_CHUNK = 200
_SEED = 0


@dataclass(frozen=True, eq=False)
class PredictedRows:
    """What one predictor says of some rows.

    ``frame`` has a row a network and resolution: ``net``, ``resolution``, ``latency_ms`` (measured), ``predicted_ms``
    and, where the predictor gives an interval, ``lower_ms`` and ``upper_ms``.
    """

    label: str
    frame: pd.DataFrame


@dataclass(frozen=True, eq=False)
class PredictorComparison:
    """Predictors on the same rows.

    ``scores`` has a row a predictor: its ``label`` and every score, those of intervals NaN where it has none.
    ``differences`` has a row a pair and score: ``first``, ``second``, ``score``, ``difference`` (second minus first),
    ``lower`` and ``upper`` (the 95 % interval) and ``better``, a label, empty where the interval holds 0. ``rows`` has
    the measured latency and each predictor's, in columns of their labels.
    """

    labels: tuple[str, ...]
    num_networks: int
    rows: pd.DataFrame
    scores: pd.DataFrame
    differences: pd.DataFrame

    def __repr__(self) -> str:
        labels = ", ".join(self.labels)
        return f"<PredictorComparison of {labels}: predicted, against known latencies of {self.num_networks} networks>"

    def _repr_html_(self) -> str:
        return as_html(repr(self), self.scores)

    def to_pandas(self) -> pd.DataFrame:
        """A row a predictor: ``scores``."""
        return self.scores.copy()

    def plot(self, what: str | None = None) -> Picture:
        """The predictors' ``errors``.

        Raises:
            InputError: there is no such picture.
        """
        return plot(self, what)

    def verdicts(self) -> list[str]:
        """The predictor of the lowest MAPE against each other one, a sentence each."""
        mape = dict(zip(self.scores["label"], self.scores["mape_percent"], strict=True))
        best = min(self.labels, key=lambda label: mape[label])
        rows = self.differences[self.differences["score"] == "mape_percent"]
        sentences = []
        for row in rows.to_dict("records"):
            if best not in (row["first"], row["second"]):
                continue
            is_first = row["first"] == best
            other, sign = (row["second"], 1) if is_first else (row["first"], -1)
            lower, upper = sorted((sign * row["lower"], sign * row["upper"]))
            both = f"MAPE {mape[best]:.2f} % against {mape[other]:.2f} %"
            apart = f"{sign * row['difference']:.2f} ({lower:.2f} to {upper:.2f})"
            if row["better"] == best:
                sentences.append(f"{best} is better than {other}: {both}, less by {apart}")
            else:
                sentences.append(f"no difference beyond the noise between {best} and {other}: {both}, apart by {apart}")
        return sentences


def compare_predictors(predictors: Sequence[PredictedRows]) -> PredictorComparison:
    """Compare predictors on the rows that all of them have.

    Raises:
        InputError: fewer than 10 networks in common, or rows of one network that were measured differently.
    """
    rows = _common_rows(predictors)
    networks, network_of = np.unique(rows["net"].to_numpy(dtype=str), return_inverse=True)
    if len(networks) < MIN_NETWORKS:
        raise InputError(
            f"{' and '.join(each.label for each in predictors)} left out {len(networks)} networks in common, at least "
            f"{MIN_NETWORKS} are needed",
            remedy=Said("give measured networks as {}", Argument("data")),
            code="few-networks-in-common",
        )
    measured = rows["latency_ms"].to_numpy(dtype=float)
    labels = tuple(each.label for each in predictors)
    predicted = [rows[_column(label, "predicted_ms")].to_numpy(dtype=float) for label in labels]
    scores = pd.DataFrame([_scores(rows, label) for label in labels])
    resampled = _resample(measured, predicted, network_of)
    return PredictorComparison(
        labels=labels,
        num_networks=len(networks),
        rows=rows,
        scores=scores,
        differences=pd.DataFrame(_differences(labels, scores, resampled, len(networks))),
    )


def _common_rows(predictors: Sequence[PredictedRows]) -> pd.DataFrame:
    """The rows that all have, with columns ``<label> predicted_ms`` and so on."""
    first = predictors[0]
    rows = first.frame[[*KEYS, "latency_ms"]]
    for each in predictors:
        theirs = each.frame.reindex(columns=[*KEYS, "latency_ms", "predicted_ms", *BOUNDS])
        names = {name: _column(each.label, name) for name in ("predicted_ms", *BOUNDS)}
        rows = rows.merge(theirs.rename(columns=names | {"latency_ms": "theirs"}), on=list(KEYS))
        differ = np.abs(rows["theirs"] / rows["latency_ms"] - 1) > SAME_LATENCY
        if differ.any():
            row = rows[differ].iloc[0]
            raise InputError(
                f"{first.label} and {each.label} were tested on different measurements ({row['latency_ms']:.6g} and "
                f"{row['theirs']:.6g} ms for one network)",
                remedy=Said("give measured networks of one device as {}", Argument("data")),
                code="measured-differently",
            )
        rows = rows.drop(columns="theirs")
    return rows


def _column(label: str, name: str) -> str:
    return f"{label} {name}"


def _scores(rows: pd.DataFrame, label: str) -> dict[str, object]:
    measured = rows["latency_ms"].to_numpy(dtype=float)
    values = (rows[_column(label, name)].to_numpy(dtype=float) for name in ("predicted_ms", *BOUNDS))
    prediction = Prediction(*values)
    interval = {"coverage_percent": np.nan, "width_percent": np.nan}
    if np.isfinite(prediction.lower_ms).all():
        interval = asdict(score_interval(measured, prediction))
    return {"label": label, **asdict(score(measured, prediction.latency_ms)), **interval}


def _differences(
    labels: Sequence[str], scores: pd.DataFrame, resampled: FloatArray, num_networks: int
) -> Iterator[dict[str, object]]:
    quantile = student_t.ppf(0.5 + CONFIDENCE / 2, num_networks - 1)
    tail = norm.cdf(-np.sqrt(num_networks / (num_networks - 1)) * quantile)
    for first, second in combinations(range(len(labels)), 2):
        for index, (name, is_higher_better) in enumerate(HIGHER_IS_BETTER.items()):
            lower, upper = np.quantile(resampled[second, :, index] - resampled[first, :, index], [tail, 1 - tail])
            better = "" if lower <= 0 <= upper else labels[second if (lower > 0) == is_higher_better else first]
            yield {
                "first": labels[first],
                "second": labels[second],
                "score": name,
                "difference": scores[name][second] - scores[name][first],
                "lower": lower,
                "upper": upper,
                "better": better,
            }


def _resample(measured: FloatArray, predicted: Sequence[FloatArray], network_of: IntArray) -> FloatArray:
    """(P, B, 5): the scores of each predictor on each draw of networks, as in ``HIGHER_IS_BETTER``."""
    rng = np.random.default_rng(_SEED)
    num_networks = int(network_of.max()) + 1
    chunks = []
    for _ in range(0, NUM_RESAMPLES, _CHUNK):
        drawn = rng.multinomial(num_networks, np.full(num_networks, 1 / num_networks), size=_CHUNK)
        weights = drawn[:, network_of].astype(float)
        weights /= weights.sum(axis=1, keepdims=True)
        ranks = _ranks(weights, measured)
        chunks.append(np.stack([_weighted_scores(weights, measured, each, ranks) for each in predicted]))
    return np.concatenate(chunks, axis=1)


def _weighted_scores(
    weights: FloatArray, measured: FloatArray, predicted: FloatArray, measured_ranks: FloatArray
) -> FloatArray:
    """(B, 5): the scores of rows that count as ``weights`` (B, N) say, which sum to 1."""
    relative = relative_errors(measured, predicted)
    within = [100 * (relative <= most) for most in WITHIN]
    means = weights @ np.column_stack([100 * relative, (predicted - measured) ** 2, *within])
    means[:, 1] = np.sqrt(means[:, 1])
    return np.column_stack([means, _correlation(weights, measured_ranks, _ranks(weights, predicted))])


def _ranks(weights: FloatArray, values: FloatArray) -> FloatArray:
    """(B, N): the ranks of (N,) values, as shares of the rows; those that tie share their mean rank."""
    distinct, group = np.unique(values, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(distinct)))
    totals = np.add.reduceat(weights[:, order], starts, axis=1)
    return np.asarray((totals.cumsum(axis=1) - totals / 2)[:, group])


def _correlation(weights: FloatArray, first: FloatArray, second: FloatArray) -> FloatArray:
    """(B,): Pearson's, weighted; 0 where one of the two is constant."""
    first = first - (weights * first).sum(axis=1, keepdims=True)
    second = second - (weights * second).sum(axis=1, keepdims=True)
    covariance = (weights * first * second).sum(axis=1)
    scale = np.sqrt((weights * first**2).sum(axis=1) * (weights * second**2).sum(axis=1))
    return np.asarray(np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0))
