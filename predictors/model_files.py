"""What the saved files of all kinds of predictors have in common, and the resolutions that they know."""

import json
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blockprof.errors import DataFileError, InputError, MetricError
from blockprof.predictors.prediction import INTERVAL_LEVEL, Predictor
from blockprof.spaces.codec import block_tokens, stem_tokens

MODEL_FILE = "model.json"

Arrays = Mapping[str, NDArray[Any]]


def write_model(
    folder: str | Path, model: Predictor, version: int, facts: Mapping[str, object], arrays_file: str, arrays: Arrays
) -> None:
    """Write ``model.json`` and a file of arrays into ``folder``, which is made where there is none.

    With ``facts`` and ``arrays``, the kind's own, goes what every model file says: of what it predicts, and how to
    parse networks of its space and find their block instances without blockprof.

    Raises:
        InputError: the folder cannot be written.
    """
    folder, space = Path(folder), model.space
    catalogue = space.catalogue()
    everything = {
        "format": version,
        "kind": model.kind,
        "space": space.name,
        "metric": model.metric,
        "unit": "ms",
        "device": model.device,
        "num_nets": model.num_nets,
        "resolutions": model.resolutions.tolist(),
        "interval_level": INTERVAL_LEVEL,
        **facts,
        "stem_tokens": list(stem_tokens(space)),
        "block_tokens": [list(tokens) for tokens in block_tokens(space)],
        "blocks_per_width": space.blocks_per_width,
        "unit_depths": [list(unit.depths) for unit in space.units],
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MODEL_FILE).write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
        np.savez(
            folder / arrays_file,
            allow_pickle=False,
            layer_instances=catalogue.layers,
            stem_instances=catalogue.stems,
            stem_states=space.stem_states,
            head_instances=catalogue.heads,
            **arrays,
        )
    except OSError as error:
        raise InputError(f"cannot write the predictor to {folder}: {error.strerror}") from error


def read_model(
    folder: str | Path, kind: str, version: int, arrays_file: str, needed: Set[str]
) -> tuple[dict[str, Any], Arrays]:
    """Read the facts and arrays that :func:`write_model` wrote, among them those that are ``needed``.

    Raises:
        DataFileError: the files are not there, or are not those of a predictor of that kind and version.
    """
    folder = Path(folder)
    try:
        facts: dict[str, Any] = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
        with np.load(folder / arrays_file, allow_pickle=False) as file:
            arrays = dict(file)
        if missing := needed - arrays.keys():
            raise KeyError(*missing)
    except (OSError, ValueError, KeyError) as error:
        raise DataFileError(f"{folder}: not a saved predictor: {error}") from error
    if (facts.get("kind"), facts.get("format")) != (kind, version):
        raise DataFileError(
            f"{folder / MODEL_FILE}: kind {facts.get('kind')}, format {facts.get('format')}, "
            f"but {kind}, {version} is read: train it again"
        )
    return facts, arrays


def resolution_index(model: Predictor, resolution: int) -> int:
    """Which of the resolutions that ``model`` knows one is.

    Raises:
        MetricError: none of them.
    """
    index = np.flatnonzero(model.resolutions == resolution)
    if not len(index):
        first, last = model.resolutions[0], model.resolutions[-1]
        known = f"{first}" if first == last else f"{first} to {last}"
        raise MetricError(
            f"the {model.metric} predictor was trained on resolution {known}, not on {resolution}: "
            "choose one of these, or train it on more"
        )
    return int(index[0])
