"""Runs are found again, and their tables hold the same numbers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from codes import coded

from blockprof import tracking
from blockprof.foundation.errors import InputError


def test_a_run_by_id_and_by_name(store: Path) -> None:
    with tracking.start_run("profile", name="Ann's run", space="mbv3", experiment="other") as run:
        pass
    by_id, by_name = tracking.find_run(run.id), tracking.find_run("Ann's run")
    assert by_id == by_name
    assert (by_id.id, by_id.name, by_id.command, by_id.space, by_id.status) == (
        run.id,
        "Ann's run",
        "profile",
        "mbv3",
        "FINISHED",
    )


def test_several_runs_of_one_name(store: Path) -> None:
    ids = []
    for _ in range(2):
        with tracking.start_run("profile", name="again") as run:
            ids.append(run.id)
    with pytest.raises(InputError, match=f"2 runs are called 'again'.*{ids[1]} .*{ids[0]} "):
        tracking.find_run("again")


@pytest.mark.parametrize("unknown", ["nothing", "0" * 32, "it's", 'a"b', ""])
def test_no_such_run(store: Path, unknown: str) -> None:
    with pytest.raises(InputError, check=coded("no-such-run")):
        tracking.find_run(unknown)


def test_no_store_yet(folder: Path) -> None:
    with pytest.raises(InputError, match=r"mlflow\.db", check=coded("no-store")):
        tracking.find_run("any")
    assert list(folder.iterdir()) == []


def test_frames_come_back_exactly(store: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"placement": ["u1.l1.e3k3", "u1.l1.e6k7"], "mean": rng.normal(size=2) / 3, "n": [1, 2]})
    with tracking.start_run("profile") as run:
        run.log_frame(frame, "placements.csv")
        run.log_frame(frame.head(1), "random.csv")
        run.log_text("no table", "about.txt")
    record = tracking.find_run(run.id)
    assert tracking.list_frames(record) == ("placements", "random")
    frames = tracking.load_frames(record)
    pd.testing.assert_frame_equal(frames["placements"], frame, check_exact=True)
    pd.testing.assert_frame_equal(frames["random"], frame.head(1), check_exact=True)
