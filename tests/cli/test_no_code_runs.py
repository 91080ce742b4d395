"""No code from the registry runs, whatever it holds: numbers are read, and another's model where the user says so."""

from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
import yaml

DATA = "blockprof-data/ofa_pn_npu_reference.csv"
MODEL = "blockprof-pn-npu"
COMMANDS = (
    f"train-predictor {DATA} -s pn",
    f"compare {MODEL}/1 {MODEL}/2 --data {DATA}",
    f"compare {MODEL}/1 {MODEL}/2 --data {DATA} --trust-code --no-log",
    "profile -s pn -m npu,accuracy",
    "reduce --from profiled",
    "search -s pn --maximize accuracy --minimize npu --generations 2",
    f"export predictor {MODEL} --out npu.onnx",
    "export run profiled",
)
CANARY = "canary.txt"
SPEAK = f"open({CANARY!r}, 'w').close()\n"


def add_a_line(model: Path) -> None:
    code = model / "pyfunc_model.py"
    code.write_text(SPEAK + code.read_text())


def name_a_loader(model: Path) -> None:
    (model / "code").mkdir()
    (model / "code" / "canary_loader.py").write_text(f"{SPEAK}def _load_pyfunc(path):\n    {SPEAK}")
    file = model / "MLmodel"
    facts = yaml.safe_load(file.read_text())
    facts["flavors"]["python_function"] |= {"loader_module": "canary_loader", "code": "code"}
    file.write_text(yaml.safe_dump(facts))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, cli: Callable) -> Path:
    """A folder with two predictors of pn's npu, and the run ``profiled``."""
    place = tmp_path_factory.mktemp("two")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for line in (
            "fetch-data -n 300",
            "train-predictor",
            "train-predictor --seed 3",
            "profile -m npu,accuracy --name profiled",
        ):
            outcome = cli(*line.split(), "--space", "pn")
            assert outcome.returncode == 0, outcome.stderr
    return place


@pytest.fixture
def in_two(folder: Path, two: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(two)
    (two / CANARY).unlink(missing_ok=True)
    return two


OTHER = """
import mlflow
from mlflow.pyfunc.model import PythonModel

class Constant(PythonModel):
    def predict(self, context, model_input):
        open("canary.txt", "w").close()
        return model_input.assign(latency_ms=10.0)[["latency_ms"]]

mlflow.models.set_model(Constant())
"""


@pytest.mark.filterwarnings("ignore:.*Add type hints:UserWarning")
def test_anothers_model_runs_only_where_it_is_named_and_trusted(in_two: Path, cli: Callable) -> None:
    Path("constant.py").write_text(OTHER)
    mlflow.pyfunc.log_model(
        name="constant", python_model="constant.py", pip_requirements=[], registered_model_name="constant"
    )
    (in_two / CANARY).unlink(missing_ok=True)
    asked = ("compare", MODEL, "models:/constant/1", "--no-log")
    refused = cli(*asked, "--data", DATA)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "error: constant v1 is not blockprof's: to ask it, code from the registry must run: give --trust-code if you "
        "trust whoever registered it\n"
    )
    without = cli(*asked, "--trust-code")
    assert (without.returncode, without.stdout) == (2, "")
    assert "constant v1 is not blockprof's, so it has no test rows: give networks as --data" in without.stderr
    assert not (in_two / CANARY).exists()
    outcome = cli(*asked, "--data", DATA, "--trust-code")
    assert outcome.returncode == 0, outcome.stderr
    assert (in_two / CANARY).exists()
    assert f"{MODEL} v1 is better than constant v1" in outcome.stdout
    unknown = cli("compare", MODEL, "models:/none/7", "--data", DATA)
    assert unknown.returncode == 2
    assert "no model 'models:/none/7' is registered" in unknown.stderr


@pytest.mark.parametrize("swap", [add_a_line, name_a_loader])
def test_swapped_code_does_not_run_in_any_command(in_two: Path, cli: Callable, swap: Callable[[Path], None]) -> None:
    models = [path.parent for path in in_two.glob("mlruns/*/models/*/artifacts/pyfunc_model.py")]
    assert len(models) >= 2
    for model in models:
        swap(model)
    for line in COMMANDS:
        outcome = cli(*line.split())
        assert outcome.returncode == 0, outcome.stderr
        assert not list(in_two.rglob(CANARY)), line
    with pytest.raises(Exception, match=r".*"):  # the swap works: MLflow itself runs the code
        mlflow.pyfunc.load_model(f"models:/{MODEL}/1").predict({"net": ["no network"]})
    assert (in_two / CANARY).exists()
