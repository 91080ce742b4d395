"""Reduced spaces: what they are, and networks drawn from them; the paper's, from files, and derived from a profile."""

from blockprof.reduction.presets import load_preset, preset_names
from blockprof.reduction.reduction import Reduction, sample_reduced

__all__ = ["Reduction", "load_preset", "preset_names", "sample_reduced"]
