"""Which networks to measure, so that the blockwise predictor learns most from few.

A Bayesian D-optimal design (Chaloner and Verdinelli, Bayesian Experimental Design, 1995): the rows that maximise the
log determinant of the posterior precision of the predictor's weights. What is known before measuring is what the
predictor itself assumes: its three devices, smooth, layered and stepped, whose log determinants are averaged, since
which one it will be is not known either. Chosen greedily, then each row in turn is exchanged for the best one there is
(Cook and Nachtsheim, A Comparison of Algorithms for Constructing Exact D-Optimal Designs, 1980). A design that is
measured already is extended: what its rows tell is known from the start, and they are not exchanged.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from threadpoolctl import threadpool_limits

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.choices import check_choice
from blockprof.foundation.errors import InputError
from blockprof.predictors.features import Features, build_features
from blockprof.predictors.fitting import ard_priors, expected_latencies
from blockprof.predictors.regression import ARDPrior
from blockprof.spaces import Architectures, Space
from blockprof.spaces.sampling import sample_distinct

Design = Literal["d-optimal", "random"]
DESIGNS: tuple[Design, ...] = get_args(Design)

NUM_CANDIDATES = 3000
CANDIDATES_EACH = 3
EXCHANGE_ROUNDS = 3
LEAST_GAIN = 1e-9
NEGLIGIBLE = 0.01
"""Directions of the weights that all rows together tell less about than this, over the noise variance, are left out."""


def check_design(name: str) -> Design:
    """Return ``name`` as a design.

    Raises:
        InputError: there is no such design.
    """
    return check_choice(name, "design", DESIGNS)


def choose_networks(
    space: Space,
    n: int,
    resolutions: Sequence[int],
    rng: np.random.Generator,
    *,
    design: Design = "d-optimal",
    chosen: tuple[Architectures, IntArray] | None = None,
) -> tuple[Architectures, IntArray]:
    """Choose N different networks to measure, and a resolution for each: (N,), pixels.

    The networks are random ones or, ``d-optimal``, those of a few thousand random ones that tell the blockwise
    predictor most. ``resolutions`` get equally many networks each, or one more. A larger design need not contain a
    smaller one, unless that is given as ``chosen``, networks and a resolution for each: these come first, and the
    others are those that tell most beside them.

    Raises:
        InputError: less than one network, no resolution, more networks than the space has, or fewer than are chosen.
    """
    least = 1 if chosen is None else len(chosen[0])
    if n < least:
        raise InputError(
            f"{n} networks to choose: at least {least} {'is' if least == 1 else 'are'} needed", code="few-networks"
        )
    if not len(resolutions):
        raise InputError("no resolution to measure networks at: at least 1 is needed", code="no-resolution")
    different = np.unique(resolutions)
    if chosen is None:
        chosen = Architectures.from_strings(space, []), np.array([], dtype=np.int64)
    archs, at = chosen
    if design == "random":
        # Networks that are chosen at a resolution that is no longer asked for are not made up for at the others.
        there = np.count_nonzero(at[:, None] == different, axis=0)
        more = _even_shares(np.full(len(different), n), there.sum() + n - len(at), there) - there
        new = _without(sample_distinct(space, n, rng), archs)[: n - len(at)]
        new_at = rng.permutation(np.repeat(different, more))
        return Architectures.concatenate([archs, new]), np.concatenate([at, new_at])
    candidates = sample_distinct(space, max(NUM_CANDIDATES, CANDIDATES_EACH * n), rng, least=n)
    candidates = Architectures.concatenate([archs, _without(candidates, archs)])
    at = np.concatenate([at, np.resize(different, len(candidates) - len(at))])
    rows = choose_rows(candidates, at, n, chosen=np.arange(len(archs)))
    return candidates[rows], at[rows]


def choose_rows(
    archs: Architectures, resolutions: IntArray, n: int, *, chosen: IntArray | Sequence[int] = ()
) -> IntArray:
    """Choose the n of N candidates, networks at ``resolutions`` (N,), that are the D-optimal design: (n,), ascending.

    Each resolution gets equally many, or one more, as far as it has candidates. The rows ``chosen`` are among them
    whatever they tell. The same candidates give the same rows.

    Raises:
        InputError: less than one row or than are chosen, or more than there are.
    """
    least = max(1, len(chosen))
    if not least <= n <= len(archs):
        raise InputError(
            f"{n} networks to choose: of {len(archs)} candidates, {least} to {len(archs)} can be chosen",
            code="bad-number-of-networks",
        )
    different, resolution_of = np.unique(resolutions, return_inverse=True)
    features = build_features(archs.space, different)
    rows = _relative_rows(features, archs, resolutions)
    available, kept = np.bincount(resolution_of), np.asarray(chosen, dtype=np.intp)
    with threadpool_limits(limits=1, user_api="blas"):
        choice = Choice(
            [_signals(rows, features.group_of, prior, n) for prior in ard_priors(features)],
            resolution_of,
            _even_shares(available, n, np.bincount(resolution_of[kept], minlength=len(available))),
            kept,
        )
        choice.fill()
        choice.exchange()
    return choice.rows


class Choice:
    """A design in the making: which rows are chosen, and what is then not yet known about every candidate.

    ``signals`` are (N, K) for each prior: rows whose inner products are the prior covariance of what the candidates
    will give, over the noise variance. Of the candidates whose ``resolution_of`` (N,) is r, ``room[r]`` are to be
    chosen, the rows ``kept`` among them.
    """

    def __init__(
        self, signals: Sequence[FloatArray], resolution_of: IntArray, room: IntArray, kept: IntArray | None = None
    ) -> None:
        self._unknown = [signal.copy() for signal in signals]
        self._variances = [_squares(signal) for signal in signals]
        self._resolution_of = resolution_of
        self._room = room.copy()
        self._chosen = np.zeros(len(resolution_of), dtype=bool)
        self._kept = np.array([], dtype=np.intp) if kept is None else kept
        for row in self._kept.tolist():
            self._learn(row, 1)

    @property
    def rows(self) -> IntArray:
        """The rows chosen so far, ascending."""
        return np.flatnonzero(self._chosen)

    def fill(self) -> None:
        """Take, again and again, the row that adds most to the determinant, until there is no room left."""
        for _ in range(self._room.sum()):
            self._learn(int(np.argmax(self._gains(self._variances))), 1)

    def exchange(self) -> None:
        """Exchange each row not kept for the best one, until none is better or ``EXCHANGE_ROUNDS`` are over."""
        for _ in range(EXCHANGE_ROUNDS):
            before = self.rows
            for row in np.setdiff1d(before, self._kept).tolist():
                self._exchange(row)
            if np.array_equal(before, self.rows):
                return

    def _exchange(self, row: int) -> None:
        """Take in place of the row another of its resolution, where that makes the determinant larger."""
        without = [
            variances + (unknown @ unknown[row]) ** 2 / (1.0 - variances[row])
            for unknown, variances in zip(self._unknown, self._variances, strict=True)
        ]
        self._room[self._resolution_of[row]] += 1
        gains = self._gains(without)
        self._room[self._resolution_of[row]] -= 1
        best = int(np.argmax(gains))
        own = sum(np.log1p(variances[row]) for variances in without)
        if gains[best] > own + LEAST_GAIN:
            self._learn(row, -1)
            self._learn(best, 1)

    def _gains(self, variances: Sequence[FloatArray]) -> FloatArray:
        """(N,): what each row would add to the log determinants, in sum; -inf where it cannot be taken."""
        gains = np.sum(np.log1p(variances), axis=0)
        gains[self._chosen | (self._room[self._resolution_of] == 0)] = -np.inf
        return np.asarray(gains)

    def _learn(self, row: int, sign: Literal[1, -1]) -> None:
        """Choose the row, or put it back (-1): a change of rank one."""
        self._chosen[row] = sign == 1
        self._room[self._resolution_of[row]] -= sign
        for unknown, variances in zip(self._unknown, self._variances, strict=True):
            signal, power = unknown[row], variances[row]
            # By the symmetric root of I - sign s s' / (1 + sign s's), by which the covariance of the weights changes.
            shrink = (1.0 - 1.0 / np.sqrt(1.0 + sign * power)) / power
            unknown -= np.outer(unknown @ signal, shrink * signal)
            variances[:] = _squares(unknown)


def _without(archs: Architectures, others: Architectures) -> Architectures:
    """The networks that are none of the others."""
    known = {genes.tobytes() for genes in others.genes}
    return archs[np.array([genes.tobytes() not in known for genes in archs.genes], dtype=bool)]


def _even_shares(available: IntArray, n: int, least: IntArray) -> IntArray:
    """How many of ``n`` each kind gets where ``available`` (R,) are there and ``least`` (R,) are taken already.

    As even as can be, the rest spread out.
    """
    totals = np.clip(np.arange(n + 1), least[:, None], available[:, None]).sum(axis=0)
    level = int(np.searchsorted(totals, n, side="right")) - 1
    shares: IntArray = np.clip(level, least, available)
    rest = n - shares.sum()
    if rest:
        larger = np.flatnonzero((least <= level) & (available > level))
        shares[larger[(2 * np.arange(rest) + 1) * len(larger) // (2 * rest)]] += 1
    return shares


def _relative_rows(features: Features, archs: Architectures, resolutions: IntArray) -> FloatArray:
    """(N, F): the networks' features over the latency that their totals let expect, as the regression will see them."""
    rows = features.of(archs, resolutions)
    expected = expected_latencies(rows, features)
    return np.asarray(rows * (np.median(expected) / expected)[:, None])


def _signals(rows: FloatArray, group_of: IntArray, prior: ARDPrior, n: int) -> FloatArray:
    """(N, K): the rows in units of what the prior holds likely, over the noise, on the directions that matter."""
    scales = np.exp(0.5 * (prior.log_centre[:-1][group_of] - prior.log_centre[-1]))
    scaled = rows * scales
    powers, directions = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    return np.asarray(scaled @ directions[:, powers > NEGLIGIBLE / n])


def _squares(rows: FloatArray) -> FloatArray:
    """(N,): each row's inner product with itself."""
    return np.asarray(np.einsum("ij,ij->i", rows, rows))
