"""Searches of one problem from several seeds, and of the whole space beside them: what a reduction gains."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.display import Picture, as_html, plot
from blockprof.foundation.errors import Argument, InputError, Said
from blockprof.foundation.listener import SILENT, Listener, Part
from blockprof.foundation.paths import data_folder
from blockprof.metrics import check_metrics
from blockprof.profiling.statistics import half_width
from blockprof.reduction import Reduction, for_seed
from blockprof.reduction.reduction import WHOLE
from blockprof.searching.comparison import compare
from blockprof.searching.limits import check_limits
from blockprof.searching.problem import Problem
from blockprof.searching.result import SearchResult, SearchSpec, reference_point
from blockprof.searching.searching import search
from blockprof.searching.state import count_generations

if TYPE_CHECKING:
    from blockprof.searching.verify import Verification

STATES = "search"
"""The folder of searches under way, in the data folder."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds, and its 95 % interval by Student's t: not a number where there is one seed."""

    mean: float
    lower: float
    upper: float

    @classmethod
    def of(cls, samples: FloatArray) -> "Estimate":
        """Of (S,) values, one a seed."""
        mean, half = float(samples.mean()), half_width(samples)
        return cls(mean, mean - half, mean + half)


@dataclass(frozen=True, eq=False)
class Study:
    """What searches from S seeds found, and, where it was asked, searches of the whole space from the same seeds.

    The first one is the answer: its front, or its best few networks. ``resolution``, in pixels, is the metrics'.
    ``verification`` is of networks of the answer that were measured, where it was asked.
    """

    searches: tuple[SearchResult, ...]
    whole: tuple[SearchResult, ...] = ()
    resolution: int = 224
    verification: "Verification | None" = None

    def __repr__(self) -> str:
        seeds = f", {len(self.searches)} seeds" if len(self.searches) > 1 else ""
        return f"<Study of {self.first!r}{seeds}>"

    def _repr_html_(self) -> str:
        return as_html(repr(self), self.frame(self.best))

    def to_pandas(self) -> pd.DataFrame:
        """The answer: the front, or the best few networks, of the first search, as ``SearchResult.frame``."""
        return self.first.to_pandas()

    def plot(self, what: str | None = None) -> Picture:
        """The ``front``, or the best networks, or the ``history`` by generation.

        Raises:
            InputError: there is no such picture.
        """
        return plot(self, what)

    @property
    def first(self) -> SearchResult:
        """The search from the seed that was given."""
        return self.searches[0]

    @property
    def best(self) -> IntArray:
        """The indices of the answer's networks among the first search's, in order."""
        return self.first.best

    @property
    def problem(self) -> Problem:
        """What was searched for."""
        return self.first.problem

    @property
    def is_pareto(self) -> bool:
        """Whether the answer is a front, not the best few networks in one metric."""
        return len(self.problem.objectives) > 1

    @property
    def is_exact(self) -> bool:
        """Whether the answer is the true one, which has no seed."""
        return self.first.spec.is_exact

    @property
    def seconds(self) -> float:
        """Of all searches together."""
        return sum(result.seconds for result in self._all)

    @property
    def num_evaluated(self) -> int:
        """Networks looked at by all searches together."""
        return sum(len(result.archs) for result in self._all)

    @cached_property
    def reference(self) -> FloatArray:
        """(O,): the one point that all hypervolumes are taken against."""
        return reference_point(self._all)

    @cached_property
    def hypervolumes(self) -> FloatArray:
        """(S,): of each seed's front."""
        return self._last("hypervolume")[0]

    @cached_property
    def gains(self) -> FloatArray:
        """(S,): what the reduction gains at each seed.

        With several objectives the ratio of its hypervolume to the whole space's; with one by how much its best value
        is better, in the metric's unit.
        """
        if self.is_pareto:
            return np.asarray(compare(self.whole, self.searches).ratios)
        objective = self.problem.objectives[0]
        reduced, whole = self._last(f"best_{objective.metric.info.name}")
        return -objective.sign * (reduced - whole)

    @property
    def gain(self) -> Estimate:
        """The mean of ``gains``."""
        return Estimate.of(self.gains)

    def frame(self, indices: IntArray | None = None) -> pd.DataFrame:
        """The first search's networks, or those of ``indices``, as ``SearchResult.frame``."""
        return self.first.frame(indices)

    def history_frame(self) -> pd.DataFrame:
        """A row for each generation of each search: reduction, seed, and the columns of ``SearchResult.history``.

        There is no hypervolume where there is one objective.
        """
        return self._labelled(self._histories)

    def evaluated_frame(self) -> pd.DataFrame:
        """A row for each network of each search: reduction, seed, and the columns of ``SearchResult.frame``."""
        return self._labelled([result.frame() for result in self._all])

    def comparison_frame(self) -> pd.DataFrame:
        """A row a seed: what the reduction and the whole space reach, and the gain."""
        name = self.problem.objectives[0].metric.info.name
        column, gain = ("hypervolume", "ratio") if self.is_pareto else (f"best_{name}", "gain")
        reduced, whole = self._last(column)
        return pd.DataFrame(
            {
                "seed": [result.spec.seed for result in self.searches],
                column: reduced,
                f"{column}_whole": whole,
                gain: self.gains,
            }
        )

    @property
    def _all(self) -> tuple[SearchResult, ...]:
        return (*self.searches, *self.whole)

    @cached_property
    def _histories(self) -> tuple[pd.DataFrame, ...]:
        left_out = [] if self.is_pareto else ["hypervolume"]
        return tuple(result.history(self.reference).drop(columns=left_out) for result in self._all)

    def _last(self, column: str) -> tuple[FloatArray, FloatArray]:
        """(S,) each: where the searches end, and those of the whole space."""
        ends = np.array([history[column].iloc[-1] for history in self._histories])
        return ends[: len(self.searches)], ends[len(self.searches) :]

    def _labelled(self, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
        """The frames of all searches below each other, with what they are of."""
        labels = [(result.problem.reduction.name, result.spec.seed) for result in self._all]
        return pd.concat(
            [
                frame.assign(reduction=name, seed=seed)[["reduction", "seed", *frame.columns]]
                for (name, seed), frame in zip(labels, frames, strict=True)
            ],
            ignore_index=True,
        )


@dataclass(frozen=True, eq=False)
class StudyPlan:
    """What is to be searched: a problem from ``num_seeds`` seeds, counted up from ``spec.seed``, and the whole space
    too where ``compares``.

    Raises:
        InputError: metrics at another resolution, limits that no network meets, no seed, several seeds of an exact
            search, or the whole space compared with itself.
    """

    problem: Problem
    spec: SearchSpec
    resolution: int = 224
    num_seeds: int = 1
    compares: bool = False

    def __post_init__(self) -> None:
        check_metrics(self.problem.metrics, self.problem.reduction.space, self.resolution)
        check_limits(self.problem)
        if self.num_seeds < 1:
            raise InputError("give at least 1", where=Argument("num_seeds", self.num_seeds), code="below-1")
        if self.num_seeds > 1 and self.spec.is_exact:
            seeds = Argument("num_seeds")
            remedy = Said("leave {} out, or choose evolution", seeds)
            raise InputError("an exact search has nothing random", where=seeds, remedy=remedy, code="nothing-random")
        if self.compares and self.problem.reduction.name == WHOLE:
            remedy = Said("give a {} to compare it with", Argument("reduction"))
            raise InputError(
                "the whole space is searched anyway",
                where=Argument("compares"),
                remedy=remedy,
                code="nothing-to-compare",
            )

    @cached_property
    def searches(self) -> tuple[tuple[Problem, SearchSpec], ...]:
        """Every search, the reduced space's first."""
        problems = [self.problem, self._whole] if self.compares else [self.problem]
        seeds = range(self.spec.seed, self.spec.seed + self.num_seeds)
        return tuple(
            (_of_seed(problem, seed), replace(self.spec, seed=seed).filled(problem))
            for problem in problems
            for seed in seeds
        )

    def kept_states(self) -> tuple[Path, ...]:
        """Where searches of this plan that were interrupted are kept.

        Raises:
            InputError: one was of another metric of that name.
            DataFileError: one cannot be read.
        """
        paths = [(state_path(problem, spec, self.resolution), problem, spec) for problem, spec in self.searches]
        return tuple(path for path, problem, spec in paths if count_generations(path, problem, spec))

    @cached_property
    def _whole(self) -> Problem:
        return replace(self.problem, reduction=Reduction.whole(self.problem.reduction.space))

    def run(self, listener: Listener = SILENT, *, keep: bool = False) -> Study:
        """Search, one after the other.

        Args:
            listener: told, after each generation, how many generations of how many there are.
            keep: keep each search at its ``state_path``, and go on where one is there: a process that was killed is
                resumed. ``kept`` removes them.

        Raises:
            InputError: as ``search``.
        """
        is_exact = self.spec.is_exact
        results: list[SearchResult] = []

        for problem, spec in self.searches:
            state = state_path(problem, spec, self.resolution) if keep and not is_exact else None
            results.append(
                search(problem, spec, listener=Part(listener, len(results), len(self.searches)), state=state)
            )
        return Study(tuple(results[: self.num_seeds]), tuple(results[self.num_seeds :]), self.resolution)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Remove what ``run`` kept when the block ends, also by an error in what was asked; not by any other."""
        is_ours = not data_folder().exists()
        try:
            yield
        except InputError:
            self._forget(is_ours)
            raise
        self._forget(is_ours)

    def _forget(self, is_ours: bool) -> None:
        for problem, spec in self.searches:
            state_path(problem, spec, self.resolution).unlink(missing_ok=True)
        for folder in (data_folder() / STATES, *([data_folder()] if is_ours else [])):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _of_seed(problem: Problem, seed: int) -> Problem:
    """Random reductions are drawn again for each seed, so that a comparison is not of one draw."""
    return replace(problem, reduction=for_seed(problem.reduction, seed))


def state_path(problem: Problem, spec: SearchSpec, resolution: int) -> Path:
    """Where a search is kept: ``search/pn-seed0-<digest>.journal`` in the data folder, another for others."""
    reduction = problem.reduction
    settings = {
        "spec": asdict(spec),
        "resolution": resolution,
        "reduction": (reduction.name, reduction.depths),
        "objectives": [(one.metric.info.name, one.maximize) for one in problem.objectives],
        "limits": [(limit.metric.info.name, limit.bound) for limit in problem.limits],
    }
    digest = hashlib.sha256(json.dumps(settings).encode())
    for array in (reduction.blocks, reduction.stems, reduction.mutation_probabilities):
        digest.update(array.tobytes())
    name = f"{reduction.space.name}-seed{spec.seed}-{digest.hexdigest()[:12]}.journal"
    return data_folder() / STATES / name
