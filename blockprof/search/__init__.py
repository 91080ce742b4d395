"""Searching a space: problems, algorithms, what was found."""

from blockprof.search.pareto import Comparison, compare, reference_point
from blockprof.search.problem import Limit, Objective, Problem
from blockprof.search.result import ALGORITHMS, SearchResult, SearchSpec
from blockprof.search.searching import search

__all__ = [
    "ALGORITHMS",
    "Comparison",
    "Limit",
    "Objective",
    "Problem",
    "SearchResult",
    "SearchSpec",
    "compare",
    "reference_point",
    "search",
]
