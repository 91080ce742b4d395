"""Predictors and profiles beside each other: which differ, and by how much beyond the noise."""

from blockprof.comparing.predictors import PredictedRows, PredictorComparison, compare_predictors
from blockprof.comparing.profiles import MetricPair, ProfileComparison, ProfileTables, compare_profiles

__all__ = [
    "MetricPair",
    "PredictedRows",
    "PredictorComparison",
    "ProfileComparison",
    "ProfileTables",
    "compare_predictors",
    "compare_profiles",
]
