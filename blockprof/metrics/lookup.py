"""Look-up tables of block latencies in OFA's YAML layout, published for Note10 and i7-8700K or one's own (``mbv3``)."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blockprof.foundation.errors import Command, DataFileError, MetricError
from blockprof.foundation.latencies import check_latency
from blockprof.foundation.paths import data_folder
from blockprof.foundation.yaml_files import read_yaml
from blockprof.metrics.metric import AdditiveMetric, MetricInfo
from blockprof.spaces import BlockInstance, Space, load_space
from blockprof.spaces.instances import IMAGE_CHANNELS, NUM_CLASSES, halved

NOTE10 = "note10"
I7 = "i7-8700k"
I7_FOLDER, I7_NAME = "i7", "i7-8700K_lut.yaml"
LOOKUP_SPACE = "mbv3"
LOOKUP_METRICS = (NOTE10, I7)
"""The metrics that ``LOOKUP_SPACE`` has of published tables; one's own are called as their folder."""

TABLE_SUFFIX = "_lookup_table.yaml"
TABLE_NAME = re.compile(rf"([1-9][0-9]{{0,3}}){re.escape(TABLE_SUFFIX)}")


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


def list_lookup_tables(space: Space) -> dict[str, list[int]]:
    """The folders of look-up tables in the data folder, each a metric of that name, with their resolutions, in order.

    None for a space that such tables are not of.
    """
    if space.name != LOOKUP_SPACE or not data_folder().is_dir():
        return {}
    folders = sorted(folder for folder in data_folder().iterdir() if folder.is_dir())
    found = {folder.name: _resolutions_in(folder) for folder in folders}
    return {name: resolutions for name, resolutions in found.items() if resolutions}


def load_lookup_table(space: Space, name: str, resolution: int) -> AdditiveMetric | None:
    """Load a metric from OFA's look-up tables: milliseconds, a network being the sum of its parts.

    They are ``<resolution>_lookup_table.yaml`` in the folder ``name`` of the data folder, the Note10's or one's own, as
    ``fetch-data`` leaves them; None is returned where there is no such folder, or none of its files is YAML.

    Raises:
        MetricError: the space has no such tables, or none is there for ``resolution``.
        DataFileError: a file cannot be read, lacks a block, has a latency that is none, or is no look-up table.
    """
    folder = data_folder() / name
    if Path(name).name != name or not folder.is_dir():
        return None
    others = [file for file in _yaml_files(folder) if not TABLE_NAME.fullmatch(file.name) and file.name != I7_NAME]
    if others:
        raise not_understood(others[0])
    there = _resolutions_in(folder)
    if not there:
        return None
    if space.name != LOOKUP_SPACE:
        raise MetricError(f"the look-up tables in {folder} are for {LOOKUP_SPACE}, not for {space.name}")
    if resolution not in there:
        raise MetricError(f"no {name} table for resolution {resolution} in {folder}: there are {there}")
    return read_lookup_table(folder / f"{resolution}{TABLE_SUFFIX}", name)


def load_note10(space: Space, resolution: int) -> AdditiveMetric:
    """Load the Note10's tables, which are not shipped; as :func:`load_lookup_table`.

    Raises:
        MetricError: there are none.
    """
    if space.name != LOOKUP_SPACE:
        raise MetricError(f"the note10 tables are for {LOOKUP_SPACE}, not for {space.name}")
    metric = load_lookup_table(space, NOTE10, resolution)
    if metric is None:
        folder = data_folder() / NOTE10
        fetch = Command("blockprof fetch-data", source=NOTE10)
        raise MetricError(f"no note10 tables in {folder}", remedy=f"fetch them with {fetch}")
    return metric


def read_lookup_table(path: Path, name: str) -> AdditiveMetric:
    """Read the look-up table of the metric ``name``, of the resolution that the file's name says.

    Raises:
        DataFileError: it is no look-up table of ``LOOKUP_SPACE``: another name, a block that lacks, a latency that is
            none.
    """
    found, space = TABLE_NAME.fullmatch(path.name), load_space(LOOKUP_SPACE)
    if found is None or int(found[1]) not in space.resolutions:
        raise not_understood(path)
    title = "Samsung Note10" if name == NOTE10 else name
    info = MetricInfo(name, "ms", False, "table", f"look-up table, {title}, {path.name}")
    return _sum_of_parts(info, space, int(found[1]), path, NOTE10_KEYS)


def check_i7_table(path: Path) -> None:
    """Read the table of the i7-8700K.

    Raises:
        DataFileError: it is none.
    """
    space = load_space(LOOKUP_SPACE)
    for resolution in (space.resolutions[0], space.resolutions[-1]):
        _read_i7(path, space, resolution)


def not_understood(path: Path) -> DataFileError:
    """The error of a YAML file that is not named as a look-up table is."""
    return DataFileError(
        f"{path}: is not understood: look-up tables are named RESOLUTION{TABLE_SUFFIX}, such as 224{TABLE_SUFFIX}, in "
        "a folder of the metric's name: rename it, or move it away"
    )


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file() and file.suffix.lower() in (".yaml", ".yml"))


def _resolutions_in(folder: Path) -> list[int]:
    return sorted(int(match[1]) for file in _yaml_files(folder) if (match := TABLE_NAME.fullmatch(file.name)))


def load_i7(space: Space, resolution: int) -> AdditiveMetric:
    """Load the i7-8700K table of NSGANetV2: milliseconds, a network being the sum of its parts, without the pooling.

    It has every resolution of the space in one file, which is read from the data folder, as ``fetch-data`` leaves it.

    Raises:
        MetricError: the space has no such table, or the file is not there.
        DataFileError: the file cannot be read, or lacks a block.
    """
    if space.name != LOOKUP_SPACE:
        raise MetricError(f"the {I7} table is for {LOOKUP_SPACE}, not for {space.name}")
    path = data_folder() / I7_FOLDER / I7_NAME
    if not path.is_file():
        fetch = Command("blockprof fetch-data", source=I7)
        raise MetricError(f"no {I7} table at {path}", remedy=f"fetch it with {fetch}")
    return _read_i7(path, space, resolution)


def _read_i7(path: Path, space: Space, resolution: int) -> AdditiveMetric:
    info = MetricInfo(I7, "ms", False, "table", f"look-up table, Intel i7-8700K, {path.name}")
    return _sum_of_parts(info, space, resolution, path, I7_KEYS)


def _sum_of_parts(info: MetricInfo, space: Space, resolution: int, path: Path, keys: _Keys) -> AdditiveMetric:
    table, ends = _read_table(path), _end_shapes(space, resolution)
    instances = [_instance_shapes(instance, resolution) for instance in _instances(space)]
    return AdditiveMetric(
        info=info,
        space=space,
        base=sum(_mean_ms(path, table, key.format_map(ends)) for key in keys.fixed),
        costs=np.array([_mean_ms(path, table, keys.instance.format_map(shapes)) for shapes in instances]),
        resolution=resolution,
    )


def _mean_ms(path: Path, table: dict[Any, Any], key: str) -> float:
    if key not in table:
        raise DataFileError(f"{path}: no entry '{key}': is it a table of {LOOKUP_SPACE}, width 1.2, in OFA's layout?")
    entry = table[key]
    if not isinstance(entry, dict) or "mean" not in entry:
        raise DataFileError(f"{path}: entry '{key}': has no mean: correct it")
    try:
        return check_latency(entry["mean"])
    except ValueError as error:
        raise DataFileError(f"{path}: entry '{key}', mean: {error}: correct it, in ms") from None


def _read_table(path: Path) -> dict[Any, Any]:
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise DataFileError(f"{path}: not a look-up table of entries with a mean: give one in OFA's layout")
    return content


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
