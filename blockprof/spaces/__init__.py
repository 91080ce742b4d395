"""Design spaces: their data, their networks, placements and block instances."""

from blockprof.foundation.net_strings import ABSENT
from blockprof.spaces.architectures import Architectures, network_holding
from blockprof.spaces.assets import Assets, LookupTable, Presets, ReferenceTables, ReleasedPredictors, UpstreamSpace
from blockprof.spaces.block_lists import parse_blocks
from blockprof.spaces.blocks import Axis, Block, Bottleneck, MBConv
from blockprof.spaces.codec import spaces_having
from blockprof.spaces.definition import Catalogue, CostsBy, FixedPart, Space
from blockprof.spaces.instances import (
    BlockInstance,
    BottleneckInstance,
    HeadInstance,
    Instance,
    LayerInstance,
    OperatorInstance,
    StemInstance,
)
from blockprof.spaces.layers import Operation
from blockprof.spaces.parts import Stem, StemChoices, Unit
from blockprof.spaces.placements import (
    FREE,
    Constraint,
    Placement,
    StemPlacement,
    all_constraints,
    all_placements,
    fixed_blocks,
    make_constraint,
    parse_constraint,
)
from blockprof.spaces.reading import from_settings, parse_settings
from blockprof.spaces.registered import load_space, register_space, registered_spaces, space_names
from blockprof.spaces.settings import is_settings

__all__ = [
    "ABSENT",
    "FREE",
    "Architectures",
    "Assets",
    "Axis",
    "Block",
    "BlockInstance",
    "Bottleneck",
    "BottleneckInstance",
    "Catalogue",
    "Constraint",
    "CostsBy",
    "FixedPart",
    "HeadInstance",
    "Instance",
    "LayerInstance",
    "LookupTable",
    "MBConv",
    "Operation",
    "OperatorInstance",
    "Placement",
    "Presets",
    "ReferenceTables",
    "ReleasedPredictors",
    "Space",
    "Stem",
    "StemChoices",
    "StemInstance",
    "StemPlacement",
    "Unit",
    "UpstreamSpace",
    "all_constraints",
    "all_placements",
    "fixed_blocks",
    "from_settings",
    "is_settings",
    "load_space",
    "make_constraint",
    "network_holding",
    "parse_blocks",
    "parse_constraint",
    "parse_settings",
    "register_space",
    "registered_spaces",
    "space_names",
    "spaces_having",
]
