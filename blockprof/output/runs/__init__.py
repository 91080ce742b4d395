"""What each command logs to its run, and reads back."""
