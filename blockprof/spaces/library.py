"""The design spaces, as data, and the names they are known by."""

from blockprof.errors import InputError
from blockprof.spaces.definition import Space, Unit

MBV3 = Space(
    name="mbv3",
    title="OFA-MobileNetV3",
    operator="mbconv3",
    ofa_network="OFAMobileNetV3",
    width_multiplier=1.2,
    stem_width=24,
    entry_width=24,
    units=(
        Unit(width=32, stride=2, depths=(2, 3, 4), activation="relu"),
        Unit(width=48, stride=2, depths=(2, 3, 4), activation="relu", squeeze_excite=True),
        Unit(width=96, stride=2, depths=(2, 3, 4), activation="h_swish"),
        Unit(width=136, stride=1, depths=(2, 3, 4), activation="h_swish", squeeze_excite=True),
        Unit(width=192, stride=2, depths=(2, 3, 4), activation="h_swish", squeeze_excite=True),
    ),
    head_widths=(1152, 1536),
    expands=(3, 4, 6),
    kernels=(3, 5, 7),
    resolutions=range(128, 257, 4),
)

PN = Space(
    name="pn",
    title="ProxylessNAS",
    operator="mbconv2",
    ofa_network="OFAProxylessNASNets",
    width_multiplier=1.3,
    stem_width=40,
    entry_width=24,
    units=(
        Unit(width=32, stride=2, depths=(2, 3, 4), activation="relu6"),
        Unit(width=56, stride=2, depths=(2, 3, 4), activation="relu6"),
        Unit(width=104, stride=2, depths=(2, 3, 4), activation="relu6"),
        Unit(width=128, stride=1, depths=(2, 3, 4), activation="relu6"),
        Unit(width=248, stride=2, depths=(2, 3, 4), activation="relu6"),
        Unit(width=416, stride=1, depths=(1,), activation="relu6"),
    ),
    head_widths=(1664,),
    expands=(3, 4, 6),
    kernels=(3, 5, 7),
    resolutions=range(128, 257, 4),
)

SPACES: dict[str, Space] = {space.name: space for space in (MBV3, PN)}

UPSTREAM_NAMES = {"OFAPred": "mbv3", "OFASupernet": "mbv3", "ProxylessPred": "pn", "ProxylessSupernet": "pn"}
"""BlockProfile's own spellings, which keep working."""


def load_space(name: str) -> Space:
    """Return the space called ``name`` (``pn``, ``mbv3``, or BlockProfile's spelling of it).

    Raises:
        InputError: no space has that name.
    """
    try:
        return SPACES[UPSTREAM_NAMES.get(name, name)]
    except KeyError:
        raise InputError(f"unknown space '{name}': there are {', '.join(SPACES)}") from None
