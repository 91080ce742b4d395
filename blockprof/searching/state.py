"""A search that is under way, kept as a file after each generation, so that it can be resumed.

A NumPy file (``.npz``, without pickle) of the networks, their metrics, and a header in JSON: what is searched for and
how, and the seconds so far.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.decoding import MALFORMED, parse_json, read_arrays
from blockprof.foundation.errors import DataFileError, InputError
from blockprof.foundation.files import read_file, staged
from blockprof.metrics import as_exact
from blockprof.searching.archive import Archive
from blockprof.searching.problem import Problem
from blockprof.searching.result import SearchSpec
from blockprof.spaces import Architectures

FORMAT = 2


@dataclass(frozen=True, eq=False)
class State:
    """What a search had evaluated: networks' ``genes`` (N, L + 1), ``values`` (N, M), ``generations`` (N,); and the
    seconds so far.
    """

    path: Path
    genes: IntArray
    values: FloatArray
    generations: IntArray
    seconds: float

    @property
    def num_generations(self) -> int:
        """How many generations there are."""
        return int(self.generations[-1]) + 1

    def values_of(self, archs: Architectures, generation: int) -> FloatArray:
        """(N, M): the values of a generation, which must be of the N networks of ``archs``.

        Raises:
            DataFileError: it is of others: the file is damaged, or of another version of the algorithm.
        """
        rows = self.generations == generation
        if not np.array_equal(self.genes[rows], archs.genes):
            raise _not_a_search(self.path)
        return np.asarray(self.values[rows])


def write_state(path: Path, spec: SearchSpec, archive: Archive, seconds: float) -> None:
    """Keep a search; the file is replaced in a single step.

    Raises:
        InputError: it cannot be written.
    """
    header = {
        "format": FORMAT,
        "settings": _settings(archive.problem, spec),
        "digests": _digests(archive.problem),
        "seconds": seconds,
    }
    arrays = {"genes": archive.genes, "values": archive.values, "generations": archive.generations}
    with staged(path.parent) as temporary, (temporary / path.name).open("wb") as file:
        np.savez(file, allow_pickle=False, header=np.array(json.dumps(header)), **arrays)


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
            f"{path}: is a search with {', '.join(differences)}: resume with the same, give another file, or remove "
            "this one to start over"
        )
    try:
        genes, values, generations = (arrays[name] for name in ("genes", "values", "generations"))
        if genes.ndim != 2 or genes.dtype.kind != "i" or generations.dtype.kind != "i":
            raise ValueError("no whole numbers")
        archs = Architectures(problem.reduction.space, genes[:, 1:], genes[:, 0])
        if values.shape != (len(archs), len(problem.metrics)) or generations.shape != (len(archs),) or not len(archs):
            raise ValueError("not of one length")
        if values.dtype.kind != "f" or not np.isfinite(values).all():
            raise ValueError("no finite numbers")
        return State(path, genes, values, generations, float(header["seconds"]))
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
        exact = as_exact(metric)
        costs = [np.append(exact.score.costs, exact.score.base)] if exact else []
        link = asdict(exact.link) if exact and exact.link else None
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
    return DataFileError(f"{path}: is not a search that blockprof can resume: give another file, or remove it")
