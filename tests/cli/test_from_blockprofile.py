"""The page for those who come from BlockProfile: its commands run, its spellings and numbers are the program's."""

import re
import shlex
from pathlib import Path

import pytest

from blockprof.metrics import load_reference
from blockprof.metrics.counting import load_count
from blockprof.metrics.ofa_predictor import load_ofa_predictor
from blockprof.profiling import profile
from blockprof.spaces import load_space

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "from-blockprofile.md"
COMMANDS = re.findall(r"^    blockprof (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def row_of(start: str) -> str:
    (row,) = (line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {start}"))
    return row


@pytest.mark.parametrize("line", COMMANDS)
def test_its_commands_run(line: str, cli, folder: Path) -> None:
    outcome = cli(*shlex.split(line), "--no-log")
    assert outcome.returncode == 0, outcome.stderr
    assert all(said.startswith("note: ") for said in outcome.stderr.splitlines())


@pytest.mark.parametrize("name", ["OFAPred", "ProxylessSupernet", "ResNet50Supernet", "ProxylessPred"])
def test_its_numbers_of_metrics(name: str) -> None:
    space = load_space(name)
    theirs = space.assets.upstream_called(name)
    assert theirs is not None
    numbered = ", ".join(f"{number} `{metric}`" for number, metric in enumerate(theirs.metrics))
    assert f"| `{space.name}` | {numbered} |" in row_of(f"`{name}`")


def test_its_flops_and_accuracies(shared_data: Path) -> None:
    space, text = load_space("mbv3"), PAGE.read_text(encoding="utf-8")
    frame = profile(space, [load_count(space, "flops", 224)], sampler="upstream").response_frame()
    table = frame.pivot(index="expand", columns="kernel", values="response").loc[[6, 4, 3], [3, 5, 7]].round()
    rows = " / ".join(", ".join(f"{value:.0f}" for value in row) for row in table.to_numpy())
    assert f"| {rows} M (`--sampler upstream`) |" in row_of("FLOPs in Fig. 2")
    predictor = load_ofa_predictor(space, path=shared_data / "ofa" / "acc_predictor.pth")
    said = profile(space, [predictor], num_archs=2000, constraints=[]).metrics[0].statistics.column("mean")[0]
    table_says = (
        profile(space, [load_reference(space, "accuracy")], constraints=[]).metrics[0].statistics.column("mean")[0]
    )
    assert f"{said:.1f} % of random networks, some {said - table_says:.0f} points more" in text.replace("\n", " ")


def test_links_of_the_pages_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
