"""The built-in reference tables: what each block costs or gains on the paper's devices, at resolution 224.

They are additive fits to the predictors that BlockProfile's authors released (Ascend-Research/AutoBuild, MIT): the
Kirin 9000 NPU, the RTX 2080 Ti and the Threadripper 2990WX at batch 1, and ImageNet top-1. Reference figures, not
measurements.
"""

import csv
from importlib import resources

import numpy as np

from blockprof.errors import MetricError
from blockprof.metrics.metric import AdditiveMetric, MetricInfo
from blockprof.spaces import BlockInstance, FloatArray, MBConv, Space

REFERENCE_RESOLUTION = 224
ACCURACY = "accuracy"

REFERENCE_SOURCES = {
    "npu": "reference table, Kirin 9000 NPU",
    "gpu": "reference table, RTX 2080 Ti",
    "cpu": "reference table, Threadripper 2990WX",
    ACCURACY: "reference table, ImageNet top-1",
}

REFERENCE_RESIDUAL_STD = {
    ("pn", "npu"): 0.0145,
    ("pn", "gpu"): 0.0024,
    ("pn", "cpu"): 0.0446,
    ("mbv3", "npu"): 0.0156,
    ("mbv3", "gpu"): 0.0044,
    ("mbv3", "cpu"): 0.0185,
}
"""Relative standard deviation of what the tables leave over, on 6,000 networks each."""


def load_reference(space: Space, name: str, resolution: int = REFERENCE_RESOLUTION) -> AdditiveMetric:
    """Load a built-in table: ``npu``, ``gpu``, ``cpu`` (ms) or ``accuracy`` (top-1, percent).

    Raises:
        MetricError: there is no such table, or none at ``resolution``.
    """
    if name not in REFERENCE_SOURCES:
        raise MetricError(f"no reference table '{name}': there are {', '.join(REFERENCE_SOURCES)}")
    if not has_reference(space, name):
        remedy = (
            "; accuracy is evaluated in the supernet with --data, ImageNet's folder"
            if name == ACCURACY
            else f"; a predictor that you train may be called {name}"
        )
        raise MetricError(
            f"there is no reference table '{name}' for {space.name}: there are macs, flops, params and ort-cpu{remedy}"
        )
    if resolution != REFERENCE_RESOLUTION:
        remedy = (
            "evaluate networks in the supernet with --data" if name == ACCURACY else "train a predictor on networks"
        )
        raise MetricError(
            f"the reference table '{name}' is for resolution {REFERENCE_RESOLUTION}, not {resolution}: "
            f"{remedy} at {resolution}, or leave --resolution out"
        )
    base, costs = _read_table(space, name)
    accuracy = name == ACCURACY
    return AdditiveMetric(
        info=MetricInfo(
            name=name,
            unit="%" if accuracy else "ms",
            higher_is_better=accuracy,
            origin="reference",
            source=REFERENCE_SOURCES[name],
        ),
        space=space,
        base=base,
        costs=costs,
        by="placement" if accuracy else "instance",
    )


def has_reference(space: Space, name: str) -> bool:
    """Whether there is a built-in table of that name for ``space``."""
    return (resources.files(__package__) / "tables" / f"{space.name}_{name}.csv").is_file()


def _read_table(space: Space, name: str) -> tuple[float, FloatArray]:
    text = (resources.files(__package__) / "tables" / f"{space.name}_{name}.csv").read_text(encoding="utf-8")
    _, base_row, *rows = csv.reader(text.splitlines())
    value_of = {
        (int(unit), place, MBConv(int(expand), int(kernel)).name): float(value)
        for unit, place, expand, kernel, value in rows
    }
    if name == ACCURACY:
        keys = [
            (int(unit) + 1, str(layer + 1), block.name)
            for unit, layer in zip(space.slot_unit, space.slot_layer, strict=True)
            for block in space.blocks
        ]
    else:
        instances = [instance for instance in space.instances if isinstance(instance, BlockInstance)]
        keys = [(instance.unit + 1, instance.position, instance.block.name) for instance in instances]
    return float(base_row[-1]), np.array([value_of[key] for key in keys])
