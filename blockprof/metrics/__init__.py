"""Metrics: the numbers a network has, by name."""

from blockprof.metrics.accuracy_source import (
    ACCURACY_SOURCES,
    AccuracySource,
    check_accuracy_source,
    choose_accuracy_source,
)
from blockprof.metrics.block_table import list_block_tables
from blockprof.metrics.brought import all_metrics, metrics_of
from blockprof.metrics.built_in import ORT_CPU
from blockprof.metrics.catalogue import (
    check_predictor_name,
    default_metric,
    load_metrics,
)
from blockprof.metrics.checking import check_metrics
from blockprof.metrics.link import Link
from blockprof.metrics.lookup import list_lookup_tables
from blockprof.metrics.metric import (
    AdditiveMetric,
    ExactMetric,
    KnownErrors,
    Metric,
    MetricInfo,
    MonotoneMetric,
    Origin,
    as_exact,
)
from blockprof.metrics.named import METRICS, LoadMetric, NamedMetric, register_metric
from blockprof.metrics.ofa_predictor import OfaPredictor, load_ofa_predictor
from blockprof.metrics.peak import PeakMetric
from blockprof.metrics.predicted import PredictorFolder
from blockprof.metrics.reference import (
    ACCURACY,
    has_reference,
    load_reference,
    reference_deviation,
    reference_latencies,
)

__all__ = [
    "ACCURACY",
    "ACCURACY_SOURCES",
    "METRICS",
    "ORT_CPU",
    "AccuracySource",
    "AdditiveMetric",
    "ExactMetric",
    "KnownErrors",
    "Link",
    "LoadMetric",
    "Metric",
    "MetricInfo",
    "MonotoneMetric",
    "NamedMetric",
    "OfaPredictor",
    "Origin",
    "PeakMetric",
    "PredictorFolder",
    "all_metrics",
    "as_exact",
    "check_accuracy_source",
    "check_metrics",
    "check_predictor_name",
    "choose_accuracy_source",
    "default_metric",
    "has_reference",
    "list_block_tables",
    "list_lookup_tables",
    "load_metrics",
    "load_ofa_predictor",
    "load_reference",
    "metrics_of",
    "reference_deviation",
    "reference_latencies",
    "register_metric",
]
