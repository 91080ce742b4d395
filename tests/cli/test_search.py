"""Searches as a user makes them: fronts, limits, comparisons, what is logged, what is refused, and after a kill."""

import signal
import tempfile
import time
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient

import blockprof
from blockprof import tracking
from blockprof.api.metrics import Evaluation
from blockprof.api.searching import make_problem
from blockprof.searching.exact import solve_exactly
from blockprof.spaces import Architectures, load_space

PN = load_space("pn")
DEADLINE_S = 60
SMALL = "--initial 20 --generations 3 --children 20"


@pytest.fixture
def good(cli):
    """Runs a command that must succeed; gives what it printed on stdout, after what it must say on stderr."""

    def run(line: str, said: str = "") -> str:
        outcome = cli(*line.split())
        assert outcome.returncode == 0, outcome
        notes = [line for line in outcome.stderr.splitlines() if not line.startswith(("note: flops are", "visits: "))]
        assert said in outcome.stderr if said else not notes, outcome
        return outcome.stdout + outcome.hints

    return run


def logged(name: str) -> mlflow.entities.Run:
    return MlflowClient().get_run(tracking.find_run(name).id)


def files_of(run: mlflow.entities.Run) -> set[str]:
    client = MlflowClient()
    listed = [*client.list_artifacts(run.info.run_id), *client.list_artifacts(run.info.run_id, "figures")]
    return {file.path for file in listed if not file.is_dir}


def steps_of(run: mlflow.entities.Run, name: str) -> list[int]:
    return [point.step for point in MlflowClient().get_metric_history(run.info.run_id, name)]


def test_a_front_compared_with_the_whole_spaces(good, folder: Path) -> None:
    shown = good(
        "search --space pn --maximize accuracy --minimize npu --reduction paper-npu --compare --seeds 2 "
        f"{SMALL} --name found"
    )
    assert "accuracy (%): reference table, ImageNet top-1; mean error 0.086 points on random networks" in shown
    assert "npu (ms): reference table, Kirin 9000 NPU; mean error 1.3 % on random networks" in shown
    assert "Pareto front of seed 0: " in shown
    assert "paper-npu: hypervolume " in shown
    assert "(95 % interval " in shown
    assert ", over 2 seeds: " in shown
    assert "blockprof export network --run found --pick 1" in shown
    assert sorted(path.name for path in folder.iterdir()) == ["mlflow.db", "mlruns"]

    run = logged("found")
    assert run.info.status == "FINISHED"
    assert run.data.tags["blockprof.command"] == "search"
    assert run.data.tags["blockprof.space"] == "pn"
    assert run.data.tags["blockprof.data_origin"] == "reference"
    assert run.data.tags["blockprof.source.npu"] == "reference table, Kirin 9000 NPU"
    assert run.data.tags["blockprof.reduction"] == run.data.params["reduction"] == "paper-npu"
    assert run.data.tags["blockprof.algorithm"] == run.data.params["algorithm"] == "evolution"
    assert run.data.params["maximize"] == "accuracy"
    assert run.data.params["minimize"] == "npu"
    assert (run.data.params["seed"], run.data.params["num_seeds"]) == ("0", "2")
    assert [run.data.params[name] for name in ("initial", "generations", "children")] == ["20", "3", "20"]
    assert files_of(run) == {
        "front.csv", "evaluated.csv", "history.csv", "comparison.csv", "reduction.yaml", "about.txt",
        "figures/front.png", "figures/history.png",
    }  # fmt: skip
    for name in ("hypervolume", "front_size", "best_accuracy", "best_npu", "whole.hypervolume"):
        assert steps_of(run, name) == [0, 1, 2, 3]

    frames = tracking.load_frames(tracking.find_run("found"))
    front, evaluated, history, comparison = (frames[name] for name in ("front", "evaluated", "history", "comparison"))
    archs = Architectures.from_strings(PN, front["net_str"])
    for metric in blockprof.load_metrics("pn", ["accuracy", "npu"]):
        np.testing.assert_allclose(front[metric.info.name], metric.evaluate(archs))
    assert "k7" not in "".join(front["net_str"])
    ordered = front.sort_values("npu")
    assert ordered["accuracy"].is_monotonic_increasing
    assert len(evaluated) == evaluated.groupby(["reduction", "seed"])["net_str"].nunique().sum() == 2 * 2 * 80
    assert set(evaluated["reduction"]) == {"paper-npu", "whole space"}
    assert len(history) == 2 * 2 * 4
    final = history[history["generation"] == 3].set_index(["reduction", "seed"])["hypervolume"]
    for row in comparison.itertuples():
        assert row.hypervolume == pytest.approx(final["paper-npu", row.seed])
        assert row.hypervolume_whole == pytest.approx(final["whole space", row.seed])
        assert row.ratio == pytest.approx(row.hypervolume / row.hypervolume_whole)
    assert run.data.metrics["hypervolume_ratio.mean"] == pytest.approx(comparison["ratio"].mean())
    assert run.data.metrics["hypervolume_ratio.lower"] < run.data.metrics["hypervolume_ratio.mean"]
    assert run.data.metrics["hypervolume"] == pytest.approx(final["paper-npu", 0])


def test_the_default_objectives_are_accuracy_and_npu(good, folder: Path) -> None:
    shown = [good(f"search -s pn {SMALL} --no-log {given}") for given in ("", "--maximize accuracy --minimize npu")]
    assert strip_seconds(shown[0]) == strip_seconds(shown[1])


def strip_seconds(text: str) -> list[str]:
    return [line for line in text.splitlines() if "networks looked at in" not in line]


def test_the_best_networks_in_one_metric_within_limits(good, folder: Path) -> None:
    shown = good("search -s mbv3 --maximize accuracy --limit npu=9,macs=400e6 --top-k 5 --name limited")
    assert "Within npu <= 9 ms, macs <= 4e+08 MACs." in shown
    assert "the best 5 networks, best first" in shown
    run, frames = logged("limited"), tracking.load_frames(tracking.find_run("limited"))
    assert run.data.params["limits"] == "npu <= 9 ms, macs <= 4e+08 MACs"
    assert run.data.params["top_k"] == "5"
    assert run.data.params["minimize"] == ""
    assert "hypervolume" not in run.data.metrics
    front = frames["front"]
    assert len(front) == 5
    assert (front["npu"] <= 9).all()
    assert (front["macs"] <= 400e6).all()
    assert front["accuracy"].is_monotonic_decreasing
    assert run.data.metrics["best_accuracy"] == pytest.approx(front["accuracy"].max())
    evaluated = frames["evaluated"]
    inside = evaluated[(evaluated["npu"] <= 9) & (evaluated["macs"] <= 400e6)]
    assert inside["accuracy"].nlargest(5).tolist() == pytest.approx(front["accuracy"].tolist())


def test_what_a_reduction_gains_in_one_metric(good, folder: Path) -> None:
    line = "search -s pn --maximize accuracy --reduction paper-max-accuracy --compare --seeds 3 --name gained"
    shown = good(line)
    assert "paper-max-accuracy: best accuracy " in shown
    comparison = tracking.load_frames(tracking.find_run("gained"))["comparison"]
    gains = comparison["best_accuracy"] - comparison["best_accuracy_whole"]
    assert comparison["gain"].tolist() == pytest.approx(gains.tolist())
    assert logged("gained").data.metrics["gain.mean"] == pytest.approx(gains.mean())


def test_one_seed_has_no_interval(good, folder: Path) -> None:
    shown = good(f"search -s pn --reduction paper-npu --compare {SMALL} --no-log")
    assert "; --seeds 5 says how sure that is" in shown
    assert "95 %" not in shown
    assert "nan" not in shown


def test_without_logging_the_networks_are_printed_and_no_file_is_left(good, folder: Path) -> None:
    shown = good(f"search -s pn --maximize accuracy --top-k 3 {SMALL} --no-log")
    nets = [line.split(": ")[1] for line in shown.splitlines() if "mbconv2_" in line]
    values = blockprof.load_metrics("pn", ["accuracy"])[0].evaluate(Architectures.from_strings(PN, nets))
    assert len(values) == 3
    assert (np.diff(values) <= 0).all()
    assert not list(folder.iterdir())


def test_three_objectives_of_resnet50(good, folder: Path) -> None:
    line = "search -s resnet50 --minimize flops,params --maximize macs --name three"
    shown = good(f"{line} {SMALL}", "note: macs is maximised, as asked, though lower is better\n")
    assert "flops (MFLOPs)" in shown
    front = tracking.load_frames(tracking.find_run("three"))["front"]
    assert {"macs", "flops", "params"} <= set(front.columns)
    assert logged("three").data.tags["blockprof.data_origin"] == "counted"


def test_nsga2(good, folder: Path) -> None:
    assert "Search: nsga2, seed 3." in good(f"search -s mbv3 --algorithm nsga2 --seed 3 {SMALL} --no-log")


def test_exact_is_the_true_front_and_not_a_search(good, folder: Path) -> None:
    problem = make_problem(Evaluation(PN), reduction="paper-npu")
    archs, values = solve_exactly(problem)
    shown = good("search -s pn --reduction paper-npu --algorithm exact --name true")
    assert "Search: exact." in shown
    assert f"Pareto front, exact for these metrics: {len(archs):,} networks" in shown
    assert "seed" not in shown
    frames = tracking.load_frames(tracking.find_run("true"))
    front = frames["front"]
    assert front["net_str"].tolist() == archs.to_strings()
    np.testing.assert_allclose(front[["accuracy", "npu"]], values)
    assert frames["evaluated"]["net_str"].tolist() == front["net_str"].tolist()
    assert {"seed", "initial", "generations", "children"}.isdisjoint(logged("true").data.params)


def test_an_exact_comparison_has_no_seeds(good, folder: Path) -> None:
    line = "search -s pn --reduction paper-npu --compare --algorithm exact --name both"
    assert "times the whole space's, both exact" in good(line)
    evaluated = tracking.load_frames(tracking.find_run("both"))["evaluated"]
    for name, reduction in (("paper-npu", "paper-npu"), ("whole space", None)):
        archs, _ = solve_exactly(make_problem(Evaluation(PN), reduction=reduction))
        assert (evaluated["reduction"] == name).sum() == len(archs)


def test_networks_of_the_front_are_measured(good, folder: Path, tmp_path_factory, monkeypatch) -> None:
    temporary = str(tmp_path_factory.mktemp("temporary"))  # a lock of this test's own
    monkeypatch.setattr(tempfile, "tempdir", temporary)
    line = f"search -s pn --minimize flops,params {SMALL} --resolution 128 --verify 2"
    shown = good(f"{line} --name measured")
    assert "2 of them measured with ONNX Runtime on " in shown
    assert "flops, counted by torchprofile" in shown
    run, frames = logged("measured"), tracking.load_frames(tracking.find_run("measured"))
    verified, front = frames["verified"], frames["front"]
    assert verified["net_str"].tolist() == front["net_str"].iloc[[0, -1]].tolist()
    np.testing.assert_allclose(verified["flops"], front["flops"].iloc[[0, -1]])
    assert (verified["measured_ms"] > 0).all()
    assert run.data.tags["blockprof.data_origin"] == "counted"
    assert run.data.tags["blockprof.cpu"]
    assert run.data.metrics["verified.num_networks"] == 2
    assert abs(run.data.metrics["verified.flops.spearman"]) == pytest.approx(1)
    assert "verified.flops.ratio" not in run.data.metrics
    again = good(f"{line} --no-log", "resuming what was measured before")
    assert "2 of them measured with ONNX Runtime on " in again


def test_a_registered_predictor_is_used(good, in_trained: Path) -> None:
    assert "npu (ms): predicted by blockprof-pn-npu v1" in good(f"search -s pn {SMALL} --name predicted")
    tags = logged("predicted").data.tags
    assert tags["blockprof.data_origin"] == "reference,predicted"
    assert tags["blockprof.predictor"].startswith("predicted by blockprof-pn-npu v1")


def test_the_same_seed_finds_the_same(good, folder: Path) -> None:
    shown = [strip_seconds(good(f"search -s pn {SMALL} --seed {seed} --no-log")) for seed in (1, 1, 2)]
    assert shown[0] == shown[1] != shown[2]


def test_a_killed_search_goes_on(process, good, folder: Path) -> None:
    line = "search --space pn --maximize accuracy --minimize npu,flops --generations 100 --children 150"
    states = Path("blockprof-data/search")
    with process(*line.split(), "--no-log") as started:
        end = time.monotonic() + DEADLINE_S
        while not (states.is_dir() and list(states.glob("*.journal"))):
            assert started.poll() is None, started.communicate()
            assert time.monotonic() < end
            time.sleep(0.01)
        started.send_signal(signal.SIGKILL)
        started.communicate(timeout=DEADLINE_S)
    (state,) = states.glob("*.journal")
    again = good(f"{line} --no-log", f"note: {state}: resuming a search that was interrupted")
    assert not states.exists()
    assert strip_seconds(again) == strip_seconds(good(f"{line} --no-log"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-s nosuch", "unknown space 'nosuch'"),
        ("-s pn --minimize nosuch", "unknown metric 'nosuch' for pn: there are macs, conv_macs, flops"),
        ("-s pn --limit nosuch=4", "unknown metric 'nosuch' for pn"),
        ("-s resnet50", "accuracy is evaluated in the supernet with --data, ImageNet's folder"),
        ("-s pn --maximize npu --minimize npu", "npu is both maximised and minimised: choose one"),
        ("-s pn --maximize ,", "--maximize is empty"),
        ("-s pn --minimize 2", "metrics are given by name, not by number: use gpu"),
        ("-s pn --limit npu", "--limit 'npu': write a metric and a number, such as npu=4.0"),
        ("-s pn --limit npu=fast", "--limit 'npu=fast': write a metric and a number"),
        ("-s pn --limit npu=nan", "--limit 'npu=nan': write a metric and a number"),
        ("-s pn --limit npu=9 --limit npu=8", "npu has two limits: give one"),
        ("-s pn --limit npu=1", "npu <= 1 ms"),
        ("-s pn --maximize accuracy --limit npu=1", "npu <= 1 ms"),
        ("-s pn --limit accuracy=90", "accuracy >= 90 %"),
        ("-s pn --reduction nosuch", "nosuch"),
        ("-s pn --reduction paper-note10", "paper-note10"),
        ("-s pn --reduction nosuch.yaml", "nosuch.yaml"),
        ("-s pn --compare", "--compare: the whole space is searched anyway: give a --reduction"),
        ("-s pn --algorithm nosuch", "nosuch"),
        ("-s pn --algorithm exact --seeds 2", "--seeds: an exact search has nothing random"),
        ("-s pn --maximize accuracy --verify 3", "accuracy: nothing to compare with measured latencies"),
        ("-s pn --verify 0", "Invalid value for '--verify'"),
        ("-s pn --seeds 0", "Invalid value for '--seeds'"),
        ("-s pn --generations 0", "generations"),
        ("-s pn --children 0", "children"),
        ("-s pn --initial 0", "initial"),
        ("-s pn --maximize accuracy --top-k 0", "top"),
        ("-s pn --resolution 188", "the reference table 'accuracy' is for resolutions 192 to 224, not 188"),
    ],
)
def test_what_is_refused(line: str, said: str, refused) -> None:
    assert said in refused("search", *line.split())


def test_a_reduction_that_empties_a_layer_is_refused(refused, folder: Path) -> None:
    blocks = ", ".join(block.name for block in PN.blocks)
    (folder / "bad.yaml").write_text(f"space: pn\ndrop:\n  u1: [{blocks}]\n")
    message = refused("search", "-s", "pn", "--reduction", "bad.yaml")
    assert message.startswith("bad.yaml: ")
    assert "leaves unit 1 no block for layer 1: keep one" in message


def test_a_reduction_of_another_space_is_refused(refused, folder: Path) -> None:
    (folder / "mine.yaml").write_text("space: mbv3\n")
    message = refused("search", "-s", "pn", "--reduction", "mine.yaml")
    assert message == "mine.yaml: is a reduction of mbv3, not of pn"


def test_the_logged_reduction_can_be_searched_again(good, folder: Path) -> None:
    (folder / "mine.yaml").write_text("space: pn\nname: mine\ndrop:\n  u5: [e6k7]\nlayers:\n  u1: [2]\n")
    first = good(f"search -s pn --reduction mine.yaml {SMALL} --name first")
    logged_text = mlflow.artifacts.load_text(f"runs:/{tracking.find_run('first').id}/reduction.yaml")
    (folder / "again.yaml").write_text(logged_text)
    again = good(f"search -s pn --reduction again.yaml {SMALL} --name second")
    assert [line for line in strip_seconds(again) if "│" in line] == [
        line for line in strip_seconds(first) if "│" in line
    ]


def test_a_reduction_derived_from_a_profile(good, in_trained: Path) -> None:
    good("reduce --from profiled --out derived.yaml --no-log")
    shown = good(f"search -s pn --reduction derived.yaml --compare {SMALL} --no-log")
    assert "times the whole space's" in shown


def test_a_small_space_ends_early_and_says_so(good, folder: Path) -> None:
    units = "".join(f"  u{unit}: [2]\n" for unit in range(1, 6))
    kept = "drop:\n  everywhere: [e3k5, e3k7, e4k3, e4k5, e4k7, e6k3, e6k5, e6k7]\n  u1: []\n"
    (folder / "tiny.yaml").write_text(f"space: pn\n{kept}layers:\n{units}")
    shown = good("search -s pn --reduction tiny.yaml --no-log", "has no more")
    assert "Pareto front of seed 0: 1 networks" in shown


def test_completion(complete, folder: Path) -> None:
    assert complete("blockprof search --space pn --maximize acc") == ["accuracy"]
    assert complete("blockprof search --space pn --minimize npu,g") == ["npu,gpu"]
    assert complete("blockprof search --space pn --limit np") == ["npu="]
    assert complete("blockprof search --space mbv3 --reduction paper-n") == ["paper-npu", "paper-note10"]
    assert complete("blockprof search --algorithm ") == ["evolution", "nsga2", "exact", "random"]
