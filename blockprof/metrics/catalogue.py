"""Metrics loaded by name, wherever they come from."""

from collections.abc import Callable, Mapping, Sequence

from blockprof.foundation.errors import Command, MetricError
from blockprof.foundation.listener import SILENT, Listener
from blockprof.metrics.accuracy_source import AccuracySource
from blockprof.metrics.block_table import list_block_tables, load_block_table
from blockprof.metrics.brought import find_metric, metrics_of
from blockprof.metrics.lookup import list_lookup_tables, load_lookup_table
from blockprof.metrics.metric import Metric
from blockprof.metrics.named import LoadMetric
from blockprof.metrics.ofa_predictor import load_ofa_predictor
from blockprof.metrics.predicted import PredictorFolder, load_predicted
from blockprof.metrics.reference import ACCURACY, load_reference
from blockprof.spaces import Space, registered_spaces
from blockprof.spaces.resolution import check_resolution

FindPredictor = Callable[[str], PredictorFolder | None]


def load_metrics(
    space: Space,
    names: Sequence[str],
    resolution: int,
    find_predictor: FindPredictor,
    listener: Listener = SILENT,
    accuracy_source: AccuracySource = "reference",
) -> tuple[Metric, ...]:
    """Load metrics by name: registered ones, those that the space brings along, or a trained predictor's, or a table's.

    A name is first looked for among predictors, then among the block tables and the folders of look-up tables in the
    data folder, unless it is that of a metric that does not give way to these.

    Args:
        space: the design space.
        names: the metrics' names.
        resolution: of the input, in pixels.
        find_predictor: returns the registered predictor of a metric, or None.
        listener: told before a metric is loaded that takes seconds, as MACs do, which are counted the first time.
        accuracy_source: of ``accuracy``; not ``supernet``, in which networks are evaluated, not loaded.

    Raises:
        MetricError: a name that nothing answers to, or a metric that there is not at ``resolution``.
        DataFileError: a table, or OFA's predictor, that cannot be read.
    """
    check_resolution(space, resolution)
    return tuple(
        _ACCURACY[accuracy_source](space, resolution)
        if name == ACCURACY
        else _load(space, name, resolution, find_predictor, listener)
        for name in names
    )


def default_metric(space: Space) -> str:
    """What is profiled where no metric is named."""
    return space.assets.default_metric


def check_predictor_name(name: str) -> None:
    """Refuse a predictor's name that always means a metric that is there already.

    Raises:
        MetricError: it does.
    """
    known = [found for space in registered_spaces() if (found := find_metric(space, name))]
    if known and not known[0].gives_way:
        raise MetricError(
            f"'{name}' is the name of a built-in metric that no predictor replaces",
            remedy="choose another",
            code="name-taken",
        )


def _in_supernet(space: Space, resolution: int) -> Metric:
    raise MetricError(
        f"{ACCURACY} in the supernet is evaluated, not loaded",
        remedy="profile it, or use blockprof.evaluators.supernet.load_supernet_accuracy",
        code="accuracy-not-loaded",
    )


_ACCURACY: Mapping[AccuracySource, LoadMetric] = {
    "reference": lambda space, resolution: load_reference(space, ACCURACY, resolution),
    "ofa-predictor": load_ofa_predictor,
    "supernet": _in_supernet,
}


def _load(
    space: Space,
    name: str,
    resolution: int,
    find_predictor: FindPredictor,
    listener: Listener,
) -> Metric:
    known = find_metric(space, name)
    if known is None or known.gives_way:
        if predictor := find_predictor(name):
            return load_predicted(predictor, space, name, resolution)
        if table := load_block_table(space, name, resolution) or load_lookup_table(space, name, resolution):
            return table
    if known is None:
        there = dict.fromkeys((*metrics_of(space), *list_block_tables(space), *list_lookup_tables(space)))
        raise MetricError(
            f"unknown metric '{name}' for {space.name}",
            remedy=f"there are {', '.join(there)}, and any that you train with "
            f"{Command('blockprof train-predictor', space=space.name, metric=name)}",
            code="unknown-metric",
        )
    if note := known.note(space, resolution):
        listener.on_note(note)
    return known.load(space, resolution)
