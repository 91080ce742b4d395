"""Searching a space: problems, algorithms, what was found."""

from blockprof.search.algorithm import ALGORITHMS, Algorithm, Budget, register_algorithm
from blockprof.search.comparison import Comparison, compare
from blockprof.search.problem import Limit, Objective, Problem
from blockprof.search.result import SearchResult, SearchSpec, reference_point
from blockprof.search.searching import search

__all__ = [
    "ALGORITHMS",
    "Algorithm",
    "Budget",
    "Comparison",
    "Limit",
    "Objective",
    "Problem",
    "SearchResult",
    "SearchSpec",
    "compare",
    "reference_point",
    "register_algorithm",
    "search",
]
