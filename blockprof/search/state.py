"""A search that is under way, kept as a file after each generation, so that it can be gone on with.

A NumPy file (``.npz``, without pickle) of the networks, their metrics, what the method knows beside them, and a header
in JSON: what is searched for and how, the random generator's state, and the seconds so far.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blockprof.foundation.decoding import MALFORMED, parse_json, read_arrays
from blockprof.foundation.errors import DataFileError, InputError
from blockprof.foundation.files import read_file, staged
from blockprof.metrics import ExactMetric, MonotoneMetric, additive_score
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
        "digests": _digests(archive.problem),
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
    if not path.exists():
        return None
    content = read_file(path)
    try:
        arrays = read_arrays(content)
        header = parse_json(str(arrays.pop("header")))
        if header["format"] != FORMAT:
            raise ValueError("of another version of blockprof")
        differences = _differences(header, problem, spec)
    except MALFORMED:
        raise _not_a_search(path) from None
    if differences:
        raise InputError(
            f"{path}: is a search with {', '.join(differences)}: go on with the same, give another file, or remove "
            "this one to start anew"
        )
    try:
        genes, values, generations = (arrays.pop(name) for name in ("genes", "values", "generations"))
        if genes.ndim != 2 or genes.dtype.kind != "i" or generations.dtype.kind != "i":
            raise ValueError("no whole numbers")
        archs = Architectures(problem.reduction.space, genes[:, 1:], genes[:, 0])
        if values.shape != (len(archs), len(problem.metrics)) or generations.shape != (len(archs),):
            raise ValueError("not of one length")
        if values.dtype.kind != "f" or not np.isfinite(values).all():
            raise ValueError("no finite numbers")
        method = {name.removeprefix(METHOD): array for name, array in arrays.items()}
        archive = Archive(problem, spec.top_k, archs, values, generations)
        rng = np.random.default_rng()
        rng.bit_generator.state = header["generator"]
        return State(archive, method, rng, float(header["seconds"]))
    except (InputError, *MALFORMED):
        raise _not_a_search(path) from None


def _settings(problem: Problem, spec: SearchSpec) -> dict[str, str]:
    """What is asked for, by what it is called in messages."""
    return {
        "space": problem.reduction.space.name,
        "reduction": problem.reduction.name,
        "objectives": ", ".join(
            f"{'maximize' if one.maximize else 'minimize'} {one.metric.info.name}" for one in problem.objectives
        ),
        "limits": ", ".join(limit.text for limit in problem.limits) or "none",
        **{name: str(value) for name, value in asdict(spec).items()},
    }


def _digests(problem: Problem) -> dict[str, str]:
    """What two searches of the same settings may still differ in: a reduction's content, a metric's costs."""
    reduction = problem.reduction
    kept = (reduction.blocks, reduction.stems, reduction.mutation_probabilities)
    digests = {
        "reduction": _digest(reduction.depths, *kept),
        "limit": _digest([limit.bound for limit in problem.limits]),
    }
    for metric in problem.metrics:
        score = additive_score(metric) if isinstance(metric, ExactMetric) else None
        costs = [np.append(score.costs, score.base)] if score else []
        link = asdict(metric.link) if isinstance(metric, MonotoneMetric) else None
        digests[f"metric {metric.info.name}"] = _digest([asdict(metric.info), link], *costs)
    return digests


def _digest(content: object, *arrays: NDArray[Any]) -> str:
    digest = hashlib.sha256(json.dumps(content).encode())
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest()


def _differences(header: Mapping[str, Any], problem: Problem, spec: SearchSpec) -> list[str]:
    """In words; where space or objectives differ, only these: most else follows from them."""
    kept, asked = dict(header["settings"]), _settings(problem, spec)
    changed = [name for name in asked if kept.get(name) != asked[name]]
    changed = [name for name in changed if name in ("space", "objectives")] or changed
    if changed:
        return [f"{name} {kept.get(name)}, not {asked[name]}" for name in changed]
    kept_digests, digests = dict(header["digests"]), _digests(problem)
    return [f"another {name}" for name in digests if kept_digests.get(name) != digests[name]]


def _not_a_search(path: Path) -> DataFileError:
    return DataFileError(f"{path}: is not a search that blockprof can go on with: give another file, or remove it")
