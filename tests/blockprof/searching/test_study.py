"""Searches from several seeds, compared with the whole space's, kept while they are under way; their figures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from codes import coded
from listening import Heard

from blockprof.foundation.errors import BlockprofError, InputError
from blockprof.metrics import load_reference
from blockprof.output.runs.searches import search_metrics, search_steps
from blockprof.profiling.statistics import half_width
from blockprof.reduction import Reduction, load_preset
from blockprof.searching import Limit, Objective, Problem, SearchSpec, search
from blockprof.searching.study import STATES, Estimate, Study, StudyPlan
from blockprof.spaces import load_space

PN = load_space("pn")
ACCURACY, NPU, GPU = (load_reference(PN, name) for name in ("accuracy", "npu", "gpu"))
FRONT = Problem(load_preset(PN, "paper-npu"), (Objective(ACCURACY, True), Objective(NPU, False)))
BEST = Problem(load_preset(PN, "paper-npu"), (Objective(ACCURACY, True),), (Limit(NPU, 9.0),))
SPEC = SearchSpec(initial=20, generations=2, children=20)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.delenv("BLOCKPROF_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def compared() -> Study:
    return StudyPlan(FRONT, SPEC, num_seeds=3, compares=True).run()


def test_each_search_is_that_of_its_seed(compared: Study) -> None:
    for results, reduction in ((compared.searches, FRONT.reduction), (compared.whole, Reduction.whole(PN))):
        assert [result.spec.seed for result in results] == [0, 1, 2]
        for result in results:
            alone = search(replace(FRONT, reduction=reduction), replace(SPEC, seed=result.spec.seed))
            np.testing.assert_array_equal(result.values, alone.values)


def test_hypervolumes_are_against_one_point(compared: Study) -> None:
    first = compared.first
    losses = np.concatenate(
        [r.problem.losses(r.values[r.generations == 0]) for r in compared.searches + compared.whole]
    )
    np.testing.assert_allclose(compared.reference, losses.max(axis=0))
    # In two dimensions: strips between neighbours of the front, which is sorted from the most accurate on.
    accuracy, npu = first.values[first.best].T
    lowest = -compared.reference[0]
    accuracy = np.maximum(accuracy, lowest)
    steps = accuracy - np.append(accuracy[1:], lowest)
    assert compared.hypervolumes[0] == pytest.approx((steps * np.maximum(compared.reference[1] - npu, 0.0)).sum())


def test_the_gain_of_a_front_is_a_ratio(compared: Study) -> None:
    frame = compared.comparison_frame()
    np.testing.assert_allclose(frame["ratio"], frame["hypervolume"] / frame["hypervolume_whole"])
    ratios = frame["ratio"].to_numpy()
    assert compared.gain.mean == pytest.approx(ratios.mean())
    assert compared.gain.upper - compared.gain.mean == pytest.approx(half_width(ratios))


def test_the_gain_of_a_best_value_is_a_difference_for_the_better() -> None:
    study = StudyPlan(replace(BEST, objectives=(Objective(NPU, False),), limits=()), SPEC, compares=True).run()
    (gain,) = study.gains
    lowest = [result.values.min() for result in (study.first, study.whole[0])]
    assert gain == pytest.approx(lowest[1] - lowest[0])
    assert "hypervolume" not in study.history_frame()
    assert "hypervolume.mean" not in search_metrics(study)
    assert search_metrics(study)["gain.mean"] == pytest.approx(gain)
    assert "gain.lower" not in search_metrics(study)


def test_one_seed_has_no_interval() -> None:
    estimate = Estimate.of(np.array([2.0]))
    assert estimate.mean == 2.0
    assert np.isnan([estimate.lower, estimate.upper]).all()


def test_steps_leave_out_what_is_not_a_number(compared: Study) -> None:
    steps = search_steps(compared)
    assert sorted(steps) == [0, 1, 2]
    names = {"num_evaluated", "front_size", "hypervolume", "best_accuracy", "best_npu"}
    assert set(steps[0]) == names | {f"whole.{name}" for name in names}
    # So seldom met that the first networks do not meet it.
    hard = Problem(Reduction.whole(PN), (Objective(ACCURACY, True),), (Limit(NPU, 3.2),))
    late = search_steps(StudyPlan(hard, SearchSpec()).run())
    assert "best_accuracy" not in late[0]
    assert late[0]["front_size"] == 0
    assert "best_accuracy" in late[max(late)]


def test_what_cannot_be_planned() -> None:
    whole = replace(FRONT, reduction=Reduction.whole(PN))
    with pytest.raises(InputError, check=coded("nothing-to-compare")):
        StudyPlan(whole, SPEC, compares=True)
    with pytest.raises(InputError, match="num_seeds=0", check=coded("below-1")):
        StudyPlan(FRONT, SPEC, num_seeds=0)
    with pytest.raises(InputError, check=coded("nothing-random")):
        StudyPlan(FRONT, SearchSpec("exact"), num_seeds=2)
    with pytest.raises(InputError, match=r"npu.*1", check=coded("limits-not-met")):
        StudyPlan(replace(FRONT, limits=(Limit(NPU, 1.0),)), SPEC)


def interrupted(plan: StudyPlan, at: int) -> None:
    heard = Heard(stop_at=at)
    with pytest.raises(KeyboardInterrupt), plan.kept():
        plan.run(heard, keep=True)
    assert heard.steps[-1] == (at, 2 * 2 * 3)


def test_interrupted_it_goes_on_and_then_leaves_no_file(folder: Path, compared: Study) -> None:
    plan = StudyPlan(FRONT, SPEC, num_seeds=2, compares=True)
    assert plan.kept_states() == ()
    interrupted(plan, at=5)
    assert len(plan.kept_states()) == 2
    heard = Heard()
    with plan.kept():
        again = plan.run(heard, keep=True)
    assert heard.steps[0][0] == 6
    np.testing.assert_array_equal(again.gains, compared.gains[:2])
    assert list(folder.iterdir()) == [folder / "blockprof-data"]
    assert not list((folder / "blockprof-data").iterdir())


def test_nothing_is_left_where_no_network_is_within_the_limits(folder: Path) -> None:
    impossible = replace(FRONT, limits=(Limit(NPU, 2.1), Limit(ACCURACY, 77.0)))
    plan = StudyPlan(impossible, SPEC)
    with pytest.raises(InputError, match="60", check=coded("limits-not-met")), plan.kept():
        plan.run(keep=True)
    assert not list(folder.iterdir())


def test_other_settings_are_kept_elsewhere(folder: Path) -> None:
    (folder / "blockprof-data").mkdir()
    interrupted(StudyPlan(FRONT, SPEC, num_seeds=2, compares=True), at=3)
    of_any = replace(ACCURACY, score=replace(ACCURACY.score, resolution=None)), replace(NPU, resolution=None)
    anywhere = replace(FRONT, objectives=(Objective(of_any[0], True), Objective(of_any[1], False)))
    others = [
        StudyPlan(FRONT, replace(SPEC, seed=7)),
        StudyPlan(FRONT, replace(SPEC, children=21)),
        StudyPlan(anywhere, SPEC, 192),
        StudyPlan(replace(FRONT, objectives=FRONT.objectives[::-1]), SPEC),
        StudyPlan(replace(FRONT, limits=(Limit(GPU, 6.0),)), SPEC),
        StudyPlan(replace(FRONT, reduction=Reduction.whole(PN)), replace(SPEC, seed=3)),
    ]
    assert [plan.kept_states() for plan in others] == [()] * len(others)


def test_another_metric_of_the_name_is_refused_and_the_file_stays(folder: Path) -> None:
    interrupted(StudyPlan(FRONT, SPEC, num_seeds=2, compares=True), at=3)
    extra_cost = replace(NPU, costs=NPU.costs * 2)
    plan = StudyPlan(replace(FRONT, objectives=(FRONT.objectives[0], Objective(extra_cost, False))), SPEC)
    (state,) = (folder / "blockprof-data" / STATES).iterdir()
    with pytest.raises(BlockprofError, match="npu"):
        plan.kept_states()
    assert state.exists()
