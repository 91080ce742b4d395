"""Look-up tables of one's own, and what flops are said to be."""

from pathlib import Path

FLOPS = "note: flops are 2 x MACs, in millions; OFA's papers call multiply-adds FLOPs"


def test_ones_own_tables_are_fetched_and_profiled(cli, folder: Path, shared_data: Path) -> None:
    lab = folder / "my-phone"
    lab.mkdir()
    name = "192_lookup_table.yaml"
    (lab / name).write_bytes((shared_data / "note10" / name).read_bytes())
    fetched = cli("fetch-data", "-s", "mbv3", "--source", lab, "--no-log")
    assert fetched.returncode == 0, fetched.stderr
    assert (folder / "blockprof-data" / "my-phone" / name).is_file()
    shown = cli("profile", "-s", "mbv3", "-m", "my-phone", "--resolution", "192", "--no-log")
    assert shown.returncode == 0, shown.stderr
    assert "look-up table, my-phone, 192_lookup_table.yaml" in " ".join(shown.stdout.split())


def test_a_table_that_is_not_understood(refused, folder: Path) -> None:
    (folder / "lab").mkdir()
    (folder / "lab" / "my.yaml").write_text("a: {mean: 1}")
    message = refused("fetch-data", "-s", "mbv3", "--source", "lab")
    assert message.startswith("lab/my.yaml: is not understood: look-up tables are named RESOLUTION_lookup_table.yaml")


def test_flops_are_told_where_they_are_asked_for_or_limited(cli, folder: Path) -> None:
    profiled = cli("profile", "-s", "pn", "-m", "flops,npu", "--no-log")
    by_default = cli("profile", "-s", "resnet50", "--no-log")
    limited = cli("search", "-s", "pn", "--limit", "flops=1000", "--algorithm", "exact", "--no-log")
    for outcome in (profiled, by_default, limited):
        assert outcome.returncode == 0, outcome.stderr
        assert outcome.stderr.count(FLOPS) == 1
        assert FLOPS not in outcome.stdout
    assert "flops are" not in cli("profile", "-s", "pn", "-m", "macs,npu", "--no-log").stderr
