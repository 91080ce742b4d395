"""The metric ort-cpu, measured for real on this machine: killed, resumed, logged; and what is refused."""

import json
import signal
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

import blockprof
from blockprof import tracking
from blockprof.evaluators.device import MeasureSpec
from blockprof.evaluators.device.lock import machine_lock
from blockprof.foundation.errors import InputError

LINE = "profile --space pn --metrics ort-cpu --num-archs 20 --resolution 128"
JOURNAL = Path("blockprof-data/ort-cpu/pn-r128-n20-seed0.journal")
DEADLINE_S = 300


@pytest.fixture(autouse=True)
def own_lock(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary folder of this test's own, so that tests side by side do not lock each other out of measuring."""
    temporary = str(tmp_path_factory.mktemp("temporary"))
    monkeypatch.setenv("TMPDIR", temporary)
    monkeypatch.setattr(tempfile, "tempdir", temporary)


def kinds_of_lines(journal: Path) -> list[str]:
    """What each whole line of a journal after its first is."""
    whole = journal.read_text().rpartition("\n")[0] if journal.exists() else ""
    return [next(iter(json.loads(line))) for line in whole.splitlines()[1:]]


def test_killed_gone_on_with_logged_and_not_measured_again(process, cli, folder: Path) -> None:
    with process(*LINE.split(), "--no-log") as started:
        end = time.monotonic() + DEADLINE_S
        while kinds_of_lines(JOURNAL).count("visit") < 8:
            assert started.poll() is None, started.communicate()
            assert time.monotonic() < end
            time.sleep(0.05)
        started.send_signal(signal.SIGKILL)
        assert started.communicate(timeout=DEADLINE_S)[0] == ""
    assert sorted(path.name for path in folder.iterdir()) == ["blockprof-data"]
    before = JOURNAL.read_bytes().rpartition(b"\n")[0]

    outcome = cli(*LINE.replace("ort-cpu", "ort-cpu,flops").split(), "--name", "measured")
    assert outcome.returncode == 0, outcome.stderr
    assert "ort-cpu (ms): measured with ONNX Runtime" in outcome.stdout
    assert "additive surrogate, pooled, 20 networks in all; held out: MAPE" in outcome.stdout
    assert "(95 % credible interval)" in outcome.stdout
    assert "flops (MFLOPs): counted" in outcome.stdout
    assert "Sampler paper, exact." in outcome.stdout
    assert f"note: {JOURNAL}: resuming what was measured before" in outcome.stderr
    assert JOURNAL.read_bytes().startswith(before)
    assert kinds_of_lines(JOURNAL).count("environment") == 2
    visits = [json.loads(line)["visit"] for line in JOURNAL.read_text().splitlines()[1:] if '"visit"' in line]
    assert sum(not visit["anchor"] for visit in visits) == MeasureSpec().rounds * 20

    run = MlflowClient().get_run(tracking.find_run("measured").id)
    assert run.data.tags["blockprof.data_origin"] == "measured,counted"
    assert run.data.params["num_archs"] == "20,exact"
    frames = tracking.load_frames(tracking.find_run("measured"))
    pool, check = frames["pool_ort-cpu"], frames["pooled"].iloc[0]
    assert len(pool) == pool["net"].nunique() == 20
    assert check["num_networks"] == 20
    assert check["mape_percent"] == pytest.approx(100 * (pool["predicted"] / pool["value"] - 1).abs().mean())
    assert run.data.metrics["ort-cpu.held_out.mape_percent"] == pytest.approx(check["mape_percent"])
    placements = frames["placements"]
    assert placements["method"].tolist() == ["pooled"] * 189 + ["exact"] * 189
    files = {file.path for file in MlflowClient().list_artifacts(run.info.run_id, "figures")}
    assert "figures/ort-cpu_pool.png" in files

    measured = JOURNAL.read_bytes()
    again = cli(*LINE.split(), "--no-log", "--blocks", "u1.l1.e3k3")
    assert again.returncode == 0, again.stderr
    assert JOURNAL.read_bytes() == measured
    effect = placements.set_index("placement").loc["u1.l1.e3k3"].iloc[0]
    half = (effect["effect_upper"] - effect["effect_lower"]) / 2
    level = frames["random"].set_index("metric").loc["ort-cpu"]
    digits = -int(np.floor(np.log10(min(half, level["mean_upper"] - level["mean"]))))
    assert f"{abs(effect['effect']):.{digits}f} ± {half:.{digits}f}" in again.stdout
    library = blockprof.profile("pn", ["flops", "ort-cpu"], resolution=128, num_archs=20).placement_frame()
    same = placements[placements["metric"] == "ort-cpu"].reset_index(drop=True)
    found = library[library["metric"] == "ort-cpu"].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, same, check_dtype=False)
    assert JOURNAL.read_bytes() == measured


def test_the_library_measures_last(own_lock: None, folder: Path) -> None:
    """What is wrong with anything else is said first: the lock is not asked for, and nothing is written."""
    for metrics, options in (
        (["ort-cpu", "npu", "npu"], {}),
        (["ort-cpu", "nosuch"], {}),
        (["ort-cpu"], {"blocks": ["u9.l1.e3k3"]}),
        (["ort-cpu"], {"num_archs": 151}),
        (["ort-cpu"], {"sampler": "nosuch"}),
        (["ort-cpu"], {"resolution": 100}),
    ):
        with machine_lock(), pytest.raises(InputError):
            blockprof.profile("pn", metrics, **options)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--num-archs 151", "--num-archs 151: with ort-cpu it is how many networks are measured in all, 20 to 150"),
        ("--num-archs 19", "--num-archs 19"),
        ("--resolution 100", "resolution 100: pn takes 128 to 256"),
        ("--metrics nosuch", "unknown metric 'nosuch'"),
        ("--metrics npu --resolution 188", "188"),
        ("--blocks u9.l1.e3k3", "u9.l1.e3k3"),
        ("--sampler nosuch", "unknown sampler"),
    ],
)
@pytest.mark.parametrize("logged", ["", " --no-log"])
def test_what_is_wrong_is_said_before_anything_is_measured(options: str, said: str, logged: str, refused) -> None:
    assert said in refused(*f"profile -s pn -m ort-cpu {options}{logged}".split())


def test_no_predictor_takes_its_name(refused, folder: Path) -> None:
    assert "built-in metric that no predictor replaces" in refused(
        "train-predictor", "-s", "pn", "-m", "ort-cpu", "x.csv"
    )


def test_only_one_measures_at_a_time(refused) -> None:
    with machine_lock():
        assert "another measurement runs on this machine" in refused(*LINE.split(), "--no-log", code=1)
