"""The package's own tests: what it brings conforms, by blockprof's suites."""

from blockprof_tiny.depth import DEPTH

import blockprof
from blockprof.testing import check_algorithm, check_metric, check_predictor, check_space

TINY = blockprof.load_space("tiny")


def test_the_space() -> None:
    check_space(TINY)


def test_the_metric() -> None:
    check_metric("depth", DEPTH, TINY)


def test_the_kind_of_predictors() -> None:
    check_predictor("ridge", TINY)


def test_the_algorithm() -> None:
    check_algorithm("climb", TINY)
