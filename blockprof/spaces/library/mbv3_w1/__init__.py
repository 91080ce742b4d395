"""OFA-MobileNetV3, width 1.0."""

from importlib.resources import files

from blockprof.spaces.assets import Assets, LookupTable
from blockprof.spaces.definition import Space
from blockprof.spaces.parts import StemChoices, Unit
from blockprof.spaces.registered import register_space

MBV3_W1 = register_space(
    Space(
        name="mbv3-w1.0",
        title="OFA-MobileNetV3, width 1.0",
        operator="mbconv3",
        ofa_network="OFAMobileNetV3",
        width_multiplier=1.0,
        stem=StemChoices(skip=(False,), mid_channels=(16,), out_channels=(16,), halvings=1),
        units=(
            Unit(widths=(24,), stride=2, depths=(2, 3, 4), activation="relu"),
            Unit(widths=(40,), stride=2, depths=(2, 3, 4), activation="relu", squeeze_excite=True),
            Unit(widths=(80,), stride=2, depths=(2, 3, 4), activation="h_swish"),
            Unit(widths=(112,), stride=1, depths=(2, 3, 4), activation="h_swish", squeeze_excite=True),
            Unit(widths=(160,), stride=2, depths=(2, 3, 4), activation="h_swish", squeeze_excite=True),
        ),
        head_widths=(960, 1280),
        expands=(3, 4, 6),
        kernels=(3, 5, 7),
        resolutions=range(128, 257, 4),
        upstream_shortfall=1,
        assets=Assets(
            facts=files(__name__) / "facts.csv",
            lookup_tables=(LookupTable("i7-8700k", "Intel i7-8700K", "i7/i7-8700K_lut.yaml", "nsganet"),),
        ),
    )
)
