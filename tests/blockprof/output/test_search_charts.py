"""What charts of searches show: which metrics on which axes, fronts, limits at their values, seeds."""

from dataclasses import replace

import numpy as np
import pytest

from blockprof.metrics import load_reference
from blockprof.output.captions import search_caption
from blockprof.output.charts import Line, Points, Rule
from blockprof.output.charts.searches import front_chart, history_chart
from blockprof.output.draw_matplotlib import draw_chart
from blockprof.reduction import load_preset
from blockprof.searching import Limit, Objective, Problem, SearchSpec
from blockprof.searching.study import Study, StudyPlan
from blockprof.spaces import load_space

PN = load_space("pn")
ACCURACY, NPU, GPU = (load_reference(PN, name) for name in ("accuracy", "npu", "gpu"))
FRONT = Problem(load_preset(PN, "paper-npu"), (Objective(ACCURACY, True), Objective(NPU, False)))
BEST = Problem(load_preset(PN, "paper-npu"), (Objective(ACCURACY, True),), (Limit(NPU, 9.0),))
SPEC = SearchSpec(initial=20, generations=2, children=20)


@pytest.fixture(scope="module")
def compared() -> Study:
    return StudyPlan(FRONT, SPEC, num_seeds=3, compares=True).run()


@pytest.mark.parametrize(
    ("problem", "panels"),
    [
        (FRONT, [("npu (ms), minimised", "accuracy (%), maximised")]),
        (BEST, [("npu (ms)", "accuracy (%), maximised")]),
        (replace(BEST, limits=()), [("generation", "accuracy (%), maximised")]),
        (
            replace(FRONT, objectives=(*FRONT.objectives, Objective(GPU, False))),
            [
                ("npu (ms), minimised", "accuracy (%), maximised"),
                ("gpu (ms), minimised", "accuracy (%), maximised"),
                ("gpu (ms), minimised", "npu (ms), minimised"),
            ],
        ),
    ],
    ids=["front", "limited", "best", "three"],
)
def test_a_panel_for_each_pair(problem: Problem, panels: list[tuple[str, str]]) -> None:
    study = StudyPlan(problem, SPEC).run()
    chart = front_chart(study)
    assert [(each.x.label.removesuffix(" (logarithmic)"), each.y.label) for each in chart.panels] == panels
    everyone, best = chart.panels[0].layers[:2]
    assert isinstance(everyone, Points)
    assert isinstance(best, Line | Points)
    np.testing.assert_array_equal(everyone.y, study.first.values[:, 0])
    assert sorted(best.y) == sorted(study.first.values[study.first.best, 0])
    assert (everyone.pale, best.pale) == (True, False)


@pytest.mark.parametrize(("limit", "axis"), [(Limit(NPU, 9.0), "x"), (Limit(ACCURACY, 76.0), "y")])
def test_a_limit_stands_at_its_value(limit: Limit, axis: str) -> None:
    study = StudyPlan(replace(FRONT, limits=(limit,)), SPEC).run()
    (panel,) = front_chart(study).panels
    (rule,) = [layer for layer in panel.layers if isinstance(layer, Rule)]
    assert rule == Rule(limit.bound, axis, limit.text, is_limit=True)


def test_a_front_goes_from_left_to_right_in_steps_to_what_is_the_best_so_far() -> None:
    turned = replace(FRONT, objectives=FRONT.objectives[::-1])
    for problem, step in ((FRONT, "last"), (turned, "next")):
        (panel,) = front_chart(StudyPlan(problem, SPEC).run()).panels
        (front,) = [layer for layer in panel.layers if isinstance(layer, Line)]
        assert front.step == step
        assert (np.diff(front.x) > 0).all()
        assert (np.diff(front.y) > 0).all()


def test_a_wide_axis_is_logarithmic(compared: Study) -> None:
    axis = front_chart(compared).panels[0].x
    values = np.concatenate([compared.first.values[:, 1], compared.whole[0].values[:, 1]])
    assert values.max() > 4 * values.min()
    assert axis.is_log
    narrow = front_chart(StudyPlan(FRONT, SPEC).run()).panels[0].x
    assert not narrow.is_log


def test_both_spaces_are_shown_and_the_caption_says_where_numbers_are_from(compared: Study) -> None:
    chart = front_chart(compared)
    layers = chart.panels[0].layers
    assert [layer.name.split(":")[0] for layer in layers] == ["whole space", "paper-npu"] * 2
    assert [layer.tone for layer in layers if not isinstance(layer, Rule)] == ["other", "main"] * 2
    said = search_caption(compared)
    assert said.startswith("ProxylessNAS (pn) at resolution 224, paper-npu and whole space. accuracy (%): reference")
    assert "npu (ms): reference table, Kirin 9000 NPU; mean error 1.3 % on random networks" in said
    assert said.endswith("Search: evolution, seeds 0 to 2.")
    assert chart.caption == said
    figure = draw_chart(chart)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [layer.name for layer in layers]


def test_the_history_has_a_line_a_seed_and_their_mean(compared: Study) -> None:
    chart = history_chart(compared)
    (panel,) = chart.panels
    assert panel.y.label == "hypervolume (% x ms)"
    lines = [layer for layer in panel.layers if isinstance(layer, Line)]
    assert [line.pale for line in lines] == [True, True, True, False] * 2
    for first, results in ((0, compared.whole), (4, compared.searches)):
        name = results[0].problem.reduction.name
        assert lines[first + 3].name == f"{name}, mean of 3 seeds (thin: each)"
        each = np.stack([line.y for line in lines[first : first + 3]])
        np.testing.assert_allclose(lines[first + 3].y, each.mean(axis=0))
    np.testing.assert_allclose([line.y[-1] for line in lines[4:7]], compared.hypervolumes)
