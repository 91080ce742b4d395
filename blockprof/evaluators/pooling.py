"""Expensive metrics from one pool of networks: which networks, measuring them, and the surrogate fitted to them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blockprof.evaluators.runtimes import find_target, target_batch
from blockprof.foundation.arrays import BoolArray, FloatArray
from blockprof.foundation.errors import Argument, InputError
from blockprof.foundation.extras import check_extra
from blockprof.foundation.folds import leave_out, random_folds
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.foundation.paths import data_folder
from blockprof.metrics import ACCURACY, ORT_CPU, AccuracySource, AdditiveMetric, MetricInfo
from blockprof.profiling import HeldOut, Surrogate
from blockprof.spaces import Space, load_space
from blockprof.spaces.resolution import check_resolution
from blockprof.spaces.sampling import sample_distinct

if TYPE_CHECKING:
    from blockprof import predictors
    from blockprof.evaluators import device as measuring
    from blockprof.latency_data import LatencyData
    from blockprof.predictors import features
else:
    measuring = lazy_import("blockprof.evaluators.device")
    features = lazy_import("blockprof.predictors.features")
    predictors = lazy_import("blockprof.predictors")

MIN_POOL = 20

_ORT_CPU_TARGET = "onnxruntime", "fp32"


@dataclass(frozen=True, slots=True)
class _PoolSizes:
    """How many networks a metric's pool has if nobody says, how many at most, and how messages call the metric."""

    default: int
    most: int
    title: str


_POOL_SIZES = {
    ORT_CPU: _PoolSizes(150, 150, ORT_CPU),
    ACCURACY: _PoolSizes(300, 10_000, f"{ACCURACY} in the supernet"),
}
MAX_ACCURACY_POOL = _POOL_SIZES[ACCURACY].most


def pooled_names(names: Sequence[str], accuracy_source: AccuracySource) -> tuple[str, ...]:
    """Those of the metrics ``names`` that are expensive: targets, and ``accuracy`` in the supernet."""
    return tuple(name for name in names if is_target(name) or (name == ACCURACY and accuracy_source == "supernet"))


def is_target(name: str) -> bool:
    """Whether a metric is the latency of a run-time here: ``ort-cpu``, ``openvino``, ``openvino-int8-b4``."""
    return name == ORT_CPU or find_target(name) is not None


def target_spec(name: str, seed: int) -> "measuring.MeasureSpec":
    """How a target is measured: ``ort-cpu`` with ONNX Runtime in fp32.

    Raises:
        InputError: its run-time is not installed, or has not this precision.
    """
    check_extra("measure", f"measuring {name}")
    runtime, precision = find_target(name) or _ORT_CPU_TARGET
    spec = measuring.MeasureSpec(runtime=runtime, precision=precision, batch=target_batch(name), seed=seed)
    spec.find_runtime()
    return spec


def pool_size(name: str, num_archs: int | None = None) -> int:
    """The size of a pooled metric's pool: ``num_archs``, or the metric's own where None.

    Raises:
        InputError: a pool that says too little, or takes too long.
    """
    sizes = _POOL_SIZES.get(name) or replace(_POOL_SIZES[ORT_CPU], title=name)
    size = sizes.default if num_archs is None else num_archs
    if not MIN_POOL <= size <= sizes.most:
        raise InputError(
            f"with {sizes.title} it is how many networks are measured in all, {MIN_POOL} to {sizes.most:,}",
            where=Argument("num_archs", size),
        )
    return size


@dataclass(frozen=True, slots=True)
class SupernetSpec:
    """How networks are evaluated in their supernet (``blockprof.evaluators.supernet.load_supernet_accuracy``).

    ``data`` is ImageNet's folder; it may be None with ``fast``, which takes the images that ``cache-imagenet`` left in
    the data folder. ``device`` is torch's name, ``batch_size`` how many images a network sees at once, ``workers`` the
    processes that decode images; with ``strict`` an image that does not decode is an error.
    """

    data: Path | None = None
    device: str = "cpu"
    batch_size: int = 100
    workers: int = 0
    fast: bool = False
    strict: bool = False


def journal_path(space: Space, resolution: int, num_networks: int, seed: int, target: str = ORT_CPU) -> Path:
    """Where the measurements of a pool are kept: ``ort-cpu/pn-r224-n150-seed0.journal`` in the data folder."""
    return data_folder() / target / f"{space.name}-r{resolution}-n{num_networks}-seed{seed}.journal"


def measure_surrogate(
    space: Space | str,
    *,
    resolution: int = 224,
    num_networks: int | None = None,
    seed: int = 0,
    target: str = ORT_CPU,
    listener: Listener = SILENT,
) -> Surrogate:
    """Measure random networks with a run-time on this machine's CPU, and fit the surrogate of their latency.

    One thread, and batch 1 unless the target says another. What was measured is kept at :func:`journal_path`: a process
    that was killed is resumed, and a pool that is measured is not measured again.

    Args:
        space: a space, or its name.
        resolution: of the input, in pixels.
        num_networks: size of the pool; 150 where None.
        seed: of the networks, their order and their input.
        target: ``ort-cpu`` (ONNX Runtime, fp32), or a run-time with its precision and batch, as
            ``openvino-int8`` or ``openvino-b4``.
        listener: told of each piece of the networks that is exported, and of each visit.

    Raises:
        InputError: a run-time that is not here, too few networks or too many, or a journal that was measured otherwise
            or on another machine.
        MetricError: a resolution that the space cannot take.
        DataFileError: a damaged journal.
        BlockprofError: another measurement runs on this machine.
    """
    num_networks = pool_size(target, num_networks)
    spec = target_spec(target, seed)
    space = load_space(space) if isinstance(space, str) else space
    check_resolution(space, resolution)
    archs, resolutions = (
        sample_distinct(space, num_networks, np.random.default_rng(seed)),
        np.full(num_networks, resolution),
    )
    path = journal_path(space, resolution, num_networks, seed, target)
    measured = measuring.measure_architectures(archs, resolutions, path, spec, listener)
    machine = measured.environments[-1].machine
    batch = f", batch {spec.batch}" if spec.batch > 1 else ""
    return fit_surrogate(
        measured.to_latency_data(archs, resolutions),
        MetricInfo(
            name=target,
            unit="ms",
            higher_is_better=False,
            origin="measured",
            source=f"measured with {spec.title} {machine.version} on {machine.cpu}, 1 thread{batch}",
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
    found = np.unique(data.resolutions)
    if len(found) > 1:
        raise InputError(f"networks at {len(found)} resolutions: a surrogate is of one")
    resolution = int(found[0])
    model = predictors.fit_blockwise(data, info.name)
    base, costs = model.cost_table(resolution)
    return Surrogate(
        metric=AdditiveMetric(
            info, data.space, base, costs, covariance=model.cost_covariance(resolution), resolution=resolution
        ),
        num_networks=len(data),
        check=_check(data, info, seed, repeatability_percent),
    )


def _check(data: "LatencyData", info: MetricInfo, seed: int, repeatability_percent: float) -> HeldOut:
    """Predict each tenth of the networks by a surrogate of the others."""
    counts = features.instance_counts(data.archs)

    def predict(held: BoolArray) -> tuple[FloatArray, ...]:
        model, rows = predictors.fit_blockwise(data.select(~held), info.name), data.select(held)
        found = model.predict(rows.archs, rows.resolutions)
        covariance = model.cost_covariance(int(data.resolutions[0]))
        variances = ((counts[held] @ covariance) * counts[held]).sum(axis=1)
        return found.latency_ms, found.lower_ms, found.upper_ms, variances

    predicted, lower, upper, variances = leave_out(random_folds(len(data), seed), predict)
    return HeldOut(
        networks=tuple(data.archs.to_strings()),
        values=data.latencies_ms,
        predicted=predicted,
        lower=lower,
        upper=upper,
        deviations=np.sqrt(variances),
        repeatability_percent=repeatability_percent,
    )
