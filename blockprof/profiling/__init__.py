"""Profiles of design spaces, exact and sampled."""

from blockprof.profiling.profile import MetricProfile, Profile, profile
from blockprof.profiling.statistics import STATISTICS, Statistics

__all__ = ["STATISTICS", "MetricProfile", "Profile", "Statistics", "profile"]
