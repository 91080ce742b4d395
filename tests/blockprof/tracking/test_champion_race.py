"""Two trainings at once: whichever moves the alias last has compared itself with the other."""

import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from blockprof import tracking
from blockprof.tracking.champion import Choice, crown

DEADLINE_S = 120
TRAIN = """
import sys, time
from pathlib import Path
from blockprof import predictors, tracking
from blockprof.output.runs import champion, trainings
from blockprof.fetching.reference import reference_data
from blockprof.spaces import load_space

name, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
choose, asked = champion.choose_champion, []

def choose_at_once(*arguments):
    choice = choose(*arguments)
    if not asked:  # both compare before either moves the alias
        asked.append(choice)
        Path(f"{name}.compared").touch()
        while len(list(Path().glob("*.compared"))) < 2:
            time.sleep(0.05)
        time.sleep(0 if name == sys.argv[4] else 3)
    return choice

champion.choose_champion = choose_at_once
data = reference_data(load_space("pn"), "npu", 400, seed=0).select(range(first, last))
trained = predictors.train_predictor(data, "npu", 0)
with tracking.start_run("train-predictor", space="pn") as run:
    print(trainings.record_training(run, trained, data, Path("nets.csv"), 0, predictors.cross_validate(data)).reason)
"""


@pytest.mark.parametrize("quicker", ["few", "many"])
def test_the_better_of_two_trainings_at_once_is_champion(store: Path, quicker: str) -> None:
    started = {
        name: subprocess.Popen(
            [sys.executable, "-c", TRAIN, name, first, last, quicker],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, first, last in (("few", "0", "30"), ("many", "100", "300"))
    }
    ended = {name: process.communicate(timeout=DEADLINE_S) for name, process in started.items()}
    assert {name: process.returncode for name, process in started.items()} == {"few": 0, "many": 0}, ended
    champion = tracking.find_champion("pn", "npu")
    assert champion is not None
    assert champion.tags["num_nets"] != "24"
    reasons = {name: said.strip() for name, (said, _) in ended.items()}
    slower = "many" if quicker == "few" else "few"
    assert reasons[quicker] == "there was none before"
    assert "is better than" in reasons[slower]
    assert champion.tags["champion_reason"] == reasons["many"]


def test_an_alias_that_never_stands_where_it_was_compared(store: Path) -> None:
    MlflowClient().create_registered_model("blockprof-pn-npu")
    choice = crown("blockprof-pn-npu", 1, lambda: Choice(True, "better", compared_with=99))
    assert choice == Choice(False, "other commands moved the alias 10 times while it was compared")
    assert MlflowClient().get_registered_model("blockprof-pn-npu").aliases == {}
