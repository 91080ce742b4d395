"""A small space: ProxylessNAS with one expansion ratio, two kernel sizes and at most two layers a unit."""

from dataclasses import replace

from blockprof.spaces import Space, load_space
from blockprof.spaces.assets import Assets

_PN = load_space("pn")

TINY: Space = replace(
    _PN,
    name="tiny",
    title="ProxylessNAS, cut down",
    units=tuple(replace(unit, depths=(1,) if unit.depths == (1,) else (1, 2)) for unit in _PN.units),
    expands=(3,),
    kernels=(3, 5),
    resolutions=range(64, 129, 32),
    assets=Assets(default_metric="depth"),
)
