"""Reduced spaces: what they are, and networks drawn from them."""

from blockprof.reduction.reduction import Reduction, sample_reduced

__all__ = ["Reduction", "sample_reduced"]
