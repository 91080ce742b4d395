"""Searching a space: problems, algorithms, what was found."""

from blockprof.search.problem import Limit, Objective, Problem

__all__ = ["Limit", "Objective", "Problem"]
