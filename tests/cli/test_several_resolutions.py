"""Networks and rows are different numbers where networks were measured at several resolutions."""

from pathlib import Path

import pytest

HEADER = "net_id,net_str,device,resolution,lat unit,end-to-end lat"


@pytest.fixture
def measured(folder: Path, rows: list[str]) -> Path:
    """30 networks, each at three resolutions, of which the latency is as the area."""
    path = folder / "three.csv"
    lines = [HEADER]
    for row in rows:
        *head, latency = row.split(",")
        for size in (192, 208, 224):
            scaled = float(latency) * (size / 224) ** 2
            lines.append(",".join([*head, str(scaled)]).replace(",224,", f",{size},"))
    path.write_text("\n".join(lines))
    return path


def test_networks_are_not_rows(measured: Path, cli) -> None:
    outcome = cli("train-predictor", "-s", "pn", measured, "--metric", "mine")
    assert outcome.returncode == 0
    assert "only 3 test networks are rough: the 10 folds, of all 30, tell more" in outcome.stderr
    assert outcome.stdout.startswith("trained on 24 networks (72 rows) in ")
    assert "s; 3 other networks (9 rows) to test, 3 (9 rows) held back\n" in outcome.stdout
    assert "% of the test rows lie inside" in outcome.stdout
    assert "10 folds: 30 networks, each predicted by a predictor of the others" in outcome.stdout


def test_where_they_are_the_same_only_networks_are_told(folder: Path, rows: list[str], cli) -> None:
    (folder / "one.csv").write_text("\n".join([HEADER, *rows]))
    outcome = cli("train-predictor", "-s", "pn", "one.csv", "--metric", "mine", "--no-log")
    assert outcome.stdout.startswith("trained on 24 networks in ")
    assert "s; 3 other networks to test, 3 held back\n" in outcome.stdout
