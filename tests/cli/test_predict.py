"""``blockprof predict``: any metric of given networks, to standard output or a file."""

from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

import blockprof

NET = "mbconv2_e6_k7->mbconv2_e3_k3|mbconv2_e3_k3->mbconv2_e3_k3|mbconv2_e3_k3->mbconv2_e3_k3|mbconv2_e3_k3->mbconv2_e3_k3|mbconv2_e3_k3->mbconv2_e3_k3|mbconv2_e3_k3"  # noqa: E501


def test_metrics_of_a_list_on_standard_output_or_in_a_file(cli, folder: Path) -> None:
    Path("nets.txt").write_text(f"{NET}\n")
    expected = blockprof.predict("pn", [NET], ["npu", "accuracy"], resolution=208).to_pandas()
    shown = cli("predict", "nets.txt", "--space", "pn", "--metrics", "npu,accuracy", "--resolution", "208")
    assert shown.returncode == 0
    found = pd.read_csv(StringIO(shown.stdout))
    pd.testing.assert_frame_equal(found, expected)
    for name, read in (("out.csv", pd.read_csv), ("out.parquet", pd.read_parquet), ("out.json", pd.read_json)):
        line = ["predict", NET, "--space", "pn", "--metrics", "npu,accuracy", "--resolution", "208", "--out", name]
        written = cli(*line)
        assert (written.stdout, written.stderr) == ("", "")
        assert written.hints.startswith(f"wrote {name}\nnext: blockprof search --space pn ")
        pd.testing.assert_frame_equal(read(name), expected, check_dtype=False)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"predict {NET} -s pn --out out.txt", "--out out.txt: its ending is to be one of .csv, .parquet, .json"),
        ("predict nosuch -s pn", "pn has 6"),
        (f"predict {NET} -s pn -m nosuch", "unknown metric 'nosuch'"),
    ],
)
def test_what_is_refused(line: str, said: str, refused) -> None:
    assert said in refused(*line.split())
