"""OFA-ProxylessNAS, width 1.0."""

from importlib.resources import files

from blockprof.spaces.assets import Assets
from blockprof.spaces.definition import Space
from blockprof.spaces.parts import StemChoices, Unit
from blockprof.spaces.registered import register_space

PN_W1 = register_space(
    Space(
        name="pn-w1.0",
        title="ProxylessNAS, width 1.0",
        operator="mbconv2",
        ofa_network="OFAProxylessNASNets",
        width_multiplier=1.0,
        stem=StemChoices(skip=(False,), mid_channels=(32,), out_channels=(16,), halvings=1),
        units=(
            Unit(widths=(24,), stride=2, depths=(2, 3, 4), activation="relu6"),
            Unit(widths=(40,), stride=2, depths=(2, 3, 4), activation="relu6"),
            Unit(widths=(80,), stride=2, depths=(2, 3, 4), activation="relu6"),
            Unit(widths=(96,), stride=1, depths=(2, 3, 4), activation="relu6"),
            Unit(widths=(192,), stride=2, depths=(2, 3, 4), activation="relu6"),
            Unit(widths=(320,), stride=1, depths=(1,), activation="relu6"),
        ),
        head_widths=(1280,),
        expands=(3, 4, 6),
        kernels=(3, 5, 7),
        resolutions=range(128, 257, 4),
        upstream_shortfall=1,
        assets=Assets(facts=files(__name__) / "facts.csv"),
    )
)
