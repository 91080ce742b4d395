"""Metrics: the numbers a network has, by name."""

from blockprof.metrics.accuracy_source import (
    ACCURACY_SOURCES,
    AccuracySource,
    check_accuracy_source,
    choose_accuracy_source,
)
from blockprof.metrics.block_table import list_block_tables
from blockprof.metrics.catalogue import (
    BUILT_IN,
    ORT_CPU,
    built_in_metrics,
    check_predictor_name,
    check_resolution,
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
    additive_score,
    scores_of_values,
    values_of_scores,
)
from blockprof.metrics.ofa_predictor import OfaPredictor, load_ofa_predictor
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
    "BUILT_IN",
    "ORT_CPU",
    "AccuracySource",
    "AdditiveMetric",
    "ExactMetric",
    "KnownErrors",
    "Link",
    "Metric",
    "MetricInfo",
    "MonotoneMetric",
    "OfaPredictor",
    "Origin",
    "PredictorFolder",
    "additive_score",
    "built_in_metrics",
    "check_accuracy_source",
    "check_metrics",
    "check_predictor_name",
    "check_resolution",
    "choose_accuracy_source",
    "default_metric",
    "has_reference",
    "list_block_tables",
    "list_lookup_tables",
    "load_metrics",
    "load_ofa_predictor",
    "load_reference",
    "reference_deviation",
    "reference_latencies",
    "scores_of_values",
    "values_of_scores",
]
