"""The verbs that keep a store: what they return, and what their listener hears."""

import shutil
from pathlib import Path

import mlflow
import pytest
from codes import coded
from listening import Heard

import blockprof
from blockprof import tracking
from blockprof.foundation.errors import InputError, TrackingError
from blockprof.tracking import resuming
from blockprof.tracking.resuming import Resumed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, with MLflow told nothing."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "BLOCKPROF_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_store_that_was_copied_is_repaired_once(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    blockprof.profile("pn", ["npu"], blocks=["u2.l1.e6k7"], log=blockprof.Log("before"))
    new = tmp_path_factory.mktemp("new") / "copy"
    shutil.copytree(folder, new)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(new)
        heard = Heard()
        (move,) = found = blockprof.repair_store(listener=heard)
        assert (move.recorded, move.found) == (folder / "mlruns", new / "mlruns")
        assert heard.told == [found]
        assert blockprof.repair_store() == []
        assert len(tracking.load_frame(tracking.find_run("before"), "placements")) == 1
        mlflow.set_tracking_uri(None)


def test_there_is_no_store_to_repair(folder: Path) -> None:
    with pytest.raises(InputError, check=coded("no-store")):
        blockprof.repair_store()


def test_nothing_is_kept_to_resume(folder: Path) -> None:
    heard = Heard()
    assert blockprof.resume(listener=heard) == []
    assert heard.told == heard.logged == heard.notes == []


def test_what_could_not_be_logged_does_not_stop_the_rest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [
        Resumed("first", "1", "profile"),
        Resumed("second", "2", "profile", problem="the server is ill"),
        Resumed("third", "3", "train-predictor", registered="a predictor"),  # type: ignore[arg-type]
    ]
    monkeypatch.setattr(resuming, "resume", lambda choose: iter(runs))
    heard = Heard()
    with pytest.raises(TrackingError, check=coded("runs-kept")) as caught:
        blockprof.resume(listener=heard)
    assert str(caught.value) == "1 of 3 runs could not be logged: they are kept"
    assert heard.logged == [("first", "1"), ("third", "3")]
    assert heard.told == ["a predictor"]
    assert heard.notes == ["run second of profile, id 2, could not be logged: the server is ill"]
