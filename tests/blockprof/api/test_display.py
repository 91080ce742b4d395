"""What results look like in a notebook."""

from pathlib import Path

import numpy as np
import pytest

import blockprof
from blockprof.foundation.errors import InputError


@pytest.fixture(autouse=True)
def no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without predictors."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "BLOCKPROF_DATA"):
        monkeypatch.delenv(name, raising=False)


def test_a_profile_says_what_it_is_in_a_line_and_draws_itself() -> None:
    profile = blockprof.profile("pn", ["npu", "accuracy"])
    assert repr(profile) == (
        "<Profile of pn at 224: 189 placements; npu (ms) reference, exact, accuracy (%) reference, exact>"
    )
    assert repr(profile.metrics[0]) == "<MetricProfile of npu (ms), reference: exact>"
    assert len(profile.to_pandas()) == 2 * 189
    assert repr(blockprof.profile("pn", "npu")) == "<Profile of pn at 224: 189 placements; npu (ms) reference, exact>"
    html = profile._repr_html_()
    assert html.startswith("<p>&lt;Profile of pn at 224: ")
    assert html.count("<tr") == 1 + 2 * 9
    responses, effects, other = profile.plot(), profile.plot("effects"), profile.plot(metric="accuracy")
    assert len({len(each.axes) for each in (responses, effects)}) == 2
    drawn = [{text.get_text() for axes in each.axes for text in axes.texts} for each in (responses, other)]
    assert drawn[0] != drawn[1]
    for wrong in ({"what": "nothing"}, {"metric": "gpu"}):
        with pytest.raises(InputError, match="there are "):
            profile.plot(**wrong)


def test_a_study_says_what_it_found_and_draws_its_front() -> None:
    study = blockprof.search("pn", ["accuracy"], ["npu"], limits={"npu": 9}, initial=20, generations=2, children=10)
    number = len(study.best)
    assert repr(study.problem) == (
        "<Problem of pn, whole space: max accuracy (reference), min npu (reference), npu <= 9 ms>"
    )
    assert repr(study) == f"<Study of <SearchResult of {study.problem!r}: {number} best of 40 networks>>"
    assert study._repr_html_().count("<tr") == 1 + number
    assert len(study.to_pandas()) == number
    assert study.plot().axes
    assert study.plot("history").axes


def test_what_holds_arrays_has_a_short_repr() -> None:
    pn = blockprof.load_space("pn")
    (npu,) = blockprof.load_metrics(pn, ["npu"])
    archs = blockprof.sample_architectures(pn, 5, np.random.default_rng(0))
    assert repr(archs) == "<Architectures: 5 of pn>"
    assert repr(npu) == f"<AdditiveMetric npu (ms) of pn, reference: {len(npu.costs)} costs>"
