"""What a user sees: on terminals of two widths, and in a file."""

import re
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.text import Text

import blockprof
from blockprof.cli import render, render_profile
from blockprof.cli.terminal import Terminal
from blockprof.metrics import load_reference
from blockprof.profiling import HeldOut
from blockprof.reduction import Reduction
from blockprof.spaces.sampling import sample_architectures


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch):
    """Sends stdout and stderr to a terminal of a width; gives what it was sent."""

    def start(width: int, *, colours: str = "truecolor") -> StringIO:
        sent = StringIO()
        console = Terminal(
            file=sent, width=width, force_terminal=True, color_system=colours, highlight=False, markup=False,
            emoji=False, _environ={},
        )  # fmt: skip
        monkeypatch.setattr(render, "out", console)
        monkeypatch.setattr(render, "err", console)
        return sent

    return start


def plain(sent: StringIO) -> list[str]:
    return Text.from_ansi(sent.getvalue()).plain.splitlines()


@pytest.fixture(scope="module")
def profile():
    space = blockprof.load_space("pn")
    # By name, npu would be the champion of a store in the folder that the tests are run in.
    return blockprof.profile(space, [load_reference(space, name) for name in ("npu", "accuracy")], num_archs=50)


@pytest.fixture(params=["additive", "not additive"])
def pooled(request: pytest.FixtureRequest):
    """A profile of a surrogate that is right but for noise, or for so much more that it stands for nothing."""
    space = blockprof.load_space("pn")
    metric, archs = load_reference(space, "gpu"), sample_architectures(space, 30, np.random.default_rng(0))
    predicted = metric.evaluate(archs)
    errors = np.random.default_rng(1).normal(0, 0.01 if request.param == "additive" else 0.3, 30)
    bounds = (predicted * (1 + errors), predicted, 0.98 * predicted, 1.02 * predicted, 0.001 * predicted)
    check = HeldOut(tuple(archs.to_strings()), *bounds, repeatability_percent=1.0)
    covariance = np.diag(np.full(len(metric.costs) + 1, 1e-6))
    surrogate = blockprof.Surrogate(replace(metric, covariance=covariance), 30, check)
    return blockprof.profile(space, [surrogate]), request.param


@pytest.mark.parametrize("width", [80, 120])
def test_a_pooled_profile_says_how_additive_the_metric_is(width: int, pooled, terminal) -> None:
    profile, kind = pooled
    sent = terminal(width)
    render_profile.print_profile(profile)
    lines = plain(sent)
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    assert "Sampler paper, additive surrogate, pooled, 30 networks in all; held out: MAPE" in text
    assert "(95 % credible interval)" in text
    assert "measured again to 1.00 %" in text
    assert ("note: this metric is far from additive" in text) == (kind == "not additive")


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_wider_than_the_terminal_or_cut(width: int, profile, terminal) -> None:
    sent = terminal(width)
    render_profile.print_profile(profile)
    lines = plain(sent)
    assert max(map(len, lines)) <= width
    assert "…" not in sent.getvalue()


def test_the_heat_map_is_blue_where_good_and_red_where_bad(profile, terminal) -> None:
    sent = terminal(80)
    render_profile.print_profile(profile)
    npu, accuracy = sent.getvalue().split("response of a block: accuracy")
    for shown, better in ((npu, min), (accuracy, max)):
        metric = "npu" if better is min else "accuracy"
        frame = profile.response_frame()
        values = frame[frame["metric"] == metric]["response"]
        good, bad = (better(values), (max if better is min else min)(values))
        assert f"48;2;49;54;149m {good:.2f} " in shown  # RdYlBu's blue end
        assert f"48;2;165;0;38m {bad:.2f} " in shown  # its red end


@pytest.mark.parametrize("colours", ["standard", "256", None])
def test_other_terminals_show_the_same_text(colours: str | None, profile, terminal) -> None:
    full, other = terminal(80), None
    render_profile.print_profile(profile)
    other = terminal(80, colours=colours)
    render_profile.print_profile(profile)
    assert plain(other) == plain(full)


def test_long_names_are_folded_and_whole(terminal) -> None:
    joint = "+".join(f"u{unit}.l{layer}.e6k7" for unit in range(1, 6) for layer in (1, 2, 3))
    sent = terminal(80)
    render_profile.print_profile(blockprof.profile("pn", ["npu"], blocks=[joint, "u1.l1.e3k3"]))
    lines = plain(sent)
    assert max(map(len, lines)) <= 80
    column = "".join(line.split("│")[0].strip() for line in lines if "│" in line)
    assert joint in column


@pytest.mark.parametrize("count", [1, 3, 9, 10, 189])
def test_each_placement_is_shown_once(count: int, terminal) -> None:
    names = [placement.name for placement in blockprof.spaces.all_placements(blockprof.load_space("pn"))][:count]
    sent = terminal(120)
    profile = blockprof.profile("pn", ["npu"], blocks=names)
    render_profile.print_profile(profile)
    shown = [word for line in plain(sent) if "│" in line for word in line.split() if word in names]
    frame = profile.placement_frame()
    by = "contrast" if frame["contrast"].notna().any() else "effect"
    ordered = frame.sort_values(by, ascending=False, na_position="last")["placement"].tolist()
    assert len(shown) == min(count, 10)
    assert shown[0] == ordered[0]
    assert (shown[5] if count > 10 else shown[-1]) == ordered[-1]
    assert len(set(shown)) == len(shown)


def test_what_users_named_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    render.print_run("[red]a :smile: [/b]", "0123")
    render.print_paths(["[/x] :car:.csv"])
    shown = capsys.readouterr()
    assert shown.out == "wrote [/x] :car:.csv\n"
    assert shown.err == "logged to MLflow as run [red]a :smile: [/b], id 0123\n"


def test_progress_leaves_nothing_on_a_terminal(terminal) -> None:
    sent = terminal(80)
    with render.listening() as listener:
        listener.on_step("profiling", 1, 2)
    with render.working("training"):
        pass
    assert "profiling" in sent.getvalue()
    assert "training" in sent.getvalue()
    assert left_on_screen(sent.getvalue()) == ""


def left_on_screen(sent: str) -> str:
    """What a terminal shows in the end, of text, line ends, the cursor moved up a line, and lines erased."""
    lines, row = [""], 0
    for part in re.findall(r"\x1b\[\??[0-9;]*[A-Za-z]|\n|\r|[^\x1b\n\r]+", sent):
        if part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif part == "\x1b[1A":
            row -= 1
        elif part == "\x1b[2K":
            lines[row] = ""
        elif not part.startswith(("\x1b", "\r")):
            lines[row] += part
    return "".join(lines)


def test_progress_in_a_file_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with render.listening() as listener:
        listener.on_step("profiling", 1, 2)
    with render.working("training"):
        pass
    assert capsys.readouterr() == ("", "")


def test_prose_in_a_file_is_not_broken(profile, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    render_profile.print_profile(profile)
    (caption,) = [line for line in capsys.readouterr().out.splitlines() if "npu (ms): reference table" in line]
    assert "reference table, Kirin 9000 NPU; mean error 1.3 % on random networks" in caption
    assert caption.endswith("Sampler paper, 50 networks a placement.")


def test_extrapolated_values_have_a_star_and_no_more_digits_than_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    from blockprof.cli import render_search
    from blockprof.searching import Objective, Problem, SearchSpec
    from blockprof.searching.study import StudyPlan

    accuracy, npu = blockprof.load_metrics("mbv3", ["accuracy", "npu"])
    space = blockprof.load_space("mbv3")
    problem = Problem(Reduction.whole(space), (Objective(accuracy, True), Objective(npu, False)))
    study = StudyPlan(problem, SearchSpec(algorithm="exact")).run()
    render_search.print_study(study, with_networks=False)
    shown = capsys.readouterr().out
    most = float(study.first.values[study.first.best[0], 0])
    assert accuracy.info.errors is not None
    assert accuracy.info.errors.fitted is not None
    assert most > accuracy.info.errors.fitted[1]
    rows = [line.split("│") for line in shown.splitlines() if line.count("│") == 3]
    accuracies = [row[1].strip() for row in rows]
    assert accuracies[0] == f"{most:.2f}*"
    assert not any(each.endswith("*") for each in accuracies[1:])
    assert all(len(each.rstrip("*").split(".")[1]) == 2 for each in accuracies), "known to 0.05 points"
    assert "* beyond the values that the fit of accuracy and of npu has seen: an extrapolation" in shown
