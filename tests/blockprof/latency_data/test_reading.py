import csv
import gzip
import io
import re
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from codes import coded
from hypothesis import given, settings
from hypothesis import strategies as st

from blockprof.foundation.errors import DataFileError, DataNote
from blockprof.latency_data import (
    LatencyData,
    cells,
    first_network,
    named_space,
    parse_latency_csv,
    parse_network_csv,
    read_latency_csv,
    write_latency_csv,
)
from blockprof.spaces import load_space, spaces_having
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")
MBV3 = load_space("mbv3")
HEADER = "net_id,net_str,device,resolution,lat unit,end-to-end lat"
NETS = sample_architectures(PN, 8, np.random.default_rng(0)).to_strings()
MBV3_NET = sample_architectures(MBV3, 1, np.random.default_rng(0)).to_strings()[0]


def named(space):
    """A file of one network that says which space it is of."""
    return f"{HEADER},space\n{row()},{space}\n".encode()


def row(net=NETS[0], device="npu", resolution="224", unit="ms", latency="10.5"):
    return f"0,{net},{device},{resolution},{unit},{latency}"


def content(*rows, header=HEADER):
    return "\n".join([header, *rows, ""]).encode()


GOOD = row(NETS[1], latency="10.5127")

BAD_ROWS = [
    # (row 3 of the file, its column, what the message says)
    (row(NETS[0].replace("mbconv2_", "mbconv9_", 1)), "net_str", "unknown block 'mbconv9_"),
    (row(MBV3_NET), "net_str", "mbv3"),
    (row(NETS[0].rsplit("|", 1)[0]), "net_str", "5 units, but pn has 6"),
    (row("mbconv2_e3_k3->" * 4 + NETS[0]), "net_str", "unit 1 has"),
    (row(""), "net_str", "1 units"),
    (row(device="gpu"), "device", "split the file by device"),
    (row(device=" "), "device", "no device"),
    (row(resolution="224.5"), "resolution", "'224.5' is not a resolution of pn (128 to 256 in steps of 4)"),
    (row(resolution="large"), "resolution", "'large'"),
    (row(resolution=""), "resolution", "''"),
    (row(resolution="100"), "resolution", "'100'"),
    (row(resolution="9" * 5000), "resolution", "'9999"),
    (row(unit="minutes"), "lat unit", "unknown unit 'minutes': there are ns, us, ms, s"),
    (row(unit=""), "lat unit", "unknown unit ''"),
    (row(latency="fast"), "end-to-end lat", "'fast' is not a positive, finite number"),
    (row(latency=""), "end-to-end lat", "1 of 3 latencies is empty: fill in what you measured"),
    (row(latency="NaN"), "end-to-end lat", "'NaN'"),
    (row(latency="inf"), "end-to-end lat", "'inf'"),
    (row(latency="-inf"), "end-to-end lat", "'-inf'"),
    (row(latency="0"), "end-to-end lat", "'0'"),
    (row(latency="-3.5"), "end-to-end lat", "'-3.5'"),
    (row(unit="s", latency="1e308"), "end-to-end lat", "'1e308' is a latency that no clock gives"),
    (row(latency="1e-320"), "end-to-end lat", "'1e-320' is a latency that no clock gives: 1 ns to 1e9 ms are taken"),
    (row(latency="1e-12"), "end-to-end lat", "'1e-12' is a latency that no clock gives"),
    (row(latency="1e300"), "end-to-end lat", "'1e300' is a latency that no clock gives"),
    (row(latency="1.7e308"), "end-to-end lat", "'1.7e308' is a latency that no clock gives"),
    (row(latency="1_2_3"), "end-to-end lat", "'1_2_3' is not a positive, finite number"),
    (row(latency="１２"), "end-to-end lat", "'１２' is not a positive, finite number"),
    (row(latency="0x10"), "end-to-end lat", "'0x10' is not a positive, finite number"),
    (row(unit="us", latency="1e-323"), "end-to-end lat", "'1e-323'"),
    (GOOD, "net_str", "repeats row 2"),
    (row(NETS[1], unit="us", latency="10512.7"), "net_str", "repeats row 2"),
    (row(NETS[1], latency="21"), "end-to-end lat", "21 ms contradicts row 2, which has 10.5127 ms"),
    (row(NETS[1], latency="1"), "end-to-end lat", "repeats may differ by a factor of 1.50: correct or remove one"),
]


def message_of(data, space=PN):
    with pytest.raises(DataFileError) as caught:
        parse_latency_csv(data, space, "lat.csv")
    message = str(caught.value)
    assert caught.value.exit_code == 2
    assert message.startswith("lat.csv: ")
    assert message.isprintable(), "one line, and nothing that a terminal acts on"
    return message


@pytest.mark.parametrize(("bad", "column", "said"), BAD_ROWS)
def test_bad_row_is_named_with_its_column(bad, column, said):
    message = message_of(content(GOOD, bad, row(NETS[2])))
    assert message.startswith(f"lat.csv: row 3, column '{column}': ")
    assert said in message
    assert "more row" not in message


def test_rows_are_counted_as_an_editor_shows_them():
    blank_lines = content(GOOD, "", "  ", ",,,,,", row(unit="h"))
    assert "row 6, column 'lat unit'" in message_of(blank_lines)
    assert "row 6, column 'lat unit'" in message_of(blank_lines.replace(b"\n", b"\r\n"))


def test_first_problem_is_told_and_the_other_rows_counted():
    message = message_of(content(GOOD, row(NETS[2], latency="0"), row(NETS[3], unit="h"), row("x", latency="nan")))
    assert message.startswith("lat.csv: row 3, column 'end-to-end lat': '0'")
    assert message.endswith("(and 2 more rows have problems)")


@pytest.mark.parametrize(
    ("cells", "line", "said"),
    [
        (
            ("", "", ""),
            2,
            "3 of 3 latencies are empty: fill in what you measured, and remove the rows of networks that",
        ),
        (("1", " ", ""), 3, "2 of 3 latencies are empty: "),
        (("1", "2", ""), 4, "1 of 3 latencies is empty: "),
    ],
)
def test_empty_latencies_are_counted_in_one(cells, line, said):
    rows = [row(net, latency=cell) for net, cell in zip(NETS[:3], cells, strict=True)]
    message = message_of(content(*rows))
    assert message.startswith(f"lat.csv: row {line}, column 'end-to-end lat': {said}")
    assert message.endswith("that were not measured")


def test_beside_empty_latencies_other_problems_are_counted():
    rows = [row(net, latency="") for net in NETS[:3]]
    message = message_of(content(*rows, row(NETS[3], latency="fast"), row(NETS[4], latency="", unit="h")))
    assert "row 2, column 'end-to-end lat': 4 of 5 latencies are empty" in message
    assert message.endswith("(and 1 more row has problems)")
    message = message_of(content(row(NETS[3], latency="fast"), *rows))
    assert message.startswith("lat.csv: row 2, column 'end-to-end lat': 'fast'")
    assert message.endswith("(and 3 more rows have problems)")


def test_networks_are_read_whatever_their_latencies():
    rows = [row(NETS[0], latency=""), row(NETS[1], device="", unit="h", latency="fast"), row(NETS[0], resolution="128")]
    listed = parse_network_csv(content(*rows), PN, "lat.csv")
    assert listed.archs.to_strings() == [NETS[0], NETS[1], NETS[0]]
    assert listed.resolutions.tolist() == [224, 224, 128]
    assert listed.num_latencies == 2
    for bad, said in [
        (row(NETS[0], latency="3"), "row 5, column 'net_str': repeats row 2: the same network and resolution: remove"),
        (row("x", latency=""), "row 5, column 'net_str': "),
        (row(NETS[2], resolution="1"), "row 5, column 'resolution': '1' is not a resolution of pn"),
        ("1,2", "row 5: 2 fields"),
    ]:
        with pytest.raises(DataFileError, match=re.escape(f"lat.csv: {said}")):
            parse_network_csv(content(*rows, bad), PN, "lat.csv")
    with pytest.raises(DataFileError, match=r"space='mbv3' or space='mbv3-w1\.0'", check=coded("not-of-space")):
        parse_network_csv(content(row(MBV3_NET)), PN, "lat.csv")


def test_every_bad_network_is_counted():
    rows = [row(net, latency=str(number)) for number, net in enumerate(NETS, start=1)]
    for index in (1, 4, 7):
        rows[index] = row("mbconv2_e9_k9")
    message = message_of(content(*rows))
    assert message.startswith("lat.csv: row 3, column 'net_str'")
    assert message.endswith("(and 2 more rows have problems)")


def test_wrong_number_of_fields():
    assert "row 3: 4 fields, but the header has 6" in message_of(content(GOOD, f"1,{NETS[0]},npu,22"))
    assert "row 2: 7 fields, but the header has 6" in message_of(content(row(latency="9,79")))


def test_file_of_the_other_space_says_which_to_use():
    assert "use space='mbv3'" in message_of(content(row(MBV3_NET)))
    message = message_of(content(GOOD), MBV3)
    assert "row 2, column 'net_str': a network of pn or pn-w1.0, not of mbv3: use space='pn'" in message
    assert "row 2, column 'space': a network of pn-w1.0, not of pn: use space='pn-w1.0'" in message_of(named("pn-w1.0"))


def test_the_space_that_a_file_names():
    assert parse_latency_csv(named("pn"), PN, "lat.csv").space is PN
    assert parse_latency_csv(named("pn-w1.0"), load_space("pn-w1.0"), "lat.csv").space.name == "pn-w1.0"
    assert (named_space(named("pn-w1.0")), named_space(named("")), named_space(content(GOOD))) == (
        "pn-w1.0",
        None,
        None,
    )
    both = named("pn") + f"{row(NETS[1])},mbv3\n".encode()
    assert "row 3, column 'space': 'mbv3' beside 'pn': a file holds one space: split the file by space" in message_of(
        both
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b",,,\n", "is empty"),
        (content(), "has a header but no rows"),
        (b"\x80\x02}q\x00.", "binary"),
        (content(GOOD).decode().encode("utf-16"), "UTF-8"),
        (content(GOOD, row(device="Bürorechner")).decode().encode("latin-1"), "row 3: byte 0xfc is not UTF-8 text"),
        (b"<!DOCTYPE html>\n<html>\n", "missing column 'net_str', 'device', "),
        (content(GOOD).replace(b",", b":"), "(found: net_id:net_str:device:"),
        (b"\x1f\x8b" + b"x" * 30, "is gzipped, but damaged"),
        (gzip.compress(content(GOOD))[:-9], "is gzipped, but cut off"),
        (b"PAR1" + b"x" * 30, "is not a Parquet file"),
        (
            content(GOOD, header=HEADER.replace("lat unit", "unit")),
            "missing column 'lat unit' (found: net_id, net_str,",
        ),
        (content(GOOD, header=HEADER.replace("net_id", "device")), "column 'device' is there twice"),
        (content(GOOD, '1,"' + NETS[0]), "row 3: not a CSV file"),
        (content(row("x" * 200_000)), "field larger than"),
        (content(row(device="npu", net='"mbconv2_e3_k3\x1b[2J\nx"')), "column 'net_str'"),
    ],
)
def test_file_that_is_not_in_the_layout(data, said):
    assert said in message_of(data)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DataFileError, match=r"absent\.csv", check=coded("no-such-file")):
        read_latency_csv(tmp_path / "absent.csv", PN)
    with pytest.raises(DataFileError, check=coded("folder-in-place-of-a-file")):
        read_latency_csv(tmp_path, PN)
    (tmp_path / "lat.csv").write_bytes(content(row(latency="0")))
    with pytest.raises(DataFileError, match=r"lat\.csv.*2", check=coded("not-a-latency")):
        read_latency_csv(tmp_path / "lat.csv", PN)


def test_mixed_units_are_converted():
    rows = [row(NETS[0], unit="us", latency="9799.32"), row(NETS[1], unit="s", latency="0.25"), row(NETS[2])]
    data = parse_latency_csv(content(*rows), PN, "lat.csv")
    np.testing.assert_allclose(data.latencies_ms, [9.79932, 250.0, 10.5], rtol=1e-15)
    assert data.archs.to_strings() == NETS[:3]
    assert data.device == "npu"


def test_one_network_may_have_several_resolutions():
    data = parse_latency_csv(content(row(), row(resolution="192", latency="8")), PN, "lat.csv")
    assert data.resolutions.tolist() == [224, 192]


def test_columns_in_any_order_with_others_spaces_and_a_byte_order_mark():
    table = f'"end-to-end lat", lat unit ,note,resolution,device,net_str\r\n7.5, ms,"a, b",224 , npu,{NETS[0]}\r\n'
    data = parse_latency_csv(table.encode("utf-8-sig"), PN, "lat.csv")
    assert (data.archs.to_strings(), data.device, data.latencies_ms.tolist()) == (NETS[:1], "npu", [7.5])


@settings(max_examples=25, deadline=None)
@given(
    order=st.permutations(range(len(NETS))), units=st.lists(st.sampled_from(["us", "ms", "s"]), min_size=8, max_size=8)
)
def test_shuffled_rows_give_the_same_set(order, units):
    text_in = {"us": "{}000", "ms": "{}", "s": "{}e-3"}
    rows = [
        row(net, unit=unit, latency=text_in[unit].format(number))
        for number, net, unit in zip(range(1, 9), NETS, units, strict=True)
    ]
    data = parse_latency_csv(content(*(rows[i] for i in order)), PN, "lat.csv")
    assert data.archs.to_strings() == [NETS[i] for i in order]
    np.testing.assert_allclose(data.latencies_ms, np.array(order) + 1.0, rtol=1e-12)


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: content(GOOD, text)))
def test_no_content_ends_in_another_error(data):
    first_network(data)
    with suppress(DataFileError):
        assert len(parse_latency_csv(data, PN, "lat.csv")) == 1


def test_units_of_any_case_and_spelling():
    units = ["ns", "US", "µs", "μs", "Ms", " S "]
    factors = [1e-6, 1e-3, 1e-3, 1e-3, 1.0, 1e3]
    rows = [row(net, unit=unit) for net, unit in zip(NETS, units, strict=False)]
    data = parse_latency_csv(content(*rows), PN, "lat.csv")
    np.testing.assert_allclose(data.latencies_ms, 10.5 * np.array(factors), rtol=1e-15)


def test_resolutions_as_pandas_writes_them():
    rows = [row(NETS[0], resolution="224.0"), row(NETS[1], resolution="192."), row(NETS[2], resolution="1.28e2")]
    assert parse_latency_csv(content(*rows), PN, "lat.csv").resolutions.tolist() == [224, 192, 128]
    for text in ("2_24", "２２４", "224.5", "nan", "1e400"):
        assert f"'{text}' is not a resolution" in message_of(content(row(resolution=text)))


WHOLE = content(row(NETS[0], latency="9.25"), row(NETS[1], latency="11"))


@pytest.mark.parametrize(
    "data",
    [
        WHOLE.replace(b",", b";"),
        WHOLE.replace(b",", b"\t"),
        content(header=HEADER.upper()) + WHOLE.split(b"\n", 1)[1],
        gzip.compress(WHOLE),
        gzip.compress(WHOLE[:100]) + gzip.compress(WHOLE[100:]),
        gzip.compress(WHOLE.replace(b",", b"\t").decode().encode("utf-8-sig")),
    ],
)
def test_other_separators_headers_and_gzip(data):
    read = parse_latency_csv(data, PN, "lat.csv")
    assert (read.archs.to_strings(), read.latencies_ms.tolist(), read.device) == (NETS[:2], [9.25, 11.0], "npu")
    assert first_network(data) == NETS[0]
    assert parse_network_csv(data, PN, "lat.csv").archs.to_strings() == NETS[:2]


def test_decimal_commas_beside_semicolons_are_a_guess():
    table = WHOLE.replace(b",", b";").replace(b"9.25", b"9,25").replace(b";224;", b";224,0;")
    with pytest.warns(DataNote, match=r"^lat\.csv: commas in the latencies are taken for decimal points"):
        data = parse_latency_csv(table, PN, "lat.csv")
    assert data.latencies_ms.tolist() == [9.25, 11.0]
    thousands = WHOLE.replace(b",", b";").replace(b"11", b"1,100.5")
    assert "row 3, column 'end-to-end lat': '1,100.5' is not" in message_of(thousands)
    assert "'9,25' is not a positive" in message_of(WHOLE.replace(b"9.25", b'"9,25"'))


def frame_of(data):
    return pd.read_csv(io.BytesIO(data))


def test_parquet(tmp_path):
    frame = frame_of(WHOLE).astype({"resolution": float, "device": "category", "net_str": "category"})
    frame.to_parquet(tmp_path / "lat.parquet")
    data = read_latency_csv(tmp_path / "lat.parquet", PN)
    assert (data.archs.to_strings(), data.latencies_ms.tolist(), data.resolutions.tolist()) == (
        NETS[:2],
        [9.25, 11.0],
        [224, 224],
    )
    assert first_network((tmp_path / "lat.parquet").read_bytes()) == NETS[0]
    assert first_network(b"PAR1") is None
    for column, value, said in [
        ("end-to-end lat", np.nan, "row 2, column 'end-to-end lat': 1 of 2 latencies is empty"),
        ("end-to-end lat", -1.0, "row 2, column 'end-to-end lat': '-1.0' is not"),
        ("end-to-end lat", 1e-12, "row 2, column 'end-to-end lat': '1e-12' is a latency that no clock gives"),
        ("resolution", 224.5, "row 2, column 'resolution': '224.5' is not a resolution"),
        ("lat unit", None, "row 2, column 'lat unit': unknown unit ''"),
    ]:
        bad = frame.copy()
        bad[column] = [bad[column].iloc[0], value]
        bad.to_parquet(tmp_path / "bad.parquet")
        assert said in message_of((tmp_path / "bad.parquet").read_bytes())
    frame.astype({"end-to-end lat": bool}).to_parquet(tmp_path / "bad.parquet")
    assert "row 1, column 'end-to-end lat': 'True' is not a positive" in message_of(
        (tmp_path / "bad.parquet").read_bytes()
    )
    frame.drop(columns="device").to_parquet(tmp_path / "bad.parquet")
    assert "missing column 'device'" in message_of((tmp_path / "bad.parquet").read_bytes())
    frame.iloc[:0].to_parquet(tmp_path / "bad.parquet")
    assert "has no rows" in message_of((tmp_path / "bad.parquet").read_bytes())


def test_a_gzip_that_holds_more_than_memory_is_refused(monkeypatch):
    monkeypatch.setattr(cells, "MAX_UNPACKED_BYTES", 1 << 20)
    assert "unpacked: split it" in message_of(gzip.compress(b"x" * (1 << 21)))


PUBLIC = [
    # (file, space, device, first latency as the file says it, ms a unit)
    ("help/ofa_mbv3_titan_rtx_64_lat_data.csv", MBV3, "titan_rtx_64", 1.0),
    ("help/ofa_mbv3_titan_xp_32_lat_data.csv", MBV3, "titan_xp_32", 1.0),
    ("help/ofa_mbv3_v100_1_lat_data.csv", MBV3, "v100_1", 1.0),
    ("help/ofa_mbv3_2080ti_32_lat_data.csv", MBV3, "2080ti_32", 1.0),
    ("kirin/ofa_pn_npu_lat_data.csv", PN, "npu", 1e-3),
    ("kirin/ofa_mbv3_npu_lat_data.csv", MBV3, "npu", 1e-3),
    ("kirin/ofa_mbv3_gpu_lat_data.csv", MBV3, "gpu", 1.0),
    ("kirin/ofa_pn_cpu_lat_data.csv", PN, "cpu", 1e3),
]


@pytest.mark.parametrize(("name", "space", "device", "factor"), PUBLIC)
def test_public_files(shared_data: Path, name, space, device, factor):
    path = shared_data / name
    text = path.read_text()
    table = list(csv.DictReader(io.StringIO(text)))
    data = read_latency_csv(path, space)
    assert len(data) == 5000
    assert data.device == device
    assert data.archs.to_strings() == [line["net_str"] for line in table]
    assert data.resolutions.tolist() == [int(line["resolution"]) for line in table]
    np.testing.assert_allclose(data.latencies_ms, [float(line["end-to-end lat"]) * factor for line in table])
    assert space in spaces_having(first_network(text.encode()) or "")


def test_units_of_the_public_files_are_milliseconds(shared_data: Path):
    """The paper's mean networks: 12 to 15 ms on the NPU, about 0.1 s on the CPU."""
    npu = read_latency_csv(shared_data / "kirin/ofa_pn_npu_lat_data.csv", PN).latencies_ms
    cpu = read_latency_csv(shared_data / "kirin/ofa_pn_cpu_lat_data.csv", PN).latencies_ms
    assert npu[0] == pytest.approx(9.79932)
    assert cpu[0] == pytest.approx(83.8314)
    assert 10 < npu.mean() < 16
    assert 80 < cpu.mean() < 130


def test_first_network_only_of_files_in_the_layout():
    assert first_network(content(GOOD)) == NETS[1]
    assert first_network(content()) == ""
    assert first_network(b"") is None
    assert first_network(b"key:\n  mean: 1.0\n") is None
    assert spaces_having("stem") == ()


def test_reads_fast_also_where_one_row_is_bad(tmp_path):
    """50,000 rows in about a second; the bar leaves room for a slow machine."""
    rng = np.random.default_rng(1)
    archs = sample_architectures(PN, 20_000, rng)
    write_latency_csv(tmp_path / "lat.csv", LatencyData(archs, np.full(20_000, 224), rng.uniform(1, 9, 20_000), "npu"))
    bad = (tmp_path / "lat.csv").read_bytes().replace(b"_e6_", b"_e5_", 1)
    start = time.perf_counter()
    message_of(bad)
    assert time.perf_counter() - start < 4
