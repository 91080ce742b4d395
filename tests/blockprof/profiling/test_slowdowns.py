"""What slows a target down: found where something does, and nothing said where nothing does.

``data/pn_blocks_int8.csv`` has the blocks of ``pn``, exported from torch and timed here (ONNX Runtime 1.32, CPU time of
one thread): fp32, int8, and int8 made without ``quant_pre_process``. ``data/pn_onnxruntime.csv`` has 80 networks as
``blockprof measure`` timed them (ONNX Runtime, fp32).
"""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blockprof import predictors
from blockprof.latency_data import LatencyData, read_latency_csv
from blockprof.metrics import AdditiveMetric, MetricInfo, load_reference
from blockprof.predictors.features import convolution_macs
from blockprof.profiling import profile
from blockprof.profiling.slowdowns import Slowdown, find_slowdowns
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")
DATA = Path(__file__).parent / "data"
IS_7X7 = np.array([one.block.kernel == 7 for one in PN.instances])


def measured(column: str) -> AdditiveMetric:
    lines = (DATA / "pn_blocks_int8.csv").read_text().splitlines()
    rows = {row["piece"]: float(row[column]) for row in csv.DictReader(lines)}
    return AdditiveMetric(
        MetricInfo(column, "ms", False, "measured", "blocks"),
        PN,
        rows["stem"] + rows["head"],
        np.array([rows[one.name] for one in PN.instances]),
        resolution=224,
    )


def of_macs(times: np.ndarray | float = 1.0) -> AdditiveMetric:
    """Costs in proportion to multiply-adds, but for so many times."""
    costs = times * convolution_macs(PN, 224) / 1e8
    return AdditiveMetric(MetricInfo("made", "ms", False, "measured", "made"), PN, 1.0, costs, resolution=224)


def predicted(data: LatencyData) -> AdditiveMetric:
    """A predictor of networks, as a metric with what its training leaves open."""
    model = predictors.fit_blockwise(data, "made")
    base, costs = model.cost_table(224)
    info = MetricInfo("made", "ms", False, "predicted", "made")
    return AdditiveMetric(info, PN, base, costs, covariance=model.cost_covariance(224), resolution=224)


def timed(metric: AdditiveMetric, num_networks: int = 60) -> LatencyData:
    """Random networks as the metric says, repeated to 1.5 %."""
    rng = np.random.default_rng(0)
    archs = sample_architectures(PN, num_networks, rng)
    noise = np.exp(0.015 * rng.standard_normal(num_networks))
    return LatencyData(archs, np.full(num_networks, 224), metric.evaluate(archs) * noise, "made")


def test_int8_made_without_pre_processing() -> None:
    """The depthwise convolutions have no int8 kernel then, the more so the larger they are."""
    first, *_ = found = find_slowdowns(measured("int8_noprep_ms"))
    assert first.what == "blocks of kernel size 7 x 7"
    assert first.num_blocks == 33
    assert first.times == pytest.approx(2.4, abs=0.05)
    assert first.interval[0] == first.interval[1]
    assert first.ms - first.expected_ms > 9
    assert any("k5" in one.what for one in found[1:])


def test_networks_tell_it_as_blocks_do() -> None:
    (found,) = find_slowdowns(predicted(timed(measured("int8_noprep_ms"))))
    assert found.what == "blocks of kernel size 7 x 7"
    low, high = found.interval
    assert 1.5 < low < 2.4 < high < 3.2


def test_nothing_is_said_of_fp32() -> None:
    data = read_latency_csv(DATA / "pn_onnxruntime.csv", PN)
    for seed in range(2):
        rows = np.random.default_rng(seed).permutation(len(data))[:60]
        assert not find_slowdowns(predicted(data.select(rows)))
    assert find_slowdowns(measured("fp32_ms")) == ()


def test_xnnpack_has_no_fast_path_for_7x7() -> None:
    """DESIGN, section 9: in unit 1 a 7 x 7 block costs 19 times (LiteRT) what the 3 x 3 one does; 1.4 by its MACs."""
    metric = of_macs(np.where(IS_7X7, 19 / 1.4, 1.0))
    (found,) = find_slowdowns(metric)
    assert found.what == "blocks of kernel size 7 x 7"
    # Its siblings' activations make expect a little more than their multiply-adds do.
    assert found.times == pytest.approx(19 / 1.4, rel=0.03)
    (of_networks,) = find_slowdowns(predicted(timed(metric)))
    assert of_networks.what == found.what
    assert of_networks.interval[0] < found.times < of_networks.interval[1]


def test_one_layer_that_fell_back() -> None:
    fell_back = np.array([one.name == "u2.rest.e6k5" for one in PN.instances])
    (found,) = find_slowdowns(of_macs(np.where(fell_back, 4.0, 1.0)))
    assert found.what == "u2.l2-4.e6k5"
    assert found.times == pytest.approx(4.0)
    assert found.sentence(12.0).startswith(
        "u2.l2-4.e6k5 costs 4.0 times what the cheaper blocks of the same layers cost"
    )


def test_a_unit_where_one_kernel_size_is_slow() -> None:
    slow = np.array([one.unit == 4 and one.block.kernel == 5 for one in PN.instances])
    (found,) = find_slowdowns(of_macs(np.where(slow, 3.0, 1.0)))
    assert found.what == "blocks of kernel size 5 x 5 in unit 5"


def test_where_all_blocks_cost_the_same_none_is_slow() -> None:
    """A target that launches bind: small blocks cost much for a multiply-add, but no more than others."""
    assert find_slowdowns(replace(of_macs(), costs=np.full(len(PN.instances), 0.3))) == ()
    assert find_slowdowns(load_reference(PN, "gpu")) == ()


def test_what_is_not_known_well_enough_is_not_said() -> None:
    metric = of_macs(np.where(IS_7X7, 3.0, 1.0))
    size = len(metric.costs) + 1
    unsure = replace(metric, covariance=np.diag(np.append((0.02 * metric.costs.mean()) ** 2 * np.ones(size - 1), 1e-6)))
    (found,) = find_slowdowns(unsure)
    assert found.interval[0] < 3.0 < found.interval[1]
    nothing_known = np.eye(size) * metric.costs.max() ** 2
    assert find_slowdowns(replace(metric, covariance=nothing_known)) == ()


def test_a_profile_has_them_of_latencies_only() -> None:
    found = profile(PN, [measured("int8_noprep_ms"), load_reference(PN, "accuracy")])
    assert isinstance(found.metrics[0].slowdowns[0], Slowdown)
    assert found.metrics[1].slowdowns == ()
    frame = found.slowdown_frame()
    assert frame["metric"].unique().tolist() == ["int8_noprep_ms"]
    assert frame["what"][0] == "blocks of kernel size 7 x 7"
    assert (frame["times"] >= 1.5).all()
