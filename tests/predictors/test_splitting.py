"""Splits without overlap, decided by the seed and the networks alone."""

import numpy as np
import pytest
from codes import coded
from hypothesis import given, settings
from hypothesis import strategies as st

from blockprof.foundation.errors import DataFileError, InputError
from blockprof.latency_data import LatencyData
from blockprof.predictors import split_by_network
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")


def repeated(n: int, repeats: int) -> LatencyData:
    """N networks, each at several resolutions."""
    archs = sample_architectures(PN, n, np.random.default_rng(0))
    rows = np.repeat(np.arange(n), repeats)
    return LatencyData(archs[rows], 160 + 4 * np.arange(len(rows)) % 64, np.ones(len(rows)), "made-up")


@settings(max_examples=30, deadline=None)
@given(st.integers(20, 80), st.integers(1, 3), st.integers(0, 2**31))
def test_parts_hold_all_rows_and_share_no_network(n: int, repeats: int, seed: int) -> None:
    data = repeated(n, repeats)
    split = split_by_network(data, seed)
    rows = np.concatenate([split.train, split.dev, split.test])
    assert sorted(rows) == list(range(len(data)))
    parts = [set(data.archs[part].to_strings()) for part in (split.train, split.dev, split.test)]
    assert len(set.union(*parts)) == sum(map(len, parts))
    assert min(map(len, parts)) >= 2


def test_the_order_of_rows_does_not_matter() -> None:
    data = repeated(50, 2)
    order = np.random.default_rng(1).permutation(len(data))
    straight, mixed = split_by_network(data, 5), split_by_network(data.select(order), 5)
    assert set(order[mixed.test]) == set(straight.test)
    assert set(split_by_network(data, 6).test) != set(straight.test)


def test_a_train_size_leaves_the_test_rows_alone() -> None:
    data = repeated(100, 1)
    small, large, whole = (split_by_network(data, 0, size) for size in (10, 40, None))
    assert len(small.train) == 10
    assert set(small.train) < set(large.train) < set(whole.train)
    np.testing.assert_array_equal(small.test, whole.test)


def test_too_few() -> None:
    with pytest.raises(DataFileError, match="19", check=coded("few-networks")):
        split_by_network(repeated(19, 3), 0)
    for size in (4, 81):
        with pytest.raises(InputError, match=f"train size {size}"):
            split_by_network(repeated(100, 1), 0, size)
