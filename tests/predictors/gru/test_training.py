"""Training: it learns, it is repeatable, and a killed one goes on as if nothing had been."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from codes import coded
from listening import Heard

from blockprof.fetching.reference import reference_data
from blockprof.foundation.errors import BlockprofError, DataFileError, InputError, JournalError, MetricError
from blockprof.foundation.journal_lines import encode
from blockprof.latency_data import LatencyData
from blockprof.predictors import FAST, PAPER, GruModel, Recipe, evaluate, load_gru
from blockprof.predictors.gru.features import network_inputs, num_operators
from blockprof.predictors.gru.network import GruNetwork, NetworkSpec
from blockprof.predictors.gru.training import GruFit, fit_gru, interval_factors, make_batches
from blockprof.predictors.onnx_export import write_onnx
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

TINY = NetworkSpec(9, embedding=12, shape_embedding=4, hidden=16)
SHORT = replace(FAST, epochs=4, dropout=0.2)


@pytest.fixture(scope="module")
def data() -> LatencyData:
    return reference_data(load_space("pn"), "npu", 400, seed=0)


Fit = Callable[..., GruFit]


@pytest.fixture(scope="module")
def fit(data: LatencyData) -> Fit:
    def run(recipe: Recipe = SHORT, **options: object) -> GruFit:
        rows = np.arange(400)
        return fit_gru(data.select(rows[:300]), data.select(rows[300:]), "npu", recipe=recipe, spec=TINY, **options)

    return run


def weights_equal(one: GruModel, other: GruModel) -> bool:
    return all(np.array_equal(one.weights[name], other.weights[name]) for name in one.weights)


def test_it_learns(data: LatencyData, fit: Fit) -> None:
    rows = np.arange(400)
    fitted = fit(replace(FAST, epochs=25, learning_rate=1e-2))
    scores = evaluate(fitted.model, data.select(rows[:300]), data.select(rows[300:]))
    assert scores.scores.mape_percent < scores.baselines["flops_only"].mape_percent
    assert 85 <= scores.interval.coverage_percent <= 95
    assert fitted.epochs[-1].number == 25
    assert scores.scores.mape_percent == pytest.approx(min(epoch.dev_mape_percent for epoch in fitted.epochs), rel=1e-3)


@pytest.mark.parametrize("recipe", [SHORT, replace(PAPER, epochs=2)])
def test_a_killed_training_goes_on_with_the_same_result(fit: Fit, recipe: Recipe, tmp_path: Path) -> None:
    whole = fit(recipe)

    checkpoint = tmp_path / "state" / "gru.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, checkpoint=checkpoint, listener=Heard(stop_at=1))
    assert [path.name for path in checkpoint.parent.iterdir()] == ["gru.checkpoint"]
    heard = Heard()
    again = fit(recipe, checkpoint=checkpoint, listener=heard)
    assert heard.steps == [(done, recipe.epochs) for done in range(2, recipe.epochs + 1)]
    assert again.epochs == whole.epochs
    assert weights_equal(again.model, whole.model)
    assert not weights_equal(fit(recipe, seed=1).model, whole.model)


def test_the_seconds_before_a_kill_are_counted(fit: Fit, tmp_path: Path) -> None:
    """An epoch that took an hour, as the checkpoint says, is an hour of the whole."""
    checkpoint = tmp_path / "gru.checkpoint"
    first = fit(checkpoint=checkpoint)
    header, line = checkpoint.read_bytes().splitlines(keepends=True)
    row = json.loads(line)
    assert 0 < row["seconds"] <= first.seconds
    del row["crc"]
    checkpoint.write_bytes(header + encode({**row, "seconds": 3600.0}))
    again = fit(checkpoint=checkpoint)
    assert 3600 < again.seconds < 3700


@pytest.mark.parametrize(("recipe", "remedy"), [(PAPER, "with fast=True"), (FAST, "with another seed")])
def test_a_training_that_diverges_says_what_to_do(fit: Fit, recipe: Recipe, remedy: str, tmp_path: Path) -> None:
    checkpoint = tmp_path / "gru.checkpoint"
    wild = replace(recipe, epochs=1, learning_rate=1e30, max_gradient_norm=1e30)
    with pytest.raises(BlockprofError) as caught:
        fit(wild, checkpoint=checkpoint)
    assert str(caught.value) == (
        f"training diverged: no epoch has a finite error: train {remedy}, and remove {checkpoint}, which is of no use"
    )
    with pytest.raises(BlockprofError, match=f"finite error: train {remedy}$"):
        fit(wild)


def test_a_checkpoint_of_something_else(fit: Fit, tmp_path: Path) -> None:
    checkpoint = tmp_path / "gru.checkpoint"
    fit(replace(SHORT, epochs=1), checkpoint=checkpoint)
    with pytest.raises(JournalError, match=r"was trained with epochs 1 \(now 4\):"):
        fit(SHORT, checkpoint=checkpoint)
    with pytest.raises(JournalError, match=r"was trained with seed 0 \(now 1\):"):
        fit(replace(SHORT, epochs=1), seed=1, checkpoint=checkpoint)
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content.replace(b'"shape":[', b'"shape":[2,', 1))
    with pytest.raises(DataFileError, match="row 2: is damaged: remove the row and all after it"):
        fit(replace(SHORT, epochs=1), checkpoint=checkpoint)
    torch.save({"fingerprint": "x"}, checkpoint)  # what an earlier version kept
    with pytest.raises(DataFileError, match="is not a journal of training that blockprof can resume"):
        fit(SHORT, checkpoint=checkpoint)


def test_patience(fit: Fit) -> None:
    """A learning rate of 0 never gets better."""
    assert len(fit(replace(SHORT, learning_rate=0.0, epochs=9, patience=2, one_cycle=False)).epochs) == 3


def test_a_device_that_is_not_there(fit: Fit) -> None:
    with pytest.raises(InputError, match="7", check=coded("device-unusable")):
        fit(device="cuda:7")


def test_every_row_is_in_one_batch() -> None:
    lengths = np.random.default_rng(0).integers(10, 14, 100)
    for recipe in (PAPER, FAST):
        batches = list(make_batches(lengths, recipe, np.random.default_rng(1)))
        assert sorted(np.concatenate(batches)) == list(range(100))
        assert max(map(len, batches)) == recipe.batch_size
        if recipe.same_length:
            assert all(len(set(lengths[batch])) == 1 for batch in batches)


@pytest.mark.parametrize("space_name", ["pn", "mbv3", "resnet50"])
def test_numpy_predicts_what_torch_does(space_name: str, tmp_path: Path) -> None:
    space, rng = load_space(space_name), np.random.default_rng(0)
    torch.manual_seed(0)
    network = GruNetwork(NetworkSpec(num_operators(space), hidden=40)).eval()
    network.begin_small(0.6)
    scales = np.array([224.0] * 4 + [512.0] * 2)
    model = GruModel(
        space=space,
        metric="npu",
        device="d",
        num_nets=3,
        resolutions=np.array([160, 224]),
        weights={name: value.numpy() for name, value in network.state_dict().items()},
        shape_scales=scales,
        max_ms=20.0,
        sigmoid=False,
        lower_factor=0.9,
        upper_factor=1.2,
    )
    archs = sample_architectures(space, 300, rng)
    resolutions = rng.choice([160, 224], 300)
    with torch.no_grad():
        expected = network(*(torch.from_numpy(array) for array in network_inputs(archs, resolutions, scales)))
    found = model.predict(archs, resolutions)
    np.testing.assert_allclose(found.latency_ms, 20 * expected.numpy(), atol=1e-4)
    np.testing.assert_allclose(found.upper_ms, 1.2 * found.latency_ms)
    check = write_onnx(model, tmp_path / "gru.onnx")  # which raises where it differs by more than 1e-5
    assert 0 < check.error < 1e-5
    model.save(tmp_path)
    again = load_gru(tmp_path)
    np.testing.assert_array_equal(again.predict(archs, resolutions).latency_ms, found.latency_ms)
    with pytest.raises(MetricError, match=r"160.*224.*192", check=coded("no-such-resolution")):
        again.predict(archs, 192)


def test_the_interval_holds_nine_in_ten_of_new_networks() -> None:
    """Of many small sets of residuals, the mean share is what is asked, by order statistics and by Student's t."""
    rng = np.random.default_rng(0)
    for number in (5, 18, 19, 100):
        inside = []
        for _ in range(400):
            lower, upper = interval_factors(1 + 0.05 * rng.normal(size=number))
            assert lower <= 1 <= upper
            new = 1 + 0.05 * rng.normal(size=200)
            inside.append(((lower <= new) & (new <= upper)).mean())
        assert 0.885 <= np.mean(inside) <= 0.93
