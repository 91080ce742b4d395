"""Reports: a page of HTML for each profile, comparison or training, whole in itself; readable without JavaScript."""

from blockprof.output.report.comparisons import comparison_report
from blockprof.output.report.profiles import profile_report
from blockprof.output.report.trainings import training_report

REPORT = "report.html"
"""The file that a run keeps its report in."""

__all__ = ["REPORT", "comparison_report", "profile_report", "training_report"]
