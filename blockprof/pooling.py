"""Dear metrics from one pool of networks: which networks, measuring them, and the surrogate that is fitted to them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from blockprof.errors import InputError
from blockprof.metrics import ORT_CPU, AdditiveMetric, MetricInfo, check_resolution
from blockprof.paths import data_folder
from blockprof.profiling import HeldOut, Surrogate
from blockprof.sampling import sample_distinct
from blockprof.spaces import FloatArray, Space, load_space

if TYPE_CHECKING:
    from blockprof.latency_data import LatencyData
    from blockprof.measuring import Progress as Visit
    from blockprof.predictors import BlockwiseModel

DEFAULT_POOL = 150
MIN_POOL, MAX_POOL = 20, 150
NUM_FOLDS = 10


def check_pool_size(num_networks: int) -> None:
    """Refuse a pool that says too little, or takes too long to measure.

    Raises:
        InputError: it does.
    """
    if not MIN_POOL <= num_networks <= MAX_POOL:
        raise InputError(
            f"--num-archs is {num_networks}: with {ORT_CPU} it is how many networks are measured in all, "
            f"{MIN_POOL} to {MAX_POOL}"
        )


def journal_path(space: Space, resolution: int, num_networks: int, seed: int) -> Path:
    """Where the measurements of a pool are kept: ``ort-cpu/pn-r224-n150-seed0.journal`` in the data folder."""
    return data_folder() / ORT_CPU / f"{space.name}-r{resolution}-n{num_networks}-seed{seed}.journal"


def measure_surrogate(
    space: Space | str,
    *,
    resolution: int = 224,
    num_networks: int = DEFAULT_POOL,
    seed: int = 0,
    on_progress: "Callable[[Visit], None] | None" = None,
    on_piece: Callable[[int, int], None] | None = None,
) -> Surrogate:
    """Measure random networks with ONNX Runtime on this machine's CPU, and fit the surrogate of their latency.

    One thread, batch 1. What was measured is kept at :func:`journal_path`: a process that was killed is
    gone on with, and a pool that is measured is not measured again.

    Args:
        space: a space, or its name.
        resolution: of the input, in pixels.
        num_networks: size of the pool.
        seed: of the networks, their order and their input.
        on_progress: told after each visit of a network.
        on_piece: told how many of the networks' pieces are exported to ONNX, of how many.

    Raises:
        InputError: too few networks or too many, or a journal that was measured otherwise or on another machine.
        MetricError: a resolution that the space cannot take.
        DataFileError: a damaged journal.
        BlockprofError: another measurement runs on this machine.
    """
    from blockprof.measuring import MeasureSpec, measure_architectures

    check_pool_size(num_networks)
    space = load_space(space) if isinstance(space, str) else space
    check_resolution(space, resolution)
    archs, resolutions = (
        sample_distinct(space, num_networks, np.random.default_rng(seed)),
        np.full(num_networks, resolution),
    )
    path = journal_path(space, resolution, num_networks, seed)
    spec = MeasureSpec(seed=seed)
    measured = measure_architectures(archs, resolutions, path, spec, on_progress, on_piece)
    machine = measured.environments[-1].machine
    return fit_surrogate(
        measured.to_latency_data(archs, resolutions),
        MetricInfo(
            name=ORT_CPU,
            unit="ms",
            higher_is_better=False,
            origin="measured",
            source=f"measured with ONNX Runtime {machine.onnxruntime} on {machine.cpu}, 1 thread",
        ),
        seed=seed,
        repeatability_percent=measured.median_repeatability_percent,
    )


def fit_surrogate(
    data: "LatencyData", info: MetricInfo, *, seed: int = 0, repeatability_percent: float = float("nan")
) -> Surrogate:
    """Fit the blockwise predictor to all of a pool; ten folds, each left out in turn, check it.

    Args:
        data: N networks, all different and at one resolution.
        info: what they were measured for.
        seed: of which networks are left out together.
        repeatability_percent: the relative standard deviation of measuring a network's latency again.

    Raises:
        InputError: networks at several resolutions.
        DataFileError: too few different networks.
    """
    from blockprof.predictors import fit_blockwise

    found = np.unique(data.resolutions)
    if len(found) > 1:
        raise InputError(f"networks at {len(found)} resolutions: a surrogate is of one")
    resolution = int(found[0])
    model = fit_blockwise(data, info.name)
    base, costs = model.cost_table(resolution)
    return Surrogate(
        metric=AdditiveMetric(info, data.space, base, costs),
        covariance=costs_covariance(model),
        num_networks=len(data),
        check=_check(data, info, seed, repeatability_percent),
    )


def costs_covariance(model: "BlockwiseModel") -> FloatArray:
    """(I + 1, I + 1), ms squared: the covariance of a predictor's costs and base at its first resolution, made honest.

    The predictor's own takes the weights of the rows as known. They are found from the data, which leaves Student's t
    with (d + 1) / (d + 3) of the information (Lange, Little and Taylor, 1989): variances are wider by the inverse. And
    where its errors on networks left out are larger than it says, by their ratio.
    """
    from blockprof.predictors.blockwise import unpack_symmetric
    from blockprof.predictors.prediction import INTERVAL_LEVEL
    from blockprof.predictors.regression import DEGREES_OF_FREEDOM

    said = 2 * stdtrit(DEGREES_OF_FREEDOM, 0.5 + INTERVAL_LEVEL / 2)
    ratio = max((model.upper_quantile - model.lower_quantile) / said, 1.0)
    widening = ratio**2 * (DEGREES_OF_FREEDOM + 3) / (DEGREES_OF_FREEDOM + 1)
    return widening * unpack_symmetric(model.covariances[0], model.costs.shape[1])


def _check(data: "LatencyData", info: MetricInfo, seed: int, repeatability_percent: float) -> HeldOut:
    """Predict each tenth of the networks by a surrogate of the others."""
    from blockprof.predictors import fit_blockwise
    from blockprof.predictors.features import instance_counts

    counts = instance_counts(data.archs)
    fold_of = np.random.default_rng(seed).permutation(len(data)) % NUM_FOLDS
    predicted, lower, upper, variances = np.empty((4, len(data)))
    for fold in range(NUM_FOLDS):
        held = fold_of == fold
        rows = data.select(held)
        model = fit_blockwise(data.select(~held), info.name)
        prediction = model.predict(rows.archs, rows.resolutions)
        predicted[held], lower[held], upper[held] = prediction.latency_ms, prediction.lower_ms, prediction.upper_ms
        variances[held] = ((counts[held] @ costs_covariance(model)) * counts[held]).sum(axis=1)
    return HeldOut(
        networks=tuple(data.archs.to_strings()),
        values=data.latencies_ms,
        predicted=predicted,
        lower=lower,
        upper=upper,
        deviations=np.sqrt(variances),
        repeatability_percent=repeatability_percent,
    )
