"""Design spaces: their data, their networks, placements and block instances."""

from blockprof.spaces.architectures import ABSENT, Architectures
from blockprof.spaces.block_lists import parse_blocks
from blockprof.spaces.definition import Block, FloatArray, IntArray, Space, Unit
from blockprof.spaces.instances import BlockInstance
from blockprof.spaces.library import SPACES, UPSTREAM_NAMES, load_space
from blockprof.spaces.placements import (
    Fixing,
    Placement,
    all_fixings,
    all_placements,
    make_fixing,
    parse_fixing,
)

__all__ = [
    "ABSENT",
    "SPACES",
    "UPSTREAM_NAMES",
    "Architectures",
    "Block",
    "BlockInstance",
    "Fixing",
    "FloatArray",
    "IntArray",
    "Placement",
    "Space",
    "Unit",
    "all_fixings",
    "all_placements",
    "load_space",
    "make_fixing",
    "parse_blocks",
    "parse_fixing",
]
