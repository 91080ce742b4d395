"""How a predictor's error falls with the number of networks that it is trained on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.errors import DataFileError
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener, Part
from blockprof.latency_data import LatencyData
from blockprof.predictors.evaluation import score, score_interval
from blockprof.predictors.kinds import DEFAULT_KIND, TrainingOptions, TrainingTask, check_options
from blockprof.predictors.splitting import Split, split_by_network

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = lazy_import("pandas")

NUM_DRAWS = 5
FIRST_SIZES = (10, 30)
"""Ten times these, a hundred times and so on follow, as far as there are networks."""
ENOUGH = 1.1
"""More networks are not worth measuring where the error is no more than so many times that of all of them."""
OUTLOOK = 3


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Errors on the same test rows after training a predictor of a ``kind`` on ever more networks.

    ``sizes`` is (K,), numbers of training networks, ascending. ``mape_percent`` and ``coverage_percent`` are (K, D):
    the test error, and how many test rows lie in their 90 % interval, for each of D draws. A draw's smaller sizes are
    part of its larger ones; at the last size all draws hold all networks, and are one.
    """

    sizes: IntArray
    mape_percent: FloatArray
    coverage_percent: FloatArray
    num_test: int
    kind: str = DEFAULT_KIND

    @property
    def median_mape(self) -> FloatArray:
        """(K,): the median error over the draws, in percent."""
        return np.asarray(np.median(self.mape_percent, axis=1))

    def to_frame(self) -> "pd.DataFrame":
        """One row a size and draw: ``num_train``, ``draw``, ``mape_percent``, ``coverage_percent``."""
        num_draws = self.mape_percent.shape[1]
        return pd.DataFrame(
            {
                "num_train": np.repeat(self.sizes, num_draws),
                "draw": np.tile(np.arange(1, num_draws + 1), len(self.sizes)),
                "mape_percent": self.mape_percent.ravel(),
                "coverage_percent": self.coverage_percent.ravel(),
            }
        )

    def steps(self) -> dict[int, dict[str, float]]:
        """Metrics by number of networks: the error's median, least and greatest over the draws, and the coverage."""
        return {
            int(size): {
                "learning_curve.mape_percent": float(np.median(errors)),
                "learning_curve.mape_percent_min": float(errors.min()),
                "learning_curve.mape_percent_max": float(errors.max()),
                "learning_curve.coverage_percent": float(np.median(inside)),
            }
            for size, errors, inside in zip(self.sizes, self.mape_percent, self.coverage_percent, strict=True)
        }

    def advice(self) -> str:
        """How many networks to measure, in a sentence.

        Where the error still falls, what three times as many would bring is the power law through the last size and
        the largest that is at most half of it. Curves flatten towards the noise, so it is the best to be hoped for.
        """
        errors, most = self.median_mape, int(self.sizes[-1])
        enough = int(np.argmax(errors <= ENOUGH * errors[-1]))
        if enough < len(errors) - 1:
            return (
                f"{self.sizes[enough]:,} networks are enough: the error is {errors[enough]:.2f} %, and all {most:,} "
                f"bring {errors[-1]:.2f} %"
            )
        before = int(np.flatnonzero(2 * self.sizes <= most)[-1])
        slope = np.log(errors[-1] / errors[before]) / np.log(most / self.sizes[before])
        hoped = errors[-1] * OUTLOOK**slope
        return (
            f"with {self.sizes[before]:,} networks the error is {errors[before]:.2f} %, with {most:,} "
            f"{errors[-1]:.2f} %, and it still falls: {OUTLOOK * most:,} would bring {hoped:.2f} % at best"
        )


def learning_curve(
    data: LatencyData,
    seed: int = 0,
    train_size: int | None = None,
    num_draws: int = NUM_DRAWS,
    listener: Listener = SILENT,
    *,
    kind: str = DEFAULT_KIND,
    options: TrainingOptions | None = None,
) -> LearningCurve:
    """Train a predictor on 10, 30, 100, 300, ... and all training networks; test each on the test rows.

    Args:
        data: networks and their latencies; split as ``train_predictor`` splits them, so that the test rows, and the
            error with all training networks, are the same.
        seed: of the split and of the draws.
        train_size: the most networks to train on; all that the split leaves where None.
        num_draws: how often each number of networks is drawn.
        listener: told how many of how many predictors are trained, and of each one's epochs, where it has them.
        kind: the kind of the predictors; the dev rows of the split are the same for each.
        options: how to train, where the kind leaves a choice.

    Raises:
        BlockprofError: a training diverged.
        DataFileError: fewer than 20 different networks, or than 20 training networks.
        InputError: a ``train_size`` below 5, or above the number of training networks; no such kind, or an option that
            it does not have.
    """
    how = options or TrainingOptions()
    chosen = check_options(kind, how)
    split = split_by_network(data, seed, train_size)
    sizes = curve_sizes(data, split)
    train, dev, test = (data.select(rows) for rows in (split.train, split.dev, split.test))
    shape = (len(sizes), num_draws)
    mape, coverage = np.empty(shape), np.empty(shape)
    num_fits, done = (len(sizes) - 1) * num_draws + 1, 0
    ranks = [
        rng.permutation(train.num_networks)[train.network_of] for rng in np.random.default_rng(seed).spawn(num_draws)
    ]
    for index, size in enumerate(sizes):
        is_last = size == train.num_networks
        for draw in range(1 if is_last else num_draws):
            task = TrainingTask(
                train=train.select(np.flatnonzero(ranks[draw] < size)),
                dev=dev,
                metric="latency",
                resolutions=data.resolutions,
                seed=seed,
                options=how,
                listener=Part(listener, done, num_fits),
            )
            prediction = chosen.train(task).model.predict(test.archs, test.resolutions)
            columns = slice(None) if is_last else draw
            mape[index, columns] = score(test.latencies_ms, prediction.latency_ms).mape_percent
            coverage[index, columns] = score_interval(test.latencies_ms, prediction).coverage_percent
            done += 1
            listener.on_step("learning curve", done, num_fits)
    return LearningCurve(np.array(sizes), mape, coverage, len(test), kind)


def curve_sizes(data: LatencyData, split: Split) -> list[int]:
    """The numbers of networks that a learning curve has: 10, 30, 100, 300, ..., and all training networks.

    Raises:
        DataFileError: fewer than 20 training networks, of which a curve says nothing.
    """
    most = data.select(split.train).num_networks
    if most < 2 * FIRST_SIZES[0]:
        raise DataFileError(
            f"{most} training networks are too few for a learning curve",
            remedy=f"train on at least {2 * FIRST_SIZES[0]}",
            code="few-networks",
        )
    sizes = [base * 10**power for power in range(len(str(most))) for base in FIRST_SIZES]
    return [*(size for size in sizes if size < most), most]
