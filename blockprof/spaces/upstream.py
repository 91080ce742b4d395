"""What BlockProfile called the spaces, and what it measured of each (its ``search_spaces``).

``ProxylessPred`` is in its first release only.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class UpstreamSpace:
    """One of BlockProfile's spellings of a space.

    ``metrics`` are in its order, which numbered them, by their names here. ``accuracy`` is where its accuracy came
    from: OFA's predictor, the networks evaluated in the supernet, or a predictor of its own. ``has_own_flops`` where
    its ``FLOPS`` are not twice the multiply-adds of the networks, but the multiply-adds of OFA's ``FLOPsTable``.
    """

    name: str
    space: str
    metrics: tuple[str, ...]
    accuracy: Literal["ofa-predictor", "supernet", "own"]
    has_own_flops: bool = False


_MBV3 = ("accuracy", "flops", "gpu", "cpu", "note10", "npu")
_PN = ("accuracy", "flops", "gpu", "cpu", "npu")

UPSTREAM_SPACES = {
    one.name: one
    for one in (
        UpstreamSpace("OFAPred", "mbv3", _MBV3, "ofa-predictor", has_own_flops=True),
        UpstreamSpace("OFASupernet", "mbv3", _MBV3, "supernet", has_own_flops=True),
        UpstreamSpace("ProxylessPred", "pn", _PN[:4], "own", has_own_flops=True),
        UpstreamSpace("ProxylessSupernet", "pn", _PN, "supernet"),
        UpstreamSpace("ResNet50Supernet", "resnet50", _PN[:4], "supernet"),
    )
}


def numbered_metrics(space: str) -> tuple[str, ...]:
    """The metrics that BlockProfile's numbers stand for in a space, by the space's name here."""
    return max((one.metrics for one in UPSTREAM_SPACES.values() if one.space == space), key=len)
