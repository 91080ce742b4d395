"""Metrics by name: those that are there, and the expensive ones, which are measured on pools of networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.evaluators import pooling
from blockprof.evaluators.pooling import SupernetSpec
from blockprof.foundation.errors import InputError
from blockprof.foundation.extras import check_extra
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.metrics import (
    ACCURACY,
    ORT_CPU,
    AccuracySource,
    AdditiveMetric,
    Metric,
    PredictorFolder,
    check_accuracy_source,
    choose_accuracy_source,
    list_block_tables,
    list_lookup_tables,
)
from blockprof.metrics import load_metrics as load_from
from blockprof.profiling import Surrogate
from blockprof.spaces import Space, load_space

if TYPE_CHECKING:
    from blockprof import tracking
    from blockprof.evaluators import supernet as accuracy_pools
    from blockprof.evaluators.supernet import AccuracyPool
    from blockprof.predictors import Predictor, saved
else:
    accuracy_pools = lazy_import("blockprof.evaluators.supernet")
    saved = lazy_import("blockprof.predictors.saved")
    tracking = lazy_import("blockprof.tracking")

Wanted = str | Metric | Surrogate
"""A metric by name, or one of the caller's own."""


def load_metrics(
    space: Space | str,
    names: Sequence[str] | str,
    *,
    resolution: int = 224,
    accuracy_source: str = "reference",
    listener: Listener = SILENT,
) -> tuple[Metric, ...]:
    """Load metrics by name; a latency is the registered champion where there is one, else a block table in the data
    folder, else the reference table. All are additive, but for accuracy from OFA's predictor.

    Args:
        space: a space, or its name.
        names: such as ``npu``, ``accuracy``, ``macs``, or the metric of a predictor you trained. Not ``ort-cpu``, which
            :func:`blockprof.measure_surrogate` measures.
        resolution: of the input, in pixels.
        accuracy_source: of ``accuracy``: ``reference``, or ``ofa-predictor``, which ``profile`` takes samples of.
        listener: told before MACs are counted, which takes seconds the first time.

    Raises:
        InputError: no such space; a metric that does not exist, or not at ``resolution``.
        TrackingError: the MLflow store does not answer.
    """
    chosen = load_space(space) if isinstance(space, str) else space

    def find_predictor(metric: str) -> PredictorFolder | None:
        champion = tracking.find_champion(chosen.name, metric)
        if not champion:
            return None
        return PredictorFolder(f"{champion.name} v{champion.version}", champion.folder, champion.model_uri)

    names = [names] if isinstance(names, str) else names
    return load_from(chosen, names, resolution, find_predictor, listener, check_accuracy_source(accuracy_source))


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How metrics' values are found: at ``resolution``, in pixels, from networks and images that ``seed`` draws.

    ``accuracy`` comes from ``source``; in the supernet it is evaluated as ``supernet`` says.
    """

    space: Space
    resolution: int = 224
    seed: int = 0
    source: AccuracySource = "reference"
    supernet: SupernetSpec = field(default_factory=SupernetSpec)
    listener: Listener = SILENT

    def at(self, resolution: int) -> "Evaluation":
        """The same at another resolution."""
        return replace(self, resolution=resolution)

    def predictor(self, metric: str) -> "Predictor | None":
        """The registered champion of a metric; None where there is none.

        Raises:
            TrackingError, DataFileError: the MLflow store does not answer, or the predictor cannot be read.
        """
        champion = tracking.find_champion(self.space.name, metric)
        return saved.load_predictor(champion.folder) if champion else None

    def pooled(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of the metrics ``names`` that are expensive."""
        return tuple(name for name in pooling.pooled_names(names, self.source) if not self._is_there(name))

    def _is_there(self, name: str) -> bool:
        """Whether a target has been measured before, as a predictor or a table; ``ort-cpu`` is always its own pool."""
        if name in (ORT_CPU, ACCURACY):
            return False
        there = {*list_block_tables(self.space), *list_lookup_tables(self.space)}
        return name in there or tracking.find_champion(self.space.name, name) is not None

    def load(self, names: Sequence[str]) -> dict[str, Metric]:
        """The metrics ``names`` that are not expensive, by name; raises as :func:`load_metrics` does."""
        cheap = [name for name in dict.fromkeys(names) if name not in self.pooled(names)]
        loaded = load_metrics(
            self.space, cheap, resolution=self.resolution, accuracy_source=self.source, listener=self.listener
        )
        return dict(zip(cheap, loaded, strict=True))

    def pool_sizes(self, names: Sequence[str], num_archs: int | None) -> dict[str, int]:
        """How many networks each of ``names`` that is expensive is measured on.

        Raises:
            InputError: ``num_archs`` is too small or too large a pool; a run-time that is not here.
        """
        pooled = self.pooled(names)
        for target in filter(pooling.is_target, pooled):
            pooling.target_spec(target, self.seed)
        return {name: pooling.pool_size(name, num_archs) for name in pooled}

    def pools(self, sizes: Mapping[str, int]) -> "Pools":
        """What measures expensive metrics, each on so many networks; nothing is measured yet.

        Raises:
            InputError, MetricError, DataFileError: as ``load_accuracy_pool``.
        """
        if ACCURACY not in sizes:
            return Pools(self, sizes, None)
        check_extra("supernet", "accuracy in the supernet")
        pool = accuracy_pools.load_accuracy_pool(
            self.space,
            self.supernet,
            resolution=self.resolution,
            num_networks=sizes[ACCURACY],
            seed=self.seed,
            listener=self.listener,
        )
        return Pools(self, sizes, pool)

    def load_all(self, names: Sequence[str]) -> dict[str, Metric]:
        """The metrics ``names``, by name; the expensive ones last: they may take minutes.

        A target, as ``ort-cpu``, is predicted by a surrogate of its pool; ``accuracy`` in the supernet evaluates each
        network that it is asked of, and keeps it.

        Raises:
            InputError, MetricError, DataFileError, TrackingError, BlockprofError: as :func:`load_metrics`,
                ``measure_surrogate`` and ``load_kept_accuracy``.
        """
        found = self.load(names)
        pooled = self.pooled(names)
        for name in filter(pooling.is_target, pooled):
            found[name] = pooled_metric(self.measure(name, pooling.pool_size(name)))
        if ACCURACY in pooled:
            check_extra("supernet", "accuracy in the supernet")
            kept = accuracy_pools.load_kept_accuracy(
                self.space, self.supernet, resolution=self.resolution, seed=self.seed, listener=self.listener
            )
            self.note_kept(kept.journal, str(kept.num_kept()))
            found[ACCURACY] = kept
        return found

    def measure(self, target: str, num_networks: int) -> Surrogate:
        """Measure a target, or resume or read what was measured; raises as ``measure_surrogate`` does."""
        journal = pooling.journal_path(self.space, self.resolution, num_networks, self.seed, target)
        if journal.exists():
            self.listener.on_note(f"{journal}: resuming what was measured before; remove it to measure again")
        return pooling.measure_surrogate(
            self.space,
            resolution=self.resolution,
            num_networks=num_networks,
            seed=self.seed,
            target=target,
            listener=self.listener,
        )

    def note_kept(self, journal: Path, count: str) -> None:
        """Tell the listener that networks were evaluated before."""
        if not count.startswith("0"):
            self.listener.on_note(f"{journal}: {count} networks were evaluated before; remove it to start over")


@dataclass(frozen=True, eq=False)
class Pools:
    """Pools of random networks, of ``sizes`` by metric; ``accuracy`` is that of networks in the supernet."""

    evaluation: Evaluation
    sizes: Mapping[str, int]
    accuracy: "AccuracyPool | None"

    def fit(self) -> dict[str, Surrogate]:
        """Measure and evaluate the networks, and fit a surrogate of each metric.

        Raises:
            InputError, DataFileError, BlockprofError: as ``measure_surrogate`` and ``AccuracyPool.fit``.
        """
        found: dict[str, Surrogate] = {}
        for name in filter(pooling.is_target, self.sizes):
            found[name] = self.evaluation.measure(name, self.sizes[name])
        if pool := self.accuracy:
            self.evaluation.note_kept(pool.metric.journal, f"{pool.metric.num_kept(pool.archs)} of {len(pool.archs)}")
            found[ACCURACY] = pool.fit(self.evaluation.listener)
        return found


def evaluation_of(
    space: Space | str,
    resolution: int,
    seed: int,
    accuracy_source: str | None,
    supernet: SupernetSpec | None,
    listener: Listener,
) -> Evaluation:
    """How metrics' values are found, as the verbs are asked: in the supernet where that is given, and no source is.

    Raises:
        InputError: no such space or source.
    """
    chosen = load_space(space) if isinstance(space, str) else space
    source = choose_accuracy_source(accuracy_source, has_images=supernet is not None)
    return Evaluation(chosen, resolution, seed, source, supernet or SupernetSpec(), listener)


def pooled_metric(surrogate: Surrogate) -> AdditiveMetric:
    """The metric of a surrogate, which says of networks that were never measured where its values are from."""
    metric = surrogate.metric
    source = f"predicted by a surrogate of {surrogate.num_networks} networks {metric.info.source}"
    return replace(metric, info=replace(metric.info, origin="predicted", source=source))


def one_or_several(wanted: Sequence[Wanted] | Wanted) -> Sequence[Wanted]:
    """Several metrics, of one as well: a name is no list of letters."""
    return wanted if isinstance(wanted, Sequence) and not isinstance(wanted, str) else [wanted]


def name_of(wanted: Wanted) -> str:
    """The name of a metric that is asked for."""
    return wanted if isinstance(wanted, str) else wanted.info.name


def own_metrics(wanted: Sequence[Wanted]) -> dict[str, Metric]:
    """The caller's own metrics among ``wanted``, by name.

    Raises:
        InputError: two of one name.
    """
    own: dict[str, Metric] = {}
    for one in {id(one): one for one in wanted if not isinstance(one, str)}.values():
        if one.info.name in own:
            raise InputError(
                f"there are two metrics called {one.info.name}", remedy="rename one", code="repeated-metric"
            )
        own[one.info.name] = pooled_metric(one) if isinstance(one, Surrogate) else one
    return own
