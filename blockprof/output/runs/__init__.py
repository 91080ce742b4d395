"""What each command logs to its run in MLflow, and what is read back from runs; a module a command."""
