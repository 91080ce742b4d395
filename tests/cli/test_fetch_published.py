from pathlib import Path

import mlflow
import pytest


@pytest.fixture(autouse=True)
def cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_CACHE", str(folder / "cache"))


def test_published_latencies_are_found_by_default(cli, folder: Path, shared_data: Path) -> None:
    original = shared_data / "help" / "original"
    line = ("fetch-data", "--source", "help", "--files", "titan_rtx_64,v100_1.pt", "--mirror", original)
    outcome = cli(*line, "--name", "help")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "blockprof-data/ofa_mbv3_v100_1_lat_data.csv, 5,000 networks, device v100_1" in outcome.stdout
    runs = mlflow.search_runs(search_all_experiments=True, output_format="list")
    assert [(run.data.tags["blockprof.space"], run.data.params["source"]) for run in runs] == [("mbv3", "help")]
    outcome = cli("train-predictor", "--space", "mbv3", "--metric", "titan_rtx_64", "--no-log")
    assert outcome.returncode == 0, outcome.stderr


def test_reference_data_is_trained_on_where_there_is_no_other_and_is_not_published(
    cli, folder: Path, shared_data: Path
) -> None:
    assert "blockprof-data/ofa_pn_npu_reference.csv" in cli("fetch-data", "-s", "pn", "-n", "60", "--no-log").stdout
    lines = cli("fetch-data", "--list").stdout.splitlines()
    source, files = (line for line in lines if line.startswith("blockprofile-csv"))
    assert source.split("│")[2].strip() == "0 of 6"
    assert "ofa_pn_npu_lat_data, ofa_pn_gpu_lat_data" in files
    outcome = cli("train-predictor", "-s", "pn", "--metric", "npu", "--no-log")
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stderr.startswith(
        "note: blockprof-data/ofa_pn_npu_reference.csv: reference data, made from a built-in table, as there is no "
        "ofa_pn_npu_lat_data.csv\n"
    )
    name = "ofa_pn_npu_lat_data.csv"
    (folder / "blockprof-data" / name).write_bytes((shared_data / "kirin" / name).read_bytes())
    outcome = cli("train-predictor", "-s", "pn", "--metric", "npu", "--no-log")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "trained on 4,000 networks" in outcome.stdout


def test_mirror_by_environment(cli, folder: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_MIRROR", str(shared_data / "ofa"))
    assert cli("fetch-data", "--source", "ofa-accuracy-predictor", "--no-log").returncode == 0
    assert (folder / "blockprof-data" / "ofa" / "acc_predictor.pth").is_file()


def test_list(cli, folder: Path, shared_data: Path) -> None:
    assert cli("fetch-data", "--source", "i7-8700k", "--mirror", shared_data / "i7", "--no-log").returncode == 0
    before = sorted(folder.rglob("*"))
    lines = cli("fetch-data", "--list").stdout.splitlines()
    note10, files = (line for line in lines if line.startswith("note10"))
    assert [cell.strip() for cell in note10.split("│")][:5] == ["note10", "mbv3", "0 of 17", "0.26 MB", "Apache-2.0"]
    assert "160_lookup_table, 164_lookup_table" in files
    i7, _ = (line for line in lines if line.startswith("i7-8700k"))
    assert "1 of 1" in i7
    shown = cli("fetch-data", "--list", "--source", "ofa-supernets").stdout
    assert "license: not stated" in shown
    assert "ofa_proxyless_d234_e346_k357_w1.3" in shown
    assert sorted(folder.rglob("*")) == before, "nothing is logged or written"


@pytest.mark.parametrize(
    ("line", "said", "code"),
    [
        ("", "no --space: give one: only published data", 2),
        ("-s pn --source note10", "note10 holds data of mbv3, not of pn: use --space mbv3", 2),
        ("--list --source nosuch", "--list: no published data is named 'nosuch': there are blockprofile-csv, help", 2),
        ("--source help --files pixel", "help has no file 'pixel': there are 2080ti_1, 2080ti_32", 2),
        ("--source help --sha256 0", "--sha256 is for a file or a URL: leave it out with help", 2),
        ("--source help -m npu", "--metrics is for --source reference: leave it out with help", 2),
        ("-s pn --files x", "--files is for published data: leave it out with reference", 2),
        ("-s pn --source x.csv --mirror y", "--mirror is for published data: leave it out with x.csv", 2),
        ("--source help --mirror nosuch --no-log", "nosuch/ofa_archs.pt: there is no such file in the mirror", 2),
        ("--source i7-8700k --mirror http://127.0.0.1:9 --no-log", "the connection failed (ConnectionError)", 1),
    ],
)
def test_what_cannot_be_fetched(line: str, said: str, code: int, cli, folder: Path) -> None:
    outcome = cli("fetch-data", *line.split())
    assert (outcome.returncode, outcome.stdout, outcome.stderr.count("\n")) == (code, "", 1)
    assert said in outcome.stderr
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_completion_of_sources(complete, folder: Path) -> None:
    assert complete("blockprof fetch-data --source ofa") == ["ofa-accuracy-predictor", "ofa-supernets"]
