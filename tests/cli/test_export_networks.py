"""``blockprof export networks``: from the files to a predictor; interrupted, refused, and against measure."""

import csv
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest

from blockprof.latency_data import read_latency_csv
from blockprof.metrics.reference import load_reference
from blockprof.spaces import Architectures, load_space

PN = load_space("pn")
LATENCY = "end-to-end lat"
QUICK = ["--space", "pn", "--design", "random", "--resolution", "128", "--seed", "5"]
DEADLINE_S = 90
BESIDE = ["networks.csv", "visits.csv", "time_networks.py", "time_networks.sh", "weights"]


@pytest.fixture(scope="module")
def exported(cli, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of 20 networks, as few as a predictor can be trained on; 80 MB, so it is removed."""
    place = tmp_path_factory.mktemp("networks") / "phone"
    outcome = cli("export", "networks", *QUICK, "-n", "20", "--out", place, "--metric", "phone")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.splitlines()[-1] == (
        f"then: blockprof train-predictor --space pn --metric phone {place}/times.csv"
    )
    assert f"wrote {place}/networks.csv\n" in outcome.stdout
    files = [*place.glob("*.onnx"), *place.glob("weights/*")]
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    assert megabytes < 85
    first = (
        f"20 networks of ProxylessNAS (pn) at resolution 128: pn-r128-000.onnx to pn-r128-019.onnx, {megabytes:.0f} MB"
    )
    assert outcome.stdout.splitlines()[0] == first
    assert not list(place.parent.glob("mlflow.db"))
    yield place
    shutil.rmtree(place)


def fill_in(source: Path, target: Path, count: int) -> None:
    """Write so many latencies into a CSV, as by hand: the reference NPU's, in us."""
    header, *rows = csv.reader(source.read_text().splitlines())
    columns = {name: header.index(name) for name in header}
    archs = Architectures.from_strings(PN, [row[columns["net_str"]] for row in rows])
    for row, latency in zip(rows[:count], load_reference(PN, "npu").evaluate(archs), strict=False):
        row[columns["lat unit"]], row[columns[LATENCY]] = "us", f"{1e3 * latency:.1f}"
    with target.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def test_files_run_and_are_listed(exported: Path) -> None:
    frame = pd.read_csv(exported / "networks.csv")
    assert list(frame) == ["net_id", "net_str", "device", "resolution", "lat unit", LATENCY, "onnx_file", "space"]
    assert frame["net_id"].tolist() == list(range(20))
    assert frame["net_str"].is_unique
    assert frame[LATENCY].isna().all()
    assert set(zip(frame["device"], frame["resolution"], frame["lat unit"], strict=True)) == {("phone", 128, "ms")}
    assert sorted(file.name for file in exported.iterdir()) == sorted([*BESIDE, *frame["onnx_file"]])
    images = np.random.default_rng(0).standard_normal((1, 3, 128, 128), dtype=np.float32)
    for name in frame["onnx_file"][::7]:
        session = onnxruntime.InferenceSession(exported / name, providers=["CPUExecutionProvider"])
        (logits,) = session.run(None, {"image": images})
        assert logits.shape == (1, 1000)
        assert np.isfinite(logits).all()


def test_the_csv_filled_in_trains_a_predictor(exported: Path, cli, refused, folder: Path) -> None:
    line = ["train-predictor", "--space", "pn", "--metric", "phone", "networks.csv"]
    for count, row in ((0, 2), (13, 15)):
        fill_in(exported / "networks.csv", folder / "networks.csv", count)
        assert refused(*line) == (
            f"networks.csv: row {row}, column '{LATENCY}': {20 - count} of 20 latencies are empty: fill in what you "
            "measured, and remove the rows of networks that were not measured"
        )
    fill_in(exported / "networks.csv", folder / "networks.csv", 20)
    outcome = cli(*line)
    assert outcome.returncode == 0
    assert "only 2 test networks are rough: the 10 folds, of all 20, tell more" in outcome.stderr
    assert "registered blockprof-pn-phone version 1" in outcome.stdout
    data = read_latency_csv("networks.csv", PN)
    assert data.device == "phone"
    np.testing.assert_allclose(data.latencies_ms, load_reference(PN, "npu").evaluate(data.archs), atol=1e-4)


def test_latencies_that_somebody_filled_in_are_never_lost(exported: Path, cli, folder: Path, refused) -> None:
    """The same command leaves the CSV as it is; one that chooses other networks is refused."""
    path = exported / "networks.csv"
    empty = path.read_bytes()
    line = ["export", "networks", *QUICK, "--out", exported]
    try:
        for count, step in ((0, "then"), (3, "then"), (20, "next")):
            fill_in(path, path, count)
            filled = path.read_bytes()
            outcome = cli(*line, "-n", "20")
            assert outcome.returncode == 0
            assert outcome.stderr == (
                "note: 20 of 20 networks were there already\n"
                f"note: {path} was there already, with {count} latencies, and is left as it is\n"
            )
            assert f"\n{step}: blockprof train-predictor" in outcome.stdout
            assert "wrote" not in outcome.stdout
            of_them = f", {count} of them with latencies" if count else ""
            for more in (["-n", "21"], ["-n", "20", "--seed", "6"], ["-n", "20", "--resolution", "160"]):
                assert refused(*line, *more) == (
                    f"{path}: lists 20 other networks{of_them}, and is left as it is: give another --out, or what "
                    "chose those, to resume them"
                )
            assert path.read_bytes() == filled
    finally:
        path.write_bytes(empty)


def test_interrupted_the_same_command_goes_on(process, cli, folder: Path) -> None:
    line = ["export", "networks", *QUICK, "-n", "4", "--out", "phone"]
    with process(*line) as started:
        end = time.monotonic() + DEADLINE_S
        while not list(folder.glob("phone/*.onnx")):
            assert started.poll() is None, started.communicate()
            assert time.monotonic() < end
            time.sleep(0.02)
        started.send_signal(signal.SIGINT)
        out, error = started.communicate(timeout=DEADLINE_S)
    assert (started.returncode, out) == (130, "")
    assert error.endswith("error: interrupted\n")
    assert Path("phone/networks.csv").exists()
    kept = len(list(Path("phone").glob("*.onnx")))
    assert 1 <= kept < 4
    outcome = cli(*line)
    assert outcome.returncode == 0
    assert outcome.stderr.startswith(f"note: {kept} of 4 networks were there already\n")
    assert "then: blockprof train-predictor" not in outcome.stdout  # 4 networks are too few for that
    assert sorted(file.name for file in Path("phone").iterdir()) == sorted(
        [*BESIDE, *(f"pn-r128-{number:03}.onnx" for number in range(4))]
    )
    shutil.rmtree("phone")


def test_networks_and_defaults_are_those_of_measure(
    cli, folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path_factory.mktemp("temporary")  # a lock of this test's own
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    for number, choice in enumerate((["-n", "3"], ["-n", "3", "--seed", "2", "--resolution", "160,128"])):
        quick = ["--rounds", "1", "--time-limit", "0.05", "--no-log", "--metric", f"cpu{number}"]
        assert cli("measure", "-s", "pn", *choice, *quick).returncode == 0
        assert cli("export", "networks", "-s", "pn", *choice, "--out", f"{number}").returncode == 0
        measured = read_latency_csv(f"blockprof-data/ofa_pn_cpu{number}_lat_data.csv", PN)
        frame = pd.read_csv(f"{number}/networks.csv")
        assert frame["net_str"].tolist() == measured.archs.to_strings()
        assert frame["resolution"].tolist() == measured.resolutions.tolist()
    assert set(frame["resolution"]) == {128, 160}


def test_networks_of_a_file(cli, folder: Path, exported: Path) -> None:
    """Of another command's CSV, whose latencies are empty; the files are the same."""
    rows = (exported / "networks.csv").read_text().splitlines()
    Path("two.csv").write_text("\n".join(rows[:3]))
    outcome = cli("export", "networks", "-s", "pn", "--nets", "two.csv", "--out", "two")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert pd.read_csv("two/networks.csv")["net_str"].tolist() == pd.read_csv("two.csv")["net_str"].tolist()
    for name in ("pn-r128-000.onnx", "pn-r128-001.onnx"):
        assert Path("two", name).read_bytes() == (exported / name).read_bytes()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-s nosuch", "unknown space 'nosuch'"),
        ("-s pn -n 0", "Invalid value for '--num-nets' / '-n'"),
        ("-s pn --seed -1", "Invalid value for '--seed'"),
        ("-s pn --design other", "unknown design 'other': there are d-optimal, random"),
        ("-s pn --resolution 225", "resolution 225: pn takes 128 to 256 in steps of 4"),
        ("-s pn --nets nosuch", "nosuch: there is no such file"),
        ("-s pn --nets x -n 3", "--num-nets chooses networks, and --nets gives the networks: leave one out"),
        ("-s pn -m accuracy", "'accuracy' is the name of a built-in metric"),
        ("-s pn -m 7", "--metric 7: profile takes metrics by name"),
        ("-s pn --design random --out file", "cannot write to the folder file"),
        ("-s pn --design random --out taken", "taken/networks.csv: another file of that name is there"),
        ("-n 3", "Missing option '--space' / '-s'"),
    ],
)
def test_bad_arguments(line: str, said: str, refused, folder: Path) -> None:
    (folder / "file").touch()
    (folder / "taken" / "networks.csv").mkdir(parents=True)
    assert said in refused("export", "networks", *["--out", "new"], *line.split())


def test_the_folder_must_be_named(refused) -> None:
    assert "Missing option '--out' / '-o'" in refused("export", "networks", "--space", "pn")
