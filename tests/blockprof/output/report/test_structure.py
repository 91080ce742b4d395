"""What reports hold: every metric, unit and placement by name, all text escaped, nothing from elsewhere."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from blockprof import predictors
from blockprof.fetching.reference import reference_data
from blockprof.metrics import load_reference
from blockprof.output.report import profile_report, training_report
from blockprof.profiling import HeldOut, Profile, Surrogate, profile
from blockprof.spaces import load_space, parse_blocks

PN = load_space("pn")
PAGES = ("pn", "resnet50", "sampled", "few", "pooled", "joined", "training", "folds")
VOID = {"meta", "br", "wbr"}
HOSTILE = '<script>alert("&")</script>'


class Page(HTMLParser):
    """Checks that what is opened is closed, in order, and keeps the text and the attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def drawings(page: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


@pytest.mark.parametrize("name", PAGES)
def test_nothing_comes_from_elsewhere(page_of: Callable[[str], str], name: str) -> None:
    text = page_of(name)
    page = Page(text)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "a", "base"}
    assert {"src", "href", "srcset", "data", "action"}.isdisjoint(key for key, _ in page.attributes)
    assert "http://" not in text
    assert "https://" not in text
    assert not re.search(r"url\(|@import", text)
    assert not any(key.startswith("on") or key == "id" for key, _ in page.attributes)
    assert len(text) < 1_000_000


@pytest.mark.parametrize("name", ["pn", "resnet50", "sampled", "few", "joined"])
def test_every_metric_unit_and_placement_is_named(
    page_of: Callable[[str], str], profile_of: Callable[[str], Profile], name: str
) -> None:
    result, page = profile_of(name), Page(page_of(name))
    titles = [each.text or "" for svg in drawings(page_of(name)) for each in svg.iter("title")]
    for metric in result.metrics:
        assert metric.info.label in page.text
        assert metric.info.source in page.text
        labels = [svg.get("aria-label", "") for svg in drawings(page_of(name))]
        columns = {constraint.single.block.name[-2:] for constraint in result.constraints if constraint.single}
        assert sum(label.startswith(f"Effect on {metric.info.label}") for label in labels) == len(columns)
    for constraint in result.constraints:
        assert constraint.name in page.text
        marks = sum(title.startswith(f"{constraint.name}: ") for title in titles)
        assert marks == (len(result.metrics) if constraint.single else 0)


def test_units_and_layers_are_marked_in_every_chart(page_of: Callable[[str], str]) -> None:
    for svg in drawings(page_of("resnet50")):
        if svg.get("aria-label"):
            labels = [text.text for text in svg.iter("text")]
            assert [label for label in labels if re.fullmatch(r"u\d", label or "")] == ["u1", "u2", "u3", "u4"]
            layers = [label for label in labels[-len(labels) :] if re.fullmatch("[1-6]", label or "")]
            assert "".join(map(str, layers)).endswith("123412341234561234"[-18:])


def test_marks_say_the_profiles_own_numbers(
    page_of: Callable[[str], str], profile_of: Callable[[str], Profile]
) -> None:
    frame = profile_of("pn").placement_frame()
    row = frame[(frame.metric == "npu") & (frame.placement == "u5.l4.e6k7")].iloc[0]
    titles = [each.text or "" for svg in drawings(page_of("pn")) for each in svg.iter("title")]
    (title,) = [each for each in titles if each.startswith("u5.l4.e6k7: ") and " ms" in each]
    numbers = [float(each) for each in re.findall(r"[+−]([\d.]+)", title)]
    assert numbers == pytest.approx([row.effect, row.effect_q05, row.effect_q95], abs=0.005)


@pytest.mark.parametrize(("metric", "ground"), [("ms", "165, 0, 38"), ("%", "49, 54, 149")], ids=["npu", "accuracy"])
def test_the_block_that_costs_most_is_red_and_the_one_that_gains_most_is_blue(
    page_of: Callable[[str], str], metric: str, ground: str
) -> None:
    (cell,) = re.findall(rf'title="e6k7: [\d.]+ {metric},[^"]*" style="([^"]*)"', page_of("pn"))
    assert cell == f"background:rgb({ground});color:white"


def test_intervals_show_where_sampled_and_only_there(page_of: Callable[[str], str]) -> None:
    assert " ± " in page_of("sampled").replace("<small>±", " ± ")
    assert 'class="whisker' in page_of("sampled")
    assert "±" not in Page(page_of("pn")).text
    assert 'class="whisker' not in page_of("pn")


def test_the_reduction_is_shown_or_how_to_get_one(page_of: Callable[[str], str]) -> None:
    assert "networks are worth searching" in Page(page_of("pn")).text
    assert "u5.l4" in page_of("pn")
    remedy = "make one with blockprof profile --space resnet50 --metrics flops,params,accuracy --data FOLDER"
    assert remedy in Page(page_of("resnet50")).text
    assert "of the 189 placements of pn" in Page(page_of("few")).text


def test_a_pooled_metric_has_its_check() -> None:
    metric = load_reference(PN, "npu")
    values = np.array([10.0, 12.0, 11.0])
    check = HeldOut(("net-a", "net-b", "net-c"), values, values + 0.1, values - 1, values + 1, np.full(3, 0.2), 0.5)
    covariance = np.eye(len(metric.costs) + 1) * 1e-4
    result = profile(
        PN,
        [Surrogate(replace(metric, covariance=covariance), 3, check)],
        constraints=parse_blocks(PN, ["u2.l1.e6k7"], 224),
    )
    page = profile_report(result)
    assert "How far the pooled metrics can be trusted" in page
    assert "net-b: 12.00 ms, predicted 12.10" in page
    assert "pooled, 3 networks in all" in page


def test_what_is_predicted_need_not_be_a_latency(profile_of: Callable[[str], Profile]) -> None:
    result = profile_of("few")
    info = replace(result.metrics[1].info, origin="predicted", source="OFA's accuracy predictor", errors=None)
    text = Page(profile_report(replace(result, metrics=(replace(result.metrics[1], info=info),)))).text
    assert "predicted by a model that was trained on networks with known values (OFA's accuracy predictor)" in text


def test_all_text_is_escaped(profile_of: Callable[[str], Profile], monkeypatch: pytest.MonkeyPatch) -> None:
    result = profile_of("few")
    info = replace(result.metrics[0].info, name=HOSTILE, unit=HOSTILE, source=HOSTILE)
    monkeypatch.setattr("sys.argv", ["blockprof", HOSTILE])
    page = profile_report(replace(result, metrics=(replace(result.metrics[0], info=info), *result.metrics[1:])))
    assert "<script" not in page
    assert HOSTILE in Page(page).text


def test_a_training_shows_scores_baselines_curve_and_worst_networks(page_of: Callable[[str], str]) -> None:
    text = Page(page_of("training")).text
    for part in ("blockwise, test networks", "FLOPs only", "mean only", "Reference, not measured"):
        assert part in text
    assert "Learning curve of blockwise" in text
    data = reference_data(PN, "npu", 300, seed=0)
    trained = predictors.train_predictor(data, "npu")
    test = data.select(trained.split.test)
    errors = np.abs(trained.model.predict(test.archs, test.resolutions).latency_ms / test.latencies_ms - 1)
    for index in np.argsort(-errors)[:10]:
        assert test.archs.to_strings()[index] in text
    assert f"{trained.test.scores.mape_percent:.2f}" in text


def test_a_training_on_few_networks_shows_all_of_them_left_out_in_turn(page_of: Callable[[str], str]) -> None:
    page = page_of("folds")
    text = Page(page).text
    data = reference_data(PN, "cpu", 50, seed=0)
    folds = predictors.cross_validate(data)
    assert "blockwise, all networks left out in turn" in text
    assert "of all 50 networks, each predicted by a predictor of the others (10 folds)" in text
    assert f"{folds.scores.mape_percent:.2f}" in text
    errors = np.abs(folds.prediction.latency_ms / data.latencies_ms - 1)
    for index in np.argsort(-errors)[:10]:
        assert data.archs.to_strings()[index] in text
    assert "cv_predictions.csv" in text


def test_a_training_lists_its_outliers_by_row(page_of: Callable[[str], str]) -> None:
    assert "Outliers" not in Page(page_of("training")).text
    data = reference_data(load_space("pn"), "npu", 60, seed=0)
    split = predictors.split_by_network(data, seed=0)
    latencies, wrong = data.latencies_ms.copy(), [split.train[4], split.test[2]]
    latencies[wrong] *= 0.001
    data = replace(data, latencies_ms=latencies)
    trained = predictors.train_predictor(data, "npu")
    page = Page(training_report(trained, data, Path("a.csv"), is_reference=True))
    text = " ".join(page.text.split())
    assert "2 rows are far from what the predictor" in text
    assert f"mean error is {trained.test.sound_mape_percent:.2f} %" in text
    for row, part in zip(wrong, ("train", "test"), strict=True):
        assert re.search(rf"\b{row + 2} ?{part} ?{latencies[row]:.4g}", text)


def test_a_training_on_few_networks_of_a_hostile_device(monkeypatch: pytest.MonkeyPatch) -> None:
    data = replace(reference_data(PN, "npu", 20, seed=0), device=HOSTILE)
    trained = predictors.train_predictor(data, "npu")
    page = training_report(trained, data, Path(HOSTILE), is_reference=False)
    assert "<script" not in page
    assert "Learning curve" not in page
    assert "Reference, not measured" not in page
    Page(page)
