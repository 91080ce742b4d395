"""Bad input: one line of error that says what is wrong, exit code 2, nothing registered and nothing logged."""

import socket
import time
from pathlib import Path

import pytest

HEADER = "net_id,net_str,device,resolution,lat unit,end-to-end lat"
MBV3_NET = "|".join(["mbconv3_e3_k3->mbconv3_e3_k3"] * 5)


def net_of(row: str) -> str:
    return row.split(",")[1]


def with_latency(row: str, latency: str, unit: str = "ms") -> str:
    return ",".join([*row.split(",")[:4], unit, latency])


def with_net(row: str, old: str, new: str) -> str:
    net = net_of(row)
    assert old in net
    return row.replace(net, net.replace(old, new, 1))


BAD_FILES = {
    "empty": (lambda rows: "", ["is empty"]),
    "header only": (lambda rows: HEADER, ["has a header but no rows"]),
    "missing columns": (
        lambda rows: "\n".join(["net_id,net_str,device,resolution", *(r.rsplit(",", 2)[0] for r in rows)]),
        ["row 1", "missing column 'lat unit', 'end-to-end lat'"],
    ),
    "too few": (lambda rows: "\n".join([HEADER, *rows[:15]]), ["15 different networks are too few", "at least 20"]),
}
BAD_ROWS = {
    "unknown block": (lambda row, first: with_net(row, "_k", "_k9"), ["'net_str'", "mbconv2_e", "_k9"]),
    "units": (lambda row, first: with_net(row, "|", "->"), ["'net_str'", "units"]),
    "layers": (lambda row, first: with_net(row, "|", "->mbconv2_e3_k3->mbconv2_e3_k3->mbconv2_e3_k3|"), ["layers"]),
    "copied": (lambda row, first: first, ["'net_str'", "repeats row 2"]),
    "contradiction": (lambda row, first: with_latency(first, "1.5"), ["'end-to-end lat'", "contradicts row 2"]),
    "NaN": (lambda row, first: with_latency(row, "nan"), ["'end-to-end lat'", "'nan' is not a positive, finite"]),
    "zero": (lambda row, first: with_latency(row, "0"), ["'end-to-end lat'", "'0' is not a positive, finite"]),
    "negative": (lambda row, first: with_latency(row, "-3.5"), ["'end-to-end lat'", "'-3.5' is not a positive"]),
    "infinite": (lambda row, first: with_latency(row, "inf"), ["'end-to-end lat'", "'inf' is not a positive, finite"]),
    "unit": (
        lambda row, first: with_latency(row, "5", unit="min"),
        ["'lat unit'", "unknown unit 'min'", "ns, us, ms"],
    ),
    "resolution": (lambda row, first: row.replace(",224,", ",100,"), ["'resolution'", "'100'", "128 to 256"]),
    "other device": (lambda row, first: row.replace(",npu,", ",gpu,"), ["'device'", "'gpu' beside 'npu'"]),
}


@pytest.mark.parametrize(("content", "said"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_files(content, said: list[str], refused, folder: Path, rows: list[str]) -> None:
    (folder / "bad.csv").write_text(content(rows))
    message = refused("train-predictor", "--space", "pn", "bad.csv")
    assert message.startswith("bad.csv: ")
    for part in said:
        assert part in message


@pytest.mark.parametrize("command", ["train-predictor --space pn", "fetch-data --space pn --source"])
@pytest.mark.parametrize(("change", "said"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_rows(command: str, change, said: list[str], refused, folder: Path, rows: list[str]) -> None:
    bad = [*rows[:20], change(rows[20], rows[0]), *rows[21:]]
    (folder / "bad.csv").write_text("\n".join([HEADER, *bad]))
    message = refused(*command.split(), "bad.csv")
    assert message.startswith("bad.csv: row 22, column '")
    for part in said:
        assert part in message


@pytest.mark.parametrize("command", ["train-predictor --space pn", "fetch-data --space pn --source"])
def test_a_file_of_the_other_space(command: str, refused, folder: Path, rows: list[str]) -> None:
    (folder / "mbv3.csv").write_text("\n".join([HEADER, *(row.replace(net_of(row), MBV3_NET) for row in rows)]))
    message = refused(*command.split(), "mbv3.csv")
    assert message.startswith(
        "mbv3.csv: row 2, column 'net_str': a network of mbv3 or mbv3-w1.0, not of pn: use --space mbv3"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("train-predictor -s pn nosuch.csv", "nosuch.csv: there is no such file"),
        ("train-predictor -s pn", "blockprof-data/ofa_pn_npu_lat_data.csv: there is no such file: give your CSV"),
        ("fetch-data -s pn --source nosuch", "--source nosuch: there is no such published data, file or folder"),
        (
            "profile -s nosuch",
            "unknown space 'nosuch': there are mbv3, pn, resnet50, mbv3-w1.0, pn-w1.0, fbnet, mnasnet",
        ),
        ("fetch-data -s nosuch", "unknown space 'nosuch'"),
        ("train-predictor -s nosuch", "unknown space 'nosuch'"),
        (
            "profile -s pn -m nosuch",
            "unknown metric 'nosuch' for pn: there are macs, conv_macs, flops, params",
        ),
        ("profile -s pn -m ,", "--metrics is empty"),
        ("profile -s pn -m a/b", "'a/b' cannot name a metric"),
        ("profile -s pn -m note10", "the note10 tables are for mbv3, not for pn"),
        ("profile -s mbv3 -m note10", "no note10 tables in blockprof-data"),
        ("fetch-data -s pn -m accuracy", "no reference latencies 'accuracy' for pn: there are npu, gpu, cpu"),
        (
            "fetch-data -s resnet50",
            "no reference latencies 'npu' for resnet50: there are none: give your CSV as --sou",
        ),
        ("fetch-data -s pn -n 0", "the number of networks must be at least 1"),
        ("fetch-data -s pn --sha256 0", "--sha256 is for a file or a URL"),
        ("fetch-data -s pn --source x.csv -n 10", "--num-nets is for --source reference: leave it out with x.csv"),
        ("fetch-data -s pn --source x.csv -m gpu", "--metrics is for --source reference"),
        ("fetch-data -s pn --source http://localhost/x.csv --no-log", "pass --sha256"),
        ("train-predictor -s pn -m accuracy", "'accuracy' is the name of a built-in metric"),
        ("train-predictor -s pn -m a,b", "'a,b' cannot name a metric"),
        ("train-predictor -s pn -m 7", "--metric 7: profile takes metrics by name"),
        ("profile -s pn -b u7.l1.e6k7", "u7.l1.e6k7: pn has units 1 to 6"),
        ("profile -s pn -b u6.l2.e6k7", "u6.l2.e6k7: unit 6 of pn has layers 1 to 1"),
        ("profile -s pn -b u0.l1.e6k7", "u0.l1.e6k7: pn has units 1 to 6"),
        ("profile -s pn -b u1.l1.e5k7", "u1.l1.e5k7: pn has the blocks e3k3"),
        ("profile -s pn -b u1.l1.e3k3,u1.l1.e3k3", "u1.l1.e3k3 is given twice"),
        ("profile -s pn -b u1.l1.e3k3+u1.l1.e3k5", "two blocks for one layer"),
        ("profile -s pn -b somewhere", "'somewhere' is not a placement: write it like u2.l1.e3k3"),
        ("profile -s pn -b [[0,0,9,9]]", "u1.l1.e9k9: pn has the blocks"),
        ("profile -s pn -b [[0,0", "is not JSON"),
        ("profile -s pn -b __import__('os')", "is not a placement"),
        ("profile -s pn -a -b u1.l1.e3k3", "--all and --blocks exclude each other"),
        ("profile -s pn --sampler other", "unknown sampler 'other': there are paper, upstream"),
        ("profile -s pn -n 1", "Invalid value for '--num-archs' / '-n'"),
        ("profile -s pn -n many", "Invalid value for '--num-archs' / '-n'"),
        ("profile -s pn --seed -1", "Invalid value for '--seed'"),
        ("fetch-data -s pn --seed -1", "Invalid value for '--seed'"),
        ("train-predictor -s pn --seed -1", "Invalid value for '--seed'"),
        ("profile -s pn --resolution 225", "resolution 225: pn takes 128 to 256 in steps of 4"),
        ("profile -s pn -m macs --resolution 96", "resolution 96: pn takes 128 to 256 in steps of 4"),
        ("profile -s pn --resolution 188", "the reference table 'npu' is for resolutions 192 to 224, not 188"),
        (
            "profile -s mbv3 -m accuracy --resolution 188",
            "the reference table 'accuracy' is for resolutions 192 to 224",
        ),
        ("export run nosuch", "no run 'nosuch'"),
        ("export predictor blockprof-pn-npu", "no predictor 'blockprof-pn-npu': none is registered yet"),
        ("export run nosuch --format xml", "'xml' is not one of 'csv', 'parquet': see `blockprof export run --help`"),
        ("profile", "Missing option '--space' / '-s': see `blockprof profile --help`"),
        ("profile -s pn --nosuch", "No such option: --nosuch"),
        ("nosuch", "No such command 'nosuch': see `blockprof --help`"),
        ("export nosuch", "No such command 'nosuch': see `blockprof export --help`"),
        ("profile -s pn npu", "Got unexpected extra argument"),
        ("profile -s", "requires an argument"),
    ],
)
def test_bad_arguments(line: str, said: str, refused) -> None:
    assert said in refused(*line.split())


def test_a_train_size_that_the_file_does_not_have(refused, folder: Path, rows: list[str]) -> None:
    (folder / "good.csv").write_text("\n".join([HEADER, *rows]))
    for size in ("-1", "0", "4", "25"):
        message = refused("train-predictor", "-s", "pn", "good.csv", "--train-size", size)
        assert f"train size {size}" in message
        assert "5 to 24" in message


@pytest.mark.parametrize(
    "line",
    [
        "fetch-data -s pn -n 30",
        "train-predictor -s pn good.csv",
        "profile -s pn",
        "profile -s pn -m npu --no-log",
        "export run some-run",
        "export predictor blockprof-pn-npu",
    ],
)
def test_a_tracking_server_that_is_not_there(
    line: str, refused, folder: Path, rows: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "good.csv").write_text("\n".join([HEADER, *rows]))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    start = time.monotonic()
    message = refused(*line.split(), code=1)
    assert time.monotonic() - start < 15
    assert f"the tracking server {uri} does not answer" in message
    assert "set MLFLOW_TRACKING_URI" in message


@pytest.mark.parametrize(
    "line", ["fetch-data -s pn -n 30 --out file/data", "fetch-data -s pn -n 30 --out file/data --no-log"]
)
def test_data_for_a_folder_that_cannot_be_written(line: str, refused, folder: Path) -> None:
    (folder / "file").touch()
    assert refused(*line.split()).startswith("cannot write to the folder file/data: Not a directory: choose another")


@pytest.mark.parametrize("line", ["fetch-data -s pn -n 30", "train-predictor -s pn good.csv", "profile -s pn"])
def test_a_store_in_a_folder_that_cannot_be_written(
    line: str, refused, folder: Path, rows: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "good.csv").write_text("\n".join([HEADER, *rows]))
    (folder / "file").touch()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/file/mlflow.db")
    message = refused(*line.split(), code=1)
    assert message.startswith(f"cannot write to the folder {folder}/file (Not a directory)")


def test_debug_shows_the_traceback(cli, folder: Path) -> None:
    outcome = cli("--debug", "profile", "--space", "nosuch")
    assert outcome.returncode == 2
    assert outcome.stderr.startswith("Traceback (most recent call last):\n")
    assert "InputError: unknown space 'nosuch'" in outcome.stderr
    assert cli("profile", "--space", "nosuch").returncode == 2
