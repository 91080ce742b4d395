"""What all else stands on: errors, files, text, signals and small numerics. Imports nothing of blockprof beside it."""
