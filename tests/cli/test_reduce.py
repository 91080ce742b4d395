"""``blockprof reduce``: from a profile's run to a file, and what it refuses."""

from pathlib import Path

import pytest

from blockprof.reduction import Reduction, load_reduction
from blockprof.spaces import load_space


def test_a_profile_gives_a_reduction_that_loads_and_is_logged(cli, in_trained: Path, tmp_path: Path) -> None:
    from mlflow import MlflowClient
    from mlflow.artifacts import load_text

    from blockprof.tracking import find_run

    path = tmp_path / "new" / "small.yaml"
    outcome = cli("reduce", "--from", "profiled", "--out", path, "--name", "reduced")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "reduction of pn from the profile profiled (accuracy: reference, npu: predicted)" in outcome.stdout
    assert "networks are left" in outcome.stdout
    assert f"wrote {path}" in outcome.stdout
    assert "logged to MLflow as run reduced, id " in outcome.hints
    reduction = load_reduction(load_space("pn"), str(path))
    assert reduction.name == "derived-npu"
    assert reduction.reasons
    run = MlflowClient().get_run(find_run("reduced").id)
    assert load_text(f"runs:/{run.info.run_id}/reduction.yaml") == path.read_text()
    tags, source = run.data.tags, find_run("profiled")
    assert tags["blockprof.command"] == "reduce"
    assert tags["blockprof.space"] == "pn"
    assert tags["blockprof.reduction"] == "derived-npu"
    assert tags["blockprof.source_run"] == source.id
    assert tags["blockprof.data_origin"] == "reference,predicted"
    assert tags["blockprof.source.npu"] == source.tags["blockprof.source.npu"]
    assert run.data.params == {"from": source.id, "gain": "accuracy", "costs": "npu", "trim_percent": "1.0"}
    share = reduction.num_networks / Reduction.whole(reduction.space).num_networks
    assert run.data.metrics["networks_share"] == pytest.approx(share)
    assert run.data.metrics["placements_dropped"] == (~reduction.kinds).sum()
    assert run.data.metrics["depths_dropped"] == 16 - sum(map(len, reduction.depths))


def test_trim_without_logging(cli, in_trained: Path, tmp_path: Path) -> None:
    sizes = []
    for trim in ("0", "5"):
        path = tmp_path / f"trim{trim}.yaml"
        outcome = cli("reduce", "--from", "profiled", "--trim", trim, "--out", path, "--no-log")
        assert (outcome.returncode, outcome.stderr) == (0, "")
        assert "MLflow" not in outcome.stdout
        sizes.append(load_reduction(load_space("pn"), str(path)).num_networks)
    assert sizes[0] > sizes[1]


@pytest.mark.parametrize("logging", [["--no-log"], []])
def test_a_file_that_was_edited_is_kept(logging: list[str], cli, in_trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    line = ("reduce", "--from", "profiled", "--out", path, *logging)
    for _ in range(2):
        outcome = cli(*line)
        assert (outcome.returncode, outcome.stderr) == (0, ""), "the same file is no other one"
    derived = path.read_text()
    edited = f"{derived}# mine\n"
    path.write_text(edited)
    outcome = cli(*line)
    assert outcome.returncode == 0
    assert outcome.stderr == f"note: {path}: another file was there, which is kept as mine.yaml.old\n"
    assert path.read_text() == derived
    assert (tmp_path / "mine.yaml.old").read_text() == edited
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.yaml", "mine.yaml.old"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "nothing"], "no run has the id or name 'nothing'"),
        (["--from", "profiled", "--cost", "gpu"], "the profile has no metric 'gpu': it has npu, accuracy"),
        (["--from", "profiled", "--gain", "npu"], "--gain npu: of npu lower is better"),
        (["--from", "profiled", "--trim", "-1"], "--trim -1: give a percentage from 0 to below 50"),
        (["--from", "profiled", "--out", "."], "it is a folder: name a file"),
    ],
)
def test_refusals(arguments: list[str], message: str, cli, in_trained: Path) -> None:
    before = sorted(in_trained.glob("*"))
    outcome = cli("reduce", *arguments)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert message in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert sorted(in_trained.glob("*")) == before


def test_runs_that_are_no_profile_to_go_by(cli, folder: Path) -> None:
    assert cli("profile", "--space", "pn", "--blocks", "u1.l1.e3k3", "-m", "npu", "--name", "few").returncode == 0
    upstream = ("--sampler", "upstream", "-m", "npu,accuracy", "--name", "old")
    assert cli("profile", "--space", "pn", *upstream).returncode == 0
    assert cli("fetch-data", "--space", "pn", "-n", "20", "--name", "fetched").returncode == 0
    assert cli("profile", "--space", "resnet50", "--blocks", "stem.skip", "--name", "wide").returncode == 0
    for name, message in {
        "few": "no metric of which higher is better, only npu: make one with `blockprof profile --space pn --metrics "
        "npu,accuracy`",
        "wide": "only flops: make one with `blockprof profile --space resnet50 --metrics flops,accuracy --data FOLDER`",
        "old": "the profile was made with --sampler upstream",
        "fetched": "run fetched is of `blockprof fetch-data`, not of a profile: make one with `blockprof profile",
    }.items():
        outcome = cli("reduce", "--from", name)
        assert (outcome.returncode, outcome.stdout) == (2, "")
        assert message in outcome.stderr
    assert not list(folder.glob("*.yaml"))
