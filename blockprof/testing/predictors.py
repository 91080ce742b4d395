"""Is it a kind of predictors? What a package that registers one calls from its own tests."""

import itertools
import json
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import DataFileError, MetricError
from blockprof.latency_data import LatencyData
from blockprof.predictors import PREDICTORS, Prediction, Predictor, TrainingOptions, TrainingTask
from blockprof.predictors.model_files import MODEL_FILE
from blockprof.predictors.onnx_export import write_onnx
from blockprof.predictors.serving import carried_files
from blockprof.spaces import Space
from blockprof.spaces.sampling import sample_architectures

NUM_TRAIN, NUM_DEV, NUM_TEST = 120, 30, 60
NOISE = 0.01
_TOLERANCE = 1e-5
"""Between what a predictor says here and where blockprof is not installed: it may calculate in single precision."""


def check_predictor(name: str, space: Space, options: TrainingOptions | None = None) -> None:
    """Train a predictor of the kind that is registered by ``name``, on made-up latencies of a space, and check it.

    Raises:
        AssertionError: it is not what commands take it for; the message says what is wrong.
    """
    train, dev, test = _made_up(space)
    task = TrainingTask(train, dev, "made-up", train.resolutions, options=options or TrainingOptions())
    model = PREDICTORS.get(name).train(task).model
    _check_facts(name, model, train)
    predicted = model.predict(test.archs, test.resolutions)
    _check_prediction(name, model, test, predicted)
    error = np.abs(predicted.latency_ms - test.latencies_ms).mean()
    mean_alone = np.abs(train.latencies_ms.mean() - test.latencies_ms).mean()
    assert error < mean_alone, f"{name} predicts new networks no better than the mean of the others"
    _check_costs(name, model, test, predicted)
    again = PREDICTORS.get(name).train(task).model.predict(test.archs, test.resolutions)
    assert _are_equal(predicted, again), f"{name} predicts something else after the same training"
    with tempfile.TemporaryDirectory() as folder:
        _check_files(name, model, test, predicted, Path(folder))
        if PREDICTORS.get(name).to_onnx:
            write_onnx(model, Path(folder) / "model.onnx")


def _made_up(space: Space) -> tuple[LatencyData, LatencyData, LatencyData]:
    """Latencies that are a sum of costs, and noise: networks to train on, to choose by and to test on."""
    rng = np.random.default_rng(0)
    archs = sample_architectures(space, NUM_TRAIN + NUM_DEV + NUM_TEST, rng)
    sizes = rng.choice([space.resolutions[0], space.resolutions[-1]], len(archs))
    costs = rng.gamma(4.0, 0.1, len(space.instances) + 1)
    costs[-1] = 0.0  # of what is absent
    latencies = (1 + costs[archs.ids].sum(axis=1)) * (sizes / sizes.max()) ** 2
    data = LatencyData(archs, sizes, latencies * np.exp(rng.normal(0, NOISE, len(archs))), "made up")
    ends = np.cumsum([0, NUM_TRAIN, NUM_DEV, NUM_TEST])
    train, dev, test = (data.select(np.arange(start, end)) for start, end in itertools.pairwise(ends))
    return train, dev, test


def _check_facts(name: str, model: Predictor, train: LatencyData) -> None:
    assert model.kind == name, f"a {name} predictor says that it is a '{model.kind}'"
    assert model.space.name == train.space.name, f"{name} says that it is of {model.space.name}"
    assert model.metric == "made-up", f"{name} does not take the metric's name"
    assert model.device == train.device, f"{name} does not keep the device"
    assert 0 < model.num_nets <= train.num_networks, f"{name} says that it was trained on {model.num_nets} networks"
    assert set(train.resolutions) <= set(model.resolutions), f"{name} does not know the resolutions it was trained on"
    assert model.half_width_percent > 0, f"{name} is sure of everything"


def _check_prediction(name: str, model: Predictor, test: LatencyData, predicted: Prediction) -> None:
    values = _stacked(predicted)
    assert values.shape == (3, len(test)), f"{name} predicts shapes other than (N,)"
    assert np.isfinite(values).all(), f"{name} gives some networks no finite latency or interval"
    lower, latency, upper = predicted.lower_ms, predicted.latency_ms, predicted.upper_ms
    assert ((lower <= latency) & (latency <= upper)).all(), f"{name} predicts latencies outside their intervals"
    half = np.arange(0, len(test), 2)
    alone = model.predict(test.archs[half], test.resolutions[half])
    assert np.allclose(_stacked(alone), values[:, half], rtol=_TOLERANCE), f"{name} predicts by the other networks"
    try:
        model.predict(test.archs, int(max(model.resolutions)) + 1)
    except MetricError:
        return
    raise AssertionError(f"{name} predicts at a resolution that it does not know: raise MetricError")


def _check_costs(name: str, model: Predictor, test: LatencyData, predicted: Prediction) -> None:
    size = len(test.space.instances) + 1
    for resolution in np.unique(test.resolutions).tolist():
        found = model.additive_costs(resolution)
        if found is None:
            continue
        assert found.covariance.shape == (size, size), f"{name}: the covariance is not of all costs and the base"
        least, *_, greatest = np.linalg.eigvalsh(found.covariance)
        assert least > -1e-9 * greatest, f"{name}: its covariance is none, a variance is negative"
        rows = test.resolutions == resolution
        sums = found.base_ms + np.append(found.costs_ms, 0.0)[test.archs.ids[rows]].sum(axis=1)
        assert np.allclose(sums, predicted.latency_ms[rows], rtol=1e-6), f"{name} predicts no sum of its costs"


def _check_files(name: str, model: Predictor, test: LatencyData, predicted: Prediction, place: Path) -> None:
    folder = place / "saved"
    model.save(folder)
    kinds = sorted(path.suffix for path in folder.iterdir())
    assert kinds == [".json", ".npz"], f"{name} is saved as {kinds}, not as {MODEL_FILE} and one .npz"
    loaded = PREDICTORS.get(name).load(folder).predict(test.archs, test.resolutions)
    assert _are_equal(predicted, loaded), f"{name} predicts something else after it was saved and loaded"
    assert np.allclose(_served(folder, name, test), _stacked(predicted), rtol=_TOLERANCE), (
        f"{name} predicts something else where blockprof is not installed"
    )
    (numbers,) = folder.glob("*.npz")
    numbers.write_bytes(numbers.read_bytes()[:100])
    for wrong in (folder, place / "nothing"):
        try:
            PREDICTORS.get(name).load(wrong)
        except DataFileError:
            continue
        raise AssertionError(f"{name} loads a folder that holds no predictor: raise DataFileError")


def _served(folder: Path, name: str, test: LatencyData) -> FloatArray:
    """(3, N): what the files say, by the modules that a registered model carries."""
    nets, runtime = (_module(carried_files(name)[part]) for part in ("nets", "runtime"))
    facts = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
    (numbers,) = folder.glob("*.npz")
    with np.load(numbers, allow_pickle=False) as arrays:
        held = {array: arrays[array] for array in arrays.files}
    grammar = nets.NetGrammar(*(facts[part] for part in nets.GRAMMAR))
    genes = np.array([grammar.parse(net) for net in test.archs.to_strings()])
    which = np.array([facts["resolutions"].index(size) for size in test.resolutions])
    return np.stack(runtime.predict(facts, held, genes, which))


def _module(path: Path) -> ModuleType:
    spec = spec_from_file_location("carried", path)
    assert spec, f"{path} is no Python file"
    assert spec.loader, f"{path} is no Python file"
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _stacked(prediction: Prediction) -> FloatArray:
    return np.stack([prediction.latency_ms, prediction.lower_ms, prediction.upper_ms])


def _are_equal(one: Prediction, other: Prediction) -> bool:
    return np.array_equal(_stacked(one), _stacked(other))
