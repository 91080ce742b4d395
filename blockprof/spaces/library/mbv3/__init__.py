"""OFA-MobileNetV3, width 1.2."""

from importlib.resources import files

from blockprof.spaces.assets import (
    NUMBERED_METRICS,
    Assets,
    LookupTable,
    ReferenceTables,
    ReleasedPredictors,
    UpstreamSpace,
)
from blockprof.spaces.definition import Space
from blockprof.spaces.library import read_presets
from blockprof.spaces.parts import StemChoices, Unit
from blockprof.spaces.registered import register_space

_FOLDER = files(__name__)
_UPSTREAM_METRICS = (*NUMBERED_METRICS, "note10", "npu")

MBV3 = register_space(
    Space(
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
                UpstreamSpace("OFAPred", _UPSTREAM_METRICS, "ofa-predictor", has_own_flops=True),
                UpstreamSpace("OFASupernet", _UPSTREAM_METRICS, "supernet", has_own_flops=True),
            ),
            lookup_tables=(
                LookupTable("note10", "Samsung Note10", "note10/{resolution}_lookup_table.yaml", "ofa"),
                LookupTable("i7-8700k", "Intel i7-8700K", "i7/i7-8700K_lut.yaml", "nsganet"),
            ),
            takes_lookup_folders=True,
            accuracy_sources=("supernet", "ofa-predictor", "reference"),
            released=ReleasedPredictors(
                {"npu": 29.95636842105263, "gpu": 11.565698537826538, "cpu": 796.9109535217285}
            ),
        ),
    )
)
