"""Leaving out in turn: each row once, told by all others and by nothing of its own fold."""

import numpy as np
import pytest
from listening import Heard

from blockprof.foundation.folds import NUM_FOLDS, leave_out, random_folds


@pytest.mark.parametrize("num_networks", [3, 10, 23])
def test_folds_are_as_equal_as_can_be(num_networks: int) -> None:
    sizes = np.bincount(random_folds(num_networks, 0))
    assert len(sizes) == min(num_networks, NUM_FOLDS)
    assert sizes.max() - sizes.min() <= 1
    assert not np.array_equal(random_folds(num_networks, 0), random_folds(num_networks, 1))


def test_each_row_is_told_by_the_rows_of_other_folds() -> None:
    values, fold_of, heard = np.arange(7.0), np.array([0, 2, 1, 0, 2, 2, 1]), Heard()
    mean, least = leave_out(
        fold_of, lambda held: [np.full(held.sum(), of(values[~held])) for of in (np.mean, np.min)], listener=heard
    )
    for row, fold in enumerate(fold_of):
        others = values[fold_of != fold]
        assert (mean[row], least[row]) == (others.mean(), others.min())
    assert heard.steps == [(1, 3), (2, 3), (3, 3)]
