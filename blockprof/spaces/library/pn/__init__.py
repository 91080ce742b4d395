"""OFA-ProxylessNAS, width 1.3."""

from importlib.resources import files

from blockprof.spaces.assets import NUMBERED_METRICS, Assets, ReferenceTables, ReleasedPredictors, UpstreamSpace
from blockprof.spaces.definition import Space
from blockprof.spaces.library import read_presets
from blockprof.spaces.parts import StemChoices, Unit
from blockprof.spaces.registered import register_space

_FOLDER = files(__name__)

PN = register_space(
    Space(
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
        assets=Assets(
            facts=_FOLDER / "facts.csv",
            default_metric="npu",
            reference=ReferenceTables(
                _FOLDER / "reference",
                {
                    "npu": "Kirin 9000 NPU",
                    "gpu": "RTX 2080 Ti",
                    "cpu": "Threadripper 2990WX",
                    "accuracy": "ImageNet top-1",
                },
            ),
            presets=read_presets(_FOLDER),
            upstream=(
                # The first release only.
                UpstreamSpace("ProxylessPred", NUMBERED_METRICS, "own", has_own_flops=True),
                UpstreamSpace("ProxylessSupernet", (*NUMBERED_METRICS, "npu"), "supernet"),
            ),
            accuracy_sources=("supernet", "reference"),
            released=ReleasedPredictors(
                {"npu": 32.529526315789475, "gpu": 7.015289268493652, "cpu": 188.10529708862306}
            ),
        ),
    )
)
