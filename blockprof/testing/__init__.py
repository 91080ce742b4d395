"""Conformance suites: each checks what others have made for one of blockprof's doors.

A package's own tests call them, as ``check_metric("depth", DEPTH, load_space("pn"))``; they raise ``AssertionError``.
"""

from blockprof.testing.algorithms import check_algorithm
from blockprof.testing.metrics import check_metric, check_values
from blockprof.testing.predictors import check_predictor
from blockprof.testing.runtimes import check_runtime
from blockprof.testing.spaces import check_space

__all__ = ["check_algorithm", "check_metric", "check_predictor", "check_runtime", "check_space", "check_values"]
