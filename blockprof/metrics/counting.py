"""MACs, FLOPs and parameters, as facts of each block instance.

There are two rules for multiply-adds. torchprofile's counts all operators, batch normalisation, pooling and the scaling
of squeeze-and-excite too: ``macs``, and ``flops``, which are twice that. fvcore's and OFA's counts convolutions and
linear layers only: ``conv_macs``, 0.3 (``resnet50``) to 2.8 % (``mbv3``) less. A network's count is the sum over its
instances plus the fixed parts, exactly: both add up operators, and no operator of these networks spans two blocks.
"""

from blockprof.metrics.metric import AdditiveMetric, MetricInfo
from blockprof.networks.facts import are_counted, load_counts
from blockprof.spaces import Space

COUNTED = ("macs", "conv_macs", "flops", "params")

_MILLION = 1e6


def load_count(space: Space, name: str, resolution: int) -> AdditiveMetric:
    """Load a count: ``macs``, ``conv_macs``, ``flops`` (millions, 2 x ``macs`` as in the paper) or ``params``.

    Args:
        space: the design space.
        name: one of ``COUNTED``.
        resolution: of the input, in pixels.

    Raises:
        BlockprofError: torchprofile met an operator that it cannot count.
    """
    facts = load_counts(space, resolution)
    what = "macs" if name == "flops" else name
    factor = 2 / _MILLION if name == "flops" else 1.0
    return AdditiveMetric(
        info=MetricInfo(
            name=name,
            unit={"flops": "MFLOPs", "params": "parameters"}.get(name, "MACs"),
            higher_is_better=False,
            origin="counted",
            source=f"{_rule(name, facts.counted_by)} at {resolution} x {resolution}",
        ),
        space=space,
        base=facts.base[what] * factor,
        costs=facts.values[what] * factor,
        resolution=None if name == "params" else resolution,
    )


def is_counted(space: Space, resolution: int) -> bool:
    """Whether the counts are at hand; else :func:`load_count` takes seconds."""
    return are_counted(space, resolution)


def _rule(name: str, counted_by: str) -> str:
    """How a count comes about, in words."""
    if name == "params":
        return "counted from the modules"
    if name == "conv_macs":
        return "counted of convolutions and linear layers only, as OFA and fvcore count,"
    return (
        f"counted by {counted_by}, with batch norm, pooling and squeeze-and-excite (up to "
        "3 % above conv_macs, which is OFA's and fvcore's count),"
    )
