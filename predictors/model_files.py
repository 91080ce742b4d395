"""What the saved files of all kinds of predictors have in common, and the resolutions that they know."""

import json
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from blockprof.foundation.decoding import MALFORMED, parse_json, read_arrays
from blockprof.foundation.errors import DataFileError, InputError, MetricError
from blockprof.foundation.latencies import MAX_LATENCY_MS
from blockprof.predictors.prediction import INTERVAL_LEVEL, Predictor
from blockprof.spaces import Space, load_space, network_holding, register_space, space_names
from blockprof.spaces.codec import block_tokens, stem_tokens
from blockprof.spaces.files import parse_space

MODEL_FILE = "model.json"
_MOST = MAX_LATENCY_MS**2
"""That a covariance may be, and anything else in a predictor."""

Arrays = Mapping[str, NDArray[Any]]
_Model = TypeVar("_Model", bound=Predictor)


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
    if space.layers is not None:
        everything |= {"space_digest": space.digest, "space_definition": space.assets.definition}
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
        raise InputError(
            f"cannot write the predictor to {folder}: {error.strerror}", code="unwritable-folder"
        ) from error


def read_model(folder: str | Path, version: int, arrays_file: str, needed: Set[str]) -> tuple[dict[str, Any], Arrays]:
    """Read the facts and arrays that :func:`write_model` wrote, among them those that are ``needed``.

    Raises:
        DataFileError: the files are not there, or are not those of a predictor of that version.
    """
    folder = Path(folder)
    facts = read_facts(folder)
    try:
        arrays = read_arrays((folder / arrays_file).read_bytes())
        if missing := needed - arrays.keys():
            raise KeyError(*missing)
        if not all(array.dtype.kind in "iuf" and (np.abs(array) < _MOST).all() for array in arrays.values()):
            raise ValueError("holds arrays of other things than numbers, or of numbers that no latency has")
    except (OSError, ValueError, KeyError) as error:
        raise DataFileError(f"not a saved predictor: {error}", where=folder, code="not-a-predictor") from error
    if facts.get("format") != version:
        raise DataFileError(
            f"{folder / MODEL_FILE}: format {facts.get('format')}, but {version} is read: train it again"
        )
    return facts, arrays


def read_facts(folder: str | Path) -> dict[str, Any]:
    """Read ``model.json``: what a predictor is of, and of what kind.

    Raises:
        DataFileError: it is not there, or does not say these.
    """
    path = Path(folder) / MODEL_FILE
    try:
        facts = parse_json(path.read_bytes())
        if not isinstance(facts["kind"], str):
            raise ValueError("its kind is no text")
        space = _space_of(facts)
        if not all(isinstance(facts[name], str) for name in ("metric", "device")):
            raise ValueError("its metric or device is no text")
        sizes = facts["resolutions"]
        if not sizes or not isinstance(sizes, list) or not all(type(size) is int for size in sizes):
            raise ValueError("its resolutions are no list of whole numbers")
        if not set(sizes) <= set(space.resolutions) or type(facts["num_nets"]) is not int:
            raise ValueError("its resolutions, or how many networks it was trained on, are none of its space's")
    except (OSError, *MALFORMED) as error:
        raise DataFileError(f"not a saved predictor: {error}", where=folder, code="not-a-predictor") from error
    return dict(facts)


def _space_of(facts: Mapping[str, Any]) -> Space:
    """The space that facts name; one that is not known yet is registered by the definition that they carry.

    Raises:
        ValueError: it is not known, or is another one of that name.
        DataFileError: its definition is none.
    """
    name, definition = facts["space"], facts.get("space_definition")
    if name not in space_names() and definition and isinstance(definition, str):
        found = parse_space(definition, f"the definition of {name}")
        # Code is the user's to bring: what a saved predictor says is not run.
        if found.name == name and found.assets.definition:
            register_space(found)
    if name not in space_names():
        raise ValueError("of an unknown space")
    space = load_space(name)
    if facts.get("space_digest", space.digest) != space.digest:
        raise ValueError(f"of another definition of the space {name}")
    return space


def check_model(folder: str | Path, make: Callable[[], _Model]) -> _Model:
    """Make a predictor of what was read, and have it predict a network at each end of what it knows.

    Raises:
        DataFileError: a fact or an array is missing, or of another form.
    """
    try:
        model = make()
        network = network_holding(model.space, 0)
        with np.errstate(all="raise", under="ignore"):
            for resolution in (model.resolutions[0], model.resolutions[-1]):
                found = model.predict(network, int(resolution))
                if not all(np.isfinite(each).all() for each in (found.latency_ms, found.lower_ms, found.upper_ms)):
                    raise ValueError("what it predicts is not finite")
    except MALFORMED as error:
        raise DataFileError(
            f"not a saved predictor: {type(error).__name__} {error}: train it again", where=folder
        ) from error
    return model


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
            f"the {model.metric} predictor was trained on resolution {known}, not on {resolution}",
            remedy="choose one of these, or train it on more",
            code="no-such-resolution",
        )
    return int(index[0])
