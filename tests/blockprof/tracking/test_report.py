"""A report as `mlflow ui` serves it to its artifact view, which puts it in a sandboxed frame.

How a browser shows it in such a frame is tested with the reports; not through MLflow's own page, on which headless
Chromium, told to wait until nothing is loading, at times waited for ever.
"""

import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import blockprof
from blockprof import tracking
from blockprof.output.report import profile_report


def test_the_ui_serves_a_report_as_html(store: Path, serve: Callable[[str, Path], AbstractContextManager[str]]) -> None:
    page = profile_report(blockprof.profile("pn", ["npu", "accuracy"]))
    with tracking.start_run("profile", space="pn") as run:
        run.log_text(page, "report.html")
    with serve("ui", store) as address:
        answer = urllib.request.urlopen(f"{address}/get-artifact?path=report.html&run_uuid={run.id}", timeout=20)
        with answer:
            assert answer.headers.get_content_type() == "text/html"
            assert answer.read().decode() == page
