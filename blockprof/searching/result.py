"""How to search, and what a search found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.display import as_html
from blockprof.foundation.errors import InputError
from blockprof.searching.algorithm import ALGORITHMS, Budget
from blockprof.searching.pareto import best_networks, hypervolume
from blockprof.searching.problem import Problem
from blockprof.spaces import Architectures

PARETO_BUDGET = Budget(initial=100, generations=10, children=200)
TOP_K_BUDGET = Budget(initial=20, generations=4, children=50)
"""The paper's budgets, for several objectives and for one; arXiv 2109.12426, section 5."""


@dataclass(frozen=True, slots=True)
class SearchSpec:
    """How to search: ``initial`` random networks, then ``generations`` of ``children`` new ones each.

    None stands for the paper's number. ``top_k`` is how many networks are the answer where there is one objective, and
    how many have children then. Of these numbers an exact algorithm heeds only ``top_k``.

    Raises:
        InputError: an unknown algorithm, a number less than 1, a seed less than 0.
    """

    algorithm: str = "evolution"
    initial: int | None = None
    generations: int | None = None
    children: int | None = None
    seed: int = 0
    top_k: int = 10

    def __post_init__(self) -> None:
        ALGORITHMS.get(self.algorithm)
        for name in ("initial", "generations", "children", "top_k"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} is {value}", remedy="give at least 1", code="below-1")
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}", remedy="give at least 0", code="below-0")

    @property
    def is_exact(self) -> bool:
        """Whether the answer is the true one, which has no seed and no budget."""
        return ALGORITHMS.get(self.algorithm).is_exact

    @property
    def budget(self) -> Budget:
        """Of a spec without None."""
        return Budget(self.initial or 0, self.generations or 0, self.children or 0)

    def filled(self, problem: Problem) -> "SearchSpec":
        """The same, with the paper's numbers where there are none."""
        budget = PARETO_BUDGET if len(problem.objectives) > 1 else TOP_K_BUDGET
        return replace(
            self,
            initial=self.initial or budget.initial,
            generations=self.generations or budget.generations,
            children=self.children or budget.children,
        )


@dataclass(frozen=True, eq=False)
class SearchResult:
    """All networks that a search evaluated, each once, in order.

    ``values`` is (N, M), the problem's metrics in their units; ``generations`` (N,), 0 for the initial networks.
    ``spec`` has no None. ``seconds`` are of the search, over all processes that resumed it.

    An exact search lists only its answer, all in generation 0.
    """

    problem: Problem
    spec: SearchSpec
    archs: Architectures
    values: FloatArray
    generations: IntArray
    seconds: float

    def __repr__(self) -> str:
        return f"<SearchResult of {self.problem!r}: {len(self.best)} best of {len(self.archs)} networks>"

    def _repr_html_(self) -> str:
        return as_html(repr(self), self.frame(self.best))

    def to_pandas(self) -> pd.DataFrame:
        """The answer: the front, or the best few networks, as :meth:`frame`."""
        return self.frame(self.best)

    @cached_property
    def best(self) -> IntArray:
        """The answer, as indices of networks within the limits.

        With several objectives (F,), the Pareto front, sorted by the first objective, then the next; of networks with
        equal values the first one found. With one objective the best ``top_k``, the best first.
        """
        return best_networks(self.problem, self.values, self.spec.top_k)

    @property
    def shortfall(self) -> str | None:
        """Of a search that has ended: why it evaluated fewer networks than asked for; None where it did not."""
        asked, found = self.spec.budget.total, len(self.archs)
        if self.spec.is_exact or found >= asked:
            return None
        reduction = self.problem.reduction
        if found == reduction.num_networks:
            return f"{found:,} networks evaluated, not {asked:,}: {reduction.space.name} ({reduction.name}) has no more"
        return f"{found:,} networks evaluated, not {asked:,}: no more new ones were found"

    def frame(self, indices: IntArray | None = None) -> pd.DataFrame:
        """One row for each network, or each of ``indices``: net_id, net_str, a column a metric, generation, on_front.

        ``on_front`` says whether a network is one of ``best``.
        """
        chosen = np.arange(len(self.archs)) if indices is None else np.asarray(indices)
        columns = {name: self.values[chosen, column] for column, name in enumerate(self.problem.names)}
        nets = self.archs[chosen].to_strings() if len(chosen) else []
        return pd.DataFrame(
            {"net_id": chosen, "net_str": nets}
            | columns
            | {"generation": self.generations[chosen], "on_front": np.isin(chosen, self.best)}
        )

    def history(self, reference: FloatArray | None = None) -> pd.DataFrame:
        """One row for each generation, of all networks up to it.

        ``generation``, ``num_evaluated``, ``front_size`` (of ``best``), ``hypervolume`` of the networks within the
        limits, and ``best_<objective>``, not a number where no network is within the limits yet.

        Args:
            reference: (O,), the losses that the hypervolume is taken against; ``reference_point([self])`` where None.
        """
        point = reference_point([self]) if reference is None else reference
        rows = [
            {
                "generation": generation,
                "num_evaluated": num_evaluated,
                "front_size": len(best),
                "hypervolume": hypervolume(self.problem.losses(self.values[best]), point),
                **self._best_values(best),
            }
            for generation, num_evaluated, best in self._best_by_generation()
        ]
        return pd.DataFrame(rows)

    def _best_by_generation(self) -> Iterator[tuple[int, int, IntArray]]:
        """By generation: how many networks there are up to it, and the best of them."""
        best = np.empty(0, dtype=np.intp)
        last = np.flatnonzero(np.diff(self.generations, append=self.generations[-1] + 1)) + 1
        for start, end in zip([0, *last[:-1].tolist()], last.tolist(), strict=True):
            candidates = np.sort(np.append(best, np.arange(start, end)))
            best = candidates[best_networks(self.problem, self.values[candidates], self.spec.top_k)]
            yield int(self.generations[start]), end, best

    def _best_values(self, best: IntArray) -> dict[str, float]:
        values = {}
        for column, objective in enumerate(self.problem.objectives):
            of_best = self.values[best, column]
            better = np.max if objective.maximize else np.min
            values[f"best_{objective.metric.info.name}"] = float(better(of_best)) if len(best) else float("nan")
        return values


def reference_point(results: Sequence[SearchResult]) -> FloatArray:
    """(O,): the worst loss of each objective among the initial networks of all results, or, where it is limited, the
    limit: what lies beyond does not count.

    An exact search has no others than its answer, so the first are the ends of its front.
    """
    worst = np.max(
        [result.problem.losses(result.values[result.generations == 0]).max(axis=0) for result in results], axis=0
    )
    problem = results[0].problem
    for index, objective in enumerate(problem.objectives):
        for limit in problem.limits:
            if limit.metric.info.name == objective.metric.info.name and limit.sign == objective.sign:
                worst[index] = limit.most
    return np.asarray(worst)
