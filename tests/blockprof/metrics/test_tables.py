"""The reference tables and the Note10 look-up tables."""

import re
from pathlib import Path

import numpy as np
import pytest
from codes import coded

from blockprof.foundation.errors import DataFileError, MetricError
from blockprof.metrics import list_lookup_tables, load_metrics, load_reference
from blockprof.metrics.lookup import load_published
from blockprof.spaces import Architectures, load_space
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")
SMALL_PN = "|".join(["mbconv2_e3_k3->mbconv2_e4_k5"] * 5 + ["mbconv2_e6_k7"])


@pytest.mark.parametrize(("resolution", "weights"), [(192, [1, 0, 0]), (224, [0, 0, 1]), (212, [0, 0.75, 0.25])])
def test_a_network_is_base_plus_its_blocks(resolution: int, weights: list[float]) -> None:
    """Summed by hand from pn's npu.csv."""
    rows = (Path(__file__).parents[3] / "blockprof/spaces/library/pn/reference/npu.csv").read_text().splitlines()
    cost = {row.rsplit(",", 3)[0]: np.array(row.rsplit(",", 3)[1:], dtype=float) for row in rows[1:]}
    keys = [f"{u},first,3,3" for u in range(1, 6)] + [f"{u},rest,4,5" for u in range(1, 6)] + ["6,first,6,7"]
    by_hand = cost["base,,,"] @ weights + sum(cost[key] @ weights for key in keys)
    value = load_reference(PN, "npu", resolution).evaluate(Architectures.from_strings(PN, [SMALL_PN]))
    np.testing.assert_allclose(value, [by_hand], rtol=1e-12)


def test_a_space_without_tables_says_so() -> None:
    with pytest.raises(MetricError, match=r"npu.*resnet50", check=coded("no-reference-table")):
        load_reference(load_space("resnet50"), "npu")


@pytest.mark.parametrize("space", ["mbv3", "pn"])
@pytest.mark.parametrize("name", ["accuracy", "cpu", "gpu", "npu"])
def test_every_table_is_complete_and_says_what_it_is(space: str, name: str) -> None:
    for resolution in range(192, 225, 4):
        metric = load_reference(load_space(space), name, resolution)
        assert np.isfinite(metric.score.costs).all()
        assert metric.info.origin == "reference"
        assert metric.info.higher_is_better == (name == "accuracy")
        assert ("interpolated" in metric.info.source) == (resolution not in (192, 208, 224))
        assert metric.info.errors is not None
        assert "on extreme ones" in metric.info.errors.text


def test_accuracy_depends_on_the_layer() -> None:
    costs = load_reference(PN, "accuracy").score.slot_costs
    assert np.abs(costs[1] - costs[2]).max() > 0


@pytest.mark.parametrize("resolution", [188, 228])
def test_reference_tables_end_at_192_and_224(resolution: int) -> None:
    with pytest.raises(MetricError, match=f"192 to 224, not {resolution}"):
        load_reference(PN, "npu", resolution)


def test_note10_equals_its_yaml_summed_by_hand(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yaml = pytest.importorskip("yaml")
    monkeypatch.setenv("BLOCKPROF_DATA", str(shared_data))
    space = load_space("mbv3")
    table = yaml.safe_load((shared_data / "note10" / "192_lookup_table.yaml").read_text())
    unit_shapes = [(96, 24, 48, 32), (48, 32, 24, 48), (24, 48, 12, 96), (12, 96, 12, 136), (12, 136, 6, 192)]
    flags = [(0, 0), (1, 0), (0, 1), (1, 1), (1, 1)]
    fixed = [key for key in table if not key.startswith("expanded_conv") or "expand:24-" in key]
    total = sum(table[key]["mean"] for key in fixed)
    for (size_in, c_in, size_out, c_out), (se, hs) in zip(unit_shapes, flags, strict=True):
        shapes = [(size_in, c_in, size_in // size_out, 0), (size_out, c_out, 1, 1)]
        for size, channels, stride, skip in shapes:
            key = (
                f"expanded_conv-input:{size}x{size}x{channels}-output:{size_out}x{size_out}x{c_out}"
                f"-expand:{channels * 6}-kernel:5-stride:{stride}-idskip:{skip}-se:{se}-hs:{hs}"
            )
            total += table[key]["mean"]
    net = "|".join(["mbconv3_e6_k5->mbconv3_e6_k5"] * 5)
    value = load_published(space, "note10", 192).evaluate(Architectures.from_strings(space, [net]))
    np.testing.assert_allclose(value, [total], rtol=1e-12)


def test_note10_has_every_block_at_every_resolution(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_DATA", str(shared_data))
    space = load_space("mbv3")
    archs = sample_architectures(space, 100, np.random.default_rng(0))
    means = [load_published(space, "note10", resolution).evaluate(archs).mean() for resolution in range(160, 225, 4)]
    assert len(means) == 17
    assert means[-1] > 1.5 * means[0]


def test_note10_without_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_DATA", str(tmp_path))
    space = load_space("mbv3")
    with pytest.raises(MetricError, match=r"mbv3.*pn", check=coded("not-of-space")):
        load_published(PN, "note10", 224)
    with pytest.raises(MetricError, check=coded("table-not-fetched")):
        load_published(space, "note10", 224)
    (tmp_path / "note10").mkdir()
    table = tmp_path / "note10" / "224_lookup_table.yaml"
    table.write_text("Conv-input:224x224x3-output:112x112x24:\n  mean: 1.0\n")
    with pytest.raises(MetricError, match=r"192.*224", check=coded("no-such-resolution")):
        load_published(space, "note10", 192)
    with pytest.raises(DataFileError, check=coded("no-such-entry")):
        load_published(space, "note10", 224)
    for damage, said in (
        ("just text", "not a look-up table"),
        ("a: [1", "is not YAML"),
        ("- 1", "not a look-up table"),
    ):
        table.write_text(damage)
        with pytest.raises(DataFileError, match=said):
            load_published(space, "note10", 224)


BAD_MEANS = [
    ("-1", "-1 is not a positive, finite number"),
    ("0", "0 is not a positive, finite number"),
    (".nan", "nan is not a positive"),
    (".inf", "inf is not a positive"),
    ("fast", "'fast' is not a positive"),
    ("true", "True is not a positive"),
    ("[1.0]", "is not a positive"),
    ("1e-320", "1e-320' is a latency that no clock gives"),
    ("1.0e+300", "1e\\+300 is a latency that no clock gives"),
]


@pytest.mark.parametrize(("mean", "said"), BAD_MEANS)
def test_a_mean_that_is_no_latency_is_told_with_its_file_and_key(
    mean: str, said: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOCKPROF_DATA", str(tmp_path))
    content = (shared_data / "note10" / "224_lookup_table.yaml").read_text()
    key = "Logits-input:1x1x1536-output:1000"
    before, after = content.split(f"{key}:\n", 1)
    after = re.sub(r"mean: \S+", f"mean: {mean}", after, count=1)
    table = tmp_path / "phone" / "224_lookup_table.yaml"
    table.parent.mkdir()
    table.write_text(f"{before}{key}:\n{after}")
    with pytest.raises(DataFileError, match=f"^{table}: entry '{key}', mean: .*{said}"):
        load_metrics(load_space("mbv3"), ["phone"], 224, lambda _: None)


def test_a_folder_of_tables_is_a_metric(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_DATA", str(tmp_path))
    space = load_space("mbv3")
    assert list_lookup_tables(space) == {}
    mine = tmp_path / "my-phone"
    mine.mkdir()
    for size in (192, 224):
        name = f"{size}_lookup_table.yaml"
        (mine / name).write_bytes((shared_data / "note10" / name).read_bytes())
    (mine / "LICENSE").write_text("free")
    assert list_lookup_tables(space) == {"my-phone": [192, 224]}
    assert list_lookup_tables(PN) == {}
    (metric,) = load_metrics(space, ["my-phone"], 192, lambda _: None)
    assert (metric.info.name, metric.info.unit, metric.info.origin) == ("my-phone", "ms", "table")
    assert metric.info.source == "look-up table, my-phone, 192_lookup_table.yaml"
    archs = sample_architectures(space, 20, np.random.default_rng(0))
    monkeypatch.setenv("BLOCKPROF_DATA", str(shared_data))
    published = load_published(space, "note10", 192).evaluate(archs)
    np.testing.assert_array_equal(metric.evaluate(archs), published)
    monkeypatch.setenv("BLOCKPROF_DATA", str(tmp_path))
    for chosen, size, said in (
        (space, 160, r"no my-phone table for resolution 160.*\[192, 224\]"),
        (PN, 224, "not for pn"),
    ):
        with pytest.raises(MetricError, match=said):
            load_metrics(chosen, ["my-phone"], size, lambda _: None)
    with pytest.raises(MetricError, match="my-phone", check=coded("unknown-metric")):
        load_metrics(space, ["other"], 224, lambda _: None)
    for name in ("table.yaml", "224_lookup_table.yml", "0224_lookup_table.yaml"):
        (mine / name).write_text("a: {mean: 1.0}")
        with pytest.raises(DataFileError, match=f"^{mine / name}: is not understood: look-up tables are named"):
            load_metrics(space, ["my-phone"], 192, lambda _: None)
        (mine / name).unlink()


def test_a_name_never_leads_out_of_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "224_lookup_table.yaml").write_text("a: {mean: 1.0}")
    for name in ("../out", "..", "", str(tmp_path / "out")):
        with pytest.raises(MetricError, check=coded("unknown-metric")):
            load_metrics(load_space("mbv3"), [name], 224, lambda _: None)


def test_i7_equals_its_yaml_summed_by_hand(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    monkeypatch.setenv("BLOCKPROF_DATA", str(shared_data))
    space = load_space("mbv3")
    table = yaml.load((shared_data / "i7" / "i7-8700K_lut.yaml").read_text(), Loader=yaml.CSafeLoader)
    keys = [
        "first_conv-input:224x224x3-output:112x112x24",
        "MBConv-input:112x112x24-output:112x112x24-expand:1-kernel:3-stride:1-idskip:1-se:0",
        "final_expand_layer-input:7x7x192-output:7x7x1152",
        "feature_mix_layer-input:1x1x1152-output:1x1x1536",
        "classifier-input:1536-output:1000",
    ]
    unit_shapes = [(112, 24, 56, 32, 0), (56, 32, 28, 48, 1), (28, 48, 14, 96, 0), (14, 96, 14, 136, 1)]
    for size_in, c_in, size_out, c_out, se in (*unit_shapes, (14, 136, 7, 192, 1)):
        for size, channels, skip in ((size_in, c_in, 0), (size_out, c_out, 1)):
            keys.append(
                f"MBConv-input:{size}x{size}x{channels}-output:{size_out}x{size_out}x{c_out}"
                f"-expand:6-kernel:5-stride:{size // size_out}-idskip:{skip}-se:{se}"
            )
    net = "|".join(["mbconv3_e6_k5->mbconv3_e6_k5"] * 5)
    value = load_published(space, "i7-8700k", 224).evaluate(Architectures.from_strings(space, [net]))
    np.testing.assert_allclose(value, [sum(table[key]["mean"] for key in keys)], rtol=1e-12)
    for resolution in (space.resolutions[0], 164, space.resolutions[-1]):
        assert load_published(space, "i7-8700k", resolution).base > 0


def test_i7_without_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_DATA", str(tmp_path))
    with pytest.raises(MetricError, match=r"mbv3, mbv3-w1\.0, not for pn", check=coded("not-of-space")):
        load_published(PN, "i7-8700k", 224)
    with pytest.raises(MetricError, match="i7-8700k", check=coded("table-not-fetched")):
        load_published(load_space("mbv3"), "i7-8700k", 224)


def test_names_that_nothing_answers_to() -> None:
    with pytest.raises(MetricError, match=r"tpu.*pn.*macs.*npu", check=coded("unknown-metric")):
        load_metrics(PN, ["npu", "tpu"], 224, lambda _: None)
    with pytest.raises(MetricError, match=r"128.*256.*4", check=coded("no-such-resolution")):
        load_metrics(PN, ["npu"], 225, lambda _: None)
