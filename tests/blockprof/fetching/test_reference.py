import numpy as np
import pytest
from codes import coded

from blockprof.fetching import fetch_reference, find_latency_file, reference_data
from blockprof.foundation.errors import InputError, MetricError
from blockprof.latency_data import read_latency_csv
from blockprof.metrics.reference import load_reference, reference_deviation
from blockprof.spaces import load_space

PN = load_space("pn")


@pytest.mark.parametrize("space_name", ["pn", "mbv3"])
@pytest.mark.parametrize("metric", ["npu", "gpu", "cpu"])
def test_noise_is_what_the_table_leaves_over(space_name, metric):
    space = load_space(space_name)
    data = reference_data(space, metric, num_nets=4000, seed=0)
    error = data.latencies_ms / load_reference(space, metric).evaluate(data.archs) - 1
    std = reference_deviation(space, metric)
    assert error.std() == pytest.approx(std, rel=0.06), "5 standard errors of a standard deviation from 4,000"
    assert abs(error.mean()) < 5 * std / np.sqrt(4000)
    assert data.device == f"reference-{metric}"
    assert set(data.resolutions.tolist()) == {224}
    assert len(set(data.archs.to_strings())) == 4000, "networks are distinct"


def test_networks_depend_on_the_seed_noise_also_on_the_metric():
    npu, cpu = (reference_data(PN, metric, 100, seed=3) for metric in ("npu", "cpu"))
    assert npu.archs.to_strings() == cpu.archs.to_strings()
    noise = [
        data.latencies_ms / load_reference(PN, name).evaluate(data.archs)
        for name, data in zip(("npu", "cpu"), (npu, cpu), strict=True)
    ]
    assert abs(np.corrcoef(noise)[0, 1]) < 0.5
    assert reference_data(PN, "npu", 100, seed=3).digest == npu.digest
    assert reference_data(PN, "npu", 100, seed=4).digest != npu.digest


def test_files_are_in_the_layout_and_all_or_none(tmp_path):
    fetched = fetch_reference(PN, ["npu", "gpu"], tmp_path / "data", num_nets=50, seed=1)
    assert [file.path.name for file in fetched] == ["ofa_pn_npu_reference.csv", "ofa_pn_gpu_reference.csv"]
    for file, metric in zip(fetched, ["npu", "gpu"], strict=True):
        again = read_latency_csv(file.path, PN)
        assert file.latencies is not None
        assert again.digest == file.latencies.digest == reference_data(PN, metric, 50, seed=1).digest
    with pytest.raises(MetricError):
        fetch_reference(PN, ["cpu", "tpu"], tmp_path / "data", num_nets=50, seed=1)
    assert len(list((tmp_path / "data").iterdir())) == 2


def test_an_other_file_is_not_replaced(tmp_path):
    mine = tmp_path / "ofa_pn_npu_reference.csv"
    mine.write_text("made with another seed")
    with pytest.raises(InputError, check=coded("file-in-the-way")):
        fetch_reference(PN, ["gpu", "npu"], tmp_path, num_nets=10, seed=0)
    assert [path.name for path in tmp_path.iterdir()] == [mine.name]


def test_published_latencies_come_before_reference_ones(tmp_path):
    published = tmp_path / "ofa_pn_npu_lat_data.csv"
    assert find_latency_file(PN, "npu", tmp_path) == published
    (made,) = fetch_reference(PN, ["npu"], tmp_path, num_nets=10, seed=0)
    assert find_latency_file(PN, "npu", tmp_path) == made.path
    published.write_text("measured")
    assert find_latency_file(PN, "npu", tmp_path) == published


def test_bad_requests():
    with pytest.raises(MetricError, match=r"accuracy.*pn.*npu.*gpu.*cpu", check=coded("no-reference-table")):
        reference_data(PN, "accuracy", 10, seed=0)
    with pytest.raises(InputError, match="0", check=coded("below-1")):
        reference_data(PN, "npu", 0, seed=0)
