"""Predictors and profiles beside each other: which differ, and by how much beyond the noise."""

from blockprof.comparing.loading import Source, find_sources, load_predictions, load_profiles, unlike_settings
from blockprof.comparing.predictors import PredictedRows, PredictorComparison, compare_predictors
from blockprof.comparing.profiles import MetricPair, ProfileComparison, ProfileTables, compare_profiles

__all__ = [
    "MetricPair",
    "PredictedRows",
    "PredictorComparison",
    "ProfileComparison",
    "ProfileTables",
    "Source",
    "compare_predictors",
    "compare_profiles",
    "find_sources",
    "load_predictions",
    "load_profiles",
    "unlike_settings",
]
