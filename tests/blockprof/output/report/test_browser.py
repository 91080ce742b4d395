"""Reports as headless Chromium shows them: no label cut off, nothing in the console, also inside MLflow."""

import subprocess
from collections.abc import Callable
from html import escape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PAGES = ("pn", "resnet50", "sampled", "few", "pooled", "joined", "training", "folds")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "dark"), [(1400, False), (700, True)])
def test_no_label_is_cut_off_and_the_console_is_empty(
    page_of: Callable[[str], str], look: Callable, name: str, width: int, dark: bool
) -> None:
    seen = look(page_of(name), width, dark=dark)
    assert (seen.problems, seen.console) == ([], [])
    assert seen.is_dark == dark
    assert seen.num_texts > 30 or name == "joined"


def test_a_cut_off_label_an_overflow_and_an_error_are_seen(look: Callable) -> None:
    page = (
        '<!doctype html><html><body><svg viewBox="0 0 100 20" width="100"><text x="90" y="15">far too long</text></svg>'
        '<table><tr><td style="max-width:20px">unbreakable</td></tr></table><script>nothing()</script></body></html>'
    )
    seen = look(page, 700)
    assert seen.problems == ["clipped: far too long", "overflows: unbreakable"]
    assert len(seen.console) == 1
    assert "nothing is not defined" in seen.console[0]


def test_the_screenshot_shows_heat_maps_and_curves(
    page_of: Callable[[str], str], browse: Callable, tmp_path: Path
) -> None:
    file, picture = tmp_path / "report.html", tmp_path / "report.png"
    file.write_text(page_of("pn"), encoding="utf-8")
    browse(file.as_uri(), "--window-size=1400,3600", f"--screenshot={picture}")
    pixels = np.asarray(Image.open(picture).convert("RGB"))
    assert pixels.shape == (3600, 1400, 3)
    # The most expensive and the cheapest response, and the three series: what a page without its drawings lacks.
    for colour in ((165, 0, 38), (49, 54, 149), (27, 130, 194), (194, 124, 0), (123, 31, 162)):
        assert (pixels == colour).all(axis=2).sum() > 100, colour


def test_it_opens_in_a_sandbox_without_scripts(
    page_of: Callable[[str], str], browse: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    """As MLflow shows artifacts, and stricter: scripts are forbidden."""
    outer, picture = tmp_path / "outer.html", tmp_path / "outer.png"
    frame = f'<iframe sandbox style="border:0;width:100%;height:1900px" srcdoc="{escape(page_of("pn"))}"></iframe>'
    outer.write_text(f"<!doctype html><body style='margin:0'>{frame}</body>", encoding="utf-8")
    outcome = browse(outer.as_uri(), "--window-size=1400,1900", "--virtual-time-budget=3000", f"--screenshot={picture}")
    assert "CONSOLE" not in outcome.stderr
    pixels = np.asarray(Image.open(picture).convert("RGB"))
    assert (pixels == (165, 0, 38)).all(axis=2).sum() > 100
