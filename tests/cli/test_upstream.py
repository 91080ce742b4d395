"""BlockProfile's spellings keep working, or say what to write instead."""

import pytest

import blockprof


@pytest.mark.parametrize(
    ("spelling", "title"),
    [("OFAPred", "OFA-MobileNetV3"), ("OFASupernet", "OFA-MobileNetV3"), ("ProxylessSupernet", "ProxylessNAS")],
)
def test_spaces(spelling: str, title: str, cli, folder) -> None:
    outcome = cli("profile", "--space", spelling, "--no-log")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert title in outcome.stdout


def test_resnet50_and_its_nested_lists(cli, folder) -> None:
    line = ["profile", "-s", "ResNet50Supernet", "-m", "flops", "-b", "[[0, 0]]", "-b", "[[2, 2, 1, 0.35, 2]]"]
    outcome = cli(*line, "--no-log")
    assert outcome.returncode == 0, outcome.stderr
    assert "OFA-ResNet50" in outcome.stdout
    assert "stem.skip" in outcome.stdout
    assert "u3.l2.w100.e35" in outcome.stdout


def test_resnet50_without_a_metric_is_profiled_by_flops(cli, folder) -> None:
    outcome = cli("profile", "-s", "ResNet50Supernet", "-b", "stem.skip", "--no-log")
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
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "10 networks a placement" in outcome.stdout


def test_nested_lists_of_blocks_count_from_0(cli, folder) -> None:
    outcome = cli("profile", "-s", "OFAPred", "-b", "[[1, 0, 7, 6], [2, 3, 3, 4, 224]]", "--no-log")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "u2.l1.e6k7+u3.l4.e4k3" in outcome.stdout


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("-s pn -m 0", "metric '0': metrics are given by name, not by number: use accuracy"),
        ("-s pn -m npu,4", "use npu"),
        ("-s OFASupernet -m 4", "use note10"),
        ("-s OFASupernet -m 5", "use npu"),
        ("-s ResNet50Supernet -m 0", "use accuracy, with --data"),
        ("-s ResNet50Supernet -m 1", "use flops"),
        ("-s ResNet50Supernet -m 2", "this was gpu, which resnet50 has where you train a predictor of that name"),
        ("-s ResNet50Supernet -m 3", "this was cpu, which resnet50 has where you train a predictor of that name"),
        ("-s pn -m 9", "there are accuracy, flops, gpu, cpu, npu"),
    ],
)
def test_metrics_by_number_are_refused_with_the_name(line: str, hint: str, refused) -> None:
    assert refused("profile", *line.split()).endswith(hint)


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
