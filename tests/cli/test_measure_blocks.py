"""What is behind ``measure --blocks``: the file, the run, and the metric that comes of it."""

import tempfile
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient

import blockprof
from blockprof import tracking
from blockprof.api.measuring import MeasuredBlocks
from blockprof.cli import next_steps, render, render_measuring
from blockprof.cli.delivery import Delivery
from blockprof.evaluators.device import MeasureSpec
from blockprof.foundation.errors import DataFileError, InputError
from blockprof.spaces import load_space

PN = load_space("pn")
QUICK = MeasureSpec(rounds=1, time_limit_s=0.02, min_runs=6, max_runs=8, anchor_every=20)
DATA = Path("blockprof-data")
TABLE = "blockprof-data/ofa_pn_mine_r128_block_table.csv"
JOURNAL = "blockprof-data/ofa_pn_mine_r128_block_table.journal.jsonl"


def measure(
    metric: str = "mine", resolution: int = 128, out: Path = DATA, spec: MeasureSpec = QUICK, **how
) -> MeasuredBlocks:
    """As the command does."""
    networks = blockprof.Networks(resolutions=[resolution])
    with render.listening(render_measuring.print_blocks) as listener:
        return blockprof.measure_blocks(PN, metric, networks=networks, spec=spec, out=out, listener=listener, **how)


@pytest.fixture(autouse=True)
def own_lock(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that tests running side by side do not lock each other out."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))


def test_a_table_is_written_logged_and_a_metric(
    folder: Path, cli, complete, capsys: pytest.CaptureFixture[str]
) -> None:
    measure(log=blockprof.Log("measured"))
    shown = capsys.readouterr().out
    assert "101 pieces and 20 whole networks of ProxylessNAS (pn) at resolution 128, on " in shown
    assert shown.count(" against whole networks: MAPE ") == 2
    assert f"wrote {TABLE}\nwrote {JOURNAL}\n" in shown
    run = MlflowClient().get_run(tracking.find_run("measured").id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["blockprof.data_origin"] == "measured"
    assert run.data.params["metric"] == "mine"
    assert run.data.params["rounds"] == "1"
    assert {f"{sums}.{score}" for sums in ("sums", "scaled_sums") for score in ("mape_percent", "bias", "spearman")} < (
        run.data.metrics.keys()
    )
    assert {file.path for file in MlflowClient().list_artifacts(run.info.run_id)} == {
        "block_table.csv", "figures", "images", "raw_times.csv", "whole_networks.csv",
    }  # fmt: skip
    frames = tracking.load_frames(tracking.find_run("measured"))
    pd.testing.assert_frame_equal(frames["block_table"], pd.read_csv(TABLE), check_exact=True)
    assert len(frames["whole_networks"]) == 20

    outcome = cli("profile", "--space", "pn", "--metrics", "mine", "--resolution", "128", "--no-log")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "mine (ms): block table, " in outcome.stdout
    assert "Sampler paper, exact." in outcome.stdout
    outcome = cli("profile", "--space", "pn", "--metrics", "mine")
    assert outcome.returncode == 2
    assert "no block table 'mine' of pn at resolution 224 in blockprof-data: there are 128" in outcome.stderr
    assert complete("blockprof profile --space pn --metrics npu,mi") == ["npu,mine"]
    assert complete("blockprof profile --space mbv3 --metrics mi") == []

    before, table = Path(JOURNAL).read_bytes(), Path(TABLE).read_bytes()
    Path(TABLE).unlink()
    measure()
    assert (Path(JOURNAL).read_bytes(), Path(TABLE).read_bytes()) == (before, table), "the journal is whole"
    measure(fresh=True)
    assert Path(JOURNAL).read_bytes() != before
    assert (Path(f"{JOURNAL}.old").read_bytes(), Path(f"{TABLE}.old").read_bytes()) == (before, table)
    assert len(mlflow.search_runs(search_all_experiments=True)) == 1


def test_what_is_refused_before_a_run_is_begun(folder: Path) -> None:
    with pytest.raises(InputError, match="resolution 100: pn takes"):
        measure(resolution=100, log=blockprof.Log())
    with pytest.raises(InputError, match="no provider 'NoSuchProvider'"):
        measure(spec=MeasureSpec(provider="NoSuchProvider"), log=blockprof.Log())
    assert not list(folder.iterdir())
    DATA.mkdir()
    Path(JOURNAL).write_text("something else")
    with pytest.raises(DataFileError, match="is not a journal of measurement that blockprof can resume"):
        measure(log=blockprof.Log())
    assert Path(JOURNAL).read_text() == "something else"
    Path(JOURNAL).unlink()
    Path(TABLE).write_text("another's")
    with pytest.raises(InputError, match="of that name is there: give another metric or out, or fresh=True"):
        measure(log=blockprof.Log())
    assert Path(TABLE).read_text() == "another's"
    assert list(folder.iterdir()) == [folder / DATA]


def test_a_predictor_of_that_name_is_told(in_trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measured = measure("npu", out=Path("tables"), log=blockprof.Log())
    shown = capsys.readouterr()
    assert "pn has a registered predictor 'npu', which profile uses before this table" in shown.err.replace("\n", " ")
    # What is in another folder is found there only where that is the data folder.
    assert measured.files[0].parent == Path("tables")
    next_steps.print_next("measure", measured, Delivery())
    said = capsys.readouterr().err
    assert said == "next: BLOCKPROF_DATA=tables blockprof profile --space pn --metrics npu --resolution 128\n"
