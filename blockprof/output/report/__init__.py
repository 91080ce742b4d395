"""Reports: one HTML page a profile or a training, with all it needs in itself; readable without JavaScript."""

from blockprof.output.report.profiles import profile_report
from blockprof.output.report.trainings import training_report

__all__ = ["profile_report", "training_report"]
