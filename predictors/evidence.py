"""The evidence of Bayesian linear regression, in matrices of the features or of the rows.

Both forms hold N weighted rows, and say the same of them (Rasmussen and Williams, Gaussian Processes for Machine
Learning, 2006, sections 2.1 and 2.2). ``logs`` (G + 1,) are the log variances of the groups' weights and, last, of the
noise.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.linalg import cho_solve, cholesky, lapack

from blockprof.foundation.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Rows:
    """N rows of F features in G groups, and what the features times the weights should give.

    ``design`` is (N, F), ``targets`` (N,); ``group_of`` (F,) says which group each feature is of.
    """

    design: FloatArray
    targets: FloatArray
    group_of: IntArray

    def select(self, index: IntArray | BoolArray) -> Self:
        """The rows ``index``, in that order."""
        return replace(self, design=self.design[index], targets=self.targets[index])

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True, eq=False)
class Primal:
    """F x F matrices: the weighted rows' ``gram``, and their sum ``moment`` (F,). ``row_weights`` is (N,)."""

    rows: Rows
    row_weights: FloatArray
    gram: FloatArray
    moment: FloatArray

    @classmethod
    def of(cls, rows: Rows, row_weights: FloatArray) -> Self:
        weighted = rows.design * np.sqrt(row_weights)[:, None]
        return cls(rows, row_weights, weighted.T @ weighted, (row_weights * rows.targets) @ rows.design)

    def reweighted(self, row_weights: FloatArray) -> Self:
        return self.of(self.rows, row_weights)

    def loss(self, logs: FloatArray) -> tuple[float, FloatArray]:
        """Minus the log evidence, but for a constant, and its gradient (G + 1,)."""
        group_of, num_rows = self.rows.group_of, len(self.rows)
        scales, noise = _scales(logs, group_of)
        factor, mean = self._solve(scales, noise)
        inverse, _ = lapack.dpotri(factor, lower=1)
        shrunk = np.diag(inverse)
        power = self.row_weights @ self.rows.targets**2
        explained = mean @ self.moment
        misfit = power - 2.0 * explained + mean @ self.gram @ mean
        value = 0.5 * ((power - explained) / noise + num_rows * logs[-1]) + np.log(np.diag(factor)).sum()
        gradient = np.empty(len(logs))
        gradient[:-1] = 0.5 * np.bincount(group_of, 1.0 - shrunk - (mean / scales) ** 2, minlength=len(logs) - 1)
        gradient[-1] = 0.5 * (num_rows - (1.0 - shrunk).sum() - misfit / noise)
        return float(value), gradient

    def posterior(self, logs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The mean (F,) and the covariance (F, F) of the weights."""
        scales, noise = _scales(logs, self.rows.group_of)
        factor, mean = self._solve(scales, noise)
        return mean, scales[:, None] * cho_solve((factor, True), np.diag(scales), check_finite=False)

    def fitted(self, logs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(N,) each: what the rows give, and the variance of it that is the weights'."""
        mean, covariance = self.posterior(logs)
        design = self.rows.design
        return design @ mean, np.asarray(((design @ covariance) * design).sum(axis=1))

    def _solve(self, scales: FloatArray, noise: float) -> tuple[FloatArray, FloatArray]:
        """The Cholesky factor of the posterior precision of the weights over ``scales``, and the weights' mean."""
        precision = scales[:, None] * self.gram * (scales / noise)
        precision[np.diag_indices_from(precision)] += 1.0
        factor = cholesky(precision, lower=True, check_finite=False)
        return factor, scales * cho_solve((factor, True), scales * self.moment / noise, check_finite=False)


@dataclass(frozen=True, eq=False)
class Dual:
    """N x N matrices: ``kernels`` (G, N, N), what each group gives the rows in common at a weight variance of 1."""

    rows: Rows
    row_weights: FloatArray
    kernels: FloatArray

    @classmethod
    def of(cls, rows: Rows, row_weights: FloatArray) -> Self:
        parts = [rows.design[:, rows.group_of == group] for group in range(rows.group_of.max() + 1)]
        return cls(rows, row_weights, np.stack([part @ part.T for part in parts]))

    def reweighted(self, row_weights: FloatArray) -> Self:
        return replace(self, row_weights=row_weights)

    def loss(self, logs: FloatArray) -> tuple[float, FloatArray]:
        """Minus the log evidence, but for a constant, and its gradient (G + 1,)."""
        variances = np.exp(logs)
        factor = self._factor(self._common(variances), variances)
        inverse, _ = lapack.dpotri(factor, lower=1)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        solved = inverse @ self.rows.targets
        value = 0.5 * (solved @ self.rows.targets + np.log(self.row_weights).sum()) + np.log(np.diag(factor)).sum()
        slope = inverse - np.outer(solved, solved)
        gradient = np.empty(len(logs))
        gradient[:-1] = np.tensordot(self.kernels, slope, 2)
        gradient[-1] = np.diag(slope) @ (1.0 / self.row_weights)
        return float(value), 0.5 * variances * gradient

    def posterior(self, logs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The mean (F,) and the covariance (F, F) of the weights."""
        variances = np.exp(logs)
        of_weights = variances[:-1][self.rows.group_of]
        spread = self.rows.design * of_weights
        solved = cho_solve((self._factor(self._common(variances), variances), True), spread, check_finite=False)
        return self.rows.targets @ solved, np.diag(of_weights) - spread.T @ solved

    def fitted(self, logs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(N,) each: what the rows give, and the variance of it that is the weights'."""
        variances = np.exp(logs)
        common = self._common(variances)
        solved = cho_solve((self._factor(common, variances), True), common, check_finite=False)
        return self.rows.targets @ solved, np.diag(common) - (common * solved).sum(axis=0)

    def _common(self, variances: FloatArray) -> FloatArray:
        """The covariance of the rows without the noise."""
        return np.asarray(np.tensordot(variances[:-1], self.kernels, 1))

    def _factor(self, common: FloatArray, variances: FloatArray) -> FloatArray:
        """The Cholesky factor of the covariance of the rows."""
        noise = np.diag(variances[-1] / self.row_weights)
        return np.asarray(cholesky(common + noise, lower=True, check_finite=False))


def quicker_form(rows: Rows) -> Primal | Dual:
    """The form that is evaluated sooner, all rows counting fully."""
    # As large matrices cost more by rows, where there is one a group.
    form = Dual if len(rows) < 0.8 * rows.design.shape[1] else Primal
    return form.of(rows, np.ones(len(rows)))


def _scales(logs: FloatArray, group_of: IntArray) -> tuple[FloatArray, float]:
    """(F,): the standard deviation of each weight; and the noise variance."""
    return np.exp(0.5 * logs[:-1])[group_of], float(np.exp(logs[-1]))
