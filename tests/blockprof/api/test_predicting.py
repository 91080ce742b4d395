"""Any metric of given networks."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import blockprof
from blockprof.foundation.errors import DataFileError, InputError, NetStringError
from blockprof.output.exporting import write_table
from blockprof.spaces import load_space

PN = load_space("pn")


@pytest.fixture(autouse=True)
def no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without predictors."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "BLOCKPROF_DATA"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def archs() -> blockprof.Architectures:
    return blockprof.sample_architectures(PN, 5, np.random.default_rng(0))


def test_networks_in_any_form_have_the_same_metrics(archs: blockprof.Architectures, tmp_path: Path) -> None:
    (npu, flops) = blockprof.load_metrics("pn", ["npu", "flops"])
    nets, listed = archs.to_strings(), tmp_path / "nets.txt"
    listed.write_text("\n".join(nets))
    expected = blockprof.predict("pn", archs, ["npu", "flops"]).to_pandas()
    assert expected.columns.tolist() == [
        *("net_str", "resolution", "npu", "npu_lower", "npu_upper", "flops", "flops_lower", "flops_upper")
    ]
    np.testing.assert_array_equal(expected["npu"], npu.evaluate(archs))
    np.testing.assert_array_equal(expected["flops"], flops.evaluate(archs))
    assert expected["npu_lower"].isna().all()
    for networks in (nets, listed, str(listed)):
        pd.testing.assert_frame_equal(blockprof.predict("pn", networks, ["npu", "flops"]).to_pandas(), expected)
    pd.testing.assert_frame_equal(blockprof.predict("pn", nets[0], ["npu", "flops"]).to_pandas(), expected[:1])
    # What it writes it reads, in every format.
    for name in ("nets.csv", "nets.parquet", "nets.json"):
        write_table(expected, tmp_path / name)
        again = blockprof.predict("pn", tmp_path / name, ["npu", "flops"])
        pd.testing.assert_frame_equal(again.to_pandas(), expected)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("net_str,npu\nmbconv2_e6_k3,1", "row 2, column 'net_str'"),
        ("net_str;resolution\n{net};100", "row 2, column 'resolution': '100' is not a resolution of pn"),
        ("resolution\tnet_str\nx\t{net}", "row 2, column 'resolution': 'x' is not a resolution of pn"),
    ],
)
def test_a_table_that_is_wrong_says_where(rows: str, said: str, archs: blockprof.Architectures, tmp_path: Path) -> None:
    (tmp_path / "nets.csv").write_text(rows.format(net=archs.to_strings()[0]))
    with pytest.raises(DataFileError, match=re.escape(f"nets.csv: {said}")):
        blockprof.predict("pn", tmp_path / "nets.csv", "npu")


def test_a_metric_may_be_given_alone_and_the_result_says_what_it_is(archs: blockprof.Architectures) -> None:
    found = blockprof.predict("pn", archs, "npu")
    assert repr(found) == f"<Predictions of {len(archs)} networks of pn: npu (ms) reference>"
    assert found._repr_html_().count("<tr") == 1 + len(archs)
    (axes,) = found.plot().axes
    assert axes.get_ylabel() == "npu (ms), reference"


def test_ofas_dictionaries_may_say_their_resolution() -> None:
    settings = {"ks": [3] * 21, "e": [3] * 21, "d": [2] * 6}
    found = blockprof.predict("pn", [settings, {**settings, "r": [160]}], ["macs"]).to_pandas()
    assert found["resolution"].tolist() == [224, 160]
    assert found["macs"][0] > 1.8 * found["macs"][1]
    text = blockprof.predict("pn", json.dumps(settings), ["macs"]).to_pandas()
    assert text["macs"].tolist() == found["macs"].tolist()[:1]


def test_costs_with_a_covariance_give_intervals(archs: blockprof.Architectures) -> None:
    (npu,) = blockprof.load_metrics("pn", ["npu"])
    size = len(npu.costs) + 1
    own = replace(npu, info=replace(npu.info, name="own"), covariance=np.diag(np.full(size, 0.01)))
    found = blockprof.predict("pn", archs, [own]).to_pandas()
    ids = PN.encode(archs, own.by)
    for row, (half, net) in enumerate(zip((found["own_upper"] - found["own"]), ids, strict=True)):
        times = np.unique(net[net < size - 1], return_counts=True)[1]
        assert half == pytest.approx(1.645 * 0.1 * np.sqrt((times**2).sum() + 1), rel=1e-3), row


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NetStringError):
        blockprof.predict("pn", ["mbconv2_e6_k3"])
    with pytest.raises(InputError, match="no networks"):
        blockprof.predict("pn", [])
    with pytest.raises(InputError, match=r"none\.csv"):
        blockprof.predict("pn", tmp_path / "none.csv")
