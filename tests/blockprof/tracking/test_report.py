"""A report in MLflow's own artifact view."""

import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
from PIL import Image

from blockprof import api, tracking
from blockprof.reporting import profile_report


def test_the_ui_shows_a_report(
    store: Path, serve: Callable[[str, Path], AbstractContextManager[str]], browse: Callable, tmp_path: Path
) -> None:
    page, picture = profile_report(api.profile("pn", ["npu", "accuracy"])), tmp_path / "ui.png"
    with tracking.start_run("profile", space="pn") as run:
        run.log_text(page, "report.html")
    with serve("ui", store) as address:
        answer = urllib.request.urlopen(f"{address}/get-artifact?path=report.html&run_uuid={run.id}", timeout=20)
        with answer:
            assert answer.headers.get_content_type() == "text/html"
            assert answer.read().decode() == page
        view = f"{address}/#/experiments/1/runs/{run.id}/artifacts/report.html"
        outcome = browse(view, "--window-size=1600,2600", "--virtual-time-budget=6000", f"--screenshot={picture}")
    assert "CONSOLE" not in outcome.stderr
    pixels = np.asarray(Image.open(picture).convert("RGB"))
    # The dearest and the cheapest response.
    for colour in ((165, 0, 38), (49, 54, 149)):
        assert (pixels == colour).all(axis=2).sum() > 100, colour
