"""BlockProfile's spellings mean what they meant, or the output says what differs."""

import re
import subprocess

import pytest

import blockprof
from blockprof.cli.several_values import repeat_options
from blockprof.foundation.errors import PlacementError
from blockprof.spaces import load_space, parse_blocks

NOTE_SAMPLER = "note: the sampler is the paper's; {} drew networks as --sampler upstream does\n"
NOTE_FLOPS = (
    "note: flops are twice the networks' own multiply-adds; {}'s FLOPS were the multiply-adds of a table with other "
    "widths\n"
)
NOTE_ALL = "note: all placements are profiled; BlockProfile drew random networks only without --all and --blocks\n"
NOTE_TABLE = (
    "note: accuracy is that of the built-in table; {} evaluated networks in the supernet: give --data, ImageNet's "
    "folder\n"
)


def metrics_of(outcome: subprocess.CompletedProcess[str]) -> list[str]:
    return re.findall(r"^\S+ \(\w+\) at resolution 224\. (\S+) \(", outcome.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("spelling", "title", "metrics", "notes"),
    [
        ("OFASupernet", "OFA-MobileNetV3", "accuracy flops gpu cpu npu", (NOTE_TABLE, NOTE_FLOPS)),
        ("ProxylessSupernet", "ProxylessNAS", "accuracy flops gpu cpu npu", (NOTE_TABLE,)),
        ("ResNet50Supernet", "OFA-ResNet50", "flops", ()),
    ],
)
def test_spaces_have_all_their_metrics(spelling: str, title: str, metrics: str, notes, cli, folder) -> None:
    outcome = cli("profile", "--space", spelling, "--no-log")
    assert outcome.returncode == 0, outcome.stderr
    assert title in outcome.stdout
    assert metrics_of(outcome) == metrics.split()
    left_out, others = [], ""
    for line in outcome.stderr.splitlines(keepends=True):
        match = re.match(rf"note: {spelling} had the metric (\w+) too, which is left out: .+", line)
        left_out, others = ([*left_out, match[1]], others) if match else (left_out, others + line)
    theirs = load_space(spelling).assets.upstream_called(spelling)
    assert {*left_out, *metrics.split()} == set(theirs.metrics)
    assert others == "".join((*notes, NOTE_SAMPLER, NOTE_ALL)).format(*[spelling] * 4)


def test_ofapred_is_ofas_predictor(cli, folder, shared_data, monkeypatch) -> None:
    line = ["profile", "--space", "OFAPred", "-n", "300", "-b", "[[1, 0, 7, 6]]", "--no-log"]
    without = cli(*line, "-m", "accuracy")
    assert (without.returncode, without.stdout) == (2, "")
    assert "fetch-data --source ofa-accuracy-predictor`" in without.stderr
    left_out = cli(*line)
    assert metrics_of(left_out) == ["flops", "gpu", "cpu", "npu"]
    assert "had the metric accuracy too, which is left out: OFA's accuracy predictor is not at" in left_out.stderr
    assert "which is left out: no note10 tables in blockprof-data/note10: fetch them with" in left_out.stderr
    monkeypatch.setenv("BLOCKPROF_DATA", str(shared_data))
    outcome = cli(*line, "-m", "0", "--sampler", "upstream")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "accuracy (%): predicted by OFA's accuracy predictor at 224" in outcome.stdout
    assert "random networks: 81.2" in outcome.stdout
    assert "reference table, ImageNet top-1" in cli(*line, "-m", "accuracy", "--accuracy-source", "reference").stdout
    assert metrics_of(cli(*line)) == ["accuracy", "flops", "gpu", "cpu", "note10", "npu"]
    data = cli(*line, "-m", "accuracy", "--data", "nosuch", "--sampler", "upstream")
    assert (data.returncode, data.stderr) == (0, "note: --data is not used: none of these metrics runs networks\n")


def test_spaces_own_names_keep_their_default(cli, folder) -> None:
    outcome = cli("profile", "--space", "pn", "--no-log")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert metrics_of(outcome) == ["npu"]


def test_resnet50_and_its_nested_lists(cli, folder) -> None:
    lists = ["-b", "[[0, 0]]", "-b", "[[2, 2, 1, 0.35, 2]]"]
    outcome = cli("profile", "-s", "ResNet50Supernet", "-m", "flops", *lists, "--no-log")
    assert outcome.returncode == 0, outcome.stderr
    assert "OFA-ResNet50" in outcome.stdout
    assert "stem.skip" in outcome.stdout
    assert "u3.l2.w100.e35" in outcome.stdout


def test_resnet50_without_a_metric_is_profiled_by_flops(cli, folder) -> None:
    outcome = cli("profile", "-s", "resnet50", "-b", "stem.skip", "--no-log")
    assert outcome.returncode == 0
    assert outcome.stderr.startswith("note: flops are 2 x MACs")
    assert outcome.stderr.count("\n") == 1
    assert "flops (MFLOPs): counted" in outcome.stdout
    assert blockprof.profile("resnet50", blocks=["stem.skip"]).metrics[0].info.name == "flops"
    assert blockprof.profile("pn", blocks=["u1.l1.e3k3"]).metrics[0].info.name == "npu"


@pytest.mark.parametrize("metric", ["npu", "accuracy"])
def test_what_resnet50_has_no_table_for(metric: str, refused) -> None:
    message = refused("profile", "--space", "resnet50", "-m", metric)
    assert message.startswith(f"there is no reference table '{metric}' for resnet50: there are macs, flops, params")


@pytest.mark.parametrize(
    "line",
    [
        "profile --space ProxylessSupernet --num_archs 10 --all --metrics npu --no-log",
        "profile -s ProxylessSupernet -n 10 -a -m npu --no-log",
    ],
)
def test_options(line: str, cli, folder) -> None:
    outcome = cli(*line.split())
    assert (outcome.returncode, outcome.stderr) == (0, NOTE_SAMPLER.format("ProxylessSupernet"))
    assert "10 networks a placement" in outcome.stdout


@pytest.mark.parametrize(
    "values", [["0", "1"], ["accuracy", "flops"], ["0,1"], ["0", "-m", "flops"], ["accuracy", "1"]]
)
def test_several_metrics_and_their_numbers(values: list[str], cli, folder) -> None:
    outcome = cli("profile", "-s", "pn", "-m", *values, "-b", "u1.l1.e3k3", "u1.l2.e3k3", "--no-log")
    assert outcome.returncode == 0
    (said,) = outcome.stderr.splitlines()
    assert said.startswith("note: flops are 2 x MACs")
    assert metrics_of(outcome) == ["accuracy", "flops"]
    assert "u1.l2.e3k3" in outcome.stdout


def test_values_are_not_taken_from_commands_with_arguments_or_other_options(refused) -> None:
    assert refused("profile", "-s", "pn", "--seed", "1", "2", "--no-log").startswith(
        "Got unexpected extra argument(s) (2)"
    )
    assert repeat_options(["-m", "a", "b", "-n", "3", "--metrics=c", "d"], {"-m", "--metrics"}) == [
        *["-m", "a", "-m", "b", "-n", "3", "--metrics=c", "--metrics", "d"]
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[[0, 1]]", "stem.noskip"),
        ("[[0, 2]]", "stem.noskip"),
        ("[[0, 0]]", "stem.skip"),
        ("[[0, -1]]", "stem.skip"),
        ("[[3, 2, 1, 0.35, 2]]", "u3.l2.w100.e35"),
        ("[[9, 0, 3, 0.2, 0]]", "u1.l4.w65.e20"),
        ("[[1, 0, 2]]", "stem1.c32"),
        ("[[0, 1], [3, 1, 0, 0.25, 1]]", "stem.noskip+u2.l1.w80.e25"),
    ],
)
def test_block_lists_of_resnet50(text: str, name: str) -> None:
    assert [constraint.name for constraint in parse_blocks(load_space("resnet50"), [text], 224)] == [name]


@pytest.mark.parametrize("text", ["[[0, 0.5]]", "[[1, 2, 0]]", "[[0, 2, 1, 0.35, 2]]", "[[3, 2, 1, 0.35, 3]]", "[[3]]"])
def test_block_lists_that_upstream_did_not_have(text: str) -> None:
    with pytest.raises(PlacementError, match="unit and layer counted from 0"):
        parse_blocks(load_space("resnet50"), [text], 224)


def test_nested_lists_of_blocks_count_from_0(cli, folder) -> None:
    outcome = cli("profile", "-s", "mbv3", "-b", "[[1, 0, 7, 6], [2, 3, 3, 4, 224]]", "--no-log")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "u2.l1.e6k7+u3.l4.e4k3" in outcome.stdout


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "-s OFASupernet -m 5,6",
            "metric '6': BlockProfile numbered 0 accuracy, 1 flops, 2 gpu, 3 cpu, 4 note10, 5 npu",
        ),
        ("-s pn -m 9", "metric '9': BlockProfile numbered 0 accuracy, 1 flops, 2 gpu, 3 cpu, 4 npu: give one of these"),
        ("-s resnet50 -m 0", "there is no reference table 'accuracy' for resnet50: "),
        ("-s resnet50 -m 2", "there is no reference table 'gpu' for resnet50: "),
    ],
)
def test_numbers_that_stand_for_nothing_here(line: str, message: str, refused) -> None:
    assert refused("profile", *line.split()).startswith(message)


@pytest.mark.parametrize(
    ("options", "named"),
    [("-d cpu", "--device is"), ("--fast --data /data/ImageNet -d cuda:0", "--data, --fast, --device are")],
)
def test_options_that_nothing_runs_with_are_said_to_be_unused(options: str, named: str, cli, folder) -> None:
    outcome = cli("profile", "-s", "pn", *options.split(), "--no-log")
    assert outcome.returncode == 0
    assert outcome.stderr == f"note: {named} not used: none of these metrics runs networks\n"


def test_a_device_that_torch_does_not_have(refused) -> None:
    assert refused("profile", "-s", "pn", "-d", "GPU") == "--device 'GPU': write a torch device, such as cpu or cuda:0"
