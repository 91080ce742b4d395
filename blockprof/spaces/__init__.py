"""Design spaces: their data, their networks, placements and block instances."""

from blockprof.spaces.architectures import ABSENT, Architectures, network_holding
from blockprof.spaces.block_lists import parse_blocks
from blockprof.spaces.blocks import Axis, Block, Bottleneck, MBConv
from blockprof.spaces.codec import space_of
from blockprof.spaces.definition import CostsBy, Space, Stem, StemChoices, Unit
from blockprof.spaces.instances import (
    BlockInstance,
    BottleneckInstance,
    Catalogue,
    HeadInstance,
    Instance,
    StemInstance,
)
from blockprof.spaces.library import SPACES, load_space
from blockprof.spaces.placements import (
    FREE,
    Fixing,
    Placement,
    StemPlacement,
    all_fixings,
    all_placements,
    fixed_blocks,
    make_fixing,
    parse_fixing,
)
from blockprof.spaces.settings import from_settings, is_settings, parse_settings
from blockprof.spaces.upstream import UPSTREAM_SPACES, UpstreamSpace, numbered_metrics

__all__ = [
    "ABSENT",
    "FREE",
    "SPACES",
    "UPSTREAM_SPACES",
    "Architectures",
    "Axis",
    "Block",
    "BlockInstance",
    "Bottleneck",
    "BottleneckInstance",
    "Catalogue",
    "CostsBy",
    "Fixing",
    "HeadInstance",
    "Instance",
    "MBConv",
    "Placement",
    "Space",
    "Stem",
    "StemChoices",
    "StemInstance",
    "StemPlacement",
    "Unit",
    "UpstreamSpace",
    "all_fixings",
    "all_placements",
    "fixed_blocks",
    "from_settings",
    "is_settings",
    "load_space",
    "make_fixing",
    "network_holding",
    "numbered_metrics",
    "parse_blocks",
    "parse_fixing",
    "parse_settings",
    "space_of",
]
