"""The blockwise model: additive, saved without pickle, the same in MLflow."""

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from codes import coded
from mlflow.exceptions import MlflowException

from blockprof.foundation.errors import BlockprofError, DataFileError, InputError, MetricError
from blockprof.latency_data import LatencyData
from blockprof.metrics import PredictorFolder, load_reference
from blockprof.metrics.counting import load_count
from blockprof.metrics.predicted import load_predicted
from blockprof.networks.facts import load_quantities
from blockprof.predictors import BlockwiseModel, fit_blockwise, load_blockwise
from blockprof.predictors.features import build_features, convolution_macs, instance_counts
from blockprof.predictors.onnx_export import write_onnx
from blockprof.predictors.serving import MODEL_CODE, carried_files
from blockprof.spaces import Space, load_space
from blockprof.spaces.sampling import sample_architectures
from blockprof.tracking.predictors import SIGNATURE

PN = load_space("pn")
CARRIED = {name: str(file) for name, file in carried_files("blockwise").items()}


def make_data(resolutions: tuple[int, ...], n: int = 200) -> LatencyData:
    """The reference table's latencies, growing with the area, 1 % noise."""
    rng = np.random.default_rng(4)
    archs = sample_architectures(PN, n, rng)
    sizes = rng.choice(resolutions, n)
    latency = load_reference(PN, "npu").evaluate(archs) * (sizes / 224) ** 2 * (1 + rng.normal(0, 0.01, n))
    return LatencyData(archs, sizes, latency, "made-up")


def make_residual_data(n: int = 200) -> LatencyData:
    """Latencies of resnet50 that grow with the multiply-adds, at rates that differ by instance, 1 % noise."""
    space, rng = load_space("resnet50"), np.random.default_rng(4)
    archs = sample_architectures(space, n, rng)
    costs = convolution_macs(space, 224) / 1e8 * rng.normal(1, 0.1, len(space.instances))
    latency = (3.0 + np.append(costs, 0.0)[archs.ids].sum(axis=1)) * (1 + rng.normal(0, 0.01, n))
    return LatencyData(archs, np.full(n, 224), latency, "made-up")


@pytest.fixture(scope="module")
def residual() -> BlockwiseModel:
    return fit_blockwise(make_residual_data(), "gpu")


@pytest.fixture(scope="module")
def single() -> BlockwiseModel:
    return fit_blockwise(make_data((224,)), "npu")


@pytest.fixture(scope="module")
def several() -> BlockwiseModel:
    return fit_blockwise(make_data((160, 192, 224)), "npu")


def quantities_of(space: Space, name: str) -> dict[str, float]:
    """What the instance of that name takes at 224."""
    (index,) = [index for index, one in enumerate(space.instances) if one.name == name]
    return {quantity: float(values[index]) for quantity, values in load_quantities(space, 224).values.items()}


def test_features_of_one_block_by_hand() -> None:
    """u2.first.e6k5 of pn at 224: 56 x 56 x 32 in, 192 between, 28 x 28 x 56 out."""
    found = quantities_of(PN, "u2.first.e6k5")
    assert found["expand_macs"] == 56 * 56 * 32 * 192
    assert found["depthwise5_macs"] == 28 * 28 * 192 * 25
    assert found["depthwise3_macs"] == found["depthwise7_macs"] == 0
    assert found["project_macs"] == 28 * 28 * 192 * 56
    assert found["activations"] == 56 * 56 * (32 + 2 * 192) + 28 * 28 * (2 * 192 + 56)
    assert found["weights"] == 32 * 192 + 25 * 192 + 192 * 56


def test_features_of_bottlenecks_and_stems_by_hand() -> None:
    """At 224: 56 x 56 x 168 in and 28 x 28 x 336 out, a shortcut, 64 between; then 56 x 56 x 168, 32 between."""
    resnet50 = load_space("resnet50")
    found = {one.name: quantities_of(resnet50, one.name) for one in resnet50.instances}
    first, rest = found["u2.first.w65.e20.from168"], found["u1.rest.w65.e20"]
    assert first["expand_macs"] == 56 * 56 * 168 * 64
    assert first["spatial_macs"] == first["strided_macs"] == 28 * 28 * 9 * 64 * 64
    assert first["project_macs"] == 28 * 28 * 64 * 336
    assert first["shortcut_macs"] == 28 * 28 * 168 * 336
    assert first["activations"] == 56 * 56 * (2 * 168 + 2 * 64) + 28 * 28 * (64 + 3 * 336)
    assert first["weights"] == 168 * 64 + 9 * 64 * 64 + 64 * 336 + 168 * 336
    assert (rest["strided_macs"], rest["shortcut_macs"]) == (0, 0)
    assert rest["weights"] == 168 * 32 + 9 * 32 * 32 + 32 * 168
    # A stem's 3x3 convolutions run at half the resolution; without a skip there is one more, from middle to middle.
    plain, skipping = found["stem.noskip.c24.c40"], found["stem.skip.c24.c40"]
    assert plain["weights"] == 9 * 24 * (3 + 24 + 40)
    assert skipping["weights"] == 9 * 24 * (3 + 40)
    assert [one["stem_macs"] for one in (plain, skipping)] == [112**2 * one["weights"] for one in (plain, skipping)]
    assert plain["activations"] == 112**2 * (7 * 24 + 2 * 40)
    assert skipping["activations"] == 112**2 * (4 * 24 + 2 * 40)


def test_totals_are_one_for_the_mean_network() -> None:
    features = build_features(PN, np.array([160, 224]))
    archs = sample_architectures(PN, 4000, np.random.default_rng(5))
    rows = np.concatenate([features.of(archs, np.full(4000, size)) for size in (160, 224)])
    totals = rows[:, features.group_of == features.groups.index("totals")]
    np.testing.assert_allclose(totals.mean(axis=0), 1.0, rtol=0.02)


def test_one_resolution_has_no_features_of_the_area() -> None:
    assert "instances_by_area" in build_features(PN, np.array([192, 224])).groups
    assert not {"instances_by_area", "other_areas", "resolutions"} & set(build_features(PN, np.array([224])).groups)


def test_exact_costs_are_found_again() -> None:
    """Costs without any pattern, and no noise: with enough networks every prediction is right."""
    archs = sample_architectures(PN, 600, np.random.default_rng(8))
    costs = np.append(np.random.default_rng(9).gamma(1.0, 1.0, len(PN.instances)), 0.0)
    latency = 3.0 + costs[archs.ids].sum(axis=1)
    train = LatencyData(archs[:400], np.full(400, 224), latency[:400], "made-up")
    found = fit_blockwise(train, "exact").predict(archs[400:], 224).latency_ms
    np.testing.assert_allclose(found, latency[400:], rtol=1e-3)


def test_residual_networks_are_predicted_to_their_noise() -> None:
    data = make_residual_data(400)
    found = fit_blockwise(data.select(np.arange(300)), "gpu").predict(data.archs[300:], 224).latency_ms
    assert np.abs(found / data.latencies_ms[300:] - 1).mean() < 0.02


def test_macs_of_features_are_torchprofiles() -> None:
    """Of bottlenecks and heads; torchprofile also counts pooling, which is little."""
    space = load_space("resnet50")
    counted, found = load_count(space, "macs", 132).costs, convolution_macs(space, 132)
    np.testing.assert_allclose(found, counted, rtol=0.02)


def test_features_add_up_over_blocks() -> None:
    features = build_features(PN, np.array([192, 224]))
    archs = sample_architectures(PN, 20, np.random.default_rng(0))
    sizes = np.array([192, 224] * 10)
    by_hand = [instance_counts(archs)[row] @ features.phi[row % 2] for row in range(20)]
    np.testing.assert_allclose(features.of(archs, sizes), by_hand)


def test_a_prediction_is_the_sum_of_its_cost_table(several: BlockwiseModel) -> None:
    archs = sample_architectures(PN, 30, np.random.default_rng(1))
    for resolution in (160, 176, 224):
        base, costs = several.cost_table(resolution)
        by_hand = base + np.append(costs, 0.0)[archs.ids].sum(axis=1)
        np.testing.assert_allclose(several.predict(archs, resolution).latency_ms, by_hand)


def test_intervals_hold_the_prediction(several: BlockwiseModel) -> None:
    archs = sample_architectures(PN, 100, np.random.default_rng(2))
    prediction = several.predict(archs, 192)
    assert (prediction.lower_ms < prediction.latency_ms).all()
    assert (prediction.latency_ms < prediction.upper_ms).all()
    assert (prediction.lower_ms >= 0).all()


def test_one_resolution_means_that_one_only(single: BlockwiseModel) -> None:
    with pytest.raises(MetricError, match=r"224.*192", check=coded("no-such-resolution")):
        single.predict(sample_architectures(PN, 1, np.random.default_rng(0)), 192)


def test_several_resolutions_mean_those_between(several: BlockwiseModel) -> None:
    assert several.resolutions.tolist() == list(range(160, 225, 4))
    with pytest.raises(MetricError, match=r"160.*224.*228", check=coded("no-such-resolution")):
        several.cost_table(228)


@pytest.mark.parametrize("n", [20, 60])
def test_few_networks_of_the_residual_space(n: int) -> None:
    """At one resolution, where no feature is of large kernels."""
    data = make_residual_data(n)
    model = fit_blockwise(data, "gpu")
    assert np.abs(model.predict(data.archs, 224).latency_ms / data.latencies_ms - 1).mean() < 0.1


def test_networks_of_another_space_are_refused(single: BlockwiseModel) -> None:
    with pytest.raises(InputError, match=r"pn.*mbv3", check=coded("not-of-space")):
        single.predict(sample_architectures(load_space("mbv3"), 1, np.random.default_rng(0)), 224)


def test_too_few_networks() -> None:
    with pytest.raises(DataFileError, match="5", check=coded("few-networks")):
        fit_blockwise(make_data((224,), n=4), "npu")


@pytest.mark.filterwarnings("ignore::UserWarning")  # MLflow's advice on input examples
@pytest.mark.parametrize("which", ["single", "several", "residual"])
def test_saved_and_loaded_it_is_the_same_everywhere(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """As a model, as an additive metric, as MLflow runs it, and as ONNX (which checks itself)."""
    model: BlockwiseModel = request.getfixturevalue(which)
    model.save(tmp_path / "predictor")
    assert {file.suffix for file in (tmp_path / "predictor").iterdir()} == {".json", ".npz"}
    again = load_blockwise(tmp_path / "predictor")
    archs = sample_architectures(model.space, 50, np.random.default_rng(3))
    sizes = np.random.default_rng(3).choice(model.resolutions, 50)
    expected = model.predict(archs, sizes)
    np.testing.assert_array_equal(again.predict(archs, sizes).upper_ms, expected.upper_ms)

    metric = load_predicted(PredictorFolder("it", tmp_path / "predictor"), model.space, "npu", 224)
    np.testing.assert_allclose(metric.evaluate(archs), model.predict(archs, 224).latency_ms)

    mlflow.pyfunc.save_model(
        tmp_path / "mlflow",
        python_model=str(MODEL_CODE),
        artifacts={"predictor": str(tmp_path / "predictor"), **CARRIED},
        pip_requirements=["mlflow"],
        signature=SIGNATURE,
    )
    assert not list((tmp_path / "mlflow").rglob("*.pkl"))
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "mlflow"))
    found = loaded.predict(pd.DataFrame({"net": archs.to_strings(), "resolution": sizes.astype("int64")}))
    for column in ("latency_ms", "lower_ms", "upper_ms"):
        np.testing.assert_allclose(found[column], getattr(expected, column), rtol=1e-9)

    csv = pd.DataFrame({"net_str": pd.Categorical(archs.to_strings()), "resolution": sizes.astype(float)})
    np.testing.assert_array_equal(loaded.predict(csv)["latency_ms"], found["latency_ms"])
    for resolution in (224.5, "224", [224], None):
        with pytest.raises(MlflowException, match=r"row 0: resolution .*, but this predictor was trained on"):
            loaded.predict(pd.DataFrame({"net": archs.to_strings()[:1], "resolution": [resolution]}))

    assert write_onnx(model, tmp_path / "it.onnx").error < 1e-9

    net, units = archs.to_strings()[0], len(model.space.units)
    first = net.rpartition("|")[2].split("->")[0]
    wrong = [
        (f"row 0: unknown block 'e5_k3' at unit {units}, layer 1", net.rpartition("|")[0] + "|e5_k3->" + first),
        (f"row 0: {units - 1} units, but {model.space.name} has {units}", net.rpartition("|")[0]),
    ]
    if which == "residual":
        wrong += [
            ("row 0: unknown stem 'stem_h40_o40': resnet50 has", "|".join(["stem_h40_o40", *net.split("|")[1:]])),
            (
                "row 0: unit 4 has layers of several widths",
                net.rpartition("|")[0] + "|res_e0.2_k3_w1328->res_e0.2_k3_w2048",
            ),
        ]
    for message, text in wrong:
        with pytest.raises(MlflowException, match=message):
            loaded.predict(pd.DataFrame({"net": [text], "resolution": np.array([224], dtype="int64")}))
    with pytest.raises(MlflowException, match="row 0: resolution 500"):
        loaded.predict(pd.DataFrame({"net": archs.to_strings()[:1], "resolution": np.array([500], dtype="int64")}))


@pytest.mark.filterwarnings("ignore::UserWarning")  # MLflow's advice on signatures
def test_in_mlflow_the_resolution_may_be_left_out_where_there_is_one(
    single: BlockwiseModel, several: BlockwiseModel, tmp_path: Path
) -> None:
    archs = sample_architectures(PN, 5, np.random.default_rng(6))
    nets = pd.DataFrame({"net": archs.to_strings()}, index=list("abcde"))
    loaded = []
    for name, model in (("single", single), ("several", several)):
        model.save(tmp_path / name)
        mlflow.pyfunc.save_model(
            tmp_path / f"{name}-mlflow",
            python_model=str(MODEL_CODE),
            artifacts={"predictor": str(tmp_path / name), **CARRIED},
            pip_requirements=["mlflow"],
        )
        loaded.append(mlflow.pyfunc.load_model(str(tmp_path / f"{name}-mlflow")))
    found = loaded[0].predict(nets)
    assert found.index.tolist() == list("abcde")
    np.testing.assert_allclose(found["latency_ms"], single.predict(archs, 224).latency_ms, rtol=1e-9)
    with pytest.raises(MlflowException, match="no column 'resolution': this predictor knows 160 to 224"):
        loaded[1].predict(nets)
    with pytest.raises(MlflowException, match="row c: resolution nan"):
        loaded[1].predict(nets.assign(resolution=[160, 164, np.nan, 224, 160]))
    with pytest.raises(MlflowException, match="no column 'net' or 'net_str': there are network"):
        loaded[0].predict(nets.rename(columns={"net": "network"}))


def test_a_saved_model_is_small(tmp_path: Path) -> None:
    everything = fit_blockwise(make_data((128, 256)), "npu")
    assert len(everything.resolutions) == 33
    everything.save(tmp_path)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 2e6


def test_a_folder_that_cannot_be_written(single: BlockwiseModel, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, check=coded("unwritable-folder")):
        single.save(tmp_path / "file")


def test_damaged_files_are_refused(single: BlockwiseModel, tmp_path: Path) -> None:
    with pytest.raises(DataFileError, check=coded("not-a-predictor")):
        load_blockwise(tmp_path)
    single.save(tmp_path)
    (tmp_path / "costs.npz").write_bytes(b"PK")
    with pytest.raises(DataFileError, check=coded("not-a-predictor")):
        load_blockwise(tmp_path)


def test_a_metric_of_the_wrong_space_or_resolution(single: BlockwiseModel, tmp_path: Path) -> None:
    single.save(tmp_path)
    folder = PredictorFolder("blockprof-pn-npu v1", tmp_path)
    with pytest.raises(MetricError, match=r"blockwise.*pn.*mbv3", check=coded("not-of-space")):
        load_predicted(folder, load_space("mbv3"), "npu", 224)
    with pytest.raises(BlockprofError, match=r"224.*192", check=coded("no-such-resolution")):
        load_predicted(folder, PN, "npu", 192)
