"""Reports: one HTML page a profile or a training, with all it needs in itself; readable without JavaScript."""

from blockprof.reporting.profiles import profile_report
from blockprof.reporting.trainings import training_report

__all__ = ["profile_report", "training_report"]
