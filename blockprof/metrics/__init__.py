"""Metrics: the numbers a network has, by name."""

from blockprof.metrics.block_table import list_block_tables
from blockprof.metrics.catalogue import (
    BUILT_IN,
    ORT_CPU,
    built_in_metrics,
    check_predictor_name,
    check_resolution,
    load_metrics,
)
from blockprof.metrics.metric import AdditiveMetric, Metric, MetricInfo, Origin
from blockprof.metrics.predicted import PredictorFolder
from blockprof.metrics.reference import REFERENCE_RESIDUAL_STD, load_reference

__all__ = [
    "BUILT_IN",
    "ORT_CPU",
    "REFERENCE_RESIDUAL_STD",
    "AdditiveMetric",
    "Metric",
    "MetricInfo",
    "Origin",
    "PredictorFolder",
    "built_in_metrics",
    "check_predictor_name",
    "check_resolution",
    "list_block_tables",
    "load_metrics",
    "load_reference",
]
