"""Look-up tables of block latencies in OFA's YAML layouts: published ones that a space names, and one's own."""

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blockprof.foundation.errors import Command, DataFileError, MetricError
from blockprof.foundation.latencies import check_latency
from blockprof.foundation.paths import data_folder
from blockprof.foundation.yaml_files import read_yaml
from blockprof.metrics.metric import AdditiveMetric, MetricInfo
from blockprof.spaces import BlockInstance, LookupTable, Space, registered_spaces
from blockprof.spaces.instances import IMAGE_CHANNELS, NUM_CLASSES, halved

TABLE_SUFFIX = "_lookup_table.yaml"
TABLE_NAME = re.compile(rf"([1-9][0-9]{{0,3}}){re.escape(TABLE_SUFFIX)}")


@dataclass(frozen=True)
class _Keys:
    """How a table spells its keys: of the parts that all networks have, and of a block instance."""

    fixed: tuple[str, ...]
    instance: str


OFA, NSGANET = "ofa", "nsganet"

_OFA_KEYS = _Keys(
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

_NSGANET_KEYS = _Keys(
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


LAYOUTS = {OFA: _OFA_KEYS, NSGANET: _NSGANET_KEYS}
"""By name: OFA's, as of the Note10's tables, and NSGANetV2's, which has all resolutions of several widths in a file."""


def published_metrics(space: Space) -> tuple[str, ...]:
    """The metrics that ``space`` has of published tables; those of one's own are called as their folder."""
    return tuple(table.metric for table in space.assets.lookup_tables)


def load_published(space: Space, name: str, resolution: int) -> AdditiveMetric:
    """Load a metric from its published table, which ``fetch-data`` leaves in the data folder.

    Milliseconds, a network being the sum of its parts (the i7's without the pooling).

    Raises:
        MetricError: the space has no such table, or it is not there, or not for ``resolution``.
        DataFileError: the file cannot be read, lacks a block, or has a latency that is none.
    """
    table = next((table for table in space.assets.lookup_tables if table.metric == name), None)
    if table is None:
        owners = [one.name for one in registered_spaces() if name in published_metrics(one)]
        raise MetricError(f"the {name} tables are for {', '.join(owners)}, not for {space.name}", code="not-of-space")
    path = data_folder() / table.file.format(resolution=resolution)
    if not path.is_file():
        raise _not_there(path, table, resolution)
    return _read_published(path, table, space, resolution)


def _not_there(path: Path, table: LookupTable, resolution: int) -> MetricError:
    name, fetch = table.metric, Command("blockprof fetch-data", source=table.metric)
    if "{resolution}" not in table.file:
        return MetricError(f"no {name} table at {path}", remedy=f"fetch it with {fetch}", code="table-not-fetched")
    if there := _resolutions_in(path.parent):
        return MetricError(
            f"no {name} table for resolution {resolution} in {path.parent}",
            remedy=f"there are {there}",
            code="no-such-resolution",
        )
    return MetricError(
        f"no {name} tables in {path.parent}", remedy=f"fetch them with {fetch}", code="table-not-fetched"
    )


def published_tables(path: str) -> dict[Space, LookupTable]:
    """The published table that a path within the data folder is, by the spaces that have it; none where it is none."""
    return {
        space: table
        for space in registered_spaces()
        for table in space.assets.lookup_tables
        if any(path == table.file.format(resolution=resolution) for resolution in space.resolutions)
    }


def check_published(path: Path, table: LookupTable, space: Space) -> None:
    """Read a published table of all resolutions that it is for.

    Raises:
        DataFileError: it is none.
    """
    sizes = [size for size in space.resolutions if Path(table.file.format(resolution=size)).name == path.name]
    for resolution in {sizes[0], sizes[-1]}:
        _read_published(path, table, space, resolution)


def list_lookup_tables(space: Space) -> dict[str, list[int]]:
    """The folders of look-up tables in the data folder, each a metric of that name, with their resolutions, in order.

    None for a space that such tables are not of.
    """
    if not space.assets.takes_lookup_folders or not data_folder().is_dir():
        return {}
    folders = sorted(folder for folder in data_folder().iterdir() if folder.is_dir())
    found = {folder.name: _resolutions_in(folder) for folder in folders}
    return {name: resolutions for name, resolutions in found.items() if resolutions}


def load_lookup_table(space: Space, name: str, resolution: int) -> AdditiveMetric | None:
    """Load a metric from one's own look-up tables in OFA's layout: milliseconds, a network being the sum of its parts.

    They are ``<resolution>_lookup_table.yaml`` in the folder ``name`` of the data folder, as ``fetch-data`` leaves
    them; None is returned where there is no such folder, or none of its files is YAML.

    Raises:
        MetricError: the space has no such tables, or none is there for ``resolution``.
        DataFileError: a file cannot be read, lacks a block, has a latency that is none, or is no look-up table.
    """
    folder = data_folder() / name
    if Path(name).name != name or not folder.is_dir():
        return None
    others = [
        file
        for file in _yaml_files(folder)
        if not TABLE_NAME.fullmatch(file.name) and not published_tables(f"{name}/{file.name}")
    ]
    if others:
        raise not_understood(others[0])
    there = _resolutions_in(folder)
    if not there:
        return None
    if not space.assets.takes_lookup_folders:
        takers = [one.name for one in _takers()]
        raise MetricError(
            f"the look-up tables in {folder} are for {', '.join(takers)}, not for {space.name}", code="not-of-space"
        )
    if resolution not in there:
        raise MetricError(
            f"no {name} table for resolution {resolution} in {folder}",
            remedy=f"there are {there}",
            code="no-such-resolution",
        )
    return read_lookup_table(folder / f"{resolution}{TABLE_SUFFIX}", name, space)


def read_lookup_table(path: Path, name: str, space: Space) -> AdditiveMetric:
    """Read one's own look-up table of the metric ``name``, of the resolution that the file's name says.

    Raises:
        DataFileError: it is no look-up table of ``space``: another name, a block that lacks, a latency that is none.
    """
    found = TABLE_NAME.fullmatch(path.name)
    if found is None or int(found[1]) not in space.resolutions:
        raise not_understood(path)
    info = MetricInfo(name, "ms", False, "table", f"look-up table, {name}, {path.name}")
    return _sum_of_parts(info, space, int(found[1]), path, LAYOUTS[OFA])


def check_lookup_table(path: Path, name: str) -> None:
    """Read one's own look-up table as one of a space that takes such tables.

    Raises:
        DataFileError: it is of none of them; the message says what is wrong of the first.
    """
    first, *others = _takers()
    try:
        read_lookup_table(path, name, first)
    except DataFileError:
        for space in others:
            with suppress(DataFileError):
                read_lookup_table(path, name, space)
                return
        raise


def not_understood(path: Path) -> DataFileError:
    """The error of a YAML file that is not named as a look-up table is."""
    return DataFileError(
        f"is not understood: look-up tables are named RESOLUTION{TABLE_SUFFIX}, such as 224{TABLE_SUFFIX}, in "
        "a folder of the metric's name: rename it, or move it away",
        where=path,
        code="not-a-table-name",
    )


def _takers() -> list[Space]:
    return [space for space in registered_spaces() if space.assets.takes_lookup_folders]


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file() and file.suffix.lower() in (".yaml", ".yml"))


def _resolutions_in(folder: Path) -> list[int]:
    if not folder.is_dir():
        return []
    return sorted(int(match[1]) for file in _yaml_files(folder) if (match := TABLE_NAME.fullmatch(file.name)))


def _read_published(path: Path, table: LookupTable, space: Space, resolution: int) -> AdditiveMetric:
    info = MetricInfo(table.metric, "ms", False, "table", f"look-up table, {table.title}, {path.name}")
    return _sum_of_parts(info, space, resolution, path, LAYOUTS[table.layout])


def _sum_of_parts(info: MetricInfo, space: Space, resolution: int, path: Path, keys: _Keys) -> AdditiveMetric:
    table, ends = _read_table(path), _end_shapes(space, resolution)
    instances = [_instance_shapes(instance, resolution) for instance in _instances(space)]
    return AdditiveMetric(
        info=info,
        space=space,
        base=sum(_mean_ms(path, table, space, key.format_map(ends)) for key in keys.fixed),
        costs=np.array([_mean_ms(path, table, space, keys.instance.format_map(shapes)) for shapes in instances]),
        resolution=resolution,
    )


def _mean_ms(path: Path, table: dict[Any, Any], space: Space, key: str) -> float:
    if key not in table:
        raise DataFileError(
            f"no entry '{key}': is it a table of {space.name}, width {space.width_multiplier}, in OFA's layout?",
            where=path,
            code="no-such-entry",
        )
    entry = table[key]
    if not isinstance(entry, dict) or "mean" not in entry:
        raise DataFileError(f"entry '{key}': has no mean: correct it", where=path)
    try:
        return check_latency(entry["mean"])
    except ValueError as error:
        raise DataFileError(
            f"entry '{key}', mean: {error}: correct it, in ms", where=path, code="not-a-latency"
        ) from None


def _read_table(path: Path) -> dict[Any, Any]:
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise DataFileError(
            "not a look-up table of entries with a mean",
            where=path,
            remedy="give one in OFA's layout",
            code="not-a-table",
        )
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
