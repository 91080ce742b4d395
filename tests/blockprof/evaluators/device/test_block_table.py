"""Block tables: really measured, quickly and at the least resolution; killed and resumed; read as a metric."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from codes import coded
from scipy.stats import spearmanr

import blockprof
from blockprof.evaluators.device import BlockTable, MeasureSpec, check_block_journal, measure_block_table
from blockprof.foundation.errors import DataFileError, InputError, MetricError
from blockprof.metrics import PredictorFolder, list_block_tables, load_metrics
from blockprof.metrics.block_table import block_table_name, load_block_table, read_block_table
from blockprof.spaces import Architectures, load_space
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")
RESOLUTION = 128
QUICK = MeasureSpec(rounds=1, time_limit_s=0.02, min_runs=6, max_runs=8, anchor_every=20)
NUM_WHOLE = 6
NUM_PIECES = 101

WORKER = f"""
import sys
from pathlib import Path
from blockprof.evaluators.device import MeasureSpec, measure_block_table
from blockprof.spaces import load_space

spec = {QUICK!r}
measure_block_table(load_space("pn"), {RESOLUTION}, Path(sys.argv[1]), spec, num_whole={NUM_WHOLE})
"""


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal whose process was killed with -9 when it had made 40 visits or so, in its first part."""
    folder = tmp_path_factory.mktemp("killed")
    path = folder / "table.journal.jsonl"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": str(folder)}
    worker = subprocess.Popen([sys.executable, "-c", WORKER, path], env=environment)
    end = time.monotonic() + 300  # the first time, the pieces are exported
    while not path.exists() or path.read_bytes().count(b"\n") < 40:
        assert worker.poll() is None, "the worker ended too soon"
        assert time.monotonic() < end
        time.sleep(0.01)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    return path


@pytest.fixture(scope="module")
def killed(journal: Path) -> bytes:
    """What the journal holds of the killed process: whole lines."""
    content = journal.read_bytes()
    return content[: content.rfind(b"\n") + 1]


@pytest.fixture
def table(journal: Path, killed: bytes) -> BlockTable:
    """The table of that journal, resumed where it is not finished yet."""
    return measure_block_table(PN, RESOLUTION, journal, QUICK, num_whole=NUM_WHOLE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder."""
    monkeypatch.setenv("BLOCKPROF_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def path(table: BlockTable, folder: Path) -> Path:
    """The table as the file of the metric ``mine``."""
    path = folder / block_table_name(PN, "mine", RESOLUTION)
    table.write(path)
    return path


def test_killed_and_gone_on_with_loses_nothing_and_measures_nothing_twice(
    table: BlockTable, journal: Path, killed: bytes
) -> None:
    content = journal.read_bytes()
    assert content.startswith(killed)
    lines = [json.loads(line) for line in content.splitlines()]
    assert sum("environment" in line for line in lines) == 2
    visits = [line["visit"] for line in lines if "visit" in line]
    assert sorted(visit["network"] for visit in visits if not visit["anchor"]) == list(range(NUM_WHOLE + NUM_PIECES))
    again = measure_block_table(PN, RESOLUTION, journal, QUICK, num_whole=NUM_WHOLE)
    assert journal.read_bytes() == content
    pd.testing.assert_frame_equal(again.to_frame(), table.to_frame(), check_exact=True)


def test_every_piece_has_a_row(table: BlockTable) -> None:
    frame = table.to_frame()
    assert frame["piece"].tolist() == ["stem", *(instance.name for instance in PN.instances), "head"]
    assert (frame["lower_ms"] <= frame["cost_ms"]).all()
    assert (frame["cost_ms"] <= frame["upper_ms"]).all()
    assert (frame["num_runs"] >= QUICK.min_runs).all()
    assert frame["device"].nunique() == 1
    assert frame["device"][0].endswith(" ONNX Runtime CPU 1 thread")
    costs = frame.set_index("piece")["cost_ms"]
    expensive, cheap = (sum(costs[f"u{unit}.rest.e{expand}k7"] for unit in range(1, 6)) for expand in (6, 3))
    assert expensive > 1.2 * cheap


def test_sums_are_those_of_the_rows_and_are_compared_with_whole_networks(table: BlockTable) -> None:
    whole, costs = table.whole_frame(), table.to_frame().set_index("piece")["cost_ms"]
    archs = Architectures.from_strings(PN, whole["net"])
    for row, ids in zip(whole.itertuples(), archs.ids, strict=True):
        parts = [costs[PN.instances[index].name] for index in ids.tolist() if index < len(PN.instances)]
        assert row.sum_ms == pytest.approx(costs["stem"] + sum(parts) + costs["head"])
    ratios = whole["sum_ms"] / whole["measured_ms"]
    assert table.raw_scores.bias == pytest.approx(ratios.mean())
    assert table.raw_scores.mape_percent == pytest.approx(100 * (ratios - 1).abs().mean())
    assert table.raw_scores.spearman == spearmanr(whole["sum_ms"], whole["measured_ms"]).statistic
    assert 0.3 < ratios.mean() < 3
    for left_out in range(NUM_WHOLE):
        others = np.delete(ratios.to_numpy(), left_out)
        best = np.linalg.lstsq(others[:, None], np.ones(NUM_WHOLE - 1))[0][0]
        assert whole["scaled_ms"][left_out] == pytest.approx(best * whole["sum_ms"][left_out])


def test_profiled_it_is_the_table(table: BlockTable, path: Path) -> None:
    (metric,) = load_metrics(PN, ["mine"], RESOLUTION, lambda _: None)
    archs = sample_architectures(PN, 100, np.random.default_rng(3))
    costs = np.append(table.to_frame()["cost_ms"].to_numpy()[1:-1], 0.0)
    fixed = table.to_frame().set_index("piece")["cost_ms"][["stem", "head"]].sum()
    scale = table.costs.scale
    np.testing.assert_allclose(metric.evaluate(archs), scale * (fixed + costs[archs.ids].sum(axis=1)), rtol=1e-12)
    assert metric.info.origin == "table"
    assert metric.info.source == (
        f"block table, {table.costs.device}, version {table.costs.version}, measured at {RESOLUTION}, "
        f"sums times {scale:.3f}"
    )
    exact = blockprof.profile(PN, [metric], resolution=RESOLUTION, blocks=["u2.l1.e6k7", "u2.l1.e3k3"])
    effects = exact.placement_frame().set_index("placement")["effect"]
    index = {instance.name: cost for instance, cost in zip(PN.instances, metric.costs, strict=True)}
    difference = index["u2.first.e6k7"] - index["u2.first.e3k3"]
    assert effects["u2.l1.e6k7"] - effects["u2.l1.e3k3"] == pytest.approx(difference)


def test_the_file_gives_the_same_numbers_back(table: BlockTable, path: Path) -> None:
    assert read_block_table(path, PN, RESOLUTION) == table.costs
    assert sorted(file.name for file in path.parent.iterdir()) == ["ofa_pn_mine_r128_block_table.csv"]


def test_a_predictor_comes_first_and_a_table_before_the_reference(path: Path, tmp_path: Path) -> None:
    path.rename(path.with_name(block_table_name(PN, "npu", RESOLUTION)))
    (metric,) = load_metrics(PN, ["npu"], RESOLUTION, lambda _: None)
    assert metric.info.origin == "table"
    with pytest.raises(DataFileError, match=r"model\.json", check=coded("not-a-predictor")):
        load_metrics(PN, ["npu"], RESOLUTION, lambda _: PredictorFolder("a predictor", tmp_path))


def test_which_tables_there_are(path: Path) -> None:
    for name in ("mine_r64", "other"):
        path.with_name(block_table_name(PN, name, 224)).write_text("")
    (path.parent / "ofa_pn_x_r1x_block_table.csv").write_text("")
    assert list_block_tables(PN) == {"mine": [128], "mine_r64": [224], "other": [224]}
    assert list_block_tables(load_space("mbv3")) == {}
    with pytest.raises(MetricError, match=r"tpu.*pn.*macs.*mine, mine_r64, other,", check=coded("unknown-metric")):
        load_metrics(PN, ["tpu"], RESOLUTION, lambda _: None)


def test_no_table(folder: Path) -> None:
    assert list_block_tables(PN) == {}
    assert load_block_table(PN, "mine", RESOLUTION) is None
    assert load_block_table(PN, "../mine", RESOLUTION) is None


def test_another_resolution(path: Path) -> None:
    path.with_name("ofa_pn_mine_r192_block_table.csv").write_text("")
    with pytest.raises(MetricError, match=r"mine.*pn.*224.*128.*192", check=coded("no-such-resolution")):
        load_metrics(PN, ["mine"], 224, lambda _: None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: "", "row 1: no column 'piece': is it a block table"),
        (lambda text: text.replace("cost_ms", "latency", 1), "row 1: no column 'cost_ms'"),
        (lambda text: text.splitlines()[0], "no row of the piece 'head' and 100 others"),
        (lambda text: "\n".join(text.splitlines()[:-1]), "no row of the piece 'head': measure"),
        (lambda text: text.replace("\nu1.first.e3k3,", "\nu1.first.e3k9,"), "row 3, column 'piece': pn has no piece"),
        (lambda text: text.replace("\nu1.first.e3k3,", "\nstem,"), "row 3, column 'piece': 'stem' is there twice"),
        (lambda text: text.replace("\nu1.first.e3k3,", "\nu1.first.e3k3,-"), "row 3, column 'cost_ms': '-0.*' is not"),
        (lambda text: text.replace("\nu1.first.e3k3,", "\nu1.first.e3k3,n"), "row 3, column 'cost_ms': 'n0.*' is not"),
        (lambda text: text.replace("\nu1.first.e3k3,", "\nu1.first.e3k3,7,"), "row 3: 13 fields, but the header has"),
        (lambda text: text.replace(",pn,128,", ",mbv3,128,", 2), "row 2, column 'space': 'mbv3' where 'pn' should"),
        (lambda text: text.replace(",pn,128,", ",pn,132,"), "row 2, column 'resolution': '132' where '128' should"),
        (lambda text: text.replace(",128,", ",128,1", 1), "row 3, column 'scale': .* where '1.*' should be"),
        (lambda text: text + '"', "is not a CSV file"),
        (lambda text: text + "\0", "row 103: 1 fields, but the header has"),
    ],
)  # fmt: skip
def test_damaged_files(change, said: str, path: Path) -> None:
    path.write_text(change(path.read_text()))
    with pytest.raises(DataFileError, match=rf"^{path}: {said}"):
        load_metrics(PN, ["mine"], RESOLUTION, lambda _: None)


def test_a_file_that_is_not_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DataFileError, check=coded("not-a-csv")):
        load_metrics(PN, ["mine"], RESOLUTION, lambda _: None)
    path.unlink()
    path.mkdir()
    with pytest.raises(DataFileError, check=coded("unreadable-file")):
        load_metrics(PN, ["mine"], RESOLUTION, lambda _: None)


@pytest.mark.parametrize("function", [measure_block_table, check_block_journal])
def test_what_cannot_be_measured(function, tmp_path: Path, table: BlockTable, journal: Path) -> None:
    with pytest.raises(MetricError, match=r"100.*pn.*128.*256", check=coded("no-such-resolution")):
        function(PN, 100, tmp_path / "journal.jsonl", QUICK)
    with pytest.raises(InputError, match=r"2.*3", check=coded("few-whole-networks")):
        function(PN, RESOLUTION, tmp_path / "journal.jsonl", QUICK, num_whole=2)
    with pytest.raises(InputError, match="NoSuchProvider", check=coded("no-such-provider")):
        function(PN, RESOLUTION, tmp_path / "journal.jsonl", MeasureSpec(provider="NoSuchProvider"))
    assert not (tmp_path / "journal.jsonl").exists()
    before = journal.read_bytes()
    with pytest.raises(InputError, check=coded("other-journal")):
        function(PN, 132, journal, QUICK, num_whole=NUM_WHOLE)
    with pytest.raises(InputError, match=r"107.*106", check=coded("other-journal")):
        function(PN, RESOLUTION, journal, QUICK, num_whole=NUM_WHOLE - 1)
    (tmp_path / "other").write_text("something else")
    with pytest.raises(DataFileError, check=coded("not-a-journal")):
        function(PN, RESOLUTION, tmp_path / "other", QUICK)
    function(PN, RESOLUTION, journal, QUICK, num_whole=NUM_WHOLE)
    assert journal.read_bytes() == before


def test_checking_begins_nothing(tmp_path: Path) -> None:
    check_block_journal(PN, RESOLUTION, tmp_path / "new" / "journal.jsonl")
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_written(table: BlockTable, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, check=coded("unwritable-folder")):
        table.write(tmp_path / "file" / "table.csv")
