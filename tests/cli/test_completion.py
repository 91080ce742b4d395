import pytest

from blockprof.spaces import space_names


def test_spaces(complete, folder) -> None:
    assert complete("blockprof profile --space ") == list(space_names())
    assert complete("blockprof train-predictor -s p") == ["pn", "pn-w1.0"]
    assert complete("blockprof export networks --space r") == ["resnet50"]


def test_help_lists_the_spaces(cli, folder) -> None:
    for command in (["profile"], ["fetch-data"], ["export", "network"]):
        shown = " ".join(cli(*command, "--help").stdout.replace("│", " ").split())
        assert "Design space: mbv3, pn, resnet50, mbv3-w1.0, pn-w1.0, fbnet, mnasnet, mobilenetv4, vit." in shown


def test_samplers_formats_and_designs(complete, folder) -> None:
    assert complete("blockprof profile --sampler ") == ["paper", "upstream", "upstream-fig4"]
    assert complete("blockprof export run x --format p") == ["parquet"]
    assert complete("blockprof export networks --design r") == ["random"]


def test_built_in_metrics(complete, folder) -> None:
    assert complete("blockprof profile --space pn --metrics n") == ["npu"]
    assert complete("blockprof profile --space mbv3 --metrics n") == ["note10", "npu"]
    assert complete("blockprof profile --space resnet50 --metrics ") == [
        "accuracy",
        "conv_macs",
        "flops",
        "macs",
        "ort-cpu",
        "params",
        "peak_memory",
        "weights",
    ]
    assert complete("blockprof profile -m g") == ["gpu"]
    assert complete("blockprof profile -m npu,o") == ["npu,ort-cpu"]
    assert not list(folder.iterdir())


def test_the_next_metric_after_a_comma(complete, folder) -> None:
    assert complete("blockprof profile -m npu,accuracy,n") == ["npu,accuracy,note10"]


def test_registered_metrics(complete, cli, in_trained, rows: list[str]) -> None:
    (in_trained / "mine.csv").write_text("\n".join(["net_id,net_str,device,resolution,lat unit,end-to-end lat", *rows]))
    assert cli("train-predictor", "-s", "pn", "-m", "phone", "mine.csv").returncode == 0
    for space in ("pn", "ProxylessSupernet"):
        assert complete(f"blockprof profile --space {space} --metrics npu,ph") == ["npu,phone"]
    assert complete("blockprof profile --space mbv3 --metrics ph") == []


def test_a_store_that_does_not_answer_adds_nothing(complete, folder, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "mlflow.db").write_text("not a database")
    assert complete("blockprof profile --space pn --metrics np") == ["npu"]


def test_an_unknown_space_adds_nothing(complete, folder) -> None:
    assert complete("blockprof profile --space nosuch --metrics np") == ["npu"]
