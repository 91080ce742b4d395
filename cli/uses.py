"""What a file in the data folder is good for: the command that takes it."""

import re
from pathlib import PurePath

from blockprof.metrics.block_table import parse_block_table_name
from blockprof.metrics.lookup import TABLE_NAME, published_tables

_LATENCIES = r"ofa_{space}_(?P<metric>.+)_(lat_data|reference)\.csv"
_OFA = "ofa"
_OFA_PREDICTOR = "acc_predictor.pth"


def command_for(path: PurePath, space: str, given: str | None = None) -> str:
    """The command that takes a file.

    Args:
        path: within the data folder.
        space: the name of the space it is of.
        given: how the command line names the file, where its own name does not say which metric's it is.
    """
    if found := re.fullmatch(_LATENCIES.format(space=re.escape(space)), path.name):
        return f"blockprof train-predictor --space {space} --metric {found['metric']}"
    if path.parent.name == _OFA:
        source = "--accuracy-source ofa-predictor" if path.name == _OFA_PREDICTOR else "--data IMAGENET"
        return f"blockprof profile --space {space} --metrics accuracy {source}"
    if table := parse_block_table_name(path.name, space):
        metric, resolution = table
        return f"blockprof profile --space {space} --metrics {metric} --resolution {resolution}"
    if published := published_tables(f"{path.parent.name}/{path.name}"):
        metric = next((one.metric for of, one in published.items() if of.name == space), path.parent.name)
        return f"blockprof profile --space {space} --metrics {metric}"
    if TABLE_NAME.fullmatch(path.name):
        return f"blockprof profile --space {space} --metrics {path.parent.name}"
    return f"blockprof train-predictor {given or path} --space {space} --metric NAME"
