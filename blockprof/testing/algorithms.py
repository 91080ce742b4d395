"""Is it a search algorithm? What a package that registers one calls from its own tests."""

import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from blockprof.foundation.arrays import BoolArray
from blockprof.foundation.listener import Listener
from blockprof.metrics import AdditiveMetric, MetricInfo
from blockprof.reduction import Reduction
from blockprof.searching import ALGORITHMS, Limit, Objective, Problem, SearchResult, SearchSpec, search
from blockprof.spaces import Space


class _StoppedError(Exception):
    """What ends a search that is to be resumed."""


class _Stopper(Listener):
    def on_generation(self, number: int, found: object) -> None:
        if number == 1:
            raise _StoppedError


def check_algorithm(name: str, space: Space) -> None:
    """Check the algorithm that is registered by ``name``, on made-up metrics of a space.

    Raises:
        AssertionError: it is not what searches take it for; the message says what is wrong.
    """
    algorithm = ALGORITHMS.get(name)
    spec = SearchSpec(name, initial=12, generations=3, children=8, seed=1, top_k=3)
    for problem in _problems(space):
        found = search(problem, spec)
        assert problem.reduction.contains(found.archs).all(), f"{name} leaves the reduced space"
        assert len(found.best), f"{name} finds nothing within limits that half of all networks meet"
        if algorithm.is_exact:
            assert found.generations.max() == 0, f"{name} is exact, but has several batches"
            rival = search(problem, replace(spec, algorithm="random", children=200))
            assert not _beats(rival, found), f"{name} is exact, but random networks are better"
            continue
        assert len(found.archs) <= spec.budget.total, f"{name} proposes more networks than its budget has"
        again = search(problem, spec)
        assert _are_equal(found, again), f"{name} proposes others from the same seed"
        other = search(problem, replace(spec, seed=2))
        assert not _are_equal(found, other), f"{name} proposes the same from another seed"
        assert _are_equal(found, _resumed(problem, spec)), f"{name} does not resume to the same networks"


def _problems(space: Space) -> tuple[Problem, Problem]:
    """A front, and the best within a limit, of made-up metrics; both of a part of the space."""
    gain, cost = (_made_up(space, name, seed) for seed, name in enumerate(("gain", "cost")))
    gain = replace(gain, info=replace(gain.info, higher_is_better=True))
    whole = Reduction.whole(space)
    depths = (whole.depths[0][-1:], *whole.depths[1:])
    part = replace(whole, name="part", depths=depths)
    drawn = search(Problem(part, (Objective(cost, maximize=False),)), SearchSpec("random", initial=200, generations=1))
    limit = Limit(cost, float(np.median(drawn.values)))
    best = Objective(gain, maximize=True)
    return Problem(part, (best, Objective(cost, maximize=False))), Problem(part, (best,), (limit,))


def _made_up(space: Space, name: str, seed: int) -> AdditiveMetric:
    info = MetricInfo(name, "ms", False, "table", f"made up, seed {seed}")
    costs = np.random.default_rng(seed).gamma(2.0, size=space.catalogue("placement").absent)
    return AdditiveMetric(info, space, 1.0, costs, by="placement")


def _are_equal(one: SearchResult, other: SearchResult) -> bool:
    return np.array_equal(one.archs.genes, other.archs.genes) and np.array_equal(one.generations, other.generations)


def _beats(rival: SearchResult, found: SearchResult) -> bool:
    """Whether some network of the rival is better, by more than rounding, than all that were found."""
    losses, best = (each.problem.losses(each.values[each.best]) for each in (rival, found))
    is_better: BoolArray = np.all(losses[:, None] < best[None] - 1e-9, axis=2)
    return bool(is_better.all(axis=1).any())


def _resumed(problem: Problem, spec: SearchSpec) -> SearchResult:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "search.jsonl"
        with contextlib.suppress(_StoppedError):
            search(problem, spec, listener=_Stopper(), state=state)
        return search(problem, spec, state=state)
