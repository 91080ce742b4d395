"""What a command found goes to a terminal, a file or another program; and each one's output feeds the next."""

import json
import re
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import blockprof
from blockprof.cli import delivery, render
from blockprof.output.exporting import write_table

NET = "mbconv2_e6_k7->mbconv2_e3_k3|" + "mbconv2_e3_k3->mbconv2_e3_k3|" * 4 + "mbconv2_e3_k3"
SMALL = "--initial 20 --generations 2 --children 10"
QUICK = "--rounds 1 --time-limit 0.02"

FINDING = {
    "fetch-data -s pn -n 30 -o fetched": ("path", 1),
    "fetch-data --list": ("source", 40),
    "train-predictor -s pn": ("mape_percent", 3),
    "profile -s pn -m npu,accuracy": ("effect", 378),
    f"predict '{NET}' -s pn -m npu,accuracy --resolution 224": ("accuracy", 1),
    "compare profiled again": ("first_rank", 378),
    "reduce --from profiled": ("kept", 189),
    f"search -s pn {SMALL}": ("npu", None),
    "runs": ("command", None),
    "predictors": ("is_champion", None),
}
"""Lines, a column of each one's table, and how many rows that has."""
LOGGING = ("fetch-data", "train-predictor", "profile", "compare", "reduce", "search")


@pytest.fixture(scope="session")
def again(trained: Path, cli: Callable) -> Path:
    """The folder ``trained``, with a second profile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(trained)
        assert cli("profile", "-s", "pn", "-m", "npu,accuracy", "--name", "again").returncode == 0
    return trained


@pytest.fixture(autouse=True)
def own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that tests running side by side do not lock each other out of measuring."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.parametrize("line", FINDING)
def test_a_table_as_json_and_as_a_file_and_nothing_else(
    line: str, cli: Callable, again: Path, in_trained: Path, tmp_path: Path
) -> None:
    column, number = FINDING[line]
    file, words = tmp_path / "table.json", shlex.split(line)
    # Those that log have an option not to; of fetch-data --out is the folder.
    quietly = ["--json", "--quiet", *(["--no-log"] if words[0] in LOGGING and "--list" not in words else [])]
    outcome = cli(*words, *quietly, *([] if "fetched" in words else ["--out", file]))
    assert (outcome.returncode, outcome.stderr, outcome.hints) == (0, "", ""), outcome
    rows = json.loads(outcome.stdout)
    assert column in rows[0]
    assert number is None or len(rows) == number
    if "fetched" not in words:
        assert json.loads(file.read_text()) == rows


@pytest.mark.parametrize("line", FINDING)
def test_each_ends_with_what_to_run_next(line: str, cli: Callable, again: Path, in_trained: Path) -> None:
    outcome = cli(*shlex.split(line))
    assert outcome.returncode == 0, outcome
    assert outcome.hints.splitlines()[-1].startswith("next: ")
    assert "next: " not in outcome.stdout


def test_measured_networks_in_a_file_are_what_training_reads(folder: Path, cli: Callable) -> None:
    few = cli("measure", "-s", "pn", "-n", "3", *QUICK.split(), "--no-log", "--json", "--out", "few.csv")
    assert "note: train-predictor takes at least 20 different networks, and these are 3" in few.stderr
    assert len(json.loads(few.stdout)) == 3
    assert list(pd.read_csv("few.csv")["net_str"]) == [row["net_str"] for row in json.loads(few.stdout)]
    assert Path("blockprof-data/ofa_pn_my-cpu_lat_data.csv").exists()
    refused = cli("train-predictor", "few.csv", "-s", "pn", "--metric", "mine")
    assert "few.csv: 3 different networks are too few" in refused.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("profile -s pn --out p.txt", "--out p.txt: its ending is to be one of .csv, .parquet, .json"),
        ("runs --out .", "--out .: its ending"),
        ("predictors --out no.csv/x", "its ending is to be one of"),
    ],
)
def test_a_file_that_cannot_be_is_refused_before_any_work(line: str, said: str, refused: Callable) -> None:
    assert said in refused(*line.split())


def test_a_folder_is_no_table(folder: Path, cli: Callable) -> None:
    Path("p.csv").mkdir()
    outcome = cli("profile", "-s", "pn", "--out", "p.csv")
    assert (outcome.returncode, outcome.stderr) == (2, "error: --out p.csv: is a folder: name a file\n")


def test_what_was_found_is_delivered_where_it_cannot_be_logged(
    folder: Path, cli: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise blockprof.BlockprofError("the store is gone")

    monkeypatch.setattr("blockprof.output.runs.profiles.record_profile", fail)
    outcome = cli("profile", "-s", "pn", "--json", "--out", "p.csv")
    assert outcome.returncode == 1
    assert len(json.loads(outcome.stdout)) == len(pd.read_csv("p.csv")) == 189
    assert outcome.stderr == "error: the store is gone\n"


def test_numbers_are_written_with_all_their_digits(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [0.1 + 0.2, 1e-12, None], "name": ["a", "b", "\x1b[2J"]})
    write_table(frame, tmp_path / "x.json")
    assert "\x1b" not in (tmp_path / "x.json").read_text()
    rows = json.loads((tmp_path / "x.json").read_text())
    assert [row["x"] for row in rows] == [pytest.approx(0.1 + 0.2, abs=1e-15), pytest.approx(1e-12), None]


def next_of(outcome: "object") -> list[str]:
    """The words of the command that is to come, without what is said of it in brackets; none where there is none."""
    (line,) = (line for line in outcome.hints.splitlines() if line.startswith("next: "))  # type: ignore[attr-defined]
    words = shlex.split(re.sub(r" \(.*\)$", "", line.removeprefix("next: ")))
    return words[1:] if words[0] == "blockprof" else []


def test_each_command_leads_to_the_next(folder: Path, cli: Callable) -> None:
    """From nothing to a network's file, by doing what each command says."""
    line, done = ["fetch-data", "--space", "pn", "-n", "300"], []
    while line:
        done.append(line[0] if line[0] != "export" else " ".join(line[:2]))
        outcome = cli(*line, *(SMALL.split() if line[0] == "search" else []))
        assert outcome.returncode == 0, (line, outcome)
        line = next_of(outcome)
    assert done == ["fetch-data", "train-predictor", "profile", "profile", "reduce", "search", "export network"]
    assert Path("network.onnx").exists()
    assert "nothing: run the file on your device" in outcome.hints


def test_tables_lead_to_the_next_command(in_trained: Path, cli: Callable, tmp_path: Path) -> None:
    """What search finds predict reads, and what that says is measured again or exported."""
    for ending in ("csv", "parquet", "json"):
        front, said = tmp_path / f"front.{ending}", tmp_path / f"said.{ending}"
        assert cli("search", "-s", "pn", *SMALL.split(), "--no-log", "--out", front).returncode == 0
        found = cli("predict", front, "-s", "pn", "-m", "npu,accuracy", "--out", said)
        assert found.returncode == 0, found
        table = pd.read_csv(said) if ending == "csv" else None
        if table is not None:
            pd.testing.assert_series_equal(table["npu"], pd.read_csv(front)["npu"])
            assert (table["npu_lower"] < table["npu"]).all()
            table.head(2).to_csv(tmp_path / "two.csv", index=False)
    exported = cli("export", "networks", "-s", "pn", "--nets", tmp_path / "two.csv", "--out", tmp_path / "nets")
    assert exported.returncode == 0, exported
    assert "into the column 'end-to-end lat' of networks.csv" in exported.stdout


def test_latest_is_the_newest_that_has_finished(again: Path, in_trained: Path, cli: Callable) -> None:
    newest = json.loads(cli("runs", "--command", "profile", "-n", "1", "--json").stdout)[0]["name"]
    assert f"from the profile {newest} (" in cli("reduce", "--from", "latest", "--no-log").stdout
    none = cli("reduce", "--from", "latest", "-s", "mbv3", "--no-log")
    assert (none.returncode, none.stderr) == (
        2,
        "error: latest: no run of `blockprof profile` of mbv3 has finished yet: see `blockprof runs`\n",
    )
    other = cli("reduce", "--from", "profiled", "-s", "mbv3", "--no-log")
    assert other.stderr == "error: --space mbv3: run profiled is a profile of pn\n"


def test_lists(again: Path, in_trained: Path, cli: Callable) -> None:
    profiles = json.loads(cli("runs", "--command", "profile", "--json").stdout)
    assert {"profiled", "again"} <= {run["name"] for run in profiles}
    ours = [run for run in profiles if run["name"] in ("profiled", "again")]
    assert {(run["command"], run["space"], run["what"]) for run in ours} == {("profile", "pn", "npu,accuracy")}
    assert profiles[0]["started"] > profiles[-1]["started"]
    assert [run["name"] for run in json.loads(cli("runs", "--command", "profile", "-n", "1", "--json").stdout)] == [
        profiles[0]["name"]
    ]
    ours = [one for one in json.loads(cli("predictors", "-s", "pn", "--json").stdout) if one["name"].endswith("-npu")]
    first = ours[-1]
    assert (first["name"], first["version"], first["origin"], first["num_networks"]) == (
        "blockprof-pn-npu", 1, "reference", 240,
    )  # fmt: skip
    assert sum(one["is_champion"] for one in ours) == 1
    shown = cli("predictors").stdout
    assert re.search(r"blockprof-pn-npu/1 +│ champion │ blockwise │ reference-npu │ 240 ", shown), shown
    assert json.loads(cli("predictors", "-s", "mbv3", "--json").stdout) == []


def test_lists_where_nothing_is_logged_make_nothing(folder: Path, cli: Callable) -> None:
    for command, said in (("runs", "no runs\n"), ("predictors", "no predictors\n")):
        outcome = cli(command)
        assert (outcome.stdout, outcome.stderr) == (said, "")
        assert cli(command, "--json").stdout == "[]\n"
    assert not list(folder.iterdir())


def test_without_a_terminal_long_work_prints_a_line_a_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [1000.0]
    monkeypatch.setattr(render.time, "monotonic", lambda: now[0])
    with render.listening() as listener:
        for done in range(1, 101):
            now[0] += 3.0
            listener.on_step("evaluating", done, 100)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == [
        "evaluating: 21 of 100, about 4 min left",
        "evaluating: 41 of 100, about 3 min left",
    ]
    assert len(lines) == 4
    with delivery.delivering(delivery.Delivery(quiet=True)), render.listening() as listener:
        for done in range(1, 101):
            now[0] += 3.0
            listener.on_step("evaluating", done, 100)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "search -s pn --maximize npu --minimize accuracy",
            "this finds the worst networks: write --minimize npu --maximize accuracy, or give --yes if you mean it",
        ),
        ("search -s pn --reduction nosuch.yaml", "nosuch.yaml: there is no such file: check the path"),
        (
            "fetch-data --source note11",
            (
                "--source note11: there is no such published data, file or folder: check the path, or use reference, "
                "blockprofile-csv, help, note10, i7-8700k, ofa-accuracy-predictor, ofa-supernets, which "
                "`blockprof fetch-data --list` shows"
            ),
        ),
    ],
)
def test_mistakes_say_what_there_is(line: str, said: str, refused: Callable) -> None:
    assert refused(*line.split()) == said


def test_the_worst_networks_where_they_are_meant(folder: Path, cli: Callable) -> None:
    line = f"search -s pn --maximize npu --minimize accuracy --yes --no-log {SMALL}"
    outcome = cli(*line.split())
    assert outcome.returncode == 0
    assert outcome.stderr.count("as asked, though") == 2


def test_what_a_folder_holds_beside_data_is_said_and_its_data_found(
    folder: Path, cli: Callable, rows: list[str]
) -> None:
    mine = folder / "mine"
    mine.mkdir()
    header = "net_id,net_str,device,resolution,lat unit,end-to-end lat"
    (mine / "ofa_pn_board_lat_data.csv").write_text("\n".join([header, *(row.replace(",npu,", ",b,") for row in rows)]))
    (mine / "notes.docx").write_text("of the measurement")
    fetched = cli("fetch-data", "-s", "pn", "--source", "mine", "--no-log")
    assert fetched.returncode == 0, fetched
    assert fetched.stderr.startswith("note: mine: not understood and left out: notes.docx (files that end in .csv, ")
    assert fetched.hints == "next: blockprof train-predictor --space pn --metric board\n"
    trained = cli("train-predictor", "--space", "pn", "--metric", "board", "--no-log")
    assert trained.returncode == 0, trained
    other = folder / "blockprof-data" / "other"
    other.mkdir()
    (mine / "ofa_pn_board_lat_data.csv").rename(other / "ofa_pn_board_lat_data.csv")
    two = cli("train-predictor", "--space", "pn", "--metric", "board", "--no-log")
    assert two.returncode == 2
    assert "all hold latencies of board: give the one that is meant" in two.stderr
