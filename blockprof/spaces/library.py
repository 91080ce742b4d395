"""The design spaces, as data, and the names they are known by."""

from blockprof.foundation.errors import InputError
from blockprof.spaces.definition import Space, StemChoices, Unit
from blockprof.spaces.upstream import UPSTREAM_SPACES

MBV3 = Space(
    name="mbv3",
    title="OFA-MobileNetV3",
    operator="mbconv3",
    ofa_network="OFAMobileNetV3",
    width_multiplier=1.2,
    stem=StemChoices(skip=(False,), mid_channels=(24,), out_channels=(24,), halvings=1),
    units=(
        Unit(widths=(32,), stride=2, depths=(2, 3, 4), activation="relu"),
        Unit(widths=(48,), stride=2, depths=(2, 3, 4), activation="relu", squeeze_excite=True),
        Unit(widths=(96,), stride=2, depths=(2, 3, 4), activation="h_swish"),
        Unit(widths=(136,), stride=1, depths=(2, 3, 4), activation="h_swish", squeeze_excite=True),
        Unit(widths=(192,), stride=2, depths=(2, 3, 4), activation="h_swish", squeeze_excite=True),
    ),
    head_widths=(1152, 1536),
    expands=(3, 4, 6),
    kernels=(3, 5, 7),
    resolutions=range(128, 257, 4),
    upstream_shortfall=1,
)

PN = Space(
    name="pn",
    title="ProxylessNAS",
    operator="mbconv2",
    ofa_network="OFAProxylessNASNets",
    width_multiplier=1.3,
    stem=StemChoices(skip=(False,), mid_channels=(40,), out_channels=(24,), halvings=1),
    units=(
        Unit(widths=(32,), stride=2, depths=(2, 3, 4), activation="relu6"),
        Unit(widths=(56,), stride=2, depths=(2, 3, 4), activation="relu6"),
        Unit(widths=(104,), stride=2, depths=(2, 3, 4), activation="relu6"),
        Unit(widths=(128,), stride=1, depths=(2, 3, 4), activation="relu6"),
        Unit(widths=(248,), stride=2, depths=(2, 3, 4), activation="relu6"),
        Unit(widths=(416,), stride=1, depths=(1,), activation="relu6"),
    ),
    head_widths=(1664,),
    expands=(3, 4, 6),
    kernels=(3, 5, 7),
    resolutions=range(128, 257, 4),
    upstream_shortfall=1,
)

RESNET50 = Space(
    name="resnet50",
    title="OFA-ResNet50",
    operator="res",
    ofa_network="OFAResNets",
    width_multiplier=1.0,
    # The widths are 0.65, 0.8 and 1 times 64; half of each, rounded, gives 24 twice.
    stem=StemChoices(skip=(False, True), mid_channels=(24, 24, 32), out_channels=(40, 48, 64), halvings=2),
    units=(
        Unit(widths=(168, 208, 256), stride=1, depths=(2, 3, 4), activation="relu"),
        Unit(widths=(336, 408, 512), stride=2, depths=(2, 3, 4), activation="relu"),
        Unit(widths=(664, 816, 1024), stride=2, depths=(4, 5, 6), activation="relu"),
        Unit(widths=(1328, 1640, 2048), stride=2, depths=(2, 3, 4), activation="relu"),
    ),
    head_widths=(),
    expands=(20, 25, 35),
    kernels=(3,),
    width_ratios=(65, 80, 100),
    resolutions=range(128, 257, 4),
    upstream_shortfall=0,
    upstream_adds_layers=True,
)

SPACES: dict[str, Space] = {space.name: space for space in (MBV3, PN, RESNET50)}


def load_space(name: str) -> Space:
    """Return the space called ``name`` (``pn``, ``mbv3``, ``resnet50``, or BlockProfile's spelling of it).

    Raises:
        InputError: no space has that name.
    """
    try:
        return SPACES[UPSTREAM_SPACES[name].space if name in UPSTREAM_SPACES else name]
    except KeyError:
        raise InputError(f"unknown space '{name}': there are {', '.join(SPACES)}") from None
