"""A search that is under way, kept as a file after each generation, so that it can be gone on with.

A NumPy file (``.npz``, without pickle) of the networks, their metrics, what the method knows beside them, and a header
in JSON: what is searched for and how, the random generator's state, and the seconds so far.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from blockprof.errors import DataFileError, InputError
from blockprof.files import staged
from blockprof.metrics import AdditiveMetric
from blockprof.search.archive import Archive
from blockprof.search.evolution import Arrays
from blockprof.search.problem import Problem
from blockprof.search.result import SearchSpec
from blockprof.spaces import Architectures

FORMAT = 1
METHOD = "method."


@dataclass(frozen=True, eq=False)
class State:
    """A search after a generation: the archive, what the method knows beside it, the generator, the seconds so far."""

    archive: Archive
    method: Arrays
    rng: np.random.Generator
    seconds: float


def write_state(path: Path, spec: SearchSpec, state: State) -> None:
    """Keep a search; the file is replaced in a single step.

    Raises:
        InputError: it cannot be written.
    """
    archive = state.archive
    header = {
        "format": FORMAT,
        "settings": _settings(archive.problem, spec),
        "generator": state.rng.bit_generator.state,
        "seconds": state.seconds,
    }
    arrays = {METHOD + name: array for name, array in state.method.items()}
    arrays |= {"genes": archive.genes, "values": archive.values, "generations": archive.generations}
    arrays["header"] = np.array(json.dumps(header))
    with staged(path.parent) as temporary, (temporary / path.name).open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_state(path: Path, problem: Problem, spec: SearchSpec) -> State | None:
    """Read a search that was kept; None where there is no file.

    Raises:
        InputError: it is of another problem, or another way to search; the message says what differs.
        DataFileError: it cannot be read, or is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        header = json.loads(str(arrays.pop("header")))
        settings, kept_format = dict(header["settings"]), header["format"]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read ({error}): check the path") from error
    except (BadZipFile, ValueError, KeyError, TypeError, AttributeError, EOFError):
        raise _not_a_search(path) from None
    if kept_format != FORMAT:
        raise _not_a_search(path)
    if differences := _differences(settings, _settings(problem, spec)):
        raise InputError(
            f"{path}: is a search with {', '.join(differences)}: go on with the same, give another file, or remove "
            "this one to start anew"
        )
    try:
        genes, values, generations = (arrays.pop(name) for name in ("genes", "values", "generations"))
        archs = Architectures(problem.reduction.space, genes[:, 1:], genes[:, 0])
        if values.shape != (len(archs), len(problem.metrics)) or generations.shape != (len(archs),):
            raise ValueError("not of one length")
        method = {name.removeprefix(METHOD): array for name, array in arrays.items()}
        archive = Archive(problem, spec.top_k, archs, values, generations)
        rng = np.random.default_rng()
        rng.bit_generator.state = header["generator"]
        return State(archive, method, rng, float(header["seconds"]))
    except (InputError, ValueError, KeyError, TypeError, IndexError):
        raise _not_a_search(path) from None


def _settings(problem: Problem, spec: SearchSpec) -> dict[str, str]:
    """What makes two searches the same, by what it is called in messages."""
    reduction = problem.reduction
    settings = {
        "space": reduction.space.name,
        "reduction": reduction.name,
        "objectives": ", ".join(
            f"{'maximize' if one.maximize else 'minimize'} {one.metric.info.name}" for one in problem.objectives
        ),
        "limits": ", ".join(limit.text for limit in problem.limits) or "none",
    }
    settings |= {name: str(value) for name, value in asdict(spec).items()}
    kept = [reduction.blocks, reduction.stems, np.array(reduction.mutation_probabilities)]
    settings["what the reduction keeps"] = _digest(json.dumps([sorted(depths) for depths in reduction.depths]), kept)
    for metric in problem.metrics:
        costs = [np.append(metric.costs, metric.base)] if isinstance(metric, AdditiveMetric) else []
        settings[f"the metric {metric.info.name}"] = _digest(json.dumps(asdict(metric.info)), costs)
    return settings


def _digest(text: str, arrays: list[Any]) -> str:
    digest = hashlib.sha256(text.encode())
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest()[:12]


def _differences(kept: dict[str, str], asked: dict[str, str]) -> list[str]:
    """In words; what other settings follow from (the space, the metrics) is said first, and alone."""
    for name in ("space", "objectives"):
        if kept.get(name) != asked[name]:
            return [f"{name} {kept.get(name)}, not {asked[name]}"]
    told = [name for name in asked if kept.get(name) != asked[name]]
    return [f"{name} {kept.get(name)}, not {asked[name]}" for name in told]


def _not_a_search(path: Path) -> DataFileError:
    return DataFileError(f"{path}: is not a search that blockprof can go on with: give another file, or remove it")
