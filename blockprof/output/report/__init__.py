"""Reports: one HTML page a profile or a training, with all it needs in itself; readable without JavaScript."""

from blockprof.output.report.profiles import profile_report
from blockprof.output.report.trainings import training_report

REPORT = "report.html"
"""The file that a run keeps its report in."""

__all__ = ["REPORT", "profile_report", "training_report"]
