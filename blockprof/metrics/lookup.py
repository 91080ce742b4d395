"""Look-up tables of block latencies in OFA's YAML layout, as published for Note10 and i7-8700K (``mbv3``)."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from blockprof.errors import DataFileError, MetricError
from blockprof.metrics.metric import AdditiveMetric, MetricInfo
from blockprof.paths import data_folder
from blockprof.spaces import BlockInstance, Space
from blockprof.spaces.instances import NUM_CLASSES, halved

NOTE10_FOLDER = "note10"
I7 = "i7-8700k"
I7_FILE = "i7/i7-8700K_lut.yaml"
LOOKUP_SPACE = "mbv3"
LOOKUP_METRICS = ("note10", I7)
"""The metrics that ``LOOKUP_SPACE`` has of such tables."""


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
    instance_keys = [_instance_key(instance, resolution) for instance in _instances(space)]
    return _sum_of_parts(info, space, path, _fixed_keys(space, resolution), instance_keys)


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
    instance_keys = [_i7_instance_key(instance, resolution) for instance in _instances(space)]
    return _sum_of_parts(info, space, path, _i7_fixed_keys(space, resolution), instance_keys)


def _sum_of_parts(
    info: MetricInfo, space: Space, path: Path, fixed_keys: list[str], instance_keys: list[str]
) -> AdditiveMetric:
    means = _read_means(path)
    try:
        return AdditiveMetric(
            info=info,
            space=space,
            base=sum(means[key] for key in fixed_keys),
            costs=np.array([means[key] for key in instance_keys]),
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


def _shape(size: int, channels: int) -> str:
    return f"{size}x{size}x{channels}"


def _fixed_keys(space: Space, resolution: int) -> list[str]:
    stem_size = halved(resolution, space.stem.halvings)
    last = _instances(space)[-1]
    final_size, (expand_width, mix_width) = last.out_size(resolution), space.head_widths
    (stem_width,), (entry_width,) = space.stem.mid_channels, space.stem.out_channels
    stem, entry = _shape(stem_size, stem_width), _shape(stem_size, entry_width)
    return [
        f"Conv-input:{_shape(resolution, 3)}-output:{stem}",
        f"expanded_conv-input:{stem}-output:{entry}-expand:{stem_width}-kernel:3-stride:1-idskip:1-se:0-hs:0",
        f"Conv_1-input:{_shape(final_size, last.out_channels)}-output:{_shape(final_size, expand_width)}",
        f"AvgPool2D-input:{_shape(final_size, expand_width)}-output:{_shape(1, expand_width)}",
        f"Conv_2-input:{_shape(1, expand_width)}-output:{_shape(1, mix_width)}",
        f"Logits-input:{_shape(1, mix_width)}-output:{NUM_CLASSES}",
    ]


def _instance_key(instance: BlockInstance, resolution: int) -> str:
    return (
        f"expanded_conv-input:{_shape(instance.in_size(resolution), instance.in_channels)}"
        f"-output:{_shape(instance.out_size(resolution), instance.out_channels)}"
        f"-expand:{instance.mid_channels}-kernel:{instance.block.kernel}-stride:{instance.stride}"
        f"-idskip:{int(instance.has_skip)}-se:{int(instance.squeeze_excite)}"
        f"-hs:{int(instance.activation == 'h_swish')}"
    )


def _i7_fixed_keys(space: Space, resolution: int) -> list[str]:
    stem_size = halved(resolution, space.stem.halvings)
    last = _instances(space)[-1]
    final_size, (expand_width, mix_width) = last.out_size(resolution), space.head_widths
    (stem_width,), (entry_width,) = space.stem.mid_channels, space.stem.out_channels
    stem, entry = _shape(stem_size, stem_width), _shape(stem_size, entry_width)
    return [
        f"first_conv-input:{_shape(resolution, 3)}-output:{stem}",
        f"MBConv-input:{stem}-output:{entry}-expand:1-kernel:3-stride:1-idskip:1-se:0",
        f"final_expand_layer-input:{_shape(final_size, last.out_channels)}-output:{_shape(final_size, expand_width)}",
        f"feature_mix_layer-input:{_shape(1, expand_width)}-output:{_shape(1, mix_width)}",
        f"classifier-input:{mix_width}-output:{NUM_CLASSES}",
    ]


def _i7_instance_key(instance: BlockInstance, resolution: int) -> str:
    return (
        f"MBConv-input:{_shape(instance.in_size(resolution), instance.in_channels)}"
        f"-output:{_shape(instance.out_size(resolution), instance.out_channels)}"
        f"-expand:{instance.block.expand}-kernel:{instance.block.kernel}-stride:{instance.stride}"
        f"-idskip:{int(instance.has_skip)}-se:{int(instance.squeeze_excite)}"
    )
