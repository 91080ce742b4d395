"""A search that is under way, kept generation by generation, so that it can be resumed.

The header (``blockprof.foundation.journal``) says what is searched for and how. Each row is a generation: its networks,
their metrics, and the seconds that the search had taken.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blockprof.foundation import journal, journal_lines
from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.decoding import MALFORMED
from blockprof.foundation.errors import InputError, JournalError
from blockprof.metrics import as_exact
from blockprof.searching.problem import Problem
from blockprof.searching.result import SearchSpec
from blockprof.spaces import Architectures

JOURNAL = journal.Kind("search", "searched", "searches", in_order=True)


class State:
    """What a search had evaluated, and how to add to it; ``seconds`` are those that it had taken so far."""

    def __init__(self, rows: journal.Journal, generations: list[tuple[IntArray, FloatArray]], seconds: float) -> None:
        self.seconds = seconds
        self._rows = rows
        self._generations = generations

    @property
    def num_generations(self) -> int:
        """How many generations there are."""
        return len(self._generations)

    def values_of(self, archs: Architectures, generation: int) -> FloatArray:
        """(N, M): the values of a generation, which must be of the N networks of ``archs``.

        Raises:
            DataFileError: it is of others: the file is damaged, or of another version of the algorithm.
        """
        genes, values = self._generations[generation]
        if not np.array_equal(genes, archs.genes):
            raise journal.damaged(self._rows.path, JOURNAL, generation + 2, "is of other networks")
        return values

    def add(self, archs: Architectures, values: FloatArray, seconds: float) -> None:
        """Keep a generation's N networks with their metrics, (N, M).

        Raises:
            InputError: the disk is full, or cannot be written to.
        """
        row = {"genes": journal_lines.pack(archs.genes), "values": journal_lines.pack(values), "seconds": seconds}
        self._rows.add(row, f"{self.num_generations} generations")
        self._generations.append((archs.genes, values))


@contextmanager
def open_state(path: Path, problem: Problem, spec: SearchSpec) -> Iterator[State]:
    """Begin to keep a search, or resume one.

    Raises:
        JournalError: it is of another problem, or another way to search; the message says what differs.
        DataFileError: it is no such file, or damaged.
        InputError: it cannot be read or written.
        BlockprofError: another process has it open.
    """
    of = _of(problem, spec)
    with journal.open_journal(path, JOURNAL, of) as rows:
        yield State(rows, *_parse(path, rows.contents, problem, of))


def count_generations(path: Path, problem: Problem, spec: SearchSpec) -> int:
    """How many generations are kept of a search: 0 where there is no file.

    Raises:
        JournalError, DataFileError, InputError: as for :func:`open_state`.
    """
    of = _of(problem, spec)
    generations, _ = _parse(path, journal.read_contents(path, JOURNAL, of), problem, of)
    return len(generations)


def _of(problem: Problem, spec: SearchSpec) -> dict[str, Any]:
    return {**_settings(problem, spec), "digests": _digests(problem)}


def _parse(
    path: Path, found: journal.Contents, problem: Problem, of: Mapping[str, Any]
) -> tuple[list[tuple[IntArray, FloatArray]], float]:
    """The generations, and the seconds that they took."""
    if found.of is not None and (differences := _differences(found.of, of)):
        raise JournalError(path, differences, JOURNAL.did)
    generations, seconds = [], 0.0
    for row in found.rows:
        try:
            generations.append(_read(row.content, problem))
            seconds = float(row.content["seconds"])
        except (InputError, *MALFORMED):
            raise journal.damaged(path, JOURNAL, row.number) from None
    return generations, seconds


def _read(row: Mapping[str, Any], problem: Problem) -> tuple[IntArray, FloatArray]:
    genes, values = journal_lines.unpack(row["genes"], "i"), journal_lines.unpack(row["values"], "f")
    archs = Architectures(problem.reduction.space, genes[:, 1:], genes[:, 0])
    if values.shape != (len(archs), len(problem.metrics)) or not len(archs):
        raise ValueError("not of one length")
    if not np.isfinite(values).all():
        raise ValueError("no finite numbers")
    return archs.genes, values


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


def _differences(found: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In words; where space or objectives differ, only these: most else follows from them."""
    changed = [name for name in now if name != "digests" and found.get(name) != now[name]]
    changed = [name for name in changed if name in ("space", "objectives")] or changed
    if changed:
        return [f"{name} {found.get(name)} (now {now[name]})" for name in changed]
    digests = dict(found.get("digests", {}))
    return [f"another {name}" for name, digest in now["digests"].items() if digests.get(name) != digest]
