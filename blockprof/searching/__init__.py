"""Searching a space: problems, algorithms, what was found."""

from blockprof.searching.algorithm import ALGORITHMS, Algorithm, Budget, register_algorithm
from blockprof.searching.comparison import Comparison, compare
from blockprof.searching.problem import Limit, Objective, Problem
from blockprof.searching.result import SearchResult, SearchSpec, reference_point
from blockprof.searching.searching import search

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
