"""Exact profiles against brute force, against sampling, and against the paper."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from known_spaces import SPACES

from blockprof.metrics import AdditiveMetric, Link, MetricInfo, MonotoneMetric, PeakMetric, load_reference
from blockprof.metrics.counting import load_count
from blockprof.metrics.lookup import load_published
from blockprof.profiling import STATISTICS, profile
from blockprof.profiling.exact import exact_statistics
from blockprof.profiling.peak import peak_statistics
from blockprof.spaces import (
    Architectures,
    Bottleneck,
    Space,
    Stem,
    StemChoices,
    Unit,
    all_constraints,
    load_space,
    parse_constraint,
)
from blockprof.spaces.expectation import expected_counts
from blockprof.spaces.sampling import SAMPLERS, Sampler, draw_base, likely_depths

INFO = MetricInfo("cost", "ms", False, "table", "made up")


def tiny_space() -> Space:
    """Two units, two blocks: small enough to list every network."""
    return Space(
        name="tiny",
        title="Tiny",
        operator="mbconv2",
        ofa_network="",
        width_multiplier=1.0,
        stem=StemChoices(skip=(False,), mid_channels=(8,), out_channels=(8,), halvings=1),
        units=(
            Unit(widths=(8,), stride=2, depths=(2, 3, 4), activation="relu6"),
            Unit(widths=(16,), stride=1, depths=(1, 2), activation="relu6"),
        ),
        head_widths=(32,),
        expands=(3, 6),
        kernels=(3,),
        resolutions=range(32, 65, 4),
        upstream_shortfall=1,
    )


def tiny_residual_space() -> Space:
    """Two units of two widths and stems of which some are likelier: small enough to list every network."""
    return Space(
        name="tiny_residual",
        title="Tiny residual",
        operator="res",
        ofa_network="",
        width_multiplier=1.0,
        stem=StemChoices(skip=(False, True), mid_channels=(8, 8, 16), out_channels=(16, 24), halvings=2),
        units=(
            Unit(widths=(32, 40), stride=1, depths=(1, 2, 3), activation="relu"),
            Unit(widths=(48, 64), stride=2, depths=(1, 2), activation="relu"),
        ),
        head_widths=(),
        expands=(20, 35),
        kernels=(3,),
        width_ratios=(65, 100),
        resolutions=range(32, 65, 4),
        upstream_shortfall=0,
        upstream_adds_layers=True,
    )


def weighted_residual_networks(space: Space, constraint, sampler: Sampler) -> tuple[Architectures, np.ndarray]:
    """Every network of a constraint of the tiny residual space with its probability, by listing."""
    stems = list(itertools.product((False, True), (8, 8, 16), (16, 24)))
    fixed = {(p.unit - 1, p.layer - 1): p.block for p in (constraint.layers if constraint else ())}
    unit_choices = []
    for unit in range(2):
        widths = {block.width for (u, _), block in fixed.items() if u == unit} or {65, 100}
        rows: list[tuple[float, list[int]]] = []
        depths = likely_depths(space, unit, constraint, sampler)
        for width, depth in itertools.product(widths, depths):
            choices = [[fixed[unit, layer].expand] if (unit, layer) in fixed else [20, 35] for layer in range(depth)]
            filled = list(itertools.product(*choices))
            for expands in filled:
                blocks = [space.blocks.index(Bottleneck(width, expand)) for expand in expands]
                row = blocks + [-1] * (space.units[unit].max_depth - depth)
                rows.append((1 / len(widths) / len(depths) / len(filled), row))
        unit_choices.append(rows)
    genes, weights = [], []
    for skip, mid, out in stems:
        if constraint and not constraint.allows(Stem(skip, mid, out)):
            continue
        for (first, row), (second, other) in itertools.product(*unit_choices):
            genes.append([space.stems.index(Stem(skip, mid, out)), *row, *other])
            weights.append(first * second)
    table = np.array(genes)
    return Architectures(space, table[:, 1:], table[:, 0]), np.array(weights) / np.sum(weights)


def weighted_networks(space: Space, constraint, sampler: Sampler) -> tuple[Architectures, np.ndarray]:
    """Every network of a constraint with its probability, by listing."""
    rows, weights = [], []
    options = [likely_depths(space, unit, constraint, sampler) for unit in range(len(space.units))]
    for depths in itertools.product(*options):
        present = [(unit, layer) for unit, depth in enumerate(depths) for layer in range(depth)]
        fixed = {
            (p.unit - 1, p.layer - 1): space.blocks.index(p.block) for p in (constraint.layers if constraint else ())
        }
        choices = [[fixed[place]] if place in fixed else range(len(space.blocks)) for place in present]
        for blocks in itertools.product(*choices):
            row = np.full(space.num_slots, -1)
            for (unit, layer), block in zip(present, blocks, strict=True):
                row[space.unit_slots[unit].start + layer] = block
            rows.append(row)
            weights.append(1 / np.prod([len(o) for o in options]) / np.prod([len(c) for c in choices]))
    return Architectures(space, np.array(rows)), np.array(weights)


MOBILE = [None, "u1.l1.e6k3", "u1.l3.e3k3", "u1.l4.e6k3+u2.l2.e3k3", "u1.l2.e3k3+u1.l3.e6k3"]
RESIDUAL = [
    None,
    "stem.skip",
    "stem1.c8",
    "stem2.c24+stem.noskip+u2.l1.w65.e35",
    "u1.l1.w100.e20",
    "u1.l3.w65.e35+u2.l2.w100.e20",
    "u1.l1.w65.e35+u1.l2.w65.e20",
]


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(
    ("space", "listing", "text"),
    [(tiny_space(), weighted_networks, text) for text in MOBILE]
    + [(tiny_residual_space(), weighted_residual_networks, text) for text in RESIDUAL],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_peaks_are_those_of_listing_every_network(space: Space, listing, text: str | None, sampler: Sampler) -> None:
    # Few values, so that many networks tie, and a base that most networks are above.
    rng = np.random.default_rng(5)
    metric = PeakMetric(INFO, space, 2.0, rng.integers(1, 9, len(space.instances)) * 0.5)
    constraint = parse_constraint(space, text) if text else None
    archs, weights = listing(space, constraint, sampler)
    values = metric.evaluate(archs)
    np.testing.assert_array_equal(values, [max(2.0, *row) for row in np.append(metric.costs, 0)[space.encode(archs)]])
    found = peak_statistics(metric, [constraint] if constraint else [], [], sampler).statistics
    mean = weights @ values
    ordered = np.sort(values)
    shares = np.cumsum(weights[np.argsort(values, kind="stable")])
    quantiles = [ordered[np.flatnonzero(shares >= quantile - 1e-9)[0]] for quantile in (0.01, 0.05, 0.95, 0.99)]
    expected = [mean, np.sqrt(weights @ (values - mean) ** 2), *quantiles, values.min(), values.max()]
    np.testing.assert_allclose(found.values[-1], expected, atol=1e-9)
    ends = Architectures.from_strings(space, [found.lowest[-1], found.highest[-1]])
    np.testing.assert_allclose(metric.evaluate(ends), [values.min(), values.max()])
    listed = set(archs.to_strings())
    assert {found.lowest[-1], found.highest[-1]} <= listed


def test_profiles_of_peaks_are_exact_where_nothing_else_is_asked() -> None:
    space = SPACES["resnet50"]
    metric = PeakMetric(INFO, space, 1.0, np.random.default_rng(6).gamma(2.0, size=len(space.instances)))
    blocks = [parse_constraint(space, text) for text in ("u1.l1.w100.e35", "u3.l2.w65.e20", "stem.skip")]
    exact, sampled = (profile(space, [metric], constraints=blocks, num_archs=number) for number in (None, 4000))
    assert [one.metrics[0].method for one in (exact, sampled)] == ["exact", "sampled"]
    assert not exact.metrics[0].has_intervals
    frame, other = exact.placement_frame(), sampled.placement_frame()
    half = (other["mean_upper"] - other["mean_lower"]) / 2
    assert (abs(frame["mean"] - other["mean"]) < 2 * half).all()
    assert (frame["min"] <= other["min"]).all()
    assert (frame["max"] >= other["max"]).all()


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(
    ("space", "listing", "text"),
    [(tiny_space(), weighted_networks, text) for text in MOBILE]
    + [(tiny_residual_space(), weighted_residual_networks, text) for text in RESIDUAL],
)
@pytest.mark.parametrize("by", ["instance", "placement"])
@pytest.mark.parametrize("saturates", [False, True])
def test_equals_listing_every_network(
    space: Space, listing, text: str | None, sampler: Sampler, by, saturates: bool
) -> None:
    rng = np.random.default_rng(5)
    score = AdditiveMetric(INFO, space, base=2.0, costs=rng.normal(1.0, 2.0, space.catalogue(by).absent), by=by)
    link = Link(centre=4.0, scale=5.0, quadratic=-0.25, cubic=0.02, low=-30.0, high=12.0)
    metric = MonotoneMetric(INFO, score, link) if saturates else score
    constraint = parse_constraint(space, text) if text else None
    result = exact_statistics(metric, [constraint], sampler)
    archs, weights = listing(space, constraint, sampler)
    assert weights.sum() == pytest.approx(1)
    values = metric.evaluate(archs)
    mean = weights @ values
    assert result.column("mean")[0] == pytest.approx(mean, rel=1e-5 if saturates else 1e-6)
    if not saturates:
        assert expected_counts(space, [constraint], sampler, by)[0] @ [*score.costs, score.base] == pytest.approx(mean)
    assert result.column("std")[0] == pytest.approx(
        np.sqrt(weights @ (values - mean) ** 2), rel=1e-5 if saturates else 1e-6
    )
    assert result.column("min")[0] == pytest.approx(values.min())
    assert result.column("max")[0] == pytest.approx(values.max())
    ends = Architectures.from_strings(space, [result.lowest[0], result.highest[0]])
    np.testing.assert_allclose(metric.evaluate(ends), [values.min(), values.max()])
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    spread = values.max() - values.min()
    for name, share in (("q01", 0.01), ("q05", 0.05), ("q95", 0.95), ("q99", 0.99)):
        found = result.column(name)[0]
        low, high = (values[order][np.searchsorted(cumulative, share + d)] for d in (-1e-9, 1e-9))
        assert low - 1e-3 * spread <= found <= high + 1e-3 * spread, name


def test_equal_costs_have_no_spread() -> None:
    space = tiny_space()
    metric = AdditiveMetric(INFO, space, base=3.0, costs=np.zeros(len(space.instances)))
    result = exact_statistics(metric, [None], "paper")
    np.testing.assert_allclose(result.values[0], [3, 0, 3, 3, 3, 3, 3, 3])


@pytest.mark.parametrize("name", sorted(SPACES))
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_agrees_with_200_000_sampled_networks(name: str, sampler: Sampler) -> None:
    """Means within four standard errors; quantiles between the samples' order statistics around them."""
    space = load_space(name)
    metric = load_reference(space, "npu") if name in ("pn", "mbv3") else load_count(space, "flops", 224)
    n = 200_000
    base = draw_base(space, n, np.random.default_rng(11))
    constraints = [None, *all_constraints(space)[4::17]]
    exact = exact_statistics(metric, constraints, sampler)
    for row, constraint in enumerate(constraints):
        values = np.sort(metric.evaluate(base.networks(constraint, sampler)))
        where = constraint.name if constraint else "random"
        assert abs(exact.column("mean")[row] - values.mean()) < 4 * values.std() / np.sqrt(n), where
        assert exact.column("std")[row] == pytest.approx(values.std(), rel=0.02), where
        assert exact.column("min")[row] <= values[0] + 1e-9, where
        assert exact.column("max")[row] >= values[-1] - 1e-9, where
        for statistic, share in (("q01", 0.01), ("q05", 0.05), ("q95", 0.95), ("q99", 0.99)):
            margin = 4 * np.sqrt(n * share * (1 - share))
            low, high = (values[int(n * share + sign * margin)] for sign in (-1, 1))
            assert low <= exact.column(statistic)[row] <= high, (where, statistic)


NOTE10_UPSTREAM = {6: [42.12, 42.66, 43.41], 4: [41.46, 41.82, 42.31], 3: [41.14, 41.41, 41.81]}
NOTE10_PAPER = {6: [42.87, 43.60, 44.64], 4: [41.98, 42.47, 43.14], 3: [41.56, 41.93, 42.45]}


@pytest.mark.parametrize(("sampler", "published"), [("upstream", NOTE10_UPSTREAM), ("paper", NOTE10_PAPER)])
def test_note10_gives_figure_2(
    sampler: Sampler, published: dict[int, list[float]], shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOCKPROF_DATA", str(shared_data))
    space = load_space("mbv3")
    frame = profile(space, [load_published(space, "note10", 224)], sampler=sampler).response_frame()
    found = frame.pivot(index="expand", columns="kernel", values="response").loc[[6, 4, 3], [3, 5, 7]]
    np.testing.assert_allclose(found, list(published.values()), atol=0.0185)


def misfit_of_figure_4(sampler: Sampler, shared_data: Path) -> float:
    """The mean of nine squared errors of mean FLOPs, each over its own standard error: chi2 / 9.

    Upstream averages 100 independent networks for each placement where its user says nothing.
    """
    space = load_space("resnet50")
    published = json.loads((shared_data.parent / "reference" / "paper.json").read_text())["block_response"]["resnet50"]
    result = profile(space, [load_count(space, "flops", 224)], sampler=sampler)
    placements = result.placement_frame()
    squares = []
    for row in result.response_frame().itertuples():
        stds = placements.loc[placements.block == row.block, "std"].to_numpy()
        error = row.response - 1000 * published["flops_g"][str(row.width / 100)][[20, 25, 35].index(row.expand)]
        squares.append(error**2 / ((stds**2).sum() / len(stds) ** 2 / 100))
    assert len(squares) == 9
    return float(np.mean(squares))


def test_flops_of_resnet50_are_figure_4s_by_its_own_sampler_only(shared_data: Path) -> None:
    assert misfit_of_figure_4("upstream-fig4", shared_data) == pytest.approx(1.09, abs=0.01)
    assert misfit_of_figure_4("upstream", shared_data) == pytest.approx(14.3, abs=0.1)
    assert misfit_of_figure_4("paper", shared_data) > 10


@pytest.mark.parametrize("name", ["mbv3", "pn"])
def test_npu_gives_figures_2_and_3(name: str, shared_data: Path) -> None:
    published = json.loads((shared_data.parent / "reference" / "paper.json").read_text())["block_response"][name]
    frame = profile(load_space(name), [load_reference(load_space(name), "npu")], sampler="upstream").response_frame()
    found = frame.pivot(index="expand", columns="kernel", values="response")
    for expand, row in published["npu_kirin9000_r224_ms"].items():
        np.testing.assert_allclose(found.loc[int(expand)], row, rtol=0.02)


def test_statistics_are_in_order() -> None:
    space = load_space("mbv3")
    values = exact_statistics(load_reference(space, "npu"), [None, *all_constraints(space)], "paper").values
    ordered = values[:, [STATISTICS.index(name) for name in ("min", "q01", "q05", "mean", "q95", "q99", "max")]]
    assert (np.diff(ordered, axis=1) >= 0).all()
