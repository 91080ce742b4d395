"""Profiles of design spaces, exact, sampled and pooled."""

from blockprof.profiling.pooled import HeldOut, Surrogate
from blockprof.profiling.profile import MetricProfile, Profile, profile
from blockprof.profiling.statistics import STATISTICS, Statistics

__all__ = ["STATISTICS", "HeldOut", "MetricProfile", "Profile", "Statistics", "Surrogate", "profile"]
