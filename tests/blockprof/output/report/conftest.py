"""Reports of real profiles and trainings, and a headless Chromium that looks at pages."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path

import numpy as np
import pytest

import blockprof
from blockprof import predictors, profiling
from blockprof.evaluators.supernet.surrogate import fit_accuracy_surrogate
from blockprof.fetching.reference import reference_data
from blockprof.metrics import load_reference
from blockprof.output.report import profile_report, training_report
from blockprof.profiling import Profile
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

CONSOLE = re.compile(r":(?:INFO|WARNING|ERROR):CONSOLE.*")

# What is cut off, what covers what, and what makes the page itself scroll sideways, all sections unfolded.
MEASURE = """
for (const each of document.querySelectorAll("details")) each.open = true;
const found = [], sees = (node) => node.textContent.trim().slice(0, 40);
for (const svg of document.querySelectorAll("svg")) {
  const outer = svg.getBoundingClientRect(), boxes = [];
  for (const text of svg.querySelectorAll("text")) {
    const box = text.getBoundingClientRect();
    if (box.left < outer.left - 0.5 || box.right > outer.right + 0.5 || box.top < outer.top - 0.5
        || box.bottom > outer.bottom + 0.5) found.push("clipped: " + sees(text));
    for (const [other, words] of boxes)
      if (box.left < other.right && other.left < box.right && box.top < other.bottom - 3 && other.top < box.bottom - 3)
        found.push("overlaps: " + sees(text) + " and " + words);
    boxes.push([box, sees(text)]);
  }
}
for (const cell of document.querySelectorAll("td, th, dd, dt, figcaption"))
  if (cell.scrollWidth > cell.clientWidth + 1) found.push("overflows: " + sees(cell));
if (document.documentElement.scrollWidth > innerWidth) found.push("the page is wider than the window");
const result = document.createElement("pre");
result.id = "measured";
result.textContent = JSON.stringify({problems: found, texts: document.querySelectorAll("svg text").length,
  dark: getComputedStyle(document.body).backgroundColor !== "rgb(255, 255, 255)"});
document.body.append(result);
"""


@dataclass(frozen=True)
class Look:
    """What a browser made of a page: what is wrong with its labels, and what its console says."""

    problems: list[str]
    num_texts: int
    is_dark: bool
    console: list[str]


@cache
def profiled(name: str) -> Profile:
    """A profile of each kind that there is."""
    match name:
        case "pn":
            return blockprof.profile("pn", ["npu", "accuracy", "flops"])
        case "resnet50":
            return blockprof.profile("resnet50", ["flops", "params"])
        case "sampled":
            return blockprof.profile("mbv3", ["npu", "gpu", "cpu", "accuracy", "macs", "flops", "params"], num_archs=20)
        case "few":
            return blockprof.profile("pn", ["npu", "accuracy"], blocks=["u2.l1.e6k7", "u2.l1.e6k7+u3.l1.e3k3"])
        case "pooled":
            return _pooled()
        case "joined":
            return blockprof.profile("resnet50", ["flops"], blocks=["stem.skip+u3.l2.w100.e35"])
    raise ValueError(name)


def _pooled() -> Profile:
    """Accuracy pooled from 120 networks, evaluated with noise, beside an exact metric."""
    space, rng = load_space("pn"), np.random.default_rng(0)
    archs = sample_architectures(space, 120, rng)
    accuracy, latency = load_reference(space, "accuracy"), load_reference(space, "npu")
    noisy = accuracy.evaluate(archs) + rng.normal(0, 0.1, len(archs))
    return profiling.profile(space, [fit_accuracy_surrogate(archs, noisy, accuracy.info), latency])


@pytest.fixture(scope="session")
def profile_of() -> Callable[[str], Profile]:
    return profiled


@pytest.fixture(scope="session")
def page_of() -> Callable[[str], str]:
    """The report of a profile by its name, of ``training``, or of ``folds``: one on few networks."""
    return _page


@cache
def _page(name: str) -> str:
    if name == "folds":
        few = reference_data(load_space("pn"), "cpu", 50, seed=0)
        trained, folds = predictors.train_predictor(few, "cpu"), predictors.cross_validate(few)
        return training_report(trained, few, Path("few.csv"), is_reference=True, folds=folds)
    if name != "training":
        return profile_report(profiled(name))
    data = reference_data(load_space("pn"), "npu", 300, seed=0)
    return training_report(
        predictors.train_predictor(data, "npu"),
        data,
        Path("measured.csv"),
        is_reference=True,
        curve=predictors.learning_curve(data, num_draws=2),
    )


@pytest.fixture
def look(browse: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path) -> Callable[..., Look]:
    """Opens a page in a window of a given width, light or dark, and measures its labels."""

    def open_page(page: str, width: int, *, dark: bool = False) -> Look:
        file = tmp_path / "page.html"
        file.write_text(page.replace("</body>", f"<script>{MEASURE}</script></body>"), encoding="utf-8")
        theme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
        outcome = browse(file.as_uri(), f"--window-size={width},1200", theme, "--dump-dom")
        measured = re.search(r'<pre id="measured">(.*?)</pre>', outcome.stdout, re.DOTALL)
        assert measured, outcome.stderr
        result = json.loads(unescape(measured[1]))
        return Look(result["problems"], result["texts"], result["dark"], CONSOLE.findall(outcome.stderr))

    return open_page
