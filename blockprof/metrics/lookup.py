"""Look-up tables of block latencies in OFA's YAML layout, as published for Note10 and i7-8700K (``mbv3``)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from blockprof.errors import DataFileError, MetricError
from blockprof.metrics.metric import AdditiveMetric, MetricInfo
from blockprof.paths import data_folder
from blockprof.spaces import BlockInstance, Space
from blockprof.spaces.instances import IMAGE_CHANNELS, NUM_CLASSES, halved

NOTE10_FOLDER = "note10"
I7 = "i7-8700k"
I7_FILE = "i7/i7-8700K_lut.yaml"
LOOKUP_SPACE = "mbv3"
LOOKUP_METRICS = ("note10", I7)
"""The metrics that ``LOOKUP_SPACE`` has of such tables."""


@dataclass(frozen=True)
class _Keys:
    """How a table spells its keys: of the parts that all networks have, and of a block instance."""

    fixed: tuple[str, ...]
    instance: str


NOTE10_KEYS = _Keys(
    fixed=(
        "Conv-input:{image}-output:{stem}",
        "expanded_conv-input:{stem}-output:{entry}-expand:{stem_width}-kernel:3-stride:1-idskip:1-se:0-hs:0",
        "Conv_1-input:{last}-output:{expanded}",
        "AvgPool2D-input:{expanded}-output:{pooled}",
        "Conv_2-input:{pooled}-output:{mixed}",
        "Logits-input:{mixed}-output:{classes}",
    ),
    instance=(
        "expanded_conv-input:{source}-output:{result}-expand:{middle}-kernel:{kernel}-stride:{stride}-idskip:{skip}"
        "-se:{se}-hs:{hs}"
    ),
)

I7_KEYS = _Keys(
    fixed=(
        "first_conv-input:{image}-output:{stem}",
        "MBConv-input:{stem}-output:{entry}-expand:1-kernel:3-stride:1-idskip:1-se:0",
        "final_expand_layer-input:{last}-output:{expanded}",
        "feature_mix_layer-input:{pooled}-output:{mixed}",
        "classifier-input:{mix_width}-output:{classes}",
    ),
    instance=(
        "MBConv-input:{source}-output:{result}-expand:{ratio}-kernel:{kernel}-stride:{stride}-idskip:{skip}-se:{se}"
    ),
)


def load_note10(space: Space, resolution: int) -> AdditiveMetric:
    """Load the Note10 table for ``resolution``: milliseconds, a network being the sum of its parts.

    The tables are not shipped: they are read from ``note10/`` in the data folder, as ``fetch-data`` leaves them.

    Raises:
        MetricError: the space has no such table, or none is there for ``resolution``.
        DataFileError: the file cannot be read, or lacks a block.
    """
    if space.name != LOOKUP_SPACE:
        raise MetricError(f"the note10 tables are for {LOOKUP_SPACE}, not for {space.name}")
    folder = data_folder() / NOTE10_FOLDER
    path = folder / f"{resolution}_lookup_table.yaml"
    if not path.is_file():
        there = sorted(int(file.name.split("_")[0]) for file in folder.glob("[0-9]*_lookup_table.yaml"))
        if there:
            raise MetricError(f"no note10 table for resolution {resolution} in {folder}: there are {there}")
        raise MetricError(f"no note10 tables in {folder}: fetch them with `blockprof fetch-data --source note10`")
    info = MetricInfo("note10", "ms", False, "table", f"look-up table, Samsung Note10, {path.name}")
    return _sum_of_parts(info, space, resolution, path, NOTE10_KEYS)


def load_i7(space: Space, resolution: int) -> AdditiveMetric:
    """Load the i7-8700K table of NSGANetV2: milliseconds, a network being the sum of its parts, without the pooling.

    It has every resolution of the space in one file, which is read from the data folder, as ``fetch-data`` leaves it.

    Raises:
        MetricError: the space has no such table, or the file is not there.
        DataFileError: the file cannot be read, or lacks a block.
    """
    if space.name != LOOKUP_SPACE:
        raise MetricError(f"the {I7} table is for {LOOKUP_SPACE}, not for {space.name}")
    path = data_folder() / I7_FILE
    if not path.is_file():
        raise MetricError(f"no {I7} table at {path}: fetch it with `blockprof fetch-data --source {I7}`")
    info = MetricInfo(I7, "ms", False, "table", f"look-up table, Intel i7-8700K, {path.name}")
    return _sum_of_parts(info, space, resolution, path, I7_KEYS)


def _sum_of_parts(info: MetricInfo, space: Space, resolution: int, path: Path, keys: _Keys) -> AdditiveMetric:
    means, ends = _read_means(path), _end_shapes(space, resolution)
    instances = [_instance_shapes(instance, resolution) for instance in _instances(space)]
    try:
        return AdditiveMetric(
            info=info,
            space=space,
            base=sum(means[key.format_map(ends)] for key in keys.fixed),
            costs=np.array([means[keys.instance.format_map(shapes)] for shapes in instances]),
        )
    except KeyError as error:
        raise DataFileError(f"{path}: no entry {error}: is it a table of {space.title}, width 1.2?") from None


def _read_means(path: Path) -> dict[str, float]:
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # yaml.load is safe with a safe loader; libyaml's reads a table ten times faster than safe_load's.
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
        return {key: float(entry["mean"]) for key, entry in content.items()}
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DataFileError(f"{path}: not a look-up table of entries with a mean ({reason})") from None


def _instances(space: Space) -> list[BlockInstance]:
    return [instance for instance in space.instances if isinstance(instance, BlockInstance)]


def _end_shapes(space: Space, resolution: int) -> dict[str, str]:
    """The shapes along stem and head, and the widths among them that keys name, as keys spell them."""
    stem_size = halved(resolution, space.stem.halvings)
    last = _instances(space)[-1]
    final_size, (expand_width, mix_width) = last.out_size(resolution), space.head_widths
    (stem_width,), (entry_width,) = space.stem.mid_channels, space.stem.out_channels
    return {
        "image": _shape(resolution, IMAGE_CHANNELS),
        "stem": _shape(stem_size, stem_width),
        "stem_width": str(stem_width),
        "entry": _shape(stem_size, entry_width),
        "last": _shape(final_size, last.out_channels),
        "expanded": _shape(final_size, expand_width),
        "pooled": _shape(1, expand_width),
        "mixed": _shape(1, mix_width),
        "mix_width": str(mix_width),
        "classes": str(NUM_CLASSES),
    }


def _instance_shapes(instance: BlockInstance, resolution: int) -> dict[str, str | int]:
    """What keys name of a block instance."""
    return {
        "source": _shape(instance.in_size(resolution), instance.in_channels),
        "result": _shape(instance.out_size(resolution), instance.out_channels),
        "ratio": instance.block.expand,
        "middle": instance.mid_channels,
        "kernel": instance.block.kernel,
        "stride": instance.stride,
        "skip": int(instance.has_skip),
        "se": int(instance.squeeze_excite),
        "hs": int(instance.activation == "h_swish"),
    }


def _shape(size: int, channels: int) -> str:
    return f"{size}x{size}x{channels}"
