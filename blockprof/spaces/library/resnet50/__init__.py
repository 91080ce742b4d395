"""OFA-ResNet50."""

from importlib.resources import files

from blockprof.spaces.assets import NUMBERED_METRICS, Assets, ReleasedPredictors, UpstreamSpace
from blockprof.spaces.definition import Space
from blockprof.spaces.library import read_presets
from blockprof.spaces.parts import StemChoices, Unit
from blockprof.spaces.registered import register_space

RESNET50 = register_space(
    Space(
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
        assets=Assets(
            facts=files(__name__) / "facts.csv",
            presets=read_presets(files(__name__)),
            upstream=(UpstreamSpace("ResNet50Supernet", NUMBERED_METRICS, "supernet"),),
            released=ReleasedPredictors(
                {"gpu": 7.504615359306335, "cpu": 494.9644088745117}, scales_shapes=False, sigmoid=True
            ),
        ),
    )
)
