"""Reduced spaces: what they are, and networks drawn from them; the paper's, those of files, and derived ones."""

from blockprof.reduction.control import for_seed, random_control
from blockprof.reduction.deriving import derive_reduction
from blockprof.reduction.files import format_reduction, load_reduction, read_reduction, write_reduction
from blockprof.reduction.presets import load_preset, preset_names
from blockprof.reduction.reduction import Reduction, sample_reduced

__all__ = [
    "Reduction",
    "derive_reduction",
    "for_seed",
    "format_reduction",
    "load_preset",
    "load_reduction",
    "preset_names",
    "random_control",
    "read_reduction",
    "sample_reduced",
    "write_reduction",
]
